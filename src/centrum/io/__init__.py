"""Read images and masks: NIfTI, NRRD (`.seg.nrrd`), MetaImage; of DICOM series, SEG and RTSTRUCT.

`open` tells the format and chooses the reader; every mask comes back on its image's grid.
`checks` says what is wrong with an image and a mask that could be read.
"""

from centrum.io.checks import (
    ImageFinding,
    inspect_case,
    inspect_image,
    of_contours,
    stated_orientation,
)
from centrum.io.dicom_files import Series, list_series
from centrum.io.open import (
    list_segments,
    read_each,
    read_image,
    read_labels,
    read_mask,
    read_masks,
    source_digest,
)
from centrum.io.paths import split_source
from centrum.io.placing import place_mask
from centrum.io.segments import LabelImage, Segment, Segmentation

__all__ = [
    "ImageFinding",
    "LabelImage",
    "Segment",
    "Segmentation",
    "Series",
    "inspect_case",
    "inspect_image",
    "list_segments",
    "list_series",
    "of_contours",
    "place_mask",
    "read_each",
    "read_image",
    "read_labels",
    "read_mask",
    "read_masks",
    "source_digest",
    "split_source",
    "stated_orientation",
]
