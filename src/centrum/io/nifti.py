"""NIfTI-1 and NIfTI-2: single files (.nii, .nii.gz) and pairs (.hdr and .img).

SimpleITK reads the header, and the voxels where they are scaled or no plain numbers; plain
ones, and scaled ones that its single precision would round, are decoded here, from bytes that are
read once. It goes by the ending of a name, and gets a
copy where that is not what the content is. Two things SimpleITK does not tell are checked: a file
that ends too early (it returns invented voxels), and a qform and sform that place the image
differently (it follows one of them without a word).

Source: the NIfTI-1 and NIfTI-2 header definitions, nifti1.h and nifti2.h, at
https://nifti.nimh.nih.gov.
"""

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats
from centrum.errors import ImageError
from centrum.geometry import Geometry
from centrum.io.checks import NOTES
from centrum.io.facts import AcquisitionFacts, read_facts
from centrum.io.gzipped import (
    FARTHEST_MM,
    GZIP_MAGIC,
    LARGEST_RATIO,
    check_announced,
    check_no_more,
    damage_named,
    damaged,
    decompress,
    open_stream,
)
from centrum.io.itk import DecodedImage, decode, stored_voxels
from centrum.io.label_table import label_table
from centrum.io.structured import parse_json, read_bytes
from centrum.io.weighting import DESCRIPTIONS, described_weighting
from centrum.provenance import digest, file_digest

FORM_TOLERANCE_MM = 0.1
"""Largest accepted distance between the corners of the image as placed by qform and sform.

A qform is a quaternion rounded to single precision: written by ITK it moves the far corner of a
300 mm field by up to 0.003 mm, beside what `QUATERNION_ROUNDING` is for; forms that really
differ do so by millimetres.
"""

QUATERNION_ROUNDING = 2.0**-23
"""By how much 1 - (b² + c² + d²) can be off when b, c and d are rounded to single precision.

It is the square of the part of the quaternion that the header leaves out, a. Near half-turns, as of
sagittal slices, a is nearly 0 and so hardly known: the root of the rounding alone would turn the
image by 0.04 degrees, 0.2 mm at the far corner of a 300 mm field. The reference code
(nifti_quatern_to_mat44 in nifti1_io.c) therefore takes a square below 1e-7 for 0.
"""

_MILLIMETRES_PER_UNIT = {1: 1000.0, 3: 0.001}
_FIELDS = {
    348: {
        "first_dim": (40, "i2"),
        "dim": (42, "7i2"),
        "datatype": (70, "i2"),
        "bitpix": (72, "i2"),
        "pixdim": (76, "8f4"),
        "vox_offset": (108, "f4"),
        "slope": (112, "f4"),
        "intercept": (116, "f4"),
        "units": (123, "u1"),
        "qform_code": (252, "i2"),
        "sform_code": (254, "i2"),
        "quaternion": (256, "3f4"),
        "offset": (268, "3f4"),
        "srow": (280, "(3,4)f4"),
        "magic": (344, "S4"),
    },
    540: {
        "first_dim": (16, "i8"),
        "dim": (24, "7i8"),
        "datatype": (12, "i2"),
        "bitpix": (14, "i2"),
        "pixdim": (104, "8f8"),
        "vox_offset": (168, "i8"),
        "slope": (176, "f8"),
        "intercept": (184, "f8"),
        "units": (500, "i4"),
        "qform_code": (344, "i4"),
        "sform_code": (348, "i4"),
        "quaternion": (352, "3f8"),
        "offset": (376, "3f8"),
        "srow": (400, "(3,4)f8"),
        "magic": (4, "S4"),
    },
}

_ENDING = re.compile(r"\.(nii|hdr|img)(\.gz)?$", re.IGNORECASE)

_SIDECAR = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "model": "ManufacturersModelName",
    "field_strength_t": "MagneticFieldStrength",
    "repetition_time_ms": "RepetitionTime",
    "echo_time_ms": "EchoTime",
    "inversion_time_ms": "InversionTime",
    "scanning_sequence": "ScanningSequence",
    "slice_thickness_mm": "SliceThickness",
}
"""Facts by their keys in a BIDS sidecar.

Source: Brain Imaging Data Structure, "Magnetic resonance imaging data"."""

_SECONDS = dict.fromkeys(("repetition_time_ms", "echo_time_ms", "inversion_time_ms"), "s")
"""Times, which the sidecar holds in seconds."""

