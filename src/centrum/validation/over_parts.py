"""Measures of the parts of a design and their means: what several parts say with one voice."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from centrum.evaluate.repeated import RepeatedMean, corrected_mean
from centrum.validation.fits import Prediction

SHARE = (0.0, 1.0)
SCALES: Mapping[str, tuple[float, float]] = MappingProxyType({"Features": (0.0, np.inf)})
"""Ends of the scale of a measure, where it is not a share."""


def means_over_parts(parts: Sequence[Prediction], confidence: float) -> dict[str, RepeatedMean]:
    """Measure -> its mean over the parts that have it, with a corrected interval.

    Of a design with several parts these are the numbers that are told first.

    >>> part = {"error": "", "n_train": 70, "n_test": 2, "positive": [0, 1], "called": [0, 1],
    ...         "probability": [0.2, 0.9], "features": {"mean": 1.0}}
    >>> found = means_over_parts([part | {"auc": 0.8}, part | {"auc": 0.6}], 0.95)
    >>> round(found["AUC"].mean, 2), found["AUC"].n
    (0.7, 2)
    """
    known = fitted(parts)
    if not known:
        return {}
    n_train, n_test = mean_sizes(known)
    return {
        name: corrected_mean(values, n_train, n_test, confidence, limits=SCALES.get(name, SHARE))
        for name, values in by_part(known).items()
        if values
    }


def fitted(parts: Sequence[Prediction]) -> list[Prediction]:
    """Parts without an error."""
    return [record for record in parts if not record["error"]]


def mean_sizes(parts: Sequence[Prediction]) -> tuple[float, float]:
    """Mean number of training and of test cases."""
    train, test = (float(np.mean([r[name] for r in parts])) for name in ("n_train", "n_test"))
    return train, test


def by_part(parts: Sequence[Prediction]) -> dict[str, list[float]]:
    """Measure -> its value in every part that has one."""
    found: dict[str, list[float]] = {
        "AUC": [], "Sensitivity": [], "Specificity": [], "Accuracy": [], "Brier score": [],
        "Features": [],
    }  # fmt: skip
    for record in parts:
        y, called = np.array(record["positive"]) == 1, np.array(record["called"]) == 1
        if record["auc"] is not None:
            found["AUC"].append(record["auc"])
        if y.any():
            found["Sensitivity"].append(float(called[y].mean()))
        if not y.all():
            found["Specificity"].append(float((~called[~y]).mean()))
        found["Accuracy"].append(float((called == y).mean()))
        found["Brier score"].append(float(np.mean((np.array(record["probability"]) - y) ** 2)))
        found["Features"].append(float(len(record["features"])))
    return found
