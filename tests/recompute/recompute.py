"""The numbers of a study computed once more, from its tables alone.

    python tests/recompute/recompute.py STUDY     # the numbers, as JSON

Nothing of the package is used, and no formula is taken from it: values come from numpy, scipy and
scikit-learn, or from the definition, gone through pair by pair and patient by patient. What is read
are the tables that anybody can open: features by reader, cases, scores, predictions, protocol; of
the fitted model the coefficients and the penalty, so that they can be checked.

One split; readers' features; an elastic net, a LASSO or a logistic regression.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy import optimize, stats
from scipy.special import expit, logit
from sklearn.metrics import (
    brier_score_loss,
    cohen_kappa_score,
    confusion_matrix,
    log_loss,
    matthews_corrcoef,
    roc_auc_score,
    roc_curve,
)

Numbers = dict[str, float]
Z = stats.norm.ppf(0.975)


class Tables:
    """What a study left, and which cases are tested."""

    def __init__(self, folder: Path) -> None:
        results = folder / "results"
        protocol = yaml.safe_load((folder / "study.yaml").read_text())
        long = pd.read_csv(results / "features.csv")
        self.readers = list(dict.fromkeys(long["reader"]))
        self.obs = long[long["reader"] == self.readers[0]].set_index("case")
        self.features = list(pd.read_csv(results / "agreement.csv")["feature"])
        self.ratings = np.stack(
            [
                long[long["reader"] == r].set_index("case").loc[self.obs.index, self.features]
                for r in self.readers
            ],
            axis=2,
        )
        self.scores = pd.read_csv(results / "scores.csv", index_col="case").loc[self.obs.index]
        self.predictions = pd.read_csv(results / "predictions.csv", index_col="case")
        self.positive = (self.obs["outcome"] == protocol["outcome"]["positive"]).to_numpy()
        self.patient = self.obs["patient"].to_numpy()
        self.test = (self.scores["part"] == "test").to_numpy()
        self.train = ~self.test
        self.batch = protocol.get("model", {}).get("harmonisation", {}).get("batch")
        self.fit = json.loads((results / "fit.json").read_text())
        self.evaluation = json.loads((results / "evaluation.json").read_text())
        self.assessment = json.loads((results / "assessment.json").read_text())
        self.prevalence = protocol.get("evaluation", {}).get("prevalence")


def recompute(folder: Path) -> Numbers:
    """Name -> value of everything that is computed again."""
    t = Tables(folder)
    found: Numbers = {}
    for part in (
        agreement, population, discrimination, cutoff, decisions, calibrated, benefit,
        readers_compared, clinical_model, odds, stability, permuted, optimistic, sizes, harmonised,
        conformal, of_patients, subgroups,
    ):  # fmt: skip
        for name, value in part(t):
            assert name not in found, name
            found[name] = float(value)
    return found


Found = Iterator[tuple[str, float]]


# Agreement of readers


def agreement_of(ratings: np.ndarray) -> tuple[float, float, float, float]:
    """ICC(A,1) of (cases, readers), its limits and F, from a table of sums of squares."""
    n, k = ratings.shape
    rows, columns, mean = ratings.mean(axis=1), ratings.mean(axis=0), ratings.mean()
    msr = k * np.sum((rows - mean) ** 2) / (n - 1)
    msc = n * np.sum((columns - mean) ** 2) / (k - 1)
    rest = ratings - rows[:, None] - columns[None, :] + mean
    mse = np.sum(rest**2) / ((n - 1) * (k - 1))
    value = (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)
    # McGraw and Wong 1996, table 7.
    a, b = k * value / (n * (1 - value)), 1 + k * value * (n - 1) / (n * (1 - value))
    df = (a * msc + b * mse) ** 2 / (
        (a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1))
    )
    above, below = stats.f.ppf(0.975, n - 1, df), stats.f.ppf(0.975, df, n - 1)
    bias = k * msc + (k * n - k - n) * mse
    lower = n * (msr - above * mse) / (above * bias + n * msr)
    upper = n * (below * msr - mse) / (bias + n * below * msr)
    return value, lower, upper, msr / mse


def agreement_by_patient(ratings: np.ndarray, patient: np.ndarray) -> tuple[float, ...]:
    """ICC(A,1), limits and P of a jackknife that leaves out one patient after another."""
    n, k = ratings.shape
    if np.ptp(ratings) > 0 and np.all(ratings == ratings[:, :1]):
        return 1.0, 1.0, 1.0, np.inf, 0.0  # readings that are the same
    value, low, high, f = agreement_of(ratings)
    names = np.unique(patient)
    if len(names) == n:
        return value, low, high, f, stats.f.sf(f, n - 1, (n - 1) * (k - 1))

    def fisher(r: float) -> float:
        return 0.5 * np.log((1 + (k - 1) * r) / (1 - r))

    left_out = np.array([fisher(agreement_of(ratings[patient != p])[0]) for p in names])
    m = len(names)
    se = np.sqrt((m - 1) / m * np.sum((left_out - left_out.mean()) ** 2))
    ends = fisher(value) + np.array([-1, 1]) * stats.t.ppf(0.975, m - 1) * se
    lower, upper = (np.exp(2 * ends) - 1) / (np.exp(2 * ends) + k - 1)
    p = stats.t.sf(fisher(value) / se, m - 1)
    return value, min(lower, low), max(upper, high), f, p


def agreement(t: Tables) -> Found:
    names = ("value", "lower", "upper", "f", "p")
    for k, feature in enumerate(t.features):
        found = agreement_by_patient(t.ratings[:, k], t.patient)
        for name, value in zip(names, found, strict=True):
            yield f"icc {feature} {name}", value


# Table 1


def population(t: Tables) -> Found:
    """Outcomes beside each other, training beside test, and outcomes within either side."""
    sides = np.where(t.test, "test", "training")
    for variable in ("level", "region", "age", "sex", "scanner", "centre"):
        if variable not in t.obs or t.obs[variable].isna().all():
            continue
        for name, rows, by in (
            ("outcome", np.ones(len(t.obs), bool), t.obs["outcome"].to_numpy()),
            ("side", np.ones(len(t.obs), bool), sides),
            ("outcome, training", t.train, t.obs["outcome"].to_numpy()),
            ("outcome, test", t.test, t.obs["outcome"].to_numpy()),
        ):
            frame = pd.DataFrame({"v": t.obs[variable].to_numpy(), "by": by, "patient": t.patient})[
                rows
            ].dropna()
            if variable in ("age", "sex"):
                frame = frame.drop_duplicates(["patient", "by"])
            yield f"table1 {variable} by {name}", difference(frame["v"], frame["by"])


def difference(values: pd.Series, by: pd.Series) -> float:
    """P of the test that suits the values."""
    groups = [values[by == g].to_numpy() for g in sorted(by.unique())]
    if values.nunique() < 2:
        return np.nan
    if values.dtype.kind == "f":
        if all(len(g) >= 5 and lilliefors(g) >= 0.05 for g in groups):
            return stats.ttest_ind(*groups, equal_var=False).pvalue
        untied = len(set(values)) == len(values)
        exact = untied and max(map(len, groups)) < 50
        method = "exact" if exact else "asymptotic"
        return stats.mannwhitneyu(*groups, use_continuity=False, method=method).pvalue
    counts = pd.crosstab(by, values).to_numpy()
    if len(counts) < 2 or ((counts > 0).sum(axis=0) < 2).all():
        return np.nan  # the groups decide the categories, or there is one group
    expected = counts.sum(1)[:, None] * counts.sum(0) / counts.sum()
    if expected.min() < 5:
        if counts.shape == (2, 2):
            return stats.fisher_exact(counts)[1]
        return freeman_halton(counts)
    statistic = np.sum((counts - expected) ** 2 / expected)
    return stats.chi2.sf(statistic, counts.shape[1] - 1)


def freeman_halton(counts: np.ndarray) -> float:
    """Sum of the probabilities of all tables with these margins that are no likelier."""
    first, columns = counts[0].sum(), counts.sum(axis=0)

    def tables(left: int, k: int) -> Iterator[tuple[int, ...]]:
        if k == len(columns):
            if left == 0:
                yield ()
            return
        for x in range(min(left, columns[k]) + 1):
            for rest in tables(left - x, k + 1):
                yield (x, *rest)

    law = stats.multivariate_hypergeom(columns, first)
    own = law.pmf(counts[0])
    probabilities = np.array([law.pmf(row) for row in tables(first, 0)])
    return float(probabilities[probabilities <= own * (1 + 1e-7)].sum())


def lilliefors(x: np.ndarray) -> float:
    """P by Dallal and Wilkinson's formula, good for P up to .1; above that it only says so."""
    z = np.sort((x - x.mean()) / x.std(ddof=1))
    n, below = len(x), stats.norm.cdf(z)
    d = max((np.arange(1, n + 1) / n - below).max(), (below - np.arange(n) / n).max())
    if n > 100:
        d, n = d * (n / 100) ** 0.49, 100
    return np.exp(
        -7.01256 * d**2 * (n + 2.78019) + 2.99587 * d * np.sqrt(n + 2.78019) - 0.122119
        + 0.974598 / np.sqrt(n) + 1.67997 / n
    )  # fmt: skip


