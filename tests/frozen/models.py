"""Frozen models of every kind, made of a few numbers without a study."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from centrum.features.feature_id import FeatureId
from centrum.frozen.domain import Distribution, Domain
from centrum.frozen.export import scorer_of
from centrum.frozen.inputs import Covariate
from centrum.frozen.model import FrozenModel, SelfTest
from centrum.modelling.calibrators import CALIBRATORS
from centrum.modelling.conformal import learn_sets
from centrum.protocol import Protocol

INTERVAL = {"lower": 0.55, "upper": 0.9}
MEASURE = {"value": 0.7, "interval": INTERVAL}
JUDGED = {
    "n": 10, "n_patients": 10, "n_positive": 5, "auc": MEASURE, "confidence": 0.95,
    "at_cutoff": {"sensitivity": MEASURE, "specificity": {"value": None, "interval": INTERVAL}},
}  # fmt: skip
PROVENANCE = {
    "versions": {"centrum": "0.2.2"},
    "digests": {"protocol (choices)": "0" * 64},
    "simulated": "",
    "of_tables": True,
    "training": {"cases": 80, "patients": 60, "positive": 40},
}


def frozen(
    fitted: BaseEstimator,
    names: Sequence[str],
    X: NDArray,
    y: NDArray,
    batch: NDArray | None = None,
    *,
    calibration: str = "platt",
    age: bool = False,
    protocol: dict[str, Any] | None = None,
) -> FrozenModel:
    """The frozen model of a fitted one; with `age` its first feature is a covariate."""
    scorer = scorer_of(fitted, names, "centre")
    values = X[:, [list(names).index(n) for n in scorer.features], 0]
    centres = None if batch is None else tuple(batch[:5].tolist())
    scores = scorer.score(values, None if batch is None else batch.tolist())
    calibrator = CALIBRATORS[calibration]().fit(scores, y)
    covariates = (Covariate(scorer.features[0], "age", None, ()),) if age else ()
    features = tuple(FeatureId("", "", "", "", "", label=n) for n in scorer.features)
    positive = y == 1
    model = FrozenModel(
        name="Test",
        protocol=Protocol(name="Test", **(protocol or {})),
        features=(None, *features[1:]) if age else features,
        covariates=covariates,
        scorer=scorer,
        cutoff=float(np.median(scores)),
        cutoff_rule="Youden, training cases",
        calibrator=calibrator,
        conformal=learn_sets(scores, y),
        distributions=tuple(
            Distribution.of(n, x, positive) for n, x in zip(scorer.features, values.T, strict=True)
        ),
        scores=Distribution.of("score", scores, positive),
        domain=Domain.of([{"field_strength_t": 1.5, "modality": "MR"}], [{"voxels": 100.0}]),
        use={"intended": ("To be tested.",), "limits": ("Research only.",)},
        performance={
            "design": "single", "train": JUDGED, "test": JUDGED,
            "calibration": {"slope": MEASURE, "intercept": MEASURE, "brier": 0.2},
        },
        provenance=PROVENANCE,
        self_test=SelfTest.of(scorer, calibrator, np.nan_to_num(values[:5], nan=50.0), centres),
    )  # fmt: skip
    return model.tested()
