"""The page of a scored patient in an archive: as a picture, and as PDF.

A secondary capture is what every viewer shows, those too that show no structured report; the PDF
has the text. Both say on themselves that they are for research. The page names the case, which can
be a name: both say that they may tell who it is (Burned In Annotation).

Source: DICOM PS3.3, A.8.1 (Secondary Capture Image), A.45.1 (Encapsulated PDF).
"""

import hashlib
from typing import TYPE_CHECKING

from centrum.pacs.seg import SERIES_NUMBER
from centrum.pacs.source import RESEARCH, SourceSeries, derived_uid, describe_source
from centrum.provenance import __version__

if TYPE_CHECKING:
    from PIL.Image import Image
    from pydicom import Dataset

TITLE = "Score of one region"


def secondary_capture(page: "Image", source: SourceSeries) -> "Dataset":
    """A page, RGB, as an image of its own series. The same page gives the same object."""
    from pydicom.uid import SecondaryCaptureImageStorage

    pixels = page.tobytes()
    made = _made(source, SecondaryCaptureImageStorage, "OT", 2, pixels)
    made.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    made.Columns, made.Rows = page.size
    made.SamplesPerPixel, made.PhotometricInterpretation = 3, "RGB"
    made.PlanarConfiguration, made.PixelRepresentation = 0, 0
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PatientOrientation = ""
    made.DerivationDescription = f"{TITLE}. {RESEARCH}."
    made.SourceImageSequence = _references(source)
    made.PixelData = pixels + b"\0" * (len(pixels) % 2)
    describe_source(made, source, body=True)
    return made


def encapsulated_pdf(document: bytes, source: SourceSeries) -> "Dataset":
    """A PDF as a document of its own series. The same document gives the same object."""
    from pydicom.uid import EncapsulatedPDFStorage

    made = _made(source, EncapsulatedPDFStorage, "DOC", 3, document)
    made.DocumentTitle = f"{TITLE}. {RESEARCH}."
    made.ConceptNameCodeSequence = []
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.AcquisitionDateTime = None
    made.SourceInstanceSequence = _references(source)
    made.EncapsulatedDocumentLength = len(document)
    made.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    describe_source(made, source, body=False)
    return made


def _made(source: SourceSeries, kind: str, modality: str, place: int, content: bytes) -> "Dataset":
    """What a page has in common: whose file, series and instance it is, and what made it."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    key = (kind, __version__, source.uid, hashlib.sha256(content).hexdigest())
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = kind
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = derived_uid("page", *key)
    made.SeriesInstanceUID = derived_uid("page series", *key)
    made.Modality, made.SeriesNumber, made.InstanceNumber = modality, SERIES_NUMBER + place, 1
    made.SeriesDescription = f"{TITLE}. {RESEARCH}."
    made.ConversionType = "WSD"
    made.Manufacturer = made.ManufacturerModelName = "centrum"
    made.SoftwareVersions = __version__
    made.BurnedInAnnotation = "YES"
    return made


def _references(source: SourceSeries) -> "list[Dataset]":
    from pydicom import Dataset

    named = []
    for image in source.images:
        item = Dataset()
        item.ReferencedSOPClassUID = image.SOPClassUID
        item.ReferencedSOPInstanceUID = image.SOPInstanceUID
        named.append(item)
    return named
