"""What is said of a fitted model is what was fitted."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import CandidateModel
from centrum.modelling.settings import (
    FeatureCountSettings,
    LassoSettings,
    ModelSettings,
    RfeSettings,
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


def linear(clip: float | None = None, **changed: Any) -> Model:
    own: dict[str, Any] = {
        "features": ("f1", "f0"), "coefficients": np.array([0.5, -1.0]),
        "means": np.array([20.0, 8.0]), "sds": np.array([4.0, 2.0]), "intercept": 0.1,
        "clip": clip, "positive": "malignant", "negative": "osteoporotic",
        "classifier": "logistic", "n_train": 1, "funnel": {}, "ranked": (), "lasso": None,
        "feature_count": None,
    }  # fmt: skip
    return Model(**own | changed)


def test_a_table_is_scored_by_names_and_the_primary_reader() -> None:
    values = np.array([[10.0, 24.0, 0.0], [8.0, 40.0, 0.0]])
    table = SimpleNamespace(names=("f0", "f1", "f2"), values=np.stack([values, -values], axis=2))
    np.testing.assert_allclose(linear().z_scores(table), [[1, 1], [5, 0]])
    np.testing.assert_allclose(linear().score(table), [-0.4, 2.6])
    np.testing.assert_allclose(linear(clip=2.0).score(table), [-0.4, 1.1])
    np.testing.assert_allclose(linear().scaled(np.array([[10.0]]), np.array([1])), [[1]])
    with pytest.raises(DataError, match="2 features, of which the table lacks f1, f0"):
        linear().score(SimpleNamespace(names=("f2",), values=values[:, :1, None]))
    gap = table.values.copy()
    gap[0, 1, 0] = np.nan
    with pytest.raises(DataError, match="a value of every feature"):
        linear().score(SimpleNamespace(names=table.names, values=gap))
    with pytest.raises(DataError, match="A rbf_svm has no coefficients"):
        linear(coefficients=np.array([np.nan, 1.0]), classifier="rbf_svm").score(table)
    page = linear()._repr_html_()
    assert "logistic: 2 features, 1 training case, a high score is malignant" in page


def test_the_path_of_an_elastic_net_is_of_what_entered_the_classifier() -> None:
    classifier, model = fitted(
        select=SelectSettings(method="none"), n_features=None, classifier="elastic_net",
        rfe=RfeSettings(estimator="none"),
        lasso=LassoSettings(folds=3, choice="lambda.1se", measure="class"),
    )  # fmt: skip
    lasso, found = model.lasso, classifier.lasso_
    assert lasso is not None
    steps = [*classifier.funnel_.values()]
    assert set(model.features) <= set(lasso.names) <= {*steps[-2]}
    at = [[*steps[-2]].index(name) for name in lasso.names]
    np.testing.assert_array_equal(lasso.coefficients, found.path_.coefficients[:, at])
    np.testing.assert_array_equal(lasso.cvm, found.cvm_)
    np.testing.assert_array_equal(lasso.cvsd, found.cvsd_)
    assert (lasso.measure, lasso.fallback) == ("class", found.fallback_)
    assert (lasso.lambda_min, lasso.lambda_1se) == (found.lambda_min_, found.lambda_1se_)
    assert lasso.chosen == found.lambda_
