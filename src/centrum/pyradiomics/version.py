"""Which PyRadiomics this stands in for, and which `centrum` does it."""

from centrum import provenance

REPLACED = "3.0.1"
"""The version of PyRadiomics whose behaviour was taken as the measure."""

__version__ = f"{REPLACED}+centrum.{provenance.__version__}"
