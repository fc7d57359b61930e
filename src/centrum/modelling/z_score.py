"""Features in standard deviations from their mean, extreme values pulled in."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.preprocessing import StandardScaler

from centrum.arrays import Floats


class ClippedZScore(StandardScaler):
    """scikit-learn's StandardScaler, with values beyond `clip` set to it.

    One region with an extreme value then weighs no more than one that is merely high.

    Parameters
    ----------
    clip : largest distance from the mean that is told, in standard deviations; None: any

    >>> X = np.array([[0.0], [0.0], [0.0], [0.0], [0.0], [6.0]])
    >>> ClippedZScore(clip=2).fit(X).transform(X).max()
    np.float64(2.0)
    """

    def __init__(self, clip: float | None = None) -> None:
        super().__init__()
        self.clip = clip

    def transform(self, X: ArrayLike, copy: bool | None = None) -> Floats:
        """z-scores of X (cases, features)."""
        scaled: Floats = super().transform(X, copy=copy)
        return scaled if self.clip is None else np.clip(scaled, -self.clip, self.clip)