# Discrimination


def placements(score: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each positive case the share of negative ones below it, and the other way round."""
    above = score[positive][:, None] - score[~positive][None, :]
    won = np.where(above > 0, 1.0, np.where(above == 0, 0.5, 0.0))
    return won.mean(axis=1), won.mean(axis=0)


def obuchowski(
    scores: list[np.ndarray], positive: np.ndarray, patient: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """AUCs of several scores of the same cases and their covariance (Obuchowski 1997).

    With one case per patient that of DeLong.
    """
    names = np.unique(patient)
    ten, one = (
        np.zeros((len(scores), len(names))),
        np.zeros((len(scores), len(names))),
    )
    areas = np.zeros(len(scores))
    n1, n0 = positive.sum(), (~positive).sum()
    for s, score in enumerate(scores):
        of_positive, of_negative = placements(score, positive)
        areas[s] = of_positive.mean()
        for j, name in enumerate(names):
            ten[s, j] = np.sum(of_positive[patient[positive] == name] - areas[s])
            one[s, j] = np.sum(of_negative[patient[~positive] == name] - areas[s])
    has = np.array([[np.any(positive[patient == p]), np.any(~positive[patient == p])]
                    for p in names])  # fmt: skip
    i10, i01, i = has[:, 0].sum(), has[:, 1].sum(), len(names)
    covariance = (
        i10 / (i10 - 1) / n1**2 * ten @ ten.T
        + i01 / (i01 - 1) / n0**2 * one @ one.T
        + i / (i - 1) / (n1 * n0) * (ten @ one.T + one @ ten.T)
    )
    return areas, covariance


def area(score: np.ndarray, positive: np.ndarray, patient: np.ndarray) -> tuple[float, ...]:
    """AUC with its interval on the logit scale: by t where patients have several cases."""
    (value,), ((variance,),) = obuchowski([score], positive, patient)
    fewest = min(len(set(patient[positive])), len(set(patient[~positive])))
    several = len(set(patient)) < len(patient)
    quantile = stats.t.ppf(0.975, fewest - 1) if several else Z
    half = quantile * np.sqrt(variance) / (value * (1 - value))
    return value, expit(logit(value) - half), expit(logit(value) + half)


def sides(t: Tables) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, scores and rows of what has intervals."""
    yield "test", t.scores["score"].to_numpy()[t.test], t.test
    yield "out_of_fold", t.scores["out_of_fold"].to_numpy()[t.train], t.train


def discrimination(t: Tables) -> Found:
    for name, score, rows in sides(t):
        found = area(score, t.positive[rows], t.patient[rows])
        for end, value in zip(("value", "lower", "upper"), found, strict=True):
            yield f"auc {name} {end}", value
    apparent = roc_auc_score(t.positive[t.train], t.scores["score"].to_numpy()[t.train])
    yield "auc train value", apparent


def cutoff(t: Tables) -> Found:
    """Youden's: halfway between the out-of-fold scores that it parts; the most sensitive one."""
    score = t.scores["out_of_fold"].to_numpy()[t.train]
    false, true, thresholds = roc_curve(t.positive[t.train], score, drop_intermediate=False)
    best = np.flatnonzero(true - false >= (true - false).max() - 1e-12)[-1]
    at = thresholds[best]
    yield "cutoff", (at + score[score < at].max()) / 2


# Decisions


def wilson(share: float, n: float) -> tuple[float, float]:
    """The two solutions p of (share - p)^2 = z^2 p (1 - p) / n."""
    ends = np.roots([1 + Z**2 / n, -2 * share - Z**2 / n, share**2])
    return float(ends.min()), float(ends.max())


def independent(hits: np.ndarray, among: np.ndarray, patient: np.ndarray) -> float:
    """Cases that count, once those of one patient are allowed for (Rao and Scott)."""
    names = [p for p in np.unique(patient) if among[patient == p].any()]
    n = np.array([among[patient == p].sum() for p in names], float)
    x = np.array([hits[patient == p].sum() for p in names], float)
    if (n == 1).all():
        return n.sum()
    m, share = len(names), x.sum() / n.sum()
    ratio = m / (m - 1) * np.sum((x - share * n) ** 2) / n.sum() ** 2
    effect = max(ratio / (share * (1 - share) / n.sum()), 1)
    return n.sum() / effect * (Z / stats.t.ppf(0.975, m - 1)) ** 2


def decisions(t: Tables) -> Found:
    for name, score, rows in sides(t):
        at = t.evaluation["cutoff"]["value"]
        yield from calls(name, score >= at, t.positive[rows], t.patient[rows])


def calls(name: str, called: np.ndarray, truth: np.ndarray, patient: np.ndarray) -> Found:
    """Measures of calls, with the intervals that they have."""
    (tn, fp), (fn, tp) = confusion_matrix(truth, called)
    everybody = np.ones(len(truth), bool)
    shares = {
        "accuracy": (called == truth, everybody), "sensitivity": (called & truth, truth),
        "specificity": (~called & ~truth, ~truth), "ppv": (called & truth, called),
        "npv": (~called & ~truth, ~called),
    }  # fmt: skip
    size, ends = {}, {}
    for key, (hits, among) in shares.items():
        value = hits.sum() / among.sum()
        size[key] = independent(hits, among, patient)
        ends[key] = wilson(value, size[key])
        yield from three(f"{key} {name}", value, *ends[key])
    sensitivity, specificity = tp / (tp + fn), tn / (tn + fp)
    jaccard = called | truth
    low, high = wilson(tp / jaccard.sum(), independent(called & truth, jaccard, patient))
    yield from three(f"f1 {name}", 2 * tp / (2 * tp + fp + fn), 2 * low / (1 + low),
                     2 * high / (1 + high))  # fmt: skip
    youden = sensitivity + specificity - 1
    down = np.hypot(sensitivity - ends["sensitivity"][0], specificity - ends["specificity"][0])
    up = np.hypot(sensitivity - ends["sensitivity"][1], specificity - ends["specificity"][1])
    yield from three(f"youden {name}", youden, youden - down, youden + up)
    yield from three(f"balanced_accuracy {name}", (youden + 1) / 2, (youden - down + 1) / 2,
                     (youden + up + 1) / 2)  # fmt: skip
    one, none = size["sensitivity"], size["specificity"]
    for key, a, b in (
        ("lr_positive", sensitivity, 1 - specificity),
        ("lr_negative", 1 - sensitivity, specificity),
    ):
        # Where a count is 0, 1/2 is added to both and to what they are of.
        more = 0 if a and b else 0.5
        x, y, m, n = a * one + more, b * none + more, one + more, none + more
        half = Z * np.sqrt(1 / x - 1 / m + 1 / y - 1 / n)
        middle = (x / m) / (y / n)
        low = middle * np.exp(-half) if a else 0.0
        high = middle * np.exp(half) if b else np.inf
        yield from three(f"{key} {name}", a / b if b else np.inf, low, high)
    phi = matthews_corrcoef(truth, called)
    half = Z * mcc_error(called, truth, patient) / (1 - phi**2)
    yield from three(f"mcc {name}", phi, np.tanh(np.arctanh(phi) - half),
                     np.tanh(np.arctanh(phi) + half))  # fmt: skip


def mcc_error(called: np.ndarray, truth: np.ndarray, patient: np.ndarray) -> float:
    """By the jackknife over patients; with one case each by the delta method on four shares."""
    names = np.unique(patient)
    if len(names) < len(patient):
        out = np.array([matthews_corrcoef(truth[patient != p], called[patient != p])
                        for p in names])  # fmt: skip
        return float(np.sqrt((len(out) - 1) * out.var()))

    def phi(p: np.ndarray) -> float:
        tp, fp, tn, fn = p
        return (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))

    cells = (called & truth, called & ~truth, ~called & ~truth, ~called & truth)
    shares = np.array([c.mean() for c in cells])
    steps = 1e-5 * np.eye(4)
    slope = np.array([(phi(shares + d) - phi(shares - d)) / 2e-5 for d in steps])
    covariance = np.diag(shares) - np.outer(shares, shares)
    return float(np.sqrt(slope @ covariance @ slope / len(truth)))


