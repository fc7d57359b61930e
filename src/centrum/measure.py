"""One case from its files to a record: findings, features of every reader, overlap.

A record is JSON-ready and kept in the store under the digest of everything that decides it:
the bytes of the files, the settings and the version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import combinations
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from centrum import __version__
from centrum.advice import Adviser
from centrum.agreement.overlap import overlap
from centrum.errors import CentrumError, DataError, describe
from centrum.extract import extract, values
from centrum.features.settings import Discretisation, ExtractionSettings, Resegmentation
from centrum.geometry import Geometry, slice_axis
from centrum.io import (
    Finding,
    inspect_case,
    list_segments,
    read_image,
    read_mask,
    source_digest,
    split_source,
)
from centrum.prepare.image import air_in_view, landmarks_before, prepare_image
from centrum.prepare.normalise import relate_to_tissue
from centrum.prepare.regions import apply_operations
from centrum.prepare.settings import Nyul, Preparation, ReferenceTissue
from centrum.protocol import Images
from centrum.provenance import digest
from centrum.region import Region
from centrum.store import Store
from centrum.volume import Mask, Volume

Record = dict[str, Any]

ALL_READERS = "all"
"""Whom a finding about the image belongs to."""


@dataclass(frozen=True)
class Job:
    """What to measure of one case: sources as `centrum.io` takes them, and the settings."""

    case: str
    image: str
    masks: Mapping[str, str]
    images: Images
    extraction: ExtractionSettings
    store: Path
    preparation: Preparation = field(default_factory=Preparation)

    def key(self) -> str:
        """Digest of the files' bytes, the settings (landmarks included) and the version."""
        settings = {
            "images": self.images.model_dump(include={"on_grid_mismatch", "grid_tolerance_mm"}),
            "extraction": self.extraction.model_dump(mode="json"),
        }
        if self.preparation.active:
            settings["preparation"] = self.preparation.model_dump(mode="json")
        sources = {"image": _source_digest(self.image)}
        masks = {reader: _source_digest(source) for reader, source in self.masks.items()}
        return digest([__version__, settings, sources, masks])


def _source_digest(source: str) -> list[str | None]:
    """Digest of what is read, and the segment or series that is chosen in it.

    What cannot be read gets a word of its own; the reading itself then says what is wrong.
    """
    _, part = split_source(source)
    try:
        return [source_digest(source), part]
    except CentrumError:
        return ["unreadable", part]


def measure(job: Job) -> Record:
    """The record of a case, from the store when it is there.

    Keys: values (reader -> numbers in the order of `plan`), findings, errors, overlap, history
    (reader -> steps). A case with errors is not kept in the store, so that it is tried again.
    """
    store, key = Store(job.store), job.key()
    found = store.get(key)
    if found is not None:
        return dict(found)
    try:
        record = _measure(job)
    except CentrumError as error:
        return _failed(None, describe(error))
    except BaseException as error:
        error.add_note(f"while measuring case {job.case}")
        raise
    if not record["errors"]:
        store.put(key, record)
    return record


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


def measure_landmarks(job: Job) -> list[float] | None:
    """The Nyul landmarks of a case's image, from the store when they are there.

    None where the image cannot be read or prepared: measuring it then says why.
    """
    scale = job.preparation.normalisation
    if not isinstance(scale, Nyul):
        raise TypeError(f"landmarks are those of a Nyul normalisation, found {scale.method!r}")
    store, settings = Store(job.store), job.preparation.model_dump(mode="json")
    key = digest([__version__, "landmarks", settings, _source_digest(job.image)])
    found = store.get(key)
    if found is None:
        try:
            found = landmarks_before(read_image(job.image), job.preparation, scale)
        except CentrumError:
            return None
        store.put(key, found)
    return list(found)


def _failed(reader: str | None, message: str) -> Record:
    error = {"reader": reader, "message": message}
    return {"values": {}, "findings": [], "errors": [error], "overlap": [], "history": {}}


def _measure(job: Job) -> Record:
    record: Record = {"values": {}, "findings": [], "errors": [], "overlap": [], "history": {}}
    volume = read_image(job.image)
    ready = prepare_image(volume, job.preparation)
    record["findings"] += _described(ALL_READERS, _about_view(volume, job))
    masks: dict[str, Mask] = {}
    for reader, source in job.masks.items():
        try:
            mask = _read_mask(job, source, volume)
            record["findings"] += _findings(reader, volume, mask)
            image, region = _of_reader(job, source, ready, mask), _region(job, volume, mask)
            numbers, advice = _values(image, region, job.extraction)
            record["values"][reader] = numbers
            record["findings"] += _described(reader, advice)
        except CentrumError as error:
            record["errors"].append({"reader": reader, "message": describe(error)})
            continue
        masks[reader] = mask
        record["history"][reader] = [s.to_dict() for s in (*image.history, *region.history)]
    record["overlap"] = [
        {"reader_a": a, "reader_b": b}
        | asdict(overlap(masks[a].array, masks[b].array, volume.geometry.array_spacing))
        for a, b in combinations(masks, 2)
    ]
    return record


