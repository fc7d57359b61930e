"""How the room says no: a code, a sentence and what to do, and nothing of what was asked."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from centrum.errors import CentrumError
from centrum.text import legal

LONGEST = 400
"""Letters of a sentence that are sent."""


def refusal(
    status: int,
    code: str,
    message: str,
    remedy: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """The answer to a request that is refused.

    >>> refusal(404, "not-found", "There is nothing here.").body
    b'{"code":"not-found","message":"There is nothing here.","remedy":""}'
    """
    told = {"code": code, "message": legal(message)[:LONGEST], "remedy": legal(remedy)[:LONGEST]}
    return JSONResponse({**told, **more}, status, dict(headers or {}))


def not_found() -> JSONResponse:
    """For what is not there and for what is not theirs: nobody learns which."""
    return refusal(404, "not-found", "There is nothing here.", "Go back to the worklist.")


class Refused(CentrumError):
    """A request that is refused before anything is asked of the desk.

    Attributes
    ----------
    status : number of the HTTP answer
    headers : what the answer says beside
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.status = status
        self.headers = dict(headers or {})

    def answer(self) -> JSONResponse:
        """As it is sent."""
        return refusal(self.status, self.code, self.message, self.remedy, headers=self.headers)
