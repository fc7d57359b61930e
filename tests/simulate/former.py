"""Means of blocks of images, and what they were when all was painted array by array."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centrum.simulate import PhantomSettings

FIELD = (110.0, 144.0)
COHORT = PhantomSettings(n_malignant=17, n_osteoporotic=4, seed=0, field_mm=FIELD)
RECORDED = Path(__file__).with_name("former.csv")


def block_means(image: NDArray) -> NDArray:
    """Means of an image (slices, rows, columns) over thirds of the slices and 6 x 6 in plane."""
    parts = [image]
    for axis, count in enumerate((3, 6, 6)):
        parts = [block for part in parts for block in np.array_split(part, count, axis)]
    return np.array([part.mean() for part in parts])


def recorded() -> dict[str, NDArray]:
    """Means by patient."""
    with RECORDED.open(encoding="utf-8", newline="") as file:
        return {row[0]: np.array(row[1:], float) for row in csv.reader(file)}
