"""Matrices of the IBSI digital phantom, one by one, and what merging does."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.features.sizes import LevelSizeCounts
from centrum.features.textures import Neighbourhood, Textures
from centrum.kernels.neighbours import DIRECTIONS
from tests.kernels.regions import LEVELS
from tests.reference import digital_phantom


def textures(*, in_slice: bool) -> Textures:
    inside = digital_phantom.mask().array
    levels = np.where(inside, digital_phantom.IMAGE, 0).astype(np.uint16)
    blocks = (slice(None), None) if in_slice else (None,)
    return Textures(levels[blocks], Neighbourhood(in_slice=in_slice), 6, inside[blocks])


def cells(m: LevelSizeCounts, block: int) -> list[list[float]]:
    mine = m.matrix == block
    return sorted(np.stack([m.i, m.j, m.n], axis=1)[mine].tolist())


def direction_of(row: dict) -> int | None:
    if row["direction_xyz"] is None:
        return None
    step = np.array(row["direction_xyz"][::-1])
    return int(
        np.flatnonzero(
            (np.abs(DIRECTIONS @ step) == (step**2).sum())
            & ((step == DIRECTIONS).all(1) | (-step == DIRECTIONS).all(1))
        )[0]
    )


def test_matrices_of_the_digital_phantom(reference: Path) -> None:
    path = reference / "ibsi" / "ibsi1_digital_phantom_texture_matrices.json"
    seen = Counter()
    for row in json.loads(path.read_text()):
        settings = textures(in_slice=row["variant"].startswith("2"))
        block = row["slice_z"] or 0
        merged = (0,) if row["variant"].startswith("2.5") else ()
        direction = direction_of(row)
        ours = matrix(settings, row["matrix"], merged, block, direction)
        np.testing.assert_allclose(ours, sorted(row["rows"]), rtol=1e-6, err_msg=str(row))
        seen[row["matrix"]] += 1
    assert seen == {"GLCM": 34, "GLRLM": 34, "GLSZM": 5, "GLDZM": 5, "NGTDM": 5, "NGLDM": 5}


def matrix(
    settings: Textures, kind: str, merged: tuple[int, ...], block: int, direction: int | None
) -> list[list[float]]:
    """Rows of the non-empty cells of one matrix."""
    block = 0 if merged else block
    if kind == "GLCM":
        counts = settings.pair_counts.sum(axis=merged, keepdims=True)[block]
        one = counts.sum(axis=0) if direction is None else counts[direction]
        both = one + one.T
        return sorted([i + 1, j + 1, both[i, j]] for i, j in np.argwhere(both))
    if kind == "GLRLM":
        table = settings.run_counts[0].sum(axis=merged, keepdims=True)[block]
        one = table.sum(axis=0) if direction is None else table[direction]
        return sorted([i + 1, j + 1, one[j, i]] for j, i in np.argwhere(one))
    if kind == "NGTDM":
        tones = settings.ngtdm(merged)
        n, s = np.atleast_2d(tones.n)[block], np.atleast_2d(tones.s)[block]
        return sorted([i + 1, s[i], n[i]] for i in np.flatnonzero(n))
    found = {"GLSZM": settings.glszm, "GLDZM": settings.gldzm, "NGLDM": settings.ngldm}[kind](
        merged
    )
    return cells(found, block)


@given(LEVELS)
def test_merging_sums_the_matrices(levels: np.ndarray) -> None:
    """Merged over everything, counts do not depend on how the region is cut into matrices."""
    t = Textures(levels, Neighbourhood(), 3, levels > 0)
    for count in (t.glrlm, t.glszm, t.gldzm, t.ngldm):
        apart, merged = count(()), count((0, 1))
        assert merged.sums.elements == apart.sums.elements.sum()
        assert merged.n_voxels.sum() == apart.n_voxels.sum()
    n = levels.shape[0]
    np.testing.assert_array_equal(t.glszm(()).n_voxels, (levels > 0).reshape(n, -1).sum(axis=1))


@given(LEVELS, st.permutations([0, 1, 2]), st.sampled_from([1, 2]))
def test_axes_can_be_exchanged_and_flipped(
    levels: np.ndarray, order: list[int], distance: int
) -> None:
    """In 3D no axis is special: merged matrices stay as they are."""
    settings = Neighbourhood(distances=(distance,))
    turned = np.ascontiguousarray(np.transpose(levels, (0, *(1 + a for a in order)))[:, ::-1])
    one, other = (Textures(a, settings, 3, a > 0) for a in (levels, turned))
    np.testing.assert_array_equal(one.glcm((0, 1)).p, other.glcm((0, 1)).p)
    for name in ("glrlm", "glszm", "gldzm", "ngldm"):
        a, b = getattr(one, name)((0, 1)), getattr(other, name)((0, 1))
        assert cells(a, 0) == cells(b, 0)
    np.testing.assert_allclose(one.ngtdm((0,)).s, other.ngtdm((0,)).s, atol=1e-9)


@pytest.mark.parametrize(("distances", "n"), [((1,), 13), ((2,), 49), ((1, 2), 62)])
def test_pyradiomics_pairs_at_all_steps_of_a_distance(distances: tuple[int, ...], n: int) -> None:
    settings = Neighbourhood(distances=distances, dialect="pyradiomics")
    assert len(settings.pair_offsets) == n
    assert len(settings.around) == 2 * n
    steps = {tuple(s) for s in settings.pair_offsets} | {tuple(-s) for s in settings.pair_offsets}
    assert len(steps) == 2 * n


def test_weights() -> None:
    settings = Neighbourhood(weighting="manhattan", spacing=(4.0, 1.0, 0.5))
    found = settings.weights(np.array([(0, 1, -1), (1, 0, 0)]), gaussian=True)
    np.testing.assert_allclose(found, np.exp([-2.25, -16]))
