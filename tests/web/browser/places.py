"""A study whose voxels all have different values, its room on a port, and what lies on its disk."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import uvicorn
import yaml

from centrum.commands.read import LEAD, Desk, Pins
from centrum.web.address import Address
from centrum.web.app import create_app
from centrum.web.auth import Door
from tests.studies import write_rows

READER = "anna"

SIZE = (40, 36, 5)
"""Voxels along x, y and z of the stored image: posterior, inferior, right."""

SPACING = (0.7, 0.95, 4.0)
"""mm; pixels are not square."""

SAGITTAL = np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]], dtype=float)
"""Columns are the directions of x, y and z in the patient."""

ANGLES = (0.3, -0.2, 0.15)
"""Radians by which an oblique series is turned."""


def _turned(angles: Sequence[float]) -> np.ndarray:
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        step = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        step[[i, j], [i, j]] = np.cos(angle)
        step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    return turn


GRIDS: dict[str, tuple[tuple[int, int, int], np.ndarray]] = {
    "plain": (SIZE, SAGITTAL),
    "left-handed": (SIZE, SAGITTAL * [1, 1, -1]),
    "oblique": (SIZE, _turned(ANGLES) @ SAGITTAL),
    "one slice": ((*SIZE[:2], 1), SAGITTAL),
}
"""Size and direction of the image of each case."""


def image(size: tuple[int, int, int], direction: np.ndarray) -> sitk.Image:
    """Voxels that are told apart by their value."""
    values = np.random.default_rng(3).permutation(int(np.prod(size))).astype(np.int16)
    made = sitk.GetImageFromArray(values.reshape(size[::-1]))
    made.SetSpacing(SPACING)
    made.SetOrigin((12.5, -30.25, 101.0))
    made.SetDirection(direction.ravel().tolist())
    return made


def make_study(folder: Path, spare: int = 30, **settings: Any) -> Path:
    """A case for each of `GRIDS`, by its name, `spare` plain ones, and a room for one reader."""
    folder.mkdir()
    grids = GRIDS | {f"spare {k}": GRIDS["plain"] for k in range(spare)}
    for name, (size, direction) in grids.items():
        sitk.WriteImage(image(size, direction), folder / f"{name}.nrrd")
    facts = ("case", "patient", "level", "image")
    rows = [dict(zip(facts, (name, name, "L1", f"{name}.nrrd"), strict=True)) for name in grids]
    write_rows(folder, rows)
    (folder / "study.yaml").write_text("preset: vcf-t2w\nimages: {weighting: null}\n")
    (folder / "readings").mkdir()
    chosen = {"readers": [READER], "training": {"cases": 0}, **settings}
    (folder / "readings/room.yaml").write_text(yaml.safe_dump(chosen))
    return folder


@dataclass
class Room:
    """A room that is open on a port of this machine."""

    study: Path
    origin: str
    door: Door
    opened: set[str] = field(default_factory=set)

    def fresh(self) -> str:
        """A plain case that nobody has opened."""
        case = next(case for case in self.tickets if case not in {*self.opened, *GRIDS})
        self.opened.add(case)
        return case

    def link(self, name: str = READER) -> str:
        """For somebody, once."""
        return f"{self.origin}/#enter={self.door.link(name)}"

    @property
    def tickets(self) -> dict[str, str]:
        """Token of each case."""
        known = json.loads((self.study / "readings/tickets.json").read_text())
        return {ticket["case"]: token for token, ticket in known.items()}

    def journal(self, token: str, reader: str = READER) -> list[dict[str, Any]]:
        """Lines of a case in a reader's journal."""
        text = (self.study / f"readings/{reader}/first/journal.jsonl").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if line["token"] == token]

    def kinds(self, token: str) -> list[str]:
        """What the journal has of a case, but for what opens it."""
        kinds = [line["kind"] for line in self.journal(token)]
        return [kind for kind in kinds if kind not in ("open", "level")]

    def signed_mask(self, case: str) -> sitk.Image:
        """What was signed of a case."""
        return sitk.ReadImage(self.study / f"readings/{READER}/first/{self.tickets[case]}.seg.nrrd")

    def stored(self, case: str) -> sitk.Image:
        """The image of a case."""
        return sitk.ReadImage(self.study / f"{case}.nrrd")


@contextmanager
def open_room(study: Path, pins: Pins | None = None) -> Iterator[Room]:
    """Serve a study's room from a thread; it locks as its room.yaml says."""
    with Desk(study) as desk, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        address = Address("127.0.0.1", listener.getsockname()[1])
        door = Door((*desk.readers(), LEAD), pins, 60 * desk.room.settings.idle_minutes)
        app = create_app(desk, door, address)
        quiet = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(quiet)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Room(study, address.origin, door)
        server.should_exit = True
        server.force_exit = True
        thread.join(10)
