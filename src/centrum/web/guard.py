"""What every request passes before the room reads it, and what every answer carries.

A page of another site can make this browser send requests here, and a name of another site can be
made to lead here (DNS rebinding). SameSite cookies do not help between two ports of one machine,
which are one site, so Host, Origin and Sec-Fetch-Site are looked at. A body is measured before it
is read and its nesting counted before it is parsed.
"""

import asyncio
import json
import logging
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from centrum.web.address import Address
from centrum.web.refusals import Refused, refusal

LARGEST_BODY = 64 * 1024
"""Bytes of an edit: a slice of 2000 points takes 40 000."""

DEEPEST = 6
"""Levels of nesting; a polygon's points lie on the fifth."""

SLOWEST = 20.0
"""Seconds within which a body has to arrive."""

READING = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

POLICY = (
    "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'; object-src 'none'"
)
"""No inline script or style, nothing from elsewhere, in nobody's frame."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
"""Of every answer that does not say otherwise."""

_LOG = logging.getLogger("centrum.web")


class Guard:
    """Lets through what comes from the room's own pages, and is small and well formed."""

    def __init__(self, app: ASGIApp, address: Address) -> None:
        self.app = app
        self.address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        else:
            await self._answer(scope, receive, _Headed(send))

    async def _answer(self, scope: Scope, receive: Receive, send: "_Headed") -> None:
        try:
            headers = Headers(scope=scope)
            refuse_strangers(self.address, scope["method"], headers)
            if scope["method"] not in READING:
                receive = _again(await _body(headers, receive))
            await self.app(scope, receive, send)
        except Refused as refused:
            _LOG.warning("refused: %s", refused.code)
            await refused.answer()(scope, receive, send)
        except Exception as error:
            # The text and the traceback of an error can name a file, and with it a patient.
            _LOG.error("fault: %s", type(error).__name__)
            if send.begun:
                raise ConnectionError("an answer was broken off") from None
            await _fault()(scope, receive, send)


def _fault() -> Any:
    remedy = "Reload the page: what was saved is there."
    return refusal(500, "fault", "This is a fault of centrum.", remedy)


class _Headed:
    """Sends answers with the headers that all of them have."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            _complete(message)
        await self.send(message)


def _complete(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(raw=list(message.get("headers", [])))
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    message["headers"] = headers.raw


def refuse_strangers(address: Address, method: str, headers: Headers) -> None:
    """Let nothing through that does not come from the room's own pages.

    Raises
    ------
    Refused
        The Host is another's (421); a write does not come from an own page (403) or is no JSON,
        as that of a form would be (415); a page of another site reads (403).
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not address.knows(hosts[0]):
        raise Refused(421, "wrong-host", "The room is not at this address.", "Use its own link.")
    origins, fetched = headers.getlist("origin"), headers.get("sec-fetch-site", "same-origin")
    own = len(origins) == 1 and address.is_own(origins[0])
    if method not in READING:
        if not own or fetched != "same-origin":
            raise _foreign()
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, "not-json", "A write is JSON.", "Send it as application/json.")
    elif (origins and not own) or (fetched not in ("same-origin", "none") and not _enters(headers)):
        raise _foreign()


def _foreign() -> Refused:
    return Refused(403, "foreign-page", "The request is of another page.", "Use the room's own.")


def _enters(headers: Headers) -> bool:
    """Whether somebody follows a link to the room, as from a mail: another page reads nothing."""
    navigates = headers.get("sec-fetch-mode") == "navigate"
    return navigates and headers.get("sec-fetch-dest") == "document"


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The body of a write, which is small and JSON.

    Raises
    ------
    Refused
        It is too large (413), too slow (408), too deep or no JSON (422).
    """
    told = headers.get("content-length", "")
    if told.isdecimal() and int(told[:12]) > LARGEST_BODY:
        raise _too_large()
    try:
        async with asyncio.timeout(SLOWEST):
            body = await _received(receive)
    except TimeoutError:
        raise Refused(408, "too-slow", "The request did not arrive in time.") from None
    if body:
        refuse_malformed(body)
    return body


async def _received(receive: Receive) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "broken-off", "The request was broken off.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > LARGEST_BODY:
            raise _too_large()
    return b"".join(parts)


def _too_large() -> Refused:
    remedy = "Draw the slice with fewer points."
    # The rest of the body is not read, so that the connection cannot go on.
    headers = {"connection": "close"}
    message = f"A request has at most {LARGEST_BODY} bytes."
    return Refused(413, "too-large", message, remedy, headers)


def refuse_malformed(body: bytes) -> None:
    """Let JSON through that is nested at most `DEEPEST` levels and has finite numbers.

    Raises
    ------
    Refused
        It is not such.

    >>> refuse_malformed(b'{"points": [[1, 2.5]]}')
    >>> refuse_malformed(b'[[[[[[[1]]]]]]]')
    Traceback (most recent call last):
    ...
    centrum.web.refusals.Refused: JSON is nested at most 6 levels deep here.
    """
    if depth(body) > DEEPEST:
        raise Refused(422, "too-deep", f"JSON is nested at most {DEEPEST} levels deep here.")
    try:
        value = json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        raise Refused(422, "not-json", "The request is no JSON with finite numbers.") from None


def depth(body: bytes) -> int:
    r"""How deep brackets nest in JSON; those within strings do not count.

    >>> depth(b'{"a": [1, [2]]}'), depth(b'"[[[["'), depth(b'["\\"[[["]')
    (3, 0, 1)
    """
    deepest = level = 0
    in_text = escaped = False
    for sign in body:
        if in_text:
            in_text = escaped or sign != 0x22
            escaped = sign == 0x5C and not escaped
        elif sign == 0x22:
            in_text = True
        elif sign in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif sign in b"]}":
            level -= 1
    return deepest


def _no_number(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if abs(value) == float("inf"):
        raise ValueError(text)
    return value


def _again(body: bytes) -> Receive:
    """Gives a body that was read, once."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    gone = asyncio.Event()

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    return receive
