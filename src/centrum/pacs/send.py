"""Send DICOM files to the archive: what it has already is not sent, and nothing is sent twice."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from centrum.errors import ArchiveError, describe
from centrum.execution import Progress, silent
from centrum.io.dicom_object import reading
from centrum.pacs.archive import Archive, ToSend, by_series, is_uid
from centrum.pacs.audit import audit_file, note, short_digest
from centrum.pacs.connect import open_archive
from centrum.pacs.identities import Identities
from centrum.pacs.profile import Profile
from centrum.provenance import file_digest

SENDING = "Sending files"
_PREAMBLE, _MAGIC = 128, b"DICM"
_NAMED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass
class Sent:
    """What became of files.

    Attributes
    ----------
    sent : the archive took them now
    held : the archive had them already
    refused : the reason for each that the archive did not take
    left : not sent, because the connection ended before
    problem : what ended it, "" where nothing did
    """

    sent: list[Path] = field(default_factory=list)
    held: list[Path] = field(default_factory=list)
    refused: dict[Path, str] = field(default_factory=dict)
    left: list[Path] = field(default_factory=list)
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether the archive has them all."""
        return not self.refused and not self.left and not self.problem


def send_files(
    paths: Iterable[Path],
    profile: Profile,
    progress: Progress = silent,
    identities: Path | None = None,
) -> Sent:
    """Send files, and all DICOM files of folders, to an archive; also told in the audit log.

    The same files sent again change nothing, and what a broken connection left is sent then.

    Parameters
    ----------
    identities : file under which the images were de-identified that the files are about: they are
        sent under the patient and the UIDs of the archive

    Raises
    ------
    ArchiveError
        A path is no DICOM file, or two files have one UID and differ; with `identities` also as
        `centrum.pacs.reidentify.restored`.
    """
    files = read_files(paths)
    if identities is None:
        return _send_all(files, profile, progress)
    from centrum.pacs.reidentify import restored

    known = Identities(identities, begin=False)
    with TemporaryDirectory(prefix="centrum-") as folder:
        ready = read_files(restored(files, known, Path(folder)))
        return _send_all(ready, profile, progress, identifiers="restored")


def _send_all(files: Sequence[ToSend], profile: Profile, progress: Progress, **more: str) -> Sent:
    outcome = Sent()
    try:
        with open_archive(profile) as archive:
            _send(archive, files, outcome, progress)
    except ArchiveError as error:
        outcome.problem = describe(error)
    told = {*outcome.sent, *outcome.held, *outcome.refused}
    outcome.left = [file.path for file in files if file.path not in told]
    _note(files, outcome, profile, more)
    return outcome


def _send(archive: Archive, files: Sequence[ToSend], outcome: Sent, progress: Progress) -> None:
    missing: list[ToSend] = []
    for (study, series), group in by_series(files).items():
        there = {instance.uid for instance in archive.instances(study, series)}
        outcome.held += [file.path for file in group if file.uid in there]
        missing += [file for file in group if file.uid not in there]

    def tell(file: ToSend, why: str) -> None:
        if why:
            outcome.refused[file.path] = why
        else:
            outcome.sent.append(file.path)
        done = len(outcome.sent) + len(outcome.refused) + len(outcome.held)
        progress(SENDING, done, len(files))

    progress(SENDING, len(outcome.held), len(files))
    archive.send(missing, tell)


def _note(
    files: Sequence[ToSend], outcome: Sent, profile: Profile, more: Mapping[str, str]
) -> None:
    kinds = ("sent", "held", "refused", "left")
    became = {path: kind for kind in kinds for path in getattr(outcome, kind)}
    for (_, series), group in by_series(files).items():
        counts = Counter(became[file.path] for file in group)
        result = "incomplete" if counts["refused"] or counts["left"] else "complete"
        told = {"archive": profile.name, "series": short_digest(series), "result": result}
        note(audit_file(profile.audit), "send", {**told, **more, **counts})


def read_files(paths: Iterable[Path]) -> list[ToSend]:
    """The DICOM files among paths and below folders, each UID once, series by series.

    Raises
    ------
    ArchiveError
        A path is no DICOM file ("no-dicom"), or two files have one UID and differ ("one-uid").
    """
    files: dict[str, ToSend] = {}
    for path in _files(paths):
        file = _read(path)
        first = files.setdefault(file.uid, file)
        if file_digest(first.path) != file_digest(path):
            raise ArchiveError(
                f"{first.path.name} and {path.name} have one SOP Instance UID and differ.",
                remedy="Send the right one alone.",
                code="one-uid",
                file=path,
            )
    return sorted(files.values(), key=lambda file: (file.study, file.series))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (p for p in sorted(path.rglob("*")) if p.is_file() and _is_dicom(p))
        elif path.is_file() and _is_dicom(path):
            yield path
        else:
            raise ArchiveError(
                f"{path.name} is no DICOM file and no folder of them.",
                remedy="Give DICOM files (part 10), such as those that a score writes.",
                code="no-dicom",
                file=path,
            )


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(_PREAMBLE)
        return stream.read(len(_MAGIC)) == _MAGIC


def _read(path: Path) -> ToSend:
    from pydicom import dcmread

    with reading(path):
        header = dcmread(path, stop_before_pixels=True, specific_tags=list(_NAMED))
        kind, uid, study, series = (str(header.get(keyword) or "") for keyword in _NAMED)
        syntax = str(header.file_meta.TransferSyntaxUID)
    if not all(map(is_uid, (kind, uid, study, series))):
        raise ArchiveError(
            f"{path.name} has no UID where one is wanted, in one of {', '.join(_NAMED)}.",
            remedy="Write it again; an archive would not know where it belongs.",
            code="no-dicom",
            file=path,
        )
    return ToSend(path, kind, uid, study, series, syntax)
