"""From cases to patients: whether any body of a patient is positive, where patients have several.

A patient's score is the highest of the cases'; a patient is positive, or called positive, if any
case is. Of many cases the highest is higher by chance, so that the specificity by patient is no
better than that by case.
"""

import numpy as np

from centrum.arrays import Flags
from centrum.evaluate.evaluation import Evaluation, evaluate
from centrum.evaluate.scored import Scored
from centrum.evaluate.thresholds import CutOff

PATIENTS = "patients"
"""Name of the evaluation of patients."""


def by_patient(scored: Scored, called: Flags) -> tuple[Scored, Flags] | None:
    """Scores, outcomes and calls of the patients, in the order of their numbers.

    None where each patient has one case, or all patients have the same outcome.

    >>> scored = Scored.of([0.2, 0.9, 0.4, 0.1], [0, 1, 0, 0], ["a", "a", "b", "c"])
    >>> patients, calls = by_patient(scored, scored.scores > 0.3)
    >>> patients.scores, patients.positive, calls
    (array([0.9, 0.4, 0.1]), array([ True, False, False]), array([ True,  True, False]))
    """
    n = scored.n_patients
    if n == scored.scores.size:
        return None
    highest, positive, any_called = np.full(n, -np.inf), np.zeros(n, bool), np.zeros(n, bool)
    np.maximum.at(highest, scored.patients, scored.scores)
    np.logical_or.at(positive, scored.patients, scored.positive)
    np.logical_or.at(any_called, scored.patients, np.asarray(called, dtype=bool))
    if positive.all():
        return None
    return Scored(highest, positive, np.arange(n)), any_called


def evaluate_patients(
    scored: Scored,
    called: Flags,
    cutoff: CutOff,
    *,
    seed: int,
    n_resamples: int,
    confidence: float = 0.95,
) -> Evaluation | None:
    """Evaluate the patients of cases; None as of `by_patient`. Parameters as of `evaluate`."""
    found = by_patient(scored, called)
    if found is None:
        return None
    patients, calls = found
    return evaluate(
        patients.scores,
        patients.positive,
        None,
        cutoff,
        name=PATIENTS,
        seed=seed,
        n_resamples=n_resamples,
        confidence=confidence,
        called=calls,
    )
