"""PyRadiomics' feature classes and the names of their features, read off the catalogue.

>>> list(names_of("ngtdm"))
['Busyness', 'Coarseness', 'Complexity', 'Contrast', 'Strength']
>>> names_of("shape")["Compactness1"], FAMILIES["firstorder"]
(True, ('statistics', 'histogram'))
"""

from functools import cache

from centrum.features.registry import Entry, catalogue
from centrum.features.settings import FamilyName

FAMILIES: dict[str, tuple[FamilyName, ...]] = {
    "firstorder": ("statistics", "histogram"),
    "glcm": ("glcm",),
    "gldm": ("ngldm",),
    "glrlm": ("glrlm",),
    "glszm": ("glszm",),
    "ngtdm": ("ngtdm",),
    "shape": ("morphology",),
    "shape2D": ("shape2D",),
}
"""The families of features that make up each class."""

FEATURE_CLASSES = tuple(FAMILIES)

SHAPE_CLASSES = ("shape", "shape2D")
"""Classes that read the region alone; the first in the results whatever their order."""

WITHOUT_VALUE = {
    "glcm": {
        "Dissimilarity": "DifferenceAverage",
        "Homogeneity1": "Id",
        "Homogeneity2": "Idm",
        "SumVariance": "ClusterTendency",
    },
    "gldm": {
        "GrayLevelNonUniformityNormalized": "firstorder Uniformity",
        "DependencePercentage": "1",
    },
}
"""Deprecated features that PyRadiomics knows by name and gives no number for, and their equals."""


@cache
def entries(feature_class: str) -> dict[str, Entry]:
    """Rows of the catalogue that define the features of a class, by PyRadiomics' names."""
    prefix = f"{feature_class}_"
    return {
        entry.pyradiomics.removeprefix(prefix): entry
        for entry in catalogue().values()
        if entry.pyradiomics.startswith(prefix)
    }


@cache
def names_of(feature_class: str) -> dict[str, bool]:
    """Names of a class in PyRadiomics' order, and whether each is deprecated.

    The order is that of its methods get<Name>FeatureValue: MeanAbsoluteDeviation before Mean.
    """
    deprecated = {name: bool(entry.deprecated) for name, entry in entries(feature_class).items()}
    deprecated |= dict.fromkeys(WITHOUT_VALUE.get(feature_class, {}), True)
    return {name: deprecated[name] for name in sorted(deprecated, key=lambda n: f"{n}FeatureValue")}
