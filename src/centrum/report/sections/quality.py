"""The section on findings in images and regions, and on what could not be measured."""

from centrum.report.blocks import Block
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import failure_table, finding_table
from centrum.text import counted


@section
def quality(results: StudyResults) -> Block:
    """Findings and failures."""
    tables = [failure_table(results)] if results.failures else []
    tables += [finding_table(results)] if results.findings else []
    failed = f"{counted(len(results.failures), 'case')} could not be measured"
    prose = (
        f"{failed if results.failures else 'All eligible cases were measured'}; "
        f"{counted(len(results.findings), 'finding')} in {_where(results)}.",
    )
    return Block("Findings and failures", "quality", prose=prose, tables=tuple(tables))


def _where(results: StudyResults) -> str:
    """What was looked at."""
    return "the tables" if results.protocol.tables else "images and regions that were measured"
