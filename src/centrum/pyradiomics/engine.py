"""PyRadiomics' settings as `ExtractionSettings`, and values under PyRadiomics' names."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Floats
from centrum.errors import DataError
from centrum.features.aggregation import AggregationName
from centrum.features.families import FAMILIES as ALL_FAMILIES
from centrum.features.registry import Feature, catalogue
from centrum.features.settings import Discretisation, ExtractionSettings, FamilyName
from centrum.geometry import Geometry
from centrum.measure.extract import family_values, plan
from centrum.measure.region import Region as PreparedRegion, Response, Voxels
from centrum.prepare.discretise import pyradiomics_bin_number, pyradiomics_bin_width
from centrum.pyradiomics.errors import InputError, UnknownFeature
from centrum.pyradiomics.feature_names import FAMILIES, WITHOUT_VALUE, entries, names_of
from centrum.pyradiomics.regions import MaskedImage
from centrum.pyradiomics.settings import WEIGHTINGS, Settings, axis_left_out, read

PLANES = ("axial", "coronal", "sagittal")
"""Planes across the array axes (z, y, x) of a grid that lies straight in the patient."""

AGGREGATIONS: dict[tuple[bool, bool], AggregationName] = {
    (False, False): "3D_averaged",
    (False, True): "3D_merged",
    (True, False): "2.5D_direction_merged",
    (True, True): "2.5D_merged",
}
"""How matrices are joined with (force2D, weightingNorm)."""

ONE_SLICE = {"force2D": True, "force2Ddimension": 0}
"""Settings under which a 2-D image is measured as the slice that it is."""

Values = Iterator[tuple[str, Floats]]


def measure(
    region: MaskedImage,
    settings: Settings,
    wanted: Mapping[str, Iterable[str] | None],
    dimension: int = 3,
) -> Values:
    """(class_Feature, value) of the features `wanted` of each class, in that order.

    Parameters
    ----------
    dimension : 2 or 3, of the image as it was given
    wanted : feature names by class; None or none at all: those that are not deprecated
    """
    (found,) = measure_images(region, [None], settings, wanted, dimension)
    return found


def measure_shape(
    region: MaskedImage,
    settings: Settings,
    wanted: Mapping[str, Iterable[str] | None],
    dimension: int,
) -> Values:
    """The same of shape classes; a 2-D image is one slice, whatever `force2D` says.

    Raises
    ------
    InputError
        shape2D of a 3-D image without `force2D`, or of a region in several slices.
    """
    if dimension == 2:
        settings = {**settings, **ONE_SLICE}
    if "shape2D" in wanted and not read(settings, "force2D"):
        raise InputError("shape2D needs a 2-D image, or a 3-D image and force2D=True.")
    return measure(region, settings, wanted)


def measure_images(
    region: MaskedImage,
    images: Sequence[Array | None],
    settings: Settings,
    wanted: Mapping[str, Iterable[str] | None],
    dimension: int = 3,
) -> list[Values]:
    """The same of several images of one region, which are measured together.

    Parameters
    ----------
    images : response maps in the box of the region, [z, y, x]; None: the image itself
    """
    chosen = {name: selected(name, features) for name, features in wanted.items()}
    families = tuple(f for name in chosen for f in FAMILIES[name])
    if not families:
        return [iter(()) for _ in images]
    upright = _upright(region.cropped(region.box))
    choices = extraction_settings(settings, families, dimension)
    try:
        prepared = PreparedRegion(upright.volume, upright.mask, choices)
        measured = [prepared if i is None else Response(prepared, "response", i) for i in images]
        found = values(measured)
    except DataError as error:
        raise InputError(str(error)) from error
    return [_chosen(m, v, chosen) for m, v in zip(measured, found, strict=True)]


def _chosen(measured: Voxels, found: dict[str, float], chosen: Mapping[str, list[str]]) -> Values:
    for feature_class, features in chosen.items():
        for feature in features:
            name = f"{feature_class}_{feature}"
            value = found[name] if name in found else on_request(measured, feature_class, feature)
            yield name, np.array(value)


def selected(feature_class: str, features: Iterable[str] | None) -> list[str]:
    """The features that give a value, of those asked for; warns of deprecated ones.

    >>> len(selected("glcm", [])), selected("glcm", ["SumVariance", "Contrast"])
    (24, ['Contrast'])

    Raises
    ------
    UnknownFeature
        The class has no such feature.
    """
    known, equals = names_of(feature_class), WITHOUT_VALUE.get(feature_class, {})
    asked = list(features or ())
    if not asked:
        return [name for name, deprecated in known.items() if not deprecated]
    for name in asked:
        if name not in known:
            raise UnknownFeature(
                f"Feature not found: {name}; {feature_class} has {', '.join(known)}."
            )
        if known[name]:
            logger = logging.getLogger(f"radiomics.{feature_class}")
            logger.warning("Feature %s is deprecated, use with caution!", name)
    return [name for name in asked if name not in equals]


def values(measured: Sequence[Voxels]) -> list[dict[str, float]]:
    """All values of a region in several images by PyRadiomics' names (class_Feature)."""
    settings = measured[0].settings
    numbers = np.hstack([family_values(measured, name) for name in settings.families])
    return [dict(zip(spellings(settings), row, strict=True)) for row in numbers.tolist()]


