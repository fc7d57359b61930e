"""The frozen model: one JSON file that scores the next patient, and says whether it may.

It holds the protocol, the numbers that score, what was learnt of the scores, the training
distributions, its performance and its provenance. It is read as data: nothing in it is
executed. Every reading checks its digest and scores its self-test rows.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, model_validator
from pydantic.dataclasses import dataclass

from centrum.arrays import Floats
from centrum.cohort.case import Value
from centrum.errors import DataError
from centrum.frozen.domain import Distribution, Domain, Flag
from centrum.frozen.inputs import Covariate, FeaturePart
from centrum.frozen.moved import as_measured_then, refuse_moved
from centrum.frozen.nomogram import NomogramPart
from centrum.frozen.refits import Refits
from centrum.frozen.schema import (
    PART,
    CalibratorPart,
    GappyRows,
    Limit,
    Number,
    Performance,
    Provenance,
    SetsPart,
    Share,
    UsePart,
    agree,
    limit,
    validated,
)
from centrum.frozen.scorer import Scorer
from centrum.io.structured import read_json
from centrum.modelling.calibrators import Calibrator
from centrum.modelling.chance import above_chance
from centrum.protocol import Protocol
from centrum.provenance import digest
from centrum.records import fields_of
from centrum.store import write_atomically
from centrum.text import OneLine, html_table, sentences, significant, spelled

LAYOUT = "centrum.model/"

Schema = Literal["centrum.model/1", "centrum.model/2"]

SCHEMA: Schema = "centrum.model/2"
"""Name and version of the file's layout; another number where an older reader would misread."""

OLDER: Schema = "centrum.model/1"
"""That of 0.2.0 and 0.2.1: its self-test knows scores and probabilities alone."""

OLDER_TEST = (
    "The model's file is of version 0.2.0 or 0.2.1: its self-test checks scores and probabilities, "
    "but neither the cut-off, the names of the outcomes nor the sets. Freeze it again to have them "
    "checked."
)
"""What is to be known of such a model."""

UNSEALED = ("name", "use", "performance", "provenance", "self_test", "schema", "sha256")
"""Parts of a file that no result of a case is computed from."""

OPTIONAL = ("refits", "nomogram")
"""Parts that not every model has."""

TRAINED_ON = ("feature", "unit", "mean", "SD", "lowest", "highest")
"""What a notebook shows of each feature of the training cases."""

EXACT = 1e-12
"""Largest accepted difference of a self-test score, relative where the score exceeds 1."""


NAMED = 8
"""Batches that a message names before it counts the rest."""

OLDER_ROWS = ("values", "batch", "scores", "probabilities")
"""Of the self-test in a file of an older layout."""


