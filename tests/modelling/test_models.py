"""Classifiers, fusion, search, optimism and leaks: what must hold of whole models."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from centrum.errors import DataError
from centrum.modelling.auc import auc
from centrum.modelling.classifiers import RIDGE_C, Ridge, build_classifier, logistic
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.lasso import LogisticLassoCV
from centrum.modelling.leaks import LEAKS, SplitStudy
from centrum.modelling.optimism import Optimism, Resample, areas_of, draw_patients, optimism
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import SearchClassifier, _better_half, candidates
from centrum.modelling.settings import (
    ClassifierName,
    FeatureCountSettings,
    HarmonisationSettings,
    ImputationSettings,
    LassoSettings,
    ModelSettings,
    RfeSettings,
    ScreenSettings,
    SearchSettings,
    SelectSettings,
)
from centrum.protocol import load_preset
from tests.modelling.conftest import RealTable

QUICK = ModelSettings(
    lasso=LassoSettings(folds=3),
    n_features=FeatureCountSettings(maximum=3, folds=3),
    balance="none",
    classifier="logistic",
)
NAMES = ClassifierName.__args__


def change(**more: object) -> ModelSettings:
    return QUICK.model_copy(update=more)


@pytest.fixture
def study() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """80 cases of 60 patients, 25 features by two readers, two centres that differ."""
    rng = np.random.default_rng(1)
    patients = np.r_[np.arange(60), np.arange(20)]
    y = patients % 2
    centre = np.where(patients % 3 == 0, "B", "A")
    X = rng.normal(size=(80, 25))
    X[:, :3] += 1.2 * y[:, None]
    X += 1.5 * (centre == "B")[:, None]
    return np.stack([X, X + 0.1 * rng.normal(size=X.shape)], axis=2), y, patients, centre


@pytest.mark.parametrize("name", NAMES)
def test_every_classifier_learns_and_scores(name: str, study: tuple) -> None:
    X, y, patients, _ = study
    train = patients < 42
    model = StudyClassifier(change(classifier=name), 1, calibrate=False).fit(
        X[train], y[train], patients[train]
    )
    scores = model.decision_function(X[~train])
    assert np.isfinite(scores).all()
    assert auc(y[~train] == 1, scores) > 0.7
    inner = model.inner_scores(X[train], y[train], patients[train])
    assert auc(y[train] == 1, inner) > 0.65
    again = StudyClassifier(change(classifier=name), 1, calibrate=False).fit(
        X[train], y[train], patients[train]
    )
    assert again.decision_function(X[~train]).tobytes() == scores.tobytes()
    if model.coef_ is not None:
        position = [int(n[1:]) for n in model.selected_]
        z = (X[~train][:, position, 0] - model.mean_) / model.sd_
        np.testing.assert_allclose(model.intercept_ + z @ model.coef_, scores, atol=1e-10)


@pytest.mark.parametrize("method", ["lasso", "mrmr", "relieff", "stability", "univariate", "none"])
@pytest.mark.parametrize("ranked", ["linear_svm", "none"])
def test_every_selector(method: str, ranked: str, study: tuple) -> None:
    X, y, patients, _ = study
    if (method, ranked) == ("none", "none"):
        with pytest.raises(ValidationError, match="nothing ranks"):
            ModelSettings(select=SelectSettings(method="none"), rfe=RfeSettings(estimator="none"))
        return
    settings = change(
        select=SelectSettings(method=method, n_features=8), rfe=RfeSettings(estimator=ranked)
    )
    model = StudyClassifier(settings, 1, calibrate=False).fit(X, y, patients)
    assert 1 <= len(model.selected_) <= 3
    assert set(model.ranked_[: len(model.selected_)]) == set(model.selected_)
    assert {"x0", "x1", "x2"} & set(model.selected_)


@pytest.mark.parametrize("balance", ["repeat", "smote", "class_weight", "none"])
def test_every_balance(balance: str, study: tuple) -> None:
    X, y, patients, _ = study
    rows = np.flatnonzero((y == 0) | (patients < 40))
    model = StudyClassifier(change(balance=balance), 1, calibrate=False).fit(
        X[rows], y[rows], patients[rows]
    )
    called = (model.decision_function(X[rows]) > 0).mean()
    assert 0.2 < called < 0.7


def test_screen_and_clip(study: tuple) -> None:
    X, y, patients, _ = study
    X[0, 0] = 1e6
    model = StudyClassifier(change(screen=ScreenSettings(), clip=2.0), 1, calibrate=False).fit(
        X, y, patients
    )
    assert "screen" in model.funnel_
    assert len(model.funnel_["screen"]) < 25
    assert np.abs(model.pipeline_.select(X)).max() <= 2.0


class TestMissingValues:
    def test_are_refused_unless_filled(self, study: tuple) -> None:
        X, y, patients, _ = study
        X[3, 4] = np.nan
        with pytest.raises(DataError, match="x4"):
            StudyClassifier(QUICK).fit(X, y, patients)

    @pytest.mark.parametrize("method", ["median", "mean", "knn"])
    def test_are_filled_from_training_cases(self, method: str, study: tuple) -> None:
        X, y, patients, _ = study
        train = np.flatnonzero(patients < 42)
        X[train[:5], 1] = np.nan
        settings = change(imputation=ImputationSettings(method=method))
        model = StudyClassifier(settings, 1, calibrate=False).fit(
            X[train], y[train], patients[train]
        )
        scores = model.decision_function(X[train])
        assert np.isfinite(scores).all()
        other = X[train].copy()
        other[7:, :] += 5
        np.testing.assert_array_equal(model.decision_function(other)[:1], scores[:1])

    def test_a_feature_missing_in_all_training_cases_is_dropped(self, study: tuple) -> None:
        X, y, patients, _ = study
        X[:, 4] = np.nan
        settings = change(imputation=ImputationSettings(method="median"))
        model = StudyClassifier(settings, 1, calibrate=False).fit(X[:, :, :1], y, patients)
        assert "x4" not in model.funnel_["constant"]


class TestHarmonisation:
    HOW = change(harmonisation=QUICK.harmonisation.model_copy(update={"method": "combat"}))

    def test_what_training_centres_differ_by_is_taken_out_of_test_cases(self, study: tuple) -> None:
        X, y, patients, centre = study
        train = patients < 42
        model = StudyClassifier(self.HOW, 1, calibrate=False).fit(
            X[train], y[train], patients[train], centre[train]
        )
        before = X[~train][:, model.pipeline_.named_steps["agreement"].get_support(), 0]
        step = model.pipeline_.named_steps["harmonisation"]
        after = step.transform(before, batch=centre[~train])
        gaps = [
            np.abs(v[centre[~train] == "B"].mean(axis=0) - v[centre[~train] == "A"].mean(axis=0))
            for v in (before, after)
        ]
        assert gaps[0].mean() > 1.2
        assert gaps[1].mean() < 0.5
        assert auc(y[~train] == 1, model.decision_function(X[~train], centre[~train])) > 0.7

    def test_new_cases_are_scored_one_by_one_as_together(self, study: tuple) -> None:
        X, y, patients, centre = study
        model = StudyClassifier(self.HOW, 1, calibrate=False).fit(X, y, patients, centre)
        together = model.decision_function(X[:6], centre[:6])
        alone = [model.decision_function(X[[k]], centre[[k]])[0] for k in range(6)]
        np.testing.assert_allclose(together, alone, atol=1e-12)

    def test_a_new_centre_is_left_as_it_is(self, study: tuple) -> None:
        X, y, patients, centre = study
        model = StudyClassifier(self.HOW, 1, calibrate=False).fit(X, y, patients, centre)
        scores = model.decision_function(X[:4], np.full(4, "Z"))
        assert np.isfinite(scores).all()

    def test_batches_are_asked_for(self, study: tuple) -> None:
        X, y, patients, _ = study
        with pytest.raises(DataError, match="needs the batch of each case"):
            StudyClassifier(self.HOW).fit(X, y, patients)


class TestRidgeAndElasticNet:
    def test_ridge_is_logistic_regression_at_its_penalty(self) -> None:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(40, 90))
        y = (X[:, 0] + 0.5 * rng.normal(size=40) > 0).astype(int)
        found = Ridge(seed=1).fit(X, y)
        known = LogisticRegression(C=found.C_, tol=1e-10, max_iter=10000).fit(X, y)
        np.testing.assert_allclose(found.coef_, known.coef_, atol=1e-5)
        scores = found.decision_function(X)
        np.testing.assert_allclose(scores, known.decision_function(X), atol=1e-4)

    @pytest.mark.parametrize("balanced", [False, True])
    def test_ridge_takes_the_penalty_of_a_grid_search(self, balanced: bool) -> None:
        rng = np.random.default_rng(2)
        X = rng.normal(size=(60, 20))
        for effect in (0.0, 0.5, 1.0, 4.0):
            y = (effect * X[:, 0] + rng.normal(size=60) > 0.8).astype(int)
            found = Ridge(balanced, seed=1).fit(X, y)
            search = GridSearchCV(logistic(balanced=balanced), {"C": RIDGE_C},
                                  scoring="neg_log_loss",
                                  cv=found._folds(y, np.arange(60))).fit(X, y)  # fmt: skip
            assert search.best_params_["C"] == found.C_

    def test_elastic_net_is_the_cross_validated_lasso(self) -> None:
        rng = np.random.default_rng(1)
        X = rng.normal(size=(60, 30))
        y = (X[:, 2] > 0).astype(int)
        settings = change(classifier="elastic_net", lasso=LassoSettings(folds=5, l1_ratio=0.5))
        found = build_classifier("elastic_net", settings, seed=3).fit(X, y)
        lasso = LogisticLassoCV(folds=5, l1_ratio=0.5, seed=3).fit(X, y)
        np.testing.assert_array_equal(found.coef_, lasso.coef_)

    def test_unused_features_are_not_in_the_model(self, study: tuple) -> None:
        X, y, patients, _ = study
        settings = load_preset("vcf-t2w").model
        model = StudyClassifier(settings, 1, calibrate=False).fit(X, y, patients)
        assert 0 < len(model.selected_) < 25
        assert (model.coef_ != 0).all()
        assert list(model.funnel_)[-1] == "classifier"
        assert model.lasso_ is not None

    def test_unknown_classifier(self) -> None:
        with pytest.raises(DataError, match="no classifier 'tree'; there are linear_svm"):
            build_classifier("tree", QUICK)


SOURCES = {"T2w": tuple(range(12)), "T1w": tuple(range(12, 23)), "clinical": (23, 24)}


class TestFusion:
    @pytest.mark.parametrize("fusion", ["late", "stacked"])
    def test_score_is_the_weighted_sum_of_the_sources(self, fusion: str, study: tuple) -> None:
        X, y, patients, _ = study
        model = FusionClassifier(SOURCES, change(fusion=fusion), 1).fit(X, y, patients)
        by_hand = model.offset_ + sum(
            model.weights_[name] * m.decision_function(X[:, list(SOURCES[name])])
            for name, m in model.models_.items()
        )
        np.testing.assert_allclose(model.decision_function(X), by_hand, atol=1e-10)
        assert min(model.weights_.values()) >= 0
        weighed = {
            name: model.weights_[name] * m.decision_function(X[:, list(SOURCES[name])]).std()
            for name, m in model.models_.items()
        }
        assert max(weighed, key=weighed.__getitem__) == "T2w"

    def test_late_fusion_is_the_mean_of_the_sources_log_odds(self, study: tuple) -> None:
        """Each source's out-of-fold score in units of its spread, through a regression."""
        X, y, patients, _ = study
        model = FusionClassifier(SOURCES, change(fusion="late"), 1).fit(X, y, patients)
        wanted = []
        for name, source in model.models_.items():
            inner = source.inner_scores(X[:, list(SOURCES[name])], y, patients)
            unit = inner.std()
            odds = LogisticRegression().fit(inner[:, None] / unit, y)
            score = source.decision_function(X[:, list(SOURCES[name])]) / unit
            wanted.append(odds.intercept_ + max(odds.coef_[0, 0], 0) * score)
        np.testing.assert_allclose(model.decision_function(X), np.mean(wanted, axis=0), atol=1e-9)

    def test_the_sum_is_one_linear_score(self, study: tuple) -> None:
        X, y, patients, _ = study
        names = [f"f{k}" for k in range(25)]
        model = FusionClassifier(SOURCES, change(fusion="stacked"), 1, names)
        model.fit(X, y, patients)
        position = [int(n[1:]) for n in model.selected_]
        z = (X[:, position, 0] - model.mean_) / model.sd_
        np.testing.assert_allclose(
            model.intercept_ + z @ model.coef_, model.decision_function(X), atol=1e-10
        )
        assert {"f23", "f24"} <= set(model.selected_)


