"""One case from its files to a record: findings, features of every reader, overlap.

A record is JSON-ready and kept in the store under the digest of everything that decides it:
the bytes of the files, the settings and the version.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import combinations
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from centrum.agreement.overlap import overlap
from centrum.cohort.levels import Level
from centrum.cohort.withheld import Roles, roles, withheld_fields, words_in
from centrum.errors import DataError, GeometryError, StorageDown, describe, of_case
from centrum.execution import KeptResults, run_job
from centrum.features.settings import Discretisation, ExtractionSettings, Resegmentation
from centrum.geometry import Geometry, slice_axis
from centrum.io import (
    ImageFinding,
    Segment,
    inspect_case,
    inspect_image,
    list_segments,
    of_contours,
    place_mask,
    read_mask,
    source_digest,
    split_source,
    stated_orientation,
)
from centrum.io.objects import is_url
from centrum.io.scratch import fetched
from centrum.measure.acquisition import acquisition_facts, region_facts
from centrum.measure.advice import Adviser, Sampling, about_filters
from centrum.measure.extract import extract, values
from centrum.measure.images import CaseImages, image_of, mask_of
from centrum.measure.label_checks import check_label
from centrum.measure.region import Region, Voxels, filtered_voxels, measured_voxels
from centrum.measure.regions import with_ratios
from centrum.measure.sequences import without_shape
from centrum.prepare.image import air_in_view, fill_missing, landmarks_before, prepare_image
from centrum.prepare.normalise import relate_to_tissue
from centrum.prepare.regions import apply_operations
from centrum.prepare.resample import onto_grid
from centrum.prepare.settings import Nyul, Preparation, ReferenceTissue
from centrum.protocol import Images
from centrum.provenance import MEASURING, History, Step, job_key
from centrum.records import as_json
from centrum.store import Store
from centrum.volume import Mask, Volume, bounding_box, content_digest

Record = dict[str, Any]


LOOKS = 16
"""Objects that are looked at at the same time: each takes a network's time, and nothing else."""

_DECIDING = ("on_grid_mismatch", "grid_tolerance_mm", "orientation", "labels", "region")
"""What of `images` decides the numbers of a job, beside the sources that it holds."""

BYTES_PER_VOXEL = 24
"""Memory for a voxel of an interpolated image: in double precision, beside the response map of a
filter and what the filter works on."""

ALL_READERS = "all"
"""Whom a finding about the image belongs to."""


Sources = dict[str, list[list[Any]]]
"""What is known of the bytes of a case's images and masks."""


@dataclass(frozen=True)
class MeasurementJob:
    """What to measure of one case: sources as `centrum.io` takes them, and the settings.

    `further` are the sources of sequences beside `image`, on which the masks were drawn, and
    `regions` those of masks of further regions (`region_names`), by "reader:region". `level` is the
    vertebra that the case names. Without a `store` nothing is kept.
    """

    case: str
    image: str
    masks: Mapping[str, str]
    images: Images
    extraction: ExtractionSettings
    store: Path | None
    preparation: Preparation = field(default_factory=Preparation)
    level: Level | None = None
    further: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    region_names: tuple[str, ...] = ()

    @property
    def drawn(self) -> dict[str, str]:
        """All masks, those of further regions by reader and region."""
        return {**self.masks, **self.regions}

    def source_of(self, reader: str, region: str) -> str:
        """The mask of a region by a reader; "" is the first one.

        Raises
        ------
        DataError
            The reader has not drawn it ("no-mask").
        """
        source = self.regions.get(f"{reader}:{region}") if region else self.masks[reader]
        if not source:
            raise DataError(
                f"There is no mask of the region {region!r} by {reader!r}.",
                remedy="Draw it, or leave the case out.",
                code="no-mask",
            )
        return source

    def of_region(self, name: str) -> dict[str, str]:
        """Reader -> mask of a region, "" of the first one, of those who have drawn it."""
        if not name:
            return dict(self.masks)
        named = {reader: f"{reader}:{name}" for reader in self.masks}
        return {r: self.regions[key] for r, key in named.items() if self.regions.get(key)}

    def of_reader(self, reader: str) -> "MeasurementJob":
        """The job with the masks of one reader alone."""
        masks = {r: source for r, source in self.masks.items() if r == reader}
        regions = {k: s for k, s in self.regions.items() if k.partition(":")[0] == reader}
        return replace(self, masks=masks, regions=regions)

    @property
    def roles(self) -> Roles:
        """What is written in the place of names of its files."""
        return roles(self.image, self.drawn, self.further)

    @property
    def words(self) -> frozenset[str]:
        """Words of the study that may be written in quotation marks."""
        return words_in(self.preparation.model_dump(mode="json")) | {
            *self.masks, *self.further, *self.region_names
        }  # fmt: skip

    def key(self, sources: Sources | None = None) -> str:
        """Of all that is read: files, settings (landmarks included) and versions.

        The readers stand in the order of their names, as the record has them. Where its `sources`
        are known they are not read again.
        """
        settings = self.images.model_dump(mode="json", include={*_DECIDING})
        if self.further:
            settings["on_sequence_mismatch"] = self.images.on_sequence_mismatch
        return job_key(
            "measure",
            MEASURING,
            sources=sources or self.sources(),
            level=str(self.level or ""),
            images=settings,
            preparation=self.preparation.model_dump(mode="json"),
            extraction=self.extraction.model_dump(mode="json"),
            **({"regions": self.region_names} if self.region_names else {}),
        )

    def sources(self) -> Sources:
        """What is known of the bytes of the images and, in the order of their names, the masks."""
        images = [("", self.image), *self.further.items()]
        return {
            what: [[name, known_digest(source)] for name, source in named]
            for what, named in (("images", images), ("masks", sorted(self.drawn.items())))
        }


