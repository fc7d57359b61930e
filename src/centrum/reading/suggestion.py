"""Outlines that the room offers for what a reader clicked or stroked; none is kept by itself.

A live wire is `{"tool": "livewire", "points": [[x, y], ...], "closed": true}`, GrowCut is
`{"tool": "growcut", "inside": [start, length, ...], "outside": [...]}`.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.reading.forms import fields_in
from centrum.reading.grow_cut import grow_cut
from centrum.reading.live_wire import live_wire
from centrum.reading.raster import Polygon, mask_of, runs_of
from centrum.reading.strokes import Content, read_polygons, read_runs

SmartTool = Literal["livewire", "growcut"]

MOST_CLICKS = 200
"""Of one live wire."""


def tool_of(sent: object) -> SmartTool:
    """Which tool something is asked of.

    Raises
    ------
    DataError
        It is none; code "bad-edit".
    """
    tool = sent.get("tool") if isinstance(sent, dict) else None
    if tool == "livewire" or tool == "growcut":
        return tool
    raise DataError(
        "Outlines are offered by livewire and growcut.", remedy="Reload the page.", code="bad-edit"
    )


def suggested(sent: object, plane: Floats, spacing: Sequence[float]) -> Content:
    """What is offered for what was sent.

    Parameters
    ----------
    sent : as above
    plane : (rows, columns), intensities of the slice
    spacing : mm between rows and between columns

    Returns
    -------
    A live wire as one polygon, whose last point is joined to its first only if `closed` was said;
    what GrowCut wins as runs.

    Raises
    ------
    DataError
        It cannot be understood ("bad-edit", "bad-runs"), or as of `live_wire` and `grow_cut`.

    >>> sent = {"tool": "livewire", "points": [[1, 1], [6, 1]], "closed": False}
    >>> suggested(sent, np.zeros((8, 8)), (1, 1)).polygons
    (((1.0, 1.0), (6.0, 1.0)),)
    """
    if tool_of(sent) == "livewire":
        return Content("polygons", polygons=(_wire(sent, plane, spacing),))
    rows, columns = plane.shape
    fields = fields_in(sent, ("tool", "inside", "outside"))
    strokes = (read_runs(fields[kind], (rows, columns)) for kind in ("inside", "outside"))
    inside, outside = (mask_of(runs, (rows, columns)) for runs in strokes)
    return Content("runs", runs=runs_of(grow_cut(plane, spacing, inside, outside)))


def _wire(sent: object, plane: Floats, spacing: Sequence[float]) -> Polygon:
    fields = fields_in(sent, ("tool", "points", "closed"))
    rows, columns = plane.shape
    (points,) = read_polygons([fields["points"]], (rows, columns), MOST_CLICKS)
    line = live_wire(plane, spacing, points, closed=fields["closed"] is True)
    return tuple((float(x), float(y)) for x, y in np.round(line, 3))
