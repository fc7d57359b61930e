"""Intensities in the regions of the reference images, read without the package."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk


@dataclass(frozen=True, eq=False)
class Region:
    """Image and region as arrays [z, y, x]; spacing (x, y, z) in mm."""

    image: np.ndarray
    inside: np.ndarray
    spacing: tuple[float, float, float]

    @property
    def x(self) -> np.ndarray:
        return self.image[self.inside]


@cache
def read(image: Path, mask: Path) -> Region:
    grid = sitk.ReadImage(image)
    inside = sitk.GetArrayFromImage(sitk.ReadImage(mask)) == 1
    return Region(sitk.GetArrayFromImage(grid), inside, grid.GetSpacing())


def ct_phantom(reference: Path) -> Region:
    """The CT phantom of the IBSI, of whole Hounsfield units."""
    folder = reference / "ibsi" / "ibsi1_ct_phantom"
    return read(folder / "image.nii.gz", folder / "mask.nii.gz")


def pyradiomics_case(reference: Path, case: str) -> Region:
    folder = reference / "pyradiomics"
    return read(folder / f"{case}_image.nrrd", folder / f"{case}_label.nrrd")


def ibsi_values(reference: Path, dataset: str) -> dict[str, dict[str, str]]:
    """Rows of the consensus of features without aggregation, by tag (such as "ivh_v10")."""
    with (reference / "ibsi" / "ibsi1_reference_values.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["dataset"] == dataset]
    return {row["tag"]: row for row in rows if not row["aggregation"]}


def pyradiomics_values(reference: Path, case: str, configuration: str) -> dict[str, float]:
    """First-order features of the baseline by their names."""
    with (reference / "pyradiomics" / "baseline_values_tidy.csv").open() as stream:
        return {
            row["feature"]: float(row["value"])
            for row in csv.DictReader(stream)
            if (row["test_case"], row["configuration"]) == (case, configuration)
            and row["feature_class"] == "firstorder"
        }
