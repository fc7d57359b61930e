"""The first screen: how good, how sure, for whom, and what could mislead, in a few numbers."""

from dataclasses import replace

from centrum.protocol.inherited import stated
from centrum.report.answers import answers
from centrum.report.blocks import Block, Point
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import all_caveats, cautions
from centrum.report.sections.section import section
from centrum.report.sections.sparse_model import lost_text
from centrum.report.words.model import classifier_label
from centrum.text import counted


@section
def summary(results: StudyResults) -> Block:
    """What was found, how far it can be trusted, of whom, and what it is not."""
    test, model = results.evaluation.by_set["test"], results.model
    funnel = f"{counted(len(model.features), 'feature')} of {len(results.table.features)}"
    prose = (
        stated(results.protocol).description,
        f"The score tells {model.positive} (high) from {model.negative} (low) by {funnel}. "
        f"Classifier: {classifier_label(model.classifier)}, fitted to "
        f"{counted(model.n_train, 'training case')} and evaluated on "
        f"{counted(test.n, 'test case')} of {counted(test.n_patients, 'patient')} "
        f"{_held_out(results)}.",
        lost_text(results),
        _cautioned(results),
    )
    return Block(
        "Summary",
        "summary",
        answers=answers(results),
        points=misleading(results),
        prose=tuple(filter(None, prose)),
    )


def misleading(results: StudyResults) -> tuple[Point, ...]:
    """What speaks against the numbers, each in a few words."""
    return tuple(replace(each, text=each.brief) for each in all_caveats(results) if each.brief)


def _cautioned(results: StudyResults) -> str:
    """How much speaks against the numbers above; the section that says it follows."""
    grave = len(cautions(results))
    if not grave:
        return ""
    return (
        f"{counted(grave, 'caution speaks', 'cautions speak')} against these numbers; read the "
        "next section first."
    )


def _held_out(results: StudyResults) -> str:
    if results.protocol.split.single_part:
        return "who took no part in any choice"
    n = counted(len(results.validation.parts), "part")
    return f"over {n}, in each of which those held out took no part in any choice"
