"""Numbers of tables and figures: in the order of appearance, without gaps, and never typed."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import centrum
from centrum.report import numbering
from centrum.report.blocks import Block, Picture, Point, Table
from centrum.report.build import report_of
from centrum.report.numbering import Document, Numbering, assemble, place, ref
from centrum.report.style import new_figure
from tests.conftest import ABSENT

from .conftest import Make

PACKAGE = Path(centrum.__file__).parent


def table(key: str, *, main: bool = False, note: str = "") -> Table:
    return Table(key, key.capitalize(), (), (), (note,), main=main)


def pictured(key: str, *, main: bool = False, text: str = "") -> Picture:
    data = table(key)
    return Picture(key, key, text, text, text, data, partial(new_figure, 8, 8), main=main)


def headings(document: Document) -> list[str]:
    return [item.heading for item in (*document.tables, *document.pictures)]


def test_numbers_follow_the_order_of_appearance() -> None:
    blocks = [
        Block("A", "a", tables=(table("x"), table("y", main=True)), pictures=(pictured("x"),)),
        Block("B", "b", tables=(table("z", main=True), table("w"))),
    ]
    wanted = ["Table S1. X", "Table 1. Y", "Table 2. Z", "Table S2. W", "Figure S1. x"]
    assert headings(assemble(blocks)) == wanted


def test_what_a_text_cites_first_is_numbered_first() -> None:
    """Each kind and each place by itself; what is not cited, and not there, counts last or not."""
    blocks = [
        Block("A", "a", tables=(table("x"), table("y", main=True)), pictures=(pictured("x"),)),
        Block("B", "b", tables=(table("z", main=True), table("w")), pictures=(pictured("v"),)),
    ]
    texts = [f"{ref('Figure v')}, {ref('table w')}, {ref('table none')}", ref("Table z")]
    wanted = ["Table S2. X", "Table 2. Y", "Table 1. Z", "Table S1. W", "Figure S2. x",
              "Figure S1. v"]  # fmt: skip
    assert headings(assemble(blocks, texts)) == wanted
    assert headings(assemble(blocks, [*texts, ref("table y"), *texts])) == wanted


@given(st.lists(st.lists(st.booleans(), max_size=4), max_size=5))
def test_no_number_is_left_out(sections: list[list[bool]]) -> None:
    blocks = [
        Block("", "", tables=tuple(table(f"{k}-{n}", main=m) for n, m in enumerate(section)))
        for k, section in enumerate(sections)
    ]
    numbers = [t.number for t in assemble(blocks).tables]
    mains = [n for n in numbers if not n.startswith("S")]
    others = [n for n in numbers if n.startswith("S")]
    assert mains == [str(k + 1) for k in range(len(mains))]
    assert others == [f"S{k + 1}" for k in range(len(others))]


def test_a_file_alone_gets_no_number() -> None:
    document = assemble([Block("", "", tables=(table("x"),), files=(table("y"),))])
    assert [t.heading for t in document.blocks[0].files] == ["Y"]


def test_all_texts_refer_forwards_and_backwards() -> None:
    told = f"see {ref('table later')} and {ref('Figure later')}"
    first = Block(
        "A", "a", prose=(told,), warnings=(told,), points=(Point(told, *place("table later")),),
        tables=(table("x", note=told),), pictures=(pictured("x", text=told),),
        files=(table("y", note=told),),
    )  # fmt: skip
    later = Block("B", "b", tables=(table("later"),), pictures=(pictured("later"),))
    (block, _) = assemble([first, later]).blocks
    seen, (shown,) = "see table S2 and Figure S2", block.pictures
    assert {*block.prose, *block.warnings, block.points[0].text} == {seen}
    assert {shown.caption, shown.alt, shown.reading} == {seen}
    assert {*block.tables[0].notes, *block.files[0].notes} == {seen}
    assert (block.points[0].anchor, block.points[0].where) == (later.tables[0].anchor, "table S2")


def test_two_tables_of_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="Two tables of a document have the key 'x'"):
        assemble([Block("", "", tables=(table("x"),)), Block("", "", tables=(table("x"),))])
    assert assemble([Block("", "", tables=(table("x"),), pictures=(pictured("x"),))])


def test_what_is_not_there_is_an_error_here_and_words_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(AssertionError, match="refers to the table 'lost'"):
        Numbering().resolve(ref("table lost"))
    monkeypatch.setattr(numbering, "absent", ABSENT)
    assert Numbering().resolve(f"In {ref('table lost')}.") == "In a table that could not be made."


VARIANTS = {
    "usual": {},
    "one reader": {"readers": ("senior",)},
    "searched in parts": {"n_parts": 4, "searched": True},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_report_of_a_study_has_no_gap_and_no_open_reference(make: Make, name: str) -> None:
    document = report_of(make(**VARIANTS[name]))
    for items in (document.tables, document.pictures):
        for main, prefix in ((True, ""), (False, "S")):
            numbers = [item.number for item in items if item.main == main]
            assert numbers == [f"{prefix}{k + 1}" for k in range(len(numbers))]
            assert numbers
    bare = [replace(b, pictures=tuple(replace(p, drawing=None) for p in b.pictures))
            for b in document.blocks]  # fmt: skip
    assert "\0" not in "".join(map(str, _texts(bare)))
    ids = {item.anchor for item in (*document.tables, *document.pictures)}
    ids |= {block.anchor for block in document.blocks}
    points = [point for block in document.blocks for point in block.points]
    assert points
    assert {point.anchor for point in points if point.anchor} <= ids


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif hasattr(value, "__dict__"):
        yield from _texts(list(vars(value).values()))


# The code


def _calls() -> Iterator[tuple[Path, ast.Call, str]]:
    for room in ("report", "manuscript"):
        for path in sorted((PACKAGE / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield path, node, node.func.id


def _literals(arguments: list[ast.expr]) -> list[str]:
    return [
        node.value
        for argument in arguments
        for node in ast.walk(argument)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_every_reference_names_what_some_section_makes() -> None:
    made: dict[str, set[str]] = {"table": set(), "figure": set()}
    wanted: list[tuple[str, str, str]] = []
    for path, call, name in _calls():
        if name == "Table":
            made["table"].update(_literals(call.args[:1]))
        elif name == "picture":
            made["figure"].update(_literals(call.args[1:2]))
        elif name in ("ref", "place", "shown"):
            names = _literals(call.args[name == "shown" :])
            wanted += [(path.name, *found.lower().split(" ")) for found in names]
    assert len(wanted) > 100
    for where, kind, key in wanted:
        assert key in made[kind], f"{where} refers to the {kind} '{key}', which nothing makes"


def test_no_number_is_typed() -> None:
    for room in ("report", "manuscript", "commands", "frozen"):
        for path in sorted((PACKAGE / room).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
            said = [node for node in nodes if id(node) not in alone]
            for text in _literals([node for node in said if isinstance(node, ast.Constant)]):
                assert not re.search(r"\b(table|figure)[ -]s?\d", text, re.IGNORECASE), path.name
