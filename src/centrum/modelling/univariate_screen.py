"""Keep the features that differ between the outcomes one by one."""

import warnings
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Columns, Flags, Floats, column_blocks
from centrum.errors import DataError
from centrum.modelling.auc import auc
from centrum.modelling.on_disk import ColumnSelector, validated_pair
from centrum.modelling.settings import Adjustment, ScreenTest


class UnivariateScreen(ColumnSelector):
    """Tests every feature and keeps those whose adjusted p is small, or the best ones.

    Parameters
    ----------
    test : "t" (Welch), "student", "mann_whitney" (normal approximation, corrected for ties),
        "kruskal", or "auc" (of AUC = 0.5; the p of Mann-Whitney)
    adjustment : of p for the number of features: "benjamini_hochberg" (J R Stat Soc B
        1995;57:289), "holm", "bonferroni" or "none"
    alpha : a feature is kept when its adjusted p is below this
    n_features : keep so many with the smallest p instead
    min_features : keep so many with the smallest p when fewer are below alpha
    continuity : whether "mann_whitney" and "auc" correct for continuity; R does, SPSS does not

    Attributes
    ----------
    statistic_, p_, p_adjusted_ : (features,) t, U of the second class, H, or |AUC - 0.5|
    ranking_ : (features,) 1 for the smallest p; ties go to the larger difference, then in the
        order of the table
    fallback_ : whether fewer than `min_features` were below alpha, so that others were kept

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
        min_features: int = 1,
        continuity: bool = False,
    ) -> None:
        self.test = test
        self.adjustment = adjustment
        self.alpha = alpha
        self.n_features = n_features
        self.min_features = min_features
        self.continuity = continuity

    def fit(self, X: ArrayLike | Columns, y: ArrayLike) -> Self:
        """Test the features of X (cases, features) between two classes y.

        Raises
        ------
        DataError
            Not two classes, a test or adjustment that is not known, or fewer than one
            feature to keep.
        """
        values, labels = validated_pair(self, X, y, ensure_min_samples=2)
        self.classes_ = np.unique(labels)
        if self.classes_.size != 2:
            raise DataError(
                f"A univariate screen compares two classes, found {self.classes_.size} class(es)."
            )
        least = self.min_features if self.n_features is None else self.n_features
        if least < 1:
            raise DataError(f"A univariate screen keeps one feature or more, asked for {least}.")
        second = labels == self.classes_[1]
        tested = [
            _tested(self.test, np.asarray(values[:, own]), second, self.continuity)
            for own in column_blocks(values)
        ]
        self.statistic_, p = map(np.concatenate, zip(*tested, strict=True))
        # A feature that is the same in all cases tells nothing.
        self.p_ = np.where(np.isnan(p), 1.0, p)
        self.p_adjusted_ = adjusted_p(self.p_, self.adjustment)
        self.ranking_ = self._ranked(second)
        significant = self.p_adjusted_ < self.alpha
        self.fallback_ = self.n_features is None and bool(significant.sum() < least)
        best = self.fallback_ or self.n_features is not None
        self.support_ = self.ranking_ <= least if best else significant
        return self

    def _ranked(self, second: Flags) -> NDArray[np.intp]:
        n = np.count_nonzero(second)
        by_chance = n * (second.size - n) / 2 if self.test == "mann_whitney" else 0.0
        order = np.lexsort((-np.abs(self.statistic_ - by_chance), self.p_))
        ranking = np.empty(order.size, dtype=np.intp)
        ranking[order] = np.arange(1, order.size + 1)
        return ranking

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def _tested(test: ScreenTest, X: Floats, second: Flags, continuity: bool) -> tuple[Floats, Floats]:
    """Statistic and p of each column, the second class against the first."""
    a, b = X[second], X[~second]
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        match test:
            case "t" | "student":
                found = stats.ttest_ind(a, b, equal_var=test == "student")
            case "mann_whitney" | "auc":
                found = stats.mannwhitneyu(a, b, use_continuity=continuity, method="asymptotic")
            case "kruskal":
                found = stats.kruskal(a, b)
            case _:
                raise DataError(
                    "The test of a screen is t, student, mann_whitney, kruskal or auc, found "
                    f"{test!r}."
                )
    statistic = np.abs(auc(second, X) - 0.5) if test == "auc" else np.asarray(found.statistic)
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
