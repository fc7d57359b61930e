"""What the score would be with the regions of another reader: the same model, other features."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from centrum.agreement import icc
from centrum.arrays import Flags, Floats
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import Interval, case_weights
from centrum.evaluate.calibration import calibration
from centrum.evaluate.comparison import AucDifference, delong_test
from centrum.evaluate.discrimination import auc, auc_interval
from centrum.evaluate.logistic import Coefficient
from centrum.evaluate.paired_scores import (
    BlandAltman,
    Kappa,
    bland_altman,
    changed_calls,
    cohen_kappa,
)
from centrum.evaluate.subgroups import share_right
from centrum.protocol import Protocol
from centrum.records import as_json, fields_of
from centrum.text import OneLine
from centrum.validation.decision import Decision
from centrum.validation.fits import by_reader


@dataclass(frozen=True, eq=False, repr=False)
class ReadCases(OneLine):
    """Cases as the regions of one reader give them: arrays of the shape (cases,)."""

    scores: Floats
    probability: Floats
    called: Flags

    def of(self, there: Flags) -> "ReadCases":
        """Some of the cases."""
        return ReadCases(self.scores[there], self.probability[there], self.called[there])


@dataclass(frozen=True, eq=False, repr=False)
class RegionPerformance(OneLine):
    """How the scores do that the regions of one reader give."""

    reader: str
    auc: float
    auc_interval: Interval
    sensitivity: float
    sensitivity_interval: Interval
    specificity: float
    specificity_interval: Interval
    slope: Coefficient
    in_the_large: Coefficient
    brier: float


@dataclass(frozen=True, eq=False, repr=False)
class OtherReader(OneLine):
    """The regions of another reader beside those of the primary one, on the same test cases.

    Attributes
    ----------
    name : of the other reader
    cases : ids of the test cases that both drew
    n_patients, n_positive : patients and positive cases among them
    primary, other : performance with the regions of each
    difference : of the AUCs, the other's less the primary's
    icc, icc_interval, icc_form : of the two scores
    kappa : of the two calls
    to_positive, to_negative : calls that change with the other's regions
    limits : of agreement of the two scores, the other's less the primary's
    scores, called : (cases, 2), primary and other
    positive : (cases,)
    """

    name: str
    cases: tuple[str, ...]
    n_patients: int
    n_positive: int
    primary: RegionPerformance
    other: RegionPerformance
    difference: AucDifference
    icc: float
    icc_interval: Interval
    icc_form: str
    kappa: Kappa
    to_positive: int
    to_negative: int
    limits: BlandAltman
    scores: Floats
    called: Flags
    positive: Flags

    @property
    def changed(self) -> int:
        """Calls that change."""
        return self.to_positive + self.to_negative


@as_json.register
def _(found: OtherReader) -> dict[str, Any]:
    """Cases are counted, not named."""
    by_case = ("cases", "scores", "called", "positive")
    told = {name: value for name, value in fields_of(found).items() if name not in by_case}
    return {**told, "n": len(found.cases)}


def read_by_others(scores: pd.DataFrame, decision: Decision) -> dict[str, ReadCases]:
    """Further reader -> cases of a frame, from its columns of scores; nan where there is none."""
    found = {}
    for name, values in by_reader(scores, "score").items():
        likely, called = decision.of_known(values)
        found[name] = ReadCases(values, likely, called == 1)
    return found


def pooled_by_others(tested: pd.DataFrame) -> dict[str, ReadCases]:
    """The same of means over the parts of a design, as `InternalValidation.pooled` gives them."""
    called = by_reader(tested, "called")
    return {
        name: ReadCases(likely, likely, called[name] >= 0.5)
        for name, likely in by_reader(tested, "probability").items()
    }


def compare_regions(
    names: tuple[str, str],
    primary: ReadCases,
    other: ReadCases,
    cases: pd.DataFrame,
    positive: Flags,
    protocol: Protocol,
) -> OtherReader:
    """The regions of another reader beside those of the primary one.

    Parameters
    ----------
    names : of the primary and the other reader
    primary, other : of the test cases, in one order; other scores are nan where there are none
    cases : the test cases, with their patients
    positive : (cases,)

    Raises
    ------
    DataError
        The test cases that both drew are of one outcome.
    """
    there = np.isfinite(other.scores)
    both = [read.of(there) for read in (primary, other)]
    truth, patients = positive[there], cases["patient"].to_numpy()[there]
    ranked = [Scored.of(read.scores, truth, patients) for read in both]
    settings = protocol.evaluation
    confidence, first = settings.confidence, ranked[0]
    weights = None
    if first.n_patients < truth.size:
        weights = case_weights(first, settings.n_resamples, settings.seed)
    scores = np.column_stack([read.scores for read in both])
    called = np.column_stack([read.called for read in both])
    form = protocol.model.agreement.form
    agreement = icc(scores[:, None], form, confidence=confidence, patients=patients)
    calls, values = (called[:, 0], called[:, 1]), (scores[:, 0], scores[:, 1])
    to_positive, to_negative = changed_calls(*calls)
    return OtherReader(
        name=names[1],
        cases=tuple(map(str, cases.index[there])),
        n_patients=first.n_patients,
        n_positive=first.n_positive,
        primary=_performance(names[0], first, both[0], confidence),
        other=_performance(names[1], ranked[1], both[1], confidence),
        difference=delong_test(ranked[1], first, confidence),
        icc=float(agreement.value[0]),
        icc_interval=Interval(float(agreement.lower[0]), float(agreement.upper[0])),
        icc_form=form,
        kappa=cohen_kappa(*calls, first.patients, confidence),
        to_positive=to_positive,
        to_negative=to_negative,
        limits=bland_altman(*values, confidence, weights),
        scores=scores,
        called=called,
        positive=truth,
    )


def _performance(
    reader: str, ranked: Scored, read: ReadCases, confidence: float
) -> RegionPerformance:
    likely = calibration(
        Scored(read.probability, ranked.positive, ranked.patients), confidence=confidence
    )
    shares = [share_right(ranked, read.called == truth, ranked.positive == truth, confidence)
              for truth in (True, False)]  # fmt: skip
    return RegionPerformance(
        reader,
        auc(ranked),
        auc_interval(ranked, confidence),
        *shares[0],
        *shares[1],
        slope=likely.slope,
        in_the_large=likely.in_the_large,
        brier=likely.brier,
    )
