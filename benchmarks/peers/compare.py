"""Compare every feature with PyRadiomics: `make peers`.

The drop-in replacement and PyRadiomics itself, in its own environment, get the same files,
settings, filters and parameter files. The largest relative difference is printed for each image
type and class, with the case and the feature; the exit code is 1 if one exceeds the tolerance and
is not among `EXCEPTIONS`, or if a feature is given by one of the two only. PyRadiomics is run
afresh: its baseline files hold four mesh values of brain1 that it does not reproduce itself.

    python benchmarks/peers/compare.py
    python benchmarks/peers/compare.py --only lung2 --all
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import SimpleITK as sitk
import yaml
from cases import REFERENCE
from peers.build import examples
from peers.processes import Process, Tool, ToolError

TOLERANCE = 1e-6
"""Of features of the image itself, relative."""

FILTERED_TOLERANCE = 1e-5
"""Of features of filtered images: ITK rounds to float32 between the passes of LoG."""

ZERO = 1e-15
"""A value of PyRadiomics below this is 0: it adds 2.2e-16 to a probability before taking its
logarithm, so that the entropy of one certain outcome is -3.2e-16."""

THEIRS = Tool("PyRadiomics", "pyradiomics", ("serve_pyradiomics.py", "radiomics"))
OURS = Tool("centrum", "", ("serve_pyradiomics.py", "centrum.pyradiomics"))

BASELINE_CASES = ("brain1", "brain2", "breast1", "lung1", "lung2")

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "voxelArrayShift": {"settings": {"voxelArrayShift": 2000}},
    "force2D": {"settings": {"force2D": True}},
    "binCount": {"settings": {"binCount": 32}},
    "resampling": {"settings": {"resampledPixelSpacing": [2, 2, 2]}},
    "normalize": {"settings": {"normalize": True, "normalizeScale": 100, "binWidth": 5}},
    "outliers": {"settings": {"normalize": True, "removeOutliers": 3, "binWidth": 0.1}},
    "resegment": {"settings": {"resegmentRange": [-2, 2], "resegmentMode": "sigma"}},
    "weighting": {"settings": {"weightingNorm": "euclidean"}},
    "merged": {"settings": {"weightingNorm": "no_weighting"}},
    "distances": {"settings": {"distances": [1, 2]}},
    "asymmetric": {"settings": {"symmetricalGLCM": False}},
    "gldm_a": {"settings": {"gldm_a": 1}},
    "preCrop": {"settings": {"preCrop": True, "padDistance": 3}},
    "deprecated": {
        "features": {
            "shape": ["Compactness1", "Compactness2", "SphericalDisproportion"],
            "firstorder": ["StandardDeviation"],
        }
    },
}
ON_SPINES = ("default", "binCount", "force2D")

LOG_AND_WAVELET: dict[str, Any] = {"LoG": {"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]}, "Wavelet": {}}
"""With the original image 1316 features."""

FEWER: dict[str, Any] = {"LoG": {"sigma": [2.0, 3.5]}, "Wavelet": {}}

POINTWISE = ("Square", "SquareRoot", "Logarithm", "Exponential")

FILTERED: dict[str, dict[str, Any]] = {
    "pointwise": {"filters": {name: {} for name in POINTWISE}},
    "gradient": {"filters": {"Gradient": {}}},
    "gradient per voxel": {"filters": {"Gradient": {"gradientUseSpacing": False}}},
    "wavelet in z": {"settings": {"force2D": True}, "filters": {"Wavelet": {}}},
    "wavelet in y": {
        "settings": {"force2D": True, "force2Ddimension": 1},
        "filters": {"Wavelet": {}},
    },
    "wavelet level 2": {"filters": {"Wavelet": {"level": 2}}},
    "wavelet start_level": {"filters": {"Wavelet": {"start_level": 1, "level": 2}}},
    "haar": {"filters": {"Wavelet": {"wavelet": "haar"}}},
    "db4": {"filters": {"Wavelet": {"wavelet": "db4"}}},
    "bior1.3": {"filters": {"Wavelet": {"wavelet": "bior1.3"}}},
    "dmey": {"filters": {"Wavelet": {"wavelet": "dmey"}}},
    "resampling, filters": {
        "settings": {"resampledPixelSpacing": [2, 2, 2], "padDistance": 8},
        "filters": FEWER,
    },
    "normalize, filters": {
        "settings": {"normalize": True, "normalizeScale": 100, "binWidth": 5},
        "filters": FEWER,
    },
    "binCount, filters": {"settings": {"binCount": 32}, "filters": FEWER},
    "preCrop, filters": {"settings": {"preCrop": True, "padDistance": 3}, "filters": FEWER},
    "lbp2D": {"settings": {"force2D": True, "binWidth": 1}, "filters": {"LBP2D": {}}},
    "lbp2D methods": {
        "settings": {"force2D": True, "binWidth": 1},
        "filters": {"LBP2D": {"lbp2DMethod": "ror", "lbp2DRadius": 2, "lbp2DSamples": 9}},
    },
    "lbp3D": {"settings": {"binWidth": 0.2}, "filters": {"LBP3D": {}}},
    "lbp3D finer": {
        "settings": {"binWidth": 0.2},
        "filters": {"LBP3D": {"lbp3DLevels": 3, "lbp3DIcosphereRadius": 2}},
    },
    "own binWidth": {"filters": {"LoG": {"sigma": [2], "binWidth": 5}, "Square": {"binWidth": 1}}},
}
"""Extractions with filters, on the smaller of PyRadiomics' cases."""

