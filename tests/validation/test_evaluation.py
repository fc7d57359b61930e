"""The held-out cases of a study: what each is judged by."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from centrum.errors import DataError
from centrum.protocol import Outcome, parse_protocol
from centrum.records import as_json
from centrum.validation.decision import learn_decision
from centrum.validation.evaluation import (
    StudyEvaluation,
    _test_side,
    evaluate_study,
    reader_calls,
)

SCORES = pd.DataFrame(
    {"outcome": ["a", "b", "a", "b"], "patient": [*"1234"], "part": ["train", *["test"] * 3]},
    index=[*"wxyz"],
)


def test_cases_of_several_parts_are_called_by_half_of_them_or_more() -> None:
    """One that no part has tested is left out."""
    tested = pd.DataFrame(
        {
            "times": [2, 0, 4, 3],
            "probability": [0.5, np.nan, 0.7, 0.2],
            "called": [0.5, np.nan, 0.75, 1 / 3],
            "set": ["both", None, "b", "a"],
        },
        index=SCORES.index,
    )
    side = _test_side(SCORES, SimpleNamespace(), tested)
    assert side.cases.index.tolist() == ["w", "y", "z"]
    assert side.called.tolist() == [True, True, False]
    assert side.probability.tolist() == [0.5, 0.7, 0.2]
    assert side.sets == ("both", "b", "a")


N = 80


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    """A study of 80 cases of 60 patients with two readers, some of whose cases are tested."""
    rng = np.random.default_rng(21)
    positive = np.arange(N) % 2 == 0
    score = rng.normal(size=N) + 1.2 * positive
    return pd.DataFrame(
        {
            "patient": [f"P{k // 2 * 2 if k < 40 else k}" for k in range(N)],
            "outcome": np.where(positive, "malignant", "osteoporotic"),
            "part": np.where(np.arange(N) % 4 < 2, "train", "test"),
            "score": score,
            "out_of_fold": score * 0.8 + rng.normal(0, 0.3, N),
            "score:resident": score + rng.normal(0, 0.4, N),
        },
        index=[f"C{k}" for k in range(N)],
    )


@pytest.fixture(scope="module")
def known(scores: pd.DataFrame) -> pd.DataFrame:
    """With a diagnosis of a reader, who is right in three of four cases."""
    rng = np.random.default_rng(22)
    right = rng.random(N) < 0.75
    other = scores["outcome"].map({"malignant": "osteoporotic", "osteoporotic": "malignant"})
    return pd.DataFrame(
        {
            "patient": scores["patient"],
            "age": rng.normal(70, 8, N).round(),
            "sex": np.where(rng.random(N) < 0.5, "F", "M"),
            "centre": np.where(np.arange(N) % 3, "A", "B"),
            "diagnosis": scores["outcome"].where(right, other).str.upper(),
        },
        index=scores.index,
    )


SETTINGS = {"reader_calls": "[diagnosis]", "subgroups": "[centre]", "n_resamples": "100",
            "prevalence": "0.2", "nri_idi": "true"}  # fmt: skip


def evaluated(scores: pd.DataFrame, known: pd.DataFrame, **chosen: str) -> StudyEvaluation:
    """Under settings of a protocol."""
    block = ", ".join(f"{name}: {value}" for name, value in (SETTINGS | chosen).items())
    protocol = parse_protocol(f"preset: vcf-t2w\nevaluation: {{{block}}}", "test")
    train = scores[scores["part"] == "train"]
    decision = learn_decision(
        train["out_of_fold"].to_numpy(),
        (train["outcome"] == "malignant").to_numpy(dtype=int),
        train["patient"].to_numpy(),
        protocol.evaluation,
        protocol.model.calibration,
    )
    return evaluate_study(protocol, scores, known, decision, primary="senior")


@pytest.fixture(scope="module")
def usual(scores: pd.DataFrame, known: pd.DataFrame) -> StudyEvaluation:
    found = evaluated(scores, known)
    assert found.failed == {}
    return found


def widths(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, float]]:
    """Every interval that is written: its place, and how wide it is over all of its points."""
    if isinstance(found, dict):
        for name, each in found.items():
            if name.endswith("lower") and (upper := f"{name[:-5]}upper") in found:
                ends = [np.array(found[end], dtype=float) for end in (name, upper)]
                yield ".".join((*path, name)), float(np.sum(ends[1] - ends[0]))
            yield from widths(each, (*path, name))
    elif isinstance(found, list):
        for k, each in enumerate(found):
            yield from widths(each, (*path, str(k)))


def test_every_interval_has_the_confidence_of_the_protocol(
    scores: pd.DataFrame, known: pd.DataFrame, usual: StudyEvaluation
) -> None:
    """At a lower one each is narrower, but for those of few values, which none is wider than."""
    wide = dict(widths(as_json(usual)))
    narrow = dict(widths(as_json(evaluated(scores, known, confidence="0.8"))))
    assert wide.keys() == narrow.keys()
    none = {place for place, width in wide.items() if np.isnan(width)}
    assert {place for place in none if not place.startswith("added.curves.")} == {
        place for place in wide if place.startswith("train.")
    }, "what is apparent has none"
    assert {place.partition(".")[0] for place in wide} >= {
        "out_of_fold", "test", "patients", "band", "calibration", "decision_curve", "added",
        "decision_curve_elsewhere", "subgroups", "readers", "other_readers", "odds_ratios",
    }  # fmt: skip
    for place in wide.keys() - none - {"other_readers.0.limits.lower"}:  # of 1.96 SD always
        few = place.endswith(".bootstrap.lower") and narrow[place] == wide[place]
        assert few or narrow[place] < wide[place], place


DRAWN = {
    "train", "out_of_fold", "test", "patients", "band", "decision_curve",
    "decision_curve_elsewhere", "readers", "other_readers", "added",
}  # fmt: skip
"""What has a bootstrap, or tells of one."""


@pytest.mark.parametrize("other", [{"seed": "99"}, {"n_resamples": "130"}])
def test_what_is_drawn_is_drawn_by_seed_and_number_of_the_protocol(
    scores: pd.DataFrame, known: pd.DataFrame, usual: StudyEvaluation, other: dict[str, str]
) -> None:
    found = as_json(evaluated(scores, known, **other))
    differing = {name for name, own in as_json(usual).items() if repr(own) != repr(found[name])}
    assert differing == DRAWN


def test_what_is_asked_for_a_prevalence(
    scores: pd.DataFrame, known: pd.DataFrame, usual: StudyEvaluation
) -> None:
    """Moved from the share of the training cases by the odds, as of Bayes; not without one."""
    train = scores[scores["part"] == "train"]
    positive = (scores.loc[list(usual.tested), "outcome"] == "malignant").to_numpy()
    assert usual.trained_share == (train["outcome"] == "malignant").mean()
    own, there = usual.trained_share / (1 - usual.trained_share), 0.2 / 0.8
    odds = usual.probability / (1 - usual.probability) * there / own
    moved = odds / (1 + odds)
    elsewhere = usual.decision_curve_elsewhere
    assert elsewhere is not None
    for threshold, benefit in zip(elsewhere.thresholds, elsewhere.model, strict=True):
        called = moved >= threshold
        hit, false = called[positive].mean(), called[~positive].mean()
        wanted = 0.2 * hit - 0.8 * false * threshold / (1 - threshold)
        assert benefit == pytest.approx(wanted, abs=1e-12)
    found = evaluated(scores, known, prevalence="null").decision_curve_elsewhere
    assert found is None


@pytest.mark.parametrize(("tested", "groups"), [(16, 3), (24, 4), (70, 10)])
def test_small_test_sets_have_fewer_groups_of_calibration(
    scores: pd.DataFrame, known: pd.DataFrame, tested: int, groups: int
) -> None:
    """Of six cases or more, but never fewer than three groups nor more than ten."""
    own = scores.assign(part=np.where(np.arange(N) < tested, "test", "train"), patient=scores.index)
    found = evaluated(own, known.assign(patient=scores.index))
    assert len(found.calibration.groups) == groups


def test_what_cannot_be_evaluated_is_told_and_the_rest_kept(
    scores: pd.DataFrame, known: pd.DataFrame, usual: StudyEvaluation
) -> None:
    """A reader who never saw a case of one outcome, and a column that is the age again."""
    malignant = scores["outcome"] == "malignant"
    of_one = evaluated(scores, known.assign(diagnosis=known["diagnosis"].where(malignant)))
    assert {*of_one.failed} == {"The comparison with diagnosis"}
    assert of_one.readers == ()
    twin = evaluated(scores, known.assign(twin=known["age"]), odds_ratios="[twin]")
    assert {*twin.failed} == {"The table of odds ratios"}
    assert twin.odds_ratios is None
    for found in (of_one, twin):
        assert found.by_set["test"].auc == usual.by_set["test"].auc


def test_a_reader_is_compared_on_the_cases_that_he_saw(
    scores: pd.DataFrame, known: pd.DataFrame
) -> None:
    """Whatever the case of his words."""
    tested = (scores["part"] == "test").to_numpy()
    said = known["diagnosis"].where(np.arange(N) % 8 != 7)
    (reader,) = evaluated(scores, known.assign(diagnosis=said)).readers
    right = said.str.lower() == scores["outcome"]
    seen = said.notna() & tested
    for name, outcome in (("sensitivity", "malignant"), ("specificity", "osteoporotic")):
        own = seen & (scores["outcome"] == outcome)
        assert getattr(reader, name) == pytest.approx(right[own].mean()), name
    outcomes = Outcome(positive="malignant", negative="osteoporotic")
    wrong = known.assign(diagnosis=said.replace("MALIGNANT", "maybe"))
    wrong.iloc[:3, -1] = ["zoster", "cyst", "benign"]
    with pytest.raises(DataError, match="holds benign, cyst, maybe; a reader's diagnosis is"):
        reader_calls(outcomes, wrong, "diagnosis")
    with pytest.raises(DataError, match="'nobody', which the manifest does not have"):
        reader_calls(outcomes, known, "nobody")
