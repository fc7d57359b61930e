"""Maps: every voxel of a map is the feature of its neighbourhood taken by itself."""

import logging
from typing import Any, ClassVar

import numpy as np
import pytest
import SimpleITK as sitk

from centrum import pyradiomics
from centrum.pyradiomics import featureextractor, glcm
from centrum.pyradiomics.feature_names import SHAPE_CLASSES
from tests.pyradiomics import cases

CLASSES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")


def maps(image=None, mask=None, features=None, **settings):
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.enabledFeatures = features or dict.fromkeys(CLASSES)
    image = cases.image() if image is None else image
    mask = cases.mask() if mask is None else mask
    return extractor.execute(image, mask, voxelBased=True)


def small():
    """A region with a hole."""
    labels = np.zeros(cases.SHAPE, np.uint8)
    labels[3:6, 5:10, 8:13] = 1
    labels[4, 7, 10:12] = 0
    return cases.as_image(labels)


def alone(centre, radius, **settings):
    """Features of one neighbourhood."""
    labels = sitk.GetArrayFromImage(small())
    cube = np.zeros_like(labels)
    cube[tuple(slice(max(c - r, 0), c + r + 1) for c, r in zip(centre, radius, strict=True))] = 1
    mask = cases.as_image(labels * cube)
    extractor = featureextractor.RadiomicsFeatureExtractor(
        additionalInfo=False, minimumROIDimensions=1, **settings
    )
    for name in SHAPE_CLASSES:
        extractor.enableFeatureClassByName(name, enabled=False)
    return extractor.execute(chequered(), mask)


def chequered():
    """Every neighbourhood holds all four grey levels of the region."""
    _, y, x = np.indices(cases.SHAPE)
    noise = np.random.default_rng(2).integers(0, 20, cases.SHAPE)
    return cases.as_image((20 * (x % 2 + 2 * (y % 2)) + noise).astype(np.int16))


@pytest.mark.parametrize(
    ("radius", "settings"),
    [
        ((1, 1, 1), {}),
        ((0, 2, 2), {"force2D": True, "kernelRadius": 2}),
        ((1, 1, 1), {"weightingNorm": "euclidean", "gldm_a": 1}),
    ],
)
def test_a_voxel_of_a_map_is_its_neighbourhood_alone(radius, settings):
    found = maps(chequered(), small(), binWidth=20, **settings)
    pad = max(radius)
    first = (3 - pad, 5 - pad, 8 - pad)
    for centre in ((3, 5, 8), (4, 7, 9), (5, 8, 12)):
        wanted = alone(centre, radius, binWidth=20, **settings)
        at = tuple(c - f for c, f in zip(centre, first, strict=True))
        for name, value in wanted.items():
            actual = sitk.GetArrayFromImage(found[name])[at]
            assert actual == pytest.approx(float(value), rel=1e-9, abs=1e-9), (name, centre)


def test_all_names_in_order_and_on_the_cropped_grid():
    found = maps(kernelRadius=2)
    segment = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False)
    segment.enableFeatureClassByName("shape", enabled=False)
    assert list(found) == list(segment.execute(cases.image(), cases.mask()))
    image = cases.image()
    first = found["original_ngtdm_Contrast"]
    assert first.GetSize() == (16, 14, 9)
    assert first.GetSpacing() == image.GetSpacing()
    assert first.GetOrigin() == pytest.approx(image.TransformIndexToPhysicalPoint((3, 2, 0)))
    assert first.GetPixelID() == sitk.sitkFloat64


def test_outside_the_region_maps_hold_the_initial_value():
    name = "original_firstorder_Mean"
    wanted = {"features": {"firstorder": ["Mean"]}}
    outside = sitk.GetArrayFromImage(maps(**wanted)[name]) == 0
    assert outside.sum() == 7 * 12 * 14 - 600
    blank = sitk.GetArrayFromImage(maps(initValue="nan", **wanted)[name])
    assert (np.isnan(blank) == outside).all()


def test_batches_do_not_matter():
    features = {"firstorder": None, "glcm": ["Contrast", "MCC"], "glszm": None, "glrlm": None}
    wanted = maps(features=features)
    for name, image in maps(features=features, voxelBatch=7).items():
        difference = sitk.GetArrayFromImage(image) - sitk.GetArrayFromImage(wanted[name])
        assert np.abs(difference).max() < 1e-9


class Reporter:
    """Notes how it is made and told, as `tqdm.tqdm` would show it."""

    told: ClassVar[list[Any]] = []

    def __init__(self, iterable=None, desc="", total=None):
        self.told.append((desc, total))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.told.append("end")

    def update(self, n=1):
        self.told.append(n)


def test_progress_is_reported_from_info_on(monkeypatch):
    monkeypatch.setattr(pyradiomics, "progressReporter", Reporter)
    monkeypatch.setattr(Reporter, "told", [])
    features = {"firstorder": ["Mean"], "glcm": ["Contrast"]}
    maps(features=features)
    assert Reporter.told == []
    pyradiomics.setVerbosity(logging.INFO)
    try:
        maps(features=features, voxelBatch=250)
    finally:
        pyradiomics.setVerbosity(logging.WARNING)
    assert Reporter.told == [("batch", 3), 1, 1, 1, "end"] * 2


def test_without_mask_neighbourhoods_reach_out_of_the_region():
    features = {"firstorder": ["Mean"]}
    found = maps(features=features, maskedKernel=False)["original_firstorder_Mean"]
    image = sitk.GetArrayFromImage(cases.image())
    at = sitk.GetArrayFromImage(found)[1, 1, 1]
    assert at == pytest.approx(image[1:4, 3:6, 4:7].mean())


def test_slices_across_any_axis():
    features = {"glcm": ["JointEntropy"], "firstorder": ["Maximum"]}
    image, mask = cases.image(), cases.mask()
    turned = [sitk.PermuteAxes(i, (2, 0, 1)) for i in (image, mask)]
    wanted = maps(features=features, force2D=True)
    found = maps(*turned, features=features, force2D=True, force2Ddimension=2)
    for name, expected in wanted.items():
        back = sitk.GetArrayFromImage(sitk.PermuteAxes(found[name], (1, 2, 0)))
        np.testing.assert_allclose(back, sitk.GetArrayFromImage(expected), rtol=1e-12)


def test_a_class_by_itself_and_two_dimensions():
    image, mask = cases.image()[:, :, 4], cases.mask()[:, :, 4]
    features = glcm.RadiomicsGLCM(image, mask, voxelBased=True)
    features.enableFeatureByName("Contrast")
    contrast = features.execute()["Contrast"]
    assert contrast.GetSize() == image.GetSize()
    assert sitk.GetArrayFromImage(contrast).max() > 0
