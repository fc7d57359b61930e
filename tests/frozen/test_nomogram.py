"""The combined model in a frozen model, and the calculator on a patient's page."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from centrum.commands import study as verbs
from centrum.commands.score import patients_of, read_new_cases, score_one
from centrum.errors import DataError
from centrum.frozen.elsewhere import Elsewhere
from centrum.frozen.model import FrozenModel, read_model
from centrum.frozen.score import REFUSED, SCORED, Score
from centrum.modelling.nomogram import Nomogram, NumberAxis, TextAxis
from centrum.records import as_json
from centrum.report.patient import render_patient
from centrum.study.study import open_study
from tests.frozen.test_refits import folder as folder, one as one
from tests.studies import make_study, read_rows

DRAWN = Nomogram(
    -4.0,
    (
        NumberAxis("age", 0.05, (50.0, 70.0, 90.0), 70.0),
        TextAxis("sex", ("F", "M"), (0.0, 0.4), "F"),
        NumberAxis("score", 0.9, (-2.0, 0.0, 2.0), 0.1),
    ),
    0.5,
)


def test_it_comes_back_as_it_was(one: FrozenModel) -> None:
    model = replace(one, nomogram=DRAWN)
    read = FrozenModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert as_json(read.nomogram) == as_json(DRAWN)
    case = {"age": 81.0, "sex": "M", "score": 0.3}
    assert read.nomogram.log_odds(case) == DRAWN.log_odds(case)


def test_a_model_without_one_is_as_before(one: FrozenModel) -> None:
    bare = replace(one, nomogram=None)
    assert "nomogram" not in bare.to_dict()
    assert FrozenModel.from_dict(bare.to_dict()).nomogram is None


def test_it_is_sealed(one: FrozenModel) -> None:
    record = replace(one, nomogram=DRAWN).to_dict()
    record["nomogram"]["intercept"] = 4.0
    with pytest.raises(DataError):
        FrozenModel.from_dict(record)
    sealed = [replace(one, nomogram=n).to_dict()["self_test"]["sealed"]
              for n in (DRAWN, replace(DRAWN, intercept=4.0))]  # fmt: skip
    assert sealed[0] != sealed[1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"share": 1.0}, "less than 1"),
        ({"axes": []}, "at least 1 item"),
        ({"intercept": None}, "valid number"),
        ({"more": 1}, "not permitted"),
        ({"axes": [{"variable": "a", "per_unit": 1.0, "ticks": [1.0, 1.0], "usual": 0.0}]},
         "ticks must rise"),
        ({"axes": [{"variable": "a", "levels": ["x"], "effects": [0.0, 1.0], "usual": "x"}]},
         "an effect of each level"),
        ({"axes": [{"variable": "a", "levels": ["x"], "effects": [0.0], "usual": "y"}]},
         "one of its levels"),
        ({"axes": [{"variable": "a", "levels": ["x"], "effects": [0.0], "usual": "x"}]},
         "a number with an effect"),
        ({"axes": 2 * [{"variable": "a", "per_unit": 1.0, "ticks": [0.0, 1.0], "usual": 0.0}]},
         "two axes"),
    ],
)  # fmt: skip
def test_what_cannot_be_one_is_refused(one: FrozenModel, change: dict, why: str) -> None:
    broken = as_json(DRAWN) | change
    with pytest.raises(ValueError, match=why):
        replace(one, nomogram=broken)


def test_a_study_keeps_its_own(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", 30)
    verbs.run(open_study(folder))
    kept = json.loads((folder / "results" / "evaluation.json").read_text())["added"]
    model = read_model(folder / "results" / "model.json")
    assert as_json(model.nomogram) == (kept and kept["nomogram"])


def calculator_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data-nomogram">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


def test_the_page_of_a_patient_begins_with_the_score(one: FrozenModel) -> None:
    model, score = replace(one, nomogram=DRAWN), Score("P1", SCORED, (), 1.25, 0.8, "malignant")
    data = calculator_of(render_patient(model, score, None))
    begins = {axis["label"]: axis["begins"] for axis in data["axes"]}
    assert begins == {"Age (years)": None, "Sex": None, "Score": 1.25}
    assert (data["prevalence"], data["stated"]) == (0.5, False)
    there = Elsewhere.of(model, 0.1)
    moved = calculator_of(render_patient(model, score, None, there))
    assert (moved["prevalence"], moved["stated"]) == (0.1, True)


def test_without_a_score_or_a_nomogram_there_is_no_calculator(one: FrozenModel) -> None:
    refused = Score("P1", REFUSED, ())
    assert "data-nomogram" not in render_patient(replace(one, nomogram=DRAWN), refused, None)
    scored = Score("P1", SCORED, (), 1.25, 0.8, "malignant")
    assert "data-nomogram" not in render_patient(replace(one, nomogram=None), scored, None)


@pytest.mark.parametrize(
    ("known", "age", "sex", "left"),
    [
        ({"age": 71.0, "sex": "F"}, 71.0, "F", ""),
        ({"age": "71,5", "sex": ""}, 71.5, None, "Sex"),
        ({"age": float("nan"), "sex": "other"}, None, None, "Age (years) and Sex"),
        ({"age": "old", "sex": "M"}, None, "M", "Age (years)"),
    ],
)
def test_what_is_known_of_the_case_is_filled_in(
    one: FrozenModel, known: dict, age: float | None, sex: str | None, left: str
) -> None:
    """A text that no training case had has no place on the axis, and stays empty."""
    model, score = replace(one, nomogram=DRAWN), Score("P1", SCORED, (), 1.25, 0.8, "malignant")
    page = render_patient(model, score, None, None, known)
    begins = {axis["label"]: axis["begins"] for axis in calculator_of(page)["axes"]}
    assert begins == {"Age (years)": age, "Sex": sex, "Score": 1.25}
    assert (f"Not known, or of no training case: {left}." in page) == bool(left)


def test_the_row_of_a_case_fills_the_calculator(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", 30)
    for verb in (verbs.extract, verbs.fit, verbs.evaluate, verbs.freeze):
        verb(open_study(folder))
    path = folder / "results" / "model.json"
    model = replace(read_model(path), nomogram=DRAWN)
    patients = patients_of(model, read_new_cases(folder, model))
    row = read_rows(folder)[3]
    score, page = score_one(model, patients[3], tmp_path / "out")
    axes = calculator_of(page.read_text())["axes"]
    assert [axis["begins"] for axis in axes] == [float(row["age"]), row["sex"], score.score]
