"""What differs between the outcomes and could explain a score in their place."""

from collections.abc import Iterator

from centrum.evaluate import PopulationRow
from centrum.evaluate.population import MISSING
from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.report.results import StudyResults
from centrum.text import listed, p_equals

SMALL_P = 0.05
"""A difference between the outcomes with a smaller P is told."""


def _looked_at(results: StudyResults) -> Iterator[tuple[str, list[PopulationRow]]]:
    """Known characteristics of patients and acquisition, with their rows of the population."""
    settings = results.protocol.evaluation
    names = (*settings.clinical, *settings.subgroups, *results.protocol.model.covariates)
    for name in dict.fromkeys(names):
        rows = [r for r in results.population if r.variable == name and r.level != MISSING]
        if rows and not name.startswith(MORPHOMETRY_PREFIX):
            yield name, rows


def differing(results: StudyResults) -> dict[str, float]:
    """Characteristic -> P of its difference between the outcomes, where that is small."""
    tests = {name: rows[0].significance for name, rows in _looked_at(results)}
    return {name: test.p for name, test in tests.items() if test is not None and test.p < SMALL_P}


def bound_to_outcome(results: StudyResults) -> tuple[str, ...]:
    """Characteristics of which each value occurs with one outcome alone."""
    return tuple(
        name
        for name, rows in _looked_at(results)
        if len(rows) > 1 and rows[0].significance is None and rows[0].difference is not None
    )


def compared(results: StudyResults) -> tuple[str, ...]:
    """Characteristics that were compared between the outcomes."""
    return tuple(name for name, rows in _looked_at(results) if rows[0].difference is not None)


def differing_text(results: StudyResults) -> str:
    """Which differ, in a clause; "" when none does."""
    found = differing(results)
    told = listed([f"{name} ({p_equals(p)})" for name, p in found.items()])
    return f"{told} {'differ' if len(found) > 1 else 'differs'} between the outcomes" * bool(found)