class TestSearch:
    HOW = SearchSettings(
        selectors=("lasso", "mrmr", "none"), classifiers=("logistic", "naive_bayes"),
        n_features=(1, 2, 30), folds=3, ensemble=1,
    )  # fmt: skip

    def test_table_is_whole_and_the_winner_is_the_best(self, study: tuple) -> None:
        X, y, patients, _ = study
        model = SearchClassifier(self.HOW, QUICK, 1).fit(X, y, patients)
        # 30 features are more than any selector of 25 hands on.
        wanted = [c for c in candidates(self.HOW) if c.n_features != 30]
        assert len(model.table_) == len(wanted)
        whole = [row for row in model.table_ if row.folds == 3]
        assert [row.chosen for row in model.table_] == [True] + [False] * (len(wanted) - 1)
        assert model.table_[0].mean == max(row.mean for row in whole)

    def test_the_winner_alone_gives_the_same_scores(self, study: tuple) -> None:
        X, y, patients, _ = study
        model = SearchClassifier(self.HOW, QUICK, 1).fit(X, y, patients)
        (winner,) = model.chosen_
        alone = SearchSettings(
            selectors=(winner.selector,), classifiers=(winner.classifier,),
            n_features=(winner.n_features or 1,), folds=3, ensemble=1,
        )  # fmt: skip
        again = SearchClassifier(alone, QUICK, 1).fit(X, y, patients)
        np.testing.assert_allclose(
            again.decision_function(X), model.decision_function(X), atol=1e-12
        )

    def test_halving_sees_all_folds_of_the_survivors_only(self, study: tuple) -> None:
        X, y, patients, _ = study
        halved = self.HOW.model_copy(update={"survivors": 2})
        model = SearchClassifier(halved, QUICK, 1).fit(X, y, patients)
        folds = [row.folds for row in model.table_]
        assert folds.count(3) <= 3
        assert min(folds) == 1
        grid = self.HOW.model_copy(update={"halving": False})
        full = SearchClassifier(grid, QUICK, 1).fit(X, y, patients)
        assert {row.folds for row in full.table_} == {3}

    @pytest.mark.parametrize(
        ("n", "survivors", "kept"),
        [(7, 2, [1, 3, 4, 6]), (8, 2, [1, 3, 4, 6]), (7, 6, [0, 1, 3, 4, 5, 6]), (3, 5, [0, 1, 2])],
    )
    def test_half_and_at_least_the_survivors_go_on(
        self, n: int, survivors: int, kept: list[int]
    ) -> None:
        """The better ones, in the order in which they came."""
        means = [0.4, 0.9, 0.1, 0.8, 0.6, 0.5, 0.7, 0.3]
        runs = [Mock(mean=mean) for mean in means[:n]]
        assert [runs.index(run) for run in _better_half(runs, survivors)] == kept

    def test_ensemble_is_the_mean_of_scaled_scores(self, study: tuple) -> None:
        X, y, patients, _ = study
        settings = self.HOW.model_copy(update={"ensemble": 3, "halving": False})
        model = SearchClassifier(settings, QUICK, 1).fit(X, y, patients)
        assert len(model.members_) == 3
        prepared = model.prefix_.select(X)
        each = [m.decision_function(prepared[:, c]) / s for c, m, s in model.members_]
        np.testing.assert_allclose(model.decision_function(X), np.mean(each, axis=0))

    def test_too_few_features_for_every_candidate(self, study: tuple) -> None:
        X, y, patients, _ = study
        settings = SearchSettings(selectors=("mrmr",), classifiers=("logistic",), n_features=(99,))
        with pytest.raises(DataError, match=r"fewest of `search\.n_features`"):
            SearchClassifier(settings, QUICK, 1).fit(X, y, patients)


