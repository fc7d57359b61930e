"""Enhanced multi-frame images: placed by positions, chosen by name, refused where it is open."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    EnhancedPETImageStorage,
    ImplicitVRLittleEndian,
    LegacyConvertedEnhancedCTImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    RLELossless,
)

from centrum.errors import CentrumError, GeometryError, ImageError
from centrum.geometry import Geometry
from centrum.io import (
    gzipped,
    inspect_image,
    list_series,
    read_image,
    read_mask,
    source_digest,
)
from centrum.measure.acquisition import acquisition_facts, with_manifest
from tests.io.codestreams import LOSSLESS, LOSSY, PICTURE, STREAMS, compressed, shown
from tests.io.drawing import squares, structure_set, written
from tests.io.enhanced_files import SHARED, MadeFrame, enhanced, frames_of_stack, shuffled
from tests.io.seg_files import _item, frames_of, save, segmentation

Save = Callable[..., Path]


@pytest.fixture
def array() -> NDArray:
    """Five different slices of the grid."""
    return np.random.default_rng(1).integers(0, 4000, (5, 8, 9)).astype("u2")


@pytest.fixture
def saved(tmp_path: Path) -> Save:
    def _saved(header: Dataset, name: str = "e.dcm", syntax: str = "") -> Path:
        header.file_meta.TransferSyntaxUID = syntax or header.file_meta.TransferSyntaxUID
        header.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return _saved


def refused(source: object, code: str, message: str | None = None) -> ImageError:
    with pytest.raises(ImageError, match=message) as caught:
        read_image(str(source))
    assert caught.value.code == code, str(caught.value)
    return caught.value


def echoes(array: NDArray) -> list[MadeFrame]:
    """Two echoes of each slice, the second a tenth."""
    return shuffled([
        frame
        for time, pixels in ((20.5, array), (80.0, array // 10))
        for frame in frames_of_stack(pixels, MREchoSequence={"EffectiveEchoTime": time})
    ])  # fmt: skip


# One stack


@pytest.mark.parametrize(
    "kind",
    [EnhancedMRImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedMRImageStorage,
     LegacyConvertedEnhancedCTImageStorage],
)  # fmt: skip
def test_frames_in_any_order_lie_where_they_say(saved, grid: Geometry, array, kind: str) -> None:
    volume = read_image(saved(enhanced(grid, shuffled(frames_of_stack(array)), kind=kind)))
    np.testing.assert_array_equal(volume.array, array)
    assert volume.geometry.same_grid(grid)
    assert np.linalg.det(volume.geometry.axes) == pytest.approx(1)
    assert volume.array.dtype == np.uint16
    assert volume.history[0].parameters["slice_step_from"] == "positions"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_other_encodings(saved, grid: Geometry, array, syntax: str) -> None:
    path = saved(enhanced(grid, frames_of_stack(array)), syntax=syntax)
    np.testing.assert_array_equal(read_image(path).array, array)


def test_a_left_handed_order_of_slices_is_turned(saved, grid: Geometry, array) -> None:
    """Frames that run against the normal: the image is the same as of those that run along it."""
    there = read_image(saved(enhanced(grid, frames_of_stack(array))))
    back = read_image(saved(enhanced(grid, frames_of_stack(array)[::-1]), "b.dcm"))
    assert back.geometry == there.geometry
    np.testing.assert_array_equal(back.array, there.array)


def test_more_voxels_than_an_image_may_have(saved, grid, array, monkeypatch) -> None:
    path = saved(enhanced(grid, frames_of_stack(array)))
    monkeypatch.setattr(gzipped, "MOST_VOXELS", array.size)
    assert read_image(path).array.size == array.size
    monkeypatch.setattr(gzipped, "MOST_VOXELS", array.size - 1)
    with pytest.raises(ImageError, match=f"announces {array.size} voxels"):
        read_image(path)


def test_the_facts_are_those_of_a_classic_series(saved, write_series, grid, array) -> None:
    classic = {
        "Manufacturer": "Made", "ManufacturerModelName": "One", "MagneticFieldStrength": 1.5,
        "FlipAngle": 150, "EchoTrainLength": 17, "PixelBandwidth": 180, "ScanningSequence": "SE",
        "MRAcquisitionType": "2D", "SeriesDescription": "T2 tse sag DOE",
    }  # fmt: skip
    wanted = read_image(write_series(array, changes=lambda k: classic))
    found = read_image(saved(enhanced(grid, frames_of_stack(array))))
    facts = found.history[0].parameters["acquisition"]
    assert facts == wanted.history[0].parameters["acquisition"]
    assert facts["echo_time_ms"] == 104
    assert with_manifest(acquisition_facts(found), {})["weighting"] == "T2w"
    for secret in ("DOE", "JANE", "4711", "2024"):
        assert secret not in str(found.history)


def test_other_pulses_and_inversion_times(saved, grid: Geometry, array) -> None:
    shared = {**SHARED, "MRModifierSequence": {"InversionTimes": [160.0]}}
    header = enhanced(grid, frames_of_stack(array), shared=shared)
    header.EchoPulseSequence, header.InversionRecovery = "BOTH", "YES"
    header.EchoPlanarPulseSequence = "YES"
    facts = read_image(saved(header)).history[0].parameters["acquisition"]
    assert facts["scanning_sequence"] == ["SE", "GR", "IR", "EP"]
    assert facts["inversion_time_ms"] == 160


def test_a_fact_that_differs_between_slices_is_told(saved, grid: Geometry, array) -> None:
    frames = [
        MadeFrame(z, pixels, {"MREchoSequence": {"EffectiveEchoTime": 100.0 + z}})
        for z, pixels in enumerate(array)
    ]
    volume = read_image(saved(enhanced(grid, frames)))
    assert "echo_time_ms" not in volume.history[0].parameters["acquisition"]
    (note,) = inspect_image(volume, "sagittal", "e.dcm")
    assert (note.code, note.file) == ("unread-fact", "e.dcm")
    assert "EchoTime has several values, [100.0, 101.0" in note.message


def test_what_a_conversion_found_no_place_for(saved, grid: Geometry, array) -> None:
    header = enhanced(grid, frames_of_stack(array), shared={})
    (shared,) = header.SharedFunctionalGroupsSequence
    shared.UnassignedSharedConvertedAttributesSequence = [
        _item(EchoTime=96, RepetitionTime=3000, ScanningSequence="SE", RescaleSlope=3)
    ]
    volume = read_image(saved(header))
    facts = volume.history[0].parameters["acquisition"]
    assert (facts["echo_time_ms"], facts["repetition_time_ms"]) == (96, 3000)
    np.testing.assert_array_equal(volume.array, 3 * array.astype(int))


def test_each_frame_has_its_own_scale(saved, grid: Geometry, array) -> None:
    slopes = [1.0, 2.5, 3.0, 0.5, 4.0]
    frames = [
        MadeFrame(z, array[z], {
            "PixelValueTransformationSequence": {"RescaleSlope": s, "RescaleIntercept": -7 - z}
        })
        for z, s in enumerate(slopes)
    ]  # fmt: skip
    volume = read_image(saved(enhanced(grid, shuffled(frames))))
    wanted = array * np.array(slopes)[:, None, None] - 7 - np.arange(5)[:, None, None]
    np.testing.assert_array_equal(volume.array, wanted)


@pytest.mark.parametrize("signed", [False, True])
def test_what_lies_above_the_stored_bits_is_left_out(saved, grid, array, signed: bool) -> None:
    """As pydicom reads them."""
    kind = "i2" if signed else "u2"
    header = enhanced(grid, frames_of_stack((array | 0xA000).astype(kind)), stored=12)
    path = saved(header)
    found = read_image(path).array
    np.testing.assert_array_equal(found, array - 4096 * (array > 2047) if signed else array)
    np.testing.assert_array_equal(found, pydicom.dcmread(path).pixel_array)


def test_one_frame_takes_a_stated_step(saved, grid: Geometry, array) -> None:
    path = saved(enhanced(grid, frames_of_stack(array[:1])))
    assert read_image(path).geometry.spacing == (0.6, 0.7, 4.0)
    measures = {"SliceThickness": None, "SpacingBetweenSlices": None}
    nothing = saved(enhanced(grid, frames_of_stack(array[:1]), measures=measures), "n.dcm")
    refused(nothing, "no-spacing", "frame 1 of n.dcm is the only slice")


# Choices


def test_echoes_are_refused_without_a_choice(saved, grid: Geometry, array) -> None:
    path = saved(enhanced(grid, echoes(array)))
    found = refused(path, "choose-frames", r"(?s)e\.dcm holds 10 frames, several at one position")
    for listed in (
        "EchoTime: ",
        "20.5 (5 frames)",
        "80 (5 frames)",
        "Choose one as FILE#EchoTime=",
    ):
        assert listed in str(found)
    first, second = (read_image(f"{path}#{chosen}") for chosen in ("EchoTime=20.5", "echotime= 80"))
    np.testing.assert_array_equal(first.array, array)
    np.testing.assert_array_equal(second.array, array // 10)
    assert second.history[0].parameters["acquisition"]["echo_time_ms"] == 80
    assert second.history[0].parameters["chosen"] == "echotime= 80"
    assert (second.history[0].parameters["frames"], second.history[0].parameters["of_frames"]) == (
        5,
        10,
    )


def test_each_choice_has_its_own_digest(saved, grid: Geometry, array) -> None:
    path = saved(enhanced(grid, echoes(array)))
    sources = [f"{path}#EchoTime=20.5", f"{path}#EchoTime=80", str(path)]
    digests = list(map(source_digest, sources))
    assert len(set(digests)) == 3
    assert [read_image(s).history[0].parameters["sha256"] for s in sources[:2]] == digests[:2]


def test_what_cannot_be_chosen(saved, grid: Geometry, array) -> None:
    path = saved(enhanced(grid, echoes(array)))
    refused(f"{path}#EchoTime=30", "choose-frames", "none with EchoTime 30")
    refused(f"{path}#EchoTime=long", "choose-frames", "none with EchoTime long")
    refused(f"{path}#Weather=80", "choose-frames", r"(?s)nothing to choose by 'Weather'.*20\.5")
    refused(f"{path}#80", "choose-frames", "nothing to choose by '80'")
    refused(f"{path}#PatientName=DOE", "choose-frames", "nothing to choose by 'PatientName'")


def test_several_entries_are_chosen_one_after_the_other(saved, grid: Geometry, array) -> None:
    frames = [
        frame
        for b in (0.0, 500.0)
        for t in (1, 2)
        for frame in frames_of_stack(
            (array + 100 * t + b).astype("u2"),
            MRDiffusionSequence={"DiffusionBValue": b},
            FrameContentSequence={"TemporalPositionIndex": t},
        )
    ]
    path = saved(enhanced(grid, shuffled(frames)))
    both = refused(path, "choose-frames")
    assert "DiffusionBValue" in str(both)
    assert "TemporalPositionIndex" in str(both)
    left = refused(f"{path}#DiffusionBValue=500", "choose-frames", "TemporalPositionIndex: ")
    assert "DiffusionBValue" not in str(left)
    volume = read_image(f"{path}#TemporalPositionIndex=2,DiffusionBValue=500")
    np.testing.assert_array_equal(volume.array, array + 700)


def test_directions_of_diffusion(saved, grid: Geometry, array) -> None:
    frames = [
        frame
        for way in ([1.0, 0, 0], [0, 1.0, 0])
        for frame in frames_of_stack(
            (array + int(way[0])).astype("u2"),
            MRDiffusionSequence={
                "DiffusionGradientDirectionSequence": [_item(DiffusionGradientOrientation=way)]
            },
        )
    ]
    path = saved(enhanced(grid, frames))
    refused(path, "choose-frames", r"1\\0\\0 \(5 frames\)")
    volume = read_image(f"{path}#DiffusionGradientOrientation=0\\1\\0")
    np.testing.assert_array_equal(volume.array, array)


def turned(grid: Geometry) -> Geometry:
    """An axial grid of the same size."""
    return Geometry(grid.size, grid.spacing, grid.origin)


def stacks(grid: Geometry, array: NDArray, other: Geometry) -> Dataset:
    """Two stacks, called 1 and 2."""
    header = enhanced(grid, frames_of_stack(array, FrameContentSequence={"StackID": "1"}))
    second = enhanced(other, frames_of_stack(array + 1, FrameContentSequence={"StackID": "2"}))
    header.PerFrameFunctionalGroupsSequence += list(second.PerFrameFunctionalGroupsSequence)
    header.NumberOfFrames, header.PixelData = 10, header.PixelData + second.PixelData
    return header


def test_stacks_are_refused_without_a_choice(saved, grid: Geometry, array) -> None:
    """Those of other orientations, and those that would be one stack."""
    path = saved(stacks(grid, array, turned(grid)))
    refused(path, "choose-frames", r"several stacks:\n  StackID: 1 \(5 frames\), 2 \(5 frames\)")
    assert read_image(f"{path}#StackID=1").geometry.same_grid(grid)
    assert read_image(f"{path}#StackID=2").geometry.same_grid(turned(grid))
    behind = grid.position((0, 0, 5))
    below = Geometry(grid.size, grid.spacing, tuple(behind), grid.direction)
    refused(saved(stacks(grid, array, below)), "choose-frames", "several stacks")


# What is refused as in a series


def test_orientations_without_names(saved, grid: Geometry, array) -> None:
    header = stacks(grid, array, turned(grid))
    for groups in header.PerFrameFunctionalGroupsSequence:
        del groups.FrameContentSequence
    refused(
        saved(header), "several-orientations", r"(?s)sagittal: frame 1 of e\.dcm.*axial: frame 6"
    )


def test_copies_missing_and_uneven_slices(saved, grid: Geometry, array) -> None:
    frames = frames_of_stack(array)
    refused(saved(enhanced(grid, [*frames, frames[2]])), "repeated-position", "frame 3 .*frame 6")
    gap = saved(enhanced(grid, [f for f in frames if f.z != 2]))
    refused(gap, "missing-slices", r"frame 2 of e\.dcm, frame 3 of e\.dcm")
    header = enhanced(grid, frames)
    plane = header.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[0]
    plane.ImagePositionPatient = [float(v) + 0.4 for v in plane.ImagePositionPatient]
    refused(saved(header), "uneven-slices", r"frame 3 of e\.dcm lies 0\.\d+ mm")


def test_pixel_sizes_and_places_that_differ_or_miss(saved, grid: Geometry, array) -> None:
    frames = frames_of_stack(array)
    header = enhanced(grid, frames)
    own = header.PerFrameFunctionalGroupsSequence[3]
    own.PixelMeasuresSequence = [_item(PixelSpacing=[1, 1])]
    refused(saved(header), "several-sizes", r"\(9, 8\) at \[1\.0, 1\.0\] mm: frame 4")
    header = enhanced(grid, frames)
    del header.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    refused(
        saved(header), "no-position", r"frame 2 of e\.dcm lacks a readable ImagePositionPatient"
    )
    header = enhanced(grid, frames)
    header.PhotometricInterpretation = "MONOCHROME1"
    refused(saved(header), "photometric-interpretation")


def no_groups(header: Dataset) -> None:
    del header.PerFrameFunctionalGroupsSequence


def changed(**entries: Any) -> Callable[[Dataset], None]:
    def change(header: Dataset) -> None:
        for keyword, value in entries.items():
            setattr(header, keyword, value)

    return change


def scaled_by(value: str) -> Callable[[Dataset], None]:
    def change(header: Dataset) -> None:
        (shared,) = header.SharedFunctionalGroupsSequence
        shared.PixelValueTransformationSequence[0].RescaleSlope = value

    return change


CONTRADICTIONS: Mapping[str, tuple[Callable[[Dataset], None], str]] = {
    "no groups": (no_groups, "no-functional-groups"),
    "more frames": (changed(NumberOfFrames=6), "damaged-file"),
    "fewer frames": (changed(NumberOfFrames=4), "damaged-file"),
    "half of the rows": (changed(Rows=4), "damaged-file"),
    "more than there is memory": (changed(Rows=60000, Columns=60000), "damaged-file"),
    "no rows": (changed(Rows=0), "damaged-file"),
    "three samples": (changed(SamplesPerPixel=3), "damaged-file"),
    "bits of no type": (changed(BitsAllocated=12), "damaged-file"),
    "more bits than there are": (changed(BitsStored=17, HighBit=16), "damaged-file"),
    "the upper bits": (changed(BitsStored=12, HighBit=15), "damaged-file"),
    "no pixels": (changed(PixelData=b""), "damaged-file"),
    "pixels too many": (changed(PixelData=bytes(5 * 8 * 9 * 2 + 2)), "damaged-file"),
    "a slope of 0": (scaled_by("0"), "damaged-file"),
    "an infinite slope": (scaled_by("1e999"), "damaged-file"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_files_that_contradict_themselves(saved, grid: Geometry, array, case: str) -> None:
    change, code = CONTRADICTIONS[case]
    header = enhanced(grid, frames_of_stack(array))
    change(header)
    refused(saved(header), code, r"e\.dcm")


def test_a_file_cut_anywhere_is_refused(saved, grid: Geometry, array) -> None:
    path = saved(enhanced(grid, frames_of_stack(array)))
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(CentrumError):
            read_image(path)


def test_axes_that_are_not_at_right_angles(saved, grid: Geometry, array) -> None:
    header = enhanced(grid, frames_of_stack(array))
    for groups in header.PerFrameFunctionalGroupsSequence:
        groups.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0.5, 0.5, 0]
    with pytest.raises(CentrumError) as caught:
        read_image(saved(header))
    assert isinstance(caught.value, (GeometryError, ImageError))


def test_many_frames_without_order_are_refused_soon(saved, grid: Geometry) -> None:
    """Each of its own orientation: comparing all with all would take minutes."""
    frames = []
    for k, a in enumerate(np.linspace(0, 3, 1500)):
        cosines = [f"{v:.6f}" for v in (np.cos(a), np.sin(a), 0, 0, 0, 1)]
        own = {"PlaneOrientationSequence": {"ImageOrientationPatient": cosines}}
        frames.append(MadeFrame(k, np.zeros((2, 2), "u2"), own))
    refused(saved(enhanced(grid, frames)), "several-orientations", "found 16 under")


def test_other_multi_frame_objects_are_no_images(saved, grid: Geometry, array) -> None:
    path = saved(enhanced(grid, frames_of_stack(array), kind=EnhancedPETImageStorage))
    refused(path, "single-dicom-file", "of the kind Enhanced PET Image Storage")
    refused(path.parent, "multi-frame", r"5 frames\) of the kind Enhanced PET")


# Folders


def test_a_folder_with_one_such_file(saved, grid: Geometry, array) -> None:
    path = saved(enhanced(grid, echoes(array)))
    folder = path.parent
    shutil.copy(save(folder / "seg", segmentation(grid, frames_of({1: array > 2000}), {1: "L1"})),
                folder / "s.dcm")  # fmt: skip
    (folder / "notes.txt").write_text("not an image")
    refused(folder, "choose-frames")
    volume = read_image(f"{folder}#EchoTime=20.5")
    np.testing.assert_array_equal(volume.array, array)
    assert volume.history[0].parameters["ignored_files"] == 1
    assert volume.history[0].parameters["sha256"] == source_digest(f"{folder}#EchoTime=20.5")
    assert source_digest(f"{folder}#EchoTime=20.5") == source_digest(f"{path}#EchoTime=20.5")
    assert source_digest(folder) == source_digest(path)
    second = read_image(f"{folder}#1.2.3,EchoTime=80")
    np.testing.assert_array_equal(second.array, array // 10)
    assert [s.n_files for s in list_series(folder) if s.is_image] == [1]


def test_several_files_of_one_series(saved, grid: Geometry, array) -> None:
    for name in ("a.dcm", "b.dcm"):
        path = saved(enhanced(grid, frames_of_stack(array)), name)
    refused(path.parent, "several-files", r"2 multi-frame files of 2, the first a\.dcm")
    np.testing.assert_array_equal(read_image(path).array, array)


def test_a_series_of_slices_has_no_frames_to_choose(write_series, stack) -> None:
    folder = write_series(stack)
    refused(f"{folder}#EchoTime=104", "part-of-image", "'EchoTime=104' chooses frames")


# Masks


def test_masks_belong_to_the_frame_of_reference(saved, grid: Geometry, array, tmp_path) -> None:
    image = read_image(saved(enhanced(grid, frames_of_stack(array))))
    body = array > 2000
    for frame, fits in (("1.2.9.1", True), ("1.2.9.2", False)):
        header = segmentation(grid, frames_of({1: body}), {1: "L1"}, frame=frame)
        path = save(tmp_path / "seg.dcm", header)
        if fits:
            np.testing.assert_array_equal(read_mask(path, image).array, body)
            continue
        with pytest.raises(ImageError) as caught:
            read_mask(path, image)
        assert caught.value.code == "other-frame-of-reference"


def test_contours_are_filled_on_its_slices(saved, tmp_path: Path) -> None:
    grid = Geometry((12, 10, 4), (1.0, 1.0, 3.0))
    pixels = np.zeros((4, 10, 12), "u2")
    image = read_image(saved(enhanced(grid, shuffled(frames_of_stack(pixels)), frame="")))
    path = tmp_path / "rt.dcm"
    path.write_bytes(written(structure_set([(1, "L1", squares((1, 1, 9, 8), z=3))])))
    mask = read_mask(f"{path}#L1", image)
    assert np.flatnonzero(mask.array.any(axis=(1, 2))).tolist() == [1]


def test_such_an_image_is_no_mask(saved, grid: Geometry, array) -> None:
    path = saved(enhanced(grid, frames_of_stack(array)))
    with pytest.raises(ImageError, match="found DICOM of the kind Enhanced MR Image") as caught:
        read_mask(path, grid)
    assert caught.value.code == "not-a-label-image"


# Compressed


def picture_frames(header_of: Callable[..., Dataset], end: str) -> Dataset:
    """Three frames that show the picture."""
    header = header_of()
    stored = {"50": 8, "201": 16, "203": 16}.get(end, 12)
    header.BitsStored, header.HighBit = stored, stored - 1
    return compressed(header, [STREAMS[end]] * 3, end)


@pytest.fixture
def pictures() -> Callable[[str], Dataset]:
    def _pictures(end: str) -> Dataset:
        pixels = np.zeros((3, *PICTURE.shape), "u1" if end == "50" else "u2")
        grid = Geometry((40, 34, 3), (1, 1, 3))
        return picture_frames(lambda: enhanced(grid, frames_of_stack(pixels)), end)

    return _pictures


@pytest.mark.parametrize("end", [*LOSSLESS, *LOSSY])
def test_every_syntax_shows_the_picture(saved, pictures, end: str) -> None:
    volume = read_image(saved(pictures(end)))
    assert np.abs(volume.array.astype(int) - shown(end)).max() <= LOSSY.get(end, 0)
    assert ("lossy_compression" in volume.history[0].parameters) == (end in LOSSY)


def test_run_lengths(saved, grid: Geometry, array) -> None:
    header = enhanced(grid, shuffled(frames_of_stack(array)))
    header.compress(RLELossless, generate_instance_uid=False)
    np.testing.assert_array_equal(read_image(saved(header)).array, array)


def test_offsets_join_the_fragments_of_a_frame(saved, pictures) -> None:
    from pydicom.encaps import encapsulate

    header = pictures("70")
    header.PixelData = encapsulate([STREAMS["70"]] * 3, fragments_per_frame=2, has_bot=True)
    path = saved(header)
    np.testing.assert_array_equal(read_image(path).array[2], PICTURE)
    header.PixelData = encapsulate([STREAMS["70"]] * 3, fragments_per_frame=2, has_bot=False)
    refused(saved(header), "damaged-file", "of 6 fragments .*, at 1 offsets, nothing says which")


def test_a_broken_frame_is_named(saved, pictures) -> None:
    header = pictures("90")
    compressed(header, [STREAMS["90"], STREAMS["90"][:-40], STREAMS["90"]], "90")
    refused(saved(header), "damaged-file", "its frame 2 is cut")
    compressed(header, [STREAMS["90"]] * 2, "90")
    refused(saved(header), "damaged-file", "announces 3 frames; of 2 fragments")
    header = pictures("90")
    header.PixelData = header.PixelData[:8] + b"abcd" + header.PixelData[8:]
    refused(saved(header), "damaged-file")


# Other programs

FOLDERS = (
    "siemens_prisma_sagittal_epi", "ge_mr750_axial_gap", "derived_tptbox_sagittal_t2/mr",
    "dcmqi_ct_seg/ct-3slice", "vendor_headers_noise_pixels/philips_intera_coronal",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_series_that_highdicom_converts(reference: Path, tmp_path: Path, folder: str) -> None:
    """The same voxels, grid and facts; highdicom reads the same numbers at the same places."""
    highdicom = pytest.importorskip("highdicom", reason="the oracle highdicom is not installed")
    from highdicom.legacy import LegacyConvertedEnhancedCTImage, LegacyConvertedEnhancedMRImage

    wanted = read_image(reference / "dicom" / folder)
    series = [pydicom.dcmread(p) for p in sorted((reference / "dicom" / folder).glob("*.dcm"))]
    make = (
        LegacyConvertedEnhancedCTImage
        if series[0].Modality == "CT"
        else LegacyConvertedEnhancedMRImage
    )
    for header in series:
        header.setdefault("FrameOfReferenceUID", "1.2.9.1")
        header.setdefault("AccessionNumber", "")
        for keyword in ("StudyID", "PatientBirthDate", "PatientSex", "ReferringPhysicianName",
                        "StudyTime", "StudyDate", "PositionReferenceIndicator"):  # fmt: skip
            header.setdefault(keyword, "")
    converted = make(series, "1.2.3.4", 1, "1.2.3.5", 1)
    converted.save_as(path := tmp_path / "e.dcm")
    found = read_image(path)
    np.testing.assert_array_equal(found.array, wanted.array)
    assert found.geometry.same_grid(wanted.geometry)
    was, now = (read.history[0].parameters["acquisition"] for read in (wanted, found))
    now.setdefault("spacing_between_slices_mm", None)  # which highdicom works out from positions
    assert now == {"spacing_between_slices_mm": now["spacing_between_slices_mm"], **was}
    volume = highdicom.imread(path).get_volume(dtype=np.float64)
    corners = np.array([[0, 0, 0], np.subtract(volume.spatial_shape, 1)])
    places = corners @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    index = found.geometry.nearest(found.geometry.index(places))
    np.testing.assert_allclose(found.geometry.position(index), places, atol=1e-3)
    values = [found.array[tuple(xyz[::-1])] for xyz in index]
    assert values == [volume.array[tuple(corner)] for corner in corners]
