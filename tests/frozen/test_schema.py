"""What the parts of a frozen model may hold: learnt steps at their limits, and impossible ones."""

from typing import Any

import pytest

from centrum.errors import DataError
from centrum.frozen.schema import (
    CalibratorPart,
    Count,
    Number,
    Performance,
    Positive,
    SetsPart,
    Share,
    validated,
)
from tests.frozen.models import JUDGED, MEASURE

ISOTONIC = {"method": "isotonic", "scores": [-1.0, 1.0], "probabilities": [0.0, 1.0]}
VENN_ABERS = {
    "method": "venn_abers", "scores": [-1.0, 0.0, 1.0], "positives": [0.0, 1.0, 2.0],
    "cases": [3.0, 2.0, 2.0],
}  # fmt: skip
SETS = {"error": 0.1, "positive": [0.5, 0.5, 2.0], "negative": [1.0]}
PARTS = {"isotonic": CalibratorPart, "venn_abers": CalibratorPart, "sets": SetsPart}
RECORDS = {"isotonic": ISOTONIC, "venn_abers": VENN_ABERS, "sets": SETS}


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("changed", [{}, {"probabilities": [0.5, 0.5]}, {"error": 0.9}])
def test_what_a_step_can_learn_is_read(name: str, changed: dict[str, Any]) -> None:
    """Probabilities of 0 and 1, scores with no positive case and with no other, equal scores."""
    record = RECORDS[name] | {k: v for k, v in changed.items() if k in RECORDS[name]}
    validated(PARTS[name], record, "The model")


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("isotonic", {"probabilities": [0.5]}, "as many probabilities as scores"),
        ("isotonic", {"scores": [], "probabilities": []}, "as many probabilities as scores"),
        ("isotonic", {"scores": [1.0, 1.0]}, "its scores must rise"),
        ("isotonic", {"probabilities": [-0.1, 1.0]}, "no rising probabilities"),
        ("isotonic", {"probabilities": [0.0, 1.1]}, "no rising probabilities"),
        ("isotonic", {"probabilities": [0.6, 0.5]}, "no rising probabilities"),
        ("venn_abers", {"cases": [3.0, 2.0]}, "lists of equal length"),
        ("venn_abers", {"scores": [], "positives": [], "cases": []}, "lists of equal length"),
        ("venn_abers", {"scores": [0.0, 0.0, 1.0]}, "its scores must rise"),
        ("venn_abers", {"positives": [-1.0, 1.0, 2.0]}, "more positive cases than cases"),
        ("venn_abers", {"positives": [0.0, 3.0, 2.0]}, "more positive cases than cases"),
        ("venn_abers", {"cases": [0.0, 2.0, 2.0]}, "more positive cases than cases"),
        ("sets", {"positive": []}, "its scores must rise"),
        ("sets", {"negative": [1.0, 0.0]}, "its scores must rise"),
        ("sets", {"error": 0.0}, "greater than 0"),
        ("sets", {"error": 1.0}, "less than 1"),
    ],
)
def test_what_no_step_can_have_learnt_is_refused(
    name: str, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        validated(PARTS[name], RECORDS[name] | changed, "The model")


@pytest.mark.parametrize(
    ("kind", "held", "refused"),
    [
        (Count, [0, 1, 10**6], [-1, 0.5, True]),
        (Number, [-1e300, 0.0, 3], [float("nan"), float("inf"), "1"]),
        (Positive, [1e-9, 7], [0.0, -1.0]),
        (Share, [0.0, 0.5, 1.0], [-1e-9, 1.01]),
    ],
)
def test_numbers_within_their_range(kind: Any, held: list, refused: list) -> None:
    for value in held:
        assert validated(kind, value, "The model") == value
    for value in refused:
        with pytest.raises(DataError):
            validated(kind, value, "The model")


def test_every_set_that_a_model_was_evaluated_on_is_checked() -> None:
    """Beside the test set, which is named, there may be others, as the training cases."""
    performance = {
        "design": "single",
        "calibration": {"slope": MEASURE, "intercept": MEASURE, "brier": 0.2},
        "test": JUDGED,
    }
    for name in ("train", "out_of_fold"):
        whole = performance | {name: JUDGED}
        assert validated(Performance, whole, "The model") == whole
        with pytest.raises(DataError, match=rf"`{name}\.n`"):
            validated(Performance, performance | {name: JUDGED | {"n": -1}}, "The model")
    without = {k: v for k, v in JUDGED["at_cutoff"].items() if k != "specificity"}
    with pytest.raises(DataError, match="sensitivity and specificity"):
        validated(Performance, performance | {"test": JUDGED | {"at_cutoff": without}}, "The model")
