"""Open images and masks: the format is told from the content, one reader does the rest.

What a URL names is staged first (`centrum.io.scratch`), and read as any file.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from centrum.errors import CentrumError, ImageError
from centrum.geometry import GRID_TOLERANCE_MM, Geometry, direction_of
from centrum.io import dicom, enhanced, metaimage, nifti, nrrd, rtstruct, seg
from centrum.io.checks import ORIENTATION_STATED
from centrum.io.dicom_object import sop_class, uid_name
from centrum.io.frame_of_reference import check_frame
from centrum.io.guard import guarded
from centrum.io.gzipped import GZIP_MAGIC, damage_named, open_stream
from centrum.io.itk import DecodedImage, scalar_array
from centrum.io.label_descriptions import description_of, names_of
from centrum.io.objects import is_url
from centrum.io.paths import check_content, check_name, split_source
from centrum.io.placing import laid_on, place_mask
from centrum.io.scratch import fetched, url_digest
from centrum.io.segments import LabelImage, Segment, Segmentation, label_image, select
from centrum.provenance import Step, digest, file_digest
from centrum.volume import Mask, Volume

_READERS = {"NIfTI": nifti.read, "NRRD": nrrd.read, "MetaImage": metaimage.read}
_DIGESTS = {
    "NIfTI": nifti.content_digest,
    "NRRD": nrrd.content_digest,
    "MetaImage": metaimage.content_digest,
}
_DicomMask = Callable[[Path, Geometry | None], tuple[Segmentation, dict[str, Any]]]

_DICOM_MASKS: dict[str, _DicomMask] = {
    **dict.fromkeys(seg.SOP_CLASSES, seg.read),
    rtstruct.SOP_CLASS: rtstruct.read,
}
"""Readers of DICOM objects that are masks, by the UID of their SOP class; each is told the grid of
the image, where there is one."""

_DICOM_PREFIX = slice(128, 132)

SMALLEST_MM, LARGEST_MM = 0.05, 20.0
"""Between these lie the sides of voxels of patients; beyond, a header holds another unit."""


@guarded
def read_image(
    source: str | Path, *, orientation: str | None = None, beside: Geometry | None = None
) -> Volume:
    """Read an image: a NIfTI, NRRD or MetaImage file, a folder with a DICOM series, or its file.

    Parameters
    ----------
    source : path of a .nii, .nii.gz, .hdr or .img (NIfTI), .nrrd, .nhdr, .mha or .mhd file, or of
        a DICOM folder; choose one series of several as FOLDER#SeriesInstanceUID or by its code.
        A file of an enhanced MR or CT image; choose among its echoes, stacks, time points ... as
        FILE#EchoTime=80, FILE#NAME=VALUE,NAME=VALUE, FOLDER#NAME=VALUE or FOLDER#UID,NAME=VALUE
    orientation : where the array axes run, one of `centrum.geometry.ORIENTATIONS`, in a file that
        does not say it; without it such a file is refused
    beside : grid of another image of the same exam, on which such a file is laid voxel for voxel

    Returns
    -------
    Volume
        Voxels [z, y, x] in the type of the file (integers stay integers; rescale slopes and
        NIfTI scale factors are applied and may make them float64). The grid of a DICOM
        series comes from the slice positions, never from SliceThickness. The history begins
        with a step "read": format, SHA-256, for DICOM also the facts of the acquisition.

    Raises
    ------
    ImageError
        No such file, an unknown format, a damaged or truncated file, 2-D, 4-D or colour; a
        series with missing, repeated, uneven or differently oriented slices; several series
        and none chosen; several frames at one place of which none is chosen ("choose-frames");
        no orientation ("no-orientation"); a spacing that is not that of a
        patient's image ("impossible-spacing").
    GeometryError
        The axes are not orthonormal, or a file without a position differs from the image
        `beside` in size or spacing.
    """
    path, part = _located(source)
    if path.is_dir():
        volume = dicom.read(path, part)
        _check_spacing(path, volume.geometry)
        return volume
    if _is_enhanced(path):
        volume = enhanced.read(path, part)
        _check_spacing(path, volume.geometry)
        return volume
    if part is not None:
        raise ImageError(
            f"{path.name} is one image; '#{part}' chooses a series of a DICOM folder, frames of an "
            "enhanced DICOM file or a segment of a mask.",
            remedy="Leave it out.",
            code="part-of-image",
            file=path,
        )
    decoded, step = _read_file(path)
    array = scalar_array(decoded, path)
    grid, step = _placed_grid(path, decoded, step, orientation, beside)
    return Volume(array, grid, (step,))


@guarded
def read_mask(
    source: str | Path,
    image: Volume | Geometry,
    *,
    tolerance_mm: float = GRID_TOLERANCE_MM,
    on_mismatch: str = "refuse",
    orientation: str | None = None,
) -> Mask:
    """Read one segment of a label image, on the grid of its image.

    Parameters
    ----------
    source : FILE#SEGMENT, where the segment is a name or a label value; FILE alone if it
        holds exactly one segment. NIfTI, NRRD, MetaImage, .seg.nrrd of 3D Slicer, DICOM SEG, or
        DICOM RTSTRUCT, whose contours are filled on the grid of the image
    image : the image that the mask belongs to, or its grid alone, with which nothing tells whether
        a DICOM mask has the frame of reference of its image
    tolerance_mm : largest accepted distance between corner voxels of the two grids
    on_mismatch : "refuse" another grid, or "resample" it by nearest neighbour; a crop of the
        image's grid, or the same grid with turned axes, is placed without loss in any case
    orientation : where the array axes run in a file that does not say it; such a mask must have
        the size and spacing of its image, voxel for voxel, and is refused without it

    Raises
    ------
    ImageError
        The file cannot be read, is no label image, or does not hold that segment; the
        segments that it holds are listed. A DICOM mask is of another frame of reference or
        series than its DICOM image ("other-frame-of-reference", "other-series").
    GeometryError
        The mask is on another grid (both are printed), or partly outside the image; contours do
        not lie in its slices.
    """
    path, part = _located(source)
    labels, step = _read_labels(path, orientation, image)
    segment = select(labels.segments, part, path)
    return _placed(path, labels, segment, step, _grid(image), tolerance_mm, on_mismatch)


@guarded
def read_masks(
    source: str | Path,
    image: Volume | Geometry | None = None,
    *,
    tolerance_mm: float = GRID_TOLERANCE_MM,
    on_mismatch: str = "refuse",
    orientation: str | None = None,
) -> tuple[Mask, ...]:
    """Read all segments of a label image that have voxels, or the one of FILE#SEGMENT.

    They come on the grid of the image, else on the file's own, which contours have not, and which
    is refused where a DICOM SEG leaves open whether there are slices between its frames
    ("needs-image"); see `read_mask`.
    """
    masks: list[Mask] = []
    for _, found in read_each(
        source, image, tolerance_mm=tolerance_mm, on_mismatch=on_mismatch, orientation=orientation
    ):
        if isinstance(found, CentrumError):
            raise found
        masks.append(found)
    return tuple(masks)


@guarded
def read_each(
    source: str | Path,
    image: Volume | Geometry | None = None,
    *,
    wanted: Collection[Segment] | None = None,
    tolerance_mm: float = GRID_TOLERANCE_MM,
    on_mismatch: str = "refuse",
    orientation: str | None = None,
) -> tuple[tuple[Segment, Mask | CentrumError], ...]:
    """As `read_masks`, each segment with its mask, or why it has none; if given, those `wanted`.

    Raises
    ------
    ImageError
        The file cannot be read, or is no label image.
    """
    path, part = _located(source)
    labels, step = _read_labels(path, orientation, image)
    chosen = labels.segments if part is None else (select(labels.segments, part, path),)
    if image is None:
        _check_sure(path, labels)
    grid = labels.geometry if image is None else _grid(image)

    def read(segment: Segment) -> Mask | CentrumError:
        try:
            return _placed(path, labels, segment, step, grid, tolerance_mm, on_mismatch)
        except CentrumError as error:
            return error

    return tuple(
        (each, read(each))
        for each in chosen
        if (each.voxels or each.drawn) and (wanted is None or each in wanted)
    )


def _grid(image: Volume | Geometry) -> Geometry:
    return image.geometry if isinstance(image, Volume) else image


def _placed(
    path: Path,
    labels: Segmentation,
    segment: Segment,
    step: Step,
    grid: Geometry,
    tolerance_mm: float,
    on_mismatch: str,
) -> Mask:
    chosen = {"segment": segment.name, "label": segment.label}
    origin = {"proposal": segment.proposal} if segment.proposal else {}
    step = Step(step.name, {**step.parameters, **chosen, **origin})
    if labels.without_voxels:
        return Mask(np.zeros(grid.shape, dtype=bool), grid, segment.name, (step,))
    if on_mismatch != "refuse":
        _check_sure(path, labels)
    mask = labels.mask(segment)
    mask = replace(mask, history=(step, *mask.history))
    try:
        return place_mask(mask, grid, tolerance_mm=tolerance_mm, on_mismatch=on_mismatch)
    except CentrumError as error:
        error.file = path.name
        error.add_note(f"while reading {path.name}")
        raise


def _check_sure(path: Path, labels: Segmentation) -> None:
    """Refuses a grid of its own in which slices may be missing: the image's would tell."""
    if labels.doubt:
        raise ImageError(
            f"{path.name}: {labels.doubt}. Programs leave out slices without voxels: some may lie "
            "between these, and nothing places them.",
            remedy="Give the image that it was drawn on; a mask on its slices is placed by them.",
            code="needs-image",
            file=path,
        )


