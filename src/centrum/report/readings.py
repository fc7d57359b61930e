"""What each figure says, in one sentence with the study's own numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from centrum.arrays import Flags, Floats
from centrum.evaluate import Evaluation
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.calibration import Calibration
from centrum.evaluate.decision_curve import TINY, DecisionCurve
from centrum.evaluate.discrimination import PrecisionRecall, RocCurve
from centrum.modelling.nomogram import MOST, Nomogram
from centrum.report.blocks import Table
from centrum.report.figures.local_effects import NO_UNIT
from centrum.report.slices import Shown
from centrum.report.words.model import CLASSIFIERS, MEASURES
from centrum.text import (
    NO_INTERVAL,
    agreeing,
    counted,
    fixed,
    interval_text,
    percent,
    sentence_case,
    significant,
)
from centrum.validation.added_value import MODELS, AddedValue
from centrum.validation.local_effects import LocalEffect
from centrum.validation.model import FeatureCountFacts, LassoFacts
from centrum.validation.other_readers import OtherReader

FOUND = 0.8
"""Share of the positive cases that a reader of the precision-recall curve wants found."""

REDUNDANT = 0.8
"""Pearson correlation above which two features tell much the same."""

LOSSES = ("deviance", "class")
"""Measures of which less is better."""


def flow(stations: Table) -> str:
    """Who was there at the beginning, and who in the end; `stations` are the chart's data."""
    cases = {row[0]: row[1] for row in stations.rows}
    excluded = sum(n for name, n in cases.items() if name.startswith("excluded: "))
    use = "the design puts them on both sides in turn"
    if "test" in cases:
        use = f"{cases['training']} train the model and {cases['test']} test it"
    return (
        f"Of {counted(cases['manifest'], 'case')} in the manifest {cases['analysed']} are "
        f"analysed ({excluded} excluded, {cases['not measured']} could not be measured); {use}."
    )


def regions(shown: Sequence[Shown], outcomes: tuple[str, str]) -> str:
    """The cases that deceive the model most."""
    worst = {s.outcome: s for s in shown if s.reason == "atypical"}
    said = [
        f"the {own} case that looks most {other} to the model is {worst[own].case} "
        f"(score {fixed(worst[own].score, 2)})"
        for own, other in zip(outcomes, outcomes[::-1], strict=True)
    ]
    return f"Among all cases {' and '.join(said)}."


def agreement(kept: ArrayLike, dice: Mapping[str, ArrayLike], over: str) -> str:
    """Features that agree, and how far the regions do; `over` says on which cases."""
    passed = np.asarray(kept, dtype=bool)
    said = (
        f"{_share(passed.sum(), passed.size, 'feature')} agree well enough between the readers "
        f"over {over}"
    )
    values = {pair: np.asarray(v, dtype=float) for pair, v in dice.items() if np.size(v)}
    if not values:
        return f"{said}."
    worst = min(values, key=lambda pair: np.median(values[pair]))
    of_pair = f" of {worst}, the pair that agrees least," if len(values) > 1 else ""
    return (
        f"{said}, and half of the {counted(values[worst].size, 'pair')} of regions{of_pair} "
        f"overlap with a Dice coefficient of more than {fixed(np.median(values[worst]), 2)}, "
        f"the worst with {fixed(values[worst].min(), 2)}."
    )


def between_readers(found: Sequence[OtherReader], scored: str) -> str:
    """How far what orders the cases lies apart, and how many calls that changes."""
    said = [
        f"with the regions of {each.name} the {scored} is on average "
        f"{fixed(abs(each.limits.bias), 2)} {'lower' if each.limits.bias < 0 else 'higher'}, "
        f"and {each.changed} of {counted(len(each.cases), 'call')} "
        f"{'changes' if each.changed == 1 else 'change'}"
        for each in found
    ]
    return f"{sentence_case('; '.join(said))}."


def models(found: AddedValue) -> str:
    """Pairs that each model puts in order, and at how many thresholds both together gain most."""
    clinical, score, both = (percent(found.areas[name].value, 0) for name in MODELS)
    benefits = [found.curves[name].decision_curve.model for name in MODELS]
    best = int(np.sum(benefits[2] > np.maximum(benefits[0], benefits[1])))
    return (
        f"Of the pairs of a case of either outcome the clinical model puts {clinical} in the right "
        f"order, the score {score} and both together {both}, and at {best} of "
        f"{benefits[2].size} thresholds both together have more net benefit than either alone."
    )


