"""The smallest studies that can be run: of tables, and of images of a few voxels."""

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from tests.studies import write_rows

N = 24

MODEL = """\
name: Smallest
split: {seed: 1, train_fraction: 0.7}
model:
  clip: null
  select: {method: lasso}
  n_features: {maximum: 2, folds: 3}
  classifier: logistic
  lasso: {folds: 3, l1_ratio: 1.0}
evaluation:
  n_resamples: 100
  cutoff_folds: 3
  ablation: false
  leak_audit: {permutations: 0, splits: 1}
  optimism_resamples: 1
"""

TABLES = "tables: [{file: senior.csv, reader: senior}, {file: resident.csv, reader: resident}]\n"

IMAGES = """\
name: Smallest
images: {sequence: first}
extraction:
  families: [statistics]
  interpolation: null
  discretisation: {method: fixed_bin_number, bins: 8}
"""


def table_study(folder: Path) -> Path:
    """A study of two tables of four features."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    values = rng.normal(10, 1, (N, 4))
    values[::2, 0] += 2
    names = ["mean", "contrast", "energy", "volume"]
    for reader in ("senior", "resident"):
        seen = (values + rng.normal(0, 0.05, values.shape)).tolist()
        write_rows(folder, [{"case": f"P{k:02d}", **dict(zip(names, row, strict=True))}
                            for k, row in enumerate(seen)])  # fmt: skip
        (folder / "cases.csv").rename(folder / f"{reader}.csv")
    write_rows(folder, [about(k) for k in range(N)])
    (folder / "study.yaml").write_text(MODEL + TABLES)
    return folder


def about(k: int) -> dict[str, object]:
    """A row of the manifest without files."""
    return {
        "case": f"P{k:02d}",
        "patient": f"Q{k:02d}",
        "level": ["T12", "L1"][k % 2],
        "outcome": ["malignant", "osteoporotic"][k % 2],
        "centre": "AB"[k // 12 % 2],
        "age": 60 + k % 40,
        "sex": "MF"[k % 3 == 0],
    }


def image_study(folder: Path, n: int = 2) -> Path:
    """A study of two sequences (NIfTI with a sidecar, and voxels beside a header) and readers."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    inside = np.zeros((5, 12, 12), np.uint8)
    inside[1:4, 3:9, 3:9] = 1
    grown = inside.copy()
    grown[2, 3:9, 9] = 1
    rows = []
    for k in range(n):
        case = about(k)["case"]
        write(folder / f"{case}-first.nii.gz", rng.integers(100, 900, inside.shape, np.int16))
        (folder / f"{case}-first.json").write_text(json.dumps({"RepetitionTime": 2.5 + k}))
        write(folder / f"{case}-second.nhdr", rng.integers(100, 900, inside.shape, np.int16))
        write(folder / f"{case}-senior.nrrd", inside)
        write(folder / f"{case}-resident.nrrd", grown)
        files = {
            "image:first": f"{case}-first.nii.gz",
            "image:second": f"{case}-second.nhdr",
            "mask:senior": f"{case}-senior.nrrd",
            "mask:resident": f"{case}-resident.nrrd",
        }
        rows.append(about(k) | files)
    write_rows(folder, rows)
    (folder / "study.yaml").write_text(IMAGES)
    return folder


def write(path: Path, array: np.ndarray) -> None:
    """Write an image with the spacing of a sagittal exam."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.6, 0.6, 4.4))
    sitk.WriteImage(image, path)
