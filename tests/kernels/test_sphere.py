"""Means over spheres against adding up voxel by voxel."""

import numpy as np
import pytest

from centrum.kernels.sphere import sphere_means, sphere_rows


def one_by_one(image: np.ndarray, kept: np.ndarray, radius: float, spacing: tuple) -> list[float]:
    places = np.stack(np.indices(image.shape), axis=-1) * spacing
    return [
        float(image[np.sum((places - centre) ** 2, axis=-1) <= radius**2].mean())
        for centre in places[kept]
    ]


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (4.4, 0.6, 0.7), (0.5, 2.0, 9.0)])
@pytest.mark.parametrize("shape", [(5, 9, 30), (1, 12, 4), (7, 1, 1)])
def test_means_are_those_of_the_voxels_in_the_sphere(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(100, 30, shape)
    kept = rng.random(shape) < 0.3
    kept[0, 0, 0] = True
    found = sphere_means(image, kept, sphere_rows(3.3, spacing))
    np.testing.assert_allclose(found, one_by_one(image, kept, 3.3, spacing), rtol=1e-12)


def test_any_type_and_order_of_voxels() -> None:
    image = np.arange(60).reshape(3, 4, 5)
    kept = image % 2 == 0
    rows = sphere_rows(1.5, (1.0, 1.0, 1.0))
    expected = sphere_means(image.astype(float), kept, rows)
    for kind in ("uint8", ">i2", "<f4"):
        np.testing.assert_array_equal(sphere_means(image.astype(kind), kept, rows), expected)
    turned = np.asfortranarray(image.astype(float)), np.asfortranarray(kept)
    np.testing.assert_array_equal(sphere_means(*turned, rows), expected)


def test_a_sphere_smaller_than_a_voxel_is_the_voxel() -> None:
    rows = sphere_rows(0.4, (1.0, 1.0, 1.0))
    assert rows.tolist() == [[0, 0, 0]]
    image = np.array([[[3.0, 5.0]]])
    assert sphere_means(image, image > 0, rows).tolist() == [3.0, 5.0]
