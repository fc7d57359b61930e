"""Which stages of a study are up to date, so that a run redoes only what a change touches."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from centrum.errors import DataError
from centrum.provenance import file_digest
from centrum.store import write_atomically

Result = TypeVar("Result")

RECORD = "stages.json"
"""File of the record, in the results folder."""

RESULTS = {
    "extract": ("features.parquet", "features.json", "extraction.json", "overlap.csv",
                "acquisition.csv", "landmarks.json"),
    "agree": ("agreement.csv", "agreement_within.csv"),
    "morphometry": ("morphometry.csv", "morphometry_agreement.csv"),
    "perturb": ("robustness_values.parquet", "robustness.csv", "perturbations.csv"),
    "fit": ("fit.json", "scores.csv"),
    "internal": ("assessment.json",),
    "evaluate": ("evaluation.json",),
    "explain": ("explanation.json",),
    "freeze": ("model.json",),
    "report": (),
    "manuscript": (),
}  # fmt: skip
"""The stages in their order, and the results of each that later ones read."""

PAGE, EVALUATION, PERTURBATIONS = "report.html", "evaluation.json", "perturbations.csv"
"""The page of the report, the scores judged, and what was done to which case."""

MAKERS = {name: stage for stage, names in RESULTS.items() for name in names}


UNREADABLE = (
    ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What reading a file that is not what it was raises."""


class Made(BaseModel):
    """What is known of a stage that was made.

    Attributes
    ----------
    key : digest of all that decided it
    files : path in the results folder -> digest of what the stage left there
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    files: dict[str, str]


RENAMED = {"assess": "internal"}
"""Stages that were called otherwise until 0.2.2."""

_RECORD = TypeAdapter(dict[str, Made])


@dataclass(frozen=True)
class Stages:
    """The record `stages.json` of a results folder."""

    folder: Path

    @property
    def path(self) -> Path:
        """Where the record lies."""
        return self.folder / RECORD

    def read(self) -> dict[str, Made]:
        """What was made, by stage; a record that cannot be understood counts as absent."""
        try:
            made = _RECORD.validate_json(self.path.read_bytes())
            return {RENAMED.get(stage, stage): left for stage, left in made.items()}
        except (OSError, ValidationError):
            return {}

    def current(self, stage: str, key: str) -> bool:
        """Whether the stage was made under this key and its files are as it left them."""
        made = self.read().get(stage)
        return made is not None and made.key == key and not self.changed(stage)

    def changed(self, stage: str) -> tuple[str, ...]:
        """Files of a stage that are missing, or not as it left them."""
        made = self.read().get(stage)
        return tuple(name for name, d in made.files.items() if self._now(name) != d) if made else ()

    def _now(self, name: str) -> str | None:
        """Digest of a result as it is; None where there is none within the folder."""
        path = self.folder / name
        try:
            within = path.resolve().is_relative_to(self.folder.resolve())
            return file_digest(path) if within else None
        except (OSError, ValueError):  # no file, or no name of one
            return None

    def done(self, stage: str, key: str, files: Iterable[Path]) -> None:
        """Record that the stage was made under `key` and left `files`; take away what it once left.

        Only files go that the stage had recorded and that are as it left them.
        """
        digests = {f.relative_to(self.folder).as_posix(): file_digest(f) for f in files}
        self._take_away(stage, digests)
        self._write(self.read() | {stage: Made(key=key, files=digests)})

    def forget(self, stage: str) -> None:
        """Take away what a stage left that the study has no longer."""
        if stage in self.read():
            self._take_away(stage, ())
            self._write({name: made for name, made in self.read().items() if name != stage})

    def _take_away(self, stage: str, kept: Iterable[str]) -> None:
        made, kept = self.read().get(stage), set(kept)
        for name, left in made.files.items() if made else ():
            if name not in kept and self._now(name) == left:
                (self.folder / name).unlink()

    def _write(self, record: dict[str, Made]) -> None:
        content = {stage: made.model_dump() for stage, made in record.items()}
        write_atomically(self.path, json.dumps(content, indent=1, sort_keys=True).encode())

    def digests_of(self, *stages: str) -> dict[str, str]:
        """Digest of every file that these stages left."""
        record = self.read()
        return {n: d for stage in stages if stage in record for n, d in record[stage].files.items()}

    def result(self, name: str, read: Callable[[Path], Result]) -> Result:
        """A result, read by `read` from the file as its stage left it.

        Raises
        ------
        DataError
            It is not there yet ("not-made"), or was changed since ("changed-result"); the command
            that makes it is named.
        """
        stage, path = MAKERS[name], self.folder / name
        known = self.digests_of(stage).get(name)
        if known is None or not path.exists():
            raise not_made(name, stage)
        if self._now(name) != known:
            raise changed_result(name, stage)
        try:
            return read(path)
        except UNREADABLE as error:
            raise changed_result(name, stage) from error


def not_made(name: str, stage: str) -> DataError:
    """The error of a result that is missing; it names the command that makes it."""
    return DataError(
        f"{name} is not there yet.",
        remedy=f"`centrum {stage} STUDY` makes it.",
        code="not-made",
        file=name,
    )


def changed_result(name: str, stage: str) -> DataError:
    """The error of a result that was edited or damaged after its stage had left it."""
    return DataError(
        f"{name} in results is not as `{stage}` left it: it was edited, exchanged or damaged, and "
        "what comes after it would be of other numbers than the study's.",
        remedy=f"`centrum {stage} STUDY` makes it again from what it is made of.",
        code="changed-result",
        file=name,
    )
