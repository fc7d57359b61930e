"""From scores to calls: the rule and its choices are those of the protocol."""

from typing import Any

import numpy as np
import pytest

from centrum.evaluate import Scored
from centrum.evaluate.thresholds import Confusion
from centrum.protocol import EvaluationSettings
from centrum.validation.decision import LEARNT_ON, choose_cutoff, learn_decision

SCORES = np.arange(12.0)
POSITIVE = np.array([0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1])


def cutoff(**chosen: Any) -> float:
    settings = EvaluationSettings.model_validate({"cutoff": chosen})
    found = choose_cutoff(Scored.of(SCORES, POSITIVE), settings, "these")
    assert found.learnt_on == "these"
    return found.value


@pytest.mark.parametrize(
    ("rule", "other"), [("sensitivity", "specificity"), ("specificity", "sensitivity")]
)
def test_a_target_is_reached_at_the_least_cost(rule: str, other: str) -> None:
    """Of all cut-offs that reach it none has more of the other share; each target has its own."""
    scored = Scored.of(SCORES, POSITIVE)
    shares = [Confusion.of(scored, value).measures() for value in np.arange(-0.5, 13)]
    values = [cutoff(rule=rule, target=target) for target in (0.5, 0.8, 0.95)]
    assert len({*values}) == 3
    for value, target in zip(values, (0.5, 0.8, 0.95), strict=True):
        own = Confusion.of(scored, value).measures()
        assert own[rule] >= target
        assert own[other] == max(each[other] for each in shares if each[rule] >= target)


def test_the_cost_of_a_missed_case_moves_the_cut_off() -> None:
    cheap, dear = (cutoff(rule="cost", cost_ratio=ratio) for ratio in (0.1, 10))
    assert dear < cutoff(rule="youden") < cheap


def test_a_score_at_the_cut_off_is_positive_and_an_unknown_one_nothing() -> None:
    patients = np.arange(12)
    found = learn_decision(SCORES, POSITIVE, patients, EvaluationSettings(), "platt")
    assert found.cutoff.learnt_on == LEARNT_ON
    value = found.cutoff.value
    scores = np.array([value, np.nextafter(value, -np.inf), np.nan])
    assert found.called(scores[:2]).tolist() == [True, False]
    likely, called = found.of_known(scores)
    np.testing.assert_array_equal(called, [1, 0, np.nan])
    np.testing.assert_array_equal(likely[:2], found.probability(scores[:2]))
    assert np.isnan(likely[2])


def test_sets_are_by_patient_and_miss_as_often_as_was_agreed() -> None:
    """The strangest case of a patient counts: of two patients of an outcome none is left out."""
    one, two = np.arange(12), np.where(POSITIVE, np.arange(12) % 2, 2 + np.arange(12) % 2)
    strict = EvaluationSettings(conformal_error=0.4)
    alone, grouped = (learn_decision(SCORES, POSITIVE, p, strict, "platt") for p in (one, two))
    assert alone.conformal.positive.size == 6
    assert grouped.conformal.positive.size == grouped.conformal.negative.size == 2
    assert alone.conformal.error == 0.4
