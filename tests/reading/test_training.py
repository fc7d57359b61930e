"""Practice on phantoms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.io import read_image, read_masks
from centrum.reading import training
from centrum.reading.desk import Desk
from centrum.reading.raster import runs_of
from centrum.reading.room import RoomSettings
from centrum.reading.training import compare_with_truth
from centrum.simulate import PhantomSettings, SimulatedPatient
from centrum.volume import Mask, Volume
from tests.reading.hands import Hand, small_study
from tests.studies import read_rows, write_rows

SPACING = (0.5, 0.5)


def refused(code: str):
    return pytest.raises(DataError, check=lambda error: error.code == code)


def disc(radius: float, x: float = 30) -> np.ndarray:
    i, j = np.ogrid[:60, :60]
    return (i - 30) ** 2 + (j - x) ** 2 <= radius**2


@pytest.mark.parametrize("grown", [-4, -1, 0, 1, 4])
def test_the_mean_signed_distance_of_a_disc_that_grew(grown: int) -> None:
    truth, drawn = np.stack([disc(15)] * 2), np.stack([disc(15 + grown), disc(15)])
    found = compare_with_truth(drawn, truth, SPACING)
    share = (15 + grown) / (30 + grown)  # of the outline that lies on the first slice
    assert found.mean_signed_mm == pytest.approx(grown * 0.5 * share, abs=0.1)
    both = 2 * (drawn & truth).sum() / (drawn.sum() + truth.sum())
    assert found.dice == both


def test_a_shift_has_no_signed_distance_and_costs_dice() -> None:
    found = compare_with_truth(disc(15, 32)[None], disc(15)[None], SPACING)
    assert abs(found.mean_signed_mm) < 0.1
    assert found.dice < 0.95


def test_nothing_in_common() -> None:
    empty = np.zeros((1, 60, 60), bool)
    assert compare_with_truth(empty, disc(9)[None], SPACING).dice == 0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, phantom: Path) -> None:
    """A phantom that is there already is rendered: it takes seconds."""
    image = read_image(phantom / "images/P001.nrrd")
    (mask,) = read_masks(phantom / "masks/P001_senior.seg.nrrd", image)

    def render(patient: SimulatedPatient, settings: PhantomSettings) -> tuple[Volume, Mask]:
        assert (patient.id, settings.seed) == ("P001", RoomSettings().seed)
        return image, replace(mask, name=patient.level.name)

    monkeypatch.setattr("centrum.simulate.render", render)


ROOM = "training: {cases: 1, pass_dice: 0.9, required: true}"


def test_practice_first_then_the_study(tmp_path: Path, quick: None) -> None:
    study = small_study(tmp_path / "study", n=1, room=ROOM)
    write_rows(study, [row | {"level": "C2"} for row in read_rows(study)])
    with Desk(study) as desk:
        desk.prepare()
        practice, real = desk.worklist("reader1")
        assert (practice["training"], practice["passed"], real["training"]) == (True, None, False)
        for verb in (desk.open, desk.pixels):
            with refused("training-first"):
                verb("reader1", real["token"])
        hand = Hand.at(desk, place=0)
        assert hand.view["training"]
        assert hand.view["level"] == practice["level"] not in ("", "C2")
        hand.level()
        with refused("no-result"):
            desk.training_result("reader1", hand.token)
        _, truth = training.phantom(desk.room, "phantom-1")
        assert truth.name == practice["level"]
        draw(hand, desk._box.sheets(desk._book.get(hand.token)).drawn(truth))  # type: ignore[arg-type]
        hand.submit()
        found = desk.training_result("reader1", hand.token)
        assert (found["dice"], found["mean_signed_mm"], found["passed"]) == (1.0, 0.0, True)
        slices = hand.state["slices"]
        assert [list(s["content"].get("runs", ())) for s in slices] == [*map(list, found["slices"])]
        assert desk.worklist("reader1")[0]["passed"]
        with refused("practised"):
            hand.reopen()
        assert desk.open("reader1", real["token"])["level"] == "C2"
        with refused("no-result"):
            desk.training_result("reader1", real["token"])
    assert not (study / "readings/reader1/training/signed.json").exists()
    with Desk(study) as desk:
        assert desk.worklist("reader1")[0]["passed"]
        assert desk.worklist("reader2")[0]["passed"] is None


def draw(hand: Hand, drawn: np.ndarray) -> None:
    for k, plane in enumerate(drawn):
        if plane.any():
            hand.runs(k, [*runs_of(plane)])
        else:
            hand.nobody(k)
