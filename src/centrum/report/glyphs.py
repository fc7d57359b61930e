"""Text of figures: a font for every character that one has, a number for what no font has.

A table or a caption is shown by a program that finds fonts by itself; a figure holds the shapes
of its letters. Names in Chinese, Arabic or with emoji are drawn with fonts of this computer where
it has them. A word that cannot be drawn gets a number, and the caption says what it stands for.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from unicodedata import normalize

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from centrum.text import legal

OWN = "DejaVu Sans"
"""The font of all figures, which comes with matplotlib."""

NO_FONTS = ("Last Resort", "Color")
"""Fonts that hold a box for every character, or pictures that cannot be drawn as outlines."""


def fit_text(figure: Figure) -> dict[str, str]:
    """Make every text of a figure drawable; gives what each number stands for.

    >>> figure = Figure()
    >>> _ = figure.text(0, 0, "reader \\U000e0a41 and senior")
    >>> fit_text(figure), figure.texts[0].get_text()
    ({'‹1›': '\\U000e0a41'}, 'reader ‹1› and senior')
    """
    numbers: dict[str, str] = {}
    for axes in figure.axes:
        _fit_ticks(axes.xaxis, numbers)
        _fit_ticks(axes.yaxis, numbers)
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        spelled = _spelled(text.get_text(), numbers)
        if spelled != text.get_text():
            text.set_text(spelled)
        if further := dict.fromkeys(_fonts_for(spelled)):
            text.set_fontfamily([OWN, *further])
    return {number: word for word, number in numbers.items()}


def stands_for(numbers: Mapping[str, str]) -> str:
    """The sentence of the caption; empty without numbers.

    >>> stands_for({"‹1›": "读者"})
    ' ‹1› stands for 读者, for which this computer has no font.'
    """
    if not numbers:
        return ""
    told = ", ".join(f"{number} stands for {word}" for number, word in numbers.items())
    return f" {told}, for which this computer has no font."


def _fit_ticks(axis: Axis, numbers: dict[str, str]) -> None:
    """Labels of ticks are written anew whenever the figure is drawn: change their source."""
    if not isinstance(axis.get_major_locator(), FixedLocator):
        return
    found = [label.get_text() for label in axis.get_majorticklabels()]
    spelled = [_spelled(label, numbers) for label in found]
    if spelled != found:
        axis.set_ticklabels(spelled)


def _spelled(text: str, numbers: dict[str, str]) -> str:
    """`text` in composed letters, with a number for each word that no font can draw."""

    def drawable(match: re.Match[str]) -> str:
        word = match[0]
        if all(map(_has_font, word)):
            return word
        return numbers.setdefault(word, f"‹{len(numbers) + 1}›")

    return re.sub(r"\S+", drawable, normalize("NFC", legal(text)))


def _has_font(letter: str) -> bool:
    return ord(letter) in _own() or _font_of(letter) is not None


def _fonts_for(text: str) -> Iterator[str]:
    """Names of the fonts for the letters that the figures' own font lacks."""
    for letter in sorted(set(text)):
        if ord(letter) not in _own() and (font := _font_of(letter)) is not None:
            yield font


@cache
def _own() -> frozenset[int]:
    """What figures' own font has in both of its weights."""
    weights = (FontProperties(family=OWN, weight=weight) for weight in ("normal", "bold"))
    normal, bold = (_letters(findfont(font), 0) for font in weights)
    return normal & bold | {ord(c) for c in "\n\t\r "}


@cache
def _font_of(letter: str) -> str | None:
    """The first installed font that has a letter."""
    code = ord(letter)
    return next((f.name for f in _installed() if code in _letters(f.fname, f.index)), None)


@cache
def _installed() -> tuple[FontEntry, ...]:
    """Plain fonts of this computer, those without serifs first, in an order of their own."""
    plain = [
        font
        for font in fontManager.ttflist
        if font.style == "normal" and font.weight == 400 and not _is_none(font.name)
    ]
    return tuple(sorted(plain, key=lambda f: ("Sans" not in f.name, f.name, f.fname, f.index)))


def _is_none(name: str) -> bool:
    return any(word in name for word in NO_FONTS)


@cache
def _letters(path: str, index: int) -> frozenset[int]:
    return frozenset(FT2Font(path, face_index=index).get_charmap())
