"""Who was studied, on which images, with whose regions of interest."""

from collections.abc import Mapping, Sequence

from centrum.agreement.copies import copies_in
from centrum.cohort.eligibility import CaseCounts, Exclusion
from centrum.cohort.expression import columns, parse
from centrum.manuscript.methods_readings import room
from centrum.manuscript.passage import Passage
from centrum.report.readers import proposed_text, readers_counted
from centrum.report.results import StudyResults
from centrum.report.sequences import weighting_text
from centrum.report.words.images import GRID_MISMATCHES, REGIONS, SEQUENCE_MISMATCHES, scheme_text
from centrum.text import counted, listed, number, placeholder, quoted, sentences

RETROSPECTIVE = "setting, period and design of recruitment"
ETHICS = "approval of the ethics committee and informed consent"
DIAGNOSIS = "how the diagnosis was established"
SCANNER = "scanner, field strength and parameters of the acquisition"
EXPERIENCE = "with which experience the readers drew the regions of interest"
"""What the records of a reading room do not hold."""

DRAWN = "who drew the regions of interest, with which experience and software, blinded to what"

DIRECTIONS = {
    "L": "left",
    "R": "right",
    "A": "anterior",
    "P": "posterior",
    "I": "inferior",
    "S": "superior",
}


def simulated(results: StudyResults) -> str:
    """What is said before anything else when patients are simulated."""
    if not results.simulated:
        return ""
    return (
        "The patients of this study were simulated: images and regions of interest are those of "
        "phantoms, and no result concerns patients."
    )


def recruitment(results: StudyResults) -> Passage:
    """The cases of the manifest, and what only the authors know of them."""
    outcome, flow = results.protocol.outcome, results.flow
    both = (
        "A patient could have cases of both classes; of those analysed "
        f"{counted(results.mixed_patients, 'patient')} had."
        if outcome.mixed_patients
        else "All cases of a patient were of one class."
    )
    paper = sentences(
        simulated(results),
        placeholder(RETROSPECTIVE),
        placeholder(ETHICS),
        "The unit of analysis was the case, one fractured vertebra; a patient could have several.",
        f"The classes were {outcome.positive}, the positive one, and {outcome.negative}.",
        placeholder(DIAGNOSIS),
    )
    return Passage(paper, sentences(both, f"{_tally(flow.start)} were considered."))


def eligibility(results: StudyResults) -> Passage:
    """The rules, in their order, with what each of them left out."""
    flow = results.flow
    if not flow.exclusions:
        return Passage(sentences("No eligibility criterion was applied.", _analysed(results)))
    rules = [f"({k}) {_rule(exclusion)}" for k, exclusion in enumerate(flow.exclusions, 1)]
    single = len(rules) == 1
    paper = sentences(
        f"{counted(len(rules), 'rule')} of eligibility {'was' if single else 'were'} applied.",
        _analysed(results),
    )
    order = "rule of eligibility was" if single else "rules of eligibility were, in this order"
    return Passage(paper, f"The {order}: {'; '.join(rules)}. {_tally(flow.end)} were eligible.")


def _rule(exclusion: Exclusion) -> str:
    rule, gone = exclusion.rule, exclusion.excluded
    # An expression on the column of patients may hold an identifier.
    told = "patient" not in columns(parse(rule.expression))
    kind = "required" if rule.require else "excluded"
    condition = f" ({kind}: {rule.expression})" if told else ""
    about = f", for cases of the class {rule.group}" if rule.group else ""
    left = f"{counted(gone.cases, 'case')}{_by_outcome(gone.outcomes)} left out"
    undecided = len(exclusion.undecided)
    open_ = f", {counted(undecided, 'case')} kept because a value was missing" if undecided else ""
    return f"{rule.name}{condition}{about}: {left}{open_}"


def _by_outcome(outcomes: Mapping[str, int]) -> str:
    found = [f"{n} {name}" for name, n in outcomes.items() if n]
    return f" ({', '.join(found)})" if found else ""


def _tally(tally: CaseCounts) -> str:
    of = f"{counted(tally.cases, 'case')} of {counted(tally.patients, 'patient')}"
    return f"{of}{_by_outcome(tally.outcomes)}"


