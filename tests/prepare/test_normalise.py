"""Whole images on a common scale, one image at a time."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from centrum.errors import DataError
from centrum.geometry import Geometry
from centrum.prepare.body import find_body
from centrum.prepare.image import MOSTLY_AIR, air_in_view, fill_missing, prepare_image
from centrum.prepare.normalise import percentile_scale, relate_to_tissue, subtract_air, z_score
from centrum.prepare.settings import (
    BiasField,
    Percentiles,
    Preparation,
    ReferenceTissue,
    ZScore,
)
from centrum.provenance import Step
from centrum.volume import Mask, Volume
from tests.prepare.scenes import GRID, coil, scene, trunk

SCALES = [
    {"method": "z_score", "over": "image"},
    {"method": "z_score", "over": "body"},
    {"method": "percentile", "over": "body"},
    {"method": "percentile", "over": "image", "clip": False},
    {"method": "nyul", "percentiles": (1, 50, 99), "landmarks": (0, 40, 100)},
]


@pytest.mark.parametrize("scale", SCALES, ids=lambda s: f"{s['method']}-{s.get('over')}")
@settings(max_examples=25)
@given(gain=st.floats(0.01, 100), offset=st.floats(0, 500))
def test_gain_and_offset_do_not_matter(scale: dict, gain: float, offset: float) -> None:
    chosen = Preparation(normalisation=scale)
    image = scene()
    changed = image.with_array(gain * image.array + offset, Step("changed"))
    expected = prepare_image(image, chosen).array
    found = prepare_image(changed, chosen).array
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.ptp(expected))


def test_a_ratio_to_a_tissue_takes_out_gain_and_with_the_air_offset() -> None:
    tissue = Mask(trunk(0.3), GRID, "L3")
    image = subtract_air(scene())
    changed = subtract_air(image.with_array(3 * image.array + 30, Step("8 bit copy")))
    a, b = (relate_to_tissue(v, tissue, ReferenceTissue()).array for v in (image, changed))
    np.testing.assert_allclose(a, b, atol=1e-6)
    assert a[tissue.array].mean() == pytest.approx(100)


def test_z_scores_of_the_body_have_mean_0_and_sd_1() -> None:
    image = scene(field=coil())
    inside = trunk()
    found = z_score(image, ZScore(scale=100), inside)
    assert found.array[inside].mean() == pytest.approx(0, abs=1e-9)
    assert found.array[inside].std() == pytest.approx(100)
    step = found.history[-1].parameters
    assert (step["mean"], step["sd"]) == (image.array[inside].mean(), image.array[inside].std())


@pytest.mark.parametrize("over", ["image", "body"])
@pytest.mark.parametrize("field", [None, BiasField(shrink_factor=4, iterations=(5,))])
def test_what_is_normalised_by_is_as_chosen_whatever_the_shading_is_fitted_to(
    over: str, field: BiasField | None
) -> None:
    image = scene(field=coil())
    scale = {"method": "z_score", "over": over}
    found = prepare_image(image, Preparation(bias_field=field, normalisation=scale)).array
    looked = find_body(image).inside if over == "body" else np.ones(found.shape, bool)
    spread = found[looked].std()
    assert found[looked].mean() == pytest.approx(0, abs=1e-9 * spread)
    assert abs(found[~looked].mean() if over == "body" else 1) > 1e-3 * spread
    assert spread == pytest.approx(ZScore().scale)


def test_air_in_view_moves_the_score_over_the_image_but_not_over_the_body() -> None:
    """The reason for `over: body`: a wider view of the same trunk."""
    near, wide = scene(), _widened(scene(), 36)
    scores = {over: [_score(v, over) for v in (near, wide)] for over in ("image", "body")}
    assert abs(np.subtract(*scores["image"])) > 0.5
    assert abs(np.subtract(*scores["body"])) < 0.05


def _widened(image: Volume, n: int) -> Volume:
    """`n` columns of air more on either side."""
    noise = np.abs(np.random.default_rng(1).normal(0, 6, (12, 80, 72 + 2 * n)))
    noise[:, :, n:-n] = image.array
    return Volume(noise, Geometry((72 + 2 * n, 80, 12), image.geometry.spacing))


def _score(image: Volume, over: str) -> float:
    """Median z-score of the tissue in the middle of the trunk."""
    found = prepare_image(image, Preparation(normalisation={"method": "z_score", "over": over}))
    return float(np.median(found.array[:, 30:50, found.array.shape[2] // 2]))


def test_percentiles_go_to_the_ends_and_the_rest_is_clipped() -> None:
    image = scene()
    settings = Percentiles(lower=5, upper=95, range=(-1, 1))
    x = percentile_scale(image, settings, trunk()).array
    assert (x.min(), x.max()) == (-1, 1)
    assert np.mean(x[trunk()] == 1) == pytest.approx(0.05, abs=0.001)
    loose = percentile_scale(image, settings.model_copy(update={"clip": False}), trunk()).array
    np.testing.assert_allclose(np.percentile(loose[trunk()], [5, 95]), [-1, 1], atol=1e-9)


def test_voxels_that_are_not_finite_stay_so_and_decide_nothing() -> None:
    image = scene()
    array = image.array.copy()
    array[0, 0, :3] = np.nan, np.inf, -np.inf
    broken = Volume(array, GRID)
    found = z_score(broken, ZScore(over="image")).array
    assert not np.isfinite(found[0, 0, :3]).any()
    rest = np.isfinite(array)
    assert found[rest].std() == pytest.approx(1)


def test_nothing_to_scale_by_is_an_error() -> None:
    flat = Volume(np.full(GRID.shape, 5.0), GRID)
    with pytest.raises(DataError, match="all are the same"):
        z_score(flat, ZScore(over="image"))
    with pytest.raises(DataError, match="all are the same"):
        percentile_scale(flat, Percentiles(over="image"))
    with pytest.raises(DataError, match="No finite voxel"):
        z_score(Volume(np.full(GRID.shape, np.nan), GRID), ZScore(over="image"))


def test_a_tissue_must_be_large_and_bright_enough() -> None:
    image = scene()
    dot = np.zeros(GRID.shape, bool)
    dot[5, 40, 30:40] = True
    with pytest.raises(DataError, match=r"'CSF' has 10 voxels, at least 50"):
        relate_to_tissue(image, Mask(dot, GRID, "CSF"), ReferenceTissue())
    dark = image.with_array(image.array - 1000, Step("shift"))
    with pytest.raises(DataError, match=r"mean of the reference tissue 'L3' is -\d+"):
        relate_to_tissue(dark, Mask(trunk(0.3), GRID, "L3"), ReferenceTissue())


def test_median_and_mean_of_a_tissue() -> None:
    image, tissue = scene(), Mask(trunk(0.3), GRID, "muscle")
    settings = ReferenceTissue(statistic="median", scale=1)
    found = relate_to_tissue(image, tissue, settings)
    assert np.median(found.array[tissue.array]) == pytest.approx(1)
    step = found.history[-1].parameters
    assert (step["segment"], step["voxels"]) == ("muscle", tissue.n_voxels)
    assert step["level"] == np.median(image.array[tissue.array])


def test_steps_come_in_order_and_the_input_is_left_alone() -> None:
    image = scene(field=coil())
    before = image.array.copy()
    settings = Preparation(
        subtract_air=True,
        bias_field=BiasField(shrink_factor=4, iterations=(5,)),
        normalisation=ZScore(),
    )
    found = prepare_image(image, settings)
    assert [s.name for s in found.history] == ["subtract_air", "n4_bias_field", "z_score"]
    np.testing.assert_array_equal(image.array, before)
    assert prepare_image(image, Preparation()) is image


def test_mostly_air_is_told_with_its_share() -> None:
    assert (
        air_in_view(Volume(scene().array[:, 10:70, 10:62], GRID.crop((10, 10, 0), (52, 60, 12))))
        is None
    )
    wide = _widened(scene(), 36)
    message = air_in_view(wide)
    assert message is not None
    share = int(message.split()[0]) / 100
    assert share > MOSTLY_AIR
    assert share == pytest.approx(1 - trunk().sum() / wide.array.size, abs=0.02)
    assert "over: body" in message


def test_half_of_the_view_may_be_air() -> None:
    grid = Geometry((20, 20, 3), (4.0, 4.0, 5.0))
    for rows, told in ((10, False), (9, True)):
        array = np.full(grid.shape, 30.0)
        array[:, :rows] = 200
        assert (air_in_view(Volume(array, grid)) is not None) == told


def test_missing_voxels_are_counted() -> None:
    array = np.array([[[np.nan, -3.0, np.inf, 5.0]]])
    filled = fill_missing(Volume(array, Geometry((4, 1, 1), (1, 1, 1))))
    assert filled.array.ravel().tolist() == [-3, -3, -3, 5]
    assert filled.history[-1].parameters == {"voxels": 2, "value": -3.0}


def test_a_body_is_looked_for_where_something_is_of_it() -> None:
    """A shading that is fitted to it, or a scale; else an image without any body is prepared."""
    flat = Volume(np.full((3, 3, 3), 7.0), Geometry((3, 3, 3), (4, 4, 4)))
    assert prepare_image(flat, Preparation()) is flat
    for wanted in (
        {"bias_field": {}},
        {"normalisation": {"method": "z_score", "over": "body"}},
    ):
        with pytest.raises(DataError, match="shows no body"):
            prepare_image(flat, Preparation.model_validate(wanted))
    with pytest.raises(DataError, match="cannot be normalised"):
        prepare_image(flat, Preparation.model_validate({"normalisation": {
            "method": "z_score", "over": "image",
        }}))  # fmt: skip
