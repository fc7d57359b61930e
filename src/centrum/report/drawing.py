"""Figures are drawn when a document is put together: one by one, or kept from an earlier time.

A section says who draws a figure, and of what. Files of a figure are kept by the digest of both: a
report that is written again draws only what changed.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from typing import Any, NoReturn, Protocol

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from centrum.errors import attempt
from centrum.execution import KeptResults, run_jobs, silent
from centrum.provenance import DRAWING, job_key
from centrum.report.glyphs import fit_text
from centrum.report.style import PAGE_CM, png_bytes, svg_bytes
from centrum.store import Store

Drawing = partial[Figure]
"""Who draws a figure, and of what."""

FOLDER = "pictures"
"""Of a study's results: pictures that are kept."""


@dataclass(frozen=True)
class Drawn:
    """The files of a figure.

    Attributes
    ----------
    svg, png : the files
    width_cm : when printed
    words : number in the figure -> the word that it stands for, which no font can draw
    """

    svg: bytes
    png: bytes
    width_cm: float
    words: Mapping[str, str]


def figure_of(drawing: Drawing) -> Figure:
    """The figure with texts that can be drawn, for files of other kinds."""
    figure = drawing()
    fit_text(figure)
    return figure


def draw(drawing: Drawing) -> Drawn:
    """Draw a figure and render its files."""
    figure = drawing()
    words = fit_text(figure)
    width_cm = min(figure.get_figwidth() * 2.54, PAGE_CM)
    return Drawn(svg_bytes(figure), png_bytes(figure), width_cm, words)


class PictureJob(Protocol):
    """A picture to be made."""

    def key(self) -> str:
        """Of all that it reads."""

    def make(self) -> dict[str, Any]:
        """It as JSON-ready values."""


@dataclass(frozen=True)
class FigureJob:
    """A figure to be drawn."""

    drawing: Drawing

    def key(self) -> str:
        """Of who draws it, of what, and with which fonts."""
        return drawing_key(self.drawing)

    def make(self) -> dict[str, Any]:
        """Its files, JSON-ready; `drawn_from` reads them."""
        made = draw(self.drawing)
        files = {kind: b64encode(getattr(made, kind)).decode() for kind in ("svg", "png")}
        return {**files, "width_cm": made.width_cm, "words": dict(made.words)}


def drawn_from(made: Mapping[str, Any]) -> Drawn:
    """The files of a figure as `FigureJob` made them."""
    svg, png = (b64decode(made[kind]) for kind in ("svg", "png"))
    return Drawn(svg, png, made["width_cm"], made["words"])


WHY = "why"
"""What stands in the place of a picture that cannot be made."""


def make_pictures(
    jobs: Sequence[PictureJob], store: Store | None = None, workers: int = 1
) -> list[dict[str, Any]]:
    """Every picture, or why it cannot be made; those that are in the store come from there."""
    kept = KeptResults(store, _key, _is_made) if store else None
    return run_jobs(_make, jobs, workers, silent, "", failed=_failed, kept=kept)


def _key(job: PictureJob) -> str:
    return job.key()


def _make(job: PictureJob) -> dict[str, Any]:
    return job.make()


def _is_made(picture: dict[str, Any]) -> bool:
    return WHY not in picture


def _failed(_: PictureJob, error: Exception) -> dict[str, Any]:
    def fail() -> NoReturn:
        raise error

    return attempt(fail, lambda why: {WHY: why})


def printed_key(figure: str) -> str:
    """Of the files of further kinds that a figure of that key has in a manuscript."""
    return job_key("printed", DRAWING, figure=figure)


def drawing_key(drawing: Drawing) -> str:
    """Of who draws, of what, and with which fonts."""
    by = f"{drawing.func.__module__}.{drawing.func.__qualname__}"
    of = json.dumps([drawing.args, drawing.keywords], default=_plain)
    fonts = sorted(font.fname for font in fontManager.ttflist)
    return job_key("figure", DRAWING, draws=by, of=_sha256(of.encode()), fonts=fonts)


def _plain(value: object) -> object:
    """What is drawn, JSON-ready: the values of tables and objects, the digests of arrays.

    Of an object without the fields that are not compared: what they hold, others tell.
    """
    match value:
        case np.ndarray() if value.dtype == object:
            return value.tolist()
        case np.ndarray():
            return [value.dtype.str, value.shape, _sha256(np.ascontiguousarray(value))]
        case np.generic():
            return value.item()
        case pd.Series():
            return [value.index.to_numpy(), value.to_numpy()]
        case Mapping():
            return list(value.items())
    if is_dataclass(value):
        told = {f.name: getattr(value, f.name) for f in fields(value) if f.compare}
        return [type(value).__qualname__, told]
    raise TypeError(f"a figure is drawn of values that have a digest, found {type(value).__name__}")


def _sha256(content: Any) -> str:
    return hashlib.sha256(content).hexdigest()