def prepared(job: Job) -> tuple[Volume, Mask]:
    """Image and mask of the first reader, ready for features to be measured."""
    source = next(iter(job.masks.values()))
    volume = prepare_image(read_image(job.image), job.preparation)
    mask = _read_mask(job, source, volume)
    return _of_reader(job, source, volume, mask), _region(job, volume, mask)


def first_region(job: Job) -> tuple[Volume, Mask]:
    """The prepared image of a case, and the region of its first reader.

    Raises
    ------
    CentrumError
        There is no such region, or it cannot be measured.
    """
    if not job.masks:
        raise DataError(f"Case {job.case} has no mask to measure.")
    source = next(iter(job.masks.values()))
    volume = read_image(job.image)
    mask = _read_mask(job, source, volume)
    _findings("", volume, mask)
    ready = prepare_image(volume, job.preparation)
    return _of_reader(job, source, ready, mask), _region(job, volume, mask)


def _read_mask(job: Job, source: str, volume: Volume) -> Mask:
    return read_mask(
        source,
        volume.geometry,
        tolerance_mm=job.images.grid_tolerance_mm,
        on_mismatch=job.images.on_grid_mismatch,
    )


def _region(job: Job, volume: Volume, mask: Mask) -> Mask:
    """What is measured of a reader's region; an error that is found in it is raised."""
    region = apply_operations(mask, job.preparation.region, job.extraction.plane)
    if region is not mask:
        _findings("", volume, region)
    return region


def _about_view(volume: Volume, job: Job) -> list[Finding]:
    """A warning where the whole view is normalised by and most of it is air."""
    whole = job.extraction.families and job.extraction.normalise_scale is not None
    whole = whole or getattr(job.preparation.normalisation, "over", None) == "image"
    message = air_in_view(volume) if whole else None
    return [Finding("warning", "mostly-air", message)] if message else []


def _of_reader(job: Job, source: str, volume: Volume, mask: Mask) -> Volume:
    """The prepared image, over the level of the reader's reference tissue where that is wanted."""
    how = job.preparation.normalisation
    if not isinstance(how, ReferenceTissue):
        return volume
    tissue = _read_mask(job, _reference_source(source, how), volume)
    if np.array_equal(tissue.array, mask.array):
        raise DataError(
            f"The reference tissue {tissue.name!r} is the measured region itself: its mean would "
            "be the same in every case. Name a segment of another, normal structure."
        )
    return relate_to_tissue(volume, tissue, how)


def _reference_source(source: str, how: ReferenceTissue) -> str:
    """The first wanted segment of the mask's file that has enough voxels."""
    path, _ = split_source(source)
    held = list_segments(path)
    for name in how.segments:
        for segment in held:
            if name in (segment.name, str(segment.label)) and segment.voxels >= how.min_voxels:
                return f"{path}#{name}"
    listed = "\n  ".join(segment.describe() for segment in held)
    raise DataError(
        f"{path.name}: no reference tissue. Wanted one of {', '.join(map(repr, how.segments))} "
        f"with at least {how.min_voxels} voxels. The segments in the file:\n  {listed}\n"
        "Draw it in the same segmentation, or choose a normalisation over the body."
    )


def _findings(reader: str, volume: Volume, mask: Mask) -> list[dict[str, str]]:
    """Warnings and notes about a mask; an error among them is raised."""
    found = inspect_case(volume, mask)
    if errors := [finding.message for finding in found if finding.severity == "error"]:
        raise DataError(" ".join(errors))
    return _described(reader, found)


def _described(reader: str, found: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"reader": reader} | asdict(finding) for finding in found]


def _values(
    volume: Volume, mask: Mask, settings: ExtractionSettings
) -> tuple[list[float | None], tuple[Finding, ...]]:
    """In the order of `plan`, None where a feature is not defined for this region; and advice."""
    if not settings.families:
        return [], ()
    region, adviser = Region(volume, mask, settings), Adviser()
    numbers = values(region, adviser.look).tolist()
    return [v if isfinite(v) else None for v in numbers], adviser.advise(region)
