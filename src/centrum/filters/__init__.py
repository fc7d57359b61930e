"""From an image to response maps: one file per filter, found and registered by itself.

Source: Whybra et al., The Image Biomarker Standardization Initiative: standardized convolutional
filters for reproducible radiomics, Radiology 310 (2024) e231319; its manual, arXiv:2006.05470.
"""

from importlib import import_module
from pkgutil import iter_modules

from centrum.filters.filter import FILTERS, AnyFilter, Filter
from centrum.filters.view import Boundary, View

__all__ = ["FILTERS", "AnyFilter", "Boundary", "Filter", "View"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