class _Logistic(LogisticRegression):
    """Maximum likelihood, with the arguments that the project's models take."""

    def __init__(self) -> None:
        super().__init__(C=np.inf, max_iter=10000, tol=1e-8)

    def fit(self, X: NDArray, y: NDArray, groups: NDArray | None = None,
            batch: NDArray | None = None) -> "_Logistic":  # fmt: skip
        return super().fit(X, y)

    def decision_function(self, X: NDArray, batch: NDArray | None = None) -> NDArray:
        return super().decision_function(X)


class TestOptimism:
    def test_is_that_of_rms(self, reference: Path, real_table: Callable[[str], RealTable]) -> None:
        """rms::validate, B = 1000 by rows; ours within the Monte-Carlo error of 300."""
        known = json.loads((reference / "modelling" / "r" / "rms_validate.json").read_text())
        table = real_table("WORC-Lipo")
        X = table.X[:, [table.features.index(name) for name in known["features"]]]
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        apparent = float(auc(table.y == 1, _Logistic().fit(X, table.y).decision_function(X)))
        assert apparent == pytest.approx(known["apparent_auc"], abs=1e-6)
        rows = [draw_patients(table.y, None, seed=k) for k in range(300)]
        fitted = [_Logistic().fit(X[own], table.y[own]).decision_function(X) for own in rows]
        positive = table.y == 1
        drawn = [areas_of(positive, *pair) for pair in zip(fitted, rows, strict=True)]
        found = optimism(apparent, drawn)
        spread = np.std([r.apparent - r.original for r in drawn]) / np.sqrt(300)
        wanted = known["apparent_auc"] - known["optimism_corrected_auc"]
        assert abs(found.optimism - wanted) < 4 * spread
        assert found.out_of_bag < found.harrell < found.apparent
        assert found.out_of_bag < found.plus_632 < found.apparent

    def test_noise_is_corrected_to_nothing(self) -> None:
        """.632+ of a model that remembers: apparent 1, out of bag 0.5."""
        found = optimism(1.0, [Resample(1.0, 0.8, 0.5)] * 10)
        assert found.plus_632 == pytest.approx(0.5)
        assert found.harrell == pytest.approx(0.8)

    def test_plus_632_by_hand(self) -> None:
        """Overfitting .2 of .4: R = .5, weight .632 / (1 - .368 x .5) = .77451."""
        assert Optimism(0.9, 0.0, 0.7, 10).plus_632 == pytest.approx(0.745098, abs=1e-6)
        assert Optimism(0.9, 0.0, 0.4, 10).plus_632 == pytest.approx(0.5), "no better than chance"
        assert Optimism(0.45, 0.0, 0.4, 10).plus_632 == pytest.approx(0.4816, abs=1e-6)

    def test_without_overfitting_nothing_changes(self) -> None:
        assert Optimism(0.8, 0.0, 0.8, 10).plus_632 == pytest.approx(0.8)

    def test_patients_come_whole_and_outcomes_stay(self) -> None:
        patients = np.arange(60) // 3
        y = patients % 2
        for seed in range(20):
            rows = draw_patients(y, patients, seed)
            times = np.bincount(rows, minlength=60).reshape(20, 3)
            assert (times == times[:, :1]).all()
            assert (y[rows] == 1).sum() == 30

    def test_patients_of_both_outcomes_are_drawn_among_themselves(self) -> None:
        """Twenty with a case of each, ten with one: so many of each kind in every resample."""
        patients = np.r_[np.repeat(np.arange(20), 2), np.arange(20, 30)]
        y = np.r_[np.tile([0, 1], 20), np.repeat([0, 1], [6, 4])]
        for seed in range(10):
            drawn = np.bincount(draw_patients(y, patients, seed), minlength=50)
            assert (drawn[:40:2] == drawn[1:40:2]).all()
            assert (drawn[:40:2].sum(), drawn[40:46].sum(), drawn[46:].sum()) == (20, 6, 4)
        first, other = (draw_patients(y, patients, seed) for seed in (0, 1))
        assert first.tolist() != other.tolist()

    def test_out_of_bag_cases_of_one_outcome_have_no_area(self) -> None:
        positive, scores = np.array([0, 0, 1, 1]) == 1, np.array([0.1, 0.5, 0.4, 0.9])
        both = areas_of(positive, scores, np.array([0, 0, 3, 3]))
        assert (both.apparent, both.original, both.out_of_bag) == (1, 0.75, 0)
        for rows in ([0, 1, 2], [1, 2, 3], [0, 1, 2, 3]):
            assert np.isnan(areas_of(positive, scores, np.array(rows)).out_of_bag)

    def test_means_are_of_the_resamples_that_have_an_area(self) -> None:
        drawn = [Resample(0.9, 0.8, 0.7), Resample(1.0, 0.7, float("nan")), Resample(0.8, 0.8, 0.5)]
        found = optimism(0.95, drawn)
        assert found.optimism == pytest.approx((0.1 + 0.3 + 0) / 3)
        assert found.out_of_bag == pytest.approx(0.6)
        assert (found.apparent, found.n) == (0.95, 3)
        assert np.isnan(optimism(0.95, drawn[1:2]).out_of_bag)


