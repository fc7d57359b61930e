"""What PyRadiomics 3.0.1 itself gives (numpy 1.26.4, SimpleITK 2.5.7) where definitions are odd.

Values were typed in from its output on the images made here.
"""

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.pyradiomics import featureextractor, imageoperations, shape2D

Y, X = np.indices((7, 9))
PICTURE = ((5 * X * X + 11 * X * Y + 3 * Y * Y) % 60).astype(np.int16)
OUTLINE = ((X > 0) & (X < 8) & (Y > 0) & (X + Y < 13)).astype(np.uint8)


def as_image(array, spacing=(1.0, 1.0, 1.0)):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[: array.ndim])
    return image


def extract(image, mask, features, types=("Original",), **settings):
    extractor = featureextractor.RadiomicsFeatureExtractor(
        **{"additionalInfo": False, "binWidth": 10} | settings
    )
    extractor.disableAllImageTypes()
    for name in types:
        extractor.enableImageTypeByName(name)
    extractor.enabledFeatures = features
    found = extractor.execute(image, mask)
    return {name.removeprefix("original_"): value for name, value in found.items()}


def of_picture(features, **settings):
    spacing = (0.7, 0.9)
    return extract(as_image(PICTURE, spacing), as_image(OUTLINE, spacing), features, **settings)


def of_levels(rows, features, **settings):
    """Of a region with these grey levels; 0 lies outside."""
    levels = np.array(rows, np.int16)
    mask = as_image((levels > 0).astype(np.uint8))
    return extract(as_image(levels * 10), mask, features, **settings)


def check(found, wanted):
    assert list(found) == list(wanted)
    assert found == {name: pytest.approx(value, rel=1e-9) for name, value in wanted.items()}


OF_EACH_CLASS = {
    "shape2D": ["Perimeter"],
    "firstorder": ["TotalEnergy"],
    "glcm": ["Contrast", "MCC", "Imc1"],
    "gldm": ["DependenceVariance"],
    "glrlm": ["RunEntropy"],
    "glszm": ["ZoneVariance"],
    "ngtdm": ["Coarseness", "Busyness"],
}
IN_PLANE = (6.682500241475901, 0.4973211242382096, -0.16281656662065877, 1.340868530636526,
            2.9625141337066094, 1.1904, 0.08106314169102798, 1.13403267136451)  # fmt: skip
ALONG_X = (5.085714285714286, 0.3837488005393076, -0.09119609709165076, 0.3926234384295062,
           3.1709585933443463, 0.3896484375, 0.08991228070175439, 1.022421524663677)  # fmt: skip
ALONG_Y = (7.176470588235294, 0.4919943494560685, -0.1434560252728095, 0.15704937537180247,
           2.9421475436848725, 0.09642074506939373, 0.06990622335890878,
           1.3150224215246635)  # fmt: skip
ALONG_X_WITHIN_1 = (*ALONG_X[:3], 0.5377751338488994, *ALONG_X[4:])


@pytest.mark.parametrize(
    ("settings", "textures"),
    [
        ({}, IN_PLANE),
        ({"force2D": True}, ALONG_X),
        ({"force2D": True, "force2Ddimension": 1}, ALONG_Y),
        ({"force2D": True, "force2Ddimension": 2}, IN_PLANE),
        ({"force2D": True, "weightingNorm": "euclidean", "gldm_a": 1}, ALONG_X_WITHIN_1),
    ],
)
def test_force2d_leaves_one_direction_of_a_2d_image(settings, textures):
    names = [f"{name}_{feature}" for name, chosen in OF_EACH_CLASS.items() for feature in chosen]
    of_the_whole = (19.220526275297413, 28405.44)
    wanted = dict(zip(names, (*of_the_whole, *textures), strict=True))
    check(of_picture(OF_EACH_CLASS, **settings), wanted)


@pytest.mark.parametrize(
    ("dimension", "high", "low"),
    [
        (0, (27.971156684746067, 5.485714285714287), (81.79214971067853, 2.942857142857143)),
        (1, (29.068326342949288, 12.470588235294118), (69.13077990331789, 2.6176470588235294)),
    ],
)
def test_a_wavelet_of_a_2d_image_with_force2d_filters_one_axis(dimension, high, low):
    features = {"firstorder": ["Maximum"], "glcm": ["Contrast"]}
    names = [f"wavelet-{b}_{f}" for b in "HL" for f in ("firstorder_Maximum", "glcm_Contrast")]
    settings = {"types": ["Wavelet"], "force2D": True, "force2Ddimension": dimension}
    check(of_picture(features, **settings), dict(zip(names, (*high, *low), strict=True)))


