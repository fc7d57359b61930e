"""What the reading room refuses, by class, for those who answer differently to each."""

from typing import Any

from centrum.errors import DataError
from centrum.text import listed


class UnknownTicket(DataError):
    """There is no such ticket, or it is another reader's: one class and one text for both."""

    code = "no-ticket"

    def __init__(self) -> None:
        super().__init__("There is no such case.", remedy="Go back to the worklist.")


class StaleRevision(DataError):
    """What was sent is about an older state than the one that is kept; `state` is that one."""

    code = "stale"

    def __init__(self, state: Any) -> None:
        super().__init__(
            "This case was changed in another window.",
            remedy="Look at the newer state, and do it again.",
        )
        self.state = state


class DigestDiffers(DataError):
    """The pixels that the page computed are not those of the record; `expected` is its digest."""

    code = "digest"

    def __init__(self, expected: str) -> None:
        super().__init__(
            "The pixels of the outline are not those that the page shows.",
            remedy="Reload the page.",
        )
        self.expected = expected


class TooManyAttempts(DataError):
    """A PIN was wrong too often; `seconds` are to be waited."""

    code = "too-many-attempts"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "The PIN was wrong too often.",
            remedy=f"Try again in {max(1, round(seconds / 60))} minutes.",
        )
        self.seconds = seconds


class SlicesUnread(DataError):
    """A case cannot be signed yet; `slices` have neither an outline nor a word, from 0."""

    code = "slices-unread"

    def __init__(self, slices: tuple[int, ...]) -> None:
        numbers = listed([str(k + 1) for k in slices])
        noun = "slice" if len(slices) == 1 else "slices"
        super().__init__(
            f"Nothing is said of {noun} {numbers} yet.",
            remedy="Draw them, accept a fill, or mark them as without a body; or set the flag "
            "`not measurable`.",
        )
        self.slices = slices
