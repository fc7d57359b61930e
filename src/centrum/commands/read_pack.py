"""The verbs `read --pack` and `read --unpack`: a reader's cases on their own computer, and back.

A pack is a study of its own, in which every case is called by a token: pixels and grids, the level,
what the room shows besides, and nothing that names anybody. What comes back is believed as far as
its journals tell: masks are made of them again, on the study's own grids.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import yaml

from centrum.cohort.case import Case, column
from centrum.cohort.manifest import write_manifest
from centrum.cohort.readings import MASK_ENDING, READINGS
from centrum.commands.read import existing_room, refuse_letters, tickets_of
from centrum.commands.read_archive import BACKUP_FORMAT, CONTENTS, ReadingsFile, write_archive
from centrum.errors import CentrumError, DataError
from centrum.execution import Progress, silent
from centrum.io import read_mask, source_digest
from centrum.io.write import write_image, write_masks
from centrum.measure.images import CaseImages
from centrum.provenance import canonical_json
from centrum.reading.journal import JOURNAL, Journal, Line, read_journal
from centrum.reading.raster import slice_digest
from centrum.reading.room import ROOM, TRAINING, Room
from centrum.reading.sheet import Sheets, lay_out
from centrum.reading.signed import keep_record, segment_name, write_signed_mask
from centrum.reading.state import CaseState, replay
from centrum.reading.ticket import TICKETS, Ticket, TicketBook
from centrum.store import write_atomically
from centrum.study.study import PROTOCOL
from centrum.text import counted, listed
from centrum.volume import Volume, content_digest

PACK_FORMAT = "centrum pack 1"

PACKED = "pack.json"
"""Says that a folder is a pack, and whose."""

_GIVEN_BACK = re.compile(rf"{READINGS}/([^/]+)/([^/]+)/({re.escape(JOURNAL)}|[^/]+\.seg\.nrrd)")


def pack(study: Path, reader: str, file: Path, progress: Progress = silent) -> int:
    """The cases of a reader as one ZIP file without a name in it; how many there are.

    Raises
    ------
    DataError
        There is no such reader ("no-reader"), letters are feared in images ("letters-feared"), or
        the file exists.
    CentrumError
        An image or a proposal cannot be read.
    """
    room = existing_room(study)
    _check_reader(room, reader)
    refuse_letters(room, progress)
    book = tickets_of(room)
    sessions = (TRAINING, *room.settings.sessions)
    tickets = [ticket for session in sessions for ticket in book.of(reader, session)]
    names = _names([t for t in tickets if not t.training and t.case in room.cases])
    proposed = {t.case for t in tickets if not t.from_scratch}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for done, (case, name) in enumerate(names.items(), start=1):
            _pack_images(room, book, room.cases[case], name, folder)
            if case in proposed:
                _pack_proposal(room, room.cases[case], name, folder)
            progress("packed", done, len(names))
        _write_manifest(room, names, folder)
        _write_room(room, reader, folder)
        _write_tickets(tickets, names, folder)
        _copy_own(room, reader, sessions, folder)
        (folder / PACKED).write_text(
            canonical_json({"reader": reader}), encoding="utf-8", newline=""
        )
        files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        write_archive(file, files, PACK_FORMAT)
    return len(names)


def _check_reader(room: Room, reader: str) -> None:
    if reader not in room.settings.readers:
        raise DataError(
            f"There is no reader {reader}; there are {listed(room.settings.readers)}.",
            remedy="Name one of them.",
            code="no-reader",
        )


def _names(tickets: Sequence[Ticket]) -> dict[str, str]:
    """What each case is called in the pack: by the token of its first ticket."""
    names: dict[str, str] = {}
    for ticket in tickets:
        names.setdefault(ticket.case, ticket.token)
    return names


def _pack_images(room: Room, book: TicketBook, case: Case, name: str, folder: Path) -> None:
    """The image of a case, and the other sequences where the room shows them."""
    read, source = CaseImages(room.images), case.images[room.sequence]
    first = read.image(source)
    for sequence in _sequences(room, case):
        image = read.image(case.images[sequence], None if sequence == room.sequence else first)
        _write_nameless(image, folder / _image_file(name, sequence))
    book.note_image(case.id, source_digest(source), lay_out(first).geometry_digest)


def _pack_proposal(room: Room, case: Case, name: str, folder: Path) -> None:
    """The outline that is proposed for a case, without what its file says besides."""
    source = room.proposal(case)
    if source is not None:
        read = CaseImages(room.images)
        mask = read.mask(source, read.image(case.images[room.sequence]))
        path = folder / _proposal_file(name)
        path.parent.mkdir(exist_ok=True)
        write_masks([replace(mask, name=segment_name(case.level), history=())], path)


def _proposal_file(name: str) -> str:
    return f"proposals/{name}{MASK_ENDING}"


def _sequences(room: Room, case: Case) -> tuple[str, ...]:
    return tuple(case.images) if room.settings.shown.sequences else (room.sequence,)


def _write_nameless(image: Volume, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    write_image(replace(image, history=()), path)


def _image_file(name: str, sequence: str) -> str:
    return f"images/{name}-{sequence}.nrrd"


def _write_manifest(room: Room, names: Mapping[str, str], folder: Path) -> None:
    sequences = list(dict.fromkeys(s for c in names for s in _sequences(room, room.cases[c])))
    shown = [name for name in ("age", "sex") if getattr(room.settings.shown, name)]
    heads = ["case", "patient", "level", *shown, *(column("image", name) for name in sequences)]
    proposals = room.settings.assistance.proposals
    heads += [proposals.column] if proposals else []
    rows = []
    for case, name in names.items():
        known = room.cases[case]
        level = known.level.name if known.level else ""
        facts = [getattr(known, fact) for fact in shown]
        there = _sequences(room, known)
        images = [_image_file(name, s) if s in there else "" for s in sequences]
        file = _proposal_file(name)
        masks = [file if (folder / file).exists() else ""] if proposals else []
        rows.append([name, name, level, *facts, *images, *masks])
    write_manifest(heads, rows, folder / "cases.csv")
    protocol = {"preset": "vcf-t2w", "name": "Reading room",
                "images": {"weighting": None, "sequence": room.sequence}}  # fmt: skip
    _write_yaml(protocol, folder / PROTOCOL)


def _write_yaml(content: object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode())


def _write_room(room: Room, reader: str, folder: Path) -> None:
    alone = room.settings.model_dump(mode="json") | {"readers": [reader]}
    _write_yaml(alone, folder / READINGS / ROOM)


def _write_tickets(tickets: Sequence[Ticket], names: Mapping[str, str], folder: Path) -> None:
    """Without the digests of the images: those of the pack are other files."""
    kept = {}
    for ticket in tickets:
        if ticket.training or ticket.case in names:
            case = ticket.case if ticket.training else names[ticket.case]
            fields = asdict(replace(ticket, case=case, image="", geometry=""))
            kept[fields.pop("token")] = fields
    write_atomically(folder / READINGS / TICKETS, canonical_json(kept).encode())


def _copy_own(room: Room, reader: str, sessions: Sequence[str], folder: Path) -> None:
    """What the reader has done so far; no DICOM, which has the patient's name."""
    for session in sessions:
        there = room.session_folder(reader, session)
        own = [path for path in there.glob("*") if path.name.endswith((JOURNAL, MASK_ENDING))]
        for path in own:
            copy = folder / READINGS / reader / session / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def is_pack(folder: Path) -> bool:
    """Whether a folder is a pack that was laid out."""
    return (folder / PACKED).is_file()


