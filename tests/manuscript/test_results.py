"""Every number of the abstract, the key points and the Results is one of the records.

The table below is typed by hand, independent of the generator: the shape of a sentence, and where
evaluation.json and the report's tables have its numbers. A sentence with a number that has no
shape here fails, and so does a number that is not the recorded one at its printed rounding.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from io import StringIO
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.population import MISSING, Count
from centrum.evaluate.readers import ReaderComparison
from centrum.manuscript.abstract import abstract_text
from centrum.manuscript.methods import Paragraph
from centrum.manuscript.results import results_text
from centrum.perturb import RobustnessSettings
from centrum.records import as_json
from centrum.report.blocks import Block
from centrum.report.build import sections_of
from centrum.report.numbering import REFERENCE
from centrum.report.results import StudyResults
from centrum.text import agreeing
from tests.report.conftest import Make

from .test_truth import ROWS, Row, study
from .variants import varied

SEARCH = {"selectors": ("lasso", "mrmr"), "classifiers": ("ridge", "logistic")}


@dataclass(frozen=True)
class Record:
    """What a study leaves in its files: evaluation.json, the tables, the choices."""

    results: StudyResults

    @cached_property
    def evaluation(self) -> dict[str, Any]:
        return json.loads(json.dumps(as_json(self.results.evaluation)))

    @cached_property
    def blocks(self) -> list[Block]:
        return sections_of(self.results)

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        return {
            table.key: pd.read_csv(StringIO(table.csv()), keep_default_na=False, na_values=[""])
            for block in self.blocks
            for table in block.tables
        }

    @property
    def test(self) -> dict[str, Any]:
        return self.evaluation["test"]

    @cached_property
    def flow(self) -> Mapping[str, Any]:
        (block,) = (b for b in self.blocks if b.anchor == "population")
        (chart,) = (p for p in block.pictures if p.key == "flow")
        return {row[0]: row[1:] for row in chart.data.rows}


Found = tuple[Any, ...]
Expected = Callable[[Record, list[str]], Found]

TOKENS = {
    "{n}": r"(−?\d+(?:\.\d+)?)",
    "{ci}": r"((?:\d+ % CI [−\d.]+(?:–| to )[−\d.]+(?: %)?)|no interval)",
    "{p}": r"(P [=<>] \.\d+|P = –)",
    "{w}": r"([^\d]+?)",
    "{~}": r"(.+?)",
}
"""A number, an interval, a P value, words, and a name of the study's own, which may have digits and
is always looked up."""


def shape(text: str) -> re.Pattern[str]:
    parts = re.split(r"(\{(?:n|ci|p|w|~)\})", text)
    return re.compile("".join(TOKENS.get(part) or re.escape(part) for part in parts))


def measure(found: Mapping[str, Any], *path: str) -> Found:
    """A value and its limits."""
    for name in path:
        found = found[name]
    return (found["value"], ends(found["interval"]))


def ends(found: Mapping[str, Any], scale: float = 1.0) -> tuple[float, float]:
    return (scale * number(found["lower"]), scale * number(found["upper"]))


def number(value: Any) -> float:
    return math.nan if value is None else float(value)


def called(found: Mapping[str, Any], *names: str) -> Found:
    """Shares in per cent with hits, cases and limits; nothing where no case was called so."""
    c = {name: found["confusion"][name] for name in ("tp", "fp", "tn", "fn")}
    counts = {
        "accuracy": (c["tp"] + c["tn"], sum(c.values())),
        "sensitivity": (c["tp"], c["tp"] + c["fn"]),
        "specificity": (c["tn"], c["tn"] + c["fp"]),
        "ppv": (c["tp"], c["tp"] + c["fp"]),
        "npv": (c["tn"], c["tn"] + c["fn"]),
    }
    told: list[Any] = []
    for name in names:
        own = found["measures"][name]
        if counts[name][1]:
            told += [100 * own["value"], *counts[name], ends(own["interval"], 100)]
    return tuple(told)


SHARE = "{n} % ({n} of {n}; {ci})"
NONE = "not defined, as no case was called so"


def age(r: Record, *names: str) -> Found:
    row = population(r, "age").loc[0]
    return (*row[[f"Overall {name}" for name in names]], row["P value"])


def population(r: Record, name: str) -> pd.DataFrame:
    table = r.tables["population"]
    return table[table["Characteristic"].str.startswith(name.capitalize())].reset_index()


def counts(found: tuple[Any, ...]) -> Found:
    """Cases, patients and cases of each outcome of a station, as sentences have them."""
    cases, patients, *outcomes = found
    return (cases, patients, *outcomes)


def mean_over_parts(r: Record, name: str) -> Found:
    row = r.tables["parts"].set_index("Measure").loc[name]
    return (row["Mean (CI) value"], (row["Mean (CI) lower"], row["Mean (CI) upper"]))


def of_table(r: Record, key: str, index: str, row: str, column: str) -> Found:
    found = r.tables[key].set_index(index).loc[row]
    value, lower, upper = (found[f"{column} {part}"] for part in ("value", "lower", "upper"))
    return (value, (lower, upper))


VARIANTS = {
    "the volume of the region alone": "volume",
    "the covariates alone": "clinical",
}


def sources(r: Record, names: list[str]) -> Found:
    told: list[Any] = []
    for name in names:
        row = r.tables["sources"].set_index("Information").loc[VARIANTS[name]]
        gap = "Difference to the model (CI)"
        told += [name, row["AUC, test (CI) value"], row[f"{gap} value"],
                 (row[f"{gap} lower"], row[f"{gap} upper"]), row["P value"]]  # fmt: skip
    return tuple(told)


def sparse(r: Record, _: list[str]) -> Found:
    own, few = (row for _, row in r.tables["sparse"].iterrows())
    gap = "Difference to the model (CI)"
    return (few["Features"], own["Features"], few["AUC, test (CI) value"], few[f"{gap} value"],
            (few[f"{gap} lower"], few[f"{gap} upper"]), few["P value"])  # fmt: skip


def added(r: Record, *names: str) -> Found:
    areas = r.evaluation["added"]["areas"]
    return tuple(part for name in names for part in measure(areas, name))


def gap(*found: Mapping[str, Any]) -> Found:
    """Differences, to their decimals those of the two values that they stand beside."""
    _, told = agreeing(*((each["first"], each["second"]) for each in found))
    pairs = zip(told, found, strict=True)
    return tuple(
        part for value, each in pairs for part in (value, ends(each["interval"]), each["p"])
    )


def ratio(r: Record, name: str) -> Found:
    """Of the score, per standard deviation."""
    table = r.tables["odds-ratios"]
    (row,) = (
        row for _, row in table.iterrows()
        if row["Variable"] == "Score" and row["Per"].startswith("SD")
    )  # fmt: skip
    head = next(c for c in table.columns if c.startswith(name) and c.endswith("CI)"))
    lower, upper = row[f"{head} lower"], row[f"{head} upper"]
    return (row[f"{head} value"], (lower, upper), row[f"P, {name.lower()} value"])


def agreement(found: pd.DataFrame) -> Found:
    """Median, quartiles, range, and how many keep the rule."""
    icc = found["icc"].dropna()
    n = int(found["kept"].sum())
    return (icc.median(), icc.quantile(0.25), icc.quantile(0.75), icc.min(), icc.max(), n,
            len(found), 100 * n / len(found))  # fmt: skip


def use(r: Record, sign: int) -> tuple[list[float], Mapping[str, Any]]:
    """Thresholds with a gain, or with the sign -1 a loss."""
    curve = r.evaluation["decision_curve"]
    best = np.maximum(curve["treat_all"], 0)
    gain = sign * (np.array(curve["model"]) - best)
    return [t for t, g in zip(curve["thresholds"], gain, strict=True) if g > 1e-9], curve


def gained(r: Record, _: list[str]) -> Found:
    there, curve = use(r, 1)
    n = sum(low > 0 for t, low in zip(curve["thresholds"], curve["difference_lower"], strict=True)
            if t in there)  # fmt: skip
    return (len(there), len(curve["thresholds"]), there[0], there[-1], 95, n)


def harmed(r: Record, _: list[str]) -> Found:
    there, curve = use(r, -1)
    model, every = np.array(curve["model"]), np.maximum(curve["treat_all"], 0)
    k = int(np.argmin(model - every))
    return (len(there), len(curve["thresholds"]), there[0], there[-1], curve["thresholds"][k],
            100 * (every - model)[k])  # fmt: skip


def subgroups(r: Record, names: list[str]) -> Found:
    """Variables with the AUC and size of each group or of the extreme ones, and their P."""
    rows = [row for row in r.evaluation["subgroups"] if not row["reason"]]
    by: dict[str, list[Any]] = {}
    for row in rows:
        by.setdefault(row["variable"], []).append(row)
    told: list[Any] = []
    for name, own in by.items():
        if len(own) < 2:
            continue
        shown = own if len(own) <= 3 else sorted(own, key=lambda row: row["auc"])[:: len(own) - 1]
        told.append(name)
        told += [part for row in shown for part in (row["auc"], LEVELS.get(row["level"],
                 row["level"]), row["n"])]  # fmt: skip
        told.append(own[0]["heterogeneity"])
    return tuple(told)


COMPARED = (
    "{~}, {n} ({~}, n = {n}) and {n} ({~}, n = {n}) ({p})",
    "{~}, {n} ({~}, n = {n}), {n} ({~}, n = {n}) and {n} ({~}, n = {n}) ({p})",
    "{~}, from {n} ({~}, n = {n}) to {n} ({~}, n = {n}; {p})",
)
"""Two groups of a column, three, and the extremes of more."""

LEVELS = {"F": "female", "M": "male"}


def other(r: Record, name: str) -> Mapping[str, Any]:
    (found,) = (each for each in r.evaluation["other_readers"] if each["name"] == name)
    return found


def other_cases(r: Record, name: str) -> int:
    table = r.tables["other-readers"]
    return int(table[table["Regions of"] == name]["Cases"].iloc[0])


def changed(r: Record, name: str) -> tuple[int, int]:
    found = other(r, name)
    return (found["to_positive"] + found["to_negative"], other_cases(r, name))


def reader(r: Record, name: str) -> Mapping[str, Any]:
    (found,) = (each for each in r.evaluation["readers"] if each["name"] == name)
    return found


def importance(r: Record, names: list[str]) -> Found:
    table = r.tables["importance"]
    row = table[table["Permuted"] == "group"].iloc[0]
    assert row["Features"].startswith(names[0])
    drop = "Drop in AUC (CI)"
    interval = (row[f"{drop} lower"], row[f"{drop} upper"])
    more = () if row["Number"] == 1 else (row["Number"] - 1,)
    return (names[0], *more, row[f"{drop} value"], interval)


def leading(r: Record, names: list[str]) -> Found:
    table = r.tables["score"]
    rows = table[table["No."].isin([str(k) for k in range(1, len(names) + 1)])]
    return tuple(part for _, row in rows.iterrows()
                 for part in (row["Feature"], row["Coefficient per SD"]))  # fmt: skip


def sides(r: Record, *names: str) -> Found:
    return tuple(part for name in names for part in counts(r.flow[name]))


def left_out(r: Record, _: list[str]) -> Found:
    excluded = sum(row[0] for name, row in r.flow.items() if name.startswith("excluded: "))
    lost = r.flow["not measured"][0]
    return (*r.flow["manifest"][:2], *([excluded] if excluded else []), *([lost] if lost else []))


def of_test(r: Record) -> Found:
    return (r.test["n"], r.test["n_patients"], r.test["n_positive"])


def missing(r: Record, _: list[str]) -> Found:
    table = r.tables["population"]
    rows = table[(table["Level"] == MISSING) & (table["Overall n"] < table["Overall total"])]
    return tuple(
        part
        for _, row in rows.iterrows()
        if row["Overall n"]
        for part in (
            row["Characteristic"].partition(" (")[0].lower(),
            row["Overall n"],
            row["Overall total"],
        )
    )


SHAPES: tuple[tuple[str, Expected], ...] = (
    # Population
    *((f"All {{n}} {kind}cases of {{n}} patients that were considered were analysed: {{n}} "
       "malignant and {n} osteoporotic ().", lambda r, _: counts(r.flow["analysed"]))
      for kind in ("simulated ", "")),
    *(
        (f"Of {{n}} {kind}cases of {{n}} patients that were considered, {lost}.", left_out)
        for kind in ("simulated ", "")
        for lost in (
            "{n} were excluded by the criteria of eligibility and {n} could not be measured",
            "{n} could not be measured",
        )
    ),
    ("{n} cases of {n} patients were analysed: {n} malignant and {n} osteoporotic ().",
     lambda r, _: counts(r.flow["analysed"])),
    ("{n} patients had more than one case.",
     lambda r, _: (sum(r.results.table.obs["patient"].value_counts() > 1),)),
    *((f"{{n}} {patients} had cases of both outcomes.", lambda r, _: (
        (r.results.table.obs.groupby("patient")["outcome"].nunique() > 1).sum(),))
      for patients in ("patient", "patients")),
    ("Of these, {n} cases of {n} patients ({n} malignant and {n} osteoporotic) made the training "
     "set and {n} cases of {n} patients ({n} malignant and {n} osteoporotic) the test set.",
     lambda r, _: sides(r, "training", "test")),
    ("The median age of the patients was {n} years (interquartile range {n}–{n}; {p} between the "
     "outcomes).", lambda r, _: age(r, "median", "lower", "upper")),
    ("The patients were {n} ± {n} years old (mean ± SD; range {n}–{n}; {p} between the outcomes).",
     lambda r, _: age(r, "mean", "sd", "minimum", "maximum")),
    ("Of {n} patients, {n} ({n} %) were female and {n} ({n} %) were male ({p} between the "
     "outcomes).", lambda r, _: (
        (sex := population(r, "sex").set_index("Level"))["Overall total"].iloc[0],
        *(part for level in "FM" for n in [sex.loc[level, "Overall n"]]
          for part in (n, 100 * n / sex.loc[level, "Overall total"])),
        sex["P value"].iloc[0])),
    *((f"The vertebrae were {listed}.", lambda r, names: tuple(
        part for name, row in population(r, "region").set_index("Level").iterrows()
        for part in (name, row["Overall n"])))
      for listed in ("{~} in {n} cases and {~} in {n} cases",)),
    *((f"Values were missing of {' and '.join(['{w} ({n} of {n})'] * k)}.", missing)
      for k in (1, 2)),
    # Agreement
    *((f"Between the readers, over all {{n}} cases, which {who} drew, the median ICC(A,1) of the "
       "features was {n} (interquartile range {n} to {n}; range {n} to {n}), and {n} of {n} "
       "({n} %) had ICC(A,1) > 0.75 ().",
       lambda r, _: (r.flow["analysed"][0], *agreement(r.results.agreement)))
      for who in ("both readers", "all 3 readers")),
    ("Between the readers, over all {n} cases, which both readers measured, the median ICC(A,1) of "
     "the features was {n} (interquartile range {n} to {n}; range {n} to {n}), and {n} of {n} "
     "({n} %) had ICC(A,1) > 0.75 ().",
     lambda r, _: (r.flow["analysed"][0], *agreement(r.results.agreement))),
    *((f"Over all {{n}} training cases, which {who}, {{n}} of {{n}} candidates passed the "
       "threshold and were left for the final model.",
       lambda r, _: (int((r.results.scores["part"] == "train").sum()),
                     r.results.model.funnel["agreement"], candidates(r)))
      for who in ("both readers drew", "all 3 readers drew", "both readers measured")),
    ('The regions of "{~}" and "{~}" overlapped with a median Dice coefficient of {n} '
     "(interquartile range {n}–{n}; {n} cases).", lambda r, names: (
        *names, *r.tables["overlap"].set_index("Readers").loc[
            " – ".join(names), ["Dice median", "Dice lower", "Dice upper", "Cases"]])),
    ("Under the perturbations the median ICC(1,1) of the features was {n} (interquartile range {n} "
     "to {n}; range {n} to {n}), and {n} of {n} ({n} %) had ICC(1,1) > 0.9.",
     lambda r, _: agreement(r.results.robustness)),
    # Model
    *((f"Of {{n}} candidate features {'; of these '.join(['{n} {w}'] * k)} ().",
       lambda r, names: (candidates(r), *funnel(r, names))) for k in range(1, 7)),
    *((f"The final model ({{w}}), fitted to {{n}} cases, read {{n}} {noun}.",
       lambda r, names: (names[0], r.results.model.n_train, len(r.results.model.features)))
      for noun in ("feature", "features")),
    ("The penalty of the {w} was λ = {n} ().",
     lambda r, names: (names[0], r.results.model.lasso.chosen)),
    ("Cross-validation took {n} features (mean {w} {n}, standard error {n}; ).",
     lambda r, names: ((found := r.results.model.feature_count).chosen, names[0],
                       found.mean[found.chosen - 1], found.se[found.chosen - 1])),
    ("Of {n} models the search chose {w} with {n} features and {w} (mean {w} {n}, standard error "
     "{n}) in cross-validation ().", lambda r, names: (
        len(table := r.tables["search"]), names[0], *(row := table[table["Chosen"] == "yes"].iloc[0]
        )[["Features"]], names[1], names[2], row["Mean"], row["SE"])),
    *((f"The largest {what} per standard deviation {were} of {told}; a positive one speaks for "
       "malignant ().", leading)
      for what, were, told in (
        ("coefficient", "was that", "{~} ({n})"),
        ("coefficients", "were those", "{~} ({n}) and {~} ({n})"),
        ("coefficients", "were those", "{~} ({n}), {~} ({n}) and {~} ({n})"))),
    *((f"Permutation of {{~}}{more} lowered the AUC of held-out cases most, by {{n}} ({{ci}}; ).",
       importance)
      for more in ("", " together with {n} feature correlated with it",
                   " together with {n} features correlated with it")),
    ("The stability of the selection over the parts (Nogueira's index) was {n} ({n} to {n}; ).",
     lambda r, _: stability(r)),
    # Performance
    ("On {n} test cases of {n} patients ({n} malignant) the AUC was {n} ({ci}; {p} against 0.5; , "
     ").", lambda r, _: (*of_test(r), *measure(r.test, "auc"), r.test["auc"]["p"])),
    *((f"Over the {{n}} parts of the design ({{w}}) the mean AUC was {{n}} ({ci}), ranging from "
       "{n} to {n} ().", lambda r, names: (
        len(r.results.validation.parts), names[0], *mean_over_parts(r, "AUC"),
        *r.tables["parts"].set_index("Measure").loc["AUC", ["Lowest", "Highest"]]))
      for ci in ("{ci}",)),
    ("By the cut-off of each part, means over the parts were: sensitivity {n} ({ci}), specificity "
     "{n} ({ci}) and accuracy {n} ({ci}).", lambda r, _: tuple(
        part for name in ("Sensitivity", "Specificity", "Accuracy")
        for part in mean_over_parts(r, name))),
    ("Pooled over the parts, the predictions of {n} cases of {n} patients ({n} malignant) had an "
     "AUC of {n} ({ci}; {p} against 0.5; , ).",
     lambda r, _: (*of_test(r), *measure(r.test, "auc"), r.test["auc"]["p"])),
    ("On the {n} cases that the final model was fitted to it was {n} ({ci}) out of fold and {n} "
     "apparent.", lambda r, _: (
        (train := r.evaluation["train"])["n"], *measure(r.evaluation["out_of_fold"], "auc"),
        train["auc"]["value"])),
    *((f"{begin} sensitivity was {SHARE}, specificity {SHARE}, accuracy {SHARE}, positive "
       f"predictive value {SHARE} and negative predictive value {SHARE}.",
       lambda r, _, cut=cut: (*([r.evaluation["cutoff"]["value"]] if cut else []), *called(
           r.test, "sensitivity", "specificity", "accuracy", "ppv", "npv")))
      for begin, cut in (("At the cut-off, a score of {n},", True),
                         ("Of the pooled calls, each by the cut-offs of its parts,", False))),
    (f"By patient ({{n}} of {{n}} malignant) the AUC was {{n}} ({{ci}}), sensitivity {SHARE} and "
     f"specificity {SHARE} ().", lambda r, _: (
        (own := r.evaluation["patients"])["n_positive"], own["n"], *measure(own, "auc"),
        *called(own, "sensitivity", "specificity"))),
    ("The test probabilities had a calibration slope of {n} ({ci}) and a calibration in the large "
     "of {n} ({ci}); Brier score {n}, ratio of expected to observed malignant cases {n} (, ).",
     lambda r, _: (*measure(found := r.evaluation["calibration"], "slope"),
                   *measure(found, "in_the_large"), found["brier"], found["expected_observed"])),
    ("No calibration slope could be estimated: {w}; Brier score {n}, ratio of expected to observed "
     "malignant cases {n} (, ).", lambda r, _: (
        (found := r.evaluation["calibration"])["reason"], found["brier"],
        found["expected_observed"])),
    ("The sets of outcomes held the true one of {n} % of the malignant and {n} % of the "
     "osteoporotic test cases; {n} % had one outcome in their set, of which {n} % were right, and "
     "{n} % were uncertain.", lambda r, _: tuple(100 * r.evaluation["conformal"][name] for name in (
        "coverage_positive", "coverage_negative", "decided", "right", "uncertain"))),
    *((f"Deciding by the model had a larger net benefit than calling all cases malignant and than "
       f"calling none at {{n}} of {{n}} threshold probabilities, between {{n}} and {{n}}; its "
       f"{{n}} % CI lay above 0 at {n} of them ().",
       gained if n != "none" else lambda r, _: gained(r, _)[:-1]) for n in ("{n}", "none")),
    ("It did harm, with a smaller net benefit than one of these, at {n} of {n} threshold "
     "probabilities, between {n} and {n}, most at {n}: {n} net true positives per 100 cases.",
     harmed),
    ('"{~}" had a sensitivity of {n} ({ci}) and a specificity of {n} ({ci}) in {n} cases ({p} and '
     "{p} against the calls of the model; ).", lambda r, names: (
        names[0], (own := reader(r, names[0]))["sensitivity"], ends(own["sensitivity_interval"]),
        own["specificity"], ends(own["specificity_interval"]), own["n"], own["p_sensitivity"],
        own["p_specificity"])),
    ("At this specificity the sensitivity of the model was {n} ({ci}).", lambda r, _: (
        (own := r.evaluation["readers"][0])["model_sensitivity"], ends(own["model_interval"]))),
    # Added value
    ("On the test cases the clinical model ({w}) had an AUC of {n} ({ci}), the score {n} ({ci}) "
     "and both together {n} ({ci}; , ).",
     lambda r, names: (names[0], *added(r, "clinical", "score", "combined"))),
    ("Both together differed from the clinical model by {n} ({ci}; {p}) and from the score by {n} "
     "({ci}; {p}).", lambda r, _: gap(
        (own := r.evaluation["added"]["differences"])["combined - clinical"],
        own["combined - score"])),
    ("On the training cases the score added to {w} with {p}.",
     lambda r, names: (names[0], r.evaluation["added"]["test"]["p"])),
    ("On the training cases the odds ratio of the out-of-fold score, per standard deviation, was "
     "{n} ({ci}; {p}) alone and {n} ({ci}; {p}) beside the other variables ().",
     lambda r, _: (*ratio(r, "Univariable"), *ratio(r, "Multivariable"))),
    ("By the same design () {w} gave an AUC of {n} (difference to the model {n}; {ci}; {p}).",
     sources),
    *((f"The sparse model read {{n}} features, the model {{n}}{mean}; its AUC on the same test "
       "cases was {n} (difference to the model {n}; {ci}; {p}; ).", sparse)
      for mean in ("", ", on average over the parts")),
    # Robustness
    ("On {n} permutations of the outcomes the mean AUC was {n}, against {n} on the true ones ({p}; "
     ").", lambda r, _: (
        len((own := r.results.validation.permutation).values), np.mean(own.values), own.observed,
        own.p)),
    *((f"{{n}} {pairs} of {{w}} stood on both sides of {{w}} ().", lambda r, names: (
        sum(side[{"equal rows": "equal_rows", "nearly equal rows": "near_copies"}[names[0]]]
            for side in r.results.validation.rows["parts"]), *names))
      for pairs in ("pair", "pairs")),
    ("Corrected for its optimism over {n} bootstrap samples, the apparent AUC of {n} became {n} by "
     "Harrell's method and {n} by the .632+ estimate ().", lambda r, _: (
        len(r.results.validation.resamples), *r.tables["optimism"]["Value"].iloc[[0, 2, 4]])),
    *((f"Over the same samples the probability of a {noun} varied within a range of {{n}} in the "
       "median (2.5th to 97.5th percentile), with a mean absolute prediction error of {n}; {n} of "
       f"{{n}} {noun}s {be} called otherwise in more than 10 % of the refits ().",
       lambda r, _: (*(row := r.tables["instability"].iloc[-1])[
           ["Width of the range, median", "MAPE, mean"]], row.iloc[-1], row["n"]))
      for noun in ("test case", "case") for be in ("was", "were")),
    *((f"In subgroups () the AUC was, by {'; by '.join(told)}.", subgroups)
      for k in (1, 2, 3, 4) for told in product(COMPARED, repeat=k)),
    ('With the regions of "{~}" instead of those of "{~}" the AUC of {n} test cases was {n} '
     "instead of {n}, a difference of {n} ({ci}; {p}); the ICC(A,1) of the scores was {n} ({ci}), "
     "Cohen's kappa of the calls {n} ({ci}), and {n} of {n} calls changed ().", lambda r, names: (
        *names, other_cases(r, names[0]),
        (own := other(r, names[0]))["difference"]["first"], own["difference"]["second"],
        *gap(own["difference"]), own["icc"], ends(own["icc_interval"]), *measure(own, "kappa"),
        *changed(r, names[0]))),
    # Abstract
    *((f"{{n}} {kind}cases of {{n}} patients ({{n}} malignant and {{n}} osteoporotic) were "
       "analysed.", lambda r, _: counts(r.flow["analysed"])) for kind in ("simulated ", "")),
    *((f"{{n}} radiomics features per case were {how}{among}.", lambda r, _, among=among: (
        len(r.results.table.features),
        *([0.75, len(r.results.table.compared)] if among else [])))
      for how in ("measured", "read from tables")
      for among in ("", "; those with ICC(A,1) > {n} between {n} readers were candidates")),
    ("The model ({w}) was tested by a stratified split of the patients, repeated {n} times, with "
     "every step refitted on training patients alone.",
     lambda r, names: (names[0], r.results.protocol.split.repeats or 20)),
    *((f"The model ({{w}}) was tested by nested {design}, repeated {{n}} times, with every step "
       "refitted on training patients alone.",
       lambda r, names: (names[0], (split := r.results.protocol.split).folds, split.repeats or 10))
      for design in ("{n}-fold cross-validation", "cross-validation with {n} outer folds")),
    ("The area under the ROC curve (AUC), sensitivity and specificity were estimated with {n} % "
     "confidence intervals (CI).", lambda r, _: (100 * r.test["confidence"],)),
    *((f"The model read {{n}} {noun}.", lambda r, _: (len(r.results.model.features),))
      for noun in ("feature", "features")),
    *((f"{begin}On {{n}} test cases of {{n}} patients ({{n}} malignant) the AUC was {{n}} "
       f"({{ci}}), sensitivity {SHARE} and specificity {SHARE}.", lambda r, _: (
        *of_test(r), *measure(r.test, "auc"), *called(r.test, "sensitivity", "specificity")))
      for begin in ("", "Findings: ")),
    *((f"{begin}Means over {{n}} parts of the design were: AUC {{n}} ({{ci}}), sensitivity {{n}} "
       "({ci}) and specificity {n} ({ci}).", lambda r, _: (
        len(r.results.validation.parts), *mean_over_parts(r, "AUC"),
        *mean_over_parts(r, "Sensitivity"), *mean_over_parts(r, "Specificity")))
      for begin in ("", "Findings: ")),
    ("The calibration slope was {n} ({ci}).",
     lambda r, _: measure(r.evaluation["calibration"], "slope")),
    ("The AUC of {w} alone was {n}; the score added {n} ({ci}; {p}).", lambda r, names: (
        names[0], (own := r.evaluation["added"])["areas"]["clinical"]["value"],
        *gap(own["differences"]["combined - clinical"]))),
    ("With the regions of {n} other readers the AUC was {n} to {n}.", lambda r, _: (
        len(own := [each["difference"]["first"] for each in r.evaluation["other_readers"]]),
        min(own), max(own))),
    ('With the regions of "{~}" the AUC was {n}, and {n} of {n} calls changed.',
     lambda r, names: (
        names[0], other(r, names[0])["difference"]["first"], *changed(r, names[0]))),
)  # fmt: skip
"""Shapes of sentences, and what stands in them by the records; references are left out."""


def candidates(r: Record) -> int:
    """Features and the columns that covariates make."""
    covariates = r.results.protocol.model.covariates
    assert set(covariates) <= {"age"}
    return len(r.results.table.features) + len(covariates)


def funnel(r: Record, names: list[str]) -> Iterator[Any]:
    """What was left where it was less than before, each with the words of the sentence."""
    left, before = [], candidates(r)
    for n in r.tables["selection"]["Features left"].iloc[1:]:
        left += [n] * (n < before)
        before = n
    return (part for pair in zip(left, names, strict=True) for part in pair)


def stability(r: Record) -> Found:
    note = next(b for b in r.blocks if b.anchor == "validation")
    (table,) = (t for t in note.tables if t.key == "stability")
    found = re.search(r"stability ([−\d.]+) \(([−\d.]+)–([−\d.]+)\)", table.notes[0])
    assert found is not None
    return tuple(float(part.replace("−", "-")) for part in found.groups())


COMPILED = [(shape(text), expected) for text, expected in SHAPES]


# The reading of a text


def sentences_of(paragraphs: tuple[Paragraph, ...]) -> list[str]:
    """Sentences without their references to tables and figures."""
    text = " ".join(paragraph.text for paragraph in paragraphs)
    begun = re.sub(rf"(?<=\. ){REFERENCE.pattern}", "Table", text, flags=re.IGNORECASE)
    plain = REFERENCE.sub("", begun)
    return re.split(r"(?<=[.?]) (?=[A-Z\d\[\"])", plain)


def problems(results: StudyResults) -> list[str]:
    """Sentences with a number that is not the recorded one, or that nobody knows."""
    record = Record(results)
    said = sentences_of((*abstract_text(results), *results_text(results)))
    return [why for sentence in said if re.search(r"(?<![A-Za-z])\d", sentence)
            for why in [wrong(record, sentence)] if why]  # fmt: skip


def wrong(record: Record, sentence: str) -> str:
    """Why a sentence is wrong; "" where all its numbers are recorded."""
    fits = [(found, expected) for pattern, expected in COMPILED
            if (found := pattern.fullmatch(sentence))]  # fmt: skip
    if not fits:
        return f"No shape: {sentence}"
    found, expected = max(fits, key=lambda fit: len(fit[0].groups()))
    printed = found.groups()
    names = [text for text in printed if not re.match(r"−?\d|P |no interval", text)]
    recorded = tuple(expected(record, names))
    if len(printed) != len(recorded):
        return f"{sentence}: {recorded}"
    pairs = zip(printed, recorded, strict=True)
    off = [f"{text} is {value}" for text, value in pairs if not same(text, value)]
    return f"{sentence}: {'; '.join(off)}" if off else ""


def same(text: str, value: Any) -> bool:
    """Whether what is printed is the recorded value at the printed rounding."""
    if isinstance(value, str):
        return text == value.replace("_", " ")
    if isinstance(value, tuple):
        return same_interval(text, *value)
    if text.startswith("P "):
        return same_p(text[2], text[4:], float(value))
    return near(text, float(value))


def near(text: str, value: float) -> bool:
    plain = text.replace("−", "-")
    digits = len(plain.partition(".")[2])
    return abs(float(plain) - value) <= 0.5 * 10**-digits + 1e-9


def same_interval(text: str, lower: float, upper: float) -> bool:
    if math.isnan(lower) or math.isnan(upper) or lower == upper:
        return text == "no interval"
    level, limits = re.fullmatch(r"(\d+) % CI (.+?)(?: %)?", text).groups()
    low, high = re.split(r"–| to ", limits)
    return level == "95" and near(low, lower) and near(high, upper)


def same_p(sign: str, text: str, value: float) -> bool:
    if text == "–":
        return math.isnan(value)
    if sign == "=":
        return near(text, value)
    return value < float(text) if sign == "<" else value > float(text)


# The studies


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


@pytest.mark.parametrize("row", ROWS[::3], ids=lambda row: "-".join(map(str, row)))
def test_every_number_is_recorded(make: Make, row: Row) -> None:
    assert problems(study(make, row)) == []


def test_every_number_of_odd_studies_is_recorded(make: Make) -> None:
    three = make(readers=("senior", "resident", "third"), rules=(), simulated="", n_selected=2)
    tried = make(searched=True, perturbed=RobustnessSettings(kinds=("noise",)), n_measured=60)
    search = {"search": SEARCH, "robustness": {"kinds": ("noise",)}}
    for each in (three, varied(tried, search), read_by_hand(make)):
        assert problems(each) == []


def read_by_hand(make: Make) -> StudyResults:
    """A study with the diagnoses of a reader, without them of some cases."""
    found = make(n_measured=60)
    comparison = ReaderComparison(
        "call", 17, 0.75, Interval(0.5, 0.9), 0.8, Interval(0.5, 1.0), 0.5, 0.04, 0.7,
        Interval(0.4, 0.9),
    )  # fmt: skip
    evaluation = replace(found.evaluation, readers=(comparison,))
    gaps = tuple(
        replace(row, level=MISSING, groups=row.groups, overall=Count(3, 57), significance=None)
        for row in found.population
        if row.variable == "age"
    )
    return replace(found, evaluation=evaluation, population=(*found.population, *gaps))


@pytest.mark.parametrize(
    ("old", "new"),
    [("the AUC was 0.", "the AUC was 1."), ("sensitivity was ", "sensitivity was 1"),
     ("apparent.", "apparent and 3."), ("P = .", "P = .9"), ("95 % CI ", "90 % CI ")],
)  # fmt: skip
def test_a_wrong_number_is_found(results: StudyResults, old: str, new: str) -> None:
    record = Record(results)
    told = [s for s in sentences_of(results_text(results)) if old in s]
    assert told
    for sentence in told:
        assert wrong(record, sentence) == ""
        assert wrong(record, sentence.replace(old, new, 1))
