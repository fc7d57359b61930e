"""The score by the regions of other readers: text, tables and figure, of any set of cases."""

from collections.abc import Sequence
from functools import partial

import pandas as pd

from centrum.evaluate.logistic import Coefficient
from centrum.report import readings
from centrum.report.blocks import Column, Estimate, Picture, PValue, Table, picture
from centrum.report.figures import draw_bland_altman
from centrum.report.tables import frame_table
from centrum.report.words.results import AUC_INTERVAL, told_together
from centrum.text import counted, fixed, interval_text, p_equals, percent
from centrum.validation.other_readers import OtherReader, RegionPerformance


def found_text(found: OtherReader, cases: str = "test") -> str:
    """What changes with the regions of one other reader, in a sentence."""
    digits, (gap,) = told_together(found.difference)
    return (
        f'With the regions of "{found.name}" the {cases} AUC is {fixed(gap.first, digits)} instead '
        f"of {fixed(gap.second, digits)} (difference {fixed(gap.difference, digits)}, "
        f"{interval_text(gap.interval.lower, gap.interval.upper, digits, ' to ')}; "
        f"{p_equals(gap.p)}), "
        f"and {found.changed} of {counted(len(found.cases), 'call')} "
        f"{'changes' if found.changed == 1 else 'change'}."
    )


def regions_table(found: Sequence[OtherReader], confidence: float, notes: Sequence[str]) -> Table:
    """Discrimination, calls and calibration with the regions of each reader.

    `notes` say of which cases, and where cut-off and calibration come from.
    """
    rows, before = [], None
    for each in found:
        if each.cases != before:
            rows.append(_performance(each, each.primary))
        rows.append(_performance(each, each.other))
        before = each.cases
    heads = ("Regions of", "Cases", "Patients", "AUC (CI)", "Sensitivity (CI)",
             "Specificity (CI)", "Calibration slope (CI)", "In the large (CI)",
             "Brier score")  # fmt: skip
    intervals = (
        f"{percent(confidence)} intervals (AUC: {AUC_INTERVAL}; shares: Wilson, by patient)."
    )
    first, *further = notes
    said = (" ".join((f"{first}; {intervals}", *further)),)
    title = "Performance with the regions of each reader"
    return Table("other-readers", title, tuple(map(Column, heads)), tuple(rows), said, main=True)


def _performance(found: OtherReader, own: RegionPerformance) -> tuple[object, ...]:
    return (
        own.reader,
        len(found.cases),
        found.n_patients,
        Estimate.of(own.auc, own.auc_interval),
        Estimate.of(own.sensitivity, own.sensitivity_interval),
        Estimate.of(own.specificity, own.specificity_interval),
        _coefficient(own.slope),
        _coefficient(own.in_the_large),
        own.brier,
    )


def _coefficient(found: Coefficient) -> Estimate:
    return Estimate.of(found.value, found.interval)


def score_agreement_table(
    found: Sequence[OtherReader], icc: str, scored: str, outcomes: tuple[str, str]
) -> Table:
    """Agreement of score and call between the primary reader and each other one.

    Parameters
    ----------
    icc : name of the coefficient
    scored : what orders the cases, such as "score"
    outcomes : positive and negative
    """
    columns = [Column(f"{each.name} – {each.primary.reader}") for each in found]
    measures = {
        "Cases": lambda f: len(f.cases),
        "Difference of the AUC": lambda f: Estimate.of(f.difference.difference,
                                                     f.difference.interval),
        "P (DeLong, paired)": lambda f: PValue(f.difference.p),
        f"{icc} of the {scored}": lambda f: Estimate.of(f.icc, f.icc_interval),
        "Cohen's kappa of the calls": lambda f: Estimate.of(f.kappa.value, f.kappa.interval),
        f"Calls that change to {outcomes[0]}": lambda f: f.to_positive,
        f"Calls that change to {outcomes[1]}": lambda f: f.to_negative,
        f"Mean difference of the {scored}": lambda f: Estimate.of(
            f.limits.bias, f.limits.bias_interval),
        "Lower limit of agreement": lambda f: Estimate.of(f.limits.lower, f.limits.lower_interval),
        "Upper limit of agreement": lambda f: Estimate.of(f.limits.upper, f.limits.upper_interval),
    }  # fmt: skip
    rows = tuple((name, *map(measure, found)) for name, measure in measures.items())
    notes = (
        "Differences: other reader minus first. Between the limits of agreement 95 % of the "
        "differences are expected (Bland and Altman). Where patients have several cases the "
        "interval of the ICC is of the jackknife over patients, those of the limits are of the "
        "bootstrap by patient.",
    )
    title = f"Agreement of {scored} and call between readers"
    return Table("reader-scores", title, (Column("Measure"), *columns), rows, notes)


def agreement_picture(
    found: Sequence[OtherReader],
    outcomes: tuple[str, str],
    scored: str,
    cases: str,
    simulated: str,
) -> Picture:
    """Bland and Altman's plot of each other reader; `cases` is what they are called."""
    data = pd.DataFrame(
        [
            (each.name, case, outcomes[not positive], *scores, *called)
            for each in found
            for case, positive, scores, called in zip(
                each.cases, each.positive, each.scores.tolist(), each.called.astype(int).tolist(),
                strict=True,
            )
        ],
        columns=["reader", "case", "outcome", "first reader", "other reader",
                 "called by first", "called by other"],
    )  # fmt: skip
    n = "; ".join(f"{each.name} n = {len(each.cases)}" for each in found)
    return picture(
        partial(draw_bland_altman, found, outcomes, scored, simulated),
        "bland-altman", f"Agreement of the {scored} between readers",
        f"Difference of the {scored} with the regions of the other reader and of "
        f'"{found[0].primary.reader}" against their mean (Bland and Altman), with the mean '
        "difference, the 95 % limits of agreement and their intervals (grey). Ringed: cases whose "
        f"call changes. {cases}: {n}.",
        f"Bland-Altman plot. {readings.between_readers(found, scored)}",
        frame_table(data), reading=readings.between_readers(found, scored),
    )  # fmt: skip
