"""The section on the vertebral bodies: heights, shape and Genant's grade."""

from centrum.morphometry.measures import MEASURES
from centrum.report.blocks import Block, Column, Estimate, Table
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import DESCRIBED, described
from centrum.report.words.agreement import icc_label


@section
def morphometry(results: StudyResults) -> Block | None:
    """Heights, shape and grade of the first reader's bodies, and how well readers agree."""
    if not results.morphometry:
        return None
    title = "Heights and shape of the vertebral bodies"
    columns, cells = described(results.morphometry)
    tables = [Table("morphometry", title, columns, cells, (DESCRIBED,))]
    reader = results.table.readers[0]
    prose = (
        f"{ref('Table morphometry')} describes the bodies in the masks of {reader}. Losses are "
        "relative to whole bodies of the same label map, else to healthy bodies of the level; "
        "morphometry.csv says which. Schmorl nodes are not graded."
    )
    if len(results.morphometry_agreement):
        tables.append(_agreement_table(results))
        prose += f" {ref('Table morphometry_agreement')} compares the readers."
    return Block("Morphometry", "morphometry", prose=(prose,), tables=tuple(tables))


def _agreement_table(results: StudyResults) -> Table:
    rows = tuple(
        (
            MEASURES[str(row["measure"])].heading,
            int(row["n"]),
            Estimate(float(row["icc"]), float(row["lower"]), float(row["upper"])),
        )
        for _, row in results.morphometry_agreement.iterrows()
    )
    label = icc_label(results.protocol.model.agreement)
    columns = tuple(map(Column, ("Measure", "Cases", f"{label} (95 % CI)")))
    title = "Agreement of the readers in the morphometry"
    return Table("morphometry_agreement", title, columns, rows)
