"""One DICOM file as a whole: bytes are looked at before pydicom may read them."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.uid import UID

from centrum.errors import ArchiveError, CentrumError
from centrum.io.dicom_object import DEFLATED, MOST_ITEMS, is_whole, most_made, reading
from centrum.io.gzipped import damaged
from centrum.pacs.archive import ToSend

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def read_instance(data: bytes, name: Path) -> Dataset:
    """The object of a file, once it is known that reading it takes a bounded size.

    Raises
    ------
    CentrumError
        It would unfold to more than it is ("damaged-instance"), is cut short, or cannot be read.
    """
    if DEFLATED.encode() in data or most_made(data) > MOST_ITEMS:
        raise ArchiveError(
            f"{name.name} would unfold to far more than it is, and is not read.",
            remedy="Export it uncompressed.",
            code="damaged-instance",
        )
    with reading(name):
        dataset = dcmread(BytesIO(data))
        whole = is_whole(dataset) and _has_pixels(dataset)
        list(dataset)  # each entry is converted, so that a damaged one is found now
    if not whole:
        raise damaged(name, "it ends before it should")
    return dataset


def _has_pixels(dataset: Dataset) -> bool:
    """Whether pixels are there, if it is an image."""
    is_image = "Image Storage" in UID(dataset.get("SOPClassUID", "")).name
    return not is_image or any(keyword in dataset for keyword in PIXELS)


def stored(file: ToSend, store: Callable[[Dataset], str]) -> str:
    """Why a file was not stored, "" where it was.

    What cannot be read, or is cut short, is refused here; the others are sent.
    """
    try:
        dataset = read_instance(file.path.read_bytes(), file.path)
    except CentrumError as error:
        return error.message
    return store(dataset)
