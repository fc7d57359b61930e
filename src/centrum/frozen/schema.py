"""How a file of a frozen model is laid out: kinds of numbers and arrays, and how faults are told.

The parts of a model are dataclasses that pydantic validates: what stands in a field is said once,
where the field is. Here is what they share. Every number is finite, but where a missing value is
meant, which the file writes as null; a key that no part has is refused.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from centrum.arrays import Flags, Floats, Ints
from centrum.errors import CentrumError, DataError
from centrum.modelling.calibrators import Calibrator, calibrator_from
from centrum.modelling.conformal import ConformalSets
from centrum.records import from_json

Part = TypeVar("Part")

PART = ConfigDict(extra="forbid", arbitrary_types_allowed=True, defer_build=True)
"""Of every part of a model."""

QUOTED = 60
"""Characters of a wrong value that an error shows."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0)]


_SHAPES = {
    1: "expected a list of numbers",
    2: "expected a list of lists of numbers, all of one length",
}


def _array(value: Any, kinds: str, ndim: int) -> NDArray:
    try:
        found = np.asarray(value)
    except ValueError:  # lists of several lengths
        found = np.asarray(None)
    if found.ndim != ndim or (found.size and found.dtype.kind not in kinds):
        raise ValueError(_SHAPES[ndim])
    return found


def _floats(value: Any, ndim: int) -> Floats:
    found = _array(value, "iuf", ndim).astype(np.float64)
    if not np.isfinite(found).all():
        raise ValueError("expected finite numbers")
    return found


def _vector(value: Any) -> Floats:
    return _floats(_listed(value), 1)


def _rows(value: Any) -> Floats:
    return _floats(_listed(value), 2)


def _rows_with_gaps(value: Any) -> Floats:
    """null stands for a missing value."""
    if isinstance(value, np.ndarray):
        return value
    rows = [[np.nan if v is None else v for v in _listed(row)] for row in _listed(value)]
    found = _array(rows, "iuf", 2).astype(np.float64)
    if np.isinf(found).any():
        raise ValueError("expected finite numbers")
    return found


def _vector_with_gaps(value: Any) -> Floats:
    """null stands for a missing value."""
    return _rows_with_gaps(value if isinstance(value, np.ndarray) else [_listed(value)]).reshape(-1)


def _positions(value: Any) -> Ints:
    """-1 stands for none."""
    found = _array(_listed(value), "iu", 1).astype(np.int64)
    if found.size and found.min() < -1:
        raise ValueError("expected positions of -1 or more")
    return found


def _switches(value: Any) -> Flags:
    return _array(_listed(value), "b", 1).astype(np.bool_)


def _listed(value: Any) -> Any:
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError("expected a list")
    return value


Vector = Annotated[Floats, PlainValidator(_vector)]
Rows = Annotated[Floats, PlainValidator(_rows)]
GappyVector = Annotated[Floats, PlainValidator(_vector_with_gaps)]
GappyRows = Annotated[Floats, PlainValidator(_rows_with_gaps)]
Positions = Annotated[Ints, PlainValidator(_positions)]
Switches = Annotated[Flags, PlainValidator(_switches)]


def limit(value: Any) -> float:
    """A number, or a word for one without end: a cut-off may call all cases alike."""
    if value in ("inf", "-inf") or (isinstance(value, float) and math.isinf(value)):
        return float(value)
    return float(TypeAdapter(Number).validate_python(value))


Limit = Annotated[float, PlainValidator(limit)]


def agree(condition: bool, what: str) -> None:
    """Refuse parts of a model that cannot belong together.

    Raises
    ------
    ValueError
        They do not.
    """
    if not condition:
        raise ValueError(what)


# Parts whose classes stand elsewhere


class _Record(BaseModel):
    model_config = PART


class _Platt(_Record):
    method: Literal["platt"]
    slope: Annotated[Number, Field(ge=0)]
    intercept: Number


class _Isotonic(_Record):
    method: Literal["isotonic"]
    scores: Vector
    probabilities: Vector

    @model_validator(mode="after")
    def _consistent(self) -> "_Isotonic":
        p = self.probabilities
        agree(0 < p.size == self.scores.size, "expected as many probabilities as scores")
        agree(bool((np.diff(self.scores) > 0).all()), "its scores must rise")
        agree(bool((np.diff(p) >= 0).all() and p[0] >= 0 and p[-1] <= 1), "no rising probabilities")
        return self


class _VennAbers(_Record):
    method: Literal["venn_abers"]
    scores: Vector
    positives: Vector
    cases: Vector

    @model_validator(mode="after")
    def _consistent(self) -> "_VennAbers":
        sizes = {self.scores.size, self.positives.size, self.cases.size}
        agree(len(sizes) == 1 and 0 not in sizes, "expected lists of equal length")
        agree(bool((np.diff(self.scores) > 0).all()), "its scores must rise")
        within = (self.positives >= 0) & (self.positives <= self.cases) & (self.cases > 0)
        agree(bool(within.all()), "more positive cases than cases")
        return self


class _Sets(_Record):
    error: Annotated[Number, Field(gt=0, lt=1)]
    positive: Vector
    negative: Vector

    @model_validator(mode="after")
    def _consistent(self) -> "_Sets":
        for side in (self.positive, self.negative):
            agree(side.size > 0 and bool((np.diff(side) >= 0).all()), "its scores must rise")
        return self


