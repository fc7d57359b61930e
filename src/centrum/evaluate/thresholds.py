"""From a score to a decision: cut-offs, the confusion they give, and its measures."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeVar

import numpy as np
from scipy.special import expit
from scipy.stats import binomtest, norm

from centrum.arrays import Flags, Floats
from centrum.evaluate.bootstrap import NO_INTERVAL, Interval, Weights, in_blocks
from centrum.evaluate.discrimination import roc_curve
from centrum.evaluate.scored import Scored

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy": "ACC",
        "sensitivity": "SEN",
        "specificity": "SPE",
        "ppv": "PPV",
        "npv": "NPV",
        "f1": "F1",
        "youden": "Youden",
        "balanced_accuracy": "BA",
        "mcc": "MCC",
        "lr_positive": "LR+",
        "lr_negative": "LR-",
    }
)
"""The measures of a confusion matrix and their abbreviations in tables."""

Count = TypeVar("Count", int, Floats)
IntervalMethod = Literal["wilson", "exact"]
Ties = Literal["most_sensitive", "most_specific"]

TIE_TOLERANCE = 1e-12
"""Youden indices closer than this are equal: they are sums of two ratios of counts."""


@dataclass(frozen=True)
class CutOff:
    """A threshold and where it comes from; a score of at least `value` is positive.

    Attributes
    ----------
    value : the threshold, on the scale of the scores
    rule : how it was chosen, such as "Youden"
    learnt_on : the scores that it was chosen on, such as "training, out of fold"
    ties : all thresholds that the rule finds equally good, rising
    digest : names those scores and outcomes (`Scored.digest`); "" when given from outside

    >>> CutOff(0.0, "given", "published score").value
    0.0
    """

    value: float
    rule: str
    learnt_on: str
    ties: tuple[float, ...] = ()
    digest: str = ""

    def optimistic_on(self, scored: Scored) -> bool:
        """Whether the cut-off was learnt on these very scores and outcomes."""
        return self.digest == scored.digest


def youden_cutoff(scored: Scored, learnt_on: str, ties: Ties = "most_sensitive") -> CutOff:
    """The threshold with the largest sensitivity + specificity - 1.

    Thresholds are those of `roc_curve`. Of several that tie the lowest is taken, the most
    sensitive: a malignant fracture missed costs more than one looked at in vain; or the
    highest. All are listed in `ties`. Source: Youden, Cancer 1950;3:32-35.

    >>> scored = Scored.of([1, 2, 3, 4], [0, 1, 0, 1])
    >>> cutoff = youden_cutoff(scored, "training, out of fold")
    >>> cutoff.value, cutoff.ties
    (1.5, (1.5, 3.5))
    """
    curve = roc_curve(scored)
    return _best(scored, curve.sensitivity + curve.specificity, "Youden", learnt_on, ties)


def topleft_cutoff(scored: Scored, learnt_on: str, ties: Ties = "most_sensitive") -> CutOff:
    """The threshold nearest to sensitivity and specificity 1 on the ROC curve.

    >>> topleft_cutoff(Scored.of([1, 2, 3, 4], [0, 0, 1, 1]), "training").value
    2.5
    """
    curve = roc_curve(scored)
    distance = (1 - curve.sensitivity) ** 2 + (1 - curve.specificity) ** 2
    return _best(scored, -distance, "closest to the top left", learnt_on, ties)


def sensitivity_cutoff(
    scored: Scored, target: float, learnt_on: str, ties: Ties = "most_sensitive"
) -> CutOff:
    """The threshold with the highest specificity among those of at least this sensitivity.

    >>> sensitivity_cutoff(Scored.of([1, 2, 3, 4], [0, 1, 0, 1]), 1.0, "training").value
    1.5
    """
    curve = roc_curve(scored)
    reached = curve.sensitivity >= target - TIE_TOLERANCE
    worth = np.where(reached, curve.specificity, -np.inf)
    return _best(scored, worth, f"sensitivity of at least {target:g}", learnt_on, ties)


def specificity_cutoff(
    scored: Scored, target: float, learnt_on: str, ties: Ties = "most_sensitive"
) -> CutOff:
    """The threshold with the highest sensitivity among those of at least this specificity.

    >>> specificity_cutoff(Scored.of([1, 2, 3, 4], [0, 1, 0, 1]), 1.0, "training").value
    3.5
    """
    curve = roc_curve(scored)
    reached = curve.specificity >= target - TIE_TOLERANCE
    worth = np.where(reached, curve.sensitivity, -np.inf)
    return _best(scored, worth, f"specificity of at least {target:g}", learnt_on, ties)


def cost_cutoff(
    scored: Scored,
    learnt_on: str,
    cost_ratio: float = 1.0,
    prevalence: float | None = None,
    ties: Ties = "most_sensitive",
) -> CutOff:
    """The threshold with the smallest expected cost of its errors.

    Parameters
    ----------
    cost_ratio : cost of a missed positive case in units of a false alarm
    prevalence : of the positive outcome; that of the cases when missing

    Source: Metz, Semin Nucl Med 1978;8:283.

    >>> scored = Scored.of([1, 2, 3, 4], [0, 1, 0, 1])
    >>> cost_cutoff(scored, "training", cost_ratio=10).value
    1.5
    >>> cost_cutoff(scored, "training", cost_ratio=0.1).value
    3.5
    """
    curve = roc_curve(scored)
    share = scored.n_positive / len(scored.scores) if prevalence is None else prevalence
    missed = cost_ratio * share * (1 - curve.sensitivity)
    cost = missed + (1 - share) * (1 - curve.specificity)
    rule = f"smallest cost (a miss costs {cost_ratio:g} false alarms, prevalence {share:.3g})"
    return _best(scored, -cost, rule, learnt_on, ties)


def _best(scored: Scored, worth: Floats, rule: str, learnt_on: str, ties: Ties) -> CutOff:
    """The threshold of the highest worth, with all that tie."""
    thresholds = roc_curve(scored).thresholds
    equal = thresholds[worth >= worth.max() - TIE_TOLERANCE].tolist()
    value = equal[0] if ties == "most_sensitive" else equal[-1]
    return CutOff(value, rule, learnt_on, tuple(equal), scored.digest)


@dataclass(frozen=True)
class Confusion:
    """Counts of decisions: true or false, positive or negative.

    >>> test = Confusion(tp=12, fp=2, tn=13, fn=3)
    >>> {name: round(value, 4) for name, value in test.measures().items()}
    {'accuracy': 0.8333, 'sensitivity': 0.8, 'specificity': 0.8667, 'ppv': 0.8571,
     'npv': 0.8125, 'f1': 0.8276, 'youden': 0.6667, 'balanced_accuracy': 0.8333,
     'mcc': 0.6682, 'lr_positive': 6.0, 'lr_negative': 0.2308}
    """

    tp: int
    fp: int
    tn: int
    fn: int

    @classmethod
    def of(cls, scored: Scored, threshold: float) -> "Confusion":
        """Count the cases whose score is at least `threshold` as positive."""
        return cls(
            *(int(n[0]) for n in _counts(scored, threshold, np.ones((1, len(scored.scores)))))
        )

    def measures(self) -> dict[str, float]:
        """Value of each of `MEASURES`; nan where a ratio is 0 / 0.

        A likelihood ratio is inf where only its denominator is 0: LR+ without a false alarm.
        """
        return {name: float(value) for name, value in _measures(*astuple(self)).items()}

    def intervals(
        self, confidence: float = 0.95, method: IntervalMethod = "wilson"
    ) -> dict[str, Interval]:
        """Confidence interval of each of `MEASURES`, each case taken as a patient.

        Proportions: Wilson's score interval (default; its coverage is near nominal also
        in small samples and near 1: Brown, Cai and DasGupta, Statistical Science
        2001;16:101-133) or "exact" (Clopper-Pearson). F1 is a rising function of
        TP / (TP + FP + FN), whose limits are transformed. Youden: Newcombe's hybrid of
        the limits of sensitivity and specificity, Statistics in Medicine 1998;17:873-890;
        balanced accuracy is (Youden + 1) / 2, and so are its limits. Likelihood ratios: normal on
        the log scale (Simel, Samsa and Matchar, J Clin Epidemiol 1991;44:763-770), with 1/2 added
        to both of their counts where one is 0. MCC: normal on Fisher's scale, by the variance of
        phi under multinomial sampling (Bishop, Fienberg and Holland, Discrete Multivariate
        Analysis, 1975, chapter 11); without width where it is 1 or -1.
        """
        ratios = {
            name: proportion_interval(hits, n, confidence, method)
            for name, (hits, n) in _proportions(*astuple(self)).items()
        }
        jaccard = proportion_interval(self.tp, self.tp + self.fp + self.fn, confidence, method)
        f1 = f1_interval(jaccard)
        youden = youden_interval(self.measures(), ratios)
        balanced = balanced_interval(youden)
        n_positive, n_negative = self.tp + self.fn, self.fp + self.tn
        return {
            **ratios,
            "f1": f1,
            "youden": youden,
            "balanced_accuracy": balanced,
            "mcc": self._mcc_interval(confidence),
            "lr_positive": ratio_interval(self.tp, n_positive, self.fp, n_negative, confidence),
            "lr_negative": ratio_interval(self.fn, n_positive, self.tn, n_negative, confidence),
        }

    def _mcc_interval(self, confidence: float) -> Interval:
        phi = self.measures()["mcc"]
        if np.isnan(phi) or abs(phi) >= 1 - TIE_TOLERANCE:
            return Interval(phi, phi)
        n = self.tp + self.fp + self.tn + self.fn
        truth, called = (self.tp + self.fn) / n, (self.tp + self.fp) / n
        skew = [(2 * p - 1) / np.sqrt(p * (1 - p)) for p in (truth, called)]
        variance = 1 - phi**2 + phi * (1 + phi**2 / 2) * skew[0] * skew[1]
        variance -= 3 / 4 * phi**2 * (skew[0] ** 2 + skew[1] ** 2)
        half = norm.ppf((1 + confidence) / 2) * np.sqrt(max(variance, 0) / n) / (1 - phi**2)
        lower, upper = np.tanh([np.arctanh(phi) - half, np.arctanh(phi) + half])
        return Interval(float(lower), float(upper))


def f1_interval(jaccard: Interval) -> Interval:
    """From that of TP / (TP + FP + FN)."""
    lower, upper = (2 * v / (1 + v) for v in (jaccard.lower, jaccard.upper))
    return Interval(lower, upper)


def balanced_interval(youden: Interval) -> Interval:
    """Of balanced accuracy, from that of Youden's index."""
    return Interval((youden.lower + 1) / 2, (youden.upper + 1) / 2)


