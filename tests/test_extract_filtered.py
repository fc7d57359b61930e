"""Extraction with filters: what is measured on response maps, and on which grid."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from centrum.features.families import OF_RESPONSES
from centrum.features.settings import Discretisation, ExtractionSettings, Interpolation
from centrum.geometry import Geometry
from centrum.measure.extract import average, extract, family_values, plan
from centrum.measure.region import Region
from centrum.prepare.resample import interpolate
from centrum.volume import Mask, Volume

TEXTURES = ("statistics", "histogram", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
LOG = {"filter": "log", "sigma": 1.2}
WAVELET = {"filter": "wavelet", "wavelet": "db2"}


def body(seed: int = 0, shape: tuple[int, int, int] = (9, 24, 26)) -> tuple[Volume, Mask]:
    """Noise, and a round region in its middle."""
    grid = Geometry((shape[2], shape[1], shape[0]), (0.6, 0.6, 1.2))
    image = np.random.default_rng(seed).normal(500, 60, shape)
    z, y, x = np.indices(shape)
    inside = ((z - 4) / 3) ** 2 + ((y - 12) / 6) ** 2 + ((x - 13) / 7) ** 2 <= 1
    return Volume(image, grid), Mask(inside, grid)


def chosen(**choices: object) -> ExtractionSettings:
    return ExtractionSettings.model_validate(
        {"families": ("morphology", *TEXTURES), "plane": "axial"} | choices
    )


def test_shape_is_measured_once_and_everything_else_of_every_map() -> None:
    choices = chosen(filters=[LOG, WAVELET], aggregations=["3D_averaged", "2.5D_merged"])
    features = plan(choices)
    images = list(dict.fromkeys(f.image for f in features))
    assert images[:2] == ["original", "log-1.2mm-3D"]
    assert len(images) == 10
    per_map = [f for f in features if f.image == images[1]]
    assert {f.family for f in per_map} == set(TEXTURES)
    assert set(TEXTURES) <= set(OF_RESPONSES)
    assert len(features) == len([f for f in features if f.image == "original"]) + 9 * len(per_map)
    assert len(extract(*body(), choices)) == len(features)
    assert len({f.spell("ibsi") for f in features}) == len(features)


@pytest.mark.parametrize("dialect", ["ibsi", "pyradiomics"])
@pytest.mark.parametrize("aggregation", ["3D_averaged", "2D_averaged", "2.5D_merged"])
@pytest.mark.parametrize("width", [None, 12.0])
def test_maps_measured_together_have_the_values_of_each_alone(
    dialect: str, aggregation: str, width: float | None
) -> None:
    """Whatever the number of grey levels of the others."""
    bins = (
        Discretisation(bins=16)
        if width is None
        else Discretisation(method="fixed_bin_size", width=width)
    )
    choices = chosen(dialect=dialect, aggregations=[aggregation], discretisation=bins)
    volume, mask = body()
    image = Region(volume, mask, choices)
    filters = chosen(filters=[LOG, WAVELET]).filters
    maps = [image, *(m for f in filters for m in image.filtered(f))]
    assert width is None or len({int(m.levels.max()) for m in maps}) > 3
    for family in TEXTURES[2:]:
        together = family_values(maps, family)
        apart = np.vstack([family_values([m], family) for m in maps])
        np.testing.assert_allclose(together, apart, rtol=1e-9, atol=1e-12, err_msg=family)


def test_few_maps_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    choices = chosen(filters=[LOG, WAVELET])
    together = extract(*body(), choices)
    monkeypatch.setattr("centrum.measure.extract.BATCH", 1500)
    np.testing.assert_allclose(extract(*body(), choices), together, rtol=1e-9, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_map_is_measured_as_an_image_of_its_own(seed: int) -> None:
    volume, mask = body(seed)
    choices = chosen(families=TEXTURES, filters=[LOG])
    (response,) = list(Region(volume, mask, choices).responses())
    whole = np.zeros(volume.array.shape)
    whole[mask.array] = response.x
    alone = extract(Volume(whole, volume.geometry), mask, chosen(families=TEXTURES))
    values = extract(volume, mask, choices)
    np.testing.assert_allclose(values[len(alone) :], alone, rtol=1e-9, atol=1e-12)


def test_resegmentation_is_about_the_image() -> None:
    """It decides which voxels of a map count, and not at which response bins begin."""
    volume, mask = body()
    kept = mask.array & (volume.array >= 480)
    choices = {
        "families": TEXTURES,
        "discretisation": Discretisation(method="fixed_bin_size", width=9),
    }
    limited = chosen(**choices, filters=[LOG], resegmentation={"lower": 480})
    (response,) = Region(volume, mask, limited).responses()
    drawn = Region(volume, Mask(kept, volume.geometry), chosen(**choices, filters=[LOG]))
    (wanted,) = drawn.responses()
    np.testing.assert_array_equal(response.x, wanted.x)
    np.testing.assert_array_equal(response.levels, wanted.levels)


def test_response_maps_may_be_discretised_otherwise() -> None:
    width = Discretisation(method="fixed_bin_size", width=3)
    choices = chosen(filters=[LOG], response_discretisation=width, families=("glcm",))
    assert {f.image: f.discretisation for f in plan(choices)} == {
        "original": "FBN32",
        "log-1.2mm-3D": "FBS3",
    }


@pytest.mark.parametrize("boundary", ["mirror", "periodic"])
def test_the_interpolated_image_reaches_as_far_as_the_filters_do(boundary: str) -> None:
    """Filtering the part of the new grid that is computed equals filtering all of it."""
    volume, mask = body()
    filters = [{"filter": "mean", "support": 7, "boundary": boundary}, LOG]
    grid = {"isotropic": 0.9, "image": "cubic"}
    choices = chosen(families=("statistics",), filters=filters, interpolation=grid)
    parts = [response.x for response in Region(volume, mask, choices).responses()]
    for part, whole in zip(parts, _on_whole_grid(volume, mask, choices), strict=True):
        np.testing.assert_allclose(part, whole, rtol=1e-10, atol=1e-10)


def _on_whole_grid(volume: Volume, mask: Mask, choices: ExtractionSettings) -> list[np.ndarray]:
    image, inside = interpolate(volume, mask, (0.9, 0.9, 0.9), image="cubic", margin=None)
    plain = choices.model_copy(update={"interpolation": None})
    return [response.x for response in Region(image, inside, plain).responses()]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_interpolation_in_plane_follows_the_slices(axis: int) -> None:
    """Whichever axis of the array lies across them; it is the first of the region."""
    volume, mask = body()
    names = ("axial", "coronal", "sagittal")
    in_plane = chosen(plane=names[axis], interpolation=Interpolation(in_plane=1.0))
    region = Region(volume, mask, in_plane)
    expected = [volume.geometry.array_spacing[axis], 1.0, 1.0]
    assert region.geometry.array_spacing == pytest.approx(expected)


def test_average_keeps_leading_axes() -> None:
    values = np.array([[[1.0, np.nan], [4.0, 2.0]]])
    assert average(values).tolist() == [[1.0, 3.0]]
