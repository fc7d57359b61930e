"""Readings as one file: a backup of everything, and a signed archive with the audit trail.

Both are ZIP files whose list of digests is checked before anything is believed.
"""

import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from centrum.cohort.readings import READINGS
from centrum.commands.signing import (
    OWNER_ONLY,
    SIGNATURE,
    fingerprint,
    key_path,
    public_key,
    read_signature,
    signature_of,
    signer,
    signing_key,
)
from centrum.errors import DataError
from centrum.provenance import __version__, canonical_json
from centrum.reading.journal import read_journal
from centrum.reading.room import LEAD
from centrum.text import counted

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CONTENTS = "contents.json"
JOURNAL = "journal.jsonl"

BACKUP_FORMAT, EXPORT_FORMAT = "centrum readings backup 1", "centrum readings 1"

LARGEST_FILE = 1 << 30
"""Bytes of a file in an archive that is read."""

MOST_FILES = 200_000

NEVER = (".lock", ".writing")
"""Endings of files that mean nothing to anybody else."""

_SHARED = re.compile(
    rf"[^/]+/[^/]+/({re.escape(JOURNAL)}|signed\.json|[0-9a-f]{{32}}\.seg\.nrrd)|room\.yaml"
    rf"|{LEAD}/{re.escape(JOURNAL)}"
)
"""Files of readings that are exported: no PINs, no keys, no tickets, and no DICOM, which has the
patient's name."""

_DAMAGE = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError,
    ValueError,
)  # fmt: skip
"""What is raised for archives that are damaged, encrypted or of another method."""

_DATE = (1980, 1, 1, 0, 0, 0)
"""Of files in an archive: the same content makes the same bytes."""


@dataclass(frozen=True)
class Verified:
    """What a signed archive holds, once all of it was found to be as it was signed.

    Attributes
    ----------
    files, lines : how many, of journals
    fingerprint : of the public key, to be compared with what the lead says it is
    is_own : whether it was signed by the study that it was compared with; None without one
    utc : when it was signed, as it says
    """

    files: int
    lines: int
    fingerprint: str
    is_own: bool | None
    utc: str


def backup(study: Path, file: Path) -> int:
    """Everything in `readings/` as one ZIP file with digests, only for its owner; how many files.

    PINs, tickets and keys are in it.

    Raises
    ------
    DataError
        There is nothing yet, or the file exists.
    """
    found = dict(_readings(study))
    write_archive(file, {f"{READINGS}/{name}": path for name, path in found.items()}, BACKUP_FORMAT)
    return len(found)


def export(study: Path, file: Path, cases: Mapping[str, Mapping[str, str]]) -> str:
    """Journals, masks and records as one archive that is signed; the fingerprint of the key.

    `cases` are the codes of the cases by token, as they may be written.

    Raises
    ------
    DataError
        There is nothing yet, a journal's chain is broken, or the file exists.
    """
    found = {n: path for n, path in _readings(study) if _SHARED.fullmatch(n)}
    for path in found.values():
        if path.name == JOURNAL:
            for _ in read_journal(path):
                pass
    key = signing_key(study)
    listed = json.dumps(dict(cases), indent=0, sort_keys=True).encode()
    write_archive(file, {**found, "cases.json": listed}, EXPORT_FORMAT, key)
    return fingerprint(public_key(key))


def _readings(study: Path) -> Iterator[tuple[str, Path]]:
    """Files of readings by name; links are not followed out of it."""
    folder = study / READINGS
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not path.name.endswith(NEVER)
    ]
    if not found:
        raise DataError(
            f"{study.name} has no {READINGS} yet.",
            remedy="Open the room first: centrum read STUDY.",
            code="no-readings",
        )
    for path in found:
        yield path.relative_to(folder).as_posix(), path


def write_archive(
    file: Path,
    files: Mapping[str, Path | bytes],
    kind: str,
    key: "Ed25519PrivateKey | None" = None,
) -> None:
    """A ZIP file with a list of digests, signed where there is a key; it is read back.

    Raises
    ------
    DataError
        The file exists, or is not on the disk as it was written.
    """
    handle = _new(file)
    try:
        digests = {}
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            for name, content in sorted(files.items()):
                data = content if isinstance(content, bytes) else content.read_bytes()
                digests[name] = hashlib.sha256(data).hexdigest()
                _add(archive, name, data)
            told = {"format": kind, "version": __version__, "files": digests,
                    "utc": datetime.now(UTC).isoformat(timespec="seconds")}  # fmt: skip
            contents = canonical_json(told).encode()
            _add(archive, CONTENTS, contents)
            if key is not None:
                _add(archive, SIGNATURE, signature_of(key, contents))
        with ReadingsFile(file, kind) as back:
            back.check()
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _new(file: Path) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        raise DataError(
            f"{file.name} exists and is not overwritten.",
            remedy="Give another name.",
            code="file-exists",
            file=file,
        ) from None


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = OWNER_ONLY << 16
    archive.writestr(entry, data)


