"""DICOM segmentations: against other programs' files, then what must hold of any, then refusals."""

import struct
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from pydicom.valuerep import DSfloat

from centrum.errors import GeometryError, ImageError, describe
from centrum.geometry import ORIENTATIONS, Geometry
from centrum.io import (
    dicom_object,
    list_segments,
    read_image,
    read_labels,
    read_mask,
    read_masks,
    seg,
    source_digest,
)
from centrum.io.frame_of_reference import FRAME
from centrum.io.functional_groups import common_step
from centrum.volume import Mask, Volume, content_digest, turned
from tests.io.seg_files import (
    FRAME as SEG_FRAME,
    encoded,
    frames_of,
    label_frames,
    save,
    segmentation,
)

TILT = np.array([[0.9, -0.3, 0.1], [0.3, 0.95, -0.2], [0.0, 0.2, 0.97]])
OBLIQUE = Geometry(
    (7, 6, 8), (0.6, 0.7, 4.4), (11.5, -20.25, 33.0), tuple(np.linalg.qr(TILT)[0].ravel())
)
"""A grid whose axes run along none of the patient, with pixels that are no squares."""


def body(grid: Geometry, seed: int = 1) -> NDArray[np.bool_]:
    """A region without any symmetry, so that every wrong turn shows."""
    return np.random.default_rng(seed).random(grid.shape) < 0.4


@pytest.fixture
def written(tmp_path: Path, grid: Geometry) -> Callable[..., Path]:
    """Write regions by number, called L1, L2..., on the sagittal grid; `change` alters a header."""

    def _written(
        regions: Mapping[int, NDArray],
        change: Callable[[Dataset], object] = lambda header: None,
        syntax: str = ExplicitVRLittleEndian,
        **options: Any,
    ) -> Path:
        names = {number: f"L{number}" for number in regions}
        header = segmentation(grid, frames_of(regions), names, **options)
        change(header)
        return save(tmp_path / "s.dcm", header, syntax)

    return _written


# Against other programs


def test_the_reference_of_three_bodies(reference: Path) -> None:
    """Frames without voxels are left out, and follow each other by segment."""
    folder = reference / "dicom" / "derived_tptbox_sagittal_t2"
    image = read_image(folder / "mr")
    assert [(s.name, s.voxels) for s in list_segments(folder / "seg.dcm")] == [
        ("C5 vertebral body", 2474),
        ("C6 vertebral body", 10860),
        ("C7 vertebral body", 9438),
    ]
    exam = reference / "spine_mri" / "tptbox_cspine"
    for number, label in ((1, 5), (2, 6), (3, 7)):
        for grid in (image, read_image(exam / "T2w.nii.gz")):
            mask = read_mask(f"{folder / 'seg.dcm'}#{number}", grid)
            truth = read_mask(f"{exam / 'seg-vb.nii.gz'}#{label}", grid)
            np.testing.assert_array_equal(mask.array, truth.array)


@pytest.mark.parametrize(
    ("source", "truth"),
    [("liver.dcm", "liver_seg.nrrd")]
    + [(f"partial_overlaps.dcm#{n}", f"partial_overlaps-{f}.nrrd#{n}")
       for n, f in ((1, 1), (2, 2), (3, 3), (4, 1), (5, 1))],
)  # fmt: skip
def test_what_dcmqi_wrote_equals_its_nrrd(reference: Path, source: str, truth: str) -> None:
    folder = reference / "dicom" / "dcmqi_ct_seg"
    image = read_image(folder / "ct-3slice")
    mask, wanted = (read_mask(f"{folder}/{each}", image) for each in (source, truth))
    np.testing.assert_array_equal(mask.array, wanted.array)


def test_the_small_file_of_dcmqi_whatever_it_is_called(reference: Path) -> None:
    folder = reference / "dicom" / "dcmqi_ct_seg" / "23x38x3"
    image = read_image(folder / "image")
    mask = read_mask(folder / "seg" / "label.seg", image)
    np.testing.assert_array_equal(
        mask.array, read_mask(folder / "nrrd" / "label.nrrd", image).array
    )


def test_what_highdicom_wrote(reference: Path) -> None:
    """Of three slices and one that is 162 steps away: those between are empty."""
    folder = reference / "dicom" / "highdicom_seg"
    assert [s.voxels for s in list_segments(folder / "seg_image_ct_binary.dcm")] == [638]
    labels = read_labels(folder / "seg_image_ct_binary_overlap.dcm")
    assert [(s.voxels, s.layer) for s in labels.segments] == [(64, 0), (16, 1)]
    assert labels.geometry.size == (16, 16, 165)
    assert labels.geometry.spacing == pytest.approx((0.488281, 0.488281, 1.25))
    for fractional in sorted(folder.glob("*fractional.dcm")):
        with pytest.raises(ImageError, match="FRACTIONAL") as caught:
            list_segments(fractional)
        assert caught.value.code == "fractional-segmentation"


def test_highdicom_reads_the_same(tmp_path: Path, reference: Path) -> None:
    """Every reference file, and ours, at the places where another reader sees it."""
    highdicom = pytest.importorskip("highdicom", reason="the oracle highdicom is not installed")
    folder = reference / "dicom"
    paths = [folder / "derived_tptbox_sagittal_t2" / "seg.dcm"]
    paths += sorted((folder / "dcmqi_ct_seg").glob("*.dcm"))
    paths += sorted((folder / "highdicom_seg").glob("*binary*.dcm"))
    for path in (path for path in paths if "fractional" not in path.name):
        found = highdicom.seg.segread(path)
        labels = read_labels(path)
        for segment in labels.segments:
            volume = found.get_volume(
                segment_numbers=[segment.label], combine_segments=False,
                allow_missing_positions=True,
            )  # fmt: skip
            index = np.argwhere(volume.array[..., 0])
            theirs = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
            ours = labels.geometry.position(np.argwhere(labels.region(segment))[:, ::-1])
            np.testing.assert_allclose(sorted_places(ours), sorted_places(theirs), atol=1e-4)


