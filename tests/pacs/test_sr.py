"""Reports as others read them: every number, under its code, about its region."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest

from centrum.errors import DataError
from centrum.frozen.domain import Flag
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score, score_values
from centrum.pacs.seg import segmentation
from centrum.pacs.sr import ScoredRegion, measurement_report
from tests.pacs.bodies import Exam
from tests.pacs.models import model
from tests.pacs.series import NAME
from tests.programs import faults, run

pytest.importorskip("highdicom", reason="the extra dicom is not installed")

VALUES = [(71.5, 431.23456789012345, 1 / 3, 1.4e3 + 1e-9), (66.0, 402.0, 61.25, 1711.1)]


def scored(one: Exam) -> list[ScoredRegion]:
    scores = [score_values(model(), f"P{k}", np.array(v), None) for k, v in enumerate(VALUES)]
    return [ScoredRegion(r, s) for r, s in zip(one.regions, scores, strict=True)]


def report(one: Exam, of: FrozenModel, regions: list[ScoredRegion]) -> pydicom.Dataset:
    segmented = segmentation(one.source, [each.region for each in regions])
    stream = BytesIO()
    measurement_report(of, one.source, segmented, regions).save_as(stream, enforce_file_format=True)
    return pydicom.dcmread(BytesIO(stream.getvalue()))


def children(item: pydicom.Dataset, meaning: str = "") -> list[pydicom.Dataset]:
    named = [(each, name_of(each)) for each in item.get("ContentSequence", ())]
    return [each for each, name in named if meaning in ("", name)]


def name_of(item: pydicom.Dataset) -> str:
    return item.ConceptNameCodeSequence[0].CodeMeaning


def groups(made: pydicom.Dataset) -> list[pydicom.Dataset]:
    (measurements,) = children(made, "Imaging Measurements")
    return children(measurements, "Measurement Group")


def number(group: pydicom.Dataset, name: str) -> float:
    (item,) = children(group, name)
    return item.MeasuredValueSequence[0].FloatingPointValue


def test_every_number_is_the_same_double(one: Exam) -> None:
    regions = scored(one)
    for group, each, given in zip(
        groups(report(one, model(), regions)), regions, VALUES, strict=True
    ):
        assert number(group, "Score") == each.score.score
        assert number(group, "Probability of malignant") == each.score.probability
        assert number(group, "Cut-off of the score") == model().cutoff
        names = ("age", "Mean intensity", "Intensity interquartile range", "Volume (mesh)")
        assert tuple(number(group, name) for name in names) == given


def test_a_reader_of_3d_slicer_finds_the_numbers(one: Exam, tmp_path: Path) -> None:
    made = report(one, model(), scored(one))
    made.save_as(tmp_path / "sr.dcm")
    run("tid1500reader", "--inputDICOM", tmp_path / "sr.dcm",
        "--outputMetadata", tmp_path / "sr.json")  # fmt: skip
    read = json.loads((tmp_path / "sr.json").read_text())
    for group, each, given in zip(read["Measurements"], scored(one), VALUES, strict=True):
        items = {item["quantity"]["CodeValue"]: item for item in group["measurementItems"]}
        found = [float(items[code]["value"]) for code in ("Q4LE", "SALO", "RNU0")]
        np.testing.assert_allclose(found, given[1:], rtol=1e-12)
        by_name = {item["quantity"]["CodeMeaning"]: item for item in group["measurementItems"]}
        np.testing.assert_allclose(float(by_name["Score"]["value"]), each.score.score, rtol=1e-12)
        assert items["RNU0"]["units"]["CodeValue"] == "mm3"
        assert items["Q4LE"]["quantity"]["CodingSchemeDesignator"] == "IBSI"
        said = items["Q4LE"]["measurementAlgorithmIdentification"]["AlgorithmParameters"]
        assert said == ["original_statistics_mean"]
        assert group["FindingSite"]["CodeMeaning"] == f"{each.region.label} vertebra"
        told = [(e["conceptCode"]["CodeMeaning"], e["conceptValue"]["CodeMeaning"])
                for e in group["qualitativeEvaluations"]]  # fmt: skip
        assert ("Called at the cut-off", each.score.called) in told


def test_it_is_about_the_segments_of_the_segmentation(one: Exam) -> None:
    segmented = segmentation(one.source, one.regions)
    made = report(one, model(), scored(one))
    assert len(groups(made)) == 2
    for group, described in zip(groups(made), segmented.SegmentSequence, strict=True):
        (uid,) = children(group, "Tracking Unique Identifier")
        (text,) = children(group, "Tracking Identifier")
        assert (uid.UID, text.TextValue) == (described.TrackingUID, described.SegmentLabel)
        (segment,) = children(group, "Referenced Segment")
        (named,) = segment.ReferencedSOPSequence
        assert named.ReferencedSOPInstanceUID == segmented.SOPInstanceUID
        assert named.ReferencedSegmentNumber == described.SegmentNumber
        (series,) = children(group, "Source Series for Segmentation")
        assert one.source.uid == series.UID


def test_the_library_names_every_image_and_nothing_more(one: Exam) -> None:
    (library,) = children(report(one, model(), scored(one)), "Image Library")
    (group,) = children(library)
    named = [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in children(group)]
    assert named == [image.SOPInstanceUID for image in one.source.images]
    assert not any("ContentSequence" in item for item in children(group))


def told(one: Exam, score: Score, name: str) -> list[str]:
    (group,) = groups(report(one, model(), [ScoredRegion(one.regions[0], score)]))
    return [item.ConceptCodeSequence[0].CodeMeaning for item in children(group, name)]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_what_cannot_be_excluded_and_what_warns(one: Exam, n: int) -> None:
    outcomes = (model().positive, model().negative)[:n]
    flags = (Flag("warning", "outline-off", "Look at it."), Flag("note", "unread-fact", "Not."))
    score = replace(scored(one)[0].score, outcomes=outcomes, flags=flags)
    name = "Outcome that cannot be excluded (conformal set)"
    assert told(one, score, name) == [*outcomes] or n == 0
    assert n or told(one, score, name) == ["Neither outcome is typical"]
    assert told(one, score, "Warning") == ["outline-off"]


def test_a_feature_that_was_filled_has_no_number(one: Exam) -> None:
    score = scored(one)[0].score
    parts = [replace(p, value=None) if "mean" in p.name else p for p in score.parts]
    gap = replace(score, parts=tuple(parts))
    (group,) = groups(report(one, model(), [ScoredRegion(one.regions[0], gap)]))
    assert not children(group, "Mean intensity")
    assert number(group, "age") == VALUES[0][0]
    name = "Not defined in this region, filled by the model"
    assert told(one, gap, name) == ["Mean intensity"]
    assert told(one, score, name) == []


def test_validators_find_no_fault(one: Exam, tmp_path: Path) -> None:
    path = tmp_path / "sr.dcm"
    report(one, model(), scored(one)).save_as(path)
    assert faults(path) == []
    said = run("dsrdump", path)
    assert "Error" not in said
    assert "Warning" not in said.replace("(,,", "")
    assert "UNVERIFIED" in said


def test_it_says_whose_it_is_and_what_it_is_for(one: Exam) -> None:
    made = report(one, model(), scored(one))
    assert (made.PatientName, made.PatientID) == (NAME, one.source.first.PatientID)
    assert made.SeriesDescription == "Score. For research use only."
    (group, _) = groups(made)
    said = [item.TextValue for item in children(group, "Algorithm Parameters")]
    assert said[0] == "For research use only; not a medical device."
    assert model().to_dict()["sha256"] in said[1]
    assert (made.CompletionFlag, made.VerificationFlag) == ("COMPLETE", "UNVERIFIED")


def test_the_same_twice_and_another_for_another_score(one: Exam) -> None:
    regions = scored(one)
    made = report(one, model(), regions)
    assert made == report(one, model(), scored(one))
    score = replace(regions[0].score, probability=0.5)
    other = report(one, model(), [replace(regions[0], score=score), regions[1]])
    assert other.SOPInstanceUID != made.SOPInstanceUID
    assert other.SeriesInstanceUID != made.SeriesInstanceUID


def test_a_code_that_the_catalogue_does_not_know_is_an_error(one: Exam) -> None:
    features = list(model().features)
    features[1] = replace(features[1], code="XXXX")
    with pytest.raises(DataError, match="'XXXX'; the catalogue has the code 'Q4LE'") as caught:
        report(one, replace(model(), features=tuple(features)), scored(one))
    assert caught.value.code == "unknown-code"
