"""Tables beside that of performance: patients instead of cases, and results that decide nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from centrum.evaluate import Evaluation
from centrum.modelling.conformal import NEITHER, UNCERTAIN
from centrum.report.blocks import Column, Estimate, Table
from centrum.report.flow import stations
from centrum.report.results import StudyResults
from centrum.report.words.results import AT_CUTOFF
from centrum.text import counted, number

SHOWN = ("sensitivity", "specificity", "ppv", "npv")
"""Measures of decisions that are shown of patients."""


def patients_table(results: StudyResults) -> tuple[Table, ...]:
    """Test cases and test patients side by side; none where each patient has one case."""
    evaluation = results.evaluation
    return beside_patients(
        evaluation.by_set["test"], evaluation.patients, results.model.positive, "Test set"
    )


def beside_patients(
    cases: Evaluation, patients: Evaluation | None, positive: str, whose: str
) -> tuple[Table, ...]:
    """Cases and their patients side by side; `whose` is what the set of cases is called."""
    if patients is None:
        return ()
    both = (cases, patients)
    rows: list[tuple[Any, ...]] = [
        ("Cases or patients", *(e.n for e in both)),
        (f"with {positive}", *(e.n_positive for e in both)),
        ("AUC", *(Estimate.of(e.auc.value, e.auc.interval) for e in both)),
    ]
    for key in SHOWN:
        measures = (e.measures[key] for e in both)
        rows.append((AT_CUTOFF[key], *(Estimate.of(m.value, m.interval) for m in measures)))
    heads = ("Measure", "Cases", "Patients")
    note = _note(cases, positive, whose)
    return (
        Table("patients", "Patients instead of cases", tuple(map(Column, heads)), tuple(rows),
              (note,), main=True),
    )  # fmt: skip


def _note(cases: Evaluation, positive: str, whose: str) -> str:
    per_patient = cases.n / cases.n_patients
    return (
        f"{whose}: {counted(cases.n, 'case')} of {counted(cases.n_patients, 'patient')}, "
        f"{number(round(per_patient, 2))} each on the mean. A patient's score is the highest of "
        f"the cases'; a patient is {positive}, or called so, if any case is. The "
        "cut-off is that of the cases: of many one is called by chance more often than of one. "
        "Intervals: AUC DeLong on the logit scale, shares Wilson, of cases by patient."
    )


def indeterminate_table(results: StudyResults) -> Table:
    """Cases without a usable result, each kind in a row of its own (STARD)."""
    outcomes = (results.model.positive, results.model.negative)
    rows = tuple(_indeterminate(results, outcomes))
    heads = ("Result", "Cases", *outcomes)
    notes = (
        "Not measured and excluded: of all cases of the manifest, and in no other number here. "
        "Sets of outcomes: of the test cases; these are in every measure, called by the cut-off "
        "whatever their set is.",
    )
    title = "Cases without a definite result"
    return Table("indeterminate", title, tuple(map(Column, heads)), rows, notes)


def _indeterminate(results: StudyResults, outcomes: tuple[str, str]) -> Iterator[tuple[Any, ...]]:
    here = stations(results)
    for name, tally in here.items():
        if name.startswith("excluded: "):
            told = f"Excluded: {name.removeprefix('excluded: ')}"
            yield (told, tally.cases, *(tally.outcomes[o] for o in outcomes))
    lost = here["not measured"]
    yield ("Could not be measured", lost.cases, *(lost.outcomes[o] for o in outcomes))
    sets = np.array(results.evaluation.sets)
    truth = results.scores.loc[list(results.evaluation.tested), "outcome"].to_numpy()
    for told, kind in (("Set of both outcomes (uncertain)", UNCERTAIN),
                       ("Set of neither outcome (unlike both)", NEITHER)):  # fmt: skip
        own = sets == kind
        yield (told, int(own.sum()), *(int((own & (truth == o)).sum()) for o in outcomes))
