"""NIfTI-1 and NIfTI-2: single files (.nii, .nii.gz) and pairs (.hdr and .img).

SimpleITK reads the header, and the voxels where they are scaled or no plain numbers; plain
ones are decoded here, from bytes that are read once. It goes by the ending of a name, and gets a
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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.errors import ImageError
from centrum.facts import Found, read_facts
from centrum.geometry import Geometry
from centrum.io.checks import NOTES
from centrum.io.gzipped import GZIP_MAGIC, damage_named, decompress, open_stream
from centrum.io.itk import Decoded, decode, stored_voxels
from centrum.provenance import digest, file_digest
from centrum.weighting import DESCRIPTIONS, described_weighting

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
        "dim": (40, "8i2"),
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
        "dim": (16, "8i8"),
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


def header_size(start: bytes) -> tuple[int, str] | None:
    """Header length and byte order ("<" or ">") if `start` begins a NIfTI file, else None.

    >>> header_size(b"\\x5c\\x01\\x00\\x00"), header_size(b"NRRD")
    ((348, '<'), None)
    """
    for order in "<>":
        if len(start) >= 4 and struct.unpack(f"{order}i", start[:4])[0] in _FIELDS:
            return struct.unpack(f"{order}i", start[:4])[0], order
    return None


def read(path: Path) -> tuple[Decoded, dict[str, Any]]:
    """Content and notes for the history; refuses short files and contradicting forms."""
    files = _files(path)
    stored = [file.read_bytes() for file in files]
    data = [_decompressed(*each) for each in zip(files, stored, strict=True)]
    header = _header(path, data[0])
    _check_length(files[-1], header, len(data[-1]))
    _check_spacing(path, header)
    with _as_simpleitk_wants(files, stored, data) as copy:
        decoded = decode(
            path, "NiftiImageIO", lambda reader, kind: _voxels(header, data[-1], reader, kind), copy
        )
    forms = _forms(header, decoded.geometry)
    for name, affine in forms.items():
        _check_form(path, name, affine, decoded.geometry)
    notes = {"format": "NIfTI", "orientation_from": sorted(forms) or "nothing"}
    sha256 = _digest([hashlib.sha256(each).hexdigest() for each in stored])
    return replace(decoded, oriented=bool(forms)), {**notes, "sha256": sha256, **_sidecar(path)}


def content_digest(path: Path) -> str:
    """SHA-256 of the file, or of both files of a pair, and of the sidecar if there is one."""
    beside = sidecar_of(path)
    sidecar = [beside] if beside.is_file() else []
    return _digest([file_digest(file) for file in (*_files(path), *sidecar)])


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


def _files(path: Path) -> list[Path]:
    """The file, or header and voxels of a pair."""
    with damage_named(path), open_stream(path) as stream:
        start = stream.read(max(_FIELDS))
    size, order = header_size(start) or (0, "")
    if not size or len(start) < size:
        raise ImageError(
            f"{path.name} is truncated: its NIfTI header is incomplete.",
            remedy="Copy or export it again.",
            code="damaged-file",
            file=path,
        )
    magic = bytes(_parse(start, size, order)["magic"])
    if magic in _SINGLE:
        return [path]
    if magic not in _PAIR:
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


_SINGLE, _PAIR = (b"n+1", b"n+2"), (b"ni1", b"ni2")


def _decompressed(path: Path, stored: bytes) -> bytes:
    with damage_named(path):
        return decompress(stored) if stored.startswith(GZIP_MAGIC) else stored


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
    try:
        known = json.loads(_text(beside.read_bytes()))
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict):
        return {NOTES: [(beside.name, "It is not a JSON object: nothing of it is used.")]}
    found = read_facts({name: known.get(key) for name, key in _SIDECAR.items()}, _SECONDS, _SIDECAR)
    _check_times(known, found)
    described = described_weighting(map(known.get, DESCRIPTIONS))
    facts = ({"described_as": described} if described else {}) | found.facts
    notes = [(beside.name, note) for note in found.notes]
    return ({"acquisition": facts} if facts else {}) | ({NOTES: notes} if notes else {})


def _text(data: bytes) -> str:
    """The text of a JSON file: UTF-8, -16 or -32, with or without a mark, else Latin-1."""
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _check_times(known: dict[str, Any], found: Found) -> None:
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


def _header(path: Path, data: bytes) -> Any:
    """The header as a record; `_files` has seen that it is whole."""
    size, order = header_size(data) or (0, "")
    return _parse(data, size, order)


def _voxels(header: Any, data: bytes, reader: Any, kind: Any) -> NDArray | None:
    """Plain, unscaled numbers; None for anything else."""
    start = int(header["vox_offset"])
    scaled = not (header["slope"] == 0 or (header["slope"] == 1 and header["intercept"] == 0))
    plain = _PLAIN_TYPES.get(int(header["datatype"])) == kind.str[1:]
    within = bytes(header["magic"]) in _SINGLE and start < header.dtype.itemsize
    if scaled or not plain or within:
        return None
    order = header.dtype["datatype"].byteorder
    return stored_voxels(data, start, order, kind, reader.GetSize()[::-1])


def _parse(start: bytes, size: int, order: str) -> Any:
    names = list(_FIELDS[size])
    offsets = [_FIELDS[size][name][0] for name in names]
    formats = [_FIELDS[size][name][1] for name in names]
    layout = np.dtype(
        {"names": names, "offsets": offsets, "formats": formats, "itemsize": size}
    ).newbyteorder("<" if order == "<" else ">")
    return np.frombuffer(start[:size], layout)[0]


def _check_length(path: Path, header: Any, length: int) -> None:
    sizes = header["dim"][1 : 1 + max(0, min(7, int(header["dim"][0])))]
    wanted = (
        int(header["vox_offset"]) + int(np.prod(sizes, dtype=object)) * int(header["bitpix"]) // 8
    )
    if length < wanted:
        raise ImageError(
            f"{path.name} is truncated: its header announces {wanted} bytes "
            f"(uncompressed), found {length}.",
            remedy="Copy or export it again.",
            code="damaged-file",
            file=path,
        )


def _check_spacing(path: Path, header: Any) -> None:
    """SimpleITK takes a spacing that is not given for 1 mm."""
    lengths = header["pixdim"][1 : 1 + min(3, int(header["dim"][0]))]
    if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
        raise ImageError(
            f"{path.name} gives no size of its voxels: pixdim is "
            f"{' x '.join(f'{mm:g}' for mm in lengths)}.",
            remedy="Export it again from the program that holds the original.",
            code="no-spacing",
            file=path,
        )


def _forms(header: Any, grid: Geometry) -> dict[str, NDArray[np.float64]]:
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


def _to_ras(grid: Geometry) -> NDArray[np.float64]:
    """Axes of a grid in NIfTI's coordinates, which run to the right, anterior and superior."""
    return np.diag([-1.0, -1.0, 1.0]) @ grid.axes


def _quaternion_affine(header: Any, axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Affine of the qform: rotation by a unit quaternion, axes scaled by pixdim (nifti1.h)."""
    pixdim = header["pixdim"].astype(float)
    handedness = -1.0 if pixdim[0] < 0 else 1.0
    flip = np.array([1.0, 1.0, handedness])
    rotation = _rotation(header["quaternion"].astype(float), axes * flip)
    scaled = rotation * (pixdim[1:4] * flip)
    return np.column_stack([scaled, header["offset"].astype(float)])


def _rotation(vector: NDArray[np.float64], near: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _check_form(path: Path, name: str, affine: NDArray[np.float64], geometry: Geometry) -> None:
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
