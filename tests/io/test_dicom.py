"""DICOM series: geometry from positions, rescaled pixels, and refusals that name the file."""

import contextlib
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException
from pydicom.uid import EnhancedMRImageStorage

from centrum.errors import CentrumError, ImageError
from centrum.io import inspect_image, list_series, read_image, read_mask, source_digest

ACCEPTED = {
    "derived_tptbox_sagittal_t2/mr": (68, 52, 67),
    "siemens_prisma_sagittal_epi": (86, 86, 16),
    "ge_mr750_axial_gap": (64, 64, 15),
    "vendor_headers_noise_pixels/ge_mr750_sagittal_t1": (256, 256, 4),
    "vendor_headers_noise_pixels/philips_intera_coronal": (240, 240, 4),
    "dcmqi_ct_seg/ct-3slice": (512, 512, 3),
    "dcmqi_ct_seg/23x38x3/image": (23, 38, 3),
    "rtutils_ct_rtstruct": (512, 512, 2),
}


@pytest.mark.parametrize("folder", ACCEPTED)
def test_geometry_equals_the_positions_in_the_headers(reference: Path, folder: str) -> None:
    """Every pixel corner of every slice, by the equation of DICOM PS3.3 C.7.6.2.1.1."""
    volume = read_image(reference / "dicom" / folder)
    assert volume.geometry.size == ACCEPTED[folder]
    files = [pydicom.dcmread(p) for p in sorted((reference / "dicom" / folder).glob("*.dcm"))]
    images = [f for f in files if f.Modality in ("MR", "CT")]
    assert len(images) == volume.geometry.size[2]
    for f in images:
        first = np.array(f.ImagePositionPatient, float)
        cosines = np.array(f.ImageOrientationPatient, float).reshape(2, 3)
        row_step, column_step = (float(v) for v in f.PixelSpacing)
        z = round(float(volume.geometry.index(first)[2]))
        for column, row in ((0, 0), (f.Columns - 1, 0), (0, f.Rows - 1)):
            wanted = first + cosines[0] * column_step * column + cosines[1] * row_step * row
            found = volume.geometry.position((column, row, z))
            assert np.linalg.norm(found - wanted) < 1e-3
        slope, intercept = f.get("RescaleSlope", 1), f.get("RescaleIntercept", 0)
        wanted_pixels = f.pixel_array * float(slope) + float(intercept)
        np.testing.assert_array_equal(volume.array[z], wanted_pixels)


def test_gap_comes_from_positions_not_thickness(reference: Path) -> None:
    volume = read_image(reference / "dicom" / "ge_mr750_axial_gap")
    assert volume.geometry.spacing[2] == 5
    assert volume.history[0].parameters["acquisition"]["slice_thickness_mm"] == 3


def test_equals_the_nifti_it_was_made_from(reference: Path) -> None:
    dicom = read_image(reference / "dicom" / "derived_tptbox_sagittal_t2" / "mr")
    nifti = read_image(reference / "spine_mri" / "tptbox_cspine" / "T2w.nii.gz")
    assert dicom.geometry.same_grid(nifti.geometry)
    np.testing.assert_array_equal(dicom.array, nifti.array)


@pytest.mark.parametrize(
    ("folder", "wanted"),
    [
        (
            "vendor_headers_noise_pixels/philips_ingenia_mixed_orientation",
            r"(?s)found 2 .* sagittal: IM-0001-0001-0001 2\.dcm.* axial: IM-0001-0001-0001\.dcm",
        ),
        ("highdicom_seg/CT2", r"missing.*between -99\.48 and 103\.02 mm \(17106, 17136\)"),
        ("highdicom_seg", "expected exactly one image series, found 0"),
        ("derived_tptbox_sagittal_t2", "found 0"),
        ("vendor_headers_noise_pixels", "no DICOM file .*3 subfolders"),
    ],
)
def test_reference_folders_that_are_refused(reference: Path, folder: str, wanted: str) -> None:
    with pytest.raises(ImageError, match=wanted):
        read_image(reference / "dicom" / folder)


def test_history_has_the_acquisition_and_no_identity(write_series, stack: NDArray) -> None:
    volume = read_image(write_series(stack))
    parameters = volume.history[0].parameters
    assert parameters["acquisition"]["echo_time_ms"] == 104
    assert parameters["acquisition"]["repetition_time_ms"] == 2778
    assert parameters["slice_step_from"] == "positions"
    for secret in ("DOE", "JANE", "4711", "2024"):
        assert secret not in str(volume.history)
    np.testing.assert_array_equal(volume.array, stack)
    assert volume.array.dtype == np.uint16
    np.testing.assert_allclose(volume.geometry.spacing, (0.6, 0.7, 4.4))


