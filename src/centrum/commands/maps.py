"""The verb `map`: features of one case in windows around its voxels, as images and pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from centrum.cohort.phantom import NOTICE
from centrum.commands.results import load_model
from centrum.errors import DataError, ProtocolError
from centrum.features.feature_id import FeatureId
from centrum.frozen.model import FrozenModel, read_model as read_model
from centrum.frozen.score import Patient as Patient, score_job
from centrum.frozen.scorer import Scorer
from centrum.io.write import write_image
from centrum.measure.case import MeasurementJob
from centrum.measure.maps import FeatureMap
from centrum.report.figures import draw_map
from centrum.report.labels import labels_within
from centrum.report.maps import MappedCase, leading, map_labels, mapped_case
from centrum.report.style import save_figure
from centrum.report.tables import model_order
from centrum.settings import Dialect
from centrum.study.landmarks import known_preparation
from centrum.study.study import Study
from centrum.text import file_stem


@dataclass(frozen=True)
class WrittenMap:
    """A map that was written.

    Attributes
    ----------
    case, reader, feature : of whom, in whose region, and of what
    window : size of the windows
    lowest, highest : of its values
    image, picture : the files
    """

    case: str
    reader: str
    feature: str
    window: str
    lowest: float
    highest: float
    image: str
    picture: str


def map_case(
    study: Study,
    case: str,
    folder: Path,
    features: Sequence[str] = (),
    *,
    reader: str | None = None,
    window_mm: float,
) -> tuple[WrittenMap, ...]:
    """Write maps of a case of a study; see `write_maps`. Without features the leading ones.

    Those are of the model that was fitted, by falling size of their coefficients.

    Raises
    ------
    DataError
        There is no such case or reader, or the study has no images.
    CentrumError
        There is no such feature, or no model and no feature is named; see `feature_maps`.
    """
    job = _job_of(study, case, reader)
    dialect = study.protocol.extraction.dialect
    known = {feature.spell(dialect): feature for feature in study.features}
    names = features or _of_model(study)
    return write_maps(job, _chosen(names, known, named=bool(features)), dialect, folder, window_mm)


def _job_of(study: Study, case: str, reader: str | None) -> MeasurementJob:
    """What is measured of a case, the reader first whose region is."""
    jobs = {job.case: job for job in study.jobs(preparation=known_preparation(study))}
    if case not in jobs:
        near = get_close_matches(case, jobs, 1)
        meant = f"; did you mean {near[0]}?" if near else "."
        raise DataError(
            f"The study measures no case of that name{meant}",
            remedy=f"It has {len(jobs)} cases with images; results/scores.csv lists them.",
            code="no-case",
        )
    job = jobs[case]
    first = reader or next(iter(job.masks), "")
    if first not in job.masks:
        raise DataError(
            f"Case {case} has no mask of {reader or 'any reader'}.",
            remedy=f"There are masks of {', '.join(job.masks) or 'nobody'}.",
            code="no-reader",
        )
    return replace(job, masks={first: job.masks[first], **job.masks}, store=None)


def _of_model(study: Study) -> list[str]:
    model = load_model(study)
    return [model.features[k] for k in model_order(model)]


def map_files(
    model: FrozenModel,
    patient: Patient,
    folder: Path,
    features: Sequence[str] = (),
    *,
    window_mm: float,
) -> tuple[WrittenMap, ...]:
    """Write maps of the features that a frozen model reads; see `write_maps`.

    Raises
    ------
    CentrumError
        As of `map_case`, or the model was fitted on tables.
    """
    job = score_job(model, patient, None)
    pairs = zip(model.scorer.features, model.features, strict=True)
    known = {name: feature for name, feature in pairs if feature is not None}
    names = features or by_weight(model.scorer)
    dialect = model.protocol.extraction.dialect
    return write_maps(job, _chosen(names, known, named=bool(features)), dialect, folder, window_mm)


def by_weight(scorer: Scorer) -> list[str]:
    """Its features by falling weight where the score is a weighted sum, else in their order."""
    weight = np.zeros(len(scorer.features))
    for branch in scorer.branches if scorer.linear else ():
        _, of_one_sd = branch.explain(np.ones((1, branch.kept.size)))
        weight[branch.reads[branch.kept]] += of_one_sd[0]
    return [scorer.features[k] for k in np.argsort(-np.abs(weight), kind="stable")]


def _chosen(
    names: Sequence[str], known: Mapping[str, FeatureId], *, named: bool
) -> tuple[FeatureId, ...]:
    """The features that are named, or the leading ones of those that have maps."""
    if not named:
        found = leading([known[name] for name in names if name in known])
        if not found:
            raise ProtocolError(
                "None of the model's features means anything in a window.",
                remedy="Name one that is measured: --feature NAME.",
                code="no-map",
            )
        return found
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise ProtocolError(
                f"There is no feature {name!r}{f'; did you mean {near[0]}?' if near else '.'}",
                remedy="results/features.csv has the names of all.",
                code="no-feature",
            )
    return tuple(known[name] for name in dict.fromkeys(names))


def write_maps(
    job: MeasurementJob,
    features: Sequence[FeatureId],
    dialect: Dialect,
    folder: Path,
    window_mm: float,
) -> tuple[WrittenMap, ...]:
    """Maps of features in the region of a job's first reader: CASE_FEATURE.nii.gz and .png."""
    reader, *others = job.masks
    title = (job.case, *([f"region of {reader}"] if others else []))
    mapped = mapped_case(job, features, title, window_mm)
    folder.mkdir(parents=True, exist_ok=True)
    labels = labels_within({f.spell(dialect): f for f in features}, job.extraction)
    return tuple(
        _write(job.case, reader, mapped, k, *named, folder)
        for k, named in enumerate(labels.items())
    )


def _write(
    case: str, reader: str, mapped: MappedCase, k: int, name: str, label: str, folder: Path
) -> WrittenMap:
    one = replace(mapped, maps=mapped.maps[k : k + 1])
    (found,) = one.maps
    volume, (shown,) = found.volume, map_labels([found.feature], [label], [one.maps])
    stem = file_stem(f"{case}_{name}")
    values = replace(volume, array=volume.array.astype(np.float32))
    image, picture = folder / f"{stem}.nii.gz", folder / f"{stem}.png"
    write_image(values, image)
    save_figure(draw_map(one.drawn, shown, _mark(found)), picture)
    low, high = (float(f(volume.array)) for f in (np.nanmin, np.nanmax))
    return WrittenMap(case, reader, name, shown.window, low, high, str(image), str(picture))


def _mark(found: FeatureMap) -> str:
    simulated = any(step.parameters.get("simulated") for step in found.volume.history)
    return NOTICE if simulated else ""


def map_lines(written: Sequence[WrittenMap]) -> Iterator[str]:
    """What was written, to print."""
    for each in written:
        span = f"{each.lowest:.4g} to {each.highest:.4g}"
        yield f"{each.feature}: {span}, window {each.window}"
        yield f"  {each.image}"
        yield f"  {each.picture}"
