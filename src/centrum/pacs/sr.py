"""Scores as a DICOM structured report: the features of the model, what it makes of them.

A measurement report (TID 1500) with a group (TID 1411) for each region of a segmentation. Values
are doubles (Floating Point Value), beside their decimal string of 16 characters. The library of
images names each image and no more: with all that highdicom would say of them, it takes forty times
as long.

Source: DICOM PS3.3, A.35.3 (Comprehensive SR); PS3.16, TID 1500, 1411, 1419, 1600 and 4019.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from centrum.features.feature_id import FeatureId
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score
from centrum.pacs.codes import (
    DCM,
    ENGLISH,
    IMAGING,
    NO_UNITS,
    OWN,
    SOURCE_IMAGE,
    TISSUE,
    CodedTerm,
    feature_term,
    own_term,
    unit_term,
    vertebra,
)
from centrum.pacs.extra import coded, highdicom
from centrum.pacs.seg import SERIES_NUMBER, DrawnRegion
from centrum.pacs.source import (
    RESEARCH,
    SourceSeries,
    derived_uid,
    describe_source,
    undated,
)
from centrum.provenance import __version__

if TYPE_CHECKING:
    from pydicom import Dataset

SCORE = own_term("Score")
CUTOFF = own_term("Cut-off of the score")
CALLED = own_term("Called at the cut-off")
SET = own_term("Outcome that cannot be excluded (conformal set)")
NEITHER = "Neither outcome is typical"
FILLED = own_term("Not defined in this region, filled by the model")
WARNING = own_term("Warning")

_LIBRARY = CodedTerm("111028", DCM, "Image Library")
_LIBRARY_GROUP = CodedTerm("126200", DCM, "Image Library Group")


@dataclass(frozen=True, eq=False)
class ScoredRegion:
    """A region of a segmentation, and the score that a model gives it."""

    region: DrawnRegion
    score: Score


def measurement_report(
    model: FrozenModel,
    source: SourceSeries,
    segmented: "Dataset",
    scored: Sequence[ScoredRegion],
) -> "Dataset":
    """The structured report of the regions of one segmentation, none of them refused.

    Parameters
    ----------
    segmented : their segmentation; the k-th region is its segment k

    Raises
    ------
    DataError
        A feature of the model has no code ("unknown-code"); highdicom is not installed.
    """
    sr = highdicom().sr
    groups = [_group(model, source, segmented, k, one) for k, one in enumerate(scored, start=1)]
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=_observer()),
        procedure_reported=coded(IMAGING),
        imaging_measurements=groups,
        language_of_content_item_and_descendants=sr.LanguageOfContentItemAndDescendants(
            coded(ENGLISH)
        ),
    )
    items = content[0].ContentSequence
    items.insert(len(items) - 1, _library(source))
    records = [one.score.to_dict(model) for one in scored]
    key = (__version__, str(segmented.SOPInstanceUID), model.to_dict()["sha256"], records)
    made = sr.ComprehensiveSR(
        evidence=[segmented, *source.images],
        content=content[0],
        series_instance_uid=derived_uid("SR series", *key),
        series_number=SERIES_NUMBER + 1,
        sop_instance_uid=derived_uid("SR", *key),
        instance_number=1,
        manufacturer="centrum",
        manufacturer_model_name="centrum",
        software_versions=__version__,
        device_serial_number=__version__,
        is_complete=True,
        series_description=f"Score. {RESEARCH}.",
        specific_character_set="ISO_IR 192",
    )
    made.CodingSchemeIdentificationSequence = [_own_scheme()]
    undated(made)
    describe_source(made, source, body=False)
    return made


def _observer() -> Any:
    from pydicom.sr.codedict import codes

    sr = highdicom().sr
    attributes = sr.DeviceObserverIdentifyingAttributes(
        uid=derived_uid("program", __version__), name="centrum", manufacturer_name="centrum",
        model_name="centrum", serial_number=__version__,
    )  # fmt: skip
    return sr.ObserverContext(codes.DCM.Device, attributes)


def _own_scheme() -> "Dataset":
    from pydicom import Dataset

    scheme = Dataset()
    scheme.CodingSchemeDesignator = OWN
    scheme.CodingSchemeName = "Concepts of centrum; a code is the digest of its meaning"
    return scheme


def _library(source: SourceSeries) -> Any:
    """Names of the images, in one group."""
    library, group = _container(_LIBRARY), _container(_LIBRARY_GROUP)
    group.ContentSequence = [_named(image) for image in source.images]
    library.ContentSequence = [group]
    return library


def _container(name: CodedTerm) -> Any:
    sr = highdicom().sr
    return sr.ContainerContentItem(
        coded(name), relationship_type=sr.RelationshipTypeValues.CONTAINS
    )


def _named(image: "Dataset") -> Any:
    """An image, of which nothing is said."""
    sr = highdicom().sr
    return sr.ImageContentItem(
        coded(SOURCE_IMAGE),
        str(image.SOPClassUID),
        str(image.SOPInstanceUID),
        relationship_type=sr.RelationshipTypeValues.CONTAINS,
    )


def _group(
    model: FrozenModel,
    source: SourceSeries,
    segmented: "Dataset",
    number: int,
    scored: ScoredRegion,
) -> Any:
    """What is said of one region."""
    sr, region = highdicom().sr, scored.region
    place = vertebra(region.level)
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(region.tracking_uid(source), region.label),
        referenced_segment=sr.ReferencedSegment(
            str(segmented.SOPClassUID),
            str(segmented.SOPInstanceUID),
            number,
            source_series=sr.SourceSeriesForSegmentation(source.uid),
        ),
        finding_type=coded(place or TISSUE),
        finding_sites=[sr.FindingSite(coded(place))] if place else None,
        algorithm_id=_algorithm(model),
        measurements=[*_results(model, scored.score), *_features(model, scored.score)],
        qualitative_evaluations=[
            sr.QualitativeEvaluation(coded(name), coded(value))
            for name, value in _evaluations(model, scored.score)
        ],
    )


def _algorithm(model: FrozenModel) -> Any:
    """The model and its file, by which a score can be made again."""
    parameters = [f"{RESEARCH}; not a medical device.", f"model file {model.to_dict()['sha256']}"]
    return highdicom().sr.AlgorithmIdentification(model.name, f"centrum {__version__}", parameters)


def _results(model: FrozenModel, score: Score) -> Iterator[Any]:
    probability = own_term(f"Probability of {model.positive}")
    results = ((probability, score.probability), (SCORE, score.score), (CUTOFF, model.cutoff))
    for term, value in results:
        if value is not None and isfinite(value):
            yield _measurement(term, value, NO_UNITS)


def _features(model: FrozenModel, score: Score) -> Iterator[Any]:
    """The features in the order of the model; the column name tells apart those of one code."""
    for name, feature, value in _valued(model, score):
        if value is not None:
            term, unit = _term_of(name, feature)
            yield _measurement(term, value, unit, parameters=[name])


def _valued(
    model: FrozenModel, score: Score
) -> Iterator[tuple[str, FeatureId | None, float | None]]:
    values = {part.name: part.value for part in score.parts}
    for name, feature in zip(model.scorer.features, model.features, strict=True):
        yield name, feature, values[name]


def _term_of(name: str, feature: FeatureId | None) -> tuple[CodedTerm, CodedTerm]:
    """What a feature is called, and its unit; a covariate is called as its column, without one."""
    if feature is None:
        return own_term(name), NO_UNITS
    return feature_term(feature), unit_term(feature.unit)


def _measurement(
    term: CodedTerm, value: float, unit: CodedTerm, parameters: Sequence[str] = ()
) -> Any:
    sr = highdicom().sr
    made_by = sr.AlgorithmIdentification("centrum", __version__, parameters) if parameters else None
    return sr.Measurement(coded(term), float(value), coded(unit), algorithm_id=made_by)


def _evaluations(model: FrozenModel, score: Score) -> Iterator[tuple[CodedTerm, CodedTerm]]:
    yield CALLED, own_term(score.called)
    for outcome in score.outcomes or (NEITHER,):
        yield SET, own_term(outcome)
    for name, feature, value in _valued(model, score):
        if value is None:
            yield FILLED, _term_of(name, feature)[0]
    for flag in score.flags:
        if flag.severity == "warning":
            yield WARNING, own_term(flag.code)
