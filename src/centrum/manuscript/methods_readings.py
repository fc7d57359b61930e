"""How the regions of interest were drawn, in a study that has a reading room of its own."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from centrum.cohort.readings import ClosedRoom
from centrum.manuscript.passage import Passage
from centrum.report.results import StudyResults
from centrum.report.words.readings import CAME_ABOUT, CONVENTIONS, MADE, QUALITY
from centrum.study.readings import ReaderSummary, StudyReadings
from centrum.text import counted, fixed, listed, number, percent, quoted, sentence_case, sentences

HIDDEN = {"age": "age", "sex": "sex", "sequences": "further sequences"}
"""What a room may show beside the image."""

AIDS = {
    "livewire": "A line that follows the dark rim could be used.",
    "growcut": "A region that grows from marks within the slice (GrowCut) could be used.",
}


def room(results: StudyResults) -> Passage:
    """Tool, convention, blinding, provenance of the slices and time; nothing without a room."""
    found = results.readings
    if found is None:
        return Passage()
    summaries = list(found.by_reader())
    supplement = sentences(
        "The regions were outlined in the reading room of centrum, slice by slice on the acquired "
        f"grid, {CONVENTIONS[found.closed.convention]}.",
        _training(found.closed),
        *(text for aid, text in AIDS.items() if aid in found.closed.assistance),
        _proposals(found.closed),
        *map(provenance_text, summaries),
        _time(summaries),
        _flags(summaries),
        *_agreement(found),
        _consensus(found),
    )
    return Passage(blinding_text(found.closed), supplement)


def blinding_text(closed: ClosedRoom) -> str:
    """What a reader did not see, and the order of the cases."""
    hidden = [text for name, text in HIDDEN.items() if name not in closed.shown]
    hidden = ["outcome", *hidden, "the outlines of the other readings"]
    shown = [text for name, text in HIDDEN.items() if name in closed.shown]
    told = f" {sentence_case(listed(shown))} {'was' if len(shown) == 1 else 'were'} shown."
    return (
        "Cases bore random numbers and came to each reader and session in a random order of its "
        f"own (seed {closed.order_seed}); {listed(hidden)} were not shown.{told if shown else ''}"
    )


def _training(closed: ClosedRoom) -> str:
    if closed.training is None:
        return ""
    cases, limit = closed.training
    return (
        f"For practice there {'was' if cases == 1 else 'were'} {counted(cases, 'phantom')} with "
        f"known outlines, passed from a Dice coefficient of {number(limit)} on."
    )


def _proposals(closed: ClosedRoom) -> str:
    if closed.scratch_share is None:
        return ""
    return (
        "Outlines of another program could be taken over and corrected, but for "
        f"{percent(closed.scratch_share)} of the cases, which all readers drew from nothing."
    )


def provenance_text(summary: ReaderSummary) -> str:
    """How the outlines of one reader came about."""
    parts = [
        f"{n} {'was' if n == 1 else 'were'} {CAME_ABOUT[name]}"
        for name, n in summary.slices.items()
        if n and name in CAME_ABOUT
    ]
    if not parts:
        return ""
    slices, cases = counted(summary.outlined, "slice"), counted(summary.cases, "case")
    return f'Of the {slices} that "{summary.reader}" outlined in {cases}, {listed(parts)}.'


def _time(summaries: list[ReaderSummary]) -> str:
    told = [
        f'{fixed(median, 1)} ({fixed(least, 1)} to {fixed(most, 1)}) for "{summary.reader}"'
        for summary in summaries
        for median, least, most in [summary.minutes]
    ]
    return f"The median active time per case, in minutes (range), was {listed(told)}."


def _flags(summaries: list[ReaderSummary]) -> str:
    told = [
        f'{QUALITY[flag]} in {counted(n, "case")} ("{summary.reader}")'
        for summary in summaries
        for flag, n in summary.flags.items()
        if n
    ]
    return f"Flags of quality were: {listed(told)}." if told else "No flag of quality was set."


def _agreement(found: StudyReadings) -> Iterator[str]:
    """Of every two readings, agreement of slices by how their outlines came about."""
    by_pair = groupby(found.by_made(), attrgetter("reader_a", "reader_b", "intra"))
    for (a, b, intra), summaries in by_pair:
        own = list(summaries)
        told = [
            f"{fixed(s.dice, 2)} of those {MADE[s.made].lower()} (n = {s.slices})"
            for s in own
            if s.made != "one_only"
        ]
        alone = sum(s.slices for s in own if s.made == "one_only")
        within = ", which are one reader at two times," if intra else ""
        if told:
            yield (
                f"The median Dice coefficient of single slices of {quoted((a, b))}{within} was "
                f"{listed(told)}."
            )
        if alone:
            yield f"{sentence_case(counted(alone, 'slice'))} had an outline of one of them only."


def _consensus(found: StudyReadings) -> str:
    taken = found.taken_from()
    if not taken:
        return ""
    told = [f"{_source(name)} in {counted(n, 'case')}" for name, n in taken.items()]
    return f"A consensus was decided on case by case, of outlines that were signed: {listed(told)}."


def _source(name: str) -> str:
    if not name:
        return "an outline drawn anew"
    return f"the {name} of both" if name in ("union", "intersection") else f'that of "{name}"'
