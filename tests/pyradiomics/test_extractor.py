"""The extractor's interface: results, their order and names, and what is refused."""

from collections import OrderedDict

import numpy as np
import pytest
import SimpleITK as sitk

from centrum import pyradiomics
from centrum.pyradiomics import featureextractor, imageoperations
from centrum.pyradiomics.errors import GridMismatch, InputError
from tests.pyradiomics import cases

EXTRACTOR = featureextractor.RadiomicsFeatureExtractor


def extract(image=None, mask=None, *, call=None, features=None, **settings):
    extractor = EXTRACTOR(**{"additionalInfo": False} | settings)
    extractor.enabledFeatures = features or {"firstorder": ["Mean"], "shape": ["VoxelVolume"]}
    image = cases.image() if image is None else image
    mask = cases.mask() if mask is None else mask
    return extractor.execute(image, mask, **call or {})


def moved(mask, by):
    mask = sitk.Image(mask)
    mask.SetOrigin([o + by for o in mask.GetOrigin()])
    return mask


def test_the_order_of_the_results():
    found = EXTRACTOR().execute(cases.image(), cases.mask())
    assert isinstance(found, OrderedDict)
    names = list(found)
    prefixes = list(dict.fromkeys(n.rsplit("_", 1)[0] for n in names))
    assert prefixes == [
        "diagnostics_Versions",
        "diagnostics_Configuration",
        "diagnostics_Image-original",
        "diagnostics_Mask-original",
        "original_shape",
        "original_firstorder",
        "original_glcm",
        "original_gldm",
        "original_glrlm",
        "original_glszm",
        "original_ngtdm",
    ]
    assert sum(n.startswith("original_") for n in names) == 107
    within = [n for n in names if n.startswith("original_firstorder")]
    assert within.index("original_firstorder_MeanAbsoluteDeviation") + 1 == within.index(
        "original_firstorder_Mean"
    )


def test_values_are_arrays_without_axes():
    (value,) = extract(features={"firstorder": ["Mean"]}).values()
    assert isinstance(value, np.ndarray)
    assert value.shape == ()
    assert value.dtype == float


def test_classes_and_features_come_in_the_order_asked_for_with_shape_first():
    features = {"ngtdm": ["Contrast", "Busyness"], "shape": None, "firstorder": ["Range", "Mean"]}
    names = [n.removeprefix("original_") for n in extract(features=features)]
    assert names[-4:] == ["ngtdm_Contrast", "ngtdm_Busyness", "firstorder_Range", "firstorder_Mean"]
    assert all(n.startswith("shape_") for n in names[:-4])


def test_deprecated_features_come_when_asked_for(caplog):
    features = {
        "shape": ["Compactness1", "Compactness2", "SphericalDisproportion", "Sphericity"],
        "firstorder": ["StandardDeviation", "Variance"],
        "glcm": ["Dissimilarity", "Homogeneity1", "Homogeneity2", "SumVariance"],
        "gldm": ["DependencePercentage", "GrayLevelNonUniformityNormalized"],
    }
    found = {k.removeprefix("original_"): float(v) for k, v in extract(features=features).items()}
    assert len(found) == 6
    assert found["firstorder_StandardDeviation"] ** 2 == pytest.approx(found["firstorder_Variance"])
    sphericity = found["shape_Sphericity"]
    assert found["shape_SphericalDisproportion"] == pytest.approx(1 / sphericity)
    assert found["shape_Compactness2"] == pytest.approx(sphericity**3)
    assert found["shape_Compactness1"] == pytest.approx(sphericity**1.5 / (6 * np.pi))
    assert "Feature Dissimilarity is deprecated" in caplog.text


