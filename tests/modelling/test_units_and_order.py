"""What must not matter to a model: units, the order of rows, and cases that are only tested."""

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import clone

from centrum.errors import DataError
from centrum.evaluate.bootstrap import NUMBERS_AT_ONCE, in_blocks
from centrum.frozen.classifiers import RadialKernel
from centrum.modelling.balance import Smote
from centrum.modelling.classifiers import Ridge
from centrum.modelling.combat import ComBat
from centrum.modelling.designs import plan_parts
from centrum.modelling.imputation import NearestImputer
from centrum.modelling.levels import ReferenceLevels
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import SearchClassifier
from centrum.modelling.settings import (
    ImputationSettings,
    LassoSettings,
    ModelSettings,
    RfeSettings,
    SearchSettings,
    SelectSettings,
    Split,
)
from centrum.validation.fits import unseen_levels
from centrum.validation.matrix import Matrix, covariate_values

Floats = NDArray[np.float64]


def cohort(seed: int = 0, gaps: float = 0.08, effect: float = 1.0) -> tuple[Floats, NDArray]:
    """30 cases of two outcomes, one in three, and 6 features."""
    rng = np.random.default_rng(seed)
    y = np.arange(30) % 3 // 2
    X = rng.normal(size=(30, 6)) + effect * y[:, None] * (np.arange(6) < 2)
    X[rng.random(X.shape) < gaps] = np.nan
    return X, y


def chosen(**more: Any) -> ModelSettings:
    plain: dict[str, Any] = {
        "n_features": None, "correlation": None, "lasso": LassoSettings(folds=2),
        "select": SelectSettings(method="none"), "rfe": RfeSettings(estimator="none"),
        "classifier": "logistic", "imputation": ImputationSettings(method="median"),
    }  # fmt: skip
    return ModelSettings(**(plain | more))


UNITS: dict[str, dict[str, Any]] = {
    "knn": {"imputation": ImputationSettings(method="knn", neighbours=3)},
    "mean": {"imputation": ImputationSettings(method="mean")},
    "smote": {"balance": "smote"},
    "repeat": {"balance": "repeat"},
    **{name: {"select": SelectSettings(method=name, n_features=3)}
       for name in ("lasso", "mrmr", "relieff", "stability", "univariate")},
    **{name: {"classifier": name}
       for name in ("linear_svm", "ridge", "elastic_net", "rbf_svm", "naive_bayes")},
    "rfe": {"rfe": RfeSettings(estimator="linear_svm")},
}  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_of_a_feature_changes_no_score(name: str) -> None:
    """A volume in mm3 or in mL; a step that measures distances in raw units is found here."""
    X, y = cohort()
    unit = np.array([1.0, 1000.0, 1.0, 0.001, 1.0, 1000.0])
    model = StudyClassifier(chosen(**UNITS[name]), 1, calibrate=False)
    tables = [X[:, :, None], (X * unit)[:, :, None]]
    scores = [clone(model).fit(table, y).decision_function(table) for table in tables]
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-5, atol=1e-5)


def test_made_up_cases_lie_between_neighbours_in_any_unit() -> None:
    X, y = cohort(gaps=0)
    unit = np.array([1.0, 1e6, 1.0, 1e-6, 1.0, 1.0])
    steps = Smote(), Smote()
    first, second = (
        step.fit_resample(x, y)[0] for step, x in zip(steps, (X, X * unit), strict=True)
    )
    np.testing.assert_allclose(second, first * unit, rtol=1e-9)
    np.testing.assert_array_equal(first[: len(X)], X)
    assert len(first) > len(X)
    np.testing.assert_array_equal(*(step.sample_indices_ for step in steps), "owners")


class TestNearest:
    def test_cases_at_one_distance_all_count(self) -> None:
        donors = np.array([[0.0, 1.0], [2.0, 5.0], [2.0, 9.0], [9.0, 30.0]])
        step = NearestImputer(n_neighbors=1).fit(donors)
        assert step.transform([[1.0, np.nan]])[0, 1] == 5.0

    def test_the_order_of_the_rows_changes_no_bit(self) -> None:
        X = np.round(cohort(gaps=0.2)[0] * 2)  # many ties
        order = np.random.default_rng(1).permutation(len(X))
        filled = NearestImputer(3).fit(X).transform(X)
        again = NearestImputer(3).fit(X[order]).transform(X[order])
        assert again.tobytes() == filled[order].tobytes()

    def test_what_nobody_shares_is_the_mean(self) -> None:
        X = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, 4.0], [np.nan, 8.0]])
        filled = NearestImputer(1).fit(X).transform(X)
        np.testing.assert_array_equal(filled, [[1, 6], [3, 6], [2, 4], [2, 8]])