def laid_out(path: Path) -> Path:
    """The folder of a pack; a ZIP file is laid out beside itself, once.

    Raises
    ------
    DataError
        It is no pack, or is damaged ("bad-archive").
    """
    if path.is_dir():
        return path
    folder = path.with_suffix("")
    if is_pack(folder):
        return folder
    if folder.exists():
        raise DataError(
            f"{folder.name} is there already, and is no pack.",
            remedy=f"Move it away: {path.name} is laid out in its place.",
            code="file-exists",
            file=folder,
        )
    with (
        ReadingsFile(path, PACK_FORMAT) as archive,
        tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{folder.name[:32]}.") as place,
    ):
        made = Path(place, "pack")
        for name in archive.files:
            there = made / name
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(archive.read(name))
        if not is_pack(made):
            archive.refuse("is no pack")
        made.rename(folder)
    return folder


# Back again


@dataclass(frozen=True)
class Unpacked:
    """What was taken back: lines of journals that were new, and cases that are signed now."""

    lines: int
    signed: int


class _GivenBack(NamedTuple):
    """A reader's session that came back, found to belong here."""

    reader: str
    session: str
    journal: bytes
    new: int
    lines: Mapping[str, Sequence[Line]]
    states: Mapping[str, CaseState]


def unpack(study: Path, given: Path, progress: Progress = silent) -> Unpacked:
    """Take back what was read in a pack: a backup of it, or its folder.

    Nothing is written before everything was found to belong here.

    Raises
    ------
    DataError
        A file is damaged ("bad-archive"), a chain broken ("broken-chain"), a reader, session or
        token is not of this study ("does-not-belong"), the choices of the room are others
        ("room-changed"), the study has lines that the pack has not ("diverged"), the image is
        another one ("image-changed"), or a mask is not what its journal says ("mask-differs").
    """
    room = existing_room(study)
    book, files = tickets_of(room), _files_of(given)
    found = [_belonging(room, book, name, data) for name, data in files.items() if _journal(name)]
    if not found:
        raise _foreign("it holds no journal")
    signed = [
        _Signing.of(room, book.get(token), lines, back.states[token], files)  # type: ignore[arg-type]
        for back in found
        if back.session != TRAINING
        for token, lines in back.lines.items()
    ]
    masks = [each for each in signed if each is not None]
    for back in found:
        folder = room.session_folder(back.reader, back.session)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / JOURNAL, back.journal)
    for done, each in enumerate(masks, start=1):
        each.keep(room)
        progress("taken back", done, len(masks))
    return Unpacked(sum(b.new for b in found), sum(bool(each.state.signed) for each in masks))


