"""Feature maps: a window over the whole region gives the region's own values, and a smaller one
those of the voxels in it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from centrum.errors import ProtocolError
from centrum.features.families import FAMILIES
from centrum.features.feature_id import FeatureId
from centrum.features.histogram import Histogram
from centrum.features.settings import Discretisation, ExtractionSettings
from centrum.features.statistics import Intensities
from centrum.geometry import Geometry, direction_of
from centrum.kernels.tally import Tally
from centrum.measure import images
from centrum.measure.extract import extract, plan
from centrum.measure.images import CaseImages
from centrum.measure.maps import (
    NOT_OF_WINDOWS,
    FeatureMap,
    Window,
    case_maps,
    feature_maps,
    why_not_mapped,
)
from centrum.measure.region import Region
from centrum.study.study import Study, open_study
from centrum.volume import Mask, Volume, turned
from tests.studies import make_study

ALL = tuple(family for family in FAMILIES if family != "shape2D")
MAPPED = tuple(f for f, of in FAMILIES.items() if of.reads not in NOT_OF_WINDOWS)
BY_SLICE = ("2D_averaged", "2D_slice_merged", "2.5D_direction_merged", "2.5D_merged")
BINS = Discretisation(bins=6)
WHOLE = 1000.0
SPACING = (0.7, 0.5, 4.0)
"""mm along columns, rows and slices of sagittal slices."""

IBSI = ExtractionSettings(
    families=MAPPED, discretisation=BINS, resegmentation={"sigma": 2},
    filters=[{"filter": "log", "sigma": 1, "dimension": "2D"}],
)  # fmt: skip
PYRADIOMICS = ExtractionSettings(
    dialect="pyradiomics", families=MAPPED, discretisation=BINS, aggregations=("3D_averaged",)
)


def case(slices: int, seed: int = 3, rows: int = 9, columns: int = 8) -> tuple[Volume, Mask]:
    """Noise with a gradient, and a region with holes that touches the edges of the image."""
    rng = np.random.default_rng(seed)
    shape = (slices, rows, columns)
    x = rng.normal(300, 40, shape) + 10 * np.indices(shape)[1]
    grid = Geometry(shape[::-1], SPACING, (5, -3, 8), direction_of("PIR"))
    return Volume(x.round().astype(np.int16), grid), Mask(rng.random(shape) < 0.7, grid)


def mapped(settings: ExtractionSettings) -> list[FeatureId]:
    return [f for f in plan(settings) if not why_not_mapped(f)]


def maps_of(
    volume: Volume, mask: Mask, settings: ExtractionSettings, mm: float
) -> tuple[FeatureMap, ...]:
    return feature_maps(Region(volume, mask, settings), mapped(settings), mm)


def changed(settings: ExtractionSettings, **choices: object) -> ExtractionSettings:
    return ExtractionSettings(**settings.model_dump() | choices)


@pytest.mark.parametrize(
    ("settings", "slices"),
    [
        (changed(IBSI, aggregations=BY_SLICE), 1),
        (changed(IBSI, aggregations=("3D_averaged", "3D_merged")), 4),
        (changed(IBSI, aggregations=("3D_merged",), weighting="euclidean", coarseness=1), 4),
        (
            changed(
                IBSI, discretisation={"method": "none"}, filters=(), distances=(2,), symmetric=False
            ),
            1,
        ),
        (PYRADIOMICS, 4),
        (changed(PYRADIOMICS, aggregations=BY_SLICE[2:3]), 1),
        (changed(PYRADIOMICS, distances=(1, 2), energy_shift=100.0), 3),
    ],
)
def test_a_window_over_the_whole_region_gives_its_own_values(settings, slices):
    """At every voxel, of every feature that can be mapped: in slices, and in space."""
    volume, mask = case(slices)
    own = dict(zip(plan(settings), extract(volume, mask, settings), strict=True))
    kept = Region(volume, mask, settings).kept
    assert 0 < kept.sum() < mask.array.sum() or settings.dialect == "pyradiomics"
    found = maps_of(volume, mask, settings, WHOLE)
    assert len(found) == len(own)
    for each in found:
        values = each.volume.array[kept]
        np.testing.assert_allclose(
            values, own[each.feature], rtol=1e-9, atol=1e-9, err_msg=each.feature.spell("ibsi")
        )
        assert np.isnan(each.volume.array[~kept]).all()


@given(st.integers(0, 10_000), st.sampled_from([1, 3]))
@hypothesis_settings(max_examples=15, deadline=None)
def test_so_it_does_of_any_region(seed, slices):
    aggregation = "2.5D_merged" if slices == 1 else "3D_averaged"
    settings = changed(IBSI, aggregations=(aggregation,), filters=())
    volume, mask = case(slices, seed, rows=4, columns=5)
    region = Region(volume, mask, settings)
    own = dict(zip(plan(settings), extract(volume, mask, settings), strict=True))
    for each in maps_of(volume, mask, settings, WHOLE):
        wanted = own[each.feature] if np.isfinite(own[each.feature]) else np.nan
        np.testing.assert_allclose(each.volume.array[region.kept], wanted, rtol=1e-9, atol=1e-9)


OF_NG = ("normalised_inverse_difference", "normalised_inverse_difference_moment")
"""Divided by the number of grey levels, which of a window alone is smaller."""


@pytest.mark.parametrize(
    ("aggregation", "mm", "radius"),
    [("2.5D_merged", 3, (0, 3, 2)), ("3D_averaged", 9, (1, 9, 6)), ("3D_merged", 3, (0, 3, 2))],
)
def test_a_voxel_of_a_map_is_its_window_alone(aggregation, mm, radius):
    """That is, a region of the voxels in the window, with the grey levels of the whole one."""
    settings = changed(IBSI, aggregations=(aggregation,), filters=())
    volume, mask = case(4, rows=30, columns=20)
    region = Region(volume, mask, settings)
    levels = Volume(region.placed(region.levels), volume.geometry)
    alone = changed(settings, discretisation={"method": "none"}, resegmentation={})
    found = maps_of(volume, mask, settings, mm)
    places = np.argwhere(region.kept)
    for centre in places[[0, 100, 700, -1]]:
        near = np.abs(places - centre) <= radius
        within = np.zeros_like(region.kept)
        within[tuple(places[near.all(axis=1)].T)] = True
        assert within.sum() < 0.5 * len(places)
        own = {
            feature: value
            for image in (volume, levels)
            for feature, value in zip(
                plan(alone), extract(image, Mask(within, volume.geometry), alone), strict=True
            )
            if (feature.family == "statistics") == (image is volume)
        }
        for each in found:
            if each.feature.feature not in OF_NG:
                here, wanted = each.volume.array[tuple(centre)], own[_undiscretised(each.feature)]
                assert here == pytest.approx(wanted, rel=1e-9, abs=1e-9), each.feature


def _undiscretised(feature: FeatureId) -> FeatureId:
    return replace(feature, discretisation="")


def test_maps_lie_where_their_voxels_do():
    """However much of the image there is, and in whichever order its axes are stored."""
    settings = changed(IBSI, filters=())
    volume, mask = case(3)
    around = [(1, 2), (4, 1), (2, 3)]
    wide = [np.pad(each.array, around) for each in (volume, mask)]
    x, y, z = volume.geometry.position([-n for n, _ in reversed(around)])
    grid = Geometry(wide[0].shape[::-1], SPACING, (x, y, z), volume.geometry.direction)
    wanted = maps_of(volume, mask, settings, 3)
    for image, region in (
        (Volume(wide[0], grid), Mask(wide[1], grid)),
        (turned(volume, "LSA"), turned(mask, "LSA")),
    ):
        for a, b in zip(wanted, maps_of(image, region, settings, 3), strict=True):
            np.testing.assert_array_equal(a.volume.array, b.volume.array)
            assert a.volume.geometry.same_grid(b.volume.geometry)


def test_a_map_lies_on_the_prepared_grid():
    """In the box of the region, of which it has the voxels and no other."""
    settings = changed(IBSI, interpolation={"in_plane": 0.6, "mask": "linear"}, filters=())
    volume, mask = case(3)
    region = Region(volume, mask, settings)
    found = maps_of(volume, mask, settings, 3)
    mean = next(m for m in found if m.feature.spell("ibsi") == "original_statistics_mean")
    assert mean.volume.geometry.spacing == pytest.approx((0.6, 0.6, 4.0))
    np.testing.assert_array_equal(np.isfinite(mean.volume.array), region.kept)
    first = [span.start for span in reversed(region.box)]
    assert mean.volume.geometry.origin == pytest.approx(region.geometry.position(first))


def test_slices_of_another_plane():
    """In the dialect of PyRadiomics, whose axes are those of the array."""
    settings = changed(PYRADIOMICS, aggregations=("2.5D_direction_merged",), plane="coronal")
    volume, mask = case(3, rows=9, columns=8)
    grid = Geometry(volume.geometry.size, (0.5, 4.0, 0.7))
    moved = [replace(each, geometry=grid) for each in (volume, mask)]
    axial = [
        type(each)(np.moveaxis(each.array, 1, 0), Geometry((8, 3, 9), (0.5, 0.7, 4.0)))
        for each in moved
    ]
    across = maps_of(*moved, settings, 3)
    for a, b in zip(across, maps_of(*axial, changed(settings, plane="axial"), 3), strict=True):
        np.testing.assert_allclose(np.moveaxis(a.volume.array, 1, 0), b.volume.array, rtol=1e-9)


def test_what_is_not_defined_is_not_a_number():
    """Such as the coefficient of variation where intensities cancel, which would be infinite."""
    grid = Geometry((9, 9, 1), (1, 1, 4), direction=direction_of("PIR"))
    rows, columns = np.indices((9, 9))
    volume = Volume((rows + columns - 8).astype(float)[None], grid)
    region = Region(
        volume, Mask(np.ones(grid.shape, bool), grid), changed(IBSI, filters=(), resegmentation={})
    )
    wanted = next(f for f in mapped(IBSI) if f.code == "7TET")
    (found,) = feature_maps(region, [wanted], 3)
    assert np.isnan(found.volume.array[0, 4, 4])
    assert np.isfinite(found.volume.array[0, 0, 0])
    assert not np.isinf(found.volume.array).any()


def test_maps_come_in_the_order_in_which_they_are_asked_for():
    volume, mask = case(2)
    features = mapped(IBSI)[::-7]
    found = feature_maps(Region(volume, mask, IBSI), features, 3)
    assert [m.feature for m in found] == features


def test_every_family_is_mapped_or_refused_by_name():
    settings = ExtractionSettings(families=ALL)
    region = Region(*case(2), settings)
    refused = {}
    for feature in plan(settings):
        if why := why_not_mapped(feature):
            with pytest.raises(ProtocolError, match=f"no map of .*{feature.feature}.*{why}"):
                feature_maps(region, [feature], 5)
            refused[feature.family] = why
    assert set(refused) == {
        "morphology", "enclosing", "spatial", "local_intensity", "ivh", "gldzm",
    }  # fmt: skip
    assert set(refused) | set(MAPPED) == set(ALL)


def test_what_is_not_measured_has_no_map():
    region = Region(*case(2), changed(IBSI, families=("statistics",)))
    for feature in (mapped(IBSI)[-1], replace(mapped(IBSI)[0], image="log-2mm-2D")):
        with pytest.raises(ProtocolError, match="do not measure it"):
            feature_maps(region, [feature], 5)
    muscle = replace(mapped(IBSI)[0], region="muscle")
    with pytest.raises(ProtocolError, match=r"muscle_original.*about another region"):
        feature_maps(region, [muscle], 5)
    clinical = FeatureId("", "other", "age", "", "age", label="age")
    with pytest.raises(ProtocolError, match="no map of age: it is not measured on an image"):
        feature_maps(region, [clinical], 5)
    assert why_not_mapped(replace(clinical, label="")) == "it is not measured on an image"


def test_the_size_of_a_window():
    sides = (4.4, 0.6, 0.6)
    assert Window.of(sides, 5, in_slice=True) == Window((0, 4, 4), sides, in_slice=True)
    assert Window.of(sides, 5, in_slice=True).text == "5.4 × 5.4 mm within slices"
    assert Window.of((1, 1, 1), 3, in_slice=False).radius == (1, 1, 1)
    assert Window.of((1, 0.1, 0.3), 0.9, in_slice=False).text == "0.9 × 0.9 × 1 mm"
    with pytest.raises(ProtocolError, match=r"1 mm holds one voxel of 0.6 × 0.6 × 4.4 mm"):
        Window.of(sides, 1, in_slice=True)
    with pytest.raises(ProtocolError, match="holds one voxel"):
        Window.of((1, 6, 6), 5, in_slice=True)


@pytest.mark.parametrize("scale", [1.0, 0.37])
@pytest.mark.parametrize("dialect", ["ibsi", "pyradiomics"])
def test_windows_at_once_are_each_window_to_the_last_bit(dialect, scale):
    """Of intensities, whole numbers or not, and of grey levels: as of a region that is a window."""
    settings = changed(
        IBSI, dialect=dialect, families=("statistics", "histogram"), filters=(), resegmentation={},
        aggregations=("3D_averaged",), energy_shift=100.0 * (dialect == "pyradiomics"),
    )  # fmt: skip
    volume, mask = case(4, rows=20, columns=12)
    volume = replace(volume, array=(volume.array * scale).astype(type(scale) if scale < 1 else int))
    region = Region(volume, mask, settings)
    numbers, levels = region.placed(region.numbers), region.placed(region.levels)
    found = feature_maps(region, mapped(settings), 9)
    radius = found[0].window.radius
    assert {m.window.radius for m in found} == {radius} == {(1, 9, 6)}
    for centre in np.argwhere(region.kept)[::37]:
        box = tuple(slice(max(c - r, 0), c + r + 1) for c, r in zip(centre, radius, strict=True))
        inside = region.kept[box]
        alone = {
            "statistics": Intensities(
                Tally.of(numbers[box][inside]), volume.geometry.voxel_volume, settings.energy_shift
            ),
            "histogram": Histogram.from_levels(levels[box][inside]),
        }
        for each in found:
            feature = next(
                f for f in FAMILIES[each.feature.family] if f.key == each.feature.feature
            )
            own = float(feature.compute(alone[each.feature.family]))
            assert each.volume.array[tuple(centre)] == own, each.feature.feature


# Of a case


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(make_study(tmp_path_factory.mktemp("maps") / "study", n=2))


def mean_of(study: Study) -> FeatureId:
    return next(f for f in study.features if f.spell("ibsi") == "original_statistics_mean")


def test_maps_of_several_sequences(study: Study) -> None:
    """Each is measured in its own image, by the region that was drawn on the first."""
    job, other = study.jobs()
    named = [replace(mean_of(study), sequence=name) for name in ("T1w", "T2w")]
    both = case_maps(replace(job, further={"T1w": other.image}), named, 5)
    assert [m.feature for m in both] == named
    for found, image in zip(both, (other.image, job.image), strict=True):
        (alone,) = case_maps(replace(job, image=image), [mean_of(study)], 5)
        np.testing.assert_array_equal(found.volume.array, alone.volume.array)
        assert found.volume.history[-1].parameters["window"] == found.window.text


def test_further_regions_are_not_read(study: Study) -> None:
    job, _ = study.jobs()
    (alone,) = case_maps(job, [mean_of(study)], 5)
    (beside,) = case_maps(replace(job, region_names=("muscle",)), [mean_of(study)], 5)
    np.testing.assert_array_equal(alone.volume.array, beside.volume.array)


def test_what_is_read_of_a_case_is_left_for_others(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, _ = study.jobs()
    read = CaseImages(job.images)
    case_maps(job, [mean_of(study)], 5, read=read)
    monkeypatch.setattr(images, "image_of", None)
    assert read.image(job.image).geometry.size
