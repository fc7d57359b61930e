"""What figures are said to show: true of the results, and another when these are others."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from centrum.evaluate import CutOff, Scored, evaluate
from centrum.evaluate.calibration import calibration
from centrum.evaluate.decision_curve import DecisionCurve, decision_curve
from centrum.evaluate.discrimination import precision_recall
from centrum.perturb import RobustnessSettings
from centrum.report import readings
from centrum.report.blocks import Picture
from centrum.report.build import sections_of
from centrum.report.flow import flow_table
from centrum.report.results import StudyResults

from .conftest import Make

OVER = "the 8 of 24 cases that both readers drew"
OUTCOMES = ("malignant", "osteoporotic")
VARIANTS = {
    "everything": {"n_parts": 3, "searched": True, "perturbed": RobustnessSettings(repeats=1)},
    "one feature, one reader": {
        "n_selected": 1, "n_measured": 1, "readers": ("senior",),
        "perturbed": RobustnessSettings(kinds=("noise",), repeats=1),
    },
}  # fmt: skip

scores = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=4, max_size=30).filter(
    lambda cases: 0 < sum(positive for _, positive in cases) < len(cases)
)


def pictures(results: StudyResults) -> list[Picture]:
    return [p for block in sections_of(results) for p in block.pictures]


@pytest.mark.parametrize("name", VARIANTS)
def test_every_figure_has_one_sentence(make: Make, name: str) -> None:
    found = {p.key: p.reading for p in pictures(make(**VARIANTS[name]))}
    assert len(found) >= {"everything": 16}.get(name, 9)
    for key, text in found.items():
        assert re.fullmatch(r"[A-Z0-9].*\.", text), (key, text)
        assert not re.search(r"\.\s", text), (key, text)
        assert re.search(r"\d", text), (key, "no number of the study's", text)
        assert not re.search(r"\bnan\b|None|[ (]–[,.)]", text), (key, text)


def test_other_results_are_read_otherwise(make: Make) -> None:
    one = {p.key: p.reading for p in pictures(make())}
    other = {
        p.key: p.reading
        for p in pictures(make(n_selected=2, readers=("senior", "third", "resident")))
    }
    same = {key for key in one if one[key] == other.get(key)}
    # The path of the penalty, the number of features and who was there are the same in both.
    assert same <= {"lasso", "flow", "feature-count", "leak-audit"}


@given(scores, st.integers(0, 9))
def test_the_roc_counts_right_calls_and_where_chance_is(cases, cutoff) -> None:
    values, positive = (np.array(column) for column in zip(*cases, strict=True))
    found = evaluate(values, positive, None, CutOff(cutoff, "given", ""), name="t", seed=1,
                     n_resamples=2)  # fmt: skip
    text = readings.roc(found, OUTCOMES, several_parts=False)
    hits, clear = np.sum(values[positive] >= cutoff), np.sum(values[~positive] < cutoff)
    assert f"At the cut-off {hits} of {positive.sum()} malignant" in text
    assert f"and {clear} of {(~positive).sum()} osteoporotic" in text
    levels = np.unique(values)[1:]
    above = [np.mean(values[positive] >= t) > np.mean(values[~positive] >= t) for t in levels]
    said = {True: "over its whole length", False: f"at {sum(above)} of its {len(levels)}"}
    assert len(levels) == 0 or said[all(above)] in text


@given(scores)
def test_false_alarms_are_those_of_the_lowest_sufficient_threshold(cases) -> None:
    values, positive = (np.array(column) for column in zip(*cases, strict=True))
    text = readings.precision(
        precision_recall(Scored.of(values, positive)), int(positive.sum()), "malignant"
    )
    enough = [t for t in np.unique(values) if np.mean(values[positive] >= t) >= 0.8 - 1e-9]
    costs = {t: (values[~positive] >= t).sum() for t in enough}
    hits, alarms = (int(n) for n in re.findall(r"\((\d+) of.*?(\d+) false", text)[0])
    assert (hits, alarms) in {((values[positive] >= t).sum(), n) for t, n in costs.items()}
    assert hits >= 0.8 * positive.sum() - 1e-9


@given(st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=2, max_size=12).filter(any))
def test_few_coefficients_make_half_and_one_less_does_not(values) -> None:
    labels = [f"f{k}" for k in range(len(values))]
    text = readings.coefficients(labels, values, OUTCOMES)
    few = int(found[1]) if (found := re.search(r"the (\d+) largest", text)) else 1
    sizes = np.sort(np.abs(values))[::-1]
    assert sizes[:few].sum() >= sizes.sum() / 2 * (1 - 1e-9)
    assert sizes[: few - 1].sum() < sizes.sum() / 2 * (1 + 1e-9)
    for outcome, sign in zip(OUTCOMES, (1, -1), strict=True):
        assert (f"most for {outcome}" in text) == (max(sign * np.array(values)) > 0)


def test_a_slope_is_judged_by_its_interval() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.02, 0.98, 4000)
    y = rng.uniform(size=p.size) < p
    sharp, moderate = (1 / (1 + ((1 - p) / p) ** power) for power in (2, 0.5))
    said = {
        kind: readings.calibrated(calibration(Scored.of(values, y)))
        for kind, values in (("neither", p), ("too extreme", sharp), ("too moderate", moderate))
    }
    assert "neither clearly too extreme nor clearly too moderate" in said["neither"]
    assert "are too extreme (slope 0.4" in said["too extreme"]
    assert re.search(r"are too moderate \(slope [12]\.", said["too moderate"])


def test_a_model_that_helps_nobody_is_said_to() -> None:
    y = np.tile([0, 1], 20)
    wrong = decision_curve(Scored.of(np.where(y, 0.2, 0.8), y), None)
    right = decision_curve(Scored.of(np.where(y, 0.8, 0.2), y), None)
    assert readings.decision(wrong).startswith("At none of 99 threshold")
    assert "does more good" in readings.decision(right)
    assert "gains 50 net true positives" in readings.decision(right)
    assert readings.decision(right).endswith(", and harm at none.")


def test_harm_is_named_as_gain_is_and_each_by_its_interval() -> None:
    at = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    gain = np.array([-0.08, -0.02, 0.0, 0.03, 0.12])
    lower = np.array([-0.15, -0.06, 0.0, -0.01, 0.04])
    upper = np.array([-0.01, 0.03, 0.0, 0.06, 0.2])
    every, none = np.zeros(5), np.full(5, np.nan)
    rest = dict.fromkeys(("over_all_lower", "over_all_upper", "avoided"), none)
    curve = DecisionCurve(at, gain, every, none, none, lower, upper, **rest, prevalence=0.5)
    assert readings.decision(curve) == (
        "Acting on the model does more good than acting on everybody or on nobody at 2 of 5 "
        "threshold probabilities between 0.40 and 0.50, most at 0.50, where it gains 12 net true "
        "positives per 100 cases (interval of the gain 4 to 20; it is above 0 at 1 of these 2), "
        "and harm at 2 between 0.10 and 0.20, most at 0.10, where it loses 8 net true positives "
        "per 100 cases (interval of the gain −15 to −1; it is below 0 at 1 of these 2)."
    )


def test_the_audit_says_what_there_is() -> None:
    leaks = {n: (np.array([v]), np.array([0.5])) for n, v in (("none", 0.7), ("b", 0.9))}
    both = readings.audit((0.5, 0.52, 0.85), 0.8, leaks)
    assert "AUC of 0.62, against 0.80" in both
    assert "1 of 3 permutations does as well" in both
    assert "flatters most (b) would have claimed an AUC of 0.90 instead of 0.70" in both
    assert readings.audit((), float("nan"), leaks).startswith("The leak that flatters most (b)")
    honest = {n: (np.array([0.7]), np.array([0.5])) for n in ("none", "b")}
    assert "no leak would have claimed more" in readings.audit((0.5,), 0.8, honest)


def test_best_and_least_image_or_family() -> None:
    facts = pd.DataFrame(
        {"image": ["a", "a", "b", "b"], "family": ["F", "G", "F", "G"], "kept": [1, 1, 1, 0]}
    )
    assert readings.agreement_grid(facts) == (
        "The readers agree best in features on the image a (2 of 2 pass) and least on b "
        "(1 of 2 pass)."
    )
    one = facts.assign(image="a")
    assert "of the family F (2 of 2 pass) and least on G (1 of 2" in readings.agreement_grid(one)
    assert "same share" in readings.agreement_grid(facts.assign(kept=1))


def test_overlap_is_told_only_of_several_readers() -> None:
    assert "Dice" not in readings.agreement([True, False], {}, OVER)
    assert "1 of 2 features (50 %)" in readings.agreement([True, False], {}, OVER)
    pair = {"a – b": [0.8, 0.9, 0.7], "a – c": [0.95, 0.9, 0.99]}
    assert "of a – b, the pair that agrees least" in readings.agreement([True], pair, OVER)
    assert f"between the readers over {OVER}, and half" in readings.agreement([True], pair, OVER)
    assert "half of the 3 pairs of regions" in readings.agreement([True], pair, OVER)
    assert "more than 0.80, the worst with 0.70" in readings.agreement([True], pair, OVER)


def test_the_penalty_is_compared_with_the_largest(make: Make) -> None:
    facts = make().model.lasso
    at = int(np.argmin(np.abs(facts.lambdas - facts.chosen)))
    for change, said in ((0.5, "by more than"), (0.05, "by less than"), (-0.1, "is no better")):
        cvm = np.full(len(facts.cvm), 1.0)
        cvm[at] -= change
        text = readings.lasso(replace(facts, cvm=cvm, cvsd=np.full(len(cvm), 0.1)))
        assert said in text
        assert f"leaves {facts.n_features[at]} features" in text


def test_nobody_is_left_out_of_the_flow_of_several_parts(make: Make) -> None:
    several = make(n_parts=3)
    settings = several.protocol.model_copy(
        update={"split": several.protocol.split.model_copy(update={"design": "nested_cv"})}
    )
    stations = [row[0] for row in flow_table(replace(several, protocol=settings)).rows]
    assert stations[-1] == "in turn"
    assert "test" not in stations
