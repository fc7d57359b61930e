"""The images of a room's cases, as its readers look at them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from centrum.arrays import Flags
from centrum.cohort.levels import Level
from centrum.errors import CentrumError, DataError
from centrum.io import source_digest
from centrum.measure.images import CaseImages
from centrum.prepare.resample import onto_grid
from centrum.reading import training
from centrum.reading.room import Room
from centrum.reading.sheet import Sheets, lay_out
from centrum.reading.shelf import Few
from centrum.reading.ticket import Ticket, TicketBook

KEPT_IMAGES = 3
"""Images that are kept in memory, some 10 MB each."""


class LightBox:
    """Slices of the cases of a room; who asks for some waits for nobody but who asks for others.

    The image of a case is noted in its tickets when it is first looked at, and is the same ever
    after.
    """

    def __init__(self, room: Room, book: TicketBook) -> None:
        self._room, self._book = room, book
        self._lock = threading.RLock()
        self._levels: dict[str, Level] = {}
        self._kept = Few[tuple[str, str], Sheets](KEPT_IMAGES)

    def prepare(self, phantoms: tuple[str, ...]) -> None:
        """Make the phantoms of the practice, which takes seconds; else they are when opened."""
        for name in phantoms:
            with self._lock:
                training.phantom(self._room, name)

    def __len__(self) -> int:
        return len(self._kept)

    def further(self, ticket: Ticket) -> list[str]:
        """Other sequences that may be looked at."""
        if ticket.training or not self._room.settings.shown.sequences:
            return []
        return [
            name for name in self._room.cases[ticket.case].images if name != self._room.sequence
        ]

    def level_of(self, ticket: Ticket) -> Level | None:
        """The level that is to be drawn."""
        if ticket.training:
            if ticket.case not in self._levels:
                self._levels[ticket.case] = training.phantom_level(self._room, ticket.case)
            return self._levels[ticket.case]
        return self._room.cases[ticket.case].level

    def sheets(self, ticket: Ticket, sequence: str | None = None) -> Sheets:
        """The slices of a case, or those of another sequence on the same grid.

        Raises
        ------
        DataError
            There is no such sequence, or it may not be shown ("no-sequence"); the image cannot be
            read ("unreadable-image") or is another than it was ("image-changed").
        """
        if sequence is not None and sequence not in self.further(ticket):
            raise DataError("There is no such sequence.", code="no-sequence")
        key = f"{ticket.session}:{ticket.case}" if ticket.training else ticket.case
        with self._lock:
            return self._kept.kept((key, sequence or ""), lambda: self._laid_out(ticket, sequence))

    def _laid_out(self, ticket: Ticket, sequence: str | None) -> Sheets:
        with _nameless():
            if ticket.training:
                return lay_out(training.phantom(self._room, ticket.case)[0])
            case, read = self._room.cases[ticket.case], CaseImages(self._room.images)
            source = case.images[self._room.sequence]
            first = read.image(source)
            sheets = lay_out(first)
            if sequence is not None:
                other = read.image(case.images[sequence], first)
                return lay_out(onto_grid(other, first.geometry))
        self._check_image(ticket, source, sheets)
        return sheets

    def _check_image(self, ticket: Ticket, source: str, sheets: Sheets) -> None:
        """Note which image it is, or refuse another one than was drawn on."""
        with _nameless():
            image = source_digest(source)
        found = (image, sheets.geometry_digest)
        for each in self._book.of_case(ticket.case):
            if each.image and (each.image, each.geometry) != found:
                raise DataError(
                    "The image of this case is another one than it was when it was first opened.",
                    remedy="Tell the study's lead, who puts the first one back.",
                    code="image-changed",
                )
        self._book.note_image(ticket.case, *found)

    def has_proposal(self, ticket: Ticket) -> bool:
        """Whether an outline of another program may be taken over."""
        if ticket.training or ticket.from_scratch:
            return False
        return self._room.proposal(self._room.cases[ticket.case]) is not None

    def proposed(self, ticket: Ticket) -> Flags:
        """That outline, [slice, row, column]."""
        case, read = self._room.cases[ticket.case], CaseImages(self._room.images)
        with _nameless():
            volume = read.image(case.images[self._room.sequence])
            mask = read.mask(str(self._room.proposal(case)), volume)
        return self.sheets(ticket).drawn(mask)

    def truth(self, ticket: Ticket) -> Flags:
        """The true outline of a practice, [slice, row, column]."""
        return self.sheets(ticket).drawn(training.phantom(self._room, ticket.case)[1])


@contextmanager
def _nameless() -> Iterator[None]:
    """Errors about files without their names, which may be those of patients."""
    try:
        yield
    except (CentrumError, OSError) as error:
        raise DataError(
            "The images of this case cannot be read.",
            remedy="Go on with another one, and tell the study's lead; `centrum check` says why.",
            code="unreadable-image",
        ) from error