def sorted_places(places: NDArray) -> NDArray:
    return places[np.lexsort(np.round(places, 2).T)]


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("turns", range(6))
def test_what_highdicom_writes(write_series, tmp_path: Path, kind: str, turns: int) -> None:
    """Of volumes with turned and flipped axes, that hold a part of the image."""
    highdicom = pytest.importorskip("highdicom", reason="the oracle highdicom is not installed")
    from pydicom.sr.codedict import codes

    labels = np.random.default_rng(2).integers(0, 3, (6, 8, 9)).astype(np.uint8)
    labels[[1, 4]] = 0
    study = {"StudyInstanceUID": "1.2.5", "FrameOfReferenceUID": "1.2.9.1"}
    study |= dict.fromkeys(
        ("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyTime",
         "ReferringPhysicianName", "PositionReferenceIndicator"), "")  # fmt: skip
    folder = write_series(labels, changes=lambda k: study | {"InstanceNumber": k + 1})
    source = [dcmread(path) for path in sorted(folder.iterdir())]
    image = read_image(folder)
    volume = highdicom.get_volume_from_series(source)
    # Along which of its axes the volume has the slices in the order of the image:
    first = np.linalg.inv(volume.affine) @ [*image.geometry.origin, 1]
    volume = volume.with_array(labels if round(first[0]) == 0 else labels[::-1])
    axes = [(0, 1, 2), (2, 1, 0), (1, 2, 0)][turns % 3]
    volume = volume.permute_spatial_axes(axes)
    volume = volume.flip_spatial([0, 2]) if turns > 2 else volume.flip_spatial([1])
    written = highdicom.seg.Segmentation(
        source, volume, kind,
        [highdicom.seg.SegmentDescription(n, f"L{n}", codes.SCT.Tissue, codes.SCT.Bone, "MANUAL")
         for n in (1, 2)],
        "1.2.6", 1, f"1.2.6.{turns}", 1, "m", "m", "1", "1",
        transfer_syntax_uid=ExplicitVRLittleEndian if kind == "BINARY" else RLELossless,
    )  # fmt: skip
    written.save_as(tmp_path / "s.dcm")
    for number in (1, 2):
        mask = read_mask(f"{tmp_path / 's.dcm'}#L{number}", image)
        np.testing.assert_array_equal(mask.array, labels == number)


# What must hold of any


KINDS = [
    ("BINARY", 1, ExplicitVRLittleEndian),
    ("BINARY", 1, ImplicitVRLittleEndian),
    ("BINARY", 1, DeflatedExplicitVRLittleEndian),
    ("BINARY", 8, RLELossless),
    ("LABELMAP", 8, ExplicitVRLittleEndian),
    ("LABELMAP", 8, RLELossless),
    ("LABELMAP", 16, ImplicitVRLittleEndian),
    ("LABELMAP", 16, RLELossless),
]


@given(
    kind=st.sampled_from(KINDS),
    stored=st.sampled_from(ORIENTATIONS),
    empty=st.sets(st.integers(0, 7), max_size=7),
    order=st.randoms(use_true_random=False),
    seed=st.integers(0, 9),
    decimals=st.sampled_from([2, 6]),
)
@settings(deadline=None)
def test_voxels_come_back_where_they_were(
    tmp_path_factory, kind, stored, empty, order, seed, decimals
) -> None:
    """Axes in any order, slices left out, frames in any order, positions rounded."""
    kind, bits, syntax = kind
    numbers = (1, 300 if bits == 16 else 7)
    labels = np.random.default_rng(seed).choice([0, *numbers], OBLIQUE.shape)
    labels[list(empty)] = 0
    parts = {n: turned(Mask(labels == n, OBLIQUE), stored) for n in numbers}
    grid = parts[1].geometry
    regions = {n: part.array for n, part in parts.items()}
    together = sum(n * region.astype(np.uint16) for n, region in regions.items())
    frames = frames_of(regions) if kind == "BINARY" else label_frames(together)
    if not frames:
        return
    order.shuffle(frames)
    names = {n: f"L{n}" for n in numbers}
    header = segmentation(
        grid, frames, names, kind=kind, bits=bits, decimals=decimals,
        measures={"SliceThickness": 3.0},
    )  # fmt: skip
    path = save(tmp_path_factory.mktemp("s") / "s.dcm", header, syntax)
    for n, name in names.items():
        mask = read_mask(f"{path}#{name}", OBLIQUE, tolerance_mm=0.03)
        np.testing.assert_array_equal(mask.array, labels == n)
    assert np.linalg.det(read_labels(path).geometry.axes) > 0, "left-handed axes"


def test_bits_of_frames_that_end_within_a_byte(written, grid: Geometry) -> None:
    """Frames of 72 pixels, and of 63: the second begins with the last bit of a byte."""
    small = Geometry((9, 7, 5), grid.spacing, grid.origin, grid.direction)
    region = body(small)
    header = segmentation(small, frames_of({1: region}), {1: "L1"})
    path = save(written({1: body(grid)}).parent / "odd.dcm", header)
    np.testing.assert_array_equal(read_mask(path, small).array, region)


