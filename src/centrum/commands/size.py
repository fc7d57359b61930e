"""The verb `size`: how many cases a study needs, before it begins.

To develop a model, to validate one on other patients, and to know how well readers agree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from textwrap import wrap
from typing import Any

from centrum.agreement.size import cases_for_icc
from centrum.errors import DataError
from centrum.evaluate.sample_size import SampleSize, minimum_sample_size, r2_of_c_statistic
from centrum.evaluate.validation_size import (
    BENEFIT,
    OE,
    SLOPE,
    WIDTHS,
    C,
    ExpectedModel,
    ValidationSize,
    validation_size,
)
from centrum.records import as_json, fields_of
from centrum.text import counted, fixed, number, percent


@dataclass(frozen=True)
class SizeChoices:
    """What is expected of a study.

    Attributes
    ----------
    prevalence : share of the positive outcome among the cases; with `auc`, None without a model
    auc : of the model
    parameters : candidate features of a model to be developed; None where none is
    shrinkage : of its coefficients, that is expected at least
    threshold : probability from which on one would act; None without net benefit
    oe_width, slope_width, auc_width, benefit_width : of 95 % intervals of a validation
    icc, readers, icc_width : of the readers' agreement; `icc` None without readers
    """

    prevalence: float | None = None
    auc: float | None = None
    parameters: int | None = None
    shrinkage: float = 0.9
    threshold: float | None = None
    oe_width: float = WIDTHS[OE]
    slope_width: float = WIDTHS[SLOPE]
    auc_width: float = WIDTHS[C]
    benefit_width: float = WIDTHS[BENEFIT]
    icc: float | None = None
    readers: int = 2
    icc_width: float = 0.2

    @property
    def widths(self) -> dict[str, float]:
        """Those of a validation, by measure."""
        own = self.oe_width, self.slope_width, self.auc_width, self.benefit_width
        return dict(zip(WIDTHS, own, strict=True))


@dataclass(frozen=True)
class Sizes:
    """Cases needed; None for what was not asked.

    Attributes
    ----------
    asked : the choices
    development, validation : of the model
    agreement : cases that all readers read
    """

    asked: SizeChoices
    development: SampleSize | None
    validation: ValidationSize | None
    agreement: int | None

    def lines(self, width: int) -> Iterator[str]:
        """The numbers, and a text for a protocol or an application, in lines of so many columns."""
        if self.development:
            yield f"To develop the model: {self.development.n} cases"
            yield from (f"  {k.n:>7}  {DEVELOPMENT[k.name]}" for k in self.development.criteria)
        if self.validation:
            yield f"To validate it: {self.validation.n} cases of other patients"
            yield from (
                f"  {k.n:>7}  {k.measure} {fixed(k.expected, 2)}, interval {number(k.width)} wide"
                for k in self.validation.criteria
            )
        if self.agreement:
            yield f"To know the readers' agreement: {self.agreement} cases read by all of them"
        for paragraph in self.text():
            yield ""
            yield from wrap(paragraph, width)

    def text(self) -> Iterator[str]:
        """Paragraphs that say what was assumed, by which method, and what follows."""
        if self.development:
            yield _development_text(self.asked, self.development)
        if self.validation:
            yield _validation_text(self.asked, self.validation)
        if self.agreement:
            yield _agreement_text(self.asked, self.agreement)
        yield PATIENTS


DEVELOPMENT: Mapping[str, str] = {
    "shrinkage": "so that coefficients hardly need to shrink",
    "optimism": "so that R2 is hardly too good",
    "overall risk": "so that the overall risk is known within 0.05",
}
"""What each of Riley's criteria is for."""

PATIENTS = (
    "The numbers are of cases of different patients. Where patients have several cases, multiply "
    "by the design effect 1 + (m - 1) r, for m cases per patient of which the errors correlate by "
    "r; add what will be excluded or cannot be measured."
)


