"""A frozen model on patients of another place: how far what it promised still holds.

Nothing of the model is changed. What would help (recalibration, harmonisation) is tried beside
it and told apart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats, Table, column_blocks
from centrum.errors import DataError
from centrum.evaluate import CutOff, Evaluation, Scored, evaluate
from centrum.evaluate.bootstrap import case_weights
from centrum.evaluate.by_patient import evaluate_patients
from centrum.evaluate.calibration import Calibration, calibration
from centrum.evaluate.comparison import AucDifference, delong_test
from centrum.evaluate.decision_curve import DecisionCurve, decision_curve
from centrum.evaluate.discrimination import RocBand, roc_band
from centrum.evaluate.recalibration import Recalibration, Update, cross_fitted, recalibration
from centrum.frozen.domain import Distribution
from centrum.frozen.model import FrozenModel
from centrum.frozen.people import NOBODY, People
from centrum.modelling.combat import to_reference
from centrum.modelling.conformal import SetSummary, summarise_sets
from centrum.modelling.split import fewest_patients, folds_by_patient, train_and_held_out
from centrum.records import as_json
from centrum.text import OneLine
from centrum.validation.fits import of_reader
from centrum.validation.other_readers import OtherReader, ReadCases, compare_regions

FOLDS = 10
"""Of the patients, to recalibrate without having seen the case."""

UPDATES: tuple[Update, ...] = ("in_the_large", "slope")


@dataclass(frozen=True)
class Drift:
    """How a feature of the new cases differs from the training cases.

    Attributes
    ----------
    name : of the feature
    shift : new mean less training mean, in training SDs
    spread : new SD over training SD
    outside : share of the new cases outside the training range
    """

    name: str
    shift: float
    spread: float
    outside: float


@dataclass(frozen=True, eq=False, repr=False)
class Calibrated(OneLine):
    """Probabilities and how they are calibrated.

    Attributes
    ----------
    name : "as is", "in_the_large" or "slope"
    probability : (cases,); recalibrated ones without having seen the case's patient
    calibration : of these probabilities
    update : learnt on all the cases, to be used from now on; None for "as is"
    """

    name: str
    probability: Floats
    calibration: Calibration
    update: Recalibration | None


@dataclass(frozen=True, eq=False, repr=False)
class Compared(OneLine):
    """Another score of the same patients, against the model's.

    Attributes
    ----------
    name : of the other: a model, or "harmonised"
    scores : (cases,)
    evaluation : of the other at its own cut-off
    difference : of the AUCs, the other less the model
    slope : calibration slope of the other's probabilities
    """

    name: str
    scores: Floats
    evaluation: Evaluation
    difference: AucDifference
    slope: float


@dataclass(frozen=True, eq=False, repr=False)
class ExternalValidation(OneLine):
    """An external validation.

    Attributes
    ----------
    cases : ids of the scored cases
    refused : case -> why it was not scored
    values : (cases, features) of the model; on disk where they are very many
    scores, probability : (cases,)
    called, sets : the outcome at the frozen cut-off, the conformal set
    positive, patients : (cases,)
    evaluation, band : discrimination, and decisions at the frozen cut-off
    by_patient : each patient by the highest of its cases; None where each has one
    calibrated : as is, recalibrated in the large, and with slope
    not_recalibrated : update -> why it could not be tried
    decision_curve : of the probabilities as they are
    conformal : how the sets did
    drift : of every feature and of the score, the largest shift first
    flags : kind of flag -> cases that have it
    compared : other scores of the same patients
    read : further reader -> score (cases,) by the reader's regions, nan where there is none
    other_readers : these beside the first reader's
    not_compared : further reader -> why there is no comparison
    people : who the patients of the scored cases are
    """

    cases: tuple[str, ...]
    refused: Mapping[str, str]
    values: Table
    scores: Floats
    probability: Floats
    called: tuple[str, ...]
    sets: tuple[str, ...]
    positive: Flags
    patients: NDArray
    evaluation: Evaluation
    by_patient: Evaluation | None
    band: RocBand
    calibrated: tuple[Calibrated, ...]
    not_recalibrated: Mapping[str, str]
    decision_curve: DecisionCurve
    conformal: SetSummary
    drift: tuple[Drift, ...]
    flags: Mapping[str, int]
    compared: tuple[Compared, ...]
    read: Mapping[str, Floats]
    other_readers: tuple[OtherReader, ...]
    not_compared: Mapping[str, str]
    people: People

    def predictions(self) -> pd.DataFrame:
        """A row per scored case; patients are not named."""
        compared = {f"score, {c.name}": c.scores for c in self.compared}
        by_readers = {of_reader("score", name): scores for name, scores in self.read.items()}
        return pd.DataFrame(
            {
                "case": self.cases,
                "positive": self.positive.astype(int),
                "score": self.scores,
                "probability": self.probability,
                "called": self.called,
                "set": self.sets,
                **{f"probability, {c.name}": c.probability for c in self.calibrated[1:]},
                **compared,
                **by_readers,
            }
        )


@as_json.register
def _(validation: ExternalValidation) -> dict[str, Any]:
    """Cases are not named."""
    return {
        "n": len(validation.cases),
        "refused": len(validation.refused),
        "people": as_json(validation.people),
        "flags": as_json(validation.flags),
        "evaluation": as_json(validation.evaluation),
        "band": as_json(validation.band),
        "patients": as_json(validation.by_patient),
        "calibration": {
            c.name: {"found": as_json(c.calibration), "update": as_json(c.update)}
            for c in validation.calibrated
        },
        "not_recalibrated": as_json(validation.not_recalibrated),
        "decision_curve": as_json(validation.decision_curve),
        "conformal": as_json(validation.conformal),
        "drift": as_json(validation.drift),
        "compared": {
            c.name: {
                name: as_json(getattr(c, name)) for name in ("evaluation", "difference", "slope")
            }
            for c in validation.compared
        },
        "other_readers": as_json(validation.other_readers),
        "not_compared": as_json(validation.not_compared),
    }


@dataclass(frozen=True, eq=False, repr=False)
class NewCases(OneLine):
    """Cases with their features and outcome, as they came out of scoring.

    Attributes
    ----------
    cases : ids
    patients, positive : (cases,)
    values : (cases, features) in the order of the model's
    batch : (cases,) for harmonisation, or None
    reader : whose regions the values are of
    read : further reader -> score (cases,) by the reader's regions, nan where there is none
    people : who the patients are
    """

    cases: tuple[str, ...]
    patients: NDArray
    positive: Flags
    values: Table
    batch: tuple[str, ...] | None
    reader: str = "reader"
    read: Mapping[str, Floats] = field(default_factory=dict)
    people: People = NOBODY


def validate(
    model: FrozenModel,
    new: NewCases,
    *,
    refused: Mapping[str, str],
    flags: Sequence[str] = (),
    others: Mapping[str, tuple[FrozenModel, Floats]] | None = None,
    seed: int = 2024,
) -> ExternalValidation:
    """Evaluate a frozen model on new cases.

    Parameters
    ----------
    new : the scored cases
    refused : case -> why it is not among them
    flags : the kinds of flags of all cases
    others : name -> another model and its scores of the same cases

    Raises
    ------
    DataError
        One outcome only.
    """
    scores = model.scorer.score(new.values, new.batch)
    likely = model.calibrator.predict_proba(scores)
    evaluation, patients = model.protocol.evaluation, new.patients
    ranked, probable = (Scored.of(s, new.positive, patients) for s in (scores, likely))
    weights = case_weights(probable, evaluation.n_resamples, seed)
    own = _evaluated(model, "external", scores, new, seed)
    other_readers, not_compared = _by_regions(model, new, scores)
    calibrated, not_recalibrated = _calibrated(probable, evaluation.confidence, seed)
    sets = model.conformal.of(scores)
    compared = [_harmonised(model, new, scores, seed)] if _can_harmonise(new) else []
    compared += [
        _compared(name, *other, new, scores, seed) for name, other in (others or {}).items()
    ]
    return ExternalValidation(
        cases=new.cases,
        refused=dict(refused),
        values=new.values,
        scores=scores,
        probability=likely,
        called=model.called(scores),
        sets=sets,
        positive=new.positive,
        patients=patients,
        evaluation=own,
        by_patient=evaluate_patients(
            ranked,
            scores >= model.cutoff,
            _frozen_cutoff(model),
            seed=seed,
            n_resamples=evaluation.n_resamples,
            confidence=evaluation.confidence,
        ),
        band=roc_band(ranked, weights, evaluation.confidence),
        calibrated=calibrated,
        not_recalibrated=not_recalibrated,
        decision_curve=decision_curve(probable, weights, confidence=evaluation.confidence),
        conformal=summarise_sets(sets, new.positive),
        drift=drift_of(model, new.values),
        flags=dict(sorted(Counter(flags).items())),
        compared=tuple(compared),
        read=dict(new.read),
        other_readers=other_readers,
        not_compared=not_compared,
        people=new.people,
    )


def _by_regions(
    model: FrozenModel, new: NewCases, scores: Floats
) -> tuple[tuple[OtherReader, ...], dict[str, str]]:
    """The score by the regions of further readers; of those that cannot be compared, why."""
    cases = pd.DataFrame({"patient": new.patients}, index=list(new.cases))
    own, made, failed = _read(model, scores), [], {}
    for name, theirs in new.read.items():
        names, other = (new.reader, name), _read(model, theirs)
        try:
            made.append(compare_regions(names, own, other, cases, new.positive, model.protocol))
        except DataError as error:
            failed[name] = str(error)
    return tuple(made), failed


def _read(model: FrozenModel, scores: Floats) -> ReadCases:
    """What the model makes of scores (cases,), nan where there is none."""
    there = np.isfinite(scores)
    likely = np.full(scores.shape, np.nan)
    likely[there] = model.calibrator.predict_proba(scores[there])
    return ReadCases(scores, likely, scores >= model.cutoff)


def _evaluated(
    model: FrozenModel, name: str, scores: Floats, new: NewCases, seed: int
) -> Evaluation:
    """Discrimination, and decisions at the frozen cut-off."""
    evaluation = model.protocol.evaluation
    return evaluate(
        scores,
        new.positive,
        new.patients,
        _frozen_cutoff(model),
        name=name,
        seed=seed,
        n_resamples=evaluation.n_resamples,
        confidence=evaluation.confidence,
    )


def _frozen_cutoff(model: FrozenModel) -> CutOff:
    rule, _, learnt_on = model.cutoff_rule.partition(", ")
    return CutOff(model.cutoff, rule, f"{learnt_on}, frozen")


def _calibrated(
    probable: Scored, confidence: float, seed: int
) -> tuple[tuple[Calibrated, ...], dict[str, str]]:
    """As is, and recalibrated; of updates that cannot be learnt in every fold, why."""
    groups = int(np.clip(probable.scores.size // 6, 3, 10))
    calibrated = [
        Calibrated("as is", probable.scores, calibration(probable, groups, confidence), None)
    ]
    labels, failed = probable.positive.astype(int), dict[str, str]()
    folds = max(2, min(FOLDS, fewest_patients(labels, probable.patients)))
    for update in UPDATES:
        try:
            fold = folds_by_patient(labels, probable.patients, folds, seed)
            p = cross_fitted(probable, update, train_and_held_out(fold))
            learnt = recalibration(probable, update)
        except DataError as error:
            failed[update] = str(error)
            continue
        after = calibration(Scored.of(p, labels, probable.patients), groups, confidence)
        calibrated.append(Calibrated(update, p, after, learnt))
    return tuple(calibrated), failed


def _can_harmonise(new: NewCases) -> bool:
    blocks = (np.asarray(new.values[:, own]) for own in column_blocks(new.values))
    return len(new.cases) > 2 and all(np.isfinite(block).all() for block in blocks)


def _harmonised(model: FrozenModel, new: NewCases, scores: Floats, seed: int) -> Compared:
    """The model on features that were moved to the training cases' location and scale."""
    own = zip(model.distributions, model.features, strict=True)
    known = [(d.mean, 0.0 if feature is None else d.sd) for d, feature in own]  # covariates stay
    moved = to_reference(new.values, *zip(*known, strict=True))
    other = model.scorer.score(moved, new.batch)
    return _compared("harmonised", model, other, new, scores, seed)