def test_a_length_that_looks_like_a_kind_of_value(tmp_path: Path) -> None:
    """Without kinds in the file, 16706 bytes of pixels begin with the letters BA."""
    grid = Geometry((8353, 2, 1), (0.1, 0.7, 4.4))
    labels = np.where(body(grid), 1, 0)
    header = segmentation(grid, label_frames(labels), {1: "L1"}, kind="LABELMAP", bits=8)
    path = save(tmp_path / "s.dcm", header, ImplicitVRLittleEndian)
    np.testing.assert_array_equal(read_mask(path, grid).array, labels == 1)


def test_the_order_of_frames_changes_no_voxel(written, grid: Geometry) -> None:
    regions = {1: body(grid), 2: body(grid, 2)}
    digests = set()
    for step in (1, -1):
        names = {1: "L1", 2: "L2"}
        header = segmentation(grid, frames_of(regions)[::step], names)
        path = save(written(regions).parent / "r.dcm", header)
        digests.add(content_digest(read_mask(f"{path}#1", grid)))
    assert len(digests) == 1


def test_overlapping_segments_lie_in_as_few_layers_as_they_need(written, grid: Geometry) -> None:
    a, b = body(grid), body(grid, 2)
    path = written({1: a, 2: b, 3: ~a, 4: ~b})
    assert [segment.layer for segment in list_segments(path)] == [0, 1, 0, 1]
    for number, region in {1: a, 2: b, 3: ~a, 4: ~b}.items():
        np.testing.assert_array_equal(read_mask(f"{path}#{number}", grid).array, region)


def test_segments_by_label_and_number(written, grid: Geometry) -> None:
    path = written({2: body(grid), 9: ~body(grid)}, measures={"SliceThickness": 4.0})
    assert [(s.name, s.label) for s in list_segments(path)] == [("L2", 2), ("L9", 9)]
    by_label, by_number = (read_mask(f"{path}#{part}", grid) for part in ("L9", "9"))
    np.testing.assert_array_equal(by_label.array, by_number.array)
    assert [mask.name for mask in read_masks(path)] == ["L2", "L9"]
    with pytest.raises(ImageError, match=r"(?s)found 0.*'L2' \(label 2, layer 0") as caught:
        read_mask(f"{path}#L3", grid)
    assert caught.value.code == "choose-segment"


@pytest.mark.parametrize(
    ("label", "name"),
    [("L1 Körper", "L1 Körper"), ("", "1"), ("a\\b", "a\\b"), (" L1\x0b\n ", "L1")],
)
def test_names_of_segments(written, grid: Geometry, label: str, name: str) -> None:
    def called(header: Dataset) -> None:
        header.SegmentSequence[0].SegmentLabel = label

    assert [s.name for s in list_segments(written({1: body(grid)}, called))] == [name]


def test_a_segment_in_which_nothing_was_drawn_has_no_voxels(written, grid: Geometry) -> None:
    nothing = np.zeros(grid.shape, bool)
    path = written({1: body(grid), 2: nothing})
    assert [s.voxels > 0 for s in list_segments(path)] == [True, False]
    assert read_mask(f"{path}#L2", grid).n_voxels == 0


@pytest.mark.parametrize("background", [None, 0, 3, 255])
def test_the_background_of_a_labelmap(tmp_path: Path, grid: Geometry, background) -> None:
    """It is no segment, described or not, and fills the slices that are not there."""
    own = background or 0
    labels = np.where(body(grid), 5, own)
    labels[2] = own
    frames = [(0, z, pixels) for z, pixels in enumerate(labels) if z != 2]
    header = segmentation(grid, frames, {own: "Background", 5: "L5"}, kind="LABELMAP", bits=8)
    if background is not None:
        header.PixelPaddingValue = background
    path = save(tmp_path / "s.dcm", header)
    assert [(s.name, s.voxels) for s in list_segments(path)] == [("L5", (labels == 5).sum())]
    np.testing.assert_array_equal(read_mask(path, grid).array, labels == 5)


def test_a_segment_with_the_number_0_is_none_of_the_slices_between(tmp_path, grid) -> None:
    labels = np.where(body(grid), 0, 255)
    frames = [(0, z, pixels) for z, pixels in enumerate(labels) if z != 2]
    header = segmentation(grid, frames, {0: "L0"}, kind="LABELMAP", bits=8)
    header.PixelPaddingValue = 255
    mask = read_mask(f"{save(tmp_path / 's.dcm', header)}#L0", grid)
    labels[2] = 255
    np.testing.assert_array_equal(mask.array, labels == 0)


def test_what_the_history_says_and_what_it_does_not(written, grid: Geometry) -> None:
    mask = read_mask(written({1: body(grid)}), grid)
    said = dict(mask.history[0].parameters)
    assert said.pop(FRAME) not in (SEG_FRAME, "")
    assert said.pop("sha256") == source_digest(written({1: body(grid)}))
    assert said == {
        "format": "DICOM SEG", "segmentation_type": "BINARY", "algorithm_types": ["MANUAL"],
        "slice_step_from": "positions", "segment": "L1", "label": 1,
    }  # fmt: skip


def test_no_name_of_a_person_is_kept(written, grid: Geometry) -> None:
    def say(header: Dataset) -> None:
        header.SegmentSequence[0].SegmentAlgorithmType = "ROTH ANNA"

    path = written({1: body(grid)}, say)
    mask = read_mask(path, grid)
    told = repr((mask.name, mask.history, list_segments(path))).casefold()
    assert not [name for name in ("roth", "anna", "doe", "jane", "4711") if name in told]
    assert mask.history[0].parameters["algorithm_types"] == []


