"""The limitations of a study: what could mislead, in the words of a paper."""

from centrum.frozen.external_record import ExternalRecord
from centrum.manuscript.answers import elsewhere
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import all_caveats, tested_apart
from centrum.text import placeholder, sentences

FURTHER = "further limitations, such as those of recruitment and of the reference standard"


def limitations_text(results: StudyResults, external: ExternalRecord | None = None) -> str:
    """The paragraph; what speaks against the numbers themselves comes first."""
    return sentences(
        *(point.limitation for point in all_caveats(results)),
        "" if tested_apart(results) else _same_centre(results, external),
        placeholder(FURTHER),
    )


def _same_centre(results: StudyResults, external: ExternalRecord | None) -> str:
    """That no other centre took part in the test, as far as that is known."""
    apart = False if external is None else elsewhere(results, external)
    if apart is None:
        return "Whether the external patients were of other centres is not known."
    return "" if apart else "The model was not tested on patients of another centre."
