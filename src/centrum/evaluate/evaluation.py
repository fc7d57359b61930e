"""Everything that is reported of one set of scores: discrimination and decisions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from centrum.arrays import Floats
from centrum.evaluate.bootstrap import (
    NO_INTERVAL,
    Interval,
    Weights,
    bca_interval,
    case_weights,
    normal_interval,
    percentile_interval,
)
from centrum.evaluate.clustered import decision_intervals
from centrum.evaluate.discrimination import (
    RocCurve,
    auc,
    auc_interval,
    auc_p_value,
    delong_interval,
    left_out_auc,
    resampled_auc,
    roc_curve,
)
from centrum.evaluate.scored import Scored
from centrum.evaluate.thresholds import (
    Confusion,
    CutOff,
    IntervalMethod,
    resampled_measures,
)
from centrum.text import (
    OneLine,
    counted,
    fixed,
    html_table,
    interval_text,
    percent,
    significant,
)


@dataclass(frozen=True)
class AucEstimate:
    """The area under the ROC curve.

    Attributes
    ----------
    value : the AUC
    interval : the one that is reported (`auc_interval`)
    delong : plain interval from DeLong's variance (Obuchowski's with several cases per patient)
    percentile, normal, bca : intervals from the bootstrap by patient
    p : two-sided, of H0: AUC = 0.5 (`auc_p_value`)
    """

    value: float
    interval: Interval
    delong: Interval
    percentile: Interval
    normal: Interval
    bca: Interval
    p: float


@dataclass(frozen=True)
class Measure:
    """A measure of the decisions.

    Attributes
    ----------
    value : nan when it is 0 / 0
    interval : the one that is reported (`decision_intervals`): from the counts, by patient
    bootstrap : percentile interval of the bootstrap by patient
    """

    value: float
    interval: Interval
    bootstrap: Interval


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(OneLine):
    """How scores did on one set of cases.

    Attributes
    ----------
    name : which cases, such as "train" or "test"
    apparent : whether the model was fitted to these very cases; then all intervals and P are nan
    n, n_positive, n_negative, n_patients : sizes
    roc, auc : the curve and the area under it
    cutoff, optimistic : the cut-off, and whether it was learnt on these very scores
    confusion, measures : decisions at the cut-off; a `Measure` for each of `MEASURES`
    confidence, interval_method, n_resamples, seed : how intervals were computed

    >>> found = evaluate([0.2, 0.6, 0.4, 0.9], [0, 0, 1, 1], None, CutOff(0.5, "given", ""),
    ...                  name="test", seed=1)
    >>> found.n, found.measures["sensitivity"].value, found.measures["sensitivity"].interval
    (4, 0.5, Interval(lower=0.094..., upper=0.905...))
    """

    name: str
    apparent: bool
    n: int
    n_positive: int
    n_negative: int
    n_patients: int
    roc: RocCurve
    auc: AucEstimate
    cutoff: CutOff
    optimistic: bool
    confusion: Confusion
    measures: dict[str, Measure]
    confidence: float
    interval_method: IntervalMethod
    n_resamples: int
    seed: int

    def _repr_html_(self) -> str:
        caption = (
            f"{self.name}: {counted(self.n, 'case')} ({self.n_positive} positive) of "
            f"{counted(self.n_patients, 'patient')}; cut-off {significant(self.cutoff.value)} "
            f"({self.cutoff.rule}, learnt on {self.cutoff.learnt_on}"
            f"{': optimistic' if self.optimistic else ''})"
        )
        found = {"auc": (self.auc.value, self.auc.interval)}
        found |= {name: (m.value, m.interval) for name, m in self.measures.items()}
        rows = [
            (k, fixed(value), interval_text(i.lower, i.upper)) for k, (value, i) in found.items()
        ]
        return html_table(caption, ("measure", "value", f"{percent(self.confidence)} CI"), rows)


def evaluate(
    scores: ArrayLike,
    outcome: ArrayLike,
    groups: ArrayLike | None,
    cutoff: CutOff,
    *,
    name: str,
    seed: int,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    interval_method: IntervalMethod = "wilson",
    called: ArrayLike | None = None,
    apparent: bool = False,
) -> Evaluation:
    """Evaluate scores of one set of cases; the cut-off is taken as it is.

    Parameters
    ----------
    scores : higher speaks for the positive outcome, shape (cases,)
    outcome : 0 or 1 per case
    groups : patient of each case, for bootstrap and variance; None when each is its own
    cutoff : from `youden_cutoff` on other scores, or given
    name : which cases these are, such as "test"
    called : (cases,) decisions that were made by other cut-offs, such as each fold's own; by
        `cutoff` when missing
    apparent : the model was fitted to these cases: what is found is optimistic by an unknown
        amount, and so gets neither intervals nor P

    Raises
    ------
    DataError
        One outcome only, scores that are not finite, arrays of different lengths.

    >>> found = evaluate([0.2, 0.6, 0.4, 0.9], [0, 0, 1, 1], None, CutOff(0.5, "given", ""),
    ...                  name="test", seed=1)
    >>> found.auc.value, found.confusion
    (0.75, Confusion(tp=1, fp=1, tn=1, fn=1))
    """
    scored = Scored.of(scores, outcome, groups)
    decided, threshold = scored, cutoff.value
    if called is not None:
        decided, threshold = Scored.of(np.asarray(called, dtype=float), outcome, groups), 0.5
    confusion = Confusion.of(decided, threshold)
    if apparent:
        none = NO_INTERVAL
        area = AucEstimate(auc(scored), none, none, none, none, none, p=np.nan)
        measures = {k: Measure(v, none, none) for k, v in confusion.measures().items()}
    else:
        weights = case_weights(scored, n_resamples, seed)
        area = _area(scored, weights, confidence)
        resampled = resampled_measures(decided, threshold, weights)
        intervals = decision_intervals(decided, threshold, confidence, interval_method)
        measures = _measures(confusion, resampled, intervals, confidence)
    return Evaluation(
        name=name,
        apparent=apparent,
        n=len(scored.scores),
        n_positive=scored.n_positive,
        n_negative=scored.n_negative,
        n_patients=scored.n_patients,
        roc=roc_curve(scored),
        auc=area,
        cutoff=cutoff,
        optimistic=cutoff.optimistic_on(scored),
        confusion=confusion,
        measures=measures,
        confidence=confidence,
        interval_method=interval_method,
        n_resamples=n_resamples,
        seed=seed,
    )


def _measures(
    confusion: Confusion,
    resampled: Mapping[str, Floats],
    intervals: Mapping[str, Interval],
    confidence: float,
) -> dict[str, Measure]:
    return {
        key: Measure(value, intervals[key], percentile_interval(resampled[key], confidence))
        for key, value in confusion.measures().items()
    }


def _area(scored: Scored, weights: Weights, confidence: float) -> AucEstimate:
    value, resampled = auc(scored), resampled_auc(scored, weights)
    return AucEstimate(
        value=value,
        interval=auc_interval(scored, confidence),
        delong=delong_interval(scored, confidence),
        percentile=percentile_interval(resampled, confidence),
        normal=normal_interval(value, float(resampled.std(ddof=1)), confidence),
        bca=bca_interval(value, resampled, left_out_auc(scored), confidence),
        p=auc_p_value(scored),
    )
