"""The section on how far the model can be trusted: design, sources, optimism, size, stability."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.comparison import delong_test
from centrum.evaluate.discrimination import auc_interval
from centrum.evaluate.feature_stability import (
    FeatureStability,
    feature_stability,
    sign_stability,
)
from centrum.evaluate.repeated import RepeatedMean, corrected_mean
from centrum.evaluate.sample_size import (
    SampleSize,
    minimum_sample_size,
    most_parameters,
    r2_of_c_statistic,
)
from centrum.modelling.optimism import Optimism, optimism
from centrum.modelling.settings import CLINICAL, MORPHOMETRY
from centrum.report import readings
from centrum.report.blocks import Block, Column, Estimate, Picture, PValue, Table, picture
from centrum.report.figures import draw_parts, draw_search
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.size_of_test import assumed_c, size_of_test_table
from centrum.report.tables import frame_table, not_computed
from centrum.report.words.model import (
    CLASSIFIERS,
    MEASURES,
    SELECTORS,
    selector_label,
    selects,
)
from centrum.report.words.results import AUC_INTERVAL
from centrum.report.words.validation import design_label
from centrum.text import counted, fixed, interval_text, listed, percent
from centrum.validation import over_parts
from centrum.validation.fits import Prediction
from centrum.validation.procedure import VOLUME

WHOLE = "the model"
"""The variant that is the study's own."""

MOST_FEATURES = 30
"""Features of the table of stability, the most frequent."""


@section
def validation(results: StudyResults) -> Block:
    """Every part of the design, what each source adds, optimism, size and stability."""
    parts, split = results.validation.parts, results.protocol.split
    failed = [record for record in parts if record["error"]]
    areas = _areas(results)
    tables = [parts_table(results)] if len(parts) > 1 else []
    tables += [ablation_table(results)] if len(areas) > 1 else []
    if results.validation.resamples:
        tables.append(optimism_table(results))
    tables += _stability_tables(results)
    tables += [_size_table(results), _size_of_test(results)]
    searched = results.search
    if searched:
        tables.append(search_table(results))
    prose = (
        f"Design: {design_label(split)}; {counted(len(parts), 'part')}. In every part all steps "
        f"were fitted again on its training patients{_chosen_again(results)}.",
    )
    warnings = (
        *(f"Part {r['name']} could not be fitted: {r['error']}" for r in failed[:5]),
        *not_computed(results, "ablation", "resamples"),
        *_unseen(parts),
    )
    pictures = [_parts_picture(results, areas)] if len(parts) > 1 or len(areas) > 1 else []
    pictures += [_search_picture(results)] if searched else []
    return Block(
        "Validation", "validation",
        prose=prose, warnings=warnings, tables=tuple(tables), pictures=tuple(pictures),
    )  # fmt: skip


def _chosen_again(results: StudyResults) -> str:
    """Which choices are among the steps that were fitted again; "" where there are none."""
    model = results.protocol.model
    chosen = (
        ["of the model"]
        if results.protocol.search is not None
        else [
            *(["of features"] if selects(model) else []),
            *(["of their number"] if model.n_features is not None else []),
        ]
    )
    return f", the choice {listed(chosen)} included" if chosen else ""


def _unseen(parts: Sequence[Prediction]) -> tuple[str, ...]:
    """Levels of covariates that only test cases have."""
    times = Counter[str]()
    for record in parts:
        times.update(record.get("unseen", {}))
    return tuple(
        f"{counted(n, 'test case')} with {level}, which no training case of the part had: scored "
        "as the reference level."
        for level, n in times.items()
    )


def _areas(results: StudyResults) -> dict[str, Floats]:
    """Variant -> test AUC of each part where it has one; the study's model first."""
    found = {WHOLE: results.validation.parts, **results.validation.ablation}
    return {name: _of(records, "auc") for name, records in found.items()}


def _of(records: Sequence[Prediction], name: str) -> Floats:
    return np.array([r[name] for r in records if r.get(name) is not None], dtype=float)


def means_over_parts(results: StudyResults) -> dict[str, RepeatedMean]:
    """Measure -> its mean over the parts that have it, with a corrected interval."""
    return over_parts.means_over_parts(
        results.validation.parts, results.protocol.evaluation.confidence
    )


