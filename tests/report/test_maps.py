"""Maps on the pictures of cases: where they lie, whose they are, and what decides the figure."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry, direction_of
from centrum.measure.case import MeasurementJob
from centrum.prepare.settings import Preparation
from centrum.report.drawing import drawing_key
from centrum.report.figures import MapBlock, MapLabel, MapPanel, MapPicture, RoiPanel, draw_maps
from centrum.report.maps import LEADING, leading, map_pictures, mapped_case
from centrum.report.results import StudyResults
from centrum.report.sections.cases import cases
from centrum.report.slices import SlicePart, Upright
from centrum.report.tables import model_features
from centrum.volume import Mask

from .conftest import Make, with_maps

GRID = Geometry((40, 60, 9), (0.5, 0.7, 4.0), (11, -7, 30), direction_of("PIR"))
"""Columns to the back, rows down: as a picture is shown."""

OTHERS = (
    Geometry((50, 50, 7), (0.6, 0.6, 4.0), (15, -4, 25), direction_of("PIR")),
    Geometry((30, 20, 11), (0.8, 0.9, 3.0), (-12, 14, 0), direction_of("SAL")),
    Geometry((25, 33, 21), (1.0, 1.0, 1.0), (-4, -6, 2), direction_of("LPS")),
)


@pytest.fixture(scope="module")
def mapped(make: Make) -> StudyResults:
    return with_maps(make())


@pytest.mark.parametrize("grid", OTHERS, ids=range(len(OTHERS)))
def test_a_map_lies_where_its_voxels_do(grid: Geometry) -> None:
    """Of every pixel of a map, its place on the picture and that in the patient are one."""
    z, y, x = np.indices(GRID.shape)
    region = (abs(y - 30) < 14 - abs(z - 3)) & (abs(x - 20) < 9)
    part = SlicePart.largest({"R": Mask(region, GRID)}, lengths=1.5)
    assert (part.k, part.rows, part.columns) == (3, slice(10, 50), slice(0, 40))
    k, other = part.nearest(grid), Upright.of(grid)
    left, right, bottom, top = part.extent(grid)
    at = np.moveaxis(grid.position(np.indices(grid.shape[::-1]).reshape(3, -1).T), -1, 0)
    places = [other.plane(a.reshape(grid.shape[::-1]).T, k) for a in at]
    rows, columns = places[0].shape
    along = left + (np.arange(columns) + 0.5) * (right - left) / columns
    down = top + (np.arange(rows) + 0.5) * (bottom - top) / rows
    shown = GRID.position((part.columns.start - 0.5, part.rows.start - 0.5, 3))
    np.testing.assert_allclose(places[1], np.broadcast_to(shown[1] + along, (rows, columns)))
    np.testing.assert_allclose(
        places[2], np.broadcast_to((shown[2] - down)[:, None], (rows, columns))
    )
    assert abs(places[0] - shown[0]).max() <= grid.array_spacing[other.axis] / 2 + 1e-9


def led(results: StudyResults) -> tuple[FeatureId, ...]:
    """The features whose maps the report shows."""
    return leading(model_features(results), results.protocol.extraction)


def _job(results: StudyResults) -> MeasurementJob:
    return next(iter(results.jobs.values()))


def test_a_case_is_mapped_on_the_slice_that_is_shown(mapped: StudyResults) -> None:
    """There the values are those of the whole map; the region is the first reader's."""
    job, features = _job(mapped), led(mapped)
    whole, shown = (mapped_case(job, features, (), whole=w) for w in (True, False))
    assert [*shown.picture.masks] == [*job.masks] == ["senior", "resident"]
    for a, b, on_a, on_b in zip(
        whole.maps, shown.maps, whole.drawn.maps, shown.drawn.maps, strict=True
    ):
        np.testing.assert_array_equal(on_a.values, on_b.values)
        assert np.isfinite(on_b.values).sum() == np.isfinite(b.volume.array).sum() > 300
        assert np.isfinite(a.volume.array).sum() > 3 * np.isfinite(b.volume.array).sum()
        assert on_b.extent == on_a.extent
    resident = replace(job, masks=dict(reversed(job.masks.items())))
    other = mapped_case(resident, features, (), whole=False)
    assert np.isfinite(other.maps[0].volume.array).sum() > on_b.values.size * 0.9


