"""All results of a study, as the report reads them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import pandas as pd

from centrum.cohort.case import EVERY
from centrum.cohort.eligibility import Flow
from centrum.evaluate import CutOff, Evaluation, PopulationRow
from centrum.frozen.scorer import Scorer
from centrum.protocol import Protocol
from centrum.provenance import History
from centrum.table import FeatureTable
from centrum.validation.judgement import Judgement
from centrum.validation.model import Model
from centrum.validation.procedure import Assessment

EVERY_CASE = EVERY
"""Case of a finding that is about the study and not about one of its cases."""

SAME_IMAGE = "same-image"
"""Code of an image that is there twice; a warning where it is two patients'."""


@dataclass(frozen=True)
class Failure:
    """A case that could not be measured, and why.

    Attributes
    ----------
    case : its id
    message : what was wanted, what was found and what to do
    code : short name of the kind
    file : name of the file that it is about, "" where it is about none
    remedy : what to do, which also ends the message
    """

    case: str
    message: str
    code: str = "failed"
    file: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Finding:
    """What was noticed about one reader's mask of a case, without stopping it."""

    case: str
    reader: str
    severity: str
    code: str
    message: str
    file: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class MeasuredSequence:
    """An image column that was measured, and how far it is known to hold what is claimed.

    Attributes
    ----------
    name : of the column, "" where it has none of its own
    claimed : the weighting that it should hold, "" where none is claimed
    cases : that were analysed
    by_times, by_name : cases of them in which TR and TE, or else a name alone, tell the weighting
    """

    name: str
    claimed: str
    cases: int
    by_times: int
    by_name: int

    @property
    def unverified(self) -> int:
        """Cases in which nothing tells the weighting."""
        return self.cases - self.by_times - self.by_name


def by_kind(findings: Iterable[Finding]) -> tuple[tuple[Finding, int], ...]:
    """One finding of each kind, the first, and how many regions have it; see `alike`.

    >>> voxels = {"a": 9, "b": 8}
    >>> found = [Finding(c, "R1", "warning", "small", f"{n} voxels") for c, n in voxels.items()]
    >>> [(first.case, count) for first, count in by_kind(found)]
    [('a', 2)]
    """
    return tuple((kind[0], len(kind)) for kind in alike(findings))


def alike(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """Findings by kind, in the order of the first of each.

    Of one kind are those whose messages are one, or differ in case, file, numbers and quoted values
    only.
    """
    words: dict[str, str] = {}
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        told = words.setdefault(finding.message, _words(finding))
        kinds.setdefault((finding.severity, finding.code, told), []).append(finding)
    return tuple(map(tuple, kinds.values()))


def _words(finding: Finding) -> str:
    """The message without what is of one case."""
    words = finding.message
    for own in filter(None, (PurePath(finding.file).name, finding.case)):
        words = words.replace(own, "#")
    return re.sub(r"(column )?'[^']*'|[\d.]+", lambda m: m[0] if m[1] else "#", words)


@dataclass(frozen=True, eq=False)
class StudyResults:
    """What a study found.

    Attributes
    ----------
    title : of the report
    protocol : the choices
    simulated : "" or the sentence that marks simulated patients wherever results are shown
    flow : from the manifest to the eligible cases
    failures, findings : of the measurement
    table : features of the analysed cases
    sources : case -> (image source, reader -> mask source)
    overlap : a row per case and pair of readers
    agreement : a row per feature: icc, lower, upper, f, df1, df2, p, n, kept; empty for one reader
    model, cutoff : fitted on the training cases
    scorer : the model as numbers
    scores : per case: patient, outcome, part, score, out_of_fold
    evaluations : "train" (apparent), "out_of_fold" (training cases) and "test"
    judgement : all that was computed of the scores
    assessment : the whole procedure judged: design, ablation, optimism, leaks
    search : the table of the final model's search, the best first; empty without one
    population : rows of table 1
    history : steps of the whole study
    versions, digests : of the software; of the inputs and results
    sequences : the measured image columns, and how far their weighting is known
    robustness : a row per feature: icc, lower, upper, n, kept, and where kinds of perturbation
        were tried apart icc_KIND; empty without perturbations
    """

    title: str
    protocol: Protocol
    simulated: str
    flow: Flow
    failures: tuple[Failure, ...]
    findings: tuple[Finding, ...]
    table: FeatureTable
    sources: Mapping[str, tuple[str, Mapping[str, str]]]
    overlap: pd.DataFrame
    agreement: pd.DataFrame
    model: Model
    scorer: Scorer
    cutoff: CutOff
    scores: pd.DataFrame
    evaluations: Mapping[str, Evaluation]
    judgement: Judgement
    assessment: Assessment
    search: Sequence[Mapping[str, Any]]
    population: tuple[PopulationRow, ...]
    history: History
    versions: Mapping[str, str]
    digests: Mapping[str, str]
    sequences: tuple[MeasuredSequence, ...] = ()
    robustness: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def mixed_patients(self) -> int:
        """Patients who have cases of both outcomes."""
        return int((self.scores.groupby("patient")["outcome"].nunique() > 1).sum())
