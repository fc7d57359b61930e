"""The Laplacian of Gaussian, against the kernel of its definition."""

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import convolve

from centrum.filters import View
from centrum.filters.log import LaplacianOfGaussian

IMAGE = np.random.default_rng(0).normal(1000, 50, size=(12, 14, 13))


def kernel(sigma: float, dimensions: int, cutoff: float = 4) -> np.ndarray:
    """The formula of the standard, sigma in voxels."""
    reach = int(cutoff * sigma + 0.5)
    grids = np.meshgrid(*[np.arange(-reach, reach + 1)] * dimensions, indexing="ij")
    r2 = sum(g**2.0 for g in grids) / sigma**2
    norm = (np.sqrt(2 * np.pi) * sigma) ** dimensions
    return -(dimensions - r2) / sigma**2 / norm * np.exp(-r2 / 2)


def respond(image: np.ndarray, spacing: float | tuple = 1.0, **choices: Any) -> np.ndarray:
    mm = (spacing,) * 3 if isinstance(spacing, float) else spacing
    (found,) = LaplacianOfGaussian(**choices).responses(View.whole(image, mm))
    return found


@pytest.mark.parametrize("dimensions", [2, 3])
def test_sampled_kernel_is_the_formula(dimensions: int) -> None:
    found = respond(IMAGE, 2.0, sigma=3, dimension=f"{dimensions}D", zero_sum=False)
    k = kernel(1.5, dimensions)
    wanted = convolve(IMAGE, k if dimensions == 3 else k[None], mode="reflect")
    assert np.abs(found - wanted).max() < 1e-10


@pytest.mark.parametrize("dimensions", [2, 3])
def test_kernel_with_sum_zero(dimensions: int) -> None:
    """The Gaussian divided by its sum, and the mean of the kernel subtracted."""
    found = respond(IMAGE, 2.0, sigma=3, dimension=f"{dimensions}D")
    k = kernel(1.5, dimensions)
    gaussian = np.exp(-(np.arange(-6, 7) ** 2) / 1.5**2 / 2) / (np.sqrt(2 * np.pi) * 1.5)
    k = k / gaussian.sum() ** dimensions
    k -= k.mean()
    wanted = convolve(IMAGE, k if dimensions == 3 else k[None], mode="reflect")
    assert np.abs(found - wanted).max() < 1e-10


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.5])
def test_a_constant_image_gives_zero(sigma: float) -> None:
    assert np.abs(respond(np.full((5, 5, 5), 1000.0), (4.0, 0.6, 0.6), sigma=sigma)).max() < 1e-10


def test_is_round_in_millimetres() -> None:
    """The response to a point is the same 2 mm away along z, where that is one voxel, and x."""
    image = np.zeros((9, 15, 15))
    image[4, 7, 7] = 1
    found = respond(image, (2.0, 1.0, 1.0), sigma=1.5, cutoff=2, zero_sum=False)
    assert found[5, 7, 7] == pytest.approx(found[4, 7, 9], rel=1e-12)
    assert found[4, 7, 7] < 0


def test_factor_is_that_of_the_geometric_mean_of_the_spacing() -> None:
    """The same image on voxels twice as long: where the third axis does not matter."""
    image = np.tile(IMAGE[:1], (20, 1, 1))
    long = respond(image, (2.0, 1.0, 1.0), sigma=1.5, dimension="3D")
    short = respond(image, (1.0, 1.0, 1.0), sigma=1.5, dimension="3D")
    assert np.allclose(long[10] * 2 ** (-2 / 3), short[10], rtol=1e-2, atol=0.05)