def parts_table(results: StudyResults) -> Table:
    """Means over the parts, with corrected intervals."""
    parts = over_parts.fitted(results.validation.parts)
    n_train, n_test = over_parts.mean_sizes(parts)
    values = over_parts.by_part(parts)
    rows = [
        (
            name,
            found.n,
            Estimate.of(found.mean, found.interval),
            found.sd,
            min(values[name]),
            max(values[name]),
        )
        for name, found in means_over_parts(results).items()
    ]
    heads = ("Measure", "Parts", "Mean (CI)", "SD", "Lowest", "Highest")
    notes = (
        f"{counted(len(parts), 'part')} of {fixed(n_train, 0)} training and {fixed(n_test, 0)} "
        "test cases on the mean. Intervals by Nadeau and Bengio: parts share patients, so that "
        "their spread alone would make them too narrow. Each part has a cut-off of its own, learnt "
        "on its training cases.",
    )
    columns = tuple(map(Column, heads))
    return Table("parts", "Performance over the parts", columns, tuple(rows), notes)


def ablation_table(results: StudyResults) -> Table:
    """What each source adds."""
    rows: list[tuple[Any, ...]] = []
    for name, records in {WHOLE: results.validation.parts, **results.validation.ablation}.items():
        errors = [r["error"] for r in records if r["error"]]
        if errors and len(errors) == len(records):
            rows.append((name.replace("_", " "), None, errors[0], None, None))
            continue
        n = np.mean([len(r["features"]) for r in records if not r["error"]])
        area, difference, p = against_model(results, records)
        shown = (None, None) if name == WHOLE else (difference, PValue(p))
        rows.append((name.replace("_", " "), float(n), area, *shown))
    heads = (
        "Information",
        "Features (mean)",
        "AUC, test (CI)",
        "Difference to the model (CI)",
        "P",
    )
    told = [text for name, text in ALONE.items() if name in results.validation.ablation]
    notes = (" ".join((compared_by(results), *told)),)
    columns = (
        Column(heads[0]), Column(heads[1], lambda v: "" if v is None else fixed(v, 1)),
        *map(Column, heads[2:]),
    )  # fmt: skip
    return Table("sources", "What each source adds", columns, tuple(rows), notes, main=True)


ALONE = {
    VOLUME: "volume: the size of the region alone, in a logistic regression.",
    CLINICAL: "clinical: the covariates alone.",
    MORPHOMETRY: "morphometry: the measures of the bodies.",
}
"""What is said of the variants that are there."""


def compared_by(results: StudyResults) -> str:
    """How AUCs are held against that of the model."""
    if len(results.validation.parts) == 1:
        return (
            f"Intervals of the AUC: {AUC_INTERVAL}. Differences by DeLong's paired test on the "
            "same test cases."
        )
    return "Mean over the parts; intervals and test by Nadeau and Bengio over the same parts."


def against_model(
    results: StudyResults, records: Sequence[Prediction]
) -> tuple[Estimate, Estimate, float]:
    """AUC of a variant, its difference to the model's, and p."""
    own, confidence = results.validation.parts, results.protocol.evaluation.confidence
    if len(own) == 1:
        return _delong_against(results, records[0], own[0], confidence)
    pairs = [
        (r["auc"], o["auc"])
        for r, o in zip(records, own, strict=True)
        if r["auc"] is not None and o["auc"] is not None
    ]
    n_train, n_test = over_parts.mean_sizes(own)
    share = over_parts.SHARE
    areas = corrected_mean([a for a, _ in pairs], n_train, n_test, confidence, limits=share)
    gaps = corrected_mean([a - b for a, b in pairs], n_train, n_test, confidence)
    return _mean(areas.mean, areas.interval), _mean(gaps.mean, gaps.interval), gaps.p


def _delong_against(
    results: StudyResults, record: Prediction, own: Prediction, confidence: float
) -> tuple[Estimate, Estimate, float]:
    patients = results.scores["patient"].to_numpy()[record["case"]]
    scored = [Scored.of(r["score"], r["positive"], patients) for r in (record, own)]
    found = delong_test(scored[0], scored[1], confidence)
    interval = auc_interval(scored[0], confidence)
    return _mean(found.first, interval), _mean(found.difference, found.interval), found.p


def _mean(value: float, interval: Interval) -> Estimate:
    return Estimate.of(value, interval)


def optimism_of(results: StudyResults) -> Optimism:
    """Of the apparent AUC, by the refits."""
    apparent = results.evaluation.by_set["train"].auc.value
    return optimism(apparent, [refit.areas for refit in results.validation.resamples])


