"""Studies to be read whose bodies are known: phantoms, and real exams that others outlined."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from centrum.cohort.manifest import read_manifest
from centrum.cohort.phantom import NOTICE
from centrum.commands.read import existing_room, tickets_of
from centrum.io import read_image, read_mask
from centrum.io.nrrd import SIMULATED_KEY
from centrum.io.write import write_image
from centrum.reading.sheet import lay_out
from centrum.simulate import PhantomSettings, plan_cohort, render
from centrum.volume import Mask, Volume
from tests.studies import write_rows
from tests.web.hands import STYLES, Choice, Plan, every_second, plan, read_all
from tests.web.servers import Server

FIELD_MM = (110.0, 110.0)
"""Of the phantoms' images: the smallest there are."""

STEP = 4
"""Of the real exams' slices of 1 mm every fourth is kept, as acquired ones are."""

LEVELS = {"L1": "20", "L3": "22"}
"""Labels of bodies in the real exams."""


@dataclass(frozen=True)
class Body:
    """The truth as the room shows it, [slice, row, column]; mm between rows and columns."""

    planes: np.ndarray
    spacing: tuple[float, float]

    @classmethod
    def of(cls, image: Volume, mask: Mask) -> "Body":
        """From an image and a mask on its grid."""
        sheets = lay_out(image)
        return cls(sheets.drawn(mask), sheets.spacing[1:])


@dataclass(frozen=True)
class Known:
    """A study that is to be read, and the truth of each case, which lies elsewhere."""

    study: Path
    bodies: Mapping[str, Body]

    def plans(self, reader: str, choose: Choice = every_second) -> dict[str, Plan]:
        """What a reader is going to do, by case."""
        number, style = [*STYLES].index(reader), STYLES[reader]
        return {
            case: plan(body.planes, body.spacing, style, [number, k], choose)
            for k, (case, body) in enumerate(self.bodies.items())
        }

    def cases(self, reader: str) -> dict[str, str]:
        """Case of each token; the room has to have been opened."""
        tickets = tickets_of(existing_room(self.study)).of(reader, "first")
        return {ticket.token: ticket.case for ticket in tickets if not ticket.training}

    def masks(self, reader: str) -> dict[str, np.ndarray]:
        """Masks of a reader by case as the manifest names them, on the slices of the room."""
        found = {}
        for case in read_manifest(self.study / "cases.csv", optional=["outcome"]).cases:
            image = read_image(next(iter(case.images.values())))
            found[case.id] = Body.of(image, read_mask(case.masks[reader], image)).planes
        return found


def phantoms(
    folder: Path, malignant: int, osteoporotic: int, field_mm: tuple[float, float] = FIELD_MM
) -> Known:
    """A study of simulated patients without any mask."""
    settings = PhantomSettings(malignant, osteoporotic, field_mm=field_mm, seed=4)
    bodies, rows = {}, []
    for patient in plan_cohort(settings):
        image, truth = render(patient, settings)
        bodies[patient.id] = Body.of(image, truth)
        person = patient.person
        facts = {"outcome": person.outcome, "age": person.age, "sex": person.sex}
        rows.append(_row(folder, patient.id, patient.id, patient.level.name, image, **facts))
    return _study(folder, rows, bodies)


def real_exams(folder: Path, exams: Iterable[Path], levels: Iterable[str] = tuple(LEVELS)) -> Known:
    """A study of exams with `T2w.nii.gz` and `seg-vb.nii.gz`, bodies of each; no outcome."""
    bodies, rows = {}, []
    for exam in exams:
        whole = read_image(exam / "T2w.nii.gz")
        image = Volume(whole.array[::STEP], _thinned(whole))
        for level in levels:
            mask = read_mask(f"{exam / 'seg-vb.nii.gz'}#{LEVELS[level]}", whole)
            case = f"{exam.name}-{level}"
            bodies[case] = Body.of(image, Mask(mask.array[::STEP], image.geometry))
            rows.append(_row(folder, case, exam.name, level, image))
    return _study(folder, rows, bodies)


def _thinned(whole: Volume) -> Any:
    columns, rows, slices = whole.geometry.size
    along, down, across = whole.geometry.spacing
    size = (columns, rows, -(-slices // STEP))
    return replace(whole.geometry, size=size, spacing=(along, down, STEP * across))


def _row(
    folder: Path, case: str, patient: str, level: str, image: Volume, **facts: Any
) -> dict[str, Any]:
    """Write the image of a case; its row of the manifest."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    write_image(image, folder / f"images/{case}.nrrd", {SIMULATED_KEY: NOTICE} if facts else {})
    source = f"images/{case}.nrrd"
    return {"case": case, "patient": patient, "level": level, **facts, "image": source}


def _study(folder: Path, rows: list[dict], bodies: dict[str, Body]) -> Known:
    write_rows(folder, rows)
    (folder / "study.yaml").write_text("preset: vcf-t2w\nimages: {weighting: null}\n")
    (folder / "readings").mkdir()
    room = {"readers": [*STYLES], "training": {"cases": 0}}
    (folder / "readings/room.yaml").write_text(yaml.safe_dump(room))
    return Known(folder, bodies)


def read_by_all(known: Known, choose: Choice = every_second) -> None:
    """Every reader reads the whole study over HTTP, against a server of its own process."""
    with Server(known.study) as server:
        for reader in STYLES:
            plans = known.plans(reader, choose)
            own = {token: plans[case] for token, case in known.cases(reader).items()}
            read_all(server.hand(reader), own)
