"""The verb `plan`: what a study has decided, written down before its outcomes are looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from centrum.study.plan import PLAN, AnalysisPlan, add_plan


@dataclass(frozen=True)
class Planned:
    """A plan, and whether it was written just now."""

    plan: AnalysisPlan
    new: bool

    @property
    def record(self) -> dict[str, Any]:
        """For scripts."""
        found = self.plan.model_dump(mode="json")
        return {"new": self.new, "digest": self.plan.digest, **found}

    def lines(self) -> Iterator[str]:
        """When it was written, whether in time, and the digest to register."""
        plan = self.plan
        written = "Written" if self.new else "Nothing has changed since the plan was written"
        day = f"{plan.written:%Y-%m-%d %H:%M %Z}"
        yield f"{written}, {PLAN}, {day}: {plan.primary} of {plan.cases} cases."
        if plan.after_outcomes:
            yield "AFTER THE OUTCOMES: results of a fit are there already; the report will say so."
        yield f"Digest to be registered (SHA-256): {plan.digest}"


def plan_study(folder: Path, *, primary: str, cases: int, basis: str = "") -> Planned:
    """Write down what the study has decided; errors as of `centrum.study.plan.add_plan`."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Planned(*add_plan(folder, primary=primary, cases=cases, basis=basis, now=now))
