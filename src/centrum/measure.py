"""One case from its files to a record: findings, features of every reader, overlap.

A record is JSON-ready and kept in the store under the digest of everything that decides it:
the bytes of the files, the settings and the version.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from centrum import __version__
from centrum.agreement.overlap import overlap
from centrum.errors import CentrumError, DataError, describe
from centrum.extract import extract
from centrum.features.settings import Discretisation, ExtractionSettings, Resegmentation
from centrum.geometry import Geometry, slice_axis
from centrum.io import inspect_case, read_image, read_mask, source_digest, split_source
from centrum.protocol import Images
from centrum.provenance import digest
from centrum.store import Store
from centrum.volume import Mask, Volume

Record = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What to measure of one case: sources as `centrum.io` takes them, and the settings."""

    case: str
    image: str
    masks: Mapping[str, str]
    images: Images
    extraction: ExtractionSettings
    store: Path

    def key(self) -> str:
        """Digest of the files' bytes, the settings and the version."""
        settings = {
            "images": self.images.model_dump(include={"on_grid_mismatch", "grid_tolerance_mm"}),
            "extraction": self.extraction.model_dump(mode="json"),
        }
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


def _failed(reader: str | None, message: str) -> Record:
    error = {"reader": reader, "message": message}
    return {"values": {}, "findings": [], "errors": [error], "overlap": [], "history": {}}


def _measure(job: Job) -> Record:
    record: Record = {"values": {}, "findings": [], "errors": [], "overlap": [], "history": {}}
    volume = read_image(job.image)
    masks: dict[str, Mask] = {}
    for reader, source in job.masks.items():
        try:
            mask = _read_mask(job, source, volume)
            record["findings"] += _findings(reader, volume, mask)
            record["values"][reader] = _values(volume, mask, job.extraction)
        except CentrumError as error:
            record["errors"].append({"reader": reader, "message": describe(error)})
            continue
        masks[reader] = mask
        record["history"][reader] = [s.to_dict() for s in (*volume.history, *mask.history)]
    record["overlap"] = [
        {"reader_a": a, "reader_b": b}
        | asdict(overlap(masks[a].array, masks[b].array, volume.geometry.array_spacing))
        for a, b in combinations(masks, 2)
    ]
    return record


def _read_mask(job: Job, source: str, volume: Volume) -> Mask:
    return read_mask(
        source,
        volume.geometry,
        tolerance_mm=job.images.grid_tolerance_mm,
        on_mismatch=job.images.on_grid_mismatch,
    )


def _findings(reader: str, volume: Volume, mask: Mask) -> list[dict[str, str]]:
    """Warnings and notes about a mask; an error among them is raised."""
    found = inspect_case(volume, mask)
    if errors := [finding.message for finding in found if finding.severity == "error"]:
        raise DataError(" ".join(errors))
    return [
        {"reader": reader, "severity": f.severity, "code": f.code, "message": f.message}
        for f in found
    ]


def _values(volume: Volume, mask: Mask, settings: ExtractionSettings) -> list[float | None]:
    """In the order of `plan`; None where a feature is not defined for this region."""
    if not settings.families:
        return []
    values = extract(volume, mask, settings)
    return [float(v) if np.isfinite(v) else None for v in values]
