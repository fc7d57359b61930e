"""Sections on how far the model can be trusted: calibration, use, design, size, stability."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.calibration import Calibration, Coefficient
from centrum.evaluate.comparison import delong_test
from centrum.evaluate.feature_stability import feature_stability, sign_stability
from centrum.evaluate.repeated import RepeatedMean, corrected_mean
from centrum.evaluate.sample_size import (
    SampleSize,
    minimum_sample_size,
    most_parameters,
    r2_of_c_statistic,
)
from centrum.modelling.optimism import optimism
from centrum.report import readings
from centrum.report.blocks import Block, Column, Estimate, Picture, PValue, Table, picture
from centrum.report.figures import (
    draw_calibration,
    draw_decision_curve,
    draw_parts,
    draw_precision_recall,
    draw_search,
)
from centrum.report.results import StudyResults
from centrum.report.tables import frame_table, not_computed
from centrum.report.words.model import CALIBRATIONS, CLASSIFIERS, MEASURES, SELECTORS
from centrum.report.words.validation import DESIGNS
from centrum.text import counted, fixed, interval_text, percent
from centrum.validation.fits import Prediction

WHOLE = "the model"
"""The variant that is the study's own."""

MOST_FEATURES = 30
"""Features of the table of stability, the most frequent."""

GOOD_AUC = 0.8
"""What the sample size is computed for when the model's own AUC is no better than chance."""

SHARE = (0.0, 1.0)
SCALES = {"Features": (0.0, np.inf)}
"""Ends of the scale of a measure, where it is not a share."""


def calibration_and_use(results: StudyResults) -> Block:
    """Probabilities: calibrated? useful? sure? the same for everybody?"""
    found = results.judgement
    tables = [calibration_table(found.calibration, found.evaluations["test"].confidence)]
    if found.subgroups:
        tables.append(subgroup_table(results))
    if found.readers:
        tables.append(reader_table(results))
    sets = found.conformal
    prose = (
        f"Scores became probabilities by {CALIBRATIONS[results.protocol.model.calibration].label}, "
        "learnt on out-of-fold scores of the training cases.",
        "Sets of outcomes that miss the true one in at most "
        f"{percent(found.decision.conformal.error)} of the patients of each outcome: "
        f"{percent(sets.decided, 0)} of the test cases have one outcome in their set "
        f"({percent(sets.right, 0)} of these the right one), {percent(sets.uncertain, 0)} "
        f"are uncertain, {percent(sets.neither, 0)} unlike both. The sets held the true outcome "
        f"of {percent(sets.coverage_positive, 0)} of the {results.model.positive} and "
        f"{percent(sets.coverage_negative, 0)} of the {results.model.negative} test cases.",
    )
    reason = found.calibration.reason
    warnings = (
        *((f"No calibration slope: {reason}.",) if reason else ()),
        *(f"{what} could not be computed: {why}" for what, why in found.failed.items()),
    )
    return Block(
        "Calibration and use", "calibration",
        prose=prose, warnings=warnings, tables=tuple(tables),
        pictures=(
            _calibration_picture(results),
            _decision_picture(results),
            _precision_picture(results),
        ),
    )  # fmt: skip


