"""What is wrong, or odd, with an image and a mask that could both be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from centrum.arrays import Flags
from centrum.errors import GeometryError
from centrum.geometry import orientation_of, plane_of, slice_axis, stack_plane
from centrum.io.contours import EMPTY_SLICES
from centrum.io.frame_of_reference import frame_made_up
from centrum.volume import Mask, Volume, bounding_box, filled

MIN_VOXELS = 8
"""Fewer voxels than this have no shape and no texture: an error."""

SMALL_VOXELS = 200
"""Fewer voxels than this are a warning; a vertebral body has thousands."""

MIN_SLICES = 3
"""A region on fewer slices than this is a warning; a vertebral body is seen on 8 to 11."""

_LISTED_PIECES = 5

NOTES = "acquisition_notes"
"""What the reading step says of facts that it left out: pairs of a file's name and a sentence."""

UNREAD_FILES = "unread_files"
"""What the reading step says of a series that was chosen in a folder with files that are broken."""

ORIENTATION_STATED = "orientation_stated"
"""What the reading step says of a file whose orientation the protocol states."""


LOSSY = "lossy_compression"
"""What the reading step says of an image that lost something in compression: by what."""


Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class ImageFinding:
    """One thing that was found.

    Attributes
    ----------
    severity : "error" (no feature can be trusted), "warning" (look at it) or "note"
    code : short name of the kind of finding, such as "empty-mask"
    message : what was found, and what to do
    file : name of the file that it is about, "" where it is about none
    remedy : what to do, which also ends the message
    """

    severity: Severity
    code: str
    message: str
    file: str = ""
    remedy: str = ""


def inspect_case(image: Volume, mask: Mask) -> tuple[ImageFinding, ...]:
    """Everything that is found wrong with a mask on its image, errors first.

    Codes: errors "empty-mask", "tiny-mask", "non-finite-roi", "constant-roi"; warnings
    "small-mask", "few-slices", "skipped-slices", "touches-border", "several-pieces", "holes",
    "frame-of-reference-made-up", "non-finite-image"; note "stated-orientation".

    Raises
    ------
    GeometryError
        The mask is not on the grid of the image.

    >>> from centrum.geometry import Geometry
    >>> grid = Geometry((9, 9, 9), (1, 1, 1))
    >>> nothing = Mask(np.zeros(grid.shape, bool), grid)
    >>> inspect_case(Volume(np.ones(grid.shape), grid), nothing)[0].code
    'empty-mask'
    """
    if not image.geometry.same_grid(mask.geometry):
        raise GeometryError(
            f"Mask '{mask.name}' is not on the grid of its image.",
            remedy="Read it with read_mask.",
            code="other-grid",
        )
    found = [*_image_findings(image, mask), *_frame(mask), *_mask_findings(mask), *_stated(mask)]
    return tuple(sorted(found, key=lambda f: ("error", "warning", "note").index(f.severity)))


def inspect_image(image: Volume, plane: str, file: str) -> tuple[ImageFinding, ...]:
    """What is odd about how an image was acquired and read, whatever its mask.

    Codes: warnings "other-plane" (than `plane`, in which features are counted by slice),
    "unread-files", "lossy-compression"; notes "stated-orientation", "unread-fact". `file` is the
    name of the image.

    >>> from centrum.geometry import Geometry
    >>> axial = Volume(np.zeros((3, 8, 8)), Geometry((8, 8, 3), (0.6, 0.6, 4.4)))
    >>> [finding.code for finding in inspect_image(axial, "sagittal", "a.nii")]
    ['other-plane']
    """
    return tuple(_acquisition_findings(image, plane, file))


def _acquisition_findings(image: Volume, plane: str, file: str) -> Iterator[ImageFinding]:
    slices = plane_of(image.geometry)
    if slices not in ("isotropic", plane):
        yield _found(
            "warning",
            "other-plane",
            f"The slices are {slices}, {max(image.geometry.spacing):.3g} mm apart, and the "
            f"protocol counts texture within {plane} slices (extraction.plane): here it would be "
            "counted across the slices.",
            "Set extraction.plane to the plane of the slices if all exams are like this, or take "
            "the right exam.",
            file,
        )
    yield from _unread_files(image, file)
    yield from _lossy(image, file)
    yield from _stated(image, file)
    notes = (note for step in image.history for note in step.parameters.get(NOTES, ()))
    yield from (unread(name, text) for name, text in notes)


