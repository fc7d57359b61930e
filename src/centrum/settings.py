"""The base of every block of choices in a protocol, and what numbers may be.

Every number has a lower and an upper limit, far beyond what is used, so that a slip of the pen is
refused before memory is asked for.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Dialect = Literal["ibsi", "pyradiomics"]
"""Whose definitions and names."""

DIALECTS: tuple[Dialect, ...] = ("ibsi", "pyradiomics")

Seed = Annotated[int, Field(ge=0, le=4_000_000_000)]
"""Of chance; generators take 32 bits, and repeats add to it."""

Times = Annotated[int, Field(ge=1, le=10_000)]
"""How often something is done, or how many of something are taken."""

Folds = Annotated[int, Field(ge=2, le=1000)]
"""Parts of a cross-validation."""

Millimetres = Annotated[float, Field(ge=0.001, le=1000)]
"""A length, or the distance of voxels."""

Intensity = Annotated[float, Field(ge=-1e12, le=1e12)]
"""Of a voxel, in the units of its image."""

Factor = Annotated[float, Field(ge=1e-9, le=1e9)]
"""By which something is multiplied."""


class Settings(BaseModel):
    """Choices: frozen, and unknown keys, NaN and infinite numbers are refused.

    Only what is not the default is shown.

    >>> class Penalty(Settings):
    ...     C: Factor = 1.0
    ...     folds: Folds = 5
    >>> Penalty(folds=3)
    Penalty(folds=3)
    >>> Penalty(C=True)
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for Penalty
      Value error, `C` is a number; yes, no, on, off, true and false are truth values ...
    """

    # What checks the choices is made when they are first checked: most commands read few of them.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_values(cls, choices: Any) -> Any:
        """Refuses what would count as 0 or 1."""
        for name, value in choices.items() if isinstance(choices, dict) else ():
            given = value if isinstance(value, list | tuple) else [value]
            numeric = name in cls.model_fields and _is_number(cls.model_fields[name].annotation)
            if numeric and any(isinstance(each, bool) for each in given):
                raise ValueError(
                    f"`{name}` is a number; yes, no, on, off, true and false are truth values"
                )
        return choices

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        own = type(self).model_fields
        return [(k, v) for k, v in super().__repr_args__() if k is None or v != own[k].default]


def _is_number(annotation: Any) -> bool:
    """Whether numbers, and no truth values, are among the types of a union or list."""
    kinds = _kinds(annotation)
    return bool not in kinds and bool(kinds & {int, float})


def _kinds(annotation: Any) -> set[Any]:
    return {annotation}.union(*(_kinds(part) for part in get_args(annotation)))