def nomogram(found: Nomogram, labels: Mapping[str, str]) -> str:
    """Which variable weighs most, and the sum from which on the outcome is more likely than not."""
    spans = {a.variable: max(a.effects) - min(a.effects) for a in found.axes}
    most, second = sorted(spans, key=lambda name: -spans[name])[:2]
    half = found.points_at(0.5)
    reached = (
        f"a sum of {fixed(half, 0)} points is a probability of one half"
        if 0 <= half <= found.most
        else f"no sum of points up to {fixed(found.most, 0)} is a probability of one half"
    )
    return (
        f"{labels[most]} has up to {fixed(MOST, 0)} points, {labels[second]} up to "
        f"{fixed(spans[second] * found.per_log_odds, 0)}, and {reached}."
    )


def agreement_grid(facts: pd.DataFrame) -> str:
    """Where features agree best and least; `facts` has image, family and kept of each feature."""
    by = "image" if facts["image"].nunique() > 1 else "family"
    kept, of = facts["kept"].to_numpy(dtype=bool), facts[by].to_numpy(dtype=str)
    groups = {str(name): kept[of == name] for name in dict.fromkeys(of)}
    best, least = (pick(groups, key=lambda k: groups[k].mean()) for pick in (max, min))
    if groups[best].mean() == groups[least].mean():
        every = f" in every {by}" if len(groups) > 1 else ""
        share = _share(facts["kept"].sum(), len(facts), "feature")
        return f"The same share of the features passes{every}: {share}."
    pairs = [f"{k} ({groups[k].sum()} of {groups[k].size} pass)" for k in (best, least)]
    where = "on the image" if by == "image" else "of the family"
    return f"The readers agree best in features {where} {pairs[0]} and least on {pairs[1]}."


def robustness(icc: ArrayLike, kept: ArrayLike, families: Sequence[str]) -> str:
    """Features that withstand, and the families that do best and worst."""
    passed = np.asarray(kept, dtype=bool)
    said = f"{_share(passed.sum(), passed.size, 'feature')} withstand the perturbations"
    values, of = np.asarray(icc, dtype=float), np.array(families)
    groups = {name: values[(of == name) & np.isfinite(values)] for name in dict.fromkeys(families)}
    medians = {name: float(np.median(v)) for name, v in groups.items() if v.size}
    if len(medians) < 2:
        return f"{said}."
    best, least = (pick(medians, key=lambda name: medians[name]) for pick in (max, min))
    return (
        f"{said}; the steadiest family is {best} (median ICC {fixed(medians[best], 2)}), the least "
        f"steady {least} ({fixed(medians[least], 2)})."
    )


def lasso(facts: LassoFacts) -> str:
    """What the penalty leaves, and what that is worth in cross-validation."""
    at = int(np.argmin(np.abs(np.log(facts.lambdas / facts.chosen))))
    mean, first, se = facts.cvm[at], facts.cvm[0], facts.cvsd[at]
    gain = first - mean if facts.measure in LOSSES else mean - first
    judged = f"better than the {fixed(first)} of the largest penalty"
    if gain <= 0:
        judged = f"no {judged}"
    else:
        judged += f" by {'more' if gain > se else 'less'} than its standard error of {fixed(se)}"
    return (
        f"The penalty taken leaves {counted(int(facts.n_features[at]), 'feature')} with a "
        f"coefficient, and the cross-validated {MEASURES[facts.measure]} of {fixed(mean)} is "
        f"{judged}."
    )


def feature_count(facts: FeatureCountFacts) -> str:
    """What the number of features that was taken does, and how much the number matters."""
    at = list(facts.numbers).index(facts.chosen)
    spread, se = float(facts.mean.max() - facts.mean.min()), float(facts.se[at])
    return (
        f"With {counted(facts.chosen, 'feature')} the cross-validated {MEASURES[facts.measure]} is "
        f"{fixed(facts.mean[at])}; the best and the worst number lie {fixed(spread)} apart, "
        f"{'less' if spread < se else 'no less'} than the standard error of {fixed(se)}."
    )


