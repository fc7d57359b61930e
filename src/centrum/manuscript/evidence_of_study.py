"""Who and what was studied: evidence for checklists."""

import pandas as pd

from centrum.manuscript.answers import (
    DATA_SHEET,
    IMAGING,
    SCANNER,
    THESE_LISTS,
    ItemAnswer,
    StudyFacts,
    answered,
    author,
    centres_of,
    centres_text,
    evidence,
    listed,
    not_applicable,
    not_done,
    shown,
    spread,
)
from centrum.manuscript.methods_readings import blinding_text, provenance_text
from centrum.measure.acquisition import REGION
from centrum.report.plan import plan_text
from centrum.report.readers import between_readers
from centrum.report.results import StudyResults
from centrum.report.words.readings import CONVENTIONS
from centrum.study.readings import StudyReadings
from centrum.text import counted, fixed, sentences


@evidence
def guideline(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A hint: that these lists are filled in is not that the paper follows them."""
    return author(
        "METRICS, CLEAR and TRIPOD+AI are filled in from the records as far as these go "
        f"({THESE_LISTS})."
    )


@evidence
def centres(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Whether there are several."""
    found = centres_of(results)
    if not found:
        return author("The manifest does not name the centre of every case.")
    if len(found) == 1:
        return not_done(
            f"All {len(results.table.cases)} cases are from one centre.",
            shown("population", "Table population"),
        )
    text = f"{counted(len(found), 'centre')}, cases: {centres_text(found)}."
    return answered(text, shown("population", "Table population"))


@evidence
def setting(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A hint: how many centres."""
    found = centres_of(results)
    return author(f"The records know centres and cases: {centres_text(found)}." if found else "")


@evidence
def data_source(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Known where patients are simulated."""
    if not results.simulated:
        return author()
    return answered(f"{results.simulated.rstrip('.')}.", shown("summary"))


@evidence
def acquisition(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Parameters of the images: from their headers, or from columns of the manifest."""
    frame, place = acquired(results, facts), DATA_SHEET
    if facts.acquisition is None:
        place = shown("population", "Table population")
    words = {word for name in frame for word in _words(name)}
    missing = [what for what, names in IMAGING.items() if not names & words]
    known = "; ".join(f"{str(name).replace('_', ' ')} {spread(frame[name])}" for name in frame)
    if not missing:
        return answered(f"{known}.", place)
    return author(f"Known: {known}. To be added: {listed(missing)}." if known else "")


def acquired(results: StudyResults, facts: StudyFacts) -> pd.DataFrame:
    """Columns that tell of the acquisition; without a value, or of the region, left out."""
    frame = facts.acquisition
    if frame is None:
        obs, telling = results.table.obs, SCANNER.union(*IMAGING.values())
        frame = obs[[name for name in obs if telling.intersection(_words(name))]]
    return frame.drop(columns=list(REGION), errors="ignore").dropna(axis="columns", how="all")


def _words(heading: object) -> list[str]:
    return str(heading).casefold().replace("_", " ").split()


@evidence
def analysis_plan(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A plan that was written before the outcomes; where it can be had is the author's."""
    if not results.plans:
        return author()
    return author(plan_text(results))


@evidence
def eligibility(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """The rules of the protocol, if it has any."""
    rules = results.flow.exclusions
    if not rules:
        return author(
            "The protocol has no eligibility criteria; who entered the manifest is not in the "
            "records."
        )
    text = "; ".join(f"{e.rule.name} ({e.excluded.cases} excluded)" for e in rules)
    return answered(
        f"{text}.",
        shown("population", "Figure flow"),
        shown("protocol", "Table protocol"),
    )


@evidence
def flow(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """From the manifest to the two sides."""
    start, excluded = results.flow.start, results.flow.start.cases - results.flow.end.cases
    text = (
        f"{counted(start.cases, 'case')} of {counted(start.patients, 'patient')} in the manifest, "
        f"all with an outcome; {excluded} excluded by rules, {len(results.failures)} not measured, "
        f"{len(results.scores)} analysed. Who was left out before the manifest is not in it."
    )
    return answered(text, shown("population", "Figure flow"))


@evidence
def characteristics(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """The table of the population."""
    names = dict.fromkeys(row.variable for row in results.population)
    known = [name for name in names if name not in ("cases", "patients")]
    sides = () if results.sides is None else ("Table training-test", "Table population-by-side")
    by = "By outcome, by side and overall" if sides else "By outcome and overall"
    text = f"{by}, with missing values counted: {listed(known)}."
    return answered(text, shown("population", "Table population", *sides))


@evidence
def readers(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A hint: their number; training and tools are the author's."""
    unknown = "Experience, tool, rules and blinding are not in the records."
    if results.readings:
        unknown = "Their experience is not in the records."
    return author(f"{_readers_text(results)} {unknown}")


def _readers_text(results: StudyResults) -> str:
    table = results.table
    read = zip(table.readers, table.read.sum(axis=0), strict=True)
    each = listed(f"{reader} {n}" for reader, n in read)
    return f"{counted(len(table.compared), 'reader')}; cases: {each}."


@evidence
def segmentation(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """How regions were drawn, where the study has a reading room of its own."""
    if results.readings is None:
        return readers(results, facts)
    text = f"{_readers_text(results)} {_drawn_text(results.readings)}"
    return answered(text, shown("reading-room", "Table readings"))


def _drawn_text(found: StudyReadings) -> str:
    """Tool, convention, provenance of the slices, blinding."""
    return sentences(
        "Outlined in the reading room of centrum, slice by slice, "
        f"{CONVENTIONS[found.closed.convention]}.",
        blinding_text(found.closed),
        *map(provenance_text, found.by_reader()),
    )


@evidence
def automatic_segmentation(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Regions that several readers gave are drawn."""
    n, apart = len(results.table.compared), between_readers(results)
    if n < 2 or apart.empty:
        return author("One mask per case: the records do not say whether a tool drew it.")
    dice = fixed(float(apart["dice"].median()), 2)
    return not_applicable(
        f"{n} readers gave regions of their own (median Dice {dice} over "
        f"{counted(len(apart), 'pair')} of regions); no step of the study segments "
        "automatically.",
        shown("regions", "Table overlap"),
    )


@evidence
def one_reader(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Whose features score the test cases."""
    primary = results.table.readers[0]
    text = f"Test cases are scored with the features of one reader, {primary}, alone"
    others = results.evaluation.other_readers
    if not others:
        return answered(f"{text}.", shown("regions"))
    beside = f"{text}; beside it, with those of {listed(found.name for found in others)}."
    return answered(beside, shown("regions"), shown("other-readers", "Table other-readers"))
