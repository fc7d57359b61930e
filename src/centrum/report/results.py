"""All results of a study, as the report reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from centrum.cohort.eligibility import Flow
from centrum.evaluate import CutOff, PopulationRow
from centrum.frozen.explanation import StudyExplanation
from centrum.frozen.scorer import Scorer
from centrum.measure.case import MeasurementJob
from centrum.measure.regions import regions_read
from centrum.protocol import Protocol
from centrum.provenance import History
from centrum.report.labels import short_labels
from centrum.study.findings import Failure, Finding, MeasuredSequence
from centrum.study.plan import AnalysisPlan
from centrum.study.readings import StudyReadings
from centrum.table import FeatureTable
from centrum.text import OneLine
from centrum.validation.evaluation import StudyEvaluation
from centrum.validation.model import Model
from centrum.validation.population import Sides
from centrum.validation.procedure import InternalValidation


@dataclass(frozen=True, eq=False, repr=False)
class StudyResults(OneLine):
    """What a study found.

    Attributes
    ----------
    title : of the report
    protocol : the choices
    simulated : "" or the sentence that marks simulated patients wherever results are shown
    flow : from the manifest to the eligible cases
    failures, findings : of the measurement
    table : features of the analysed cases
    sources : case -> (image source, reader or reader:region -> mask source)
    jobs : case -> what was measured of it; empty where no image was
    overlap : a row per case and pair of readers, of the first region
    overlap_of_regions : the same of every further region
    agreement : a row per feature: icc, lower, upper, f, df1, df2, p, n, kept; empty for one reader
    agreement_within : the same with a row per reader who read more than once, `reader`, and feature
    model, cutoff : fitted on the training cases
    scorer : the model as numbers
    scores : per case: patient, outcome, part, score, out_of_fold
    evaluation : of the scores, in training and test
    validation : internal, of the whole procedure: design, ablation, optimism, leaks
    search : the table of the final model's search, the best first; empty without one
    population : rows of the table of the population
    sides : training beside test; None in a design whose cases are on both sides in turn
    history : steps of the whole study
    contents : case -> what is known of the bytes of its image and masks, where that was asked
    versions, digests : of the software; of the inputs and results
    sequences : the measured image columns, and how far their weighting is known
    robustness : a row per feature: icc, lower, upper, n, kept, and where kinds of perturbation
        were tried apart icc_KIND; empty without perturbations
    morphometry : rows of the table of the vertebral bodies; empty where they were not measured
    morphometry_agreement : a row per measure: measure, icc, lower, upper, n; empty for one reader
    readings : how the regions were drawn; None where that was not in the study's reading room
    plans : analysis plans, oldest first
    explanation : what the score rests on; None where that was not asked for, or the AUC may be
        chance
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
    evaluation: StudyEvaluation
    validation: InternalValidation
    search: Sequence[Mapping[str, Any]]
    population: tuple[PopulationRow, ...]
    history: History
    versions: Mapping[str, str]
    digests: Mapping[str, str]
    sequences: tuple[MeasuredSequence, ...] = ()
    robustness: pd.DataFrame = field(default_factory=pd.DataFrame)
    contents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    morphometry: tuple[PopulationRow, ...] = ()
    morphometry_agreement: pd.DataFrame = field(default_factory=pd.DataFrame)
    readings: StudyReadings | None = None
    agreement_within: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"reader": []}))
    sides: Sides | None = None
    plans: tuple[AnalysisPlan, ...] = ()
    explanation: StudyExplanation | None = None
    jobs: Mapping[str, MeasurementJob] = field(default_factory=dict)
    overlap_of_regions: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions that were measured beside the first one."""
        return regions_read(self.table.measured.features, self.protocol.extraction)

    @property
    def regions_in_score(self) -> tuple[str, ...]:
        """Those of them that the final model reads."""
        known = dict(zip(self.table.names, self.table.features, strict=True))
        read = (known[name] for name in self.model.features if name in known)
        return regions_read(read, self.protocol.extraction)

    @cached_property
    def labels(self) -> dict[str, str]:
        """What figures, tables and pages call each feature, by column name."""
        features = dict(zip(self.table.names, self.table.features, strict=True))
        return short_labels(features, self.protocol.extraction.filters)

    @cached_property
    def mixed_patients(self) -> int:
        """Patients who have cases of both outcomes."""
        return int((self.scores.groupby("patient")["outcome"].nunique() > 1).sum())