def _compared(
    name: str, model: FrozenModel, other: Floats, new: NewCases, scores: Floats, seed: int
) -> Compared:
    first, second = (Scored.of(s, new.positive, new.patients) for s in (other, scores))
    likely = Scored.of(model.calibrator.predict_proba(other), new.positive, new.patients)
    return Compared(
        name=name,
        scores=other,
        evaluation=_evaluated(model, name, other, new, seed),
        difference=delong_test(first, second, model.protocol.evaluation.confidence),
        slope=calibration(likely).slope.value,
    )


def drift_of(model: FrozenModel, values: Table) -> tuple[Drift, ...]:
    """How every feature (cases, features) differs from training, the largest shift first."""
    columns = (x for own in column_blocks(values) for x in np.asarray(values[:, own]).T)
    drifts = [_drift(d, x) for d, x in zip(model.distributions, columns, strict=True)]
    return tuple(sorted(drifts, key=lambda drift: -abs(drift.shift)))


def _drift(training: Distribution, x: Floats) -> Drift:
    there = x[np.isfinite(x)]
    if not there.size:
        raise DataError(f"None of the new cases has a value of {training.name!r}.")
    sd = training.sd or 1.0
    outside = (there < training.lowest) | (there > training.highest)
    shift, spread = (there.mean() - training.mean) / sd, there.std() / sd
    return Drift(training.name, float(shift), float(spread), float(outside.mean()))
