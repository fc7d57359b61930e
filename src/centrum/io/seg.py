"""DICOM segmentations: BINARY, a frame per segment and slice, and LABELMAP, a frame per slice.

Programs leave out frames without voxels and write the others in any order: where a frame lies is
read from its position, which segment it shows from its number. Segments that overlap lie in
different layers.

Source: DICOM PS3.3, A.51 and C.8.20 (Segmentation); LABELMAP: Supplement 243.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from centrum.arrays import Flags, Ints
from centrum.errors import ImageError
from centrum.geometry import Geometry
from centrum.io.dicom_object import DicomObject, entry, items, read_object, reading
from centrum.io.frame_of_reference import frame_note
from centrum.io.frame_pixels import (
    PIXEL_KEYWORDS,
    Frames,
    frame_pixels,
    plain_format,
)
from centrum.io.functional_groups import (
    GROUPS,
    FrameGroups,
    Stack,
    frame_groups,
    stack_frames,
)
from centrum.io.gzipped import MOST_VOXELS, damaged
from centrum.io.segments import LabelImage, Segment
from centrum.text import one_line

SOP_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage and Label Map Segmentation Storage."""

ALGORITHM_TYPES = ("MANUAL", "SEMIAUTOMATIC", "AUTOMATIC")
"""How a segment was made. What else a file says of it may be a name, and is not read."""

MOST_LAYERS = 256
"""No voxel is of more segments than this."""

_BITS = {"BINARY": (1, 8), "LABELMAP": (8, 16)}
"""Bits of a pixel by segmentation type; the standard gives BINARY one, some programs a byte."""

_WHOLE_SLIDE = ("TotalPixelMatrixColumns", "TotalPixelMatrixRows")

_KEYWORDS = (
    "FrameOfReferenceUID",
    "NumberOfFrames",
    "SegmentationType",
    "SegmentSequence",
    "PixelPaddingValue",
    *PIXEL_KEYWORDS,
    *_WHOLE_SLIDE,
    *GROUPS,
)


def read(path: Path, image: Geometry | None = None) -> tuple[LabelImage, dict[str, Any]]:
    """The segments of a file on its own grid, and notes for the history.

    The grid has the slices of all frames and those between them; where positions leave open how
    far slices are apart, those of the `image` tell it. A segment without frames has no voxels.

    Raises
    ------
    ImageError
        The file is damaged or contradicts itself, its frames cannot be placed (see
        `functional_groups.stack_frames`), a segment has two frames at one place
        ("repeated-position"); it is FRACTIONAL ("fractional-segmentation"), of a slide
        ("whole-slide"), or shows a segment that it does not describe ("undescribed-segment").
    GeometryError
        The axes are not orthonormal.
    """
    with reading(path):
        return _read(read_object(path, _KEYWORDS), image)


def _read(found: DicomObject, image: Geometry | None) -> tuple[LabelImage, dict[str, Any]]:
    path, kind = found.path, _kind(found)
    names = _names(found, 1 if kind == "BINARY" else 0)
    groups = frame_groups(found.header, path)
    pixels = plain_format(found, _BITS[kind])
    stack = stack_frames(groups, (pixels.columns, pixels.rows), path, image)
    frames = frame_pixels(found, len(groups), pixels)
    if kind == "BINARY":
        labels = _of_flags(path, names, _numbers(path, groups), frames, stack)
    else:
        labels = _of_labels(path, names, _background(found, pixels.bits), frames, stack)
    return replace(labels, doubt=stack.doubt), _notes(found, kind, stack)


def _notes(found: DicomObject, kind: str, stack: Stack) -> dict[str, Any]:
    described = items(found.header, "SegmentSequence")
    made = {entry(item, "SegmentAlgorithmType") for item in described}
    return {
        "format": "DICOM SEG",
        "segmentation_type": kind,
        "algorithm_types": [each for each in ALGORITHM_TYPES if each in made],
        "slice_step_from": stack.step_from,
        "sha256": found.sha256,
        **frame_note([entry(found.header, "FrameOfReferenceUID")]),
    }


# Header


def _kind(found: DicomObject) -> str:
    """The segmentation type, one of those that are read."""
    if any(entry(found.header, keyword) is not None for keyword in _WHOLE_SLIDE):
        raise ImageError(
            f"{found.path.name} segments a slide of a microscope: its frames are tiles of one "
            "plane.",
            remedy="Give the segmentation of a volume.",
            code="whole-slide",
            file=found.path,
        )
    kind = entry(found.header, "SegmentationType")
    if kind == "FRACTIONAL":
        raise ImageError(
            f"{found.path.name} is a FRACTIONAL segmentation, of probabilities or shares of "
            "voxels: which voxels belong to a segment is a choice that it leaves open.",
            remedy="Export it as BINARY or LABELMAP, from 3D Slicer or another program that lets "
            "you choose the threshold.",
            code="fractional-segmentation",
            file=found.path,
        )
    if kind not in _BITS:
        raise damaged(found.path, "it does not say whether it is BINARY or LABELMAP")
    return str(kind)