_PLAIN_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8",
}  # fmt: skip
"""Numbers of the header's datatype for one real number per voxel."""

_OTHER_BYTES = {32: 8, 128: 3, 1536: 16, 1792: 16, 2048: 32, 2304: 4}
"""Bytes of a voxel of the other types: complex numbers, colours and long floats."""

_SINGLE = {348: (b"n+1", 352), 540: (b"n+2", 544)}
"""Of a single file by the length of its header: the magic, and where its voxels begin at least."""

_PAIR = {348: b"ni1", 540: b"ni2"}

_MOST_AXES = 7

_LONGEST_HEADER = _LONGEST_SIDECAR = 1 << 24
"""Bytes of a header with all of its extensions, and of a sidecar."""


def header_size(start: bytes) -> tuple[int, str] | None:
    """Header length and byte order ("<" or ">") if `start` begins a NIfTI file, else None.

    >>> header_size(b"\\x5c\\x01\\x00\\x00"), header_size(b"NRRD")
    ((348, '<'), None)
    """
    for order in "<>":
        if len(start) >= 4 and struct.unpack(f"{order}i", start[:4])[0] in _FIELDS:
            return struct.unpack(f"{order}i", start[:4])[0], order
    return None


def read(path: Path) -> tuple[DecodedImage, dict[str, Any]]:
    """Content and notes for the history; refuses short files and contradicting forms."""
    header = _header(path)
    files = _files(path, header)
    wanted = _announced(files[-1], header)
    most = [_LONGEST_HEADER, wanted][-len(files) :]
    stored = [_stored(*each) for each in zip(files, most, strict=True)]
    data = [_decompressed(*each) for each in zip(files, stored, most, strict=True)]
    check_announced(files[-1], _count(header), len(data[-1]), wanted)
    with _as_simpleitk_wants(files, stored, data) as copy:
        decoded = decode(
            path, "NiftiImageIO", lambda reader, kind: _voxels(header, data[-1], reader), copy
        )
    forms = _forms(header, decoded.geometry)
    for name, affine in forms.items():
        _check_form(path, name, affine, decoded.geometry)
    notes = {"format": "NIfTI", "orientation_from": sorted(forms) or "nothing"}
    sha256 = _digest([hashlib.sha256(each).hexdigest() for each in stored])
    start = int(header["vox_offset"]) if len(files) == 1 else None
    order = header_size(data[0])
    table = label_table(data[0][:start], *order) if order else {}
    decoded = replace(decoded, oriented=bool(forms), table=table)
    return decoded, {**notes, "sha256": sha256, **_sidecar(path)}


def content_digest(path: Path) -> str:
    """SHA-256 of the file, or of both files of a pair, and of the sidecar if there is one."""
    beside = sidecar_of(path)
    sidecar = [beside] if beside.is_file() else []
    return _digest([file_digest(file) for file in (*_files(path, _header(path)), *sidecar)])


def _digest(own: list[str]) -> str:
    return own[0] if len(own) == 1 else digest(own)


# Files


def header_of(path: Path) -> Path:
    """The header beside the voxels `path` of a pair; `path` itself where there is none."""
    return _partner(path, ".img", ".hdr") or path


def _partner(path: Path, ending: str, other: str) -> Path | None:
    """The file called like `path`, which has one ending, with the other; compressed or not."""
    name = path.name[: -len(".gz")] if path.name.lower().endswith(".gz") else path.name
    if not name.lower().endswith(ending):
        return None
    stem = name[: -len(ending)]
    ends = (other, other.upper(), f"{other}.gz", f"{other.upper()}.GZ")
    beside = (path.with_name(f"{stem}{end}") for end in ends)
    return next((file for file in beside if file.is_file()), None)


def _files(path: Path, header: Any) -> list[Path]:
    """The file, or header and voxels of a pair."""
    size, magic = header.dtype.itemsize, bytes(header["magic"])
    if magic == _SINGLE[size][0]:
        return [path]
    if magic != _PAIR[size]:
        raise ImageError(
            f"{path.name} is an Analyze 7.5 header, which does not say how its axes lie in the "
            "patient.",
            remedy="Convert it to NIfTI with the program that wrote it, or export the original "
            "series again.",
            code="no-orientation",
            file=path,
        )
    voxels = _partner(path, ".hdr", ".img")
    if voxels is None:
        raise ImageError(
            f"{path.name} is the header of a pair, and the .img file with its voxels is not beside "
            "it.",
            remedy="Copy that file too, or save the image as one .nii.gz file.",
            code="missing-file",
            file=path,
        )
    return [path, voxels]


