"""What the folds of a search measure, and which candidates they leave."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss

from centrum.errors import DataError
from centrum.modelling.auc import auc
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import (
    CandidateModel,
    Run,
    SearchClassifier,
    SearchRow,
    _measure,
    _row,
    _spread,
    _Stage,
)
from centrum.modelling.settings import (
    LassoSettings,
    ModelSettings,
    RfeSettings,
    SearchSettings,
    SelectSettings,
)
from centrum.modelling.split import folds_by_patient

SETTINGS = ModelSettings(balance="none", classifier="logistic")
SELECTING = SETTINGS.model_copy(
    update={
        "select": SelectSettings(method="mrmr", n_features=2),
        "rfe": RfeSettings(estimator="linear_svm"),
    }
)


def searched(data: tuple[NDArray, NDArray], settings: ModelSettings = SETTINGS, **search: object):
    how = {"selectors": ("none",), "classifiers": ("logistic",), "folds": 2, **search}
    return SearchClassifier(SearchSettings(**how), settings, 3, calibrate=False).fit(*data)


@pytest.fixture
def data() -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = rng.normal(size=(40, 8))
    X[:, 0] += 1.5 * y
    return X, y


def test_deviance_is_twice_the_logarithmic_loss_the_higher_the_better() -> None:
    positive, scores = np.array([True, False, True]), np.array([2.0, -1.0, -0.5])
    wanted = -2 * log_loss(positive, expit(scores))
    assert _measure("deviance", positive, scores) == pytest.approx(wanted)
    certain = _measure("deviance", positive, 1e4 * scores)
    assert certain == pytest.approx(2 * np.log(1e-5) / 3, rel=1e-4), "one case is impossible"
    right = _measure("deviance", positive[:2], 1e4 * scores[:2])
    assert right == pytest.approx(2 * np.log(1 - 1e-5), rel=1e-6)


@pytest.mark.parametrize("measure", ["auc", "deviance"])
def test_a_fold_is_judged_by_a_model_of_the_others(data: tuple, measure: str) -> None:
    """By hand: the study's model without selection, fitted and scored fold by fold, twice."""
    X, y = data
    model = searched(data, SELECTING, folds=3, repeats=2, measure=measure)
    plain = SETTINGS.model_copy(
        update={"select": SelectSettings(method="none"), "n_features": None,
                "rfe": RfeSettings(estimator="none")}
    )  # fmt: skip
    measures = []
    for seed in (3, 4):
        fold = folds_by_patient(y, None, 3, seed)
        for k in range(3):
            train, test = fold != k, fold == k
            one = StudyClassifier(plain, 3, calibrate=False).fit(X[train], y[train])
            scores, positive = one.decision_function(X[test]), y[test] == 1
            measures.append(
                auc(positive, scores) if measure == "auc"
                else -2 * log_loss(positive, expit(scores))
            )  # fmt: skip
    (row,) = model.table_
    assert row.folds == 6
    assert row.mean == pytest.approx(np.mean(measures), rel=1e-6)
    assert row.se == pytest.approx(np.std(measures, ddof=1) / np.sqrt(6), rel=1e-6)
    assert len(model.selected_) == 8, "the settings' own selection takes no part"


def test_selectors_hand_on_as_many_features_as_are_tried(data: tuple) -> None:
    model = searched(data, SELECTING, selectors=("mrmr",), n_features=(1, 6), ensemble=2)
    assert sorted(row.n_features for row in model.table_) == [1, 6]
    assert len(model.selected_) == 6


def test_a_candidate_that_cannot_be_fitted_is_out_of_the_race(data: tuple) -> None:
    """The folds of the elastic net are more than there are patients."""
    settings = SETTINGS.model_copy(update={"lasso": LassoSettings(folds=30)})
    both = searched(data, settings, classifiers=("elastic_net", "logistic"))
    assert [row.classifier for row in both.table_] == ["logistic"]
    with pytest.raises(DataError, match="could be fitted and scored in 1 of 2 folds"):
        searched(data, settings, classifiers=("elastic_net",))


