"""Classifiers that call a case by the sign of its score."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from centrum.arrays import Floats
from centrum.errors import DataError


class ByScore(ClassifierMixin, BaseEstimator):
    """Adds `predict` to an estimator that has `classes_` and `decision_function`."""

    classes_: NDArray
    decision_function: Callable[..., NDArray]

    def predict(self, X: ArrayLike, **about: Any) -> NDArray:
        """The label of each case, the second where the score is above 0.

        Takes the keywords of `decision_function`.
        """
        return self.classes_[(self.decision_function(X, **about) > 0).astype(int)]


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
