"""The readers: what each reads, how its files are mutated, and all that the program does with one.

A reader's `read` calls everything that the program calls for such a file, one after the other.
The project's own errors are what a reader may say; anything else is found.
"""

import gzip
import json
import os
import shutil
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import SimpleITK as sitk
import yaml

from centrum.cohort.archive.exams import ArchiveChoices
from centrum.cohort.case import Case
from centrum.cohort.clinical import ClinicalTable, merge_table
from centrum.cohort.discover import discover
from centrum.cohort.manifest import examine_manifest, missing_files
from centrum.commands import begin
from centrum.commands.check import check_study
from centrum.commands.tables import import_tables
from centrum.errors import CentrumError
from centrum.exchange import read_table
from centrum.frozen.model import UNSEALED, FrozenModel, read_model
from centrum.frozen.score import score_values
from centrum.geometry import Geometry
from centrum.io import (
    inspect_case,
    inspect_image,
    list_segments,
    list_series,
    read_image,
    read_labels,
    read_mask,
    read_masks,
    source_digest,
)
from centrum.measure.acquisition import acquisition_facts
from centrum.provenance import digest
from centrum.pyradiomics import featureextractor
from centrum.pyradiomics.parameters import read_parameter_file
from centrum.signature import evaluate_signature, read_signature
from centrum.volume import Volume
from tests.fuzz import seeds
from tests.fuzz.mutate import (
    BYTES,
    ODD_TEXTS,
    TEXT,
    XML,
    Mutation,
    deep_json,
    entry,
    in_field,
    of_gzip,
    of_json,
    of_text,
    of_zip,
    some,
    text_of,
    tree,
)
from tests.fuzz.seeds import FEATURES, Files

ORIENTATION = "LPS"
"""Stated for images that do not say theirs, so that they are read to the end."""

TOLERANCE_MM = 0.01
"""Largest accepted distance between corners of one image as read here and by SimpleITK."""


def _nothing(path: Path) -> str:
    return ""


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes
    ----------
    name : what it is called on the command line, and its folder of the corpus
    endings : of the names of the files that it reads; () for a folder
    seeds : small files, made in a folder
    mutations : of the file that is read
    read : all that the program does with it; what is not a `CentrumError` is found
    differs : how SimpleITK reads the same file otherwise; "" where it does not
    beside : mutations of the files beside it
    """

    name: str
    endings: tuple[str, ...]
    seeds: Callable[[Path], Iterator[Files]]
    mutations: tuple[Mutation, ...]
    read: Callable[[Path], None]
    differs: Callable[[Path], str] = _nothing
    beside: tuple[Mutation, ...] = field(default=TEXT)

    def mutant(self, rng: Random, files: Files) -> Files:
        """Files of which one is mutated."""
        main = self.main(files)
        name = main if len(files) == 1 or rng.random() < 0.85 else rng.choice(sorted(files))
        settings = self.mutations if name == main or not self.endings else self.beside
        return {**files, name: some(rng, files[name], settings)}

    def main(self, files: Files) -> str:
        """The name of the file that is read."""
        return next((n for n in sorted(files) if n.endswith(self.endings)), min(files))

    def path(self, folder: Path, files: Files) -> Path:
        """What is read of files that lie in a folder."""
        return folder / self.main(files) if self.endings else folder


def tried(work: Callable[[], object]) -> None:
    """Do it; the project's own errors are an answer."""
    with suppress(CentrumError):
        work()


# Images


def _read_image(path: Path) -> None:
    tried(lambda: source_digest(path))
    tried(lambda: _look_at(path))
    tried(lambda: list_segments(path))
    tried(lambda: read_masks(path, orientation=ORIENTATION))


def _look_at(path: Path) -> None:
    volume = read_image(path, orientation=ORIENTATION)
    acquisition_facts(volume)
    inspect_image(volume, "sagittal", path.name)
    for mask in read_masks(path, volume.geometry, orientation=ORIENTATION):
        inspect_case(volume, mask)


