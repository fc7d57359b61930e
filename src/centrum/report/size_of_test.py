"""Whether the cases that a model was tested on are enough to know what it is worth."""

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.evaluate import Evaluation
from centrum.evaluate.validation_size import ExpectedModel, validation_size
from centrum.report.blocks import Column, Table
from centrum.text import (
    NO_INTERVAL,
    counted,
    fixed,
    interval_text,
    listed,
    number,
    percent,
    width_text,
)

GOOD_AUC = 0.8
"""What a sample size is computed for when the model's own AUC is no better than chance."""


FEWEST_OF_EACH = 100
"""Cases of each outcome below which a validation tells little: Vergouwe et al. found so few to
have too little power to see that a model does worse, Collins et al. its measures to be biased."""

SOURCES = (
    "Vergouwe et al., J Clin Epidemiol 2005;58:475-483; Collins et al., Stat Med 2016;35:214-226"
)


def rests_on(found: Evaluation, outcomes: tuple[str, str], tested: str) -> str:
    """On how few patients and cases of each outcome an AUC rests, and what its interval leaves.

    Parameters
    ----------
    outcomes : the positive and the negative one
    tested : which AUC, such as "test"
    """
    each = list(zip((found.n_positive, found.n_negative), outcomes, strict=True))
    few = [name for n, name in each if n < FEWEST_OF_EACH]
    sizes = listed([f"{n} {name}" for n, name in each])
    fewer = {0: "no fewer", 1: f"the {listed(few)} fewer", 2: "both fewer"}[len(few)]
    return (
        f"The {tested} AUC rests on {counted(found.n_patients, 'patient')} with {sizes} cases, "
        f"{fewer} than the {FEWEST_OF_EACH} of each outcome that a validation asks for ({SOURCES})."
        f" {_width(found)}"
    )


def _width(found: Evaluation) -> str:
    interval, confidence = found.auc.interval, percent(found.confidence)
    limits = interval_text(interval.lower, interval.upper, 2, " to ")
    if limits == NO_INTERVAL:
        return f"A {confidence} interval could not be computed."
    width = width_text(interval.lower, interval.upper)
    return f"Its {confidence} confidence interval, {limits}, is {width} wide."


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
