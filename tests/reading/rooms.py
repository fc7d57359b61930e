"""Studies that two readers have read."""

from pathlib import Path

from centrum.reading.desk import Desk
from tests.reading.hands import Hand, small_study, square


def case_of(desk: Desk, token: str) -> str:
    return desk._book.get(token).case  # type: ignore[union-attr]


def tokens_of(desk: Desk, reader: str) -> dict[str, str]:
    """Token by case, of the current session."""
    return {case_of(desk, work["token"]): work["token"] for work in desk.worklist(reader)}


def hand_of(desk: Desk, reader: str, case: str) -> Hand:
    return Hand(desk, reader, tokens_of(desk, reader)[case]).open()


def outline(hand: Hand, *, size: float = 9, level: float = 12) -> Hand:
    """Slices 1 and 3 drawn, 2 filled, 4 drawn as slice 3, the others without a body."""
    hand.level(y=level)
    hand.polygon(1, square(8, 7, size - 2))
    hand.polygon(3, square(7, 6, size))
    hand.fill()
    hand.polygon(4, square(7, 6, size))
    for k in (0, 5, 6):
        hand.nobody(k)
    return hand


def read_study(folder: Path, n: int = 2, room: str = "training: {cases: 0}\n") -> Path:
    """A study of `n` cases without masks of its own, which both readers have signed."""
    study = small_study(folder, n, room)
    without_masks(study)
    with Desk(study) as desk:
        for reader, size in (("reader1", 9), ("reader2", 10)):
            for token in tokens_of(desk, reader).values():
                outline(Hand(desk, reader, token).open(), size=size).submit()
    return study


def without_masks(study: Path) -> None:
    """Take the masks of the manifest away, as of a study that is yet to be read."""
    path = study / "cases.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    kept = [k for k, head in enumerate(rows[0]) if not head.startswith("mask")]
    path.write_text("".join(",".join(row[k] for k in kept) + "\n" for row in rows))
