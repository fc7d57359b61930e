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
from centrum.features.settings import BODY, ExtractionSettings
from centrum.frozen.model import FrozenModel, read_model as read_model
from centrum.frozen.score import Patient as Patient, needed_regions, refuse_of_tables, score_job
from centrum.frozen.scorer import Scorer
from centrum.io.write import write_image
from centrum.measure.case import MeasurementJob
from centrum.measure.maps import FeatureMap, refuse_unmapped
from centrum.report.figures import draw_map
from centrum.report.labels import labels_within
from centrum.report.maps import MappedCase, by_region, leading, map_labels, mapped_case
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
    region: str | None = None,
    window_mm: float,
) -> tuple[WrittenMap, ...]:
    """Write maps of a case of a study; see `write_maps`. Without features the leading ones.

    Those are of the model that was fitted, by falling size of their coefficients.

    Parameters
    ----------
    region : whose features, of the first one when missing; those that are named may be of any, and
        leave the name of this one out

    Raises
    ------
    DataError
        There is no such case, reader or region, or the study has no images.
    CentrumError
        There is no such feature, or no model and no feature is named; see `feature_maps`.
    """
    asked = _known_region(region, study.cohort.regions)
    job = _job_of(study, case, reader, asked or "")
    extraction = study.protocol.extraction
    known = {feature.spell(extraction.dialect): feature for feature in study.features}
    names = features or _of_model(study)
    chosen = _chosen(names, known, extraction, asked, named=bool(features))
    return write_maps(job, chosen, folder, window_mm)


def _known_region(region: str | None, further: Sequence[str]) -> str | None:
    """What features call the region that is asked for: "" the first; None where none is."""
    if region == BODY:
        return ""
    if region is not None and region not in further:
        raise DataError(
            f"There is no region {region!r}.",
            remedy=f"There are {', '.join((f'{BODY} (the first)', *further))}.",
            code="no-region",
        )
    return region


def _job_of(study: Study, case: str, reader: str | None, region: str) -> MeasurementJob:
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
    drawn = job.of_region(region)
    first = reader or next(iter(drawn), "")
    if first not in drawn:
        what = f"mask of the region {region!r}" if region else "mask"
        raise DataError(
            f"Case {case} has no {what} of {reader or 'any reader'}.",
            remedy=f"There are masks of {', '.join(drawn) or 'nobody'}.",
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
    region: str | None = None,
    window_mm: float,
) -> tuple[WrittenMap, ...]:
    """Write maps of the features that a frozen model reads; see `write_maps`.

    Parameters
    ----------
    region : as of `map_case`; the patient has its mask, and need not have those of others

    Raises
    ------
    CentrumError
        As of `map_case`, or the model was fitted on tables.
    """
    refuse_of_tables(model)
    asked = _known_region(region, needed_regions(model))
    pairs = zip(model.scorer.features, model.features, strict=True)
    known = {name: feature for name, feature in pairs if feature is not None}
    names = features or by_weight(model.scorer)
    chosen = _chosen(names, known, model.protocol.extraction, asked, named=bool(features))
    regions = [name for name in by_region(chosen) if name]
    return write_maps(score_job(model, patient, None, regions), chosen, folder, window_mm)


def by_weight(scorer: Scorer) -> list[str]:
    """Its features by falling weight where the score is a weighted sum, else in their order."""
    weight = np.zeros(len(scorer.features))
    for branch in scorer.branches if scorer.linear else ():
        _, of_one_sd = branch.explain(np.ones((1, branch.kept.size)))
        weight[branch.reads[branch.kept]] += of_one_sd[0]
    return [scorer.features[k] for k in np.argsort(-np.abs(weight), kind="stable")]


def _chosen(
    names: Sequence[str],
    known: Mapping[str, FeatureId],
    extraction: ExtractionSettings,
    region: str | None,
    *,
    named: bool,
) -> tuple[FeatureId, ...]:
    """The features that are named, or the leading ones of a region of those that have maps."""
    if not named:
        read = [known[name] for name in names if name in known]
        found = leading([f for f in read if f.region == (region or "")], extraction)
        if not found:
            raise ProtocolError(
                f"None of the model's features of the region {region or BODY} means anything in a "
                "window.",
                remedy=_otherwise(leading(read, extraction)),
                code="no-map",
            )
        return found
    if region is not None:
        known = _of_region(region, known, extraction.dialect)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise ProtocolError(
                f"There is no feature {name!r}{f'; did you mean {near[0]}?' if near else '.'}",
                remedy="results/features.csv has the names of all.",
                code="no-feature",
            )
    found = tuple(known[name] for name in dict.fromkeys(names))
    refuse_unmapped(found, extraction)
    return found


def _otherwise(mapped: Sequence[FeatureId]) -> str:
    """What can be asked for instead; `mapped` have maps, of whichever region."""
    regions = " or ".join(f"--region {name or BODY}" for name in by_region(mapped))
    return f"Name one that is measured: --feature NAME{f'; or ask for {regions}' * bool(regions)}."


def _of_region(
    region: str, known: Mapping[str, FeatureId], dialect: Dialect
) -> dict[str, FeatureId]:
    """The features of a region by their names, with and without its own."""
    own = {name: feature for name, feature in known.items() if feature.region == region}
    return {replace(feature, region="").spell(dialect): feature for feature in own.values()} | own


def write_maps(
    job: MeasurementJob, features: Sequence[FeatureId], folder: Path, window_mm: float
) -> tuple[WrittenMap, ...]:
    """Maps of features by a job's first reader: CASE_FEATURE.nii.gz and .png.

    Each is drawn over the region that it is of.
    """
    dialect = job.extraction.dialect
    labels = labels_within({f.spell(dialect): f for f in features}, job.extraction)
    mapped = {
        region: mapped_case(job, own, _title(job, region), window_mm)
        for region, own in by_region(features).items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(
        _write(job, mapped[feature.region], feature, *named, folder)
        for feature, named in zip(features, labels.items(), strict=True)
    )


def _title(job: MeasurementJob, region: str) -> tuple[str, ...]:
    """The case, and which region it is, and whose, where there are others."""
    reader, *others = job.of_region(region)
    told = ("region", *([f'"{region}"'] if region else []), *([f"of {reader}"] if others else []))
    return (job.case, *([" ".join(told)] if len(told) > 1 else []))


def _write(
    job: MeasurementJob,
    mapped: MappedCase,
    feature: FeatureId,
    name: str,
    label: str,
    folder: Path,
) -> WrittenMap:
    one = replace(mapped, maps=tuple(m for m in mapped.maps if m.feature == feature))
    (found,) = one.maps
    volume, (shown,) = found.volume, map_labels([feature], [label], [one.maps])
    stem = file_stem(f"{job.case}_{name}")
    values = replace(volume, array=volume.array.astype(np.float32))
    image, picture = folder / f"{stem}.nii.gz", folder / f"{stem}.png"
    write_image(values, image)
    save_figure(draw_map(one.drawn, shown, _mark(found)), picture)
    low, high = (float(f(volume.array)) for f in (np.nanmin, np.nanmax))
    reader = next(iter(job.masks))
    return WrittenMap(job.case, reader, name, shown.window, low, high, str(image), str(picture))


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