def youden_interval(values: Mapping[str, float], ratios: Mapping[str, Interval]) -> Interval:
    """Newcombe's hybrid of the limits of sensitivity and specificity."""
    below, above = (
        np.hypot(*(getattr(ratios[name], side) - values[name] for name in _YOUDEN_PARTS))
        for side in ("lower", "upper")
    )
    return Interval(float(values["youden"] - below), float(values["youden"] + above))


def ratio_interval(a: float, n_a: float, b: float, n_b: float, confidence: float) -> Interval:
    """Confidence interval of (a / n_a) / (b / n_b), normal on the log scale.

    Where one of the counts is 0, 1/2 is added to all of them.

    >>> ratio_interval(12, 15, 2, 15, 0.95)
    Interval(lower=1.611..., upper=22.34...)
    """
    if not (n_a and n_b and (a or b)):
        return NO_INTERVAL
    added = 0 if a and b else 0.5
    x, m, y, n = a + added, n_a + added, b + added, n_b + added
    centre = np.log(x / m) - np.log(y / n)
    half = norm.ppf((1 + confidence) / 2) * np.sqrt(1 / x - 1 / m + 1 / y - 1 / n)
    lower = float(np.exp(centre - half)) if a else 0.0
    return Interval(lower, float(np.exp(centre + half)) if b else np.inf)