def optimism_table(results: StudyResults) -> Table:
    """The apparent AUC, and corrected for optimism."""
    found = optimism_of(results)
    rows = (
        ("Apparent, final model on its own cases", found.apparent),
        ("Optimism, mean over the resamples", found.optimism),
        ("Corrected for optimism (Harrell)", found.harrell),
        ("Out of bag, mean over the resamples", found.out_of_bag),
        (".632+ estimate", found.plus_632),
    )
    notes = (
        f"{found.n} of {results.protocol.evaluation.optimism_resamples} bootstrap samples of the "
        "training patients could be fitted to, the whole procedure repeated in each. The "
        "apparent AUC is that of the final model on its training cases. With selection among "
        "many features Harrell's correction is known to be too small.",
    )
    columns = (Column("AUC"), Column("Value", fixed))
    return Table("optimism", "Optimism", columns, rows, notes)


def _stability_tables(results: StudyResults) -> list[Table]:
    """How often each feature is selected, if the model was fitted more than once."""
    parts = over_parts.fitted(results.validation.parts)
    found = stability_over_parts(results)
    if found is None:
        return []
    names = _selected_names(parts)
    selected = _selected(parts, names)
    weights = np.array([[r["features"].get(name) or 0.0 for name in names] for r in parts])
    n_all = len(results.table.features)
    signs = sign_stability(selected, weights).share
    linear = any(value is not None for r in parts for value in r["features"].values())
    order = np.argsort(-found.frequency[: len(names)], kind="stable")[:MOST_FEATURES]
    rows = tuple(
        (
            names[k],
            Estimate(found.frequency[k], found.lower[k], found.upper[k]),
            float(signs[k]) if linear else None,
        )
        for k in order
    )
    columns = (
        Column("Feature"),
        Column("Share of the parts that select it (CI)"),
        Column("Share of these with the same sign", lambda v: "" if v is None else fixed(v, 2)),
    )
    ends = interval_text(found.interval.lower, found.interval.upper, 2)
    notes = (
        f"Nogueira's stability {fixed(found.stability, 2)} ({ends}): 0 as by chance, 1 always "
        f"the same; below 0.4 poor, above 0.75 excellent. Mean Jaccard index "
        f"{fixed(found.jaccard, 2)}. {len(names)} of {n_all} features were selected in any of "
        f"{len(parts)} parts.",
    )
    title = "Stability of the selection"
    return [Table("stability", title, columns, rows, notes, sorts=True)]


def stability_over_parts(results: StudyResults) -> FeatureStability | None:
    """Of the selection, features in the order of their names; None where there is one fit."""
    parts = over_parts.fitted(results.validation.parts)
    if len(parts) < 2:
        return None
    selected = _selected(parts, names := _selected_names(parts))
    padded = np.pad(selected, ((0, 0), (0, max(len(results.table.features) - len(names), 0))))
    return feature_stability(padded, results.protocol.evaluation.confidence)


def _selected_names(parts: Sequence[Prediction]) -> list[str]:
    return sorted({name for r in parts for name in r["features"]})


def _selected(parts: Sequence[Prediction], names: Sequence[str]) -> Flags:
    """(parts, names)."""
    return np.array([[name in r["features"] for name in names] for r in parts])


@dataclass(frozen=True)
class SizesNeeded:
    """What Riley's criteria ask for.

    Attributes
    ----------
    c, prevalence : C statistic that is assumed, and share of the positive outcome
    model, candidates : cases needed for the features of the model, and for all that were measured
    most : parameters that the study's cases support
    """

    c: float
    prevalence: float
    model: SampleSize
    candidates: SampleSize
    most: int


def sizes_needed(results: StudyResults) -> SizesNeeded:
    """Riley's criteria for the model at hand.

    Raises
    ------
    DataError
        The criteria cannot be computed for this AUC and prevalence.
    """
    n = len(results.scores)
    prevalence = int((results.scores["outcome"] == results.model.positive).sum()) / n
    c = assumed_c(results.evaluation.by_set["test"])
    r2 = r2_of_c_statistic(c, prevalence)
    model, candidates = (
        minimum_sample_size(len(features), prevalence, r2)
        for features in (results.model.features, results.table.features)
    )
    return SizesNeeded(c, prevalence, model, candidates, most_parameters(n, prevalence, r2))