_AnyCalibrator = Annotated[_Platt | _Isotonic | _VennAbers, Field(discriminator="method")]


def _calibrator(value: Any) -> Calibrator:
    if isinstance(value, Calibrator):
        return value
    TypeAdapter(_AnyCalibrator).validate_python(value)
    return calibrator_from(value)


def _sets(value: Any) -> ConformalSets:
    if isinstance(value, ConformalSets):
        return value
    _Sets.model_validate(value)
    return from_json(ConformalSets, value)


CalibratorPart = Annotated[Calibrator, PlainValidator(_calibrator)]
SetsPart = Annotated[ConformalSets, PlainValidator(_sets)]


# How the model performed, and where it comes from

Found = Number | Literal["inf", "-inf"] | None


class _IntervalRecord(_Record):
    lower: Found
    upper: Found


class _MeasureRecord(_Record):
    model_config = ConfigDict(extra="ignore")
    value: Found
    interval: _IntervalRecord


class _EvaluationRecord(_Record):
    pooled: Annotated[bool, Field(strict=True)] = False
    n: Count
    n_patients: Count
    n_positive: Count
    auc: _MeasureRecord
    confidence: Annotated[Number, Field(gt=0, lt=1)]
    at_cutoff: dict[str, _MeasureRecord]


class _CalibrationRecord(_Record):
    slope: _MeasureRecord
    intercept: _MeasureRecord
    brier: Found


class _Performance(BaseModel):
    """Further keys are names of sets that it was evaluated on, such as "train".

    `over_parts` is the mean AUC over the parts of a design with several.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _EvaluationRecord]
    design: str
    calibration: _CalibrationRecord
    test: _EvaluationRecord
    over_parts: _MeasureRecord | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "_Performance":
        wanted = {"sensitivity", "specificity"}
        agree(wanted <= self.test.at_cutoff.keys(), "test: expected sensitivity and specificity")
        return self


class _Training(_Record):
    cases: Count
    patients: Count
    positive: Count


class _Provenance(_Record):
    versions: dict[str, str]
    digests: dict[str, str]
    simulated: str
    of_tables: Annotated[bool, Field(strict=True)]
    training: _Training

    @model_validator(mode="after")
    def _consistent(self) -> "_Provenance":
        agree("centrum" in self.versions, "expected the version of centrum")
        agree("protocol (choices)" in self.digests, "expected the digest of the protocol")
        return self


def _as_given(kind: type[BaseModel]) -> PlainValidator:
    """The value itself, once it is what `kind` wants."""

    def checked(value: Any) -> Mapping[str, Any]:
        kind.model_validate(value)
        return dict(value)

    return PlainValidator(checked)


Performance = Annotated[Mapping[str, Any], _as_given(_Performance)]
Provenance = Annotated[Mapping[str, Any], _as_given(_Provenance)]


class Use(_Record):
    """What a model is for, and its limits, a sentence each."""

    intended: tuple[str, ...]
    limits: tuple[str, ...]


UsePart = Annotated[Mapping[str, tuple[str, ...]], PlainValidator(lambda v: dict(
    v if isinstance(v, Use) else Use.model_validate(v)))]  # fmt: skip


# Reading


def validated(kind: type[Part], record: Any, what: str, maker: str = "") -> Part:
    """A part of a model from its record.

    Parameters
    ----------
    what : what an error calls it
    maker : the version that made it, for what to do

    Raises
    ------
    DataError
        Something is missing, unknown, of another type, or does not belong together.
    """
    try:
        return TypeAdapter(kind).validate_python(record)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DataError(f"{what}: {_told(first)}", remedy=_remedy(first["type"], maker)) from error
    except CentrumError as error:
        raise DataError(f"{what}: {error}", remedy=_remedy("", maker)) from error


_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")

_WANTED = {
    **dict.fromkeys(("tuple_type", "list_type", "string_sequence"), "expected a list"),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "dataclass_type", "model_attributes_type"),
        "expected an object",
    ),
    "string_type": "expected a text",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "int_type": "expected a whole number",
    "bool_type": "expected true or false",
}
"""What pydantic says of Python's types, said of JSON's."""


@contextmanager
def made(what: str) -> Iterator[None]:
    """While parts are made of what was fitted: numbers that no model can hold are told.

    Raises
    ------
    DataError
        A number is not finite, or a spread is 0.
    """
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DataError(
            f"{what}: {_told(first)}",
            remedy="Choose another classifier or another selection of features.",
        ) from error


def _told(fault: Any) -> str:
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in fault["loc"]).lstrip(".")
    if fault["type"] == "missing":
        return f"`{place}` is missing."
    if fault["type"] in _UNKNOWN:
        return f"`{place}` is not known to this version."
    message = _WANTED.get(fault["type"], str(fault["msg"]).removeprefix("Value error, "))
    return f"`{place or 'the whole'}`: {message}; found {_quoted(fault['input'])}."


def _remedy(kind: str, maker: str) -> str:
    made = f", {maker}," if maker else ""
    if kind in _UNKNOWN:
        return f"Use the version of centrum that made the model{made} or a later one."
    return (
        f"Copy the file again, or freeze it again with the version of centrum that made it{made}."
    )


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}..."
