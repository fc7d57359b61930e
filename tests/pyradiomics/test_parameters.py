"""Parameter files: PyRadiomics' documented examples pass, what it refuses is refused."""

import json
import logging
from itertools import product
from pathlib import Path

import pytest
import yaml

from centrum.pyradiomics import featureextractor
from centrum.pyradiomics.errors import InputError, ParameterError
from centrum.pyradiomics.settings import ABSENT, TABLE
from tests.pyradiomics import cases

GLCM_WITHOUT_SUM_AVERAGE = [
    "Autocorrelation",
    "JointAverage",
    "ClusterProminence",
    "ClusterShade",
    "ClusterTendency",
    "Contrast",
    "Correlation",
    "DifferenceAverage",
    "DifferenceEntropy",
    "DifferenceVariance",
    "JointEnergy",
    "JointEntropy",
    "Imc1",
    "Imc2",
    "Idm",
    "Idmn",
    "Id",
    "Idn",
    "InverseVariance",
    "MaximumProbability",
    "SumEntropy",
    "SumSquares",
]

CLASSES_OF_MR = {
    "shape": None,
    "firstorder": None,
    "glcm": GLCM_WITHOUT_SUM_AVERAGE,
    "glrlm": None,
    "glszm": None,
    "gldm": None,
}
NORMALISED = {"normalize": True, "normalizeScale": 100, "binWidth": 5, "voxelArrayShift": 300}


def filtered(*sigma: float) -> dict:
    return {"Original": {}, "LoG": {"sigma": list(sigma)}, "Wavelet": {}}


def resampled(mm: float) -> dict:
    return {"interpolator": "sitkBSpline", "resampledPixelSpacing": [mm] * 3, "label": 1}


EXAMPLES = {
    "Params": {
        "setting": {
            "binWidth": 25,
            "label": 1,
            "interpolator": "sitkBSpline",
            "resampledPixelSpacing": None,
            "weightingNorm": None,
        },
        "imageType": {"Original": {}},
        "featureClass": CLASSES_OF_MR | {"firstorder": []},
    },
    "exampleCT": {
        "imageType": filtered(1.0, 2.0, 3.0, 4.0, 5.0),
        "featureClass": CLASSES_OF_MR,
        "setting": resampled(1) | {"padDistance": 10, "binWidth": 25, "voxelArrayShift": 1000},
    },
    "exampleMR_3mm": {
        "imageType": filtered(2.0, 3.0, 4.0, 5.0),
        "featureClass": CLASSES_OF_MR,
        "setting": NORMALISED | resampled(2),
    },
    "exampleMR_5mm": {
        "imageType": filtered(3.0, 5.0),
        "featureClass": CLASSES_OF_MR,
        "setting": NORMALISED | resampled(3),
    },
    "exampleMR_NoResampling": {
        "imageType": filtered(1.0, 3.0, 5.0),
        "featureClass": CLASSES_OF_MR,
        "setting": NORMALISED
        | {"preCrop": True, "force2D": True, "force2Ddimension": 0, "label": 1},
    },
    "exampleVoxel": {
        "imageType": {"Original": {}},
        "featureClass": {"glcm": ["JointEntropy"]},
        "setting": {"binWidth": 25, "force2D": True, "label": 1},
        "voxelSetting": {
            "kernelRadius": 2,
            "maskedKernel": True,
            "initValue": "nan",
            "voxelBatch": 10000,
        },
    },
}
"""The settings of the files in PyRadiomics' examples/exampleSettings."""


def write(folder: Path, content: dict, suffix: str = ".yaml") -> Path:
    path = folder / f"parameters{suffix}"
    path.write_text(json.dumps(content) if suffix == ".json" else yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_documented_example_files_are_read(name, suffix, tmp_path):
    example = EXAMPLES[name]
    extractor = featureextractor.RadiomicsFeatureExtractor(write(tmp_path, example, suffix))
    assert extractor.enabledImagetypes == example["imageType"]
    assert extractor.enabledFeatures == example["featureClass"]
    given = example["setting"] | example.get("voxelSetting", {})
    assert given.items() <= extractor.settings.items()


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n != "exampleVoxel"])
def test_the_documented_example_files_are_executed_on_the_original_image(name, tmp_path):
    extractor = featureextractor.RadiomicsFeatureExtractor(str(write(tmp_path, EXAMPLES[name])))
    extractor.disableAllImageTypes()
    extractor.enableImageTypeByName("Original")
    found = extractor.execute(cases.image(), cases.mask())
    features = [n for n in found if n.startswith("original_")]
    assert len(features) == 14 + 18 + 22 + 16 + 16 + 14
    assert "original_glcm_SumAverage" not in features