def _image_differs(reader: str) -> Callable[[Path], str]:
    """How the array or the grid of a file are others than SimpleITK's."""

    def differs(path: Path) -> str:
        try:
            volume = read_image(path)
        except CentrumError:
            return ""
        image = None if _meant_otherwise(path) else _of_simpleitk(path, reader)
        if image is None:
            return ""
        array = sitk.GetArrayFromImage(image)
        return _other_array(volume.array, array) or _other_grid(volume.geometry, image)

    return differs


def _labels_differ(path: Path) -> str:
    """How the layers of a label image are others than SimpleITK's."""
    try:
        labels = read_labels(path)
    except CentrumError:
        return ""
    image = _of_simpleitk(path, "NrrdImageIO")
    if image is None:
        return ""
    array = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        array = np.moveaxis(array, -1, 0)
    return _other_array(labels.layers, array) or _other_grid(labels.geometry, image)


def _meant_otherwise(path: Path) -> bool:
    """Whether an intercept stands beside a slope of 0: by the standard it is not added."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        header = stream.read(120)
    order = "<" if header[:4] == struct.pack("<i", 348) else ">"
    slope, intercept = struct.unpack(f"{order}ff", header[112:120])
    return not header.startswith(b"NRRD") and (slope == 0 or slope != slope) and intercept != 0


def _of_simpleitk(path: Path, reader: str) -> sitk.Image | None:
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        return sitk.ReadImage(str(path), imageIO=reader)
    except RuntimeError:
        return None


def _other_array(own: np.ndarray, array: np.ndarray) -> str:
    """Which voxels are others; where one is not finite, SimpleITK may put 0 when it reads NIfTI."""
    if own.size != array.size:
        return f"{own.shape} voxels, SimpleITK {array.shape}"
    known = np.isfinite(own.ravel())
    same = np.array_equal(own.ravel()[known], array.ravel()[known])
    return "" if same else f"voxels {own.ravel()[:3]}, SimpleITK {array.ravel()[:3]}"


def _other_grid(own: object, image: sitk.Image) -> str:
    """Where a corner lies otherwise; grids as `centrum.geometry.Geometry`."""
    n, size = image.GetDimension(), image.GetSize()[:3]
    axes = np.array(image.GetDirection()).reshape(n, n)[:3, :3] * image.GetSpacing()[:3]
    mine = np.array(own.direction).reshape(3, 3) * own.spacing  # type: ignore[attr-defined]
    last = np.array(size) - 1
    away = [*(axes - mine).T * last, np.subtract(image.GetOrigin()[:3], own.origin)]  # type: ignore[attr-defined]
    far = float(np.max(np.linalg.norm(away, axis=1)))
    return "" if far <= TOLERANCE_MM else f"a corner {far:.3g} mm from SimpleITK's"


_NRRD_LINES = (
    "Endian: Big", "endian: big", "endian: LITTLE", "byte skip: 4", "Byte Skip: 4",
    "byteskip: 04", "byte skip: -1", "line skip: 1", "Line Skip: 1", "lineskip: 0",
    "data file: a.raw", "datafile: a.raw", "Data File: ../a.raw", "data file: /etc/passwd",
    "data file: LIST 2", "data file: a%d.raw 1 3 1", "data file: /dev/zero", "data file: .",
    "encoding: gzip", "encoding: GZ", "encoding: ascii", "encoding: hex", "encoding: bzip2",
    "encoding: RAW", "type: uchar", "type: unsigned short", "type: int64_t", "type: double",
    "type: block", "type: INT16", "dimension: 2", "dimension: 4", "sizes: 5 4 3 1", "sizes: 3 4 5",
    "sizes: 100000 100000 100000", "sizes: -5 4 3", "sizes: 0 0 0", "space: LPS", "space: RAS",
    "space: left-anterior-superior", "space: scanner-xyz", "space: 3D-right-handed",
    "space dimension: 3", "space dimension: 2", "spacings: 1 1 1", "spacings: nan 1 1",
    "space directions: (1,0,0) (0,1,0) (0,0,1)", "space directions: none (1,0,0) (0,1,0)",
    "space directions: (nan,0,0) (0,1,0) (0,0,1)", "space directions: (0,0,0) (0,1,0) (0,0,1)",
    "space origin: (0,0,0)", "space origin: (nan,1,2)", "space units: \"m\" \"m\" \"m\"",
    "kinds: domain domain domain", "kinds: space space space", "kinds: vector domain domain",
    "kinds: list domain domain domain", "measurement frame: (0,1,0) (1,0,0) (0,0,1)",
    "thicknesses: 1 1 1", "axis mins: 0 0 0", "axismaxs: 1 1 1", "centers: cell cell cell",
    "centerings: node node node", "labels: \"x\" \"y\" \"z\"", "units: \"mm\" \"mm\" \"mm\"",
    "content: x", "number: 60", "block size: 2", "old min: 0", "oldmax: 1", "sample units: mm",
    "min: 0", "max: 9", "# a comment", "a:=b", "a key:=b\\nc", "modality:=MR", "NRRD0005",
    "Segment0_LabelValue:=", "Segment0_LabelValue:=x", "Segment0_LabelValue:=-1",
    "Segment0_LabelValue:=999999999999999999999", "Segment0_Layer:=-5", "Segment0_Layer:=1.0",
    "Segment0_Name:=", "Segment0_Name:=L2", "Segment00_Name:=x", "Segment١_Name:=x",
    "Segment99999999999_Name:=x", "Segment1_ID:=", "Segmentation_MasterRepresentation:=Fractional",
    "Segment0_Extent:=9 0 0 0 0 0", "Segmentation_ReferenceImageExtentOffset:=a b",
    "bogus" + "x" * 4400 + ": 1", "data file: " + "a" * 1000, "key:=" + "v" * 5000,
    "space dimension: 99999999999", "dimension: 17", "dimension: 0",
)  # fmt: skip


def _colon(rng: Random, text: str) -> str:
    """Blanks and letters of a field otherwise."""
    own = text.split("\n")
    k = rng.randrange(min(len(own), 16))
    own[k] = rng.choice((own[k].upper(), own[k].replace(": ", ":"), own[k].replace(":", " :"),
                         own[k].replace(": ", ":  "), own[k].replace(" ", "\t"), own[k] + "\r",
                         own[k].title(), own[k].replace(":", "=")))  # fmt: skip
    return "\n".join(own)


_NRRD = (*TEXT, *BYTES, *[entry(_NRRD_LINES)] * 8, *[of_text(_colon)] * 3)

_NIFTI_FIELDS = (
    (0, "i"), (38, "c"), (40, "h"), (42, "h"), (44, "h"), (46, "h"), (48, "h"), (50, "h"),
    (68, "h"), (70, "h"), (70, "h"), (72, "h"), (72, "h"), (74, "h"), (76, "f"), (80, "f"),
    (84, "f"), (88, "f"), (92, "f"), (108, "f"), (108, "f"), (112, "f"), (116, "f"), (123, "b"),
    (124, "f"), (252, "h"), (254, "h"), (256, "f"), (260, "f"), (264, "f"), (268, "f"),
    (272, "f"), (280, "f"), (284, "f"), (296, "f"), (312, "f"), (344, "i"), (348, "i"),
)  # fmt: skip
"""Where the fields of a NIfTI-1 header stand."""

_NIFTI = (*[in_field([f for f in _NIFTI_FIELDS if f[1] != "c"])] * 10, *BYTES)


# DICOM


def _of_element(rng: Random, data: bytes) -> bytes:
    """An element taken out, repeated, or with another value, kind or length."""
    try:
        elements = [e for e in _elements(data) if e.value_tell]
    except Exception:
        return some(rng, data, BYTES)
    if not elements:
        return some(rng, data, BYTES)
    element = rng.choice(elements)
    end = element.value_tell + min(element.length, len(data))
    long = element.VR in ("OB", "OW", "OF", "SQ", "UN", "UT", "OD", "OL")
    start = element.value_tell - (12 if long else 8)
    what = rng.randrange(6)
    if what == 0:
        return data[:start] + data[end:]
    if what == 1:
        return data[:end] + data[start:end] + data[end:]
    if what == 2:
        kind = rng.choice((b"XX", b"OW", b"SQ", b"DS", b"UL", b"FD", b"UN", b"PN", b"AT", b"\0\0"))
        return data[: start + 4] + kind + data[start + 6 :]
    if what == 3:
        length = rng.choice((0, 1, 7, 0xFFFF, 0xFFFE, element.length + 1, element.length + 2))
        return data[: start + 6] + struct.pack("<H", length % 65536) + data[start + 8 :]
    new = rng.choice(_DICOM_VALUES).encode("utf-8", "surrogatepass")[:60000]
    new += b" " * (len(new) % 2)
    if long:
        return data[: element.value_tell] + new[: end - element.value_tell] + data[end:]
    return data[: start + 6] + struct.pack("<H", len(new)) + new + data[end:]


def _elements(data: bytes) -> list[pydicom.dataelem.RawDataElement]:
    found = pydicom.dcmread(BytesIO(data), force=True)
    return [
        element
        for part in (found.file_meta, found)
        for element in part._dict.values()
        if isinstance(element, pydicom.dataelem.RawDataElement)
    ]


_DICOM_VALUES = (
    *ODD_TEXTS, "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "0", "-1", "1e400", "nan", "0\\0", "1\\2\\3",
    "1\\0\\0\\0\\1\\0", "0\\0\\0\\0\\0\\0", "99999999999999999999", "1\\", "\\\\", "ISO_IR 192",
    "ISO 2022 IR 87", "SE\\IR", "RGB", "MONOCHROME1", "PALETTE COLOR", "20249999",
)  # fmt: skip


def _read_series(folder: Path) -> None:
    tried(lambda: list_series(folder))
    for source in _sources(folder):
        tried(lambda source=source: source_digest(source))  # type: ignore[misc]
        tried(lambda source=source: _look_at_series(source))  # type: ignore[misc]
    for path in sorted(folder.iterdir())[:1]:
        tried(lambda path=path: read_image(path))  # type: ignore[misc]


def _read_archive(folder: Path) -> None:
    tried(lambda: discover(folder, archive=ArchiveChoices(key=folder / "key.csv")))


def _look_at_series(source: str) -> None:
    volume = read_image(source)
    acquisition_facts(volume)
    inspect_image(volume, "sagittal", "a series")


def _sources(folder: Path) -> list[str]:
    try:
        return [str(folder), *(f"{folder}#{series.uid}" for series in list_series(folder))]
    except CentrumError:
        return [str(folder)]


_OF_FRAMES = [
    struct.pack("<HH", *tag)
    for tag in (
        (0x0008, 0x0005), (0x0018, 0x0050), (0x0018, 0x0088), (0x0020, 0x0032), (0x0020, 0x0037),
        (0x0020, 0x0052), (0x0020, 0x9113), (0x0020, 0x9116), (0x0028, 0x0030), (0x0028, 0x9110),
        (0x0062, 0x0004), (0x0062, 0x0005), (0x0062, 0x0008), (0x0062, 0x000A), (0x0062, 0x000B),
        (0x5200, 0x9229), (0x5200, 0x9230), (0x7FE0, 0x0010), (0xFFFE, 0xE000),
    )
]  # fmt: skip
"""Tags of segments, of what places frames, and of items, at whatever depth they stand."""


def _of_frames(rng: Random, data: bytes) -> bytes:
    """Bytes behind one of these tags: its kind, its length, or the first of its value."""
    tag = rng.choice(_OF_FRAMES)
    starts = [k for k in range(len(data) - 4) if data.startswith(tag, k)]
    if not starts:
        return some(rng, data, BYTES)
    start = rng.choice(starts) + rng.choice((0, 4, 4, 6, 8, 8, 8, 12))
    new = rng.choice((
        bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 4)))),
        struct.pack("<L", rng.choice((0, 1, 7, 0xFFFF, 0xFFFFFFFF, len(data), 1 << 30))),
        struct.pack("<H", rng.choice((0, 1, 2, 3, 300, 65535))),
        rng.choice((b"SQ", b"UN", b"OB", b"DS", b"US", b"UT", b"FD", b"PN")),
        rng.choice((b"1e300", b"-0", b"nan\\", b"\\\\\\", b"0.7\\0.", b"99999", b"4.40001")),
    ))  # fmt: skip
    return data[:start] + new + data[start + len(new) :]


def _read_seg(path: Path) -> None:
    _read_image(path)
    for mask in (path, f"{path}#1", f"{path}#L2"):
        tried(lambda mask=mask: read_mask(mask, _GRID))  # type: ignore[misc]


_GRID = Geometry((5, 4, 3), (0.6, 0.7, 4.4), (11.5, -20.25, 33.0))
"""That of the image on which the seeds were drawn."""


def _voxels_differ(path: Path) -> str:
    """Which segment has other voxels than pydicom's frames."""
    try:
        segments = list_segments(path)
    except CentrumError:
        return ""
    try:
        found = pydicom.dcmread(path)
        pixels = found.pixel_array.reshape(-1, found.Rows, found.Columns)
        theirs = _voxels(found, pixels)
    except Exception:
        return ""
    wrong = [one for one in segments if one.voxels != theirs.get(one.label, 0)]
    return f"{wrong[0].describe()}, pydicom {theirs}" if wrong else ""


