"""PyRadiomics' settings as `ExtractionSettings`, and values under PyRadiomics' names."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.extract import extract, plan
from centrum.features.registry import catalogue
from centrum.features.settings import Discretisation, ExtractionSettings, FamilyName
from centrum.geometry import Geometry
from centrum.pyradiomics.errors import UnknownFeature
from centrum.pyradiomics.feature_names import FAMILIES, WITHOUT_VALUE, names_of
from centrum.pyradiomics.regions import Region
from centrum.pyradiomics.settings import WEIGHTINGS, Settings, read

PLANES = ("axial", "coronal", "sagittal")
"""Planes across the array axes (z, y, x) of a grid that lies straight in the patient."""

Values = Iterator[tuple[str, NDArray[np.float64]]]


def measure(
    region: Region, settings: Settings, wanted: Mapping[str, Iterable[str] | None]
) -> Values:
    """(class_Feature, value) of the features `wanted` of each class, in that order.

    Parameters
    ----------
    wanted : feature names by class; None or none at all: those that are not deprecated
    """
    chosen = {name: selected(name, features) for name, features in wanted.items()}
    families = tuple(f for name in chosen for f in FAMILIES[name])
    if not families:
        return
    cropped = _upright(region.cropped(region.box))
    found = values(cropped, extraction_settings(settings, families))
    for feature_class, features in chosen.items():
        for feature in features:
            yield f"{feature_class}_{feature}", np.array(found[f"{feature_class}_{feature}"])


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


def values(region: Region, settings: ExtractionSettings) -> dict[str, float]:
    """All values of an extraction by PyRadiomics' names (class_Feature)."""
    numbers = extract(region.volume, region.mask, settings)
    return dict(zip(spellings(settings), numbers.tolist(), strict=True))


@lru_cache(maxsize=64)
def spellings(settings: ExtractionSettings) -> tuple[str, ...]:
    """PyRadiomics' names (class_Feature) of the values of an extraction."""
    rows = catalogue()
    return tuple(rows[f.family, f.name].pyradiomics for f in plan(settings))


def _upright(region: Region) -> Region:
    """The same voxels on a grid whose slices are axial, as PyRadiomics takes every array."""
    old = region.volume.geometry
    grid = Geometry(old.size, old.spacing)
    return Region(replace(region.volume, geometry=grid), replace(region.mask, geometry=grid))


def extraction_settings(settings: Settings, families: tuple[FamilyName, ...]) -> ExtractionSettings:
    """The settings of PyRadiomics that features depend on.

    >>> extraction_settings({"binCount": 32, "force2D": True}, ("glcm",)).aggregations
    ('2.5D_direction_merged',)
    """
    bins = read(settings, "binCount")
    return _extraction_settings(
        families=families,
        bins=None if bins is None else int(bins),
        width=float(read(settings, "binWidth")),
        distances=tuple(int(d) for d in read(settings, "distances") or [1]),
        coarseness=float(read(settings, "gldm_a")),
        weighting=_weighting(read(settings, "weightingNorm")),
        symmetric=bool(read(settings, "symmetricalGLCM")),
        by_slice=bool(read(settings, "force2D")),
        plane=PLANES[int(read(settings, "force2Ddimension"))],
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
    how = (
        Discretisation(method="fixed_bin_size", width=width)
        if bins is None
        else Discretisation(method="fixed_bin_number", bins=bins)
    )
    return ExtractionSettings(
        dialect="pyradiomics",
        discretisation=how,
        aggregations=("2.5D_direction_merged" if by_slice else "3D_averaged",),
        **others,
    )
