"""The section on the choices of the study."""

from centrum.report.blocks import Block, Point
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import protocol_table


@section
def protocol(results: StudyResults) -> Block:
    """The choices, and where they depart from the study that they follow."""
    deviations = results.protocol.deviations
    prose = "Deviations:" if deviations else "The protocol states no deviations."
    return Block(
        "Protocol", "protocol",
        prose=(prose,), points=tuple(map(Point, deviations)), tables=(protocol_table(results),),
    )  # fmt: skip
