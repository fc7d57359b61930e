"""Features in standard deviations from their mean, extreme values pulled in."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.preprocessing import StandardScaler

from centrum.arrays import Columns, Scaling, Table, column_blocks
from centrum.modelling.on_disk import ReadsColumns


class ClippedZScore(ReadsColumns, StandardScaler):
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

    def fit(self, X: ArrayLike | Columns, y: ArrayLike | None = None) -> Self:
        """Learn mean and standard deviation of X (cases, features)."""
        if not isinstance(X, Columns):
            return super().fit(X)
        parts = [StandardScaler().fit(np.asarray(X[:, own])) for own in column_blocks(X)]
        self.n_features_in_, self.n_samples_seen_ = X.shape[1], len(X)
        self.mean_, self.var_, self.scale_ = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("mean_", "var_", "scale_")
        )
        return self

    def transform(self, X: ArrayLike | Columns, copy: bool | None = None) -> Table:
        """z-scores of X (cases, features)."""
        if isinstance(X, Columns):
            return X.after(Scaling(self.mean_, self.scale_, self.clip))
        scaled = super().transform(X, copy=copy)
        return scaled if self.clip is None else np.clip(scaled, -self.clip, self.clip)