def _names(found: DicomObject, lowest: int) -> dict[int, str]:
    """What each segment is called, by its number, in the order of the file."""
    names: dict[int, str] = {}
    for item in items(found.header, "SegmentSequence"):
        number, label = (entry(item, keyword) for keyword in ("SegmentNumber", "SegmentLabel"))
        if type(number) is not int or not lowest <= number < 1 << 16 or number in names:
            raise damaged(found.path, f"it describes a segment with the number {number!r}")
        # Of a label with a backslash pydicom makes several values.
        words = "\\".join(label) if isinstance(label, list) else str(label or "")
        names[number] = one_line(words) or str(number)
    if not names:
        raise damaged(found.path, "it describes no segments")
    return names


def _background(found: DicomObject, bits: int) -> int:
    """The number of what is no segment; it may be described as one."""
    value = entry(found.header, "PixelPaddingValue")
    if value is not None and (type(value) is not int or not 0 <= value < 1 << bits):
        raise damaged(found.path, f"its background has the number {value!r}")
    return value or 0


def _numbers(path: Path, groups: Sequence[FrameGroups]) -> list[int]:
    """The number of the segment that each frame shows."""
    group, keyword = "SegmentIdentificationSequence", "ReferencedSegmentNumber"
    numbers = [frame.entry(group, keyword) for frame in groups]
    unsaid = next((k for k, number in enumerate(numbers, 1) if type(number) is not int), None)
    if unsaid:
        raise ImageError(
            f"{path.name} does not say which segment its frame {unsaid} shows.",
            remedy="Export it again.",
            code="undescribed-segment",
            file=path,
        )
    return numbers


def _check_described(path: Path, shown: Iterable[int], names: Mapping[int, str]) -> None:
    strange = sorted(set(shown) - names.keys())
    if strange:
        raise ImageError(
            f"{path.name} shows the segment {strange[0]}, none of the {len(names)} that it "
            "describes.",
            remedy="Export it again.",
            code="undescribed-segment",
            file=path,
        )


# Voxels


def _of_labels(
    path: Path, names: Mapping[int, str], background: int, frames: Frames, stack: Stack
) -> LabelImage:
    """Of frames of numbers, one for each slice."""
    _check_once(path, stack.slices, "the segmentation")
    layer = _new_layer(path, 0, stack.geometry.shape, frames(0).dtype)
    layer.fill(background)
    counts = np.zeros(1 << 16, dtype=int)
    for k, z in enumerate(stack.slices):
        layer[z] = frames(k)
        counts += np.bincount(layer[z].ravel(), minlength=counts.size)
    counts[background] = 0
    names = {number: name for number, name in names.items() if number != background}
    _check_described(path, np.flatnonzero(counts).tolist(), names)
    segments = tuple(Segment(name, n, 0, int(counts[n])) for n, name in names.items())
    return LabelImage(layer[None], stack.geometry, segments)


def _of_flags(
    path: Path, names: Mapping[int, str], numbers: Sequence[int], frames: Frames, stack: Stack
) -> LabelImage:
    """Of frames that show one segment each, which goes into the first layer where it has room."""
    _check_described(path, numbers, names)
    layers = [_new_layer(path, 0, stack.geometry.shape, np.min_scalar_type(max(names)))]
    own, segments = defaultdict(list), []
    for k, number in enumerate(numbers):
        own[number].append(k)
    for number, name in names.items():
        _check_once(path, stack.slices[own[number]], f"'{name}'")
        region = {int(stack.slices[k]): _flags(path, frames(k)) for k in own[number]}
        at = _room(path, layers, region)
        for z, flags in region.items():
            layers[at][z][flags] = number
        voxels = sum(int(np.count_nonzero(flags)) for flags in region.values())
        segments.append(Segment(name, number, at, voxels))
    together = np.stack(layers) if len(layers) > 1 else layers[0][None]
    return LabelImage(together, stack.geometry, tuple(segments))


def _flags(path: Path, pixels: NDArray) -> Flags:
    if pixels.max() > 1:
        raise damaged(path, f"it is BINARY, and a pixel has the value {pixels.max()}")
    return pixels.astype(bool)


def _room(path: Path, layers: list[NDArray], region: Mapping[int, Flags]) -> int:
    """The first layer, maybe a new one, in which the voxels of a region (its slices) are free."""
    for k, layer in enumerate(layers):
        if not any(layer[z][flags].any() for z, flags in region.items()):
            return k
    layers.append(_new_layer(path, len(layers), layers[0].shape, layers[0].dtype))
    return len(layers) - 1


def _new_layer(path: Path, number: int, shape: tuple[int, ...], kind: DTypeLike) -> NDArray:
    voxels = (number + 1) * math.prod(shape)
    if number >= MOST_LAYERS or voxels > MOST_VOXELS:
        raise damaged(
            path,
            f"the grid of its frames has {math.prod(shape)} voxels, and its segments overlap so "
            f"that it needs {number + 1} layers",
        )
    return np.zeros(shape, dtype=kind)


def _check_once(path: Path, slices: Ints, what: str) -> None:
    """Refuses several frames in one slice: time points, or copies."""
    if len(np.unique(slices)) < len(slices):
        raise ImageError(
            f"{path.name}: expected one frame of {what} in each slice, found several at one "
            "position.",
            remedy="Export a segmentation for each time point.",
            code="repeated-position",
            file=path,
        )
