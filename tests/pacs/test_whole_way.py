"""From the archive and back: an exam fetched, drawn on, scored, given back, and fetched again."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest

from centrum.commands import pacs
from centrum.io import read_image, read_mask
from centrum.io.write import write_masks
from tests.pacs.bodies import exam
from tests.pacs.models import model
from tests.pacs.test_sr import groups, number
from tests.test_cli import centrum

pytest.importorskip("highdicom", reason="the extra dicom is not installed")

REPORT = {"Score": "score", "Probability of malignant": "probability"}


def test_scores_and_masks_come_back_as_they_were_written(profile: Path, tmp_path: Path) -> None:
    original = exam(tmp_path / "scanner")
    assert pacs.send(profile, [original.folder]).complete
    (series,) = fetched(profile, tmp_path / "reading")
    image = read_image(series)
    np.testing.assert_array_equal(image.array, original.image.array)

    model().save(tmp_path / "model.json")
    mask = write_masks([region.mask for region in original.regions], tmp_path / "drawn.seg.nrrd")
    words = ("score", tmp_path / "model.json", "--image", series, "--mask", f"{mask}#L1",
             "--known", "age=70", "--known", "level=L1", "--out", tmp_path / "scored",
             "--dicom", tmp_path / "objects", "--send", profile)  # fmt: skip
    done = centrum(*words)
    assert done.returncode == 0, done.stderr
    assert "4 files sent, 0 were there already." in done.stdout
    assert "0 files sent, 4 were there already." in centrum(*words).stdout

    back = [next(series.iterdir()) for series in fetched(profile, tmp_path / "back")]
    kinds = {pydicom.dcmread(file).Modality: file for file in back}
    assert len(back) == 5
    found = read_mask(f"{kinds['SEG']}#L1", image)
    np.testing.assert_array_equal(found.array, original.regions[0].mask.array)
    (group,) = groups(pydicom.dcmread(kinds["SR"]))
    page = json.loads((tmp_path / "scored" / "patient.json").read_text())
    for name, key in REPORT.items():
        assert number(group, name) == pytest.approx(page[key], rel=1e-12)


def fetched(profile: Path, folder: Path) -> list[Path]:
    """The folders of all series that the archive has."""
    pacs.find(profile, first=date(1900, 1, 1), out=folder.with_suffix(".csv"))
    done = pacs.fetch(profile, folder.with_suffix(".csv"), folder, keep_identifiers=True)
    assert all(each.complete for each in done)
    return [folder / each.folder for each in done]
