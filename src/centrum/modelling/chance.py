"""Whether a score may know nothing."""

CHANCE = 0.5
"""The AUC of a score that knows nothing."""


def above_chance(lower: float | None) -> bool:
    """Whether an AUC with this lower confidence limit is above chance; not where there is none.

    A score that may be chance is not explained: there may be nothing to explain.

    >>> above_chance(0.51), above_chance(0.5), above_chance(None), above_chance(float("nan"))
    (True, False, False, False)
    """
    return lower is not None and lower > CHANCE
