"""A new patient scored by a frozen model: measured, held against the training cases, scored.

What cannot be measured as the training cases were is refused, with the reason; what lies
outside what the model was trained on is scored and flagged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from centrum.arrays import Floats
from centrum.cohort.case import Value
from centrum.cohort.label_map import named_level
from centrum.cohort.withheld import Roles, roles, withheld, words_in
from centrum.errors import DataError, attempt, describe, of_case
from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings
from centrum.frozen.domain import Flag, feature_flags
from centrum.frozen.mirrored import outline_of
from centrum.frozen.model import FrozenModel
from centrum.frozen.scorer import Scale
from centrum.io import ImageFinding, split_source
from centrum.io.facts import Facts
from centrum.io.weighting import compare
from centrum.measure.acquisition import from_manifest, with_manifest
from centrum.measure.case import MeasurementJob, Record, advisory, measure
from centrum.measure.images import CaseImages
from centrum.measure.morphometry import MorphometryJob, measure_bodies
from centrum.measure.regions import plan_regions, regions_read
from centrum.measure.sequences import claimed_weightings
from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.prepare.image import fill_missing
from centrum.records import as_json, fields_of
from centrum.text import OneLine, fixed, percent
from centrum.volume import Mask, Volume

SCORED, REFUSED = "scored", "refused"


@dataclass(frozen=True, repr=False)
class Patient(OneLine):
    """What is given of a new case.

    Attributes
    ----------
    case : what it is called
    image, mask : sources as `centrum.io` takes them
    sequences : sources of further sequences, by name
    regions : sources of masks of further regions, by name
    known : columns that are known, such as age, centre or tr_ms
    outcome : where it is known already, as in an external validation; "" else
    patient : whose case it is, never shown; the case's own id when missing
    elsewhere : values of features that were made elsewhere, by name
    """

    case: str
    image: str
    mask: str
    sequences: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Value] = field(default_factory=dict)
    outcome: str = ""
    patient: str = field(default="", repr=False)
    elsewhere: Mapping[str, float] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)

    @property
    def roles(self) -> Roles:
        """What is written in the place of names of its files."""
        return roles(self.image, {"the region": self.mask, **self.regions}, self.sequences)


@dataclass(frozen=True)
class Contribution:
    """A feature in the score of a case.

    Attributes
    ----------
    name : column name
    value : as measured, None where it was missing and filled
    contribution : what it adds to the score; None where the score is not explained
    beyond : training SDs by which it lies outside the training range; 0 inside
    """

    name: str
    value: float | None
    contribution: float | None
    beyond: float


@dataclass(frozen=True)
class Breakdown:
    """What the contributions sum to: total = base + sum of contributions + rest.

    Attributes
    ----------
    base : of a case whose every feature is at its training mean
    rest : what no feature adds: 0 but where a classifier limits its log-odds
    total : the score, or the mean vote of the trees, of which the score is the log-odds
    scale : which of the two
    """

    base: float
    rest: float
    total: float
    scale: Scale


@dataclass(frozen=True, repr=False)
class Score(OneLine):
    """What a frozen model says of a case.

    Attributes
    ----------
    case : what it is called
    status : "scored" or "refused"
    flags : what the score must be read with; those that refuse it first
    score, probability : None when refused
    low, high : between which most refits of the model put the probability (`RANGE`); None where the
        model keeps none, or a value that they read is missing
    called : the outcome at the frozen cut-off, "" when refused
    outcomes : the conformal set: one outcome, both, or none
    parts : the features, the largest contribution first where they have one; empty when refused
    simulated : whether the image says that its patient is simulated
    breakdown : what the contributions sum to; None when refused, and where the model is not
        explained because it may tell no more than chance
    acquisition : how the image was acquired, as far as it or the manifest says; texts of a header
        are not written with a score
    """

    case: str
    status: str
    flags: tuple[Flag, ...]
    score: float | None = None
    probability: float | None = None
    called: str = ""
    outcomes: tuple[str, ...] = ()
    parts: tuple[Contribution, ...] = ()
    simulated: bool = False
    low: float | None = None
    high: float | None = None
    breakdown: Breakdown | None = None
    acquisition: Facts = field(default_factory=dict, repr=False)

    @property
    def probability_text(self) -> str:
        """The probability in whole per cents, with its range.

        >>> Score("P1", SCORED, (), 1.2, 0.876, low=0.61, high=0.969).probability_text
        '88 % (61 to 97 %)'
        """
        if self.probability is None:
            return ""
        told = percent(self.probability, 0)
        return f"{told} ({self.range_text})" if self.range_text else told

    @property
    def range_text(self) -> str:
        """The range of the probability; "" where it is not known."""
        if self.low is None or self.high is None:
            return ""
        return f"{fixed(100 * self.low, 0)} to {percent(self.high, 0)}"

    @property
    def refused(self) -> bool:
        """Whether there is no score."""
        return self.status == REFUSED

    def to_dict(self, model: FrozenModel) -> dict[str, Any]:
        """JSON-ready values, with what is needed to read them."""
        record = fields_of(self)
        del record["acquisition"]
        about = {
            "name": model.name,
            "cutoff": model.cutoff,
            "positive": model.positive,
            "negative": model.negative,
            "trained_on_simulated": bool(model.simulated),
            "versions": model.provenance["versions"],
            "protocol": model.provenance["digests"]["protocol (choices)"],
        }
        return {**record, "model": about, "limits": list(model.use["limits"])}


def as_written(model: FrozenModel, patient: Patient, score: Score) -> Score:
    """The score whose flags name no file and hold no text of a header."""
    words = words_in(model.protocol.model_dump(mode="json")) | words_in(as_json(model.domain))
    flags = (replace(f, message=withheld(f.message, patient.roles, words)) for f in score.flags)
    return replace(score, flags=tuple(flags))


def score_patient(model: FrozenModel, patient: Patient, store: Path | None = None) -> Score:
    """Measure and score one case; a case that cannot be scored is refused, not raised.

    Parameters
    ----------
    store : folder that keeps what was measured, so that it need not be done again
    """
    return score_and_see(model, patient, store)[0]


def score_and_see(
    model: FrozenModel, patient: Patient, store: Path | None = None
) -> tuple[Score, "Seen | None"]:
    """The score of a case, and its image and region; None where they cannot be read."""
    seen = None
    try:
        job = score_job(model, patient, store)
        patient = _with_morphometry(model, patient, job)
        read = CaseImages(job.images)
        record = measure(job, read)
        seen = _seen(job, read)
        return score_record(model, patient, record, None if record["errors"] else seen), seen
    except Exception as error:
        return not_scored(patient, error), seen


def _with_morphometry(model: FrozenModel, patient: Patient, job: MeasurementJob) -> Patient:
    """The patient with the measures of the body that the model reads and that are not given."""
    columns = {c.column for c in model.covariates if c.column.startswith(MORPHOMETRY_PREFIX)}
    settings = model.protocol.morphometry
    if settings is None or columns <= patient.known.keys():
        return patient
    found = measure_bodies(MorphometryJob(job, settings))["reader"]
    if found["error"]:
        raise DataError(found["error"])
    measured = {MORPHOMETRY_PREFIX + name: value for name, value in found["measures"].items()}
    return replace(patient, known={**measured, **patient.known})


def not_scored(patient: Patient, error: Exception) -> Score:
    """The refusal of a case that ended in an error, whatever its kind."""
    return _refused(patient, [Flag("refuse", "cannot-be-scored", describe(of_case(error)))])


def score_job(
    model: FrozenModel,
    patient: Patient,
    store: Path | None,
    regions: Sequence[str] | None = None,
) -> MeasurementJob:
    """What to measure of a case: the features of the model and no others.

    Parameters
    ----------
    regions : which further ones, in place of all that the model reads

    Raises
    ------
    DataError
        The model was fitted on tables, or a sequence that it reads is missing.
    """
    refuse_of_tables(model)
    wanted = model.protocol.images.sequences[1:]
    if missing := [name for name in wanted if not patient.sequences.get(name)]:
        raise DataError(
            f"The model reads the sequences {', '.join(model.protocol.images.sequences)}; missing "
            f"{', '.join(missing)}. Give it: --sequence {missing[0]}=FILE."
        )
    regions = needed_regions(model) if regions is None else tuple(regions)
    if missing := [name for name in regions if not patient.regions.get(name)]:
        raise DataError(
            f"The model reads the regions {', '.join(regions)} beside the first; missing "
            f"{', '.join(missing)}.",
            remedy=f"Give it: --region {missing[0]}=FILE#SEGMENT, or a column "
            f"mask:READER:{missing[0]}.",
            code="no-mask",
        )
    return MeasurementJob(
        case=patient.case,
        image=patient.image,
        further={name: patient.sequences[name] for name in wanted},
        masks={"reader": patient.mask},
        regions={f"reader:{name}": patient.regions.get(name, "") for name in regions},
        region_names=regions,
        images=model.protocol.images,
        extraction=needed_extraction(model),
        preparation=model.protocol.preparation,
        store=store,
        level=named_level(str(patient.known.get("level", "")), model.protocol.images.scheme),
    )


def refuse_of_tables(model: FrozenModel) -> None:
    """Raise where a model cannot measure an image.

    Raises
    ------
    DataError
        It was fitted on tables.
    """
    if model.of_tables:
        raise DataError(
            f"The model {model.name!r} was fitted on feature tables made elsewhere: how to measure "
            "an image is not in it. Score tables with `centrum validate`."
        )


def needed_extraction(model: FrozenModel) -> ExtractionSettings:
    """What must be measured for a model, and no more."""
    return needed(model.protocol.extraction, _to_measure(model))


def needed_regions(model: FrozenModel) -> tuple[str, ...]:
    """The regions beside the first one that must be measured for a model."""
    return regions_read(_to_measure(model), model.protocol.extraction)


def _to_measure(model: FrozenModel) -> list[FeatureId]:
    refits = () if model.refits is None else model.refits.features
    return [f for f in (*model.features, *refits) if f is not None and not f.label]


def needed(settings: ExtractionSettings, features: Sequence[FeatureId]) -> ExtractionSettings:
    """The settings without families and filters that none of the features comes from.

    >>> every = ExtractionSettings(families=("morphology", "statistics"), filters=[
    ...     {"filter": "log", "sigma": 1}, {"filter": "log", "sigma": 2}])
    >>> from centrum.measure.extract import plan
    >>> two = [f for f in plan(every) if f.image == "log-2mm-3D" and f.feature == "mean"]
    >>> less = needed(every, two)
    >>> less.families, [name for chosen in less.filters for name in chosen.names]
    (('statistics',), ['log-2mm-3D'])
    """
    images, families = {f.image for f in features}, {f.family for f in features}
    return settings.model_copy(
        update={
            "families": tuple(f for f in settings.families if f in families),
            "filters": tuple(c for c in settings.filters if images & {*c.names}),
            "ratios": tuple(r for r in settings.ratios if r.name in {f.region for f in features}),
        }
    )


@dataclass(frozen=True, eq=False)
class Seen:
    """Image and region as they were read, for checks and pictures, and further regions by name."""

    volume: Volume
    mask: Mask
    regions: Mapping[str, Mask] = field(default_factory=dict)


def see(job: MeasurementJob, read: CaseImages) -> Seen:
    """Image, voxels without a value as background, and the regions on its grid."""
    volume = fill_missing(read.image(job.image))
    regions = {name: read.mask(job.regions[f"reader:{name}"], volume) for name in job.region_names}
    return Seen(volume, read.mask(job.masks["reader"], volume), regions)


def _seen(job: MeasurementJob, read: CaseImages) -> Seen | None:
    """What is to be seen; the flags of the score say why it cannot be read."""
    try:
        return see(job, read)
    except Exception as error:
        of_case(error)
        return None


def score_record(model: FrozenModel, patient: Patient, record: Record, seen: Seen | None) -> Score:
    """Score what was measured of a case."""
    flags = _flags(model, patient, record, seen)
    refusals = [f for f in flags if f.severity == "refuse"]
    simulated = any(
        step["parameters"].get("simulated")
        for steps in record["history"].values()
        for step in steps
    )
    if refusals:
        return replace(_refused(patient, flags), simulated=simulated)
    values = measured_values(model, patient, record)
    scored = score_known(model, patient, values, flags, range_of(model, patient, record))
    known = with_manifest(record["acquisition"], patient.known)
    return replace(scored, simulated=simulated, acquisition=known)


Range = tuple[float, float] | None


def range_of(model: FrozenModel, patient: Patient, record: Record) -> Range:
    """Where most refits put the probability of a measured case; None where that is not known."""
    if model.refits is None:
        return None
    measured = _measured(model, record)
    return range_by(model, patient, lambda _, feature: measured[feature])


def range_by(
    model: FrozenModel, patient: Patient, value_of: Callable[[str, FeatureId], float]
) -> Range:
    """The same from what gives the value of a feature, by its name and record."""
    refits = model.refits
    if refits is None:
        return None

    def found() -> Range:
        known = {c.name: c.of(patient.known) for c in refits.covariates}
        pairs = zip(refits.names, refits.features, strict=True)
        values = [known[n] if f is None else value_of(n, f) for n, f in pairs]
        return refits.range(np.array(values, dtype=float))

    return attempt(found, lambda _: None)  # beside a score, which it must not take away


def score_known(
    model: FrozenModel,
    patient: Patient,
    values: Floats,
    flags: Sequence[Flag] = (),
    range_: Range = None,
) -> Score:
    """Score a case by its features (features,), with what they, its batch and `flags` say.

    Raises
    ------
    DataError
        A value or the batch is missing, or the batch is one that the model refuses.
    """
    found = score_values(model, patient.case, values, model.batch_of(patient.known))
    more = (*model.batch_flags(patient.known), *feature_flags(model.distributions, values))
    low, high = range_ or (None, None)
    return replace(found, flags=tuple(_sorted([*flags, *more])), low=low, high=high)


def score_values(
    model: FrozenModel, case: str, values: Floats, batch: Sequence[str] | None
) -> Score:
    """Score the features (features,) of a case, without flags."""
    score = model.scorer.score(values[None], batch)
    shares, breakdown = _explained(model, values, batch)
    parts = [
        Contribution(d.name, None if v != v else float(v), c, 0.0 if v != v else d.beyond(float(v)))
        for d, v, c in zip(model.distributions, values, shares, strict=True)
    ]
    return Score(
        case=case,
        status=SCORED,
        flags=(),
        score=float(score[0]),
        probability=float(model.calibrator.predict_proba(score)[0]),
        called=model.called(score)[0],
        outcomes=model.sets(score)[0],
        parts=tuple(sorted(parts, key=lambda part: -abs(part.contribution or 0.0))),
        breakdown=breakdown,
    )


def _explained(
    model: FrozenModel, values: Floats, batch: Sequence[str] | None
) -> tuple[Sequence[float | None], Breakdown | None]:
    """What each feature adds, and the sum; nothing of a model that may be chance."""
    if not model.above_chance:
        return [None] * len(values), None
    found = model.scorer.explain(values[None], batch)
    whole = Breakdown(found.base, float(found.rest[0]), float(found.total[0]), found.scale)
    return found.parts[0].tolist(), whole


def measured_values(model: FrozenModel, patient: Patient, record: Record) -> Floats:
    """The model's features of a case, (features,), nan where one is not defined.

    Raises
    ------
    DataError
        A covariate has a value that did not occur in training, or a feature that was made
        elsewhere is not given.
    """
    by_feature = _measured(model, record) | _made_elsewhere(model, patient)
    known = {c.name: c.of(patient.known) for c in model.covariates}
    values = [
        known[name] if feature is None else by_feature[feature]
        for name, feature in zip(model.scorer.features, model.features, strict=True)
    ]
    return np.array(values, dtype=float)


def _measured(model: FrozenModel, record: Record) -> dict[FeatureId, float]:
    """What was measured of a case."""
    sequences = model.protocol.images.sequences or ("",)
    planned = plan_regions(needed_extraction(model), sequences, needed_regions(model))
    return dict(zip(planned, record["values"]["reader"], strict=True))


def _made_elsewhere(model: FrozenModel, patient: Patient) -> dict[FeatureId, float]:
    """What is given of the features of further sources."""
    wanted = [f for f in model.features if f is not None and f.label]
    if missing := [f for f in wanted if f.label not in patient.elsewhere]:
        raise DataError(
            f"The model reads {len(wanted)} features that were made elsewhere, and there is no row "
            f"of this case in the table of the source {missing[0].sequence!r}.",
            remedy=f"Give it: --source {missing[0].sequence}=FILE, a table with a row of the case.",
            code="no-row",
        )
    return {f: patient.elsewhere[f.label] for f in wanted}


def _flags(model: FrozenModel, patient: Patient, record: Record, seen: Seen | None) -> list[Flag]:
    """Everything about image and region; what refuses a score first."""
    facts = with_manifest(record["acquisition"], patient.known)
    region = record["regions"].get("reader", {})
    flags = [Flag("refuse", "not-measured", e["message"]) for e in record["errors"]]
    flags += _sequence_flags(model, patient, record) if record["acquisition"] else []
    flags += model.domain.flags(facts, region)
    flags += [Flag("note", "older-model", n) for n in model.notes]
    flags += [Flag("note", "unread-fact", n) for n in from_manifest(patient.known).notes]
    flags += [
        Flag("warning" if f["severity"] == "warning" else "note", f["code"], f["message"])
        for f in record["findings"]
        if f["code"] != "other-plane"  # the domain holds it against the training cases
    ]
    if seen is not None:
        flags += _looked_at(seen, model.protocol.extraction.plane)
    return _sorted(flags)


def _sequence_flags(model: FrozenModel, patient: Patient, record: Record) -> Iterator[Flag]:
    """Images of another sequence than the model's, and those of which nothing tells it."""
    names = model.protocol.images.sequences or ("",)
    images = (patient.image, *(patient.sequences[name] for name in names[1:]))
    facts = [record["acquisition"], *(record["further"][name] for name in names[1:])]
    if len(facts) == 1:
        facts = [with_manifest(facts[0], patient.known)]
    claims = claimed_weightings(model.protocol.images, names)
    for (name, claimed), image, known in zip(claims.items(), images, facts, strict=True):
        found = compare(claimed, known, PurePath(split_source(image)[0].name))
        where = f"{name}: " if len(names) > 1 else ""
        if found.contradiction:
            trained = f"{where}The model was trained on {claimed}."
            text = f"{trained} {found.contradiction} Give a {claimed} image."
            yield Flag("refuse", "other-sequence", text)
        if found.doubt:
            text = f"{where}{found.doubt} Check that the image is {claimed}, as its times say."
            yield Flag("warning", "named-otherwise", text)
        if claimed and not (found.known_from or found.contradiction):
            text = (
                f"{where}Sequence not verified: nothing tells whether the image is {claimed}. Look "
                "at it, or give its times: --known tr_ms=... --known te_ms=..."
            )
            yield Flag("note", "sequence-not-verified", text)