def _voxels(found: pydicom.Dataset, pixels: np.ndarray) -> Counter[int]:
    if found.SegmentationType != "BINARY":
        return Counter(pixels.ravel().tolist())
    counts: Counter[int] = Counter()
    for frame, own in zip(pixels, found.PerFrameFunctionalGroupsSequence, strict=True):
        shown = own.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        counts[shown] += int(np.count_nonzero(frame))
    return counts


# Enhanced images


def _read_enhanced(path: Path) -> None:
    tried(lambda: list_series(path.parent))
    for source in (path, *(f"{path}#{choice}" for choice in ("EchoTime=80", "StackID=1", "x=1"))):
        tried(lambda source=source: source_digest(source))  # type: ignore[misc]
        tried(lambda source=source: _look_at_series(source))  # type: ignore[misc]


def _frames_differ(path: Path) -> str:
    """Whether uncompressed frames of a stack, unscaled, have other values than pydicom's."""
    try:
        volume = read_image(path)
        found = pydicom.dcmread(path)
        shared = found.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0]
        plain = (float(shared.RescaleSlope), float(shared.RescaleIntercept)) == (1, 0)
        own = any("PixelValueTransformationSequence" in each
                  for each in found.PerFrameFunctionalGroupsSequence)  # fmt: skip
        if not plain or own or found.file_meta.TransferSyntaxUID.is_compressed:
            return ""
        theirs = Counter(found.pixel_array.ravel().tolist())
    except Exception:
        return ""
    return "" if Counter(volume.array.ravel().tolist()) == theirs else "pydicom has other values"


