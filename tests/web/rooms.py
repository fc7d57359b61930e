"""A small study with canaries, its room, and hands that draw in it over HTTP."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import SimpleITK as sitk
import yaml
from starlette.testclient import TestClient

from centrum.commands.read import LEAD, Desk, Pins
from centrum.reading.raster import fill_polygons, runs_of, slice_digest
from centrum.web.address import Address
from centrum.web.app import create_app
from centrum.web.auth import Door
from tests.studies import write_rows

ROOM = Address("127.0.0.1", 8484)
READERS = ("anna", "ben")

SHAPE = (4, 20, 24)
"""Slices, rows and columns, as the room shows them."""

CANARIES = ("Kanarienvogel", "Zeisig", "malignant", "osteoporotic", "kanarifolder", "48151623")
"""What stands in the manifest, and may stand in nothing that is sent or logged: case, patient,
outcomes, folder, number."""

SETTINGS: dict[str, Any] = {
    "readers": list(READERS), "sessions": ["first"], "training": {"cases": 0}, "seed": 7,
}  # fmt: skip


def image(seed: int = 0, shape: Sequence[int] = SHAPE) -> sitk.Image:
    """Sagittal slices: x runs to posterior, y to inferior, z to the right."""
    noise = np.random.default_rng(seed).integers(0, 900, shape).astype(np.int16)
    made = sitk.GetImageFromArray(noise)
    made.SetSpacing((0.9, 0.9, 4.4))
    made.SetDirection((0, 0, -1, 1, 0, 0, 0, -1, 0))
    return made


def make_study(folder: Path, cases: int = 4, settings: dict[str, Any] | None = None) -> Path:
    """A study in whose manifest the canaries are; two cases are of each patient."""
    images = folder / "kanarifolder"
    images.mkdir(parents=True)
    rows = []
    for k in range(cases):
        sitk.WriteImage(image(k), images / f"Kanarienvogel-{k}.nrrd")
        rows.append(
            {
                "case": f"Kanarienvogel {k}",
                "patient": f"Zeisig {k // 2}",
                "level": ["T12", "L1", "L3"][k % 3],
                "outcome": ["malignant", "osteoporotic"][k % 2],
                "mrn": f"48151623{k}",
                "age": 70 + k,
                "image": f"kanarifolder/Kanarienvogel-{k}.nrrd",
            }
        )
    write_rows(folder, rows)
    (folder / "study.yaml").write_text("preset: vcf-t2w\nimages: {weighting: null}\n")
    (folder / "readings").mkdir()
    text = yaml.safe_dump({**SETTINGS, **(settings or {})})
    (folder / "readings" / "room.yaml").write_text(text)
    return folder


def square(k: int = 0, size: int = 6) -> dict[str, Any]:
    """A polygon on a slice."""
    a, b = 4.25 + k % 5, 4.25 + k % 5 + size
    return {"kind": "polygons", "polygons": [[[a, a], [b, a], [b, b], [a, b]]]}


def digest_of(content: dict[str, Any] | None, shape: tuple[int, int] = SHAPE[1:]) -> str:
    """Of a slice that holds it."""
    runs: tuple[int, ...] = ()
    if content and content["kind"] == "polygons":
        runs = runs_of(fill_polygons(content["polygons"], shape))
    if content and content["kind"] == "runs":
        runs = tuple(content["runs"])
    return slice_digest(runs, shape)


def fresh() -> str:
    """An id of a write."""
    return secrets.token_hex(16)


@dataclass
class Hand:
    """A reader in a browser, who knows the revision of each case."""

    client: httpx2.Client | TestClient
    origin: str = ROOM.origin
    revisions: dict[str, int] = field(default_factory=dict)

    def send(
        self, method: str, path: str, body: Any = None, revision: int | None = None
    ) -> httpx2.Response:
        """A write as the page sends it."""
        headers = {"origin": self.origin}
        if revision is not None:
            headers["if-match"] = f'"{revision}"'
        return self.client.request(method, path, json={} if body is None else body, headers=headers)

    def enter(self, **proof: str) -> "Hand":
        """By link, or by name and PIN."""
        assert self.send("POST", "/enter", proof).status_code == 200
        return self

    def tokens(self) -> list[str]:
        """One's own, in their order."""
        return [entry["token"] for entry in self.client.get("/api/worklist").json()]

    def open(self, token: str, level: bool = True) -> dict[str, Any]:
        """A case, with the level placed."""
        view = self.client.get(f"/api/t/{token}").json()
        self.revisions[token] = view["state"]["revision"]
        if level and view["state"]["level"] is None:
            self.write(token, "PUT", "level", {"slice": 1, "x": 8, "y": 9})
        return view

    def write(self, token: str, method: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """A write that has to succeed."""
        body = {"id": fresh(), **body}
        answer = self.send(method, f"/api/t/{token}/{what}", body, self.revisions[token])
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] == f'"{answer.json()["revision"]}"'
        self.revisions[token] = answer.json()["revision"]
        return answer.json()

    def draw(self, token: str, k: int, content: dict[str, Any] | None = None) -> dict[str, Any]:
        """An edit of a slice."""
        return self.write(token, "PUT", f"slice/{k}", edit(content or square(k)))

    def sign(self, token: str) -> dict[str, Any]:
        """Draw all slices and sign."""
        self.open(token)
        for k in range(SHAPE[0]):
            self.draw(token, k)
        return self.write(token, "POST", "submit", {})


TOOLS = {"polygons": "polygon", "runs": "brush", "nobody": "nobody"}


def edit(content: dict[str, Any] | None, /, **changed: Any) -> dict[str, Any]:
    """An edit as it is sent, without its id."""
    tool = TOOLS[content["kind"]] if content else "clear"
    made = {"tool": tool, "content": content, "after": digest_of(content), "seconds": 1.5}
    return made | changed


@dataclass
class Served:
    """A room that is answered within this process."""

    study: Path
    desk: Desk
    door: Door
    clients: list[TestClient] = field(default_factory=list)

    def client(self) -> TestClient:
        """A browser that nobody entered with."""
        app = create_app(self.desk, self.door, ROOM)
        made = TestClient(app, base_url=ROOM.origin, raise_server_exceptions=False)
        self.clients.append(made.__enter__())
        return made

    def hand(self, name: str) -> Hand:
        """Somebody who entered by a link."""
        return Hand(self.client()).enter(link=self.door.link(name))


@contextmanager
def served(study: Path, **door: Any) -> Iterator[Served]:
    """The room of a study."""
    with Desk(study) as desk:
        room = Served(study, desk, Door((*desk.readers(), LEAD), Pins(study), **door))
        yield room
        for client in room.clients:
            client.__exit__()
