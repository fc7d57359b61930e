"""A limit on what an archive sends in one answer: bytes and time, counted where they arrive."""

from time import monotonic

from centrum.errors import ArchiveError
from centrum.pacs.profile import Limits


class Meter:
    """Counts bytes as they arrive.

    Whoever sets `error` ends the answer: nothing more of it is accepted.

    >>> meter = Meter(Limits(instance_bytes=10))
    >>> meter.count(10)
    >>> meter.count(1)
    Traceback (most recent call last):
    ...
    centrum.errors.ArchiveError: The archive sends more than 10 bytes in one answer. ...
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.error: Exception | None = None
        self.restart()

    def restart(self) -> None:
        """Begin again with the next answer."""
        self._left = self._limits.instance_bytes
        self._end = monotonic() + 60 * self._limits.minutes

    def count(self, n: int) -> None:
        """Take note of so many bytes.

        Raises
        ------
        ArchiveError
            They are too many ("too-large"), or the answer takes too long ("too-slow").
        Exception
            That which was set as `error`.
        """
        if self.error is not None:
            raise self.error
        self._left -= n
        if self._left < 0:
            raise ArchiveError(
                f"The archive sends more than {self._limits.instance_bytes} bytes in one answer.",
                remedy="It was cut off; if it is right, raise limits.instance_bytes.",
                code="too-large",
            )
        if monotonic() > self._end:
            raise ArchiveError(
                f"The archive takes more than {self._limits.minutes:g} minutes for one answer.",
                remedy="It was cut off; if it is right, raise limits.minutes.",
                code="too-slow",
            )
