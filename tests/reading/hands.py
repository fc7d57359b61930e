"""A hand at the desk: what a page sends, with ids, digests and revisions."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from centrum.reading.desk import Desk
from centrum.reading.raster import fill_polygons, runs_of, slice_digest
from tests.studies import make_study


def new_id() -> str:
    return secrets.token_hex(16)


def write_room(study: Path, text: str) -> None:
    (study / "readings").mkdir(exist_ok=True)
    (study / "readings/room.yaml").write_text(text)


def small_study(folder: Path, n: int = 3, room: str = "training: {cases: 0}\n") -> Path:
    """A study whose images are 7 axial slices of 24 x 26."""
    make_study(folder, n)
    write_room(folder, room)
    return folder


def square(x: float, y: float, size: float) -> list[list[float]]:
    return [[x, y], [x + size, y], [x + size, y + size], [x, y + size]]


@dataclass
class Hand:
    """One reader with one case."""

    desk: Desk
    reader: str
    token: str
    revision: int = 0
    seconds: float = 0.0
    shape: tuple[int, int] = (0, 0)
    view: Any = field(default=None, repr=False)

    @classmethod
    def at(cls, desk: Desk, reader: str = "reader1", place: int = 0, **kwargs: Any) -> "Hand":
        """A hand with the case at a place of the worklist, opened."""
        hand = cls(desk, reader, desk.worklist(reader)[place]["token"], **kwargs)
        return hand.open()

    def open(self) -> "Hand":
        self.view = self.desk.open(self.reader, self.token)
        self.revision = self.view["state"]["revision"]
        self.shape = tuple(self.view["shape"][1:])
        return self

    @property
    def state(self) -> Any:
        return self.desk.open(self.reader, self.token)["state"]

    def _took(self, answer: Any) -> Any:
        self.revision = answer["revision"]
        return answer

    def digest(self, content: dict | None) -> str:
        runs: Any = ()
        if content and content["kind"] == "polygons":
            runs = runs_of(fill_polygons(content["polygons"], self.shape))
        elif content and content["kind"] == "runs":
            runs = content["runs"]
        return slice_digest(runs, self.shape)

    def sent(self, tool: str, content: dict | None, **other: Any) -> dict:
        self.seconds += 2
        body = {"id": new_id(), "tool": tool, "content": content, "seconds": self.seconds}
        return {**body, "after": self.digest(content), **other}

    def put(self, k: int, tool: str, content: dict | None, **other: Any) -> Any:
        sent = self.sent(tool, content, **other)
        return self._took(self.desk.edit(self.reader, self.token, k, sent, self.revision))

    def polygon(self, k: int, *polygons: list, tool: str = "polygon") -> Any:
        return self.put(k, tool, {"kind": "polygons", "polygons": [*polygons]})

    def runs(self, k: int, runs: list[int], tool: str = "brush") -> Any:
        return self.put(k, tool, {"kind": "runs", "runs": runs})

    def nobody(self, k: int) -> Any:
        return self.put(k, "nobody", {"kind": "nobody"})

    def clear(self, k: int) -> Any:
        return self.put(k, "clear", None)

    def level(self, k: int = 3, x: float = 12, y: float = 12) -> Any:
        sent = {"id": new_id(), "slice": k, "x": x, "y": y}
        return self._took(self.desk.level(self.reader, self.token, sent, self.revision))

    def fill(self) -> Any:
        shown = self.desk.between(self.reader, self.token)["slices"]
        digests = {k: slice_digest(runs, self.shape) for k, runs in shown.items()}
        sent = {"id": new_id(), "digests": digests}
        return self._took(self.desk.fill(self.reader, self.token, sent, self.revision))

    def undo(self) -> Any:
        return self._took(self.desk.undo(self.reader, self.token, new_id(), self.revision))

    def redo(self) -> Any:
        return self._took(self.desk.redo(self.reader, self.token, new_id(), self.revision))

    def quality(self, *flags: str, comment: str = "") -> Any:
        sent = {"id": new_id(), "flags": [*flags], "comment": comment}
        return self._took(self.desk.quality(self.reader, self.token, sent, self.revision))

    def submit(self) -> Any:
        sent = {"id": new_id()}
        return self._took(self.desk.submit(self.reader, self.token, sent, self.revision))

    def reopen(self, reason: str = "the end plate") -> Any:
        sent = {"id": new_id(), "reason": reason}
        return self._took(self.desk.reopen(self.reader, self.token, sent))

    def read(self) -> "Hand":
        """The whole case: level, three outlines, a fill, the ends without a body, signed."""
        self.level()
        self.polygon(1, square(8, 7, 6))
        self.polygon(3, square(7, 6, 9))
        self.polygon(5, square(8, 7, 7))
        self.fill()
        self.nobody(0)
        self.nobody(6)
        self.submit()
        return self
