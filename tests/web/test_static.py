"""Files that the page loads: modules that find each other, in lines that a person reads."""

import re
from pathlib import Path

import pytest

from centrum.web.app import KINDS, LOOK, PAGE, STATIC

LONGEST = 110

MODULES = sorted(STATIC.rglob("*.js"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_read_without_scrolling_and_finds_what_it_imports(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= LONGEST
    imported = re.findall(r'import (?:\{([^}]*)\}|\* as \w+) from "([^"]+)"', text)
    for names, source in imported:
        other = (path.parent / source).read_text(encoding="utf-8")
        for name in filter(None, (one.split(" as ")[0].strip() for one in names.split(","))):
            assert re.search(rf"export (?:async )?(?:const|function|class|let) {name}\b", other), (
                name
            )
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is imported and not used"


def test_every_module_is_loaded_from_the_page() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    unused = [p.name for p in MODULES if f'/{p.name}"' not in texts and p.name != "room.js"]
    assert unused == []


def test_nothing_comes_from_elsewhere_and_no_text_becomes_markup() -> None:
    """What the policy of the answers forbids is not there either, whichever browser reads it."""
    files = [PAGE, *LOOK.iterdir()]
    files += [path for path in STATIC.rglob("*") if path.suffix in {*KINDS} - {".png"}]
    for path in files:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.findall(r"(?:https?:|wss?:)?//[a-z0-9-]+\.[a-z]|@import", text), path.name
        assert not re.findall(
            r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function)",
            text,
        ), path.name


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"<script\b[^>]*>", page) == re.findall(
        r"<script\b[^>]*src=[^>]*>(?=</)", page
    )
    assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
