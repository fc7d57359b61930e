"""Who was studied, in numbers."""

from collections.abc import Iterator

from centrum.evaluate import PopulationRow
from centrum.evaluate.population import MISSING, Count, MeanSpread, Quartiles
from centrum.manuscript.estimates import by_outcome, tally
from centrum.report.confounders import differing
from centrum.report.flow import stations
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.text import counted, fixed, listed, p_equals, percent, placeholder, sentences

SEXES = {"F": "female", "M": "male", "O": "of another sex"}
"""In the order in which they are told."""

DEMOGRAPHIC = ("age", "sex")
"""What is told of every population, with its P."""


def flow(results: StudyResults) -> str:
    """From the cases that were considered to those that were analysed."""
    here = stations(results)
    start, analysed = here["manifest"], here["analysed"]
    begin = tally(start, "simulated" if results.simulated else "")
    end, where = by_outcome(analysed), ref("Figure flow")
    if lost := _lost(results):
        told = f"Of {begin} that were considered, {lost}."
        return sentences(
            told, f"{tally(analysed)} were analysed: {end} ({where}).", *_several(results)
        )
    told = f"All {begin} that were considered were analysed: {end} ({where})."
    return sentences(told, *_several(results))


def _lost(results: StudyResults) -> str:
    """Who was left out on the way."""
    here = stations(results)
    excluded = sum(t.cases for name, t in here.items() if name.startswith("excluded: "))
    lost = {
        f"{'was' if excluded == 1 else 'were'} excluded by the criteria of eligibility": excluded,
        "could not be measured": here["not measured"].cases,
    }
    return listed([f"{n} {how}" for how, n in lost.items() if n])


def _several(results: StudyResults) -> Iterator[str]:
    n = int((results.table.obs["patient"].value_counts() > 1).sum())
    yield (
        f"{counted(n, 'patient')} had more than one case." if n else "Each patient had one case."
    )
    if mixed := results.mixed_patients:
        yield f"{counted(mixed, 'patient')} had cases of both outcomes."


def characteristics(results: StudyResults) -> str:
    """Age, sex, region of the spine, what else differs between the outcomes, what is missing."""
    return sentences(
        _age(results), _sex(results), _unknown(results), _regions(results), _differing(results),
        _missing(results), f"{ref('Table population')} has all characteristics by outcome.",
    )  # fmt: skip


def _rows(results: StudyResults, variable: str) -> list[PopulationRow]:
    """Rows of what is known of a variable."""
    return [r for r in results.population if r.variable == variable and r.level != MISSING]


def _compared(row: PopulationRow) -> str:
    found = row.significance
    return "" if found is None else f"; {p_equals(found.p)} between the outcomes"


def _age(results: StudyResults) -> str:
    for row in _rows(results, "age"):
        cell = row.overall
        if isinstance(cell, MeanSpread):
            ends = f"{fixed(cell.minimum, 0)}–{fixed(cell.maximum, 0)}"
            return (
                f"The patients were {fixed(cell.mean, 1)} ± {fixed(cell.sd, 1)} years old "
                f"(mean ± SD; range {ends}{_compared(row)})."
            )
        if isinstance(cell, Quartiles) and cell.n:
            ends = f"{fixed(cell.lower, 0)}–{fixed(cell.upper, 0)}"
            return (
                f"The median age of the patients was {fixed(cell.median, 0)} years "
                f"(interquartile range {ends}{_compared(row)})."
            )
    return ""


def _sex(results: StudyResults) -> str:
    rows = {row.level: row for row in _rows(results, "sex")}
    cells = {SEXES[level]: rows[level].overall for level in SEXES if level in rows}
    counts = {told: cell for told, cell in cells.items() if isinstance(cell, Count)}
    if not counts:
        return ""
    (total,) = {cell.total for cell in counts.values()}
    each = [f"{c.n} ({percent(c.n / c.total, 0)}) were {told}" for told, c in counts.items()]
    compared = _compared(next(iter(rows.values()))).removeprefix("; ")
    return f"Of {total} patients, {listed(each)}{f' ({compared})' if compared else ''}."


def _unknown(results: StudyResults) -> str:
    """What is asked of every population and is not in the records."""
    gone = [name for name in DEMOGRAPHIC if not _rows(results, name)]
    return placeholder(f"{listed(gone)} of the patients") if gone else ""


def _regions(results: StudyResults) -> str:
    cells = {row.level: row.overall for row in _rows(results, "region")}
    told = [
        f"{region} in {counted(cell.n, 'case')}"
        for region, cell in cells.items()
        if isinstance(cell, Count)
    ]
    return f"The vertebrae were {listed(told)}." if told else ""


def _differing(results: StudyResults) -> str:
    """What differs between the outcomes beside age and sex."""
    found = {name: p for name, p in differing(results).items() if name not in DEMOGRAPHIC}
    told = [f"{name.replace('_', ' ')} ({p_equals(p)})" for name, p in found.items()]
    return f"The outcomes differed in {listed(told)}." if told else ""


def _missing(results: StudyResults) -> str:
    rows = [row for row in results.population if row.level == MISSING]
    cells = {row.variable.replace("_", " "): row.overall for row in rows}
    told = [
        f"{name} ({cell.n} of {cell.total})"
        for name, cell in cells.items()
        if isinstance(cell, Count) and 0 < cell.n < cell.total
    ]
    return f"Values were missing of {listed(told)}." if told else ""


def sides(results: StudyResults) -> str:
    """Who was trained on and who was tested, in a design with one test side."""
    here = stations(results)
    told = [
        f"{tally(here[name])} ({by_outcome(here[name])}) {what}"
        for name, what in (("training", "made the training set"), ("test", "the test set"))
        if name in here
    ]
    return f"Of these, {listed(told)}." if told else ""