def test_diagnostics():
    image, mask = cases.image(), cases.mask()
    found = EXTRACTOR(label=3, minimumROIDimensions=2).execute(image, mask)
    found = {k.removeprefix("diagnostics_"): v for k, v in found.items() if k[0] == "d"}
    assert found["Image-original_Hash"] == sitk.Hash(image)
    assert found["Mask-original_Hash"] == sitk.Hash(sitk.Cast(mask, sitk.sitkUInt32))
    assert found["Image-original_Dimensionality"] == "3D"
    assert found["Image-original_Spacing"] == image.GetSpacing()
    assert found["Image-original_Size"] == image.GetSize()
    array = sitk.GetArrayFromImage(image).astype(float)
    assert found["Image-original_Mean"] == pytest.approx(array.mean(), rel=1e-14)
    assert (found["Image-original_Minimum"], found["Image-original_Maximum"]) == (
        array.min(),
        array.max(),
    )
    assert found["Mask-original_BoundingBox"] == (2, 2, 8, 7, 6, 1)
    assert found["Mask-original_VoxelNum"] == 42
    assert found["Mask-original_VolumeNum"] == 1
    assert found["Mask-original_CenterOfMassIndex"] == (5.0, 4.5, 8.0)
    position = mask.TransformContinuousIndexToPhysicalPoint((5.0, 4.5, 8.0))
    assert found["Mask-original_CenterOfMass"] == pytest.approx(position)
    assert found["Configuration_Settings"]["label"] == 3
    assert found["Configuration_EnabledImageTypes"] == {"Original": {}}
    assert "centrum" in found["Versions_PyRadiomics"]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"resampledPixelSpacing": [1, 1, 0]}, ["Image-interpolated", "Mask-interpolated"]),
        ({"resegmentRange": [200, 400]}, ["Mask-resegmented"]),
        ({"correctMask": True}, ["Mask-corrected"]),
        ({}, []),
    ],
)
def test_diagnostics_of_each_step(settings, wanted):
    mask = moved(cases.mask(), 0.2) if "correctMask" in settings else cases.mask()
    found = EXTRACTOR(**settings).execute(cases.image(), mask)
    steps = dict.fromkeys(n.split("_")[1] for n in found if n.startswith("diagnostics_"))
    assert list(steps)[4:] == wanted
    for step in wanted:
        parts = {n.split("_")[2] for n in found if n.startswith(f"diagnostics_{step}_")}
        assert {"Mean", "Minimum", "Maximum", "Spacing", "Size"} <= parts


def test_diagnostics_are_plain_numbers():
    settings = {"resampledPixelSpacing": [1, 1, 0], "resegmentRange": [200, 400]}
    found = EXTRACTOR(**settings).execute(cases.image(), cases.mask())
    several = [value for value in found.values() if isinstance(value, tuple)]
    assert len(several) > 12
    assert {type(number) for value in several for number in value} == {int, float}


def test_no_diagnostics_when_switched_off():
    extractor = EXTRACTOR()
    extractor.addProvenance(False)
    found = extractor.execute(cases.image(), cases.mask())
    assert not [n for n in found if n.startswith("diagnostics")]


def test_paths_are_read(tmp_path):
    sitk.WriteImage(cases.image(), str(tmp_path / "image.nrrd"))
    sitk.WriteImage(cases.mask(), str(tmp_path / "mask.nii.gz"))
    found = extract(str(tmp_path / "image.nrrd"), tmp_path / "mask.nii.gz")
    assert float(found["original_shape_VoxelVolume"]) == pytest.approx(600 * 0.7 * 0.9 * 3)


@pytest.mark.parametrize(
    ("settings", "call", "message"),
    [
        ({}, {"label": 2}, r"Label \(2\) not present in mask. Choose from \[1, 3\]"),
        ({"label": 7}, {}, "Label"),
        ({"minimumROIDimensions": 3}, {"label": 3}, "too few dimensions"),
        ({"minimumROISize": 600}, {}, "too small"),
        ({"resegmentRange": [1e5, 2e5]}, {}, "Resegmentation"),
        ({"resegmentRange": [1, 2, 3]}, {}, "Resegmentation"),
        ({"resegmentRange": [1, 2], "resegmentMode": "x"}, {}, "Resegmentation"),
        ({"resampledPixelSpacing": [1, 1]}, {}, "wants 3 numbers"),
    ],
)
def test_regions_that_cannot_be_measured_are_value_errors(settings, call, message):
    with pytest.raises(ValueError, match=message):
        extract(call=call, **settings)


def test_inputs_that_are_no_images():
    for image, mask in (("absent.nrrd", None), (None, "absent.nrrd"), (3, None)):
        with pytest.raises(ValueError, match="or the path of a file"):
            extract(image, mask)
    with pytest.raises(InputError, match="one number per voxel"):
        extract(sitk.Compose(cases.image(), cases.image()))
    with pytest.raises(InputError, match="nothing is segmented"):
        extract(mask=cases.mask() * 0)


@pytest.mark.parametrize("kind", [ValueError, RuntimeError])
def test_a_file_that_is_no_image(tmp_path, kind):
    (tmp_path / "mask.nrrd").write_text("no image")
    with pytest.raises(kind, match=r"mask: 'mask\.nrrd' is no image"):
        extract(mask=str(tmp_path / "mask.nrrd"))


def test_single_voxels_and_lines():
    labels = np.zeros(cases.SHAPE, np.uint8)
    labels[4, 5, 6] = 1
    with pytest.raises(ValueError, match="1 segmented voxel"):
        extract(mask=cases.as_image(labels), minimumROIDimensions=1)
    labels[4, 5, 7] = 1
    with pytest.raises(ValueError, match="too few dimensions"):
        extract(mask=cases.as_image(labels))
    assert extract(mask=cases.as_image(labels), minimumROIDimensions=1)


