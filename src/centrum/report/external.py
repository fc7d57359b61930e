"""The report of an external validation: results in, blocks out."""

import re
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from centrum.evaluate.logistic import Coefficient
from centrum.frozen.external import Calibrated, ExternalValidation
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import needed_regions
from centrum.protocol.limits import RESEARCH_ONLY, outside_the_region
from centrum.report import readings
from centrum.report.blocks import Block, Column, Estimate, Picture, Point, PValue, Table, picture
from centrum.report.by_patient import beside_patients
from centrum.report.external_answers import MOVED, external_answers
from centrum.report.figures import draw_calibration, draw_decision_curve, draw_roc
from centrum.report.figures.decision_curve import BELOW
from centrum.report.figures.drift import SMALL, draw_drift
from centrum.report.other_readers import (
    agreement_picture,
    found_text,
    regions_table,
    score_agreement_table,
)
from centrum.report.patient import labels_of
from centrum.report.sections.calibration_and_use import curve_table
from centrum.report.sections.caveats import departures
from centrum.report.size_of_test import rests_on, size_of_test_table
from centrum.report.tables import frame_table, label_table, performance_table, shown_of
from centrum.report.words.agreement import icc_label
from centrum.report.words.results import PROBABILITIES
from centrum.text import counted, fixed, listed, percent

DRAWN = 25
"""Features whose drift is drawn, those that moved most."""


def external_blocks(
    model: FrozenModel, external: ExternalValidation, simulated: str
) -> list[Block]:
    """The sections of the page."""
    return [
        _summary(model, external, simulated),
        _cases(model, external),
        _discrimination(model, external, simulated),
        *_other_readers(model, external, simulated),
        _calibration(model, external, simulated),
        _drift(model, external, simulated),
        _cases_scored(external),
    ]


def _summary(model: FrozenModel, external: ExternalValidation, simulated: str) -> Block:
    outcomes = (model.positive, model.negative)
    return Block(
        "Summary",
        "summary",
        answers=external_answers(model, external, simulated),
        points=(
            *(Point(text, grave=True) for text in _doubts(model, external)),
            Point(RESEARCH_ONLY),
            Point(outside_the_region(model.protocol.images.region, needed_regions(model))),
        ),
        prose=(
            f"The frozen model {model.name!r} on {counted(len(external.cases), 'new case')} of "
            f"{counted(external.evaluation.n_patients, 'patient')}. Nothing in it was changed.",
            rests_on(external.evaluation, outcomes, "external"),
        ),
    )


def _doubts(model: FrozenModel, external: ExternalValidation) -> Iterator[str]:
    """What speaks against the numbers."""
    if external.refused:
        yield (
            f"{counted(len(external.refused), 'case')} could not be scored and took no part: what "
            "is found here holds for cases that can be scored."
        )
    if unknown := external.flags.get("unknown-batch"):
        yield (
            f"{counted(unknown, 'case')} from a batch (centre or scanner) that the model does not "
            "know: scored as they are, not harmonised."
        )
    yield from model.notes
    as_is = external.calibrated[0].calibration
    if not as_is.reason and (departs := departures(as_is)):
        yield (
            f"The probabilities are {listed(departs)}: calibration slope "
            f"{fixed(as_is.slope.value, 2)}, in the large {fixed(as_is.in_the_large.value, 2)}."
        )
    if moved := [d for d in external.drift if abs(d.shift) > MOVED]:
        yield (
            f"{counted(len(moved), 'feature')} of {len(external.drift)} moved by more than one "
            "training SD: acquisition, preparation or patients differ."
        )


def _cases(model: FrozenModel, external: ExternalValidation) -> Block:
    rows = tuple(external.refused.items())
    flags = tuple(external.flags.items())
    looked_at = "features" if model.of_tables else "image, region or features"
    tables = [Table("flags", "Flags", (Column("Flag"), Column("Cases")), flags)]
    if rows:
        columns = (Column("Case"), Column("Reason"))
        tables.insert(0, Table("refused", "Cases that were refused", columns, rows))
    return Block(
        "Cases",
        "cases",
        prose=(
            f"{counted(len(external.cases), 'case was', 'cases were')} scored, "
            f"{len(external.refused)} refused. Flags say where {looked_at} are unlike those of the "
            "training cases.",
        ),
        tables=tuple(tables),
    )


