"""SimpleITK at arm's length: quiet reads, `centrum` errors, `Geometry` for its headers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry


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
    """The file as the ITK reader `image_io` understands it, or an `ImageError`.

    The reader is named, not guessed: guessing lets every reader of ITK try the file and
    print its failure.
    """
    reader = sitk.ImageFileReader()
    reader.SetImageIO(image_io)
    reader.SetFileName(str(path))
    try:
        with quiet():
            return reader.Execute()
    except RuntimeError as error:
        raise ImageError(
            f"{path.name} is damaged or of an unsupported kind: {_reason(error)} "
            "Copy or export the file again."
        ) from error


def _reason(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1].removeprefix("sitk::ERROR: ").removeprefix("ITK ERROR: ")
    return last if last.endswith(".") else f"{last}."


def geometry_of(image: sitk.Image, path: Path) -> Geometry:
    """The grid of the first three axes of `image`; refuses 2-D images and sheared axes."""
    n = image.GetDimension()
    if n < 3:
        raise ImageError(
            f"{path.name} is a {n}-D image: a volume is wanted, because the step between "
            "slices is not known here. Export the whole series."
        )
    axes = np.array(image.GetDirection()).reshape(n, n)[:3, :3]
    x, y, z = image.GetOrigin()[:3]
    try:
        return Geometry(image.GetSize()[:3], image.GetSpacing()[:3], (x, y, z), tuple(axes.flat))
    except CentrumError as error:
        error.add_note(f"while reading {path.name}")
        raise


def scalar_array(image: sitk.Image, path: Path) -> NDArray:
    """Voxels [z, y, x] of a scalar 3-D image; a fourth axis of length one is dropped."""
    components = image.GetNumberOfComponentsPerPixel()
    if components > 1 or "complex" in image.GetPixelIDTypeAsString():
        raise ImageError(
            f"{path.name} has {components} components per voxel "
            f"({image.GetPixelIDTypeAsString()}): one real number per voxel is wanted. "
            "Colour, vector and complex images must be reduced to one channel first."
        )
    array = sitk.GetArrayFromImage(image)
    if array.ndim > 3 and array.shape[0] > 1:
        raise ImageError(
            f"{path.name} is {array.ndim}-D with {array.shape[0]} volumes (echoes or time "
            "points): one volume is wanted. Split the file and name the volume to use."
        )
    return array.reshape(array.shape[-3:])


def to_image(array: NDArray, geometry: Geometry) -> sitk.Image:
    """An array [z, y, x] on its grid as a SimpleITK image (booleans as uint8)."""
    image = sitk.GetImageFromArray(array.astype(np.uint8) if array.dtype == bool else array)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    return image
