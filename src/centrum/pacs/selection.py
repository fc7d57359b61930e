"""The series that a search found, in a table that only its owner can read.

It holds Patient IDs and UIDs, which therefore never stand in a command. Rows may be taken out.
"""

import csv
import io
import os
from collections.abc import Collection, Sequence
from dataclasses import fields
from pathlib import Path

from centrum.errors import ArchiveError
from centrum.io.csv_text import csv_text, unmarked
from centrum.io.structured import read_text
from centrum.pacs.archive import FoundSeries, checked_uid, number_of
from centrum.pacs.audit import short_digest
from centrum.pacs.profile import check_private

COLUMNS = tuple(field.name for field in fields(FoundSeries))
LARGEST = 1 << 24
OWNER_ONLY = 0o600


def write_selection(series: Sequence[FoundSeries], path: Path) -> None:
    """Write the table; a file that is there is replaced."""
    rows = [COLUMNS, *([getattr(s, c) for c in COLUMNS] for s in series)]
    beside = path.with_name(f".{path.name}.writing")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as stream:
        stream.write(csv_text(rows).encode())
    beside.replace(path)


def read_selection(path: Path, chosen: Collection[str] = ()) -> tuple[FoundSeries, ...]:
    """The series of a table, or those with the short digests `chosen`.

    Raises
    ------
    ArchiveError
        Others can read the file ("not-private"), it is no such table, or it lacks a chosen series
        ("archive-selection").
    """
    check_private(path)
    rows = list(csv.reader(io.StringIO(read_text(path, ArchiveError, LARGEST), newline="")))
    if not rows or tuple(rows[0]) != COLUMNS or any(len(r) != len(COLUMNS) for r in rows[1:] if r):
        raise _wrong(path, f"a table of series has the columns {', '.join(COLUMNS)}")
    series = {short_digest(found.uid): found for row in rows[1:] if row and (found := _series(row))}
    lacking = [name for name in chosen if name not in series]
    if lacking:
        raise _wrong(path, f"it has no series {', '.join(lacking)}")
    return tuple(found for name, found in series.items() if not chosen or name in chosen)


def _series(row: Sequence[str]) -> FoundSeries:
    study, uid, modality, description, instances, patient, day = map(unmarked, row)
    return FoundSeries(checked_uid(study), checked_uid(uid), modality, description,
                       number_of(instances), patient, day)  # fmt: skip


def _wrong(path: Path, why: str) -> ArchiveError:
    return ArchiveError(
        f"{path.name}: {why}.",
        remedy="Write it anew with `centrum pacs find --out`; rows may be left out.",
        code="archive-selection",
        file=path,
    )
