"""What is said of a fitted model is what was fitted."""

from typing import Any

import numpy as np
import pytest

from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import CandidateModel
from centrum.modelling.settings import (
    FeatureCountSettings,
    LassoSettings,
    ModelSettings,
    SelectSettings,
)
from centrum.validation.model import Model, _named, model_of

N, NAMES = 60, [f"f{k}" for k in range(9)]
Y = np.arange(N) % 2
X = np.random.default_rng(3).normal(50, 5, (N, len(NAMES)))
X[:, [2, 5]] += 6 * Y[:, None]


def fitted(**chosen: Any) -> tuple[StudyClassifier, Model]:
    given = {"lasso": LassoSettings(folds=3), "classifier": "logistic", **chosen}
    settings = ModelSettings(**given)
    classifier = StudyClassifier(settings, 1, NAMES, calibrate=False).fit(X, Y)
    return classifier, model_of(classifier, settings, "malignant", "osteoporotic", N)


def test_the_path_of_the_lasso_is_told() -> None:
    counted = FeatureCountSettings(maximum=3, folds=3)
    classifier, model = fitted(n_features=counted)
    lasso, path = model.lasso, classifier.lasso_.path_
    assert lasso is not None
    entered = classifier.funnel_["correlation"]
    ever = [k for k in range(len(entered)) if path.coefficients[:, k].any()]
    assert lasso.names == tuple(entered[ever])
    np.testing.assert_array_equal(lasso.coefficients, path.coefficients[:, ever])
    np.testing.assert_array_equal((lasso.coefficients != 0).sum(axis=1), lasso.n_features)
    assert lasso.lambda_min <= lasso.lambda_1se
    assert lasso.lambdas[np.argmin(lasso.cvm)] == pytest.approx(lasso.lambda_min)
    assert lasso.chosen in (lasso.lambda_min, lasso.lambda_1se)


def test_the_score_and_the_number_of_features_are_told() -> None:
    classifier, model = fitted(n_features=FeatureCountSettings(maximum=3, folds=3))
    assert model.linear
    values = X[:, [NAMES.index(name) for name in model.features]]
    found = model.intercept + model.scaled(values) @ model.coefficients
    np.testing.assert_allclose(found, classifier.decision_function(X))
    count = model.feature_count
    assert count is not None
    assert count.numbers.tolist() == [1, 2, 3]
    assert count.chosen == len(model.features) == [*model.funnel.values()][-1]
    assert count.measure == "auc"
    assert {*model.features} <= {*model.ranked}
    assert [*model.funnel.values()] == sorted(model.funnel.values(), reverse=True)
    assert (model.positive, model.negative, model.n_train) == ("malignant", "osteoporotic", N)


def test_what_was_not_fitted_is_not_told() -> None:
    _, model = fitted(
        select=SelectSettings(method="none"), n_features=None, classifier="naive_bayes"
    )
    assert model.lasso is None
    assert model.feature_count is None
    assert not model.linear
    assert np.isnan(model.coefficients).all()


def test_what_a_search_chose_has_a_name() -> None:
    ridge, bayes = (CandidateModel("mrmr", kind, 2) for kind in ("ridge", "naive_bayes"))
    assert _named([ridge]) == "ridge"
    assert _named([ridge, bayes]) == "mean of 2 models: naive_bayes, ridge"
    assert _named([ridge, ridge]) == "mean of 2 models: ridge"
