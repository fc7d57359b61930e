"""Two simulated readers of the same body."""

import numpy as np
from scipy import ndimage

from centrum.geometry import Geometry
from centrum.simulate.readers import draw_readers, one_piece
from centrum.volume import Mask
from tests.simulate.conftest import Drawn


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def brick() -> Mask:
    """A body of 30 x 26 mm on nine slices of 4.4 mm."""
    array = np.zeros((13, 90, 100), bool)
    array[2:11, 20:66, 20:74] = True
    return Mask(array, Geometry((100, 90, 13), (0.56, 0.56, 4.4)), "L1")


def test_readers_agree_as_people_do() -> None:
    scores = []
    for seed in range(20):
        masks = draw_readers(brick(), np.random.default_rng(seed))
        scores.append(dice(masks["senior"].array, masks["resident"].array))
    assert 0.91 < np.mean(scores) < 0.955
    assert min(scores) > 0.80
    assert max(scores) < 0.985


def test_masks_are_one_piece_near_the_truth(drawn: list[Drawn]) -> None:
    for patient, _, truth, masks in drawn:
        for mask in masks.values():
            assert ndimage.label(mask.array)[1] == 1
            assert dice(mask.array, truth.array) > 0.8
            assert mask.name == patient.level.name
            assert mask.geometry == truth.geometry


def test_end_slices_are_sometimes_left_out() -> None:
    counts = {
        int(draw_readers(brick(), np.random.default_rng(seed))["resident"].array.any((1, 2)).sum())
        for seed in range(20)
    }
    assert counts == {7, 8, 9}


def test_slices_are_drawn_anew() -> None:
    """The contour's error goes on from slice to slice only in part."""
    drawn = draw_readers(brick(), np.random.default_rng(1))["senior"].array[4:9]
    wrong = (drawn ^ brick().array[4:9]).reshape(len(drawn), -1).astype(float)
    between = np.corrcoef(wrong)[0, 1:]
    assert (between > 0.1).all()
    assert (between < 0.85).all()


def test_one_piece_fills_holes_and_drops_specks() -> None:
    mask = np.zeros((2, 9, 9), bool)
    mask[:, 1:6, 1:6] = True
    mask[0, 3, 3] = False
    mask[1, 8, 8] = True
    cleaned = one_piece(mask)
    assert cleaned[0, 3, 3]
    assert not cleaned[1, 8, 8]
    assert cleaned.sum() == 50
