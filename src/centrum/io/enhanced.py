"""Enhanced MR and CT images, those converted from classic ones too: all slices in one file.

Such a file may hold several stacks, echoes, time points or b-values beside each other. Where two
frames lie at one place, what tells them apart must be chosen; nothing is taken because it comes
first. Neither the order of frames nor their dimension indices say where they lie: positions do.

Sources: DICOM PS3.3, A.36 and C.8.13 (Enhanced MR), A.38 and C.8.15 (Enhanced CT), A.70 and A.71
(Legacy Converted), C.7.6.16 (Multi-frame Functional Groups).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from centrum.errors import CentrumError, ImageError
from centrum.io.codestream import PixelFormat
from centrum.io.dicom_facts import ACQUISITION_FACTS, acquisition_note
from centrum.io.dicom_object import DicomObject, entry, read_object, reading
from centrum.io.facts import NUMBERS
from centrum.io.frame_of_reference import SERIES, frame_note
from centrum.io.frame_pixels import (
    PIXEL_BITS,
    PIXEL_KEYWORDS,
    RESCALE,
    check_rescale,
    frame_pixels,
    pixel_format,
    rescaled,
)
from centrum.io.functional_groups import GROUPS, PLANE_GROUPS, FrameGroups, frame_groups
from centrum.io.gzipped import check_announced
from centrum.io.lossy import LOSSY_KEYWORDS, lossy_note
from centrum.io.slices import (
    IMAGE_PLANE,
    SLICE_TOLERANCE_MM,
    ImageSlice,
    check_grey,
    check_one_stack,
    check_placed,
    stack_geometry,
)
from centrum.io.weighting import DESCRIPTIONS
from centrum.provenance import Step, digest, file_digest
from centrum.text import one_line
from centrum.volume import Volume

SOP_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.4.4",
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.2.2",
)
"""Enhanced and Legacy Converted Enhanced MR Image Storage, and the same of CT."""

TELLING_APART = (
    "StackID",
    "ImageType",
    "ComplexImageComponent",
    "EchoTime",
    "EchoNumbers",
    "InversionTime",
    "RepetitionTime",
    "FlipAngle",
    "DiffusionBValue",
    "DiffusionDirectionality",
    "DiffusionGradientOrientation",
    "TemporalPositionIndex",
    "TemporalPositionTimeOffset",
    "TemporalPositionIdentifier",
    "NominalCardiacTriggerDelayTime",
    "TriggerTime",
    "AcquisitionNumber",
    "ConvolutionKernel",
    "KVP",
)
"""Entries by which frames are chosen, as classic images call them; those asked for first lead."""

_TIMING = "MRTimingAndRelatedParametersSequence"
_PLACES: Mapping[str, tuple[tuple[str, str], ...]] = {
    **{keyword: ((group, keyword),) for keyword, group in PLANE_GROUPS.items()},
    "SliceThickness": (("PixelMeasuresSequence", "SliceThickness"),),
    "SpacingBetweenSlices": (("PixelMeasuresSequence", "SpacingBetweenSlices"),),
    **{keyword: (("PixelValueTransformationSequence", keyword),) for keyword in RESCALE},
    "StackID": (("FrameContentSequence", "StackID"),),
    "TemporalPositionIndex": (("FrameContentSequence", "TemporalPositionIndex"),),
    "AcquisitionNumber": (("FrameContentSequence", "FrameAcquisitionNumber"),),
    "ImageType": (
        ("MRImageFrameTypeSequence", "FrameType"),
        ("CTImageFrameTypeSequence", "FrameType"),
    ),
    "ComplexImageComponent": (("MRImageFrameTypeSequence", "ComplexImageComponent"),),
    "EchoTime": (("MREchoSequence", "EffectiveEchoTime"),),
    "InversionTime": (("MRModifierSequence", "InversionTimes"),),
    "RepetitionTime": ((_TIMING, "RepetitionTime"),),
    "EchoTrainLength": ((_TIMING, "EchoTrainLength"),),
    "FlipAngle": ((_TIMING, "FlipAngle"),),
    "PixelBandwidth": (("MRImagingModifierSequence", "PixelBandwidth"),),
    "DiffusionBValue": (("MRDiffusionSequence", "DiffusionBValue"),),
    "DiffusionDirectionality": (("MRDiffusionSequence", "DiffusionDirectionality"),),
    "TemporalPositionTimeOffset": (("TemporalPositionSequence", "TemporalPositionTimeOffset"),),
    "NominalCardiacTriggerDelayTime": (
        ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ),
    "ConvolutionKernel": (("CTReconstructionSequence", "ConvolutionKernel"),),
    "KVP": (("CTXRayDetailsSequence", "KVP"),),
}
"""The functional groups, and the entry in them, that have what classic images call so."""

_CONVERTED = (
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)
"""Where a conversion puts what no functional group has a place for."""

_SEQUENCES = {"SPIN": ["SE"], "GRADIENT": ["GR"], "BOTH": ["SE", "GR"]}
"""The scanning sequence of classic images, by what enhanced ones call the echo pulse sequence."""

_PULSES = {"InversionRecovery": "IR", "EchoPlanarPulseSequence": "EP"}

_PHOTOMETRIC, _DIRECTION = "PhotometricInterpretation", "DiffusionGradientOrientation"

_OF_FRAMES = dict.fromkeys(
    (*IMAGE_PLANE, *RESCALE, *TELLING_APART, *ACQUISITION_FACTS.values(), *DESCRIPTIONS)
)
_OF_ALL = (
    "EchoPulseSequence",
    "FrameOfReferenceUID",
    "NumberOfFrames",
    _PHOTOMETRIC,
    "SeriesInstanceUID",
    *_PULSES,
    *LOSSY_KEYWORDS,
    *PIXEL_KEYWORDS,
    *GROUPS,
)

_NUMBERS = {ACQUISITION_FACTS[fact] for fact in ACQUISITION_FACTS if fact in NUMBERS}

_SHOWN = 12
"""Values of an entry that a message lists."""


@dataclass(frozen=True, eq=False)
class ImageFrame(ImageSlice):
    """A frame: its number from 0 in the file, and its entries by the keywords of classic images."""

    apart = (
        "Choose the frames of one as FILE#StackID=... if they have names, or export each as a "
        "series of its own."
    )

    path: Path
    number: int
    entries: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"frame {self.number + 1} of {self.path.name}"

    def value(self, keyword: str) -> Any:
        return self.entries.get(keyword)


def read(path: Path, choice: str | None = None, ignored: int = 0) -> Volume:
    """The volume of one file, or of its frames that are chosen; see `centrum.io.read_image`.

    Parameters
    ----------
    choice : entries of `TELLING_APART` with their values, as NAME=VALUE,NAME=VALUE
    ignored : how many files beside it were passed over, for the history

    Raises
    ------
    ImageError
        The file is damaged or contradicts itself; frames at one place differ, and nothing is
        chosen, or something that is not there ("choose-frames"); frames without a place, uneven,
        missing, repeated, of several orientations or sizes; pixels in colour.
    GeometryError
        The axes are not orthonormal.
    """
    try:
        with reading(path):
            return _read(path, choice, ignored)
    except CentrumError as error:
        error.file = error.file or path.name
        raise


def content_digest(path: Path, choice: str | None = None) -> str:
    """SHA-256 of a file; of a choice of its frames another one."""
    return _of_choice(file_digest(path), choice)


def _of_choice(whole: str, choice: str | None) -> str:
    return digest([whole, choice]) if choice else whole


def _read(path: Path, choice: str | None, ignored: int) -> Volume:
    found = read_object(path, (*_OF_FRAMES, *_OF_ALL))
    pixels = pixel_format(found, PIXEL_BITS)
    groups = frame_groups(found.header, path)
    of_all = _of_all(found, pixels)
    frames = [ImageFrame(path, k, of_all | _own(each)) for k, each in enumerate(groups)]
    chosen = _one_stack(path, _chosen(path, frames, choice))
    geometry, notes = stack_geometry(chosen)
    voxels = len(chosen) * pixels.columns * pixels.rows
    check_announced(path, voxels, len(found.pixels), 1)
    stored = frame_pixels(found, len(frames), pixels)
    array = np.stack([rescaled(stored(f.number), *map(f.value, RESCALE)) for f in chosen])
    parameters = {"format": "DICOM", "sha256": _of_choice(found.sha256, choice), **notes}
    parameters |= frame_note([entry(found.header, "FrameOfReferenceUID")])
    parameters |= {SERIES: digest(str(entry(found.header, "SeriesInstanceUID") or ""))}
    parameters |= {"frames": len(chosen), "of_frames": len(frames)}
    parameters |= {"chosen": choice} if choice else {}
    parameters |= lossy_note([(lambda keyword: entry(found.header, keyword), found.syntax)])
    parameters |= {"ignored_files": ignored, **_acquisition(path, chosen)}
    return Volume(array, geometry, (Step("read", parameters),))


# Entries


def _of_all(found: DicomObject, pixels: PixelFormat) -> dict[str, Any]:
    """What the header says of all frames at once, as classic images have it."""
    known = {keyword: entry(found.header, keyword) for keyword in (*_OF_FRAMES, _PHOTOMETRIC)}
    known["ScanningSequence"] = known["ScanningSequence"] or _scanning_sequence(found)
    return known | {"Columns": pixels.columns, "Rows": pixels.rows}


def _own(groups: FrameGroups) -> dict[str, Any]:
    """What the functional groups say of a frame."""
    known = {keyword: _entry(groups, keyword) for keyword in _OF_FRAMES}
    directions = groups.items("MRDiffusionSequence", "DiffusionGradientDirectionSequence")
    if directions:
        known[_DIRECTION] = entry(directions[0], _DIRECTION)
    return {keyword: value for keyword, value in known.items() if value is not None}


def _entry(groups: FrameGroups, keyword: str) -> Any:
    places = (*_PLACES.get(keyword, ()), *((group, keyword) for group in _CONVERTED))
    values = (groups.entry(group, name) for group, name in places)
    return next((value for value in values if value is not None), None)


def _scanning_sequence(found: DicomObject) -> list[str] | str | None:
    """As classic images have it, one word or several."""
    words = list(_SEQUENCES.get(str(entry(found.header, "EchoPulseSequence")), []))
    words += [word for key, word in _PULSES.items() if entry(found.header, key) == "YES"]
    return words[0] if len(words) == 1 else words or None


def _acquisition(path: Path, frames: Sequence[ImageFrame]) -> dict[str, Any]:
    """Facts of all frames; where numbers differ, all of them, of which a note is made."""

    def value(keyword: str) -> Any:
        found = [v for v in (frame.value(keyword) for frame in frames) if v is not None]
        if all(each == found[0] for each in found):
            return found[0] if found else None
        return found if keyword in _NUMBERS else None

    return acquisition_note(value, path.name)


# Which frames


def _one_stack(path: Path, frames: list[ImageFrame]) -> list[ImageFrame]:
    """The frames in order of position, when nothing is left to choose."""
    for frame in frames:
        check_placed(frame)
        check_grey(frame)
        check_rescale(path, *map(frame.value, RESCALE))
    stacks = {_spelled(frame.value("StackID")) for frame in frames}
    if len(stacks) > 1:
        raise _choose(path, frames, ["StackID"], "several stacks")
    check_one_stack(frames)
    ordered = sorted(frames, key=lambda frame: frame.along_normal)
    same = [
        (a, b)
        for a, b in pairwise(ordered)
        if b.along_normal - a.along_normal <= SLICE_TOLERANCE_MM
    ]
    differing = [k for k in TELLING_APART if any(a.value(k) != b.value(k) for a, b in same)]
    if differing:
        raise _choose(path, frames, differing, "several at one position")
    return ordered


def _chosen(path: Path, frames: list[ImageFrame], choice: str | None) -> list[ImageFrame]:
    """The frames that have the chosen values."""
    for name, text in _wanted(path, frames, choice):
        left = [frame for frame in frames if _is(frame.value(name), text)]
        if not left:
            raise _choose(path, frames, [name], f"none with {name} {one_line(text)}")
        frames = left
    return frames


def _wanted(path: Path, frames: list[ImageFrame], choice: str | None) -> list[tuple[str, str]]:
    """Names and values of a choice; a value may have a comma."""
    parts = re.split(r",(?=\w+=)", choice) if choice else []
    wanted = [(name.strip(), text.strip()) for name, _, text in (p.partition("=") for p in parts)]
    names = {known.casefold(): known for known in TELLING_APART}
    unknown = next((name for name, _ in wanted if name.casefold() not in names), None)
    if unknown is not None:
        raise _choose(path, frames, _varying(frames), f"nothing to choose by {one_line(unknown)!r}")
    return [(names[name.casefold()], text) for name, text in wanted]


def _varying(frames: Sequence[ImageFrame]) -> list[str]:
    return [k for k in TELLING_APART if any(f.value(k) != frames[0].value(k) for f in frames)]


def _is(value: Any, text: str) -> bool:
    return _spelled(value) == _spelled(_number(text) if isinstance(value, (int, float)) else text)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _spelled(value: Any) -> str:
    """A value as it is written behind "#".

    >>> _spelled(80.0), _spelled(["ORIGINAL", "PRIMARY"]), _spelled(None)
    ('80', 'ORIGINAL\\\\PRIMARY', '')
    """
    if isinstance(value, list):
        return "\\".join(map(_spelled, value))
    if isinstance(value, (int, float)):
        return f"{value:.10g}"
    return one_line(str(value or ""))


def _choose(
    path: Path, frames: Sequence[ImageFrame], names: Sequence[str], found: str
) -> ImageError:
    listed = "\n  ".join(f"{name}: {_values(frames, name)}" for name in names)
    known = [name for name in names if any(_spelled(f.value(name)) for f in frames)]
    example = f"{known[0]}={_first(frames, known[0])}" if known else "NAME=VALUE"
    return ImageError(
        f"{path.name} holds {len(frames)} frames, {found}:\n  {listed}\n",
        remedy=f"Choose one as FILE#{example}; of several entries as FILE#NAME=VALUE,NAME=VALUE.",
        code="choose-frames",
        file=path,
    )


def _first(frames: Sequence[ImageFrame], name: str) -> str:
    return next(filter(None, (_spelled(frame.value(name)) for frame in frames)))


def _values(frames: Sequence[ImageFrame], name: str) -> str:
    counts = Counter(_spelled(frame.value(name)) or "not stated" for frame in frames)
    shown = ", ".join(f"{value} ({n} frames)" for value, n in list(counts.items())[:_SHOWN])
    return shown if len(counts) <= _SHOWN else f"{shown} and {len(counts) - _SHOWN} more"