class Sides(BaseEstimator):
    """Scores by the first feature; tells what it was fitted on and what it has scored."""

    def __init__(self, told: list[dict], robustness: object = "rule", n_readers: int | None = 2,
                 compared: object = (1,)) -> None:  # fmt: skip
        self.told, self.robustness, self.n_readers = told, robustness, n_readers
        self.compared = compared

    def __sklearn_clone__(self) -> "Sides":
        return Sides(self.told, self.robustness, self.n_readers, self.compared)

    def fit(self, X: NDArray, y: NDArray, groups: NDArray | None, batch: NDArray | None) -> "Sides":
        self.told.append({"X": X, "y": y, "groups": groups, "batch": batch, "of": self})
        return self

    def decision_function(self, X: NDArray, batch: NDArray | None) -> NDArray:
        self.told[-1] |= {"scored": X, "scored batch": batch}
        return X[:, 0, 0]


class TestSidesOfLeaks:
    """Which rows a leak is fitted to and judged by."""

    @pytest.fixture
    def scene(self) -> SplitStudy:
        rng = np.random.default_rng(3)
        X = rng.normal(size=(20, 4, 2))
        y, centre = np.arange(20) % 2, np.array([*"ABCD" * 5])
        X[:, 0] += 2 * y[:, None]
        X[5, :, 1] = np.nan
        order = rng.permutation(20)
        return SplitStudy(
            Sides([]), X, y, np.arange(20) // 2, centre, tuple("abcd"), order[:14], order[14:],
            QUICK, 4,
        )  # fmt: skip

    @pytest.mark.parametrize(("name", "side"), [("honest", "test"), ("apparent", "train")])
    def test_one_fit_to_the_training_side_serves_both(
        self, name: str, side: str, scene: SplitStudy
    ) -> None:
        rows, told = getattr(scene, side), scene.model.told
        area = LEAKS[name](scene)
        assert area == auc(scene.y[rows] == 1, scene.X[rows, 0, 0])
        (fit,) = told
        np.testing.assert_array_equal(fit["X"], scene.X[scene.train])
        np.testing.assert_array_equal(fit["groups"], scene.patients[scene.train])
        np.testing.assert_array_equal(fit["batch"], scene.batch[scene.train])
        np.testing.assert_array_equal(fit["scored batch"], scene.batch[rows])
        LEAKS["honest"](scene), LEAKS["apparent"](scene)
        assert len(told) == 1

    def test_copies_are_second_readings_where_there_are_any(self, scene: SplitStudy) -> None:
        """Rows are split without regard to patients; of one reading robustness is not asked."""
        area = LEAKS["copies_on_both_sides"](scene)
        (fit,) = scene.model.told
        assert fit["groups"] is None
        model = fit["of"]
        assert (model.robustness, model.n_readers, model.compared) == (None, None, None)
        assert (scene.model.robustness, scene.model.n_readers) == ("rule", 2), "that of the study"
        known = {tuple(row): (k, reading) for reading in range(2)
                 for k, row in enumerate(scene.X[:, :, reading])}  # fmt: skip
        trained, tested = ([known[tuple(r)] for r in fit[x][:, :, 0]] for x in ("X", "scored"))
        assert len(trained) == 28, "the share of the honest split"
        wanted = Counter((k, reading) for k in range(20) for reading in (0, 1 if k != 5 else 0))
        assert Counter([*trained, *tested]) == wanted
        assert {k for k, _ in trained} & {k for k, _ in tested}
        assert fit["X"].shape[2] == fit["scored"].shape[2] == 1, "each is a case of one reading"
        for batch, rows in (("batch", trained), ("scored batch", tested)):
            assert fit[batch].tolist() == [scene.batch[k] for k, _ in rows]
        outcomes = np.array([scene.y[k] for k, _ in tested])
        assert area == auc(outcomes == 1, fit["scored"][:, 0, 0])


