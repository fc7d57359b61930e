"""Synthetic label maps: blocks from head to foot, numbered as a program would."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

SAGITTAL = (0, 0, 1, 1, 0, 0, 0, -1, 0)
"""Columns run to the back, rows to the feet, slices to the left."""

SPACING = (1.0, 1.0, 4.0)

PITCH = 20
"""Rows from one block to the next."""


def blocks(
    numbers: Sequence[int], discs: Mapping[int, int] = {}, *, deep: int = 20, scale: float = 1.0
) -> sitk.Image:
    """A block of 15 mm for each number, from head to foot, and discs below some of them.

    Parameters
    ----------
    discs : number of the disc below the block at a place
    deep : mm from front to back
    scale : of all sizes
    """
    array = np.zeros((6, PITCH * len(numbers) + 5, 90), np.uint8)
    for place, number in enumerate(numbers):
        top = PITCH * place + 2
        array[1:5, top : top + 15, 5 : 5 + deep] = number
        if place in discs:
            array[1:5, top + 16 : top + 19, 5 : 5 + deep] = discs[place]
    return sagittal(array, scale)


def sagittal(array: np.ndarray, scale: float = 1.0) -> sitk.Image:
    """An array of sagittal slices [slice, row, column] as an image."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([scale * step for step in SPACING])
    image.SetDirection(SAGITTAL)
    return image


def write(path: Path, image: sitk.Image) -> Path:
    """The image on disk, in a folder that is made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def noise(labels: sitk.Image, seed: int = 0) -> sitk.Image:
    """An image on the grid of a label map."""
    shape = sitk.GetArrayViewFromImage(labels).shape
    values = np.random.default_rng(seed).normal(300, 40, shape).astype(np.int16)
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(labels)
    return image
