"""Small images, masks and DICOM series, written as scanners and 3D Slicer write them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from centrum.geometry import Geometry

Write = Callable[..., Path]

SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


@pytest.fixture
def grid() -> Geometry:
    """A sagittal grid of 9 x 8 x 5 voxels."""
    return Geometry((9, 8, 5), (0.6, 0.7, 4.4), (11.5, -20.25, 33.0), (0, 0, -1, 1, 0, 0, 0, -1, 0))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an array [z, y, x] (or [z, y, x, component]) on a grid."""

    def _write(
        name: str,
        array: NDArray,
        geometry: Geometry,
        keys: Mapping[str, str] | None = None,
        compress: bool = False,
    ) -> Path:
        image = sitk.GetImageFromArray(array, isVector=array.ndim == 4)
        image.SetSpacing(geometry.spacing)
        image.SetOrigin(geometry.origin)
        image.SetDirection(geometry.direction)
        for key, value in (keys or {}).items():
            image.SetMetaData(key, value)
        sitk.WriteImage(image, str(tmp_path / name), compress)
        return tmp_path / name

    return _write


@pytest.fixture
def write_series(tmp_path: Path) -> Write:
    """Write one DICOM file per slice [z, y, x]; `changes` alters the header of slice k."""

    def _write(
        array: NDArray,
        positions: Sequence[float] | None = None,
        *,
        folder: str = "series",
        uid: str = "1.2.3",
        changes: Callable[[int], Mapping[str, Any]] = lambda k: {},
    ) -> Path:
        (tmp_path / folder).mkdir(exist_ok=True)
        for k, pixels in enumerate(array.astype("<u2")):
            header = _slice(pixels, positions[k] if positions else 4.4 * k, uid)
            for keyword, value in changes(k).items():
                setattr(header, keyword, value)
            name = f"{uid}-{k:02d}.dcm"
            header.save_as(tmp_path / folder / name, enforce_file_format=True)
        return tmp_path / folder

    return _write


def _slice(pixels: NDArray, position: float, uid: str) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = MRImageStorage
    header.SOPInstanceUID = generate_uid(entropy_srcs=[uid, str(position)])
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.PatientName, header.PatientID, header.StudyDate = "DOE^JANE", "4711", "20240131"
    header.SeriesInstanceUID, header.Modality = uid, "MR"
    header.Rows, header.Columns = pixels.shape
    header.PixelSpacing = [0.7, 0.6]
    header.ImageOrientationPatient = list(SAGITTAL)
    header.ImagePositionPatient = [-position, -20.25, 33]
    header.SliceThickness, header.EchoTime, header.RepetitionTime = 4, 104, 2778
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation = 15, 0
    header.PixelData = pixels.tobytes()
    return header


@pytest.fixture
def stack() -> NDArray:
    """Five different slices of 8 x 9 pixels."""
    return np.random.default_rng(1).integers(0, 1000, (5, 8, 9))