WRONG = [
    ({"setting": {"label": 0}}, "label: expected an integer > 0"),
    ({"setting": {"label": 1.0}}, "label: expected an integer"),
    ({"setting": {"label": True}}, "label: expected an integer"),
    ({"setting": {"minimumROIDimensions": 4}}, "integer, 1 to 3"),
    ({"setting": {"binWidth": 0}}, "number > 0"),
    ({"setting": {"binWidth": "wide"}}, "number > 0"),
    ({"setting": {"correctMask": 1}}, "true or false"),
    ({"setting": {"resampledPixelSpacing": 3}}, "list of"),
    ({"setting": {"resampledPixelSpacing": [-1, 1, 1]}}, r"resampledPixelSpacing\[0\]"),
    ({"setting": {"interpolator": "sitkX"}}, "sitkBlackmanWindowedSinc"),
    ({"setting": {"interpolator": 11}}, "1 to 10"),
    ({"setting": {"weightingNorm": "x"}}, "manhattan"),
    ({"setting": {"resegmentMode": "x"}}, "absolute, relative, sigma"),
    ({"setting": {"wavelet": "coif99"}}, "PyWavelets"),
    ({"setting": {"lbp2DMethod": "x"}}, "uniform"),
    ({"setting": {"force2DDimension": 0}}, "did you mean 'force2Ddimension'"),
    ({"setting": {"kernelRadius": 1}}, "there is no 'kernelRadius'"),
    ({"setting": {"enableCExtensions": True}}, "no C extensions"),
    ({"setting": None}, "setting: expected a mapping"),
    ({"voxelSetting": {"kernelRadius": 0}}, "kernelRadius: expected an integer, 1 to 64"),
    ({"inputImage": {}}, "did you mean 'imageType'"),
    ({"imageType": {"wavelet": {}}}, "did you mean 'Wavelet'"),
    ({"imageType": {"Original": None}}, "imageType: Original: expected a mapping"),
    ({"imageType": {"Original": {"foo": 1}}}, "there is no 'foo'"),
    ({"featureClass": {"textures": []}}, "there is no 'textures'"),
    ({"featureClass": {"glcm": ["Contras"]}}, "did you mean 'Contrast'"),
    ({"featureClass": {"glcm": "Contrast"}}, "a list of features"),
    ({"featureClass": ["glcm"]}, "featureClass: expected a mapping"),
    ({"setting": {"binWidth": float("nan")}}, "binWidth: expected a number > 0, found nan"),
    ({"setting": {"normalizeScale": 10**400}}, "expected a number > 0, found a huge integer"),
    ({"setting": {"binCount": 10**12}}, "binCount: expected an integer, 1 to 4096"),
    ({"setting": {"distances": [10**9]}}, r"distances\[0\]: expected an integer, 1 to 64"),
    ({"setting": {"distances": [None]}}, r"distances\[0\]: expected an integer"),
    ({"setting": {"resegmentRange": [None]}}, r"resegmentRange\[0\]"),
    ({"setting": {"interpolator": True}}, "one of sitkNearestNeighbor"),
    ({"imageType": {"Wavelet": {"level": 10**9}}}, "level: expected an integer, 1 to 16"),
    ({"imageType": {"LBP3D": {"lbp3DLevels": 10**6}}}, "lbp3DLevels: expected an integer, 1 to 32"),
    ({"featureClass": {"glcm": [["x" * 10**6]]}}, r"there is no \['xx"),
]


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_wrong_parameters_are_refused_with_the_name(content, message):
    with pytest.raises(ParameterError, match=message):
        featureextractor.RadiomicsFeatureExtractor(content)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"imageType": {}, "featureClass": {}},
        {"setting": {"binWidth": "12.5", "minimumROISize": None, "distances": []}},
        {"setting": {"interpolator": None}},
        {"setting": {"interpolator": 10, "resegmentRange": [1, 2, 3]}},
        {"imageType": {"LoG": {"sigma": [1]}, "Original": {"binWidth": 5}}},
    ],
)
def test_what_pyradiomics_lets_pass_passes(content):
    featureextractor.RadiomicsFeatureExtractor(content)


