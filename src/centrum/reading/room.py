"""The choices of a reading room, `readings/room.yaml`, and which cases are read in it.

They are frozen by the first line of a journal: every line carries their digest. Readers and
sessions may be added later, and the time until the screen locks may change, because none of that
touches what was read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from centrum.cohort.case import EVERY, Case, column
from centrum.cohort.columns import find_columns
from centrum.cohort.manifest import read_manifest
from centrum.cohort.readings import CONSENSUS, READINGS, Convention
from centrum.errors import DataError
from centrum.io.structured import read_yaml
from centrum.measure.sequences import choose_sequences
from centrum.protocol import Images, read_protocol
from centrum.provenance import digest
from centrum.settings import Seed, Settings
from centrum.store import write_atomically
from centrum.study.study import PROTOCOL, manifest_path

ROOM = "room.yaml"

LEAD = "lead"
"""Who leads the study and reads nothing; no reader may be called so."""

TRAINING = "training"
"""Session of the practice on phantoms, and the folder that has them."""

NOT_FROZEN = frozenset({"readers", "sessions", "idle_minutes"})
"""Choices that may change after the first stroke: readers and sessions by being added to."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")

Share = Annotated[float, Field(ge=0, le=1)]


class ProposalChoice(Settings):
    """Outlines of another program that a reader may take over."""

    column: str = Field(description="column of the manifest with a label map for each case")
    scratch_share: Share = Field(
        0.2, description="share of the cases that all readers draw without a proposal"
    )


class Assistance(Settings):
    """What helps the reader, beside polygon, freehand and brush."""

    fill: bool = Field(True, description="fill between drawn slices")
    livewire: bool = Field(False, description="a line that follows the dark rim")
    growcut: bool = Field(False, description="regions that grow from marks, slice by slice")
    proposals: ProposalChoice | None = Field(None, description="none when missing")


class ShownFacts(Settings):
    """What a reader is told beside the image and the level."""

    age: bool = Field(False, description="in years")
    sex: bool = Field(False, description="as the manifest has it")
    sequences: bool = Field(False, description="the other image columns, side by side")


class TrainingChoice(Settings):
    """Practice on phantoms whose truth is known."""

    cases: Annotated[int, Field(ge=0, le=20)] = Field(3, description="phantoms for each reader")
    pass_dice: Share = Field(0.9, description="Dice coefficient that passes")
    required: bool = Field(False, description="whether all must be passed before the first case")


class RoomSettings(Settings):
    """Choices of a reading room.

    >>> RoomSettings(readers=("anna", "ben"), seed=7)
    RoomSettings(readers=('anna', 'ben'), seed=7)
    """

    readers: tuple[str, ...] = Field(
        ("reader1", "reader2"), description="their masks become mask:NAME in the manifest"
    )
    sessions: tuple[str, ...] = Field(
        ("first",), description="one after the other; a second one is read anew, in another order"
    )
    seed: Seed = Field(2026, description="of the order of each reader and session")
    convention: Convention = Field(
        "outer_edge", description="where the outline runs, along the dark cortex"
    )
    assistance: Assistance = Assistance()
    shown: ShownFacts = ShownFacts()
    confirm_level: bool = Field(
        True, description="whether the level is placed before the first stroke"
    )
    training: TrainingChoice = TrainingChoice()
    idle_minutes: Annotated[float, Field(gt=0, le=1440)] = Field(
        15, description="without a stroke, until the screen locks"
    )

    @field_validator("readers", "sessions")
    @classmethod
    def _folder_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        taken = (EVERY, CONSENSUS, TRAINING, LEAD)
        for name in names:
            if not _NAME.fullmatch(name) or name.casefold() in taken:
                raise ValueError(
                    "names of readers and sessions name folders: letters, digits, hyphen, dot and "
                    f"underscore, and none of {', '.join(taken)}; found {name!r}"
                )
        return names

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        for names in (self.readers, self.sessions):
            if not names or len({name.casefold() for name in names}) < len(names):
                raise ValueError(f"at least one, and each once, found {list(names)}")
        return self

    @property
    def frozen_digest(self) -> str:
        """SHA-256 of the choices that no longer change once something was read.

        Of those that are not the default, so that a choice which a later version adds changes no
        room that does not make it.
        """
        chosen = self.model_dump(mode="json", exclude=set(NOT_FROZEN), exclude_defaults=True)
        return digest(chosen)


