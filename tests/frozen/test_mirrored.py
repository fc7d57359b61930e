"""Whether outlines follow edges: real vertebral bodies, simulated shapes, mirror images."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.frozen.mirrored import FOLLOWS, alignment, outline_of
from centrum.geometry import Geometry
from centrum.io import read_image, read_masks
from centrum.volume import Mask, Volume

GRID = Geometry((40, 44, 5), (0.6, 0.6, 4.4))


def body(shift: tuple[int, int] = (6, -5)) -> np.ndarray:
    """An ellipse that lies off the centre of the image, (z, y, x)."""
    y, x = np.mgrid[:44, :40]
    inside = ((y - 22 - shift[0]) / 8) ** 2 + ((x - 20 - shift[1]) / 10) ** 2 < 1
    return np.stack([inside & (1 <= k <= 3) for k in range(5)])


def image_of(inside: np.ndarray, seed: int = 0) -> Volume:
    noise = np.random.default_rng(seed).normal(0, 5, inside.shape)
    return Volume(100.0 + 80 * inside + noise, GRID)


def test_real_bodies_follow_their_edges(reference: Path) -> None:
    found = []
    for exam in sorted((reference / "spine_mri").glob("chu*")):
        volume = read_image(exam / "T2w.nii.gz")
        for mask in read_masks(exam / "seg-vb.nii.gz", volume.geometry):
            outline = outline_of(volume, mask, "sagittal")
            assert outline.mirrored == "", (exam.name, mask.name)
            found.append(outline.alignment)
            within = [np.flip(mask.array, k) for k in range(3)]
            assert sum(alignment(volume, m, "sagittal") < FOLLOWS for m in within) >= 1
    assert len(found) == 56
    assert min(found) > FOLLOWS


@given(shift=st.tuples(st.sampled_from([-8, 7]), st.sampled_from([-7, 6])), seed=st.integers(0, 9))
def test_a_body_fits_as_it_is_and_not_mirrored(shift: tuple[int, int], seed: int) -> None:
    inside = body(shift)
    volume = image_of(inside, seed)
    assert outline_of(volume, Mask(inside, GRID), "axial").follows
    assert outline_of(volume, Mask(inside, GRID), "axial").mirrored == ""
    for axis, sides in ((1, "front and back"), (2, "left and right")):
        turned = Mask(np.ascontiguousarray(np.flip(inside, axis)), GRID)
        assert outline_of(volume, turned, "axial").mirrored == sides


def test_alignment_does_not_depend_on_scale_or_sign() -> None:
    inside = body()
    volume = image_of(inside)
    own = alignment(volume, inside, "axial")
    other = Volume(7 - 3.5 * volume.array, GRID)
    assert alignment(other, inside, "axial") == pytest.approx(own, rel=1e-9)


def test_a_flat_image_has_no_edges() -> None:
    assert alignment(Volume(np.zeros(GRID.shape), GRID), body(), "axial") == 0.0