def sources_of(jobs: Sequence[MeasurementJob]) -> dict[str, Sources]:
    """What is known of the bytes of each case; objects are looked at many at a time.

    Raises
    ------
    StorageDown
        The storage cannot be reached, which is asked no more than `LOOKS` times.
    """
    read = (s for job in jobs for s in (job.image, *job.further.values(), *job.drawn.values()))
    look = MeasurementJob.sources
    if not any(map(is_url, read)):
        return {job.case: look(job) for job in jobs}
    with ThreadPoolExecutor(LOOKS) as pool:
        return {job.case: found for job, found in zip(jobs, pool.map(look, jobs), strict=True)}


def known_digest(source: str) -> list[str | None]:
    """Digest of what is read, and the segment or series that is chosen in it.

    Of what cannot be read there is the kind of error; the reading itself then says what is wrong.

    Raises
    ------
    StorageDown
        The storage that a URL is of cannot be reached.
    """
    _, part = split_source(source)
    try:
        return [source_digest(source), part]
    except StorageDown:
        raise
    except Exception as error:
        return [f"{_UNREADABLE}{getattr(error, 'code', type(error).__name__)}", part]


_UNREADABLE = "unreadable: "


def all_known(sources: Sources) -> bool:
    """Whether all of a case's images and masks can be read.

    >>> all_known({"images": [["", ["unreadable: no-file", None]]], "masks": []})
    False
    """
    found = (known[0] for named in sources.values() for _, known in named)
    return not any(digest.startswith(_UNREADABLE) for digest in found)


def measure(job: MeasurementJob, read: CaseImages | None = None) -> Record:
    """The record of a case, from the store when it is there; see `measure_anew`."""
    kept = None
    if job.store:
        kept = KeptResults[MeasurementJob, Record](Store(job.store), MeasurementJob.key, _is_sound)
    anew = partial(measure_anew, read=read)
    return in_order(job, run_job(anew, job, not_measured, kept))


def measure_anew(job: MeasurementJob, read: CaseImages | None = None) -> Record:
    """The record of a case.

    What is read of it is left in `read`, for what else is to be done with image and masks.

    Keys: values (reader -> numbers in the order of `plan`), findings, errors, overlap, history
    (reader -> steps), acquisition (facts of the first image), further (sequence -> facts of its
    image), regions (reader -> size), content (digests of images and masks, by which cases are
    compared). A case with errors is not kept in the store, so that it is tried again. But for the
    errors it is as it may be written: without names of files and without texts of headers.
    """
    return _as_written(job, _measure(job, read))


