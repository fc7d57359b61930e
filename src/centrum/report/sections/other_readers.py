"""The section on the score with the regions of another reader."""

from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.report import other_readers as beside
from centrum.report.blocks import Block, Table
from centrum.report.readers import not_compared_text
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.words.agreement import icc_label


@section
def other_readers(results: StudyResults) -> Block | None:
    """How the score does with other regions of the same cases; None with one reader."""
    found = results.evaluation.other_readers
    if not found:
        return None
    covariates = results.protocol.model.covariates
    bodies = any(name.startswith(MORPHOMETRY_PREFIX) for name in covariates)
    known = "the covariates and the measures of the bodies" if bodies else "the covariates"
    kept = f" Other were the image features alone; {known} stayed." if covariates else ""
    prose = (
        f"{_whose(results)} to the features of regions that another reader drew of the same test "
        f"cases, and nothing in {'it' if results.protocol.split.single_part else 'them'} was "
        f"changed.{kept}",
        *(beside.found_text(each) for each in found),
        *([_consensus(results)] if not_compared_text(results) else []),
    )
    return Block(
        "The score by other readers", "other-readers",
        prose=prose, tables=(regions_table(results), score_agreement_table(results)),
        pictures=(
            beside.agreement_picture(
                found, _outcomes(results), scored(results), "Test cases", results.simulated
            ),
        ),
    )  # fmt: skip


def _consensus(results: StudyResults) -> str:
    """That the first reader is no other person than these."""
    return (
        f'"{results.table.readers[0]}" was made of the outlines of these readers: with those of '
        "somebody else the score may differ more."
    )


def _whose(results: StudyResults) -> str:
    if results.protocol.split.single_part:
        return "The model was applied, with its cut-off and calibration,"
    return "The models of the parts were applied, each with its cut-off and calibration,"


def regions_table(results: StudyResults) -> Table:
    """Discrimination, calls and calibration with the regions of each reader."""
    notes = (
        "Test cases that both readers drew",
        f'Cut-off and calibration were learnt on the regions of "{results.table.readers[0]}".',
    )
    confidence = results.protocol.evaluation.confidence
    return beside.regions_table(results.evaluation.other_readers, confidence, notes)


def score_agreement_table(results: StudyResults) -> Table:
    """Agreement of score and call between the primary reader and each other one."""
    return beside.score_agreement_table(
        results.evaluation.other_readers,
        icc_label(results.protocol.model.agreement),
        scored(results),
        _outcomes(results),
    )


def _outcomes(results: StudyResults) -> tuple[str, str]:
    return results.model.positive, results.model.negative


def scored(results: StudyResults) -> str:
    """What orders the test cases."""
    return "score" if results.protocol.split.single_part else "mean probability"