_YOUDEN_PARTS = ("sensitivity", "specificity")


def _proportions(tp: Count, fp: Count, tn: Count, fn: Count) -> dict[str, tuple[Count, Count]]:
    """Numerator and denominator of the measures that are shares of cases."""
    return {
        "accuracy": (tp + tn, tp + fp + tn + fn),
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
    }


def _measures(tp: Count, fp: Count, tn: Count, fn: Count) -> dict[str, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            name: np.divide(hits, n) for name, (hits, n) in _proportions(tp, fp, tn, fn).items()
        }
        values["f1"] = np.divide(2 * tp, 2 * tp + fp + fn)
        youden = values["sensitivity"] + values["specificity"] - 1
        margins = [np.sqrt(m) for m in (tp + fp, tp + fn, tn + fp, tn + fn)]
        values |= {
            "youden": youden,
            "balanced_accuracy": (youden + 1) / 2,
            "mcc": np.divide(tp * tn - fp * fn, np.prod(margins, axis=0)),
            "lr_positive": np.divide(values["sensitivity"], 1 - values["specificity"]),
            "lr_negative": np.divide(1 - values["sensitivity"], values["specificity"]),
        }
    return values


def _counts(scored: Scored, threshold: float, weights: Weights) -> tuple[Floats, ...]:
    """TP, FP, TN and FN under each row of `weights` (resamples, cases)."""
    cells = np.column_stack(_cells(scored, threshold))
    return tuple(in_blocks(weights, lambda rows: rows @ cells).T)


