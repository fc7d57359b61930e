"""A rotation from the quaternion of a NIfTI header, which leaves out its first part."""

import numpy as np
import pytest

from centrum.io.nifti import _rotation


def rotated(quaternion: np.ndarray) -> np.ndarray:
    """By v -> q v q*, one axis after the other."""
    a, vector = quaternion[0], quaternion[1:]
    return np.column_stack([
        v + 2 * np.cross(vector, np.cross(vector, v) + a * v) for v in np.eye(3)
    ])  # fmt: skip


@pytest.mark.parametrize("axis", [(3.0, 1.0, 2.0), (-1.0, 3.0, 1.0), (1.0, -2.0, -3.0)])
@pytest.mark.parametrize("a", [0.0, 1e-4, 2.5e-4, 0.1, 0.9])
def test_near_half_turns_it_is_that_of_the_image(axis: tuple[float, ...], a: float) -> None:
    """Rounded to single precision, the rest of the square alone would be 3e-4 off."""
    vector = np.array(axis) / np.linalg.norm(axis) * np.sqrt(1 - a * a)
    true = rotated(np.array([a, *vector]))
    rounded = vector.astype(np.float32).astype(float)
    np.testing.assert_allclose(_rotation(rounded, true), true, atol=5e-7)
