"""The section on how well the score tells the outcomes apart."""

from functools import partial

import pandas as pd

from centrum.report import readings
from centrum.report.blocks import Block, picture
from centrum.report.by_patient import indeterminate_table, patients_table
from centrum.report.figures import draw_roc
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import frame_table, performance_table
from centrum.report.words.results import AUC_INTERVAL, EVALUATIONS
from centrum.text import fixed, p_equals, percent


@section
def performance(results: StudyResults) -> Block:
    """Areas, measures at the cut-off, and the ROC curves."""
    found = {EVALUATIONS.get(e.name, name): e for name, e in results.evaluation.by_set.items()}
    test = results.evaluation.by_set["test"]
    sizes = "; ".join(f"{name} n = {e.n}" for name, e in found.items())
    data = pd.concat(
        pd.DataFrame(
            {"scores": name, "threshold": e.roc.thresholds, "sensitivity": e.roc.sensitivity,
             "specificity": e.roc.specificity}
        )
        for name, e in results.evaluation.by_set.items()
    )  # fmt: skip
    figure = picture(
        partial(draw_roc,
            found, results.evaluation.band, results.evaluation.readers, results.simulated
        ),
        "roc", "ROC curves",
        f"Receiver operating characteristic with the area under the curve (AUC) and its "
        f"interval ({AUC_INTERVAL}). Band: pointwise {percent(test.confidence)} interval of "
        f"the test curve. Dots: {_cutoff_text(results)}. {sizes}.",
        f"ROC curves. {'; '.join(f'{n}: AUC {fixed(e.auc.value)}' for n, e in found.items())}.",
        frame_table(data),
        reading=readings.roc(
            test, (results.model.positive, results.model.negative),
            not results.protocol.split.single_part,
        ),
        main=True,
    )  # fmt: skip
    prevalence = results.protocol.evaluation.prevalence
    return Block(
        "Performance",
        "performance",
        prose=(
            f"On the test cases the AUC is {fixed(test.auc.value)}, {p_equals(test.auc.p)} "
            "against 0.5; between specificities of 0.8 and 1 the partial AUC, corrected to lie "
            f"between 0.5 for chance and 1, is {fixed(results.evaluation.partial_auc)}.",
            *_pooled_text(results),
        ),
        tables=(
            performance_table(results.evaluation.by_set, prevalence),
            *patients_table(results),
            indeterminate_table(results),
        ),
        pictures=(figure,),
    )


def _cutoff_text(results: StudyResults) -> str:
    own = f"the cut-off of {fixed(results.cutoff.value)}, learnt on {results.cutoff.learnt_on}"
    if results.protocol.split.single_part:
        return own
    return f"{own}; of the test curve the calls of every part's own cut-off"


def _pooled_text(results: StudyResults) -> tuple[str, ...]:
    """What "test" means in a design of several parts."""
    if results.protocol.split.single_part:
        return ()
    return (
        "The design has several parts: here a case's test score is the mean of its probabilities, "
        "and its call the majority of the calls, over the parts in which its patient was held out. "
        "Means over the parts, with intervals that allow for their overlap, are in "
        f"{ref('table parts')}.",
    )
