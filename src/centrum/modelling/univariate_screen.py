"""Keep the features that differ between the outcomes one by one."""

import warnings
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from centrum.errors import DataError
from centrum.modelling.auc import auc
from centrum.modelling.settings import Adjustment, ScreenTest

Floats = NDArray[np.float64]


class UnivariateScreen(SelectorMixin, BaseEstimator):
    """Tests every feature and keeps those whose adjusted p is small, or the best ones.

    Parameters
    ----------
    test : "t" (Welch), "student", "mann_whitney" (tied ranks, without continuity correction, as
        SPSS), "kruskal", or "auc" (of AUC = 0.5; the p of Mann-Whitney)
    adjustment : of p for the number of features: "benjamini_hochberg" (J R Stat Soc B
        1995;57:289), "holm", "bonferroni" or "none"
    alpha : a feature is kept when its adjusted p is below this
    n_features : keep so many with the smallest p instead

    Attributes
    ----------
    statistic_, p_, p_adjusted_ : (features,) t, U of the second class, H, or AUC - 0.5
    ranking_ : (features,) 1 for the smallest p
    fallback_ : whether no p was below alpha, so that the best feature was kept

    >>> X = np.random.default_rng(0).normal(size=(40, 3))
    >>> step = UnivariateScreen().fit(X, X[:, 1] > 0)
    >>> step.get_support()
    array([False,  True, False])
    """

    def __init__(
        self,
        test: ScreenTest = "mann_whitney",
        adjustment: Adjustment = "benjamini_hochberg",
        alpha: float = 0.05,
        n_features: int | None = None,
    ) -> None:
        self.test = test
        self.adjustment = adjustment
        self.alpha = alpha
        self.n_features = n_features

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Test the features of X (cases, features) between two classes y.

        Raises
        ------
        DataError
            Not two classes, or a test or adjustment that is not known.
        """
        values, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        self.classes_ = np.unique(labels)
        if self.classes_.size != 2:
            raise DataError(
                f"A univariate screen compares two classes, found {self.classes_.size} class(es)."
            )
        self.statistic_, p = _tested(self.test, values, labels == self.classes_[1])
        # A feature that is the same in all cases tells nothing.
        self.p_ = np.where(np.isnan(p), 1.0, p)
        self.p_adjusted_ = adjusted_p(self.p_, self.adjustment)
        order = np.lexsort((-np.abs(self.statistic_), self.p_))
        self.ranking_ = np.empty(self.p_.size, dtype=np.intp)
        self.ranking_[order] = np.arange(1, self.p_.size + 1)
        self.fallback_ = self.n_features is None and not (self.p_adjusted_ < self.alpha).any()
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        if self.n_features is not None or self.fallback_:
            mask: NDArray[np.bool_] = self.ranking_ <= (self.n_features or 1)
            return mask
        return np.asarray(self.p_adjusted_ < self.alpha)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def _tested(test: ScreenTest, X: Floats, second: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Statistic and p of each column, the second class against the first."""
    a, b = X[second], X[~second]
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        match test:
            case "t" | "student":
                found = stats.ttest_ind(a, b, equal_var=test == "student")
            case "mann_whitney" | "auc":
                found = stats.mannwhitneyu(a, b, use_continuity=False, method="asymptotic")
            case "kruskal":
                found = stats.kruskal(a, b)
            case _:
                raise DataError(
                    "The test of a screen is t, student, mann_whitney, kruskal or auc, found "
                    f"{test!r}."
                )
    statistic = auc(second, X) - 0.5 if test == "auc" else np.asarray(found.statistic)
    return np.nan_to_num(statistic), np.asarray(found.pvalue)


def adjusted_p(p: Floats, adjustment: Adjustment) -> Floats:
    """p values adjusted for their number, as R's p.adjust.

    >>> adjusted_p(np.array([0.01, 0.02, 0.5]), "holm")
    array([0.03, 0.04, 0.5 ])
    """
    match adjustment:
        case "none":
            return p
        case "benjamini_hochberg":
            return np.asarray(stats.false_discovery_control(p, method="bh"))
        case "bonferroni":
            return np.minimum(p * p.size, 1.0)
        case "holm":
            order = np.argsort(p, kind="stable")
            adjusted = np.empty_like(p)
            steps = (p.size - np.arange(p.size)) * p[order]
            adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
            return adjusted
    raise DataError(
        "The adjustment of p is benjamini_hochberg, holm, bonferroni or none, found "
        f"{adjustment!r}."
    )
