"""What is left when a case is signed: its mask on the grid of the image, and a record.

The record is made of the journal alone and can be made again from it.
"""

import os
from dataclasses import replace
from pathlib import Path

from centrum.cohort.levels import Level
from centrum.cohort.readings import MASK_ENDING, ReadingRecord, read_signed, write_signed
from centrum.errors import of_case
from centrum.io.open import file_format
from centrum.io.paths import split_source
from centrum.io.scratch import fetched
from centrum.io.write import write_masks
from centrum.reading.state import CaseState
from centrum.store import write_atomically
from centrum.volume import Mask

DICOM_ENDING = ".seg.dcm"

UNNAMED = "vertebral body"
"""Name of the segment where the manifest names no level."""


def record_of(state: CaseState) -> ReadingRecord:
    """The record of a case that is signed."""
    return ReadingRecord(
        digest=state.mask_digest,
        seconds=state.seconds,
        strokes=dict(state.strokes or {}),
        provenance=tuple(outline.provenance for outline in state.slices),
        quality=state.flags,
        comment=state.comment,
        level=state.level,
        signed_utc=state.signed_utc,
        journal_line=state.signed,
        taken_from=state.taken_from,
    )


def keep_record(study: Path, reader: str, session: str, token: str, state: CaseState) -> None:
    """Enter a case among those that are signed, or take it out if it no longer is."""
    records = read_signed(study, reader, session)
    records.pop(token, None)
    if state.signed:
        records[token] = record_of(state)
    write_signed(study, reader, session, records)


def segment_name(level: Level | None) -> str:
    """What the segment of a level is called."""
    return level.name if level else UNNAMED


def write_signed_mask(
    folder: Path, token: str, mask: Mask, level: Level | None, source: str
) -> str:
    """Write a mask as .seg.nrrd, and as DICOM SEG where its image is DICOM; why there is no SEG.

    The text is "" where there is one, or where the image is none of DICOM.
    """
    named = replace(mask, name=segment_name(level))
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{token}{MASK_ENDING}"
    os.replace(write_masks([named], unfinished), folder / f"{token}{MASK_ENDING}")
    if not _is_dicom(source):
        return ""
    try:
        write_atomically(folder / f"{token}{DICOM_ENDING}", _dicom(named, level, source))
    except Exception as error:
        return of_case(error).code
    return ""


def _is_dicom(source: str) -> bool:
    path, _ = split_source(fetched(source))
    return path.is_dir() or file_format(path) == "DICOM"


def _dicom(mask: Mask, level: Level | None, source: str) -> bytes:
    from centrum.pacs.seg import named_regions, segmentation
    from centrum.pacs.source import encoded, read_series

    regions = named_regions([("", mask, level)])
    return encoded(segmentation(read_series(source), regions))