def test_grids_must_agree_unless_tolerated_or_corrected():
    mask = moved(cases.mask(), 0.2)
    for kind in (GridMismatch, ValueError, RuntimeError):
        with pytest.raises(kind, match="geometry mismatch"):
            extract(mask=mask)
    assert extract(mask=mask, geometryTolerance=0.5) == extract()
    assert extract(mask=mask, correctMask=True) == extract()
    assert sitk.ProcessObject.GetGlobalDefaultCoordinateTolerance() == 1e-6


def test_a_cropped_mask_is_put_in_place():
    cropped = cases.mask()[3:20, 2:18, :]
    with pytest.raises(ValueError, match="geometry mismatch"):
        extract(mask=cropped)
    assert extract(mask=cropped, correctMask=True) == extract()
    outside = moved(cases.mask(), 12)
    with pytest.raises(ValueError, match="larger than image space"):
        extract(mask=outside, correctMask=True)


def test_channels_of_a_mask():
    layers = sitk.Compose(cases.mask() * 0, cases.mask())
    with pytest.raises(ValueError, match="nothing is segmented"):
        extract(mask=layers)
    assert extract(mask=layers, call={"label_channel": 1}) == extract()
    assert extract(mask=layers, label_channel=1) == extract()
    with pytest.raises(InputError, match="channels 0 to 1"):
        extract(mask=layers, call={"label_channel": 2})


@pytest.mark.parametrize(
    "kind", [sitk.sitkUInt8, sitk.sitkInt32, sitk.sitkUInt64, sitk.sitkFloat32]
)
def test_kinds_of_labels(kind):
    assert extract(mask=sitk.Cast(cases.mask(), kind)) == extract()


@pytest.mark.parametrize("kind", [sitk.sitkUInt16, sitk.sitkInt64, sitk.sitkFloat32])
def test_kinds_of_images(kind):
    everything = {"features": {"firstorder": None, "glcm": None, "ngtdm": None}}
    wanted = extract(**everything)
    for name, value in extract(sitk.Cast(cases.image(), kind), **everything).items():
        assert value == pytest.approx(wanted[name], rel=1e-12)


def test_inputs_are_left_as_they_were():
    image, mask = cases.image(), cases.mask()
    before = sitk.Hash(image), sitk.Hash(mask)
    extract(image, mask, normalize=True, removeOutliers=1, resegmentRange=[0, 9], correctMask=True)
    assert (sitk.Hash(image), sitk.Hash(mask)) == before


def test_settings_of_an_image_type_apply_to_it():
    features = {"glcm": ["JointAverage"], "shape": ["VoxelVolume"]}
    extractor = EXTRACTOR(additionalInfo=False, binWidth=5)
    extractor.enabledFeatures = features
    extractor.enableImageTypes(Original={"binWidth": 50})
    assert extractor.execute(cases.image(), cases.mask()) == extract(features=features, binWidth=50)


def test_enabling_and_disabling(caplog):
    extractor = EXTRACTOR()
    extractor.enableImageTypeByName("Square")
    extractor.enableImageTypeByName("LoG", customArgs={"sigma": [2.0]})
    assert extractor.enabledImagetypes == {"Original": {}, "Square": {}, "LoG": {"sigma": [2.0]}}
    extractor.enableImageTypeByName("Square", enabled=False)
    extractor.enableImageTypeByName("Nonsense")
    assert "Nonsense is not recognized" in caplog.text
    extractor.enableAllImageTypes()
    assert sorted(extractor.enabledImagetypes) == sorted(pyradiomics.getImageTypes())
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName("glcm")
    extractor.enableFeatureClassByName("shape")
    extractor.enableFeatureClassByName("shape", enabled=False)
    extractor.enableFeatureClassByName("nonsense")
    assert extractor.enabledFeatures == {"glcm": []}
    extractor.enableAllFeatures()
    assert set(extractor.enabledFeatures) == set(extractor.featureClassNames)
    assert extractor.getFeatureClassNames() == extractor.featureClassNames
    assert extractor.getFeatureNames("ngtdm")[0] == "Busyness"


def test_no_image_type_leaves_shape_and_unknown_classes_are_passed_over():
    extractor = EXTRACTOR(additionalInfo=False)
    extractor.disableAllImageTypes()
    extractor.enableFeaturesByName(nonsense=[])
    names = list(extractor.execute(cases.image(), cases.mask()))
    assert len(names) == 14
    assert all(n.startswith("original_shape_") for n in names)


