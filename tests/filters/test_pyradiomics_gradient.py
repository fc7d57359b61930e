"""Gradient against SimpleITK, which is what PyRadiomics calls."""

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.filters import View
from centrum.filters.pyradiomics_gradient import GradientMagnitude

SPACING = (4.4, 0.6, 0.7)
IMAGE = np.random.default_rng(3).integers(-200, 1000, size=(5, 16, 11)).astype(np.int16)


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
@pytest.mark.parametrize("use_spacing", [True, False])
@pytest.mark.parametrize(
    "box",
    [
        (slice(0, 5), slice(0, 16), slice(0, 11)),
        (slice(2, 4), slice(3, 9), slice(1, 10)),
        (slice(0, 1), slice(15, 16), slice(4, 5)),
    ],
)
def test_every_voxel_equals_itk(
    kind: type[np.generic], use_spacing: bool, box: tuple[slice, slice, slice]
) -> None:
    image = sitk.GetImageFromArray(IMAGE.astype(kind))
    image.SetSpacing(SPACING[::-1])
    theirs = sitk.GetArrayFromImage(sitk.GradientMagnitude(image, use_spacing))
    chosen = GradientMagnitude(gradientUseSpacing=use_spacing)
    (ours,) = chosen.respond(View(IMAGE.astype(kind), box, SPACING))
    assert ours.dtype == theirs.dtype == np.float32
    assert ours == pytest.approx(theirs[box], rel=1.2e-7)


def test_one_slice_has_no_slope_across() -> None:
    (ours,) = GradientMagnitude().respond(View.whole(IMAGE[:1], SPACING))
    flat = sitk.GetImageFromArray(IMAGE[0])
    flat.SetSpacing(SPACING[:0:-1])
    assert ours[0] == pytest.approx(sitk.GetArrayFromImage(sitk.GradientMagnitude(flat)), rel=1e-6)
