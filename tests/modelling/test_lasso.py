"""The LASSO equals R's glmnet and keeps its optimality conditions."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning

from centrum.errors import DataError
from centrum.modelling import lasso
from centrum.modelling.lasso import LassoPath, LogisticLassoCV, _choose, lasso_path
from tests.modelling.conftest import RealTable

TABLES = ["Song2020", "WORC-Lipo"]

SWAPPED_PAIR = {("WORC-Lipo", "auc"): [96]}
"""The step where two cases of one fold (6 + 6 of 114 cases) change places: glmnet's coefficients
with thresh 1e-12 are up to 7e-4 from the optimum there, and its own algorithm run on to 1e-14
gives our order."""


def merge_copies(X: NDArray, coefficients: NDArray) -> NDArray:
    """Coefficients summed over features that are copies of each other.

    The table Song2020 holds one feature three times; how a LASSO deals the coefficient out
    among copies is not determined.
    """
    scaled = np.round((X - X.mean(axis=0)) / X.std(axis=0), 9)
    _, copy_of = np.unique(scaled, axis=1, return_inverse=True)
    merged = np.zeros((len(coefficients), copy_of.max() + 1))
    np.add.at(merged.T, copy_of, coefficients.T)
    return merged


def r_coefficients(folder: Path, table: RealTable, steps: int) -> NDArray:
    listed = pd.read_csv(folder / f"glmnet_{table.name}_tight_beta.csv.gz")
    column = {feature: j for j, feature in enumerate(table.features)}
    coefficients = np.zeros((steps, len(table.features)))
    coefficients[listed["step"] - 1, listed["feature"].map(column)] = listed["coef"]
    return coefficients


@pytest.mark.parametrize("name", TABLES)
def test_path_equals_glmnet(
    name: str, reference: Path, real_table: Callable[[str], RealTable]
) -> None:
    folder = reference / "modelling" / "r"
    table = real_table(name)
    expected = pd.read_csv(folder / f"glmnet_{name}_tight_path.csv")
    path = lasso_path(table.X, table.y)
    np.testing.assert_allclose(path.lambdas, expected["lambda"], rtol=1e-12)
    np.testing.assert_allclose(path.intercepts, expected["a0"], atol=1e-3)
    np.testing.assert_allclose(path.deviance_ratio, expected["dev.ratio"], atol=1e-5)
    ours = merge_copies(table.X, path.coefficients)
    theirs = merge_copies(table.X, r_coefficients(folder, table, len(expected)))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    rounding = 1e-10
    np.testing.assert_array_equal(np.abs(ours) > rounding, np.abs(theirs) > rounding)


@pytest.mark.parametrize("name", TABLES)
def test_cross_validation_equals_cv_glmnet(
    name: str, reference: Path, real_table: Callable[[str], RealTable]
) -> None:
    folder = reference / "modelling" / "r"
    table = real_table(name)
    folds = pd.read_csv(folder / "inputs" / f"folds_{name}.csv")["foldid"].to_numpy()
    chosen = json.loads((folder / f"glmnet_{name}_tight.json").read_text())
    lasso = LogisticLassoCV(folds=folds).fit(table.X, table.y)
    for measure in ("deviance", "auc", "class"):
        lasso.measure_ = measure
        mean, se = lasso._cross_validate(table.X, table.y)
        expected = pd.read_csv(folder / f"cvglmnet_{name}_tight_{measure}.csv")
        same = np.ones(mean.size, dtype=bool)
        same[SWAPPED_PAIR.get((name, measure), [])] = False
        np.testing.assert_allclose(mean[same], expected.iloc[:, 2][same], atol=1e-4)
        np.testing.assert_allclose(se[same], expected.iloc[:, 3][same], atol=1e-4)
        one_pair = 1 / (6 * 6) * 12 / 114
        np.testing.assert_allclose(mean[~same], expected.iloc[:, 2][~same], atol=one_pair + 1e-9)
    deviance = chosen["deviance"]
    assert [lasso.index_min_ + 1, lasso.index_1se_ + 1] == deviance["index"]
    assert lasso.lambda_min_ == pytest.approx(deviance["lambda.min"])
    assert lasso.lambda_1se_ == pytest.approx(deviance["lambda.1se"])


@pytest.mark.parametrize("name", TABLES)
def test_one_standard_error_and_the_cap_on_the_path_of_cv_glmnet(
    name: str, reference: Path, real_table: Callable[[str], RealTable]
) -> None:
    """From R's own columns: its error, standard error and number of features at each penalty."""
    folder = reference / "modelling" / "r"
    table = real_table(name)
    rows = pd.read_csv(folder / f"cvglmnet_{name}_tight_deviance.csv")
    best = rows["cvm_dev"].idxmin()
    within = rows[rows["cvm_dev"] <= rows["cvm_dev"][best] + rows["cvsd_dev"][best]]
    one_se = within.loc[within["lambda"].idxmax()]
    folds = pd.read_csv(folder / "inputs" / f"folds_{name}.csv")["foldid"].to_numpy()
    lasso = LogisticLassoCV(folds=folds, choice="lambda.1se").fit(table.X, table.y)
    assert lasso.lambda_ == pytest.approx(one_se["lambda"])
    if name == "Song2020":
        return  # glmnet counts each of three copies of one feature
    for most in (1, 2, 3):
        allowed = rows[(rows["lambda"] >= one_se["lambda"]) & (rows["nzero"] <= most)]
        lasso.most_features = most
        lasso._take(lasso.index_1se_)
        assert lasso.lambda_ == pytest.approx(allowed["lambda"].min())


