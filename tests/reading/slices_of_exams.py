"""Middle slices of real vertebral bodies, and outlines through few of their points."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from contourpy import contour_generator

from centrum.arrays import Flags, Floats
from centrum.io import read_image, read_mask
from centrum.volume import turned

EXAMS = ("chu2015_02", "chu2015_05", "chu2015_06", "chu2015_08")
BODIES = range(18, 25)
SPACING = (1.0, 1.0)


def middle_slices(reference: Path) -> Iterator[tuple[Floats, Flags]]:
    """Image and body, (rows, columns) of 1 mm, head up and front left."""
    for exam in EXAMS:
        folder = reference / "spine_mri" / exam
        read = read_image(folder / "T2w.nii.gz")
        image = turned(read, "PIL")
        for label in BODIES:
            mask = read_mask(f"{folder / 'seg-vb.nii.gz'}#{label}", read)
            body = turned(mask, "PIL").array
            hit = np.flatnonzero(body.any(axis=(1, 2)))
            k = hit[len(hit) // 2]
            yield image.array[k].astype(float), body[k]


def clicks(body: Flags, n: int) -> Floats:
    """Points along the outline of a body, equally far apart, (n, 2) x and y."""
    line = max(contour_generator(z=body.astype(float)).lines(0.5), key=len)
    at = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    wanted = np.linspace(0, at[-1], n, endpoint=False)
    return np.stack([np.interp(wanted, at, line[:, k]) for k in range(2)], axis=1)


def filled(points: Floats, shape: tuple[int, ...]) -> Flags:
    """Pixels whose centres lie within an outline, as matplotlib says."""
    from matplotlib.path import Path as Outline

    i, j = np.indices(shape)
    inside = Outline(points).contains_points(np.stack([j.ravel(), i.ravel()], axis=1))
    return inside.reshape(shape)
