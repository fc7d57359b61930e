"""Words for how regions were drawn in the reading room."""

from typing import get_args

from centrum.cohort.readings import FLAGS, PROVENANCES, SLICES_MADE, Convention
from centrum.report.words.word import complete

OUTLINES = complete(
    __name__,
    ("the provenance of a slice",),
    {
        "drawn": "Drawn",
        "filled": "Filled",
        "filled_corrected": "Filled, corrected",
        "proposed": "Proposed",
        "proposed_corrected": "Proposed, corrected",
        "nobody": "No body",
    },
    choices=PROVENANCES,
)
"""How the outline of a slice came about."""

CAME_ABOUT = complete(
    __name__,
    ("the provenance of an outline",),
    {
        "drawn": "drawn by hand",
        "filled": "interpolated between drawn slices by signed distance and accepted as they were",
        "filled_corrected": "interpolated in this way and then corrected by hand",
        "proposed": "taken as another program had proposed them",
        "proposed_corrected": "proposed by another program and corrected by hand",
    },
    choices=[name for name in PROVENANCES if name != "nobody"],
)
"""The same of several outlines, as the Methods say it."""

MADE = complete(
    __name__,
    ("how the outlines of two readers came about",),
    {
        "drawn": "Drawn by both",
        "filled": "Filled by at least one",
        "proposed": "Proposed to at least one",
        "one_only": "Outlined by one only",
    },
    choices=SLICES_MADE,
)

CONVENTIONS = complete(
    __name__,
    ("the convention of the outline",),
    {
        "outer_edge": "along the outer edge of the dark cortex",
        "mid_cortex": "along the middle of the dark cortex",
        "marrow_edge": "along the edge of the marrow, within the dark cortex",
    },
    choices=get_args(Convention),
)

QUALITY = complete(
    __name__,
    ("the flags of quality",),
    {
        "motion": "motion",
        "artefact": "artefact",
        "wrong_level": "wrong level",
        "not_measurable": "not measurable",
    },
    choices=FLAGS,
)
