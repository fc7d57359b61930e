"""Figures in the files that journals ask for: SVG, PDF and TIFF."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from centrum.report.blocks import Picture
from centrum.report.style import pdf_bytes, tiff_bytes
from centrum.store import write_atomically

KINDS: dict[str, Callable[[Picture], bytes]] = {
    "svg": lambda picture: picture.svg,
    "pdf": lambda picture: pdf_bytes(picture.figure),
    "tiff": lambda picture: tiff_bytes(picture.figure),
}
"""Ending of the name, and what makes the file."""

OWN = re.compile(rf"figure-S?\d+\.({'|'.join(KINDS)})")
"""Names that `write_figures` gives; those of an earlier run may be of numbers that are gone."""


def write_figures(pictures: Sequence[Picture], folder: Path) -> tuple[Path, ...]:
    """Write each picture as .svg, .pdf (vectors) and .tiff (600 dpi, RGB) into `folder`.

    Files are called by number, as in figure-5.tiff; those of numbers that are gone are removed.
    Returns the files, those of a picture together. The same pictures give the same bytes.

    Raises
    ------
    OSError
        The disk is full or cannot be written to.
    """
    paths = []
    for picture in pictures:
        for ending, make in KINDS.items():
            paths.append(folder / f"figure-{picture.number}.{ending}")
            write_atomically(paths[-1], make(picture))
    for path in {*folder.glob("figure-*")} - {*paths}:
        if OWN.fullmatch(path.name):
            path.unlink()
    return tuple(paths)
