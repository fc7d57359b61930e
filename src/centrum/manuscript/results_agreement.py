"""How many features readers agree on and which withstand perturbations, in numbers."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from centrum.manuscript.methods_agreement import covariate_names
from centrum.modelling.settings import AgreementSettings, RobustnessRule
from centrum.report.numbering import ref
from centrum.report.readers import agreed_over, between_readers, trained_over
from centrum.report.results import StudyResults
from centrum.report.words.agreement import icc_label, rule_label
from centrum.text import counted, fixed, percent, quoted, sentences


def features(results: StudyResults) -> str:
    """The ICC between readers and what passed its threshold; "" with one reader."""
    if results.agreement.empty:
        return ""
    rule = results.protocol.model.agreement
    left = results.model.funnel.get("agreement")
    candidates = len(results.table.features) + len(covariate_names(results))
    return sentences(
        f"Between the readers, over {agreed_over(results)}, {_spread(results.agreement, rule)} "
        f"({ref('Table agreement')}).",
        f"Over {trained_over(results)}, {left} of {candidates} candidates passed the threshold and "
        "were left for the final model."
        if left is not None
        else "",
    )


def _spread(found: pd.DataFrame, rule: AgreementSettings | RobustnessRule) -> str:
    """Median, quartiles and range of an ICC, and how many features keep a rule."""
    known = found["icc"].dropna()
    undefined = len(found) - len(known)
    least, lower, median, upper, most = np.quantile(known, [0, 0.25, 0.5, 0.75, 1])
    kept = int(found["kept"].sum())
    return (
        f"the median {icc_label(rule)} of the features was {fixed(median, 2)} "
        f"(interquartile range {fixed(lower, 2)} to {fixed(upper, 2)}; range {fixed(least, 2)} to "
        f"{fixed(most, 2)}), and {kept} of {len(found)} ({percent(kept / len(found), 0)}) had "
        f"{rule_label(rule)}{f'; of {undefined} it was not defined' if undefined else ''}"
    )


def regions(results: StudyResults) -> str:
    """How far the regions of every two readers overlap; "" where none were compared."""
    return sentences(*_pairs(results))


def _pairs(results: StudyResults) -> Iterator[str]:
    pairs = between_readers(results)
    if pairs.empty:
        return
    for (a, b), own in pairs.groupby(["reader_a", "reader_b"], sort=False):
        lower, median, upper = np.quantile(own["dice"], [0.25, 0.5, 0.75])
        yield (
            f"The regions of {quoted((str(a), str(b)))} overlapped with a median Dice coefficient "
            f"of {fixed(median, 2)} (interquartile range {fixed(lower, 2)}–{fixed(upper, 2)}; "
            f"{counted(len(own), 'case')})."
        )
    yield f"{ref('Table overlap')} has the distances of their surfaces."


def robustness(results: StudyResults) -> str:
    """What withstood the perturbations; "" without any."""
    settings, left = results.protocol.robustness, results.model.funnel.get("robustness")
    if settings is None or results.robustness.empty:
        return ""
    return sentences(
        f"Under the perturbations {_spread(results.robustness, settings.icc)}.",
        f"{counted(left, 'candidate')} passed the threshold on the training cases and "
        f"{'was' if left == 1 else 'were'} left for the final model."
        if left is not None
        else "",
    )