def _discrimination(model: FrozenModel, external: ExternalValidation, simulated: str) -> Block:
    named = {PROBABILITIES.get(c.name, c.name): c.evaluation for c in external.compared}
    shown = {**named, "External": external.evaluation}
    area, curve = external.evaluation.auc, external.evaluation.roc
    data = pd.DataFrame(
        {
            "threshold": curve.thresholds,
            "sensitivity": curve.sensitivity,
            "specificity": curve.specificity,
        }
    )
    roc = picture(
        partial(draw_roc, shown, external.band, mark=simulated),
        "roc",
        "ROC curves",
        "Sensitivity against 1 − specificity; dots are decisions at each model's frozen cut-off, "
        f"the band is the 95 % interval of the thick curve. {_sizes(model, external)}",
        f"ROC curve with an AUC of {fixed(area.value, 2)}.",
        frame_table(data),
        reading=_roc_reading(model, external),
        main=True,
    )
    decision = external.decision_curve
    net = picture(
        partial(draw_decision_curve, decision, simulated),
        "decision-curve",
        "Decision curve",
        "Net benefit of acting on the model's probability as it is, on everybody and on nobody; "
        f"{BELOW}. {_sizes(model, external)}",
        "Three curves, and the gain and harm of the model below them.",
        curve_table(decision),
        reading=readings.decision(decision),
        main=True,
    )
    performance = performance_table(
        {"External": external.evaluation, **named}, model.protocol.evaluation.prevalence
    )
    at = float(model.calibrator.predict_proba(np.array([model.cutoff]))[0])
    return Block(
        "Discrimination and decisions",
        "discrimination",
        prose=(_compared_text(external),),
        tables=(
            performance,
            *beside_patients(external.evaluation, external.by_patient, model.positive, "External"),
            *_compared_table(external),
            _conformal_table(model, external),
            size_of_test_table(external.evaluation, external.probability, at),
        ),
        pictures=(roc, net),
    )


def _sizes(model: FrozenModel, external: ExternalValidation) -> str:
    """Of how many a figure is."""
    e = external.evaluation
    return f"n = {counted(e.n, 'case')}, {e.n_positive} {model.positive}."


def _roc_reading(model: FrozenModel, external: ExternalValidation) -> str:
    c = external.evaluation.confusion
    return (
        f"At the frozen cut-off {c.tp} of {c.tp + c.fn} {model.positive} and {c.tn} of "
        f"{c.tn + c.fp} {model.negative} new cases are called right."
    )


def _compared_text(external: ExternalValidation) -> str:
    harmonised = [c for c in external.compared if c.name == "harmonised"]
    if not harmonised:
        return ""
    gain = harmonised[0].difference
    return (
        "Harmonised: the same model on features that ComBat moved to the training cases' location "
        "and scale, without their outcome, looking at all new cases at once. It changes the AUC by "
        f"{fixed(gain.difference)} ({fixed(gain.interval.lower)} to {fixed(gain.interval.upper)})."
    )


def _compared_table(external: ExternalValidation) -> list[Table]:
    if not external.compared:
        return []
    rows = [
        (
            PROBABILITIES.get(c.name, c.name),
            c.difference.first,
            c.difference.second,
            Estimate.of(c.difference.difference, c.difference.interval),
            PValue(c.difference.p),
            c.slope,
        )
        for c in external.compared
    ]  # fmt: skip
    heads = ("Score", "AUC", "AUC of the model", "Difference (95 % CI)", "P (DeLong)",
             "Calibration slope")  # fmt: skip
    columns = tuple(Column(h, fixed) if h.startswith(("AUC", "Cal")) else Column(h) for h in heads)
    title = "Other scores of the same patients"
    return [Table("compared", title, columns, tuple(rows), main=True)]


def _conformal_table(model: FrozenModel, external: ExternalValidation) -> Table:
    sets = external.conformal
    rows = (
        ("True outcome in the set", sets.coverage),
        (f"of {model.positive} cases", sets.coverage_positive),
        (f"of {model.negative} cases", sets.coverage_negative),
        ("One outcome alone", sets.decided),
        ("of these right", sets.right),
        ("Both outcomes (uncertain)", sets.uncertain),
        ("Neither", sets.neither),
    )
    columns = (Column("Sets"), Column("Share of the cases", lambda v: fixed(v, 2)))
    notes = (
        f"Aimed at holding the true outcome of {percent(1 - model.conformal.error)} of each "
        "outcome, which can be expected only of new cases that are like those of the training.",
    )
    return Table("sets", "Sets of possible outcomes", columns, rows, notes, main=True)


def _other_readers(model: FrozenModel, external: ExternalValidation, simulated: str) -> list[Block]:
    """The score by the regions of other readers, as the report of a study has it."""
    found = external.other_readers
    not_compared = tuple(
        f'The score by the regions of "{name}" could not be compared: {why}'
        for name, why in external.not_compared.items()
    )
    if not found:
        return [Block("The score by other readers", "other-readers", prose=not_compared)] * bool(
            not_compared
        )
    outcomes = (model.positive, model.negative)
    kept = "; the covariates stayed" if model.covariates else ""
    notes = (
        "New cases that both readers drew",
        "Cut-off and calibration are those of the frozen model.",
    )
    icc = icc_label(model.protocol.model.agreement)
    return [
        Block(
            "The score by other readers",
            "other-readers",
            prose=(
                "The model was applied to the features of regions that another reader drew of the "
                f"same cases. Nothing in it was changed{kept}.",
                *(found_text(each, "external") for each in found),
                *not_compared,
            ),
            tables=(
                regions_table(found, external.evaluation.confidence, notes),
                score_agreement_table(found, icc, "score", outcomes),
            ),
            pictures=(agreement_picture(found, outcomes, "score", "New cases", simulated),),
        )
    ]


