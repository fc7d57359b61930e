"""Text from files and people, made fit for every page, table and file name that shows it; and
numbers and lists as people write them."""

import math
import re
from collections.abc import Iterable, Sequence, Sized
from dataclasses import fields
from hashlib import sha256
from html import escape
from typing import Any

_ILLEGAL = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+|[\u202a-\u202e\u2066-\u2069]+"
)
"""What XML, and with it Word, cannot hold: control characters, halves of surrogate pairs; and what
turns the direction of the text behind it, such as that of a sentence which names a case."""

_BREAKS = re.compile("[\t\n\r\u2028\u2029]+")

_RESERVED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
"""What some file system forbids in a name."""

_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, whatever their ending."""

STEM_BYTES = 96
"""Longest stem of a file name in UTF-8; many file systems stop at 143 or 255 with the ending."""


def legal(text: str) -> str:
    r"""`text` with a space for every run of characters that no page can hold.

    >>> legal("Cologne\x0bWest"), legal("two\nlines")
    ('Cologne West', 'two\nlines')
    """
    return _ILLEGAL.sub(" ", text)


def one_line(text: str) -> str:
    r"""`text` as the cell of a table or a name: legal, on one line, without blanks around it.

    >>> one_line(" Cologne\x0bWest\r\n"), one_line("Age\n(years)")
    ('Cologne West', 'Age (years)')
    """
    return _BREAKS.sub(" ", legal(text)).strip()


def one_line_each(value: Any) -> Any:
    r"""Nested lists and mappings with all their texts, keys too, on one line.

    >>> one_line_each({"name": "a\x07b", "seed": 7, "notes": ["c\nd"]})
    {'name': 'a b', 'seed': 7, 'notes': ['c d']}
    """
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {one_line_each(key): one_line_each(item) for key, item in value.items()}
    return [one_line_each(item) for item in value] if isinstance(value, list) else value


def spelled(value: object) -> str:
    """A cell of a table as text: a whole number is written as one, however the table is read.

    A column of numbers with a gap becomes one of 1001.0, and seven digits would else merge.

    >>> spelled(1001.0), spelled(1234567.0), spelled(2.5), spelled("1001")
    ('1001', '1234567', '2.5', '1001')
    """
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def file_stem(name: str, taken: tuple[str, ...] = ()) -> str:
    """`name` as part of a file name that every file system takes.

    A plain name stays. Another, or one of `taken`, gets what it may keep and a digest, so that no
    two names have one file.

    >>> file_stem("P 7"), file_stem("a:b"), len(file_stem("x" * 300))
    ('P 7', 'a_b-6783a31e', 96)
    """
    kept = _RESERVED.sub("_", legal(name)).strip(" .")
    if name and kept == name and len(name.encode()) <= STEM_BYTES and not _taken(name, taken):
        return name
    mark = "-" + sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return kept.encode()[: STEM_BYTES - len(mark)].decode(errors="ignore") + mark


def _taken(name: str, taken: tuple[str, ...]) -> bool:
    return bool(_DEVICES.fullmatch(name)) or name.casefold() in taken


# Numbers and lists


def number(value: float) -> str:
    """A setting with all its digits and a true minus sign.

    >>> number(0.7), number(32), number(-1.5), number(1e-7)
    ('0.7', '32', '−1.5', '1e−7')
    """
    return f"{value:.12g}".replace("e-0", "e-").replace("-", "−")


def percent(share: float, digits: int | None = None) -> str:
    """A share as a percentage: a setting with all its digits, a result with so many decimals.

    >>> percent(0.29), percent(2 / 3, 0), percent(float("nan"), 0)
    ('29 %', '67 %', '– %')
    """
    told = number(100 * share) if digits is None else fixed(100 * share, digits)
    return f"{told} %"


def numbers(values: Iterable[float]) -> str:
    """Several numbers.

    >>> numbers([1, 2.5, 3])
    '1, 2.5 and 3'
    """
    return listed([number(value) for value in values])


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Parts with commas and, before the last of them, `last`.

    >>> listed(["a", "b", "c"]), listed(["a", "b"], "or"), listed(["a"])
    ('a, b and c', 'a or b', 'a')
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def first_of(names: Sequence[str], most: int) -> str:
    """The first names, and dots where there are more.

    >>> first_of(["a", "b", "c"], 3), first_of(["a", "b", "c"], 2)
    ('a, b, c', 'a, b, ...')
    """
    return ", ".join([*names[:most], *["..."] * (len(names) > most)])


def sentences(*parts: str) -> str:
    """The sentences that there are, one after another.

    >>> sentences("One.", "", "Two.")
    'One. Two.'
    """
    return " ".join(part for part in parts if part)


def sentence_case(text: str) -> str:
    """`text` with a capital at its beginning; names within it stay as they are.

    >>> sentence_case("features by the LASSO"), sentence_case("")
    ('Features by the LASSO', '')
    """
    return text[:1].upper() + text[1:]


def placeholder(what: str) -> str:
    """A sentence of its own for what the software cannot know.

    >>> placeholder("how the diagnosis was established")
    '[Author: how the diagnosis was established].'
    """
    return f"[Author: {what}]."


def quoted(names: Iterable[str]) -> str:
    """Names as the manifest spells them.

    >>> quoted(["T1w", "T2w"])
    '"T1w" and "T2w"'
    """
    return listed([f'"{name}"' for name in names])


def counted(n: int, noun: str, plural: str = "") -> str:
    """Number and noun.

    >>> counted(1, "case"), counted(2, "case"), counted(0, "body", "bodies")
    ('1 case', '2 cases', '0 bodies')
    """
    return f"{n} {noun if n == 1 else plural or noun + 's'}"


def significant(value: float, digits: int = 4) -> str:
    """A number of any size with so many significant digits.

    >>> significant(12345.678), significant(0.00012345), significant(float("nan"))
    ('12346', '0.0001234', '–')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else str(value)
    if value and not 1e-5 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}"
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(digits - 1 - magnitude, 0)}f}"