def test_the_one_standard_error_rule_by_hand() -> None:
    """The best is the third, 1.0 + 0.2; the first that is no worse is the second."""
    mean, se = np.array([1.3, 1.2, 1.0, 1.1]), np.array([0.9, 0.9, 0.2, 0.9])
    assert _choose(mean, se, highest=False) == (2, 1)
    assert _choose(-mean, se, highest=True) == (2, 1)


@given(seed=st.integers(0, 50), most=st.integers(1, 12))
def test_the_cap_holds_and_takes_the_smallest_penalty_that_keeps_it(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 15))
    y = (X[:, :6].sum(axis=1) + rng.normal(size=60) > 0).astype(int)
    free = LogisticLassoCV(folds=3, l1_ratio=0.5).fit(X, y)
    capped = LogisticLassoCV(folds=3, l1_ratio=0.5, most_features=most).fit(X, y)
    df = capped.path_.df
    if capped.fallback_:
        assert capped.index_ == np.flatnonzero(df)[0], "the first that selects, however many"
        assert df[capped.index_] > most or free.fallback_
        return
    assert 1 <= np.count_nonzero(capped.coef_) <= most
    if df[free.index_] <= most:
        assert capped.index_ == free.index_
    else:
        assert (df[capped.index_ + 1 : free.index_ + 1] > most).all()


def test_equal_cases_tie_however_they_are_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the linear algebra of some processors rounds them, by their place."""
    rng = np.random.default_rng(4)
    X = rng.integers(0, 3, size=(80, 3)).astype(float)
    y = (X[:, 0] + rng.normal(size=80) > 1).astype(float)
    exact = LogisticLassoCV(folds=5, measure="auc").fit(X, y)
    real = LassoPath.linear_predictor

    def rounded(path: LassoPath, *given: NDArray) -> NDArray:
        eta = real(path, *given)
        return eta + 1e-14 * rng.normal(size=eta.shape)

    monkeypatch.setattr(LassoPath, "linear_predictor", rounded)
    other = LogisticLassoCV(folds=5, measure="auc").fit(X, y)
    np.testing.assert_array_equal(other.cvm_, exact.cvm_)


def random_problem(seed: int, cases: int, features: int) -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(cases, features)) * rng.uniform(0.01, 100, features) + 5
    y = (rng.random(cases) < expit((X[:, 0] - 5) / X[:, 0].std())).astype(float)
    y[:2] = [0, 1]
    return X, y


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(15, 60), st.integers(2, 80), st.sampled_from([1.0, 0.5]))
def test_every_step_of_the_path_is_optimal(
    seed: int, cases: int, features: int, l1_ratio: float
) -> None:
    X, y = random_problem(seed, cases, features)
    X[:, -1] = 3 * X[:, 0]
    path = lasso_path(X, y, l1_ratio=l1_ratio)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    p = expit(X @ path.coefficients.T + path.intercepts)
    beta = path.coefficients.T * X.std(axis=0)[:, None]
    gradient = Z.T @ (y[:, None] - p) / cases - path.lambdas * (1 - l1_ratio) * beta
    limit = path.lambdas * l1_ratio
    tolerance = 1e-5
    assert np.all(np.abs(gradient) <= limit + tolerance)
    on = beta != 0
    np.testing.assert_allclose(gradient[on], (limit * np.sign(beta))[on], atol=tolerance)
    np.testing.assert_allclose((y[:, None] - p).mean(axis=0), 0, atol=tolerance)


def hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every path of more cases than features hold its Gram matrix."""
    monkeypatch.setattr("centrum.modelling.lasso.MANY", 0)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("share", [0.5, 0.03], ids=["balanced", "few positive"])
