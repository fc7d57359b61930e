"""All sessions of a room, their journals open for writing by this process alone."""

from centrum.cohort.readings import CONSENSUS, read_signed
from centrum.reading.room import TRAINING, Room
from centrum.reading.shelf import Shelf
from centrum.reading.signed import keep_record, record_of


class Shelves(dict[tuple[str, str], Shelf]):
    """The shelves of a room by reader and session; those of a consensus once there is one.

    All journals are opened at once: a server that may not write one does not begin.

    Raises
    ------
    DataError
        As of `Shelf`.
    """

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        try:
            for reader in room.settings.readers:
                for session in (TRAINING, *room.settings.sessions):
                    self._open(reader, session)
            if room.session_folder(*self.of_consensus).exists():
                self.open_consensus()
        except BaseException:
            self.close()
            raise

    def _open(self, reader: str, session: str) -> None:
        folder = self._room.session_folder(reader, session)
        self[reader, session] = Shelf(folder, self._room.settings.frozen_digest)

    @property
    def of_consensus(self) -> tuple[str, str]:
        """Where adjudicated readings stand, which few studies have."""
        return CONSENSUS, self._room.settings.sessions[0]

    def open_consensus(self) -> None:
        """Make the shelf of the adjudicated readings where there is none."""
        if self.of_consensus not in self:
            self._open(*self.of_consensus)

    @property
    def torn(self) -> list[str]:
        """Readers whose journals had a line that a crash had cut off."""
        return [reader for (reader, _), shelf in self.items() if shelf.journal.torn]

    def mend_records(self) -> None:
        """Enter what was signed just before a crash; the journal says what that is."""
        for (reader, session), shelf in self.items():
            if session != TRAINING:
                _mend(self._room, reader, session, shelf)

    def close(self) -> None:
        """Let another process open the journals."""
        for shelf in self.values():
            shelf.journal.close()


def _mend(room: Room, reader: str, session: str, shelf: Shelf) -> None:
    known = read_signed(room.study, reader, session)
    for token in {*known, *shelf.journal.tokens}:
        summary = shelf.summary(token)
        signed = bool(summary and summary.signed)
        found = shelf.case(token) if signed or token in known else None
        if found and known.get(token) != (record_of(found.state) if signed else None):
            keep_record(room.study, reader, session, token, found.state)
