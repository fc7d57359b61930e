"""Six-point morphometry of vertebral bodies from their masks, and Genant's grade."""

from centrum.morphometry.body import Morphometry, measure_body
from centrum.morphometry.exam import COLUMNS, Exam, measure_exam, table_row
from centrum.morphometry.genant import Genant, genant
from centrum.morphometry.spine import measure_spine

__all__ = [
    "COLUMNS",
    "Exam",
    "Genant",
    "Morphometry",
    "genant",
    "measure_body",
    "measure_exam",
    "measure_spine",
    "table_row",
]
