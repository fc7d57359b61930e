"""Segmentations as others read them: each voxel, in its place, under its name."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import given, settings, strategies as st

from centrum.cohort.levels import Level
from centrum.errors import DataError, ImageError
from centrum.geometry import ORIENTATIONS, Geometry, direction_of
from centrum.io import list_segments, read_image, read_mask
from centrum.pacs.seg import DrawnRegion, segmentation
from centrum.pacs.source import encoded, read_series
from centrum.provenance import Step
from centrum.volume import Mask, Volume
from tests.pacs.bodies import BRIGHT, Exam, exam
from tests.pacs.series import FRAME, NAME, write_series
from tests.programs import faults, run

highdicom = pytest.importorskip("highdicom", reason="the extra dicom is not installed")


def saved(made: pydicom.Dataset, path: Path) -> Path:
    made.save_as(path, enforce_file_format=True)
    return path


# What is written comes back


@given(
    orientation=st.sampled_from(ORIENTATIONS),
    tilted=st.booleans(),
    kind=st.sampled_from(("BINARY", "LABELMAP")),
    apart=st.booleans(),
    n=st.integers(1, 3),
    turned=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=25)
def test_voxels_come_back_where_they_were(
    tmp_path_factory, orientation, tilted, kind, apart, n, turned, seed
) -> None:
    folder = tmp_path_factory.mktemp("seg")
    chance = np.random.default_rng(seed)
    axes = np.array(direction_of(orientation)).reshape(3, 3)
    if tilted:
        axes = np.linalg.qr(np.eye(3) + chance.normal(scale=0.2, size=(3, 3)))[0] @ axes
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    grid = Geometry((5, 8, 6), (0.6, 0.7, 4.4), (11.5, -20.25, 33), tuple(axes.ravel()))
    voxels = Volume(chance.integers(0, 900, grid.shape), grid)
    series = write_series(folder / "s", voxels, lambda z: z[::-1] if turned else z)
    image = read_image(series)
    np.testing.assert_array_equal(image.array, voxels.array)
    labels = chance.integers(0, n + 1, grid.shape)
    labels[chance.random(6) < 0.4] = 0
    flags = [labels == k + 1 for k in range(n)]
    if not apart and kind == "BINARY":
        flags = [chance.random(grid.shape) < 0.3 for _ in range(n)]
    drawn = [DrawnRegion(Mask(f, image.geometry), f"{k}", None) for k, f in enumerate(flags)]
    path = saved(segmentation(read_series(series), drawn, kind), folder / "seg.dcm")
    assert [s.name for s in list_segments(path)] == [region.label for region in drawn]
    for region in drawn:
        found = read_mask(f"{path}#{region.label}", image)
        np.testing.assert_array_equal(found.array, region.mask.array)


ORDERS = {"rising": list, "falling": lambda z: z[::-1], "mixed": lambda z: [*z[::2], *z[1::2]]}


@pytest.mark.parametrize("towards", ["PIR", "PIL"])
@pytest.mark.parametrize("order", ORDERS)
def test_others_see_the_mask_over_the_bright_body(
    tmp_path: Path, grid: Geometry, towards: str, order: str
) -> None:
    """Files in either order, and slices from right to left or left to right."""
    grid = replace(grid, direction=direction_of(towards))
    drawn = exam(tmp_path, grid, ORDERS[order])
    path = saved(segmentation(drawn.source, drawn.regions), tmp_path / "seg.dcm")
    volume = highdicom.get_volume_from_series([*map(pydicom.dcmread, drawn.folder.iterdir())])
    flags = highdicom.seg.segread(path).get_volume(combine_segments=False)
    flags = flags.match_geometry(volume.get_geometry())
    assert flags.array.any(axis=-1).sum() == (volume.array > BRIGHT / 2).sum()
    assert volume.array[flags.array.any(axis=-1)].min() >= BRIGHT
    # As 3D Slicer does it: converted by dcmqi, laid on the series as SimpleITK reads it.
    run("segimage2itkimage", "--inputDICOM", path, "--outputDirectory", tmp_path,
        "--outputType", "nrrd", "--mergeSegments")  # fmt: skip
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(drawn.folder)))
    image = reader.Execute()
    mask = sitk.Resample(
        sitk.ReadImage(str(tmp_path / "1.nrrd")), image, sitk.Transform(), sitk.sitkNearestNeighbor
    )
    over = sitk.GetArrayFromImage(image)[sitk.GetArrayFromImage(mask) > 0]
    assert over.min() >= BRIGHT
    assert over.size == (drawn.image.array >= BRIGHT).sum()


def test_the_reference_is_written_as_highdicom_reads_it(tmp_path: Path, reference: Path) -> None:
    folder = reference / "dicom" / "derived_tptbox_sagittal_t2"
    image = read_image(folder / "mr")
    drawn = []
    for segment in list_segments(folder / "seg.dcm"):
        mask = read_mask(f"{folder / 'seg.dcm'}#{segment.name}", image)
        drawn.append(DrawnRegion(mask, segment.name, Level.parse(segment.name[:2])))
    for kind, most in (("BINARY", 120_000), ("LABELMAP", 60_000)):
        path = saved(segmentation(read_series(folder / "mr"), drawn, kind), tmp_path / "s.dcm")
        assert path.stat().st_size < most
        for region in drawn:
            found = read_mask(f"{path}#{region.label}", image)
            np.testing.assert_array_equal(found.array, region.mask.array)


# What stands in it


def test_dciodvfy_finds_no_fault(one: Exam, tmp_path: Path) -> None:
    assert faults(saved(segmentation(one.source, one.regions), tmp_path / "seg.dcm")) == []
    overlapping = [*one.regions, replace(one.regions[0], label="other", level=None)]
    assert faults(saved(segmentation(one.source, overlapping), tmp_path / "seg.dcm")) == []


def test_patient_and_study_are_those_of_the_series(one: Exam) -> None:
    made = pydicom.dcmread(BytesIO(encoded(segmentation(one.source, one.regions))))
    first = one.source.first
    for keyword in ("PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate",
                    "StudyTime", "AccessionNumber", "StudyID", "FrameOfReferenceUID",
                    "BodyPartExamined", "ContentDate", "ContentTime"):  # fmt: skip
        assert made[keyword].value == first[keyword].value, keyword
    assert (made.PatientName, made.ReferringPhysicianName) == (NAME, "ROTH^Anna")
    assert "Laterality" not in made
    (series,) = made.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    named = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    assert named == {image.SOPInstanceUID for image in one.source.images}
    assert made.SeriesDescription == "Segmentation. For research use only."


def test_each_frame_names_the_slice_that_it_lies_on(one: Exam) -> None:
    made = segmentation(one.source, one.regions)
    places = {i.SOPInstanceUID: [*map(float, i.ImagePositionPatient)] for i in one.source.images}
    for frame in made.PerFrameFunctionalGroupsSequence:
        (derived,) = frame.DerivationImageSequence
        (named,) = derived.SourceImageSequence
        position = [*map(float, frame.PlanePositionSequence[0].ImagePositionPatient)]
        np.testing.assert_allclose(position, places[named.ReferencedSOPInstanceUID], atol=1e-6)


def test_of_an_enhanced_image_in_one_file(one: Exam, tmp_path: Path) -> None:
    """Converted from the classic series, its frames in another order."""
    classic = [pydicom.dcmread(path) for path in sorted(one.folder.iterdir())[::-1]]
    enhanced = highdicom.legacy.LegacyConvertedEnhancedMRImage(classic, "1.2.5", 1, "1.2.5.1", 1)
    path = saved(enhanced, tmp_path / "enhanced.dcm")
    found = read_series(f"{path}#EchoTime=90")
    made = segmentation(found, one.regions)
    assert faults(saved(made, tmp_path / "seg.dcm")) == []
    for region in one.regions:
        mask = read_mask(f"{tmp_path / 'seg.dcm'}#{region.label}", one.image)
        np.testing.assert_array_equal(mask.array, region.mask.array)
    (named,) = made.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert named.ReferencedSOPInstanceUID == "1.2.5.1"
    assert made.PatientName == NAME
    frames = enhanced.PerFrameFunctionalGroupsSequence
    for frame in made.PerFrameFunctionalGroupsSequence:
        (named,) = frame.DerivationImageSequence[0].SourceImageSequence
        place = frames[named.ReferencedFrameNumber - 1].PlanePositionSequence[0]
        assert place == frame.PlanePositionSequence[0]


def test_a_paired_part_keeps_its_side(tmp_path: Path) -> None:
    drawn = exam(tmp_path, Laterality="L", BodyPartExamined="KNEE")
    made = segmentation(drawn.source, drawn.regions)
    assert (made.Laterality, made.BodyPartExamined) == ("L", "KNEE")


def test_segments_are_named_by_their_vertebra(one: Exam) -> None:
    unknown = [replace(one.regions[0], level=None), replace(one.regions[1], level=Level("L", 6))]
    first, second, third, fourth = (
        segmentation(one.source, [*one.regions, *(replace(r, label=f"{r.label} of B") for r in
        unknown)]).SegmentSequence
    )  # fmt: skip
    kinds = [s.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for s in (first, second)]
    assert kinds == ["L1 vertebra", "L2 vertebra"]
    kinds = [s.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for s in (third, fourth)]
    assert kinds == ["Tissue", "Tissue"]
    assert first.SegmentLabel == first.TrackingID == "L1"
    assert len({s.TrackingUID for s in (first, second, third, fourth)}) == 4


def test_how_a_segment_was_made_is_as_its_file_says(one: Exam) -> None:
    def kinds(*found: str) -> str:
        step = Step("read", {"algorithm_types": list(found)})
        mask = replace(one.regions[0].mask, history=(step,))
        made = segmentation(one.source, [replace(one.regions[0], mask=mask)])
        return made.SegmentSequence[0].SegmentAlgorithmType

    assert kinds() == kinds("MANUAL") == kinds("MANUAL", "AUTOMATIC") == "MANUAL"
    assert kinds("AUTOMATIC") == "AUTOMATIC"
    assert kinds("SEMIAUTOMATIC") == "SEMIAUTOMATIC"


def test_the_same_twice_and_another_for_another(one: Exam, tmp_path: Path) -> None:
    made = encoded(segmentation(one.source, one.regions))
    assert encoded(segmentation(read_series(one.folder), one.regions)) == made
    less = one.regions[1].mask.array.copy()
    less[tuple(np.argwhere(less)[0])] = False
    changed = replace(one.regions[1], mask=replace(one.regions[1].mask, array=less))
    other = segmentation(one.source, [one.regions[0], changed])
    original = pydicom.dcmread(BytesIO(made))
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert other[keyword].value != original[keyword].value
        assert original[keyword].value.startswith("2.25.")
    unknown = segmentation(one.source, [replace(r, level=None) for r in one.regions])
    assert unknown.SOPInstanceUID != original.SOPInstanceUID
    for a, b in zip(other.SegmentSequence, original.SegmentSequence, strict=True):
        assert a.TrackingUID == b.TrackingUID, "it is the same vertebra"


def test_what_files_are_called_changes_nothing(one: Exam, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(one.folder.iterdir(), reverse=True)):
        (tmp_path / f"{number}.dcm").write_bytes(path.read_bytes())
    again = encoded(segmentation(read_series(tmp_path), one.regions))
    assert again == encoded(segmentation(one.source, one.regions))


# Odd series and regions


def test_a_reader_who_drew_nothing_takes_one_frame(one: Exam, tmp_path: Path) -> None:
    nothing = Mask(np.zeros(one.image.geometry.shape, bool), one.image.geometry)
    for kind in ("BINARY", "LABELMAP"):
        made = segmentation(one.source, [DrawnRegion(nothing, "L1", Level("L", 1))], kind)
        assert made.NumberOfFrames == 1
        path = saved(made, tmp_path / "seg.dcm")
        assert [(s.name, s.voxels) for s in list_segments(path)] == [("L1", 0)]
    assert faults(saved(segmentation(one.source, [DrawnRegion(nothing, "L1")]), path)) == []


def test_slices_without_voxels_are_left_out(one: Exam) -> None:
    frames = segmentation(one.source, one.regions).NumberOfFrames
    assert frames == sum(r.mask.array.any(axis=(1, 2)).sum() for r in one.regions)


def test_segments_that_overlap_have_no_labelmap(one: Exam) -> None:
    again = [one.regions[0], replace(one.regions[0], label="again")]
    with pytest.raises(DataError, match=r"'L1' shares voxels .* a LABELMAP .* as BINARY") as caught:
        segmentation(one.source, again, "LABELMAP")
    assert caught.value.code == "overlapping-masks"


def test_a_series_that_was_de_identified(tmp_path: Path) -> None:
    """Without a date and a patient's data: empty where the standard allows it, else a dummy."""
    gone = dict.fromkeys(
        ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "StudyTime", "SeriesTime",
         "ContentTime", "AccessionNumber", "PatientName", "PatientBirthDate", "PatientSex",
         "ReferringPhysicianName", "StudyID", "StudyDescription"))  # fmt: skip
    drawn = exam(tmp_path, PatientIdentityRemoved="YES", DeidentificationMethod="ours", **gone)
    made = segmentation(drawn.source, drawn.regions)
    assert (made.ContentDate, made.ContentTime) == ("19000101", "000000")
    assert (made.PatientIdentityRemoved, made.DeidentificationMethod) == ("YES", "ours")
    assert made.PatientName == ""
    assert faults(saved(made, tmp_path / "seg.dcm")) == []


