"""Closing a room: what was signed goes into the manifest, and nothing else of it changes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from centrum.cohort.case import column
from centrum.cohort.cells import is_missing
from centrum.cohort.columns import position_of
from centrum.cohort.further_columns import refuse_other_than_text, with_columns
from centrum.cohort.readings import (
    FLAGS,
    READINGS,
    ClosedRoom,
    ReadingPair,
    ReadingPlace,
    write_closed,
)
from centrum.cohort.sheet import read_sheet
from centrum.errors import DataError, ManifestError
from centrum.provenance import file_digest
from centrum.reading.finished import FinishedRoom, SignedCase, finished_room, pair_of
from centrum.store import write_atomically
from centrum.study.study import manifest_path
from centrum.text import counted, listed

OTHER_LEVEL = "other_level"
"""Column that says in which cases the marks of the level lie more than half a body apart."""

YES, NO = "yes", "no"

MOST_NAMED = 12
"""Cases that a message names."""


@dataclass(frozen=True)
class Closing:
    """What closing did.

    Attributes
    ----------
    manifest : that was written
    kept : the manifest as it was before; None where nothing in it changed
    columns : heads of the columns that were written, and how many cells say something
    unsigned : cases that are not signed, by column
    other_level : cases whose marks of the level lie more than half a body apart
    not_drawn : cases that nobody outlined
    """

    manifest: Path
    kept: Path | None
    columns: Mapping[str, int]
    unsigned: Mapping[str, tuple[str, ...]]
    other_level: tuple[str, ...]
    not_drawn: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What was done, to print."""
        for head, n in self.columns.items():
            yield f"{head}: {counted(n, 'case')}"
        for name, cases in self.unsigned.items():
            if cases:
                yield f"{name}: not signed yet, and left out: {_named(cases)}"
        if self.other_level:
            yield (
                f"Level: in {_named(self.other_level)} the readers' marks lie further apart than "
                "half the height of the body. Did they read the same vertebra?"
            )
        if self.not_drawn:
            yield (
                f"Nobody outlined {_named(self.not_drawn)}: leave them out by a rule under "
                "`eligibility` in study.yaml, {name: not measurable, exclude: not_measurable == "
                "'yes'}."
            )
        name = self.manifest.name
        if self.kept is None:
            yield f"{name} says all of this already."
        else:
            yield f"{name} was written; what it was before is {self.kept.name}."


def _named(cases: Iterable[str]) -> str:
    names = list(cases)
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return listed([*names[:MOST_NAMED], *more])


def close_room(study: Path | str, *, partial: bool = False) -> Closing:
    """Write the masks of all readers, and their flags, into the manifest of a study.

    `mask:READER` names the signed masks, `mask:READER-SESSION` those of a later session and
    `mask:consensus` the adjudicated ones. A flag that any reader set has a column with yes or no.
    All other cells stay as they are; the manifest as it was is kept beside. Closing again changes
    nothing unless something was signed meanwhile.

    Raises
    ------
    DataError
        Cases are not signed (code "unsigned") and `partial` was not asked for, or a mask is not
        the one that was signed ("mask-changed").
    ManifestError
        The manifest is a workbook ("not-plain-text"), or has masks or other cells of its own in a
        column that is to be written ("column-in-use").
    """
    study = Path(study)
    manifest = manifest_path(study)
    refuse_other_than_text(manifest)
    finished = finished_room(study)
    left = {name: tuple(map(finished.name, own)) for name, own in finished.unsigned.items()}
    if not partial:
        _refuse_unsigned(left)
    pairs = [(a.case.id, pair_of(study, a, b)) for a, b in finished.pairs()]
    apart = tuple(dict.fromkeys(case for case, pair in pairs if pair.other_level))
    columns = _columns(finished, apart, read_sheet(manifest).header)
    _refuse_in_use(manifest, columns)
    kept = _write(manifest, with_columns(manifest, columns))
    write_closed(study, _closed(finished, [pair for _, pair in pairs]))
    told = {head: sum(map(bool, _said(cells))) for head, cells in columns.items()}
    finished.keep_key()
    names = (tuple(map(finished.name, cases)) for cases in (apart, _not_drawn(finished)))
    return Closing(manifest, kept, told, left, *names)