def test_other_files_are_counted_and_names_do_not_matter(write_series, stack: NDArray) -> None:
    folder = write_series(stack)
    before = source_digest(folder)
    (folder / "notes.txt").write_text("not an image")
    for k, path in enumerate(sorted(folder.glob("*.dcm"))):
        path.rename(folder / f"{(7 * k) % 5}-renamed")
    volume = read_image(folder)
    assert volume.history[0].parameters["ignored_files"] == 1
    assert volume.history[0].parameters["sha256"] == source_digest(folder) == before
    np.testing.assert_array_equal(volume.array, stack)


@pytest.mark.parametrize("slopes", [(2.5,) * 5, (1, 2.5, 1, 0.5, 3), (2, 2, 2, 2, 2)])
def test_rescale_is_applied_to_each_slice(write_series, stack: NDArray, slopes) -> None:
    rescale = [{"RescaleSlope": s, "RescaleIntercept": -7} for s in slopes]
    volume = read_image(write_series(stack, changes=lambda k: rescale[k]))
    wanted = stack * np.array(slopes)[:, None, None] - 7
    np.testing.assert_array_equal(volume.array, wanted)


def test_missing_slice_in_the_middle(write_series, stack: NDArray, capfd) -> None:
    folder = write_series(stack)
    (folder / "1.2.3-02.dcm").unlink()
    with pytest.raises(ImageError, match=r"between 4\.40 and 13\.20 mm") as caught:
        read_image(folder)
    assert "1.2.3-01.dcm, 1.2.3-03.dcm" in str(caught.value)
    assert "while reading the DICOM series in series" in caught.value.__notes__
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("gap", [1.6, 1.9])
def test_a_gap_of_less_than_two_slices_is_a_missing_slice(write_series, stack, gap: float) -> None:
    """A little more than one, as of a series whose slices were moved, is none."""
    with pytest.raises(ImageError, match="larger ones"):
        read_image(write_series(stack, [0, 4, 8, 8 + 4 * gap, 12 + 4 * gap]))


def test_repeated_positions_name_what_differs(write_series, stack: NDArray) -> None:
    folder = write_series(
        stack, [0, 4.4, 8.8, 8.8, 13.2], changes=lambda k: {"EchoTime": 30 if k == 3 else 104}
    )
    with pytest.raises(ImageError, match=r"EchoTime .*104.* and .*30|EchoTime .*30.* and .*104"):
        read_image(folder)


def test_identical_copies_are_refused(write_series, stack: NDArray) -> None:
    folder = write_series(stack)
    copy = (folder / "1.2.3-00.dcm").read_bytes()
    (folder / "copy.dcm").write_bytes(copy)
    with pytest.raises(ImageError, match=r"found 1\.2\.3-00\.dcm and copy\.dcm both at 0\.00"):
        read_image(folder)


def test_uneven_steps_within_and_beyond_the_tolerance(write_series, stack: NDArray) -> None:
    fine = write_series(stack, [0, 4.41, 8.79, 13.2, 17.6], folder="fine")
    np.testing.assert_allclose(read_image(fine).geometry.spacing[2], 4.4)
    uneven = write_series(stack, [0, 4.4, 9.3, 13.2, 17.6], folder="uneven")
    with pytest.raises(ImageError, match=r"1\.2\.3-02\.dcm lies 0\.500 mm from its place"):
        read_image(uneven)


def test_tilted_stack_is_refused(write_series, stack: NDArray) -> None:
    def tilt(k: int) -> dict[str, list[float]]:
        return {"ImagePositionPatient": [-4.4 * k, -20.25 + 0.4 * k, 33]}

    with pytest.raises(ImageError, match="stacked along their normal"):
        read_image(write_series(stack, changes=tilt))


