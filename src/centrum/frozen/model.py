"""The frozen model: one JSON file that scores the next patient, and says whether it may.

It holds the protocol, the numbers that score, what was learnt of the scores, the training
distributions, its performance and its provenance. It is read as data: nothing in it is
executed. Every reading checks its digest and scores its self-test rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from centrum.cohort.case import Value
from centrum.cohort.numbers import parse_number
from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.frozen.domain import Distribution, Domain
from centrum.frozen.scorer import Scorer, plain
from centrum.modelling.calibrators import Calibrator, calibrator_from
from centrum.modelling.conformal import ConformalSets
from centrum.protocol import Protocol
from centrum.provenance import digest
from centrum.store import write_atomically

Floats = NDArray[np.float64]

SCHEMA = "centrum.model/1"
"""Name and version of the file's layout; another number where an older reader would misread."""

EXACT = 1e-12
"""Largest accepted difference of a self-test score, relative where the score exceeds 1."""


@dataclass(frozen=True)
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
        if str(value) not in self.levels:
            raise DataError(
                f"{self.column} is {value!r}; the model was trained on {', '.join(self.levels)}."
            )
        return float(str(value) == self.level)


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


@dataclass(frozen=True)
class SelfTest:
    """Rows of features with their scores and probabilities; no row is a patient's.

    Attributes
    ----------
    values : (rows, features)
    batch : (rows,) or None without harmonisation
    scores, probabilities : (rows,)
    """

    values: tuple[tuple[float, ...], ...]
    batch: tuple[str, ...] | None
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class FrozenModel:
    """A model that scores new patients.

    Attributes
    ----------
    name : what it is called
    protocol : how features are measured; what preparation learnt is in it
    features : records of the features that it reads, in the order of `scorer.features`; None
        for a covariate
    covariates : how those are read
    scorer : from features to the score
    cutoff, cutoff_rule : a score of at least `cutoff` is called positive
    calibrator, conformal : from scores to probabilities and to sets of outcomes
    distributions : of the features, in the order of `scorer.features`
    scores : distribution of the training scores, out of fold
    domain : acquisitions and regions of the training cases
    use : intended use and limits, a sentence each
    performance : what was found when it was judged
    provenance : versions, digests, training cases, whether they were simulated
    self_test : see `SelfTest`
    """

    name: str
    protocol: Protocol
    features: tuple[FeatureId | None, ...]
    covariates: tuple[Covariate, ...]
    scorer: Scorer
    cutoff: float
    cutoff_rule: str
    calibrator: Calibrator
    conformal: ConformalSets
    distributions: tuple[Distribution, ...]
    scores: Distribution
    domain: Domain
    use: Mapping[str, tuple[str, ...]]
    performance: Mapping[str, Any]
    provenance: Mapping[str, Any]
    self_test: SelfTest

    @property
    def positive(self) -> str:
        """The outcome that a high score speaks for."""
        return self.protocol.outcome.positive

    @property
    def negative(self) -> str:
        """The other outcome."""
        return self.protocol.outcome.negative

    @property
    def simulated(self) -> str:
        """ "" or the sentence that marks simulated patients."""
        return str(self.provenance["simulated"])

    @property
    def of_tables(self) -> bool:
        """Whether it was fitted on tables made elsewhere, so that no image can be measured."""
        return bool(self.provenance["of_tables"])

    def called(self, scores: Floats) -> tuple[str, ...]:
        """The outcome that each score is called, at the frozen cut-off."""
        return tuple(self.positive if s >= self.cutoff else self.negative for s in scores)

    def sets(self, scores: Floats) -> tuple[tuple[str, ...], ...]:
        """The outcomes that each case may have: one, both or none."""
        named = {
            "positive": (self.positive,),
            "negative": (self.negative,),
            "uncertain": (self.positive, self.negative),
            "neither": (),
        }
        return tuple(named[found] for found in self.conformal.of(scores))

    def batch_of(self, known: Mapping[str, Value]) -> list[str] | None:
        """The batch of a case for harmonisation; None where the model does not harmonise.

        Raises
        ------
        DataError
            It is not known.
        """
        column = self.scorer.batch_column
        if column is None:
            return None
        if known.get(column) in (None, ""):
            raise DataError(
                f"The model harmonises by {column!r}, which is not known of this case. Give it: "
                f"--known {column}=..."
            )
        return [str(known[column])]

    def check(self) -> None:
        """Score the self-test rows.

        Raises
        ------
        DataError
            A score or probability differs from what it was when the model was frozen.
        """
        test = self.self_test
        found = self.scorer.score(test.values, test.batch)
        likely = self.calibrator.predict_proba(found)
        for what, now, then in (("score", found, test.scores),
                                ("probability", likely, test.probabilities)):  # fmt: skip
            wanted = np.array(then)
            away = np.abs(now - wanted) / np.maximum(1, np.abs(wanted))
            if not (away <= EXACT).all():
                raise DataError(
                    f"The model {self.name!r} fails its self-test: a {what} that was "
                    f"{wanted[away.argmax()]:.15g} is now {now[away.argmax()]:.15g}. Do not use "
                    "it; copy the file again, or use the version that made it "
                    f"({self.provenance['versions']['centrum']})."
                )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values, with schema and digest."""
        own = {
            "protocol": self.protocol.model_dump(mode="json"),
            "features": [f and f.to_dict() | {"unit": f.unit} for f in self.features],
            "calibrator": self.calibrator.to_dict(),
            "conformal": self.conformal.to_dict(),
            "domain": self.domain.to_dict(),
        }
        rest = [f.name for f in fields(self) if f.name not in own]
        record = {name: plain(getattr(self, name)) for name in rest}
        whole: dict[str, Any] = json.loads(json.dumps({"schema": SCHEMA, **record, **own}))
        return {**whole, "sha256": digest(whole)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave, checked.

        Raises
        ------
        DataError
            Another schema, changed content, or a failed self-test.
        """
        _check_whole(record)
        known = {f.name: record[f.name] for f in fields(cls)}
        known |= {
            "protocol": Protocol.model_validate(record["protocol"]),
            "features": tuple(_feature(f) for f in record["features"]),
            "covariates": tuple(_covariate(c) for c in record["covariates"]),
            "scorer": Scorer.from_dict(record["scorer"]),
            "calibrator": calibrator_from(record["calibrator"]),
            "conformal": ConformalSets.from_dict(record["conformal"]),
            "distributions": tuple(map(Distribution.from_dict, record["distributions"])),
            "scores": Distribution.from_dict(record["scores"]),
            "domain": Domain.from_dict(record["domain"]),
            "use": {name: tuple(lines) for name, lines in record["use"].items()},
            "self_test": _self_test(record["self_test"]),
        }
        model = cls(**known)
        model.check()
        return model

    def save(self, path: Path) -> None:
        """Write the file."""
        write_atomically(path, (json.dumps(self.to_dict(), indent=1) + "\n").encode())


