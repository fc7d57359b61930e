"""The base of every block of choices in a protocol."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Choices: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
