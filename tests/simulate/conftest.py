"""A few small simulated patients, made once."""

from collections.abc import Mapping

import pytest

from centrum.simulate import PhantomSettings, SimulatedPatient, draw_readers, plan_cohort, render
from centrum.volume import Mask, Volume

SETTINGS = PhantomSettings(n_malignant=4, n_osteoporotic=3, seed=3, field_mm=(110.0, 144.0))

Drawn = tuple[SimulatedPatient, Volume, Mask, Mapping[str, Mask]]


@pytest.fixture(scope="session")
def drawn() -> list[Drawn]:
    """Patient, image, true mask and both readers' masks of four patients."""
    cases = []
    for patient in plan_cohort(SETTINGS)[:4]:
        image, truth = render(patient, SETTINGS)
        cases.append((patient, image, truth, draw_readers(truth, patient.generator(SETTINGS, 3))))
    return cases
