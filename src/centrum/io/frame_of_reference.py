"""Whose coordinates a DICOM file gives: positions of one frame of reference may be compared.

Two exams of a patient have coordinates of their own: a mask of the one would lie anywhere on the
other, often within it. Files of other formats name no frame, and their geometry alone decides.

Source: DICOM PS3.3, C.7.4.1 (Frame of Reference Module).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from centrum.errors import ImageError
from centrum.provenance import Step, digest
from centrum.volume import Mask, Volume

FRAME = "frame_of_reference"
"""Parameter of the reading step: a digest, since the UID itself leads back to the exam."""

SERIES = "series"
"""Parameter of the step that read a DICOM series: the digest of its UID."""

REFERENCED_SERIES = "referenced_series"
"""Parameter of the step that read a mask: digests of the series on which it says to be drawn, in
the frame that it names."""

FRAME_MADE_UP = "frame_of_reference_made_up"
"""Parameter of the step that read a mask which names its image's series in a frame of its own."""


def frame_note(uids: Iterable[Any]) -> dict[str, str]:
    """What the reading step says of the frame of its files; nothing where they name none, or many.

    >>> frame_note(["1.2", "1.2"]) == frame_note(["1.2"]) != frame_note(["1.3"])
    True
    >>> frame_note(["1.2", "1.3"]), frame_note([None])
    ({}, {})
    """
    found = {str(uid or "") for uid in uids}
    return {FRAME: digest(found.pop())} if len(found) == 1 and "" not in found else {}


def frame_of(read: Volume | Mask) -> str:
    """The digest of the frame in which an image or a mask was read, "" where its file names none.

    >>> import numpy as np
    >>> from centrum.geometry import Geometry
    >>> step = Step("read", frame_note(["1.2"]))
    >>> frame_of(Volume(np.zeros((1, 1, 1)), Geometry((1, 1, 1), (1, 1, 1)), (step,)))[:8]
    'b83db121'
    """
    return _first(read, FRAME)


def check_frame(path: Path, mask: Step, image: Volume) -> Step:
    """The reading step of a mask that may have been drawn on its image; others are refused.

    A mask that names the series of the image, whose UID no other series has, was drawn on it. If
    its frame of reference is another nevertheless, its program made that up, as rt-utils did until
    2023: the step then says so, for `checks` to tell.

    Raises
    ------
    ImageError
        Both name a frame of reference, and not the same ("other-frame-of-reference"); the mask
        names series, and not that of the image ("other-series").
    """
    frame, wanted = mask.parameters.get(FRAME, ""), frame_of(image)
    series, named = _first(image, SERIES), mask.parameters.get(REFERENCED_SERIES, ())
    other_frame = bool(frame and wanted and frame != wanted)
    if other_frame and series not in named:
        raise _other_frame(path)
    if series and named and series not in named:
        raise ImageError(
            f"{path.name} was drawn on another series than that of its image.",
            remedy="Take the series that it was drawn on, or export it with this image as its "
            "reference.",
            code="other-series",
            file=path,
        )
    return Step(mask.name, {**mask.parameters, FRAME_MADE_UP: True}) if other_frame else mask


def frame_made_up(mask: Mask) -> bool:
    """Whether a mask names the series of its image in another frame of reference."""
    return any(FRAME_MADE_UP in step.parameters for step in mask.history)


def _other_frame(path: Path) -> ImageError:
    return ImageError(
        f"{path.name} has another frame of reference than its image: its positions are those of "
        "another exam, or of the patient in another place.",
        remedy="Take the segmentation of this image. Where both were registered to each other, "
        "export it with this image as its reference.",
        code="other-frame-of-reference",
        file=path,
    )


def _first(read: Volume | Mask, parameter: str) -> str:
    found = (str(step.parameters.get(parameter, "")) for step in read.history)
    return next(filter(None, found), "")