def test_any_byte_changes_the_digest(written, grid: Geometry) -> None:
    path = written({1: body(grid)})
    whole, digests = path.read_bytes(), set()
    for k in (0, 200, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :])
        digests.add(source_digest(path))
    assert len(digests) == 4


# Where slices lie


@pytest.mark.parametrize("measures", [{}, {"SpacingBetweenSlices": 9.0}, {"SliceThickness": 3.0},
                                      {"SpacingBetweenSlices": 0.0}, {"SpacingBetweenSlices": -4.4},
                                      {"SpacingBetweenSlices": 1.1}])  # fmt: skip
def test_positions_say_how_far_slices_are_apart(written, grid, measures) -> None:
    """Whatever stands beside them: a step of 1.1 would have left out three slices of four."""
    region = body(grid)
    region[[0, 3]] = False
    mask = read_mask(written({1: region}, measures=measures), grid)
    assert mask.history[0].parameters["slice_step_from"] == "positions"
    assert mask.geometry.spacing[2] == pytest.approx(4.4)
    np.testing.assert_array_equal(mask.array, region)


ALONE: dict[str, tuple[dict[str, float], str]] = {
    "nothing": ({}, "8.8 mm apart, and it does not state"),
    "the step of the image": ({"SpacingBetweenSlices": 4.4}, "states slices of 4.4 mm"),
    "one that positions refute": ({"SpacingBetweenSlices": 5.0}, "does not state"),
    "a thickness with a gap": ({"SliceThickness": 4.0}, "states slices of 4 mm"),
    "that step": ({"SpacingBetweenSlices": 8.8, "SliceThickness": 4.0}, ""),
    "a thickness of that step": ({"SliceThickness": 8.0}, ""),
}
"""What the file says of its step, and why it is in doubt all the same."""


@pytest.mark.parametrize("stated", ALONE)
def test_every_second_slice_without_the_image(written, grid: Geometry, stated: str) -> None:
    """Read as slices of 8.8 mm, a body would have gained half its volume without a word."""
    measures, doubt = ALONE[stated]
    region = body(grid)
    region[[1, 3]] = False
    path = written({1: region}, measures=measures)
    assert doubt in read_labels(path).doubt
    assert bool(doubt) == bool(read_labels(path).doubt)
    assert list_segments(path)[0].voxels == region.sum()
    if not doubt:
        assert read_masks(path)[0].geometry.spacing[2] == pytest.approx(8.8)
        return
    other = Geometry((40, 40, 30), (1, 1, 1), grid.origin, grid.direction)
    for read in (read_masks, partial(read_mask, image=other, on_mismatch="resample")):
        with pytest.raises(ImageError, match=doubt) as caught:
            read(path)
        assert caught.value.code == "needs-image"
    mask = read_mask(path, grid)
    np.testing.assert_array_equal(mask.array, region)
    assert not read_labels(path, image=grid).doubt


SPARSE = {
    "stated": ({"SpacingBetweenSlices": 4.4}, "SpacingBetweenSlices"),
    "stated, and refuted by the positions": ({"SpacingBetweenSlices": 4.0}, "image"),
    "not stated: that of the image": ({}, "image"),
    "not stated, but the thickness is": ({"SliceThickness": 2.0}, "image"),
}


@pytest.mark.parametrize("case", SPARSE)
def test_two_slices_with_others_between_them(written, grid: Geometry, case: str) -> None:
    measures, source = SPARSE[case]
    region = body(grid)
    region[[0, 2, 3]] = False
    mask = read_mask(written({1: region}, measures=measures), grid)
    np.testing.assert_array_equal(mask.array, region)
    assert mask.history[0].parameters["slice_step_from"] == source


def test_slices_without_a_common_step(tmp_path: Path) -> None:
    """13 and 27 steps away: by themselves no stack, and one on the image, or by what is stated."""
    image = Geometry((9, 8, 41), (0.6, 0.7, 2.2))
    region = np.zeros(image.shape, bool)
    region[[0, 13, 40]] = body(Geometry((9, 8, 3), (1, 1, 1)))
    for measures, source in (
        ({}, "image"),
        ({"SpacingBetweenSlices": 2.2}, "SpacingBetweenSlices"),
    ):
        header = segmentation(image, frames_of({1: region}), {1: "L1"}, measures=measures)
        path = save(tmp_path / "s.dcm", header)
        mask = read_mask(path, image)
        np.testing.assert_array_equal(mask.array, region)
        assert mask.history[0].parameters["slice_step_from"] == source
        if measures:
            assert read_labels(path).geometry.size == image.size
        else:
            with pytest.raises(ImageError, match="no multiples of one step"):
                read_labels(path)


def test_a_stack_that_says_it_is_thinner_than_the_image_is_none_of_its_slices(
    written, grid: Geometry
) -> None:
    """By its positions and by the image it could be one."""
    region = body(grid)
    region[[1, 3]] = False
    path = written({1: region}, measures={"SpacingBetweenSlices": 2.2})
    with pytest.raises(GeometryError, match="not on the grid"):
        read_mask(path, grid)


def test_a_stack_that_says_it_is_coarser_than_the_image_is_none_of_its_slices(
    written, grid: Geometry
) -> None:
    """Voxels of 8.8 mm: to leave out every second slice would halve the body without a word."""
    region = body(grid)
    region[[1, 3]] = False
    path = written({1: region}, measures={"SpacingBetweenSlices": 8.8})
    with pytest.raises(GeometryError, match="not on the grid"):
        read_mask(path, grid)
    thick = read_mask(path, grid, on_mismatch="resample")
    assert thick.array[1].any()