# Structure sets


def _of_item(rng: Random, data: bytes) -> bytes:
    """An item of a sequence, or an element in one, taken out, repeated or with another value."""
    try:
        found = pydicom.dcmread(BytesIO(data))
        for _ in range(rng.choice((1, 1, 2))):
            _alter(rng, rng.choice([found, *_within(found)]))
        stream = BytesIO()
        found.save_as(stream)
        return stream.getvalue()
    except Exception:
        return some(rng, data, BYTES)


def _within(found: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    for element in found:
        for item in element.value if element.VR == "SQ" else ():
            yield item
            yield from _within(item)


def _alter(rng: Random, item: pydicom.Dataset) -> None:
    element = item[rng.choice(sorted(item.keys()))]
    what = rng.randrange(4)
    if what == 0:
        del item[element.tag]
    elif element.VR == "SQ" and element.value:
        k = rng.randrange(len(element.value))
        (element.value.append(element.value[k]) if what == 1 else element.value.pop(k))
    else:
        words = "\\".join(map(str, np.ravel(element.value))).split("\\")
        words[rng.randrange(len(words))] = rng.choice((*_DICOM_VALUES, *_POINTS))
        item.add_new(element.tag, "UT", "\\".join(words))


_POINTS = (
    "0", "1", "3", "4", "2.5", "-0.5", "11.5", "1e9", "-1e9", "inf", "1_0", "3.1", "8.0000001",
    "OPEN_PLANAR", "CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "L1", "2147483648",
)  # fmt: skip


def _read_structures(path: Path) -> None:
    tried(lambda: source_digest(path))
    tried(lambda: list_segments(path))
    tried(lambda: read_masks(path))
    tried(lambda: _look_at_structures(path))


def _look_at_structures(path: Path) -> None:
    image = Volume(np.zeros(seeds.STRUCTURES.shape), seeds.STRUCTURES)
    for segment in list_segments(path):
        source = f"{path}#{segment.label}"
        tried(lambda source=source: inspect_case(image, read_mask(source, image)))  # type: ignore[misc]
    tried(lambda: read_masks(path, image))


# Folders


def _other_name(rng: Random, data: bytes) -> bytes:
    """A folder of which paths, or what lies there, are changed."""
    tree: dict[str, str] = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        path = rng.choice(sorted(tree) or ["a"])
        kind = tree.pop(path, "image")
        what = rng.randrange(6)
        if what == 0:
            continue
        if what == 1:
            tree[path] = rng.choice(_KINDS)
            continue
        if what == 2:
            tree[path] = kind
        tree[_renamed(rng, path)] = kind
    return json.dumps(tree, indent=1).encode()


_KINDS = ("image", "mask", "empty", "text", "link", "loop", "fifo", "folder", "series", "json")

_ODD_NAMES = (
    *ODD_TEXTS, "\udcff", "\udce4", "a\nb", "-rf", "--help", "*", "?", "[a]", "{case}", "a,b",
    "L1", "T12", "..", "...", "CON", "é", "é", "a" * 240, "İ", "ß", "ﬀ", "²", "٣", ".hidden",
)  # fmt: skip


def _renamed(rng: Random, path: str) -> str:
    parts = path.split("/")
    k = rng.randrange(len(parts))
    stem, dot, ending = parts[k].partition(".")
    odd = rng.choice(_ODD_NAMES)
    stem, ending = rng.choice((
        (stem.swapcase(), ending), (stem, ending.upper()), (odd, ending), (stem + odd, ending),
        (odd + stem, ending), (stem, odd), (stem[:-1], ending), (stem + "_2", ending),
        (f"{stem}/{stem}", ending), (stem, "nii.gz"), (stem, "hdr"), (stem, f"{ending}.gz"),
    ))  # fmt: skip
    parts[k] = stem + dot + ending
    return "/".join(parts)


def build(listing: dict[str, str], folder: Path) -> None:
    """Make the files of a listing, as far as the system can have them."""
    content = {"image": _small_image(), "mask": _small_mask(), "text": b"text", "json": b"{}"}
    for name, kind in listing.items():
        path = folder / name.replace("\x00", "")
        if ".." in path.parts or not path.is_relative_to(folder):
            continue
        with suppress(OSError, ValueError, shutil.Error):
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path, kind, content.get(kind, b""))


