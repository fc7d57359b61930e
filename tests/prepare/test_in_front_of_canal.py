"""Bodies cut from whole vertebrae at the anterior wall of the canal."""

from dataclasses import replace

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.geometry import ORIENTATIONS, Geometry, direction_of
from centrum.prepare.in_front_of_canal import REACH_MM, CanalWall
from centrum.simulate.fracture import NO_FRACTURE, Fracture
from centrum.volume import Mask, turned
from tests.morphometry.whole_vertebrae import whole_vertebra

RETROPULSED = Fracture("wedge", 0.4, superior=True, corner_mm=6.0, bulge_mm=0.0)
BURST = Fracture("crush", 0.5, superior=True, corner_mm=9.0, bulge_mm=2.0)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize("level", ["T12", "L1", "L4"])
@pytest.mark.parametrize("fracture", [NO_FRACTURE, RETROPULSED, BURST], ids=["whole", "6", "9"])
def test_simulated_vertebrae_of_the_lumbar_spine(level: str, fracture: Fracture) -> None:
    found = whole_vertebra(level, fracture)
    cut = CanalWall.of(found.canal).in_front(found.whole.array)
    assert dice(found.whole.array, found.body.array) < 0.9
    assert dice(cut, found.body.array) >= 0.98


@pytest.mark.parametrize("level", ["T7", "T12", "L1", "L4"])
def test_a_fragment_in_the_canal_stays(level: str) -> None:
    """A plane through the wall of the rows above and below would leave none of it."""
    found = whole_vertebra(level, RETROPULSED)
    before = whole_vertebra(level, replace(RETROPULSED, corner_mm=0.0))
    fragment = found.body.array & ~before.body.array
    kept = CanalWall.of(found.canal).in_front(found.whole.array)
    assert fragment.sum() * found.body.geometry.voxel_volume > 200
    assert (kept & fragment).sum() / fragment.sum() > 0.9


@pytest.mark.parametrize("orientation", ORIENTATIONS[::5])
def test_the_cut_is_the_patient_s_not_the_file_s(orientation: str) -> None:
    found = whole_vertebra("L1", RETROPULSED)
    wanted = CanalWall.of(found.canal).in_front(found.whole.array)
    canal, whole = (turned(mask, orientation) for mask in (found.canal, found.whole))
    kept = Mask(CanalWall.of(canal).in_front(whole.array), whole.geometry)
    assert np.array_equal(turned(kept, "PIL").array, wanted)


GRID = Geometry((3, 10, 20), (4.0, 1.0, 1.0), direction=direction_of("LPI"))


def canal_in(rows: range, front: int = 6) -> np.ndarray:
    array = np.zeros(GRID.shape, bool)
    array[rows.start : rows.stop, front : front + 3, 1] = True
    return array


WIDE = Geometry((12, 10, 4), (1.0, 1.0, 1.0), direction=direction_of("LPI"))


def test_the_wall_is_that_of_each_slice_and_beside_the_canal_that_of_the_row() -> None:
    """A fragment in one slice, and sides that curve back."""
    array = np.zeros(WIDE.shape, bool)
    for slice_, front in enumerate((8, 6, 6, 7, 6, 6, 8), 2):
        array[:, front:9, slice_] = True
    cut = CanalWall.of(Mask(array, WIDE)).in_front(np.ones(WIDE.shape, bool))
    assert cut[0].sum(axis=0).tolist() == [6, 6, 6, 6, 6, 7, 6, 6, 6, 6, 6, 6]


def test_rows_have_walls_of_their_own() -> None:
    array = canal_in(range(20))
    array[5, 4:6, 1] = True
    cut = CanalWall.of(Mask(array, GRID)).in_front(np.ones(GRID.shape, bool))
    assert cut.sum(axis=1)[[4, 5]].tolist() == [[6, 6, 6], [4, 4, 4]]


@pytest.mark.parametrize(("rows", "counts"), [(20, True), (21, False)])
def test_a_tenth_of_the_canal_is_a_part_of_it(rows: int, counts: bool) -> None:
    """Six voxels in two rows far below 60, or 63."""
    grid = Geometry((3, 10, 60), (4.0, 1.0, 1.0), direction=direction_of("LPI"))
    canal = np.zeros(grid.shape, bool)
    canal[:rows, 6:9, 1] = canal[50:52, 6:9, 1] = True
    assert CanalWall.of(Mask(canal, grid)).known[51] == counts


def test_a_speck_is_no_canal() -> None:
    array = canal_in(range(20))
    array[12, 1, 2] = True
    cut = CanalWall.of(Mask(array, GRID)).in_front(np.ones(GRID.shape, bool))
    assert set(cut.sum(axis=1).ravel()) == {6}


def test_the_wall_goes_on_for_some_rows_and_no_further() -> None:
    wall = CanalWall.of(Mask(canal_in(range(8, 20)), GRID))
    reach = int(REACH_MM)
    assert wall.known.tolist() == [False] * (8 - reach) + [True] * (12 + reach)
    region = np.zeros(GRID.shape, bool)
    region[:6] = True
    assert wall.passes(region) == pytest.approx(0.5)
    assert not wall.in_front(region)[: 8 - reach].any()


def test_an_empty_canal_has_no_wall() -> None:
    with pytest.raises(DataError, match="no voxel"):
        CanalWall.of(Mask(np.zeros(GRID.shape, bool), GRID))
