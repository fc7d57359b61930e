"""Results as JSON holds them, and back."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import singledispatch
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

Kind = TypeVar("Kind")


@singledispatch
def as_json(value: Any) -> Any:
    """JSON-ready values of a result: its fields by name, arrays and tuples as lists.

    A number that is missing is None, one without end "inf" or "-inf". A class of which something
    else is written registers what: `as_json.register`.

    >>> from centrum.evaluate.bootstrap import Interval
    >>> as_json({"auc": Interval(0.5, float("nan")), "scores": np.array([1.0, np.inf])})
    {'auc': {'lower': 0.5, 'upper': None}, 'scores': [1.0, 'inf']}
    """
    return fields_of(value) if is_dataclass(value) else value


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as JSON-ready values."""
    return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}


@as_json.register(Mapping)
def _(value: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: as_json(each) for name, each in value.items()}


@as_json.register(list)
@as_json.register(tuple)
def _(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [as_json(each) for each in value]


@as_json.register(np.ndarray)
@as_json.register(np.generic)
def _(value: np.ndarray | np.generic) -> Any:
    return as_json(value.tolist())


@as_json.register(float)
def _(value: float) -> float | str | None:
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def from_json(kind: Callable[..., Kind], value: Any) -> Kind:
    """What `as_json` wrote, made a dataclass again by the types of its fields.

    >>> from centrum.evaluate.bootstrap import Interval
    >>> from_json(Interval, {"lower": 0.5, "upper": None})
    Interval(lower=0.5, upper=nan)
    """
    hints = get_type_hints(kind)
    return kind(**{name: _meant(hints[name], each) for name, each in value.items()})


def _meant(kind: Any, value: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if hasattr(origin, "__value__"):  # what `NDArray` is from numpy 2.5 and Python 3.12 on
        return _meant(origin.__value__[parts], value)
    if origin in (Union, UnionType):
        (kind,) = (part for part in parts if part is not type(None))
        return None if value is None else _meant(kind, value)
    if origin is np.ndarray:
        (dtype,) = get_args(parts[1])
        return np.array(value, dtype=dtype)
    if origin in (dict, Mapping):
        return {name: _meant(parts[1], each) for name, each in value.items()}
    if origin is tuple:
        return tuple(_meant(parts[0], each) for each in value)
    if is_dataclass(kind):
        return from_json(kind, value)  # type: ignore[arg-type]
    return float("nan" if value is None else value) if kind is float else value