def _make(path: Path, kind: str, content: bytes) -> None:
    if kind == "link":
        path.symlink_to("nowhere/at/all")
    elif kind == "loop":
        path.symlink_to(".")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "series":
        path.mkdir()
        for name, slice_ in seeds._series("1.2.3", seeds._arrays()[0]).items():
            (path / name).write_bytes(slice_)
    else:
        path.write_bytes(content)


_HEAD = b"""NRRD0004
type: uchar
dimension: 3
space: left-posterior-superior
sizes: 5 4 3
space directions: (0.6,0,0) (0,0.7,0) (0,0,4.4)
kinds: domain domain domain
encoding: raw
space origin: (0,0,0)

"""


def _small_image() -> bytes:
    return _HEAD + bytes(range(60, 120))


def _small_mask() -> bytes:
    return _HEAD + bytes(20) + b"\1" * 20 + bytes(20)


def _read_listing(path: Path) -> None:
    tree = json.loads(path.read_bytes())
    images, study = path.parent / "images", path.parent / "study"
    images.mkdir()
    build(tree, images)
    try:
        begin.init(images, study)
    except CentrumError:
        return
    examine_manifest(study / "cases.csv", optional=("outcome",))
    tried(lambda: check_study(study))


# Tables of cases and protocols


def _read_cases(path: Path) -> None:
    tried(lambda: _gone(path))
    tried(lambda: check_study(path.parent))
    tried(lambda: merge_table([_CASE], ClinicalTable(path), ("malignant", "osteoporotic")))
    tried(lambda: read_table(path))