def on_request(measured: Voxels, feature_class: str, feature: str) -> float:
    """The value of a feature that PyRadiomics calls deprecated and still gives."""
    defined = definition(feature_class, feature)
    return float(defined.compute(measured.statistic(ALL_FAMILIES[defined.entry.family])))


def definition(feature_class: str, feature: str) -> Feature:
    """The definition behind a name of PyRadiomics.

    >>> definition("glcm", "Id").key
    'inverse_difference'
    """
    entry = entries(feature_class)[feature]
    return next(f for f in ALL_FAMILIES[entry.family] if f.entry is entry)


def discretised(x: Array, settings: Settings) -> NDArray[np.uint16]:
    """Grey levels from 1 of intensities (n,), by `binWidth` or `binCount`."""
    x = x if x.dtype == np.float32 else x.astype(float)
    bins = read(settings, "binCount")
    if bins is None:
        return pyradiomics_bin_width(x, float(read(settings, "binWidth")))
    return pyradiomics_bin_number(x, int(bins))


@lru_cache(maxsize=64)
def spellings(settings: ExtractionSettings) -> tuple[str, ...]:
    """PyRadiomics' names (class_Feature) of the values of an extraction."""
    rows = catalogue()
    return tuple(rows[f.family, f.name].pyradiomics for f in plan(settings))


def _upright(region: MaskedImage) -> MaskedImage:
    """The same voxels on a grid whose slices are axial, as PyRadiomics takes every array."""
    old = region.volume.geometry
    grid = Geometry(old.size, old.spacing)
    return MaskedImage(replace(region.volume, geometry=grid), replace(region.mask, geometry=grid))


def extraction_settings(
    settings: Settings, families: tuple[FamilyName, ...], dimension: int = 3
) -> ExtractionSettings:
    """The settings of PyRadiomics that features of an image of 2 or 3 dimensions depend on.

    >>> extraction_settings({"binCount": 32, "force2D": True}, ("glcm",)).aggregations
    ('2.5D_direction_merged',)
    """
    bins = read(settings, "binCount")
    axis = axis_left_out(settings, dimension)
    return _extraction_settings(
        families=families,
        bins=None if bins is None else int(bins),
        width=float(read(settings, "binWidth")),
        distances=tuple(int(d) for d in read(settings, "distances") or [1]),
        coarseness=float(read(settings, "gldm_a")),
        weighting=_weighting(read(settings, "weightingNorm")),
        symmetric=bool(read(settings, "symmetricalGLCM")),
        by_slice=axis is not None,
        plane=PLANES[axis or 0],
        energy_shift=float(read(settings, "voxelArrayShift")),
    )


def _weighting(norm: str | None) -> str | None:
    if norm is None or norm in WEIGHTINGS:
        return norm
    logging.getLogger("radiomics.glcm").warning(
        "weightingNorm %r is unknown, directions are merged with weight 1", norm
    )
    return "no_weighting"


@lru_cache(maxsize=64)
def _extraction_settings(
    *, bins: int | None, width: float, by_slice: bool, **others: Any
) -> ExtractionSettings:
    settings = (
        Discretisation(method="fixed_bin_size", width=width)
        if bins is None
        else Discretisation.model_construct(method="fixed_bin_number", bins=bins)
    )
    return ExtractionSettings(
        dialect="pyradiomics",
        discretisation=settings,
        aggregations=(AGGREGATIONS[by_slice, others["weighting"] is not None],),
        **others,
    )