def test_an_unknown_feature_is_a_lookup_error():
    with pytest.raises(LookupError, match="Feature not found: Contras"):
        extract(features={"glcm": ["Contras"]})


def test_shape2d_needs_force2d_and_one_slice(caplog):
    features = {"shape2D": []}
    assert extract(features=features, call={"label": 3}) == {}
    assert "force2D must be set to True" in caplog.text
    found = extract(features=features, call={"label": 3}, force2D=True)
    assert float(found["original_shape2D_PixelSurface"]) == pytest.approx(42 * 0.7 * 0.9)
    with pytest.raises(ValueError, match="one axial slice, found 5"):
        extract(features=features, force2D=True)


def test_two_dimensional_images(caplog):
    image, mask = cases.image()[:, :, 4], cases.mask()[:, :, 4]
    features = {"shape": [], "shape2D": [], "firstorder": ["TotalEnergy"], "glcm": ["Contrast"]}
    found = extract(image, mask, features=features)
    assert "shape needs a 3-D image" in caplog.text
    assert len(found) == 9 + 2
    notes = EXTRACTOR().execute(image, mask)
    assert notes["diagnostics_Image-original_Dimensionality"] == "2D"
    assert notes["diagnostics_Mask-original_BoundingBox"] == (5, 4, 12, 10)


def test_images_of_slices_turned_in_space_are_measured_by_their_array():
    image, mask = cases.image(), cases.mask()
    for node in (image, mask):
        node.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
    settings = {"features": {"glcm": None}, "force2D": True, "force2Ddimension": 1}
    assert extract(image, mask, **settings) == extract(**settings)


def test_resegmentation_cuts_the_box_of_shapes():
    features = {"shape": ["VoxelVolume"], "firstorder": ["Minimum"]}
    array = sitk.GetArrayFromImage(cases.image())
    array[2] = 0
    image = cases.as_image(array)
    settings = {"features": features, "resegmentRange": [1, 1000]}
    found = extract(image, **settings)
    assert float(found["original_shape_VoxelVolume"]) == pytest.approx(480 * 0.7 * 0.9 * 3)
    assert float(found["original_firstorder_Minimum"]) > 0


def test_steps_called_one_by_one_give_what_execute_gives():
    settings = {"label": 1, "binWidth": 20, "interpolator": "sitkBSpline",
                "resampledPixelSpacing": [1, 1, 0], "padDistance": 3}  # fmt: skip
    extractor = EXTRACTOR(additionalInfo=False, **settings)
    image, mask = extractor.loadImage(cases.image(), cases.mask(), None, **settings)
    box, corrected = imageoperations.checkMask(image, mask, **settings)
    assert corrected is None
    found = extractor.computeShape(image, mask, box, **settings)
    image, mask = imageoperations.cropToTumorMask(image, mask, box)
    found.update(extractor.computeFeatures(image, mask, "original", **settings))
    assert found == extractor.execute(cases.image(), cases.mask())


def test_functions_on_images():
    image, mask = cases.image(), cases.mask()
    box, _ = imageoperations.checkMask(image, mask)
    assert box.tolist() == [5, 16, 4, 13, 2, 6]
    small, _ = imageoperations.cropToTumorMask(image, mask, box, padDistance=3)
    assert small.GetSize() == (18, 16, 9)
    corrected = imageoperations.checkMask(image, moved(mask, 0.1), correctMask=True)[1]
    assert sitk.Hash(corrected) == sitk.Hash(sitk.Cast(mask == 1, sitk.sitkUInt32))
    assert imageoperations.getMask(mask, label=3).GetPixelID() == sitk.sitkUInt32
    normal = sitk.GetArrayFromImage(imageoperations.normalizeImage(image, normalizeScale=10))
    assert normal.std(ddof=1) == pytest.approx(10)
    resampled, labels = imageoperations.resampleImage(image, mask, resampledPixelSpacing=[2, 2, 0])
    assert resampled.GetSpacing() == labels.GetSpacing() == (2.0, 2.0, 3.0)
    kept = imageoperations.resegmentMask(image, mask, resegmentRange=[300])
    array, inside = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(kept) == 1
    assert inside.sum() == ((array >= 300) & (cases.label_array() == 1)).sum()
    levels, edges = imageoperations.binImage(array, inside, binWidth=10)
    assert levels[inside].min() == 1
    assert edges[0] <= array[inside].min() < edges[1]
    ((same, name, settings),) = imageoperations.getOriginalImage(image, mask, binWidth=3)
    assert (same, name, settings) == (image, "original", {"binWidth": 3})