_CASE = Case(id="P000", patient="A0", outcome="", images={"": "a.nrrd"}, masks={"": "a.nrrd"})


def _gone(path: Path) -> None:
    cohort, _ = examine_manifest(path)
    list(missing_files(cohort))
    cohort.to_frame()


def _read_protocol(path: Path) -> None:
    tried(lambda: check_study(path.parent))


_YAML_LINES = (
    "a: &a [*a]", "<<: {name: x}", "? [a, b]\n: c", "!!python/object:os.system x", "--- x",
    "%YAML 9",
    "a: !!binary zz", "a: &x [1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &y [*x, *x, *x, *x, *x, *x, *x, *x]\n"
    "c: &z [*y, *y, *y, *y, *y, *y, *y, *y, *y]\nd: [*z, *z, *z, *z, *z, *z, *z]", "2024-01-31: x",
    "name: 2024-01-31", "name: 1:30", "name: 0o17", "name: 12e03", "name: .inf", "name: ~",
    "name: 2024-99-99", "name: !!timestamp x", "name: !!int x", "name: !!float x",
    "name: !!set {a}",
    "1: 2", "true: false", "null: x", "[a]: b", "name: [", "\tname: x", "name: |\n  x", "...",
    "split: {seed: " + "9" * 5000 + "}", "evaluation: {n_resamples: 1e12}", "a: " + "[" * 3000,
    "extraction: {interpolation: {in_plane: 1e-9}}", "preset: nobody", "preset: [vcf-t2w]",
    "preset: ../x", "name: {a: b}", "model: []", "outcome: malignant", "extraction: null",
    "images: {labels: 3}", "tables: [{file: '**/*', reader: x}]", "tables: [{file: /, reader: x}]",
    "tables: [{file: '', reader: ''}]", "tables: [{file: ../*, reader: x}]", "keep_names: maybe",
    "eligibility: [{keep: 'age >', reason: x}]", "eligibility: [{keep: 'age >= 1e400', reason: x}]",
    "eligibility: [{keep: '((((age))))', reason: x}]", "describe: [nobody]", "describe: x",
    "binWidth: -1", "setting: {binWidth: nan}", "setting: {label: 1e400}", "features: x",
    "intercept: 9" + "9" * 400, "cutoff: .nan", "images: 'LoG x'", "images: original", "sd: 0",
)  # fmt: skip


