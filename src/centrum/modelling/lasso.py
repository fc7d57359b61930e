"""The LASSO for a two-valued outcome: path and cross-validation, equal to R's glmnet.

Source: Friedman, Hastie, Tibshirani, J Stat Softw 2010;33(1); the conventions (standard
deviation with n, unpenalised intercept, lambda sequence, stopping rules, interpolation of
each fold's own path) are those of the R package glmnet 4.1.
"""

import warnings
from dataclasses import dataclass
from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Columns, Flags, Floats, Table, column_blocks, row_blocks
from centrum.errors import DataError
from centrum.kernels.coordinate_descent import PenalisedProblem, logistic_path, null_state
from centrum.modelling.auc import ROUNDING, auc
from centrum.modelling.by_score import ByScore, two_classes
from centrum.modelling.on_disk import ColumnSelector, validated, validated_pair
from centrum.modelling.settings import LassoChoice, LassoMeasure
from centrum.modelling.split import folds_by_patient, train_and_held_out
from centrum.text import OneLine

MAX_SWEEPS = 100_000
"""Coordinate descent cycles allowed per lambda, as glmnet's `maxit`; the path ends there."""

MANY = 4_000_000
"""Of more numbers than this, and more cases than features, the Gram matrix of all features is made
and held. Results then differ from those without by what `threshold` leaves open."""

PROBABILITY_CLIP = 1e-5
"""Cross-validated deviance sees probabilities no nearer to 0 and 1 than this."""


@dataclass(frozen=True, eq=False, repr=False)
class LassoPath(OneLine):
    """Logistic regressions along a decreasing sequence of penalties.

    Attributes
    ----------
    lambdas : (steps,)
    coefficients : (steps, features), per original unit of each feature
    intercepts : (steps,)
    deviance_ratio : (steps,) share of the null deviance that is explained
    """

    lambdas: Floats
    coefficients: Floats
    intercepts: Floats
    deviance_ratio: Floats

    @property
    def df(self) -> NDArray[np.intp]:
        """Number of features with a non-zero coefficient at each step."""
        return np.count_nonzero(self.coefficients, axis=1)

    def linear_predictor(self, X: Table, lambdas: Floats) -> Floats:
        """Log-odds (cases, lambdas), coefficients interpolated linearly between the steps.

        Outside the path its first or last step holds.
        """
        rising = self.lambdas[::-1]
        position = np.interp(lambdas, rising, np.arange(rising.size)[::-1])
        right = np.ceil(position).astype(int)
        left = np.floor(position).astype(int)
        share = position - left
        used = self.coefficients.any(axis=0)
        weights = self.coefficients[:, used].T
        parts = [np.asarray(X[rows][:, used]) @ weights for rows in row_blocks(X)]
        eta = np.concatenate(parts) + self.intercepts
        return eta[:, left] * (1 - share) + eta[:, right] * share


def lasso_path(
    X: Table,
    y: Floats,
    weights: Floats | None = None,
    l1_ratio: float = 1.0,
    n_lambdas: int = 100,
    threshold: float = 1e-12,
) -> LassoPath:
    """Elastic-net logistic regression at glmnet's sequence of penalties.

    Parameters
    ----------
    X : (cases, features) finite, in memory or on disk; columns that are constant get coefficient 0
    y : (cases,) 0 or 1
    weights : (cases,) positive; equal when missing
    l1_ratio : glmnet's alpha; 1 is the LASSO
    n_lambdas : at most this many, from the smallest lambda that selects nothing down to its
        hundredth (fewer cases than features) or ten-thousandth part; the path ends early where
        the deviance is explained or no longer improves
    threshold : glmnet's `thresh`, whose default of 1e-7 leaves coefficients and support
        visibly unconverged

    Warns
    -----
    ConvergenceWarning
        The path stops before a lambda that needs more than MAX_SWEEPS cycles.

    Raises
    ------
    DataError
        One class only, or no column that varies.

    >>> X = np.array([[1.0, 5.0], [2.0, 3.0], [3.0, 6.0], [4.0, 4.0]])
    >>> path = lasso_path(X, np.array([0.0, 0.0, 1.0, 1.0]))
    >>> path.df[:3]
    array([0, 1, 1])
    """
    w = np.full(y.size, 1.0) if weights is None else weights
    w = w / w.sum()
    ranges = [np.ptp(np.asarray(X[:, own]), axis=0) for own in column_blocks(X)]
    varies = np.concatenate(ranges) > 0
    if not varies.any() or not 0 < w @ y < 1:
        raise DataError(
            "A LASSO path needs both classes and at least one feature that varies; found "
            f"{np.unique(y).size} class(es) and {varies.sum()} varying of {varies.size} features."
        )
    x, mean, sd = _standardised(X, w, varies)
    problem = PenalisedProblem(x, y, w, np.append(np.ones(sd.size), 0.0))
    state = null_state(problem)
    smallest = 0.01 if y.size < varies.size else 1e-4
    lambdas = state.score.max() / max(l1_ratio, 1e-3) * np.geomspace(1, smallest, n_lambdas)
    held = x.size > MANY and y.size > sd.size
    path, ratio, ended = logistic_path(
        problem, state, lambdas, l1_ratio, threshold, MAX_SWEEPS, held
    )
    if not ended:
        warnings.warn(
            f"The LASSO path stops after {len(path)} of {n_lambdas} lambdas: the next needs more "
            f"than {MAX_SWEEPS} cycles.",
            ConvergenceWarning,
            stacklevel=2,
        )
    coefficients = np.zeros((len(path), X.shape[1]))
    coefficients[:, varies] = path[:, :-1] / sd
    intercepts = path[:, -1] - coefficients[:, varies] @ mean
    return LassoPath(lambdas[: len(path)], coefficients, intercepts, ratio)