SMALLER_CASES = ("brain1", "brain2", "breast1")

NEAR_ZERO = (
    "the value is near 0 beside the spread of the response, of which the difference is less than "
    "2e-7: ITK rounds to float32 after each pass"
)

TIED = (
    "the 90th percentile is a response that dozens of voxels share but for its last bit, which "
    "decides whether they lie below it"
)

EXCEPTIONS = {
    ("1316", "chu2015_06 24", "log-sigma-4-0-mm-3D_firstorder_Median"): NEAR_ZERO,
    ("exampleCT.yaml", "lung1", "log-sigma-2-0-mm-3D_firstorder_Skewness"): NEAR_ZERO,
    ("lbp3D", "brain1", "lbp-3D-m1_firstorder_RobustMeanAbsoluteDeviation"): TIED,
    ("lbp3D finer", "brain2", "lbp-3D-m1_firstorder_RobustMeanAbsoluteDeviation"): TIED,
}
"""Why a feature may differ by more than the tolerance: (configuration, case, feature)."""

FAILED = "original_run_failed"
"""Stands for the features of an extraction that raised."""

Values = Mapping[str, Any]

Row = tuple[float, str, str, str, Any, Any]
"""Difference, configuration, case, feature, our value, theirs."""


@dataclass(frozen=True)
class Run:
    """One extraction: what it is called, where, and what both are told."""

    configuration: str
    case: str
    task: Mapping[str, Any]


@dataclass
class Differences:
    """Every feature that was compared."""

    rows: list[Row] = field(default_factory=list)

    def add(self, run: Run, ours: Values, theirs: Values) -> None:
        """Compare two sets of features; a missing one differs infinitely."""
        if FAILED in ours.keys() | theirs.keys():
            ours, theirs = _what_happened(ours), _what_happened(theirs)
        for name in sorted(ours.keys() | theirs.keys()):
            a, b = ours.get(name), theirs.get(name)
            self.rows.append((difference(a, b), run.configuration, run.case, name, a, b))

    def above(self) -> list[Row]:
        """The rows beyond their tolerance, largest first."""
        beyond = (row for row in self.rows if not row[0] <= tolerance(row[3]))
        return sorted(beyond, key=lambda row: row[0], reverse=True)

    def worst(self) -> Iterator[tuple[str, str, int, Row]]:
        """Image type, class, number of values, the row with the largest difference."""
        groups: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            groups.setdefault((image_type(row[3]), row[3].split("_")[-2]), []).append(row)
        for (image, name), rows in sorted(groups.items()):
            yield image, name, len(rows), max(rows, key=lambda row: row[0])


