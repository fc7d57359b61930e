"""The audit log: what was fetched, sent and scored, a line of JSON each, and no patient.

Lines are only appended. A file that grows beyond `LARGEST` is kept beside the new one, `KEPT` of
them at most. Series and cases are named by digests: whoever knows a UID finds its lines, nobody
reads a UID out of them.
"""

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from centrum.provenance import digest

AUDIT = "CENTRUM_AUDIT"
"""Environment variable that names the file of all audit lines of this machine or user."""

LARGEST, KEPT = 10_000_000, 20
"""Bytes of a file, and how many older files are kept."""

DIGITS = 16
"""Of a digest: enough to tell all series of the world apart."""

OWNER_ONLY = 0o600


class _AuditFile(RotatingFileHandler):
    """A file that is private, and whose faults are nobody's to overlook."""

    def _open(self):  # type: ignore[no-untyped-def]
        return open(self.baseFilename, "a", encoding="utf-8", newline="\n", opener=_private)

    def handleError(self, record: logging.LogRecord) -> None:
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, OWNER_ONLY)


def short_digest(uid: str) -> str:
    """How a UID, or a case, is named where it must not stand.

    >>> short_digest("1.2.3")
    'e1719622d52dcc74'
    """
    return digest(uid)[:DIGITS]


def audit_file(other: Path | None = None) -> Path | None:
    """Where lines are written: as the environment says, or else `other`."""
    named = os.environ.get(AUDIT)
    return Path(named) if named else other


def note(path: Path | None, action: str, told: Mapping[str, object]) -> None:
    """Append what was done, with the time; without a file nothing is written.

    Raises
    ------
    OSError
        The line cannot be written.
    """
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "action": action, **told}
    file = _AuditFile(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
    try:
        file.emit(logging.makeLogRecord({"msg": json.dumps(line)}))
    finally:
        file.close()