def calibration_table(found: Calibration, confidence: float) -> Table:
    """Slope, intercepts, errors and tests of the probabilities."""
    test = found.hosmer_lemeshow
    rows: list[tuple[Any, ...]] = [
        ("Calibration slope", _estimate(found.slope), "1"),
        ("Calibration intercept", _estimate(found.intercept), "0"),
        ("Calibration in the large", _estimate(found.in_the_large), "0"),
        ("Expected / observed", found.expected_observed, "1"),
        ("Brier score", found.brier, "0"),
        ("Scaled Brier score", found.brier_scaled, "1"),
        ("Log loss", found.log_loss, "0"),
        ("ICI (mean distance from the curve)", found.ici, "0"),
        ("E50 (median distance)", found.e50, "0"),
        ("E90 (90th percentile)", found.e90, "0"),
        ("Emax (largest)", found.emax, "0"),
    ]
    if test is not None:
        name = f"Hosmer-Lemeshow χ², {test.df} degrees of freedom"
        rows += [(name, test.statistic, ""), ("Hosmer-Lemeshow P", PValue(test.p), "")]
    columns = (Column("Measure"), Column(f"Test ({percent(confidence)} CI)"), Column("Ideal"))
    notes = (
        "A slope below 1 means that probabilities are too extreme; an intercept in the large above "
        "0 that they are too low. Hosmer-Lemeshow's test has little power in small samples and "
        "depends on the grouping.",
    )
    return Table("calibration", "Calibration", columns, tuple(rows), notes, main=True)


def _estimate(found: Coefficient) -> Estimate:
    return Estimate(found.value, found.interval.lower, found.interval.upper)


def subgroup_table(results: StudyResults) -> Table:
    """Performance by groups of the test cases."""
    rows = []
    for row in results.judgement.subgroups:
        numbers: tuple[Any, ...] = (row.reason, None, None, None)
        if not row.reason:
            pairs = (
                (row.auc, row.auc_interval),
                (row.sensitivity, row.sensitivity_interval),
                (row.specificity, row.specificity_interval),
            )
            estimates = [Estimate(v, i.lower, i.upper) for v, i in pairs]
            numbers = (*estimates, PValue(row.heterogeneity))
        sizes = (row.n, row.n_patients, row.n_positive)
        rows.append((row.variable, row.level, *sizes, *numbers))
    heads = ("Variable", "Group", "Cases", "Patients", results.model.positive, "AUC",
             "Sensitivity", "Specificity", "P (same AUC)")  # fmt: skip
    notes = (
        "Test cases. AUC with DeLong's interval by patient; P of Cochran's Q that the AUC is the "
        "same in all groups. Many groups are compared: a small P by chance is to be expected.",
    )
    columns = tuple(map(Column, heads))
    return Table("subgroups", "Subgroups", columns, tuple(rows), notes)


def reader_table(results: StudyResults) -> Table:
    """Readers, and the model at their specificity."""
    rows = tuple(
        (
            r.name,
            r.n,
            Estimate(r.sensitivity, r.sensitivity_interval.lower, r.sensitivity_interval.upper),
            Estimate(r.specificity, r.specificity_interval.lower, r.specificity_interval.upper),
            PValue(r.p_sensitivity),
            PValue(r.p_specificity),
            Estimate(r.model_sensitivity, r.model_interval.lower, r.model_interval.upper),
        )
        for r in results.judgement.readers
    )
    heads = ("Reader", "Cases", "Sensitivity", "Specificity", "P (sensitivity)",
             "P (specificity)", "Model's sensitivity at this specificity")  # fmt: skip
    notes = ("P: exact McNemar tests against the model's calls at its cut-off.",)
    columns = tuple(map(Column, heads))
    return Table("readers", "Readers beside the model", columns, rows, notes)


def _tested(results: StudyResults) -> tuple[Flags, NDArray]:
    """Whether each test case is positive, and its patient."""
    rows = results.scores.loc[list(results.judgement.tested)]
    positive = (rows["outcome"] == results.model.positive).to_numpy()
    return positive, rows["patient"].to_numpy()


def _calibration_picture(results: StudyResults) -> Picture:
    found, (positive, _) = results.judgement, _tested(results)
    curve, slope = found.calibration, found.calibration.slope
    outcomes = (results.model.positive, results.model.negative)
    data = pd.DataFrame(
        [(g.n, g.predicted, g.observed, g.interval.lower, g.interval.upper) for g in curve.groups],
        columns=["cases", "predicted", "observed", "lower", "upper"],
    )
    return picture(
        draw_calibration(curve, found.probability, positive, outcomes, results.simulated),
        "calibration", "Calibration",
        "Observed share against predicted probability: flexible curve (restricted cubic spline) "
        f"with 95 % interval, and {len(curve.groups)} groups of cases with Wilson intervals. "
        f"Below: the predictions by outcome. n = {len(positive)} test cases.",
        f"Calibration plot. Slope {fixed(slope.value, 2)}, mean distance {fixed(curve.ici, 2)}.",
        frame_table(data), reading=readings.calibrated(curve), main=True,
    )  # fmt: skip


