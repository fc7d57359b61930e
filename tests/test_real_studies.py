"""Whole studies on real images: lumbar spines from NIfTI, spine and brain from DICOM."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import SimpleITK as sitk

from centrum.cohort.schemes import SCHEMES
from centrum.commands import study as verbs
from centrum.geometry import Geometry
from centrum.io import list_segments, read_image, read_mask
from centrum.measure.extract import plan
from centrum.simulate.readers import READERS, draw_reader
from centrum.study.study import open_study
from centrum.table import FeatureTable

SPINE = """\
preset: vcf-t2w
name: Thoracic or lumbar vertebra
description: Healthy vertebral bodies T11 to L5; a made-up outcome that shape can tell.
outcome: {positive: thoracic, negative: lumbar, mixed_patients: true}
model:
  lasso: {folds: 4}
evaluation: {n_resamples: 200, cutoff_folds: 6, leak_audit: {permutations: 1, splits: 1}}
"""

DICOM = """\
preset: vcf-t2w
name: Spine or brain, straight from DICOM
outcome: {positive: spine, negative: brain}
model:
  lasso: {folds: 2}
evaluation: {n_resamples: 200, cutoff_folds: 4, leak_audit: {permutations: 1, splits: 1}}
"""


def write_study(folder: Path, protocol: str, rows: list[dict]) -> None:
    (folder / "study.yaml").write_text(protocol)
    with (folder / "cases.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_labels(array: np.ndarray, grid: Geometry, path: Path) -> None:
    image = sitk.GetImageFromArray(array.astype(np.uint8))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    sitk.WriteImage(image, path, useCompression=True)


@pytest.fixture(scope="module")
def spines(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """56 vertebral bodies of 8 exams; a second reader by contour jitter; not to be changed."""
    folder = tmp_path_factory.mktemp("spines")
    rows = []
    for exam in sorted((reference / "spine_mri").glob("chu2015_*")):
        grid = read_image(exam / "T2w.nii.gz").geometry
        second = np.zeros(grid.shape, dtype=np.uint8)
        for segment in list_segments(exam / "seg-vb.nii.gz"):
            truth = read_mask(f"{exam / 'seg-vb.nii.gz'}#{segment.label}", grid)
            rng = np.random.default_rng([int(exam.name[-2:]), segment.label])
            drawn = draw_reader(truth, READERS["resident"], rng).array
            second[drawn & (second == 0)] = segment.label
            level = SCHEMES["verse"].levels[segment.label]
            rows.append(
                {
                    "case": f"{exam.name}_{level.name}",
                    "patient": exam.name,
                    "level": level.name,
                    "outcome": level.region,
                    "image": exam / "T2w.nii.gz",
                    "mask:first": f"{exam / 'seg-vb.nii.gz'}#{segment.label}",
                    "mask:second": f"{exam.name}_second.nrrd#{segment.label}",
                }
            )
        write_labels(second, grid, folder / f"{exam.name}_second.nrrd")
    write_study(folder, SPINE, rows)
    return folder


def test_56_real_vertebral_bodies(spines: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(spines, tmp_path / "study"))
    study = open_study(folder)
    extraction, page = verbs.run(study)
    assert not extraction.failures
    assert extraction.table.values.shape == (56, len(plan(study.protocol.extraction)), 2)
    assert page.stat().st_size > 100_000
    assert extraction.overlap["dice"].between(0.85, 1).all()
    scores = pd.read_csv(folder / "results" / "scores.csv")
    assert scores.groupby("patient")["part"].nunique().max() == 1, "a patient on both sides"
    assert set(scores.groupby("part")["patient"].nunique()) == {2, 6}
    (folder / "study.yaml").write_text(SPINE + "extraction: {families: [morphology]}\n")
    verbs.run(open_study(folder))
    _, found = verbs.evaluate(open_study(folder))
    assert found["test"].auc.value > 0.9, "thoracic bodies are smaller than lumbar ones"


def test_volumes_are_those_of_the_reference(reference: Path, spines: Path, tmp_path: Path) -> None:
    """Voxel counts (1 mm3 each) and ROI means of the reference's own table."""
    folder = Path(shutil.copytree(spines, tmp_path / "study"))
    protocol = folder / "study.yaml"
    protocol.write_text(
        "name: As the images are\n"
        "outcome: {positive: thoracic, negative: lumbar, mixed_patients: true}\n"
        "extraction: {families: [morphology, statistics]}\n"
    )
    table = verbs.extract(open_study(folder)).table
    names = list(table.names)
    volume = table.values[:, names.index("original_morphology_voxel_volume"), 0]
    mean = table.values[:, names.index("original_statistics_mean"), 0]
    known = pd.read_csv(reference / "spine_mri" / "vertebrae.csv")
    known.index = known["exam"] + "_" + known["level"]
    np.testing.assert_allclose(volume, known["voxels_1mm3"].loc[list(table.cases)], rtol=1e-6)
    np.testing.assert_allclose(mean, known["mean"].loc[list(table.cases)], atol=0.006)


