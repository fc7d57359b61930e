"""Local binary patterns in space against their definition, voxel by voxel on the whole image."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.special import lpmv
from scipy.stats import kurtosis as excess

from centrum.filters import View
from centrum.filters.pyradiomics_lbp3d import LocalBinaryPattern3D, icosphere, spherical_harmonics

SPACING = (4.4, 0.6, 0.7)
IMAGE = np.random.default_rng(5).normal(300, 90, size=(9, 50, 60)).cumsum(2)
BOX = (slice(2, 6), slice(20, 26), slice(25, 29))


def plain(
    image: np.ndarray, box: tuple[slice, ...], levels: int, radius: float, subdivision: int
) -> np.ndarray:
    """Of each voxel of the box, with the sums over orders and neighbours written out."""
    corners = icosphere(subdivision)
    harmonics = [spherical_harmonics(n, corners) for n in range(levels)]
    voxels = np.stack(np.meshgrid(*(np.arange(b.start, b.stop) for b in box), indexing="ij"), -1)
    out = np.empty((levels + 1, *voxels.shape[:3]))
    for place in np.ndindex(voxels.shape[:3]):
        voxel = voxels[place]
        x = map_coordinates(image, (voxel + radius * corners).T, order=3)
        brighter = x >= image[tuple(voxel)]
        for n, y in enumerate(harmonics):
            part = sum((brighter * y[:, m]).sum() * y[:, m] for m in range(y.shape[1]))
            out[n, *place] = np.sqrt((part**2).sum()).real
        out[levels, *place] = excess(x)
    return out


@pytest.mark.parametrize("kind", [np.int16, np.float64])
@pytest.mark.parametrize(
    ("levels", "radius", "subdivision"), [(2, 1.0, 1), (3, 2.5, 0), (1, 1.5, 2)]
)
@pytest.mark.parametrize("box", [BOX, (slice(0, 2), slice(48, 50), slice(0, 3))])
def test_maps_are_those_of_the_whole_image(
    kind: type, levels: int, radius: float, subdivision: int, box: tuple[slice, slice, slice]
) -> None:
    image = (IMAGE / 10).astype(kind)
    chosen = LocalBinaryPattern3D(
        lbp3DLevels=levels, lbp3DIcosphereRadius=radius, lbp3DIcosphereSubdivision=subdivision
    )
    found = np.stack(list(chosen.respond(View(image, box, SPACING))))
    expected = plain(image, box, levels, radius, subdivision)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_equal_neighbours() -> None:
    flat = View.whole(np.full((9, 9, 9), 7, np.int16), SPACING)
    mean, dipole, kurtosis = (m[4, 4, 4] for m in LocalBinaryPattern3D().respond(flat))
    assert mean == pytest.approx(42**1.5 / (4 * np.pi))
    assert kurtosis == -3
    assert np.isfinite(dipole)


def test_harmonics_are_normalised_and_have_pyradiomics_angles() -> None:
    directions = icosphere(1)
    longitude, polar = np.arccos(directions[:, 2]), np.arctan2(directions[:, 1], directions[:, 0])
    found = spherical_harmonics(2, directions)
    # Order 1 and -1 of degree 2, written out; the axis is at a polar angle that may be negative.
    ahead = -np.sqrt(15 / (8 * np.pi)) * abs(np.sin(polar)) * np.cos(polar)
    np.testing.assert_allclose(found[:, 3], ahead * np.exp(1j * longitude), atol=1e-12)
    np.testing.assert_allclose(found[:, 1], -found[:, 3].conj(), atol=1e-12)
    zonal = np.sqrt(5 / (4 * np.pi)) * lpmv(0, 2, np.cos(polar))
    np.testing.assert_allclose(found[:, 2], zonal, atol=1e-12)


def test_the_icosahedron_stands_on_its_edges() -> None:
    golden = (1 + np.sqrt(5)) / 2
    length = np.hypot(1, golden)
    found = {tuple(np.round(np.abs(c) * length, 6).tolist()) for c in icosphere(0)}
    assert found == {
        (1.0, round(golden, 6), 0.0),
        (0.0, 1.0, round(golden, 6)),
        (round(golden, 6), 0.0, 1.0),
    }
    for k in range(3):
        assert np.linalg.norm(icosphere(k), axis=1) == pytest.approx(1)
        assert icosphere(k).sum(axis=0) == pytest.approx(0, abs=1e-12)
