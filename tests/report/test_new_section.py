"""A section is added by one file and one line, as the page says, and nothing else is touched."""

import sys
from pathlib import Path

import pytest

from centrum.manuscript.docx import Prose
from centrum.manuscript.kit import study_parts
from centrum.manuscript.methods import Paragraph
from centrum.report import build, sections
from centrum.report.build import report_of
from centrum.report.sections import ORDER, section
from tests.docs.pages import DOCS, Block, blocks_of

from .conftest import Make

PAGE = DOCS / "how-to" / "add-a-report-section.md"


def block(language: str) -> Block:
    """The page's own block of a language; what it quotes is not meant."""
    (found,) = (b for b in blocks_of(PAGE) if b.language == language and not b.quoted)
    return found


@pytest.fixture
def extended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, ...]:
    """The order of the sections after the two changes of the page."""
    file, before = block("python"), (*ORDER,)
    (tmp_path / file.title).write_text(file.text, encoding="utf-8")
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{sections.__name__}.vertebrae", raising=False)
    monkeypatch.setattr(section, "REGISTERED", dict(section.REGISTERED))
    lines = [line.strip('+ ",') for line in block("diff").text.splitlines()]
    above, new, below = lines
    at = before.index(above) + 1
    assert before[at] == below
    order = (*before[:at], new, *before[at:])
    monkeypatch.setattr(build, "SECTIONS", sections.sections(order))
    return order


def test_one_file_and_one_line_are_enough(make: Make, request: pytest.FixtureRequest) -> None:
    results = make()
    plain = report_of(results)
    order = request.getfixturevalue("extended")
    longer = report_of(results)
    new = order.index("vertebrae")
    own = longer.blocks[new]
    assert own.prose == ("Table S3 counts the patients; who they are is in table 1.",)
    assert own.tables[0].heading == "Table S3. Vertebrae of each patient"
    assert sum(row[1] for row in own.tables[0].rows) == results.scores["patient"].nunique()
    assert [block.title for block in longer.blocks if block is not own] == [
        block.title for block in plain.blocks
    ]


def test_whatever_follows_moves_on_by_one(make: Make, request: pytest.FixtureRequest) -> None:
    results = make()
    plain = report_of(results)
    request.getfixturevalue("extended")
    longer = report_of(results)
    given = dict(longer.numbers.given)
    assert given.pop(("table", "vertebrae")) == "S3"
    before = ("population-by-side", "features-by-side")
    assert given == {
        (kind, key): f"S{int(n[1:]) + 1}"
        if kind == "table" and n.startswith("S") and key not in before
        else n
        for (kind, key), n in plain.numbers.given.items()
    }
    for document in (plain, longer):
        caveats = document.blocks[ORDER.index("caveats")]
        where = {point.anchor: point.where for point in caveats.points}
        number = document.numbers.given["table", "sample-size"]
        assert where["table-sample-size"] == f"table {number}"


def test_the_manuscript_has_it_too(make: Make, extended: tuple[str, ...]) -> None:
    parts = study_parts(report_of(make()), [Paragraph("Patients", "Sixty.")])
    headings = [part.heading for part in parts if hasattr(part, "heading")]
    assert "Table S3. Vertebrae of each patient" in headings
    assert "\0" not in "".join(part.text for part in parts if isinstance(part, Prose))


def test_a_name_that_is_taken_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="There is a section 'model' already"):
        section.section(section.section_of("model"))


def test_a_module_without_its_section_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty_module.py").write_text("")
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match="put @section above def empty_module"):
        sections.sections((*ORDER, "empty_module"))
