"""Six-point morphometry of vertebral bodies from their masks, and Genant's grade."""

from centrum.morphometry.body import Morphometry, measure_body
from centrum.morphometry.genant import Genant, genant
from centrum.morphometry.spine import measure_spine

__all__ = ["Genant", "Morphometry", "genant", "measure_body", "measure_spine"]