def _of_yaml(rng: Random, data: bytes) -> bytes:
    """A YAML text whose tree is changed."""
    try:
        root = yaml.safe_load(text_of(data))
        return yaml.safe_dump(tree(rng, root), sort_keys=False, allow_unicode=True).encode(
            "utf-8", "surrogatepass"
        )
    except Exception:  # PyYAML lets through what its constructors of tags meet
        return some(rng, data, TEXT)


_YAML = (*TEXT, *[_of_yaml] * 8, *[entry(_YAML_LINES)] * 3, *BYTES[:3])


# Feature tables, parameters, signatures, models


def _read_features(path: Path) -> None:
    tried(lambda: read_table(path))
    tried(lambda: import_tables([path], path.parent / "study"))
    if (path.parent / "study").is_dir():
        tried(lambda: check_study(path.parent / "study"))
    tried(lambda: merge_table([_CASE], ClinicalTable(path), ("malignant", "osteoporotic")))


def _read_parameters(path: Path) -> None:
    tried(lambda: read_parameter_file(path))
    tried(lambda: featureextractor.RadiomicsFeatureExtractor(str(path)).enableAllFeatures())


def _read_signature(path: Path) -> None:
    tried(lambda: _evaluated(path))


def _evaluated(path: Path) -> None:
    values = pd.DataFrame(np.arange(20.0).reshape(4, 5), columns=list(FEATURES))
    evaluate_signature(read_signature(path), values)


