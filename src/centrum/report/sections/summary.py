"""The section that says what was found, in a few numbers, and what it is not."""

from centrum.evaluate import Evaluation
from centrum.evaluate.bootstrap import Interval
from centrum.report.blocks import Block
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import cautions
from centrum.report.sections.section import section
from centrum.report.sections.validation import means_over_parts
from centrum.report.sequences import weighting_text
from centrum.report.words.model import classifier_label
from centrum.text import counted, fixed, interval_text, percent


@section
def summary(results: StudyResults) -> Block:
    """What was found, in a few numbers, and what it is not."""
    test, model = results.evaluation.by_set["test"], results.model
    confidence = f"{percent(test.confidence)} CI"
    facts = [
        ("Cases analysed", f"{len(results.table.obs)}"),
        *(
            (f"{name}, test ({confidence})", _with_interval(value, interval))
            for name, value, interval in _headline(results, test)
        ),
    ]
    funnel = f"{counted(len(model.features), 'feature')} of {len(results.table.features)}"
    prose = (
        results.protocol.description,
        f"The score tells {model.positive} (high) from {model.negative} (low) by {funnel}. "
        f"Classifier: {classifier_label(model.classifier)}, fitted to "
        f"{counted(model.n_train, 'training case')} and evaluated on "
        f"{counted(test.n, 'test case')} of {counted(test.n_patients, 'patient')} "
        f"{_held_out(results)}.",
        weighting_text(results),
        _cautioned(results),
    )
    return Block(
        "Summary",
        "summary",
        prose=tuple(filter(None, prose)),
        facts=tuple(facts),
    )


def _cautioned(results: StudyResults) -> str:
    """How much speaks against the numbers above; the section that says it follows."""
    grave = len(cautions(results))
    if not grave:
        return ""
    return (
        f"{counted(grave, 'caution speaks', 'cautions speak')} against these numbers; read the "
        "next section first."
    )


def _headline(results: StudyResults, test: Evaluation) -> tuple[tuple[str, float, Interval], ...]:
    """AUC, sensitivity and specificity: of the test side, or their means over the parts."""
    if not results.protocol.split.single_part:
        means = means_over_parts(results)
        names = [name for name in ("AUC", "Sensitivity", "Specificity") if name in means]
        return tuple((name, means[name].mean, means[name].interval) for name in names)
    decisions = tuple(
        (name.capitalize(), test.measures[name].value, test.measures[name].interval)
        for name in ("sensitivity", "specificity")
    )
    return (("AUC", test.auc.value, test.auc.interval), *decisions)


def _held_out(results: StudyResults) -> str:
    if results.protocol.split.single_part:
        return "who took no part in any choice"
    n = counted(len(results.validation.parts), "part")
    return f"over {n}, in each of which those held out took no part in any choice"


def _with_interval(value: float, interval: Interval) -> str:
    return f"{fixed(value, 2)} ({interval_text(interval.lower, interval.upper, 2)})"