def test_a_dictionary_enables_all_classes_with_shape2d_unless_it_names_them():
    extractor = featureextractor.RadiomicsFeatureExtractor({})
    assert "shape2D" in extractor.enabledFeatures
    assert "shape2D" not in featureextractor.RadiomicsFeatureExtractor().enabledFeatures


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.txt", "setting: {}", "ends in .yaml"),
        ("p.yaml", "", "is empty"),
        ("p.yaml", "setting: [", "not YAML"),
        ("p.json", "{", "not JSON"),
        ("p.yaml", "setting:\n  binWidth: 5\n  binWidth: 6\n", "'binWidth' occurs twice"),
    ],
)
def test_files_that_cannot_be_read(name, text, message, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ParameterError, match=message) as caught:
        featureextractor.RadiomicsFeatureExtractor().loadParams(path)
    assert name in str(caught.value.__notes__)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("setting: {wavelet: é}".encode("latin-1"), "not-utf-8"),
        (b"imageType: {LoG: {sigma: [1.0, 2024-13-45]}}", "protocol"),
        (b"setting: {binWidth: 1.0e+400}", "protocol"),
        (b"setting: {binWidth: !!python/name:os.system ''}", "not-yaml"),
        (b"setting: &a {binWidth: *a}", "not-yaml"),
        (b"- [" * 1000, "not-yaml"),
        (b"# " + bytes(2**20), "too-large"),
    ],
)
def test_no_file_ends_in_another_error_than_its_own(content, code, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError) as caught:
        featureextractor.RadiomicsFeatureExtractor(path)
    assert caught.value.code == code
    assert len(str(caught.value)) < 300


ODD = (None, [], {}, float("nan"), float("-inf"), 10**400, -(2**62), "x" * 10**5, True, [[1]], "")


def places(value, path=()):
    """The paths of all values within nested dictionaries and lists."""
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    for key, below in enumerate(value) if isinstance(value, list) else inner:
        yield from places(below, (*path, key))


def with_value(value, path, odd):
    if not path:
        return odd
    copied = value.copy()
    copied[path[0]] = with_value(value[path[0]], path[1:], odd)
    return copied


@pytest.mark.parametrize("name", ["exampleMR_NoResampling", "exampleVoxel", "exampleMR_5mm"])
def test_an_odd_value_anywhere_is_refused_or_meant(name):
    example = EXAMPLES[name]
    told = []
    for path, odd in product(places(example), ODD):
        try:
            featureextractor.RadiomicsFeatureExtractor(with_value(example, path, odd))
        except ParameterError as error:
            told.append((path, str(error)))
    assert len(told) > 100
    for path, message in told:
        assert len(message) < 1000
        assert path == () or str(path[0]) in message or str(path[-1]) in message


def test_a_spacing_that_would_fill_the_memory_is_refused_before_it_does():
    extractor = featureextractor.RadiomicsFeatureExtractor(
        {"setting": {"resampledPixelSpacing": [1e-300, 1e-300, 1]}}
    )
    with pytest.raises(InputError, match="voxels, more than") as caught:
        extractor.execute(cases.image(), cases.mask())
    assert isinstance(caught.value, ValueError)


def test_the_errors_are_those_that_scripts_catch(tmp_path):
    with pytest.raises(OSError, match="does not exist"):
        featureextractor.RadiomicsFeatureExtractor(str(tmp_path / "absent.yaml"))
    for kind in (RuntimeError, ValueError):
        with pytest.raises(kind):
            featureextractor.RadiomicsFeatureExtractor({"setting": {"label": 0}})
    with pytest.raises(TypeError):
        featureextractor.RadiomicsFeatureExtractor({"setting": {"weightingNorm": 3}})
    with pytest.raises(ValueError, match="not JSON"):
        featureextractor.RadiomicsFeatureExtractor().loadJSONParams("{")


def test_keywords_override_the_file_and_unknown_ones_are_kept():
    extractor = featureextractor.RadiomicsFeatureExtractor(
        {"setting": {"binWidth": 5, "label": 2}}, binWidth=7, unheard_of=1
    )
    assert extractor.settings["binWidth"] == 7
    assert extractor.settings["label"] == 2
    assert extractor.settings["unheard_of"] == 1


def test_other_arguments_mean_the_defaults():
    wanted = featureextractor.RadiomicsFeatureExtractor().settings
    for args in (("a", "b"), (None,), (3,)):
        assert featureextractor.RadiomicsFeatureExtractor(*args).settings == wanted


def test_a_setting_without_meaning_is_named(caplog):
    with caplog.at_level(logging.WARNING, "radiomics"):
        featureextractor.RadiomicsFeatureExtractor(enableCExtensions=False)
    assert "enableCExtensions has no effect" in caplog.text


def test_json_parameters_replace_all():
    extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=3)
    extractor.loadJSONParams('{"setting": {"label": 2}, "featureClass": {"ngtdm": null}}')
    assert extractor.enabledFeatures == {"ngtdm": None}
    assert "binWidth" not in extractor.settings


def test_the_table_of_settings_in_the_how_to_is_current():
    page = Path(__file__).parents[2] / "docs/how-to/replace-pyradiomics.md"
    lines = page.read_text().split("## Settings")[1].splitlines()
    defaults = (s.implied if s.default is ABSENT else s.default for s in TABLE)
    assert [line for line in lines if line.startswith("| `")] == [
        f"| `{s.name}` | {'-' if default is None else default} | {s.check} | {s.effect} |"
        for s, default in zip(TABLE, defaults, strict=True)
    ]
