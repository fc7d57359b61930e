"""What the desk refuses, and what it was asked before."""

from centrum.arrays import Flags
from centrum.errors import DataError
from centrum.reading.journal import Act
from centrum.reading.refusals import SlicesUnread, StaleRevision
from centrum.reading.shelf import CaseHistory, Done
from centrum.reading.state import CaseState
from centrum.reading.ticket import Ticket
from centrum.reading.views import state_view

NOT_MEASURABLE = "not_measurable"
"""Flag with which a case may be signed although slices are not drawn."""


def check_open(history: CaseHistory, revision: object) -> None:
    """Refuse what is about an older state, or about a case that is signed."""
    if type(revision) is not int or revision != history.revision:
        raise StaleRevision(state_view(history.state, history.revision))
    if history.state.signed:
        raise DataError("This case is signed.", remedy="Reopen it, and say why.", code="signed")


def done_before(
    history: CaseHistory,
    name: str,
    kind: Act,
    slices: tuple[int, ...] | None = None,
    after: tuple[str, ...] | None = None,
) -> Done | None:
    """What was done under a name, None for a new one.

    Raises
    ------
    DataError
        Something else was done under it; code "id-used".
    """
    done = history.done.get(name)
    if done is None:
        return None
    if done.kind != kind or slices not in (None, done.slices) or after not in (None, done.after):
        raise DataError(
            "Something else was sent under this id before.", remedy="Reload.", code="id-used"
        )
    return done


def signable(state: CaseState) -> Flags:
    """What was drawn, [slice, row, column], of a case that may be signed."""
    drawn = state.mask()
    if NOT_MEASURABLE in state.flags:
        return drawn
    if state.unread:
        raise SlicesUnread(state.unread)
    if not drawn.any():
        raise DataError(
            "No body was drawn.",
            remedy="Draw it, or set the flag `not measurable`.",
            code="nothing-drawn",
        )
    return drawn


def check_reopening(ticket: Ticket, state: CaseState, reason: str) -> None:
    """Refuse to take a signature back that is none, that is of a practice, or without a reason."""
    if not state.signed:
        raise DataError("This case is not signed.", code="not-signed")
    if ticket.training:
        raise DataError(
            "A practice whose truth was shown stays as it is.",
            remedy="Go on with the next one.",
            code="practised",
        )
    if not reason:
        raise DataError("Say why the case is reopened.", code="no-reason")


def level_first() -> DataError:
    """The level is not placed yet."""
    return DataError(
        "Place the level first.",
        remedy="Click on the body that is to be drawn, on a slice in its middle.",
        code="level-first",
    )


def not_allowed(what: str) -> DataError:
    """The study does without this."""
    return DataError(
        f"`{what}` is not among the tools of this study.",
        remedy="Use another tool.",
        code="not-allowed",
    )


def no_proposal() -> DataError:
    """There is nothing to take over."""
    return DataError("No outline is proposed for this case.", remedy="Draw it.", code="no-proposal")
