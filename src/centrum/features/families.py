"""All feature families, and what each of them is counted on."""

from centrum.features.glcm import glcm
from centrum.features.histogram import histogram
from centrum.features.ivh import ivh
from centrum.features.local_intensity import local_intensity
from centrum.features.morphology import enclosing_solids, morphology
from centrum.features.ngtdm import ngtdm
from centrum.features.registry import Family
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

DIRECTED = ("glcm", "glrlm")
"""Families whose matrices are counted direction by direction."""

TEXTURES = (*DIRECTED, "glszm", "gldzm", "ngtdm", "ngldm")
"""Families that count neighbours and therefore have an aggregation."""

DISCRETISED = ("histogram", *TEXTURES)
"""Families that read grey levels instead of intensities."""

OF_RESPONSES = ("statistics", "ivh", *DISCRETISED)
"""Families that are measured on response maps too; the others are about the image or the shape
of the region."""
