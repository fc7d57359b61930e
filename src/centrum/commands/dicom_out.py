"""Objects for the archive of what `score` scored; imported only where they are wanted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from centrum.cohort.label_map import named_level
from centrum.cohort.withheld import withheld
from centrum.commands.pacs import sent_lines
from centrum.errors import DataError, describe, of_case
from centrum.execution import Progress, silent
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Patient, Score, as_written
from centrum.pacs.extra import highdicom
from centrum.pacs.objects import ScoredCase, write_objects
from centrum.pacs.profile import read_profile
from centrum.pacs.seg import SegmentationType
from centrum.pacs.send import Sent, send_files
from centrum.pacs.source import read_series
from centrum.report.overlay import RegionView
from centrum.text import counted

Scored = tuple[Patient, Score, RegionView | None]


@dataclass
class DicomOut:
    """Where objects go, and what became of them.

    Attributes
    ----------
    folder : made when the first is written
    kind : of the segmentations
    profile : of the archive to which they are sent, None for nowhere
    written : the files
    without : why a case has none, by case
    sent : what became of them on their way to the archive

    Raises
    ------
    DataError
        highdicom is not installed: better now than after the scoring.
    ArchiveError
        The profile cannot be used.
    """

    folder: Path
    kind: SegmentationType = "BINARY"
    profile: Path | None = None
    written: list[Path] = field(default_factory=list)
    without: dict[str, str] = field(default_factory=dict)
    sent: Sent | None = None

    def __post_init__(self) -> None:
        highdicom()
        self._archive = read_profile(self.profile) if self.profile else None

    def write(
        self,
        model: FrozenModel,
        patients: Sequence[Patient],
        scored: Sequence[tuple[Score, RegionView | None]],
    ) -> None:
        """Write the objects of all that have a score, and note why others have none."""
        series: dict[str, list[Scored]] = {}
        for patient, (score, view) in zip(patients, scored, strict=True):
            if score.refused:
                self.without[score.case] = "it was refused"
            else:
                series.setdefault(patient.image, []).append((patient, score, view))
        for image, found in series.items():
            self._write_series(model, image, found)

    def _write_series(self, model: FrozenModel, image: str, found: Sequence[Scored]) -> None:
        try:
            cases = [_case(model, *each) for each in found]
            self.written += write_objects(model, read_series(image), cases, self.folder, self.kind)
        except Exception as error:
            why = describe(of_case(error))
            for patient, score, _ in found:
                self.without[score.case] = withheld(why, patient.roles)

    def send(self, progress: Progress = silent) -> None:
        """Send what was written, if to an archive; what it has already is not sent again."""
        if self._archive and self.written:
            self.sent = send_files(self.written, self._archive, progress)

    @property
    def complete(self) -> bool:
        """Whether every case has its objects, and the archive has them."""
        return not self.without and (self.sent is None or self.sent.complete)

    def lines(self) -> Iterator[str]:
        """What was written and sent, and what was not, to print."""
        for case, why in self.without.items():
            yield f"{case}: no DICOM objects: {why}"
        yield f"{counted(len(self.written), 'DICOM object')} in {self.folder}"
        if self.sent:
            yield from sent_lines(self.sent)


def _case(
    model: FrozenModel, patient: Patient, score: Score, view: RegionView | None
) -> ScoredCase:
    if view is None:
        raise DataError("Its region cannot be drawn, and pages without it would mislead.")
    level = named_level(str(patient.known.get("level", "")), model.protocol.images.scheme)
    return ScoredCase(as_written(model, patient, score), view, level)
