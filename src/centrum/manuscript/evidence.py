"""What a study's records say about the items of reporting checklists.

Each function of `EVIDENCE` looks at one kind of evidence and gives a status, a sentence with the
study's own numbers and where they are shown. "not done" is said of an analysis that the records
would hold had it been made. What may stand elsewhere, as in the manuscript, is the author's: the
records give at most a hint.
"""

from collections.abc import Sequence

from centrum.manuscript import (
    evidence_of_features,
    evidence_of_model,
    evidence_of_results,
    evidence_of_study,
)
from centrum.manuscript.answers import EVIDENCE, ItemAnswer, StudyFacts, author
from centrum.report.results import StudyResults

PLACES = (evidence_of_study, evidence_of_features, evidence_of_model, evidence_of_results)
"""The modules that look; importing them fills `EVIDENCE`."""

OF_IMAGES = (
    "automatic_segmentation", "preparation", "resampling", "discretisation", "filters", "software",
    "families", "settings", "quality", "sequences", "predictors",
)  # fmt: skip
"""What the records of a study of tables do not hold: it was done elsewhere."""


def find(keys: Sequence[str], results: StudyResults, facts: StudyFacts) -> dict[str, ItemAnswer]:
    """What the records say about each key, looked up once."""
    elsewhere = OF_IMAGES if results.protocol.tables else ()
    return {
        key: author("Features were read from tables produced elsewhere.")
        if key in elsewhere
        else EVIDENCE[key](results, facts)
        for key in dict.fromkeys(keys)
    }
