"""Filtered images through the drop-in: names, settings, order, what is skipped.

That their features are PyRadiomics' is the matter of `make peers`.
"""

import logging

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.pyradiomics import featureextractor, imageoperations
from centrum.pyradiomics.errors import InputError
from centrum.pyradiomics.image_types import IMAGE_TYPES, warn_of_cropping
from tests.pyradiomics import cases

BANDS = ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")
FEATURES = {"firstorder": ["Mean", "Range"], "glcm": ["Contrast"]}
POINTWISE = ("Square", "SquareRoot", "Logarithm", "Exponential")


def made(name, image=None, **settings):
    """Images of a type by name."""
    image = cases.image() if image is None else image
    make = getattr(imageoperations, f"get{name}Image")
    return {n: sitk.GetArrayFromImage(i) for i, n, kwargs in make(image, cases.mask(), **settings)}


def extract(types, image=None, mask=None, *, maps=False, features=FEATURES, **settings):
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.disableAllImageTypes()
    extractor.enableImageTypes(**types)
    extractor.enabledFeatures = features
    return extractor.execute(
        cases.image() if image is None else image,
        cases.mask() if mask is None else mask,
        voxelBased=maps,
    )


def image_names(found):
    return list(dict.fromkeys(name.split("_")[0] for name in found))


def test_images_come_in_the_order_of_the_types_with_pyradiomics_names():
    types = {"LoG": {"sigma": [2, 1.0]}, "Original": {}, "Wavelet": {"level": 2}, "Gradient": {}}
    types |= {name: {} for name in POINTWISE}
    found = extract(types)
    names = image_names(found)
    assert names == [
        "log-sigma-2-mm-3D",
        "log-sigma-1-0-mm-3D",
        "original",
        *(f"wavelet-{band}" for band in BANDS[:-1]),
        *(f"wavelet2-{band}" for band in BANDS),
        "gradient",
        "square",
        "squareroot",
        "logarithm",
        "exponential",
    ]
    assert len(found) == 3 * len(names)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("LoG", {"sigma": [1.5]}), ("Wavelet", {"level": 2}), ("Gradient", {}), ("Square", {})],
)
def test_features_are_those_of_the_whole_filtered_image(name, settings):
    """The region of the whole image's response gives the same; padding changes nothing."""
    found = extract({name: settings})
    image = cases.image()
    for whole, image_name, _ in getattr(imageoperations, f"get{name}Image")(
        image, cases.mask(), **settings
    ):
        expected = extract({"Original": {}}, whole)
        for feature, value in expected.items():
            ours = found[feature.replace("original", image_name)]
            assert float(ours) == pytest.approx(float(value), rel=1e-6)


def test_local_binary_patterns():
    settings = {"lbp3DLevels": 3, "lbp3DIcosphereSubdivision": 0, "lbp2DSamples": 4}
    found = extract({"LBP2D": {}, "LBP3D": {}}, binWidth=1, **settings)
    assert image_names(found) == ["lbp-2D", *(f"lbp-3D-m{k}" for k in (1, 2, 3)), "lbp-3D-k"]
    assert 0 <= float(found["lbp-2D_firstorder_Mean"]) <= 5
    (pattern,) = made("LBP2D").values()
    assert pattern.max() == 9  # eight samples, as PyRadiomics takes them


def test_patterns_of_the_other_dimension_are_warned_of(caplog):
    extract({"LBP2D": {}})
    extract({"LBP3D": {}}, force2D=True)
    assert "LBP2D works in slices" in caplog.text
    assert "LBP3D works in space" in caplog.text
    flat = cases.image()[:, :, 4]
    assert made("LBP3D", flat) == {}
    assert "LBP 3D needs a 3-D image" in caplog.text
    assert made("LBP2D", flat, lbp2DMethod="var")["lbp-2D"][5, 5] % 1 > 0


def test_features_of_log_in_a_real_vertebra_are_those_of_the_whole_image(reference):
    """To 1e-6 of the value, or of the spread where that is larger."""
    exam = reference / "spine_mri" / "chu2015_06"
    image, labels = (sitk.ReadImage(str(exam / f)) for f in ("T2w.nii.gz", "seg-vb.nii.gz"))
    mask = sitk.Cast(labels == 24, sitk.sitkUInt8)
    types = {"LoG": {"sigma": [1.0, 4.0]}}
    features = {"firstorder": [], "glcm": ["Contrast", "Idm"], "glszm": ["ZoneEntropy"]}
    found = extract(types, image, mask, features=features)
    for sigma in types["LoG"]["sigma"]:
        whole = laplacian(image, sigma)
        name = f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D"
        expected = extract({"Original": {}}, whole, mask, features=features)
        spread = float(expected["original_firstorder_Variance"]) ** 0.5
        for feature, value in expected.items():
            ours = float(found[feature.replace("original", name)])
            assert abs(ours - value) <= 1e-6 * max(abs(value), spread)