ONE_SLICE = {
    "stated": ({"SpacingBetweenSlices": 4.4, "SliceThickness": 4.0}, True, "SpacingBetweenSlices"),
    "of the image": ({"SliceThickness": 4.0}, True, "image"),
    "alone, by its thickness": ({"SliceThickness": 4.0}, False, "SliceThickness"),
    "a step that is none": ({"SpacingBetweenSlices": -4.4}, True, "image"),
    "a thickness of nothing": ({"SliceThickness": 0.0}, True, "image"),
}


@pytest.mark.parametrize("case", ONE_SLICE)
def test_a_single_slice(written, grid: Geometry, case: str) -> None:
    measures, with_image, source = ONE_SLICE[case]
    region = body(grid)
    region[[0, 1, 2, 4]] = False
    path = written({1: region}, measures=measures)
    mask = read_masks(path, grid if with_image else None)[0]
    assert mask.history[0].parameters["slice_step_from"] == source
    assert mask.n_voxels == region.sum()
    if with_image:
        np.testing.assert_array_equal(mask.array, region)


def test_a_single_slice_of_unknown_thickness(written, grid: Geometry) -> None:
    region = body(grid)
    region[1:] = False
    with pytest.raises(ImageError, match="in one slice alone") as caught:
        read_masks(written({1: region}))
    assert caught.value.code == "no-spacing"


@given(
    step=st.floats(1, 8),
    gaps=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    decimals=st.sampled_from([2, 3, 6]),
)
def test_the_common_step_survives_rounding(step: float, gaps: list[int], decimals: int) -> None:
    """Slices are counted right across gaps of dozens; one gap alone is off by a hundredth."""
    index = np.cumsum([0, 1, *gaps])
    distances = np.round(index * step, decimals)
    found = common_step(distances)
    assert found is not None
    np.testing.assert_array_equal(np.rint(distances / found), index)


def test_slices_behind_a_long_gap_are_counted_right() -> None:
    """Of 0.977 mm the first step reads as 0.97: 300 steps of it are two too many."""
    index = np.cumsum([0] + [1] * 60 + [300])
    found = common_step(np.round(index * 0.977, 2))
    np.testing.assert_array_equal(np.rint(index[-1] * 0.977 / np.array(found)), index[-1])


def test_positions_of_one_slice_that_are_rounded_otherwise(written, grid: Geometry) -> None:
    def rounded(k: int, frame: Dataset) -> None:
        if frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber == 2:
            place = frame.PlanePositionSequence[0].ImagePositionPatient
            place[0] = DSfloat(f"{float(place[0]) - 0.004:.4f}")

    regions = {1: body(grid), 2: body(grid, 2)}
    path = written(regions, _of_frames(rounded))
    assert read_labels(path).geometry.size == grid.size
    for number, region in regions.items():
        np.testing.assert_array_equal(read_mask(f"{path}#{number}", grid).array, region)


def test_dimension_indices_say_nothing_of_places(written, grid: Geometry) -> None:
    def nonsense(header: Dataset) -> None:
        for frame in header.PerFrameFunctionalGroupsSequence:
            frame.FrameContentSequence[0].DimensionIndexValues = [77, 0, 4294967295]

    region = body(grid)
    np.testing.assert_array_equal(read_mask(written({1: region}, nonsense), grid).array, region)


def test_groups_may_stand_with_each_frame(written, grid: Geometry) -> None:
    def move(header: Dataset) -> None:
        shared = header.SharedFunctionalGroupsSequence[0]
        for frame in header.PerFrameFunctionalGroupsSequence:
            frame.PlaneOrientationSequence = shared.PlaneOrientationSequence
            frame.PixelMeasuresSequence = shared.PixelMeasuresSequence
            del frame.SegmentIdentificationSequence
        segment = Dataset()
        segment.ReferencedSegmentNumber = 1
        shared.SegmentIdentificationSequence = [segment]
        del shared.PlaneOrientationSequence, shared.PixelMeasuresSequence

    region = body(grid)
    np.testing.assert_array_equal(read_mask(written({1: region}, move), grid).array, region)


# Frames of reference


@pytest.fixture
def exam(write_series, grid: Geometry) -> Callable[..., Volume]:
    """An image on the sagittal grid, of a frame of reference."""

    def _exam(*frames: str) -> Volume:
        def named(k: int) -> dict[str, str]:
            return {"FrameOfReferenceUID": frames[k % len(frames)]} if frames else {}

        return read_image(write_series(body(grid) * 100, changes=named))

    return _exam


@pytest.mark.parametrize(
    ("of_image", "of_mask"),
    [((SEG_FRAME,), SEG_FRAME), ((), SEG_FRAME), ((SEG_FRAME,), ""), (("1.2", "1.3"), SEG_FRAME)],
    ids=["the same", "the image has none", "the mask has none", "the image has several"],
)
def test_a_frame_of_reference_that_is_no_other(exam, tmp_path, of_image, of_mask) -> None:
    image = exam(*of_image)
    region = body(image.geometry)
    header = segmentation(image.geometry, frames_of({1: region}), {1: "L1"}, frame=of_mask)
    mask = read_mask(save(tmp_path / "s.dcm", header), image)
    np.testing.assert_array_equal(mask.array, region)


