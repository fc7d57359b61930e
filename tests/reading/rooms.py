"""Studies that two readers have read."""

from pathlib import Path

import numpy as np

from centrum.cohort.case import Case
from centrum.cohort.manifest import read_manifest
from centrum.io import read_image, read_mask
from centrum.reading.desk import Desk
from centrum.reading.raster import runs_of
from centrum.reading.sheet import lay_out
from centrum.simulate import PhantomSettings, simulate_cohort
from tests.reading.hands import Hand, small_study, square, write_room


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


def read_phantoms(
    folder: Path, settings: PhantomSettings, room: str = "training: {cases: 0}\n"
) -> Path:
    """A simulated study in whose room the simulator's two readers have drawn their masks.

    Every other slice is drawn, the others are filled; the last outlined slice is always drawn.
    """
    simulate_cohort(settings, folder)
    (folder / "study.yaml").write_text("preset: vcf-t2w\nname: Phantoms\n")
    write_room(folder, room)
    cases = {case.id: case for case in read_manifest(folder / "cases.csv").cases}
    with Desk(folder) as desk:
        for reader, hand in zip(("reader1", "reader2"), ("senior", "resident"), strict=True):
            for case, token in tokens_of(desk, reader).items():
                draw_mask(Hand(desk, reader, token).open(), cases[case], hand)
    return folder


def draw_mask(hand: Hand, case: Case, drawer: str) -> None:
    """Draw what one of the simulated readers has drawn, and sign it."""
    image = read_image(next(iter(case.images.values())))
    planes = lay_out(image).drawn(read_mask(case.masks[drawer], image))
    outlined = [k for k, plane in enumerate(planes) if plane.any()]
    rows, columns = np.nonzero(planes[outlined[0]])
    hand.level(outlined[0], float(columns.mean()), float(rows.mean()))
    for k in (*outlined[::2], outlined[-1]):
        hand.runs(k, list(runs_of(planes[k])))
    if len(outlined) > 2:
        hand.fill()
    for k in range(len(planes)):
        if k not in outlined:
            hand.nobody(k)
    hand.seconds += 20 * len(outlined)
    hand.quality()
    hand.submit()
