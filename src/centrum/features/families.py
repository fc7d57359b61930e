"""All feature families, and what each of them is counted on."""

from typing import get_args

from centrum.features.glcm import glcm
from centrum.features.histogram import histogram
from centrum.features.ivh import ivh
from centrum.features.local_intensity import local_intensity
from centrum.features.morphology import enclosing_solids, morphology
from centrum.features.ngtdm import ngtdm
from centrum.features.registry import Family
from centrum.features.settings import FamilyName
from centrum.features.shape2d import shape2d
from centrum.features.sizes import gldzm, glrlm, glszm, ngldm
from centrum.features.spatial import spatial
from centrum.features.statistics import statistics

FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        morphology,
        enclosing_solids,
        shape2d,
        spatial,
        local_intensity,
        statistics,
        histogram,
        ivh,
        glcm,
        glrlm,
        glszm,
        gldzm,
        ngtdm,
        ngldm,
    )
}

if unknown := set(FAMILIES).symmetric_difference(get_args(FamilyName)):
    raise ValueError(
        f"A protocol and the package do not know the same families: {', '.join(sorted(unknown))}. "
        "A family stands in FAMILIES (features/families.py) and FamilyName (features/settings.py)."
    )

DIRECTED = tuple(name for name, family in FAMILIES.items() if family.reads.directed)
"""Families whose matrices are counted direction by direction."""

TEXTURES = tuple(name for name, family in FAMILIES.items() if family.reads.neighbours)
"""Families that count neighbours and therefore have an aggregation."""

DISCRETISED = tuple(name for name, family in FAMILIES.items() if family.reads.levels)
"""Families that read grey levels instead of intensities."""

OF_RESPONSES = tuple(name for name, family in FAMILIES.items() if family.reads.responses)
"""Families that are measured on response maps, too."""
