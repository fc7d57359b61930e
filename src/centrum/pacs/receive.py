"""Series of an archive in a folder, without the patient unless asked for otherwise.

Paths are digests of UIDs: of those that the objects have in the folder, so that nobody who knows
the archive's UIDs can tell one from its path. A file has its name once it is whole, and a file that
has its name is not fetched again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pydicom import Dataset

from centrum.errors import ArchiveError, CentrumError
from centrum.execution import Progress, silent
from centrum.io.dicom_object import reading
from centrum.pacs.archive import Archive, FoundSeries, Instance, check_number
from centrum.pacs.audit import short_digest
from centrum.pacs.deidentify import KINDS, Deidentified, may_be_drawn_on
from centrum.pacs.instance import read_instance
from centrum.pacs.profile import Limits
from centrum.store import tidy, write_atomically

FETCHING = "Fetching instances"
NAMED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")

_WHAT = Path("An object of the archive")


@dataclass
class Fetched:
    """What became of a series.

    Attributes
    ----------
    series : as it was found
    folder : below the folder of the study, by digests
    patient : pseudonym, "" where identifiers are kept
    new, kept : instances that arrived, and that were there already
    refused : number of instances by the reason why they are not fetched
    missing : instances that the archive announced and did not give
    flagged : instances of which nothing says that no text is drawn on them
    """

    series: FoundSeries
    folder: Path
    patient: str = ""
    new: int = 0
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    flagged: int = 0

    @property
    def complete(self) -> bool:
        """Whether every instance is there."""
        return not self.refused and not self.missing


@dataclass(frozen=True)
class Plan:
    """The instances of a series, and where each will be.

    Attributes
    ----------
    series : as it was found
    folder : of the series, below that of all
    places : instances by UID, and their files
    """

    series: FoundSeries
    folder: Path
    places: Mapping[str, tuple[Instance, Path]]

    def wanted(self) -> list[Instance]:
        """Those that are not there."""
        return [instance for instance, path in self.places.values() if not path.exists()]


def plan(
    archive: Archive,
    chosen: Iterable[FoundSeries],
    folder: Path,
    limits: Limits,
    cleaner: Deidentified | None,
) -> list[Plan]:
    """What would be fetched.

    Raises
    ------
    ArchiveError
        It is more than the limits allow.
    """
    renamed: Callable[[str], str] = cleaner.identities.uid if cleaner else str
    plans = [_plan_of(archive, series, folder, renamed) for series in chosen]
    check_number(sum(len(p.places) for p in plans), limits.instances, "instances")
    return plans


def _plan_of(
    archive: Archive, series: FoundSeries, folder: Path, renamed: Callable[[str], str]
) -> Plan:
    study, own = (short_digest(renamed(uid)) for uid in (series.study, series.uid))
    place = folder / study / own
    found = archive.instances(series.study, series.uid)
    places = {i.uid: (i, place / f"{short_digest(renamed(i.uid))}.dcm") for i in found}
    return Plan(series, Path(study, own), places)


def fetch(
    archive: Archive,
    plans: Sequence[Plan],
    folder: Path,
    limits: Limits,
    cleaner: Deidentified | None = None,
    progress: Progress = silent,
) -> Iterator[Fetched]:
    """Fetch what is planned, series by series.

    Raises
    ------
    ArchiveError
        The archive does not answer, or sends what was not asked for; what arrived before is kept.
    """
    if folder.exists():
        tidy(folder)
    total, left, done = sum(len(p.places) for p in plans), limits.bytes, 0
    for each in plans:
        wanted = each.wanted()
        done += len(each.places) - len(wanted)
        progress(FETCHING, done, total)
        receiver = _SeriesReceiver(each, cleaner, left, partial(_tell, progress, done, total))
        yield receiver.fetch(archive, wanted)
        done, left = done + len(wanted), receiver.left


def _tell(progress: Progress, before: int, total: int, new: int) -> None:
    progress(FETCHING, before + new, total)


class _SeriesReceiver:
    """Takes the instances of one series."""

    def __init__(
        self, plan: Plan, cleaner: Deidentified | None, left: int, told: Callable[[int], None]
    ) -> None:
        self.left = left
        self._plan, self._cleaner, self._told = plan, cleaner, told
        self._fetched = Fetched(plan.series, plan.folder)
        self._expected: dict[str, Path] = {}
        self._unread = 0

    def fetch(self, archive: Archive, wanted: Sequence[Instance]) -> Fetched:
        fetched = self._fetched
        fetched.kept = len(self._plan.places) - len(wanted)
        cleanable = [i for i in wanted if self._cleaner is None or i.sop_class in KINDS]
        if len(cleanable) < len(wanted):
            fetched.refused[_UNCLEAN_KIND] = len(wanted) - len(cleanable)
        self._expected = {i.uid: self._plan.places[i.uid][1] for i in cleanable}
        archive.fetch(self._plan.series, cleanable, self.take)
        fetched.missing = len(self._expected) - self._unread
        return fetched

    def take(self, data: bytes) -> None:
        """An instance that arrived; refused where it is not one of those asked for."""
        self.left -= len(data)
        if self.left < 0:
            raise ArchiveError(
                "The archive sends more bytes than are to be fetched at once.",
                remedy="Fetch fewer series, or raise limits.bytes in the profile; what arrived is "
                "kept.",
                code="too-large",
            )
        try:
            dataset = read_instance(data, _WHAT)
        except CentrumError as error:
            self._pass_over(error)
        else:
            self._keep(dataset, data, self._place(dataset))
        self._told(self._fetched.new)

    def _pass_over(self, error: CentrumError) -> None:
        """One that cannot be read is one of those that were asked for, as long as these last."""
        self._unread += 1
        if self._unread > len(self._expected):
            raise error
        self._fetched.refused[error.message] += 1

    def _place(self, dataset: Dataset) -> Path:
        named = [str(dataset.get(keyword)) for keyword in NAMED]
        series = self._plan.series
        path = self._expected.pop(named[2], None)
        if path is None or named[:2] != [series.study, series.uid]:
            raise ArchiveError(
                "The archive sends what was not asked for: an instance of another series, or one "
                "that was there already.",
                remedy="Nothing of it is kept; tell those who run the archive.",
                code="not-asked-for",
            )
        return path

    def _keep(self, dataset: Dataset, data: bytes, path: Path) -> None:
        fetched, flagged = self._fetched, may_be_drawn_on(dataset)
        if self._cleaner is not None:
            try:
                with reading(_WHAT):
                    data = self._cleaner.file(dataset)
            except CentrumError as error:
                fetched.refused[error.message] += 1
                return
            fetched.patient = str(dataset.PatientID)
        write_atomically(path, data)
        fetched.new += 1
        fetched.flagged += flagged


_UNCLEAN_KIND = (
    "An object is not fetched, because its kind can hold names as text or in its picture."
)