class TestCovariates:
    def test_combat_leaves_them_and_does_not_learn_of_them(self) -> None:
        rng = np.random.default_rng(0)
        batch = np.repeat(["A", "B"], 15)
        X = rng.normal(size=(30, 4)) + 3 * (batch == "B")[:, None]
        alone = ComBat().fit(X[:, :3], batch=batch).transform(X[:, :3], batch=batch)
        step = ComBat(untouched=("age",)).fit(X, batch=batch, names=["a", "b", "c", "age"])
        moved = step.transform(X, batch=batch)
        np.testing.assert_array_equal(moved[:, 3], X[:, 3])
        np.testing.assert_allclose(moved[:, :3], alone, rtol=1e-12)

    def test_the_reference_is_learnt_from_training_cases(self) -> None:
        """B is the most frequent of all cases, A of the training cases."""
        obs = pd.DataFrame({"kind": list("AAB" * 6) + ["B"] * 12})
        values, (names,) = covariate_values(obs, ["kind"])
        y = np.arange(30) % 2
        model = StudyClassifier(chosen(), 1, names, covariates=(names,), calibrate=False)
        model.fit(values[:18, :, None], y[:18])
        assert model.selected_.tolist() == ["kind=B"]

    def test_a_level_of_test_cases_alone_is_the_reference_and_told(self) -> None:
        obs = pd.DataFrame({"kind": list("AAB" * 6 + "C")})
        values, covariates = covariate_values(obs, ["kind"])
        step = ReferenceLevels(covariates).fit(values[:18], names=covariates[0])
        assert step.get_support().tolist() == [False, True, False]
        y = np.arange(19) % 2
        matrix = Matrix(
            values[:, :, None], covariates[0], {}, y, y, None, ("reader",), obs, covariates
        )
        assert unseen_levels(matrix, np.arange(18), np.array([18])) == {"kind=C": 1}

    @pytest.mark.parametrize(
        ("training", "kept"),
        [
            ("AAB", [False, True]),
            ("AAB?", [False, True]),
            ("ABB??", [True, False]),
            ("AABC", [True, True]),
            ("AAB?C", [True, True]),
        ],
    )
    def test_a_reference_is_left_out_where_the_columns_are_all_known_levels(
        self, training: str, kept: list[bool]
    ) -> None:
        """A missing text is none of the levels; C is one that has no column of its own."""
        values = [
            [np.nan, np.nan] if level == "?" else [level == "A", level == "B"] for level in training
        ]
        names = ["kind=A", "kind=B"]
        step = ReferenceLevels([names]).fit(values, names=names)
        assert step.get_support().tolist() == kept

    def test_site_numbers_are_text(self) -> None:
        sites = [1000001.0, 1000002.0, 1000003.0] * 4
        parts = plan_parts(Split(design="leave_one_centre_out"), np.arange(12) % 2, None,
                           pd.DataFrame({"centre": sites}))  # fmt: skip
        assert [part.name for part in parts] == [f"centre {k}" for k in (1000001, 1000002, 1000003)]


class TestNothingIsChosenOfNan:
    def test_ridge_needs_folds_that_can_judge(self) -> None:
        X, _ = cohort(gaps=0)
        one = np.where(np.arange(30) == 2, 1, 0)
        with pytest.raises(DataError, match="folds that hold both outcomes"):
            Ridge().fit(X, one)
        two = np.where(np.isin(np.arange(30), (2, 5)), 1, 0)
        X[:, 0] += 6 * two
        assert Ridge().fit(X, two).C_ > 1e-4, "nan scores choose the first penalty"

    @pytest.mark.parametrize("seed", range(4))
    def test_a_search_among_weak_signals(self, seed: int) -> None:
        X, y = cohort(seed, gaps=0, effect=0)
        settings = SearchSettings(selectors=("lasso",), classifiers=("logistic", "naive_bayes"),
                             n_features=(1, 2, 4), folds=3, ensemble=2, survivors=2)  # fmt: skip
        try:
            model = SearchClassifier(settings, chosen()).fit(X[:, :, None], y)
        except DataError:
            return
        assert np.isfinite(model.decision_function(X[:, :, None])).all()
        assert np.isfinite(model.inner_scores(X[:, :, None], y)).all()
        assert all(row.folds == 3 for row in model.table_ if row.chosen)

    @pytest.mark.parametrize("value", [1e200, -1e308, np.inf])
    def test_values_that_cannot_be_squared_are_named(self, value: float) -> None:
        X, y = cohort(gaps=0)
        X[3, 2] = value
        with pytest.raises(DataError, match=r"1 feature\(s\) hold values .* x2"):
            StudyClassifier(chosen()).fit(X[:, :, None], y)


class TestMemory:
    def test_a_radial_kernel_takes_no_more_than_its_cases(self) -> None:
        rng = np.random.default_rng(0)
        kernel = RadialKernel(rng.normal(size=(150, 400)), rng.normal(size=150), 0.01, 0.0)
        z = rng.normal(size=(150, 400))
        squares = np.sum(z**2, 1)[:, None] + np.sum(kernel.vectors**2, 1) - 2 * z @ kernel.vectors.T
        tracemalloc.start()
        found = kernel.score(z)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 4e6, "all differences at once are 72 MB"
        np.testing.assert_allclose(found, np.exp(-0.01 * squares) @ kernel.weights, atol=1e-9)

    def test_resamples_are_looked_at_in_blocks(self) -> None:
        wide = np.ones((5, NUMBERS_AT_ONCE // 2))
        seen: list[int] = []
        in_blocks(wide, lambda rows: seen.append(len(rows)) or rows[:, 0])
        assert seen == [2, 2, 1]
