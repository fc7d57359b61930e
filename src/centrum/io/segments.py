"""Label images: which segments a file holds, and the voxels of one of them.

A plain NIfTI or NRRD label image has a segment per label value, named by its number, or as a table
in the header of a NIfTI file (`centrum.io.label_table`) or a file of ITK-SNAP beside it says
(`centrum.io.label_descriptions`). A `.seg.nrrd` of 3D Slicer says in header keys what each segment
is called, which label value it has and in which layer it lies; segments that overlap lie in
different layers, stored as the components of each voxel.

Source of the keys: 3D Slicer developer guide, "Segmentation labelmap file format
(.seg.nrrd)".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags
from centrum.errors import ImageError
from centrum.geometry import Geometry
from centrum.io.itk import DecodedImage
from centrum.text import one_line
from centrum.volume import Mask

_KEY = re.compile(r"Segment([0-9]{1,6})_(ID|Name|LabelValue|Layer|Tags)")
_WHOLE = re.compile(r"\s*([0-9]{1,18})\s*")

PROPOSAL_TAG = "Centrum.Proposal"
"""Tag of a segment that centrum proposes. 3D Slicer keeps the tags of segments that it edits."""

PROPOSED = "proposal:"
"""What the tag begins with; the scheme of the label map follows."""

_PROPOSAL = re.compile(rf"(?:^|\|){re.escape(PROPOSAL_TAG)}:({PROPOSED}[a-z0-9-]{{1,40}})(?:\||$)")

MOST_LABELS = 1 << 16
"""An image with more different values is none of labels."""
_REPRESENTATION_KEYS = (
    "Segmentation_SourceRepresentation",
    "Segmentation_MasterRepresentation",
)


@dataclass(frozen=True)
class Segment:
    """One region that a file holds.

    Attributes
    ----------
    name : the segment's name, or its label value as text where the file gives it none
    label : its value in the layer
    layer : the layer it lies in, 0 unless the file holds overlapping segments
    voxels : how many voxels it has in the file, None where it is `drawn`
    proposal : "proposal:SCHEME" where centrum cut it out of a label map, "" where the file does not
        say so
    """

    name: str
    label: int
    layer: int
    voxels: int | None
    proposal: str = field(default="", kw_only=True, repr=False)

    @property
    def drawn(self) -> bool:
        """Whether the file holds its contours, which have voxels on the grid of an image alone."""
        return False

    def describe(self) -> str:
        """The segment in one line, to print in messages."""
        return f"'{self.name}' (label {self.label}, layer {self.layer}, {self.voxels} voxels)"


class Segmentation(Protocol):
    """Segments on one grid, whether their file holds voxels or contours; as `LabelImage` has it."""

    @property
    def geometry(self) -> Geometry: ...

    @property
    def segments(self) -> tuple[Segment, ...]: ...

    @property
    def oriented(self) -> bool: ...

    @property
    def without_voxels(self) -> bool: ...

    @property
    def table(self) -> Mapping[int, str]: ...

    @property
    def doubt(self) -> str: ...

    def mask(self, segment: Segment) -> Mask: ...


@dataclass(frozen=True, eq=False)
class LabelImage:
    """Layers of labels on one grid, and the segments in them.

    Attributes
    ----------
    layers : integers, indexed [layer, z, y, x]
    geometry : the grid of every layer
    segments : what the labels mean
    oriented : whether the file says how its axes lie in the patient
    without_voxels : whether the file is 3D Slicer's stand-in for an empty segmentation, one
        voxel whose geometry says nothing
    table : names of labels that the file's header gives, also of labels without voxels
    doubt : why slices may be missing in its grid, "" where nothing says so
    """

    layers: NDArray
    geometry: Geometry
    segments: tuple[Segment, ...]
    oriented: bool = True
    without_voxels: bool = False
    table: Mapping[int, str] = field(default_factory=dict)
    doubt: str = ""

    def region(self, segment: Segment) -> Flags:
        """The voxels of a segment, indexed [z, y, x]."""
        return np.asarray(self.layers[segment.layer] == segment.label)

    def mask(self, segment: Segment) -> Mask:
        """A segment as a mask on the grid of every layer."""
        return Mask(self.region(segment), self.geometry, segment.name)


def label_image(
    decoded: DecodedImage, path: Path, described: Mapping[int, str] | None = None
) -> LabelImage:
    """The label image that a file holds; refuses colours, fractions and negative labels.

    `described` are names of labels that stand in a file beside it; its own table goes before them.
    """
    _check_representation(decoded.header, path)
    layers = _layers(decoded, path)
    named = _named_segments(decoded.header, layers, path)
    return LabelImage(
        layers,
        decoded.geometry,
        named + _unnamed_segments(layers, named, decoded.table or described or {}, path),
        oriented=decoded.oriented,
        without_voxels=bool(named) and layers[0].size == 1,
        table=decoded.table,
    )


def select(segments: tuple[Segment, ...], part: str | None, path: Path) -> Segment:
    """The segment called `part`, else the one with that label value, else the only one."""
    if not segments:
        raise ImageError(
            f"{path.name}: the mask is empty, every voxel is background.",
            remedy="Draw the region, or leave the cell of this reader in the manifest blank.",
            code="empty-mask",
            file=path,
        )
    if part is None:
        candidates = segments
        wanted = "expected exactly one segment, as none is chosen"
    else:
        candidates = tuple(s for s in segments if s.name == part)
        if not candidates and part.isdecimal():
            candidates = tuple(s for s in segments if s.label == int(part))
        wanted = f"expected exactly one segment with the name or label '{part}'"
    if len(candidates) == 1:
        return candidates[0]
    listed = "\n  ".join(s.describe() for s in segments)
    raise ImageError(
        f"{path.name}: {wanted}, found {len(candidates)}. The segments in the file:\n  {listed}\n",
        remedy="Choose one as FILE#NAME, or by its number as FILE#NUMBER.",
        code="choose-segment",
        file=path,
    )


def _check_representation(header: Mapping[str, str], path: Path) -> None:
    for key in _REPRESENTATION_KEYS:
        if "fractional" in header.get(key, "").lower():
            raise ImageError(
                f"{path.name} holds a '{header[key]}': expected a binary labelmap.",
                remedy="Convert it in 3D Slicer (Segmentations module, Representations) and save "
                "it again.",
                code="not-a-label-image",
                file=path,
            )


def _layers(decoded: DecodedImage, path: Path) -> NDArray:
    """Integers [layer, z, y, x]; layers are voxel components or a fourth, slowest axis."""
    array = decoded.array
    if decoded.components > 1:
        array = np.moveaxis(array, -1, 0)
    if array.ndim not in (3, 4):
        raise ImageError(
            f"{path.name} has {array.ndim} axes: expected labels in 3-D, or layers.",
            remedy="Export the segmentation of one volume.",
            code="not-a-label-image",
            file=path,
        )
    layers = array.reshape(-1, *array.shape[-3:])
    if not _are_labels(layers):
        raise ImageError(
            f"{path.name} holds values that are no labels ({layers.dtype}, "
            f"{layers.min()} to {layers.max()}): expected whole numbers from 0.",
            remedy="Is this an image or a probability map? Give the segmentation.",
            code="not-a-label-image",
            file=path,
        )
    return layers if layers.dtype.kind in "iu" else layers.astype(np.int32)


def _are_labels(layers: NDArray) -> bool:
    """Whether all numbers are whole and not negative, and fit the integers they become."""
    if layers.dtype.kind == "u":
        return True
    if layers.dtype.kind == "i":
        return bool(layers.min() >= 0)
    if layers.dtype.kind == "c":
        return False
    with np.errstate(invalid="ignore"):
        integers = layers.astype(np.int32)
    return bool(np.array_equal(integers, layers) and integers.min() >= 0)


def _named_segments(header: Mapping[str, str], layers: NDArray, path: Path) -> tuple[Segment, ...]:
    """Segments that 3D Slicer describes in header keys, in its order.

    Before version 4.11 it wrote one layer per segment, label 1, and no such keys.
    """
    described: dict[int, dict[str, str]] = {}
    for key, value in header.items():
        if match := _KEY.fullmatch(key):
            described.setdefault(int(match[1]), {})[match[2]] = value
    segments = []
    for number, keys in sorted(described.items()):
        name = one_line(keys.get("Name", keys.get("ID", f"Segment{number}")))
        label = _whole(keys, "LabelValue", 1, name, path)
        layer = _whole(keys, "Layer", number if len(layers) > 1 else 0, name, path)
        if label == 0:
            raise _damaged(path, f"gives segment '{name}' the label 0, which is the background's")
        if layer >= len(layers):
            raise _damaged(
                path,
                f"announces segment '{name}' in layer {layer}, but holds {len(layers)} layers",
            )
        voxels = int(np.count_nonzero(layers[layer] == label))
        tag = _PROPOSAL.search(keys.get("Tags", ""))
        proposal = tag[1] if tag else ""
        segments.append(Segment(name, label, layer, voxels, proposal=proposal))
    return tuple(segments)


def _whole(keys: Mapping[str, str], key: str, default: int, name: str, path: Path) -> int:
    """The whole number, from 0, that a key of a segment holds."""
    match = _WHOLE.fullmatch(keys.get(key, str(default)))
    if match is None:
        raise _damaged(path, f"gives segment '{name}' the {key} {keys[key]!r}: expected a number")
    return int(match[1])


def _damaged(path: Path, why: str) -> ImageError:
    return ImageError(
        f"{path.name} {why}.",
        remedy="Save the segmentation again in 3D Slicer.",
        code="damaged-file",
        file=path,
    )


def _unnamed_segments(
    layers: NDArray, named: tuple[Segment, ...], table: Mapping[int, str], path: Path
) -> tuple[Segment, ...]:
    """A segment for every label value that occurs and that no header key describes.

    It is called as the table says, else by its number.
    """
    known = {(s.layer, s.label) for s in named}
    found = []
    for layer, array in enumerate(layers):
        labels, counts = np.unique(array[array != 0], return_counts=True)
        if len(labels) > MOST_LABELS:
            raise ImageError(
                f"{path.name} holds {len(labels)} different values: is it an image?",
                remedy="Give the segmentation.",
                code="not-a-label-image",
                file=path,
            )
        found += [
            Segment(table.get(int(label), str(label)), int(label), layer, int(count))
            for label, count in zip(labels, counts, strict=True)
            if (layer, int(label)) not in known
        ]
    return tuple(found)
