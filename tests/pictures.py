"""Reports without the pictures in which their figures are rendered, which take most of their time.

Tests that look at pictures ask for the fixture `rendered`, fixtures enter `rendered()`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest
from PIL import Image

from centrum.report import style

KINDS = {
    "centrum.report.drawing": ("svg", "png"),
    "centrum.manuscript.figures": ("pdf", "tiff"),
}
"""Modules, and the files that they have made of figures."""


def _pixel(kind: str) -> bytes:
    """The smallest file of a kind."""
    if kind == "svg":
        return b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    stream = BytesIO()
    Image.new("RGB", (1, 1)).save(stream, format=kind)
    return stream.getvalue()


@contextmanager
def not_rendered() -> Iterator[None]:
    """Figures are drawn, but the files made of them hold one pixel each."""
    with pytest.MonkeyPatch.context() as patch:
        for module, kinds in KINDS.items():
            for kind in kinds:
                pixel = _pixel(kind)
                patch.setattr(f"{module}.{kind}_bytes", lambda _, pixel=pixel: pixel)
        yield


@contextmanager
def rendered() -> Iterator[None]:
    """Within `not_rendered`: the files hold the figures."""
    with pytest.MonkeyPatch.context() as patch:
        for module, kinds in KINDS.items():
            for kind in kinds:
                patch.setattr(f"{module}.{kind}_bytes", getattr(style, f"{kind}_bytes"))
        yield
