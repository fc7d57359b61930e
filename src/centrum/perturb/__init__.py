"""Perturbations of image and region, to see which features are stable under them.

Source: Zwanenburg et al., Assessing robustness of radiomic features by image perturbation,
Sci Rep 2019;9:614, doi 10.1038/s41598-018-36938-4.
"""

from centrum.perturb.apply import Perturbable, apply
from centrum.perturb.plan import Perturbation, plan_perturbations
from centrum.perturb.settings import RobustnessSettings

__all__ = ["Perturbable", "Perturbation", "RobustnessSettings", "apply", "plan_perturbations"]
