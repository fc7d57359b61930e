"""The sections of the report: one module for each, in the order of `ORDER`.

Each holds one function from the results of a study to a block, marked with `@section` and called
as its module. Tables and figures have keys; their numbers come from the order (`numbering`).
"""

from importlib import import_module

from centrum.report.sections.section import Section, section_of

ORDER = (
    "summary",
    "caveats",
    "population",
    "plan",
    "regions",
    "reading_room",
    "morphometry",
    "selection",
    "model",
    "performance",
    "explanation",
    "sparse_model",
    "calibration_and_use",
    "other_readers",
    "odds_ratios",
    "added_value",
    "nomogram",
    "validation",
    "instability",
    "leak_audit",
    "cases",
    "feature_names",
    "quality",
    "protocol",
    "provenance",
)
"""The report, in its order."""


def sections(order: tuple[str, ...] = ORDER) -> tuple[Section, ...]:
    """The sections of these modules of this folder.

    >>> [section.__name__ for section in sections(("model", "performance"))]
    ['model', 'performance']
    """
    for name in order:
        import_module(f"{__name__}.{name}")
    return tuple(map(section_of, order))


SECTIONS = sections()
