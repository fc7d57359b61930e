"""Structure sets: real ones, what they say of their image, and damage of every kind."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from matplotlib.path import Path as Polygon
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
)

from centrum.errors import CentrumError, GeometryError, ImageError
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry
from centrum.io import (
    dicom_object,
    inspect_case,
    list_segments,
    of_contours,
    read_image,
    read_labels,
    read_mask,
    read_masks,
    rtstruct,
    source_digest,
)
from centrum.measure.case import MeasurementJob, measure
from centrum.protocol import Images
from centrum.volume import Volume
from tests.io.drawing import FRAME, SERIES, drawn, squares, structure_set, written

DERIVED = "dicom/derived_tptbox_sagittal_t2"
CT = "dicom/rtutils_ct_rtstruct"
BODIES = {"C5 vertebral body": 2474, "C6 vertebral body": 10860, "C7 vertebral body": 9438}

GRID = Geometry((12, 11, 6), (1, 1, 4))
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a structure set of some regions; other arguments as of `structure_set`."""

    def _save(
        *regions: Any, change: Callable[[Dataset], object] = lambda _: None, **said: Any
    ) -> Path:
        found = structure_set(regions, **said)
        with pydicom.config.disable_value_validation():
            change(found)
        (tmp_path / "s.dcm").write_bytes(written(found))
        return tmp_path / "s.dcm"

    return _save


def body(z: float = 8, *holes: tuple[float, float, float, float]) -> list[NDArray]:
    return squares((2, 2, 8, 8), *holes, z=z)


def refused(code: str, source: object, image: Volume | Geometry = GRID) -> CentrumError:
    with pytest.raises(CentrumError) as caught:
        read_mask(str(source), image)
    assert caught.value.code == code, caught.value
    assert caught.value.file == Path(str(source).partition("#")[0]).name
    assert caught.value.remedy
    for secret in ("DOE", "JANE", "4711", str(Path(str(source)).parent)):
        assert secret not in str(caught.value)
    return caught.value


# The world


def test_bodies_are_those_of_the_segmentation_in_every_voxel(reference: Path) -> None:
    """One mask was written as SEG and as RTSTRUCT, by other programs."""
    folder = reference / DERIVED
    image = read_image(folder / "mr")
    assert [(s.name, s.label, s.voxels) for s in list_segments(folder / "rtstruct.dcm")] == [
        (name, k, None) for k, name in enumerate(BODIES, 1)
    ]
    for number, (name, voxels) in enumerate(BODIES.items(), 1):
        mask = read_mask(f"{folder / 'rtstruct.dcm'}#{name}", image)
        assert mask.n_voxels == voxels
        np.testing.assert_array_equal(mask.array, segmented(folder / "seg.dcm", number, image))
        by_number = read_mask(f"{folder / 'rtstruct.dcm'}#{number}", image.geometry)
        np.testing.assert_array_equal(by_number.array, mask.array)
    assert [m.n_voxels for m in read_masks(folder / "rtstruct.dcm", image)] == [*BODIES.values()]


def segmented(path: Path, number: int, image: Volume) -> NDArray:
    """The voxels of a segment, each frame in the slice of its position."""
    found, mask = pydicom.dcmread(path), np.zeros(image.geometry.shape, bool)
    groups = found.PerFrameFunctionalGroupsSequence
    for frame, group in zip(found.pixel_array, groups, strict=True):
        if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number:
            position = group.PlanePositionSequence[0].ImagePositionPatient
            x, y, z = image.geometry.index([float(v) for v in position])
            assert abs(x) < 1e-3 > abs(y)
            mask[round(z)] = frame
    return mask


def test_the_same_bodies_on_the_image_as_nifti(reference: Path) -> None:
    """It names no frame of reference: where it lies decides."""
    image = read_image(reference / "spine_mri" / "tptbox_cspine" / "T2w.nii.gz")
    masks = read_masks(reference / DERIVED / "rtstruct.dcm", image)
    assert [mask.n_voxels for mask in masks] == [*BODIES.values()]


