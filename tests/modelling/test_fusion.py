"""Fusion of sources, of which some tell nothing or what is wrong."""

from typing import Any

import numpy as np
import pytest

from centrum.modelling.fusion import FusionClassifier, clinical_settings
from centrum.modelling.settings import ModelSettings

N = 60
Y = np.arange(N) % 2
SOURCES = {"T2w": (0, 1), "T1w": (2,), "clinical": (3, 4, 5)}
NAMES = ["a", "b", "c", "age", "sex=F", "sex=M"]
COVARIATES = (("age",), ("sex=F", "sex=M"))


def fusion(**chosen: Any) -> FusionClassifier:
    plain = {"agreement": {"threshold": -1}, "select": {"method": "mrmr"}, "n_features": None,
             "classifier": "logistic", "balance": "none", "correlation": None}  # fmt: skip
    settings = ModelSettings.model_validate(plain | chosen)
    return FusionClassifier(SOURCES, settings, 3, NAMES, covariates=COVARIATES, calibrate=False)


@pytest.mark.parametrize("how", ["late", "stacked"])
def test_a_source_that_ranks_the_wrong_way_round_is_left_out(how: str) -> None:
    model = fusion(fusion=how)
    model.models_ = dict.fromkeys(SOURCES)
    rng = np.random.default_rng(17)
    scores = rng.normal(size=(N, 3)) + Y[:, None] * [2.0, -2.0, 0.0]
    scores[:, 2] = 0.7  # of a source that knows nothing
    model._weigh(scores, Y == 1)
    assert model.weights_["T2w"] > 0
    assert model.weights_["T1w"] == model.weights_["clinical"] == 0
    combined = model._combine(scores)
    expected = model.weights_["T2w"] * scores[:, 0] + model.offset_
    np.testing.assert_allclose(combined, expected)


@pytest.mark.parametrize("how", ["late", "stacked"])
def test_units_of_a_source_do_not_matter(how: str) -> None:
    rng = np.random.default_rng(18)
    scores = rng.normal(size=(N, 3)) + Y[:, None]
    found = []
    for unit in (1.0, 1000.0):
        model = fusion(fusion=how)
        model.models_ = dict.fromkeys(SOURCES)
        model._weigh(scores * unit, Y == 1)
        found.append(model._combine(scores * unit))
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_each_source_knows_its_own_features_and_levels() -> None:
    """The few covariates are all in a logistic regression; images have no levels."""
    rng = np.random.default_rng(19)
    female = rng.random(N) < 0.4
    X = np.column_stack([rng.normal(size=(N, 4)), female, ~female]).astype(float)
    X[:, :4] += 0.8 * Y[:, None]
    model = fusion(fusion="late", classifier="naive_bayes").fit(X, Y)
    clinical, image = model.models_["clinical"], model.models_["T2w"]
    assert (clinical.covariates, image.covariates) == (COVARIATES, ())
    assert (clinical.settings.classifier, image.settings.classifier) == ("logistic", "naive_bayes")
    assert {"age"} < {*clinical.selected_} < {"age", "sex=F", "sex=M"}
    assert {*image.selected_} <= {"a", "b"}
    assert (clinical.seed, image.seed) == (3, 3)
    assert model.coef_ is None, "naive Bayes has none"
    assert model.intercept_ == 0
    np.testing.assert_array_equal(
        model.selected_, np.concatenate([m.selected_ for m in model.models_.values()])
    )


def test_each_source_has_a_model_of_its_own_columns() -> None:
    """Their probabilities are not asked for; levels are those of the source that has them."""
    rng = np.random.default_rng(19)
    X = rng.normal(size=(N, 6)) + 0.8 * Y[:, None]
    X[:, 4:] = np.eye(2)[rng.integers(0, 2, N)]
    model = fusion(fusion="late", C=0.5).fit(X, Y)
    for name, one in model.models_.items():
        assert not one.calibrate, name
        assert one.seed == 3
        assert one.feature_names == [NAMES[k] for k in SOURCES[name]]
        assert one.covariates == (COVARIATES if name == "clinical" else ())
        own = one.settings
        assert own == (clinical_settings(model.settings) if name == "clinical" else model.settings)
    assert len(model.models_) == 3
