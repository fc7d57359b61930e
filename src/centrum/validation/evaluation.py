"""Everything that is computed of a study's scores: discrimination, calibration, use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from centrum.arrays import Flags, Floats
from centrum.errors import DataError, attempt
from centrum.evaluate import Evaluation, Scored, evaluate
from centrum.evaluate.bootstrap import Weights, case_weights
from centrum.evaluate.by_patient import evaluate_patients
from centrum.evaluate.calibration import Calibration, calibration
from centrum.evaluate.decision_curve import DecisionCurve, decision_curve
from centrum.evaluate.discrimination import (
    PrecisionRecall,
    RocBand,
    partial_auc,
    precision_recall,
    roc_band,
)
from centrum.evaluate.prevalence import at_prevalence
from centrum.evaluate.readers import ReaderComparison, compare_reader
from centrum.evaluate.repeated import RepeatedMean
from centrum.evaluate.subgroups import Subgroup, subgroup_table
from centrum.modelling.chance import above_chance
from centrum.modelling.conformal import SetSummary, summarise_sets
from centrum.protocol import EvaluationSettings, Outcome, Protocol
from centrum.records import as_json
from centrum.text import OneLine
from centrum.validation.added_value import AddedValue, added_value, held_in, held_in_parts
from centrum.validation.decision import Decision
from centrum.validation.fits import Prediction
from centrum.validation.odds_ratios import OddsRatios, odds_ratios
from centrum.validation.other_readers import (
    OtherReader,
    ReadCases,
    compare_regions,
    pooled_by_others,
    read_by_others,
)
from centrum.validation.over_parts import means_over_parts

Found = TypeVar("Found")

CALIBRATION_GROUPS = 10
FEWEST_PER_GROUP = 6
"""Cases that a group of the calibration plot holds; small test sets have fewer groups."""


@dataclass(frozen=True, eq=False, repr=False)
class StudyEvaluation(OneLine):
    """How well the scores of a study do.

    Attributes
    ----------
    decision : cut-off, probabilities and sets, of the final model
    by_set : "train" (apparent), "out_of_fold" (training cases) and "test"
    patients : of the test side, each by the highest of its cases; None where each has one
    probability, called, sets : of the test cases
    tested : ids of the test cases
    band, precision_recall, partial_auc, calibration, decision_curve : of the test cases;
        the partial AUC is McClish's, above a specificity of 0.8
    conformal : how the sets did
    subgroups, readers : of the test cases
    other_readers : the test cases with the regions of further readers, one for each
    added : the clinical model, the score and both; None without a clinical variable
    odds_ratios : of the training cases, each variable alone and all together; None without one
        beside the score
    failed : which subgroups and readers could not be evaluated -> why
    over_parts : measure -> mean over the parts of a design with several; empty of another
    trained_share : of the positive outcome among the training cases, of which probabilities are
    decision_curve_elsewhere : at `evaluation.prevalence`, of probabilities moved there; None
        without one
    """

    decision: Decision
    by_set: Mapping[str, Evaluation]
    patients: Evaluation | None
    tested: tuple[str, ...]
    probability: Floats
    called: Flags
    sets: tuple[str, ...]
    band: RocBand
    precision_recall: PrecisionRecall
    partial_auc: float
    calibration: Calibration
    decision_curve: DecisionCurve
    conformal: SetSummary
    subgroups: tuple[Subgroup, ...]
    readers: tuple[ReaderComparison, ...]
    other_readers: tuple[OtherReader, ...]
    added: AddedValue | None
    odds_ratios: OddsRatios | None
    failed: Mapping[str, str]
    over_parts: Mapping[str, RepeatedMean]
    trained_share: float
    decision_curve_elsewhere: DecisionCurve | None

    @property
    def above_chance(self) -> bool:
        """Whether the interval of the AUC lies above .5; of another no score is explained."""
        mean = self.over_parts.get("AUC")
        told = self.by_set["test"].auc.interval if mean is None else mean.interval
        return above_chance(told.lower)


@as_json.register
def _(found: StudyEvaluation) -> dict[str, Any]:
    """Cases are not named."""
    shown = (
        "partial_auc", "precision_recall", "calibration", "decision_curve", "conformal",
        "subgroups", "readers", "other_readers", "added", "odds_ratios", "failed", "band",
        "trained_share", "decision_curve_elsewhere", "patients", "over_parts",
    )  # fmt: skip
    return {
        "cutoff": as_json(found.decision.cutoff),
        "calibrator": as_json(found.decision.calibrator),
        "conformal_sets": as_json(found.decision.conformal),
        **as_json(found.by_set),
        **{name: as_json(getattr(found, name)) for name in shown},
    }


def evaluate_study(
    protocol: Protocol,
    scores: pd.DataFrame,
    obs: pd.DataFrame,
    decision: Decision,
    tested: pd.DataFrame | None = None,
    *,
    primary: str,
    parts: Sequence[Prediction] = (),
) -> StudyEvaluation:
    """Evaluate the scores of a study.

    Parameters
    ----------
    scores : a row per case: patient, outcome, part, score, out_of_fold; "score:NAME" by the
        regions of a further reader
    obs : what is known about the cases
    decision : learnt on the out-of-fold scores
    tested : of a design with several parts, per case: times tested, mean probability, share of
        positive calls, set, all by models that had not seen the patient. The test cases of other
        designs are those of the part "test"
    primary : the reader whose regions the scores are of
    parts : of a design with several, their records
    """
    evaluation, positive = protocol.evaluation, protocol.outcome.positive
    side = _test_side(scores, decision, tested)
    outcome = (side.cases["outcome"] == positive).to_numpy()
    likely = Scored.of(side.probability, outcome, side.cases["patient"])
    ranked = Scored.of(side.values, outcome, side.cases["patient"])
    weights = case_weights(likely, evaluation.n_resamples, evaluation.seed)
    known = obs.loc[side.cases.index]
    groups = int(np.clip(len(outcome) // FEWEST_PER_GROUP, 3, CALIBRATION_GROUPS))
    by_subgroup, no_subgroup = _each(
        evaluation.subgroups,
        lambda name: subgroup_table(
            ranked,
            side.called,
            known,
            (name,),
            evaluation.confidence,
            probabilities=side.probability,
        ),
    )
    said = {name: reader_calls(protocol.outcome, known, name) for name in evaluation.reader_calls}
    by_reader, no_reader = _each(
        evaluation.reader_calls,
        lambda name: _reader(evaluation, said[name], ranked, side.called, name),
    )
    by_regions, no_regions = _each(
        [*side.others],
        lambda name: compare_regions(
            (primary, name), side.read, side.others[name], side.cases, outcome, protocol
        ),
    )
    clinical, no_clinical = _each(
        ("clinical variables",), lambda _: _added_value(protocol, scores, obs, side, parts, groups)
    )
    ratios, no_ratios = _each(("odds ratios",), lambda _: _odds_ratios(protocol, scores, obs))
    return StudyEvaluation(
        decision=decision,
        by_set=_evaluations(protocol, scores, decision, side),
        patients=evaluate_patients(
            ranked,
            side.called,
            decision.cutoff,
            seed=evaluation.seed,
            n_resamples=evaluation.n_resamples,
            confidence=evaluation.confidence,
        ),
        tested=tuple(map(str, side.cases.index)),
        probability=side.probability,
        called=side.called,
        sets=side.sets,
        band=roc_band(ranked, weights, evaluation.confidence),
        precision_recall=precision_recall(ranked),
        partial_auc=partial_auc(ranked),
        calibration=calibration(likely, groups, evaluation.confidence),
        decision_curve=decision_curve(likely, weights, confidence=evaluation.confidence),
        conformal=summarise_sets(side.sets, outcome),
        subgroups=tuple(row for rows in by_subgroup for row in rows),
        readers=by_reader,
        other_readers=by_regions,
        added=clinical[0] if clinical else None,
        odds_ratios=ratios[0] if ratios else None,
        failed={f"Subgroups of {name}": why for name, why in no_subgroup.items()}
        | {f"The comparison with {name}": why for name, why in no_reader.items()}
        | {f"The score by the regions of {name}": why for name, why in no_regions.items()}
        | {f"The comparison with {name}, and the nomogram,": w for name, w in no_clinical.items()}
        | {f"The table of {name}": why for name, why in no_ratios.items()},
        over_parts=means_over_parts(parts, evaluation.confidence),
        trained_share=(own := _trained_share(scores, positive)),
        decision_curve_elsewhere=_curve_elsewhere(evaluation, likely, weights, own),
    )


def _trained_share(scores: pd.DataFrame, positive: str) -> float:
    return float((scores.loc[scores["part"] == "train", "outcome"] == positive).mean())


def _curve_elsewhere(
    settings: EvaluationSettings, likely: Scored, weights: Weights, own: float
) -> DecisionCurve | None:
    """Net benefit where the outcome is as frequent as the protocol says."""
    if settings.prevalence is None:
        return None
    moved = at_prevalence(likely.scores, own, settings.prevalence)
    there = Scored(moved, likely.positive, likely.patients)
    return decision_curve(
        there, weights, prevalence=settings.prevalence, confidence=settings.confidence
    )


def _each(
    names: Sequence[str], make: Callable[[str], Found]
) -> tuple[tuple[Found, ...], dict[str, str]]:
    """What is made of each name, and why it could not be made of the others."""
    made: list[Found] = []
    failed: dict[str, str] = {}

    def add(name: str) -> None:
        made.append(make(name))

    for name in names:
        attempt(partial(add, name), partial(failed.setdefault, name))
    return tuple(made), failed


POOLED = "pooled"
"""Name of the evaluation of test cases whose scores are means over the parts of a design."""


@dataclass(frozen=True, eq=False)
class _TestSide:
    """Cases that were held out: what orders them, probabilities, calls and sets."""

    cases: pd.DataFrame
    values: Floats
    probability: Floats
    called: Flags
    sets: tuple[str, ...]
    by_part: bool
    others: Mapping[str, ReadCases]

    @property
    def read(self) -> ReadCases:
        """The cases by the regions of the primary reader."""
        return ReadCases(self.values, self.probability, self.called)


def _test_side(scores: pd.DataFrame, decision: Decision, tested: pd.DataFrame | None) -> _TestSide:
    if tested is None:
        test = scores[scores["part"] == "test"]
        values = test["score"].to_numpy()
        found = decision.probability(values), decision.called(values), decision.sets(values)
        others = read_by_others(test, decision)
        return _TestSide(test, values, *found, by_part=False, others=others)
    there = tested["times"].to_numpy() > 0
    probability = tested["probability"].to_numpy()[there]
    called = tested["called"].to_numpy()[there] >= 0.5
    sets = tuple(map(str, tested["set"].to_numpy()[there]))
    others = pooled_by_others(tested[there])
    return _TestSide(scores[there], probability, probability, called, sets, True, others)


def _added_value(
    protocol: Protocol,
    scores: pd.DataFrame,
    obs: pd.DataFrame,
    side: _TestSide,
    parts: Sequence[Prediction],
    groups: int,
) -> AddedValue | None:
    """Of the test side of the final model, or of those of the parts of a design."""
    positive = (scores["outcome"] == protocol.outcome.positive).to_numpy()
    ranked, probability = np.full((2, len(scores)), np.nan)
    tested = scores.index.get_indexer(side.cases.index)
    ranked[tested], probability[tested] = side.values, side.probability
    final = held_in(scores)
    held = [*held_in_parts(parts)] if side.by_part else [final]
    known = obs.loc[scores.index]
    return added_value(protocol, known, positive, final, held, ranked, probability, groups)


def _odds_ratios(protocol: Protocol, scores: pd.DataFrame, obs: pd.DataFrame) -> OddsRatios | None:
    """Of the training cases of the final model."""
    positive = (scores["outcome"] == protocol.outcome.positive).to_numpy()
    return odds_ratios(protocol, obs.loc[scores.index], positive, held_in(scores))


def _evaluations(
    protocol: Protocol, scores: pd.DataFrame, decision: Decision, side: _TestSide
) -> dict[str, Evaluation]:
    """Of the training cases, apparent and out of fold, and of the test cases."""
    evaluation, train = protocol.evaluation, scores[scores["part"] == "train"]
    rows = {
        "train": (train, train["score"].to_numpy(), None),
        "out_of_fold": (train, train["out_of_fold"].to_numpy(), None),
        "test": (side.cases, side.values, side.called if side.by_part else None),
    }
    return {
        name: evaluate(
            numbers,
            cases["outcome"] == protocol.outcome.positive,
            cases["patient"],
            decision.cutoff,
            name=POOLED if name == "test" and side.by_part else name,
            seed=evaluation.seed,
            n_resamples=evaluation.n_resamples,
            confidence=evaluation.confidence,
            called=calls,
            apparent=name == "train",
        )
        for name, (cases, numbers, calls) in rows.items()
    }


def _reader(
    settings: EvaluationSettings,
    said: pd.Series,
    scored: Scored,
    called: Flags,
    name: str,
) -> ReaderComparison:
    there = said.notna().to_numpy()
    part = Scored.of(scored.scores[there], scored.positive[there], scored.patients[there])
    weights = case_weights(part, settings.n_resamples, settings.seed)
    calls = said[there].astype(int).to_numpy()
    return compare_reader(name, calls, part, called[there], weights, settings.confidence)


def reader_calls(outcome: Outcome, known: pd.DataFrame, name: str) -> pd.Series:
    """A reader's diagnoses by case: 1 for the positive outcome, 0, nan where there is none.

    Raises
    ------
    DataError
        There is no such column, or it holds something else.
    """
    if name not in known:
        raise DataError(
            f"`evaluation.reader_calls` names the column {name!r}, which the manifest does not "
            "have."
        )
    text = known[name].astype(str).str.casefold()
    said = text.map({outcome.positive.casefold(): 1, outcome.negative.casefold(): 0})
    if strange := sorted(set(text[said.isna() & known[name].notna()])):
        raise DataError(
            f"The column {name!r} holds {', '.join(strange[:3])}; a reader's diagnosis is "
            f"spelled {outcome.positive} or {outcome.negative}."
        )
    return said