@pytest.mark.parametrize("name", ["rt", "non_existent_reference_rt"])
def test_contours_of_a_ct_hold_the_centres_that_matplotlib_finds(
    reference: Path, name: str
) -> None:
    """Contours that run between centres, two of them a region and its hole."""
    ct = read_image(reference / CT).geometry
    taller = Geometry((512, 512, 3), ct.spacing, ct.origin, ct.direction)
    path = reference / CT / f"{name}.dcm"
    for item in pydicom.dcmread(path).ROIContourSequence:
        mask = read_mask(f"{path}#{item.ReferencedROINumber}", taller)
        wanted = np.zeros(taller.shape, bool)
        for contour in item.ContourSequence:
            index = taller.index(np.array(contour.ContourData, float).reshape(-1, 3))
            x, y = np.meshgrid(*map(np.arange, taller.size[:2]))
            inside = Polygon(index[:, :2]).contains_points(np.column_stack([x.flat, y.flat]))
            wanted[round(index[0, 2])] ^= inside.reshape(x.shape)
        assert mask.n_voxels > 1000
        np.testing.assert_array_equal(mask.array, wanted)


def test_a_frame_of_reference_that_was_made_up_is_told(reference: Path) -> None:
    """rt-utils gave its first files one of their own, beside the right series."""
    image, path = read_image(reference / CT), reference / CT / "rt.dcm"
    mask = read_mask(f"{path}#ROI-1", image)
    assert mask.n_voxels == 1443
    assert "frame-of-reference-made-up" in {found.code for found in inspect_case(image, mask)}


@pytest.mark.parametrize("name", ["invalid_reference_rt", "non_existent_reference_rt"])
def test_contours_on_slices_that_are_not_there_are_refused(reference: Path, name: str) -> None:
    """The series had five slices, of which two are left."""
    error = refused("mask-outside", f"{reference / CT / name}.dcm#1", read_image(reference / CT))
    assert isinstance(error, GeometryError)
    assert "55 of the 356 points" in str(error)


def test_bodies_of_another_exam_are_refused(reference: Path) -> None:
    image = read_image(reference / "dicom" / "siemens_prisma_sagittal_epi")
    refused("other-frame-of-reference", f"{reference / DERIVED / 'rtstruct.dcm'}#1", image)


# Frames of reference and series


@pytest.fixture
def image(write_series) -> Volume:
    """A sagittal DICOM series in the frame of reference of `structure_set`."""
    stack = np.random.default_rng(0).integers(0, 900, (5, 8, 9))
    said = {"FrameOfReferenceUID": FRAME}
    return read_image(write_series(stack, uid=SERIES, changes=lambda k: said))


def l1(image: Volume) -> tuple[int, str, list[NDArray]]:
    mask = np.zeros(image.geometry.shape, bool)
    mask[1:4, 2:6, 3:7] = True
    return 1, "L1", drawn(mask, image.geometry)


def test_contours_of_this_series(save: Save, image: Volume) -> None:
    mask = read_mask(save(l1(image)), image)
    assert mask.n_voxels == 48
    assert of_contours(mask)
    assert inspect_case(image, mask) != ()
    for secret in ("DOE", "4711", FRAME, SERIES, "1.2.3.8"):
        assert secret not in str(mask.history) + str(image.history)


def test_another_frame_or_series_is_refused(save: Save, image: Volume) -> None:
    refused("other-frame-of-reference", save(l1(image), frame="1.2.9", series=""), image)
    refused("other-frame-of-reference", save(l1(image), frame="1.2.9", series="1.2.8"), image)
    refused("other-series", save(l1(image), series="1.2.9"), image)
    assert read_mask(save(l1(image), series="1.2.9"), image.geometry).n_voxels == 48


def test_a_series_in_another_frame_than_the_contours_is_not_theirs(
    save: Save, image: Volume
) -> None:
    """Drawn on an image that was registered to this one, which the file names beside its own."""

    def registered(found: Dataset) -> None:
        own = found.ReferencedFrameOfReferenceSequence[0]
        found.ReferencedFrameOfReferenceSequence.append(Dataset())
        found.ReferencedFrameOfReferenceSequence[1].FrameOfReferenceUID = own.FrameOfReferenceUID
        own.FrameOfReferenceUID = FRAME

    path = save(l1(image), frame="1.2.9", change=registered)
    refused("other-frame-of-reference", path, image)