def _unread_files(image: Volume, file: str) -> Iterator[ImageFinding]:
    unread = sum(int(step.parameters.get(UNREAD_FILES, 0)) for step in image.history)
    if unread:
        yield _found(
            "warning",
            "unread-files",
            f"{unread} DICOM files of the folder cannot be read: a slice at the end of the series "
            "may be among them.",
            "Export them again, or compare the number of slices with the archive's.",
            file,
        )


def _lossy(image: Volume, file: str) -> Iterator[ImageFinding]:
    by = [each for step in image.history for each in step.parameters.get(LOSSY, ())]
    if by:
        yield _found(
            "warning",
            "lossy-compression",
            f"The image was compressed with loss ({'; '.join(by)}), which takes fine texture away "
            "and may put blocks in its place.",
            "Take the original from the archive where there is one; else say so, and see that "
            "all cases were compressed alike.",
            file,
        )


def _stated(read: Volume | Mask, file: str = "") -> Iterator[ImageFinding]:
    what = "mask" if isinstance(read, Mask) else "image"
    if stated := stated_orientation(read):
        yield _found(
            "note",
            "stated-orientation",
            f"The {what} does not say how its axes lie in the patient: they are taken to run "
            f"towards {stated}, as images.orientation of the protocol states.",
            "Look at a picture of the case.",
            file,
        )


def unread(file: str, text: str) -> ImageFinding:
    """The note that a fact of the acquisition was left out, or read by a rule."""
    remedy = "Correct it there if the fact matters; nothing else depends on it."
    return _found("note", "unread-fact", text, remedy, file)


def _found(severity: Severity, code: str, text: str, remedy: str, file: str = "") -> ImageFinding:
    return ImageFinding(severity, code, f"{text} {remedy}", file, remedy)


def stated_orientation(read: Volume | Mask) -> str:
    """The orientation that was stated for a file which gives none; "" for any other."""
    found = (step.parameters.get(ORIENTATION_STATED, "") for step in read.history)
    return next(filter(None, found), "")


def of_contours(mask: Mask) -> bool:
    """Whether a mask was filled from contours, whose file has no grid of its own."""
    return any(EMPTY_SLICES in step.parameters for step in mask.history)


def _image_findings(image: Volume, mask: Mask) -> Iterator[ImageFinding]:
    values, there = image.array[mask.array], np.isfinite(image.array)
    inside = int(np.count_nonzero(~np.isfinite(values)))
    if inside:
        yield _found(
            "error",
            "non-finite-roi",
            f"{inside} of {mask.n_voxels} voxels in the ROI are NaN or infinite.",
            "Export the image again.",
        )
    elif not there.all():
        yield _found(
            "warning",
            "non-finite-image",
            f"{np.count_nonzero(~there)} voxels of the image, outside the ROI, are NaN or "
            "infinite: they are taken as background, to which the image is as sharp an edge as if "
            "it had been cut out.",
            "Take the whole image where there is one.",
        )
    if values.size and not inside and values.min() == values.max():
        yield _found(
            "error",
            "constant-roi",
            f"All {values.size} voxels in the ROI have the value {values.flat[0]:g}: there is no "
            "texture.",
            "Check that the mask lies on the anatomy of this image.",
        )


def _frame(mask: Mask) -> Iterator[ImageFinding]:
    if frame_made_up(mask):
        yield _found(
            "warning",
            "frame-of-reference-made-up",
            f"Mask '{mask.name}' names the series of its image, but another frame of reference: it "
            "is taken as drawn on that series.",
            "Look at a picture of the case.",
        )


