"""`centrum score --dicom`: objects of what was scored from a DICOM series, the others told."""

import builtins
from pathlib import Path

import numpy as np
import pytest

from centrum.commands import dicom_out
from centrum.io import read_mask
from centrum.io.write import write_image, write_masks
from centrum.pacs.send import Sent
from tests.markers import found_in
from tests.pacs.bodies import Exam
from tests.pacs.models import model
from tests.pacs.series import IDENTITY, NAME
from tests.studies import write_rows
from tests.test_cli import centrum

pytest.importorskip("highdicom", reason="the extra dicom is not installed")


@pytest.fixture(scope="module")
def folder(one: Exam, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a mask file of two bodies, and a manifest whose third case is an NRRD image."""
    folder = tmp_path_factory.mktemp("archive")
    model().save(folder / "model.json")
    masks = write_masks([region.mask for region in one.regions], folder / "bodies.seg.nrrd")
    image = write_image(one.image, folder / "T2w.nrrd")
    further = [write_masks([one.regions[0].mask], folder / f"{k}.seg.nrrd") for k in "BC"]
    rows = [("A1", "p1", one.folder, f"{masks}#L1", "L1"),
            ("A2", "p1", one.folder, f"{masks}#L2", "L2"), ("B1", "p2", image, further[0], ""),
            ("C1", "p3", one.folder.parent, further[1], "")]  # fmt: skip
    heads = ("case", "patient", "image", "mask", "level", "age")
    write_rows(folder, [dict(zip(heads, (*map(str, row), 70), strict=True)) for row in rows])
    return folder


def run(*words: str | Path) -> tuple[int, str]:
    done = centrum("score", *words)
    return done.returncode, done.stdout + done.stderr


def test_a_cohort(one: Exam, folder: Path, tmp_path: Path) -> None:
    code, said = run(folder / "model.json", folder, "--out", tmp_path / "scored",
                     "--dicom", tmp_path / "objects", "--workers", "1")  # fmt: skip
    print(said)
    assert code == 1
    names = [path.name for path in sorted((tmp_path / "objects").iterdir())]
    assert names == ["A1.pdf.dcm", "A1.sc.dcm", "A1.seg.dcm", "A1.sr.dcm", "A2.pdf.dcm",
                     "A2.sc.dcm"]  # fmt: skip
    assert "6 DICOM objects in" in said
    assert "B1: no DICOM objects: [image] is no DICOM series" in said
    assert "C1: no DICOM objects: it was refused" in said
    for region in one.regions:
        found = read_mask(f"{tmp_path / 'objects' / 'A1.seg.dcm'}#{region.label}", one.image)
        np.testing.assert_array_equal(found.array, region.mask.array)
    assert found_in(tmp_path / "scored", [NAME.split("^")[0], IDENTITY]) == []
    assert NAME.split("^")[0] not in said
    assert IDENTITY not in said


def test_one_patient_as_a_labelmap(one: Exam, folder: Path, tmp_path: Path) -> None:
    words = (folder / "model.json", "--image", one.folder, "--mask",
             f"{folder / 'bodies.seg.nrrd'}#L2", "--known", "age=70", "--known", "level=L2",
             "--out", tmp_path / "scored")  # fmt: skip
    code, said = run(*words, "--dicom", tmp_path / "objects", "--labelmap")
    assert (code, "4 DICOM objects in" in said) == (0, True)
    found = read_mask(f"{tmp_path / 'objects' / 'patient.seg.dcm'}#L2", one.image)
    np.testing.assert_array_equal(found.array, one.regions[1].mask.array)
    code, said = run(*words, "--labelmap")
    assert code == 2
    assert "--labelmap is about the objects of --dicom" in said


def test_objects_are_sent(
    one: Exam, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Path] = []

    def takes_one(paths: list[Path], *_: object) -> Sent:
        taken.extend(paths)
        return Sent(sent=paths[:1], left=paths[1:], problem="The connection broke off.")

    monkeypatch.setattr(dicom_out, "send_files", takes_one)
    profile = tmp_path / "archive.yaml"
    profile.write_text("name: test\nweb: {url: 'http://127.0.0.1:1/dicom-web'}\n")
    words = (folder / "model.json", "--image", one.folder, "--mask",
             f"{folder / 'bodies.seg.nrrd'}#L2", "--known", "age=70", "--known", "level=L2",
             "--out", tmp_path / "scored", "--send", profile)  # fmt: skip
    code, said = run(*words, "--dicom", tmp_path / "objects")
    assert {*taken} == {*(tmp_path / "objects").iterdir()}
    assert code == 1
    assert "1 file sent" in said
    assert "The connection broke off." in said
    code, said = run(*words)
    assert (code, "--send is about the objects of --dicom" in said) == (2, True)


def test_without_highdicom_nothing_is_begun(
    one: Exam, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = builtins.__import__

    def without(name: str, *more: object) -> object:
        if name == "highdicom":
            raise ImportError(name)
        return known(name, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    code, said = run(folder / "model.json", folder, "--out", tmp_path / "scored",
                     "--dicom", tmp_path / "objects")  # fmt: skip
    assert code == 2
    assert "pip install 'centrum[dicom]'" in said
    assert not (tmp_path / "scored").exists()
