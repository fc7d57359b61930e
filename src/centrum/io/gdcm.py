"""Compressed frames are decoded by GDCM, as it is within SimpleITK.

It is given a file of one frame, in which stands nothing but what was checked before.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.errors import ImageError
from centrum.io.codestream import Contradiction, PixelFormat, check_codestream
from centrum.io.itk import read_file

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def decode_frame(data: bytes, syntax: str, pixels: PixelFormat) -> NDArray:
    """Stored values [y, x] of a frame that is compressed in a transfer syntax.

    Raises
    ------
    Contradiction
        The data are not as the header says (see `codestream.check_codestream`), or cannot be
        decoded.
    """
    check_codestream(data, syntax, pixels)
    with TemporaryDirectory(prefix="centrum-") as folder:
        path = Path(folder, "frame.dcm")
        _write(path, data, syntax, pixels)
        try:
            return sitk.GetArrayFromImage(read_file(path, "GDCMImageIO"))[0]
        except ImageError as error:
            raise Contradiction("cannot be decoded") from error


def _write(path: Path, data: bytes, syntax: str, pixels: PixelFormat) -> None:
    from pydicom import Dataset, dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate

    header = Dataset()
    header.file_meta = FileMetaDataset()
    for keyword, value in _entries(pixels).items():
        setattr(header, keyword, value)
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = _SECONDARY_CAPTURE
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    header.file_meta.TransferSyntaxUID = syntax
    header.PixelData = encapsulate([data], has_bot=False)
    header["PixelData"].VR, header["PixelData"].is_undefined_length = "OB", True
    dcmwrite(path, header, enforce_file_format=True)


def _entries(pixels: PixelFormat) -> dict[str, Any]:
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": pixels.rows,
        "Columns": pixels.columns,
        "BitsAllocated": pixels.bits,
        "BitsStored": pixels.stored,
        "HighBit": pixels.stored - 1,
        "PixelRepresentation": int(pixels.signed),
    }