def image_type(feature: str) -> str:
    """What kind of image a feature was measured in.

    >>> image_type("wavelet2-LLH_glcm_Contrast"), image_type("log-sigma-1-0-mm-3D_glcm_Contrast")
    ('wavelet', 'log')
    """
    return feature.split("_")[0].split("-")[0].rstrip("0123456789")


def tolerance(feature: str) -> float:
    """Relative, of a feature with this name."""
    return TOLERANCE if image_type(feature) == "original" else FILTERED_TOLERANCE


def _what_happened(values: Values) -> Values:
    return {FAILED: values.get(FAILED, f"gives {len(values)} features")}


def difference(ours: float | str | None, theirs: float | str | None) -> float:
    """Relative to PyRadiomics' value; absolute where that is `ZERO`; 0 where both are NaN.

    >>> difference(1.01, 1.0) < 0.011, difference(None, 1.0), difference(0.0, 0.0)
    (True, inf, 0.0)
    """
    if ours == theirs:
        return 0.0
    if not isinstance(ours, float) or not isinstance(theirs, float):
        return float("inf")
    if np.isnan(ours) or np.isnan(theirs):
        return 0.0 if np.isnan(ours) and np.isnan(theirs) else float("inf")
    return abs(ours - theirs) / (abs(theirs) if abs(theirs) > ZERO else 1.0)


def runs() -> Iterator[Run]:
    """All extractions, PyRadiomics' own cases first."""
    folder = REFERENCE / "pyradiomics"
    for case in BASELINE_CASES:
        files = _files(folder / f"{case}_image.nrrd", folder / f"{case}_label.nrrd")
        for name, task in CONFIGURATIONS.items():
            yield Run(name, case, files | task)
        flat = files | {"mask": str(folder / f"{case}_label_2D.nrrd"), "classes": ["shape2D"]}
        settings = {"force2D": True, "force2Ddimension": 0, "correctMask": True}
        yield Run("shape2D", case, flat | {"settings": settings})
        yield Run("1316", case, files | {"filters": LOG_AND_WAVELET})
        for name, task in FILTERED.items():
            if case in SMALLER_CASES:
                yield Run(name, case, files | task)
    yield from _flat_runs(folder)
    yield from _spine_runs()
    yield from _example_runs(folder)


def _files(image: Path, mask: Path, label: int = 1) -> dict[str, Any]:
    return {"image": str(image), "mask": str(mask), "label": label}