def fixed(value: float, digits: int = 3) -> str:
    """A number with so many decimals, a true minus sign, and a dash when undefined.

    >>> fixed(-0.5), fixed(float("nan")), fixed(float("inf"))
    ('−0.500', '–', '∞')
    """
    if math.isnan(value):
        return "–"
    return f"{value:.{digits}f}".replace("inf", "∞").replace("-", "−")


MOST_DECIMALS = 3
"""Of two values beside their difference."""


def agreeing(*pairs: tuple[float, float], fewest: int = 2) -> tuple[int, list[float]]:
    """How two values are told beside their difference, so that the three agree as printed.

    Decimals, and first less second of each pair. Rounded so, the differences are those of the
    rounded values; where `MOST_DECIMALS` do not suffice, as of thirds, they are made of these.

    >>> agreeing((0.89, 0.853))[0], agreeing((0.8957, 0.8947))[0]
    (2, 3)
    >>> digits, (gap,) = agreeing((1 / 3, 2 / 3))
    >>> fixed(1 / 3, digits), fixed(2 / 3, digits), fixed(gap, digits)
    ('0.333', '0.667', '−0.334')
    """
    gaps = [first - second for first, second in pairs]
    for digits in range(fewest, MOST_DECIMALS + 1):
        rounded = [round(round(a, digits) - round(b, digits), digits) for a, b in pairs]
        if all(round(gap, digits) == told for gap, told in zip(gaps, rounded, strict=True)):
            return digits, gaps
    return MOST_DECIMALS, rounded


NO_INTERVAL = "no interval"


def interval_text(lower: float, upper: float, digits: int = 3, join: str = "–") -> str:
    """The limits of a confidence interval; no dash stands before a minus.

    One without width is none: where no resample differs, as of scores that part all cases or of
    readings that are the same, nothing was learnt of the precision.

    >>> interval_text(0.744, 0.9321), interval_text(1.0, 1.0), interval_text(-0.1, 0.2, 2)
    ('0.744–0.932', 'no interval', '−0.10 to 0.20')
    """
    if math.isnan(lower) or math.isnan(upper) or lower == upper:
        return NO_INTERVAL
    between = TO if lower < 0 else join
    return f"{fixed(lower, digits)}{between}{fixed(upper, digits)}"


TO = " to "
"""Between the limits of what may be negative."""


def width_text(lower: float, upper: float, digits: int = 2) -> str:
    """How wide an interval is: the difference of its limits as they are printed beside it.

    >>> width_text(0.378, 0.984), interval_text(0.378, 0.984, 2)
    ('0.60', '0.38–0.98')
    """
    return fixed(round(upper, digits) - round(lower, digits), digits)


def p_text(p: float) -> str:
    """A p value as journals print it.

    >>> p_text(0.00002), p_text(0.0421), p_text(0.21), p_text(0.9997)
    ('<.001', '.042', '.21', '>.99')
    """
    if math.isnan(p):
        return "–"
    if p < 0.001:
        return "<.001"
    if p > 0.99:
        return ">.99"
    return f"{p:.{3 if p < 0.0995 else 2}f}".lstrip("0")


def p_equals(p: float) -> str:
    """A p value with its sign, for a sentence.

    >>> p_equals(0.0421), p_equals(0.00002)
    ('P = .042', 'P < .001')
    """
    text = p_text(p)
    return f"P {text[0]} {text[1:]}" if text[0] in "<>" else f"P = {text}"


SHOWN = 60
"""Letters that are shown of a value in the one line of a result."""


class OneLine:
    """A dataclass of results whose repr is one line.

    Names and numbers are shown as they are, arrays by their shape and collections by their size.
    Of a result within the result its `value` is shown; without one it is left out.

    >>> from dataclasses import dataclass
    >>> @dataclass(repr=False)
    ... class Curve(OneLine):
    ...     name: str
    ...     points: tuple[float, ...]
    >>> Curve("ROC", (0.0, 0.4, 1.0))
    Curve(name='ROC', points=<3>)
    """

    def __repr__(self) -> str:
        own: Any = self
        told = {field.name: _briefly(getattr(self, field.name)) for field in fields(own)}
        parts = ", ".join(f"{name}={text}" for name, text in told.items() if text)
        return f"{type(self).__name__}({parts})"


def _briefly(value: Any) -> str:
    """A value within one line; "" for one that is neither plain nor has a value or a size."""
    shape = getattr(value, "shape", None)
    if shape:
        return f"<{' x '.join(map(str, shape))}>"
    value = value.item() if shape == () else getattr(value, "value", value)
    if value is None or isinstance(value, str | int | float):
        text = repr(value)
        return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return f"<{len(value)}>" if isinstance(value, Sized) else ""


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table for a notebook; all texts are escaped, and nothing is loaded.

    >>> html_table("1 case", ["case"], [["P<1"]])
    '<table><caption>1 case</caption><tr><th>case</th></tr><tr><td>P&lt;1</td></tr></table>'
    """
    lines = [_html_row("th", head), *(_html_row("td", row) for row in rows)]
    return f"<table><caption>{escape(caption)}</caption>{''.join(lines)}</table>"


def _html_row(tag: str, cells: Sequence[object]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(str(cell))}</{tag}>' for cell in cells)}</tr>"
