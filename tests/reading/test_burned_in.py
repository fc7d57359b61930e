"""Letters in pixels: told where they are, and not where they are not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from centrum.geometry import Geometry, direction_of
from centrum.io import read_image
from centrum.reading.burned_in import find_burned_in, has_still_corner
from centrum.reading.room import open_room
from centrum.reading.sheet import lay_out
from centrum.volume import Volume
from tests.archives import T2, Exam, pixels, write_series
from tests.reading.hands import small_study
from tests.studies import write_rows

GRID = Geometry((160, 180, 9), (0.6, 0.6, 4.4), direction=direction_of("PIR"))


@pytest.mark.parametrize("corner", [(2, 2), (110, 165)])
def test_a_name_in_a_corner_is_seen(corner: tuple[int, int]) -> None:
    array = np.random.default_rng(1).rayleigh(90, GRID.shape).astype(np.int16)
    assert not has_still_corner(lay_out(Volume(array, GRID)))
    page = Image.new("L", (160, 180))
    ImageDraw.Draw(page).text(corner, "DOE JANE", fill=255)
    array[:, np.array(page) > 200] = 3000
    assert has_still_corner(lay_out(Volume(array, GRID)))


@pytest.mark.parametrize("name", ["P001", "P002"])
def test_a_phantom_has_no_letters(phantom: Path, name: str) -> None:
    assert not has_still_corner(lay_out(read_image(phantom / f"images/{name}.nrrd")))


def test_what_a_header_states_is_told(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", n=1)
    for name, said in (("yes", {"BurnedInAnnotation": "YES"}), ("no", {})):
        write_series(study / name, Exam(patient=name), 1, pixels(1), T2 | said)
    rows = [{"case": name, "image": name} for name in ("yes", "no")]
    write_rows(study, [*rows, {"case": "lost", "image": "nowhere.nrrd"}])
    found = [*find_burned_in(open_room(study), ["yes", "no", "lost"])]
    assert found == [("yes", "stated"), ("no", "")]
