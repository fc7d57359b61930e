"""Image types: the image itself, and what filters make of it."""

from collections.abc import Callable, Iterator
from typing import Any

from centrum.pyradiomics.errors import NotAvailable
from centrum.volume import Volume

Derived = Iterator[tuple[str, Volume]]
"""Images with their names as they stand in the names of features."""


def original(volume: Volume, settings: dict[str, Any]) -> Derived:
    """The image as it is."""
    yield "original", volume


IMAGE_TYPES: dict[str, Callable[[Volume, dict[str, Any]], Derived] | None] = {
    "Exponential": None,
    "Gradient": None,
    "LBP2D": None,
    "LBP3D": None,
    "LoG": None,
    "Logarithm": None,
    "Original": original,
    "Square": None,
    "SquareRoot": None,
    "Wavelet": None,
}
"""What makes the images of a type from the image and its settings; None: not available yet."""


def check_available(image_types: dict[str, Any]) -> None:
    """Refuse image types that cannot be made.

    >>> check_available({"Original": {}, "LoG": {"sigma": [1.0]}, "Square": {}})
    Traceback (most recent call last):
    ...
    centrum.pyradiomics.errors.NotAvailable: Filtered images are not available yet: LoG, Square. ...
    """
    missing = sorted(name for name in image_types if IMAGE_TYPES.get(name) is None)
    if missing:
        raise NotAvailable(
            f"Filtered images are not available yet: {', '.join(missing)}. Disable them, for "
            "instance enableImageTypeByName(name, enabled=False), and keep Original."
        )
