"""The base of every block of choices in a protocol."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Dialect = Literal["ibsi", "pyradiomics"]
"""Whose definitions and names."""

DIALECTS: tuple[Dialect, ...] = ("ibsi", "pyradiomics")


class Settings(BaseModel):
    """Choices: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
