"""Write a page: what it says, and its tables and figures beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from centrum.errors import attempt
from centrum.report.blocks import Block, Picture
from centrum.report.drawing import (
    FOLDER as PICTURES,
    WHY,
    Drawn,
    FigureJob,
    PictureJob,
    drawn_from,
    make_pictures,
    printed_key,
)
from centrum.report.glyphs import stands_for
from centrum.report.html import Page, render_html
from centrum.report.numbering import Document, assemble
from centrum.report.results import StudyResults
from centrum.report.sections import SECTIONS
from centrum.report.sections.cases import case_data, case_jobs, roc_data
from centrum.report.sections.nomogram import nomogram_data
from centrum.report.sections.section import Section
from centrum.stages import PAGE
from centrum.store import Store, write_atomically


def write_report(results: StudyResults, folder: Path, workers: int = 1) -> tuple[Path, ...]:
    """Write the report of a study; see `write_page`. Pictures of it are kept in `folder`."""
    store, blocks, cases = Store(folder / PICTURES), sections_of(results), case_jobs(results)
    figures = figure_jobs(blocks)
    jobs: list[PictureJob] = [*figures, *cases.values()]
    made = make_pictures(jobs, store, workers)
    keys = [job.key() for job in jobs]
    store.keep_only({*keys, *map(printed_key, keys)})
    document = assemble(with_figures(blocks, made[: len(figures)]))
    pictures = dict(zip(cases, made[len(figures) :], strict=True))
    return write_page(page_of(results, pictures), document, folder)


def report_of(results: StudyResults, store: Store | None = None, workers: int = 1) -> Document:
    """All sections of a study's results, in their order, with numbered tables and figures."""
    return drawn_document(sections_of(results), store, workers)


def drawn_document(
    blocks: Sequence[Block],
    store: Store | None = None,
    workers: int = 1,
    cited: Iterable[str] = (),
) -> Document:
    """Blocks with their figures drawn and with numbers; `cited` as of `assemble`."""
    drawn = with_figures(blocks, make_pictures(figure_jobs(blocks), store, workers))
    return assemble(drawn, cited)


def sections_of(results: StudyResults) -> list[Block]:
    """All sections that a study has, in their order; figures are not drawn yet."""
    blocks = (_block(section, results) for section in SECTIONS)
    return [block for block in blocks if block is not None]


def _block(section: Section, results: StudyResults) -> Block | None:
    """A section; one that cannot be written says why, and takes no other with it."""
    name = section.__name__
    title = name.replace("_", " ").capitalize()
    return attempt(lambda: section(results), lambda why: _not_computed(title, name, why))


def _not_computed(title: str, anchor: str, why: str) -> Block:
    return Block(title, anchor, warnings=(f"This section could not be computed: {why}",))


def figure_jobs(blocks: Sequence[Block]) -> list[FigureJob]:
    """The figures of all blocks, in their order."""
    return [FigureJob(picture.drawing) for block in blocks for picture in block.pictures]


def with_figures(blocks: Sequence[Block], made: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The blocks with what `figure_jobs` of them made; one whose figure failed says why."""
    files = iter(made)
    return [_with_figures(block, list(islice(files, len(block.pictures)))) for block in blocks]


def _with_figures(block: Block, made: Sequence[Mapping[str, Any]]) -> Block:
    failed = next((files[WHY] for files in made if WHY in files), None)
    if failed is not None:
        return _not_computed(block.title, block.anchor, failed)
    pictures = zip(block.pictures, map(drawn_from, made), strict=True)
    return replace(block, pictures=tuple(_drawn(*pair) for pair in pictures))


def _drawn(picture: Picture, drawn: Drawn) -> Picture:
    return replace(picture, drawn=drawn, caption=picture.caption + stands_for(drawn.words))


def page_of(results: StudyResults, pictures: Mapping[str, Mapping[str, Any]]) -> Page:
    """What the page of a study says beside its sections; `pictures` by case."""
    lead = (
        "Report of a radiomics study of vertebral compression fractures, made by centrum "
        f"{results.versions.get('centrum', '')}."
    )
    data = {"roc": roc_data(results), "cases": case_data(results, pictures)}
    if (drawn := nomogram_data(results)) is not None:
        data["nomogram"] = drawn
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
        made, data = picture.made, picture.data.csv().encode()
        contents = {"svg": made.svg, "png": made.png, "csv": data}
        files |= {file: contents[kind] for kind, file in picture.files.items()}
    return files
