"""The section on how the regions were drawn, in a study that has a reading room of its own."""

from collections.abc import Mapping

from centrum.cohort.readings import PROVENANCES, QualityFlag, ReadingRecord, SliceProvenance
from centrum.report.blocks import Block, Column, Table
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.words.readings import CONVENTIONS, MADE, OUTLINES, QUALITY
from centrum.study.readings import StudyReadings
from centrum.text import counted, fixed, listed, sentences

MOST_NAMED = 12
"""Cases that a sentence names."""


@section
def reading_room(results: StudyResults) -> Block | None:
    """How every outline came about, what it took, and how far that decides the agreement."""
    found = results.readings
    if found is None:
        return None
    decided = found.consensus()
    tables = [_readers_table(found), *_made_tables(found), _cases_table(found)]
    prose = sentences(
        f"The regions were drawn in the study's own reading room, "
        f"{CONVENTIONS[found.closed.convention]}, on the acquired slices.",
        f"{ref('Table readings')} counts the slices of each reader by how their outline came "
        "about: drawn by hand, or filled between drawn slices by signed distance.",
        f"{ref('Table slice_agreement')} has the agreement by that." if found.pairs else "",
        f"{ref('Table reading_cases')} has every case.",
        _levels_text(found),
        f"A consensus was decided on in {counted(len(decided), 'case')}." if decided else "",
    )
    return Block(
        "How the regions were drawn", "reading-room",
        prose=(prose,), tables=tuple(tables), files=(_slices_table(found),),
    )  # fmt: skip


def _levels_text(found: StudyReadings) -> str:
    apart = found.other_levels()
    if not apart:
        return ""
    named = listed([*apart[:MOST_NAMED], *(["others"] if len(apart) > MOST_NAMED else [])])
    return (
        f"In {counted(len(apart), 'case')} two readers placed the level further apart than half "
        f"the height of the body: {named}. Did they read the same vertebra?"
    )


def _flags_text(flags: Mapping[QualityFlag, int]) -> str:
    return ", ".join(f"{QUALITY[name]} {n}" for name, n in flags.items() if n)


def _minutes(value: float) -> str:
    return fixed(value, 1)


def _readers_table(found: StudyReadings) -> Table:
    """Slices by provenance, and minutes, of each reader."""
    readers = found.by_reader()
    shown = [name for name in PROVENANCES if any(reader.slices[name] for reader in readers)]
    heads = (
        *map(Column, ("Reader", "Cases", *(OUTLINES[name] for name in shown))),
        *(Column(f"Minutes, {name}", _minutes) for name in ("median", "least", "most")),
        Column("Cases with a flag"),
    )
    rows = tuple(
        (r.reader, r.cases, *(r.slices[name] for name in shown), *r.minutes,
         _flags_text(r.flags))
        for r in readers
    )  # fmt: skip
    notes = ("Numbers of slices; minutes of active time per case, without idling.",)
    return Table("readings", "How the outlines came about", heads, rows, notes, main=True)


def _dice(value: float) -> str:
    return fixed(value, 2)


def _made_tables(found: StudyReadings) -> list[Table]:
    """Dice coefficients of slices by how their outlines came about; none for one reader."""
    if not found.pairs:
        return []
    names = ("Readers", "Outlines", "Cases", "Slices")
    heads = (*map(Column, names), Column("Median Dice", _dice), Column("Lowest Dice", _dice))
    rows = tuple(
        (_pair_label(m.reader_a, m.reader_b, intra=m.intra), MADE[m.made], m.cases, m.slices,
         m.dice, m.lowest)
        for m in found.by_made()
    )  # fmt: skip
    notes = (
        "Dice coefficients of single slices, of all cases together. A slice that only one reader "
        "outlined has 0.",
    )
    title = "Agreement of the outlines by how they came about"
    return [Table("slice_agreement", title, heads, rows, notes)]


def _pair_label(a: str, b: str, *, intra: bool) -> str:
    return f"{a} – {b}{' (the same reader)' if intra else ''}"


def _cases_table(found: StudyReadings) -> Table:
    """What every reading took, and what it is made of."""
    own = [r for r in found.readings if r.reader in found.readers]
    names = [name for name in PROVENANCES if any(r.record.slices(name) for r in own)]
    apart, decided = found.other_levels(), found.consensus()
    last = ("Flags", "Level", *(["Consensus"] if decided else []))
    heads = (
        *map(Column, ("Case", "Reader")), Column("Minutes", _minutes),
        *(Column(OUTLINES[name]) for name in names), *map(Column, last),
    )  # fmt: skip
    rows = tuple(
        (r.case, r.reader, r.record.seconds / 60, *_counts(r.record, names),
         ", ".join(QUALITY[flag] for flag in r.record.quality),
         "half a body apart" if r.case in apart else "",
         *([_decision(decided, r.case)] if decided else []))
        for r in own
    )  # fmt: skip
    return Table("reading_cases", "Readings of each case", heads, rows, sorts=True, boxed=True)


def _counts(record: ReadingRecord, names: list[SliceProvenance]) -> list[int]:
    return [len(record.slices(name)) for name in names]


def _slices_table(found: StudyReadings) -> Table:
    """The provenance of every slice."""
    rows = tuple(
        (r.case, r.reader, k + 1, name or "")
        for r in found.readings
        for k, name in enumerate(r.record.provenance)
    )
    heads = tuple(map(Column, ("case", "reader", "slice", "provenance")))
    return Table("reading_slices", "Provenance of every slice", heads, rows)


def _decision(decided: Mapping[str, str], case: str) -> str:
    return (decided[case] or "drawn anew") if case in decided else ""
