"""Net reclassification and integrated discrimination improvement, which papers are asked for.

Both are given on request alone. Of models that were fitted to other cases they tend to be positive
even where nothing was added, and more so the worse the probabilities are calibrated; their usual
standard errors and tests are wrong.

Sources: Pencina et al., Stat Med 2008;27:157 and 2011;30:11 (definitions); Pepe et al., Stat Biosci
2015;7:282 and Kerr et al., Epidemiology 2014;25:114 (why not, and intervals by bootstrap).
"""

from dataclasses import dataclass

import numpy as np

from centrum.arrays import Flags, Floats
from centrum.evaluate.bootstrap import Interval, Weights, in_blocks, percentile_interval
from centrum.evaluate.scored import Scored


@dataclass(frozen=True)
class Improvement:
    """A difference of two models with its bootstrap interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Reclassification:
    """How probabilities move from one model to another.

    Attributes
    ----------
    positive : share of the positive cases that move up, less that of those that move down
    negative : share of the negative cases that move down, less that of those that move up
    nri : category-free net reclassification improvement, their sum
    idi : mean rise of the positive cases less that of the negative ones
    """

    positive: Improvement
    negative: Improvement
    nri: Improvement
    idi: Improvement


def reclassification(
    old: Scored, new: Scored, weights: Weights, confidence: float = 0.95
) -> Reclassification:
    """From the probabilities of an old model to those of a new one, of the same cases.

    Parameters
    ----------
    weights : (resamples, cases) of `case_weights`

    >>> y = [0, 0, 1, 1]
    >>> old, new = Scored.of([0.2, 0.4, 0.5, 0.6], y), Scored.of([0.1, 0.5, 0.7, 0.8], y)
    >>> found = reclassification(old, new, np.ones((2, 4)))
    >>> found.positive.value, found.negative.value, round(found.idi.value, 2)
    (1.0, 0.0, 0.2)
    """
    moves = new.scores - old.scores
    sides = (old.positive, ~old.positive)

    def measures(rows: Floats) -> Floats:
        """(rows, 4)."""
        up, down = (_mean(rows, np.sign(moves), side) for side in sides)
        rises = [_mean(rows, moves, side) for side in sides]
        return np.column_stack([up, 0 - down, up - down, rises[0] - rises[1]])

    own = measures(np.ones((1, moves.size)))[0]
    resampled = in_blocks(weights, measures)
    return Reclassification(
        *(
            Improvement(float(value), percentile_interval(drawn, confidence))
            for value, drawn in zip(own, resampled.T, strict=True)
        )
    )


def _mean(rows: Floats, values: Floats, side: Flags) -> Floats:
    """Weighted mean over the cases of a side, (rows,)."""
    return np.asarray(rows[:, side] @ values[side] / rows[:, side].sum(axis=1))
