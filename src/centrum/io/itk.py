"""SimpleITK at arm's length: quiet reads, `centrum` errors, `Geometry` for its headers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """What a file holds.

    Attributes
    ----------
    array : voxels, slowest axis first, as SimpleITK orders them; several components of a
        voxel are the last axis
    components : numbers per voxel
    geometry : the grid of the first three axes
    header : keys and values as SimpleITK names them
    oriented : whether the file says how its axes lie in the patient; else only size and spacing
        of the geometry are the file's
    table : names of labels that the file gives, by number
    """

    array: NDArray
    components: int
    geometry: Geometry
    header: Mapping[str, str]
    oriented: bool = True
    table: Mapping[int, str] = field(default_factory=dict)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the C++ warnings of ITK; what they would say is checked by the readers."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def read_file(path: Path, image_io: str) -> sitk.Image:
    """The file as the ITK reader `image_io` understands it, or an `ImageError`."""
    return _quietly(path, _reader(path, image_io).Execute)


Voxels = Callable[[sitk.ImageFileReader, Any], NDArray | None]
"""Decodes the voxels of a file whose header SimpleITK has read, given their type; None if the
file is of a kind that only SimpleITK can decode."""


def decode(path: Path, image_io: str, voxels: Voxels, copy: Path | None = None) -> DecodedImage:
    """Header and voxels of a file; `voxels` decodes them where it can, SimpleITK elsewhere.

    The header is SimpleITK's in any case, so that the grid does not depend on who decoded. Give a
    `copy` where SimpleITK does not take the file by its name.
    """
    reader = _reader(copy or path, image_io)
    _quietly(path, reader.ReadImageInformation)
    geometry = geometry_of(reader, path)
    kind = NUMPY_KINDS.get(reader.GetPixelIDValue())
    array = None if kind is None else voxels(reader, np.dtype(kind))
    if array is None:
        array = sitk.GetArrayFromImage(_quietly(path, reader.Execute))
    return DecodedImage(array, reader.GetNumberOfComponents(), geometry, _header(reader))


def _header(reader: sitk.ImageFileReader) -> dict[str, str]:
    """Keys and values; none of those that are used has a name that is not UTF-8."""
    keys = [key for key in reader.GetMetaDataKeys() if key.isascii()]
    return {key: reader.GetMetaData(key) for key in keys}


NUMPY_KINDS = {
    getattr(sitk, f"sitk{prefix}{name}"): kind
    for prefix in ("", "Vector")
    for name, kind in {
        "UInt8": "u1",
        "Int8": "i1",
        "UInt16": "u2",
        "Int16": "i2",
        "UInt32": "u4",
        "Int32": "i4",
        "UInt64": "u8",
        "Int64": "i8",
        "Float32": "f4",
        "Float64": "f8",
    }.items()
}
"""Type of a voxel, or of its components, by SimpleITK's number for it."""


def stored_voxels(
    data: bytes, start: int, order: str, kind: Any, shape: tuple[int, ...]
) -> NDArray:
    """An array of its own, in native byte order, of numbers that lie in `data` from `start`.

    >>> stored_voxels(b"..\\x01\\x00\\x02\\x00", 2, "<", np.dtype("u2"), (2,))
    array([1, 2], dtype=uint16)
    """
    found = np.frombuffer(data, kind.newbyteorder(order), int(np.prod(shape)), start)
    return found.astype(kind).reshape(shape)


def _reader(path: Path, image_io: str) -> sitk.ImageFileReader:
    """The reader is named, not guessed: guessing lets every reader of ITK try the file and
    print its failure."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO(image_io)
    reader.SetFileName(str(path))
    return reader


def _quietly(path: Path, work: Callable[[], Any]) -> Any:
    try:
        with quiet():
            return work()
    except RuntimeError as error:
        raise ImageError(
            f"{path.name} is damaged or of an unsupported kind: {_reason(error)}",
            remedy="Copy or export the file again.",
            code="damaged-file",
            file=path,
        ) from error


def _reason(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1].removeprefix("sitk::ERROR: ").removeprefix("ITK ERROR: ")
    return last if last.endswith(".") else f"{last}."


def geometry_of(image: sitk.Image | sitk.ImageFileReader, path: Path) -> Geometry:
    """The grid of the first three axes of `image`; refuses 2-D images and sheared axes."""
    n = image.GetDimension()
    if n < 3:
        raise ImageError(
            f"{path.name} is a {n}-D image: expected a volume, because the step between "
            "slices is not known here.",
            remedy="Export the whole series.",
            code="not-a-volume",
            file=path,
        )
    axes = np.array(image.GetDirection()).reshape(n, n)[:3, :3]
    x, y, z = image.GetOrigin()[:3]
    try:
        return Geometry(image.GetSize()[:3], image.GetSpacing()[:3], (x, y, z), tuple(axes.flat))
    except CentrumError as error:
        error.file = path.name
        error.add_note(f"while reading {path.name}")
        raise


def scalar_array(decoded: DecodedImage, path: Path) -> NDArray:
    """Voxels [z, y, x] of a scalar 3-D image; a fourth axis of length one is dropped."""
    array = decoded.array
    if decoded.components > 1 or array.dtype.kind == "c":
        raise ImageError(
            f"{path.name} has {decoded.components} components per voxel "
            f"({array.dtype}): expected one real number per voxel.",
            remedy="Reduce colour, vector and complex images to one channel first.",
            code="several-components",
            file=path,
        )
    if array.ndim > 3 and array.shape[0] > 1:
        raise ImageError(
            f"{path.name} is {array.ndim}-D with {array.shape[0]} volumes (echoes or time "
            "points): expected one volume.",
            remedy="Split the file and name the volume to use.",
            code="several-volumes",
            file=path,
        )
    return array.reshape(array.shape[-3:])
