"""A spine as voxels, numbered as a scheme does: what `confusable.spine_of` has as places alone."""

import numpy as np
import SimpleITK as sitk

from centrum.cohort.confusable import spine_of
from centrum.cohort.label_map import Label
from centrum.cohort.schemes import Scheme

STEP_MM = 3.0
DEEP = 12
"""Voxels from front to back of a vertebra; the canal is behind."""


def spine_image(scheme: Scheme, view: str, *, alone: bool = False) -> sitk.Image | None:
    """A box for each label at its height, as wide as its volume wants; None without such a view."""
    found = spine_of(scheme, view, alone=alone)
    if found is None:
        return None
    lowest = min(label.place.span[0] for label in found.labels if label.place)
    array = np.zeros((int(-lowest / STEP_MM) + 3, DEEP + 6, 40), np.uint8)
    for label in sorted(found.labels, key=_volume, reverse=True):
        assert label.place is not None
        low, high = (round((z - lowest) / STEP_MM) for z in label.place.span)
        back = DEEP if label.beside == "canal" else 0
        deep = 4 if label.beside == "canal" else DEEP
        per_slice = max(high - low, 1) * deep * STEP_MM**3 / 1000
        half = max(1, round(label.place.volume / per_slice / 2))
        array[low : max(high, low + 1), back : back + deep, 20 - half : 20 + half] = (
            label.segment.label
        )
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([STEP_MM] * 3)
    return image


def _volume(label: Label) -> float:
    return label.place.volume if label.place else 0.0