def _is_sound(record: Record) -> bool:
    return not record["errors"]


def in_order(job: MeasurementJob, record: Record) -> Record:
    """The record, which knows no order of readers, in the order of the job's.

    The overlap of two is of the later one against the earlier one.
    """
    place = {reader: k for k, reader in enumerate(job.masks)}
    pairs = (_turned(row, place) for row in record["overlap"])
    ordered = {
        block: sorted(record[block], key=lambda row: place.get(row["reader"], -1))
        for block in ("findings", "errors")
    }
    by_readers = sorted(pairs, key=lambda row: (place[row["reader_a"]], place[row["reader_b"]]))
    return record | ordered | {"overlap": by_readers}


def _turned(row: Mapping[str, Any], place: Mapping[str, int]) -> dict[str, Any]:
    """The overlap of two readers, the earlier one first."""
    a, b = row["reader_a"], row["reader_b"]
    if place[a] < place[b]:
        return dict(row)
    # From 0, since the opposite of 0 would be written as -0.
    difference = 0.0 - row["volume_difference_mm3"]
    return {**row, "reader_a": b, "reader_b": a, "volume_difference_mm3": difference}


def not_measured(job: MeasurementJob, error: Exception) -> Record:
    """The record of a case that ended in an error, whatever its kind."""
    return _empty() | {"errors": [told_error(None, error, job.image)]}


def _as_written(job: MeasurementJob, record: Record) -> Record:
    """The record whose findings and history name no file and hold no text of a header."""
    known, words = job.roles, job.words
    findings = [withheld_fields(finding, known, words) for finding in record["findings"]]
    history = {r: [_without_texts(s) for s in steps] for r, steps in record["history"].items()}
    return record | {"findings": findings, "history": history}


def errors_as_written(job: MeasurementJob, record: Record) -> Record:
    """The record whose errors, too, name no file and hold no text of a header."""
    errors = [withheld_fields(error, job.roles, job.words) for error in record["errors"]]
    return record | {"errors": errors}