def sizes(asked: SizeChoices) -> Sizes:
    """How many cases a study needs of which this is expected.

    Raises
    ------
    DataError
        Nothing is asked for, something that is needed for it is missing, or a number is out of
        its range.

    >>> found = sizes(SizeChoices(prevalence=0.5, auc=0.85, parameters=10, icc=0.8))
    >>> found.development.n, found.validation.n, found.agreement
    (385, 1598, 55)
    """
    _check(asked)
    development = validation = None
    if asked.prevalence is not None and asked.auc is not None:
        expected = ExpectedModel.binormal(asked.prevalence, asked.auc, asked.threshold)
        validation = validation_size(expected, asked.widths)
        if asked.parameters is not None:
            r2 = r2_of_c_statistic(asked.auc, asked.prevalence)
            development = minimum_sample_size(
                asked.parameters, asked.prevalence, r2, asked.shrinkage
            )
    agreement = None
    if asked.icc is not None:
        agreement = cases_for_icc(asked.icc, asked.readers, asked.icc_width)
    return Sizes(asked, development, validation, agreement)


def _check(asked: SizeChoices) -> None:
    if (asked.prevalence is None) != (asked.auc is None):
        raise DataError(
            "The size for a model follows from --prevalence and --auc together.",
            remedy="Give both: the share of the positive outcome, and the AUC that is expected.",
            code="no-assumption",
        )
    if asked.parameters is not None and asked.auc is None:
        raise DataError("--parameters needs --prevalence and --auc.", code="no-assumption")
    if asked.auc is None and asked.icc is None:
        raise DataError(
            "Nothing is asked for.",
            remedy="Give --prevalence and --auc for a model, --icc for readers.",
            code="no-assumption",
        )


@as_json.register
def _(found: Sizes) -> dict[str, Any]:
    """With the sizes that follow from the criteria, and the text."""
    parts = {"development": found.development, "validation": found.validation}
    needed = {
        name: part and {"n": part.n, "events": part.events, **fields_of(part)}
        for name, part in parts.items()
    }
    return fields_of(found) | needed | {"text": list(found.text())}


def _assumed(asked: SizeChoices) -> str:
    return (
        f"an AUC of {number(asked.auc or 0)} and a share of {percent(asked.prevalence or 0)} with "
        "the positive outcome"
    )


def _development_text(asked: SizeChoices, needed: SampleSize) -> str:
    candidates = counted(needed.parameters, "candidate parameter")
    asks = ", ".join(f"{k.name} {k.n}" for k in needed.criteria)
    return (
        f"The development of a prediction model with {candidates} needs at least {needed.n} cases, "
        f"{ceil(needed.events)} of them with the positive outcome "
        f"({fixed(needed.events_per_parameter, 1)} for each parameter). The criteria of Riley et "
        "al. (Stat Med 2019;38:1276-1296; BMJ 2020;368:m441) were applied to an expected "
        f"shrinkage of at least {number(asked.shrinkage)}, an optimism of Nagelkerke's R2 of at "
        f"most 0.05 and an overall risk known within 0.05, with a Cox-Snell R2 of "
        f"{fixed(needed.r2)}, which follows from {_assumed(asked)} (Riley et al., Stat Med "
        f"2021;40:859-864). They ask for: {asks}. Every feature that is tried counts as a "
        "parameter; penalisation and nested validation soften this, they do not undo it."
    )


def _validation_text(asked: SizeChoices, needed: ValidationSize) -> str:
    asks = "; ".join(f"{k.measure} within {number(k.width)}: {k.n}" for k in needed.criteria)
    at = ""
    if any(k.measure == BENEFIT for k in needed.criteria):
        at = f" Net benefit is taken at a threshold of {number(asked.threshold or 0)}."
    return (
        f"The validation of the model on other patients needs at least {needed.n} cases, "
        f"{ceil(needed.events)} of them with the positive outcome (Riley et al., Stat Med "
        f"2021;40:4230-4251), for {_assumed(asked)}, calibrated probabilities whose log-odds are "
        "normal in both outcomes, and 95 % confidence intervals of these widths: "
        f"{asks} cases.{at}"
    )


def _agreement_text(asked: SizeChoices, needed: int) -> str:
    return (
        f"The agreement of {asked.readers} readers needs {needed} cases read by each of them, for "
        f"a 95 % confidence interval {number(asked.icc_width)} wide of an intraclass correlation "
        f"coefficient of {number(asked.icc or 0)} (Bonett, Stat Med 2002;21:1331-1335)."
    )
