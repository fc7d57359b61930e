"""Compare every feature with PyRadiomics: `make peers`.

The drop-in replacement and PyRadiomics itself, in its own environment, get the same files,
settings and parameter files. The largest relative difference is printed for each class, with
the case and the feature; the exit code is 1 if one exceeds the tolerance, or if a feature is
given by one of the two only. PyRadiomics is run afresh: its baseline files hold four mesh
values of brain1 that it does not reproduce itself.

    python benchmarks/peers/compare.py
    python benchmarks/peers/compare.py --only lung2 --all
"""

import argparse
import sys
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

from centrum.pyradiomics.image_types import IMAGE_TYPES

TOLERANCE = 1e-6

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

FAILED = "original_run_failed"
"""Stands for the features of an extraction that raised."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One extraction: what it is called, where, and what both are told."""

    configuration: str
    case: str
    task: Mapping[str, Any]


@dataclass
class Differences:
    """Every feature that was compared."""

    rows: list[tuple[float, str, str, str, Any, Any]] = field(default_factory=list)

    def add(self, run: Run, ours: Values, theirs: Values) -> None:
        """Compare two sets of features; a missing one differs infinitely."""
        if FAILED in ours.keys() | theirs.keys():
            ours, theirs = _what_happened(ours), _what_happened(theirs)
        for name in sorted(ours.keys() | theirs.keys()):
            a, b = ours.get(name), theirs.get(name)
            self.rows.append((difference(a, b), run.configuration, run.case, name, a, b))

    def above(self, tolerance: float) -> list[tuple[float, str, str, str, Any, Any]]:
        """The rows beyond the tolerance, largest first."""
        return sorted((row for row in self.rows if not row[0] <= tolerance), reverse=True)

    def worst_by_class(self) -> Iterator[tuple[str, int, Any]]:
        """Class, number of values, the row with the largest difference."""
        classes: dict[str, list[Any]] = {}
        for row in self.rows:
            classes.setdefault(row[3].split("_")[-2], []).append(row)
        for name, rows in sorted(classes.items()):
            yield name, len(rows), max(rows, key=lambda row: row[0])


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
            for name in ON_SPINES:
                case = f"{mask.parent.name} {label}"
                yield Run(name, case, files | CONFIGURATIONS[name])


def _example_runs(folder: Path) -> Iterator[Run]:
    """PyRadiomics' example parameter files, without the image types that are not there yet."""
    found = examples()
    if found is None:
        print("PyRadiomics' example parameter files: not found, skipped")
        return
    for path in sorted(found.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        types = list(content.get("imageType", {"Original": {}}))
        if missing := [name for name in types if IMAGE_TYPES.get(name) is None]:
            print(f"{path.name}: not yet {', '.join(missing)}; compared without")
        task = {"params": str(path), "image_types": [t for t in types if t not in missing]}
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
    print(f"\n{'class':12} {'values':>7} {'worst':>9}   configuration, case, feature")
    for name, count, (size, configuration, case, feature, _, _) in found.worst_by_class():
        print(f"{name:12} {count:7d} {size:9.2e}   {configuration}, {case}, {feature}")
    above = found.above(TOLERANCE)
    overall = max((row[0] for row in found.rows), default=float("nan"))
    print(f"\n{len(found.rows)} values compared, largest relative difference {overall:.2e}")
    print(f"{len(above)} beyond {TOLERANCE:g}{':' if above else ''}")
    for size, configuration, case, feature, a, b in above if everything else above[:40]:
        print(f"  {size:9.2e}  {configuration}, {case}, {feature}: {a} against {b}")
    if not everything and len(above) > 40:
        print(f"  ... and {len(above) - 40} more (--all)")
    return len(above)


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
