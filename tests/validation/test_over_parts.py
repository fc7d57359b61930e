"""Measures of the parts of a design, counted by hand."""

from typing import Any

import numpy as np
import pytest

from centrum.validation.over_parts import by_part, fitted, mean_sizes, means_over_parts

FOUR: dict[str, Any] = {
    "error": "",
    "n_train": 60,
    "n_test": 4,
    "positive": [1, 1, 1, 0],
    "called": [1, 0, 1, 0],
    "probability": [0.9, 0.4, 0.8, 0.3],
    "auc": 1.0,
    "features": {"mean": 1.0, "volume": None},
}
HEALTHY = FOUR | {
    "n_train": 62,
    "n_test": 2,
    "positive": [0, 0],
    "called": [1, 0],
    "probability": [0.6, 0.1],
    "auc": None,
    "features": {"mean": 1.0},
}
SICK = HEALTHY | {"positive": [1, 1]}
NOT_FITTED = {"error": "no feature is left", "n_train": 9, "n_test": 9, "case": [], "auc": None}


def test_each_measure_is_of_the_parts_that_have_it() -> None:
    found = by_part([FOUR, HEALTHY, SICK])
    assert found["AUC"] == [1.0]
    assert found["Sensitivity"] == pytest.approx([2 / 3, 1 / 2])
    assert found["Specificity"] == [1.0, 0.5]
    assert found["Accuracy"] == [0.75, 0.5, 0.5]
    brier = [(0.01 + 0.36 + 0.04 + 0.09) / 4, (0.36 + 0.01) / 2, (0.16 + 0.81) / 2]
    assert found["Brier score"] == pytest.approx(brier)
    assert found["Features"] == [2, 1, 1]


def test_a_part_that_could_not_be_fitted_counts_nowhere() -> None:
    assert fitted([FOUR, NOT_FITTED, SICK]) == [FOUR, SICK]
    assert mean_sizes([FOUR, HEALTHY]) == (61, 3)
    with_it = means_over_parts([FOUR, NOT_FITTED, HEALTHY], 0.95)
    assert with_it == means_over_parts([FOUR, HEALTHY], 0.95)
    assert means_over_parts([NOT_FITTED], 0.95) == {}
    assert "AUC" not in means_over_parts([HEALTHY, SICK], 0.95)


def test_intervals_are_corrected_for_the_overlap_and_end_with_the_scale() -> None:
    """Of Nadeau and Bengio (2003): t with two degrees of freedom, 4.303."""
    wide = FOUR | {"features": dict.fromkeys(map(str, range(40)), 1.0)}
    found = means_over_parts([FOUR, wide, HEALTHY | {"auc": 0.5}], 0.95)
    assert found["AUC"].interval.upper == 1
    assert 0 < found["AUC"].interval.lower < found["AUC"].mean < 1
    wrong = means_over_parts([FOUR, FOUR | {"auc": 0.0}, HEALTHY], 0.95)
    assert wrong["AUC"].interval.lower == 0
    features = found["Features"]
    sizes = np.array([2, 40, 1])
    se = sizes.std(ddof=1) * np.sqrt(1 / 3 + (10 / 3) / (182 / 3))
    assert features.se == pytest.approx(se)
    assert features.interval.upper == pytest.approx(sizes.mean() + 4.302653 * se)
    assert features.interval.upper > 1, "a number of features is no share"
    assert features.interval.lower == 0
    narrow = means_over_parts([FOUR, wide, HEALTHY], 0.8)["Features"].interval
    assert narrow.upper < features.interval.upper