def test_notes_of_a_resampled_2d_image():
    found = of_picture({}, resampledPixelSpacing=[1.4, 1.0], additionalInfo=True)
    wanted = {
        "Image-interpolated_Spacing": (1.4, 1.0),
        "Image-interpolated_Size": (5, 7),
        "Mask-interpolated_Size": (5, 7),
        "Mask-interpolated_BoundingBox": (0, 1, 4, 5),
        "Mask-original_CenterOfMassIndex": (3.926829268292683, 3.4390243902439024),
        "Mask-interpolated_CenterOfMassIndex": (1.4210526315789473, 2.8947368421052633),
    }
    notes = {name: found[f"diagnostics_{name}"] for name in wanted}
    assert str(notes) == str(wanted)


def test_integers_of_a_resampled_2d_image_are_cut_off_in_two_dimensions():
    """Where old and new voxels meet, the last bit decides between an integer and the one below."""
    image, mask = as_image(PICTURE, (0.7, 0.9)), as_image(OUTLINE, (0.7, 0.9))
    found, _ = imageoperations.resampleImage(
        image, mask, resampledPixelSpacing=[0.7, 0.3], interpolator="sitkBSpline"
    )
    assert sitk.GetArrayFromImage(found).sum(axis=1).tolist() == [
        130, 117, 130, 159, 178, 177, 169, 175, 215, 262, 287,
        270, 235, 212, 230, 268, 311, 334, 343, 342, 343,
    ]  # fmt: skip


CORRELATIONS = {"glcm": ["MCC", "Correlation", "Imc1", "Imc2", "InverseVariance"]}
PAIR_AND_CORNER = [[[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 2, 0], [0, 0, 0, 0]]]
TWO_ROWS = [[[1, 1, 1, 2]], [[0, 0, 0, 0]], [[1, 1, 1, 1]]]
TWO_LINES = [[[0, 0, 0, 0, 0], [0, 1, 1, 1, 0]], [[0, 0, 0, 0, 0], [0, 2, 2, 2, 0]]]


@pytest.mark.parametrize(
    ("levels", "settings", "wanted"),
    [
        (PAIR_AND_CORNER, {}, (2 / 3, -1 / 3, -2 / 3, 0.6199156633547958, 2 / 3)),
        (PAIR_AND_CORNER, {"symmetricalGLCM": False}, (0.0, 1.0, 0.0, 0.0, 2 / 3)),
        (PAIR_AND_CORNER, {"force2D": True, "force2Ddimension": 1}, (0.0, 1.0, 0.0, 0.0, 0.0)),
        (
            PAIR_AND_CORNER,
            {"weightingNorm": "no_weighting"},
            (0.5, -0.5, -0.27401754212128054, 0.6288421137548523, 2 / 3),
        ),
        (TWO_ROWS, {}, (1 / 11, -1 / 11, -0.026447961904441136, 0.14714412654936995, 1 / 6)),
        (TWO_ROWS, {"symmetricalGLCM": False}, (0.0, 1.0, 0.0, 0.0, 1 / 6)),
        (TWO_LINES, {}, (1.0, -0.5, -1.0, 0.9298734950321936, 0.75)),
        (TWO_LINES, {"symmetricalGLCM": False}, (0.25, 1.0, -0.25, 0.2324683737580484, 0.75)),
    ],
)
def test_directions_in_which_all_pairs_have_one_level(levels, settings, wanted):
    """Correlation is 1 in such a direction, and MCC and both Imc are 0."""
    found = of_levels(levels, CORRELATIONS, minimumROIDimensions=1, **settings)
    names = [f"glcm_{feature}" for feature in CORRELATIONS["glcm"]]
    check(found, dict(zip(names, wanted, strict=True)))


@pytest.mark.parametrize("bins", [{}, {"binCount": 32}])
def test_a_region_of_one_grey_level(bins):
    """MCC is 1 here, whichever number the level has."""
    found = of_levels(np.pad(np.ones((3, 3, 3), int), 1), CORRELATIONS, **bins)
    assert [float(value) for value in found.values()] == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_a_region_without_neighbours_has_no_cooccurrence():
    found = of_levels([[[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]], {"glcm": []})
    assert np.isnan(list(found.values())).all()


def test_maps_know_that_the_region_has_other_grey_levels():
    """The neighbourhood of the first voxel has one level, the region two."""
    levels = np.ones((1, 4, 4), np.int16)
    levels[0, 3, 3] = 2
    image, mask = as_image(levels * 10), as_image(np.ones((1, 4, 4), np.uint8))
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, binWidth=10)
    extractor.enabledFeatures = {"glcm": ["MCC"]}
    (found,) = extractor.execute(image, mask, voxelBased=True).values()
    values = sitk.GetArrayFromImage(found)
    assert values[0, 0, 0] == 0
    assert values[0, 3, 3] > 0
    (flat,) = extractor.execute(image * 0, mask, voxelBased=True).values()
    assert (sitk.GetArrayFromImage(flat) == 1).all()


def test_shape2d_of_a_3d_image_needs_force2d():
    features = shape2D.RadiomicsShape2D(as_image(PICTURE[None]), as_image(OUTLINE[None]))
    with pytest.raises(ValueError, match="force2D=True"):
        features.execute()