def test_another_frame_of_reference_is_refused(exam, tmp_path: Path) -> None:
    image = exam("1.2.9.77")
    region = body(image.geometry)
    header = segmentation(image.geometry, frames_of({1: region}), {1: "L1"})
    path = save(tmp_path / "s.dcm", header)
    for read in (read_mask, read_masks):
        for rule in ("refuse", "resample"):
            with pytest.raises(ImageError, match="another frame of reference") as caught:
                read(path, image, on_mismatch=rule)
            assert caught.value.code == "other-frame-of-reference"
            assert SEG_FRAME not in describe(caught.value)
    prepared = image.with_array(image.array + 1, image.history[0])
    with pytest.raises(ImageError, match="another frame of reference"):
        read_mask(path, prepared)
    np.testing.assert_array_equal(read_mask(path, image.geometry).array, region)


def test_the_uid_of_the_frame_is_not_kept(exam) -> None:
    parameters = exam("1.2.9.77").history[0].parameters
    assert len(parameters[FRAME]) == 64
    assert "1.2.9.77" not in repr(parameters)
    assert FRAME not in exam().history[0].parameters


# Refused


def _of_frames(change: Callable[[int, Dataset], object]) -> Callable[[Dataset], None]:
    def changed(header: Dataset) -> None:
        for k, frame in enumerate(header.PerFrameFunctionalGroupsSequence):
            change(k, frame)

    return changed


def _moved(axis: int, mm: float, frame: int = 1) -> Callable[[Dataset], None]:
    def move(k: int, own: Dataset) -> None:
        place = own.PlanePositionSequence[0].ImagePositionPatient
        if k == frame:
            place[axis] = DSfloat(f"{float(place[axis]) + mm:.4f}")

    return _of_frames(move)


def _own_plane(k: int, frame: Dataset, keyword: str, group: str, value: list[float]) -> None:
    if k == 2:
        item = Dataset()
        setattr(item, keyword, value)
        setattr(frame, group, [item])


def _set(**entries: Any) -> Callable[[Dataset], None]:
    def change(header: Dataset) -> None:
        for keyword, value in entries.items():
            setattr(header, keyword, value)

    return change


def _without(*keywords: str) -> Callable[[Dataset], None]:
    def change(header: Dataset) -> None:
        for keyword in keywords:
            delattr(header, keyword)

    return change


REFUSED: dict[str, tuple[Callable[[Dataset], object], str, str]] = {
    "fractional": (_set(SegmentationType="FRACTIONAL"), "fractional-segmentation", "FRACTIONAL"),
    "of no type": (_without("SegmentationType"), "damaged-file", "BINARY or LABELMAP"),
    "a slide": (_set(TotalPixelMatrixColumns=900, TotalPixelMatrixRows=900), "whole-slide", "tile"),
    "no groups": (
        _without("PerFrameFunctionalGroupsSequence"), "no-functional-groups", "no functional group"
    ),
    "no groups at all": (
        _without("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"),
        "no-functional-groups", "no functional group",
    ),
    "no orientation": (
        _without("SharedFunctionalGroupsSequence"), "no-position", "ImageOrientationPatient"
    ),
    "a frame without a place": (
        _of_frames(lambda k, frame: k == 2 and delattr(frame, "PlanePositionSequence")),
        "no-position", "1 of its 5 frames, the first of them number 3",
    ),
    "a position of two numbers": (
        _of_frames(lambda k, f: setattr(f.PlanePositionSequence[0], "ImagePositionPatient",
                                        [1, 2])),
        "no-position", "5 of its 5 frames",
    ),
    "a position without end": (
        _of_frames(lambda k, f: setattr(f.PlanePositionSequence[0], "ImagePositionPatient",
                                        [1, 2, DSfloat("1e300")])),
        "no-position", "lack a readable ImagePositionPatient",
    ),
    "pixels of no size": (
        lambda h: setattr(h.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0],
                          "PixelSpacing", [0.0, 0.6]),
        "no-position", "PixelSpacing",
    ),
    "two orientations": (
        _of_frames(lambda k, f: _own_plane(k, f, "ImageOrientationPatient",
                                           "PlaneOrientationSequence", [1, 0, 0, 0, 1, 0])),
        "several-orientations", "frame 3",
    ),
    "two pixel sizes": (
        _of_frames(lambda k, f: _own_plane(k, f, "PixelSpacing", "PixelMeasuresSequence", [1, 1])),
        "several-sizes", "frame 3",
    ),
    "a step of another length": (_moved(0, 1.37), "uneven-slices", "multiples of one step"),
    "a slice that is shifted in its plane": (_moved(2, 0.5), "uneven-slices", "frame 2 lies 0.500"),
    "two frames at one place": (_moved(0, 4.4), "repeated-position", "one frame of 'L1'"),
    "a number that is not described": (
        _of_frames(lambda k, f: setattr(f.SegmentIdentificationSequence[0],
                                        "ReferencedSegmentNumber", 1 + k // 4)),
        "undescribed-segment", "segment 2, none of the 1",
    ),
    "a frame of no segment": (
        _of_frames(lambda k, f: k == 3 and delattr(f, "SegmentIdentificationSequence")),
        "undescribed-segment", "its frame 4",
    ),
    "no segments": (_without("SegmentSequence"), "damaged-file", "describes no segments"),
    "two segments of one number": (
        lambda h: setattr(h, "SegmentSequence", [*h.SegmentSequence, *h.SegmentSequence]),
        "damaged-file", "with the number 1",
    ),
    "a segment that is the background": (
        lambda h: setattr(h.SegmentSequence[0], "SegmentNumber", 0), "damaged-file", "number 0"
    ),
    "more frames than are described": (
        _set(NumberOfFrames=10**9), "damaged-file", "1000000000 frames, and describes 5"
    ),
    "fewer frames than are described": (_set(NumberOfFrames=4), "damaged-file", "4 frames"),
    "no number of frames": (_without("NumberOfFrames"), "damaged-file", "None frames"),
    "fewer bytes than pixels": (_set(Rows=80), "damaged-file", "bytes of pixels, found 46"),
    "a byte less than pixels": (
        lambda h: setattr(h, "PixelData", h.PixelData[:-2]), "damaged-file", "45 bytes of pixels"
    ),
    "more bytes than pixels": (_set(Rows=4), "damaged-file", "bytes of pixels, found 46"),
    "no rows": (_without("Rows"), "damaged-file", "9 x None pixels"),
    "more pixels than there is memory": (
        _set(Rows=65535, Columns=65535), "damaged-file", "65535 x 65535 pixels"
    ),
    "bits of another type": (
        _set(BitsAllocated=16, BitsStored=16), "damaged-file", "16 bits in 16"
    ),
    "bits that are not used": (_set(BitsAllocated=8), "damaged-file", "1 bits in 8"),
    "colours": (_set(SamplesPerPixel=3), "damaged-file", "3 samples"),
    "no pixels": (_without("PixelData"), "damaged-file", "found 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(written, grid: Geometry, case: str) -> None:
    change, code, message = REFUSED[case]
    path = written({1: body(grid)}, change)
    with pytest.raises(ImageError, match=message) as caught:
        read_mask(path, grid)
    assert (caught.value.code, caught.value.file) == (code, "s.dcm")
    assert "Roth" not in describe(caught.value)
    assert str(path.parent) not in describe(caught.value)


@pytest.mark.parametrize("part", [-1.5e-4, -0.5e-4, 0.5e-4, 1.5e-4])
def test_pixel_sizes_that_differ_by_rounding_are_one(written, grid: Geometry, part: float) -> None:
    """Relative to the size: a ten-thousandth of it, whatever it is."""
    column, row, _ = grid.spacing
    other = [round(size * (1 + part), 8) for size in (row, column)]
    change = _of_frames(
        lambda k, f: _own_plane(k, f, "PixelSpacing", "PixelMeasuresSequence", other)
    )
    path = written({1: body(grid)}, change)
    if abs(part) < 1e-4:
        np.testing.assert_array_equal(read_mask(path, grid).array, body(grid))
        return
    with pytest.raises(ImageError, match="frame 3") as caught:
        read_mask(path, grid)
    assert caught.value.code == "several-sizes"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda labels: np.where(labels > 0, 9, 0), "segment 9, none of the 1"),
        (lambda labels: labels, ""),
    ],
)
def test_labels_that_are_not_described(tmp_path: Path, grid: Geometry, change, message) -> None:
    labels = change(np.where(body(grid), 5, 0))
    header = segmentation(grid, label_frames(labels), {5: "L5"}, kind="LABELMAP", bits=8)
    path = save(tmp_path / "s.dcm", header)
    if not message:
        assert read_mask(path, grid).n_voxels == np.count_nonzero(labels)
        return
    with pytest.raises(ImageError, match=message) as caught:
        read_mask(path, grid)
    assert caught.value.code == "undescribed-segment"


