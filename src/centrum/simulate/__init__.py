"""The phantom cohort: simulated patients with a fractured vertebral body on sagittal T2 MRI.

It proves the software, not the medicine. What is simulated, and from which numbers:
docs/concepts/phantom-cohort.md.
"""

from centrum.simulate.cohort import SimulatedPatient, plan_cohort
from centrum.simulate.readers import draw_readers
from centrum.simulate.render import render
from centrum.simulate.settings import PhantomSettings
from centrum.simulate.write import (
    simulate_case,
    simulate_cohort,
)

__all__ = [
    "PhantomSettings",
    "SimulatedPatient",
    "draw_readers",
    "plan_cohort",
    "render",
    "simulate_case",
    "simulate_cohort",
]
