"""Figures in the files that journals ask for: SVG, PDF and TIFF."""

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


def write_figures(pictures: Sequence[Picture], folder: Path) -> tuple[Path, ...]:
    """Write each picture as .svg, .pdf (vectors) and .tiff (600 dpi, RGB) into `folder`.

    Returns the files, those of a picture together. The same pictures give the same bytes.

    Raises
    ------
    OSError
        The disk is full or cannot be written to.
    """
    paths = []
    for picture in pictures:
        for ending, make in KINDS.items():
            paths.append(folder / f"{picture.key}.{ending}")
            write_atomically(paths[-1], make(picture))
    return tuple(paths)