def halves(mask: np.ndarray) -> list[np.ndarray]:
    """The two sides of a region along the first array axis."""
    layers = np.flatnonzero(mask.any(axis=(1, 2)))
    middle = np.arange(len(mask))[:, None, None] < np.median(layers)
    return [mask & middle, mask & ~middle]


def balls(grid: Geometry, array: np.ndarray) -> list[np.ndarray]:
    """Balls of 7 mm inside the bright part of an image, away from each other."""
    bright = np.argwhere(array > np.percentile(array, 60))
    rng = np.random.default_rng(0)
    z, y, x = (np.arange(n) * s for n, s in zip(grid.shape, grid.array_spacing, strict=True))
    found: list[np.ndarray] = []
    for k, j, i in rng.permutation(bright):
        distance = (
            (z[:, None, None] - z[k]) ** 2 + (y[:, None] - y[j]) ** 2 + (x - x[i]) ** 2
        ) ** 0.5
        if (distance <= 7).sum() > 60 and not any(
            (other & (distance <= 8)).any() for other in found
        ):
            found.append(distance <= 7)
        if len(found) == 6:
            break
    return found


@pytest.mark.parametrize("series", ["derived_tptbox_sagittal_t2/mr", "siemens_prisma_sagittal_epi"])
def test_geometry_is_that_of_the_headers(reference: Path, series: str) -> None:
    """The first and the last slice lie where ImagePositionPatient says."""
    folder = reference / "dicom" / series
    grid = read_image(folder).geometry
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in folder.glob("*.dcm")]
    positions = np.array([header.ImagePositionPatient for header in headers], dtype=float)
    ours = np.array([grid.position((0, 0, k)) for k in range(grid.size[2])])
    order = np.argsort(positions @ grid.axes[:, 2])
    np.testing.assert_allclose(ours, positions[order], atol=1e-3)
    assert abs(grid.axes[0, 2]) > 0.9, "the slices are sagittal"
    rows, columns = map(float, headers[0].PixelSpacing)
    assert grid.spacing[:2] == pytest.approx((columns, rows))


def test_a_study_straight_from_dicom(reference: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    spine = reference / "dicom" / "derived_tptbox_sagittal_t2" / "mr"
    brain = reference / "dicom" / "siemens_prisma_sagittal_epi"
    labels = reference / "spine_mri" / "tptbox_cspine" / "seg-vb.nii.gz"
    regions = []
    image = read_image(spine)
    for label in (5, 6, 7):
        body = read_mask(f"{labels}#{label}", image.geometry)
        regions += [("spine", spine, image.geometry, half) for half in halves(body.array)]
    image = read_image(brain)
    regions += [("brain", brain, image.geometry, b) for b in balls(image.geometry, image.array)]
    rows = []
    for k, (outcome, source, grid, inside) in enumerate(regions):
        # A copy of the series for each region: cases of one image would be one patient's.
        shutil.copytree(source, folder / f"series-{k}")
        write_labels(inside, grid, folder / f"{k}.nrrd")
        rows.append(
            {"case": f"r{k}", "outcome": outcome, "image": f"series-{k}", "mask": f"{k}.nrrd"}
        )
    write_study(folder, DICOM, rows)
    extraction, page = verbs.run(open_study(folder))
    assert not extraction.failures
    assert page.is_file()
    assert len(FeatureTable.load(folder / "results").cases) == 12
