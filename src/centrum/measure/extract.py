"""The one bridge from images to numbers: a plan of what to compute, then the doing of it.

>>> import numpy as np
>>> from centrum.geometry import Geometry
>>> grid = Geometry((8, 8, 4), (0.6, 0.6, 4.4))
>>> image = Volume(np.random.default_rng(0).normal(500, 50, grid.shape), grid)
>>> region = Mask(np.ones(grid.shape, bool), grid)
>>> values = extract(image, region, ExtractionSettings(families=("statistics",)))
>>> len(values), len(plan(ExtractionSettings(families=("statistics",))))
(18, 18)
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np

from centrum.arrays import Floats
from centrum.features.aggregation import AGGREGATIONS, UNDIRECTED, Aggregation, undirected
from centrum.features.families import DIRECTED, DISCRETISED, FAMILIES, OF_RESPONSES, TEXTURES
from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings
from centrum.features.textures import COUNTS
from centrum.measure.region import Region, Voxels
from centrum.volume import Mask, Volume

IMAGE = "original"
"""Name of the image itself among its response maps."""

PADDED = 1.5
"""Co-occurrence matrices of several images are computed together, as large as the largest, if
that has at most this times the levels of the smallest."""

BATCH = 500_000
"""Voxels of several images that are measured together: beyond that it saves nothing."""


@cache
def plan(settings: ExtractionSettings) -> tuple[FeatureId, ...]:
    """The features that these settings give, in the order in which they are reported."""
    responses = [name for chosen in settings.filters for name in chosen.names]
    return tuple(
        FeatureId(
            image=image,
            family=name,
            feature=feature.key,
            code=feature.entry.code,
            name=feature.entry.name,
            discretisation=_discretisation(name, settings, image),
            aggregation=aggregation,
        )
        for image in (IMAGE, *responses)
        for name in _families(settings, image)
        for aggregation in _aggregations(name, settings)
        for feature in FAMILIES[name].features(settings.dialect)
    )


def _families(settings: ExtractionSettings, image: str) -> tuple[str, ...]:
    return tuple(f for f in settings.families if image == IMAGE or f in OF_RESPONSES)


def _discretisation(family: str, settings: ExtractionSettings, image: str) -> str:
    if family == "ivh":
        return settings.ivh.label
    if family not in DISCRETISED:
        return ""
    of_responses = settings.response_discretisation or settings.discretisation
    return (settings.discretisation if image == IMAGE else of_responses).label


def _aggregations(family: str, settings: ExtractionSettings) -> tuple[str, ...]:
    if family not in TEXTURES:
        return ("",)
    return settings.aggregations if family in DIRECTED else undirected(settings.aggregations)


def extract(volume: Volume, mask: Mask, settings: ExtractionSettings) -> Floats:
    """The values of `plan(settings)`, in its order.

    Raises
    ------
    DataError
        Image and mask are not on the same grid, the region is empty, or it holds voxels that
        are not finite.
    """
    return values(Region(volume, mask, settings))


def values(region: Region, look: Callable[[Voxels], None] | None = None) -> Floats:
    """The values of `plan` of a region and of its responses, each of which `look` is called with.

    Responses are made and measured a few at a time, so that large regions fit into memory.
    """
    shared = _families(region.settings, "")
    found: list[dict[str, Floats]] = []
    for images in _batches(region):
        if look is not None:
            for image in images:
                look(image)
        found.append({name: family_values(images, name) for name in shared})
    of_image = [
        found[0][name][0] if name in shared else family_values([region], name)[0]
        for name in region.settings.families
    ]
    rows = [np.hstack(list(batch.values())) for batch in found if batch]
    of_responses = np.vstack(rows)[1:] if rows else np.empty(0)
    return np.concatenate([*of_image, of_responses.ravel()])


def _batches(region: Region) -> Iterator[list[Voxels]]:
    """The region and its responses, as many at a time as hold `BATCH` voxels."""
    batch: list[Voxels] = [region]
    for response in region.responses():
        if len(batch) * region.x.size >= BATCH:
            yield batch
            batch = []
        batch.append(response)
    yield batch


def family_values(regions: Sequence[Voxels], name: str) -> Floats:
    """Values of one family, (regions, aggregations x features), aggregation by aggregation.

    The regions are the same voxels in several images. Their matrices are counted one by one and
    their features computed together.
    """
    settings, family = regions[0].settings, FAMILIES[name]
    if not family.features(settings.dialect):
        return np.empty((len(regions), 0))
    if name in TEXTURES:
        known = AGGREGATIONS if name in DIRECTED else UNDIRECTED
        chosen = (known[key] for key in _aggregations(name, settings))
        return np.hstack([_texture_values(regions, name, aggregation) for aggregation in chosen])
    return np.array([family.values(r.statistic(family), settings.dialect) for r in regions])


def _texture_values(regions: Sequence[Voxels], name: str, settings: Aggregation) -> Floats:
    textures = [region.in_slices if settings.by_slice else region.in_space for region in regions]
    count = COUNTS[FAMILIES[name].reads]
    parts = [count(t, settings.merged_axes) for t in textures]
    values = np.empty((len(regions), len(FAMILIES[name].features(regions[0].settings.dialect))))
    for group in _of_similar_size([t.n_levels for t in textures]):
        together = type(parts[0]).together([parts[k] for k in group])
        found = FAMILIES[name].values(together, regions[0].settings.dialect)
        values[group] = average(found.reshape(*found.shape[:2], -1)).T
    return values


def _of_similar_size(n_levels: Sequence[int]) -> Iterator[list[int]]:
    """Groups of matrices of 1 to `PADDED` times as many grey levels.

    >>> list(_of_similar_size([32, 8, 49, 12]))
    [[1, 3], [0], [2]]
    """
    group: list[int] = []
    for k in sorted(range(len(n_levels)), key=n_levels.__getitem__):
        if group and n_levels[k] > PADDED * n_levels[group[0]]:
            yield group
            group = []
        group.append(k)
    yield group


def average(values: Floats) -> Floats:
    """Mean over matrices, (..., matrices) to (...).

    Those without any neighbour, where the features are nan, do not count.

    >>> average(np.array([[1.0, 3.0, np.nan]]))
    array([2.])
    """
    if values.shape[-1] == 1:
        return values[..., 0]
    counted = np.isfinite(values)
    if counted.all():
        return np.asarray(values.mean(axis=-1))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(counted, values, 0).sum(axis=-1) / counted.sum(axis=-1))