@guarded
def read_labels(
    path: str | Path, orientation: str | None = None, image: Geometry | None = None
) -> Segmentation:
    """A label image with all of its segments, on its own grid; contours on that of the `image`.

    A file that does not say how its axes lie is `oriented` only with a stated `orientation`.

    Raises
    ------
    ImageError
        The file cannot be read, or is no label image.
    """
    path, _ = _located(path)
    labels, step = _labels(path, image)
    if orientation is None or labels.oriented or not isinstance(labels, LabelImage):
        return labels
    grid, _ = _placed_grid(path, labels, step, orientation)
    return replace(labels, geometry=grid, oriented=True)


@guarded
def list_segments(path: str | Path) -> tuple[Segment, ...]:
    """The segments of a label image, those without voxels included; see `read_labels`."""
    return read_labels(path).segments


@guarded
def source_digest(source: str | Path) -> str:
    """SHA-256 of what `source` reads: a file, its sidecar and what names its labels, or the files
    of a DICOM series.

    Of frames that are chosen in an enhanced DICOM file it is another than of the file.

    It changes when the content changes, not when files are moved or renamed. Objects are not read
    for it, see `centrum.io.scratch.url_digest`.
    """
    if is_url(source):
        return url_digest(str(source))
    path, part = _located(source)
    if path.is_dir():
        return dicom.content_digest(path, part)
    if part and _is_enhanced(path):
        return enhanced.content_digest(path, part)
    own = _DIGESTS.get(file_format(path), file_digest)(path)
    beside = _description_of(path)
    return digest([own, file_digest(beside)]) if beside else own