def _looked_at(seen: Seen, plane: str) -> list[Flag]:
    """What the outline says; a note where it cannot be looked at, which decides no score."""
    noticed: list[ImageFinding] = []
    with advisory(noticed):
        return _outline_flags(seen, plane)
    return [Flag("note", note.code, note.message) for note in noticed]


def _outline_flags(seen: Seen, plane: str) -> list[Flag]:
    found = outline_of(seen.volume, seen.mask, plane)
    if found.mirrored:
        return [
            Flag(
                "warning",
                "mirrored-mask",
                f"With {found.mirrored} swapped the region fits the image better: the mask looks "
                "mirrored. Check the picture, and export the mask again.",
            )
        ]
    if not found.follows:
        return [
            Flag(
                "warning",
                "outline-off",
                f"The outline hardly follows the edges of the image (alignment "
                f"{found.alignment:.2f}, vertebral bodies have 0.84 and more). Look at it on every "
                "slice, and draw it again where it leaves the body.",
            )
        ]
    return []


def _sorted(flags: Sequence[Flag]) -> list[Flag]:
    order = ("refuse", "warning", "note")
    return sorted(flags, key=lambda flag: order.index(flag.severity))


def _refused(patient: Patient, flags: Sequence[Flag]) -> Score:
    return Score(patient.case, REFUSED, tuple(flags))