def _cells(scored: Scored, threshold: float) -> tuple[Flags, ...]:
    """Which cases are true and false positive, true and false negative."""
    called, truth = scored.scores >= threshold, scored.positive
    return called & truth, called & ~truth, ~called & ~truth, ~called & truth


def predictive_values(
    lr_positive: float, lr_negative: float, prevalence: float
) -> tuple[float, float]:
    """PPV and NPV where the positive outcome has this prevalence, from the likelihood ratios.

    They hold if sensitivity and specificity are the same there. Limits of the likelihood ratios
    become those of the predictive values: LR+ and PPV rise together, LR- and NPV oppositely.
    Bayes's theorem in odds; nan where a ratio is.

    >>> ppv, npv = predictive_values(6.0, 0.25, prevalence=0.1)
    >>> round(ppv, 3), round(npv, 3)
    (0.4, 0.973)
    """
    odds = np.log(prevalence / (1 - prevalence))
    with np.errstate(divide="ignore"):
        ppv, npv = expit(odds + np.log(lr_positive)), expit(-odds - np.log(lr_negative))
    return float(ppv), float(npv)


def resampled_measures(scored: Scored, threshold: float, weights: Weights) -> dict[str, Floats]:
    """Each of `MEASURES` in each resample, at a threshold that stays as it is.

    `weights` (resamples, cases) are those of `case_weights`. Resamples keep the share of
    positive patients, so predictive values hold for that share. nan where a ratio is 0 / 0.

    >>> scored = Scored.of([1, 2, 3, 4], [0, 1, 0, 1])
    >>> resampled_measures(scored, 2.5, np.array([[1.0, 1, 1, 1], [2, 1, 0, 1]]))["ppv"]
    array([0.5, 1. ])
    """
    return _measures(*_counts(scored, threshold, weights))


def wilson_interval(share: float, n: float, confidence: float) -> Interval:
    """Wilson's score interval of a share of n, which need not be whole.

    >>> wilson_interval(0.8, 12.5, 0.95)
    Interval(lower=0.523..., upper=0.935...)
    """
    z = norm.ppf((1 + confidence) / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    lower, upper = np.clip([middle - half, middle + half], 0, 1)
    return Interval(float(lower), float(upper))


def left_out_measures(scored: Scored, threshold: float) -> dict[str, Floats]:
    """Each of `MEASURES` without one patient each (jackknife), (patients,); nan where 0 / 0.

    >>> scored = Scored.of([1, 2, 3, 4], [0, 1, 0, 1], ["a", "b", "b", "c"])
    >>> left_out_measures(scored, 2.5)["ppv"].tolist()
    [0.5, 1.0, 0.0]
    """
    cells = _cells(scored, threshold)
    return _measures(*(cell.sum() - scored.patient_sums(cell.astype(float)) for cell in cells))


@cache
def proportion_interval(
    hits: int, n: int, confidence: float = 0.95, method: IntervalMethod = "wilson"
) -> Interval:
    """Confidence interval of the proportion hits / n; nan when n is 0.

    >>> proportion_interval(41, 49)
    Interval(lower=0.7096..., upper=0.9148...)
    """
    if n == 0:
        return Interval(np.nan, np.nan)
    found = binomtest(hits, n).proportion_ci(confidence, method)
    return Interval(float(found.low), float(found.high))
