"""The combined model of a study, in its frozen model, for the calculator of a patient's page."""

from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, PlainValidator, model_validator

from centrum.frozen.schema import PART, Number, agree
from centrum.modelling.nomogram import Nomogram, NumberAxis, TextAxis


class _NumberRecord(BaseModel):
    model_config = PART
    variable: str
    per_unit: Number
    ticks: Annotated[tuple[Number, ...], Field(min_length=2)]
    usual: Number

    @model_validator(mode="after")
    def _rises(self) -> "_NumberRecord":
        agree(bool((np.diff(self.ticks) > 0).all()), "its ticks must rise")
        return self


class _TextRecord(BaseModel):
    model_config = PART
    variable: str
    levels: Annotated[tuple[str, ...], Field(min_length=1)]
    effects: tuple[Number, ...]
    usual: str

    @model_validator(mode="after")
    def _consistent(self) -> "_TextRecord":
        agree(len(self.levels) == len(self.effects), "expected an effect of each level")
        agree(self.usual in self.levels, "its usual level must be one of its levels")
        return self


class _NomogramRecord(BaseModel):
    model_config = PART
    intercept: Number
    axes: Annotated[tuple[_NumberRecord | _TextRecord, ...], Field(min_length=1)]
    share: Annotated[Number, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "_NomogramRecord":
        names = [axis.variable for axis in self.axes]
        agree(len(set(names)) == len(names), "a variable has two axes")
        slopes = [a.per_unit for a in self.axes if isinstance(a, _NumberRecord)]
        agree(any(slopes), "expected a number with an effect")
        return self


def _nomogram(value: Any) -> Nomogram:
    if isinstance(value, Nomogram):
        return value
    read = _NomogramRecord.model_validate(value)
    axes = (
        (NumberAxis if isinstance(axis, _NumberRecord) else TextAxis)(**axis.model_dump())
        for axis in read.axes
    )
    return Nomogram(read.intercept, tuple(axes), read.share)


NomogramPart = Annotated[Nomogram, PlainValidator(_nomogram)]