class TestLeaks:
    def scene(self, seed: int, n: int = 80, p: int = 200) -> SplitStudy:
        """Noise: whatever a leak claims above 0.5 is its own."""
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, p, 1))
        X = np.concatenate([X, X + 0.1 * rng.normal(size=X.shape)], axis=2)
        order = rng.permutation(n)
        return SplitStudy(
            StudyClassifier(QUICK, 1), X, (np.arange(n) % 2).astype(np.int64), np.arange(n), None,
            tuple(f"x{k}" for k in range(p)), order[:56], order[56:], QUICK, seed,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "least"),
        [("apparent", 0.6), ("selection_before_split", 0.6), ("number_tuned_on_test", 0.52),
         ("copies_on_both_sides", 0.6)],
    )  # fmt: skip
    def test_each_leak_makes_something_of_nothing(self, name: str, least: float) -> None:
        areas = [LEAKS[name](self.scene(seed)) for seed in range(8)]
        assert np.mean(areas) > least

    @pytest.mark.parametrize("name", LEAKS)
    def test_what_is_plain_is_found_with_and_without_a_leak(self, name: str) -> None:
        noise = self.scene(0, p=6)
        X = noise.X.copy()
        X[:, 0] += 5 * noise.y[:, None]
        assert LEAKS[name](replace(noise, X=X)) > 0.9

    def test_copies_of_a_table_that_is_too_large_are_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each of 80 cases would be there twice; the other leaks need no copies."""
        numbers, copies = 2 * 80 * 200, LEAKS["copies_on_both_sides"]
        monkeypatch.setattr("centrum.modelling.on_disk.IN_MEMORY", numbers)
        assert copies(self.scene(0)) > 0.5
        monkeypatch.setattr("centrum.modelling.on_disk.IN_MEMORY", numbers - 1)
        with pytest.raises(DataError, match=r"leak of copies .*160 x 200 numbers") as caught:
            copies(self.scene(0))
        assert caught.value.code == "too-large"
        assert "leak_audit: {splits: 0}" in caught.value.remedy
        assert LEAKS["apparent"](self.scene(0)) > 0.5

    def test_honest_makes_nothing_of_nothing(self) -> None:
        areas = [LEAKS["honest"](self.scene(seed)) for seed in range(16)]
        assert abs(np.mean(areas) - 0.5) < 0.09

    def test_rows_of_a_scene_bring_their_batches(self) -> None:
        """As a model gets them that is fitted and scored by hand."""
        scene = self.scene(0, p=6)
        combat = change(harmonisation=HarmonisationSettings(method="combat"))
        batch = np.where(np.arange(80) % 3 == 0, "B", "A")
        X = scene.X + 3 * (batch == "B")[:, None, None]
        one = StudyClassifier(combat, 1)
        own = replace(scene, model=one, X=X, batch=batch, settings=combat)
        seen = X[own.train], own.y[own.train], own.patients[own.train], batch[own.train]
        model = StudyClassifier(combat, 1).fit(*seen)
        np.testing.assert_allclose(own.out_of_fold, model.inner_scores(*seen))
        tested = model.decision_function(X[own.test], batch[own.test])
        np.testing.assert_allclose(own.tested, tested)
        assert LEAKS["honest"](own) == pytest.approx(auc(own.y[own.test] == 1, tested))
        for name in LEAKS:
            assert 0 <= LEAKS[name](own) <= 1, name

    def test_a_leak_that_cannot_be_switched_on_says_so(self) -> None:
        scene = self.scene(0)
        unranked = load_preset("vcf-t2w").model
        other = SplitStudy(
            **{**vars(scene), "model": StudyClassifier(unranked), "settings": unranked}
        )
        assert np.isnan(LEAKS["number_tuned_on_test"](other))


class TestDegenerate:
    """Clear outcomes where data leave little to learn."""

    def test_perfect_separation(self, study: tuple) -> None:
        X, y, patients, _ = study
        X[:, 0] = (10.0 * y)[:, None]
        model = StudyClassifier(QUICK, 1, calibrate=False).fit(X, y, patients)
        assert model.selected_.tolist()[0] == "x0"
        assert auc(y == 1, model.decision_function(X)) == 1

    def test_many_more_features_than_cases(self) -> None:
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(24, 3000, 1)), np.arange(24) % 2
        X[:, 0, 0] += 3 * y
        model = StudyClassifier(QUICK, 1, calibrate=False).fit(X, y)
        assert np.isfinite(model.decision_function(X)).all()

    def test_copies_of_a_feature(self, study: tuple) -> None:
        X, y, patients, _ = study
        X = np.concatenate([X, X, X], axis=1)
        model = StudyClassifier(QUICK, 1, calibrate=False).fit(X, y, patients)
        assert len(model.funnel_["correlation"]) <= 25

    def test_ties_everywhere(self, study: tuple) -> None:
        X, y, patients, _ = study
        model = StudyClassifier(QUICK, 1, calibrate=False).fit(np.sign(X), y, patients)
        assert np.isfinite(model.decision_function(np.sign(X))).all()

    def test_all_features_constant(self, study: tuple) -> None:
        X, y, patients, _ = study
        with pytest.raises(DataError, match="constant"):
            StudyClassifier(QUICK, 1, calibrate=False).fit(np.ones_like(X[:, :, :1]), y, patients)

    def test_one_class_in_a_fold_is_refused_before(self, study: tuple) -> None:
        X, y, patients, _ = study
        rows = np.flatnonzero((y == 0) | (patients < 4))
        with pytest.raises(DataError, match="Ask for fewer folds"):
            StudyClassifier(QUICK, 1, calibrate=False).fit(X[rows], y[rows], patients[rows])


def test_logistic_is_r_glm() -> None:
    """C infinite is maximum likelihood: the gradient vanishes."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))
    y = (rng.random(60) < expit(X[:, 0])).astype(int)
    model = logistic(np.inf).fit(X, y)
    p = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(X.T @ (y - p), 0, atol=1e-5)
