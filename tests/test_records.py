"""Results as JSON holds them: the text of every kind of part, and results read again."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pytest
from typing_extensions import TypeAliasType

from centrum.cohort import apply_rules
from centrum.cohort.case import Case, Cohort
from centrum.cohort.eligibility import EligibilityRule
from centrum.evaluate.thresholds import CutOff
from centrum.features.settings import ExtractionSettings
from centrum.measure.extract import plan
from centrum.modelling.calibrators import CALIBRATORS, calibrator_from
from centrum.modelling.conformal import ConformalSets
from centrum.provenance import Step
from centrum.records import as_json, from_json
from centrum.validation.model import FeatureCountFacts, Model
from centrum.validation.procedure import Permutation

COHORT = Cohort((Case("P1", "Q1", "malignant", age=40.0), Case("P2", "Q2", "malignant", age=17.0)))
RULE = EligibilityRule(name="grown", require="age > 18")

MODEL = Model(
    features=("a", "b"),
    coefficients=np.array([1.0, np.nan]),
    means=np.array([0.5, 2.0]),
    sds=np.array([1.0, 3.0]),
    intercept=0.25,
    clip=None,
    positive="malignant",
    negative="osteoporotic",
    classifier="logistic",
    n_train=24,
    funnel={"all": 4, "select": 2},
    ranked=(),
    lasso=None,
    feature_count=FeatureCountFacts(np.array([1.0, 2.0]), np.zeros(2), np.ones(2), 2, "auc"),
)

TEXTS = {
    '{"value": "-inf", "rule": "given", "learnt_on": "all", "ties": [], "digest": ""}': CutOff(
        -np.inf, "given", "all"
    ),
    '{"error": 0.1, "positive": [0.5, 2.0], "negative": []}': ConformalSets(
        0.1, np.array([0.5, 2.0]), np.array([])
    ),
    '[{"name": "crop", "parameters": {"mm": [1, 2.5]}, "version": "1"}]': (
        Step("crop", {"mm": (1, 2.5)}, "1"),
    ),
    '{"whole": [[1, null], [true, 2]], "single": null}': {
        "whole": (np.array([1, None], dtype=object), [np.bool_(True), np.int64(2)]),
        "single": np.float64("nan"),
    },
    '{"start": {"cases": 2, "patients": 2, "outcomes": {"malignant": 2}}, "exclusions": [{"rule": '
    '{"name": "grown", "require": "age > 18"}, "excluded": {"cases": 1, "patients": 1, "outcomes": '
    '{"malignant": 1}, "ids": ["P2"]}, "undecided": {"cases": 0, "ids": []}}], "end": {"cases": 1, '
    '"patients": 1, "outcomes": {"malignant": 1}}}': apply_rules(COHORT, (RULE,))[1],
    '{"features": ["a", "b"], "coefficients": [1.0, null], "means": [0.5, 2.0], "sds": [1.0, 3.0], '
    '"intercept": 0.25, "clip": null, "positive": "malignant", "negative": "osteoporotic", '
    '"classifier": "logistic", "n_train": 24, "funnel": {"all": 4, "select": 2}, "ranked": [], '
    '"lasso": null, "feature_count": {"numbers": [1.0, 2.0], "mean": [0.0, 0.0], "se": [1.0, 1.0], '
    '"chosen": 2, "measure": "auc"}}': MODEL,
}
"""What files hold -> the result."""


@pytest.mark.parametrize("text", TEXTS)
def test_what_files_hold_of_a_result(text: str) -> None:
    assert json.dumps(as_json(TEXTS[text]), allow_nan=False) == text


def test_a_feature_says_its_unit() -> None:
    feature = plan(ExtractionSettings(families=("morphology",), filters=()))[0]
    further = replace(feature, region="muscle")
    assert as_json(further) == asdict(further) | {"unit": feature.unit}
    assert as_json(feature).keys() == as_json(further).keys() - {"region"}
    assert feature.unit == "mm3"


@pytest.mark.parametrize("kind", CALIBRATORS)
def test_a_calibrator_is_read_again(kind: str) -> None:
    step = CALIBRATORS[kind]().fit([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
    record = json.loads(json.dumps(as_json(step)))
    assert record["method"] == kind
    again = calibrator_from(record)
    np.testing.assert_array_equal(again.predict_proba([2.5]), step.predict_proba([2.5]))
    assert as_json(again) == record


def test_results_are_read_again() -> None:
    again = from_json(Model, json.loads(json.dumps(as_json(MODEL))))
    assert as_json(again) == as_json(MODEL)
    assert again.ranked == ()
    assert np.isnan(again.coefficients[1])
    permuted = from_json(Permutation, as_json(Permutation(float("nan"), (0.5, 0.6), 1)))
    assert np.isnan(permuted.observed)
    assert permuted.values == (0.5, 0.6)


Number = TypeVar("Number", bound=np.generic)
Alias = TypeAliasType("Alias", np.ndarray[Any, np.dtype[Number]], type_params=(Number,))


@dataclass(frozen=True)
class Held:
    values: Alias[np.float64]


def test_an_array_is_one_whatever_numpy_calls_its_type() -> None:
    """From numpy 2.5 and Python 3.12 on `NDArray` is an alias with a value of its own."""
    values = from_json(Held, {"values": [1, 2]}).values
    assert (type(values), values.dtype) == (np.ndarray, np.dtype(float))