def test_leading_features_are_those_that_have_maps(mapped: StudyResults) -> None:
    features = model_features(mapped)
    assert led(mapped) == tuple(
        f for f in features if f.family not in ("morphology", "gldzm")
    )[:LEADING]  # fmt: skip
    plain = ExtractionSettings(ratios=[{"to": "arch"}])
    assert leading([replace(f, label="a column") for f in features], plain) == ()
    of_arch, ratio = ([replace(led(mapped)[0], region=r)] for r in ("arch", "body-per-arch"))
    assert leading(of_arch, plain) == (*of_arch,)
    assert leading(ratio, plain) == ()


def _drawn(results: StudyResults) -> Figure:
    (picture,) = map_pictures(results)
    return picture.drawing()


def _titles(figure: Figure) -> list[str]:
    titles = (axes.get_title(loc="left") for axes in figure.axes)
    return [" ".join(title.split()) for title in titles if title.strip()]


def test_the_figure_shows_typical_and_atypical_cases(mapped: StudyResults) -> None:
    (picture,) = map_pictures(mapped)
    assert (picture.key, [row[3] for row in picture.data.rows]) == (
        "maps", ["typical", "typical", "atypical"] * 2,
    )  # fmt: skip
    figure = picture.drawing()
    shown = [row[0] for row in picture.data.rows]
    assert all(case in title for case, title in zip(shown, _titles(figure), strict=True))
    maps = [image for axes in figure.axes for image in axes.images if image.get_zorder() == 0.5]
    assert len(maps) == LEADING * len(shown)
    scales = {(image.norm.vmin, image.norm.vmax) for image in maps}
    assert len(scales) == LEADING
    headings = [
        t.get_text() for axes in figure.axes for t in axes.texts if "window" in t.get_text()
    ]
    assert len(headings) == LEADING
    assert all("window 5.6 × 5.4" in " ".join(text.split()) for text in headings)


def test_colours_are_one_scale_over_all_cases() -> None:
    picture = RoiPanel(np.zeros((8, 8)), {"R": np.eye(8, dtype=bool)}, (1.0, 1.0), ("P001",))
    extent = (0.0, 8.0, 8.0, 0.0)
    cases = [
        MapPicture(picture, (MapPanel(np.full((8, 8), value), extent),)) for value in (2.0, 6.0)
    ]
    figure = draw_maps([MapBlock(cases, [MapLabel("Mean", "no unit", "3 mm")])])
    norms = [i.norm for axes in figure.axes for i in axes.images if i.get_zorder() == 0.5]
    assert [(norm.vmin, norm.vmax) for norm in norms] == [(2.0, 6.0)] * 2


def test_values_beside_the_figure_are_those_of_whole_regions(mapped: StudyResults) -> None:
    (picture,) = map_pictures(mapped)
    for row in picture.data.rows:
        k = mapped.table.cases.index(row[0])
        wanted = [mapped.table.values[k, mapped.table.features.index(f), 0] for f in led(mapped)]
        assert list(row[4:]) == pytest.approx(wanted)
    assert "typical malignant cases and" in picture.reading


def test_the_figure_stands_beside_the_cases(mapped: StudyResults, make: Make) -> None:
    plain = make()
    assert cases(plain).pictures == ()
    measured = replace(mapped, model=plain.model)
    names = [p.key for p in cases(measured).pictures]
    assert names == ["maps"] * bool(led(measured))


def test_nothing_is_shown_without_images_or_features(mapped: StudyResults, make: Make) -> None:
    assert map_pictures(replace(mapped, jobs={})) == ()
    assert map_pictures(with_maps(make(n_selected=1, n_measured=1))) == ()


def test_a_case_without_files_is_left_out(mapped: StudyResults, tmp_path: Path) -> None:
    (picture,) = map_pictures(mapped)
    first = picture.data.rows[0][0]
    gone = replace(mapped.jobs[first], image=str(tmp_path / "none.nrrd"))
    (left,) = map_pictures(replace(mapped, jobs={**mapped.jobs, first: gone}))
    assert [row[0] for row in left.data.rows] == [row[0] for row in picture.data.rows[1:]]


