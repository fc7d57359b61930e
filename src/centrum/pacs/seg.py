"""Masks as a DICOM segmentation of the series that they were drawn on.

highdicom makes it, always from a volume with its own grid: given an array and a list of files it
takes the n-th slice for the n-th file, and mirrors the body where files lie the other way.

Source: DICOM PS3.3, A.51 and C.8.20 (Segmentation); LABELMAP: Supplement 243.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats
from centrum.cohort.levels import Level
from centrum.errors import ImageError
from centrum.geometry import Geometry
from centrum.io.seg import ALGORITHM_TYPES
from centrum.io.write import common_grid, layers_of, overlapping
from centrum.pacs.codes import ANATOMY, LONGEST_MEANING, TISSUE, vertebra
from centrum.pacs.extra import coded, highdicom
from centrum.pacs.source import (
    EMPTY_ALLOWED,
    RESEARCH,
    SourceSeries,
    derived_uid,
    describe_source,
    undated,
)
from centrum.provenance import __version__
from centrum.report.labels import shortened
from centrum.text import one_line
from centrum.volume import Mask, content_digest

if TYPE_CHECKING:
    from pydicom import Dataset

SegmentationType = Literal["BINARY", "LABELMAP"]

SERIES_NUMBER = 9001
"""Of segmentations; reports and pages follow."""

MANUAL = ALGORITHM_TYPES[0]

ALGORITHM = "not stated"
"""Name of what made a segment that its file calls made by an algorithm: the name is not read."""


@dataclass(frozen=True, eq=False)
class DrawnRegion:
    """One segment: a mask on the grid of its image, and what it is called.

    Attributes
    ----------
    mask : without voxels where the reader drew nothing
    label : at most 64 characters, its own within a segmentation
    level : the vertebra, None where it is not known
    """

    mask: Mask
    label: str
    level: Level | None = None

    @property
    def named(self) -> Mask:
        """The mask, called by the label."""
        return replace(self.mask, name=self.label)

    def tracking_uid(self, source: SourceSeries) -> str:
        """By which segmentations and reports of a series name the same region."""
        return derived_uid("region", source.uid, self.label)


def named_regions(found: Iterable[tuple[str, Mask, Level | None]]) -> list[DrawnRegion]:
    """Regions by case, mask and level: each called by its level, else its mask, else its case too.

    >>> mask = Mask(np.ones((1, 1, 1), bool), Geometry((1, 1, 1), (1, 1, 1)), "lesion")
    >>> [r.label for r in named_regions([("P1", mask, None), ("P2", mask, Level("L", 1))])]
    ['lesion', 'L1']
    >>> [r.label for r in named_regions([("P1", mask, None), ("P2", mask, None)])]
    ['lesion of P1', 'lesion of P2']
    """
    found = list(found)
    names = [level.name if level else mask.name for _, mask, level in found]
    counts = Counter(names)
    return [
        DrawnRegion(mask, _label(name if counts[name] == 1 else f"{name} of {case}"), level)
        for name, (case, mask, level) in zip(names, found, strict=True)
    ]


def _label(text: str) -> str:
    """As the label of a segment: a backslash would part it in two."""
    return shortened(one_line(text).replace("\\", "/"), LONGEST_MEANING)


def segmentation(
    source: SourceSeries, regions: Sequence[DrawnRegion], kind: SegmentationType = "BINARY"
) -> "Dataset":
    """The DICOM segmentation of one series and reader, a segment for each region.

    Numbers of segments are those of their order, from 1. Slices without voxels are left out, but
    for one where no region has any. The same regions give the same object.

    Parameters
    ----------
    kind : "BINARY", which every archive takes, or "LABELMAP", which is smaller

    Raises
    ------
    ImageError
        The series names no frame of reference ("no-frame").
    GeometryError
        The masks are on different grids.
    DataError
        Regions share voxels, in a LABELMAP ("overlapping-masks"); highdicom is not installed.
    """
    from pydicom.uid import ExplicitVRLittleEndian, RLELossless

    frames = {str(image.get("FrameOfReferenceUID") or "") for image in source.images}
    if len(frames) > 1 or "" in frames:
        raise ImageError(
            "The series names no frame of reference, or several: nothing says where a segmentation "
            "of it lies.",
            remedy="Fetch the series from the archive again.",
            code="no-frame",
        )
    array, grid = _voxels(regions, kind)
    named = [str(image.SOPInstanceUID) for image in source.images]
    key = (kind, __version__, named, [_told(region) for region in regions])
    made = highdicom().seg.Segmentation(
        source_images=_complete(source, grid.spacing[2]),
        pixel_array=highdicom().Volume(
            array,
            _affine(grid),
            "PATIENT",
            frames.pop(),
            channels={"SegmentNumber": range(1, len(regions) + 1)} if array.ndim == 4 else None,
        ),
        segmentation_type=kind,
        segment_descriptions=[
            _described(number, region, source) for number, region in enumerate(regions, start=1)
        ],
        series_instance_uid=derived_uid("SEG series", *key),
        series_number=SERIES_NUMBER,
        sop_instance_uid=derived_uid("SEG", *key),
        instance_number=1,
        manufacturer="centrum",
        manufacturer_model_name="centrum",
        software_versions=__version__,
        device_serial_number=__version__,
        content_label="SEGMENTATION",
        content_description=RESEARCH,
        series_description=f"Segmentation. {RESEARCH}.",
        transfer_syntax_uid=ExplicitVRLittleEndian if kind == "BINARY" else RLELossless,
        specific_character_set="ISO_IR 192",
    )
    made.ContentCreatorName = None
    undated(made)
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = derived_uid("SEG dimensions", *key)
    describe_source(made, source, body=True)
    return made


def _told(region: DrawnRegion) -> list[str]:
    """All that a segment says of its region."""
    kind = _algorithm_type(region.mask)
    return [region.label, str(region.level), kind, content_digest(region.mask)]


def _complete(source: SourceSeries, depth: float) -> list["Dataset"]:
    """Headers in which all is there that highdicom copies, and `describe_source` replaces.

    A slice whose thickness is not known is as thick as a voxel of the mask is deep (mm).
    """
    from pydicom import Dataset

    complete = []
    for image in source.images:
        header = Dataset()
        header.update(image)
        for keyword in EMPTY_ALLOWED:
            header.pop(keyword, None)  # set alone, it would be set in the source too
            setattr(header, keyword, None)
        if not header.get("SliceThickness"):
            header.pop("SliceThickness", None)
            header.SliceThickness = f"{depth:.10g}"
        complete.append(header)
    return complete


def _voxels(regions: Sequence[DrawnRegion], kind: SegmentationType) -> tuple[NDArray, Geometry]:
    """Labels [z, y, x], or for regions that share voxels flags [z, y, x, region], and their grid.

    The grid is that of the image without the slices before and behind all voxels.
    """
    masks = [region.mask for region in regions]
    grid, arrays = common_grid(masks), [mask.array for mask in masks]
    hit = np.flatnonzero(np.any([array.any(axis=(1, 2)) for array in arrays], axis=0))
    first, last = (int(hit[0]), int(hit[-1])) if hit.size else (0, 0)
    part = grid.crop((0, 0, first), (*grid.size[:2], last - first + 1))
    arrays = [array[first : last + 1] for array in arrays]
    places = layers_of(arrays)
    if max(places) > 0 and kind == "LABELMAP":
        raise overlapping(masks, places, "a LABELMAP", "Write it as BINARY")
    if max(places) > 0:
        return np.stack(arrays, axis=-1).astype(np.uint8), part
    labels = np.zeros(part.shape, dtype=np.min_scalar_type(len(arrays)))
    for number, array in enumerate(arrays, start=1):
        labels[array] = number
    return labels, part


def _affine(grid: Geometry) -> Floats:
    """(4, 4): from indices (z, y, x) of an array to its place in the patient."""
    affine = np.eye(4)
    affine[:3, :3] = (grid.axes * grid.spacing)[:, ::-1]
    affine[:3, 3] = grid.origin
    return affine


def _described(number: int, region: DrawnRegion, source: SourceSeries) -> Any:
    place = vertebra(region.level)
    kind = _algorithm_type(region.mask)
    return highdicom().seg.SegmentDescription(
        segment_number=number,
        segment_label=region.label,
        segmented_property_category=coded(ANATOMY if place else TISSUE),
        segmented_property_type=coded(place or TISSUE),
        algorithm_type=kind,
        algorithm_identification=None if kind == MANUAL else _algorithm(),
        tracking_uid=region.tracking_uid(source),
        tracking_id=region.label,
    )


def _algorithm_type(mask: Mask) -> str:
    """As the file of the mask says, else that of what a reader gives."""
    found = {kind for step in mask.history for kind in step.parameters.get("algorithm_types", ())}
    return str(found.pop()) if len(found) == 1 else MANUAL


def _algorithm() -> Any:
    from pydicom.sr.codedict import codes

    return highdicom().AlgorithmIdentificationSequence(
        name=ALGORITHM, family=codes.DCM.ArtificialIntelligence, version=ALGORITHM
    )
