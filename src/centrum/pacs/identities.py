"""Whose the pseudonyms are: a file apart from the images, with a secret that all of them hang on.

The first line holds the secret, each further one a patient with his pseudonym, a study with what
the archive says of it and of its patient, or UIDs that were replaced. New UIDs and shifts of dates
are keyed digests (HMAC-SHA-256) of the old ones under the secret: they are the same each time
something is fetched, and without the file nobody can compute them. With it results find their way
back (`centrum.pacs.reidentify`). The file only grows.
"""

import hmac
import json
import os
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from centrum.errors import ArchiveError
from centrum.io.structured import parse_json, read_text
from centrum.pacs.profile import check_private

OWNER_ONLY = 0o600
LARGEST = 1 << 28
"""Bytes of the file; a UID has some 70."""

SHORTEST_SECRET = 64
"""Hexadecimal digits: 256 bits."""

EARLIEST, LATEST = 365, 3650
"""Days by which dates move into the past."""


@dataclass(frozen=True)
class KnownStudy:
    """A study as the archive has it.

    Attributes
    ----------
    patient : what tells the patient from others, on which the shift of dates hangs
    entries : of patient and study, in the JSON of DICOM (PS3.18, F.2)
    """

    patient: str
    entries: Mapping[str, Any]


class Identities:
    """The file of pseudonyms, which is begun where there is none.

    Parameters
    ----------
    begin : whether a file may be begun

    Raises
    ------
    ArchiveError
        Others can read it ("not-private"), it was changed ("damaged-identities"), or there is none
        and none is begun ("no-identities").
    """

    def __init__(self, path: Path, *, begin: bool = True) -> None:
        self._path = path
        self._lines: list[dict[str, Any]] = []
        self._size = 0
        self._uids: set[str] = set()
        if not path.exists():
            if not begin:
                raise _no_identities(path)
            _begin(path)
        check_private(path)
        self._read()
        self._secret = self._lines[0]["secret"]
        # What was given once stays, and is asked for again with each instance.
        self.uid = lru_cache(maxsize=1 << 16)(self._uid)
        self.pseudonym = lru_cache(maxsize=1 << 16)(self._pseudonym)

    def _pseudonym(self, patient: str) -> str:
        """The code of a patient, such as P0001; the same each time."""
        while True:
            known, taken = self._known()
            if patient in known:
                return known[patient]
            code = next(c for k in range(1, len(taken) + 2) if (c := f"P{k:04d}") not in taken)
            _append(self._path, {"patient": patient, "pseudonym": code})

    def _known(self) -> tuple[dict[str, str], dict[str, str]]:
        """Codes by patient, and patients by code: of two who took one at once, the first has it."""
        known: dict[str, str] = {}
        taken: dict[str, str] = {}
        self._read()
        for line in self._lines:
            patient, code = line.get("patient"), line.get("pseudonym")
            if patient and code and patient not in known and code not in taken:
                known[patient], taken[code] = code, patient
        return known, taken

    def _uid(self, uid: str) -> str:
        """The UID that takes the place of another. Source: DICOM PS3.5, B.2."""
        return f"2.25.{UUID(bytes=self._digest('uid', uid)[:16], version=4).int}"

    def keep(self, uids: Collection[str]) -> None:
        """Write down UIDs that are replaced, those that are not there yet."""
        if new := sorted(set(uids) - self._uids):
            _append(self._path, {"uids": new})
            self._uids.update(new)

    def keep_study(self, uid: str, study: KnownStudy) -> None:
        """Write down a study that is not there yet."""
        if self.study(uid) is None:
            _append(self._path, {"study": uid, "of": study.patient, "entries": study.entries})

    def study(self, uid: str) -> KnownStudy | None:
        """What was written down of a study, by the archive's UID."""
        self._read()
        found = (line for line in self._lines if line.get("study") == uid)
        return next((KnownStudy(line["of"], line["entries"]) for line in found), None)

    def originals(self) -> dict[str, str]:
        """The archive's UIDs by those that took their place."""
        self._read()
        return {self._uid(uid): uid for uid in self._uids}

    def shift(self, patient: str) -> timedelta:
        """How far the dates of a patient move; all by the same, so that their distances stay."""
        number = int.from_bytes(self._digest("shift", patient)[:8])
        return -timedelta(days=EARLIEST + number % (LATEST - EARLIEST + 1))

    def reader(self, name: str) -> str:
        """The code of whoever made something, such as a segmentation."""
        return f"R-{self._digest('reader', name).hex()[:6]}"

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(bytes.fromhex(self._secret), f"{purpose}\0{text}".encode(), sha256)

    def _read(self) -> None:
        """Take up what was added, by others too; what was there is not read again."""
        lines = self._added()
        rest = lines if self._lines else lines[1:]
        begun = self._lines or (lines and _is_secret(lines[0]))
        if not (begun and all(map(_is_known, rest))):
            raise ArchiveError(
                f"{self._path.name}: the first line of identities holds their secret, each other "
                "one a patient and a pseudonym, a study, or UIDs; something else was found.",
                remedy="Put the file back as it was written: without it nobody knows whose the "
                "pseudonyms are, and what is fetched again gets others.",
                code="damaged-identities",
                file=self._path,
            )
        self._lines += [line for line in lines if "uids" not in line]
        self._uids.update(uid for line in rest for uid in line.get("uids", ()))

    def _added(self) -> list[Any]:
        """The lines behind those that were read."""
        size = self._path.stat().st_size
        if self._size and size == self._size:
            return []
        text = self._behind() if self._size else read_text(self._path, ArchiveError, LARGEST)
        lines = [parse_json(t, self._path.name, ArchiveError) for t in text.splitlines() if t]
        shorter, self._size = size < self._size, size
        return [None] if shorter else lines

    def _behind(self) -> str:
        with self._path.open("rb") as stream:
            stream.seek(self._size)
            return stream.read(LARGEST).decode("utf-8", "replace")


def _is_secret(line: Any) -> bool:
    secret = line.get("secret") if isinstance(line, dict) else None
    if not isinstance(secret, str) or len(secret) < SHORTEST_SECRET:
        return False
    try:
        return bool(bytes.fromhex(secret))
    except ValueError:
        return False


_LINES: tuple[dict[str, type], ...] = (
    {"patient": str, "pseudonym": str},
    {"study": str, "of": str, "entries": dict},
    {"uids": list},
)
"""What a line holds, one of these."""


def _is_known(line: Any) -> bool:
    return isinstance(line, dict) and any(
        line.keys() == kinds.keys()
        and all(isinstance(line[key], kind) and line[key] for key, kind in kinds.items())
        and all(isinstance(uid, str) for uid in line.get("uids", ()))
        for kinds in _LINES
    )


def _no_identities(path: Path) -> ArchiveError:
    return ArchiveError(
        f"There is no {path.name}.",
        remedy="Give the file that the profile named as `identities` when the images were fetched.",
        code="no-identities",
        file=path,
    )


def _begin(path: Path) -> None:
    """A new file with a new secret; of two who begin it at once, one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    _append(beside, {"secret": secrets.token_hex(32)})
    try:
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()


def _append(path: Path, line: Mapping[str, Any]) -> None:
    """One write, which no other process can cut in two; on the disk before anything hangs on it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
    try:
        os.write(handle, (json.dumps(line) + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)
