"""The desk of the reading room: what a reader can do, verb by verb.

Every verb takes the reader who asks and a token. A token that is another reader's is as unknown as
one that does not exist. What a verb writes is on the disk when it returns. The same `id` sent twice
is done once and answered twice, so that a page may repeat what it got no answer to.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from centrum.arrays import Flags
from centrum.cohort.case import Case
from centrum.cohort.readings import CONSENSUS, LevelMark, SliceProvenance
from centrum.errors import DataError
from centrum.provenance import digest
from centrum.reading import training
from centrum.reading.between import fill_between
from centrum.reading.checks import (
    check_open,
    check_reopening,
    done_before,
    level_first,
    no_proposal,
    not_allowed,
    signable,
)
from centrum.reading.forms import (
    fields_in,
    read_digests,
    read_flags,
    read_id,
    read_index,
    read_integers,
    read_named,
    read_seconds,
    read_text,
    read_within,
    seconds_in,
)
from centrum.reading.instructions import instructions
from centrum.reading.journal import Act, Line
from centrum.reading.light_box import LightBox
from centrum.reading.raster import Runs, mask_of, runs_of, slice_digest
from centrum.reading.refusals import DigestDiffers, UnknownTicket
from centrum.reading.room import TRAINING, open_room
from centrum.reading.sheet import Sheets
from centrum.reading.shelf import CaseHistory, Shelf, WorkSummary
from centrum.reading.shelves import Shelves
from centrum.reading.signed import keep_record, write_signed_mask
from centrum.reading.state import CaseState
from centrum.reading.strokes import read_edit
from centrum.reading.suggestion import suggested, tool_of
from centrum.reading.ticket import Ticket, TicketBook
from centrum.reading.views import (
    CaseView,
    SavedView,
    StateView,
    WorkView,
    saved_view,
    state_view,
)
from centrum.volume import content_digest


@dataclass(frozen=True, eq=False)
class TakenOutline:
    """What a consensus begins with.

    Attributes
    ----------
    name : of the reader, or how it was made of two
    slices : [slice, row, column]
    provenance : of each slice
    level : where the level is
    """

    name: str
    slices: Flags
    provenance: tuple[SliceProvenance | None, ...]
    level: LevelMark | None


@dataclass(frozen=True)
class _Work:
    """A ticket on the desk, and where its lines go."""

    ticket: Ticket
    shelf: Shelf

    @property
    def history(self) -> CaseHistory:
        """The case.

        Raises
        ------
        DataError
            It was not opened.
        """
        found = self.shelf.case(self.ticket.token)
        if found is None:
            raise DataError(
                "This case was not opened yet.", remedy="Open it first.", code="not-opened"
            )
        return found


class Desk:
    """The reading room of a study, for its readers; one process at a time, in any threads.

    A stroke waits for other strokes, and not for an image that somebody opens.

    Parameters
    ----------
    study : folder with `study.yaml` and `cases.csv`; `readings/` is made in it

    Raises
    ------
    CentrumError
        Protocol, manifest or room cannot be used; a journal is broken ("broken-chain"), open
        elsewhere ("journal-open") or of other choices ("room-changed").
    """

    def __init__(self, study: Path | str) -> None:
        self.room = open_room(study)
        self._names = training.phantom_names(self.room.settings.training.cases)
        self._lock = threading.RLock()
        self._shelves = Shelves(self.room)
        try:
            self._book = TicketBook(self.room, self._names)
            self._box = LightBox(self.room, self._book)
            self._shelves.mend_records()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process open the journals."""
        self._shelves.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Who and what

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told when the room is opened."""
        return tuple(
            f"{reader}: a line that was cut off by a crash, and never acknowledged, was removed "
            "from the journal."
            for reader in self._shelves.torn
        )

    def prepare(self) -> None:
        """Make the phantoms of the practice, which takes seconds; else they are when opened."""
        self._box.prepare(self._names)

    def readers(self) -> tuple[str, ...]:
        """Names of the readers."""
        return self.room.settings.readers

    def session(self, reader: str) -> str:
        """The session that a reader is at: the first that is not all signed, else the last."""
        if reader == CONSENSUS:
            return self.room.settings.sessions[0]
        with self._lock:
            for session in self.room.settings.sessions:
                tickets = self._tickets(reader, session)
                if not all(self._is_signed(ticket) for ticket in tickets):
                    return session
            return self.room.settings.sessions[-1]

    def worklist(self, reader: str) -> list[WorkView]:
        """A reader's own cases of the current session in their order, practice first."""
        if reader not in (*self.readers(), CONSENSUS):
            raise UnknownTicket
        with self._lock:
            tickets = self._tickets(reader, TRAINING) + self._tickets(reader, self.session(reader))
            return [self._listed(ticket, place) for place, ticket in enumerate(tickets, start=1)]

    def progress(self) -> dict[str, dict[str, int]]:
        """For the study's lead: cases, begun and signed ones of each reader's current session."""
        with self._lock:
            return {reader: self._counted(reader) for reader in self.readers()}

    def _counted(self, reader: str) -> dict[str, int]:
        tickets = self._tickets(reader, self.session(reader))
        found = [summary for t in tickets if (summary := self._summary(t))]
        signed = sum(summary.signed for summary in found)
        return {"cases": len(tickets), "begun": len(found) - signed, "signed": signed}

    def _tickets(self, reader: str, session: str) -> list[Ticket]:
        return [t for t in self._book.of(reader, session) if self._is_there(t)]

    def _is_there(self, ticket: Ticket) -> bool:
        there = self._names if ticket.training else self.room.cases
        return ticket.case in there

    def _summary(self, ticket: Ticket) -> WorkSummary | None:
        return self._shelves[ticket.reader, ticket.session].summary(ticket.token)

    def _is_signed(self, ticket: Ticket) -> bool:
        summary = self._summary(ticket)
        return bool(summary and summary.signed)

    def _listed(self, ticket: Ticket, place: int) -> WorkView:
        found = self._summary(ticket)
        state = "new" if found is None else "signed" if found.signed else "begun"
        return {
            "token": ticket.token,
            "place": place,
            "state": state,
            "slices": found.slices if found else None,
            "done": found.done if found else 0,
            "level": self._level_name(ticket),
            "seconds": found.seconds if found else 0.0,
            "training": ticket.training,
            "passed": self._passed(found) if ticket.training else None,
        }

    def _passed(self, found: WorkSummary | None) -> bool | None:
        if found is None or found.result is None:
            return None
        return found.result["dice"] >= self.room.settings.training.pass_dice

    @contextmanager
    def _at(self, reader: str, token: str) -> Iterator[_Work]:
        """A reader's own ticket, with nobody else at the desk."""
        with self._lock:
            ticket = self._book.get(token) if isinstance(token, str) else None
            shelf = self._shelves.get((reader, ticket.session)) if ticket else None
            if not ticket or not shelf or ticket.reader != reader or not self._is_there(ticket):
                raise UnknownTicket
            yield _Work(ticket, shelf)

    # Looking

    def open(self, reader: str, token: str) -> CaseView:
        """Everything about a case but its pixels.

        Raises
        ------
        UnknownTicket
            There is none, or it is another reader's.
        DataError
            The practice comes first ("training-first"), the image cannot be read
            ("unreadable-image") or is another than it was ("image-changed").
        """
        with self._at(reader, token) as work:
            self._check_practised(work.ticket)
        sheets = self._box.sheets(work.ticket)
        with self._at(reader, token) as work:
            if work.shelf.case(token) is None:
                self._begin(work, sheets)
            return self._case_view(work, sheets)

    def _check_practised(self, ticket: Ticket) -> None:
        if ticket.training or not self.room.settings.training.required:
            return
        practice = self._tickets(ticket.reader, TRAINING)
        if not all(self._passed(self._summary(each)) for each in practice):
            raise DataError(
                "The practice cases come first, and all of them are to be passed.",
                remedy="Go back to the worklist.",
                code="training-first",
            )

    def _begin(self, work: _Work, sheets: Sheets) -> None:
        ticket = self._book.get(work.ticket.token) or work.ticket
        payload = {
            "shape": list(sheets.shape),
            "spacing": list(sheets.spacing),
            "image": ticket.image,
            "geometry": ticket.geometry,
        }
        self._add(work, "open", payload)

    def _case_view(self, work: _Work, sheets: Sheets) -> CaseView:
        ticket, settings = work.ticket, self.room.settings
        case = self.room.cases.get(ticket.case)
        history = work.history
        return {
            "token": ticket.token,
            "level": self._level_name(ticket),
            "training": ticket.training,
            "shape": list(sheets.shape),
            "spacing": list(sheets.spacing),
            "windows": sheets.windows(),
            "scale": sheets.scale,
            "orientation": sheets.letters,
            "instructions": instructions(settings.convention),
            "assistance": {
                "fill": settings.assistance.fill,
                "livewire": settings.assistance.livewire,
                "growcut": settings.assistance.growcut,
                "proposals": self._box.has_proposal(ticket),
            },
            "confirm_level": settings.confirm_level,
            "shown": self._shown(case),
            "sequences": self._box.further(ticket),
            "proposal": self._box.has_proposal(ticket),
            "state": state_view(history.state, history.revision),
        }

    def _shown(self, case: Case | None) -> dict[str, Any]:
        shown = self.room.settings.shown
        facts = {"age": shown.age, "sex": shown.sex} if case else {}
        return {name: getattr(case, name) for name, allowed in facts.items() if allowed}

    def _level_name(self, ticket: Ticket) -> str:
        level = self._box.level_of(ticket)
        return level.name if level else ""

    def pixels(self, reader: str, token: str, sequence: str | None = None) -> bytes:
        """All slices as little-endian int16, [slice, row, column]; `scale` makes them intensities.

        Another `sequence` comes on the same slices, interpolated linearly; its scale and windows
        are those of `sequence_view`.

        Raises
        ------
        DataError
            There is no such sequence, or it may not be shown; code "no-sequence".
        """
        return self._shown_sheets(reader, token, sequence).encoded()

    def sequence_view(self, reader: str, token: str, sequence: str) -> dict[str, Any]:
        """Scale and windows of another sequence; errors as of `pixels`."""
        sheets = self._shown_sheets(reader, token, sequence)
        return {"name": sequence, "scale": sheets.scale, "windows": sheets.windows()}

    def _shown_sheets(self, reader: str, token: str, sequence: str | None) -> Sheets:
        """Slices for a reader; nobody else waits while they are read."""
        with self._at(reader, token) as work:
            self._check_practised(work.ticket)
        return self._box.sheets(work.ticket, sequence)

    # Drawing

    def edit(
        self, reader: str, token: str, slice: int, edit: object, revision: object
    ) -> SavedView:
        """Keep one edit of one slice, as `strokes.read_edit` reads it.

        Raises
        ------
        StaleRevision
            There is a newer state than `revision`.
        DigestDiffers
            The page computed other pixels.
        DataError
            What was sent cannot be understood ("bad-edit", "bad-runs"), the case is signed
            ("signed"), the level is to be placed first ("level-first"), the tool is not one of
            this study ("not-allowed"), or the disk takes no more ("not-saved").
        """
        with self._at(reader, token) as work:
            history = work.history
            k = read_index(slice, len(history.state.slices))
            found = read_edit(edit, history.state.shape)
            if done := done_before(history, found.id, "edit", (k,), (found.after,)):
                return saved_view(history.states[done.revision], done.revision, k)
            self._check_drawable(history, revision)
            self._check_tool(found.tool)
            pixels = slice_digest(found.runs, history.state.shape)
            if pixels != found.after:
                raise DigestDiffers(pixels)
            content = found.content.as_json() if found.content else None
            history = self._add(
                work,
                "edit",
                {"id": found.id, "content": content},
                slices=(k,),
                tool=found.tool,
                before=(history.state.slices[k].digest,),
                after=(pixels,),
                seconds=found.seconds,
            )
            return saved_view(history.state, history.revision, k)

    def _check_tool(self, tool: str) -> None:
        if not getattr(self.room.settings.assistance, tool, True):
            raise not_allowed(tool)

    def suggest(self, reader: str, token: str, slice: int, sent: object) -> dict[str, Any]:
        """What a smart tool offers on a slice, `{"content": ...}`; nothing is kept.

        Raises
        ------
        DataError
            The tool is not one of this study ("not-allowed"), the level is to be placed first
            ("level-first"), or as of `suggestion.suggested`.
        """
        with self._at(reader, token) as work:
            self._check_level(work.history.state)
            k = read_index(slice, len(work.history.state.slices))
            self._check_tool(tool_of(sent))
        sheets = self._box.sheets(work.ticket)
        return {"content": suggested(sent, sheets.plane(k), sheets.spacing[1:]).as_json()}

    def between(
        self, reader: str, token: str, from_slices: Sequence[int] | None = None
    ) -> dict[str, dict[str, Runs]]:
        """What a fill would draw, by slice: `{"slices": {k: runs}}`; nothing is kept.

        Slices that hold exactly that already are left out. `from_slices` are the drawn slices to
        go by, all of them when missing.
        """
        with self._at(reader, token) as work:
            history = work.history
            self._check_level(history.state)
            found = self._filled(work, _chosen(from_slices, history.state))
            return {"slices": {str(k): runs for k, runs in found.items()}}

    def _filled(self, work: _Work, chosen: Sequence[int] | None) -> dict[int, Runs]:
        """Pixels of the slices that a fill would change."""
        if not self.room.settings.assistance.fill:
            raise not_allowed("fill")
        state = work.history.state
        spacing = work.history.spacing[1:]
        reviewed = [k for k, outline in enumerate(state.slices) if not outline.is_untouched]
        drawn = {k: mask for k in reviewed if (mask := _pixels(state, k)).any()}
        if chosen is not None:
            drawn = {k: mask for k, mask in drawn.items() if k in chosen}
        found = {k: runs_of(mask) for k, mask in fill_between(drawn, reviewed, spacing)}
        return {
            k: runs
            for k, runs in found.items()
            if state.slices[k].provenance is None
            or state.slices[k].digest != slice_digest(runs, state.shape)
        }

    def fill(self, reader: str, token: str, accepted: object, revision: object) -> StateView:
        """Keep a fill, `{"id", "digests": {k: digest}}`; one step for undo.

        It is computed again, and refused where that gives other digests. `"from"` is the
        `from_slices` of `between`, if there were any.

        Raises
        ------
        DataError
            The fill is another one by now ("fill-changed"), or as of `edit`.
        """
        with self._at(reader, token) as work:
            history = work.history
            sent = fields_in(accepted, ("id", "digests"), ("from", "seconds"))
            name, digests = (
                read_id(sent["id"]),
                read_digests(sent["digests"], len(history.state.slices)),
            )
            slices, after = tuple(digests), tuple(digests.values())
            if done := done_before(history, name, "fill", slices, after):
                return _state_at(history, done.revision)
            self._check_drawable(history, revision)
            found = self._filled(work, _chosen(sent.get("from"), history.state))
            for k, shown in digests.items():
                if slice_digest(found.get(k, ()), history.state.shape) != shown or k not in found:
                    raise DataError(
                        "The fill is another one than was shown.",
                        remedy="Look at it again.",
                        code="fill-changed",
                    )
            return self._from_elsewhere(work, "fill", name, {k: found[k] for k in slices}, sent)

    def _from_elsewhere(
        self,
        work: _Work,
        kind: Act,
        name: str,
        runs: Mapping[int, Runs],
        sent: Mapping[str, Any],
    ) -> StateView:
        """Keep pixels of many slices as one step."""
        state = work.history.state
        history = self._add(
            work,
            kind,
            {"id": name, "runs": {str(k): found for k, found in runs.items()}},
            slices=tuple(runs),
            before=tuple(state.slices[k].digest for k in runs),
            after=tuple(slice_digest(found, state.shape) for found in runs.values()),
            seconds=seconds_in(sent),
        )
        return _state_at(history, history.revision)

    def use_proposal(self, reader: str, token: str, sent: object, revision: object) -> StateView:
        """Take the outline of another program over to all slices that nobody touched, `{"id"}`.

        Raises
        ------
        DataError
            There is none, or this case is drawn from scratch ("no-proposal"); the level is to be
            placed first ("level-first"); or as of `edit`.
        """
        with self._at(reader, token) as work:
            history, (name, fields) = work.history, read_named(sent)
            if done := done_before(history, name, "proposal"):
                return _state_at(history, done.revision)
            if not self._box.has_proposal(work.ticket):
                raise no_proposal()
            self._check_drawable(history, revision)
            if history.state.level is None:
                raise level_first()
            state = history.state
            found = {
                k: runs_of(plane)
                for k, plane in enumerate(self._box.proposed(work.ticket))
                if plane.any() and state.slices[k].is_untouched
            }
            if not found:
                raise DataError(
                    "What is proposed lies on slices that somebody has touched.",
                    remedy="Undo what was done there, or clear a slice, to take it over.",
                    code="no-proposal",
                )
            return self._from_elsewhere(work, "proposal", name, found, fields)

    def undo(
        self, reader: str, token: str, id: object, revision: object, seconds: float = 0
    ) -> StateView:
        """Take the last edit, fill or proposal back.

        Raises
        ------
        DataError
            There is none ("nothing-to-undo"), or as of `edit`.
        """
        return self._step(reader, token, "undo", id, revision, seconds)

    def redo(
        self, reader: str, token: str, id: object, revision: object, seconds: float = 0
    ) -> StateView:
        """Bring back what was last taken back; errors as of `undo` ("nothing-to-redo")."""
        return self._step(reader, token, "redo", id, revision, seconds)

    def _step(
        self, reader: str, token: str, kind: Act, id: object, revision: object, seconds: float
    ) -> StateView:
        with self._at(reader, token) as work:
            history, name = work.history, read_id(id)
            if done := done_before(history, name, kind):
                return _state_at(history, done.revision)
            check_open(history, revision)
            changes = history.state.done if kind == "undo" else history.state.undone
            if not changes:
                raise DataError(f"There is nothing to {kind}.", code=f"nothing-to-{kind}")
            change = changes[-1]
            old, new = change.after, change.before
            if kind == "redo":
                old, new = new, old
            history = self._add(
                work,
                kind,
                {"id": name, "of": change.line},
                slices=tuple(new),
                before=tuple(outline.digest for outline in old.values()),
                after=tuple(outline.digest for outline in new.values()),
                seconds=read_seconds(seconds),
            )
            return _state_at(history, history.revision)

    # Words

    def level(self, reader: str, token: str, sent: object, revision: object) -> StateView:
        """Say where the level is, `{"id", "slice", "x", "y"}`."""
        with self._at(reader, token) as work:
            history = work.history
            fields = fields_in(sent, ("id", "slice", "x", "y"), ("seconds",))
            rows, columns = history.state.shape
            mark = {
                "slice": read_index(fields["slice"], len(history.state.slices)),
                "x": read_within(fields["x"], columns),
                "y": read_within(fields["y"], rows),
            }
            return self._say(work, "level", fields, mark, revision)

    def quality(self, reader: str, token: str, sent: object, revision: object) -> StateView:
        """Say something of the image, `{"id", "flags", "comment"}`; flags are those of `FLAGS`."""
        with self._at(reader, token) as work:
            fields = fields_in(sent, ("id", "flags", "comment"), ("seconds",))
            said = {
                "flags": read_flags(fields["flags"]),
                "comment": read_text(fields["comment"]),
            }
            return self._say(work, "quality", fields, said, revision)

    def _say(
        self,
        work: _Work,
        kind: Act,
        fields: Mapping[str, Any],
        said: Mapping[str, Any],
        revision: object,
    ) -> StateView:
        history, name = work.history, read_id(fields["id"])
        after = (_short_digest(said),)
        if done := done_before(history, name, kind, after=after):
            return _state_at(history, done.revision)
        check_open(history, revision)
        history = self._add(
            work, kind, {"id": name, **said}, after=after, seconds=seconds_in(fields)
        )
        return _state_at(history, history.revision)

    def submit(self, reader: str, token: str, sent: object, revision: object) -> StateView:
        """Sign a case, `{"id"}`: its mask is written, and nothing changes until it is reopened.

        Raises
        ------
        SlicesUnread
            Of some slices nothing is said, and the case is not flagged as not measurable.
        DataError
            Nothing at all was drawn ("nothing-drawn"), the image is another one than was drawn on
            ("image-changed"), or as of `edit`.
        """
        with self._at(reader, token) as work:
            history, (name, fields) = work.history, read_named(sent)
            if done := done_before(history, name, "submit"):
                return _state_at(history, done.revision)
            check_open(history, revision)
            drawn = signable(history.state)
            payload = self._practised if work.ticket.training else self._sign
            history = self._add(
                work, "submit", {"id": name, **payload(work, drawn)}, seconds=seconds_in(fields)
            )
            self._keep_record(work)
            return _state_at(history, history.revision)

    def _sign(self, work: _Work, drawn: Flags) -> dict[str, Any]:
        """Write the mask; what the journal says of it."""
        if not drawn.any():
            return {"digest": ""}
        ticket, case = work.ticket, self.room.cases[work.ticket.case]
        mask = self._box.sheets(ticket).mask(drawn)
        folder = self.room.session_folder(ticket.reader, ticket.session)
        source = case.images[self.room.sequence]
        try:
            without = write_signed_mask(folder, ticket.token, mask, case.level, source)
        except OSError as error:
            raise DataError(
                "The mask could not be written: the disk is full or cannot be written to.",
                remedy="Make room on it, and sign again; what was drawn is kept.",
                code="not-saved",
            ) from error
        said = {"without_dicom": without} if without else {}
        return {"digest": content_digest(mask), **said}

    def _practised(self, work: _Work, drawn: Flags) -> dict[str, Any]:
        """How near a practice is; what the journal says of it."""
        sheets, truth = self._box.sheets(work.ticket), self._box.truth(work.ticket)
        found = training.compare_with_truth(drawn, truth, sheets.spacing[1:])
        result = {"dice": found.dice, "mean_signed_mm": found.mean_signed_mm}
        return {"digest": "", "result": result}

    def _keep_record(self, work: _Work) -> None:
        ticket = work.ticket
        if not ticket.training:
            keep_record(
                self.room.study, ticket.reader, ticket.session, ticket.token, work.history.state
            )

    def reopen(self, reader: str, token: str, sent: object) -> StateView:
        """Take a signature back, `{"id", "reason"}`; the mask that was signed stays on the disk.

        Raises
        ------
        DataError
            The case is not signed ("not-signed"), there is no reason ("no-reason"), or it is a
            practice whose truth was shown ("practised").
        """
        with self._at(reader, token) as work:
            history = work.history
            fields = fields_in(sent, ("id", "reason"), ("seconds",))
            name, reason = read_id(fields["id"]), read_text(fields["reason"]).strip()
            after = (_short_digest({"reason": reason}),)
            if done := done_before(history, name, "reopen", after=after):
                return _state_at(history, done.revision)
            check_reopening(work.ticket, history.state, reason)
            payload = {"id": name, "reason": reason}
            history = self._add(work, "reopen", payload, after=after, seconds=seconds_in(fields))
            self._keep_record(work)
            return _state_at(history, history.revision)

    # Consensus

    def consensus(self, case: str) -> str:
        """The token under which a case is adjudicated: a reading of its own, by `CONSENSUS`.

        Raises
        ------
        UnknownTicket
            There is no such case.
        """
        with self._lock:
            if case not in self.room.cases:
                raise UnknownTicket
            self._shelves.open_consensus()
            return self._book.issue(case, *self._shelves.of_consensus).token

    def unsigned(self) -> dict[str, str]:
        """Tokens of the consensuses that were begun or reopened, by case."""
        key = self._shelves.of_consensus
        with self._lock:
            tickets = self._tickets(*key) if key in self._shelves else []
            begun = [t for t in tickets if self._summary(t)]
            return {t.case: t.token for t in begun if not self._is_signed(t)}

    def numbers(self, reader: str, session: str) -> dict[str, int]:
        """Which of a reader's cases each token is on the worklist, from 1; practice is apart."""
        with self._lock:
            return {t.token: n for n, t in enumerate(self._tickets(reader, session), start=1)}

    def take(self, token: str, taken: TakenOutline, reason: str) -> StateView:
        """Lay outlines of readers in the place of all that a consensus has; one step for undo.

        Raises
        ------
        DataError
            The consensus is signed ("signed"), or has other slices ("other-slices").
        """
        with self._at(CONSENSUS, token) as work:
            history = work.history
            state = history.state
            check_open(history, history.revision)
            if taken.slices.shape != (len(state.slices), *state.shape):
                raise DataError(
                    "The outlines have other slices than the image.", code="other-slices"
                )
            if taken.level is not None:
                mark = taken.level.model_dump()
                self._add(work, "level", {"id": new_id(), **mark}, after=(_short_digest(mark),))
            runs = {str(k): runs_of(plane) for k, plane in enumerate(taken.slices)}
            said = {"from": taken.name, "provenance": list(taken.provenance), "reason": reason}
            history = self._add(
                work,
                "proposal",
                {"id": new_id(), "runs": runs, **said},
                slices=tuple(range(len(state.slices))),
                before=tuple(outline.digest for outline in state.slices),
                after=tuple(slice_digest(found, state.shape) for found in runs.values()),
            )
            return _state_at(history, history.revision)

    def training_result(self, reader: str, token: str) -> dict[str, Any]:
        """How near a practice is to the truth, and the pixels of that, slice by slice.

        Raises
        ------
        DataError
            It is no practice, or not signed yet; code "no-result".
        """
        with self._at(reader, token) as work:
            state = work.history.state if work.ticket.training else None
            if state is None or state.result is None:
                raise DataError(
                    "The truth is shown of practice cases alone, once they are signed.",
                    code="no-result",
                )
            return {
                **state.result,
                "passed": state.result["dice"] >= self.room.settings.training.pass_dice,
                "pass_dice": self.room.settings.training.pass_dice,
                "slices": [runs_of(plane) for plane in self._box.truth(work.ticket)],
            }

    # Checks and lines

    def _check_drawable(self, history: CaseHistory, revision: object) -> None:
        check_open(history, revision)
        self._check_level(history.state)

    def _check_level(self, state: CaseState) -> None:
        if self.room.settings.confirm_level and state.level is None:
            raise level_first()

    def _add(self, work: _Work, kind: Act, payload: Mapping[str, Any], **facts: Any) -> CaseHistory:
        """Write a line about a ticket."""
        ticket, room = work.ticket, self.room.settings.frozen_digest
        line = Line(ticket.session, ticket.token, kind, room, payload=payload, **facts)
        return work.shelf.add(line)


def new_id() -> str:
    """A name for what no page has sent."""
    return secrets.token_hex(16)


def _state_at(history: CaseHistory, revision: int) -> StateView:
    return state_view(history.states[revision], revision)


def _pixels(state: CaseState, k: int) -> Flags:
    return mask_of(state.pixels(k), state.shape)


def _chosen(from_slices: object, state: CaseState) -> tuple[int, ...] | None:
    if from_slices is None:
        return None
    found = read_integers(from_slices)
    return tuple(read_index(k, len(state.slices)) for k in found)


def _short_digest(said: Mapping[str, Any]) -> str:
    return digest(said)[:16]
