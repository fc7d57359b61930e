"""How a score depends on one feature: accumulated local effects.

Source: Apley and Zhu, J R Stat Soc B 2020;82:1059. Within each of several intervals of the feature
only the cases that lie there are moved, from its lower to its upper end, and the mean changes are
added up: no case is put where none is, as a partial dependence does with correlated features.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from centrum.arrays import Floats
from centrum.text import OneLine

INTERVALS = 10
"""Of a feature, with about as many cases in each."""


@dataclass(frozen=True, eq=False, repr=False)
class LocalEffect(OneLine):
    """The accumulated local effect of a feature; its mean over the cases is 0.

    Attributes
    ----------
    feature : column name
    grid : (ends,) values of the feature, as measured
    effect : (ends,) on the score
    values : (cases,) those of the cases, as measured
    """

    feature: str
    grid: Floats
    effect: Floats
    values: Floats


def local_effect(
    feature: str,
    values: Floats,
    score_at: Callable[[Floats], Floats],
    intervals: int = INTERVALS,
) -> LocalEffect | None:
    """The accumulated local effect; None of a feature that does not vary.

    Parameters
    ----------
    values : (cases,) of the feature
    score_at : scores of the same cases with other values (cases,) of the feature

    >>> found = local_effect("x", np.array([0.0, 1, 2, 3]), lambda x: x**2, intervals=3)
    >>> found.grid, np.diff(found.effect)
    (array([0., 1., 2., 3.]), array([1., 3., 5.]))
    """
    shares = np.linspace(0, 1, intervals + 1)
    ends = np.unique(np.quantile(values, shares, method="inverted_cdf"))  # values that occur
    if ends.size < 2:
        return None
    place = np.clip(np.searchsorted(ends, values, side="left") - 1, 0, ends.size - 2)
    change = score_at(ends[place + 1]) - score_at(ends[place])
    number = np.bincount(place)  # at least one: the upper end of each interval occurs
    effect = np.append(0.0, np.cumsum(np.bincount(place, change) / number))
    middle = (effect[:-1] + effect[1:]) / 2
    return LocalEffect(feature, ends, effect - number @ middle / values.size, values)