def _limit_or_none(value: Any) -> float | None:
    return None if value is None else limit(value)


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class SelfTest(OneLine):
    """Rows of features and what the model says of them; no row is a patient's.

    Attributes
    ----------
    features : (features,) names, the columns of `values`
    values : (rows, features)
    batch : (rows,) or None without harmonisation
    scores, probabilities : (rows,)
    called : (rows,) the outcome at the cut-off, by its name
    outcomes : (rows,) the conformal set, by names
    cutoff : see `FrozenModel`
    sealed : SHA-256 of all parts of the file that a result is computed from. Rows reach neither
        every leaf of a tree nor every step of a calibration

    The last four are None in a file of 0.2.0 or 0.2.1.
    """

    features: tuple[str, ...]
    values: GappyRows
    batch: tuple[str, ...] | None
    scores: tuple[Number, ...]
    probabilities: tuple[Share, ...]
    called: tuple[str, ...] | None = None
    outcomes: tuple[tuple[str, ...], ...] | None = None
    cutoff: Annotated[float | None, BeforeValidator(_limit_or_none)] = None
    sealed: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        rows = len(self.scores)
        lists = (self.values, self.batch, self.probabilities, self.called, self.outcomes)
        agree(rows > 0, "expected at least one row")
        agree(all(len(x) == rows for x in lists if x is not None), "expected lists of equal length")
        agree(self.values.shape[1] == len(self.features), "expected a value of each feature")
        return self

    @classmethod
    def of(
        cls, scorer: Scorer, calibrator: Calibrator, values: Floats, batch: tuple[str, ...] | None
    ) -> Self:
        """Rows (rows, features) with their scores and probabilities; see `FrozenModel.tested`."""
        scores = scorer.score(values, batch)
        likely = calibrator.predict_proba(scores)
        return cls(scorer.features, values, batch, tuple(scores.tolist()), tuple(likely.tolist()))


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class FrozenModel(OneLine):
    """A model that scores new patients.

    A study leaves one as `results/model.json`, which `read_model` reads and `score_patient` takes;
    `scorer.score`, `calibrator.predict_proba`, `called` and `sets` are its parts in numbers.

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
    performance : what its evaluation found
    provenance : versions, digests, training cases, whether they were simulated
    self_test : see `SelfTest`
    refits : of the procedure on other patients, for the range of a probability; None where none
        are kept
    nomogram : clinical variables and the score together; None where the study had no such variable
    schema : layout of the file that it was read from

    Raises
    ------
    ValueError
        Parts that contradict each other, such as distributions of other features. What
        `from_dict` and `read_model` refuse is a `DataError`.
    """

    name: str
    protocol: Protocol
    features: tuple[FeaturePart, ...]
    covariates: tuple[Covariate, ...]
    scorer: Scorer
    cutoff: Limit
    cutoff_rule: str
    calibrator: CalibratorPart
    conformal: SetsPart
    distributions: tuple[Distribution, ...]
    scores: Distribution
    domain: Domain
    use: UsePart
    performance: Performance
    provenance: Provenance
    self_test: SelfTest
    refits: Refits | None = None
    nomogram: NomogramPart | None = None
    schema: Schema = SCHEMA

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Whether its lists tell the same features in the same order."""
        names, known = self.scorer.features, {c.name for c in self.covariates}
        agree(len(self.features) == len(names), "expected a record of each feature")
        agree(
            tuple(d.name for d in self.distributions) == names,
            "expected the distributions of the features, in their order",
        )
        agree(
            sorted(self.self_test.features) == sorted(names),
            "the self-test must have the model's features",
        )
        dialect = self.protocol.extraction.dialect
        for name, feature in zip(names, self.features, strict=True):
            agree(name in known if feature is None else feature.spell(dialect) == name,
                  f"{name} is none of the features that are described")  # fmt: skip
        agree(self.positive != self.negative, "expected two outcomes")
        return self

    def _repr_html_(self) -> str:
        caption = sentences(
            f"{self.name}: {self.positive} where the score is {significant(self.cutoff)} or more "
            f"({self.cutoff_rule}), else {self.negative}.",
            self.simulated,
        )
        known = zip(self.features, self.distributions, strict=True)
        rows = [
            (d.name, f.unit if f else "", *map(significant, (d.mean, d.sd, d.lowest, d.highest)))
            for f, d in known
        ]
        return html_table(caption, TRAINED_ON, rows)

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
    def above_chance(self) -> bool:
        """Whether the interval of its AUC lies above .5; of another its scores are not explained.

        Of a design with several parts the interval is that of the mean over the parts.
        """
        told = self.performance.get("over_parts") or self.performance["test"]["auc"]
        return above_chance(told["interval"]["lower"])

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
        value = known.get(column)
        if value is None or value == "" or value != value:
            raise DataError(
                f"The model harmonises by {column!r}, which is not known of this case.",
                remedy=f"Give it: --known {column}=..., or in that column of the table.",
                code="no-batch",
            )
        name = spelled(value)
        # 0.2.0 and 0.2.1 wrote the number 1001 of a column of numbers as 1001.0.
        older = f"{name}.0" in self.scorer.batches and name not in self.scorer.batches
        return [f"{name}.0" if older else name]

    def batch_flags(self, known: Mapping[str, Value]) -> tuple[Flag, ...]:
        """That a case is of a batch that the model does not know, where it is scored all the same.

        Raises
        ------
        DataError
            The batch is not known.
        """
        named = self.batch_of(known)
        if named is None or named[0] in self.scorer.batches:
            return ()
        there = self.scorer.batches
        more = f" and {len(there) - NAMED} more" if len(there) > NAMED else ""
        text = (
            f"{self.scorer.batch_column} is {named[0]!r}: the model harmonises by it and was "
            f"trained on {', '.join(there[:NAMED])}{more}. The values are scored as they are, not "
            "harmonised. Check the name; if it is new, validate the model there first."
        )
        return (Flag("warning", "unknown-batch", text),)

    def tested(self) -> Self:
        """The model whose self-test states what it decides of the rows."""
        scores = np.array(self.self_test.scores)
        decided = replace(
            self.self_test,
            called=self.called(scores),
            outcomes=self.sets(scores),
            cutoff=self.cutoff,
        )
        return replace(self, self_test=decided)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the file."""
        return (OLDER_TEST,) if self.schema == OLDER else ()

    def check(self) -> None:
        """Score the self-test rows.

        Raises
        ------
        DataError
            A score, a probability, a call or a set differs from what it was when the model was
            frozen, or the cut-off does.
        """
        test = self.self_test
        at = [test.features.index(name) for name in self.scorer.features]
        with np.errstate(all="ignore"):
            found = self.scorer.score(test.values[:, at], test.batch)
            if not np.isfinite(found).all():
                raise self._failed("score", test.scores, found)
            likely = self.calibrator.predict_proba(found)
        for what, now, then in (("score", found, test.scores),
                                ("probability", likely, test.probabilities)):  # fmt: skip
            wanted = np.array(then)
            away = np.abs(now - wanted) / np.maximum(1, np.abs(wanted))
            if not (away <= EXACT).all():
                raise self._failed(what, wanted[away.argmax()], now[away.argmax()])
        told = (
            ("cut-off", self.cutoff, test.cutoff),
            ("call", self.called(found), test.called),
            ("set of outcomes", self.sets(found), test.outcomes),
        )
        for what, is_now, was in told:
            if was not in (None, is_now):
                raise self._failed(what, was, is_now)

    def _failed(self, what: str, then: object, now: object) -> DataError:
        then, now = (f"{x:.15g}" if isinstance(x, float) else str(x) for x in (then, now))
        return DataError(
            f"The model {self.name!r} fails its self-test: a {what} that was {then} is now {now}.",
            remedy="Do not use it; copy the file again, or use the version that made it "
            f"({self.provenance['versions']['centrum']}).",
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values, with schema and digest."""
        last = ("protocol", "features", "calibrator", "conformal", "domain", *OPTIONAL)
        record = fields_of(self) | {"protocol": self.protocol.model_dump(mode="json")}
        for name in OPTIONAL:
            if record[name] is None:
                del record[name]
        whole = {name: record.pop(name) for name in [*record] if name not in last} | record
        if self.schema == OLDER:
            whole["self_test"] = {name: whole["self_test"][name] for name in OLDER_ROWS}
        else:
            whole["self_test"]["sealed"] = _seal(whole)
        return {**whole, "sha256": digest(whole)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave, checked.

        Raises
        ------
        DataError
            Another schema, changed content, something that is missing, unknown, of another kind
            or contradicts the rest, features that an earlier version measured otherwise, or a
            failed self-test.
        """
        try:
            _check_whole(record)
            content = {name: value for name, value in record.items() if name != "sha256"}
            made_by = _maker(record)
            read = as_measured_then(_with_names(content), made_by)
            model = validated(cls, read, "The model", made_by)
            refuse_moved(model.features, model.protocol.extraction, made_by)
            model.check()
            _check_seal(model, content)
        except RecursionError:
            raise DataError(
                "Lists and objects in the model file are nested too deeply.",
                remedy="Copy the original file again.",
            ) from None
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
    if not path.exists():
        raise DataError(
            f"There is no model {path.name}. `centrum run STUDY` leaves results/model.json."
        )
    try:
        record = read_json(path, DataError)
        return FrozenModel.from_dict(record if isinstance(record, dict) else {})
    except DataError as error:
        error.add_note(f"while reading {path.name}")
        raise


def _check_whole(record: Mapping[str, Any]) -> None:
    schema = record.get("schema")
    if schema not in (SCHEMA, OLDER):
        later = isinstance(schema, str) and schema.startswith(LAYOUT)
        raise DataError(
            f"Expected a frozen model of the schema {SCHEMA!r}, found {_short(schema)}.",
            remedy=f"Use the version of centrum that made the file{_maker(record, ', {}')}."
            if later
            else "`centrum run STUDY` leaves such a file, results/model.json.",
        )
    content = {name: value for name, value in record.items() if name != "sha256"}
    if digest(content) != record.get("sha256"):
        raise DataError(
            "The model was changed after it was frozen: its content has another SHA-256 than it "
            "states. Do not use it; copy the original file again."
        )


def _check_seal(model: FrozenModel, content: Mapping[str, Any]) -> None:
    if model.schema != OLDER and model.self_test.sealed != _seal(content):
        raise DataError(
            f"The model {model.name!r} fails its self-test: what results are computed from has "
            "another SHA-256 than when it was frozen.",
            remedy="Do not use it; copy the original file again.",
        )


def _seal(content: Mapping[str, Any]) -> str:
    return digest({name: part for name, part in content.items() if name not in UNSEALED})


def _with_names(content: Mapping[str, Any]) -> dict[str, Any]:
    """The self-test of an older layout told whose columns it has: they stood in the order."""
    test, scorer = content.get("self_test"), content.get("scorer")
    if content.get("schema") != OLDER or not isinstance(test, dict):
        return dict(content)
    names = scorer.get("features") if isinstance(scorer, dict) else None
    return {**content, "self_test": {"features": names, **test}}


def _maker(record: Mapping[str, Any], form: str = "{}") -> str:
    """The version that made a model, as far as its record tells."""
    known: Any = record
    for key in ("provenance", "versions", "centrum"):
        known = known.get(key) if isinstance(known, Mapping) else None
    return form.format(known) if isinstance(known, str) and len(known) < 20 else ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:60]}..."
