"""How alike the features are that a selection takes when it is repeated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval, normal_interval
from centrum.evaluate.thresholds import proportion_interval
from centrum.text import OneLine


@dataclass(frozen=True, eq=False, repr=False)
class FeatureStability(OneLine):
    """Agreement between the features of several fits.

    Attributes
    ----------
    sizes : (fits,) number of features that each selected
    frequency : (features,) share of the fits that selected a feature
    lower, upper : (features,) Wilson's interval of the frequency; it covers the chance of the
        resampling and takes fits as independent, not the chance of the sample
    stability : Nogueira's measure; 1 for equal selections, 0 on average for selections by chance;
        nan when every fit selects all features, or none
    variance : of the stability
    interval : its confidence interval
    jaccard : mean over pairs of fits of the shared among all their features; two empty
        selections are equal. It grows with the number selected, also by chance
    """

    sizes: NDArray[np.intp]
    frequency: Floats
    lower: Floats
    upper: Floats
    stability: float
    variance: float
    interval: Interval
    jaccard: float


def feature_stability(selected: ArrayLike, confidence: float = 0.95) -> FeatureStability:
    """Compare the features that repeated fits selected.

    Parameters
    ----------
    selected : (fits, features) whether a fit selected a feature
    confidence : of the intervals

    Raises
    ------
    DataError
        Fewer than two fits, no feature, or values other than true and false.

    Source: Nogueira, Sechidis, Brown, JMLR 2018;18(174):1-54, definition 4 and theorem 7.

    >>> found = feature_stability([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]])
    >>> found.frequency.round(2)
    array([1. , 0.67, 0.33, 0. ])
    >>> round(found.stability, 3), round(found.jaccard, 3)
    (0.333, 0.556)
    """
    z = _selected(selected)
    counts = np.count_nonzero(z, axis=0)
    distinct, which = np.unique(counts, return_inverse=True)
    limits = [proportion_interval(int(k), len(z), confidence) for k in distinct]
    stability, variance = _nogueira(z.astype(float))
    return FeatureStability(
        sizes=np.count_nonzero(z, axis=1),
        frequency=counts / len(z),
        lower=np.array([interval.lower for interval in limits])[which],
        upper=np.array([interval.upper for interval in limits])[which],
        stability=stability,
        variance=variance,
        interval=normal_interval(
            stability, np.sqrt(variance), confidence, limits=(-1 / (len(z) - 1), 1)
        ),
        jaccard=_mean_jaccard(z.astype(float)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class SignStability(OneLine):
    """Whether the coefficients of a feature keep their sign.

    Attributes
    ----------
    sign : (features,) of the majority: 1 or -1; 0 on a tie, or when never selected
    share : (features,) of the fits that selected the feature, those with the commoner sign; nan
        when never selected
    """

    sign: NDArray[np.intp]
    share: Floats


def sign_stability(selected: ArrayLike, coefficients: ArrayLike) -> SignStability:
    """Compare the signs of the coefficients over repeated fits.

    Parameters
    ----------
    selected : (fits, features) whether a fit selected a feature
    coefficients : (fits, features); those of features that were not selected do not count, one
        of 0 has neither sign

    Raises
    ------
    DataError
        As for `feature_stability`; shapes that differ; a selected feature without a coefficient.

    >>> coefficients = np.array([[2, -1, 0], [1, 3, 0], [1, 0, 0]])
    >>> found = sign_stability(coefficients != 0, coefficients)
    >>> found.sign, found.share
    (array([1, 0, 0]), array([1. , 0.5, nan]))
    """
    z, b = _selected(selected), np.asarray(coefficients, dtype=float)
    if b.shape != z.shape or np.isnan(b[z]).any():
        raise DataError(
            f"Every selected feature needs a coefficient: expected the shape {z.shape}, found "
            f"the shape {b.shape} with {np.isnan(b).sum()} missing."
        )
    above, below = (np.count_nonzero(z & (side > 0), axis=0) for side in (b, -b))
    times = np.count_nonzero(z, axis=0)
    commoner = np.maximum(above, below)
    share = np.divide(commoner, times, out=np.full(times.size, np.nan), where=times > 0)
    return SignStability(np.sign(above - below), share)


def _selected(selected: ArrayLike) -> Flags:
    values = np.asarray(selected)
    if values.ndim != 2 or len(values) < 2 or values.shape[1] < 1:
        raise DataError(
            "Stability compares the selections of two or more fits: expected the shape (fits, "
            f"features), found {values.shape}."
        )
    if not np.isin(values, (0, 1)).all():
        raise DataError(
            "Selections are true or false for each fit and feature, found other values; give "
            "whether coefficients differ from 0, not the coefficients."
        )
    return values.astype(bool)


def _nogueira(z: Floats) -> tuple[float, float]:
    """Stability and its variance."""
    fits, features = z.shape
    p = z.mean(axis=0)
    share, shares = p.mean(), z.mean(axis=1)
    by_chance = share * (1 - share)
    if by_chance == 0:
        return np.nan, np.nan
    stability = 1 - fits / (fits - 1) * np.mean(p * (1 - p)) / by_chance
    size = 2 * share * shares - shares - share + 1
    phi = (z @ p / features - shares * share + stability / 2 * size) / by_chance
    return float(stability), float(4 / fits * phi.var())


def _mean_jaccard(z: Floats) -> float:
    both = z @ z.T
    sizes = np.diag(both)
    either = sizes[:, None] + sizes - both
    pairs = np.triu_indices(len(z), k=1)
    alike = np.divide(both, either, out=np.ones_like(both), where=either > 0)
    return float(alike[pairs].mean())