def three(name: str, value: float, lower: float, upper: float) -> Found:
    yield f"{name} value", value
    yield f"{name} lower", lower
    yield f"{name} upper", upper


# Probabilities


def logistic(
    design: np.ndarray, y: np.ndarray, patient: np.ndarray | None = None, offset: Any = 0.0
) -> tuple[np.ndarray, np.ndarray, float]:
    """Maximum likelihood with an intercept as first column, covariance and log-likelihood.

    Clustered by patient (sandwich, times m / (m - 1)) where patients have several cases.
    """

    def loss(b: np.ndarray) -> float:
        eta = design @ b + offset
        return float(np.sum(np.logaddexp(0, eta) - y * eta))

    def gradient(b: np.ndarray) -> np.ndarray:
        return design.T @ (expit(design @ b + offset) - y)

    def hessian(b: np.ndarray) -> np.ndarray:
        p = expit(design @ b + offset)
        return (design * (p * (1 - p))[:, None]).T @ design

    found = optimize.minimize(loss, np.zeros(design.shape[1]), jac=gradient, hess=hessian,
                              method="trust-exact", options={"gtol": 1e-10}).x  # fmt: skip
    bread = np.linalg.inv(hessian(found))
    names = np.unique(patient) if patient is not None else np.empty(0)
    if patient is not None and len(names) < len(y):
        each = design * (y - expit(design @ found + offset))[:, None]
        sums = np.array([each[patient == p].sum(axis=0) for p in names])
        bread = len(names) / (len(names) - 1) * bread @ sums.T @ sums @ bread
    return found, bread, -loss(found)


