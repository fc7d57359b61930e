"""Polygons, runs and digests, against exact arithmetic."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.errors import DataError
from centrum.reading.raster import check_runs, fill_polygons, mask_of, runs_of, slice_digest
from tests.reading import make_polygons

ORACLE = json.loads((Path(__file__).parent / "polygons.json").read_text())


def test_the_oracle_has_all_kinds_and_is_worth_it() -> None:
    slices = ORACLE["slices"]
    assert len(slices) == make_polygons.COUNT
    assert {each["kind"] for each in slices} == {kind.__name__ for kind in make_polygons.KINDS}
    assert sum(bool(each["runs"]) for each in slices) > 700
    assert len({each["digest"] for each in slices}) > 700


def test_the_oracle_is_what_its_script_writes() -> None:
    made = make_polygons.slices()
    assert [next(made) for _ in range(25)] == ORACLE["slices"][:25]


def test_pixels_are_those_of_exact_arithmetic() -> None:
    for each in ORACLE["slices"]:
        shape = each["rows"], each["columns"]
        runs = runs_of(fill_polygons(each["polygons"], shape))
        assert list(runs) == each["runs"], each
        assert slice_digest(runs, shape) == each["digest"]


SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 7))
PLACES = st.one_of(st.integers(-1, 7).map(float), st.integers(-4, 28).map(lambda n: n / 4),
                   st.floats(-1, 7).map(lambda x: round(x, 4)))  # fmt: skip
POLYGONS = st.lists(st.lists(st.tuples(PLACES, PLACES), max_size=6), max_size=3)


@given(SHAPES, POLYGONS)
def test_polygons_are_filled_by_the_rule(shape, polygons) -> None:
    wanted = make_polygons.runs_of([[*map(list, p)] for p in polygons], *shape, float)
    assert list(runs_of(fill_polygons(polygons, shape))) == wanted


@given(st.data(), SHAPES)
def test_runs_and_masks_are_the_same_thing(data, shape) -> None:
    pixels = data.draw(st.lists(st.booleans(), min_size=shape[0] * shape[1],
                                max_size=shape[0] * shape[1]))  # fmt: skip
    mask = np.array(pixels, bool).reshape(shape)
    runs = runs_of(mask)
    check_runs(runs, shape)
    assert (mask_of(runs, shape) == mask).all()
    assert runs_of(mask_of(runs, shape)) == runs
    assert all(type(n) is int for n in runs)


@given(SHAPES, st.lists(st.integers(-2, 60), max_size=8))
def test_runs_that_pass_are_the_only_ones_of_their_mask(shape, runs) -> None:
    try:
        check_runs(runs, shape)
    except DataError:
        return
    assert runs_of(mask_of(runs, shape)) == tuple(runs)


@pytest.mark.parametrize(
    "runs",
    [(0,), (0, 0), (-1, 2), (0, 2, 2, 1), (4, 1, 0, 1), (0, 3, 2, 2), (5, 2), (6, 1), (0, 7)],
)
def test_other_runs_are_refused(runs) -> None:
    with pytest.raises(DataError, match="Runs of a slice"):
        check_runs(runs, (2, 3))


def test_digests_tell_shapes_apart() -> None:
    assert slice_digest((0, 6), (2, 3)) != slice_digest((0, 6), (3, 2))
    assert slice_digest((1, 3), (4, 5)) == "".join(make_polygons.digest_of([1, 3], 4, 5))
