"""Whether the cases that a model was tested on are enough to know what it is worth."""

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.evaluate import Evaluation
from centrum.evaluate.validation_size import ExpectedModel, validation_size
from centrum.report.blocks import Column, Table
from centrum.text import counted, fixed, number, percent

GOOD_AUC = 0.8
"""What a sample size is computed for when the model's own AUC is no better than chance."""


def assumed_c(found: Evaluation) -> float:
    """The C statistic that a sample size is computed for."""
    area = min(found.auc.value, 0.99)
    return area if area > 0.55 else GOOD_AUC


def size_of_test_table(found: Evaluation, probability: Floats, threshold: float) -> Table:
    """Cases that each measure needs, and how exactly the test cases show it.

    Parameters
    ----------
    probability : (cases,) of the test cases
    threshold : probability at the cut-off, where net benefit is taken
    """
    share = found.n_positive / found.n
    at = threshold if 0 < threshold < 1 else None
    expected = ExpectedModel.of(share, assumed_c(found), probability, at)
    try:
        needed = validation_size(expected)
    except DataError as error:
        return Table("test-size", TITLE, (Column("Reason"),), ((str(error),),))
    rows = tuple(
        (k.measure, k.expected, k.width, k.n, expected.width(k.measure, found.n))
        for k in needed.criteria
    )
    columns = (
        Column("Measure"), Column("Expected", lambda v: fixed(v, 2)),
        Column("Width aimed at", number), Column("Cases needed"),
        Column(f"Width that {found.n} cases give", lambda v: fixed(v, 2)),
    )  # fmt: skip
    return Table("test-size", TITLE, columns, rows, (_note(found, at),))


TITLE = "Sample size of the test"


def _note(found: Evaluation, threshold: float | None) -> str:
    benefit = (
        f" Net benefit is taken at the probability of the cut-off, {fixed(threshold)}."
        if threshold is not None
        else ""
    )
    clustered = (
        f" The {counted(found.n, 'case')} are of {counted(found.n_patients, 'patient')}: the "
        "intervals are wider than that."
        if found.n_patients < found.n
        else ""
    )
    return (
        "Widths of 95 % confidence intervals; Riley et al., Stat Med 2021;40:4230-4251, for a C "
        f"statistic of {fixed(assumed_c(found), 2)}, a share of the positive outcome of "
        f"{percent(found.n_positive / found.n, 0)}, and calibrated probabilities distributed as "
        f"those of the test cases.{benefit}{clustered}"
    )
