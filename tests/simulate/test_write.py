"""The phantom cohort on disk."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.cohort.levels import Level
from centrum.cohort.manifest import check_files, read_manifest
from centrum.cohort.phantom import NOTICE, is_phantom
from centrum.errors import DataError
from centrum.io import list_segments, read_image, read_mask
from centrum.simulate import PhantomSettings, plan_cohort, render, simulate_cohort, write
from centrum.simulate.write import simulate_case
from tests.phantom import SETTINGS


def test_manifest_reads_as_a_users(phantom: Path) -> None:
    cohort = read_manifest(phantom / "cases.csv")
    check_files(cohort)
    assert cohort.readers == ("senior", "resident")
    assert cohort.outcomes == {p.person.outcome: 1 for p in plan_cohort(SETTINGS)}
    assert {case.centre for case in cohort.cases} == {"A"}
    assert set(cohort.covariates) == {"tumour", "tr_ms", "te_ms"}


def test_files_hold_what_was_rendered(phantom: Path) -> None:
    case = read_manifest(phantom / "cases.csv").cases[0]
    rendered, truth = render(plan_cohort(SETTINGS)[0], SETTINGS)
    image = read_image(case.images["default"])
    np.testing.assert_array_equal(image.array, rendered.array)
    assert image.geometry.same_grid(rendered.geometry)
    for source in case.masks.values():
        mask = read_mask(source, image.geometry)
        assert mask.geometry.same_grid(image.geometry)
        assert np.count_nonzero(mask.array & truth.array) > 0.8 * np.count_nonzero(mask.array)


def test_segments_as_3d_slicer_names_them(phantom: Path) -> None:
    level = plan_cohort(SETTINGS)[0].level
    for reader in ("senior", "resident"):
        path = phantom / "masks" / f"P001_{reader}.seg.nrrd"
        (segment,) = list_segments(path)
        assert Level.parse(segment.name) == level
        header = sitk.ReadImage(str(path))
        assert header.GetMetaData("Segment0_LabelValue") == "1"
        assert header.GetMetaData("Segmentation_MasterRepresentation") == "Binary labelmap"
    size = sitk.ReadImage(str(path)).GetSize()
    extent = [int(k) for k in header.GetMetaData("Segment0_Extent").split()]
    assert extent == [k for n in size for k in (0, n - 1)]


def test_every_file_says_that_it_is_simulated(phantom: Path) -> None:
    marker = json.loads((phantom / "phantom.json").read_text())
    assert marker["simulated"] is True
    assert marker["settings"]["seed"] == SETTINGS.seed
    assert is_phantom(phantom)
    for path in phantom.rglob("*.nrrd"):
        assert sitk.ReadImage(str(path)).GetMetaData("centrum_simulated") == NOTICE


def test_same_bytes_alone_and_again(phantom: Path, tmp_path: Path) -> None:
    patient = plan_cohort(SETTINGS)[1]
    simulate_case(patient, SETTINGS, tmp_path)
    written = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*.nrrd"))
    assert len(written) == 3
    for name in written:
        assert (tmp_path / name).read_bytes() == (phantom / name).read_bytes()


def test_a_patient_that_cannot_be_written_is_an_error_that_says_so(tmp_path: Path) -> None:
    for name in ("images/P001.nrrd", "masks"):
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(DataError, match=r"P001\.nrrd could not be written. Look whether"):
        simulate_case(plan_cohort(SETTINGS)[0], SETTINGS, tmp_path)


def test_a_whole_cohort_is_not_made_again(
    phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(phantom, tmp_path / "phantom"))

    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("nothing was to be simulated")

    monkeypatch.setattr(write, "simulate_case", refuse)
    assert simulate_cohort(SETTINGS, folder) == folder / "cases.csv"
    with pytest.raises(AssertionError):
        simulate_cohort(PhantomSettings(seed=5), folder)
    assert not is_phantom(folder)