class ReadingsFile:
    """A ZIP file of readings that somebody else may have made.

    Raises
    ------
    DataError
        It is none, of another kind, or names files outside of itself ("bad-archive").
    """

    def __init__(self, file: Path, *kinds: str) -> None:
        self.name = file.name
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError):
            self._refuse("is no ZIP file")
        try:
            self.files = self._listed(kinds)
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> "ReadingsFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _listed(self, kinds: tuple[str, ...]) -> dict[str, str]:
        names = self._zip.namelist()
        if len(names) > MOST_FILES or len(set(names)) < len(names):
            self._refuse("holds files twice, or too many")
        if CONTENTS not in names:
            self._refuse(f"has no {CONTENTS}")
        self.contents = self._bytes(CONTENTS)
        try:
            told = json.loads(self.contents)
            kind, files, self.utc = told["format"], told["files"], str(told["utc"])
        except (ValueError, KeyError, TypeError, RecursionError):
            self._refuse(f"has a {CONTENTS} that cannot be read")
        if kind not in kinds:
            self._refuse(f"is no archive of this kind ({kinds[0]})")
        if not isinstance(files, dict) or {*files, CONTENTS} != {*names} - {SIGNATURE}:
            self._refuse("holds other files than it lists")
        for name in files:
            _refuse_leading_out(self, name)
        return files

    def _bytes(self, name: str) -> bytes:
        try:
            if self._zip.getinfo(name).file_size > LARGEST_FILE:
                self._refuse("holds a file that is too large")
            return self._zip.read(name)  # never more than the size that it announces
        except _DAMAGE:
            self._refuse("is damaged")

    def read(self, name: str) -> bytes:
        """A file, once its digest was found to be the listed one.

        Raises
        ------
        DataError
            It is not there, or not as it was written ("bad-archive").
        """
        data = self._bytes(name)
        if hashlib.sha256(data).hexdigest() != self.files.get(name):
            self._refuse("holds a file that is not as it was written")
        return data

    def check(self) -> None:
        """All files, as `read`."""
        for name in self.files:
            self.read(name)

    def signature(self) -> dict[str, bytes]:
        """Public key and signature, as they stand there.

        Raises
        ------
        DataError
            There is none ("bad-archive").
        """
        if SIGNATURE not in self._zip.namelist():
            self._refuse("is not signed")
        try:
            return read_signature(self._bytes(SIGNATURE))
        except ValueError:
            self._refuse(f"has a {SIGNATURE} that cannot be read")

    def _refuse(self, why: str) -> NoReturn:
        raise DataError(
            f"{self.name} {why}.",
            remedy="Ask for it again from where it comes.",
            code="bad-archive",
            file=self.name,
        )

    refuse = _refuse


def _refuse_leading_out(archive: ReadingsFile, name: str) -> None:
    parts = PurePosixPath(name).parts
    plain = name == "/".join(parts) and not re.search(r'[\\:*?"<>|\x00-\x1f]', name)
    if not plain or not parts or ".." in parts or name.startswith("/"):
        archive.refuse("names a file outside of itself")


def verify(file: Path, study: Path | None = None) -> Verified:
    """Check a signed archive: every digest, the chain of every journal, and the signature.

    The signature tells that nothing was changed since it was made, and the fingerprint of the key
    who made it: compare it with what the study's lead says, or give the study.

    Raises
    ------
    DataError
        Something is not as it was signed ("bad-archive", "bad-signature", "broken-chain").
    """
    with ReadingsFile(file, EXPORT_FORMAT) as archive:
        public = _checked_signature(archive)
        archive.check()
        journals = [name for name in archive.files if PurePosixPath(name).name == JOURNAL]
        lines = sum(count_lines(archive.read(name)) for name in journals)
        files, utc = len(archive.files), archive.utc
    own = None
    if study is not None:
        own = key_path(study).exists() and public_key(signing_key(study)) == public
    return Verified(files, lines, fingerprint(public), own, utc)


def _checked_signature(archive: ReadingsFile) -> bytes:
    told = archive.signature()
    try:
        return signer(told, archive.contents)
    except ValueError:
        raise DataError(
            f"{archive.name} is not as it was signed.",
            remedy="Ask for it again from where it comes, and believe nothing in it.",
            code="bad-signature",
            file=archive.name,
        ) from None


def count_lines(journal: bytes) -> int:
    """The lines of a journal whose chain is whole.

    Raises
    ------
    DataError
        It is broken ("broken-chain").
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, JOURNAL)
        path.write_bytes(journal)
        return sum(1 for _ in read_journal(path))


def verified_lines(found: Verified) -> Iterator[str]:
    """What was found, and what is left to be compared."""
    yield (
        f"All is as it was signed on {found.utc[:10]}: {counted(found.files, 'file')}, "
        f"{counted(found.lines, 'line')} of journals."
    )
    if found.is_own is None:
        yield f"Signed by {found.fingerprint}: compare it with what the study's lead says."
    elif found.is_own:
        yield "Signed by this study."
    else:
        yield f"Signed by {found.fingerprint}, which is not this study."