def _files_of(given: Path) -> dict[str, bytes]:
    """Journals and masks by name, of a backup or of a pack's folder."""
    if given.is_dir():
        found = (given / READINGS).glob("*/*/*")
        named = {path.relative_to(given).as_posix(): path for path in found if path.is_file()}
        return {
            n: path.read_bytes() for n, path in sorted(named.items()) if _GIVEN_BACK.fullmatch(n)
        }
    with ReadingsFile(given, BACKUP_FORMAT) as archive:
        names = [name for name in archive.files if _GIVEN_BACK.fullmatch(name)]
        return {name: archive.read(name) for name in names if name != CONTENTS}


def _journal(name: str) -> bool:
    return PurePosixPath(name).name == JOURNAL


def _belonging(room: Room, book: TicketBook, name: str, journal: bytes) -> _GivenBack:
    """A journal whose every line is of this study, and that goes on from the study's own."""
    _, reader, session, _ = PurePosixPath(name).parts
    if reader not in room.settings.readers or session not in (TRAINING, *room.settings.sessions):
        raise _foreign("a reader or session is not of this study")
    lines: dict[str, list[Line]] = {}
    for line in _lines(journal):
        ticket = book.get(line.token)
        if not ticket or {(reader, session)} != {
            (ticket.reader, ticket.session), (reader, line.session),
        }:  # fmt: skip
            raise _foreign("a case is not of this reader and session")
        if line.room != room.settings.frozen_digest:
            raise DataError(
                "What is given back was read under other choices than those in room.yaml.",
                remedy="Put room.yaml back as it was when it was packed.",
                code="room-changed",
            )
        lines.setdefault(line.token, []).append(line)
    new = journal.count(b"\n") - _own_lines(room, reader, session, journal)
    states = {token: _replayed(own) for token, own in lines.items()}
    return _GivenBack(reader, session, journal, new, lines, states)