def _analysed(results: StudyResults) -> str:
    """Cases that could not be measured, and who was analysed."""
    obs, lost = results.table.obs, len(results.failures)
    outcome = results.protocol.outcome
    names = (outcome.positive, outcome.negative)
    found = {name: int((obs["outcome"] == name).sum()) for name in names}
    analysed = CaseCounts(len(obs), obs["patient"].nunique(), found)
    several = int((obs["patient"].value_counts() > 1).sum())
    return sentences(
        f"{counted(lost, 'case')} could not be measured and {'was' if lost == 1 else 'were'} left "
        "out."
        if lost
        else "",
        f"{_tally(analysed)} were analysed.",
        f"{counted(several, 'patient')} had more than one case."
        if several
        else "Each patient had one case.",
    )


def images(results: StudyResults) -> Passage:
    """What was measured, and what the software cannot say of it."""
    settings = results.protocol.images
    several = len(settings.sequences) > 1
    measured, *further = _sequences(results)
    supplement = sentences(
        *further, SEQUENCE_MISMATCHES[settings.on_sequence_mismatch] if several else ""
    )
    paper = sentences(placeholder(SCANNER), measured, weighting_text(results))
    return Passage(paper, supplement)


def _sequences(results: StudyResults) -> tuple[str, ...]:
    settings = results.protocol.images
    if len(settings.sequences) > 1:
        return (
            f"The image sequences {quoted(settings.sequences)} of every case were measured "
            "together.",
            f'Regions of interest were drawn on "{settings.sequences[0]}", which alone gave the '
            "features of shape.",
        )
    measured = [sequence.name for sequence in results.sequences]
    name = next(filter(None, (*settings.sequences, settings.sequence, *measured)), "")
    which = f', "{name}",' if name else ""
    return (f"One image sequence{which} of every case was measured.",)


def segmentation(results: StudyResults) -> Passage:
    """Readers, and what was done to fit masks to images."""
    settings, drawn = results.protocol.images, room(results)
    paper = sentences(
        placeholder(EXPERIENCE if results.readings else DRAWN),
        _readers(results),
        drawn.paper,
        proposed_text(results),
        REGIONS[settings.region],
    )
    supplement = sentences(
        drawn.supplement,
        scheme_text(settings.scheme) or "No numbers of label maps were read as levels.",
        "A mask was taken as it was where the corner voxels of mask and image lay within "
        f"{number(settings.grid_tolerance_mm)} mm of each other, and placed without resampling "
        "where its voxels were a part of the image's or in another order of axes.",
        GRID_MISMATCHES[settings.on_grid_mismatch].told(settings) + _resampled(results),
        _stated_orientation(settings.orientation),
        "A mask with voxels outside the image was rejected.",
    )
    return Passage(paper, supplement)


def _stated_orientation(code: str | None) -> str:
    if code is None:
        return "A file that did not state its orientation was rejected."
    towards = listed([DIRECTIONS[letter] for letter in code])
    return (
        "Where a file did not give its orientation, its rows, columns and slices were taken to run "
        f"towards {towards} ({code})."
    )


def _readers(results: StudyResults) -> str:
    table = results.table
    readers, primary = table.compared, table.readers[0]
    if len(table.readers) == 1:
        return f'The regions of interest were those of one reader, "{primary}".'
    fed, rest = ", the primary reader,", "the other" if len(readers) == 2 else "the others"
    if primary not in readers:
        fed, rest = "", "these readers"
    return sentences(
        f"The regions of interest were those of {counted(len(readers), 'reader')}, "
        f"{_counted(results, readers)}.",
        *(f'"{one}" read again: {_counted(results, again)}.' for one, *again in table.read_twice),
        f'The features of "{primary}"{fed} fed the model; those of {rest} served to assess '
        "agreement.",
    )


def _counted(results: StudyResults, readers: Sequence[str]) -> str:
    return listed(readers_counted(results, quoted=True, among=readers))


def _resampled(results: StudyResults) -> str:
    """How many masks were, where the records tell masks from images."""
    settings = results.protocol.images
    if settings.on_grid_mismatch == "refuse":
        return ""
    done = [s for s in results.table.history if s.name == "read and place masks"]
    if not done or len(settings.sequences) > 1:
        return "."
    n = int(done[-1].parameters.get("resample", 0))
    return f"; {counted(n, 'mask')} {'was' if n == 1 else 'were'}."


def overlap(results: StudyResults) -> Passage:
    """How the regions of readers were compared."""
    if results.overlap.empty:
        return Passage()
    measures = ("Dice coefficient", "95th percentile of the Hausdorff distance",
                "mean surface distance", "difference in volume")  # fmt: skip
    pairs = counted(len(results.overlap), "pair")
    told = sentences(
        f"The regions of the readers were compared by {listed(measures)}, on {pairs} of regions.",
        *(pair.text() for pair in copies_in(results.overlap)),
    )
    return Passage(supplement=told)
