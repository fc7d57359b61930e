"""The section on where every number comes from."""

from centrum.report.blocks import Block
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import digest_table, history_table, version_table
from centrum.table import WITHOUT_CSV


@section
def provenance(results: StudyResults) -> Block:
    """Where every number comes from."""
    return Block(
        "History, software and digests",
        "provenance",
        prose=(
            "The same inputs, protocol and versions give the same bytes.",
            *([f"There is no features.csv: {WITHOUT_CSV}"] if results.table.large else []),
        ),
        tables=(history_table(results.history), version_table(results)),
        files=(digest_table(results),),
    )
