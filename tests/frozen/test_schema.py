"""What the parts of a frozen model may hold: learnt steps at their limits, and impossible ones."""

import math
from typing import Any

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.frozen.schema import (
    CalibratorPart,
    Count,
    GappyRows,
    GappyVector,
    Limit,
    Number,
    Performance,
    Positions,
    Positive,
    Provenance,
    Rows,
    SetsPart,
    Share,
    Switches,
    UsePart,
    Vector,
    validated,
)
from tests.frozen.models import INTERVAL, JUDGED, MEASURE, PROVENANCE

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


PERFORMANCE = {
    "design": "single",
    "calibration": {"slope": MEASURE, "intercept": MEASURE, "brier": 0.2},
    "test": JUDGED,
}


def changed(record: dict[str, Any], *path: str, to: Any) -> dict[str, Any]:
    first, *rest = path
    return {**record, first: changed(record[first], *rest, to=to) if rest else to}


@pytest.mark.parametrize(
    ("path", "held", "refused"),
    [
        (("test", "confidence"), [0.001, 0.999], [0, 1, "0.9"]),
        (("test", "n_positive"), [0, 7], [-1, 1.0, True]),
        (("test", "auc", "value"), [0.5, None, "inf", "-inf"], ["nan", float("inf"), "0.5"]),
        (("test", "auc", "interval"), [{"lower": "-inf", "upper": None}], [{"lower": 0}, None]),
        (("test", "auc"), [MEASURE | {"later": 1}], [{"value": 0.5}, {"interval": INTERVAL}]),
        (("calibration", "brier"), [0.1, None], ["x"]),
        (("calibration", "slope"), [MEASURE], [None]),
        (("design",), ["nested_cv"], [1]),
        (("calibration",), [], [PERFORMANCE["calibration"] | {"later": 1}]),
    ],
)
def test_what_a_model_reached_is_checked(
    path: tuple[str, ...], held: list[Any], refused: list[Any]
) -> None:
    for value in held:
        whole = changed(PERFORMANCE, *path, to=value)
        assert validated(Performance, whole, "The model") == whole
    for value in refused:
        with pytest.raises(DataError, match=path[0]):
            validated(Performance, changed(PERFORMANCE, *path, to=value), "The model")


def test_what_may_be_missing_of_what_a_model_reached() -> None:
    pooled = changed(PERFORMANCE, "test", "pooled", to=True) | {"over_parts": MEASURE}
    assert validated(Performance, pooled, "The model") == pooled
    for value in (1, "true"):
        with pytest.raises(DataError, match="expected true or false"):
            validated(Performance, changed(pooled, "test", "pooled", to=value), "The model")
    for name in PERFORMANCE:
        without = {k: v for k, v in PERFORMANCE.items() if k != name}
        with pytest.raises(DataError, match=f"`{name}` is missing"):
            validated(Performance, without, "The model")


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("versions",), {}, "expected the version of centrum"),
        (("digests",), {"file": "0"}, "expected the digest of the protocol"),
        (("of_tables",), 1, "`of_tables`: expected true or false; found 1."),
        (("training", "cases"), -1, "`training.cases`: "),
        (("training", "patients"), "9", "`training.patients`: expected a whole number"),
        (("simulated",), None, "`simulated`: expected a text; found None."),
        (("training",), [], "`training`: expected an object; found []."),
        (("later",), 1, "`later` is not known to this version."),
    ],
)
def test_where_a_model_comes_from_is_checked(path: tuple[str, ...], to: Any, said: str) -> None:
    assert validated(Provenance, PROVENANCE, "The model") == PROVENANCE
    with pytest.raises(DataError) as told:
        validated(Provenance, changed(PROVENANCE, *path, to=to), "The model", "0.2.2")
    assert said in str(told.value)
    verb = "Use the version" if path == ("later",) else "Copy the file again, or freeze it again"
    assert told.value.remedy.startswith(verb)
    assert ", 0.2.2," in told.value.remedy


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        (Vector, [1, 2.5], [1.0, 2.5]),
        (Vector, [], []),
        (Rows, [[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]]),
        (GappyVector, [1, None], [1.0, math.nan]),
        (GappyRows, [[1.5, None], [None, 0]], [[1.5, math.nan], [math.nan, 0]]),
        (Positions, [-1, 0, 7], [-1, 0, 7]),
        (Positions, [], []),
        (Switches, [True, False], [True, False]),
    ],
)
def test_lists_become_arrays(kind: Any, given: list, wanted: list) -> None:
    found = validated(kind, given, "The model")
    np.testing.assert_array_equal(found, wanted)
    kinds = {Positions: np.int64, Switches: np.bool_}
    assert found.dtype == kinds.get(kind, np.float64)
    np.testing.assert_array_equal(validated(kind, np.array(wanted, found.dtype), "The"), wanted)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (Vector, [[1.0]], "expected a list of numbers"),
        (Vector, [True], "expected a list of numbers"),
        (Vector, ["1"], "expected a list of numbers"),
        (Vector, [1.0, math.inf], "expected finite numbers"),
        (Vector, 3.0, "expected a list;"),
        (Rows, [1.0], "expected a list of lists of numbers, all of one length"),
        (Rows, [[1.0], [1.0, 2.0]], "all of one length"),
        (GappyRows, [[1.0, None], [2.0]], "all of one length"),
        (GappyVector, [math.inf], "expected finite numbers"),
        (Positions, [-2], "expected positions of -1 or more"),
        (Positions, [1.0], "expected a list of numbers"),
        (Switches, [1], "expected a list of numbers"),
    ],
)
def test_what_is_no_such_list_is_refused(kind: Any, given: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        validated(kind, given, "The model")


def test_a_limit_may_be_without_end() -> None:
    for given, wanted in (("inf", math.inf), ("-inf", -math.inf), (math.inf, math.inf), (2, 2.0)):
        assert validated(Limit, given, "The model") == wanted
    for value in (math.nan, "nan", "1", None):
        with pytest.raises(DataError):
            validated(Limit, value, "The model")


def test_slopes_may_be_flat_and_no_steeper_downwards() -> None:
    flat = {"method": "platt", "slope": 0, "intercept": -1.0}
    assert validated(CalibratorPart, flat, "The model").slope_ == 0
    for change in ({"slope": -1e-9}, {"later": 1}, {"method": "beta"}, {"intercept": None}):
        with pytest.raises(DataError):
            validated(CalibratorPart, flat | change, "The model")
    known = validated(CalibratorPart, flat, "The model")
    assert validated(CalibratorPart, known, "The model") is known
    sets = validated(SetsPart, SETS, "The model")
    assert validated(SetsPart, sets, "The model") is sets


def test_what_a_model_is_for_is_a_list_of_sentences() -> None:
    use = {"intended": ["To be tested."], "limits": []}
    wanted = {"intended": ("To be tested.",), "limits": ()}
    assert validated(UsePart, use, "The model") == wanted
    for change in ({"limits": "none"}, {"limits": [1]}, {"later": []}):
        with pytest.raises(DataError):
            validated(UsePart, use | change, "The model")


@pytest.mark.parametrize(("length", "shown"), [(58, "'{}'"), (59, "'{}...")])
def test_of_a_long_value_the_beginning_is_shown(length: int, shown: str) -> None:
    """60 characters with the quotes."""
    with pytest.raises(DataError) as told:
        validated(Count, "x" * length, "The model")
    said = f"The model: `the whole`: expected a whole number; found {shown.format('x' * length)}."
    assert str(told.value).startswith(said)
