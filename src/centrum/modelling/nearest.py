"""Which cases are alike: distances in units of each feature's own spread.

The fitted step and the frozen model fill gaps by the same function, so that both give the same
numbers. scikit-learn's imputer goes by raw units, in which a volume in mL instead of mm3 changes
who is near, and settles ties by the order of the rows.
"""

import numpy as np

from centrum.arrays import Floats

TIE = 1e-9
"""Distances that differ by less than this share are equal: cases at one distance all count."""


def spread_of(X: Floats) -> Floats:
    """What differences of each feature of X (cases, features) are measured in, (features,).

    The interquartile range of the known values; where that is 0, as of an indicator, their
    standard deviation; 0 where they do not vary. The order of the cases does not matter.

    >>> spread_of(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [np.nan, 8.0]]))
    array([1.5, 3.2])
    """
    return np.array([_spread(np.sort(x[~np.isnan(x)])) for x in X.T])


def _spread(known: Floats) -> float:
    if known.size < 2 or known[0] == known[-1]:
        return 0.0
    lower, upper = np.quantile(known, [0.25, 0.75])
    return float(upper - lower) or float(known.std())


def fill_from_nearest(
    X: Floats, donors: Floats, spread: Floats, otherwise: Floats, neighbours: int
) -> Floats:
    """X (cases, features), each gap filled with the mean over the nearest donors that know it.

    Parameters
    ----------
    donors : (donors, features)
    spread : (features,) of `spread_of`; features with 0 have no part in the distance
    otherwise : (features,) what stands where no donor that knows the feature shares another
        one with the case
    neighbours : how many donors; all at the distance of the last of them count

    The distance is Euclidean over the features that both know, times the share of these.

    >>> donors = np.array([[0.0, 10.0], [1.0, 20.0], [9.0, 90.0]])
    >>> gap = np.array([[0.4, np.nan]])
    >>> fill_from_nearest(gap, donors, spread_of(donors), donors.mean(axis=0), 2)
    array([[ 0.4, 15. ]])
    """
    filled = X.copy()
    counts = spread > 0
    scaled = donors[:, counts] / spread[counts]
    for row in np.flatnonzero(np.isnan(X).any(axis=1)):
        distance = _distance(X[row, counts] / spread[counts], scaled)
        for column in np.flatnonzero(np.isnan(X[row])):
            known = ~np.isnan(donors[:, column]) & ~np.isnan(distance)
            near = _nearest(distance[known], donors[known, column], neighbours)
            filled[row, column] = near.mean() if near.size else otherwise[column]
    return filled


def _distance(case: Floats, donors: Floats) -> Floats:
    """Mean square over the features shared, (donors,); nan where there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        away = (donors - case) ** 2
        shared = np.count_nonzero(~np.isnan(away), axis=1)
        return np.asarray(np.nansum(away, axis=1) / shared)


def _nearest(distance: Floats, values: Floats, neighbours: int) -> Floats:
    """Values of the nearest, rising, so that their mean does not go by the order of the rows."""
    if distance.size <= neighbours:
        return np.sort(values)
    last = np.partition(distance, neighbours - 1)[neighbours - 1]
    return np.sort(values[distance <= last * (1 + TIE)])
