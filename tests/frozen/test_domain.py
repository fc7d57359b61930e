"""What a new case is told that is unlike the training cases, and what to do about it."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

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
    (five,) = features(*(10.0 + k for k in range(5)))
    assert five.told().endswith(" Farthest first: f4; f3; f2; f1; f0.")


def test_few_features_a_little_outside_are_no_warning() -> None:
    assert features(3.0, 6.0) == ()
    (flag,) = features(3.0, 6.5)
    assert flag.severity == "note"
    assert "is no warning" in flag.message
    assert "guess" not in flag.message
    (flag,) = features(*[6.5] * 4)
    assert flag.severity == "warning"
    (flag,) = features(*[6.5] * 3)
    assert flag.severity == "note"
    inside = [3.0] * 36
    assert [features(*[6.5] * n, *inside[n - 4 :])[0].severity for n in (4, 5)] == [
        "note", "warning",
    ], "a tenth of 40, and more"  # fmt: skip


def test_far_is_more_than_an_sd_beyond_the_training_range() -> None:
    (flag,) = features(8.0)
    assert flag.severity == "note"
    (flag,) = features(8.01)
    assert flag.severity == "warning"
    (below,) = features(-2.01)
    assert below.severity == "warning"
    assert "1 of 1 feature outside the training range, 1 of them by" in below.message


def test_a_value_that_no_training_case_differs_from() -> None:
    one = Distribution("f", 4.0, 0.0, np.full(7, 4.0), np.full(7, np.nan))
    assert [one.beyond(value) for value in (4.0, 4.5, 3.5)] == [0, np.inf, np.inf]
    assert (one.lowest, one.highest) == (4, 4)


def test_a_distribution_is_of_the_values_that_there_are() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan, 10.0])
    one = Distribution.of("f", values, np.array([True] * 6 + [False]))
    np.testing.assert_allclose(one.positive, [0, 0.2, 1, 2, 3, 3.8, 4])
    np.testing.assert_array_equal(one.negative, [10] * 7)
    assert (one.lowest, one.highest) == (0, 10)
    assert (one.mean, one.sd) == pytest.approx((20 / 6, np.std([0, 1, 2, 3, 4, 10])))


@pytest.mark.parametrize(
    ("positive", "why"),
    [(QUANTILES[:6], "7 quantiles"), (QUANTILES[::-1], "must rise"),
     (np.full(7, np.nan), "at least one outcome")],
)  # fmt: skip
def test_what_no_training_cases_have_is_refused(positive: np.ndarray, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Distribution("f", 3.0, 2.0, positive, np.full(7, np.nan))
    Distribution("f", 3.0, 2.0, np.full(7, 3.0), QUANTILES)


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


@pytest.mark.parametrize(
    ("echo", "volume", "flags"),
    [(95.1, 6760, 0), (94.9, 10_000, 1), (125.9, 24_900, 0), (126.1, 10_000, 1),
     (110, 6740, 1), (110, 25_100, 1)],
)  # fmt: skip
def test_numbers_may_lie_a_little_beyond_the_training_range(
    echo: float, volume: float, flags: int
) -> None:
    """A twentieth of an acquisition's, a quarter of a region's."""
    facts = {"echo_time_ms": echo, "repetition_time_ms": 2500, "plane": "sagittal"}
    assert len(DOMAIN.flags(facts, {"volume_mm3": volume})) == flags


def test_what_is_unlike_the_training_cases_is_told_beside_theirs() -> None:
    facts = {"echo_time_ms": 80.0, "repetition_time_ms": 4000.0, "plane": "axial"}
    echo, repetition, plane, region = DOMAIN.flags(facts, {"volume_mm3": 1500.0})
    assert echo.message.startswith("Echo time 80 ms: training cases had 100 to 120 ms. Check it;")
    assert repetition.message.startswith("Repetition time 4000 ms: training cases had 2500 ms.")
    assert plane.message.startswith("Plane axial: training cases had sagittal. Check it;")
    assert region.code == "region-small"
    assert region.message.startswith(
        "The region has 1.5 ml; those of the training cases had 9 to 20 ml. Check that the whole"
    )
    (large,) = DOMAIN.flags(facts | {"echo_time_ms": 110.0, "repetition_time_ms": 2500.0,
                                     "plane": "sagittal"}, {"volume_mm3": 30_000})  # fmt: skip
    assert large.code == "region-large"


def test_the_domain_is_of_what_is_known_of_any_training_case() -> None:
    cases = pd.DataFrame(
        {
            "echo_time_ms": [100.0, np.nan, 120.0], "plane": ["sagittal", np.nan, "axial"],
            "weighting": ["T2w", "T2w", np.nan], "volume_mm3": [9.0, 12.0, 10.0],
            "patient": ["a", "b", "c"],
        }
    )  # fmt: skip
    one = Domain.of_frame(cases)
    assert one.numbers == {"echo_time_ms": Range(100, 120)}
    assert one.texts == {"plane": ("axial", "sagittal"), "weighting": ("T2w",)}
    assert one.region == {"volume_mm3": Range(9, 12)}
    (note,) = one.flags({}, {})
    assert note.message.startswith("Not known of this image: echo time, plane. Whether")
    assert one.flags({"echo_time_ms": 110.0, "plane": "axial"}, {}) == ()
    with pytest.raises(ValidationError, match="no number is called echo"):
        Domain({"echo": Range(1, 2)}, {}, {})
    with pytest.raises(ValidationError, match="no region is called area"):
        Domain({}, {}, {"area": Range(1, 2)})


def test_a_centre_that_the_model_does_not_know() -> None:
    one = model("combat")
    (flag,) = one.batch_flags({str(one.scorer.batch_column): "Elsewhere"})
    assert "Check the name; if it is new, validate the model there first." in flag.message
