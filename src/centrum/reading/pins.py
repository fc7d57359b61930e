"""PINs of readers, `readings/pins.json`: salted and hard to try out, and few wrong ones in a row.

scrypt: RFC 7914. A wrong PIN and a reader who has none take the same time and get the same answer.
"""

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from centrum.cohort.readings import READINGS
from centrum.errors import DataError
from centrum.io.structured import read_json
from centrum.reading.refusals import TooManyAttempts
from centrum.reading.ticket import write_private

PINS = "pins.json"

SHORTEST, LONGEST = 6, 64
"""Characters of a PIN."""

MOST_WRONG = 5
"""Wrong PINs in a row after which a reader waits."""

WAIT_SECONDS = 15 * 60.0

COST, BLOCK, LANES = 2**14, 8, 1
"""N, r and p of scrypt: 16 MB and some 50 ms for each try."""


@dataclass(frozen=True)
class Pin:
    """What is kept of a PIN.

    Attributes
    ----------
    salt, hash : hexadecimal
    wrong : wrong ones in a row
    until : seconds since 1970 until which none is looked at
    """

    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    hash: str = ""
    wrong: int = 0
    until: float = 0.0

    def hashed(self, pin: str) -> str:
        """A PIN with the salt of this one."""
        salt = bytes.fromhex(self.salt)
        return hashlib.scrypt(pin.encode(), salt=salt, n=COST, r=BLOCK, p=LANES).hex()


_PINS = TypeAdapter(dict[str, Pin])


class Pins:
    """The PINs of a study.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     pins = Pins(Path(folder))
    ...     pins.set("anna", "271828")
    ...     pins.check("anna", "271828"), pins.check("anna", "314159"), pins.check("ben", "271828")
    (True, False, False)
    """

    def __init__(self, study: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = study / READINGS / PINS
        self._clock, self._lock = clock, threading.Lock()
        self._nobody = Pin()

    def has(self, reader: str) -> bool:
        """Whether a reader has a PIN."""
        return reader in self._read()

    def set(self, reader: str, pin: str) -> None:
        """Give a reader a PIN, in place of an older one.

        Raises
        ------
        DataError
            It is too short or too long; code "bad-pin".
        """
        if not SHORTEST <= len(pin) <= LONGEST:
            raise DataError(
                f"A PIN has {SHORTEST} to {LONGEST} characters.",
                remedy="Choose another.",
                code="bad-pin",
            )
        new = Pin()
        with self._lock:
            self._write({**self._read(), reader: replace(new, hash=new.hashed(pin))})

    def check(self, reader: str, pin: str) -> bool:
        """Whether it is the reader's PIN; wrong ones are counted, over restarts, too.

        Raises
        ------
        TooManyAttempts
            `MOST_WRONG` were wrong, and `WAIT_SECONDS` are not over.
        """
        with self._lock:
            pins = self._read()
            kept = pins.get(reader, self._nobody)
            if (left := kept.until - self._clock()) > 0:
                raise TooManyAttempts(left)
            tried = kept.hashed(pin[: LONGEST + 1])
            right = secrets.compare_digest(tried, kept.hash or "0" * len(tried))
            counted = self._counted(kept, right)
            if reader not in pins:
                self._nobody = counted
            elif counted != kept:
                self._write({**pins, reader: counted})
            return right

    def _counted(self, kept: Pin, right: bool) -> Pin:
        """After one more try."""
        if right:
            return replace(kept, wrong=0, until=0.0)
        if kept.wrong + 1 < MOST_WRONG:
            return replace(kept, wrong=kept.wrong + 1)
        return replace(kept, wrong=0, until=self._clock() + WAIT_SECONDS)

    def _read(self) -> dict[str, Pin]:
        if not self._path.exists():
            return {}
        try:
            return _PINS.validate_python(read_json(self._path, DataError))
        except ValidationError as error:
            raise DataError(
                f"{PINS} is not as it was written.",
                remedy="Take it away, and give every reader a PIN again.",
                code="bad-pins",
                file=self._path,
            ) from error

    def _write(self, pins: dict[str, Pin]) -> None:
        kept = {reader: asdict(pin) for reader, pin in pins.items()}
        write_private(self._path, json.dumps(kept, indent=1).encode())