@pytest.mark.parametrize(
    ("entries", "code"),
    [({"FrameOfReferenceUID": None}, "no-frame"), ({"StudyInstanceUID": None}, "no-uid")],
)
def test_a_series_of_which_nothing_can_be_said(tmp_path: Path, entries: dict, code: str) -> None:
    drawn = exam(tmp_path, **entries)
    with pytest.raises(ImageError) as caught:
        segmentation(drawn.source, drawn.regions)
    assert caught.value.code == code


def test_a_series_without_a_slice_thickness(one: Exam, tmp_path: Path) -> None:
    """It may be empty or missing, and says nothing about where slices lie."""
    for number, path in enumerate(one.folder.iterdir()):
        header = pydicom.dcmread(path)
        del header.SliceThickness
        if number % 2:
            header.SliceThickness = None
        header.save_as(tmp_path / path.name)
    path = saved(segmentation(read_series(tmp_path), one.regions), tmp_path / "seg.seg")
    found = read_mask(f"{path}#L2", one.image)
    np.testing.assert_array_equal(found.array, one.regions[1].mask.array)
    assert faults(path) == []


def test_a_series_of_two_frames_of_reference(one: Exam, tmp_path: Path) -> None:
    for number, path in enumerate(one.folder.iterdir()):
        header = pydicom.dcmread(path)
        header.FrameOfReferenceUID = f"1.2.{number % 2 + 1}"
        header.save_as(tmp_path / path.name)
    with pytest.raises(ImageError, match="or several"):
        segmentation(read_series(tmp_path), one.regions)


def test_what_is_no_series_is_told(tmp_path: Path, one: Exam) -> None:
    path = tmp_path / "T2w.nrrd"
    sitk.WriteImage(sitk.Image(2, 2, 2, sitk.sitkUInt8), str(path))
    with pytest.raises(ImageError, match=r"T2w\.nrrd is no DICOM series") as caught:
        read_series(path)
    assert caught.value.code == "not-dicom"


def test_the_right_series_of_a_folder_is_taken(tmp_path: Path, one: Exam) -> None:
    folder = tmp_path / "both"
    write_series(folder, one.image, SeriesInstanceUID="1.2.8")
    for path in one.folder.iterdir():
        (folder / f"other-{path.name}").write_bytes(path.read_bytes())
    found = read_series(f"{folder}#1.2.8,EchoTime=90")
    assert len(found.images) == one.image.geometry.size[2]
    assert {image.SeriesInstanceUID for image in found.images} == {"1.2.8"}
    assert found.first.FrameOfReferenceUID == FRAME
    region = one.regions[0]
    assert region.tracking_uid(found) != region.tracking_uid(one.source)
