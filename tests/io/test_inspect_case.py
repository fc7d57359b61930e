"""Every oddity of a mask on its image is found and named; a sound case has none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from centrum.errors import GeometryError
from centrum.geometry import Geometry
from centrum.io import inspect_case
from centrum.volume import Mask, Volume

GRID = Geometry((20, 18, 8), (0.6, 0.6, 4.4))


def body() -> NDArray[np.bool_]:
    array = np.zeros(GRID.shape, bool)
    array[2:6, 4:14, 5:15] = True
    return array


def noise() -> NDArray:
    return np.random.default_rng(0).normal(100, 10, GRID.shape)


def findings(region: NDArray[np.bool_], intensities: NDArray | None = None) -> dict[str, str]:
    image = Volume(noise() if intensities is None else intensities, GRID)
    found = inspect_case(image, Mask(region, GRID, "L1"))
    order = [("error", "warning", "note").index(f.severity) for f in found]
    assert order == sorted(order)
    return {f"{f.severity} {f.code}": f.message for f in found}


def test_a_sound_case_has_no_findings() -> None:
    assert findings(body()) == {}


def test_empty_mask() -> None:
    assert list(findings(np.zeros(GRID.shape, bool))) == ["error empty-mask"]


def test_one_voxel() -> None:
    region = np.zeros(GRID.shape, bool)
    region[4, 4, 4] = True
    found = findings(region)
    assert list(found) == ["error constant-roi", "error tiny-mask", "warning few-slices"]
    assert "'L1' has 1 voxels" in found["error tiny-mask"]


@pytest.mark.parametrize(
    ("voxels", "wanted"),
    [(7, "error tiny-mask"), (8, "warning small-mask"), (199, "warning small-mask"), (200, None)],
)
def test_thresholds_of_size(voxels: int, wanted: str | None) -> None:
    region = np.zeros(GRID.shape, bool)
    inner = np.zeros((6, 16, 18), bool)
    inner.flat[:voxels] = True
    region[1:7, 1:17, 1:19] = inner
    sizes = [code for code in findings(region) if "mask" in code]
    assert sizes == ([wanted] if wanted else [])


@pytest.mark.parametrize(("axis", "plane"), [(0, "axial"), (1, "coronal"), (2, "sagittal")])
def test_few_slices_are_counted_across_the_largest_spacing(axis: int, plane: str) -> None:
    spacing = [0.6, 0.6, 0.6]
    spacing[2 - axis] = 4.4
    grid = Geometry((20, 20, 20), tuple(spacing))
    region = np.zeros(grid.shape, bool)
    region[4:16, 4:16, 4:16] = True
    keep = np.zeros(20, bool)
    keep[[7, 8]] = True
    region &= keep.reshape([-1 if k == axis else 1 for k in range(3)])
    image = Volume(np.random.default_rng(0).normal(size=grid.shape), grid)
    found = inspect_case(image, Mask(region, grid))
    assert [f.code for f in found] == ["few-slices"]
    assert f"2 {plane} slices" in found[0].message


def test_border_is_named() -> None:
    region = body()
    region[0, 8, 8] = region[1, 8, 8] = True
    region[4, 8, 15:] = True
    message = findings(region)["warning touches-border"]
    assert "(left, bottom)" in message


def test_pieces_are_counted_by_26_connectivity() -> None:
    region = body()
    region[6, 14, 15] = True
    assert "warning several-pieces" not in findings(region)
    region[4, 16, 17] = region[2, 2, 2] = region[2, 2, 3] = True
    assert (
        "3 pieces (26-connected) of 401, 2, 1 voxels" in findings(region)["warning several-pieces"]
    )


def test_hole_in_a_slice_even_if_open_to_the_next() -> None:
    region = body()
    region[2:6, 8, 8] = False
    region[3, 4, 10] = False
    assert findings(region)["warning holes"].startswith("4 voxels")


def test_non_finite_voxels_inside_and_outside() -> None:
    outside = noise()
    outside[0, 0, :2] = np.nan
    found = findings(body(), outside)
    assert list(found) == ["warning non-finite-image"]
    assert found["warning non-finite-image"].startswith("2 voxels")
    inside = outside.copy()
    inside[3, 5, 6] = np.inf
    found = findings(body(), inside)
    assert list(found) == ["error non-finite-roi"]
    assert found["error non-finite-roi"].startswith("1 of 400")


def test_constant_roi() -> None:
    flat = noise()
    flat[body()] = 7
    assert (
        "All 400 voxels in the ROI have the value 7" in findings(body(), flat)["error constant-roi"]
    )
    assert list(findings(body(), np.zeros(GRID.shape, np.int16))) == ["error constant-roi"]


def test_other_grid_is_refused() -> None:
    other = Geometry(GRID.size, GRID.spacing, (1, 0, 0))
    with pytest.raises(GeometryError, match="'L1' is not on the grid"):
        inspect_case(Volume(noise(), GRID), Mask(body(), other, "L1"))