def test_the_right_frame_is_not_told(save: Save, image: Volume) -> None:
    mask = read_mask(save(l1(image)), image)
    assert "frame-of-reference-made-up" not in {f.code for f in inspect_case(image, mask)}


def test_the_image_of_a_case_is_compared_when_it_is_measured(
    save: Save, image: Volume, tmp_path: Path
) -> None:
    right = save(l1(image)).rename(tmp_path / "right.dcm")
    masks = {"right": str(right), "wrong": str(save(l1(image), frame="1.2.9", series=""))}
    settings = ExtractionSettings(
        families=["morphology"], discretisation={"method": "fixed_bin_number", "bins": 8}
    )
    job = MeasurementJob("P1", str(tmp_path / "series"), masks, Images(), settings, None)
    record = measure(job)
    assert list(record["values"]) == ["right"]
    assert [(e["reader"], e["code"]) for e in record["errors"]] == [
        ("wrong", "other-frame-of-reference")
    ]


def test_what_a_file_leaves_unsaid_contradicts_nothing(save: Save, image: Volume) -> None:
    def without_frames(found: Dataset) -> None:
        del found.ReferencedFrameOfReferenceSequence
        del found.StructureSetROISequence[0].ReferencedFrameOfReferenceUID

    assert read_mask(save(l1(image), series=""), image).n_voxels == 48
    assert read_mask(save(l1(image), change=without_frames), image).n_voxels == 48


def test_a_frame_that_regions_do_not_name_is_that_of_the_file(save: Save, image: Volume) -> None:
    def unnamed(found: Dataset) -> None:
        del found.StructureSetROISequence[0].ReferencedFrameOfReferenceUID

    path = save(l1(image), frame="1.2.9", series="", change=unnamed)
    refused("other-frame-of-reference", path, image)


def test_several_frames_are_refused_on_an_image_and_listed(save: Save) -> None:
    def other(found: Dataset) -> None:
        found.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = "1.2.9"

    path = save((1, "L1", body()), (2, "L2", body()), change=other)
    refused("several-frames-of-reference", f"{path}#L1")
    assert [segment.name for segment in list_segments(path)] == ["L1", "L2"]


# Regions


def test_regions_are_listed_with_what_is_drawn_of_them(save: Save) -> None:
    def mixed(found: Dataset) -> None:
        found.ROIContourSequence[2].ContourSequence[0].ContourGeometricType = "POINT"
        del found.ROIContourSequence[3]

    path = save((1, "L1 Körper", body() + body(12)), (7, "", body()), (0, "Isocentre", body()),
                (-4, "nothing", []), change=mixed)  # fmt: skip
    found = list_segments(path)
    assert [(s.name, s.label, s.voxels, s.drawn) for s in found] == [
        ("L1 Körper", 1, None, True),
        ("7", 7, None, True),
        ("Isocentre", 0, None, False),
        ("nothing", -4, None, False),
    ]
    assert found[0].describe() == "'L1 Körper' (ROI number 1, 2 contours)"
    assert found[1].describe() == "'7' (ROI number 7, 1 contour)"
    assert found[2].describe() == "'Isocentre' (ROI number 0, no contours, 1 POINT)"
    assert found[3].describe() == "'nothing' (ROI number -4, no contours)"
    assert read_mask(f"{path}#L1 Körper", GRID).n_voxels == 98
    assert [mask.name for mask in read_masks(path, GRID)] == ["L1 Körper", "7"]
    refused("contour-type", f"{path}#Isocentre")
    refused("contour-type", f"{path}#0")
    refused("empty-mask", f"{path}#nothing")


def test_regions_that_overlap_are_both_whole(save: Save) -> None:
    path = save((1, "vertebra", body()), (2, "lesion", squares((4, 4, 9, 9), z=8)))
    whole, lesion = read_masks(path, GRID)
    assert (whole.n_voxels, lesion.n_voxels) == (49, 36)
    assert np.count_nonzero(whole.array & lesion.array) == 25


