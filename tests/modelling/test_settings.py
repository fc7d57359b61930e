"""Numbers that a model's settings take, and those that they refuse."""

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from centrum.modelling.classifiers import RIDGE_C
from centrum.modelling.settings import (
    AgreementSettings,
    CorrelationSettings,
    FeatureCountSettings,
    ImputationSettings,
    LassoSettings,
    ModelSettings,
    RobustnessRule,
    ScreenSettings,
    SearchSettings,
    SelectSettings,
    Split,
)

LIMITS: list[tuple[type[BaseModel], str, tuple[float, ...], tuple[float, ...]]] = [
    (AgreementSettings, "threshold", (-1, 0.999), (-1.01, 1)),
    (RobustnessRule, "threshold", (-1, 0.999), (-1.01, 1)),
    (ImputationSettings, "neighbours", (1, 10_000), (0, 10_001)),
    (ScreenSettings, "alpha", (1e-9, 1), (0, 1.01)),
    (CorrelationSettings, "threshold", (1e-9, 1), (0, 1.01)),
    (LassoSettings, "folds", (2, 1000), (1, 1001)),
    (LassoSettings, "l1_ratio", (0.001, 1), (0.0009, 1.01)),
    (LassoSettings, "threshold", (1e-15, 0.1), (9e-16, 0.11)),
    (SelectSettings, "n_features", (1, 10_000), (0, 10_001)),
    (FeatureCountSettings, "maximum", (1, 10_000), (0, 10_001)),
    (FeatureCountSettings, "folds", (2, 1000), (1, 1001)),
    (ModelSettings, "clip", (0.01, 1e6), (0.009, 1.01e6)),
    (ModelSettings, "C", (1e-9, 1e9), (9e-10, 1.01e9)),
    (Split, "train_fraction", (0.01, 0.99), (0, 1)),
    (Split, "seed", (0, 4_000_000_000), (-1, 4_000_000_001)),
    (Split, "folds", (2, 1000), (1, 1001)),
    (SearchSettings, "folds", (2, 1000), (1, 1001)),
    (SearchSettings, "repeats", (1, 10_000), (0, 10_001)),
    (SearchSettings, "survivors", (1, 10_000), (0, 10_001)),
    (SearchSettings, "ensemble", (1, 10_000), (0, 10_001)),
]


@pytest.mark.parametrize(("kind", "name", "taken", "refused"), LIMITS)
def test_a_number_is_taken_up_to_its_limits(
    kind: type[BaseModel], name: str, taken: tuple[float, ...], refused: tuple[float, ...]
) -> None:
    for value in taken:
        assert getattr(kind(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(ValidationError, match=name):
            kind(**{name: value})


def test_ridge_tries_two_penalties_for_each_power_of_ten() -> None:
    assert [RIDGE_C[0], RIDGE_C[-1]] == pytest.approx([1e-4, 10])
    assert np.diff(np.log10(RIDGE_C)) == pytest.approx([0.5] * 10)