def calibrated(t: Tables) -> Found:
    out = t.scores["out_of_fold"].to_numpy()[t.train]
    yield from platt(out, t.positive[t.train])
    p = t.predictions.loc[t.obs.index[t.test], "probability"].to_numpy()
    score = t.scores["score"].to_numpy()[t.test]
    learnt = t.evaluation["calibrator"]
    assert np.allclose(p, expit(learnt["intercept"] + learnt["slope"] * score), atol=1e-12)
    yield from calibration_of("", p, t.positive[t.test], t.patient[t.test])


def platt(score: np.ndarray, positive: np.ndarray) -> Found:
    n1, n0 = positive.sum(), (~positive).sum()
    target = np.where(positive, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    (intercept, slope), _, _ = logistic(np.column_stack([np.ones(len(score)), score]), target)
    yield "platt intercept", intercept
    yield "platt slope", slope


def calibration_of(name: str, p: np.ndarray, truth: np.ndarray, patient: np.ndarray) -> Found:
    y, log_odds, ones = truth.astype(float), logit(p), np.ones(len(p))
    b, v, best = logistic(np.column_stack([ones, log_odds]), y, patient)
    for k, what in enumerate(("intercept", "slope")):
        if name and what == "intercept":  # not told of other readers
            continue
        half = Z * np.sqrt(v[k, k])
        yield from three(f"calibration {what}{name}", b[k], b[k] - half, b[k] + half)
    (a,), ((va,),), _ = logistic(ones[:, None], y, patient, log_odds)
    yield from three(f"calibration in the large{name}", a, a - Z * np.sqrt(va),
                     a + Z * np.sqrt(va))  # fmt: skip
    yield f"brier{name}", brier_score_loss(y, p)
    if name:
        return
    share = y.mean()
    yield "brier scaled", 1 - brier_score_loss(y, p) / brier_score_loss(y, share * ones)
    yield "log loss", log_loss(y, p)
    yield "expected over observed", p.sum() / y.sum()
    as_is = -log_loss(y, p, normalize=False)
    none = -log_loss(y, share * ones, normalize=False)
    yield "unreliability statistic", 2 * (best - as_is)
    yield "unreliability p", np.exp(-(best - as_is))
    yield "nagelkerke", (1 - np.exp(2 * (none - as_is) / len(y))) / (1 - np.exp(2 * none / len(y)))
    z = np.sum((y - p) * (1 - 2 * p)) / np.sqrt(np.sum((1 - 2 * p) ** 2 * p * (1 - p)))
    yield "spiegelhalter z", z
    groups = pd.qcut(p, int(np.clip(len(p) // 6, 3, 10)), labels=False, duplicates="drop")
    table = pd.DataFrame({"y": y, "p": p}).groupby(groups).agg(["sum", "count"])
    o1, e1, n = table["y", "sum"], table["p", "sum"], table["p", "count"]
    statistic = np.sum((o1 - e1) ** 2 / e1 + ((n - o1) - (n - e1)) ** 2 / (n - e1))
    yield "hosmer-lemeshow statistic", statistic
    yield "hosmer-lemeshow df", len(table)
    yield "hosmer-lemeshow p", stats.chi2.sf(statistic, len(table))


def benefit(t: Tables) -> Found:
    """Net benefit at some thresholds, here and where the outcome is rarer."""
    p = t.predictions.loc[t.obs.index[t.test], "probability"].to_numpy()
    truth = t.positive[t.test]
    for at in (0.1, 0.25, 0.5, 0.75):
        odds, called = at / (1 - at), p >= at
        yield f"net benefit at {at}", (called & truth).mean() - odds * (called & ~truth).mean()
        yield f"net benefit of all at {at}", truth.mean() - odds * (1 - truth.mean())
    if t.prevalence is None:
        return
    own = t.positive[t.train].mean()
    moved = expit(logit(p) + logit(t.prevalence) - logit(own))
    for at in (0.1, 0.25, 0.5):
        called = moved >= at
        yield (f"net benefit elsewhere at {at}",
               t.prevalence * called[truth].mean()
               - at / (1 - at) * (1 - t.prevalence) * called[~truth].mean())  # fmt: skip


# Readers, clinical variables, patients, subgroups


def readers_compared(t: Tables) -> Found:
    own, learnt = t.scores["score"].to_numpy()[t.test], t.evaluation["calibrator"]
    truth, patient, at = t.positive[t.test], t.patient[t.test], t.evaluation["cutoff"]["value"]
    for reader in t.readers[1:]:
        other = t.scores[f"score:{reader}"].to_numpy()[t.test]
        name = f", {reader}"
        yield from three(f"auc{name}", *area(other, truth, patient))
        yield from delong(f"delong{name}", other, own, truth, patient)
        p = expit(learnt["intercept"] + learnt["slope"] * other)
        yield from calibration_of(name, p, truth, patient)
        for key, value in calls("", other >= at, truth, patient):
            if key.startswith(("sensitivity", "specificity")):
                what, end = key.split()
                yield f"{what}{name} {end}", value
        found = agreement_by_patient(np.column_stack([own, other]), patient)
        yield from three(f"score icc{name}", *found[:3])
        yield from kappa(name, own >= at, other >= at, patient)
        gap = other - own
        yield f"bland-altman bias{name}", gap.mean()
        yield f"bland-altman lower{name}", gap.mean() - 1.959963984540054 * gap.std(ddof=1)
        yield f"bland-altman upper{name}", gap.mean() + 1.959963984540054 * gap.std(ddof=1)
        yield f"to positive{name}", np.sum((other >= at) & (own < at))
        yield f"to negative{name}", np.sum((other < at) & (own >= at))


def delong(name: str, a: np.ndarray, b: np.ndarray, truth: Any, patient: Any) -> Found:
    (first, second), v = obuchowski([a, b], truth, patient)
    error = np.sqrt(v[0, 0] + v[1, 1] - 2 * v[0, 1])
    gap = first - second
    yield from three(name, gap, gap - Z * error, gap + Z * error)
    # Scores that rank alike do not differ.
    yield f"{name} p", 2 * stats.norm.sf(abs(gap) / error) if error > 1e-12 else 1.0


def kappa(name: str, a: np.ndarray, b: np.ndarray, patient: np.ndarray) -> Found:
    """The interval by an infinitesimal jackknife: each patient's weight is moved a little."""
    names, owner = np.unique(patient, return_inverse=True)

    def weighted(w: np.ndarray) -> float:
        return cohen_kappa_score(a, b, sample_weight=w[owner])

    value, slope = weighted(np.ones(len(names))), np.zeros(len(names))
    for j in range(len(names)):
        up, down = np.ones(len(names)), np.ones(len(names))
        up[j], down[j] = 1 + 1e-5, 1 - 1e-5
        slope[j] = (weighted(up) - weighted(down)) / 2e-5
    half = Z * np.sqrt(np.sum(slope**2))
    yield from three(f"kappa{name}", value, max(value - half, -1), min(value + half, 1))


def clinical_model(t: Tables) -> Found:
    """Age and sex, the score, and both: AUCs, differences, and the test on the training cases."""
    clinical = np.column_stack([t.obs["age"], (t.obs["sex"] == "M").astype(float)])
    clinical = (clinical - clinical[t.train].mean(axis=0)) / clinical[t.train].std(axis=0)
    out = t.scores["out_of_fold"].to_numpy()[t.train]
    score, ones = t.scores["score"].to_numpy(), np.ones(len(t.obs))
    y, truth, patient = t.positive[t.train].astype(float), t.positive[t.test], t.patient[t.test]
    cl = np.column_stack([ones, clinical])
    both_train = np.column_stack([cl[t.train], out / out.std()])
    both_test = np.column_stack([cl[t.test], score[t.test] / out.std()])
    b0, _, l0 = logistic(cl[t.train], y, t.patient[t.train])
    b1, v1, l1 = logistic(both_train, y, t.patient[t.train])
    models = {"clinical": cl[t.test] @ b0, "score": score[t.test], "combined": both_test @ b1}
    for name, value in models.items():
        yield from three(f"auc {name}", *area(value, truth, patient))
    for first, second in (("combined", "clinical"), ("combined", "score"), ("score", "clinical")):
        yield from delong(f"delong {first} - {second}", models[first], models[second], truth,
                          patient)  # fmt: skip
    if len(set(t.patient[t.train])) == t.train.sum():
        statistic = 2 * (l1 - l0)
    else:
        statistic = b1[-1] ** 2 / v1[-1, -1]
    yield "added statistic", statistic
    yield "added p", stats.chi2.sf(statistic, 1)


def odds(t: Tables) -> Found:
    """Log odds ratios per unit of the training cases, each variable alone and all together."""
    own = t.train, t.patient[t.train]
    out = t.scores["out_of_fold"].to_numpy()[own[0]]
    x = np.column_stack([t.obs["age"][own[0]], (t.obs["sex"] == "M")[own[0]], out]).astype(float)
    sds, y = x.std(axis=0), t.positive[own[0]].astype(float)
    z = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / sds])
    whole, covariance, _ = logistic(z, y, own[1])
    for k, variable in enumerate(("age", "sex", "score")):
        b, v, _ = logistic(z[:, [0, k + 1]], y, own[1])
        pairs = {"alone": (b[1], v[1, 1]), "together": (whole[k + 1], covariance[k + 1, k + 1])}
        for kind, (value, variance) in pairs.items():
            b, se, name = value / sds[k], np.sqrt(variance) / sds[k], f"odds {variable} {kind}"
            yield from three(name, b, b - Z * se, b + Z * se)
            yield f"{name} p", 2 * stats.norm.sf(abs(b / se))


def of_patients(t: Tables) -> Found:
    """A patient is as high as the highest case, positive or called if any case is."""
    if len(set(t.patient)) == len(t.patient):
        return
    at = t.evaluation["cutoff"]["value"]
    frame = pd.DataFrame(
        {"score": t.scores["score"], "truth": t.positive, "patient": t.patient}
    )[t.test]  # fmt: skip
    each = frame.groupby("patient").max()
    score, truth = each["score"].to_numpy(), each["truth"].to_numpy()
    alone = np.arange(len(each))
    yield from three("auc patients", *area(score, truth, alone))
    yield from calls("patients", score >= at, truth, alone)


def subgroups(t: Tables) -> Found:
    for level in sorted(t.obs["sex"].dropna().unique()):
        rows = t.test & (t.obs["sex"] == level).to_numpy()
        score, truth = t.scores["score"].to_numpy()[rows], t.positive[rows]
        if min(truth.sum(), (~truth).sum()) >= 5:
            yield from three(f"auc sex {level}", *area(score, truth, t.patient[rows]))


# Refits, permutations, sizes


def stability(t: Tables) -> Found:
    refits = t.assessment["resamples"]
    if not refits:  # too few patients of an outcome for the folds of a bootstrap sample
        return
    learnt, at = t.evaluation["calibrator"], t.evaluation["cutoff"]["value"]
    score = t.scores["score"].to_numpy()
    own, called = expit(learnt["intercept"] + learnt["slope"] * score), score >= at
    likely = np.array([r["probability"] for r in refits], float)
    recalled = np.array([r["called"] for r in refits]) == 1
    low, high = (np.array([np.percentile(c, q) for c in likely.T]) for q in (2.5, 97.5))
    mape = np.array([np.mean([abs(r - p) for r in c]) for c, p in zip(likely.T, own, strict=True)])
    other = np.array([np.mean(c != k) for c, k in zip(recalled.T, called, strict=True)])
    for name, rows in (("training", t.train), ("test", t.test)):
        yield f"instability width {name}", np.median((high - low)[rows])
        yield f"instability widest {name}", (high - low)[rows].max()
        yield f"instability mape {name}", mape[rows].mean()
        yield f"instability mape, largest {name}", mape[rows].max()
        yield f"instability calls {name}", other[rows].mean()
        yield f"instability often {name}", (other[rows] > 0.1).sum()


def permuted(t: Tables) -> Found:
    """The observed AUC among those of the permuted outcomes."""
    score = t.scores["score"].to_numpy()[t.test]
    observed = roc_auc_score(t.positive[t.test], score)
    values = np.array(t.assessment["permutation"]["values"])
    yield "permutation observed", observed
    yield "permutation p", (1 + np.sum(values >= observed - 1e-12)) / (1 + len(values))


def optimistic(t: Tables) -> Found:
    refits = t.assessment["resamples"]
    if not refits:
        return
    truth, score = t.positive[t.train], t.scores["score"].to_numpy()[t.train]
    apparent = roc_auc_score(truth, score)
    # Where a refit's probability is the same for all its score, which is not kept, had the AUC.
    original = [
        roc_auc_score(truth, likely[t.train]) if np.ptp(likely) else r["areas"]["original"]
        for r, likely in ((r, np.array(r["probability"])) for r in refits)
    ]
    gap = np.mean([r["areas"]["apparent"] for r in refits]) - np.mean(original)
    outside = np.mean([r["areas"]["out_of_bag"] for r in refits])
    yield "optimism", gap
    yield "optimism corrected", apparent - gap
    overfit = (apparent - outside) / (apparent - 0.5) if apparent > outside > 0.5 else 0.0
    weight = 0.632 / (1 - 0.368 * overfit)
    yield "optimism .632+", (1 - weight) * apparent + weight * max(outside, 0.5)


def sizes(t: Tables) -> Found:
    """Widths that the test gives, and cases that would be enough (Riley 2021)."""
    p = t.predictions.loc[t.obs.index[t.test], "probability"].to_numpy()
    truth, n = t.positive[t.test], t.test.sum()
    share, c = truth.mean(), roc_auc_score(truth, t.scores["score"].to_numpy()[t.test])
    lp = logit(p)
    # Fisher's information of intercept and slope, inverted.
    w = p * (1 - p)
    information = np.array([[w.mean(), (w * lp).mean()], [(w * lp).mean(), (w * lp**2).mean()]])
    slope = np.linalg.inv(information)[1, 1]
    yield "size slope width", 2 * 1.96 * np.sqrt(slope / n)
    yield "size slope cases", np.ceil(slope * (2 * 1.96 / 0.2) ** 2)

    def newcombe(m: float) -> float:
        extra = (m / 2 - 1) * (1 - c) / (2 - c) + (m / 2 - 1) * c / (1 + c)
        return 2 * 1.96 * np.sqrt(c * (1 - c) * (1 + extra) / (m**2 * share * (1 - share)))

    yield "size c width", newcombe(n)
    yield "size c cases", next(m for m in range(2, 10**6) if newcombe(m) <= 0.1)
    se = np.sqrt((1 - share) / (share * n))
    yield "size oe width", np.exp(1.96 * se) - np.exp(-1.96 * se)


# The model


def combat(
    values: np.ndarray, batch: np.ndarray, new: np.ndarray, of_new: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Johnson, Li and Rabinovic 2007, section 3: learnt on one set, applied to both.

    Feature by feature as it is printed: ordinary least squares with the batches weighted by their
    size, priors by moments, iterated conditional posterior means.
    """
    n, g = values.shape
    names = np.unique(batch)
    share = np.array([np.mean(batch == b) for b in names])
    alpha, sigma = np.zeros(g), np.zeros(g)
    for j in range(g):
        means = np.array([values[batch == b, j].mean() for b in names])
        alpha[j] = share @ means
        residual = values[:, j] - means[np.searchsorted(names, batch)]
        sigma[j] = np.sqrt(np.sum(residual**2) / n)
    z, z_new = (values - alpha) / sigma, (new - alpha) / sigma
    out, out_new = np.empty_like(values), np.array(new, float)
    for b in names:
        own = z[batch == b]
        m = len(own)
        location = own.mean(axis=0)
        scale = np.array([np.sum((own[:, j] - location[j]) ** 2) / (m - 1) for j in range(g)])
        mean, tau = location.mean(), location.var(ddof=1)
        v, s2 = scale.mean(), scale.var(ddof=1)
        a, beta = v**2 / s2 + 2, v * (v**2 / s2 + 1)  # inverse gamma by moments
        star, spread = location.copy(), scale.copy()
        for j in range(g):
            for _ in range(1000):
                before = star[j], spread[j]
                star[j] = (m * tau * location[j] + spread[j] * mean) / (m * tau + spread[j])
                squares = np.sum((own[:, j] - star[j]) ** 2)
                spread[j] = (beta + squares / 2) / (m / 2 + a - 1)
                moved = max(abs(star[j] - before[0]), abs(spread[j] - before[1]))
                if moved < 1e-13:
                    break
        out[batch == b] = sigma * (own - star) / np.sqrt(spread) + alpha
        rows = of_new == b
        out_new[rows] = sigma * (z_new[rows] - star) / np.sqrt(spread) + alpha
    return out, out_new


def harmonised(t: Tables) -> Found:
    """The scores of all cases from raw values: agreement, ComBat, z-score, weights.

    And whether the weights are at the minimum of the penalised likelihood, by its conditions.
    """
    value = [agreement_of(t.ratings[t.train, k])[0] for k in range(len(t.features))]
    kept = np.flatnonzero(np.array(value) >= 0.75)
    own = t.ratings[:, kept, 0]
    yield "features that readers agree on", len(kept)
    first, second = own[t.train], own[t.test]
    if t.batch:
        batch = t.obs[t.batch].to_numpy()
        first, second = combat(first, batch[t.train], second, batch[t.test])
    mean, sd = first.mean(axis=0), first.std(axis=0)
    model = t.fit["model"]
    clip = model["clip"] or np.inf
    first, second = (np.clip((x - mean) / sd, -clip, clip) for x in (first, second))
    at = [[t.features[k] for k in kept].index(name) for name in model["features"]]
    weights = np.array(model["coefficients"])
    scores = np.empty(len(t.obs))
    for rows, z in ((t.train, first), (t.test, second)):
        scores[rows] = model["intercept"] + z[:, at] @ weights
    for case, value in zip(t.obs.index, scores, strict=True):
        yield f"score {case}", value
    path = model["lasso"]
    if path is None:
        return
    columns = [[t.features[k] for k in kept].index(name) for name in path["names"]]
    beta = np.zeros(len(columns))
    for name, weight in zip(model["features"], weights, strict=True):
        beta[path["names"].index(name)] = weight
    pull = first[:, columns].T @ (t.positive[t.train] - expit(scores[t.train])) / t.train.sum()
    yield "uphill, largest", uphill(pull, beta, path["chosen"], 0.5)


def uphill(pull: np.ndarray, beta: np.ndarray, penalty: float, l1: float) -> float:
    """How far a subgradient of the elastic net is from holding 0, in units of the penalty."""
    rest = pull - penalty * (1 - l1) * beta
    away = np.where(beta == 0, np.maximum(np.abs(rest) - penalty * l1, 0),
                    np.abs(rest - penalty * l1 * np.sign(beta)))  # fmt: skip
    return float(away.max() / penalty)


def conformal(t: Tables) -> Found:
    """How many cases of each kind of set, from ranks among the patients of each outcome."""
    frame = t.scores[t.train].assign(positive=t.positive[t.train])
    low = frame[frame["positive"]].groupby("patient")["out_of_fold"].min().to_numpy()
    high = frame[~frame["positive"]].groupby("patient")["out_of_fold"].max().to_numpy()
    sets = []
    for s in t.scores["score"].to_numpy()[t.test]:
        could_be = (1 + np.sum(low <= s)) / (1 + len(low)) > 0.1
        could_not = (1 + np.sum(high >= s)) / (1 + len(high)) > 0.1
        sets.append((could_be, could_not))
    found = np.array(sets)
    truth = t.positive[t.test]
    yield "sets uncertain", (found[:, 0] & found[:, 1]).mean()
    yield "sets covering", np.where(truth, found[:, 0], found[:, 1]).mean()


# A design of several parts


def over_parts(folder: Path) -> Numbers:
    """Mean AUC over the parts of a design with Nadeau and Bengio's interval."""
    predictions = pd.read_csv(folder / "results" / "predictions.csv")
    positive = yaml.safe_load((folder / "study.yaml").read_text())["outcome"]["positive"]
    n = len(pd.read_csv(folder / "results" / "scores.csv"))
    areas, tested = [], []
    for _, part in predictions.groupby(["repeat", "part"]):
        areas.append(roc_auc_score(part["outcome"] == positive, part["score"]))
        tested.append(len(part))
    j, size = len(areas), float(np.mean(tested))
    mean, variance = np.mean(areas), np.var(areas, ddof=1)
    half = stats.t.ppf(0.975, j - 1) * np.sqrt((1 / j + size / (n - size)) * variance)
    return {"parts": j, "mean": float(mean), "lower": float(max(mean - half, 0)),
            "upper": float(min(mean + half, 1))}  # fmt: skip


def worse(a: Numbers, b: Numbers, tolerance: float = 1e-6) -> list[str]:
    """Numbers of two sources that differ; what neither can tell is no difference."""
    return [
        f"{name}: {a[name]!r} and {b[name]!r}"
        for name in a
        if not np.isclose(a[name], b[name], rtol=tolerance, atol=tolerance * 1e-3, equal_nan=True)
    ]


if __name__ == "__main__":
    print(json.dumps(recompute(Path(sys.argv[1])), indent=1))
