"""The analysis plan of a study: what was decided, written down and dated before the outcomes.

`plan.json` lies beside `study.yaml` and is never changed, only added to: each plan holds the digest
of the one before it. The outcomes of the manifest are not looked at. A plan shows that the choices
were made then; that nobody knew the outcomes it cannot show, and a registry that dates its digest
is a better witness than a clock that can be set.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from centrum.cohort.columns import find_columns
from centrum.cohort.sheet import read_sheet
from centrum.errors import DataError, ManifestError
from centrum.io.structured import read_text
from centrum.protocol import Protocol, read_protocol
from centrum.protocol.unused import refuse_unused
from centrum.provenance import __version__, digest
from centrum.stages import RESULTS as LEFT
from centrum.store import write_atomically
from centrum.study.study import PROTOCOL, RESULTS, manifest_path

PLAN = "plan.json"
"""File of the plans, in the study's folder."""

PROSE = {"name", "description", "deviations"}
"""Texts of a protocol that decide nothing."""


class AnalysisPlan(BaseModel):
    """What was decided.

    Attributes
    ----------
    written : when, with the zone of the clock
    software : version of the package
    after_outcomes : whether results of a fit were there already
    primary : measure of the test cases that the study is judged by
    cases : how many are to be analysed
    basis : why so many
    listed : cases in the manifest then; None where there was none yet
    protocol : all choices that decide the results, the eligibility among them
    previous : digest of the plan before this one; "" of the first
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    written: datetime
    software: str
    after_outcomes: bool
    primary: str
    cases: int
    basis: str
    listed: int | None
    protocol: dict[str, Any]
    previous: str

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says."""
        return digest(self.model_dump(mode="json"))

    @property
    def decides(self) -> dict[str, Any]:
        """What another plan would have to change."""
        passing = {"written", "software", "after_outcomes", "listed", "previous"}
        return self.model_dump(mode="json", exclude=passing)


class _PlanFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    layout: Literal["centrum.plan/1"] = "centrum.plan/1"
    plans: tuple[AnalysisPlan, ...]
    last: str


def choices_of(protocol: Protocol) -> dict[str, Any]:
    """All choices of a protocol that decide results."""
    return protocol.model_dump(mode="json", exclude=PROSE)


def read_plans(folder: Path) -> tuple[AnalysisPlan, ...]:
    """The plans of a study, oldest first; none where there is no file.

    Raises
    ------
    DataError
        The file is no list of plans, or was changed after it was written ("changed-plan").
    """
    path = folder / PLAN
    if not path.is_file():
        return ()
    try:
        found = _PlanFile.model_validate_json(read_text(path, DataError))
    except ValidationError as error:
        raise _changed("cannot be read as a list of plans") from error
    before = ""
    for plan in found.plans:
        if plan.previous != before:
            raise _changed("holds a plan that does not follow the one before it")
        before = plan.digest
    if found.last != before:
        raise _changed("was changed after its last plan was written")
    return found.plans


def _changed(how: str) -> DataError:
    return DataError(
        f"{PLAN} {how}: it does not say any more what was planned.",
        remedy="Put the file back as it was, or take it away: the report then says that there is "
        "no plan.",
        code="changed-plan",
        file=PLAN,
    )


def add_plan(
    folder: Path, *, primary: str, cases: int, basis: str, now: datetime
) -> tuple[AnalysisPlan, bool]:
    """Write down the study as it is decided now: the plan, and whether it is new.

    Nothing is added where the last plan says the same.

    Raises
    ------
    ProtocolError
        There is no protocol, or something in it is wrong.
    DataError
        There is no such measure or number of cases; or as of `read_plans`.
    """
    from centrum.evaluate import MEASURES

    known = ("auc", *MEASURES)
    if primary not in known:
        raise DataError(
            f"There is no measure {primary!r}.", remedy=f"There are {', '.join(known)}."
        )
    if cases < 1:
        raise DataError(f"A plan is of 1 case or more, found {cases}.")
    protocol = read_protocol(folder / PROTOCOL)
    refuse_unused(protocol)
    plans = read_plans(folder)
    plan = AnalysisPlan(
        written=now, software=__version__, after_outcomes=_is_fitted(folder), primary=primary,
        cases=cases, basis=basis, listed=_listed(folder), protocol=choices_of(protocol),
        previous=plans[-1].digest if plans else "",
    )  # fmt: skip
    if plans and plans[-1].decides == plan.decides:
        return plans[-1], False
    record = _PlanFile(plans=(*plans, plan), last=plan.digest)
    write_atomically(folder / PLAN, (record.model_dump_json(indent=1) + "\n").encode())
    return plan, True


def leading(plans: Sequence[AnalysisPlan]) -> AnalysisPlan:
    """The plan that a run is held against: the last that was written before the outcomes.

    Where all were written after them it is the first.
    """
    before = [plan for plan in plans if not plan.after_outcomes]
    return before[-1] if before else plans[0]


def _is_fitted(folder: Path) -> bool:
    """Whether anything is there that only a fit leaves, which knows the outcomes."""
    known = (name for stage in ("fit", "internal", "evaluate", "freeze") for name in LEFT[stage])
    return any((folder / RESULTS / name).exists() for name in known)


def _listed(folder: Path) -> int | None:
    """How many cases the manifest has; of its columns that of the case alone is looked at."""
    try:
        path = manifest_path(folder)
    except ManifestError:
        return None
    sheet = read_sheet(path).only(_names_cases)
    return len({cell for cells in sheet.rows for cell in cells[1][:1] if cell})


def _names_cases(head: str) -> bool:
    return "case" in find_columns((head,)).fields