def _said(cells: Mapping[int, str]) -> list[str]:
    """What is worth counting of a column: paths, and yes."""
    return [text for text in cells.values() if text != NO]


def _refuse_unsigned(unsigned: Mapping[str, tuple[str, ...]]) -> None:
    if any(unsigned.values()):
        told = "; ".join(f"{name} {_named(cases)}" for name, cases in unsigned.items() if cases)
        raise DataError(
            f"Not all cases are signed: {told}.",
            remedy="Finish them, or close without them: `--partial`.",
            code="unsigned",
        )


def _not_drawn(finished: FinishedRoom) -> tuple[str, ...]:
    """Cases that were signed without any outline."""
    return tuple(
        case for case, own in finished.signed.items() if own and not any(s.outlined for s in own)
    )


def _columns(
    finished: FinishedRoom, apart: tuple[str, ...], header: tuple[str, ...]
) -> dict[str, dict[int, str]]:
    """Cells by head and row; what nobody says of any case has no column unless it has one."""
    rows = {case: finished.room.cases[case].row for case in finished.signed}
    columns = {
        column("mask", name): {
            rows[case]: _source(own, name) for case, own in finished.signed.items()
        }
        for name in finished.columns
    }
    flags: dict[str, dict[int, str]] = {
        flag: {
            rows[case]: YES if any(flag in s.record.quality for s in own) else NO
            for case, own in finished.signed.items()
            if own
        }
        for flag in FLAGS
    }
    flags[OTHER_LEVEL] = {
        rows[case]: YES if case in apart else NO for case, own in finished.signed.items() if own
    }
    for head, cells in flags.items():
        if YES in cells.values() or position_of(header, head) is not None:
            columns[head] = cells
    return columns


def _source(own: tuple[SignedCase, ...], name: str) -> str:
    """The mask of a reader; of a case that nobody outlined its place, so that rules can exclude it.

    A manifest has no case without a mask.
    """
    signed = next((s for s in own if s.column == name), None)
    if signed is None or (not signed.outlined and any(s.outlined for s in own)):
        return ""
    return signed.place.source


def _refuse_in_use(manifest: Path, columns: Mapping[str, Mapping[int, str]]) -> None:
    """Cells that closing has not written are somebody's work."""
    sheet = read_sheet(manifest)
    for head in columns:
        at = position_of(sheet.header, head)
        for row, text in sheet.column(at).items() if at is not None else ():
            if not _is_ours(head, text):
                raise ManifestError(
                    f"{manifest.name}, row {row}: the column {sheet.header[at or 0]!r} holds "
                    "something that the reading room did not write.",
                    remedy="Rename the column, and close again.",
                    code="column-in-use",
                    file=manifest,
                )


def _is_ours(head: str, text: str) -> bool:
    if is_missing(text):
        return True
    if head in (*FLAGS, OTHER_LEVEL):
        return text in (YES, NO)
    return ReadingPlace.of(text) is not None and text.startswith(f"{READINGS}/")


def _write(manifest: Path, content: bytes) -> Path | None:
    """Write the manifest, and the one before beside it; None where nothing changes."""
    if manifest.read_bytes() == content:
        return None
    mark = file_digest(manifest)[:8]
    kept = manifest.with_name(f"{manifest.stem}-before-{mark}{manifest.suffix}")
    write_atomically(kept, manifest.read_bytes())
    write_atomically(manifest, content)
    return kept


def _closed(finished: FinishedRoom, pairs: list[ReadingPair]) -> ClosedRoom:
    settings = finished.room.settings
    proposals, training = settings.assistance.proposals, settings.training
    every = (signed for own in finished.signed.values() for signed in own)
    return ClosedRoom(
        convention=settings.convention,
        order_seed=settings.seed,
        shown=tuple(name for name, shown in settings.shown if shown),
        assistance=tuple(name for name, there in settings.assistance if there),
        scratch_share=proposals.scratch_share if proposals else None,
        training=(training.cases, training.pass_dice) if training.cases else None,
        digests={signed.place.source: signed.record.digest for signed in every},
        pairs=tuple(pairs),
    )
