"""What each figure says, in one sentence with the study's own numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.evaluate.calibration import Calibration
from centrum.evaluate.decision_curve import DecisionCurve
from centrum.evaluate.discrimination import PrecisionRecall
from centrum.evaluate.evaluation import Evaluation
from centrum.model import FeatureCountFacts, LassoFacts, Model
from centrum.report.labels import MEASURES, counted, fixed

Floats = NDArray[np.float64]


def flow(manifest: int, analysed: int, train: int, test: int) -> str:
    """Of the flow of cases.

    >>> flow(10, 8, 6, 2)
    'Of 10 cases in the manifest 8 were analysed, 6 of them to train on and 2 to test.'
    """
    return (
        f"Of {counted(manifest, 'case')} in the manifest {analysed} were analysed, {train} of them "
        f"to train on and {test} to test."
    )


def several_parts(manifest: int, analysed: int, parts: int) -> str:
    """Of the flow of a design with several parts."""
    return (
        f"Of {counted(manifest, 'case')} in the manifest {analysed} were analysed, split in "
        f"{counted(parts, 'way')}."
    )


def outlines(overlap: pd.DataFrame, readers: Sequence[str]) -> str:
    """Of the regions of interest."""
    if overlap.empty:
        return f"The outline that feeds the model is that of {readers[0]}."
    dice = float(overlap["dice"].median())
    worst = float(overlap["dice"].min())
    return (
        f"Over all cases the readers' regions overlap with a median Dice of {fixed(dice, 2)}, in "
        f"the worst case {fixed(worst, 2)}."
    )


def agreement(kept: int, n: int, form: str) -> str:
    """Of the agreement between readers."""
    return (
        f"{kept} of {counted(n, 'feature')} ({100 * kept / n:.0f} %) agree well enough between the "
        f"readers by {form}; the others depend on who draws."
    )


def by_image(kept: pd.DataFrame) -> str:
    """Of the agreement by image; `kept` has a row per image: sum, size."""
    share = kept["sum"] / kept["size"]
    best, worst = str(share.idxmax()), str(share.idxmin())
    if best == worst:
        return f"On {best} {share[best]:.0%} of the features agree between the readers."
    return (
        f"Features agree best on {best} ({share[best]:.0%} pass) and worst on {worst} "
        f"({share[worst]:.0%})."
    ).replace("%", " %")


def robust(kept: int, n: int, medians: Mapping[str, float]) -> str:
    """Of the robustness to perturbation."""
    worst = min(medians, key=lambda family: medians[family])
    return (
        f"{kept} of {counted(n, 'feature')} hardly change under perturbation; least robust is the "
        f"family {worst}, with a median ICC of {fixed(medians[worst], 2)}."
    )


def lasso(facts: LassoFacts, n_candidates: int) -> str:
    """Of the path of the LASSO."""
    at = int(np.argmin(np.abs(np.log(facts.lambdas) - np.log(facts.chosen))))
    return (
        f"At the penalty taken {int(facts.n_features[at])} of {n_candidates} features have a "
        f"coefficient, with a cross-validated {MEASURES[facts.measure]} of {fixed(facts.cvm[at])}."
    )


def feature_count(facts: FeatureCountFacts) -> str:
    """Of the number of features."""
    at = list(facts.numbers).index(facts.chosen)
    return (
        f"With {counted(facts.chosen, 'feature')} the cross-validated {MEASURES[facts.measure]} is "
        f"{fixed(facts.mean[at])}; with {int(facts.numbers[-1])} it is {fixed(facts.mean[-1])}."
    )


def coefficients(model: Model, labels: Sequence[str], values: Floats) -> str:
    """Of the coefficients, the largest first."""
    speaks = model.positive if values[0] > 0 else model.negative
    share = np.abs(values[0]) / np.abs(values).sum()
    return (
        f"{labels[0]} weighs most, with {100 * share:.0f} % of the sum of all weights; high values "
        f"speak for {speaks}."
    )


def distributions(model: Model, labels: Sequence[str], values: Floats, positive: NDArray) -> str:
    """Of the selected features (cases, features), in SDs."""
    gap = np.median(values[positive], axis=0) - np.median(values[~positive], axis=0)
    k = int(np.argmax(np.abs(gap)))
    way = "higher" if gap[k] > 0 else "lower"
    return (
        f"{labels[k]} parts the outcomes most: its median is {fixed(abs(gap[k]), 2)} SD {way} in "
        f"{model.positive} than in {model.negative} fractures."
    )


def roc(model: Model, test: Evaluation) -> str:
    """Of the ROC curve of the test cases."""
    c = test.confusion
    return (
        f"At the cut-off {c.tp} of {c.tp + c.fn} {model.positive} and {c.tn} of {c.tn + c.fp} "
        f"{model.negative} test cases are called right; of a {model.positive} and a "
        f"{model.negative} case the first has the higher score in {100 * test.auc.value:.0f} % of "
        "all pairs."
    )


def calibrated(found: Calibration) -> str:
    """Of a calibration plot."""
    slope = found.slope
    if not np.isfinite(slope.value):
        return f"Whether the probabilities come true cannot be told: {found.reason}."
    within = slope.interval.lower <= 1 <= slope.interval.upper
    kind = "too extreme" if slope.value < 1 else "not extreme enough"
    told = "agree with what came true as far as so few cases can tell" if within else f"are {kind}"
    return (
        f"The probabilities {told} (slope {fixed(slope.value, 2)}, "
        f"{fixed(slope.interval.lower, 2)} to {fixed(slope.interval.upper, 2)}); on average they "
        f"are {100 * found.ici:.0f} percentage points off the curve."
    )


def decision(found: DecisionCurve) -> str:
    """Of a decision curve."""
    better = found.thresholds[found.model > np.maximum(found.treat_all, 0)]
    if not better.size:
        return "At no threshold is acting on the model better than acting on everybody or nobody."
    return (
        "Acting on the model is better than acting on everybody or on nobody at thresholds within "
        f"{better.min():.2f} to {better.max():.2f}, "
        f"{100 * better.size / found.thresholds.size:.0f} % of those shown."
    )


def precision(found: PrecisionRecall, prevalence: float) -> str:
    """Of precision and recall."""
    return (
        f"The average precision is {fixed(found.average_precision, 2)}, where calling every case "
        f"positive would give {fixed(prevalence, 2)}."
    )


def parts(areas: Mapping[str, Floats], whole: str) -> str:
    """Of the AUC of every part and source."""
    own = areas[whole]
    if not len(own):
        return "No part has an AUC."
    others = {name: v.mean() for name, v in areas.items() if name != whole and len(v)}
    said = f"The mean AUC of {whole} is {fixed(own.mean(), 2)} over {counted(len(own), 'part')}"
    if not others:
        return f"{said}, from {fixed(own.min(), 2)} to {fixed(own.max(), 2)}."
    best = max(others, key=lambda name: others[name])
    return f"{said}; the best single source, {best}, reaches {fixed(others[best], 2)}."


def search(rows: Sequence[Mapping[str, object]]) -> str:
    """Of a search, the best first."""
    best, chosen = rows[0], sum(bool(row["chosen"]) for row in rows)
    return (
        f"Best within the training cases is {best['classifier']} on "
        f"{best['n_features'] or 'all'} features by {best['selector']}; {chosen} of "
        f"{counted(len(rows), 'model')} tried make up the score."
    )


def audit(values: Sequence[float], observed: float, leaks: Mapping[str, tuple]) -> str:
    """Of the leak audit."""
    said = []
    if values:
        said.append(
            f"under shuffled outcomes the AUC is {fixed(float(np.mean(values)), 2)} on average, "
            f"against {fixed(observed, 2)} with the true ones"
        )
    rises = {name: float(np.mean(sides[0])) for name, sides in leaks.items() if len(sides[0])}
    if rises:
        worst = max(rises, key=lambda name: rises[name])
        said.append(
            f"the leak that would have claimed most is {worst!r} ({fixed(rises[worst], 2)})"
        )
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."