def coefficients(labels: Sequence[str], values: ArrayLike, outcomes: tuple[str, str]) -> str:
    """Which features speak most for which outcome, and how few carry the score."""
    weights = np.asarray(values, dtype=float)
    said = [
        f"{labels[k]} speaks most for {outcome} ({fixed(weights[k])} per SD)"
        for outcome, sign in zip(outcomes, (1, -1), strict=True)
        for k in [int(np.argmax(sign * weights))]
        if sign * weights[k] > 0
    ]
    sizes = np.sort(np.abs(weights))[::-1]
    if not said:
        return "No feature has a coefficient other than 0."
    if len(sizes) == 1:
        return f"{said[0]} and is the only feature."
    few = int(np.searchsorted(np.cumsum(sizes), sizes.sum() / 2)) + 1
    largest = "largest coefficient makes" if few == 1 else f"{few} largest coefficients make"
    return f"{' and '.join(said)}; the {largest} up half or more of the sum of all {len(sizes)}."


def distributions(
    labels: Sequence[str], values: Floats, positive: Flags, outcomes: tuple[str, str]
) -> str:
    """The feature that parts the outcomes most, and how redundant the features are."""
    gap = np.nanmedian(values[positive], axis=0) - np.nanmedian(values[~positive], axis=0)
    k = int(np.nanargmax(np.abs(gap)))
    said = (
        f"{labels[k]} parts the outcomes most: its median is {fixed(abs(gap[k]), 2)} SD "
        f"{'higher' if gap[k] > 0 else 'lower'} in {outcomes[0]} than in {outcomes[1]} cases"
    )
    if len(labels) < 2:
        return f"{said}."
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.asarray(np.corrcoef(values, rowvar=False))
    r = np.abs(matrix[np.triu_indices(len(labels), 1)])
    alike = int(np.sum(r > REDUNDANT))
    return (
        f"{said}; {alike} of {counted(len(r), 'pair')} of features "
        f"{'correlates' if alike == 1 else 'correlate'} by more than {REDUNDANT:g}."
    )


def roc(test: Evaluation, outcomes: tuple[str, str], several_parts: bool) -> str:
    """Right calls at the cut-off, and where the curve lies."""
    c, at = test.confusion, "each part's own cut-off" if several_parts else "the cut-off"
    return (
        f"At {at} {c.tp} of {c.tp + c.fn} {outcomes[0]} and {c.tn} of {c.tn + c.fp} {outcomes[1]} "
        f"test cases are called right; the curve {_above_chance(test.roc)}."
    )


def _above_chance(curve: RocCurve) -> str:
    """Over which share of its thresholds, but the two ends, a curve lies above the diagonal."""
    gain = (curve.sensitivity + curve.specificity - 1)[1:-1]
    above = int(np.sum(gain > 1e-12))
    if gain.size == 0:
        return "is that of chance, because all cases have the same score"
    if above == gain.size:
        return "lies above chance over its whole length"
    return f"lies above chance at {above} of its {gain.size} thresholds"


def calibrated(found: Calibration) -> str:
    """What the probabilities add up to, and whether they are extreme."""
    slope = found.slope
    judged = f"have no slope, because {found.reason}"
    if not found.reason:
        limits = f"{fixed(slope.interval.lower, 2)} to {fixed(slope.interval.upper, 2)}"
        kind = "neither clearly too extreme nor clearly too moderate"
        if slope.interval.upper < 1:
            kind = "too extreme"
        elif slope.interval.lower > 1:
            kind = "too moderate"
        judged = f"are {kind} (slope {fixed(slope.value, 2)}, {limits})"
    return (
        f"The probabilities add up to {percent(found.expected_observed, 0)} of the cases that came "
        f"true, lie {fixed(100 * found.ici, 0)} percentage points off the curve on average and "
        f"{judged}."
    )


