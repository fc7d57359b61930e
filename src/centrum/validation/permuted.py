"""What a score loses when features are permuted among held-out cases, in groups that correlate.

Of two features that say the same, permuting one shows little of what both carry: the score still
reads the other. So features that correlate are permuted together (Breiman, Mach Learn 2001;45:5);
and what one of them carries alone, beyond its group, is seen by permuting what the others do not
tell of it (conditional permutation: Strobl et al., BMC Bioinformatics 2008;9:307).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from centrum.arrays import Flags, Floats, Ints
from centrum.modelling.auc import auc
from centrum.modelling.correlation_filter import absolute_correlation

DIGITS = 12
"""Of a difference of AUCs: that of scores that rank alike is 0."""

VALUES_AT_ONCE = 4_000_000
"""z-scores of permuted cases that are scored in one go."""

ScoreOf = Callable[[Floats], Floats]
"""From z-scores (cases, features) to scores (cases,)."""


def correlated_groups(values: Floats, threshold: float) -> Ints:
    """The group of each feature (cases, features), numbered in the order of the features.

    Average linkage on Pearson |r|: two groups are one while the mean |r| between their features is
    at least `threshold`.

    >>> a, b = np.array([1.0, 2, 3, 4]), np.array([1.0, -1, -1, 1])
    >>> correlated_groups(np.column_stack([a, b, -2 * a]), 0.7)
    array([0, 1, 0])
    """
    if values.shape[1] < 2:
        return np.zeros(values.shape[1], dtype=np.int64)
    distance = 1 - absolute_correlation(values)
    tree = linkage(squareform(np.maximum(distance, 0), checks=False), "average")
    _, first, label = np.unique(
        fcluster(tree, 1 - threshold, "distance"), return_index=True, return_inverse=True
    )
    return np.asarray(np.argsort(np.argsort(first))[label], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Permuter:
    """Held-out cases of a fitted score, whose values are permuted.

    Attributes
    ----------
    score_of : the score of z-scores
    z : (cases, features) theirs
    trained : (training cases, features) those of the cases that it was fitted to
    positive : (cases,)
    permutations, seed : how often, and with what, values are permuted
    """

    score_of: ScoreOf
    z: Floats
    trained: Floats
    positive: Flags
    permutations: int
    seed: int

    def together(self, columns: Sequence[int]) -> Floats:
        """Scores (permutations, cases) with the values of some features permuted together."""
        at = list(columns)
        return self._scores(at, np.zeros((len(self.z), len(at))))

    def alone(self, column: int, others: Sequence[int]) -> Floats:
        """Scores with the part of a feature permuted that others do not tell of it.

        What they tell is its linear regression on them in the training cases.
        """
        known = np.column_stack([np.ones(len(self.trained)), self.trained[:, list(others)]])
        weights = np.linalg.lstsq(known, self.trained[:, column], rcond=None)[0]
        told = np.column_stack([np.ones(len(self.z)), self.z[:, list(others)]]) @ weights
        return self._scores([column], told[:, None])

    def _scores(self, at: list[int], kept: Floats) -> Floats:
        """With `kept` of the values in their place and the rest of them permuted."""
        rng = np.random.default_rng([self.seed, *at])
        rest, orders = self.z[:, at] - kept, range(self.permutations)
        turns = [rng.permutation(len(self.z)) for _ in orders]
        step = max(1, VALUES_AT_ONCE // max(1, self.z.size))
        found = []
        for first in orders[::step]:
            moved = np.repeat(self.z[None], len(turns[first : first + step]), axis=0)
            for each, turn in zip(moved, turns[first:], strict=False):
                each[:, at] = kept + rest[turn]
            found.append(self.score_of(moved.reshape(-1, self.z.shape[1])))
        return np.concatenate(found).reshape(self.permutations, -1)

    def drop(self, permuted: Floats) -> float:
        """AUC less the mean AUC of permuted scores; nan where an outcome is missing."""
        if self.positive.all() or not self.positive.any():
            return float("nan")
        whole = auc(self.positive, self.score_of(self.z))
        return float(np.round(whole - auc(self.positive, permuted.T).mean(), DIGITS)) + 0.0


def of_groups(
    held: Permuter,
    labels: Ints,
    leading: Collection[int],
    measure: Callable[[Floats], Mapping[str, float]],
) -> dict[tuple[int, ...], Mapping[str, float]]:
    """What `measure` gives of the permuted scores of each group, and of leading features alone.

    `labels` (features,) are the groups; a key is the positions of a group, or that of a feature of
    a group of several.
    """
    groups = [tuple(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]
    found = {group: measure(held.together(group)) for group in groups}
    for group in groups:
        for k in leading:
            if k in group and len(group) > 1:
                found[(k,)] = measure(held.alone(k, [j for j in group if j != k]))
    return found
