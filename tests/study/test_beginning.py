"""What `init` takes from the order of files, it writes down and says."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.commands import begin
from centrum.errors import ProtocolError
from centrum.protocol import Images, read_protocol
from centrum.study.study import open_study
from tests.studies import ellipsoid, image_of, intensities, read_rows, write_rows

PATTERNS = {"image": "{case}-{sequence}.nii.gz", "mask": "{case}_mask_{reader}.nrrd"}


def images(folder: Path, *sequences: str, readers: tuple[str, ...] = ("B", "A")) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(2):
        for name in sequences:
            sitk.WriteImage(image_of(intensities(rng, True)), folder / f"P{k}-{name}.nii.gz")
        for reader in readers:
            sitk.WriteImage(image_of(ellipsoid(rng)), folder / f"P{k}_mask_{reader}.nrrd")
    return folder


def begun(
    folder: Path, *sequences: str, readers: tuple[str, ...] = ("B", "A"), wanted: str | None = None
) -> tuple[str, Images]:
    """What `init` says, and the block `images` that it writes."""
    place = images(folder / "mri", *sequences, readers=readers)
    said = begin.init(place, folder / "study", sequence=wanted, **PATTERNS)
    return "\n".join(said), read_protocol(folder / "study/study.yaml").images


def test_sequence_of_the_preset_and_reader_are_written_and_said(tmp_path: Path) -> None:
    said, settings = begun(tmp_path, "T1w", "t2_tse_sag")
    assert (settings.sequence, settings.weighting, settings.reader) == ("t2_tse_sag", "T2w", "A")
    assert "measuring t2_tse_sag, one of the sequences T1w, t2_tse_sag" in said
    assert "primary reader is A, the first by name of A, B" in said
    assert "# The sequence that the study is of." in (tmp_path / "study/study.yaml").read_text()


def test_another_sequence_changes_what_the_study_is_of(tmp_path: Path) -> None:
    said, settings = begun(tmp_path, "T1w", "T2w", readers=("A",), wanted="T1")
    assert (settings.sequence, settings.weighting, settings.reader) == ("T1w", "T1w", None)
    assert "the study is of T1w" in said
    write_rows(
        tmp_path / "study",
        [row | {"outcome": "malignant"} for row in read_rows(tmp_path / "study")],
    )
    assert open_study(tmp_path / "study").sequences == ("T1w",)


def test_what_cannot_be_told_is_asked(tmp_path: Path) -> None:
    said, settings = begun(tmp_path, "one", "two")
    assert settings.sequence is None
    assert "which of the sequences one, two is measured is not known: give --sequence" in said


def test_a_sequence_that_is_not_there_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="images found are of T1w, T2w, 0 of which"):
        begun(tmp_path, "T1w", "T2w", wanted="STIR")
    assert not (tmp_path / "study").exists()