def decision(found: DecisionCurve) -> str:
    """Where acting on the model does more good, or less, than acting on everybody or nobody.

    What a curve shows at a threshold may be chance; the interval of the difference says whether.
    """
    good, harm = (stretch(found, side) for side in SIDES)
    n, than = found.thresholds.size, "than acting on everybody or on nobody"
    said = f"At none of {n} threshold probabilities does acting on the model do more good {than}"
    if good is not None:
        said = (
            f"Acting on the model does more good {than} at {good.n} of {n} threshold "
            f"probabilities{_most(good, 'gains')}"
        )
    lost = "none" if harm is None else f"{harm.n}{_most(harm, 'loses')}"
    return f"{said}, and harm at {lost}."


GAIN, HARM = SIDES = (1, -1)
"""Where the model does more good than acting on everybody or nobody, and where less."""


@dataclass(frozen=True)
class Stretch:
    """The threshold probabilities at which the model gains, or at which it loses.

    Attributes
    ----------
    n, low, high : how many, the lowest and the highest
    at, size : where the gain or loss is largest, and that in net true positives per 100 cases
    interval : of the gain there, per 100 cases; nan without resamples
    runs : the lowest and the highest of each row of thresholds without a gap
    sure : at how many the interval of the gain leaves no doubt of the sign
    """

    n: int
    low: float
    high: float
    at: float
    size: float
    interval: Interval
    runs: tuple[tuple[float, float], ...]
    sure: int


def stretch(found: DecisionCurve, side: int) -> Stretch | None:
    """Where the model gains (`GAIN`) or loses (`HARM`); None where it does so nowhere."""
    at = np.flatnonzero(side * found.difference > TINY)
    if not at.size:
        return None
    lower, upper = 100 * found.difference_lower, 100 * found.difference_upper
    k = int(at[np.argmax(side * found.difference[at])])
    nearer = lower if side == GAIN else upper
    rows = np.split(found.thresholds[at], np.flatnonzero(np.diff(at) > 1) + 1)
    return Stretch(
        n=int(at.size),
        low=float(found.thresholds[at[0]]),
        high=float(found.thresholds[at[-1]]),
        at=float(found.thresholds[k]),
        size=float(100 * abs(found.difference[k])),
        interval=Interval(float(lower[k]), float(upper[k])),
        runs=tuple((float(row[0]), float(row[-1])) for row in rows),
        sure=int(np.sum(side * nearer[at] > 0)),
    )


def _most(found: Stretch, verb: str) -> str:
    """Where the gain or loss is largest, its interval, and at how many it is sure."""
    limits = interval_text(found.interval.lower, found.interval.upper, 0, " to ")
    where = "above" if verb == "gains" else "below"
    sure = (
        ""
        if limits == NO_INTERVAL
        else f" (interval of the gain {limits}; it is {where} 0 at {found.sure} of these {found.n})"
    )
    return (
        f" between {fixed(found.low, 2)} and {fixed(found.high, 2)}, most at "
        f"{fixed(found.at, 2)}, where it {verb} {fixed(found.size, 0)} net true positives per 100 "
        f"cases{sure}"
    )


def precision(found: PrecisionRecall, n_positive: int, outcome: str) -> str:
    """The false alarms that finding most of the positive cases costs."""
    enough = np.flatnonzero(found.recall >= FOUND - 1e-12)
    k = enough[np.argmax(found.precision[enough])]
    hits = round(found.recall[k] * n_positive)
    alarms = round(hits / found.precision[k]) - hits
    return (
        f"To find at least {percent(FOUND, 0)} of the {outcome} test cases ({hits} of "
        f"{n_positive}) {counted(alarms, 'false alarm')} must be accepted."
    )


def parts(areas: Mapping[str, Floats]) -> str:
    """The model's test AUC, and the variant that comes nearest or goes beyond."""
    (_, own), *others = [(name, v) for name, v in areas.items()]
    if not len(own):
        return "No part of the design has a test AUC."
    mean = float(own.mean())
    means = {name: float(np.mean(values)) for name, values in others if len(values)}
    best = max(means, key=lambda name: means[name], default="")
    digits, (gap,) = agreeing((mean, means.get(best, mean)))
    said = f"The model's test AUC is {fixed(mean, digits)}"
    if len(own) > 1:
        said += (
            f" on the mean of {len(own)} parts ({fixed(float(own.min()), 2)} to "
            f"{fixed(float(own.max()), 2)})"
        )
    if not means:
        return f"{said}."
    same = fixed(gap, digits) == fixed(0, digits)
    beside = "as much" if same else f"{fixed(abs(gap), digits)} {'less' if gap > 0 else 'more'}"
    return (
        f"{said}; {'the best of the variants, ' if len(means) > 1 else ''}"
        f"{best.replace('_', ' ')} alone{',' if len(means) > 1 else ''} reaches "
        f"{fixed(means[best], digits)}, {beside}."
    )