def _spine_runs() -> Iterator[Run]:
    """Three vertebrae of each exam: the first, one in the middle, the last."""
    for mask in sorted(REFERENCE.glob("spine_mri/*/seg-vb.nii.gz")):
        labels = np.unique(sitk.GetArrayFromImage(sitk.ReadImage(str(mask))))[1:]
        for label in {int(labels[k]) for k in (0, len(labels) // 2, -1)}:
            files = _files(mask.with_name("T2w.nii.gz"), mask, label)
            case = f"{mask.parent.name} {label}"
            for name in ON_SPINES:
                yield Run(name, case, files | CONFIGURATIONS[name])
            yield Run("1316", case, files | {"filters": LOG_AND_WAVELET})


FLAT: dict[str, dict[str, Any]] = {
    "2-D": {},
    "2-D along x": {"settings": {"force2D": True}},
    "2-D along y": {"settings": {"force2D": True, "force2Ddimension": 1}},
    "2-D resampling": {"settings": {"resampledPixelSpacing": [1.3, 1.3], "force2D": True}},
}
"""Settings of images that have two dimensions."""


def _flat_runs(folder: Path) -> Iterator[Run]:
    """The slices of PyRadiomics' cases that it marks for shape2D, as images of two dimensions."""
    with tempfile.TemporaryDirectory() as made:
        for case in SMALLER_CASES:
            image, labels = (
                sitk.ReadImage(str(folder / f"{case}_{what}.nrrd"))
                for what in ("image", "label_2D")
            )
            (z,) = np.unique(np.nonzero(sitk.GetArrayViewFromImage(labels))[0]).tolist()
            files = Path(made) / f"{case}.nrrd", Path(made) / f"{case}_label.nrrd"
            for whole, path in zip((image, labels), files, strict=True):
                sitk.WriteImage(whole[:, :, z], str(path))
            for name, task in FLAT.items():
                yield Run(name, case, _files(*files) | {"filters": {"Wavelet": {}}} | task)


def _example_runs(folder: Path) -> Iterator[Run]:
    """PyRadiomics' example parameter files."""
    found = examples()
    if found is None:
        print("PyRadiomics' example parameter files: not found, skipped")
        return
    for path in sorted(found.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        task: dict[str, Any] = {"params": str(path)}
        if "voxelSetting" in content:
            task["voxel_based"] = True
        flat = "shape2D" in content.get("featureClass", {})
        case = "breast1" if task.get("voxel_based") else "lung1" if "CT" in path.name else "brain1"
        mask = f"{case}_label_2D.nrrd" if flat else f"{case}_label.nrrd"
        yield Run(path.name, case, _files(folder / f"{case}_image.nrrd", folder / mask) | task)


def answer(process: Process, run: Run) -> Values:
    """The features, or the error under a name of its own."""
    try:
        process.load(run.task)
        found: Values = process.ask("values")["values"]
    except ToolError as error:
        return {FAILED: str(error)}
    return found


def compare(wanted: str) -> Differences:
    """Run both on everything whose case or configuration holds the word."""
    found = Differences()
    with THEIRS.start() as theirs, OURS.start() as ours:
        for run in runs():
            if wanted in run.case or wanted in run.configuration:
                found.add(run, answer(ours, run), answer(theirs, run))
    return found


def report(found: Differences, everything: bool) -> int:
    """Print the differences; the number of those beyond the tolerance."""
    print(f"\n{'image':12} {'class':11} {'values':>7} {'worst':>9}   configuration, case, feature")
    for image, name, count, (size, configuration, case, feature, _, _) in found.worst():
        print(f"{image:12} {name:11} {count:7d} {size:9.2e}   {configuration}, {case}, {feature}")
    above = found.above()
    explained = [row for row in above if row[1:4] in EXCEPTIONS]
    above = [row for row in above if row[1:4] not in EXCEPTIONS]
    overall = max((row[0] for row in found.rows), default=float("nan"))
    print(f"\n{len(found.rows)} values compared, largest relative difference {overall:.2e}")
    for row in explained:
        print(f"{_line(row)}\n             {EXCEPTIONS[row[1:4]]}")
    print(
        f"{len(above)} others beyond {TOLERANCE:g} (original) or {FILTERED_TOLERANCE:g} (filtered)"
        f"{':' if above else ''}"
    )
    for row in above if everything else above[:40]:
        print(_line(row))
    if not everything and len(above) > 40:
        print(f"  ... and {len(above) - 40} more (--all)")
    return len(above)


def _line(row: Row) -> str:
    size, configuration, case, feature, a, b = row
    return f"  {size:9.2e}  {configuration}, {case}, {feature}: {a} against {b}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare every feature with PyRadiomics.")
    parser.add_argument("--only", default="", help="cases or configurations with this word")
    parser.add_argument("--all", action="store_true", help="list every difference")
    chosen = parser.parse_args()
    if THEIRS.python is None:
        print("PyRadiomics is not built: python benchmarks/peers/build.py pyradiomics")
        return 1
    if not (REFERENCE / "pyradiomics").is_dir():
        print(f"reference material not found at {REFERENCE} (set CENTRUM_REFERENCE)")
        return 1
    found = compare(chosen.only)
    return 1 if report(found, chosen.all) or not found.rows else 0


if __name__ == "__main__":
    sys.exit(main())
