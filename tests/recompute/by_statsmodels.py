"""The numbers of a study by statsmodels and pingouin, from its tables.

    python tests/recompute/by_statsmodels.py STUDY > numbers.json

For an environment of its own: neither is a dependency of the package. Names are those of
recompute.py, whose reading of the tables is used.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import statsmodels
import statsmodels.api as sm
from scipy.special import logit
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.diagnostic import lilliefors
from statsmodels.stats.inter_rater import cohens_kappa, to_table
from statsmodels.stats.proportion import proportion_confint

from recompute import Numbers, Tables


def numbers(folder: Path) -> Numbers:
    t = Tables(folder)
    alone = len(set(t.patient)) == len(t.patient)
    return {**_agreement(t, alone), **_population(t), **_decisions(t, alone),
            **_calibration(t, alone), **_added(t, alone), **_readers(t, alone)}  # fmt: skip


def _icc(ratings: np.ndarray) -> pd.Series:
    n, k = ratings.shape
    frame = pd.DataFrame(
        {"case": np.repeat(np.arange(n), k), "by": np.tile(np.arange(k), n), "x": ratings.ravel()}
    )
    return pingouin.intraclass_corr(frame, "case", "by", "x").set_index("Type").loc["ICC(A,1)"]


def _agreement(t: Tables, alone: bool) -> Numbers:
    found = {}
    for k, feature in enumerate(t.features):
        row = _icc(t.ratings[:, k])
        found |= {f"icc {feature} value": row["ICC"], f"icc {feature} f": row["F"]}
        if alone:
            found[f"icc {feature} p"] = row["pval"]
    return found


def _population(t: Tables) -> Numbers:
    """Tests of table 1 that statsmodels has: chi-square, and Lilliefors' of normality."""
    found = {}
    sides = np.where(t.test, "test", "training")
    for name, by in (("outcome", t.obs["outcome"].to_numpy()), ("side", sides)):
        for variable in ("level", "region", "scanner"):
            counts = Table(pd.crosstab(by, t.obs[variable].to_numpy()), shift_zeros=False)
            if counts.fittedvalues.min().min() >= 5:
                p = counts.test_nominal_association().pvalue
                found[f"table1 {variable} by {name}"] = p
    for outcome, own in t.obs[["patient", "outcome", "age"]].drop_duplicates().groupby("outcome"):
        found[f"normal age of {outcome}"] = lilliefors(own["age"], pvalmethod="table")[1]
    return found


def _decisions(t: Tables, alone: bool) -> Numbers:
    if not alone:
        return {}
    found, truth = {}, t.positive[t.test]
    called = t.predictions.loc[t.obs.index[t.test], "called"].to_numpy() == 1
    for name, hits, among in (
        ("accuracy", called == truth, np.ones(len(truth), bool)),
        ("sensitivity", called & truth, truth), ("specificity", ~called & ~truth, ~truth),
        ("ppv", called & truth, called), ("npv", ~called & ~truth, ~called),
    ):  # fmt: skip
        lower, upper = proportion_confint(hits.sum(), among.sum(), 0.05, "wilson")
        found |= {f"{name} test value": hits.sum() / among.sum(), f"{name} test lower": lower,
                  f"{name} test upper": upper}  # fmt: skip
    return found


def _fit(y, design, patient, alone, **known):
    """Covariance of the likelihood, or clustered with m / (m - 1) alone."""
    model = sm.GLM(y.astype(float), design, sm.families.Binomial(), **known)
    plain = model.fit(tol=1e-14, maxiter=200)
    if alone:
        return plain, plain.cov_params()
    groups = np.unique(patient, return_inverse=True)[1]
    clustered = model.fit(tol=1e-14, maxiter=200, cov_type="cluster",
                          cov_kwds={"groups": groups, "use_correction": False})  # fmt: skip
    m = groups.max() + 1
    return plain, clustered.cov_params() * m / (m - 1)


def _three(name: str, value: float, variance: float) -> Numbers:
    half = 1.959963984540054 * np.sqrt(variance)
    return {f"{name} value": value, f"{name} lower": value - half, f"{name} upper": value + half}


def _calibration(t: Tables, alone: bool) -> Numbers:
    p = t.predictions.loc[t.obs.index[t.test], "probability"].to_numpy()
    y, patient, lp = t.positive[t.test], t.patient[t.test], logit(p)
    line, v = _fit(y, sm.add_constant(lp), patient, alone)
    large, w = _fit(y, np.ones((len(y), 1)), patient, alone, offset=lp)
    return {
        **_three("calibration intercept", line.params[0], v[0, 0]),
        **_three("calibration slope", line.params[1], v[1, 1]),
        **_three("calibration in the large", large.params[0], w[0, 0]),
    }


def _added(t: Tables, alone: bool) -> Numbers:
    known = np.column_stack([t.obs["age"], (t.obs["sex"] == "M").astype(float)])[t.train]
    known = (known - known.mean(axis=0)) / known.std(axis=0)
    out = t.scores["out_of_fold"].to_numpy()[t.train]
    y, patient, score = t.positive[t.train], t.patient[t.train], out / out.std()
    clinical, _ = _fit(y, sm.add_constant(known), patient, alone)
    both, w = _fit(y, sm.add_constant(np.column_stack([known, score])), patient, alone)
    statistic = 2 * (both.llf - clinical.llf) if alone else both.params[3] ** 2 / w[3, 3]
    return {"added statistic": statistic}


def _readers(t: Tables, alone: bool) -> Numbers:
    reader, at = t.readers[1], t.evaluation["cutoff"]["value"]
    own, other = (t.scores[c].to_numpy()[t.test] for c in ("score", f"score:{reader}"))
    calls = np.column_stack([own >= at, other >= at]).astype(int)
    kappa = cohens_kappa(to_table(calls)[0])
    found = {f"score icc, {reader} value": _icc(np.column_stack([own, other]))["ICC"],
             f"kappa, {reader} value": kappa.kappa}  # fmt: skip
    if alone:
        found |= {f"kappa, {reader} lower": kappa.kappa_low, f"kappa, {reader} upper":
                  kappa.kappa_upp}  # fmt: skip
    return found


if __name__ == "__main__":
    told = {m.__name__: m.__version__ for m in (statsmodels, pingouin)}
    found = {name: float(value) for name, value in numbers(Path(sys.argv[1])).items()}
    print(json.dumps({"versions": told, "numbers": found}))
