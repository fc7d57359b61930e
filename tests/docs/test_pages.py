"""The documentation tells the truth: generated pages are current, links lead somewhere."""

import importlib.util
import re
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import centrum
from tests.docs.pages import (
    DOCS,
    PAGES,
    ROOT,
    Block,
    anchors_of,
    blocks_of,
    name_of,
    prose_of,
)

LANGUAGES = {"bash", "csv", "diff", "json", "pycon", "python", "text", "yaml"}


def script(name: str) -> ModuleType:
    """A script of the documentation."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_pages_are_current() -> None:
    for name, make in script("generate").PAGES.items():
        written = (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
        assert written == make(), f"{name}.md is out of date: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)", prose_of(page)):
        if not target.startswith(("http://", "https://", "mailto:")):
            path, _, anchor = target.partition("#")
            there = page.parent / path if path else page
            assert there.exists(), f"{name_of(page)} links to {target}"
            assert not anchor or anchor in anchors_of(there), f"{name_of(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_of_code_say_what_they_are(page: Path) -> None:
    assert {block.language for block in blocks_of(page)} <= LANGUAGES
    indented = re.search(r"(?:^|\n\n)(?: {4}\S.*)", prose_of(page))
    assert indented is None or re.search(r"^(- |\d+\. |    )", prose_of(page), re.MULTILINE)


QUOTED = [
    pytest.param(block, id=f"{name_of(page)}:{block.line}")
    for page in PAGES
    for block in blocks_of(page)
    if block.quoted
]


@pytest.mark.parametrize("block", QUOTED)
def test_quotations_of_the_code_are_true(block: Block) -> None:
    code = (ROOT / block.title).read_text(encoding="utf-8")
    assert block.text in textwrap.dedent(code) or _indented(block.text) in code


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def test_every_page_has_its_place_in_a_tab() -> None:
    nav = script("nav")
    tabs = {DOCS / folder for folder in nav.TABS.values()}
    assert {page.parent for page in PAGES} == {*tabs, DOCS, ROOT}
    for folder in tabs:
        names = nav.pages(folder)
        assert names[0] == "README.md"
        assert sorted(names) == sorted(path.name for path in folder.glob("*.md"))


def test_a_new_page_comes_behind_those_that_are_listed(tmp_path: Path) -> None:
    for name in ("a-new", "first", "second"):
        (tmp_path / f"{name}.md").touch()
    (tmp_path / "README.md").write_text("[2](second.md), [1](first.md), [gone](gone.md)")
    wanted = ["README.md", "second.md", "first.md", "a-new.md"]
    assert script("nav").pages(tmp_path) == wanted


def test_the_task_file_has_what_the_readme_names() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    readme = (ROOT / "README.md").read_text()
    named = set(re.findall(r"make ([a-z-]+)", readme))
    assert {"demo", "test"} <= named
    assert named <= targets


def test_the_public_face_is_in_the_reference() -> None:
    pages = (DOCS / "reference").glob("python*.md")
    shown = {name for page in pages for name in re.findall(r"^::: (\S+)", page.read_text(), re.M)}
    wanted = {f"centrum.{name}" for name in centrum.__all__ if name != "__version__"}
    assert wanted - shown == set()
