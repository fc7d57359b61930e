"""A small image with two labels, made here."""

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

SHAPE = (9, 20, 24)


def as_image(array: NDArray[Any]) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.7, 0.9, 3.0))
    image.SetOrigin((-10.0, 4.0, 30.0))
    return image


def label_array() -> NDArray[np.uint8]:
    """Label 1 is a box, label 3 one slice."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:7, 4:14, 5:17] = 1
    labels[8, 2:8, 2:9] = 3
    return labels


def image() -> sitk.Image:
    rng = np.random.default_rng(1)
    return as_image(rng.normal(300, 60, SHAPE).round().astype(np.int16))


def mask() -> sitk.Image:
    return as_image(label_array())