def _mask_findings(mask: Mask) -> Iterator[ImageFinding]:
    if mask.n_voxels == 0:
        yield _found(
            "error",
            "empty-mask",
            f"Mask '{mask.name}' has no voxel.",
            "Draw it, or drop the case.",
        )
        return
    box = bounding_box(mask.array)
    yield from _size_findings(mask, box)
    yield from _left_out(mask)
    yield from _border_findings(mask, box)
    plane = stack_plane(mask.geometry)
    yield from _shape_findings(mask.array[box], slice_axis(mask.geometry, plane))


def _size_findings(mask: Mask, box: tuple[slice, ...]) -> Iterator[ImageFinding]:
    n = mask.n_voxels
    if n < MIN_VOXELS:
        yield _found(
            "error",
            "tiny-mask",
            f"Mask '{mask.name}' has {n} voxels, fewer than {MIN_VOXELS}: it has no "
            "shape and no texture.",
            "Check the segmentation.",
        )
    elif n < SMALL_VOXELS:
        yield _found(
            "warning",
            "small-mask",
            f"Mask '{mask.name}' has {n} voxels, fewer than {SMALL_VOXELS}: texture features "
            "of it are unstable.",
            "Check that the whole body was drawn.",
        )
    plane = stack_plane(mask.geometry)
    axis = slice_axis(mask.geometry, plane)
    in_plane = tuple(k for k in range(3) if k != axis)
    slices = int(np.count_nonzero(mask.array[box].any(axis=in_plane)))
    if slices < MIN_SLICES:
        yield _found(
            "warning",
            "few-slices",
            f"Mask '{mask.name}' is on {slices} {plane} slices, fewer than "
            f"{MIN_SLICES}: 3-D shape and texture mean little.",
            "Draw the body on every slice that shows it.",
        )


def _left_out(mask: Mask) -> Iterator[ImageFinding]:
    """Slices without a contour between others that have one."""
    skipped = sum(int(step.parameters.get(EMPTY_SLICES, 0)) for step in mask.history)
    if skipped:
        yield _found(
            "warning",
            "skipped-slices",
            f"Mask '{mask.name}' has no contour on {skipped} slices between others: they are left "
            "empty.",
            "Draw it on every slice, unless the region ends there on purpose.",
        )


_SIDES = {"R": "right", "L": "left", "A": "front", "P": "back", "I": "bottom", "S": "top"}
_OPPOSITE = dict(zip("RLAPIS", "LRPASI", strict=True))


def _border_findings(mask: Mask, box: tuple[slice, ...]) -> Iterator[ImageFinding]:
    touched = set()
    letters = orientation_of(mask.geometry)[::-1]
    for towards, span, length in zip(letters, box, mask.array.shape, strict=True):
        touched |= {_OPPOSITE[towards]} if span.start == 0 else set()
        touched |= {towards} if span.stop == length else set()
    sides = [name for letter, name in _SIDES.items() if letter in touched]
    if sides:
        yield _found(
            "warning",
            "touches-border",
            f"Mask '{mask.name}' touches the border of the image ({', '.join(sides)}): the "
            "structure may be cut off.",
            "Leave the case out if it is.",
        )


def _shape_findings(region: Flags, axis: int) -> Iterator[ImageFinding]:
    from scipy import ndimage

    pieces, count = ndimage.label(region, structure=np.ones((3, 3, 3)))
    if count > 1:
        sizes = sorted(np.bincount(pieces.flat)[1:].tolist(), reverse=True)
        shown = ", ".join(str(s) for s in sizes[:_LISTED_PIECES])
        more = f" and {count - _LISTED_PIECES} more" if count > _LISTED_PIECES else ""
        yield _found(
            "warning",
            "several-pieces",
            f"The mask is in {count} pieces (26-connected) of {shown}{more} voxels.",
            "Remove stray voxels, or fill the slices that were left out.",
        )
    holes = np.count_nonzero(filled(region, axis) & ~region)
    if holes:
        yield _found(
            "warning",
            "holes",
            f"{holes} voxels are enclosed by the mask within their slice but not part of it.",
            "Fill them unless they were left out on purpose.",
        )