def test_no_candidate_is_dropped_after_the_last_fold(data: tuple) -> None:
    many = {"selectors": ("mrmr",), "n_features": tuple(range(1, 9)), "survivors": 1}
    model = searched(data, **many, ensemble=8)
    assert [row.folds for row in model.table_] == [2] * 4 + [1] * 4
    assert len(model.chosen_) == 4
    whole = searched(data, **many, halving=False)
    assert [row.folds for row in whole.table_] == [2] * 8


def test_an_ensemble_of_linear_models_is_one(data: tuple) -> None:
    model = searched(data, selectors=("mrmr",), n_features=(2, 5), ensemble=2)
    position = [int(name[1:]) for name in model.selected_]
    z = (data[0][:, position] - model.mean_) / model.sd_
    wanted = model.decision_function(data[0])
    np.testing.assert_allclose(model.intercept_ + z @ model.coef_, wanted, atol=1e-10)
    assert abs(model.intercept_) > 1e-3
    assert list(model.funnel_)[-1] == "search"
    assert model.funnel_["search"].tolist() == model.selected_.tolist() == model.ranked_.tolist()
    assert model.seen_["select, classifier"].tolist() == list(range(40))
    unlike = searched(data, selectors=("mrmr",), n_features=(2,), classifiers=("naive_bayes",))
    assert (unlike.coef_, unlike.intercept_) == (None, 0)


def test_out_of_fold_scores_are_in_units_of_their_spread(data: tuple) -> None:
    model = searched(data, ensemble=1)
    assert np.std(model.inner_scores(*data)) == pytest.approx(1)


def test_a_search_that_is_not_set_has_the_usual_candidates(
    data: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = SearchSettings(selectors=("mrmr",), classifiers=("logistic",), n_features=(2,), folds=2)
    monkeypatch.setattr("centrum.modelling.search.SearchSettings", lambda: usual)
    (one,) = SearchClassifier().fit(*data).chosen_
    assert one == CandidateModel("mrmr", "logistic", 2)


def test_errors_tell_how_far_a_search_came(data: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFittedError):
        SearchClassifier().inner_scores(*data)

    def fail(*_: object) -> None:
        raise DataError("No feature is left.")

    monkeypatch.setattr(SearchClassifier, "_prepare", fail)
    with pytest.raises(DataError) as told:
        searched(data)
    assert told.value.__notes__ == ["while searching, fold 1"]


def test_a_line_of_the_table_is_of_the_folds_that_were_seen() -> None:
    run = Run(CandidateModel("none", "ridge", None), np.zeros(2), [0.5, 0.7])
    found = _row(run, chosen=True)
    assert found == SearchRow("none", "ridge", 0, 2, 0.6, found.se, True)
    assert found.se == pytest.approx(0.1)
    with warnings.catch_warnings(action="error"):
        alone = _row(Run(CandidateModel("mrmr", "ridge", 3), np.zeros(2), [0.5]), chosen=False)
    assert (alone.n_features, alone.folds, alone.chosen) == (3, 1, False)
    assert np.isnan(alone.se)


def test_rows_of_a_patient_share_a_fold_of_selector_and_classifier(data: tuple) -> None:
    """Three patients of each outcome have no four folds, however many rows they have."""
    X, y = data
    settings = SETTINGS.model_copy(update={"lasso": LassoSettings(folds=4)})
    owners = np.arange(40) % 6
    stage = _Stage(None, X, y, owners, settings, seed=0)
    with pytest.raises(DataError, match="fold"):
        stage.order_of("lasso")
    with pytest.raises(DataError, match="fold"):
        stage.fit(CandidateModel("none", "elastic_net", None), np.arange(8))
    many = _Stage(None, X, y, np.arange(40), settings, seed=0)
    assert many.order_of("lasso")[0] == 0
    assert many.fit(CandidateModel("none", "elastic_net", None), np.arange(8)).coef_[0, 0] > 0


def test_scores_without_spread_are_not_divided() -> None:
    assert _spread(np.array([1.0, 5.0])) == 2
    assert _spread(np.ones(3)) == 1


def test_models_of_a_study_are_calibrated_and_begin_with_seed_0() -> None:
    for one in (StudyClassifier(), SearchClassifier(), FusionClassifier({})):
        usual = {k: v for k, v in one.get_params(deep=False).items() if v not in (None, (), {})}
        assert usual == {"seed": 0, "calibrate": True}, one
