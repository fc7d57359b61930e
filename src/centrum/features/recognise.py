"""From the column names of a table made elsewhere to features of the catalogue.

A name is looked up, not taken apart: a record counts only if it is spelled exactly so.
"""

from collections.abc import Iterator
from functools import cache

from centrum.features.aggregation import AGGREGATIONS, UNDIRECTED
from centrum.features.families import FAMILIES
from centrum.features.feature_id import FeatureId
from centrum.features.registry import catalogue

OTHER = "other"
"""Family of features that are not recognised."""


def recognise(name: str) -> FeatureId:
    """The feature that a column is called after; one of the family "other" where none is.

    PyRadiomics' names and this package's own IBSI spelling are known.

    >>> recognise("wavelet-LLH_glcm_Contrast").image
    'wavelet-LLH'
    >>> recognise("original_glcm_contrast_FBN32_2.5D_merged").aggregation
    '2.5D_merged'
    >>> recognise("Contrast.5").spell("ibsi")
    'Contrast.5'
    """
    known = next((f for f in (*_pyradiomics(name), *_ibsi(name))), None)
    return known or FeatureId("", OTHER, name, "", name, label=name)


def _pyradiomics(name: str) -> Iterator[FeatureId]:
    image, _, rest = name.partition("_")
    found = _by_pyradiomics().get(rest)
    if found is not None:
        yield FeatureId(image, *found, label=name)


@cache
def _by_pyradiomics() -> dict[str, tuple[str, str, str, str]]:
    """Class and name -> family, key, code and name of the catalogue."""
    return {
        entry.pyradiomics: (entry.family, entry.name.casefold(), entry.code, entry.name)
        for entry in catalogue().values()
        if entry.pyradiomics
    }


def _ibsi(name: str) -> Iterator[FeatureId]:
    for family, features in FAMILIES.items():
        image, marker, rest = name.partition(f"_{family}_")
        if not marker:
            continue
        for feature in features:
            key = feature.key.rstrip("_")
            if rest == key or rest.startswith(f"{key}_"):
                settings = rest[len(key) + 1 :]
                yield from _exactly(name, image, family, feature.key, settings)


def _exactly(name: str, image: str, family: str, key: str, settings: str) -> Iterator[FeatureId]:
    """The record with discretisation and aggregation, if it is spelled like the name."""
    entry = next(f.entry for f in FAMILIES[family] if f.key == key)
    for aggregation in ("", *AGGREGATIONS, *UNDIRECTED):
        if settings.endswith(aggregation):
            left = settings.removesuffix(aggregation).strip("_")
            found = FeatureId(image, family, key, entry.code, entry.name, left, aggregation)
            if found.spell("ibsi") == name and "_" not in left:
                yield found