def _decision_picture(results: StudyResults) -> Picture:
    found = results.judgement.decision_curve
    gain = found.model - np.maximum(found.treat_all, 0)
    better = found.thresholds[gain > 0]
    span = f"{fixed(better.min(), 2)} to {fixed(better.max(), 2)}" if better.size else "none"
    data = pd.DataFrame(
        {"threshold": found.thresholds, "model": found.model, "lower": found.lower,
         "upper": found.upper, "all": found.treat_all, "avoided per 100": found.avoided}
    )  # fmt: skip
    return picture(
        draw_decision_curve(found, results.simulated), "decision-curve", "Decision curve",
        "Net benefit of acting on the model's probability (95 % bootstrap interval by patient), "
        "on everybody and on nobody, over the probability from which on one would act. "
        f"n = {len(results.judgement.tested)} test cases, {results.model.positive} in "
        f"{percent(found.prevalence, 0)}: where the outcome is rarer, the curve is another.",
        f"Three curves. The model has the largest net benefit at thresholds from {span}.",
        frame_table(data), reading=readings.decision(found), main=True,
    )  # fmt: skip


def _precision_picture(results: StudyResults) -> Picture:
    found = results.judgement.precision_recall
    data = pd.DataFrame(
        {"threshold": found.thresholds, "precision": found.precision, "recall": found.recall}
    )
    return picture(
        draw_precision_recall(found, results.simulated), "precision-recall", "Precision and recall",
        f"Precision against recall of the test cases (n = {len(results.judgement.tested)}). "
        f"Dotted: the share of {results.model.positive}, which calling everybody positive gives.",
        f"Curve with an average precision of {fixed(found.average_precision, 2)}.",
        frame_table(data),
        reading=readings.precision(found, int(_tested(results)[0].sum()), results.model.positive),
    )  # fmt: skip


# The design