def test_a_held_gram_matrix_leads_to_the_same_path(
    l1_ratio: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of features that resemble each other, one of them there twice, and weights that change much:
    most cases are told for certain at the end."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(900, 40)) @ rng.normal(size=(40, 40))
    X[:, -1] = X[:, 0]
    score = 3 * X[:, 1] / X[:, 1].std() + 2 * X[:, 7] / X[:, 7].std() + 0.4 * rng.normal(size=900)
    y = (score > np.quantile(score, 1 - share)).astype(float)
    weights = rng.uniform(0.5, 2, 900)
    expected = lasso_path(X, y, weights, l1_ratio=l1_ratio)
    hold(monkeypatch)
    found = lasso_path(X, y, weights, l1_ratio=l1_ratio)
    steps = min(found.lambdas.size, expected.lambdas.size)
    assert abs(found.lambdas.size - expected.lambdas.size) <= 1
    assert expected.deviance_ratio[steps - 1] > 0.9
    size = np.abs(expected.coefficients).max()
    a, b = (merge_copies(X, path.coefficients[:steps]) for path in (found, expected))
    np.testing.assert_allclose(a, b, atol=1e-4 * size)
    np.testing.assert_allclose(
        found.deviance_ratio[:steps], expected.deviance_ratio[:steps], atol=1e-5
    )


@pytest.mark.parametrize(
    ("many", "cases", "features", "held"),
    [(839, 40, 20, True), (840, 40, 20, False), (0, 20, 20, False), (0, 21, 20, True)],
)
def test_only_of_many_numbers_and_more_cases_than_features_it_is_held(
    many: int, cases: int, features: int, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 cases of 20 features and an intercept are 840 numbers."""
    true, asked = lasso.logistic_path, []
    monkeypatch.setattr(lasso, "MANY", many)
    monkeypatch.setattr(lasso, "logistic_path", lambda *a: asked.append(a[-1]) or true(*a))
    lasso_path(*random_problem(0, cases, features))
    assert asked == [held]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(30, 90), st.integers(2, 25), st.sampled_from([1.0, 0.5]))
def test_every_step_with_a_held_gram_matrix_is_optimal(
    seed: int, cases: int, features: int, l1_ratio: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        hold(patch)
        test_every_step_of_the_path_is_optimal.hypothesis.inner_test(
            seed, cases, features, l1_ratio
        )


def test_a_held_gram_matrix_is_made_anew_where_it_no_longer_describes_the_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two steps down a path of two penalties: nearly all weights are gone at the second."""
    rng = np.random.default_rng(9)
    X = rng.standard_t(2, size=(400, 6))
    y = (X[:, 0] + X[:, 1] ** 2 + 0.1 * rng.normal(size=400) > 1).astype(float)
    options = {"l1_ratio": 0.5, "n_lambdas": 2}
    expected = lasso_path(X, y, **options)
    hold(monkeypatch)
    found = lasso_path(X, y, **options)
    np.testing.assert_allclose(found.coefficients, expected.coefficients, atol=1e-6)


def test_with_a_held_gram_matrix_each_penalty_gets_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that would change little: else the deviance stands still, and the path ends."""
    X, y = random_problem(3, 600, 30)
    hold(monkeypatch)
    path = lasso_path(X, y, threshold=1e-2)
    assert (np.diff(path.deviance_ratio) > 0).all()
    assert path.lambdas.size > 20


def test_the_threshold_bounds_the_error_of_a_held_gram_matrix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At glmnet's own threshold it is no further from the optimum than without."""
    X, y = random_problem(3, 600, 30)
    X = X @ np.random.default_rng(3).normal(size=(30, 30))
    exact = lasso_path(X, y)
    loose = lasso_path(X, y, threshold=1e-7)
    hold(monkeypatch)
    held = lasso_path(X, y, threshold=1e-7)
    steps = min(path.lambdas.size for path in (exact, loose, held))
    size = X.std(axis=0)
    errors = [np.abs((p.coefficients[:steps] - exact.coefficients[:steps]) * size).max()
              for p in (loose, held)]  # fmt: skip
    assert errors[1] <= errors[0]


def test_a_weight_of_two_is_a_row_given_twice() -> None:
    X, y = random_problem(1, 40, 12)
    twice = np.r_[np.arange(40), np.arange(7)]
    weighted = lasso_path(X, y, weights=np.where(np.arange(40) < 7, 2.0, 1.0))
    repeated = lasso_path(X[twice], y[twice])
    np.testing.assert_allclose(weighted.lambdas, repeated.lambdas)
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, atol=1e-6)


@pytest.mark.parametrize("held", [False, True])
def test_perfectly_separated_classes_end_the_path_early(
    held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if held:
        hold(monkeypatch)
    X = np.linspace(-1, 1, 20)[:, None]
    path = lasso_path(X, (X[:, 0] > 0).astype(float))
    assert path.lambdas.size < 100
    assert path.deviance_ratio[-1] > 0.99
    assert np.isfinite(path.coefficients).all()


@pytest.mark.parametrize("held", [False, True])
def test_a_path_that_does_not_converge_is_cut_and_says_so(
    held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if held:
        hold(monkeypatch)
    X, y = random_problem(6, 40, 30)
    whole = lasso_path(X, y)
    monkeypatch.setattr("centrum.modelling.lasso.MAX_SWEEPS", 12)
    with pytest.warns(ConvergenceWarning, match="of 100 lambdas"):
        cut = lasso_path(X, y)
    assert cut.lambdas.size < whole.lambdas.size
    np.testing.assert_allclose(cut.coefficients, whole.coefficients[: cut.lambdas.size])


def test_constant_features_are_never_selected() -> None:
    X, y = random_problem(2, 30, 4)
    X[:, 2] = 0.1
    assert not lasso_path(X, y).coefficients[:, 2].any()


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError, match="0 varying of 3 features"):
        lasso_path(np.ones((4, 3)), np.array([0.0, 0, 1, 1]))
    with pytest.raises(DataError, match="1 class"):
        lasso_path(np.eye(4), np.ones(4))


def test_falls_back_to_the_first_lambda_that_selects_and_says_so() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 20)), np.repeat([0, 1], 30)
    lasso = LogisticLassoCV(choice="lambda.1se", folds=5).fit(X, y)
    assert lasso.index_1se_ == 0
    assert lasso.fallback_
    assert lasso.get_support().sum() == lasso.path_.df[lasso.index_] >= 1
    assert not lasso.path_.df[: lasso.index_].any()
    X[:, 3] += 3 * y
    assert not LogisticLassoCV(choice="lambda.1se", folds=5).fit(X, y).fallback_


def test_rows_of_a_patient_share_a_fold() -> None:
    X, y = random_problem(3, 60, 5)
    patients = np.arange(60) % 30
    y = y[patients]
    lasso = LogisticLassoCV(folds=3, seed=1).fit(X, y, groups=patients)
    np.testing.assert_array_equal(lasso.fold_[:30], lasso.fold_[30:])


def test_small_folds_turn_auc_into_deviance() -> None:
    X, y = random_problem(4, 40, 5)
    assert LogisticLassoCV(folds=5, measure="auc").fit(X, y).measure_ == "deviance"
    assert LogisticLassoCV(folds=4, measure="auc").fit(X, y).measure_ == "auc"


def test_given_folds_must_match_the_rows() -> None:
    X, y = random_problem(5, 20, 3)
    with pytest.raises(DataError, match="one fold per row"):
        LogisticLassoCV(folds=[0, 1, 0]).fit(X, y)