def test_a_case_that_cannot_be_measured_has_an_empty_column(mapped: StudyResults) -> None:
    first = map_pictures(mapped)[0].data.rows[0][0]
    less = ExtractionSettings(families=("statistics",))
    jobs = {**mapped.jobs, first: replace(mapped.jobs[first], extraction=less)}
    titles = _titles(_drawn(replace(mapped, jobs=jobs)))
    assert ["could not be measured again" in t for t in titles] == [True] + 5 * [False]
    nobody = {case: replace(job, extraction=less) for case, job in mapped.jobs.items()}
    assert len(_titles(_drawn(replace(mapped, jobs=nobody)))) == 6


def with_arch(results: StudyResults) -> StudyResults:
    """The same whose second leading feature is of a further region: the third reader's outlines,
    by the first reader alone."""
    first, second = led(results)[:2]
    arch = replace(second, region="arch")
    features = tuple(arch if f == second else f for f in results.table.features)
    jobs = {
        case: replace(
            job, regions={"senior:arch": job.masks["resident"]}, region_names=("arch", "canal")
        )
        for case, job in results.jobs.items()
    }
    names = tuple(feature.spell(results.table.dialect) for feature in (first, arch))
    model = replace(results.model, features=names, coefficients=np.array([2.0, 1.0]))
    return replace(results, jobs=jobs, model=model, table=replace(results.table, features=features))


def test_a_feature_of_a_further_region_is_mapped_over_it(mapped: StudyResults) -> None:
    """On a slice of its own, with the outlines of those who have drawn it."""
    results = with_arch(mapped)
    job, (first, second) = _job(results), led(results)
    assert (first.region, second.region) == ("", "arch")
    of_arch = mapped_case(job, [second], ())
    wanted = mapped_case(
        replace(job, masks={"resident": job.masks["resident"]}, regions={}, region_names=()),
        [replace(second, region="")], (),
    )  # fmt: skip
    np.testing.assert_array_equal(of_arch.maps[0].volume.array, wanted.maps[0].volume.array)
    assert [*of_arch.picture.masks] == ["senior"]
    assert (of_arch.picture.masks["senior"] == wanted.picture.masks["resident"]).all()
    (picture,) = map_pictures(results)
    assert 'the largest vertebral body and region "arch" of the first reader' in picture.caption
    assert 'colours over the vertebral body and region "arch" for' in picture.alt
    figure = picture.drawing()
    rows = [axes.texts[-1].get_text() for axes in figure.axes if axes.texts]
    assert sum("window" in text for text in rows) == 2
    others = {case: replace(j, regions={}) for case, j in results.jobs.items()}
    titles = _titles(map_pictures(replace(results, jobs=others))[0].drawing())
    assert [title.startswith("region arch") for title in titles] == 6 * [False] + 6 * [True]
    assert all(("could not" in title) == title.startswith("region arch") for title in titles)
    assert drawing_key(picture.drawing) != drawing_key(
        map_pictures(replace(results, jobs=others))[0].drawing
    )


def test_windows_of_too_many_voxels_are_not_measured(
    mapped: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("centrum.report.maps.MOST_VOXELS", 1000)
    assert all("could not be measured" in title for title in _titles(_drawn(mapped)))


def test_all_that_is_read_decides_the_figure(mapped: StudyResults, tmp_path: Path) -> None:
    def key(results: StudyResults) -> str:
        (picture,) = map_pictures(results)
        return drawing_key(picture.drawing)

    first = map_pictures(mapped)[0].data.rows[0][0]
    job, known = mapped.jobs[first], key(mapped)
    assert key(replace(mapped, jobs=dict(mapped.jobs))) == known
    copy = tmp_path / Path(job.image).name
    shutil.copy(job.image, copy)
    moved = {**mapped.jobs, first: replace(job, image=str(copy))}
    assert key(replace(mapped, jobs=moved)) == known, "where files lie decides nothing"
    with copy.open("ab") as stream:
        stream.write(b"\0")
    bins = ExtractionSettings(discretisation={"method": "fixed_bin_number", "bins": 16})
    n4 = Preparation.model_validate({"bias_field": {}})
    for other in (
        replace(job, image=str(copy)),
        replace(job, extraction=bins),
        replace(job, preparation=n4),
        replace(job, masks={**job.masks, "resident": job.masks["senior"]}),
    ):
        assert key(replace(mapped, jobs={**mapped.jobs, first: other})) != known
    assert key(replace(mapped, simulated="")) != known
