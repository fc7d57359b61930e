"""Write a page: what it says, and its tables and figures beside it."""

from pathlib import Path

from centrum.errors import attempt
from centrum.report.blocks import Block
from centrum.report.html import Page, render_html
from centrum.report.numbering import Document, assemble
from centrum.report.results import StudyResults
from centrum.report.sections import SECTIONS
from centrum.report.sections.cases import case_data, roc_data
from centrum.report.sections.section import Section
from centrum.store import write_atomically

PAGE = "report.html"


def write_report(results: StudyResults, folder: Path) -> tuple[Path, ...]:
    """Write the report of a study; see `write_page`."""
    return write_page(page_of(results), report_of(results), folder)


def report_of(results: StudyResults) -> Document:
    """All sections of a study's results, in their order, with numbered tables and figures."""
    return assemble([_block(section, results) for section in SECTIONS])


def _block(section: Section, results: StudyResults) -> Block:
    """A section; one that cannot be written says why, and takes no other with it."""
    name = section.__name__
    title = name.replace("_", " ").capitalize()
    return attempt(
        lambda: section(results),
        lambda why: Block(title, name, warnings=(f"This section could not be computed: {why}",)),
    )


def page_of(results: StudyResults) -> Page:
    """What the page of a study says beside its sections."""
    lead = (
        "Report of a radiomics study of vertebral compression fractures, made by centrum "
        f"{results.versions.get('centrum', '')}."
    )
    data = {"roc": roc_data(results), "cases": case_data(results)}
    return Page(results.title, lead, results.simulated, data)


def write_page(page: Page, document: Document, folder: Path) -> tuple[Path, ...]:
    """Write report.html, tables/*.csv and figures/*.svg, *.png, *.csv into `folder`.

    Returns the files, the page first. The same results give the same bytes.
    """
    contents = {PAGE: render_html(page, document.blocks).encode(), **_files(document)}
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return tuple(folder / name for name in contents)


def _files(document: Document) -> dict[str, bytes]:
    """Name and content of what lies beside the page."""
    tables = (*document.tables, *(table for block in document.blocks for table in block.files))
    files = {table.file: table.csv().encode() for table in tables}
    for picture in document.pictures:
        contents = {"svg": picture.svg, "png": picture.png, "csv": picture.data.csv().encode()}
        files |= {file: contents[kind] for kind, file in picture.files.items()}
    return files