def _is_enhanced(path: Path) -> bool:
    """Whether a file is a DICOM image of many frames."""
    return file_format(path) == "DICOM" and sop_class(path) in enhanced.SOP_CLASSES


def _located(source: str | Path) -> tuple[Path, str | None]:
    """Path and chosen part of a source; of a pair of header and voxels the header."""
    path, part = split_source(fetched(source))
    check_name(path)
    return nifti.header_of(path), part


def file_format(path: Path) -> str:
    """ "NIfTI", "NRRD", "MetaImage" or "DICOM", from the first bytes of a file.

    Raises
    ------
    ImageError
        No such file, a folder, an empty file, or another format.
    """
    check_content(path)
    if path.is_dir():
        raise ImageError(
            f"{path.name} is a folder: expected one file.",
            remedy="Give the path of the file in it.",
            code="not-a-file",
            file=path,
        )
    with damage_named(path), open_stream(path) as stream:
        start = stream.read(_DICOM_PREFIX.stop)
    for name, begins in _BEGINNINGS.items():
        if begins(start):
            _refuse_packed(path, name)
            return name
    raise ImageError(
        f"{path.name} ({path.stat().st_size} bytes) is neither NIfTI nor NRRD nor DICOM nor "
        "MetaImage, or its beginning is damaged.",
        remedy="Convert it, or copy it again.",
        code="unknown-format",
        file=path,
    )


def _refuse_packed(path: Path, name: str) -> None:
    """Only NIfTI is compressed as a whole; other formats do so behind their header."""
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    if packed and name != "NIfTI":
        raise ImageError(
            f"{path.name} is {name}, compressed as a whole by gzip.",
            remedy="Unpack it with gunzip.",
            code="compressed-file",
            file=path,
        )