def _without_texts(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step with those of its parameters that are numbers, and whether it is of a phantom."""
    kept = {
        name: value
        for name, value in step["parameters"].items()
        if isinstance(value, (bool, int, float)) or name == "simulated"
    }
    return {**step, "parameters": kept}


_ANY_REGION: dict[str, Any] = {
    "discretisation": Discretisation(method="fixed_bin_number", bins=8),
    "ivh": Discretisation(method="fixed_bin_number", bins=8),
    "interpolation": None,
    "resegmentation": Resegmentation(),
}
"""Settings that fit a region of any intensities; they compile nothing else than others do."""


def warm_up(settings: ExtractionSettings) -> None:
    """Compile what measuring with these settings calls, on two regions of a few voxels.

    One of whole numbers, few enough to be counted by value, and one of fractions.
    """
    settings = settings.model_copy(update=_ANY_REGION)
    grid = Geometry((9, 9, 9), (1.0, 1.0, 1.0))
    inside = np.zeros(grid.shape, dtype=bool)
    inside[1:8, 1:7, 1:6] = True
    if "shape2D" in settings.families:
        inside &= np.indices(grid.shape)[slice_axis(grid, settings.plane)] == 3
    noise = np.random.default_rng(0).normal(50, 8, grid.shape)
    for array in (np.rint(noise).astype(np.int16), noise):
        extract(Volume(array, grid), Mask(inside, grid), settings)


def measure_landmarks(job: MeasurementJob) -> list[float] | None:
    """The Nyul landmarks of a case's image."""
    scale = job.preparation.normalisation
    if not isinstance(scale, Nyul):
        raise TypeError(f"landmarks are those of a Nyul normalisation, found {scale.method!r}")
    return list(landmarks_before(image_of(job.image, job.images), job.preparation, scale))


def landmarks_key(job: MeasurementJob) -> str:
    """Of the landmarks of the job's image."""
    return job_key(
        "landmarks",
        MEASURING,
        source=known_digest(job.image),
        orientation=job.images.orientation,
        preparation=job.preparation.model_dump(mode="json"),
    )


def no_landmarks(job: MeasurementJob, error: Exception) -> None:
    """There are none of an image that cannot be read or prepared: measuring it then says why."""
    of_case(error)


def told_error(reader: str | None, error: Exception, source: str) -> dict[str, str | None]:
    """An error of a reader, or of the whole case, as a record holds it.

    It is about `source`, unless it names another file.
    """
    error = of_case(error)
    file = error.file or split_source(source)[0].name
    known = {"code": error.code, "file": file, "remedy": error.remedy}
    return {"reader": reader, "message": describe(error), **known}


def _empty() -> Record:
    lists: Record = {name: [] for name in ("findings", "errors", "overlap")}
    blocks = ("values", "history", "acquisition", "further", "regions", "content")
    return lists | {name: {} for name in blocks}


def _measure(job: MeasurementJob, read: CaseImages | None) -> Record:
    read = read or CaseImages(job.images)
    record, scenes = _empty(), _scenes(job, read)
    volume, plane = scenes[0].volume, job.extraction.plane
    noticed: list[ImageFinding] = []
    facts = [_known(noticed, acquisition_facts, scene.volume) for scene in scenes]
    record["acquisition"] = facts[0]
    record["further"] = {scene.name: own for scene, own in zip(scenes[1:], facts[1:], strict=True)}
    for scene in scenes:
        with advisory(noticed):
            noticed += _about_image(scene, job)
        with advisory(noticed):
            noticed += _about_view(scene, job)
    record["findings"] += _described(ALL_READERS, noticed)
    images = [content_digest(scene.volume) for scene in scenes]
    record["content"] = {"images": images, "masks": {}}
    masks: dict[str, dict[str, Mask]] = {name: {} for name in ("", *job.region_names)}
    for reader, source in sorted(job.masks.items()):
        try:
            mask = read.mask(source, volume)
            record["findings"] += _findings(reader, volume, mask)
            about = check_label(mask, source, job.level, job.images, job.store)
            record["findings"] += _described(reader, about)
            further = {name: _drawn(job, reader, name, read, volume) for name in job.region_names}
            for name, own_mask in further.items():
                told = [_of_sequence(name, f) for f in inspect_case(volume, own_mask)]
                record["findings"] += _described(reader, told)
            parts = _all_parts(job, reader, mask, further, scenes)
            found = [_values(part) for part in parts]
            advice = [finding for _, own_advice in found for finding in own_advice]
            own = {
                "values": all_values(job, [v for numbers, _ in found for v in numbers]),
                "regions": _known(advice, region_facts, mask, plane),
                "history": [as_json(s) for part in parts for s in part.history],
            }
            placed = _placed(mask)
            record["findings"] += _described(reader, advice)
        except Exception as error:
            record["errors"].append(told_error(reader, error, source))
            continue
        for name, drawn in {"": mask, **further}.items():
            masks[name][reader] = drawn
        record["content"]["masks"][reader] = placed
        for block, value in own.items():
            record[block][reader] = value
    for name, own_masks in masks.items():
        for a, b in combinations(own_masks, 2):
            apart: list[ImageFinding] = []
            with advisory(apart):
                one, other = own_masks[a].array, own_masks[b].array
                shared = overlap(one, other, volume.geometry.array_spacing)
                pair = {"reader_a": a, "reader_b": b, **({"region": name} if name else {})}
                record["overlap"].append(pair | asdict(shared))
            record["findings"] += _described(b, apart)
    return record


def all_values(job: MeasurementJob, numbers: Sequence[float | None]) -> list[float | None]:
    """The numbers of all regions with their ratios, in the order of `plan_regions`."""
    if not (job.extraction.families and job.extraction.ratios):
        return [*numbers]
    sequences = ("", *job.further) if job.further else ("",)
    return with_ratios(numbers, job.extraction, sequences, job.region_names)


def _drawn(job: MeasurementJob, reader: str, name: str, read: CaseImages, volume: Volume) -> Mask:
    """A reader's mask of a further region."""
    with _in(f"region {name}"):
        mask = read.mask(job.source_of(reader, name), volume)
        _findings("", volume, mask)
        return mask


@dataclass(frozen=True, eq=False)
class _MaskAsRead:
    """A mask, its source, and that of its reader's first region, with the reference tissue."""

    mask: Mask
    source: str
    first: str


def _all_parts(
    job: MeasurementJob,
    reader: str,
    mask: Mask,
    further: Mapping[str, Mask],
    scenes: Sequence["PreparedSequence"],
) -> list["MeasuredRegion"]:
    """A reader's regions in all sequences, the first region in all of them first."""
    first = job.masks[reader]
    parts = _parts(job, _MaskAsRead(mask, first, first), scenes)
    for name, own in further.items():
        with _in(f"region {name}"):
            drawn = _MaskAsRead(own, job.regions[f"{reader}:{name}"], first)
            parts += [replace(part, of=name) for part in _parts(job, drawn, scenes)]
    return parts


@contextmanager
def advisory(noticed: list[ImageFinding]) -> Iterator[None]:
    """What is done here decides no number: where it fails, a note says so and the case goes on."""
    try:
        yield
    except Exception as error:
        problem = of_case(error)
        text = f"One of the advisory checks could not be made: {problem.message}"
        note = ImageFinding("note", "not-checked", text, problem.file)
        noticed += [note] if note not in noticed else []


def _known(
    noticed: list[ImageFinding], facts: Callable[..., dict[str, Any]], *about: object
) -> dict[str, Any]:
    """Facts, which decide no number either; none where they cannot be told."""
    with advisory(noticed):
        return facts(*about)
    return {}


def _placed(mask: Mask) -> dict[str, Any]:
    """What tells a region from others on the same image: its voxels, and the box around it."""
    box = [(span.start, span.stop) for span in bounding_box(mask.array)]
    return {"sha256": content_digest(mask), "box": box}


@dataclass(frozen=True, eq=False)
class PreparedSequence:
    """One sequence of a case: as read, prepared, and what is measured of it.

    The sequence on which the masks were drawn comes first and has no name.
    """

    name: str
    file: str
    volume: Volume
    ready: Volume
    settings: ExtractionSettings


@dataclass(frozen=True, eq=False)
class MeasuredRegion:
    """What is measured of one sequence of a case: a reader's region in the prepared image."""

    name: str
    image: Volume
    region: Mask
    settings: ExtractionSettings
    of: str = ""

    @property
    def history(self) -> History:
        """Steps of image and region; those of a further region or sequence begin with its name."""
        places = {"region": self.of, "sequence": self.name}
        begin = (Step(what, {"name": name}) for what, name in places.items() if name)
        return (*begin, *self.image.history, *self.region.history)


def first_parts(job: MeasurementJob, read: CaseImages | None = None) -> list[MeasuredRegion]:
    """The regions of the first reader in the prepared image of every sequence.

    What is read of the case is left in `read`.

    Raises
    ------
    CentrumError
        There is no such region, or it cannot be measured.
    """
    if not job.masks:
        raise DataError(
            f"Case {job.case} has no mask to measure.",
            remedy="Draw it, or leave the case out.",
            code="no-mask",
        )
    (reader, source), read = next(iter(job.masks.items())), read or CaseImages(job.images)
    scenes = _scenes(job, read)
    volume = scenes[0].volume
    mask = read.mask(source, volume)
    _findings("", volume, mask)
    further = {name: _drawn(job, reader, name, read, volume) for name in job.region_names}
    return _all_parts(job, reader, mask, further, scenes)


def _scenes(job: MeasurementJob, read: CaseImages) -> list[PreparedSequence]:
    """All sequences, read and prepared."""
    first = _scene(job, read, "", job.image)
    return [first, *(_scene(job, read, *each, first.volume) for each in job.further.items())]


def _scene(
    job: MeasurementJob, read: CaseImages, name: str, source: str, first: Volume | None = None
) -> PreparedSequence:
    with _in_sequence(name):
        if not source:
            raise DataError(
                "The manifest names no image.",
                remedy="Fill in its cell, or leave the case out.",
                code="no-image",
            )
        volume = read.image(source, first)
        settings = without_shape(job.extraction) if name else job.extraction
        ready = prepare_image(volume, job.preparation)
        return PreparedSequence(name, split_source(source)[0].name, volume, ready, settings)


@contextmanager
def _in(place: str) -> Iterator[None]:
    """Errors say where they happened."""
    try:
        yield
    except Exception as error:
        if place:
            error.add_note(f"in {place}")
        raise


def _in_sequence(name: str) -> AbstractContextManager[None]:
    return _in(f"sequence {name}" if name else "")


def _parts(
    job: MeasurementJob, drawn: _MaskAsRead, scenes: Sequence[PreparedSequence]
) -> list[MeasuredRegion]:
    """A reader's region in all sequences."""
    return [_part(job, drawn, scene) for scene in scenes]


def _part(job: MeasurementJob, drawn: _MaskAsRead, scene: PreparedSequence) -> MeasuredRegion:
    with _in_sequence(scene.name):
        own = drawn.mask
        if scene.name:
            scene, own = _fitted(job, drawn, scene)
            _findings("", scene.volume, own)
        ready, region = _of_reader(job, drawn.first, scene, own), _region(job, scene.volume, own)
        _check_memory(region, scene.settings, job.images.max_memory_gb)
        return MeasuredRegion(scene.name, ready, region, scene.settings)


def _check_memory(region: Mask, settings: ExtractionSettings, most_gb: float) -> None:
    """Refuses a region whose interpolated image would need too much, before it is made."""
    voxels = measured_voxels(region, settings)
    needed = voxels * BYTES_PER_VOXEL / 1e9
    if needed > most_gb:
        spacing = " x ".join(f"{mm:.3g}" for mm in region.geometry.spacing)
        raise DataError(
            f"Interpolated as extraction.interpolation says, the image around {region.name!r} has "
            f"{voxels:.3g} voxels, which need about {needed:.3g} GB; images.max_memory_gb allows "
            f"{most_gb:g}. The voxels of the image are {spacing} mm.",
            remedy="Choose a larger spacing, check the spacing in the header of the image, or "
            "raise images.max_memory_gb.",
            code="too-large",
        )
    for name, voxels in filtered_voxels(region, settings).items():
        if voxels * BYTES_PER_VOXEL / 1e9 > most_gb:
            raise DataError(
                f"The filter {name!r} reaches so far around {region.name!r} that it works on "
                f"{voxels:.3g} voxels, which need about {voxels * BYTES_PER_VOXEL / 1e9:.3g} GB; "
                f"images.max_memory_gb allows {most_gb:g}.",
                remedy="Choose a smaller filter, or raise images.max_memory_gb.",
                code="too-large",
            )


def _fitted(
    job: MeasurementJob, drawn: _MaskAsRead, scene: PreparedSequence
) -> tuple[PreparedSequence, Mask]:
    """A further sequence and the mask on one grid: its own where the mask fits it."""
    mask = drawn.mask
    grid, tolerance = scene.volume.geometry, job.images.grid_tolerance_mm
    if mask.geometry.same_grid(grid, tolerance):
        return scene, Mask(mask.array, grid, mask.name, mask.history)
    try:
        # Where the file has no place or grid of its own, it is that of the first sequence.
        if stated_orientation(mask) or of_contours(mask):
            return scene, place_mask(mask, grid, tolerance_mm=tolerance)
        return scene, read_mask(drawn.source, grid, tolerance_mm=tolerance)
    except GeometryError as error:
        if job.images.on_sequence_mismatch == "refuse":
            error.add_note(
                "images.on_sequence_mismatch: resample brings the image onto the grid of the first"
            )
            raise
    volume, ready = (onto_grid(image, mask.geometry) for image in (scene.volume, scene.ready))
    return replace(scene, volume=volume, ready=fill_missing(ready)), mask


def _region(job: MeasurementJob, volume: Volume, mask: Mask) -> Mask:
    """What is measured of a reader's region; an error that is found in it is raised."""
    region = apply_operations(mask, job.preparation.region, job.extraction.plane)
    if region is not mask:
        _findings("", volume, region)
    return region


def _about_image(scene: PreparedSequence, job: MeasurementJob) -> list[ImageFinding]:
    """What is odd about an image, whoever drew on it."""
    found = inspect_image(scene.volume, job.extraction.plane, scene.file)
    return [_of_sequence(scene.name, finding) for finding in found]


def _about_view(scene: PreparedSequence, job: MeasurementJob) -> list[ImageFinding]:
    """A warning where the whole view is normalised by and most of it is air."""
    whole = job.extraction.families and job.extraction.normalise_scale is not None
    whole = whole or getattr(job.preparation.normalisation, "over", None) == "image"
    message = air_in_view(scene.volume) if whole else None
    return (
        [_of_sequence(scene.name, ImageFinding("warning", "mostly-air", message))]
        if message
        else []
    )


def _of_sequence(name: str, finding: ImageFinding) -> ImageFinding:
    return replace(finding, message=f"{name}: {finding.message}") if name else finding


def _of_reader(job: MeasurementJob, source: str, scene: PreparedSequence, mask: Mask) -> Volume:
    """The prepared image, over the level of the reader's reference tissue if there is one."""
    normalisation = job.preparation.normalisation
    if not isinstance(normalisation, ReferenceTissue):
        return scene.ready
    tissue = _reference_tissue(job, source, scene.ready, normalisation)
    if not np.isfinite(scene.volume.array[tissue.array]).all():
        raise DataError(
            f"The reference tissue {tissue.name!r} holds voxels without a value (NaN or infinite).",
            remedy="Draw it within the image, or export the image again.",
            code="non-finite-roi",
        )
    if np.array_equal(tissue.array, mask.array):
        raise DataError(
            f"The reference tissue {tissue.name!r} is the measured region itself: its mean would "
            "be the same in every case.",
            remedy="Name a segment of another, normal structure.",
            code="reference-tissue",
        )
    return relate_to_tissue(scene.ready, tissue, normalisation)


def _reference_tissue(
    job: MeasurementJob, source: str, image: Volume, settings: ReferenceTissue
) -> Mask:
    """The first wanted segment of the mask's file that has enough voxels."""
    path, _ = split_source(fetched(source))
    held = list_segments(path)
    for name in settings.segments:
        for segment in held:
            if name in (segment.name, str(segment.label)) and _may_have(segment, settings):
                tissue = mask_of(f"{path}#{name}", image, job.images)
                if not segment.drawn or tissue.n_voxels >= settings.min_voxels:
                    return tissue
    listed = "\n  ".join(segment.describe() for segment in held)
    raise DataError(
        f"{path.name}: no reference tissue. Wanted one of "
        f"{', '.join(map(repr, settings.segments))} "
        f"with at least {settings.min_voxels} voxels. The segments in the file:\n  {listed}\n",
        remedy="Draw it in the same segmentation, or choose a normalisation over the body.",
        code="reference-tissue",
        file=path,
    )


def _may_have(segment: Segment, settings: ReferenceTissue) -> bool:
    """Whether a segment has enough voxels, which of contours is known on the image alone."""
    return segment.drawn or (segment.voxels or 0) >= settings.min_voxels


def _findings(reader: str, volume: Volume, mask: Mask) -> list[dict[str, str]]:
    """Warnings and notes about a mask; an error among them is raised."""
    found = inspect_case(volume, mask)
    if errors := [finding for finding in found if finding.severity == "error"]:
        message = " ".join(finding.message for finding in errors)
        error = DataError(message, code=errors[0].code, file=errors[0].file)
        error.remedy = errors[0].remedy  # it stands in the message
        raise error
    return _described(reader, found)


def _described(reader: str, found: Iterable[ImageFinding]) -> list[dict[str, str]]:
    return [{"reader": reader} | asdict(finding) for finding in found]


def _values(part: MeasuredRegion) -> tuple[list[float | None], list[ImageFinding]]:
    """In the order of `plan`, None where a feature is not defined for this region; and advice.

    Without families only what can be advised before anything is measured.
    """
    settings, numbers, advice = part.settings, [], list[ImageFinding]()
    if not settings.families:
        with advisory(advice):
            advice += about_filters(settings, Sampling.expected(part.region, settings))
    else:
        region, adviser = Region(part.image, part.region, settings), Adviser()

        def look(image: Voxels) -> None:
            with advisory(advice):
                adviser.look(image)

        numbers = values(region, look).tolist()
        with advisory(advice):
            advice += adviser.advise(region)
    found = [v if isfinite(v) else None for v in numbers]
    told = [_of_sequence(part.name, finding) for finding in advice]
    return found, [_of_sequence(part.of, finding) for finding in told]