def _replayed(lines: Sequence[Line]) -> CaseState:
    """The state of a case; whoever writes a chain anew can write lines that no desk has written."""
    try:
        state = replay(lines)
        if state is None:
            raise ValueError("no line")
        drawn = [slice_digest(state.pixels(k), state.shape) for k in range(len(state.slices))]
    except (ArithmeticError, AttributeError, CentrumError, LookupError, TypeError, ValueError):
        raise _foreign("a journal has lines that the room does not write") from None
    if drawn != [outline.digest for outline in state.slices]:
        raise _foreign("a journal has outlines with digests of others")
    return state


def _lines(journal: bytes) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, JOURNAL)
        path.write_bytes(journal)
        yield from read_journal(path)


def _own_lines(room: Room, reader: str, session: str, journal: bytes) -> int:
    """How many lines the study has, all of which the journal has to begin with."""
    folder = room.session_folder(reader, session)
    with Journal(folder) as own:
        known = own.path.read_bytes()
    if not journal.startswith(known):
        raise DataError(
            f"{reader}, session {session}: the study has lines that are not in what is given back.",
            remedy="It is older, or the reader went on in both places: keep both, and ask them "
            "which counts.",
            code="diverged",
        )
    return known.count(b"\n")


def _foreign(why: str) -> DataError:
    return DataError(
        f"What is given back does not belong to this study: {why}.",
        remedy="Give the backup that was made of this study's pack.",
        code="does-not-belong",
    )


@dataclass(frozen=True, eq=False)
class _Signing:
    """A case as its journal tells, on the study's own image."""

    ticket: Ticket
    case: Case
    state: CaseState
    sheets: Sheets
    source: str

    @classmethod
    def of(
        cls,
        room: Room,
        ticket: Ticket,
        lines: Sequence[Line],
        state: CaseState,
        files: Mapping[str, bytes],
    ) -> "_Signing | None":
        """None where the case was opened, and never signed."""
        case = room.cases.get(ticket.case)
        if case is None or all(line.kind != "submit" for line in lines):
            return None
        source = case.images[room.sequence]
        volume = CaseImages(room.images).image(source)
        found = cls(ticket, case, state, lay_out(volume), source)
        found._check_image(lines[0], source_digest(source))
        if state.signed and state.mask().any():
            found._check_mask(volume, files)
        return found

    def _check_image(self, opened: Line, image: str) -> None:
        told = (opened.payload.get("geometry"), tuple(opened.payload.get("shape", ())))
        same = self.ticket.image in ("", image)
        if told != (self.sheets.geometry_digest, self.sheets.shape) or not same:
            raise DataError(
                f"The image of ticket {self.ticket.token} is another one than was packed.",
                remedy="Put the first one back.",
                code="image-changed",
            )

    def _check_mask(self, volume: Volume, files: Mapping[str, bytes]) -> None:
        """The mask that came back is the one that its journal tells."""
        ticket = self.ticket
        name = f"{READINGS}/{ticket.reader}/{ticket.session}/{ticket.token}{MASK_ENDING}"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"mask{MASK_ENDING}")
            path.write_bytes(files.get(name, b""))
            try:
                given = content_digest(read_mask(path, volume))
            except CentrumError:
                given = ""
        if {given, self.state.mask_digest} != {content_digest(self.sheets.mask(self.state.mask()))}:
            raise DataError(
                f"The mask of ticket {ticket.token} is not the one that its journal tells.",
                remedy="Ask the reader for the backup again.",
                code="mask-differs",
            )

    def keep(self, room: Room) -> None:
        """Write mask and record."""
        ticket, drawn = self.ticket, self.state.mask()
        if self.state.signed and drawn.any():
            folder = room.session_folder(ticket.reader, ticket.session)
            mask = self.sheets.mask(drawn)
            write_signed_mask(folder, ticket.token, mask, self.case.level, self.source)
        keep_record(room.study, ticket.reader, ticket.session, ticket.token, self.state)


def unpacked_line(found: Unpacked) -> str:
    """What was taken back."""
    return (
        f"{counted(found.lines, 'new line')} of journals; {counted(found.signed, 'case')} signed."
    )
