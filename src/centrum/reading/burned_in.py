"""Letters that may be burned into pixels, such as a name in a corner: for the study's lead to see.

No program reads them reliably. What is found is told; whether the rest is free of them is for a
person to look at.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from centrum.cohort.case import Case
from centrum.errors import CentrumError
from centrum.execution import Progress, silent
from centrum.io.dicom_object import reading
from centrum.io.open import file_format
from centrum.io.paths import split_source
from centrum.io.scratch import fetched
from centrum.measure.images import image_of
from centrum.pacs.source import source_files
from centrum.reading.room import Room
from centrum.reading.sheet import Sheets, lay_out

CORNER = 0.2
"""Share of rows and of columns that a corner takes."""

FEWEST_PIXELS = 20
"""Bright pixels at the same places of all slices that are no chance."""

BRIGHT = 99.0
"""Percentile of the image beyond which a pixel of a corner is bright."""

BurnedIn = Literal["stated", "corner", ""]
"""Why letters are feared: the header says so, or something bright stands still in a corner."""


def find_burned_in(
    room: Room, cases: Sequence[str], progress: Progress = silent
) -> Iterator[tuple[str, BurnedIn]]:
    """Why the images of cases may show letters; those that cannot be read are left out."""
    for done, case in enumerate(cases, start=1):
        progress("Looking for burned-in text", done, len(cases))
        try:
            yield case, _burned_in(room, room.cases[case])
        except CentrumError:  # opening it says why
            continue


def _burned_in(room: Room, case: Case) -> BurnedIn:
    source = case.images[room.sequence]
    if _is_stated(source):
        return "stated"
    return "corner" if has_still_corner(lay_out(image_of(source, room.images))) else ""


def _is_stated(source: str) -> bool:
    """Whether DICOM headers say that annotations are burned in (0028,0301)."""
    import pydicom

    path, part = split_source(fetched(source))
    if not path.is_dir() and file_format(path) != "DICOM":
        return False
    with reading(path):
        headers = [
            pydicom.dcmread(file, specific_tags=["BurnedInAnnotation"], stop_before_pixels=True)
            for file in source_files(path, part)
        ]
    return any(str(each.get("BurnedInAnnotation") or "").upper() == "YES" for each in headers)


def has_still_corner(sheets: Sheets) -> bool:
    """Whether bright pixels stand at the same places in a corner of all slices, as letters do.

    Tissue moves on from slice to slice, and noise differs.
    """
    pixels = sheets.pixels
    rows, columns = (max(1, int(CORNER * n)) for n in pixels.shape[1:])
    bright = np.all(pixels > np.percentile(pixels, BRIGHT), axis=0)
    still = bright & np.all(pixels == pixels[0], axis=0)
    corners = [still[i, j] for i in (slice(rows), slice(-rows, None))
               for j in (slice(columns), slice(-columns, None))]  # fmt: skip
    return max(int(np.count_nonzero(corner)) for corner in corners) >= FEWEST_PIXELS
