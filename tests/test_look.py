"""One look: every colour is said once for light and dark, and text stands out from its ground."""

import re
from pathlib import Path

import pytest

from centrum import report, web

SOURCE = Path(web.__file__).parents[1]
BASE = (SOURCE / "look" / "base.css").read_text(encoding="utf-8")
SHEETS = {
    path.name: path.read_text(encoding="utf-8")
    for folder in (Path(report.__file__).parent / "templates", SOURCE / "web" / "static")
    for path in folder.glob("*.css")
}
SCHEMES = ("light", "dark")

GROUNDS = ("ground", "panel", "raised")
READ = ("text", "soft", "link", "good", "warn", "bad")
SEEN = ("field", "focus", "positive", "negative", "main")
"""Borders of fields, what has the focus, bars: not text."""

PAIRS = [
    *((text, ground, 4.5) for text in READ for ground in GROUNDS),
    *((seen, ground, 3.0) for seen in SEEN for ground in GROUNDS[:2]),
    ("on-main", "main", 4.5), ("mark", "mark-ground", 4.5),
    ("text", "warn-ground", 4.5), ("link", "warn-ground", 4.5), ("text", "bad-ground", 4.5),
]  # fmt: skip


def tokens(scheme: str, style: str = BASE) -> dict[str, str]:
    """The colours of a scheme by name."""
    plain = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", style))
    pairs = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", style)
    return plain | {name: both[SCHEMES.index(scheme)] for name, *both in pairs}


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str, least: float) -> None:
    first = BASE.split("@media")[0]
    found = tokens(scheme, first)
    assert contrast(found[text], found[ground]) >= least


@pytest.mark.parametrize("scheme", SCHEMES)
def test_who_asks_for_more_contrast_gets_more(scheme: str) -> None:
    usual, more = BASE.split("@media (prefers-contrast: more)")
    before, after = tokens(scheme, usual.split("@media")[0]), tokens(scheme, more)
    for name, colour in after.items():
        assert contrast(colour, before["ground"]) > contrast(before[name], before["ground"])


@pytest.mark.parametrize("name", SHEETS)
def test_every_name_is_known_and_no_colour_is_said_again(name: str) -> None:
    sheet = SHEETS[name]
    own = set(re.findall(r"--([\w-]+):", sheet))
    there = own | set(re.findall(r"--([\w-]+):", BASE)) | {"top", "width", "share", "covered"}
    assert set(re.findall(r"var\(--([\w-]+)", sheet)) <= there
    shared = {*tokens("light").values(), *tokens("dark").values()} - {"#ffffff"}
    if name != "room.css":  # what the canvas reads is plain
        assert not {colour for colour in shared if colour in sheet.lower()}
    assert not own & set(re.findall(r"--([\w-]+):", BASE))


def test_the_room_is_dark_and_paper_is_light() -> None:
    assert "color-scheme: light dark;" in BASE
    assert "color-scheme: dark;" in SHEETS["room.css"]
    assert re.search(r"@media print \{ :root \{ color-scheme: light; \} \}", BASE)


def test_every_page_has_the_base_before_its_own() -> None:
    templates = Path(report.__file__).parent / "templates"
    for page in templates.glob("*.html"):
        included = re.findall(r'include "(\w+\.css)"', page.read_text(encoding="utf-8"))
        assert not included or included[:2] == ["base.css", "style.css"], page.name
    room = (SOURCE / "web" / "templates" / "room.html").read_text(encoding="utf-8")
    assert re.findall(r"/(\w+\.css)", room) == ["base.css", "room.css"]
