"""The limitations are those of the report, each once, in the words of a paper."""

import re
from dataclasses import replace

import numpy as np
import pytest

from centrum.manuscript.limitations import FURTHER, limitations_text
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import all_caveats
from centrum.study.findings import SAME_IMAGE, Finding, MeasuredSequence
from centrum.text import placeholder
from centrum.validation.procedure import Permutation
from tests.report.conftest import Make
from tests.report.test_caveats import changed

from .conftest import grouped
from .elsewhere import external_of
from .test_truth import ROWS, study
from .variants import varied

ELSEWHERE = "The model was not tested on patients of another centre."


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


def doubtful(results: StudyResults) -> StudyResults:
    """A study against which everything speaks."""
    test = results.evaluation.by_set["test"]
    finding = Finding(results.table.cases[0], "", "warning", SAME_IMAGE, "of P001")
    permuted = Permutation(0.9, tuple(np.linspace(0.7, 0.9, 20)), 0)
    found = changed(results, optimistic=True, n_patients=4, auc=replace(test.auc, value=0.99))
    return replace(
        found,
        findings=(finding,),
        validation=replace(found.validation, permutation=permuted),
    )


def test_each_is_told_once_and_ends_a_sentence(make: Make) -> None:
    for row in ROWS[::4]:
        found = study(make, row)
        told = [point.limitation for point in all_caveats(found) if point.limitation]
        assert len(told) == len(set(told))
        assert all(re.fullmatch(r"[A-Z\d].*\.", text) for text in told)
        assert limitations_text(found).endswith(placeholder(FURTHER))


def test_whatever_is_grave_is_a_limitation_and_comes_first(results: StudyResults) -> None:
    points = all_caveats(doubtful(results))
    grave = [point.limitation for point in points if point.grave]
    assert len(grave) == 5
    assert all(grave)
    assert limitations_text(doubtful(results)).startswith(" ".join(grave))


def test_no_case_is_named(results: StudyResults) -> None:
    text = limitations_text(doubtful(results))
    assert "1 case had an image that was, voxel for voxel, also that of another patient" in text
    assert not any(case in text for case in results.table.cases)


def test_numbers_are_those_of_the_report(results: StudyResults) -> None:
    text, said = limitations_text(results), " ".join(p.text for p in all_caveats(results))
    needed = re.search(r"criteria, which ask for (\d+)", said)[1]
    per_feature = re.search(r"candidate feature and ([\d.]+) per feature", said)[1]
    width = re.search(r"is ([\d.]+) wide, which leaves", said)
    assert f"The study had 57 cases, fewer than the {needed} that" in text
    assert f"there were {per_feature} training cases of the rarer outcome" in text
    assert (width is not None) == ("CI of the AUC was" in text)
    if width is not None:
        assert f"CI of the AUC was {width[1]} wide." in text


def test_what_is_enough_is_no_limitation(results: StudyResults) -> None:
    one = replace(results.model, features=results.model.features[:1])
    text = limitations_text(replace(results, model=one))
    assert "Per feature of the model" not in text
    narrow = results.evaluation.by_set["test"].auc
    interval = replace(narrow.interval, lower=narrow.value - 0.04, upper=narrow.value + 0.04)
    assert "CI of the AUC was" not in limitations_text(
        changed(results, auc=replace(narrow, interval=interval))
    )


def test_another_centre_ends_the_doubt(results: StudyResults) -> None:
    assert ELSEWHERE in limitations_text(results)
    assert "The centres of the cases were not told." in limitations_text(results)
    assert "The study's own cases were of one centre." in limitations_text(grouped(results))
    apart = varied(results, {"split": {"design": "external", "test_values": ("B",)}})
    assert ELSEWHERE not in limitations_text(apart)
    assert "centre" not in limitations_text(apart)


def test_an_external_validation_counts_where_it_is_of_other_centres(
    results: StudyResults,
) -> None:
    own = grouped(results)
    other, same, unknown = (external_of(own, centres=centres) for centres in (
        {"Z": 40}, {"A": 40}, None))  # fmt: skip
    assert "centre." not in limitations_text(own, other).replace("were of one centre.", "")
    assert ELSEWHERE in limitations_text(own, same)
    told = limitations_text(own, unknown)
    assert ELSEWHERE not in told
    assert "Whether the external patients were of other centres is not known." in told


def test_readers_sequences_and_patients(results: StudyResults, make: Make) -> None:
    alone = limitations_text(make(readers=("senior",)))
    assert "One set of regions was measured, so that it is not known" in alone
    assert "One set of regions" not in limitations_text(results)
    claimed = MeasuredSequence("", "T2w", cases=57, by_times=50, by_name=0)
    text = limitations_text(replace(results, sequences=(claimed,)))
    assert "That the images were T2w was not verified in 7 of 57 cases." in text
    assert "The patients were simulated" in text
    assert "simulated" not in limitations_text(replace(results, simulated=""))


def test_signs_that_the_score_does_not_see(results: StudyResults) -> None:
    text = limitations_text(results)
    assert "(a pedicle or posterior element replaced by tumour, a paraspinal mass or an" in text
    images = results.protocol.images.model_copy(update={"region": "whole_vertebra"})
    whole = replace(results, protocol=results.protocol.model_copy(update={"images": images}))
    assert "(a paraspinal mass or an epidural mass)" in limitations_text(whole)
