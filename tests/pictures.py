"""Reports without their figures, which take most of their time.

Tests that ask how figures are drawn of their results want the fixture `drawn`, those that look at
pictures `rendered`; fixtures enter what is called so here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest
from PIL import Image

from centrum.manuscript import figures
from centrum.report import drawing, style
from centrum.report.drawing import Drawing, Drawn

KINDS = {drawing: ("svg", "png"), figures: ("pdf", "tiff")}
"""Modules, and the files that they have made of figures."""

DRAW, PRINT = drawing.draw, figures._print


def _pixel(kind: str) -> bytes:
    """The smallest file of a kind."""
    if kind == "svg":
        return b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    stream = BytesIO()
    Image.new("RGB", (1, 1)).save(stream, format=kind)
    return stream.getvalue()


PIXELS = {kind: _pixel(kind) for kinds in KINDS.values() for kind in kinds}


def _no_figure(_: Drawing) -> Drawn:
    return Drawn(PIXELS["svg"], PIXELS["png"], style.PAGE_CM, {})


def _no_print(_: tuple[str, Drawing]) -> dict[str, bytes]:
    return {kind: PIXELS[kind] for kind in figures.FURTHER}


@contextmanager
def not_drawn() -> Iterator[None]:
    """The files of figures hold one pixel each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "draw", _no_figure)
        patch.setattr(figures, "_print", _no_print)
        yield


@contextmanager
def rendered() -> Iterator[None]:
    """Within `not_drawn` or `drawn`: the files hold the figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "draw", DRAW)
        patch.setattr(figures, "_print", PRINT)
        for module, kinds in KINDS.items():
            for kind in kinds:
                patch.setattr(module, f"{kind}_bytes", getattr(style, f"{kind}_bytes"))
        yield


@contextmanager
def drawn() -> Iterator[None]:
    """Within `not_drawn`: figures are drawn, but the files hold one pixel each."""
    with rendered(), pytest.MonkeyPatch.context() as patch:
        for module, kinds in KINDS.items():
            for kind in kinds:
                patch.setattr(module, f"{kind}_bytes", lambda _, kind=kind: PIXELS[kind])
        yield
