"""From a fitted model to the numbers that score: every model that a study can choose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.naive_bayes import GaussianNB

from centrum.arrays import Floats, Ints
from centrum.errors import DataError
from centrum.frozen.classifiers import Classifier, Forest, Linear, NaiveBayes, RadialKernel, Tree
from centrum.frozen.schema import made
from centrum.frozen.scorer import Branch, Filling, Harmoniser, Member, Scorer
from centrum.modelling.classifiers import CERTAIN, LogOdds
from centrum.modelling.combat import ComBat
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.imputation import NearestImputer
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import SearchClassifier

Positions = Ints
Fitted = tuple[Positions, float, BaseEstimator]
"""Columns of the z-scores, weight, classifier."""


def scorer_of(model: BaseEstimator, names: Sequence[str], batch_column: str) -> Scorer:
    """The numbers of a fitted StudyClassifier, FusionClassifier or SearchClassifier.

    Parameters
    ----------
    names : of the second axis of what the model was fitted on
    batch_column : column of the manifest that names the batches

    Raises
    ------
    DataError
        A model or classifier of another kind, or numbers that are not finite.
    """
    with made("The model cannot be frozen"):
        offset, branches = _branches(model, len(names), batch_column)
        return _only_what_is_read(Scorer(tuple(names), offset, tuple(branches)))


def _branches(model: BaseEstimator, n: int, batch_column: str) -> tuple[float, list[Branch]]:
    """Branches with positions among all `n` features."""
    if isinstance(model, StudyClassifier):
        steps, last = model.pipeline_.steps[:-1], model.pipeline_.steps[-1][1]
        kept = _Lineage.of(steps, n)
        return 0.0, [kept.branch([(np.arange(kept.kept.size), 1.0, last)], batch_column)]
    if isinstance(model, SearchClassifier):
        kept = _Lineage.of(model.prefix_.steps[:-1], n)
        members = [(c, 1 / (s * len(model.members_)), m) for c, m, s in model.members_]
        return 0.0, [kept.branch(members, batch_column)]
    if isinstance(model, FusionClassifier):
        return model.offset_, [
            _weighed(branch, model.weights_[name], np.asarray(model.sources[name]))
            for name, part in model.models_.items()
            for branch in _branches(part, len(model.sources[name]), batch_column)[1]
        ]
    raise DataError(f"A {type(model).__name__} cannot be frozen.")


def _weighed(branch: Branch, weight: float, positions: Positions) -> Branch:
    """The branch of a source, its features placed among those of all sources."""
    members = tuple(replace(m, weight=m.weight * weight) for m in branch.members)
    return replace(branch, reads=positions[branch.reads], members=members)


@dataclass(frozen=True, eq=False)
class _Lineage:
    """Where each step of a pipeline finds the features that are kept in the end.

    `filled`, `harmonised` and `scaled` are a step and the positions of the features it was
    fitted on.
    """

    kept: Positions
    filled: tuple[BaseEstimator, Positions] | None
    harmonised: tuple[BaseEstimator, Positions] | None
    scaled: tuple[BaseEstimator, Positions]

    @classmethod
    def of(cls, steps: Iterable[tuple[str, Any]], n: int) -> "_Lineage":
        """Follow `n` features through fitted steps; all but three of them select."""
        at, seen = np.arange(n), {}
        for name, step in steps:
            if name in ("imputation", "harmonisation", "scale"):
                seen[name] = (step, at)
            elif not hasattr(step, "fit_resample"):
                at = at[step.get_support()]
        return cls(at, seen.get("imputation"), seen.get("harmonisation"), seen["scale"])

    def branch(self, members: Sequence[Fitted], batch_column: str) -> Branch:
        """The branch of these classifiers, with the features that any of them uses."""
        known = [(columns, weight, classifier_of(c)) for columns, weight, c in members]
        known = [_without_unused(*member) for member in known]
        used = np.unique(np.concatenate([columns for columns, _, _ in known]))
        kept = self.kept[used]
        reads, filling = self._filling(kept)
        step, frame = self.scaled
        at = np.searchsorted(frame, kept)
        return Branch(
            reads=reads,
            filling=filling,
            kept=np.searchsorted(reads, kept),
            harmoniser=self._harmoniser(kept, batch_column),
            mean=step.mean_[at],
            sd=step.scale_[at],
            clip=step.clip,
            members=tuple(Member(np.searchsorted(used, c), w, m) for c, w, m in known),
        )

    def _filling(self, kept: Positions) -> tuple[Positions, Filling | None]:
        """What is read; neighbours are looked for by all features that the step was fitted on."""
        if self.filled is None:
            return kept, None
        step, frame = self.filled
        if isinstance(step, NearestImputer):
            return frame, Filling(step.means_, step.donors_, step.n_neighbors, step.spread_)
        return kept, Filling(step.statistics_[np.searchsorted(frame, kept)], None, 0, None)

    def _harmoniser(self, kept: Positions, column: str) -> Harmoniser | None:
        if self.harmonised is None:
            return None
        step, frame = self.harmonised
        assert isinstance(step, ComBat)
        at = np.searchsorted(frame, kept)
        return Harmoniser(
            column=column,
            batches=tuple(map(str, step.batches_)),
            mean=step.grand_mean_[at],
            sd=np.sqrt(step.pooled_variance_)[at],
            gamma=step.gamma_star_[:, at],
            delta=step.delta_star_[:, at],
            adjusted=step.adjusted_[at],
            reference=step.reference,
            unseen=step.unseen,
        )


def classifier_of(fitted: BaseEstimator) -> Classifier:
    """The numbers of a fitted classifier.

    Raises
    ------
    DataError
        A kind that has no open form here.
    """
    if hasattr(fitted, "coef_"):
        return Linear(np.asarray(fitted.coef_[0], dtype=float), float(fitted.intercept_[0]))
    if getattr(fitted, "kernel", "") == "rbf":
        dual = fitted.dual_coef_[0]
        return RadialKernel(
            fitted.support_vectors_, dual, float(fitted._gamma), float(fitted.intercept_[0])
        )
    if isinstance(fitted, LogOdds):
        return _of_probabilities(fitted.estimator_)
    raise DataError(f"A {type(fitted).__name__} cannot be frozen.")


def _of_probabilities(fitted: BaseEstimator) -> Classifier:
    if isinstance(fitted, GaussianNB):
        return NaiveBayes(fitted.theta_, fitted.var_, fitted.class_prior_, CERTAIN)
    if isinstance(fitted, GradientBoostingClassifier):
        negative, positive = fitted.init_.class_prior_
        steps = tuple(_tree(t.tree_, t.tree_.value[:, 0, 0]) for t in fitted.estimators_[:, 0])
        start = float(np.log(positive / negative))
        return Forest(steps, CERTAIN, True, fitted.learning_rate, start)
    trees = (t.tree_ for t in fitted.estimators_)
    return Forest(tuple(_tree(t, _second_class(t.value)) for t in trees), CERTAIN)


def _second_class(value: Floats) -> Floats:
    """Share of the second class in each node."""
    counts = value[:, 0, :]
    return np.asarray(counts[:, 1] / counts.sum(axis=1))


def _tree(tree: Any, value: Floats) -> Tree:
    leaf = tree.children_left < 0
    return Tree(
        left=np.where(leaf, -1, tree.children_left).astype(np.int64),
        right=np.where(leaf, -1, tree.children_right).astype(np.int64),
        feature=np.where(leaf, -1, tree.feature).astype(np.int64),
        threshold=np.where(leaf, 0.0, tree.threshold),
        value=np.asarray(value, dtype=float),
    )


def _without_unused(
    columns: Positions, weight: float, classifier: Classifier
) -> tuple[Positions, float, Classifier]:
    """A linear classifier without the features that it gives no coefficient."""
    if not isinstance(classifier, Linear):
        return columns, weight, classifier
    used = classifier.weights != 0
    return columns[used], weight, replace(classifier, weights=classifier.weights[used])


def _only_what_is_read(scorer: Scorer) -> Scorer:
    read = np.unique(np.concatenate([b.reads for b in scorer.branches]))
    branches = tuple(replace(b, reads=np.searchsorted(read, b.reads)) for b in scorer.branches)
    return Scorer(tuple(scorer.features[k] for k in read), scorer.offset, branches)