def _calibration(model: FrozenModel, external: ExternalValidation, simulated: str) -> Block:
    return Block(
        "Calibration",
        "calibration",
        prose=(
            "Recalibrated probabilities of a case come from a curve that was fitted without its "
            "patient; the coefficients of the table are those to use from now on, fitted to all.",
            *(f"{PROBABILITIES[name]}: {why}" for name, why in external.not_recalibrated.items()),
        ),
        tables=(_calibration_table(external),),
        pictures=tuple(
            _calibration_picture(model, c, external, simulated) for c in external.calibrated
        ),
    )


def _calibration_table(external: ExternalValidation) -> Table:
    rows = [
        (
            PROBABILITIES[c.name],
            _estimate(c.calibration.slope),
            _estimate(c.calibration.intercept),
            _estimate(c.calibration.in_the_large),
            c.calibration.brier,
            None if c.update is None else c.update.intercept,
            None if c.update is None else c.update.slope,
        )
        for c in external.calibrated
    ]
    heads = ("Probabilities", "Slope (95 % CI)", "Intercept (95 % CI)", "In the large (95 % CI)",
             "Brier score", "To use: intercept", "To use: slope")  # fmt: skip
    return Table("calibration", "Calibration", tuple(map(Column, heads)), tuple(rows), main=True)


def _estimate(coefficient: Coefficient) -> Estimate:
    return Estimate.of(coefficient.value, coefficient.interval)


def _calibration_picture(
    model: FrozenModel, shown: Calibrated, external: ExternalValidation, simulated: str
) -> Picture:
    data = pd.DataFrame(
        [(g.n, g.predicted, g.observed, g.interval.lower, g.interval.upper)
         for g in shown.calibration.groups],
        columns=["cases", "predicted", "observed", "lower", "upper"],
    )  # fmt: skip
    outcomes = (model.positive, model.negative)
    return picture(
        partial(
            draw_calibration,
            shown.calibration,
            shown.probability,
            external.positive,
            outcomes,
            simulated,
        ),
        f"calibration-{re.sub('[ _]', '-', shown.name)}",
        f"Calibration: {PROBABILITIES[shown.name].lower()}",
        "Observed share against predicted probability: flexible curve and groups of cases with "
        f"95 % intervals. {_sizes(model, external)}",
        f"Calibration plot. Slope {fixed(shown.calibration.slope.value, 2)}.",
        frame_table(data),
        reading=readings.calibrated(shown.calibration),
        main=True,
    )


def _drift(model: FrozenModel, external: ExternalValidation, simulated: str) -> Block:
    labels = labels_of(model)
    rows = tuple((labels[d.name], d.shift, d.spread, d.outside, d.name) for d in external.drift)
    columns = (
        Column("Feature"),
        Column("Shift (training SDs)", fixed),
        Column("SD over training SD", fixed),
        Column("Share outside the training range", lambda v: fixed(v, 2)),
        Column("Column name"),
    )
    pairs = zip(model.scorer.features, model.features, strict=True)
    features = {name: feature for name, feature in pairs if feature is not None}
    small = sum(abs(d.shift) <= SMALL for d in external.drift)
    return Block(
        "Drift of the features",
        "drift",
        prose=(
            f"{small} of {len(external.drift)} features moved by at most {SMALL:g} training SDs.",
        ),
        tables=(
            Table("drift", "Drift of every feature", columns, rows),
            *([label_table(labels, features)] if features else []),
        ),
        pictures=(_drift_picture(labels, external, simulated),),
    )


def _drift_picture(labels: dict[str, str], external: ExternalValidation, simulated: str) -> Picture:
    shown, n = external.drift[:DRAWN], len(external.cases)
    which = shown_of(len(shown), len(external.drift), "largest shifts", "table drift")
    names = [labels[d.name] for d in shown]
    drawing = partial(
        draw_drift, names, [d.shift for d in shown], [d.outside for d in shown], simulated
    )
    data = pd.DataFrame([(d.name, d.shift, d.spread, d.outside) for d in shown],
                        columns=["feature", "shift", "spread", "outside"])  # fmt: skip
    return picture(
        drawing,
        "drift",
        "Drift",
        f"Features of the model, {which}: mean of the n = {n} new cases less that of the training "
        "cases, in training SDs (grey: small), and the share of the new cases that lies outside "
        "the training range.",
        f"Dot plot. The largest shift is {fixed(shown[0].shift, 2)} SDs.",
        frame_table(data),
        reading=f"{names[0]} moved most, by {fixed(shown[0].shift, 2)} training SDs.",
        main=True,
    )


def _cases_scored(external: ExternalValidation) -> Block:
    frame = external.predictions()
    return Block(
        "Scores",
        "scores",
        tables=(frame_table(frame, "scores", "Score of every case"),),
    )