def laplacian(image, sigma):
    chosen = sitk.LaplacianRecursiveGaussianImageFilter()
    chosen.SetSigma(sigma)
    chosen.SetNormalizeAcrossScale(True)
    return chosen.Execute(image)


def test_float32_responses_are_kept_as_such():
    assert made("LoG", sigma=[1.0])["log-sigma-1-0-mm-3D"].dtype == np.float32
    assert made("Gradient")["gradient"].dtype == np.float32
    assert {band.dtype for band in made("Wavelet").values()} == {np.dtype(np.float64)}


def test_an_image_type_has_settings_of_its_own():
    types = {"Original": {"binWidth": 10}, "Square": {}, "SquareRoot": {"binWidth": 5}}
    together = extract(types, binWidth=20)
    for name, own in types.items():
        for feature, value in extract({name: own}, binWidth=20).items():
            assert together[feature] == value
    assert (
        together["squareroot_glcm_Contrast"]
        != extract({"SquareRoot": {}}, binWidth=20)["squareroot_glcm_Contrast"]
    )


def test_maps_of_filtered_images():
    types = {"LoG": {"sigma": [1.0]}, "Square": {}}
    found = extract(types, maps=True, features={"firstorder": ["Mean"]}, kernelRadius=1)
    assert list(found) == ["log-sigma-1-0-mm-3D_firstorder_Mean", "square_firstorder_Mean"]
    (size,) = {image.GetSize() for image in found.values()}
    assert size == (14, 12, 7)
    response = made("Square")["square"]
    at_the_corner = sitk.GetArrayFromImage(found["square_firstorder_Mean"])[1, 1, 1]
    assert at_the_corner == pytest.approx(response[2:4, 4:6, 5:7].mean())


@pytest.mark.parametrize(("dimension", "letters"), [(0, 2), (1, 2), (2, 2)])
def test_wavelets_in_slices(dimension, letters):
    found = extract({"Wavelet": {}}, force2D=True, force2Ddimension=dimension)
    assert image_names(found) == ["wavelet-LH", "wavelet-HL", "wavelet-HH", "wavelet-LL"]


def test_two_dimensional_images():
    image, mask = cases.image()[:, :, 4], cases.mask()[:, :, 4]
    types = {"LoG": {"sigma": [1.0]}, "Wavelet": {}, "Gradient": {}, "Square": {}}
    found = extract(types, image, mask)
    assert image_names(found)[:5] == [
        "log-sigma-1-0-mm-3D",
        "wavelet-LH",
        "wavelet-HL",
        "wavelet-HH",
        "wavelet-LL",
    ]
    whole = sitk.GetArrayFromImage(laplacian(image, 1.0))
    inside = sitk.GetArrayFromImage(mask) == 1
    mean = float(found["log-sigma-1-0-mm-3D_firstorder_Mean"])
    assert mean == pytest.approx(whole[inside].mean(), abs=1e-4)


def test_what_pyradiomics_skips_is_skipped_with_a_warning(caplog):
    assert list(made("LoG", sigma=[0.0, -1.0, 1.0])) == ["log-sigma-1-0-mm-3D"]
    assert caplog.text.count("sigma must be greater than 0.0") == 2
    assert made("LoG", sigma=[100.0]) == {}
    assert "more than sigma / spacing voxels" in caplog.text
    assert made("LoG") == {}
    assert made("LoG", cases.image()[:, :, :3], sigma=[1.0]) == {}
    assert "Image too small to apply LoG filter" in caplog.text
    assert extract({"LoG": {"sigma": [100.0]}}) == {}


def test_cropping_is_warned_of_once(caplog):
    warn_of_cropping.cache_clear()
    extract({"Original": {}}, preCrop=True)
    assert "preCrop" not in caplog.text
    with caplog.at_level(logging.WARNING):
        extract({"Original": {}, "Wavelet": {}}, preCrop=True)
        extract({"Wavelet": {}}, preCrop=True)
    assert caplog.text.count("preCrop: filters see the cropped image only") == 1


def test_cropped_images_are_filtered_as_they_are():
    types = {"LoG": {"sigma": [2.0]}}
    cropped = extract(types, preCrop=True, padDistance=1)
    image = cases.image()[4:18, 3:15, 1:8]
    mask = cases.mask()[4:18, 3:15, 1:8]
    assert cropped == extract(types, image, mask)
    assert cropped != extract(types)


def test_filters_that_cannot_work_say_so():
    zeros = cases.as_image(np.zeros(cases.SHAPE, np.int16))
    with pytest.raises(InputError, match="Square: Square scales by the largest intensity"):
        extract({"Square": {}}, zeros)
    with pytest.raises(InputError, match="there is no discrete wavelet 'morl'"):
        extract({"Wavelet": {"wavelet": "morl"}})


def test_every_type_has_its_function():
    for name in IMAGE_TYPES:
        assert getattr(imageoperations, f"get{name}Image").__name__ == f"get{name}Image"
