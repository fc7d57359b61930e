"""Probabilities where the outcome is rarer, or more frequent, than among the cases they were
learnt on."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.evaluate.calibration import CLIP


def at_prevalence(probabilities: ArrayLike, own: float, prevalence: float) -> Floats:
    """Probabilities moved from the share of the positive outcome that they were learnt on.

    The intercept alone changes, by the log of the ratio of the two odds. It holds if the cases of
    each outcome are the same in both places. Source: King and Zeng, Political Analysis
    2001;9:137-163, section 4.1 (prior correction).

    Parameters
    ----------
    probabilities : where the outcome has the share `own`
    prevalence : where they are wanted

    Raises
    ------
    DataError
        A share that is not between 0 and 1.

    >>> at_prevalence([0.5, 0.9], own=0.5, prevalence=0.1).round(3)
    array([0.1, 0.5])
    """
    for share in (own, prevalence):
        if not 0 < share < 1:
            raise DataError(f"A prevalence lies between 0 and 1, found {share:g}.")
    inside = np.clip(np.asarray(probabilities, dtype=float), CLIP, 1 - CLIP)
    return np.asarray(expit(logit(inside) + logit(prevalence) - logit(own)))
