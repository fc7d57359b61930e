"""The scanner: point spread, slice profile, smoothing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from centrum.simulate import acquisition as scanner
from centrum.simulate.acquisition import CENTRES, Centre, VoxelGrid

PROTOCOL = CENTRES["A"].protocols["lumbar"]
FIELD = (40.0, 40.0)


@pytest.fixture(scope="module")
def grids() -> tuple[VoxelGrid, VoxelGrid]:
    """The grid of a small image, and the build beneath it."""
    image = scanner.image_grid(PROTOCOL, FIELD, 0.0)
    return image, scanner.build_grid(image)


def acquired(tissue: np.ndarray, grids: tuple[VoxelGrid, VoxelGrid], centre: Centre) -> np.ndarray:
    image, build = grids
    return scanner.acquire(tissue, build, image, PROTOCOL, centre)


def built(grids: tuple[VoxelGrid, VoxelGrid]) -> np.ndarray:
    return np.zeros([len(axis) for axis in grids[1].axes], np.float32)


def test_uniform_tissue_stays_uniform(grids: tuple[VoxelGrid, VoxelGrid]) -> None:
    image = acquired(built(grids) + 3, grids, CENTRES["A"])
    assert image.shape == tuple(len(axis) for axis in grids[0].axes)
    np.testing.assert_allclose(image, 3, rtol=1e-5)


@pytest.mark.parametrize("name", ["A", "B"])
def test_a_thin_line_is_as_wide_as_the_point_spread(
    grids: tuple[VoxelGrid, VoxelGrid], name: str
) -> None:
    """The second moment of its image is that of the Gaussian, across rows and across columns."""
    image, build = grids
    for axis, fwhm in ((1, CENTRES[name].resolution_mm[1]), (2, CENTRES[name].resolution_mm[0])):
        tissue = built(grids)
        middle = int(np.abs(build.axes[axis]).argmin())
        tissue[(slice(None),) * axis + (middle,)] = 1
        line = acquired(tissue, grids, CENTRES[name])
        profile = line.mean(axis=tuple({0, 1, 2} - {axis}))
        distance = image.axes[axis] - build.axes[axis][middle]
        variance = (profile * distance**2).sum() / profile.sum()
        assert np.sqrt(variance) == pytest.approx(fwhm * scanner.FWHM_TO_SIGMA, rel=0.06)


def test_a_slice_sees_its_own_thickness_only(grids: tuple[VoxelGrid, VoxelGrid]) -> None:
    image, build = grids
    k = len(image.left) // 2
    tissue = built(grids)
    tissue[np.abs(build.left - image.left[k]) > PROTOCOL.thickness_mm / 2 + 0.5] = 1
    assert acquired(tissue, grids, CENTRES["A"])[k].max() == 0


def test_smoothing_keeps_the_mean_and_takes_noise_away_within_slices() -> None:
    noise = np.random.default_rng(3).normal(5, 1, (6, 200, 200)).astype(np.float32)
    assert scanner.smoothed(noise, 0.0, 0.6) is noise
    sd_mm, pixel_mm = 0.9, 0.6
    smooth = scanner.smoothed(noise, sd_mm, pixel_mm)
    assert smooth.mean() == pytest.approx(noise.mean(), abs=0.01)
    # white noise through a Gaussian of s pixels along two axes: 1 / (2 sqrt(pi) s)
    assert smooth.std() == pytest.approx(pixel_mm / (2 * np.sqrt(np.pi) * sd_mm), rel=0.05)
    between = np.corrcoef(smooth[0].ravel(), smooth[1].ravel())[0, 1]
    assert abs(between) < 0.1


@pytest.mark.parametrize("sd", [0.3, 0.45, 0.6, 1.2])
def test_noise_is_spread_as_scipy_spreads_it(sd: float) -> None:
    plane = np.random.default_rng(4).normal(size=(9, 7)).astype(np.float32)
    spread = scanner._spread_rows(plane, sd)
    assert spread.dtype == np.float32
    expected = gaussian_filter1d(plane, sd, axis=0, truncate=3.0)
    np.testing.assert_allclose(spread, expected, atol=1e-6)