def test_several_series_are_listed_and_one_is_chosen(write_series, stack: NDArray) -> None:
    write_series(stack, uid="1.2.3", changes=lambda k: {"SeriesNumber": 4})
    folder = write_series(
        stack[:3] + 1,
        uid="1.2.4",
        changes=lambda k: {"SeriesDescription": "T2 tse sag", "SeriesNumber": 2},
    )
    with pytest.raises(ImageError, match=r"(?s)found 2.*e1719622d52d .*2f70eb33de6d .*T2 tse sag"):
        read_image(folder)
    second, first = list_series(folder)
    assert (first.uid, first.n_files, first.number) == ("1.2.3", 5, 4)
    assert (second.uid, second.description, second.modality) == ("1.2.4", "T2 tse sag", "MR")
    assert (second.orientation, second.echo_time_ms) == ("sagittal", 104)
    chosen = read_image(f"{folder}#1.2.4")
    np.testing.assert_array_equal(chosen.array, stack[:3] + 1)
    assert chosen.history[0].parameters["sha256"] == source_digest(f"{folder}#1.2.4")
    with pytest.raises(ImageError, match=r"expected the series 9\.9, found 0"):
        read_image(f"{folder}#9.9")


def test_segmentation_beside_the_images_is_not_an_image(
    reference: Path, write_series, stack: NDArray
) -> None:
    folder = write_series(stack)
    seg = (reference / "dicom" / "derived_tptbox_sagittal_t2" / "seg.dcm").read_bytes()
    (folder / "seg.dcm").write_bytes(seg)
    assert [s.modality for s in list_series(folder) if not s.is_image] == ["SEG"]
    assert read_image(folder).geometry.size == (9, 8, 5)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"ImagePositionPatient": None}, r"1\.2\.3-02\.dcm lacks .* ImagePositionPatient"),
        ({"PixelSpacing": None}, r"1\.2\.3-02\.dcm lacks .* PixelSpacing"),
        (
            {"PixelSpacing": [0.7, 0.7]},
            r"(?s)Expected one size and pixel spacing, .*1\.2\.3-02\.dcm",
        ),
        (
            {"NumberOfFrames": 3},
            r"1\.2\.3-02\.dcm is a multi-frame file \(3 frames\) of the kind MR Image",
        ),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "MOSAIC"]}, r"1\.2\.3-02\.dcm is a mosaic"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "photometric interpretation MONOCHROME1"),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "interpretation RGB"),
        ({"Rows": 4, "Columns": 18}, r"(?s)Expected one size .*\(18, 4\).*1\.2\.3-02\.dcm"),
    ],
)
def test_odd_slice_is_named(write_series, stack: NDArray, changed, wanted: str) -> None:
    folder = write_series(stack, changes=lambda k: changed if k == 2 else {})
    with pytest.raises(ImageError, match=wanted):
        read_image(folder)


def test_an_enhanced_image_without_groups_is_refused(write_series, stack: NDArray) -> None:
    enhanced = {"NumberOfFrames": 5, "SOPClassUID": EnhancedMRImageStorage}
    folder = write_series(stack[:1], changes=lambda k: enhanced)
    with pytest.raises(ImageError, match="has no functional groups of its frames"):
        read_image(folder)


def test_single_slice_takes_a_stated_step_and_says_which(write_series, stack: NDArray) -> None:
    stated = write_series(stack[:1], folder="a", changes=lambda k: {"SpacingBetweenSlices": 4.4})
    volume = read_image(stated)
    assert volume.geometry.spacing[2] == 4.4
    assert volume.history[0].parameters["slice_step_from"] == "SpacingBetweenSlices"
    thick = read_image(write_series(stack[:1], folder="b"))
    assert thick.geometry.spacing[2] == 4
    assert thick.history[0].parameters["slice_step_from"] == "SliceThickness"
    nothing = write_series(stack[:1], folder="c", changes=lambda k: {"SliceThickness": None})
    with pytest.raises(ImageError, match="only slice and states neither"):
        read_image(nothing)


def test_a_slice_truncated_anywhere_is_named(write_series, stack: NDArray, capfd) -> None:
    folder = write_series(stack)
    path = folder / "1.2.3-02.dcm"
    whole = path.read_bytes()
    for length in [0, 131, *range(132, len(whole), 13), len(whole) - 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError, match=r"1\.2\.3-02\.dcm"):
            read_image(folder)
    assert capfd.readouterr().err == ""


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"There is no folder .*nowhere"):
        list_series(tmp_path / "nowhere")


def test_a_number_that_is_none_is_named(write_series, stack: NDArray) -> None:
    folder = write_series(stack)
    path = folder / "1.2.3-02.dcm"
    path.write_bytes(path.read_bytes().replace(b"0.7\\0.6 ", b"0.7\\x.6 "))
    with pytest.raises(ImageError, match=r"1\.2\.3-02\.dcm lacks .*PixelSpacing"):
        read_image(folder)


