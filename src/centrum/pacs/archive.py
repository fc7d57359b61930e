"""What is asked of an archive, whichever language it speaks, and what it may answer.

An archive is not trusted: a UID is checked before it is used, all that it answers is counted, and
what was not asked for is refused.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from centrum.errors import ArchiveError
from centrum.pacs.profile import Profile

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64
_WILD = re.compile(r"[*?\\]")


@dataclass(frozen=True)
class Query:
    """Which series are looked for.

    Attributes
    ----------
    first, last : days of the study, both included; None leaves an end open
    modality : such as "MR"; "" for any
    description : pattern of the series description with * and ?, in any case; "" for any
    patients : Patient IDs; none for any
    """

    first: date | None = None
    last: date | None = None
    modality: str = ""
    description: str = ""
    patients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.first or self.last or self.patients):
            raise ArchiveError(
                "A search without days and patients would go through the whole archive.",
                remedy="Give --from and --to, or a file of --patients.",
                code="wide-search",
            )
        if any(not p or _WILD.search(p) for p in self.patients):
            raise ArchiveError(
                "A Patient ID is empty or holds one of * ? \\, which would find other patients.",
                remedy="Write one whole Patient ID on each line.",
                code="wide-search",
            )

    @property
    def days(self) -> str:
        """The days as DICOM writes a range; "" without."""
        ends = [day.strftime("%Y%m%d") if day else "" for day in (self.first, self.last)]
        return "-".join(ends) if any(ends) else ""

    def admits(self, study: "FoundStudy") -> bool:
        """Whether a study is one of those asked for: some archives pass over what they are asked.

        >>> from datetime import date
        >>> query = Query(first=date(2024, 5, 1))
        >>> [query.admits(FoundStudy("1.2", "7", day)) for day in ("20240501", "20240430", "")]
        [True, False, False]
        """
        first, last = (day.strftime("%Y%m%d") if day else "" for day in (self.first, self.last))
        in_time = not self.days or (bool(study.day) and first <= study.day <= (last or "9"))
        return in_time and (not self.patients or study.patient in self.patients)

    def admits_series(self, modality: str, description: str) -> bool:
        """Whether modality and description are those asked for."""
        pattern = self.description.casefold() or "*"
        return self.modality in ("", modality) and fnmatchcase(description.casefold(), pattern)


@dataclass(frozen=True)
class FoundStudy:
    """A study in the archive: its UID, whose it is, and its day as YYYYMMDD."""

    uid: str
    patient: str
    day: str


@dataclass(frozen=True)
class FoundSeries:
    """A series in the archive.

    Attributes
    ----------
    study, uid : Study and Series Instance UID
    modality, description : as the archive has them
    instances : how many it says to hold, 0 if it does not say it
    patient, day : Patient ID, and day of the study as YYYYMMDD
    """

    study: str
    uid: str
    modality: str = ""
    description: str = ""
    instances: int = 0
    patient: str = ""
    day: str = ""


@dataclass(frozen=True)
class Instance:
    """One object of a series: its UID, and that of its class."""

    uid: str
    sop_class: str


class Archive(Protocol):
    """What both languages can do."""

    def studies(self, query: Query) -> Iterator[FoundStudy]:
        """Studies that may be asked for; more than those, as it pleases the archive."""

    def series(self, study: FoundStudy) -> Iterator[FoundSeries]:
        """All series of a study."""

    def instances(self, study: str, series: str) -> Iterator[Instance]:
        """All instances of a series; none of a series that is not there."""

    def fetch(
        self, series: FoundSeries, wanted: Collection[Instance], take: Callable[[bytes], None]
    ) -> None:
        """Give `take` each of the instances, as the bytes of a file; `take` may raise."""

    def send(self, files: Sequence["ToSend"], sent: Callable[["ToSend", str], None]) -> None:
        """Send files, and tell of each why it was refused, "" where it arrived."""

    def close(self) -> None:
        """End what is open."""


@dataclass(frozen=True)
class ToSend:
    """A DICOM file to be sent, and the UIDs and transfer syntax that it has."""

    path: Path
    sop_class: str
    uid: str
    study: str
    series: str
    syntax: str


def is_uid(text: str) -> bool:
    """Whether a text is a UID. Source: DICOM PS3.5, 9.1.

    >>> is_uid("1.2.840"), is_uid("1..2"), is_uid("1.2/3")
    (True, False, False)
    """
    return len(text) <= _LONGEST_UID and bool(_UID.fullmatch(text))


def checked_uid(value: object) -> str:
    """A UID that the archive gave; it becomes part of an address, and of nothing else.

    Raises
    ------
    ArchiveError
        It is none ("strange-uid"), such as a path to another folder.

    >>> checked_uid("../../secret")
    Traceback (most recent call last):
    ...
    centrum.errors.ArchiveError: The archive names something by what is no UID. ...
    """
    text = str(value or "")
    if not is_uid(text):
        raise ArchiveError(
            "The archive names something by what is no UID.",
            remedy="Nothing of it is used; tell those who run the archive.",
            code="strange-uid",
        )
    return text


def find(archive: Archive, query: Query, profile: Profile) -> tuple[FoundSeries, ...]:
    """All series that a query asks for, by patient, day and description.

    Raises
    ------
    ArchiveError
        The archive cannot be reached, or holds more than the profile's limit ("too-many").
    """
    found: dict[str, FoundSeries] = {}
    for study in filter(query.admits, archive.studies(query)):
        for series in archive.series(study):
            if query.admits_series(series.modality, series.description):
                found[series.uid] = series
        check_number(len(found), profile.limits.series, "series")
    order = sorted(found.values(), key=lambda s: (s.patient, s.day, s.study, s.description, s.uid))
    return tuple(order)


def check_number(found: int, most: int, what: str) -> None:
    """Refuses more than a limit of the profile."""
    if found > most:
        raise ArchiveError(
            f"The archive answers with more than {most} {what}.",
            remedy=f"Narrow the search, or raise limits.{what} in the profile.",
            code="too-many",
        )


def text_of(value: object) -> str:
    """An entry of an answer as text on one line, whatever it holds."""
    return " ".join(str("" if value is None else value).split())


def number_of(value: object) -> int:
    """A count of an answer, 0 where it is none."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def by_series(files: Iterable[ToSend]) -> Mapping[tuple[str, str], list[ToSend]]:
    """Files by the UIDs of their study and series."""
    groups: dict[tuple[str, str], list[ToSend]] = {}
    for file in files:
        groups.setdefault((file.study, file.series), []).append(file)
    return groups


def unreachable(why: str) -> ArchiveError:
    """The error of an archive that does not answer, or no longer."""
    return ArchiveError(
        f"The archive does not answer ({why}).",
        remedy="See whether it runs and can be reached, and run the same command again: it goes on "
        "from what is done.",
        code="unreachable",
    )
