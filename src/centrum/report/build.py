"""Write a page: what it says, and its tables and figures beside it."""

from collections.abc import Sequence
from pathlib import Path

from centrum.errors import attempt
from centrum.report.blocks import Block
from centrum.report.cases import case_data, roc_data
from centrum.report.html import Page, render_html
from centrum.report.results import StudyResults
from centrum.report.sections import SECTIONS, Section
from centrum.store import write_atomically

PAGE = "report.html"


def write_report(results: StudyResults, folder: Path) -> tuple[Path, ...]:
    """Write the report of a study; see `write_page`."""
    return write_page(page_of(results), blocks_of(results), folder)


def blocks_of(results: StudyResults) -> list[Block]:
    """All sections of a study's results, in their order."""
    return [_block(section, results) for section in SECTIONS]


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


def write_page(page: Page, blocks: Sequence[Block], folder: Path) -> tuple[Path, ...]:
    """Write report.html, tables/*.csv and figures/*.svg, *.png, *.csv into `folder`.

    Returns the files, the page first. The same results give the same bytes.
    """
    contents = {PAGE: render_html(page, blocks).encode(), **_files(blocks)}
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return tuple(folder / name for name in contents)


def _files(blocks: Sequence[Block]) -> dict[str, bytes]:
    """Name and content of what lies beside the page."""
    files = {}
    for block in blocks:
        for table in (*block.tables, *block.files):
            files[f"tables/{table.key}.csv"] = table.csv().encode()
        for picture in block.pictures:
            files[f"figures/{picture.key}.svg"] = picture.svg
            files[f"figures/{picture.key}.png"] = picture.png
            files[f"figures/{picture.key}.csv"] = picture.data.csv().encode()
    return files
