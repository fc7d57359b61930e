"""Every value of PyRadiomics' own baselines, through the drop-in's `execute`."""

import csv
import json
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
import SimpleITK as sitk

from centrum.pyradiomics import featureextractor

CASES = ("brain1", "brain2", "breast1", "lung1", "lung2")
FIRST_ORDER = ("default", "normalization", "resampling", "resegmentation")
TEXTURE = ("default", "2d", "FBN", "flatRegion", "normalization", "resampling", "resegmentation")
CONFIGURATIONS = {
    "firstorder": FIRST_ORDER,
    "glcm": (*TEXTURE, "combined"),
    "gldm": TEXTURE,
    "glrlm": (*TEXTURE, "combined"),
    "glszm": TEXTURE,
    "ngtdm": TEXTURE,
    "shape": ("default", "resampling"),
    "shape2D": ("shape2D",),
}

NOT_REPRODUCED = {
    "MeshVolume": 16147.51180013021,
    "SurfaceArea": 6438.821603779402,
    "SurfaceVolumeRatio": 0.3987500788652454,
    "Sphericity": 0.4798234536231475,
}
"""Shape of brain1 by PyRadiomics 3.0.1, which differs from its own old baseline."""


@cache
def settings_of(folder: Path) -> dict:
    return json.loads((folder / "baseline_settings.json").read_text())


@cache
def values_of(folder: Path) -> dict:
    values = defaultdict(dict)
    with (folder / "baseline_values_tidy.csv").open() as file:
        for row in csv.DictReader(file):
            case = row["test_case"].removesuffix("_2D")
            key = row["feature_class"], case, row["configuration"]
            values[key][row["feature"]] = float(row["value"])
    return values


@cache
def read(folder: Path, name: str) -> sitk.Image:
    return sitk.ReadImage(str(folder / f"{name}.nrrd"))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("feature_class", "configuration"),
    [(name, c) for name, configurations in CONFIGURATIONS.items() for c in configurations],
)
def test_baseline(reference, case, feature_class, configuration):
    folder = reference / "pyradiomics"
    column = case if configuration == "default" else f"{case}_{configuration}"
    settings = settings_of(folder)[feature_class][column]["settings"]
    extractor = featureextractor.RadiomicsFeatureExtractor(**settings | {"additionalInfo": False})
    extractor.enabledFeatures = {feature_class: []}
    label = "label_2D" if feature_class == "shape2D" else "label"
    found = extractor.execute(read(folder, f"{case}_image"), read(folder, f"{case}_{label}"))
    wanted = values_of(folder)[feature_class, case, configuration]
    if (feature_class, column) == ("shape", "brain1"):
        wanted = wanted | NOT_REPRODUCED
    assert len(found) == len(wanted)
    for name, value in wanted.items():
        actual = float(found[f"original_{feature_class}_{name}"])
        assert actual == pytest.approx(value, rel=1e-6, abs=1e-12, nan_ok=True), name