def test_two_regions_of_one_name_are_chosen_by_number(save: Save) -> None:
    path = save((1, "L1", body()), (2, "L1", body(12)))
    error = refused("choose-segment", f"{path}#L1")
    assert "FILE#NUMBER" in error.remedy
    assert "(ROI number 2, 1 contour)" in str(error)
    assert read_mask(f"{path}#2", GRID).array[3].any()


def test_the_only_region_needs_no_name(save: Save) -> None:
    assert read_mask(save((5, "L1", body())), GRID).name == "L1"


def test_contours_without_an_image_are_listed_alone(save: Save) -> None:
    path = save((1, "L1", body()))
    with pytest.raises(ImageError, match="filled on the grid of the image") as caught:
        read_masks(path)
    assert caught.value.code == "needs-image"
    assert read_labels(path).segments[0].name == "L1"
    assert read_labels(path, image=GRID).geometry == GRID


def test_holes_by_either_kind_of_contour(save: Save) -> None:
    for kind in rtstruct.CLOSED:
        path = save((1, "ring", body(8, (4, 4, 6, 6))), kind=kind)
        assert read_mask(path, GRID).n_voxels == 48


@pytest.mark.parametrize(
    "kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", "SPLINE", "", "a" * 999]
)
def test_contours_without_an_inside_are_refused(save: Save, kind: str) -> None:
    error = refused("contour-type", save((1, "needle", body()), kind=kind))
    assert (kind[:30] or "of no kind") in str(error)
    assert len(str(error)) < 400


def test_a_slab_beside_its_contours_is_refused(save: Save) -> None:
    def offset(vector: str) -> Callable[[Dataset], None]:
        return lambda found: setattr(
            found.ROIContourSequence[0].ContourSequence[0], "ContourOffsetVector", vector
        )

    refused("contour-offset", save((1, "L1", body()), change=offset("0\\0\\2")))
    assert read_mask(save((1, "L1", body()), change=offset("0\\0\\0")), GRID).n_voxels == 49


def test_one_open_contour_among_closed_ones_is_not_left_out(save: Save) -> None:
    def opened(found: Dataset) -> None:
        found.ROIContourSequence[0].ContourSequence[1].ContourGeometricType = "OPEN_PLANAR"

    refused("contour-type", save((1, "L1", body() + body(12)), change=opened))


def test_what_contours_do_wrong_is_said_of_the_file(save: Save) -> None:
    assert "2.00 mm from" in str(refused("between-slices", save((1, "L1", body(10)))))
    refused("mask-outside", save((1, "L1", body(24))))
    refused("overlapping-contours", save((1, "L1", body(8, (5, 5, 10, 10)))))

    def mixed(found: Dataset) -> None:
        contours = found.ROIContourSequence[0].ContourSequence
        contours[0].ContourGeometricType = rtstruct.EXCLUSIVE

    path = save((1, "L1", body(8, (5, 5, 10, 10))), change=mixed)
    refused("overlapping-contours", path)
    error = refused("repeated-contour", save((1, "L1", body() + body())))
    assert "region 'L1', slice 3 of 6" in error.__notes__


def test_other_kinds_of_dicom_are_no_masks(save: Save) -> None:
    def plan(found: Dataset) -> None:
        found.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.5"

    error = refused("not-a-label-image", save((1, "L1", body()), change=plan))
    assert "RT Plan Storage" in str(error)


# Encodings


