"""The slice that is shown: which cases, which slice, and the right way up."""

import numpy as np
import pandas as pd
import pytest

from centrum.geometry import Geometry
from centrum.report.slices import (
    SlicePart,
    Upright,
    choose_cases,
    differing_cases,
    largest_slice,
)
from centrum.volume import Mask, Volume

SIZE_MM = {"x": 40, "y": 60, "z": 90}
ORIENTATIONS = {
    "axial": ("x", "y", "z"),
    "sagittal": ("y", "z", "x"),
    "coronal": ("x", "z", "y"),
}


def _case(order: tuple[str, str, str], signs: tuple[int, int, int]) -> tuple[Volume, Mask]:
    """Intensity 100 x superior + anterior (mm); region about the middle, largest at x = 24 mm."""
    columns = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}
    axes = np.array([columns[name] for name in order], dtype=float).T * signs
    spacing = tuple({"x": 4.0, "y": 0.5, "z": 0.75}[name] for name in order)
    size = tuple(round(SIZE_MM[n] / mm) for n, mm in zip(order, spacing, strict=True))
    first = Geometry(size, spacing, (0, 0, 0), tuple(axes.ravel()))
    low = first.corners().min(axis=0)
    grid = Geometry(size, spacing, tuple(-low), tuple(axes.ravel()))
    k, j, i = np.indices(grid.shape)
    x, y, z = np.moveaxis(grid.position(np.stack([i, j, k], axis=-1)), -1, 0)
    half = 12 - abs(x - 24) / 4
    region = (abs(y - 30) < half) & (abs(z - 45) < half / 2) & (abs(x - 20) < 13)
    return Volume(100 * z - y, grid), Mask(region, grid)


@pytest.mark.parametrize("order", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (1, -1, -1)])
def test_superior_is_up_and_anterior_left(order, signs) -> None:
    volume, mask = _case(order, signs)
    part = largest_slice(volume, {"R": mask})
    assert (np.diff(part.image, axis=0) < 0).all(), "rows run to the feet"
    assert (np.diff(part.image, axis=1) < 0).all(), "columns run to the back"
    assert part.spacing == (0.75, 0.5)


@pytest.mark.parametrize("order", ORIENTATIONS.values(), ids=ORIENTATIONS)
def test_all_orders_show_the_same_picture(order) -> None:
    wanted = largest_slice(*_args(_case(("x", "y", "z"), (1, 1, 1))))
    found = largest_slice(*_args(_case(order, (-1, 1, 1))))
    np.testing.assert_allclose(found.image, wanted.image)
    np.testing.assert_array_equal(found.masks["R"], wanted.masks["R"])


@pytest.mark.parametrize("order", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (1, -1, -1)])
def test_positions_are_found_in_the_turned_slice(order, signs) -> None:
    volume, _ = _case(order, signs)
    upright = Upright.of(volume.geometry)
    plane = upright.plane(volume.array, 3)
    rows, columns = np.indices(plane.shape).reshape(2, -1)
    positions = np.stack([np.zeros(plane.size)] * 3, axis=1)
    # The image is 100 x superior + anterior, and its grid begins at 0.
    span = dict(zip(order, volume.geometry.spacing, strict=True))
    positions[:, 2] = (plane.shape[0] - 1 - rows) * span["z"]
    positions[:, 1] = columns * span["y"]
    np.testing.assert_allclose(100 * positions[:, 2] - positions[:, 1], plane.ravel())
    found = upright.places(positions)
    np.testing.assert_allclose(found, np.stack([rows, columns], axis=1), atol=1e-9)


@pytest.mark.parametrize("order", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (1, -1, -1)])
def test_slices_of_a_region_run_from_right_to_left(order, signs) -> None:
    volume, mask = _case(order, signs)
    parts = SlicePart.each({"R": mask})
    shown = [part.of(volume, {"R": mask}) for part in parts]
    x = sorted(set(volume.geometry.position(np.argwhere(mask.array)[:, ::-1])[:, 0].round(6)))
    assert [float(part._position(0, 0)[0]) for part in parts] == pytest.approx(x)
    assert len({(part.rows.start, part.columns.start) for part in parts}) == 1
    assert sum(part.masks["R"].sum() for part in shown) == mask.array.sum()
    assert all(part.masks["R"].any() for part in shown)


def test_slices_of_any_region_are_shown_whole() -> None:
    volume, mask = _case(("x", "y", "z"), (1, 1, 1))
    other = np.zeros_like(mask.array)
    other[2:5, 100:104, -1] = True  # k, j, i: the most left, low and far behind
    parts = SlicePart.each({"R": mask, "other": Mask(other, mask.geometry)})
    shown = [part.of(volume, {"other": Mask(other, mask.geometry)}) for part in parts]
    assert len(parts) == mask.array.any(axis=(0, 1)).sum() + 1
    assert sum(part.masks["other"].sum() for part in shown) == other.sum()


def _args(case: tuple[Volume, Mask]) -> tuple[Volume, dict[str, Mask]]:
    volume, mask = case
    return volume, {"R": mask}


def test_slice_with_the_largest_region_of_the_first_reader() -> None:
    volume, mask = _case(("x", "y", "z"), (1, 1, 1))
    part = largest_slice(volume, {"R": mask})
    x = volume.geometry.position(np.argwhere(mask.array)[:, ::-1])[:, 0]
    areas = [np.sum(x == value) for value in np.unique(x)]
    assert part.masks["R"].sum() == max(areas)


def test_region_at_the_border_is_shown_whole() -> None:
    grid = Geometry((5, 40, 40), (4, 1, 1))
    array = np.zeros(grid.shape, bool)
    array[:12, :10, 2] = True
    part = largest_slice(Volume(np.zeros(grid.shape), grid), {"R": Mask(array, grid)})
    assert part.masks["R"].sum() == 120
    assert part.image.shape == (31, 31)


def test_cases_are_the_typical_and_the_worst_with_honest_scores() -> None:
    scores = pd.DataFrame(
        {
            "outcome": ["m"] * 5 + ["o"] * 4,
            "score": [1.0, 2, 3, 4, 9, 0, -1, -2, 3],
            "out_of_fold": [np.nan, np.nan, np.nan, np.nan, -9, *[np.nan] * 4],
        },
        index=list("abcdefghi"),
    )
    shown = choose_cases(scores, ("m", "o"))
    assert [s.case for s in shown] == ["b", "a", "e", "f", "g", "i"]
    assert shown[2].score == -9


def test_one_case_of_an_outcome_is_shown_once() -> None:
    scores = pd.DataFrame({"outcome": ["m", "o"], "score": [1.0, 2.0], "out_of_fold": np.nan})
    assert [s.case for s in choose_cases(scores, ("m", "o"))] == ["0", "1"]


def test_cases_whose_readers_differ_are_shown_the_worst_first() -> None:
    scores = pd.DataFrame({"outcome": "m", "score": 1.0, "out_of_fold": np.nan}, index=list("abc"))
    overlap = pd.DataFrame({"case": list("abcad"), "dice": [0.9, 0.6, 0.71, 0.3, 0.1]})
    assert [s.case for s in differing_cases(scores, overlap)] == ["a", "b"]
