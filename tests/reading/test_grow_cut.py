import numpy as np
import pytest
from scipy import ndimage

from centrum.agreement.overlap import dice
from centrum.errors import DataError
from centrum.reading.grow_cut import grow_cut
from tests.reading.slices_of_exams import SPACING, middle_slices


def automaton(image, inside, outside):
    """The cellular automaton itself, cell after cell until nothing is conquered any more."""
    strength = (inside | outside).astype(float)
    label = inside.astype(int)
    contrast = np.ptp(image)
    changed = True
    while changed:
        changed = False
        for i, j in np.ndindex(image.shape):
            for u, v in np.ndindex(3, 3):
                a, b = i + u - 1, j + v - 1
                if (a, b) == (i, j) or not (0 <= a < image.shape[0] and 0 <= b < image.shape[1]):
                    continue
                attack = strength[a, b] * (1 - abs(image[a, b] - image[i, j]) / contrast)
                if attack > strength[i, j]:
                    strength[i, j], label[i, j], changed = attack, label[a, b], True
    return label.astype(bool)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_the_automaton_that_its_authors_describe(seed):
    rng = np.random.default_rng(seed)
    image = ndimage.gaussian_filter(rng.normal(size=(14, 15)), 1)
    inside, outside = np.zeros((2, 14, 15), bool)
    inside[6:8, 6:8] = outside[[0, -1]] = outside[:, [0, -1]] = True
    expected = ndimage.binary_fill_holes(automaton(image, inside, outside))
    assert (grow_cut(image, (1, 1), inside, outside) == expected).all()


def test_real_bodies_by_a_stroke_inside_and_one_around(reference):
    """Design's trials: .925."""
    found = []
    for image, body in middle_slices(reference):
        inside = ndimage.binary_erosion(body, iterations=4)
        grown = [ndimage.binary_dilation(body, iterations=n) for n in (3, 4)]
        won = grow_cut(image, SPACING, inside, grown[1] & ~grown[0])
        assert won[inside].all()
        found.append(dice(won, body))
    assert np.mean(found) >= 0.92
    assert min(found) >= 0.9


def test_nothing_is_won_far_from_the_strokes():
    inside, outside = np.zeros((2, 30, 30), bool)
    inside[10, 10] = outside[10, 14] = True
    assert grow_cut(np.zeros((30, 30)), (1, 1), inside, outside)[:, 17:].sum() == 0


@pytest.mark.parametrize(("inside", "outside"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_strokes_of_one_kind_or_over_each_other_are_refused(inside, outside):
    strokes = np.zeros((2, 5, 5), bool)
    strokes[0, 2, 2], strokes[1, 2, 2] = inside, outside
    with pytest.raises(DataError) as refused:
        grow_cut(np.zeros((5, 5)), (1, 1), *strokes)
    assert refused.value.code == "grow-cut-strokes"


def test_a_pixel_that_both_strokes_reach_alike_lies_outside():
    inside, outside = np.zeros((2, 1, 5), bool)
    inside[0, 1] = outside[0, 3] = True
    assert grow_cut(np.zeros((1, 5)), (1, 1), inside, outside).tolist() == [
        [True, True, False, False, False]
    ]
