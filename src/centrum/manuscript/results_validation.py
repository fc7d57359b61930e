"""How far the results hold: optimism, chance, other patients, subgroups and readers, in numbers."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

import numpy as np

from centrum.evaluate.subgroups import Subgroup
from centrum.manuscript.estimates import TO, difference, estimate
from centrum.manuscript.results_population import SEXES
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.instability import OFTEN, instability_of, shown_instability
from centrum.report.sections.leak_audit import crossings
from centrum.report.sections.validation import optimism_of, stability_over_parts
from centrum.report.words.agreement import icc_label
from centrum.report.words.results import told_together
from centrum.text import (
    counted,
    fixed,
    interval_text,
    listed,
    p_equals,
    percent,
    sentence_case,
    sentences,
)

ONE_BY_ONE = 3
"""Groups of a column whose AUCs are told one by one."""


def selection(results: StudyResults) -> str:
    """How stable the selection was over the parts; "" where each took all features, or none."""
    found = stability_over_parts(results)
    if found is None or np.isnan(found.stability):
        return ""
    ends = interval_text(found.interval.lower, found.interval.upper, 2, TO)
    return (
        "The stability of the selection over the parts (Nogueira's index) was "
        f"{fixed(found.stability, 2)} ({ends}; {ref('Table stability')})."
    )


def optimism(results: StudyResults) -> str:
    """The apparent AUC, corrected; "" without resamples."""
    if not results.validation.resamples:
        return ""
    found = optimism_of(results)
    return (
        f"Corrected for its optimism over {counted(found.n, 'bootstrap sample')}, the apparent AUC "
        f"of {fixed(found.apparent, 2)} became {fixed(found.harrell, 2)} by Harrell's method and "
        f"{fixed(found.plus_632, 2)} by the .632+ estimate ({ref('Table optimism')})."
    )


def chance(results: StudyResults) -> str:
    """The permutation test; "" where it was not made or tells nothing."""
    found = results.validation.permutation
    if found is None or not found.telling:
        return ""
    return (
        f"On {counted(len(found.values), 'permutation')} of the outcomes the mean AUC was "
        f"{fixed(float(np.mean(found.values)), 2)}, against {fixed(found.observed, 2)} on the true "
        f"ones ({p_equals(found.p)}; {ref('Figure leak-audit')})."
    )


def sides(results: StudyResults) -> str:
    """What was on both sides of a split."""
    found = crossings(results)
    told = {
        counted(found.patients, "patient"): found.patients,
        counted(found.equal, "pair") + " of equal rows": found.equal,
        counted(found.near, "pair") + " of nearly equal rows": found.near,
    }
    there = [text for text, n in told.items() if n]
    where = f"on both sides of {'the split' if results.protocol.split.single_part else 'a part'}"
    if there:
        return f"{sentence_case(listed(there))} stood {where} ({ref('Table sides')})."
    return f"No patient and no equal or nearly equal rows stood {where} ({ref('Table sides')})."


def instability(results: StudyResults) -> str:
    """How far predictions depended on who was trained on; "" without refits."""
    whole = instability_of(results)
    if whole is None:
        return ""
    noun, found = shown_instability(results, whole)
    widths = found.ranges[1] - found.ranges[0]
    changed = int((found.changes > OFTEN).sum())
    return (
        f"Over the same samples the probability of a {noun} varied within a range of "
        f"{fixed(float(np.median(widths)), 2)} in the median (2.5th to 97.5th percentile), with a "
        f"mean absolute prediction error of {fixed(float(found.errors.mean()), 2)}; {changed} of "
        f"{counted(len(found.changes), noun)} {'was' if changed == 1 else 'were'} called otherwise "
        f"in more than {percent(OFTEN)} of the refits ({ref('Table instability')})."
    )


def subgroups(results: StudyResults) -> str:
    """The AUC in subgroups of the test cases; "" where it is known in none."""
    known = [row for row in results.evaluation.subgroups if not row.reason]
    groups = [[*rows] for _, rows in groupby(known, attrgetter("variable"))]
    told = [_compared(rows) for rows in groups if len(rows) > 1]
    if not told:
        return ""
    return f"In subgroups ({ref('Table subgroups')}) the AUC was, by {'; by '.join(told)}."


def _compared(rows: Sequence[Subgroup]) -> str:
    name, p = rows[0].variable.replace("_", " "), rows[0].heterogeneity
    if len(rows) <= ONE_BY_ONE:
        each = listed([f"{fixed(row.auc, 2)} ({_level(row)}, n = {row.n})" for row in rows])
        return f"{name}, {each} ({p_equals(p)})"
    low, high = (pick(rows, key=attrgetter("auc")) for pick in (min, max))
    return (
        f"{name}, from {fixed(low.auc, 2)} ({_level(low)}, n = {low.n}) to {fixed(high.auc, 2)} "
        f"({_level(high)}, n = {high.n}; {p_equals(p)})"
    )


def _level(row: Subgroup) -> str:
    return SEXES.get(row.level, row.level) if row.variable == "sex" else row.level


def other_readers(results: StudyResults) -> str:
    """The score by the regions of other readers; "" without any."""
    return sentences(*_regions(results))


def _regions(results: StudyResults) -> Iterator[str]:
    confidence = results.protocol.evaluation.confidence
    coefficient = icc_label(results.protocol.model.agreement)
    for found in results.evaluation.other_readers:
        n, (digits, (gap,)) = len(found.cases), told_together(found.difference)
        yield (
            f'With the regions of "{found.name}" instead of those of "{found.primary.reader}" the '
            f"AUC of {counted(n, 'test case')} was {fixed(gap.first, digits)} instead of "
            f"{fixed(gap.second, digits)}, a difference of "
            f"{difference(gap, confidence, digits)}; the {coefficient} of the scores was "
            f"{estimate(found.icc, found.icc_interval, confidence, join=TO)}, Cohen's kappa of the "
            f"calls {estimate(found.kappa.value, found.kappa.interval, confidence, join=TO)}, and "
            f"{found.changed} of {counted(n, 'call')} changed ({ref('Table other-readers')})."
        )
