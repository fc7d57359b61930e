"""What a frozen model reads of a patient: records of features, and covariates."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass

from centrum.cohort.case import Value
from centrum.cohort.numbers import parse_number
from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.frozen.schema import PART, agree
from centrum.text import spelled


@dataclass(frozen=True, config=PART)
class Covariate:
    """A number that the model reads from what is known about a patient.

    Attributes
    ----------
    name : of the feature, such as "age" or "sex=M"
    column : of the manifest
    level : the value for which the feature is 1; None where the column is a number
    levels : values that occurred in training
    """

    name: str
    column: str
    level: str | None
    levels: tuple[str, ...]

    def of(self, known: Mapping[str, Value]) -> float:
        """The number of a patient; nan where it is not known.

        Raises
        ------
        DataError
            A value that did not occur in training.
        """
        value = known.get(self.column)
        if value is None or value == "" or value != value:
            return float("nan")
        if self.level is None:
            return _number(self.column, value)
        if spelled(value) not in self.levels:
            raise DataError(
                f"{self.column} is {value!r}; the model was trained on {', '.join(self.levels)}."
            )
        return float(spelled(value) == self.level)


def _number(column: str, value: Value) -> float:
    """A covariate as a table may write it, with a decimal comma for example.

    >>> _number("age", "71,5"), _number("age", 71)
    (71.5, 71.0)
    """
    number = parse_number(str(value))
    if number is None:
        raise DataError(
            f"{column} is a number in training, found {value!r}.",
            remedy=f"Give the number, or leave {column} out.",
            code="not-a-number",
        )
    return number


def _feature(record: Any) -> Any:
    """The record without its unit, which the catalogue knows."""
    if not isinstance(record, dict):
        return record
    names = {f.name for f in fields(FeatureId)}
    unknown = [name for name in record if name not in {*names, "unit"}]
    agree(not unknown, f"a feature has no {', '.join(unknown)}")
    return {name: value for name, value in record.items() if name != "unit"}


FeaturePart = Annotated[FeatureId | None, BeforeValidator(_feature)]
