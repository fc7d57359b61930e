"""Classifiers that call a case by the sign of its score."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.modelling.split import check_two_classes


class ByScore(ClassifierMixin, BaseEstimator):
    """Adds `predict` to an estimator that has `classes_` and `decision_function`."""

    classes_: NDArray
    decision_function: Callable[..., NDArray]

    def predict(self, X: ArrayLike, **about: Any) -> NDArray:
        """The label of each case, the second where the score is above 0.

        Takes the keywords of `decision_function`.
        """
        second = self.decision_function(X, **about) > 0
        return self.classes_[second.astype(int)]


def two_classes(y: NDArray) -> NDArray:
    """The two labels of y, in their order.

    Raises
    ------
    DataError
        There are fewer or more.
    ValueError
        y holds no labels but numbers of a continuous kind.

    >>> two_classes(np.array(["malignant", "benign", "benign"])).tolist()
    ['benign', 'malignant']
    """
    check_classification_targets(y)
    return check_two_classes(y)


def finite_scores(scores: Floats) -> Floats:
    """The scores, none of which is missing or infinite.

    Raises
    ------
    DataError
        One is: nan would pass as the lowest in one comparison and the best in another.
    """
    bad = np.count_nonzero(~np.isfinite(scores))
    if bad:
        raise DataError(
            f"The model gives {bad} of {scores.size} cases no finite score: its features are too "
            "large, or differ too little, to be computed with.",
            remedy="Look at the features that were selected, or choose another classifier.",
            code="no-finite-score",
        )
    return scores