@dataclass(frozen=True, eq=False)
class Room:
    """A study as its readers may know it.

    Attributes
    ----------
    study : its folder
    settings : the choices
    images : how image files are read
    sequence : the image column that is drawn on
    cases : without outcome, by id, in the order of the manifest
    """

    study: Path
    settings: RoomSettings
    images: Images
    sequence: str
    cases: Mapping[str, Case]

    @property
    def folder(self) -> Path:
        """Where everything lies that is read."""
        return self.study / READINGS

    def session_folder(self, reader: str, session: str) -> Path:
        """Where a reader's session lies."""
        return self.folder / reader / session

    def proposal(self, case: Case) -> str | None:
        """The label map that is proposed for a case, None where there is none."""
        chosen = self.settings.assistance.proposals
        if chosen is None:
            return None
        for reader, source in case.masks.items():
            if column("mask", reader) == chosen.column:
                return source
        file = case.covariates.get(chosen.column)
        return str(self.study / str(file)) if file is not None else None


def open_room(study: Path | str) -> Room:
    """The room of a study; its choices are those of `room.yaml`, which is made where it is missing.

    The outcome is not read, and no column of the manifest that readers are not to know.

    Raises
    ------
    CentrumError
        The protocol, the manifest or `room.yaml` cannot be used.
    """
    study = Path(study)
    protocol = read_protocol(study / PROTOCOL)
    if not (study / READINGS / ROOM).exists():
        write_settings(study, RoomSettings())
    settings = read_settings(study)
    cohort = read_manifest(
        manifest_path(study),
        optional=("outcome", "mask"),
        labels=protocol.images.scheme,
        only=lambda head: _may_know(head, settings),
    )
    sequence, *_ = choose_sequences(protocol.images, cohort.sequences)
    cases = {case.id: case for case in cohort.cases}
    return Room(study, settings, protocol.images, sequence, cases)


def _may_know(head: str, settings: RoomSettings) -> bool:
    """Whether a column of the manifest is read."""
    chosen = settings.assistance.proposals
    if chosen is not None and head == chosen.column:
        return True
    columns = find_columns((head,))
    known = {"case", "patient", "level"}
    known |= {name for name in ("age", "sex") if getattr(settings.shown, name)}
    return bool(columns.images) or bool(known & set(columns.fields))


def read_settings(study: Path) -> RoomSettings:
    """The choices in `readings/room.yaml`.

    Raises
    ------
    DataError
        It is not YAML, or a choice is unknown or not allowed; code "bad-room".
    """
    path = study / READINGS / ROOM
    content = read_yaml(path, DataError)
    try:
        return RoomSettings.model_validate(content if content is not None else {})
    except ValidationError as error:
        told = "; ".join(_fault(each) for each in error.errors())
        raise DataError(
            f"{READINGS}/{ROOM}: {told}.",
            remedy="Correct it; docs/concepts/reading-room.md has the choices.",
            code="bad-room",
            file=path,
        ) from error


def _fault(error: Any) -> str:
    place = ".".join(map(str, error["loc"]))
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{place}: {said}" if place else said


def write_settings(study: Path, settings: RoomSettings) -> Path:
    """Write `room.yaml` where there is none; its path.

    Raises
    ------
    DataError
        There is one; code "room-exists".
    """
    path = study / READINGS / ROOM
    if path.exists():
        raise DataError(
            f"{READINGS}/{ROOM} exists and is not overwritten.",
            remedy="Change it with an editor, as long as nothing was read.",
            code="room-exists",
            file=path,
        )
    chosen = settings.model_dump(mode="json")
    text = yaml.safe_dump(chosen, sort_keys=False, default_flow_style=None, allow_unicode=True)
    write_atomically(path, text.encode())
    return path