def test_a_single_file_is_no_image_and_contours_are_no_mask(
    reference: Path, write_series, stack: NDArray
) -> None:
    folder = write_series(stack)
    with pytest.raises(ImageError, match="expected a folder with the slices of a series"):
        read_image(folder / "1.2.3-00.dcm")
    geometry = read_image(folder).geometry
    for mask, kind in (
        (folder / "1.2.3-00.dcm", "DICOM of the kind MR Image"),
        (folder, "a folder"),
    ):
        with pytest.raises(ImageError, match=f"expected a label image .* found {kind}") as caught:
            read_mask(mask, geometry)
        assert caught.value.code == "not-a-label-image"


@pytest.mark.parametrize(
    ("raw", "expected", "notes"),
    [
        (b"2778", 2778, 0),
        (b"2,5s", 2500, 0),
        (b"long", None, 1),
        (b"1\\20", None, 1),
        (b"", None, 0),
    ],
)
def test_an_optional_fact_stops_nothing(
    write_series, stack: NDArray, raw: bytes, expected: float | None, notes: int
) -> None:
    folder = write_series(stack)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"2778.0", raw.ljust(6)))
    volume = read_image(folder)
    facts = volume.history[0].parameters["acquisition"]
    assert facts.get("repetition_time_ms") == expected
    found = inspect_image(volume, "sagittal", folder.name)
    assert [(f.code, f.file) for f in found] == [("unread-fact", "1.2.3-00.dcm")] * notes
    assert list_series(folder)[0].n_files == 5


CONTRADICTIONS = {
    "half of the bits": {"BitsAllocated": 8},
    "bits of no type": {"BitsAllocated": 12},
    "half of the rows": {"Rows": 4},
    "a row less": {"Rows": 7},
    "more than there is memory": {"Rows": 60000, "Columns": 60000},
    "three samples": {"SamplesPerPixel": 3},
    "no pixels": {"PixelData": b""},
    "a slope of 0": {"RescaleSlope": "0", "RescaleIntercept": "0"},
    "an infinite slope": {"RescaleSlope": "1e999"},
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("changes", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_pixels_that_contradict_their_header(write_series, stack: NDArray, changes) -> None:
    folder = write_series(stack, changes=lambda k: changes if k == 2 else {})
    with pytest.raises(ImageError, match="truncated or damaged"):
        read_image(folder)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("keyword", ["NumberOfFrames", "SeriesNumber", "EchoTime", "Rows"])
@pytest.mark.parametrize("value", [b"abc ", b"1\\2 ", b"nan ", b"", b"\xff\xff"])
def test_odd_values_in_a_header(write_series, stack: NDArray, keyword: str, value: bytes) -> None:
    folder = write_series(stack)
    path = sorted(folder.iterdir())[1]
    header = pydicom.dcmread(path)
    tag, kind = pydicom.tag.Tag(keyword), pydicom.datadict.dictionary_VR(keyword)
    header[tag] = RawDataElement(tag, kind, len(value), value, 0, False, True)
    header.save_as(path)
    for read in (read_image, list_series, source_digest):
        with contextlib.suppress(CentrumError):
            read(folder)


@pytest.mark.parametrize("kind", [AttributeError, NotImplementedError, BytesLengthException,
                                  struct.error, RecursionError, MemoryError])  # fmt: skip
def test_whatever_pydicom_raises_names_the_file(write_series, stack, monkeypatch, kind) -> None:
    def fails(*_: object, **__: object) -> None:
        raise kind("x")

    folder = write_series(stack)
    monkeypatch.setattr("pydicom.dcmread", fails)
    for read in (read_image, list_series, source_digest):
        with pytest.raises(ImageError, match=rf"\.dcm should be .*\({kind.__name__}\)"):
            read(folder)


@pytest.mark.parametrize("length", [3, 1000, 0xFFFFFFF0])
def test_elements_that_announce_more_than_the_file_has(write_series, stack, length: int) -> None:
    folder = write_series(stack)
    path = sorted(folder.iterdir())[1]
    element = struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, length)
    whole = path.read_bytes()
    path.write_bytes(whole + element + bytes(2))
    with pytest.raises(ImageError, match=rf"{path.name} should be .*\(EOFError\)"):
        read_image(folder)
    path.write_bytes(whole + element[:-4] + struct.pack("<I", 2) + bytes(2))
    np.testing.assert_array_equal(read_image(folder).array, stack)
