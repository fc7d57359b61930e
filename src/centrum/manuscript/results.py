"""The Results section of a paper, from a study's recorded numbers.

Each number is that of a table, a figure or evaluation.json, rounded as prose rounds; what a study
did not do has no sentence.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from centrum.manuscript import (
    results_added_value,
    results_agreement,
    results_model,
    results_performance,
    results_population,
    results_validation,
)
from centrum.manuscript.methods import Paragraph
from centrum.report.results import StudyResults
from centrum.text import sentences

Text = Callable[[StudyResults], str]
"""Sentences about one matter; "" where there is nothing to say."""

SECTIONS: Mapping[str, Sequence[Sequence[Text]]] = MappingProxyType(
    {
        "Study population": (
            (results_population.flow, results_population.sides),
            (results_population.characteristics,),
        ),
        "Reproducibility of features": (
            (results_agreement.features, results_agreement.robustness),
            (results_agreement.regions,),
        ),
        "Model": (
            (results_model.selection, results_validation.selection),
            (results_model.coefficients, results_model.explanation),
        ),
        "Performance": (
            (results_performance.discrimination,),
            (results_performance.called, results_performance.by_patient),
            (results_performance.calibration, results_performance.sets),
            (results_performance.use,),
            (results_performance.readers,),
        ),
        "Added value": (
            (results_added_value.added_value, results_added_value.odds_ratios),
            (results_added_value.sources, results_added_value.sparse),
        ),
        "Robustness of the results": (
            (results_validation.sides, results_validation.chance),
            (results_validation.optimism, results_validation.instability),
            (results_validation.subgroups,),
            (results_validation.other_readers,),
        ),
    }
)
"""Headings, their paragraphs, and the sentences of each, in their order."""


def results_text(results: StudyResults) -> tuple[Paragraph, ...]:
    """The paragraphs of the Results; tables and figures are referred to by `numbering.ref`."""
    return tuple(
        Paragraph(heading, text)
        for heading, paragraphs in SECTIONS.items()
        for writers in paragraphs
        if (text := sentences(*(write(results) for write in writers)))
    )
