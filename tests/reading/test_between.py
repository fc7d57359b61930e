"""Fill between slices, against the formula on the whole slice."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter

from centrum.reading.between import between, fill_between

SHAPE = (40, 50)


def reference(below, above, share, spacing):
    """Signed distances over the whole slice, with one pixel of outside around it."""

    def signed(mask):
        wide = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
        wide[1:-1, 1:-1] = mask
        out, into = (distance_transform_edt(m, sampling=spacing) for m in (~wide, wide))
        return (out - into)[1:-1, 1:-1]

    if not below.any() or not above.any():
        return np.zeros(below.shape, bool)
    return (1 - share) * signed(below) + share * signed(above) <= 1e-9


def blob(rng):
    """A region of any form, in pieces, with holes, at the border."""
    field = gaussian_filter(rng.normal(size=SHAPE), rng.uniform(1.5, 5), mode="wrap")
    return field > np.quantile(field, rng.uniform(0.5, 0.97))


@pytest.mark.parametrize("seed", range(50))
def test_it_is_the_formula_on_the_whole_slice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    below, above = blob(rng), blob(rng)
    share, spacing = rng.uniform(0, 1), rng.uniform(0.3, 1.5, 2)
    found = between(below, above, share, spacing)
    assert (found == reference(below, above, share, spacing)).all()
    assert found.any()


def disc(y, x, radius):
    i, j = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (i - y) ** 2 + (j - x) ** 2 <= radius**2


def test_ends_are_the_outlines_themselves() -> None:
    below, above = disc(15, 15, 6), disc(20, 22, 9)
    assert (between(below, above, 0, (1, 1)) == below).all()
    assert (between(below, above, 1, (1, 1)) == above).all()


def test_a_disc_grows_evenly() -> None:
    areas = [between(disc(20, 20, 5), disc(20, 20, 11), s, (1, 1)).sum() for s in (0.25, 0.5, 0.75)]
    assert np.allclose(np.sqrt(np.array(areas) / np.pi), (6.5, 8, 9.5), atol=0.4)


def test_pixels_half_way_are_inside() -> None:
    below, above = np.zeros((2, 1, 9), bool)
    below[0, 3:6] = above[0, 2:5] = True
    assert np.flatnonzero(between(below, above, 0.5, (1, 1))).tolist() == [2, 3, 4, 5]
    halves = [between(a, b, s, (0.7, 0.7)) for a, b, s in
              ((below, above, 1 / 3), (above, below, 2 / 3))]  # fmt: skip
    assert (halves[0] == halves[1]).all()


def test_spacing_counts() -> None:
    wide = [between(disc(20, 12, 6), disc(14, 18, 9), 0.5, mm) for mm in ((1, 1), (1, 8))]
    assert (wide[0] != wide[1]).any()


def test_disjoint_outlines_meet_in_nothing() -> None:
    drawn = {2: disc(8, 8, 3), 6: disc(30, 40, 3)}
    found = dict(fill_between(drawn, (), (1, 1)))
    assert sorted(found) == [3, 4, 5]
    assert not found[4].any()


def test_nothing_beyond_the_first_and_last_drawn_slice() -> None:
    drawn = {3: disc(20, 20, 5), 5: disc(20, 20, 7)}
    assert [k for k, _ in fill_between(drawn, (), (1, 1))] == [4]
    assert [*fill_between({3: disc(20, 20, 5)}, (), (1, 1))] == []


def test_nothing_through_a_slice_without_a_body() -> None:
    drawn = {2: disc(20, 20, 5), 6: disc(20, 20, 7), 8: disc(20, 20, 7)}
    assert [k for k, _ in fill_between(drawn, (4,), (1, 1))] == [7]


def test_the_nearest_drawn_slices_decide() -> None:
    drawn = {0: disc(20, 20, 3), 4: disc(20, 20, 9), 8: disc(20, 20, 3)}
    found = dict(fill_between(drawn, (), (1, 1)))
    assert (found[2] == between(drawn[0], drawn[4], 0.5, (1, 1))).all()
    assert (found[5] == between(drawn[4], drawn[8], 0.25, (1, 1))).all()


def test_an_empty_outline_gives_nothing() -> None:
    assert not between(disc(20, 20, 5), np.zeros(SHAPE, bool), 0.1, (1, 1)).any()


def test_a_slice_that_is_all_body_has_an_outline() -> None:
    full = np.ones((9, 9), bool)
    small = np.zeros((9, 9), bool)
    small[4, 4] = True
    assert 1 < between(full, small, 0.5, (1, 1)).sum() < 81