def _stored(path: Path, most: int) -> bytes:
    """The bytes of a file that has no more than a header announces."""
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    check_no_more(path, path.stat().st_size, most, packed=packed)
    return path.read_bytes()


def _decompressed(path: Path, stored: bytes, most: int) -> bytes:
    with damage_named(path):
        return decompress(stored, most) if stored.startswith(GZIP_MAGIC) else stored


@contextmanager
def _as_simpleitk_wants(
    files: list[Path], stored: list[bytes], data: list[bytes]
) -> Iterator[Path | None]:
    """A copy whose endings say what it is; None where those of the files already do."""
    plain = (".nii",) if len(files) == 1 else (".hdr", ".img")
    ends = [
        end if content is unpacked else f"{end}.gz"
        for end, content, unpacked in zip(plain, stored, data, strict=True)
    ]
    stems = {f.name.removesuffix(end) for f, end in zip(files, ends, strict=True)}
    named = all(f.name.endswith(end) for f, end in zip(files, ends, strict=True))
    if named and len(stems) == 1 and ends in ([".nii"], [".nii.gz"], [".hdr", ".img"]):
        yield None
        return
    with TemporaryDirectory() as folder:
        for end, content in zip(plain, data, strict=True):
            Path(folder, f"copy{end}").write_bytes(content)
        yield Path(folder, f"copy{plain[0]}")


def sidecar_of(path: Path) -> Path:
    """Where the sidecar of an image lies: a JSON file of the same name (BIDS)."""
    return path.with_name(f"{_ENDING.sub('', path.name)}.json")


def _sidecar(path: Path) -> dict[str, Any]:
    """Facts of the acquisition from the sidecar, if there is one, and notes about it.

    Nothing of it is needed: what cannot be read is left out.
    """
    beside = sidecar_of(path)
    if not beside.is_file():
        return {}
    known = _object(beside)
    if known is None:
        return {NOTES: [(beside.name, "It is not a JSON object: nothing of it is used.")]}
    found = read_facts({name: known.get(key) for name, key in _SIDECAR.items()}, _SECONDS, _SIDECAR)
    _check_times(known, found)
    described = described_weighting(map(known.get, DESCRIPTIONS))
    facts = ({"described_as": described} if described else {}) | found.facts
    notes = [(beside.name, note) for note in found.notes]
    return ({"acquisition": facts} if facts else {}) | ({NOTES: notes} if notes else {})