_BEGINNINGS: dict[str, Callable[[bytes], object]] = {
    "NRRD": lambda start: start.startswith(nrrd.MAGIC),
    "NIfTI": nifti.header_size,
    "DICOM": lambda start: start[_DICOM_PREFIX] == b"DICM",
    "MetaImage": metaimage.is_metaimage,
}
"""Whether the first bytes of a file are those of a format."""


def _read_file(path: Path) -> tuple[DecodedImage, Step]:
    kind = file_format(path)
    if kind == "DICOM":
        raise ImageError(
            f"{path.name} is a single DICOM file of the kind {uid_name(sop_class(path))}: expected "
            "a folder with the slices of a series, or an enhanced MR or CT image.",
            remedy="Give the folder that holds it.",
            code="single-dicom-file",
            file=path,
        )
    decoded, notes = _READERS[kind](path)
    return decoded, Step("read", notes)


def _placed_grid(
    path: Path,
    found: DecodedImage | LabelImage,
    step: Step,
    orientation: str | None,
    image: Geometry | None = None,
) -> tuple[Geometry, Step]:
    """The grid of a file, with the stated orientation where it has none of its own.

    Such a file says nothing of its place either: it is laid on `image`, else its first voxel is
    the origin.
    """
    grid = found.geometry
    _check_spacing(path, grid)
    if found.oriented:
        return grid, step
    if orientation is None:
        raise ImageError(
            f"{path.name} does not say how its axes lie in the patient (no form code, space or "
            "anatomical direction in its header).",
            remedy="Export it again with its orientation, or state where its axes run as "
            "images.orientation of the protocol, such as PIR for sagittal slices.",
            code="no-orientation",
            file=path,
        )
    stated = Step(step.name, {**step.parameters, ORIENTATION_STATED: orientation})
    if image is not None:
        return laid_on(image, grid, orientation, path), stated
    return Geometry(grid.size, grid.spacing, direction=direction_of(orientation)), stated


def _check_spacing(path: Path, grid: Geometry) -> None:
    if min(grid.spacing) >= SMALLEST_MM and max(grid.spacing) <= LARGEST_MM:
        return
    found = " x ".join(f"{mm:.4g}" for mm in grid.spacing)
    raise ImageError(
        f"{path.name} has voxels of {found} mm; those of patients' images have sides of "
        f"{SMALLEST_MM:g} to {LARGEST_MM:g} mm.",
        remedy="Correct the spacing or the unit in its header, which may be meant as metres, "
        "centimetres or micrometres, or export it again.",
        code="impossible-spacing",
        file=path,
    )


def _read_labels(
    path: Path, orientation: str | None, image: Volume | Geometry | None
) -> tuple[Segmentation, Step]:
    """The label image on its grid, in the patient."""
    grid = None if image is None else _grid(image)
    labels, step = _labels(path, grid)
    if isinstance(image, Volume):
        step = check_frame(path, step, image)
    if labels.without_voxels or not isinstance(labels, LabelImage):
        return labels, step
    own, step = _placed_grid(path, labels, step, orientation, grid)
    return replace(labels, geometry=own), step


def _labels(path: Path, image: Geometry | None = None) -> tuple[Segmentation, Step]:
    if path.is_dir():
        raise _no_labels(path, "a folder")
    if file_format(path) == "DICOM":
        labels, notes = _dicom_mask(path)(path, image)
        return labels, Step("read", notes)
    decoded, step = _read_file(path)
    beside = None if decoded.table else _description_of(path)
    if beside is None:
        return label_image(decoded, path), step
    step = Step(step.name, {**step.parameters, "label_descriptions": file_digest(beside)})
    return label_image(decoded, path, names_of(beside)), step


def _description_of(path: Path) -> Path | None:
    """The file beside a label map that names its labels; NRRD has room for names of its own."""
    return None if file_format(path) in ("NRRD", "DICOM") else description_of(path)


def _dicom_mask(path: Path) -> _DicomMask:
    """The reader of a DICOM object that is a mask."""
    kind = sop_class(path)
    if kind not in _DICOM_MASKS:
        raise _no_labels(path, f"DICOM of the kind {uid_name(kind)}")
    return _DICOM_MASKS[kind]


def _no_labels(path: Path, found: str) -> ImageError:
    return ImageError(
        f"{path.name}: expected a label image (NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT) as a "
        f"mask, found {found}.",
        remedy="Load it in 3D Slicer together with the image and save the segmentation as "
        ".seg.nrrd.",
        code="not-a-label-image",
        file=path,
    )
