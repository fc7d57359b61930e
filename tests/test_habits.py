"""Five habits of naming: from a folder as people have it, by `init`, to `check`."""

import csv
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from centrum.cohort.schemes import find_scheme, naming_levels
from centrum.commands import begin
from centrum.commands.check import check_study
from centrum.errors import ManifestError
from tests.cohort.label_maps import blocks, noise, sagittal
from tests.studies import ellipsoid, intensities, read_rows, write_rows

NAMES = (
    "Müller Hans", "Meyer Anna Maria", "Özdemir A.", "Schulz Peter", "Weiß Jo", "Kühn Eva",
    "Lang-Groß Tom", "Noll Ida",
)  # fmt: skip
N = len(NAMES)
LEVELS = ("T12", "L1", "L2")

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(60)


def write(path: Path, image: sitk.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def volume(k: int) -> sitk.Image:
    return sagittal(np.rint(intensities(np.random.default_rng(k), k % 2 == 0)).astype(np.int16))


def region(k: int, reader: int = 0) -> sitk.Image:
    return sagittal(ellipsoid(np.random.default_rng(k), 0.4 * reader))


def day(k: int) -> str:
    return f"2021-0{k % 3 + 1}-1{k}"


def with_spaces(folder: Path) -> None:
    """A folder per patient, blanks in every name, capital endings, and what systems leave."""
    for k in range(N):
        place = folder / f"Patient {k + 1:02d}"
        write(place / "T2 sag.nii.gz", volume(k))
        (place / "T2 sag.nii.gz").rename(place / "T2 sag.NII.GZ")
        for n, reader in enumerate(("senior", "resident")):
            write(place / f"ROI {reader}.nii.gz", region(k, n))
        (place / "._T2 sag.NII.GZ").write_bytes(APPLE_DOUBLE)
        (place / "Thumbs.db").touch()
        (place / "__MACOSX").mkdir()
        (place / "__MACOSX" / "T2 sag.nii.gz").write_bytes(APPLE_DOUBLE)


def with_umlauts(folder: Path) -> None:
    """Images copied from a Mac, masks named on Windows: the same names in both Unicode forms."""
    for k, name in enumerate(NAMES):
        write(folder / f"Bilder/{unicodedata.normalize('NFD', name)}.nii.gz", volume(k))
        for n, reader in enumerate(("AB", "CD")):
            write(
                folder / f"Masken/{unicodedata.normalize('NFC', name)}_{reader}.nrrd", region(k, n)
            )


def with_dates(folder: Path) -> None:
    """All in one folder, with the day of the exam before a number that has a #."""
    for k in range(N):
        write(folder / f"{day(k)}_P#{k:02d}_T2w.nii.gz", volume(k))
        write(folder / f"{day(k)}_P#{k:02d}_T2w_mask.nii.gz", region(k))


def as_an_archive(folder: Path) -> None:
    """Patient, exam, series, slices; both sequences; masks in a tree of their own."""
    for k, name in enumerate(NAMES):
        exam = f"{name}/{day(k).replace('-', '')}_MR LWS"
        for number, weighting in ((3, "T1"), (4 + k % 2, "T2")):
            series(folder / f"Archiv/{exam}/{weighting}_tse_sag_{number}", volume(k), weighting)
        write(folder / f"Segmentierung/{exam}/LWK.seg.nrrd", region(k))


def series(folder: Path, image: sitk.Image, weighting: str) -> None:
    """The slices of an image as DICOM files."""
    folder.mkdir(parents=True)
    study, name = generate_uid(), generate_uid()
    direction = np.reshape(image.GetDirection(), (3, 3))
    step = direction[:, 2] * image.GetSpacing()[2]
    for n, pixels in enumerate(sitk.GetArrayFromImage(image)):
        one = Dataset()
        one.SOPClassUID, one.SOPInstanceUID = MRImageStorage, generate_uid()
        one.StudyInstanceUID, one.SeriesInstanceUID, one.Modality = study, name, "MR"
        one.SeriesDescription, one.InstanceNumber = f"{weighting.lower()}_tse_sag", n + 1
        one.RepetitionTime, one.EchoTime = (3000, 100) if weighting == "T2" else (550, 10)
        one.PixelSpacing = [image.GetSpacing()[1], image.GetSpacing()[0]]
        one.SliceThickness = one.SpacingBetweenSlices = image.GetSpacing()[2]
        one.ImagePositionPatient = [round(v, 6) for v in n * step]
        one.ImageOrientationPatient = [*direction[:, 0], *direction[:, 1]]
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
        one.Rows, one.Columns, one.PixelRepresentation = *pixels.shape, 1
        one.PixelData = pixels.astype("<i2").tobytes()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one.save_as(folder / f"IM{n:04d}.dcm", enforce_file_format=True)


def with_both_sequences(folder: Path) -> None:
    """A folder per patient with T1w and T2w, and a mask that names the one it was drawn on."""
    for k in range(N):
        for name in ("T1w", "T2w"):
            write(folder / f"sub-{k:02d}/sub-{k:02d}_{name}.nii.gz", volume(k))
        write(folder / f"sub-{k:02d}/sub-{k:02d}_T2w_seg.nii.gz", region(k))


def ready(images: Path, study: Path, **options: str) -> list[dict]:
    """`init`, and the outcomes filled in; the rows of the manifest."""
    begin.init(images, study, **options)
    rows = read_rows(study)
    patients = list(dict.fromkeys(row["patient"] for row in rows))
    for row in rows:
        row["outcome"] = ("malignant", "osteoporotic")[patients.index(row["patient"]) % 2]
    write_rows(study, rows)
    return rows


def too_few_only(study: Path) -> bool:
    """Whether nothing is wrong but that so few patients do not fill the folds of the preset."""
    found = check_study(study, workers=1)
    assert found.failures == ()
    return {stop.code for stop in found.stops} == {"too-few-patients"}


@pytest.mark.parametrize(
    ("habit", "heads"),
    [
        (with_spaces, ["image", "mask:senior", "mask:resident"]),
        (with_umlauts, ["image", "mask:AB", "mask:CD"]),
        (with_dates, ["image", "mask"]),
        (as_an_archive, ["image:T1", "image:T2", "mask"]),
        (with_both_sequences, ["image:T1w", "image:T2w", "mask"]),
    ],
)
def test_a_habit_needs_no_correction(
    tmp_path: Path, habit: Callable[[Path], None], heads: list[str]
) -> None:
    habit(tmp_path / "images")
    rows = ready(tmp_path / "images", tmp_path / "study")
    assert len(rows) == N
    assert sorted(h for h in rows[0] if h.startswith(("image", "mask"))) == sorted(heads)
    assert all(row[head] for row in rows for head in heads)
    assert too_few_only(tmp_path / "study")


@pytest.mark.parametrize("name", naming_levels())
def test_a_label_map_per_exam_in_each_scheme(tmp_path: Path, name: str) -> None:
    scheme = find_scheme(name)
    by_name = {level.name: number for number, level in scheme.levels.items()}
    labels = blocks([by_name[level] for level in LEVELS])
    for k in range(4):
        image = noise(labels)
        image[0, 0, 0] = k
        write(tmp_path / f"images/Exam {day(k)} {k}/t2_sag.nii.gz", image)
        write(tmp_path / f"images/Exam {day(k)} {k}/{name}_labels.nii.gz", labels)
    chosen = {"labels": name, "region": "whole_vertebra"}
    rows = ready(tmp_path / "images", tmp_path / "study", **chosen)
    assert sorted(row["level"] for row in rows) == sorted([*LEVELS] * 4)
    assert too_few_only(tmp_path / "study")


def test_what_the_names_do_not_tell_is_proposed(tmp_path: Path) -> None:
    """Two kinds of masks that are no readers: the commands to choose from are printed."""
    for k in range(4):
        for name in ("image_t2", "L1_mask", "T12_mask"):
            write(tmp_path / f"p{k}/{name}.nrrd", volume(k) if "t2" in name else region(k))
    with pytest.raises(ManifestError, match=r"(?s)centrum init .*L1_mask.*T12_mask"):
        begin.init(tmp_path, tmp_path / "study")
    assert not (tmp_path / "study").exists()
    lines = begin.init(tmp_path, tmp_path / "study", mask="{case}/L1_mask.{ext}")
    assert lines[0].startswith("4 cases")
    assert len(list(csv.reader((tmp_path / "study/cases.csv").open()))) == 5
