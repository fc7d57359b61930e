"""Patients made of their cases."""

import numpy as np
from hypothesis import given, strategies as st

from centrum.evaluate import CutOff, Scored
from centrum.evaluate.by_patient import PATIENTS, by_patient, evaluate_patients
from centrum.evaluate.discrimination import auc, auc_interval
from centrum.evaluate.thresholds import proportion_interval

CASES = st.lists(
    st.tuples(st.floats(-3, 3), st.booleans(), st.integers(0, 5)), min_size=2, max_size=30
)


@given(CASES)
def test_a_patient_is_the_most_suspicious_of_the_cases(cases):
    scores, positive, owner = (np.array(each) for each in zip(*cases, strict=True))
    if positive.all() or not positive.any():
        return
    scored = Scored.of(scores, positive, owner)
    found = by_patient(scored, scores >= 0.5)
    alone = scored.n_patients == len(cases)
    everyone = all(positive[owner == k].any() for k in np.unique(owner))
    assert (found is None) == (alone or everyone)
    if found is None:
        return
    patients, called = found
    for k in range(scored.n_patients):
        own = scored.patients == k
        assert patients.scores[k] == scores[own].max()
        assert patients.positive[k] == positive[own].any()
        assert called[k] == (scores[own].max() >= 0.5)


def test_the_evaluation_is_of_patients_with_their_own_intervals():
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(40), 2)
    positive = (owner % 2 == 0) & (rng.random(80) < 0.7)
    scored = Scored.of(rng.normal(size=80) + 1.2 * positive, positive, owner)
    cutoff = CutOff(0.5, "given", "elsewhere")
    called = scored.scores >= 0.9  # calls of other cut-offs, as of a design with several parts
    found = evaluate_patients(scored, called, cutoff, seed=1, n_resamples=100)
    assert found is not None
    patients, calls = by_patient(scored, called)
    assert (found.name, found.n, found.n_patients) == (PATIENTS, 40, 40)
    assert found.auc.value == auc(patients)
    assert found.auc.interval == auc_interval(patients)
    hits = int((calls & patients.positive).sum())
    assert found.confusion.tp == hits
    assert found.measures["sensitivity"].interval == proportion_interval(hits, patients.n_positive)


def test_with_one_case_each_there_is_nothing_to_add():
    scored = Scored.of([0.1, 0.9], [0, 1])
    cutoff = CutOff(0.5, "given", "elsewhere")
    assert evaluate_patients(scored, scored.positive, cutoff, seed=1, n_resamples=100) is None
