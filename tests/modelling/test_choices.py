"""Every choice of the settings reaches the step that it is of, the unusual ones too."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from centrum.modelling.by_score import ByScore
from centrum.modelling.classifiers import build_classifier
from centrum.modelling.fusion import clinical_settings
from centrum.modelling.leaks import _without_selection
from centrum.modelling.settings import ClassifierName, ModelSettings, RobustnessRule
from centrum.modelling.steps import build_selector, build_steps

COVARIATES = (("age",), ("sex=F", "sex=M"))


def steps_of(chosen: dict[str, Any], **about: Any) -> dict[str, BaseEstimator]:
    return dict(build_steps(ModelSettings.model_validate(chosen), **about))


def parameters(step: BaseEstimator) -> dict[str, Any]:
    return step.get_params(deep=False)


def test_readers_are_compared_as_the_settings_say() -> None:
    agreement = {"form": "C,1", "threshold": 0.6, "use": "lower_bound"}
    steps = steps_of(
        {"agreement": agreement}, feature_names=["a", "b"], n_readers=2, compared=(1, 2),
        robustness=RobustnessRule(form="A,k", threshold=0.5, use="lower_bound"),
    )  # fmt: skip
    known = {"feature_names": ["a", "b"], "n_readers": 2, "compared": (1, 2), "missing": "refuse"}
    assert parameters(steps["agreement"]) == agreement | known
    robust = parameters(steps["robustness"])
    wanted = {"form": "A,k", "threshold": 0.5, "use": "lower_bound", "missing": "refuse"}
    assert {name: robust[name] for name in wanted} == wanted
    filled = steps_of({"imputation": {"method": "mean"}}, robustness=RobustnessRule())
    assert filled["agreement"].missing == filled["robustness"].missing == "pass"
    assert "robustness" not in steps_of({})


def test_gaps_are_filled_and_centres_harmonised_as_the_settings_say() -> None:
    near = steps_of({"imputation": {"method": "knn", "neighbours": 3}})
    assert near["imputation"].n_neighbors == 3
    filled = steps_of({"imputation": {"method": "median"}})["imputation"]
    assert (filled.strategy, filled.keep_empty_features) == ("median", True)
    combat = {"method": "combat", "reference": "B", "unseen": "refuse"}
    steps = steps_of({"harmonisation": combat}, covariates=COVARIATES)
    found = steps["harmonisation"]
    assert (found.reference, found.unseen) == ("B", "refuse")
    strange = steps_of({"harmonisation": combat | {"unseen": "as_is"}})["harmonisation"]
    assert (strange.unseen, strange.untouched) == ("as_is", ())
    assert found.untouched == ("age", "sex=F", "sex=M")
    assert steps["levels"].covariates == (("sex=F", "sex=M"),)
    assert {"imputation", "harmonisation", "levels"}.isdisjoint(steps_of({}))
    assert "levels" not in steps_of({}, covariates=(("age",),))


@pytest.mark.parametrize("balance", ["repeat", "smote"])
def test_balancing_draws_by_the_seed(balance: str) -> None:
    assert steps_of({"balance": balance}, seed=11)["balance"].random_state == 11
    for other in ("class_weight", "none"):
        assert "balance" not in steps_of({"balance": other})


def test_filters_are_as_the_settings_say() -> None:
    screen = {"test": "t", "adjustment": "holm", "alpha": 0.2}
    correlation = {"threshold": 0.7, "rule": "caret_fast"}
    steps = steps_of({"screen": screen, "correlation": correlation, "clip": 2.5})
    assert steps["scale"].clip == 2.5
    assert parameters(steps["screen"]) | screen == parameters(steps["screen"])
    assert parameters(steps["correlation"]) == correlation
    assert {"screen", "correlation"}.isdisjoint(steps_of({"screen": None, "correlation": None}))


def test_a_ranking_keeps_the_number_that_is_asked_for() -> None:
    ranked = steps_of({"rfe": {"estimator": "logistic"}, "C": 0.3}, n_features=4)
    assert [*ranked][-3:] == ["select", "rfe", "classifier"]
    rfe = parameters(ranked["rfe"])
    assert (rfe["n_features"], rfe["C"], rfe["estimator"]) == (4, 0.3, "logistic")
    alone = steps_of({"rfe": {"estimator": "none"}}, n_features=4)
    assert [*alone][-2:] == ["select", "classifier"]
    assert alone["select"].n_features == 4


def test_selectors_are_as_the_settings_say() -> None:
    lasso = {"folds": 4, "choice": "lambda.1se", "measure": "auc", "l1_ratio": 0.5,
             "threshold": 1e-5, "most_features": 7}  # fmt: skip
    chosen = {"select": {"n_features": 12}, "lasso": lasso, "screen": {"test": "kruskal"}}
    settings = ModelSettings.model_validate(chosen)

    def of(method: str) -> dict[str, Any]:
        return parameters(build_selector(method, settings, 5))

    assert of("lasso") == lasso | {"seed": 5}
    assert of("mrmr")["n_features"] == of("relieff")["n_features"] == 12
    assert of("stability")["seed"] == 5
    assert (of("univariate")["test"], of("univariate")["n_features"]) == ("kruskal", 12)
    plain = settings.model_copy(update={"screen": None})
    assert build_selector("univariate", plain, 0).test == "mann_whitney"
    assert build_selector("none", settings, 0) is None


@pytest.mark.parametrize("name", ClassifierName.__args__)
def test_classifiers_weigh_classes_only_where_that_is_asked_for(name: str, few_trees: None) -> None:
    """Rare positive cases, alike but for chance: with weights the mean score lies higher."""
    rng = np.random.default_rng(12)
    y = np.arange(60) % 6 == 0
    X = rng.normal(size=(60, 2)) + 0.4 * y[:, None]
    means = {
        balance: build_classifier(name, ModelSettings(balance=balance), 1)
        .fit(X, y)
        .decision_function(X)
        .mean()
        for balance in ("none", "class_weight")
    }
    if name == "elastic_net":  # has no weights
        assert means["none"] == means["class_weight"]
    else:
        assert means["none"] < means["class_weight"] - 0.1


@pytest.mark.parametrize("name", ["linear_svm", "rbf_svm", "logistic"])
def test_the_penalty_is_that_of_the_settings(name: str) -> None:
    rng = np.random.default_rng(13)
    X, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    X[:, 0] += y
    spreads = [
        np.ptp(build_classifier(name, ModelSettings(C=c)).fit(X, y).decision_function(X))
        for c in (1e-3, 1)
    ]
    assert spreads[0] < spreads[1]


def test_a_few_covariates_are_all_in_a_logistic_regression() -> None:
    chosen = {"screen": {}, "correlation": {}, "select": {"method": "mrmr", "n_features": 3},
              "n_features": {"maximum": 4}, "classifier": "rbf_svm", "C": 0.2}  # fmt: skip
    found = clinical_settings(ModelSettings.model_validate(chosen))
    assert (found.select.method, found.screen, found.correlation) == ("none", None, None)
    assert (found.n_features, found.classifier, found.C) == (None, "logistic", 0.2)


@pytest.mark.parametrize(("balance", "left"), [
    ("smote", "none"), ("repeat", "none"), ("none", "none"), ("class_weight", "class_weight"),
])  # fmt: skip
def test_features_that_were_selected_before_are_not_selected_again(balance: str, left: str) -> None:
    chosen = {"screen": {}, "correlation": {}, "balance": balance, "n_features": {}, "clip": 3.0}
    found = _without_selection(ModelSettings.model_validate(chosen))
    assert (found.select.method, found.rfe.estimator) == ("none", "none")
    assert found.screen is found.correlation is found.n_features is None
    assert (found.balance, found.clip) == (left, 3.0)


def test_a_score_of_nought_speaks_for_the_first_class() -> None:
    class Sign(ByScore):
        classes_ = np.array(["benign", "malignant"])

        def decision_function(self, X: Any, **about: Any) -> Any:
            return np.asarray(X) + about.get("shift", 0)

    assert Sign().predict([0.0, 1e-9, -1.0]).tolist() == ["benign", "malignant", "benign"]
    assert Sign().predict([0.0, -1.0], shift=0.5).tolist() == ["malignant", "benign"]
