"""The page of a scored patient: what makes the score, whatever the classifier."""

import json
import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from centrum.frozen.domain import Flag
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score, score_values
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.settings import ModelSettings, RfeSettings, SelectSettings
from centrum.report.colours import GREY, OUTCOMES
from centrum.report.overlay import region_view
from centrum.report.patient import SHOWN, labels_of, render_patient, waterfall
from centrum.report.sheet import draw_sheet
from centrum.report.words.contributions import LIMIT, UNTOLD
from tests.frozen.models import INTERVAL, MEASURE, frozen
from tests.report.browser import CHROMIUM, titled
from tests.report.test_overlay import exam

pytestmark = pytest.mark.usefixtures("few_trees")

NAMES = tuple(f"feature_{k}" for k in range(15))


def scored(classifier: str, far: float = 0.0) -> tuple[FrozenModel, Score]:
    """A model and a case that it scores; `far` moves the telling features."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.normal(50, 10, size=(60, 15))
    X[:, :4] += 9 * y[:, None]
    settings = ModelSettings(
        classifier=classifier,
        select=SelectSettings(method="none"),
        rfe=RfeSettings(estimator="none"),
        n_features=None,
        balance="none",
        correlation=None,
        clip=None,
    )
    fitted = StudyClassifier(settings, 1, NAMES, calibrate=False).fit(X[:, :, None], y)
    model = frozen(fitted, NAMES, X[:, :, None], y)
    return model, score_values(model, "P1", X[1] + far * (np.arange(15) < 4), None)


@pytest.mark.parametrize(
    ("classifier", "said", "ends"),
    [
        ("logistic", "coefficient × standardised value", ("Intercept", "Score")),
        ("rbf_svm", "sum exactly to the score", ("At the training means", "Score")),
        ("gradient_boosting", "sum exactly to the score", ("At the training means", "Score")),
        ("random_forest", "mean vote of 20 trees; the score is its log-odds",
         ("At the training means", "Mean vote of the trees")),
    ],
)  # fmt: skip
def test_bars_lead_from_the_training_means_to_the_total(
    classifier: str, said: str, ends: tuple[str, str]
) -> None:
    model, score = scored(classifier)
    bars, whole = waterfall(model, score), score.breakdown
    assert whole is not None
    assert (bars[0].label, bars[-1].label) == ends
    assert bars[0].end == whole.base
    assert bars[-1].end == whole.total
    for before, after in pairwise(bars[:-1]):
        assert after.start == before.end
    assert bars[-2].end == pytest.approx(whole.total, abs=1e-9)
    assert bars[-2].label == f"{len(score.parts) - SHOWN} other features"
    page = re.sub(r"\s+", " ", render_patient(model, score, None))
    assert said in page
    assert f"From {ends[0].lower()} to {ends[1].lower()}: " in page
    assert page.count('<th scope="col">Contribution</th>') == 1
    assert UNTOLD not in page
    plain = classifier == "random_forest"
    assert [bars[0].colour, bars[-1].colour] == (
        [GREY, GREY] if plain else [OUTCOMES[whole.base < 0], OUTCOMES[whole.total < 0]]
    )


def test_the_cut_off_of_a_forest_is_drawn_as_a_vote() -> None:
    model, score = scored("random_forest")
    vote = 1 / (1 + np.exp(-model.cutoff))
    assert float(model.scorer.on_scale(model.cutoff)) == pytest.approx(vote)
    axes = draw_sheet(model, score, None).axes[-1]
    (dashed,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert dashed.get_xdata()[0] == pytest.approx(vote)
    at = re.findall(
        r'<line x1="([\d.]+)%" x2="\1%" y1="0" y2="18"', render_patient(model, score, None)
    )
    bars = waterfall(model, score)
    assert len(set(at)) == 1
    lowest, highest = min(b.start for b in bars), max(b.end for b in bars)
    share = (vote - min(0, lowest)) / (highest - min(0, lowest))
    assert float(at[0]) == pytest.approx(100 * (share * 1 / 1.08 + 0.04 / 1.08), abs=0.6)


def test_a_limited_log_odds_has_a_bar_of_its_own() -> None:
    model, score = scored("naive_bayes", far=60.0)
    bars, whole = waterfall(model, score), score.breakdown
    assert whole is not None
    assert abs(whole.rest) > 1
    assert bars[-2].label == LIMIT
    assert bars[-2].end == pytest.approx(whole.total)
    assert "what that takes off is told apart" in render_patient(model, score, None)


def chance(model: FrozenModel, **performance: object) -> FrozenModel:
    return replace(model, performance={**model.performance, **performance})


def test_a_model_that_may_be_chance_explains_nothing() -> None:
    model, _ = scored("logistic")
    judged = {**model.performance["test"]}
    judged["auc"] = {"value": 0.7, "interval": {"lower": 0.5, "upper": 0.9}}
    other = chance(model, test=judged)
    assert model.above_chance
    assert not other.above_chance
    score = score_values(other, "P1", np.full(15, 52.0), None)
    assert score.breakdown is None
    assert {part.contribution for part in score.parts} == {None}
    assert waterfall(other, score) == ()
    page = render_patient(other, score, None)
    assert UNTOLD in page
    assert "Contribution" not in page
    told = "\n".join(text.get_text() for text in draw_sheet(other, score, None).texts)
    assert "Contribution" not in told
    assert score.to_dict(other)["breakdown"] is None


def test_the_interval_over_the_parts_decides_where_a_model_has_one() -> None:
    model, _ = scored("logistic")
    low = {**MEASURE, "interval": {**INTERVAL, "lower": 0.48}}
    assert not chance(model, over_parts=low).above_chance
    assert chance(model, over_parts=MEASURE).above_chance
    none = {**MEASURE, "interval": {"lower": None, "upper": None}}
    assert not chance(model, over_parts=none).above_chance
    assert FrozenModel.from_dict(chance(model, over_parts=low).to_dict()).above_chance is False


def test_the_prevalence_and_the_range_stand_beside_the_probability() -> None:
    model, score = scored("logistic")
    beside = re.compile(r'<dd class="beside">(.*?)</dd>')
    ranged = replace(score, low=0.2, high=0.7)
    where = "where 50 % of cases are malignant, as in training"
    assert beside.findall(render_patient(model, score, None)) == [
        f"{where}; its range is not known"
    ]
    (told,) = beside.findall(render_patient(model, ranged, None))
    assert told == f"{where}; range in brackets"
    rare = replace(model, provenance={**model.provenance, "training": TRAINED})
    assert "where 13 % of cases are" in render_patient(rare, score, None)


TRAINED = {"cases": 60, "patients": 60, "positive": 8}


def test_features_of_a_warning_are_called_as_in_the_table() -> None:
    model, score = scored("logistic")
    flag = Flag("warning", "features-out-of-range", "Many features.", ("feature_3",))
    page = render_patient(model, replace(score, flags=(flag,)), None)
    label = labels_of(model)["feature_3"]
    assert f"Many features. Farthest first: {label}." in page
    told = " ".join(
        t.get_text() for t in draw_sheet(model, replace(score, flags=(flag,)), None).texts
    )
    assert f"Farthest first: {label}." in told


ACTS = """
const place = document.querySelector(".slices"), range = place.querySelector("input");
const seen = [];
const note = () => seen.push([[...place.querySelectorAll(".slice")].flatMap((s, k) =>
  s.checkVisibility() ? [k + 1] : []), range.getAttribute("aria-valuetext")]);
