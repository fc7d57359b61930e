"""Who is eligible: rules on the columns of the manifest, and the count of what they exclude."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from centrum.cohort.case import DESCRIPTORS, Case, Cohort
from centrum.cohort.columns import identifier
from centrum.cohort.expression import Row, columns, evaluate, parse
from centrum.errors import ProtocolError
from centrum.provenance import Step
from centrum.records import as_json
from centrum.text import OneLine


class EligibilityRule(BaseModel):
    """A criterion of inclusion (`require`) or exclusion (`exclude`).

    The expression compares columns of the manifest: case, patient, level, region, outcome,
    centre, age, sex and the covariates, each in lower case with `_` for blanks and
    punctuation. A case whose missing values leave the expression open is kept and counted
    as undecided; `missing(column)` asks for it.

    Attributes
    ----------
    name : how the flow of cases calls it
    exclude : cases for which this holds are left out
    require : cases for which this does not hold are left out
    group : the outcome whose cases the rule is about; all if None

    >>> EligibilityRule(name="adults", require="age >= 18").require
    'age >= 18'
    >>> EligibilityRule(name="no proof", exclude="biopsy != 'yes'", group="malignant").group
    'malignant'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str
    exclude: str | None = None
    require: str | None = None
    group: str | None = None

    @model_validator(mode="after")
    def _one_expression(self) -> "EligibilityRule":
        if (self.exclude is None) == (self.require is None):
            raise ValueError(f"rule {self.name!r} needs one of `exclude` and `require`")
        try:
            parse(self.expression)
        except ProtocolError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def expression(self) -> str:
        """The text of the condition."""
        return self.exclude or self.require or ""


@dataclass(frozen=True)
class CaseCounts:
    """Numbers of cases, of patients, and of cases per outcome."""

    cases: int
    patients: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class Exclusion:
    """What one rule did to the cases that the rules before it left.

    Attributes
    ----------
    rule : the rule
    excluded : cases that left; patients of whom no case is left
    cases : ids of the cases that left
    undecided : ids of the cases that stayed because a value is missing
    """

    rule: EligibilityRule
    excluded: CaseCounts
    cases: tuple[str, ...]
    undecided: tuple[str, ...]


@as_json.register
def _(exclusion: Exclusion) -> dict[str, Any]:
    undecided = exclusion.undecided
    return {
        "rule": exclusion.rule.model_dump(exclude_none=True),
        "excluded": {**as_json(exclusion.excluded), "ids": list(exclusion.cases)},
        "undecided": {"cases": len(undecided), "ids": list(undecided)},
    }


@dataclass(frozen=True, repr=False)
class Flow(OneLine):
    """From the cases of the manifest to the cases of the study (STROBE item 13).

    `start` minus the `excluded` of every rule is `end`, for cases, patients and outcomes.
    """

    start: CaseCounts
    exclusions: tuple[Exclusion, ...]
    end: CaseCounts


def apply_rules(
    cohort: Cohort, rules: Sequence[EligibilityRule], *, outcomes: Sequence[str] = ()
) -> tuple[Cohort, Flow]:
    """The eligible cases, and how many each rule took out; rules apply in their order.

    `outcomes` are the groups that a rule may be about and the order in which they are
    counted; those of the cohort if not given.

    Raises
    ------
    ProtocolError
        A rule names an unknown column or outcome, compares kinds that do not compare, or
        has the name of another rule.

    >>> cohort = Cohort((Case("a", "p", "malignant", age=70.0), Case("b", "q", "malignant")))
    >>> rule = EligibilityRule(name="age stated", exclude="missing(age)")
    >>> eligible, flow = apply_rules(cohort, [rule])
    >>> len(eligible), flow.exclusions[0].cases
    (1, ('b',))
    """
    outcomes = tuple(outcomes) or tuple(cohort.outcomes)
    _check_rules(cohort, rules, outcomes)
    rows = {case.id: _row(case) for case in cohort.cases}
    kept = list(cohort.cases)
    exclusions = []
    for rule in rules:
        kept, exclusion = _apply(rule, kept, rows, outcomes)
        exclusions.append(exclusion)
    flow = Flow(_tally(cohort.cases, outcomes), tuple(exclusions), _tally(kept, outcomes))
    return cohort.keep(kept, Step("apply eligibility rules", as_json(flow))), flow


def _apply(
    rule: EligibilityRule, cases: Sequence[Case], rows: Mapping[str, Row], outcomes: Sequence[str]
) -> tuple[list[Case], Exclusion]:
    tree, fatal = parse(rule.expression), rule.exclude is not None
    about = [case for case in cases if rule.group in (None, case.outcome)]
    try:
        truths = {case.id: evaluate(tree, rows[case.id]) for case in about}
    except ProtocolError as error:
        error.add_note(f"while applying the rule {rule.name!r}")
        raise
    kept = [case for case in cases if truths.get(case.id) is not fatal]
    before, after = _tally(cases, outcomes), _tally(kept, outcomes)
    excluded = CaseCounts(
        before.cases - after.cases,
        before.patients - after.patients,
        {name: n - after.outcomes[name] for name, n in before.outcomes.items()},
    )
    gone = tuple(name for name, truth in truths.items() if truth is fatal)
    undecided = tuple(name for name, truth in truths.items() if truth is None)
    return kept, Exclusion(rule, excluded, gone, undecided)


def _tally(cases: Sequence[Case], outcomes: Sequence[str]) -> CaseCounts:
    counts = {name: sum(case.outcome == name for case in cases) for name in outcomes}
    return CaseCounts(len(cases), len({case.patient for case in cases}), counts)


def _row(case: Case) -> Row:
    """The columns of a case by the names that rules use; the level as a Level."""
    named = {identifier(head): value for head, value in case.record().items()}
    return {"case": case.id, **named, "level": case.level}


def _check_rules(cohort: Cohort, rules: Sequence[EligibilityRule], outcomes: Sequence[str]) -> None:
    known = ["case", *DESCRIPTORS, *map(identifier, cohort.covariates)]
    names = [rule.name for rule in rules]
    for rule in rules:
        unknown = sorted(columns(parse(rule.expression)) - set(known))
        if unknown:
            raise ProtocolError(
                f"rule {rule.name!r} reads the column {', '.join(unknown)}, which the manifest "
                f"does not have. It has {', '.join(known)}."
            )
        if rule.group is not None and rule.group not in outcomes:
            raise ProtocolError(
                f"rule {rule.name!r} is about the group {rule.group!r}; the outcomes are "
                f"{', '.join(outcomes)}."
            )
        if names.count(rule.name) > 1:
            raise ProtocolError(f"two rules have the name {rule.name!r}; give each its own.")
