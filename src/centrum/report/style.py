"""How figures look: sizes, fonts, colours, and files that are the same bytes every time.

Sizes are those of a two-column journal page; text is 8 pt at the printed size.
"""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from centrum.errors import ProtocolError
from centrum.report.colours import GREY
from centrum.report.compact import compact_svg
from centrum.report.glyphs import fit_text
from centrum.store import write_atomically

COLUMN_CM = 8.5
"""Width of one column of a printed page."""

PAGE_CM = 17.5
"""Width of both columns."""

PNG_DPI = 300

TIFF_DPI = 600
"""What journals ask of figures that hold images and text."""

DASHES = ("-", "--", ":", "-.")
"""Line styles, so that no line is told by its colour alone."""

SMALL_PT = 7
MARK_PT = 6

LINE_CM, BETWEEN_CM = 0.34, 0.16
"""Height of a line of text, and what lies between the names of two rows at least."""

MARK_PER_CM = 7.5
"""Characters of the mark that fit into a centimetre."""

STYLE = matplotlib.style.context(
    [
        "default",
        {
            "font.size": 8,
            "axes.titlesize": 8,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.linewidth": 0.6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "lines.linewidth": 1.2,
            "lines.markersize": 3.5,
            "legend.fontsize": SMALL_PT,
            "legend.frameon": False,
            "savefig.dpi": PNG_DPI,
            "text.parse_math": False,  # a name may hold two dollar signs
            "pdf.fonttype": 42,
            "svg.hashsalt": "centrum",
        },
    ]
)
"""Decorator: draws and renders with these settings, whatever the user's matplotlibrc says."""


def new_figure(width_cm: float, height_cm: float, mark: str = "") -> Figure:
    """An empty figure; `mark` is written small along its lower edge."""
    n_lines = -(-len(mark) // int(width_cm * MARK_PER_CM))
    lines = textwrap.wrap(mark, len(mark) // n_lines + 6) if mark else []
    bottom = (0.2 + 0.27 * len(lines)) / height_cm if mark else 0
    engine = ConstrainedLayoutEngine(rect=(0, bottom, 1, 1 - bottom))
    figure = Figure(figsize=(width_cm / 2.54, height_cm / 2.54), layout=engine)
    note = figure.text(0.5, 0.05 / height_cm, "\n".join(lines), ha="center")
    note.set(size=MARK_PT, color=GREY, in_layout=False)
    return figure


def row_cm(names: Sequence[str]) -> float:
    """Height of rows in which these names, of one or more lines, do not meet.

    >>> row_cm(["one line"]), round(row_cm(["two\\nlines"]), 2)
    (0.5, 0.84)
    """
    return BETWEEN_CM + LINE_CM * max(name.count("\n") + 1 for name in names)


def letter(axes: Axes, name: str, title: str = "") -> None:
    """The letter of a panel, and its title, at its upper left."""
    axes.set_title(f"{name}  {title}".strip())


@STYLE
def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG, text as outlines, without date or program."""
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    return compact_svg(_saved(figure, "svg", nothing))


@STYLE
def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG of 300 dpi, without date or program."""
    return _saved(figure, "png", {"Software": None})


@STYLE
def pdf_bytes(figure: Figure) -> bytes:
    """The figure as PDF, fonts embedded as TrueType, without date or program."""
    return _saved(figure, "pdf", {"CreationDate": None, "Creator": None, "Producer": None})


@STYLE
def tiff_bytes(figure: Figure) -> bytes:
    """The figure as TIFF of 600 dpi: RGB without alpha, compressed without loss."""
    stream = BytesIO()
    rgb_picture(figure, TIFF_DPI).save(
        stream, format=TiffImageFile.format, compression="tiff_lzw", dpi=(TIFF_DPI, TIFF_DPI)
    )
    return stream.getvalue()


@STYLE
def rgb_picture(figure: Figure, dpi: float) -> Image.Image:
    """The figure as pixels: RGB without alpha."""
    _settle(figure)
    canvas = FigureCanvasAgg(figure)
    with _at(figure, dpi):
        canvas.draw()
    pixels = canvas.buffer_rgba()  # 100 MB of a page, which savefig would copy
    return Image.frombuffer("RGBA", pixels.shape[1::-1], pixels, "raw", "RGBA", 0, 1).convert("RGB")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as the ending of the path says, .png or .svg."""
    kinds = {".png": png_bytes, ".svg": svg_bytes}
    if path.suffix.lower() not in kinds:
        raise ProtocolError(f"A figure is written as .png or .svg, found {path.name!r}.")
    fit_text(figure)
    write_atomically(path, kinds[path.suffix.lower()](figure))


def _saved(figure: Figure, kind: str, metadata: dict[str, None]) -> bytes:
    _settle(figure)
    stream = BytesIO()
    figure.savefig(stream, format=kind, metadata=metadata, dpi=PNG_DPI)
    return stream.getvalue()


def _settle(figure: Figure) -> None:
    """Lay the axes out once and for all; doing it for every file would move them a little."""
    if engine := figure.get_layout_engine():
        with _at(figure, PNG_DPI):
            engine.execute(figure)
        figure.set_layout_engine(None)  # "none" would have each file drawn twice


@contextmanager
def _at(figure: Figure, dpi: float) -> Iterator[None]:
    own = figure.dpi
    figure.set_dpi(dpi)
    try:
        yield
    finally:
        figure.set_dpi(own)
