"""Small studies on disk for tests: ellipsoids with noise, two readers, quick to measure."""

import csv
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from centrum.commands import study as verbs
from centrum.study.study import open_study

SIZE = (26, 24, 7)
SPACING = (0.6, 0.6, 4.4)
READERS = ("senior", "resident")

PROTOCOL = """\
preset: vcf-t2w
name: Ellipsoids
extraction:
  discretisation: {method: fixed_bin_number, bins: 8}
  filters: []
  interpolation: null
preparation: {normalisation: {method: none}}
model:
  clip: null
  select: {method: lasso}
  rfe: {estimator: linear_svm}
  n_features: {maximum: 4, folds: 3}
  classifier: logistic
  lasso: {folds: 3, l1_ratio: 1.0}
evaluation:
  n_resamples: 200
  cutoff_folds: 3
  leak_audit: {permutations: 3, splits: 1}
"""


def image_of(array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING)
    return image


def ellipsoid(rng: np.random.Generator, grow: float = 0.0) -> np.ndarray:
    z, y, x = np.ogrid[: SIZE[2], : SIZE[1], : SIZE[0]]
    a, b = 8 + rng.normal(0, 0.8) + grow, 6 + rng.normal(0, 0.8) + grow
    inside = ((x - 13) / a) ** 2 + ((y - 12) / b) ** 2 + ((z - 3) / 2.6) ** 2 <= 1
    return inside.astype(np.uint8)


def intensities(rng: np.random.Generator, malignant: bool) -> np.ndarray:
    """Malignant bodies are coarser: noise smoothed over neighbours."""
    x = rng.normal(0, 40, (SIZE[2], SIZE[1] + 2, SIZE[0] + 2))
    if malignant:
        x = sum(np.roll(x, shift, axis=(1, 2)) for shift in ((0, 0), (0, 1), (1, 0), (1, 1))) / 2
    return (400 + x[:, 1:-1, 1:-1]).astype(np.float32)


def make_study(folder: Path, n: int = 30, seed: int = 0, protocol: str = PROTOCOL) -> Path:
    """A study of `n` patients, half of them malignant; gives its folder."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rows = []
    for k in range(n):
        case, malignant = f"P{k:03d}", k % 2 == 0
        sitk.WriteImage(image_of(intensities(rng, malignant)), folder / f"images/{case}.nrrd")
        for reader, grow in zip(READERS, (0, 0.3), strict=True):
            drawn = ellipsoid(np.random.default_rng([seed, k]), grow)
            sitk.WriteImage(image_of(drawn), folder / f"masks/{case}_{reader}.nrrd")
        rows.append(
            {
                "case": case,
                "patient": f"patient-{k}",
                "level": ["T12", "L1", "L3"][k % 3],
                "outcome": "malignant" if malignant else "osteoporotic",
                "age": round(70 + rng.normal(0, 8)),
                "sex": "MF"[k % 3 == 0],
                "image": f"images/{case}.nrrd",
                **{f"mask:{r}": f"masks/{case}_{r}.nrrd" for r in READERS},
            }
        )
    write_rows(folder, rows)
    (folder / "study.yaml").write_text(protocol)
    return folder


def frozen_study(folder: Path, **known: str) -> Path:
    """A study with a frozen model and no report; `known` are further columns of the manifest."""
    make_study(folder)
    write_rows(folder, [row | known for row in read_rows(folder)])
    study = open_study(folder)
    verbs.extract(study)
    verbs.fit(study)
    verbs.evaluate(study)
    verbs.freeze(study)
    return folder


def write_rows(folder: Path, rows: list[dict]) -> None:
    with (folder / "cases.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_rows(folder: Path) -> list[dict]:
    with (folder / "cases.csv").open() as stream:
        return list(csv.DictReader(stream))