def _standardised(X: Table, w: Floats, varies: Flags) -> tuple[Floats, Floats, Floats]:
    """Columns that vary as rows of a problem, the intercept's behind them; their mean and sd."""
    number = np.count_nonzero(varies)
    x, mean, sd = np.ones((number + 1, w.size)), np.empty(number), np.empty(number)
    end = 0
    for own in column_blocks(X):
        values = np.asarray(X[:, own])[:, varies[own]]
        begin, end = end, end + values.shape[1]
        mean[begin:end] = w @ values
        values = values - mean[begin:end]
        sd[begin:end] = np.sqrt(w @ values**2)
        x[begin:end] = (values / sd[begin:end]).T
    return x, mean, sd


class LogisticLassoCV(ColumnSelector, ByScore):
    """The LASSO or elastic net of a two-valued outcome, its penalty chosen by cross-validation.

    A classifier, and a selector of the features with a coefficient. As R's cv.glmnet: every fold
    has its own path, which is interpolated at the penalties of the path on all rows.
    `lambda.min` has the best mean of the measure over the folds, `lambda.1se` is the largest
    lambda within one standard error of it.

    Parameters
    ----------
    folds : number of folds, by patient and stratified by class, or (cases,) the fold of each row
    measure : "deviance", "auc" (best is highest) or "class" (misclassified share). With fewer
        than 10 rows per fold "auc" becomes "deviance", as in cv.glmnet
    choice : "lambda.min" or "lambda.1se"
    l1_ratio : 1 is the LASSO, less an elastic net
    seed : of the folds
    threshold : of convergence, as in `lasso_path`
    most_features : the penalty rises from the chosen one until so few features have a coefficient;
        as many as there are when missing. Where the first step that selects any has more, it holds

    Attributes
    ----------
    classes_ : the two labels; coefficients are for the second
    coef_, intercept_ : (1, features) per original unit of each feature, and (1,)
    lambda_, index_ : the penalty that they belong to, and its step on the path
    lambda_min_, lambda_1se_ : see `choice`
    index_min_, index_1se_ : their steps
    fallback_ : whether nothing was selected at the chosen lambda, so that the largest lambda
        that selects at least one feature was taken instead
    path_ : LassoPath on all rows
    cvm_, cvsd_ : (steps,) mean of the measure over folds and its standard error
    measure_ : the measure that was used
    fold_ : (cases,) fold of each row
    n_features_in_, feature_names_in_ : of the X that was fitted; names from a DataFrame alone

    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 4))
    >>> y = np.where(X[:, 2] + rng.normal(size=80) > 0, "malignant", "benign")
    >>> lasso = LogisticLassoCV(folds=5, choice="lambda.1se").fit(X, y)
    >>> lasso.get_feature_names_out()
    array(['x2'], dtype=object)
    >>> lasso.predict([[0.0, 0.0, 2.0, 0.0]]), lasso.predict_proba(X).shape
    (array(['malignant'], dtype='<U9'), (80, 2))
    """

    def __init__(
        self,
        folds: int | ArrayLike = 10,
        measure: LassoMeasure = "deviance",
        choice: LassoChoice = "lambda.min",
        l1_ratio: float = 1.0,
        seed: int = 0,
        threshold: float = 1e-12,
        most_features: int | None = None,
    ) -> None:
        self.folds = folds
        self.measure = measure
        self.choice = choice
        self.l1_ratio = l1_ratio
        self.seed = seed
        self.threshold = threshold
        self.most_features = most_features

    def fit(self, X: ArrayLike | Columns, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Learn penalty and coefficients from X (cases, features) and two classes y (cases,).

        `groups` (cases,) are the patients, whose rows share a fold.

        Raises
        ------
        DataError
            Not two classes, fewer patients of a class than folds, or nothing to select from.
        """
        values, labels = validated_pair(self, X, y, ensure_min_samples=2)
        self.classes_ = two_classes(labels)
        code = np.searchsorted(self.classes_, labels)
        self.fold_ = self._deal(code, groups)
        second = code.astype(np.float64)
        self.path_ = self._path(values, second)
        few = second.size / np.unique(self.fold_).size < 10
        self.measure_ = "deviance" if self.measure == "auc" and few else self.measure
        self.cvm_, self.cvsd_ = self._cross_validate(values, second)
        self.index_min_, self.index_1se_ = _choose(self.cvm_, self.cvsd_, self.measure_ == "auc")
        self._take(self.index_min_ if self.choice == "lambda.min" else self.index_1se_)
        return self

    def decision_function(self, X: ArrayLike | Columns) -> Floats:
        """Log-odds of the second class, (cases,)."""
        check_is_fitted(self)
        values = validated(self, X, reset=False)
        parts = [np.asarray(values[rows]) @ self.coef_[0] for rows in row_blocks(values)]
        return np.asarray(np.concatenate(parts) + self.intercept_[0])

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Probability of each class, (cases, 2)."""
        second = expit(self.decision_function(X))
        return np.column_stack([1 - second, second])

    @property
    def lambda_min_(self) -> float:
        """The penalty with the best cross-validated measure."""
        return float(self.path_.lambdas[self.index_min_])

    @property
    def lambda_1se_(self) -> float:
        """The largest penalty within one standard error of the best."""
        return float(self.path_.lambdas[self.index_1se_])

    def _path(self, X: Table, y: Floats) -> LassoPath:
        return lasso_path(X, y, l1_ratio=self.l1_ratio, threshold=self.threshold)

    def _deal(self, y: NDArray, groups: ArrayLike | None) -> NDArray[np.intp]:
        if isinstance(self.folds, Integral):
            return folds_by_patient(y, groups, int(self.folds), self.seed)
        fold = np.asarray(self.folds)
        if fold.shape != y.shape:
            raise DataError(f"folds must name one fold per row ({y.size}), found {fold.shape}.")
        return fold

    def _cross_validate(self, X: Table, y: Floats) -> tuple[Floats, Floats]:
        """Mean and standard error of the measure at each lambda of the full path."""
        eta = np.empty((y.size, self.path_.lambdas.size))
        folds = list(train_and_held_out(self.fold_))
        for train, held_out in folds:
            path = self._path(X[train], y[train])
            eta[held_out] = path.linear_predictor(X[held_out], self.path_.lambdas)
        if self.measure_ == "auc":
            raw = np.array([auc(y[rows] == 1, eta[rows], ROUNDING) for _, rows in folds])
            size = np.array([rows.size for _, rows in folds])
        else:
            loss = _deviance(y, eta) if self.measure_ == "deviance" else (eta > 0) != y[:, None]
            raw, size = _group_means(loss, self.fold_)
        mean = np.average(raw, axis=0, weights=size)
        variance = np.average((raw - mean) ** 2, axis=0, weights=size)
        return mean, np.sqrt(variance / (len(raw) - 1))

    def _take(self, index: int) -> None:
        selects = np.flatnonzero(self.path_.df)
        if selects.size == 0:
            raise DataError(
                "The LASSO path selects no feature at any lambda. Check that features vary and "
                "that the table holds more than noise."
            )
        if self.most_features is not None:
            index = int(np.flatnonzero(self.path_.df[: index + 1] <= self.most_features)[-1])
        self.fallback_ = bool(self.path_.df[index] == 0)
        self.index_ = int(selects[0]) if self.fallback_ else index
        self.lambda_ = float(self.path_.lambdas[self.index_])
        self.coef_ = self.path_.coefficients[[self.index_]]
        self.intercept_ = self.path_.intercepts[[self.index_]]

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        support: NDArray[np.bool_] = self.coef_[0] != 0
        return support

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def _deviance(y: Floats, eta: Floats) -> Floats:
    p = np.clip(expit(eta), PROBABILITY_CLIP, 1 - PROBABILITY_CLIP)
    return -2 * np.where(y[:, None] == 1, np.log(p), np.log(1 - p))


def _group_means(loss: NDArray, fold: NDArray[np.intp]) -> tuple[Floats, NDArray]:
    """Mean loss of each fold and the folds' sizes; single rows when folds hold fewer than 3."""
    _, unit, size = np.unique(fold, return_inverse=True, return_counts=True)
    if fold.size / size.size < 3:
        return loss, np.ones(fold.size)
    total = np.zeros((size.size, loss.shape[1]))
    np.add.at(total, unit, loss)
    return total / size[:, None], size


def _choose(mean: Floats, se: Floats, highest: bool) -> tuple[int, int]:
    """Steps of lambda.min and lambda.1se; the lambdas fall, so that the first is largest."""
    cost = -mean if highest else mean
    if not np.isfinite(cost).all():
        raise DataError(
            "No fold can judge the penalties of the LASSO: their measure is not defined.",
            remedy="Deal folds that hold both outcomes, or choose `lasso.measure: deviance`.",
        )
    best = int(np.argmin(cost))
    return best, int(np.flatnonzero(cost <= cost[best] + se[best])[0])
