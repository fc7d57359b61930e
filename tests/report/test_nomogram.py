"""What the report shows of the nomogram, and what its calculator gives in a browser."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from centrum.evaluate.prevalence import at_prevalence
from centrum.modelling.nomogram import PROBABILITIES, Nomogram, NumberAxis, TextAxis
from centrum.report import readings
from centrum.report.build import page_of
from centrum.report.calculator import calculator, labels_of
from centrum.report.environment import templates
from centrum.report.figures import draw_nomogram
from centrum.report.results import StudyResults
from centrum.report.sections.nomogram import nomogram, points_table
from tests.report.browser import CHROMIUM, titled

DRAWN = Nomogram(
    -5.0,
    (
        NumberAxis("age", 0.05, (50.0, 60.0, 70.0, 80.0, 90.0), 71.23),
        TextAxis("sex", ("F", "M"), (0.0, -0.4), "F"),
        NumberAxis("score", 0.9, (-2.0, 0.0, 2.0, 4.0), 0.3),
    ),
    0.4,
)


def test_the_numbers_of_a_study_are_in_its_table(results: StudyResults) -> None:
    found = results.evaluation.added.nomogram
    block = nomogram(results)
    (table,) = block.tables
    for axis in found.axes:
        name = {"age": "Age (years)", "sex": "Sex", "score": "Score"}[axis.variable]
        rows = [row[1:] for row in table.rows if row[0] == name]
        assert rows == [(v, found.points(axis, v)) for v in getattr(axis, "ticks", None)
                        or axis.levels]  # fmt: skip
    likely = {row[1]: row[2] for row in table.rows if row[0] == "Probability"}
    assert [found.probability(total) for total in likely.values()] == pytest.approx([*likely])
    assert set(likely) == {p for p in PROBABILITIES if 0 <= found.points_at(p) <= found.most}
    assert len(likely) > 3
    assert block.pictures[0].main


def test_a_stated_prevalence_has_a_line_of_its_own(results: StudyResults) -> None:
    protocol = results.protocol
    stated = protocol.evaluation.model_copy(update={"prevalence": 0.2})
    changed = replace(results, protocol=protocol.model_copy(update={"evaluation": stated}))
    (table,) = nomogram(changed).tables
    rows = {row[1]: row[2] for row in table.rows if row[0].endswith("at a prevalence of 20 %")}
    found = results.evaluation.added.nomogram
    assert found.probability(rows[0.5], 0.2) == pytest.approx(0.5)
    assert "20 %" in nomogram(changed).pictures[0].caption
    data = page_of(changed, {}).data["nomogram"]
    assert (data["prevalence"], data["stated"]) == (0.2, True)
    plain = page_of(results, {}).data["nomogram"]
    assert (plain["prevalence"], plain["stated"]) == (found.share, False)


def test_without_a_clinical_variable_there_is_none(results: StudyResults) -> None:
    none = replace(results, evaluation=replace(results.evaluation, added=None))
    assert nomogram(none) is None
    assert "nomogram" not in page_of(none, {}).data


def test_what_is_read_of_it() -> None:
    text = readings.nomogram(DRAWN, labels_of(DRAWN))
    assert text == (
        "Score has up to 100 points, Age (years) up to 37, and a sum of 87 points is a probability "
        "of one half."
    )
    rare = replace(DRAWN, intercept=-50.0)
    assert "no sum of points up to 144 is" in readings.nomogram(rare, labels_of(rare))


def test_lines_lie_where_the_points_are() -> None:
    figure = draw_nomogram(DRAWN, labels_of(DRAWN), "malignant", 0.2)
    (axes,) = figure.axes
    lines = [line.get_xydata() for line in axes.lines if line.get_linewidth() > 0.7]
    ends = {int(xy[0, 1]): (xy[0, 0], xy[1, 0]) for xy in lines}
    assert ends[0] == (0, 1)
    assert ends[1] == pytest.approx((0, DRAWN.points(DRAWN.axes[0], 90.0) / 100))
    assert ends[3] == pytest.approx((0, 1))
    texts = {text.get_text(): text.get_position() for text in axes.texts}
    total = max(float(t) for t, (_, y) in texts.items() if 3.5 < y < 4.5 and t[0].isdigit())
    assert total >= DRAWN.most
    for row, prevalence in ((5, None), (6, 0.2)):
        places = {xy[0, 0] for line in axes.lines if (xy := line.get_xydata())[0, 1] == row}
        wanted = DRAWN.points_at(0.5, prevalence) / total
        assert min(abs(place - wanted) for place in places) < 1e-9
    assert {"Points", "Total points", "Sex", "F", "M"} <= set(texts)


ACTS = """
const last = ".calculator tbody td:last-child";
const said = [];
const fields = [...document.querySelectorAll(".calculator input, .calculator select")];
const read = () => said.push({
  points: [...document.querySelectorAll(last)].map((c) => c.textContent),
  likely: document.querySelector(".calculator [aria-live]").textContent,
  note: document.querySelector(".calculator .note").textContent,
});
read();
for (const values of CASES) {
  values.forEach((value, k) => { fields[k].value = value; });
  fields[0].dispatchEvent(new Event("input"));
  read();
}
document.title = JSON.stringify(said);
"""

CASES = [["62", "M", "1.7", "40"], ["88", "F", "-0.4", "5"], ["95", "F", "0", "40"],
         ["", "F", "0", "40"]]  # fmt: skip


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="there is no browser (chromium)"
)
def test_the_calculator_gives_the_probability_of_the_model(tmp_path: Path) -> None:
    script = templates().get_template("nomogram.js").render()
    data = json.dumps(calculator(DRAWN, "malignant", None))
    page = (
        '<!DOCTYPE html><meta charset="utf-8"><figure id="figure-nomogram"></figure>'
        f'<script type="application/json" id="data-nomogram">{data}</script>'
        f"<script>{script}</script><script>{ACTS.replace('CASES', json.dumps(CASES))}</script>"
    )
    usual, first, second, far, empty = json.loads(titled(page, tmp_path))
    assert "at a prevalence of 40 %" in usual["likely"]
    for said, (age, sex, score, prevalence) in ((first, CASES[0]), (second, CASES[1])):
        values = {"age": float(age), "sex": sex, "score": float(score)}
        points = [DRAWN.points(axis, values[axis.variable]) for axis in DRAWN.axes]
        assert said["points"][:-1] == [f"{p:.1f}" for p in points]
        assert float(said["points"][-1]) == pytest.approx(sum(round(p, 1) for p in points))
        own = expit(DRAWN.log_odds(values))
        (likely,) = at_prevalence([own], own=0.4, prevalence=float(prevalence) / 100)
        assert f"malignant: {likely:.2f}" in said["likely"]
        assert said["note"] == ""
    assert "Age (years)" in far["note"]
    assert "malignant: –" in empty["likely"]
    assert empty["points"][0] == "–"


def test_points_are_printed_with_the_digits_they_need() -> None:
    shown = points_table(DRAWN, None).shown()
    assert DRAWN.digits == 1
    assert ["Age (years)", "90", "37.0"] in shown
    steep = replace(DRAWN, axes=(replace(DRAWN.axes[0], per_unit=2.0), *DRAWN.axes[1:]))
    assert steep.digits == 2
    assert np.isclose(steep.points(steep.axes[0], 90.0), 100)