const wheel = (deltaY, more = {}) => {
  const event = new WheelEvent("wheel", { deltaY, cancelable: true, bubbles: true, ...more });
  place.querySelector("svg").dispatchEvent(event);
  seen.push(event.defaultPrevented);
};
note();
wheel(100); note();
wheel(10); wheel(10); note();
wheel(25); note();
wheel(100); note();
wheel(-3, { deltaMode: 1 }); note();
wheel(100, { ctrlKey: true }); note();
range.value = 1; range.dispatchEvent(new Event("input")); note();
wheel(-100); note();
place.querySelector("svg").dispatchEvent(new MouseEvent("click", { bubbles: true }));
seen.push(document.activeElement === range);
document.title = JSON.stringify(seen);
"""


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="there is no browser (chromium)"
)
def test_slices_are_turned_by_wheel_and_keys(tmp_path: Path) -> None:
    """One at a time, the largest first; at either end, and with Ctrl, the page has the wheel."""
    model, score = scored("logistic")
    page = render_patient(model, score, region_view(*exam()).stack)
    assert page.count('<div class="slice">') == 5
    title = titled(page.replace("</body>", f"<script>{ACTS}</script></body>"), tmp_path)
    assert json.loads(title) == [
        [[3], "3 of 5, the largest"],
        True, [[4], "4 of 5"],
        True, True, [[4], "4 of 5"],
        True, [[5], "5 of 5"],
        False, [[5], "5 of 5"],
        True, [[4], "4 of 5"],
        False, [[4], "4 of 5"],
        [[1], "1 of 5"],
        False, [[1], "1 of 5"],
        True,
    ]  # fmt: skip


def test_without_a_script_all_slices_are_there() -> None:
    model, score = scored("logistic")
    page = render_patient(model, score, region_view(*exam()).stack)
    assert 'class="slices one"' not in page
    assert re.findall(r"<span>(\d of 5.*?)</span>", page) == [
        "1 of 5", "2 of 5", "3 of 5, the largest", "4 of 5", "5 of 5"
    ]  # fmt: skip