def test_a_binary_segmentation_has_two_values(written, grid: Geometry) -> None:
    with pytest.raises(ImageError, match="it is BINARY, and a pixel has the value 2"):
        list_segments(written({1: body(grid) * 2}, bits=8))


def test_a_labelmap_in_which_a_slice_comes_twice(tmp_path: Path, grid: Geometry) -> None:
    frames = label_frames(np.where(body(grid), 1, 0))
    header = segmentation(grid, [*frames, frames[0]], {1: "L1"}, kind="LABELMAP", bits=8)
    with pytest.raises(ImageError, match="found several at one position") as caught:
        list_segments(save(tmp_path / "s.dcm", header))
    assert caught.value.code == "repeated-position"


def test_transfer_syntaxes_that_are_not_read(written, grid: Geometry) -> None:
    path = written({1: body(grid)})
    whole = path.read_bytes()
    old = b"1.2.840.10008.1.2.1\0"
    for new in (
        b"1.2.840.10008.1.2.2\0",
        b"1.2.840.10008.1.2.5\0",
        b"1.2.3.4.5\0\0\0\0\0\0\0\0\0\0\0",
    ):
        path.write_bytes(whole.replace(old, new))
        with pytest.raises(ImageError) as caught:
            list_segments(path)
        assert caught.value.code == "transfer-syntax"
    assert ExplicitVRBigEndian not in dicom_object.READ_SYNTAXES


def test_other_dicom_objects_are_no_masks(write_series, written, stack, grid: Geometry) -> None:
    folder = write_series(stack)
    slice_ = next(folder.iterdir())
    surface = "1.2.840.10008.5.1.4.1.1.66.5"

    def of_kind(header: Dataset) -> None:
        header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = surface

    other = written({1: body(grid)}, of_kind)
    for path, found in ((folder, "a folder"), (slice_, "DICOM of the kind MR Image Storage"),
                        (other, "DICOM of the kind Surface Segmentation Storage")):  # fmt: skip
        with pytest.raises(ImageError, match=found) as caught:
            read_mask(path, grid)
        assert caught.value.code == "not-a-label-image"


def test_the_content_says_what_a_file_is(written, grid: Geometry) -> None:
    path = written({1: body(grid)})
    for name in ("s.nii.gz", "s", "s.nrrd"):
        path = path.rename(path.with_name(name))
        assert read_mask(path, grid).n_voxels == body(grid).sum()
    with pytest.raises(ImageError, match="expected a folder with the slices"):
        read_image(path)


# Hostile