def read_model(path: Path) -> FrozenModel:
    """The frozen model of a file.

    Raises
    ------
    DataError
        No such file, no JSON, no frozen model, changed content, or a failed self-test.
    """
    if not path.is_file():
        raise DataError(
            f"There is no model {path.name}. `centrum run STUDY` leaves results/model.json."
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path.name} is not JSON: {error}. Copy it again.") from error
    try:
        return FrozenModel.from_dict(record if isinstance(record, dict) else {})
    except DataError as error:
        error.add_note(f"while reading {path.name}")
        raise


def _check_whole(record: Mapping[str, Any]) -> None:
    schema = record.get("schema")
    if schema != SCHEMA:
        raise DataError(
            f"A frozen model of the schema {SCHEMA!r} is wanted, found {schema!r}. Use the version "
            "of centrum that made the file."
        )
    content = {name: value for name, value in record.items() if name != "sha256"}
    if digest(content) != record.get("sha256"):
        raise DataError(
            "The model was changed after it was frozen: its content has another SHA-256 than it "
            "states. Do not use it; copy the original file again."
        )


def _feature(record: Mapping[str, str] | None) -> FeatureId | None:
    if record is None:
        return None
    return FeatureId(**{k: v for k, v in record.items() if k != "unit"})


def _covariate(record: Mapping[str, Any]) -> Covariate:
    return Covariate(**{**record, "levels": tuple(record["levels"])})


def _self_test(record: Mapping[str, Any]) -> SelfTest:
    batch: Sequence[str] | None = record["batch"]
    return SelfTest(
        values=tuple(
            tuple(float("nan") if v is None else v for v in row) for row in record["values"]
        ),
        batch=None if batch is None else tuple(batch),
        scores=tuple(record["scores"]),
        probabilities=tuple(record["probabilities"]),
    )
