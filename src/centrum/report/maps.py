"""Feature maps of cases on the slice that is shown of them: typical ones, and one by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from centrum.arrays import Flags
from centrum.errors import DataError, of_case
from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry
from centrum.measure.case import MeasurementJob, all_known
from centrum.measure.images import CaseImages
from centrum.measure.maps import FeatureMap, Wanted, Window, case_maps, everywhere, why_not_mapped
from centrum.prepare.image import fill_missing
from centrum.protocol.limits import region_words
from centrum.report.blocks import Picture, picture
from centrum.report.figures import (
    MapBlock,
    MapLabel,
    MapPanel,
    MapPicture,
    RoiPanel,
    draw_maps,
)
from centrum.report.labels import unit_text
from centrum.report.results import StudyResults
from centrum.report.slices import Shown, SlicePart, Upright, choose_cases
from centrum.report.tables import frame_table, labels_of, model_features
from centrum.text import fixed, listed, significant

WINDOW_MM = 5.0
"""Side of a window: eight or nine pixels of 0.6 mm, a fifth of the height of a lumbar body."""

LEADING = 3
"""Features of a model whose maps are shown: of those that have any, the largest coefficients."""

AROUND = 1.5
"""Side of the shown square in lengths of the region."""

MOST_VOXELS = 5_000_000
"""In all windows of a slice: more take more than a second or two, and are not measured."""


def leading(
    features: Sequence[FeatureId], extraction: ExtractionSettings, most: int = LEADING
) -> tuple[FeatureId, ...]:
    """The first features that have maps, of those that such an extraction measures."""
    ratios = [ratio.name for ratio in extraction.ratios]
    return tuple(f for f in features if not why_not_mapped(f, ratios))[:most]


def by_region(features: Sequence[FeatureId]) -> dict[str, tuple[FeatureId, ...]]:
    """Features by the region that they are of, both in the order in which they come."""
    names = dict.fromkeys(f.region for f in features)
    return {name: tuple(f for f in features if f.region == name) for name in names}


@dataclass(frozen=True, eq=False)
class MappedCase:
    """A case, what was measured of it, and its maps.

    Attributes
    ----------
    part : which slice is shown
    picture : of it, with the outlines of the readers
    maps : of features of one region of the first reader
    """

    part: SlicePart
    picture: RoiPanel
    maps: tuple[FeatureMap, ...]

    @property
    def drawn(self) -> MapPicture:
        """What a figure shows of it."""
        return MapPicture(self.picture, tuple(_panel(self.part, m) for m in self.maps))


def mapped_case(
    job: MeasurementJob,
    features: Sequence[FeatureId],
    title: tuple[str, ...],
    window_mm: float = WINDOW_MM,
    *,
    whole: bool = True,
) -> MappedCase:
    """Maps of a case by its first reader, with the outlines of all; or of the slice shown alone.

    Parameters
    ----------
    features : all of one region

    Raises
    ------
    CentrumError
        The case cannot be measured, or as of `feature_maps`.
    """
    read = CaseImages(job.images)
    volume = fill_missing(read.image(job.image))
    first, region = next(iter(job.masks)), features[0].region
    sources = {first: job.source_of(first, region), **job.of_region(region)}
    masks = {reader: read.mask(source, volume) for reader, source in sources.items()}
    part = SlicePart.largest(masks, AROUND)
    wanted: Wanted = everywhere if whole else partial(_on_slice, part)
    maps = case_maps(job, features, window_mm, wanted, read)
    shown = part.of(volume, masks)
    return MappedCase(part, RoiPanel(shown.image, shown.masks, shown.spacing, title), maps)


def _on_slice(part: SlicePart, grid: Geometry, window: Window) -> Flags:
    """The voxels of the slice that is shown."""
    axis = Upright.of(grid).axis
    at = np.zeros(grid.shape, dtype=bool)
    np.moveaxis(at, axis, 0)[part.nearest(grid)] = True
    held = at.sum() * np.prod([2 * r + 1 for r in window.radius])
    if held > MOST_VOXELS:
        raise DataError(f"The windows of a slice hold {held:.2g} voxels, which take too long.")
    return at


def _panel(part: SlicePart, found: FeatureMap) -> MapPanel:
    grid = found.volume.geometry
    values = Upright.of(grid).plane(found.volume.array, part.nearest(grid))
    return MapPanel(values, part.extent(grid))


def map_labels(
    features: Sequence[FeatureId], names: Sequence[str], maps: Sequence[Sequence[FeatureMap]]
) -> list[MapLabel]:
    """Name and unit of each feature and size of the windows, of the maps of cases."""
    sizes = [{of_case[k].window.text for of_case in maps} for k in range(len(features))]
    texts = [size.pop() if len(size) == 1 else f"of about {WINDOW_MM:g} mm" for size in sizes]
    return [
        MapLabel(name, _unit(feature), text)
        for name, feature, text in zip(names, features, texts, strict=True)
    ]


def _unit(feature: FeatureId) -> str:
    return "no unit" if feature.unit in ("", "1") else unit_text(feature.unit)


# The figure of a study's report


@dataclass(frozen=True, eq=False)
class _CaseToMap:
    """A case of the figure.

    Attributes
    ----------
    title : lines above it
    readers : of the whole study; the first who drew here is the one whose region is mapped
    key : of all that decides what is measured, the bytes of its files included
    job : what is to be measured, by paths of files, which decide nothing
    """

    title: tuple[str, ...]
    readers: tuple[str, ...]
    key: str
    job: MeasurementJob = field(compare=False)


def map_pictures(results: StudyResults) -> tuple[Picture, ...]:
    """Typical and atypical cases with maps of the leading features; () where there are none.

    Nothing is measured here: it is when the figure is drawn, unless it was drawn before.
    """
    features = leading(model_features(results), results.protocol.extraction)
    outcomes = (results.model.positive, results.model.negative)
    chosen = choose_cases(results.scores, outcomes) if results.jobs and features else ()
    to_map = {shown: case for shown in chosen if (case := _case_to_map(results, shown, features))}
    if not to_map:
        return ()
    labels = labels_of(results, [feature.spell(results.table.dialect) for feature in features])
    named = tuple(zip(features, labels, strict=True))
    drawing = partial(_draw, tuple(to_map.values()), named, results.simulated)
    own = _own_values(results, [*to_map], features, labels)
    which = f"the {len(features)} features" if len(features) > 1 else "the feature"
    plural = "s" if len(features) > 1 else ""
    regions = [*by_region(features)]
    caption = (
        f"Sagittal slice with the largest {_largest(results, regions)} of the first reader; "
        f"anterior is left. Below it the values of {which} of the model with the largest "
        f"coefficient{plural} among those that mean something in a window: in windows of about "
        f"{WINDOW_MM:g} mm around every voxel that "
        "was measured. A window is cut off at the border of the region, where it holds fewer "
        "voxels; its grey levels are those of the whole region. The colours of a feature are the "
        "same in all cases, from the 2nd to the 98th percentile of what is shown. A map shows "
        "where a region has which texture, not what the model looks at, and its values are not "
        "comparable with that of the whole region."
    )
    return (picture(
        drawing, "maps", "Maps of the leading features", caption,
        f"Sagittal slices of {len(to_map)} cases with colours over the "
        f"{listed(_region_names(results, regions))} for "
        f"{'; '.join(labels)}.",
        frame_table(own), reading=_reading(own, labels[0]), raster=True,
    ),)  # fmt: skip


def _largest(results: StudyResults, regions: Sequence[str]) -> str:
    """What is largest on the slices that are shown."""
    return "region" if regions == [""] else " and ".join(_region_names(results, regions))


def _region_names(results: StudyResults, regions: Sequence[str]) -> list[str]:
    first = region_words(results.protocol.images.region)
    return [f'region "{name}"' if name else first for name in regions]


def _case_to_map(
    results: StudyResults, shown: Shown, features: Sequence[FeatureId]
) -> _CaseToMap | None:
    """None where the case has no files, or one that cannot be read."""
    job = results.jobs.get(shown.case)
    if job is None:
        return None
    measured = results.table.read[results.table.cases.index(shown.case)]
    readers = results.table.readers
    there = [reader for reader, read in zip(readers, measured, strict=True) if read]
    masks: Mapping[str, str] = {reader: job.masks[reader] for reader in there}
    level = results.table.obs.loc[shown.case].get("level")
    name = [*([level] if isinstance(level, str) else []), shown.outcome]
    told = (f"{shown.case} · {shown.reason}", f"score {fixed(shown.score, 2)}")
    regions = tuple(filter(None, by_region(features)))
    read = {
        f"{reader}:{name}": job.of_region(name)[reader]
        for name in regions
        for reader in there
        if reader in job.of_region(name)
    }
    plain = replace(job, masks=masks, regions=read, region_names=regions, store=None)
    sources = plain.sources()
    if not all_known(sources):
        return None
    return _CaseToMap((" · ".join(name), *told), readers, plain.key(sources), plain)


def _draw(cases: Sequence[_CaseToMap], named: Sequence[tuple[FeatureId, str]], mark: str) -> Figure:
    """Measure the maps of the features, which come with their labels, and draw them."""
    labels = dict(named)
    regions = by_region([*labels]).values()
    blocks = [_block(cases, own, [labels[f] for f in own]) for own in regions]
    return draw_maps(blocks, mark)


def _block(
    cases: Sequence[_CaseToMap], features: Sequence[FeatureId], names: Sequence[str]
) -> MapBlock:
    """The maps of one region."""
    region = features[0].region
    own = [
        replace(each, title=(*([f"region {region}"] if region else []), *each.title))
        for each in cases
    ]
    found = {each: _mapped(each, features) for each in own}
    labels = map_labels(features, names, [mapped.maps for mapped in found.values() if mapped])
    drawn = [m.drawn if m else _without(each, len(features)) for each, m in found.items()]
    return MapBlock(drawn, labels)


def _mapped(case: _CaseToMap, features: Sequence[FeatureId]) -> MappedCase | None:
    try:
        found = mapped_case(case.job, features, case.title, whole=False)
    except Exception as error:
        of_case(error)
        return None
    return replace(found, picture=replace(found.picture, readers=case.readers))


def _without(case: _CaseToMap, n: int) -> MapPicture:
    """A case that has no maps."""
    title = (*case.title, "could not be measured again")
    nothing = RoiPanel(np.zeros((2, 2)), {}, (1.0, 1.0), title)
    return MapPicture(nothing, (MapPanel(np.full((2, 2), np.nan), (0.0, 2.0, 2.0, 0.0)),) * n)


def _own_values(
    results: StudyResults,
    shown: Sequence[Shown],
    features: Sequence[FeatureId],
    labels: Sequence[str],
) -> pd.DataFrame:
    """The cases, and the features of their whole regions."""
    rows = [results.table.cases.index(s.case) for s in shown]
    columns = [results.table.features.index(f) for f in features]
    frame = pd.DataFrame([(s.case, s.outcome, s.score, s.reason) for s in shown])
    frame.columns = pd.Index(["case", "outcome", "score", "reason"])
    values = results.table.values[np.ix_(rows, columns)][..., 0]
    return frame.assign(**dict(zip(labels, np.asarray(values).T, strict=True)))


def _reading(own: pd.DataFrame, label: str) -> str:
    """The leading feature of the whole regions of typical cases."""
    typical = own[own["reason"] == "typical"]
    told = [
        f"{' and '.join(significant(v) for v in values)} in typical {outcome} cases"
        for outcome, values in typical.groupby("outcome", sort=False)[label]
    ]
    return f"Of the whole region, {label} is {' and '.join(told)}."
