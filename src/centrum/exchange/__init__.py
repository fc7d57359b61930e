"""Tables of features made by other programs, read; and ours, written the way they write.

One module per format says how its program lays a table out: `pyradiomics`, `slicer`, `mirp`,
`lifex`, `generic`.
"""

from centrum.exchange.foreign_table import ForeignTable, told_no_features
from centrum.exchange.read import FORMATS, read_table
from centrum.exchange.write import write_table

__all__ = ["FORMATS", "ForeignTable", "read_table", "told_no_features", "write_table"]
