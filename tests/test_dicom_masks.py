"""A study of DICOM images and segmentations: found, checked and measured as one of NRRD is."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.uid import RLELossless

from centrum.commands import begin, study as verbs
from centrum.commands.check import check_study
from centrum.geometry import Geometry
from centrum.io import list_segments, read_image, read_labels
from centrum.morphometry import measure_exam
from centrum.study.study import open_study
from centrum.table import FeatureTable
from tests.io.conftest import _slice
from tests.io.enhanced_files import enhanced, frames_of_stack, shuffled
from tests.io.seg_files import FRAME, frames_of, label_frames, save, segmentation
from tests.storage import to_image
from tests.studies import read_rows, write_rows

SHAPE = (9, 40, 20)
GRID = Geometry(SHAPE[::-1], (0.6, 0.7, 4.4), (0.0, -20.25, 33.0), (0, 0, -1, 1, 0, 0, 0, -1, 0))
"""The sagittal grid of the slices below."""

PROTOCOL = """\
name: Segmentations
images: {region: whole_vertebra}
extraction:
  families: [morphology, statistics, glcm]
  interpolation: null
  discretisation: {method: fixed_bin_number, bins: 8}
"""


def bodies(grow: int = 0) -> dict[int, NDArray[np.bool_]]:
    """Two bodies, one above the other, without any symmetry."""
    first, second = (np.zeros(SHAPE, bool) for _ in range(2))
    first[2:6, 4 - grow : 15, 3:16] = True
    first[2, 4:6] = False
    second[3:8, 22 : 35 + grow, 4:18] = True
    return {1: first, 2: second}


def write_exam(folder: Path, case: str, seed: int) -> None:
    """Slices of an exam."""
    (folder / "images" / case).mkdir(parents=True)
    noise = np.random.default_rng(seed).integers(100, 900, SHAPE).astype("<u2")
    for k, pixels in enumerate(noise):
        header = _slice(pixels, 4.4 * k, f"1.2.3.{seed}")
        header.FrameOfReferenceUID = FRAME
        path = folder / "images" / case / f"{k}.dcm"
        header.save_as(path, enforce_file_format=True)


def write_masks(folder: Path, case: str, frame: str = FRAME) -> None:
    """Two readings of an exam: BINARY without empty frames, and a compressed LABELMAP."""
    (folder / "masks").mkdir(exist_ok=True)
    names = {1: "LWK 1", 2: "L2"}
    binary = segmentation(GRID, frames_of(bodies()), names, frame=frame)
    save(folder / "masks" / f"{case}_senior.dcm", binary)
    labels = sum(n * region for n, region in bodies(1).items())
    labelmap = segmentation(GRID, label_frames(labels), names, kind="LABELMAP", bits=8, frame=frame)
    save(folder / "masks" / f"{case}_resident.dcm", labelmap, RLELossless)


@pytest.fixture
def exams(tmp_path: Path) -> Path:
    """Three exams with two readings each."""
    for seed in range(3):
        write_exam(tmp_path / "mri", f"P{seed}", seed)
        write_masks(tmp_path / "mri", f"P{seed}")
    return tmp_path / "mri"


def begun(exams: Path, folder: Path) -> Path:
    """The study that `init` makes of the exams, with an outcome for every case."""
    begin.init(exams, folder)
    rows = read_rows(folder)
    write_rows(folder, [
        row | {"outcome": ["malignant", "osteoporotic"][k // 2 % 2], "age": "70", "sex": "F",
               "centre": "A"}
        for k, row in enumerate(rows)
    ])  # fmt: skip
    (folder / "study.yaml").write_text(PROTOCOL)
    return folder


def test_init_check_and_run(exams: Path, tmp_path: Path) -> None:
    """The numbers are those of the same regions in files of 3D Slicer."""
    folder = begun(exams, tmp_path / "study")
    rows = read_rows(folder)
    assert [row["case"] for row in rows[:2]] == ["P0_L1", "P0_L2"]
    assert rows[0]["mask:senior"].endswith("masks/P0_senior.dcm#LWK 1")
    assert {row["level"] for row in rows} == {"L1", "L2"}
    assert not [found for found in check_study(folder).findings if found.severity == "error"]
    measured = extracted(folder)
    assert measured.shape[0] == 6
    assert np.isfinite(measured).all()
    for path in (exams / "masks").glob("*.dcm"):
        write_as_slicer(path)
    write_rows(folder, [
        {key: value.replace(".dcm#", ".seg.nrrd#") for key, value in row.items()} for row in rows
    ])  # fmt: skip
    np.testing.assert_array_equal(extracted(folder), measured)


@pytest.mark.parametrize("place", ["images/{}/e.dcm", "images/{}.dcm"])
def test_enhanced_images_are_measured_as_their_slices(
    exams: Path, tmp_path: Path, place: str
) -> None:
    """A multi-frame file instead of each folder of slices, in it or beside it."""
    measured = extracted(begun(exams, tmp_path / "classic"))
    for folder in sorted((exams / "images").iterdir()):
        volume = read_image(folder)
        shutil.rmtree(folder)
        path = exams / place.format(folder.name)
        path.parent.mkdir(exist_ok=True)
        header = enhanced(volume.geometry, shuffled(frames_of_stack(volume.array)))
        header.save_as(path, enforce_file_format=True)
    study = begun(exams, tmp_path / "study")
    assert read_rows(study)[0]["image"].endswith(("images/P0/", "images/P0", "images/P0.dcm"))
    assert not check_study(study).failures
    np.testing.assert_array_equal(extracted(study), measured)


def test_check_says_what_can_be_chosen(exams: Path, tmp_path: Path) -> None:
    """Two echoes in one file: an error of the case, until the manifest names one."""
    volume = read_image(exams / "images" / "P0")
    frames = [
        frame
        for time in (20.0, 80.0)
        for frame in frames_of_stack(volume.array, MREchoSequence={"EffectiveEchoTime": time})
    ]
    header = enhanced(volume.geometry, frames)
    header.save_as(exams / "images" / "two.dcm", enforce_file_format=True)
    study = begun(exams, tmp_path / "study")
    rows = read_rows(study)
    whole = rows[0]["image"].replace("images/P0", "images/two.dcm").rstrip("/")
    for image, codes in ((whole, {"choose-frames"}), (f"{whole}#EchoTime=80", set())):
        write_rows(study, [{**rows[0], "image": image}, *rows[1:]])
        found = check_study(study).failures
        assert {failure.code for failure in found} == codes
        assert all("FILE#EchoTime=20" in failure.message for failure in found)


def extracted(folder: Path) -> NDArray:
    verbs.extract(open_study(folder))
    return FeatureTable.load(open_study(folder).results).values


def write_as_slicer(path: Path) -> None:
    labels = read_labels(path)
    image = to_image(labels.layers[0], labels.geometry)
    for k, segment in enumerate(labels.segments):
        image.SetMetaData(f"Segment{k}_Name", segment.name)
        image.SetMetaData(f"Segment{k}_LabelValue", str(segment.label))
    sitk.WriteImage(image, str(path.with_suffix(".seg.nrrd")))


def test_one_of_another_exam_fails_alone(exams: Path, tmp_path: Path) -> None:
    folder = begun(exams, tmp_path / "study")
    write_masks(exams, "P1", frame="1.2.9.77")
    found = check_study(folder)
    refused = [f for f in found.findings if f.code == "other-frame-of-reference"]
    assert {f.case for f in refused} == {"P1_L1", "P1_L2"}
    assert not [f for f in refused if "1.2.9" in f.message]


def test_morphometry_compares_the_frames_too(exams: Path) -> None:
    image, mask = exams / "images" / "P0", exams / "masks" / "P0_senior.dcm"
    assert set(measure_exam(mask, image).masks) == {"LWK 1", "L2"}
    write_masks(exams, "P0", frame="1.2.9.77")
    with pytest.raises(Exception, match="another frame of reference"):
        measure_exam(mask, image)


def test_a_segmentation_among_the_slices_of_its_exam(exams: Path, tmp_path: Path) -> None:
    """It is no slice of the image, and a pattern names it."""
    for case in ("P0", "P1", "P2"):
        inside = exams / "images" / case / "seg.dcm"
        (exams / "masks" / f"{case}_senior.dcm").rename(inside)
        assert read_image(inside.parent).array.shape == SHAPE
        assert len(list_segments(inside)) == 2
    begin.init(exams, tmp_path / "study", image="images/{case}/", mask="images/{case}/seg.dcm")
    assert len(read_rows(tmp_path / "study")) == 6