@pytest.mark.filterwarnings("ignore:The value for the data element")
@pytest.mark.parametrize("undefined", [False, True], ids=["lengths", "no lengths"])
@pytest.mark.parametrize(
    "syntax",
    [None, ExplicitVRLittleEndian, ExplicitVRBigEndian],
    ids=["implicit", "explicit", "big"],
)
def test_every_encoding_and_a_contour_of_many_points(
    save: Save, syntax: Any, undefined: bool
) -> None:
    """With more than 65534 bytes of points, which explicit lengths of two bytes cannot give."""
    angle = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    circle = np.column_stack([5 + 4 * np.cos(angle), 5 + 4 * np.sin(angle), np.full(5000, 8.0)])

    def encoded(found: Dataset) -> None:
        if syntax:
            found.file_meta.TransferSyntaxUID = syntax
        for element in found.iterall() if undefined else ():
            if element.VR == "SQ":
                element.is_undefined_length = True
                for item in element.value:
                    item.is_undefined_length_sequence_item = True

    path = save((1, "Wirbelkörper", [circle]), change=encoded)
    assert read_mask(path, GRID).n_voxels == 49
    assert list_segments(path)[0].name == "Wirbelkörper"
    data = path.read_bytes()
    for cut in range(400, len(data), len(data) // 37):
        path.write_bytes(data[:cut])
        with pytest.raises(ImageError):
            read_mask(path, GRID)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", ExplicitVRLittleEndian])
def test_a_file_that_ends_between_two_items_is_no_smaller_structure_set(
    save: Save, syntax: str
) -> None:
    """pydicom takes what there is of a sequence whose length goes beyond the end of the file."""

    def encoded(found: Dataset) -> None:
        found.file_meta.TransferSyntaxUID = syntax

    path = save(*((k, "L1", body() + body(12)) for k in (1, 2)), change=encoded)
    assert read_mask(f"{path}#1", GRID).n_voxels == 98
    data = path.read_bytes()
    starts = [found.start() for found in re.finditer(rb"\xfe\xff\x00\xe0", data)]
    assert len(starts) == 11
    for cut in starts:
        path.write_bytes(data[:cut])
        with pytest.raises(ImageError):
            read_mask(f"{path}#1", GRID)


@pytest.mark.parametrize("tag", [b"\x06\x30\x40\x00SQ\0\0", b"\x06\x30\x16\x00SQ\0\0"])
def test_an_inner_sequence_that_goes_on_behind_its_item(save: Save, tag: bytes) -> None:
    def encoded(found: Dataset) -> None:
        found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        found.ROIContourSequence[0].ContourSequence[0].ContourImageSequence = [Dataset()]

    path = save((1, "L1", body()), change=encoded)
    data = path.read_bytes()
    place = data.index(tag) + len(tag)
    longer = int.from_bytes(data[place : place + 4], "little") + 100
    path.write_bytes(data[:place] + longer.to_bytes(4, "little") + data[place + 4 :])
    refused("damaged-file", path)


def test_what_a_deflated_file_becomes_is_bounded(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deflated(found: Dataset) -> None:
        found.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian

    path = save((1, "L1", body()), change=deflated)
    assert read_mask(path, GRID).n_voxels == 49
    monkeypatch.setattr(dicom_object, "LARGEST_INFLATED", 300)
    assert "unpacks to more than 300 bytes" in str(refused("damaged-file", path))


@pytest.mark.parametrize(
    "syntax", [b"1.2.840.10008.1.9\0", b"1.2.840.10008\0\0\0\0\0", b"\xff" * 18]
)
def test_an_encoding_that_there_is_not(save: Save, syntax: bytes) -> None:
    path = save((1, "L1", body()))
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2\0", syntax))
    refused("transfer-syntax", path)


# Damage


def points(text: str, stated: str | None = None) -> Callable[[Dataset], None]:
    """Other points, as text that is written as it is, in the first contour."""

    def change(found: Dataset) -> None:
        contour = found.ROIContourSequence[0].ContourSequence[0]
        contour.add_new("ContourData", "UT", text)
        if stated is not None:
            contour.add_new("NumberOfContourPoints", "UT", stated)

    return change


@pytest.mark.parametrize(
    ("text", "stated", "wanted"),
    [
        ("1\\2\\8\\3\\4", "1", "5 numbers"),
        ("", "4", "0 numbers"),
        ("1\\1\\8\\5\\1\\8\\5\\5\\8", "4", "announces 4 points, found 3"),
        ("1\\1\\8\\5\\1\\8\\5\\5\\8", "99999999", "announces 99999999 points"),
        ("1\\1\\8\\5\\1\\8\\5\\5\\8", "-3", "announces -3 points"),
        ("1\\1\\8\\5\\1\\8\\5\\5\\8", "three", "no whole number"),
        ("1\\1\\8\\5\\1\\8\\5\\5\\8", "9" * 5000, "no whole number"),
        ("1\\1\\8\\5\\1\\8\\5\\nan\\8", "3", "not finite"),
        ("1\\1\\8\\5\\1\\8\\5\\inf\\8", "3", "not finite"),
        ("1\\1\\8\\5\\1\\8\\5\\1e400\\8", "3", "not finite"),
        ("1\\1\\8\\5\\1\\8\\5\\1e7\\8", "3", "nowhere in a patient"),
        ("1\\1\\8\\5\\1\\8\\5\\5,5\\8", "3", "no decimal numbers"),
        ("1\\1\\8\\5\\1\\8\\5\\1_0\\8", "3", "no decimal numbers"),
        ("1\\1\\8\\5\\1\\8\\5\\\\8", "3", "no decimal numbers"),
        ("1\\1\\8\\5\\1\\8\\5\\0x5\\8", "3", "no decimal numbers"),
        ("1\\1\\8\\5\\1\\8\\5\\5\\8\\", "3", "no decimal numbers"),
        ("1\\1\\8\\5\\1\\8\\5\\5 5\\8", "3", "no decimal numbers"),
        ("x", "3", "no decimal numbers"),
    ],
)
def test_points_that_are_none(save: Save, text: str, stated: str, wanted: str) -> None:
    error = refused("damaged-file", save((1, "L1", body()), change=points(text, stated)))
    assert wanted in str(error)
    assert "contour 1 of the region 'L1'" in str(error)


def test_blanks_and_exponents_are_numbers_and_what_is_unsaid_is_no_lie(save: Save) -> None:
    text = " 2.0 \\2 \\ 8\\+8e0\\2\\8.\\0.8E+1\\ 8\\8\\2\\8\\8 "
    assert read_mask(save((1, "L1", body()), change=points(text, "+4 ")), GRID).n_voxels == 49
    assert read_mask(save((1, "L1", body()), change=points(text, "")), GRID).n_voxels == 49


def test_other_regions_of_a_file_with_a_damaged_one_are_read(save: Save) -> None:
    path = save((1, "L1", body()), (2, "L2", body()), change=points("1\\2"))
    assert read_mask(f"{path}#L2", GRID).n_voxels == 49


CHANGES: dict[str, tuple[str, Callable[[Dataset], object]]] = {
    "no regions": ("no-regions", lambda d: delattr(d, "StructureSetROISequence")),
    "none in the list": ("no-regions", lambda d: d.StructureSetROISequence.clear()),
    "no contours": ("empty-mask", lambda d: delattr(d, "ROIContourSequence")),
    "no list of contours": (
        "empty-mask",
        lambda d: delattr(d.ROIContourSequence[0], "ContourSequence"),
    ),
    "a number twice": (
        "damaged-file",
        lambda d: d.StructureSetROISequence.append(d.StructureSetROISequence[0]),
    ),
    "contours twice": (
        "damaged-file",
        lambda d: d.ROIContourSequence.append(d.ROIContourSequence[0]),
    ),
    "contours of nobody": (
        "damaged-file",
        lambda d: setattr(d.ROIContourSequence[0], "ReferencedROINumber", 9),
    ),
    "no number": ("damaged-file", lambda d: delattr(d.StructureSetROISequence[0], "ROINumber")),
    "contours of no number": (
        "damaged-file",
        lambda d: delattr(d.ROIContourSequence[0], "ReferencedROINumber"),
    ),
    "no points": (
        "damaged-file",
        lambda d: delattr(d.ROIContourSequence[0].ContourSequence[0], "ContourData"),
    ),
    "no kind": (
        "contour-type",
        lambda d: delattr(d.ROIContourSequence[0].ContourSequence[0], "ContourGeometricType"),
    ),
    "text for a sequence": (
        "damaged-file",
        lambda d: d.add_new(0x30060039, "LO", "contours"),
    ),
    "a sequence for points": (
        "damaged-file",
        lambda d: d.ROIContourSequence[0].ContourSequence[0].add_new(0x30060050, "SQ", [Dataset()]),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", ExplicitVRLittleEndian])
def test_what_is_missing_or_contradicts_itself(save: Save, change: str, syntax: str) -> None:
    code, alter = CHANGES[change]

    def altered(found: Dataset) -> None:
        found.file_meta.TransferSyntaxUID = syntax
        alter(found)

    refused(code, save((1, "L1", body()), change=altered))


def test_a_file_with_too_many_items_is_refused_before_they_are_made(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    def big(found: Dataset) -> None:
        found.file_meta.TransferSyntaxUID = ExplicitVRBigEndian

    regions = (1, "L1", [square for z in range(6) for square in body(4 * z)])
    for change in (big, lambda _: None):
        path = save(regions, change=change)
        with monkeypatch.context() as lower:
            lower.setattr(dicom_object, "MOST_ITEMS", 5)
            assert "some 11 items" in str(refused("damaged-file", path))
    monkeypatch.setattr(dicom_object, "LARGEST_HEADER", 300)
    assert read_mask(path, GRID).n_voxels > 0
    monkeypatch.setattr(dicom_object, "MOST_ITEMS", 500)
    monkeypatch.setattr(rtstruct, "MOST_POINTS", 20)
    assert "24 points" in str(refused("too-large", path))
    monkeypatch.setattr(rtstruct, "LARGEST_BYTES", 500)
    refused("too-large", path)


def test_thousands_of_contours_are_far_from_the_limit(save: Save) -> None:
    """A hundred organs in 300 slices each have 30 000 contours, of two items each."""
    assert dicom_object.MOST_ITEMS > 4 * 2 * 30_000
    path = save((1, "L1", body() * 5001))
    assert list_segments(path)[0].contours == (("CLOSED_PLANAR", 5001),)


def test_deep_sequences_end_as_an_error(save: Save) -> None:
    path = save((1, "L1", body()))
    item, sequence = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\x06\x30\x39\x00\xff\xff\xff\xff"
    start = path.read_bytes().index(b"\x06\x30\x39\x00")
    path.write_bytes(path.read_bytes()[:start] + (sequence + item) * 100_000)
    refused("damaged-file", path)


def spiral(turns: int, n: int) -> str:
    angle = np.linspace(0, 2 * np.pi * turns, n)
    radius = 250 * angle / angle[-1]
    x, y = 255.5 + radius * np.cos(angle), 255.5 + radius * np.sin(angle)
    return "\\".join(f"{a:.2f}\\{b:.2f}\\0" for a, b in zip(x, y, strict=True))


def timed(source: Path, grid: Geometry, seconds: float) -> CentrumError | None:
    start = time.process_time()
    try:
        read_mask(source, grid)
        error = None
    except CentrumError as found:
        error = found
    assert time.process_time() - start < seconds
    return error


FIELD = Geometry((512, 512, 2), (1, 1, 1))


def test_a_million_points_take_seconds(save: Save) -> None:
    """A spiral as long as all contours of a large structure."""
    million = 1 << 20
    path = save((1, "L1", body()), change=points(spiral(2000, million), str(million)))
    assert timed(path, FIELD, 10) is None


def test_points_that_run_to_and_fro_across_the_image_are_refused_quickly(save: Save) -> None:
    text = "\\".join(["0\\0\\0\\511\\511\\0"] * 100_000)
    error = timed(save((1, "L1", body()), change=points(text, "200000")), FIELD, 5)
    assert error is not None
    assert error.code == "too-large"


# Digests


def test_a_digest_holds_all_that_is_read(save: Save) -> None:
    path = save((1, "L1", body()))
    before = source_digest(f"{path}#L1")
    assert read_mask(path, GRID).history[0].parameters["sha256"] == before
    renamed = path.rename(path.with_name("other"))
    assert source_digest(renamed) == before
    assert source_digest(save((1, "L1", body(12)))) != before
    assert source_digest(save((1, "L2", body()))) != before
    assert source_digest(save((1, "L1", body()), series="1.2.9")) != before