def validation(results: StudyResults) -> Block:
    """Every part of the design, what each source adds, optimism, size and stability."""
    parts, split = results.assessment.parts, results.protocol.split
    failed = [record for record in parts if record["error"]]
    areas = _areas(results)
    tables = [parts_table(results)] if len(parts) > 1 else []
    tables += [ablation_table(results)] if len(areas) > 1 else []
    if results.assessment.resamples:
        tables.append(optimism_table(results))
    tables += _stability_tables(results)
    tables.append(_size_table(results))
    searched = results.search
    if searched:
        tables.append(search_table(results))
    prose = (
        f"Design: {DESIGNS[split.design].label}; {counted(len(parts), 'part')}. In every part "
        "all steps were fitted again on its training patients, the choice of features and of their "
        "number included.",
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
    found = {WHOLE: results.assessment.parts, **results.assessment.ablation}
    return {name: _of(records, "auc") for name, records in found.items()}


def _of(records: Sequence[Prediction], name: str) -> Floats:
    return np.array([r[name] for r in records if r.get(name) is not None], dtype=float)


def means_over_parts(results: StudyResults) -> dict[str, RepeatedMean]:
    """Measure -> its mean over the parts that have it, with a corrected interval."""
    parts, confidence = _fitted(results), results.protocol.evaluation.confidence
    n_train, n_test = _mean_sizes(parts)
    return {
        name: corrected_mean(values, n_train, n_test, confidence, limits=SCALES.get(name, SHARE))
        for name, values in _by_part(parts).items()
        if values
    }


def _fitted(results: StudyResults) -> list[Prediction]:
    return [record for record in results.assessment.parts if not record["error"]]


def _mean_sizes(parts: Sequence[Prediction]) -> tuple[float, float]:
    """Mean number of training and of test cases."""
    train, test = (float(np.mean([r[name] for r in parts])) for name in ("n_train", "n_test"))
    return train, test


def parts_table(results: StudyResults) -> Table:
    """Means over the parts, with corrected intervals."""
    parts = _fitted(results)
    n_train, n_test = _mean_sizes(parts)
    by_part = _by_part(parts)
    rows = [
        (
            name,
            found.n,
            Estimate(found.mean, found.interval.lower, found.interval.upper),
            found.sd,
            min(by_part[name]),
            max(by_part[name]),
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


def _by_part(parts: Sequence[Prediction]) -> dict[str, list[float]]:
    """Measure -> its value in every part that has one."""
    found: dict[str, list[float]] = {
        "AUC": [], "Sensitivity": [], "Specificity": [], "Accuracy": [], "Brier score": [],
        "Features": [],
    }  # fmt: skip
    for record in parts:
        y, called = np.array(record["positive"]) == 1, np.array(record["called"]) == 1
        if record["auc"] is not None:
            found["AUC"].append(record["auc"])
        if y.any():
            found["Sensitivity"].append(float(called[y].mean()))
        if not y.all():
            found["Specificity"].append(float((~called[~y]).mean()))
        found["Accuracy"].append(float((called == y).mean()))
        found["Brier score"].append(float(np.mean((np.array(record["probability"]) - y) ** 2)))
        found["Features"].append(float(len(record["features"])))
    return found


def ablation_table(results: StudyResults) -> Table:
    """What each source adds."""
    rows: list[tuple[Any, ...]] = []
    for name, records in {WHOLE: results.assessment.parts, **results.assessment.ablation}.items():
        errors = [r["error"] for r in records if r["error"]]
        if errors and len(errors) == len(records):
            rows.append((name.replace("_", " "), None, errors[0], None, None))
            continue
        n = np.mean([len(r["features"]) for r in records if not r["error"]])
        area, difference, p = _against_model(results, records)
        shown = (None, None) if name == WHOLE else (difference, PValue(p))
        rows.append((name.replace("_", " "), float(n), area, *shown))
    heads = (
        "Information",
        "Features (mean)",
        "AUC, test (CI)",
        "Difference to the model (CI)",
        "P",
    )
    single = len(results.assessment.parts) == 1
    settings = (
        "DeLong's intervals and paired test on the same test cases."
        if single
        else "Mean over the parts; intervals and test by Nadeau and Bengio over the same parts."
    )
    notes = (
        f"{settings} volume: the size of the region alone, in a logistic regression. clinical: the "
        "covariates alone.",
    )
    columns = (
        Column(heads[0]), Column(heads[1], lambda v: "" if v is None else fixed(v, 1)),
        *map(Column, heads[2:]),
    )  # fmt: skip
    return Table("sources", "What each source adds", columns, tuple(rows), notes, main=True)


def _against_model(
    results: StudyResults, records: Sequence[Prediction]
) -> tuple[Estimate, Estimate, float]:
    """AUC of a variant, its difference to the model's, and p."""
    own, confidence = results.assessment.parts, results.protocol.evaluation.confidence
    if len(own) == 1:
        return _delong_against(results, records[0], own[0], confidence)
    pairs = [
        (r["auc"], o["auc"])
        for r, o in zip(records, own, strict=True)
        if r["auc"] is not None and o["auc"] is not None
    ]
    n_train, n_test = _mean_sizes(own)
    areas = corrected_mean([a for a, _ in pairs], n_train, n_test, confidence, limits=SHARE)
    gaps = corrected_mean([a - b for a, b in pairs], n_train, n_test, confidence)
    return _mean(areas.mean, areas.interval), _mean(gaps.mean, gaps.interval), gaps.p


def _delong_against(
    results: StudyResults, record: Prediction, own: Prediction, confidence: float
) -> tuple[Estimate, Estimate, float]:
    patients = results.scores["patient"].to_numpy()[record["case"]]
    scored = [Scored.of(r["score"], r["positive"], patients) for r in (record, own)]
    found = delong_test(scored[0], scored[1], confidence)
    from_half = delong_test(
        scored[0], Scored.of(np.zeros(len(patients)), record["positive"], patients)
    )
    shift = found.first - from_half.difference
    interval = Interval(from_half.interval.lower + shift, from_half.interval.upper + shift)
    return _mean(found.first, interval), _mean(found.difference, found.interval), found.p


def _mean(value: float, interval: Interval) -> Estimate:
    return Estimate(value, interval.lower, interval.upper)


def optimism_table(results: StudyResults) -> Table:
    """The apparent AUC, and corrected for optimism."""
    apparent = results.evaluations["train"].auc.value
    found = optimism(apparent, results.assessment.resamples)
    rows = (
        ("Apparent, final model on its own cases", found.apparent),
        ("Optimism, mean over the resamples", found.optimism),
        ("Corrected for optimism (Harrell)", found.harrell),
        ("Out of bag, mean over the resamples", found.out_of_bag),
        (".632+ estimate", found.plus_632),
    )
    notes = (
        f"{found.n} of {results.protocol.evaluation.optimism_resamples} bootstrap samples of all "
        "patients could be fitted to, the whole procedure repeated in each. The "
        "apparent AUC is that of the final model on its training cases. With selection among "
        "many features Harrell's correction is known to be too small.",
    )
    columns = (Column("AUC"), Column("Value", fixed))
    return Table("optimism", "Optimism", columns, rows, notes)


def _stability_tables(results: StudyResults) -> list[Table]:
    """How often each feature is selected, if the model was fitted more than once."""
    parts = _fitted(results)
    if len(parts) < 2:
        return []
    names = sorted({name for r in parts for name in r["features"]})
    selected = np.array([[name in r["features"] for name in names] for r in parts])
    weights = np.array([[r["features"].get(name) or 0.0 for name in names] for r in parts])
    n_all = len(results.table.features)
    padded = np.pad(selected, ((0, 0), (0, max(n_all - len(names), 0))))
    found = feature_stability(padded, results.protocol.evaluation.confidence)
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
    area = min(max(results.evaluations["test"].auc.value, 0.0), 0.99)
    c = area if area > 0.55 else GOOD_AUC
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


def search_table(results: StudyResults) -> Table:
    """Everything that the search tried, on all cases of the final fit."""
    rows = tuple(
        (
            SELECTORS[row["selector"]].label,
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
        draw_parts(areas, results.simulated),
        "parts", "AUC of every part, and what each source adds",
        f"Test AUC of every part (dots) and their mean (bars). n = "
        f"{counted(len(results.assessment.parts), 'part')}.",
        f"Dot plot of AUCs. Means: {listed}.",
        frame_table(data), reading=readings.parts(areas),
    )  # fmt: skip


def _search_picture(results: StudyResults) -> Picture:
    search = results.protocol.search
    measure = f"Cross-validated {MEASURES[search.measure]}" if search else ""
    best = results.search[0]
    data = pd.DataFrame(results.search)
    return picture(
        draw_search(results.search, measure, results.simulated), "search", "Search",
        f"{measure} within the training cases against the number of features, for every selector "
        "(colours) and classifier (panels). Hollow: dropped before all folds were seen. Diamonds: "
        f"chosen. n = {results.model.n_train} training cases.",
        f"Curves by classifier. Best: {SELECTORS[best['selector']].label} with "
        f"{best['n_features'] or 'all'} features and {CLASSIFIERS[best['classifier']].label}.",
        frame_table(data),
        reading=readings.search(results.search, search.measure if search else "auc"),
    )  # fmt: skip
