"""The section on who was studied."""

from functools import partial

from centrum.report import readings
from centrum.report.blocks import Block, picture
from centrum.report.figures import draw_flow
from centrum.report.flow import flow_chart, flow_table
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.sides import sides_tables, sides_text
from centrum.report.tables import population_table


@section
def population(results: StudyResults) -> Block:
    """Who was studied: flow of the cases, and a table."""
    chart = flow_chart(results)
    said = [line for stop in chart.stops for line in (stop.stay[0], *stop.leave)]
    stations = flow_table(results)
    figure = picture(
        partial(draw_flow, chart, results.simulated),
        "flow",
        "From the manifest to the training and test set",
        "Flow of the cases: who was in the manifest, who was left out by which rule, who was "
        "analysed, and how the patients were split; all cases of a patient are on one side. "
        f"n = {results.flow.start.cases} cases.",
        f"Flow diagram. {'; '.join((*said, *(part[0] for part in chart.parts)))}.",
        stations,
        reading=readings.flow(stations),
    )
    sides = () if results.sides is None else sides_tables(results, results.sides)
    return Block(
        "Population",
        "population",
        prose=() if results.sides is None else (sides_text(results.sides),),
        tables=(population_table(results), *sides),
        pictures=(figure,),
    )
