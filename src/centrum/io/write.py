"""Images and masks as files: NRRD, .seg.nrrd as 3D Slicer has it, NIfTI.

SimpleITK writes them. Every file holds the whole grid of its image unless it is told to be cropped,
so that other programs lay it on the image without a question.

Source: 3D Slicer developer guide, "Segmentation labelmap file format (.seg.nrrd)".
"""

import colorsys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.arrays import Flags
from centrum.errors import DataError, GeometryError
from centrum.geometry import Geometry
from centrum.text import one_line
from centrum.volume import Mask, Volume, bounding_box

COMPRESSION_LEVEL = 1
"""gzip, fastest: noise does not shrink much more at higher levels."""

BONE = (0.945098, 0.839216, 0.568627)
"""3D Slicer's colour of bone."""

GOLDEN = 0.618034
"""Share of the colour circle between the hues of segments: any few of them are far apart."""

MASK_ENDINGS = {".seg.nrrd": "NrrdImageIO", ".nii.gz": "NiftiImageIO", ".nii": "NiftiImageIO"}
"""What masks are written as by the ending of a name, and SimpleITK's writer of it."""


NIFTI_ENDINGS = (".nii.gz", ".nii")


def write_image(image: Volume, path: Path, keys: Mapping[str, str] = {}) -> Path:
    """Write an image as NRRD, `keys` in its header; as NIfTI where the name ends so.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    nifti = path.name.lower().endswith(NIFTI_ENDINGS)
    writer = "NiftiImageIO" if nifti else "NrrdImageIO"
    return _write(_on_grid(image.array, image.geometry), path, writer, keys)


def write_masks(
    masks: Sequence[Mask], path: Path, *, cropped: bool = False, keys: Mapping[str, str] = {}
) -> Path:
    """Write masks of one grid as the segments of a file: .seg.nrrd, .nii.gz or .nii.

    The k-th mask has the label k, from 1. A .seg.nrrd has the names too, and masks that overlap in
    layers of their own.

    Parameters
    ----------
    masks : at least one; those without voxels are segments without voxels
    cropped : leave out what lies around all of them, as 3D Slicer does when told to
    keys : further key/value pairs of the header of a .seg.nrrd

    Raises
    ------
    GeometryError
        The masks are on different grids.
    DataError
        The name ends otherwise, masks overlap in NIfTI ("overlapping-masks"), or the file cannot
        be written.
    """
    ending = next((end for end in MASK_ENDINGS if path.name.lower().endswith(end)), "")
    if not ending:
        raise DataError(f"Masks are written as {', '.join(MASK_ENDINGS)}, found {path.name!r}.")
    grid = common_grid(masks)
    start, grid = _box(masks, grid) if cropped else ((0, 0, 0), grid)
    regions = [_part(mask.array, start, grid.shape) for mask in masks]
    places = layers_of(regions)
    if ending == ".seg.nrrd":
        keys = {**_segment_keys(masks, regions, places, start), **keys}
    elif max(places) > 0:
        raise overlapping(masks, places, "a NIfTI file", "Write them as .seg.nrrd")
    return _write(_on_grid(_labels(regions, places), grid), path, MASK_ENDINGS[ending], keys)


def common_grid(masks: Sequence[Mask]) -> Geometry:
    """The grid of all masks.

    Raises
    ------
    GeometryError
        They are on different grids.
    """
    first = masks[0]
    for mask in masks[1:]:
        if not mask.geometry.same_grid(first.geometry):
            raise GeometryError(
                f"Masks of one file lie on one grid: that of '{one_line(mask.name)}' is not that "
                f"of '{one_line(first.name)}'.",
                remedy="Read both on the grid of their image.",
                code="different-grids",
            )
    return first.geometry


def layers_of(regions: Sequence[Flags]) -> list[int]:
    """The layer of each region: the first one in which no other region has a voxel of it.

    >>> one, two = np.array([True, False]), np.array([True, True])
    >>> layers_of([one, two, ~one])
    [0, 1, 0]
    """
    taken: list[Flags] = []
    places = []
    for region in regions:
        free = (k for k, layer in enumerate(taken) if not np.any(layer & region))
        k = next(free, len(taken))
        if k == len(taken):
            taken.append(np.zeros_like(region))
        taken[k] |= region
        places.append(k)
    return places


def overlapping(masks: Sequence[Mask], places: Sequence[int], what: str, remedy: str) -> DataError:
    """The error of masks that share voxels, by their layers, where one voxel has one label."""
    name = one_line(next(mask.name for mask, k in zip(masks, places, strict=True) if k))
    return DataError(
        f"'{name}' shares voxels with a segment before it, and {what} has one label for each "
        "voxel.",
        remedy=f"{remedy}, or each in a file of its own.",
        code="overlapping-masks",
    )


def _box(masks: Sequence[Mask], grid: Geometry) -> tuple[tuple[int, int, int], Geometry]:
    """Where the box of all voxels starts (z, y, x), and its grid; the whole without voxels."""
    together = np.any([mask.array for mask in masks], axis=0)
    if not together.any():
        return (0, 0, 0), grid
    z, y, x = bounding_box(together)
    size = (x.stop - x.start, y.stop - y.start, z.stop - z.start)
    return (z.start, y.start, x.start), grid.crop((x.start, y.start, z.start), size)


def _part(array: NDArray, start: Sequence[int], shape: Sequence[int]) -> NDArray:
    return array[tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))]


def _labels(regions: Sequence[Flags], places: Sequence[int]) -> NDArray:
    """Labels [z, y, x], or [z, y, x, layer] of several layers."""
    kind = np.min_scalar_type(len(regions))
    layers = np.zeros((max(places) + 1, *regions[0].shape), dtype=kind)
    for label, (region, k) in enumerate(zip(regions, places, strict=True), start=1):
        layers[k][region] = label
    return layers[0] if len(layers) == 1 else np.moveaxis(layers, 0, -1)


def _segment_keys(
    masks: Sequence[Mask], regions: Sequence[Flags], places: Sequence[int], start: Sequence[int]
) -> dict[str, str]:
    keys = {
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset": " ".join(str(k) for k in reversed(start)),
    }
    for k, (mask, region, layer) in enumerate(zip(masks, regions, places, strict=True)):
        described = {
            "Color": " ".join(f"{c:.6f}" for c in _colour(k)),
            "ColorAutoGenerated": "0",
            "Extent": _extent(region),
            "ID": f"Segment_{k + 1}",
            "LabelValue": str(k + 1),
            "Layer": str(layer),
            "Name": one_line(mask.name),
            "NameAutoGenerated": "0",
        }
        keys |= {f"Segment{k}_{key}": value for key, value in described.items()}
    return keys


def _colour(k: int) -> tuple[float, float, float]:
    """Of the k-th segment, red, green and blue from 0 to 1."""
    hue, saturation, value = colorsys.rgb_to_hsv(*BONE)
    return colorsys.hsv_to_rgb((hue + k * GOLDEN) % 1, saturation, value)


def _extent(region: Flags) -> str:
    """First and last index along x, y and z; those of 3D Slicer for no voxels."""
    if not region.any():
        return "0 -1 0 -1 0 -1"
    return " ".join(f"{s.start} {s.stop - 1}" for s in reversed(bounding_box(region)))


def _on_grid(array: NDArray, geometry: Geometry) -> sitk.Image:
    image = sitk.GetImageFromArray(array, isVector=array.ndim == 4)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    return image


def _write(image: sitk.Image, path: Path, writer_of: str, keys: Mapping[str, str]) -> Path:
    for key, value in keys.items():
        image.SetMetaData(key, value)
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(path))
    writer.SetImageIO(writer_of)
    writer.UseCompressionOn()
    writer.SetCompressionLevel(COMPRESSION_LEVEL)
    try:
        writer.Execute(image)
    except RuntimeError as error:  # of which the library tells no more
        raise DataError(
            f"{path.name} could not be written.",
            remedy="Look whether the disk is full, and whether you may write to the folder.",
            code="not-written",
            file=path,
        ) from error
    return path
