"""Whose the pseudonyms are: a file apart from the images, with a secret that all of them hang on.

The first line holds the secret, each further one a patient with his pseudonym. New UIDs and shifts
of dates are keyed digests (HMAC-SHA-256) of the old ones under the secret: they are the same each
time something is fetched, and without the file nobody can compute them. The file only grows.
"""

import hmac
import json
import os
import secrets
from contextlib import suppress
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
LARGEST = 1 << 24
SHORTEST_SECRET = 64
"""Hexadecimal digits: 256 bits."""

EARLIEST, LATEST = 365, 3650
"""Days by which dates move into the past."""


class Identities:
    """The file of pseudonyms, which is begun where there is none.

    Raises
    ------
    ArchiveError
        Others can read it ("not-private"), or it was changed ("damaged-identities").
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            _begin(path)
        check_private(path)
        self._secret = self._lines()[0]["secret"]
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
        for line in self._lines()[1:]:
            patient, code = line["patient"], line["pseudonym"]
            if patient not in known and code not in taken:
                known[patient], taken[code] = code, patient
        return known, taken

    def _uid(self, uid: str) -> str:
        """The UID that takes the place of another. Source: DICOM PS3.5, B.2."""
        return f"2.25.{UUID(bytes=self._digest('uid', uid)[:16], version=4).int}"

    def shift(self, patient: str) -> timedelta:
        """How far the dates of a patient move; all by the same, so that their distances stay."""
        number = int.from_bytes(self._digest("shift", patient)[:8])
        return -timedelta(days=EARLIEST + number % (LATEST - EARLIEST + 1))

    def reader(self, name: str) -> str:
        """The code of whoever made something, such as a segmentation."""
        return f"R-{self._digest('reader', name).hex()[:6]}"

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(bytes.fromhex(self._secret), f"{purpose}\0{text}".encode(), sha256)

    def _lines(self) -> list[dict[str, Any]]:
        text = read_text(self._path, ArchiveError, LARGEST)
        lines = [parse_json(t, self._path.name, ArchiveError) for t in text.splitlines() if t]
        if not lines or not _is_secret(lines[0]) or not all(map(_is_patient, lines[1:])):
            raise ArchiveError(
                f"{self._path.name}: the first line of identities holds their secret, each other "
                "one a patient and a pseudonym; something else was found.",
                remedy="Put the file back as it was written: without it nobody knows whose the "
                "pseudonyms are, and what is fetched again gets others.",
                code="damaged-identities",
                file=self._path,
            )
        return lines


def _is_secret(line: Any) -> bool:
    secret = line.get("secret") if isinstance(line, dict) else None
    if not isinstance(secret, str) or len(secret) < SHORTEST_SECRET:
        return False
    try:
        return bool(bytes.fromhex(secret))
    except ValueError:
        return False


def _is_patient(line: Any) -> bool:
    told = [line.get(k) for k in ("patient", "pseudonym")] if isinstance(line, dict) else [None]
    return all(isinstance(text, str) and text for text in told)


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


def _append(path: Path, line: dict[str, str]) -> None:
    """One write, which no other process can cut in two; on the disk before anything hangs on it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
    try:
        os.write(handle, (json.dumps(line) + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)
