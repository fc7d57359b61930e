"""Figures in the files that journals ask for: SVG, PDF and TIFF."""

import re
from collections.abc import Sequence
from pathlib import Path

from centrum.execution import map_jobs
from centrum.provenance import file_digest
from centrum.report.blocks import Picture
from centrum.report.drawing import Drawing, drawing_key, figure_of, printed_key
from centrum.report.style import pdf_bytes, tiff_bytes
from centrum.store import Store, write_atomically

FURTHER = ("pdf", "tiff")
"""Endings of the files that a report does not have."""

OWN = re.compile(r"figure-S?\d+\.(svg|pdf|tiff)")
"""Names that `write_figures` gives; those of an earlier run may be of numbers that are gone."""


def write_figures(
    pictures: Sequence[Picture], folder: Path, store: Store | None = None, workers: int = 1
) -> tuple[Path, ...]:
    """Write each picture as .svg, .pdf (vectors) and .tiff (600 dpi, RGB) into `folder`.

    Files are called by number, as in figure-5.tiff; those of numbers that are gone are removed.
    Returns the files, those of a picture together. The same pictures give the same bytes.

    Parameters
    ----------
    store : pictures that are kept, by which files are known that need not be made again

    Raises
    ------
    OSError
        The disk is full or cannot be written to.
    """
    stems = {picture.key: f"figure-{picture.number}" for picture in pictures}
    for picture in pictures:
        write_atomically(folder / f"{stems[picture.key]}.svg", picture.made.svg)
    keys = {picture.key: printed_key(drawing_key(picture.drawing)) for picture in pictures}
    jobs = [
        (picture.key, picture.drawing)
        for picture in pictures
        if not (store and _is_there(store.get(keys[picture.key]), folder, stems[picture.key]))
    ]
    for (key, _), contents in map_jobs(_print, jobs, workers):
        for ending, content in contents.items():
            write_atomically(folder / f"{stems[key]}.{ending}", content)
        if store:
            store.put(keys[key], _digests(folder, stems[key]))
    paths = tuple(
        folder / f"{stem}.{ending}" for stem in stems.values() for ending in ("svg", *FURTHER)
    )
    for path in {*folder.glob("figure-*")} - {*paths}:
        if OWN.fullmatch(path.name):
            path.unlink()
    return paths


def _print(job: tuple[str, Drawing]) -> dict[str, bytes]:
    """The further files of a figure, which is drawn once for all of them."""
    figure = figure_of(job[1])
    return dict(zip(FURTHER, (pdf_bytes(figure), tiff_bytes(figure)), strict=True))


def _is_there(known: object, folder: Path, stem: str) -> bool:
    """Whether the further files of a figure are those that were made of it."""
    return known is not None and _digests(folder, stem) == known


def _digests(folder: Path, stem: str) -> dict[str, str]:
    paths = {ending: folder / f"{stem}.{ending}" for ending in FURTHER}
    return {ending: file_digest(path) for ending, path in paths.items() if path.is_file()}
