"""What a new case is told that is unlike the training cases, and what to do about it."""

import numpy as np
import pytest

from centrum.frozen.domain import Distribution, Domain, Flag, Range, feature_flags
from tests.frozen.test_model_file import model

QUANTILES = np.arange(7.0)


def features(*values: float) -> tuple[Flag, ...]:
    names = [f"f{k}" for k in range(len(values))]
    known = [Distribution(name, 3.0, 2.0, QUANTILES, QUANTILES) for name in names]
    return feature_flags(known, np.array(values))


def test_features_outside_are_named_the_farthest_first() -> None:
    (flag,) = features(3.0, 7.0, 12.0, -5.0, np.nan)
    assert (flag.severity, flag.features) == ("warning", ("f2", "f3", "f1"))
    assert flag.message.startswith(
        "3 of 5 features outside the training range, 2 of them by more than 1 SD. Look at "
    )
    assert "its score a guess" in flag.message
    labels = {"f1": "Mean", "f2": "Contrast, GLCM", "f3": "Volume"}
    assert flag.told(labels).endswith(" Farthest first: Contrast, GLCM; Volume; Mean.")
    assert flag.told().endswith(" Farthest first: f2; f3; f1.")


def test_of_many_features_the_first_are_named() -> None:
    (flag,) = features(*(10.0 + k for k in range(8)))
    assert flag.told().endswith(" Farthest first: f7; f6; f5; f4; f3; and 3 more.")


def test_few_features_a_little_outside_are_no_warning() -> None:
    assert features(3.0, 6.0) == ()
    (flag,) = features(3.0, 6.5)
    assert flag.severity == "note"
    assert "is no warning" in flag.message
    assert "guess" not in flag.message
    (flag,) = features(*[6.5] * 4)
    assert flag.severity == "warning"


DOMAIN = Domain(
    {"echo_time_ms": Range(100, 120), "repetition_time_ms": Range(2500, 2500)},
    {"modality": ("MR",), "plane": ("sagittal",)},
    {"volume_mm3": Range(9000, 20000)},
)


@pytest.mark.parametrize(
    ("facts", "volume", "severity", "remedy"),
    [
        ({"modality": "CT"}, 10_000, "refuse", "Give an image of MR."),
        ({"echo_time_ms": 80.0}, 10_000, "warning", "Check it; if it is right, the score is"),
        ({"plane": "axial"}, 10_000, "warning", "Check it; if it is right, the score is"),
        ({}, 10_000, "note", "--known echo_time_ms=..., or a column of that name."),
        ({}, 1000, "warning", "Check that the whole vertebra was drawn"),
        ({}, 90_000, "warning", "Check that only one vertebra was drawn"),
    ],
)
def test_what_is_told_says_what_to_do(
    facts: dict, volume: float, severity: str, remedy: str
) -> None:
    known = {"echo_time_ms": 110.0, "repetition_time_ms": 2500.0, "plane": "sagittal"}
    given = {**known, **facts} if facts or volume != 10_000 else {}
    (flag,) = DOMAIN.flags(given, {"volume_mm3": volume})
    assert flag.severity == severity
    assert remedy in flag.message


def test_a_centre_that_the_model_does_not_know() -> None:
    one = model("combat")
    (flag,) = one.batch_flags({str(one.scorer.batch_column): "Elsewhere"})
    assert "Check the name; if it is new, validate the model there first." in flag.message
