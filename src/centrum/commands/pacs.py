"""The verbs `pacs find`, `pacs fetch` and `pacs send`."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centrum.errors import ArchiveError, CentrumError
from centrum.execution import Progress, silent
from centrum.io.structured import read_text
from centrum.pacs.archive import FoundSeries, Query, find as find_series
from centrum.pacs.audit import audit_file, note, short_digest
from centrum.pacs.connect import missing, open_archive
from centrum.pacs.identities import Identities
from centrum.pacs.profile import Profile, read_profile
from centrum.pacs.selection import read_selection, write_selection
from centrum.pacs.send import Sent, send_files
from centrum.text import counted, one_line

if TYPE_CHECKING:
    from centrum.pacs.receive import Fetched, Plan

PROMPT = Path("-")
"""In the place of a file of patients: they are typed, unseen, or come from another program."""

LARGEST_LIST = 1 << 24
WIDEST = 40
"""Letters that are shown of a description."""


def find(
    profile: Path,
    *,
    first: date | None = None,
    last: date | None = None,
    modality: str = "",
    description: str = "",
    patients: Path | None = None,
    out: Path | None = None,
) -> tuple[FoundSeries, ...]:
    """Series of the archive; `out` is the table of them that `fetch` reads.

    Raises
    ------
    ArchiveError
        Nothing narrows the search, or the archive does not answer as it should.
    """
    settings = read_profile(profile)
    asked = read_patients(patients) if patients else ()
    query = Query(first, last, modality, description, asked)
    with open_archive(settings) as archive:
        found = find_series(archive, query, settings)
    if out is not None:
        write_selection(found, out)
    told = {"archive": settings.name, "found": len(found)}
    note(audit_file(settings.audit), "find", told)
    return found


def read_patients(path: Path) -> tuple[str, ...]:
    """Patient IDs, one on each line of a file, or as they are typed.

    Raises
    ------
    ArchiveError
        There is none.
    """
    if path == PROMPT and sys.stdin.isatty():
        text = getpass("Patient IDs, with commas between them (not shown): ").replace(",", "\n")
    elif path == PROMPT:
        text = sys.stdin.read(LARGEST_LIST)
    else:
        text = read_text(path, ArchiveError, LARGEST_LIST)
    found = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not found:
        raise ArchiveError("The list of patients is empty.", remedy="One Patient ID on each line.")
    return found


@dataclass(frozen=True)
class Outlook:
    """What would be fetched: series, instances, and how many of these are there already."""

    series: int
    instances: int
    kept: int


def fetch(
    profile: Path,
    selection: Path,
    folder: Path,
    *,
    series: Sequence[str] = (),
    keep_identifiers: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> "tuple[Fetched, ...] | Outlook":
    """Series of a table of `find` into a folder, without their patients unless told otherwise.

    Raises
    ------
    ArchiveError
        The archive does not answer as it should; what arrived whole is kept.
    """
    try:
        from centrum.pacs import receive
        from centrum.pacs.deidentify import Deidentified, check_table
    except ModuleNotFoundError as error:
        raise missing(error) from error

    settings = read_profile(profile)
    chosen = read_selection(selection, series)
    cleaner = None
    if not keep_identifiers:
        check_table()
        _check_apart(folder, settings.identities, selection)
        cleaner = Deidentified(Identities(settings.identities))
    with open_archive(settings) as archive:
        plans = receive.plan(archive, chosen, folder, settings.limits, cleaner)
        if dry_run:
            return _outlook(plans)
        fetching = receive.fetch(archive, plans, folder, settings.limits, cleaner, progress)
        return _noted(settings, plans, fetching, deidentified=cleaner is not None)


def _outlook(plans: "Sequence[Plan]") -> Outlook:
    there = [(len(plan.places), len(plan.places) - len(plan.wanted())) for plan in plans]
    return Outlook(len(plans), sum(n for n, _ in there), sum(kept for _, kept in there))


def _noted(
    settings: Profile, plans: "Sequence[Plan]", fetching: "Iterator[Fetched]", *, deidentified: bool
) -> "tuple[Fetched, ...]":
    """What is fetched, told in the audit log series by series."""
    done: list[Fetched] = []
    try:
        for each in fetching:
            done.append(each)
            _note_fetched(settings, each, deidentified=deidentified)
    except CentrumError as error:
        _note_failed(settings, plans[len(done)], error)
        error.add_note(f"{len(done)} of {len(plans)} series done; what arrived is kept")
        raise
    return tuple(done)


def _check_apart(folder: Path, *private: Path) -> None:
    """Refuses files that name patients where the images will be that do not."""
    for path in private:
        if path.resolve().is_relative_to(folder.resolve()):
            raise ArchiveError(
                f"{path.name}, which says who the patients are, would lie among the images.",
                remedy="Fetch into another folder, or put the file elsewhere; the profile names "
                "the place of `identities`.",
                code="identities-among-images",
            )


def _note_fetched(settings: Profile, fetched: "Fetched", *, deidentified: bool) -> None:
    told: dict[str, str | int] = {
        "archive": settings.name,
        "series": short_digest(fetched.series.uid),
        "new": fetched.new,
        "kept": fetched.kept,
        "refused": fetched.refused.total(),
        "missing": fetched.missing,
        "identifiers": "removed" if deidentified else "kept",
        "result": "complete" if fetched.complete else "incomplete",
    }
    note(audit_file(settings.audit), "fetch", told)


def _note_failed(settings: Profile, plan: "Plan", error: CentrumError) -> None:
    told = {"archive": settings.name, "series": short_digest(plan.series.uid)}
    note(audit_file(settings.audit), "fetch", {**told, "result": f"failed: {error.code}"})


def send(
    profile: Path,
    paths: Sequence[Path],
    progress: Progress = silent,
    identities: Path | None = None,
) -> Sent:
    """DICOM files to the archive; see `centrum.pacs.send.send_files`."""
    return send_files(paths, read_profile(profile), progress, identities)


# Lines to print


def found_lines(found: Sequence[FoundSeries], *, identifiers: bool) -> Iterator[str]:
    """A table of series; without identifiers a patient is a number within this table."""
    more = "  patient id, day, UID" if identifiers else ""
    yield f"{'series':16}  {'patient':>7}  {'kind':8} {'files':>6}  description{more}"
    numbers = {p: k for k, p in enumerate(dict.fromkeys(s.patient for s in found), 1)}
    for s in found:
        line = f"{short_digest(s.uid)}  {numbers[s.patient]:7}  {one_line(s.modality)[:8]:8} "
        line += f"{s.instances or '?':>6}  {one_line(s.description)[:WIDEST]}"
        yield f"{line}  {one_line(s.patient)}  {s.day}  {s.uid}" if identifiers else line
    yield f"{counted(len(found), 'series', 'series')} of {counted(len(numbers), 'patient')}."


def outlook_line(outlook: Outlook) -> str:
    """What `fetch` would do."""
    return (
        f"{counted(outlook.instances, 'instance')} of "
        f"{counted(outlook.series, 'series', 'series')} would be fetched, {outlook.kept} of which "
        "are there."
    )


def fetched_lines(fetched: Sequence["Fetched"]) -> Iterator[str]:
    """What became of each series, and where it is."""
    for f in fetched:
        who = f"{f.patient}  " if f.patient else ""
        kind = one_line(f.series.modality)[:8]
        yield f"{f.folder.as_posix()}  {who}{kind}: {f.new} new, {f.kept} there"
        for why, n in f.refused.items():
            yield f"  refused: {counted(n, 'instance')}: {why}"
        if f.missing:
            yield f"  missing: {counted(f.missing, 'instance')} that the archive did not give"
        if f.flagged:
            yield (
                f"  look at {counted(f.flagged, 'instance')}: nothing says that no text is drawn "
                "on a derived image"
            )


def sent_lines(sent: Sent) -> Iterator[str]:
    """What arrived and what did not."""
    yield f"{counted(len(sent.sent), 'file')} sent, {len(sent.held)} were there already."
    for path, why in sent.refused.items():
        yield f"refused: {path.name}: {why}"
    if sent.left:
        yield f"Not sent: {counted(len(sent.left), 'file')}, from {sent.left[0].name} on."
    if sent.problem:
        yield sent.problem


def found_json(found: Sequence[FoundSeries], *, identifiers: bool) -> list[dict[str, Any]]:
    """Rows for scripts."""
    rows = []
    for s in found:
        row = {"series": short_digest(s.uid), "modality": s.modality,
               "description": s.description, "instances": s.instances}  # fmt: skip
        rows.append(row | ({"patient": s.patient, "day": s.day, "study_uid": s.study,
                            "uid": s.uid} if identifiers else {}))  # fmt: skip
    return rows


def fetched_json(fetched: Sequence["Fetched"]) -> list[dict[str, Any]]:
    """What became of each series, for scripts."""
    return [
        {"series": short_digest(f.series.uid), "folder": f.folder.as_posix(),
         "patient": f.patient, "new": f.new, "kept": f.kept, "refused": dict(f.refused),
         "missing": f.missing, "flagged": f.flagged}
        for f in fetched
    ]  # fmt: skip


def sent_json(sent: Sent) -> dict[str, Any]:
    """What arrived and what did not, for scripts."""
    names = {what: [p.name for p in getattr(sent, what)] for what in ("sent", "held", "left")}
    refused = {path.name: why for path, why in sent.refused.items()}
    return {**names, "refused": refused, "problem": sent.problem}
