"""Classifiers that call a case by the sign of its score."""

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin


class ByScore(ClassifierMixin, BaseEstimator):
    """Adds `predict` to an estimator that has `classes_` and `decision_function`."""

    classes_: NDArray
    decision_function: Callable[..., NDArray]

    def predict(self, X: ArrayLike, **about: Any) -> NDArray:
        """The label of each case, the second where the score is above 0.

        Takes the keywords of `decision_function`.
        """
        return self.classes_[(self.decision_function(X, **about) > 0).astype(int)]