def test_a_file_that_ends_anywhere_is_refused(written, grid: Geometry) -> None:
    path = written({1: body(grid)})
    whole = path.read_bytes()
    for end in [*range(132, len(whole) - 1, 37), len(whole) - 2]:
        path.write_bytes(whole[:end])
        with pytest.raises(ImageError):
            list_segments(path)


def test_pixels_that_are_text(written, grid: Geometry) -> None:
    path = written({1: body(grid)})
    whole, tag = path.read_bytes(), b"\xe0\x7f\x10\x00"
    assert whole.count(tag + b"OB") + whole.count(tag + b"OW") == 1
    path.write_bytes(whole.replace(tag + b"OB", tag + b"UT").replace(tag + b"OW", tag + b"UT"))
    with pytest.raises(ImageError, match="its pixels are no bytes"):
        list_segments(path)


def test_compressed_frames_that_end_anywhere(tmp_path: Path, grid: Geometry) -> None:
    header = segmentation(grid, label_frames(body(grid) * 1), {1: "L1"}, kind="LABELMAP", bits=8)
    whole = encoded(header, RLELossless)
    path = tmp_path / "s.dcm"
    for end in range(len(whole) - 400, len(whole) - 8, 7):
        path.write_bytes(whole[:end])
        with pytest.raises(ImageError):
            list_segments(path)


def nested(depth: int, *, undefined: bool) -> bytes:
    """Functional groups within each other; each item holds the next sequence."""
    inner = b""
    for _ in range(depth):
        length = 0xFFFFFFFF if undefined else len(inner)
        item = struct.pack("<HHL", 0xFFFE, 0xE000, length) + inner
        if undefined:
            item += struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
        length = 0xFFFFFFFF if undefined else len(item)
        inner = struct.pack("<HH2sHL", 0x5200, 0x9230, b"SQ", 0, length) + item
        if undefined:
            inner += struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    return inner


@pytest.mark.parametrize("undefined", [True, False])
def test_sequences_within_sequences(written, grid: Geometry, undefined: bool) -> None:
    path = written({1: body(grid)}, _without("PixelData", "PerFrameFunctionalGroupsSequence"))
    path.write_bytes(path.read_bytes() + nested(3000, undefined=undefined))
    began = time.process_time()
    with pytest.raises(ImageError):
        list_segments(path)
    assert time.process_time() - began < 10


def test_more_items_or_sequences_than_frames_can_have(
    written, grid: Geometry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 1 MB with 131 072 items pydicom would make 95 MB of objects."""
    monkeypatch.setattr(pydicom.filereader, "read_sequence", _never)
    path = written({1: body(grid)}, _without("PixelData", "PerFrameFunctionalGroupsSequence"))
    head, many = path.read_bytes(), dicom_object.MOST_ITEMS + 1
    assert many < 300_000
    groups = struct.pack("<HH2sHL", 0x5200, 0x9230, b"SQ", 0, 0xFFFFFFFF)
    item, end = (struct.pack("<HHL", 0xFFFE, mark, 0) for mark in (0xE000, 0xE0DD))
    inner = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    for content in (item * many, inner + (groups + end) * many):
        path.write_bytes(head + groups + content)
        with pytest.raises(ImageError, match="have some 262"):
            list_segments(path)


def _never(*_: object, **__: object) -> None:
    raise AssertionError("sequences are not read")


def test_what_a_deflated_file_becomes_is_bounded(written, grid: Geometry, monkeypatch) -> None:
    path = written({1: body(grid)}, syntax=DeflatedExplicitVRLittleEndian)
    assert read_mask(path, grid).n_voxels == body(grid).sum()
    monkeypatch.setattr(dicom_object, "LARGEST_INFLATED", 500)
    with pytest.raises(ImageError, match="unpacks to more than 500 bytes"):
        list_segments(path)


def test_a_header_that_is_too_long(written, grid: Geometry, monkeypatch) -> None:
    monkeypatch.setattr(dicom_object, "LARGEST_HEADER", 1000)
    with pytest.raises(ImageError):
        list_segments(written({1: body(grid)}))


def test_a_grid_and_layers_are_bounded(written, grid: Geometry, monkeypatch) -> None:
    far = _moved(0, -4.4 * 10_000, frame=4)
    path = written({1: body(grid)}, far)
    assert read_labels(path).geometry.size[2] == 10_005
    monkeypatch.setattr(seg, "MOST_VOXELS", 10_000 * 72)
    with pytest.raises(ImageError, match="720360 voxels"):
        list_segments(path)
    monkeypatch.setattr(seg, "MOST_LAYERS", 2)
    full = np.ones(grid.shape, bool)
    with pytest.raises(ImageError, match="needs 3 layers"):
        list_segments(written({1: full, 2: full, 3: full}))


def test_compressed_frames_that_are_other_than_they_say(tmp_path: Path, grid: Geometry) -> None:
    """A frame less, one more, one that is longer than pixels can be compressed to, and no RLE."""
    frames = label_frames(body(grid) * 1)
    header = segmentation(grid, frames, {1: "L1"}, kind="LABELMAP", bits=8)
    path = save(tmp_path / "s.dcm", header, RLELossless)
    found = dcmread(path)
    from pydicom.encaps import encapsulate, generate_frames

    packed = list(generate_frames(found.PixelData, number_of_frames=len(frames)))
    longer, other_kind = [packed[0] + bytes(2000), *packed[1:]], [b"\1" * 70, *packed[1:]]
    for other in (packed[:-1], [*packed, packed[0]], longer, other_kind):
        found.PixelData = encapsulate(other)
        found.save_as(path)
        with pytest.raises(ImageError) as caught:
            list_segments(path)
        assert caught.value.code == "damaged-file"
