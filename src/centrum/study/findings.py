"""What was noticed while a study was measured: failures, findings, the measured sequences."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from centrum.cohort.case import EVERY

EVERY_CASE = EVERY
"""Case of a finding that is about the study and not about one of its cases."""

SAME_IMAGE = "same-image"
"""Code of an image that is there twice; a warning where it is two patients'."""


@dataclass(frozen=True)
class Failure:
    """A case that could not be measured, and why.

    Attributes
    ----------
    case : its id
    message : what was wanted, what was found and what to do
    code : short name of the kind
    file : name of the file that it is about, "" where it is about none
    remedy : what to do, which also ends the message
    """

    case: str
    message: str
    code: str = "failed"
    file: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Finding:
    """What was noticed about one reader's mask of a case, without stopping it."""

    case: str
    reader: str
    severity: str
    code: str
    message: str
    file: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class MeasuredSequence:
    """An image column that was measured, and how far it is known to hold what is claimed.

    Attributes
    ----------
    name : of the column, "" where it has none of its own
    claimed : the weighting that it should hold, "" where none is claimed
    cases : that were analysed
    by_times, by_name : cases of them in which TR and TE, or else a name alone, tell the weighting
    """

    name: str
    claimed: str
    cases: int
    by_times: int
    by_name: int

    @property
    def unverified(self) -> int:
        """Cases in which nothing tells the weighting."""
        return self.cases - self.by_times - self.by_name


def by_kind(findings: Iterable[Finding]) -> tuple[tuple[Finding, int], ...]:
    """One finding of each kind, the first, and how many regions have it; see `alike`.

    >>> voxels = {"a": 9, "b": 8}
    >>> found = [Finding(c, "R1", "warning", "small", f"{n} voxels") for c, n in voxels.items()]
    >>> [(first.case, count) for first, count in by_kind(found)]
    [('a', 2)]
    """
    return tuple((kind[0], len(kind)) for kind in alike(findings))


def alike(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """Findings by kind, in the order of the first of each.

    Of one kind are those whose messages are one, or differ in case, file, numbers and quoted values
    only.
    """
    words: dict[str, str] = {}
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        told = words.setdefault(finding.message, _words(finding))
        kinds.setdefault((finding.severity, finding.code, told), []).append(finding)
    return tuple(map(tuple, kinds.values()))


def _words(finding: Finding) -> str:
    """The message without what is of one case."""
    words = finding.message
    for own in filter(None, (PurePath(finding.file).name, finding.case)):
        words = words.replace(own, "#")
    return re.sub(r"(column )?'[^']*'|[\d.]+", lambda m: m[0] if m[1] else "#", words)