def search(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str], measure: str) -> str:
    """The best of what saw all folds, and how far ahead it is.

    `labels` are what selectors are called; `measure` as in `MEASURES`.
    """
    most = max(row["folds"] for row in rows)
    whole = sorted((row for row in rows if row["folds"] == most), key=lambda row: -row["mean"])
    best = whole[0]
    said = (
        f"Best of {counted(len(rows), 'candidate')} is {labels[best['selector']]} with "
        f"{best['n_features'] or 'all'} features and {CLASSIFIERS[best['classifier']].label} "
        f"(cross-validated {MEASURES[measure]} {fixed(best['mean'])})"
    )
    if len(whole) < 2:
        return f"{said}."
    behind = abs(float(best["mean"]) - float(whole[1]["mean"]))
    sure = "less" if behind < best["se"] else "no less"
    return (
        f"{said}; the next is {fixed(behind)} behind, {sure} than the standard error of "
        f"{fixed(best['se'])}."
    )


def audit(
    shuffled: Sequence[float], observed: float, leaks: Mapping[str, tuple[Floats, Floats]]
) -> str:
    """What nothing gives, and the leak that would have flattered most."""
    said = []
    if len(shuffled):
        as_good = sum(value >= observed for value in shuffled)
        said.append(
            f"on permuted outcomes the whole procedure reaches a mean AUC of "
            f"{fixed(float(np.mean(shuffled)), 2)}, against {fixed(observed, 2)} on the true ones, "
            f"and {as_good} of {counted(len(shuffled), 'permutation')} "
            f"{'does' if as_good == 1 else 'do'} as well"
        )
    means = {name: float(np.mean(true)) for name, (true, _) in leaks.items()}
    if len(means) > 1:
        honest, *_ = means.values()
        worst = max(list(means)[1:], key=lambda name: means[name])
        rise = means[worst] - honest
        said.append(
            f"the leak that flatters most ({worst}) would have claimed an AUC of "
            f"{fixed(means[worst], 2)} instead of {fixed(honest, 2)}"
            if rise > 0
            else f"no leak would have claimed more than the honest AUC of {fixed(honest, 2)}"
        )
    text = "; ".join(said)
    return f"{sentence_case(text)}."


def _share(hits: Any, n: int, noun: str) -> str:
    """Such as "30 of 40 features (75 %)"."""
    return f"{int(hits)} of {counted(n, noun)} ({percent(hits / max(n, 1), 0)})"


def contributions(labels: Sequence[str], sizes: Floats, scale: str) -> str:
    """The features that move the score most."""
    first = [f"{label} ({fixed(s, 2)})" for label, s in zip(labels[:3], sizes, strict=False)]
    return f"In held-out cases the {scale} is moved most by {'; '.join(first)}, on the mean."


def importance(labels: Sequence[str], drops: Floats, intervals: Floats) -> str:
    """The group that carries most, and how many intervals lie above 0."""
    above = int((intervals[0] > 0).sum())
    return (
        f"Permuting {labels[0]} takes {fixed(drops[0], 2)} off the AUC "
        f"({interval_text(intervals[0][0], intervals[1][0], 2, ' to ')}); of "
        f"{counted(len(labels), 'group')} shown the interval of {above} lies above 0."
    )


def local_effects(
    labels: Sequence[str], units: Sequence[str], effects: Sequence[LocalEffect], scale: str
) -> str:
    """How far the leading feature moves the score over its range."""
    effect, unit = effects[0], "" if units[0] in NO_UNIT else f" {units[0]}"
    lowest, highest = significant(effect.grid[0], 3), significant(effect.grid[-1], 3)
    return (
        f"From {lowest} to {highest}{unit} of {labels[0]} the {scale} changes by "
        f"{fixed(effect.effect[-1] - effect.effect[0], 2)}."
    )