def _read_model(path: Path) -> None:
    tried(lambda: _scored(read_model(path)))


def _scored(model: FrozenModel) -> None:
    values = np.array([d.mean for d in model.distributions], dtype=float)
    known = {model.scorer.batch_column: "A"} if model.scorer.batch_column else {}
    score_values(model, "P1", values, model.batch_of(known))
    json.dumps(model.to_dict())
    str((model.simulated, model.of_tables, model.positive))


def _of_model(rng: Random, data: bytes) -> bytes:
    """A model whose tree is changed, mostly with the digest of the changed content."""
    changed = of_json(rng, data)
    try:
        record = json.loads(changed)
        if rng.random() < 0.95:
            _seal(record)
        return json.dumps(record, indent=1).encode()
    except (ValueError, TypeError, AttributeError, RecursionError):
        return changed


def _seal(record: Any) -> None:
    """The digests that a model of this content would have."""
    record.pop("sha256", None)
    if isinstance(record.get("self_test"), dict):
        sealed = {name: part for name, part in record.items() if name not in UNSEALED}
        record["self_test"]["sealed"] = digest(sealed)
    record["sha256"] = digest(record)


_CSV = (*TEXT, *TEXT, *BYTES[:4])

TARGETS = {
    target.name: target
    for target in (
        Target("nrrd", (".nrrd", ".nhdr"), seeds.nrrd, _NRRD, _read_image,
               _image_differs("NrrdImageIO"), BYTES),
        Target("seg_nrrd", (".seg.nrrd",), seeds.seg_nrrd, _NRRD, _read_image, _labels_differ),
        Target("nii", (".nii",), seeds.nii, _NIFTI, _read_image,
               _image_differs("NiftiImageIO"), (*[of_json] * 9, *TEXT, deep_json)),
        Target("nii_gz", (".nii.gz",), seeds.nii_gz, (of_gzip(_NIFTI),), _read_image,
               _image_differs("NiftiImageIO"), (*[of_json] * 9, *TEXT, deep_json)),
        Target("dicom", (), seeds.dicom, (*[_of_element] * 8, *BYTES), _read_series),
        Target("archive", (), seeds.archive, (*[_of_element] * 6, *[_of_item] * 3, *BYTES),
               _read_archive),
        Target("seg", (".dcm",), seeds.seg, (*[_of_element] * 6, *[_of_frames] * 12, *BYTES),
               _read_seg, _voxels_differ),
        Target("enhanced", (".dcm",), seeds.enhanced_images,
               (*[_of_element] * 4, *[_of_frames] * 8, *BYTES, *BYTES), _read_enhanced,
               _frames_differ),
        Target("rtstruct", (".dcm",), seeds.rtstruct,
               (*[_of_item] * 8, *[_of_element] * 2, *BYTES), _read_structures),
        Target("listing", (".json",), seeds.listing, (_other_name,), _read_listing),
        Target("cases_csv", ("cases.csv",), seeds.cases_csv, _CSV, _read_cases, beside=_YAML),
        Target("cases_xlsx", (".xlsx",), seeds.cases_xlsx, (of_zip(XML),), _read_cases,
               beside=_YAML),
        Target("study_yaml", (".yaml",), seeds.study_yaml, _YAML, _read_protocol, beside=_CSV),
        Target("tables", (".csv", ".txt", ".gz", ".xlsx", ".ods"), seeds.tables,
               (lambda rng, data: some(rng, data, _packed_as(data)),), _read_features),
        Target("params", (".yaml", ".json"), seeds.params, (*_YAML, of_json), _read_parameters),
        Target("signature", (".yaml",), seeds.signature, _YAML, _read_signature),
        Target("model_json", (".json",), seeds.model_json,
               (*[_of_model] * 30, *TEXT, deep_json), _read_model),
    )
}  # fmt: skip
"""The readers by name."""


def _packed_as(data: bytes) -> tuple[Mutation, ...]:
    """Mutations for a table, by what its first bytes say that it is."""
    if data[:2] == b"PK":
        return (of_zip(XML),)
    return (of_gzip(_CSV),) if data[:2] == b"\x1f\x8b" else _CSV