def _size_table(results: StudyResults) -> Table:
    """Riley's criteria for the model at hand."""
    model, n = results.model, len(results.scores)
    positive = int((results.scores["outcome"] == model.positive).sum())
    try:
        needed = sizes_needed(results)
    except DataError as error:
        return Table("sample-size", "Sample size", (Column("Reason"),), ((str(error),),))
    rows: list[tuple[Any, ...]] = [
        (k.name, k.n, fixed(k.shrinkage, 2), fixed(k.events_per_parameter, 1))
        for k in needed.model.criteria
    ]
    rows.append((f"Needed for {len(model.features)} parameters", needed.model.n, "", ""))
    candidates = len(results.table.features)
    rows.append((f"Needed for all {candidates} candidates", needed.candidates.n, "", ""))
    rows.append((f"Parameters that {n} cases support", needed.most, "", ""))
    events = min(positive, n - positive)
    columns = (Column("Criterion"), Column("Cases"), Column("Shrinkage"),
               Column("Events per parameter"))  # fmt: skip
    notes = (
        f"Riley et al., BMJ 2020;368:m441, for a C statistic of {fixed(needed.c, 2)} and a share "
        f"of {model.positive} of {percent(needed.prevalence, 0)}. The study has {n} cases, "
        f"{events} of the rarer outcome: {fixed(events / max(len(model.features), 1), 1)} per "
        f"feature of the model, {fixed(events / candidates, 2)} per candidate. Selecting among "
        "candidates counts them all: penalisation and nested validation soften this, they do not "
        "undo it.",
    )
    return Table("sample-size", "Sample size", columns, tuple(rows), notes)


def _size_of_test(results: StudyResults) -> Table:
    found = results.evaluation
    at = float(found.decision.probability(np.array([found.decision.cutoff.value]))[0])
    return size_of_test_table(found.by_set["test"], found.probability, at)


def search_table(results: StudyResults) -> Table:
    """Everything that the search tried, on all cases of the final fit."""
    rows = tuple(
        (
            selector_label(row["selector"], results.protocol.model),
            str(row["n_features"] or "all"),
            CLASSIFIERS[row["classifier"]].label,
            row["folds"],
            row["mean"],
            row["se"],
            "yes" if row["chosen"] else "",
        )
        for row in results.search
    )
    heads = ("Selector", "Features", "Classifier", "Folds", "Mean", "SE", "Chosen")
    search = results.protocol.search
    measure = MEASURES[search.measure] if search else ""
    notes = (
        f"Cross-validated {measure} within the training cases. The winner's is too good, because "
        "it is the best of many: its honest figures are those of the test cases above. Candidates "
        "with fewer folds were dropped on the way.",
    )
    columns = tuple(map(Column, heads))
    return Table("search", "Search", columns, rows, notes, sorts=True)


def _parts_picture(results: StudyResults, areas: Mapping[str, Floats]) -> Picture:
    listed = "; ".join(
        f"{name} {fixed(float(np.mean(values)), 2)}"
        for name, values in areas.items()
        if len(values)
    )
    data = pd.DataFrame(
        [(name, value) for name, values in areas.items() for value in values],
        columns=["information", "auc"],
    )
    return picture(
        partial(draw_parts, areas, results.simulated),
        "parts", "AUC of every part, and what each source adds",
        f"Test AUC of every part (dots) and their mean (bars). n = "
        f"{counted(len(results.validation.parts), 'part')}.",
        f"Dot plot of AUCs. Means: {listed}.",
        frame_table(data), reading=readings.parts(areas),
    )  # fmt: skip


def _search_picture(results: StudyResults) -> Picture:
    search = results.protocol.search
    measure = f"Cross-validated {MEASURES[search.measure]}" if search else ""
    best = results.search[0]
    data = pd.DataFrame(results.search)
    labels = {name: selector_label(name, results.protocol.model) for name in SELECTORS}
    return picture(
        partial(draw_search, results.search, labels, measure, results.simulated),
        "search", "Search",
        f"{measure} within the training cases against the number of features, for every selector "
        "(colours) and classifier (panels). Hollow: dropped before all folds were seen. Diamonds: "
        f"chosen. n = {results.model.n_train} training cases.",
        f"Curves by classifier. Best: {labels[best['selector']]} with "
        f"{best['n_features'] or 'all'} features and {CLASSIFIERS[best['classifier']].label}.",
        frame_table(data),
        reading=readings.search(results.search, labels, search.measure if search else "auc"),
    )  # fmt: skip
