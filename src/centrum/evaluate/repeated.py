"""Results over repeated splits or folds, which share patients and are not independent.

Source: Nadeau and Bengio, Mach Learn 2003;52:239; for repeated k-fold cross-validation
Bouckaert and Frank, PAKDD 2004:3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval


@dataclass(frozen=True)
class RepeatedMean:
    """A mean over parts of a design.

    Attributes
    ----------
    mean, sd : over the parts
    n : parts
    interval : of the mean, by t with the corrected standard error; nan for one part
    se : corrected: sqrt((1 / n + test / train) sd^2)
    p : two-sided, of H0: the mean is `null`
    """

    mean: float
    sd: float
    n: int
    interval: Interval
    se: float
    p: float


def corrected_mean(
    values: ArrayLike,
    n_train: float,
    n_test: float,
    confidence: float = 0.95,
    null: float = 0.0,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> RepeatedMean:
    """Mean of a result, or of the difference of two models' results, over parts.

    Parameters
    ----------
    values : (parts,) one result per part
    n_train, n_test : cases on the two sides of a part (their means, where parts differ)
    null : what the test compares the mean with
    limits : ends of the scale, such as 0 and 1 of an AUC, at which the interval is cut

    Raises
    ------
    DataError
        No values, or one that is not finite.

    >>> found = corrected_mean([0.80, 0.84, 0.78, 0.82], 70, 30, null=0.5)
    >>> round(found.mean, 2), round(found.se, 4)
    (0.81, 0.0213)
    """
    x = np.asarray(values, dtype=float)
    if x.size == 0 or not np.isfinite(x).all():
        raise DataError(
            f"A mean over parts needs finite values, found {np.isfinite(x).sum()} of {x.size}."
        )
    if x.size == 1:
        nothing = Interval(np.nan, np.nan)
        return RepeatedMean(float(x[0]), np.nan, 1, nothing, np.nan, np.nan)
    mean, sd = float(x.mean()), float(x.std(ddof=1))
    se = float(np.sqrt(1 / x.size + n_test / n_train)) * sd
    half = float(stats.t.ppf((1 + confidence) / 2, x.size - 1)) * se
    t = abs(mean - null) / se if se > 0 else np.inf * (mean != null or np.nan)
    p = 1.0 if np.isnan(t) else float(2 * stats.t.sf(t, x.size - 1))
    lower, upper = np.clip([mean - half, mean + half], *limits)
    return RepeatedMean(mean, sd, x.size, Interval(float(lower), float(upper)), se, p)
