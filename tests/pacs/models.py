"""A frozen model that reads images, made of a few numbers without a study."""

from dataclasses import replace
from functools import cache

import numpy as np

from centrum.frozen.model import FrozenModel
from centrum.measure.extract import plan
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.settings import ModelSettings, SelectSettings
from centrum.protocol import Protocol
from tests.frozen.models import PROVENANCE, frozen

PROTOCOL = {
    "extraction": {
        "families": ["statistics", "morphology"], "filters": [], "interpolation": None,
        "discretisation": {"method": "fixed_bin_number", "bins": 8},
    },
    "preparation": {"normalisation": {"method": "none"}},
}  # fmt: skip

USUAL = {
    "age": (70, 8), "original_statistics_mean": (420, 20),
    "original_statistics_interquartile_range": (60, 15),
    "original_morphology_mesh_volume": (1500, 200),
}  # fmt: skip
"""Mean and SD of what the model reads, the covariate first."""


@cache
def model() -> FrozenModel:
    """It reads age and three features."""
    rng = np.random.default_rng(4)
    y = np.arange(80) % 2
    own = rng.normal(size=(80, len(USUAL))) + 0.8 * y[:, None]
    X = np.array([mean + sd * own[:, k] for k, (mean, sd) in enumerate(USUAL.values())]).T
    settings = ModelSettings(
        classifier="logistic", balance="none", n_features=None, clip=None, screen=None,
        correlation=None, select=SelectSettings(method="none"),
    )  # fmt: skip
    fitted = StudyClassifier(settings, 1, tuple(USUAL)).fit(X[..., None], y, np.arange(80))
    plain = frozen(fitted, tuple(USUAL), X[..., None], y, age=True)
    protocol = Protocol(name="Bodies", **PROTOCOL)
    planned = {f.spell("ibsi"): f for f in plan(protocol.extraction)}
    return replace(
        plain,
        protocol=protocol,
        features=tuple(planned.get(name) for name in plain.scorer.features),
        provenance={**PROVENANCE, "of_tables": False},
    ).tested()
