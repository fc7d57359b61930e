"""What is read of a patient, and who the patients are."""

import math
from dataclasses import asdict

import pandas as pd
import pytest

from centrum.cohort.case import Value
from centrum.errors import DataError
from centrum.evaluate.population import mean_spread
from centrum.features.feature_id import FeatureId
from centrum.frozen.domain import Domain, Range
from centrum.frozen.inputs import Covariate, FeaturePart
from centrum.frozen.people import NO_IMAGES, NOBODY, People
from centrum.frozen.schema import validated

AGE = Covariate("age", "age", None, ())
MALE = Covariate("sex=M", "sex", "M", ("F", "M"))
SECOND = Covariate("scanner=2", "scanner", "2", ("1", "2"))


@pytest.mark.parametrize(
    ("covariate", "value", "read"),
    [
        (AGE, 71, 71.0), (AGE, "71,5", 71.5), (AGE, 0, 0.0), (MALE, "M", 1.0), (MALE, "F", 0.0),
        (SECOND, 2.0, 1.0), (SECOND, 1, 0.0),
    ],
)  # fmt: skip
def test_a_number_or_whether_it_is_a_level(covariate: Covariate, value: Value, read: float) -> None:
    assert covariate.of({covariate.column: value}) == read


@pytest.mark.parametrize("covariate", [AGE, MALE])
@pytest.mark.parametrize("value", [None, "", math.nan])
def test_what_is_not_known_is_missing(covariate: Covariate, value: Value) -> None:
    assert math.isnan(covariate.of({covariate.column: value}))
    assert math.isnan(covariate.of({}))


def test_what_did_not_occur_in_training_is_refused() -> None:
    with pytest.raises(DataError, match=r"sex is 'X'; the model was trained on F, M\."):
        MALE.of({"sex": "X"})
    with pytest.raises(DataError, match="age is a number in training, found 'old'") as told:
        AGE.of({"age": "old"})
    assert (told.value.code, told.value.remedy) == (
        "not-a-number", "Give the number, or leave age out.")  # fmt: skip


def test_a_feature_is_read_without_its_unit() -> None:
    one = FeatureId("", "", "", "", "", label="stiffness")
    names = asdict(one)
    read = validated(FeaturePart, names | {"unit": "kPa"}, "The model")
    assert isinstance(read, FeatureId)
    assert read.label == "stiffness"
    assert validated(FeaturePart, None, "The model") is None
    assert validated(FeaturePart, one, "The model") == one
    with pytest.raises(DataError, match="a feature has no colour, taste"):
        validated(FeaturePart, names | {"colour": 1, "taste": 2}, "The model")


def test_each_patient_counts_once_and_what_is_not_known_not_at_all() -> None:
    known = pd.DataFrame(
        {
            "patient": ["a", "a", "b", "c", "d"], "age": [math.nan, 60.0, 70.0, 80.0, math.nan],
            "sex": ["M", None, "F", "F", None], "centre": ["2", "2", "10", "2", None],
        }
    )  # fmt: skip
    found = People.of(known, NO_IMAGES, simulated=True)
    assert found.age == mean_spread(pd.Series([60.0, 70.0, 80.0]).to_numpy())
    assert list(found.sex.items()) == [("F", 2), ("M", 1)]
    assert list(found.centre.items()) == [("10", 1), ("2", 3)]
    assert found.simulated
    assert People.of(known[["patient"]], NO_IMAGES, simulated=False) == NOBODY


def test_acquisitions_of_new_cases_are_summed_up() -> None:
    facts = [{"echo_time_ms": 100.0, "plane": "sagittal", "serial": "1"}, {"echo_time_ms": 90.0}]
    found = People.of_new([{"patient": "a", "sex": "F"}, {"patient": "b"}], facts, simulated=False)
    assert found.acquisition == Domain(
        {"echo_time_ms": Range(90, 100)}, {"plane": ("sagittal",)}, {}
    )
    assert (found.sex, found.centre, found.age) == ({"F": 1}, {}, None)
