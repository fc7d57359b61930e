"""The section on the choices of the study."""

from centrum.protocol import Protocol
from centrum.protocol.inherited import stated
from centrum.report.blocks import Block, Point
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import protocol_table


@section
def protocol(results: StudyResults) -> Block:
    """The choices, and where they depart from the study that they follow."""
    deviations = stated(results.protocol).deviations
    prose = "Deviations:" if deviations else no_deviations(results.protocol)
    return Block(
        "Protocol", "protocol",
        prose=(prose,), points=tuple(map(Point, deviations)), tables=(protocol_table(results),),
    )  # fmt: skip


def no_deviations(protocol: Protocol) -> str:
    """Why none are listed."""
    if not protocol.deviations:
        return "The protocol states no deviations."
    return (
        "The protocol departs from the preset that it began with: the deviations that stand in it "
        "are the preset's, and are not repeated here."
    )
