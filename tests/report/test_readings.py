"""What the report says in sentences: true of the results, and another when these are others."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from centrum.assessment import Permutation
from centrum.perturb import RobustnessSettings
from centrum.report import readings
from centrum.report.blocks import Picture
from centrum.report.build import page_of
from centrum.report.cases import case_data, case_frame, contributions, roc_data
from centrum.report.caveats import caveats
from centrum.report.html import render_html
from centrum.report.leak_audit import leak_audit
from centrum.report.sections import SECTIONS, performance
from centrum.results import StudyResults

from .conftest import Make


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


def pictures(results: StudyResults) -> list[Picture]:
    return [p for section in SECTIONS for p in section(results).pictures]


def test_every_figure_has_one_sentence(make: Make) -> None:
    whole = make(n_parts=3, searched=True, perturbed=RobustnessSettings())
    found = {p.key: p.reading for p in pictures(whole)}
    assert len(found) >= 16
    for key, text in found.items():
        assert re.fullmatch(r"[A-Z0-9(].*[a-z0-9)'%]\.", text), (key, text)
        assert ". " not in text.replace(" vs. ", ""), (key, text)
        assert re.search(r"\d", text), (key, "no number of the study's", text)


def test_other_results_are_read_otherwise(make: Make) -> None:
    one, other = (
        {p.key: p.reading for p in pictures(make(n_selected=n, readers=readers))}
        for n, readers in ((6, ("senior", "resident")), (2, ("senior", "third")))
    )
    same = [key for key in one if one[key] == other.get(key)]
    assert not {"figure-3", "figure-4", "figure-5"} & set(same)


def test_the_counts_of_the_roc_are_those_of_the_test(results: StudyResults) -> None:
    c = results.evaluations["test"].confusion
    (figure,) = performance(results).pictures
    assert f"{c.tp} of {c.tp + c.fn} malignant and {c.tn} of {c.tn + c.fp}" in figure.reading


@pytest.mark.parametrize(
    ("values", "said"),
    [((0.5, 0.52), "AUC is 0.51 on average"), ((), "the leak that would have claimed most")],
)
def test_the_audit_says_what_there_is(values: tuple[float, ...], said: str) -> None:
    leaks = {"a": (np.array([0.7]), np.array([0.5])), "b": (np.array([0.9]), np.array([0.6]))}
    text = readings.audit(values, 0.8, leaks)
    assert said.casefold() in text.casefold()
    assert "'b' (0.90)" in text


def test_overlap_is_told_only_of_several_readers() -> None:
    nobody = pd.DataFrame(columns=["dice"])
    assert "Dice" not in readings.outlines(nobody, ("senior",))
    assert "0.80" in readings.outlines(pd.DataFrame({"dice": [0.8, 0.9, 0.7]}), ("a", "b"))


# What could mislead


def said(results: StudyResults) -> str:
    return " ".join(point.text for point in caveats(results).points)


def test_caveats_hold_the_study_s_numbers(results: StudyResults) -> None:
    text = said(results)
    assert f"{len(results.scores)} cases are" in text
    test = results.evaluations["test"]
    assert f"rests on {test.n_patients} patients" in text
    assert "No patient is on both sides" in text
    page = render_html(page_of(results), [section(results) for section in SECTIONS])
    assert page.index("What could mislead") < page.index("Population")
    for point in caveats(results).points:
        assert not point.anchor or f'id="{point.anchor}"' in page


def test_a_leak_is_said_first_of_all(results: StudyResults) -> None:
    rows = {**results.assessment.rows}
    rows["parts"] = [{**rows["parts"][0], "patients": 2}]
    leaky = replace(results, assessment=replace(results.assessment, rows=rows))
    assert "no number of this report can be trusted" in said(leaky)
    assert leak_audit(leaky).warnings


def test_permutations_and_readers_change_the_caveats(results: StudyResults, make: Make) -> None:
    permuted = replace(results.assessment, permutation=Permutation(0.9, (0.5,) * 9, 0))
    assert "P = .10 (9 permutations" in said(replace(results, assessment=permuted))
    none = replace(results.assessment, permutation=None)
    assert "permutation" not in said(replace(results, assessment=none))
    assert "One reader drew all regions" in said(make(readers=("senior",)))
    assert "One reader drew" not in said(results)


# Cases


def test_contributions_sum_to_the_score(results: StudyResults) -> None:
    total = results.model.intercept + contributions(results).sum(axis=1)
    np.testing.assert_allclose(total, results.model.score(results.table), rtol=1e-12, atol=1e-12)


def test_a_case_shows_what_the_tables_say(results: StudyResults) -> None:
    frame, data = case_frame(results), case_data(results)
    tested = list(results.judgement.tested)
    by_case = frame.set_index("case")
    np.testing.assert_allclose(
        by_case.loc[tested, "probability"].astype(float), results.judgement.probability
    )
    wrong = (by_case["called"] != by_case["outcome"]).map({True: "no", False: "yes"})
    assert (by_case["right"] == wrong).all()
    for case in by_case.index:
        shown = data["cases"][case]
        assert abs(shown["score"] - results.scores.loc[case, "score"]) < 1e-3
        assert shown["png"]
        assert shown["path"].startswith("M")
    assert "patient" not in json.dumps(data)


def test_without_images_there_are_no_pictures(results: StudyResults) -> None:
    data = case_data(replace(results, sources={}))
    assert all("png" not in shown for shown in data["cases"].values())


def test_an_image_that_is_gone_says_so(results: StudyResults) -> None:
    case = results.table.cases[0]
    gone = {**results.sources, case: ("nowhere.nrrd", results.sources[case][1])}
    assert "nowhere.nrrd" in case_data(replace(results, sources=gone))["cases"][case]["why"]


def test_the_curve_of_the_page_is_that_of_the_test(results: StudyResults) -> None:
    data, test = roc_data(results), results.evaluations["test"]
    at = int(np.argmin(np.abs(np.array(data["threshold"]) - test.cutoff.value)))
    assert len(data["threshold"]) == len(data["sensitivity"]) == len(data["specificity"])
    assert (data["positives"], data["negatives"]) == (test.n_positive, test.n_negative)
    assert 0 <= data["sensitivity"][at] <= 1
