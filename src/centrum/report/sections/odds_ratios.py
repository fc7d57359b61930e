"""The section on odds ratios: each variable alone, and all of them together with the score."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from centrum.evaluate.odds_ratios import FEWEST_EVENTS, LogOddsRatio, Penalty
from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.morphometry.measures import MEASURES, BodyMeasure
from centrum.protocol import Protocol
from centrum.report.blocks import Block, Column, Estimate, PValue, Table
from centrum.report.labels import heading
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.text import counted, fixed, listed, percent, sentences, significant
from centrum.validation.added_value import SCORE
from centrum.validation.odds_ratios import OddsRatios, OddsRow

STEPS = {"share": 0.1}
"""Units of which an odds ratio is told per part: a share has no more than one of them."""

SMALL, LARGE = 0.1, 100
"""Odds ratios below would lose their digits to two decimals; above, decimals tell nothing."""

PENALTIES: dict[Penalty, str] = {
    "empty": "a level occurs with one outcome alone",
    "few": f"fewer than {FEWEST_EVENTS} training cases of the rarer outcome for each variable",
    "parted": "the likelihood has no maximum",
}
"""Why Firth's penalty was used."""


@dataclass(frozen=True)
class OddsRatio(Estimate):
    """An odds ratio, with two decimals, two digits below 0.1 and none after the point from 100 on.

    >>> OddsRatio(1.0305, 0.9794, 12.084).text, OddsRatio(0.0261, 0.00517, 0.1314).text
    ('1.03 (0.98–12.08)', '0.026 (0.0052–0.13)')
    >>> OddsRatio(624.98, 38.2, 404765.8).text
    '625 (38.20–404766)'
    """

    @property
    def text(self) -> str:
        """Value (lower–upper)."""
        return f"{self.value_text} ({self.limits_text})"

    @property
    def value_text(self) -> str:
        """The value alone."""
        return _two_digits(self.value)

    @property
    def limits_text(self) -> str:
        """The limits alone."""
        return f"{_two_digits(self.lower)}–{_two_digits(self.upper)}"


def _two_digits(ratio: float) -> str:
    if 0 < ratio < SMALL:
        return significant(ratio, 2)
    return fixed(ratio, 2 if ratio < LARGE else 0)


@section
def odds_ratios(results: StudyResults) -> Block | None:
    """The table; None where there is no variable beside the score."""
    found = results.evaluation.odds_ratios
    if found is None:
        return None
    prose = (
        f"Logistic regressions on {variables_text(found)}, one by one (univariable) and all "
        "together (multivariable). The protocol names the variables "
        f"({asked_text(results.protocol)}), as far as they are known and differ; none was chosen "
        "by its P. The score is the out-of-fold score of the training cases.",
    )
    return Block("Odds ratios", "odds-ratios", prose=prose, tables=(_table(results, found),))


def variables_text(found: OddsRatios) -> str:
    """The variables, the score last."""
    names = dict.fromkeys(row.variable for row in found.rows)
    return listed([_words(name) for name in names])


def asked_text(protocol: Protocol) -> str:
    """Which variables the protocol asks for."""
    asked = (*protocol.morphometry_covariates, *protocol.evaluation.odds_ratios)
    further = [_words(name) for name in dict.fromkeys(asked)]
    return listed(["those of the clinical model", *further, "the score"])


def _words(variable: str) -> str:
    if variable == SCORE:
        return "the score"
    measure = _measure(variable)
    return measure.words if measure else variable.replace("_", " ")


def _measure(variable: str) -> BodyMeasure | None:
    """The measure of the bodies that a variable is."""
    known = variable.startswith(MORPHOMETRY_PREFIX)
    return MEASURES[variable.removeprefix(MORPHOMETRY_PREFIX)] if known else None


def _table(results: StudyResults, found: OddsRatios) -> Table:
    interval = f"odds ratio ({percent(results.protocol.evaluation.confidence)} CI)"
    heads = ("Variable", "Per", f"Univariable {interval}", "P, univariable",
             f"Multivariable {interval}", "P, multivariable")  # fmt: skip
    rows = tuple(cells for row in found.rows for cells in _cells(row))
    title = f"Odds ratios of {results.model.positive}"
    notes = (_cases(results, found), penalty_text(found), *_left_out(found))
    columns = tuple(map(Column, heads))
    return Table("odds-ratios", title, columns, rows, tuple(n for n in notes if n), main=True)


def _cells(row: OddsRow) -> Iterator[tuple[Any, ...]]:
    """A line per unit, and one per standard deviation of a number."""
    measure = _measure(row.variable)
    name = measure.heading if measure else heading(row.variable)
    if row.level:
        yield name, f"{row.level}, against {row.reference}", *_ratios(row, 1.0)
        return
    step = STEPS.get(measure.unit, 1.0) if measure else 1.0
    yield name, f"{step:g}", *_ratios(row, step)
    yield name, f"SD, {fixed(row.sd, 2)}", *_ratios(row, row.sd)


def _ratios(row: OddsRow, units: float) -> tuple[OddsRatio | PValue, ...]:
    return (*odds_ratio(row.alone.times(units)), *odds_ratio(row.together.times(units)))


def odds_ratio(found: LogOddsRatio) -> tuple[OddsRatio, PValue]:
    """An odds ratio with its interval, and its P."""
    ends = (found.value, found.interval.lower, found.interval.upper)
    return OddsRatio(*map(_exp, ends)), PValue(found.p)


def _exp(value: float) -> float:
    """Without end where no number is large enough."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _cases(results: StudyResults, found: OddsRatios) -> str:
    return sentences(
        f"{counted(found.n, 'training case')} of {counted(found.n_patients, 'patient')}, "
        f"{found.n_positive} {results.model.positive}. SD: standard deviation of the training "
        "cases.",
        f"{counted(found.filled, 'case')} without one of the values took the mean."
        if found.filled
        else "",
        _wald(found),
    )


def penalty_text(found: OddsRatios) -> str:
    """Which regressions were penalised, and why; nothing where none was."""
    why = {f"{_words(row.variable)} alone": row.penalty for row in found.rows}
    why["all together"] = found.penalty
    where = [
        f"{listed([name for name, own in why.items() if own == penalty])} ({reason})"
        for penalty, reason in PENALTIES.items()
        if penalty in why.values()
    ]
    if not where:
        return ""
    profile = (
        "with the larger of the variances by patient and by case"
        if found.by_patient
        else "with intervals and P of the profile of the penalised likelihood"
    )
    return f"By Firth's penalised likelihood, {profile}: {'; '.join(where)}."


def _wald(found: OddsRatios) -> str:
    """Of the regressions by maximum likelihood, if there are any."""
    if all((found.penalty, *(row.penalty for row in found.rows))):
        return ""
    clustered = ", with variances clustered by patient" * found.by_patient
    return f"Intervals and P of maximum likelihood are Wald's{clustered}."


def _left_out(found: OddsRatios) -> list[str]:
    if not found.bound:
        return []
    return [
        f"Left out, because each value occurs with one outcome alone and may follow from it: "
        f"{listed([name.replace('_', ' ') for name in found.bound])}."
    ]
