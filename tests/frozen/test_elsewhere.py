"""A frozen model at a stated prevalence: page, table and record say the same, and when it holds."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from centrum.commands import score as scoring
from centrum.errors import DataError
from centrum.frozen.elsewhere import Elsewhere
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import REFUSED, SCORED, Contribution, Score
from centrum.report.patient import render_index, render_patient
from tests.frozen.test_model_file import model as made
from tests.frozen.test_refits import refits


def measure(value: float | str, lower: float, upper: float | str) -> dict:
    return {"value": value, "interval": {"lower": lower, "upper": upper}, "bootstrap": None}


JUDGED = {
    "sensitivity": measure(0.8, 0.6, 0.9), "specificity": measure(0.9, 0.7, 0.95),
    "ppv": measure(0.889, 0.7, 0.95), "npv": measure(0.818, 0.6, 0.9),
    "lr_positive": measure(8.0, 3.0, 20.0), "lr_negative": measure(0.222, 0.1, 0.5),
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> FrozenModel:
    plain = made("plain")
    test = {**plain.performance["test"], "at_cutoff": JUDGED}
    return replace(plain, performance={**plain.performance, "test": test}, refits=refits())


def scored(model: FrozenModel, case: str, p: float) -> Score:
    parts = tuple(Contribution(name, 50.0, 0.1, 0.0) for name in model.scorer.features)
    return Score(case, SCORED, (), 0.3, p, model.positive, (model.positive,), parts)


def test_numbers_are_those_of_bayes(model):
    found = Elsewhere.of(model, 0.1)
    assert found.own == 0.5
    assert found.probability(0.5) == pytest.approx(0.1)
    odds = 1 / 9
    assert found.ppv.value == pytest.approx(8 * odds / (1 + 8 * odds))
    assert found.ppv.interval.lower == pytest.approx(3 * odds / (1 + 3 * odds))
    assert found.npv.value == pytest.approx(1 / (1 + 0.222 * odds))
    assert found.npv.interval.lower == pytest.approx(1 / (1 + 0.5 * odds))
    assert (found.study_ppv.value, found.study_npv.value) == (0.889, 0.818)


def test_the_range_moves_with_the_probability(model):
    found = Elsewhere.of(model, 0.125)
    score = replace(scored(model, "P1", 0.6), low=0.4, high=0.9)
    low, p, high = (f"{100 * found.probability(x):.0f}" for x in (0.4, 0.6, 0.9))
    assert found.moved(score).probability_text == f"{p} % ({low} to {high} %)"


def test_table_and_record_have_the_range_that_the_page_shows(model):
    found, without = Elsewhere.of(model, 0.125), scored(model, "P2", 0.6)
    score = replace(scored(model, "P1", 0.6), low=0.4, high=0.9)
    low, high = found.probability(0.4), found.probability(0.9)
    first, second = csv.DictReader(scoring._table([score, without], found).splitlines())
    assert float(first["low at prevalence"]) == low < float(first["probability at prevalence"])
    assert float(first["high at prevalence"]) == high < float(first["high"]) == 0.9
    assert (second["low at prevalence"], second["high at prevalence"]) == ("", "")
    assert float(second["PPV at prevalence"]) == found.ppv.value
    record = json.loads(json.dumps(scoring.record_of(model, score, found)))["elsewhere"]
    assert (record["low"], record["high"]) == (low, high)
    record = scoring.record_of(model, without, found)["elsewhere"]
    assert (record["low"], record["high"]) == (None, None)
    assert f"({100 * low:.0f} to {100 * high:.0f} %)" in render_patient(model, score, None, found)


def test_page_index_table_and_record_say_it_with_the_condition(model):
    found = Elsewhere.of(model, 0.125)
    score = scored(model, "P1", 0.6)
    there = found.probability(0.6)
    text = f"{100 * there:.0f} %"
    page = render_patient(model, score, None, found)
    assert f"The same at a prevalence of 12.5 %</dt><dd>{text}" in page
    assert found.condition in page
    assert f"positive {found.ppv.value:.2f}" in page
    assert "0.89 (0.70–0.95)" in page
    index = render_index(model, [score, Score("P2", REFUSED, ())], found)
    assert text in index
    assert found.condition in index
    rows = list(csv.DictReader(scoring._table([score], found).splitlines()))
    assert float(rows[0]["probability at prevalence"]) == there
    assert float(rows[0]["prevalence"]) == 0.125
    assert rows[0]["condition"] == found.condition
    record = json.loads(json.dumps(scoring.record_of(model, score, found)))
    assert record["probability"] == 0.6
    assert record["elsewhere"]["probability"] == there
    assert record["elsewhere"]["condition"] == found.condition
    lines = "\n".join(scoring.score_lines([score], found))
    assert f"{text} at a prevalence of 12.5 %" in lines
    assert found.condition in lines
    assert "50 %" in found.condition


def test_without_a_prevalence_nothing_is_said_of_one(model):
    score = scored(model, "P1", 0.6)
    assert "prevalence" not in render_patient(model, score, None)
    assert "prevalence" not in render_index(model, [score])
    assert "elsewhere" not in scoring.record_of(model, score, None)
    assert "prevalence" not in scoring._table([score], None)


def test_a_refused_case_has_no_probability_anywhere(model):
    found, refused = Elsewhere.of(model, 0.1), Score("P2", REFUSED, ())
    record = scoring.record_of(model, refused, found)["elsewhere"]
    assert [record[name] for name in ("probability", "low", "high")] == [None, None, None]
    assert "prevalence" not in render_patient(model, refused, None, found)


def test_a_model_of_an_older_version_has_no_predictive_values(model):
    found = Elsewhere.of(made("plain"), 0.1)
    assert np.isnan(found.ppv.value)
    assert found.probability(0.5) == pytest.approx(0.1)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.1])
def test_a_prevalence_out_of_range_is_refused(model, prevalence):
    with pytest.raises(DataError, match="between 0 and 1"):
        Elsewhere.of(model, prevalence)