def _object(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None where it holds none that can be read."""
    try:
        text = _text(read_bytes(path, ImageError, _LONGEST_SIDECAR))
        known = parse_json(text, path.name, ImageError, nan=True)
    except ImageError:
        return None
    return known if isinstance(known, dict) else None


def _text(data: bytes) -> str:
    """The text of a JSON file: UTF-8, -16 or -32, with or without a mark, else Latin-1."""
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _check_times(known: dict[str, Any], found: AcquisitionFacts) -> None:
    """Leaves out a repetition time that may be in ms beside an echo time that is.

    It is in seconds if it could else not be longer than the echo.
    """
    repetition, echo = (found.facts.get(f"{name}_time_ms") for name in ("repetition", "echo"))
    if not (isinstance(repetition, float) and isinstance(echo, float)):
        return
    echo_in_ms, in_seconds = known["EchoTime"] == echo, known["RepetitionTime"] != repetition
    if echo_in_ms and in_seconds and repetition / 1000 > echo:
        del found.facts["repetition_time_ms"]
        found.notes.append("RepetitionTime may be in s or, as EchoTime is, in ms, and is left out.")


def _header(path: Path) -> Any:
    """The header as a record, what SimpleITK would guess about in it refused."""
    with damage_named(path), open_stream(path) as stream:
        start = stream.read(max(_FIELDS))
    size, order = header_size(start) or (0, "")
    if not size or len(start) < size:
        raise damaged(path, "its NIfTI header is incomplete")
    header = _parse(start, size, order)
    _check_spacing(path, header)
    if wrong := _contradiction(header):
        raise ImageError(
            f"{path.name} has a NIfTI header that cannot be right: {wrong}.",
            remedy="Correct the header, or export it again from the program that holds the "
            "original.",
            code="damaged-file",
            file=path,
        )
    return header


def _contradiction(header: Any) -> str:
    """What in a header would be read as something else by others; "" if nothing is."""
    axes, datatype, bits = (int(header[name]) for name in ("first_dim", "datatype", "bitpix"))
    if not 1 <= axes <= _MOST_AXES or min(header["dim"][: min(axes, 3)]) < 1:
        return f"dim is {[axes, *header['dim'].tolist()]}"
    if not _voxel_bytes(header):
        return f"the datatype {datatype} is not known"
    if bits not in (0, 8 * _voxel_bytes(header)):
        return f"bitpix is {bits} with the datatype {datatype}"
    return _wrong_offset(header) or _wrong_scale(header) or _wrong_place(header)


def _wrong_offset(header: Any) -> str:
    magic, least = _SINGLE[header.dtype.itemsize]
    least = least if bytes(header["magic"]) == magic else 0
    offset = float(header["vox_offset"])
    right = offset.is_integer() and least <= offset <= _LONGEST_HEADER
    return "" if right else f"vox_offset is {offset:g}, expected at least {least}"


def _wrong_scale(header: Any) -> str:
    slope, intercept = float(header["slope"]), float(header["intercept"])
    unset = slope == 0 or (np.isnan(slope) and (intercept == 0 or np.isnan(intercept)))
    right = unset or (np.isfinite(slope) and np.isfinite(intercept))
    if right and _has_components(header) and (slope, intercept) not in ((0, 0), (1, 0)):
        # SimpleITK writes past the end of its memory.
        return f"voxels of several components are scaled, by {slope:g} and {intercept:g}"
    return "" if right else f"scl_slope is {slope:g} and scl_inter {intercept:g}"


def _wrong_place(header: Any) -> str:
    """Numbers of a form that are none, over which SimpleITK never ends."""
    forms = {"qform": ("quaternion", "offset", "pixdim"), "sform": ("srow",)}
    for form, names in forms.items():
        for name in names if header[f"{form}_code"] > 0 else ():
            numbers = header[name].ravel()[
                : int(header["first_dim"]) + 1 if name == "pixdim" else 12
            ]
            if not np.all(np.abs(numbers) <= FARTHEST_MM):
                return f"{name} of its {form} is {', '.join(f'{n:g}' for n in numbers)}"
    return ""


def _has_components(header: Any) -> bool:
    """Whether a voxel is a colour, a complex number or a vector, along the fifth axis."""
    vector = any(n > 1 for n in header["dim"][4 : int(header["first_dim"])])
    return vector or int(header["datatype"]) not in _PLAIN_TYPES


def _voxel_bytes(header: Any) -> int:
    """Bytes of a voxel by its datatype; 0 for one that is not known."""
    datatype = int(header["datatype"])
    plain = _PLAIN_TYPES.get(datatype)
    return np.dtype(plain).itemsize if plain else _OTHER_BYTES.get(datatype, 0)


def _is_scaled(header: Any) -> bool:
    """Whether the slope is one: a slope of 0 leaves the voxels as they are, by the standard."""
    slope, intercept = float(header["slope"]), float(header["intercept"])
    return slope != 0 and not np.isnan(slope) and (slope, intercept) != (1, 0)


def _count(header: Any) -> int:
    """How many voxels there are; an axis beyond the third that has no length is one of length 1."""
    return prod(max(1, int(n)) for n in header["dim"][: int(header["first_dim"])])


def _announced(path: Path, header: Any) -> int:
    """Bytes down to the end of the voxels."""
    wanted = int(header["vox_offset"]) + _count(header) * _voxel_bytes(header)
    check_announced(path, _count(header), path.stat().st_size, wanted, LARGEST_RATIO)
    return wanted


def _voxels(header: Any, data: bytes, reader: Any) -> NDArray | None:
    """Plain numbers; None for anything else, and for those that single precision holds scaled."""
    plain, shape = _PLAIN_TYPES.get(int(header["datatype"])), reader.GetSize()[::-1]
    simple = reader.GetNumberOfComponents() == 1 and prod(shape) == _count(header)
    scaled = _is_scaled(header)
    if plain is None or not simple or (scaled and np.result_type(plain, "f4") == "f4"):
        return None
    order = header.dtype["datatype"].byteorder
    found = stored_voxels(data, int(header["vox_offset"]), order, np.dtype(plain), shape)
    return found * float(header["slope"]) + float(header["intercept"]) if scaled else found


def _parse(start: bytes, size: int, order: str) -> Any:
    names = list(_FIELDS[size])
    offsets = [_FIELDS[size][name][0] for name in names]
    formats = [_FIELDS[size][name][1] for name in names]
    layout = np.dtype(
        {"names": names, "offsets": offsets, "formats": formats, "itemsize": size}
    ).newbyteorder("<" if order == "<" else ">")
    return np.frombuffer(start[:size], layout)[0]


def _check_spacing(path: Path, header: Any) -> None:
    """SimpleITK takes a spacing that is not given for 1 mm."""
    lengths = header["pixdim"][1:4][: max(int(header["first_dim"]), 0)]
    if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
        raise ImageError(
            f"{path.name} gives no size of its voxels: pixdim is "
            f"{' x '.join(f'{mm:g}' for mm in lengths)}.",
            remedy="Export it again from the program that holds the original.",
            code="no-spacing",
            file=path,
        )


def _forms(header: Any, grid: Geometry) -> dict[str, Floats]:
    """The affines, voxel index (x, y, z) to LPS mm, shape (3, 4), that the header sets.

    Of the quaternions that are rounded to that of the header, the one nearest to `grid` is taken.
    """
    scale = _MILLIMETRES_PER_UNIT.get(int(header["units"]) & 7, 1.0)
    to_lps = np.diag([-scale, -scale, scale])
    forms = {}
    if header["qform_code"] > 0:
        forms["qform"] = to_lps @ _quaternion_affine(header, _to_ras(grid))
    if header["sform_code"] > 0:
        forms["sform"] = to_lps @ header["srow"].astype(float)
    return forms


def _to_ras(grid: Geometry) -> Floats:
    """Axes of a grid in NIfTI's coordinates, which run to the right, anterior and superior."""
    return np.diag([-1.0, -1.0, 1.0]) @ grid.axes


def _quaternion_affine(header: Any, axes: Floats) -> Floats:
    """Affine of the qform: rotation by a unit quaternion, axes scaled by pixdim (nifti1.h)."""
    pixdim = header["pixdim"].astype(float)
    handedness = -1.0 if pixdim[0] < 0 else 1.0
    flip = np.array([1.0, 1.0, handedness])
    rotation = _rotation(header["quaternion"].astype(float), axes * flip)
    scaled = rotation * (pixdim[1:4] * flip)
    return np.column_stack([scaled, header["offset"].astype(float)])


def _rotation(vector: Floats, near: Floats) -> Floats:
    """Rotation by the unit quaternion (a, *vector), whose a >= 0 is known up to rounding.

    The a of the rotation `near` is taken as far as the rounding allows.

    >>> _rotation(np.array([1.0, 0.0, 0.0]), np.diag([1.0, -1.0, -1.0])).diagonal().tolist()
    [1.0, -1.0, -1.0]
    """
    square, off = float(vector @ vector), QUATERNION_ROUNDING
    twist = np.array([near[2, 1] - near[1, 2], near[0, 2] - near[2, 0], near[1, 0] - near[0, 1]])
    least, most = np.sqrt(np.clip([1 - square - off, 1 - square + off], 0, 1))
    # The twist of a rotation is its vector times 4 a.
    real = np.clip(twist @ vector / (4 * square), least, most) if square else 1.0
    a, b, c, d = np.array([real, *vector]) / np.hypot(real, np.sqrt(square))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def _check_form(path: Path, name: str, affine: Floats, geometry: Geometry) -> None:
    ends = np.array(list(product(*[(0, n - 1) for n in geometry.size])), dtype=float)
    placed = ends @ affine[:, :3].T + affine[:, 3]
    distance = float(np.linalg.norm(placed - geometry.corners(), axis=1).max())
    if not distance <= FORM_TOLERANCE_MM:
        raise ImageError(
            f"{path.name}: its {name} places a corner {distance:.3g} mm away from where the "
            f"rest of the header places it (accepted: {FORM_TOLERANCE_MM} mm).",
            remedy="Find out which of qform, sform and pixdim is right and write the others to "
            "match, or set the code of the wrong form to 0.",
            code="contradicting-forms",
            file=path,
        )
