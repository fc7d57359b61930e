"""The room's HTTP: who asks, what is asked of the desk, and how its answer is sent.

Tokens that are unknown and those of another reader have the same answer. Nothing that a request
holds comes back in a refusal, and no sentence that could name a file.
"""

import re
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, Header, Path as InPath, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from isal import igzip
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from centrum.commands.read import (
    Desk,
    DigestDiffers,
    SlicesUnread,
    StaleRevision,
    UnknownTicket,
)
from centrum.commands.read_finished import (
    CONSENSUS,
    compared_pair,
    compared_pairs,
    compared_pixels,
    decide_pair,
)
from centrum.errors import CentrumError, DataError
from centrum.provenance import __version__, digest, file_digest
from centrum.web.address import Address
from centrum.web.auth import Door, Visit
from centrum.web.bodies import (
    DecideBody,
    EditBody,
    EnterBody,
    FillBody,
    FromBody,
    GrowBody,
    LevelBody,
    QualityBody,
    ReopenBody,
    StepBody,
    WireBody,
)
from centrum.web.guard import Guard
from centrum.web.refusals import Refused, not_found, refusal

HERE = Path(__file__).parent
STATIC, PAGE = HERE / "static", HERE / "templates" / "room.html"
LOOK = HERE.parent / "look"
"""What the page shares with those of the report."""

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}
"""Of the files that the page loads; no other file is given out."""

COMPRESSION = 1
"""Of pixels: on the loopback time counts more than size."""

MOST_SLICES = 4096


class Refusal(BaseModel):
    """Why a request was refused."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True, eq=False)
class Service:
    """What all answers are made of."""

    desk: Desk
    door: Door
    address: Address


def create_app(desk: Desk, door: Door, address: Address) -> FastAPI:
    """The room of a desk, on an address, behind a door."""
    app = FastAPI(
        title="centrum: the reading room", version=__version__, openapi_url="/api/openapi.json",
        docs_url=None, redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.service = Service(desk, door, address)
    app.include_router(_open_to_all)
    app.include_router(_room)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_form)
    app.add_exception_handler(CentrumError, _of_desk)
    app.add_middleware(Guard, address=address)
    return app


# Refusals


async def _of_http(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return not_found()
    return refusal(status, "not-so", "The room does not answer this.", "Reload the page.")


async def _of_form(_: Request, error: Exception) -> Response:
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    where = ".".join(_named(step) for step in errors[0]["loc"]) if errors else "request"
    return refusal(422, "not-so", f"{where} is not what it should be.", "Reload the page.")


def _named(step: object) -> str:
    """A step of the way to what is wrong; a key that somebody made up is not repeated."""
    return str(step) if re.fullmatch("[a-z_0-9-]{1,20}", str(step), re.IGNORECASE) else "..."


async def _of_desk(_: Request, error: Exception) -> Response:
    if isinstance(error, Refused):
        return error.answer()
    if isinstance(error, UnknownTicket):
        return not_found()
    if isinstance(error, StaleRevision):
        return _refused(error, 409, state=as_sent(error.state))
    if isinstance(error, DigestDiffers):
        return _refused(error, 422, expected=error.expected)
    if isinstance(error, SlicesUnread):
        return _refused(error, 422, slices=list(error.slices))
    if isinstance(error, DataError) and not error.file and not hasattr(error, "__notes__"):
        return _refused(error, 503 if error.code == "not-saved" else 422)
    return refusal(
        422, "unreadable", "This case cannot be shown.",
        "Tell the study's lead: centrum check says what is wrong.",
    )  # fmt: skip


def _refused(error: CentrumError, status: int, **more: Any) -> Response:
    return refusal(status, error.code, error.message, error.remedy, **more)


# Who asks, and about which state


# These are coroutines, which FastAPI asks at once: others would each wait for a thread.


async def _service(request: Request) -> Service:
    return request.app.state.service


Served = Annotated[Service, Depends(_service)]


async def _cookie(request: Request, service: Served) -> str:
    return request.cookies.get(service.address.cookie, "")


Cookie = Annotated[str, Depends(_cookie)]


async def _visitor(service: Served, cookie: Cookie) -> Visit:
    return service.door.acts(cookie)


async def _reader(visit: Annotated[Visit, Depends(_visitor)]) -> str:
    """Whose cases are asked for; the lead draws nothing but what is adjudicated."""
    return CONSENSUS if visit.lead else visit.name


async def _no_lead(visit: Annotated[Visit, Depends(_visitor)]) -> str:
    if visit.lead:
        raise HTTPException(404)
    return visit.name


async def _lead(visit: Annotated[Visit, Depends(_visitor)]) -> str:
    if not visit.lead:
        raise HTTPException(404)
    return visit.name


Reader = Annotated[str, Depends(_reader)]
OwnReader = Annotated[str, Depends(_no_lead)]
Lead = Annotated[str, Depends(_lead)]
Token = Annotated[str, InPath(description="32 hex digits from the worklist")]
SliceNumber = Annotated[int, InPath(ge=0, lt=MOST_SLICES)]
SequenceName = Annotated[str, Query(max_length=64)]


class Asked(NamedTuple):
    """Who asks about which ticket; the desk says whether it is theirs."""

    desk: Desk
    reader: str
    token: str


async def _asked(token: Token, service: Served, reader: Reader) -> Asked:
    return Asked(service.desk, reader, token)


Own = Annotated[Asked, Depends(_asked)]


async def _revision(if_match: Annotated[str | None, Header()] = None) -> int:
    """The revision that a write is about.

    Raises
    ------
    Refused
        There is none (428), or it is no revision (422).
    """
    if if_match is None:
        raise Refused(428, "no-revision", "A write says which state it is about: If-Match.")
    if not re.fullmatch('"[0-9]{1,9}"', if_match):
        raise Refused(422, "not-so", "If-Match is a whole number in quotation marks.")
    return int(if_match[1:-1])


Revision = Annotated[int, Depends(_revision)]


# What is sent


def _sent(body: BaseModel) -> dict[str, Any]:
    """A request as the desk reads it: what was left out stays out."""
    return body.model_dump(exclude_unset=True, by_alias=True)


def as_sent(value: Any) -> Any:
    """An answer of the desk as JSON holds it."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _written(answer: Any) -> Response:
    """The answer to a write, with the revision that the next one builds on."""
    told = as_sent(answer)
    return JSONResponse(told, headers={"etag": f'"{told["revision"]}"'})


_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": why}
    for status, why in {
        401: "nobody entered, or the screen is locked",
        403: "the request is of another page",
        404: "it is not there, or not theirs",
        409: "there is a newer state, `state`",
        413: "the body is too large",
        415: "the body is no JSON",
        421: "the Host is another's",
        422: "it is not what it should be",
        428: "If-Match is missing",
        429: "there were too many wrong PINs",
        503: "the disk takes no more: it can be sent again",
    }.items()
}

_open_to_all = APIRouter(responses=_REFUSALS)
_room = APIRouter(prefix="/api", responses=_REFUSALS)


# The page


@_open_to_all.get("/", response_class=HTMLResponse)
async def page() -> HTMLResponse:
    """The page, which holds nothing of the study."""
    return HTMLResponse(PAGE.read_text(encoding="utf-8").format(edition=static_edition()))


@cache
def _static_files() -> dict[str, Path]:
    """What may be loaded, by name: whatever else is asked for is not looked for on the disk."""
    return {
        path.relative_to(folder).as_posix(): path
        for folder in (LOOK, STATIC)
        for path in folder.rglob("*")
        if path.suffix in KINDS and path.is_file()
    }


@cache
def static_edition() -> str:
    """In the address of these files: a browser keeps them, and asks for others once they differ."""
    return digest({name: file_digest(path) for name, path in _static_files().items()})[:16]


@_open_to_all.get("/static/{edition}/{name:path}")
async def static(edition: str, name: str) -> Response:
    """A file that the page loads."""
    path = _static_files().get(name)
    if path is None or edition != static_edition():
        return not_found()
    headers = {"cache-control": "max-age=31536000, immutable", "content-type": KINDS[path.suffix]}
    return Response(path.read_bytes(), headers=headers)


@_open_to_all.post("/enter")
def enter(body: EnterBody, service: Served) -> Response:
    """Enter by a one-time link, or by name and PIN."""
    door, address = service.door, service.address
    if body.link is not None:
        cookie = door.enter_by_link(body.link)
    elif body.reader is not None and body.pin is not None:
        cookie = door.enter_by_pin(body.reader, body.pin)
    else:
        raise Refused(422, "not-so", "Enter by a link, or by name and PIN.")
    answer = JSONResponse(_me(service, cookie))
    answer.set_cookie(
        address.cookie, cookie, httponly=True, samesite="strict", secure=address.tls, path="/"
    )
    return answer


def _me(service: Service, cookie: str) -> dict[str, Any]:
    """Who is there.

    Raises
    ------
    Refused
        Nobody is (401).
    """
    visit = service.door.visit(cookie)
    if visit is None:
        raise Refused(401, "enter-first", "Nobody has entered.", "Use your link or PIN.")
    return {
        "reader": visit.name,
        "lead": visit.lead,
        "locked": visit.locked,
        "pin": service.door.has_pin(visit.name),
        "idle_minutes": service.door.idle_seconds / 60,
    }


@_room.get("/me")
async def me(service: Served, cookie: Cookie) -> Response:
    """Who entered, and whether the screen is locked; asking is no act that keeps it open."""
    return JSONResponse(_me(service, cookie))


@_room.post("/lock")
async def lock(service: Served, cookie: Cookie) -> Response:
    """Lock the screen at once."""
    service.door.lock(cookie)
    return JSONResponse(_me(service, cookie))


@_room.post("/leave")
async def leave(service: Served, cookie: Cookie) -> Response:
    """End the visit."""
    service.door.leave(cookie)
    answer = JSONResponse({})
    secure = service.address.tls
    answer.delete_cookie(service.address.cookie, httponly=True, samesite="strict", secure=secure)
    return answer


# A reader's own work


@_room.get("/worklist")
def worklist(service: Served, reader: OwnReader) -> Response:
    """One's own cases, in their order."""
    return JSONResponse([as_sent(entry) for entry in service.desk.worklist(reader)])


@_room.get("/t/{token}")
def case(own: Own) -> Response:
    """Size, spacing, windows, instructions and one's own state of a case."""
    return JSONResponse(as_sent(own.desk.open(own.reader, own.token)))


@_room.get(
    "/t/{token}/pixels",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def pixels(own: Own, request: Request, sequence: SequenceName | None = None) -> Response:
    """All slices, int16 little-endian [slice, row, column]; `scale` makes them intensities."""
    return _pixels(request, own.desk.pixels(own.reader, own.token, sequence))


def _pixels(request: Request, data: bytes) -> Response:
    headers = {"vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        data = igzip.compress(data, COMPRESSION, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(data, media_type="application/octet-stream", headers=headers)


@_room.put("/t/{token}/slice/{k}")
def edit(own: Own, k: SliceNumber, body: EditBody, revision: Revision) -> Response:
    """Record one edit of one slice; answered once it is on the disk."""
    return _written(own.desk.edit(own.reader, own.token, k, _sent(body), revision))


@_room.post("/t/{token}/slice/{k}/suggest")
def suggest(own: Own, k: SliceNumber, body: WireBody | GrowBody) -> Response:
    """What a live wire or GrowCut offers on a slice; nothing is stored."""
    return JSONResponse(as_sent(own.desk.suggest(own.reader, own.token, k, _sent(body))))


@_room.post("/t/{token}/between")
def between(own: Own, body: FromBody) -> Response:
    """Preview of all undrawn slices between drawn ones; nothing is stored."""
    return JSONResponse(as_sent(own.desk.between(own.reader, own.token, body.slices)))


@_room.put("/t/{token}/between")
def fill(own: Own, body: FillBody, revision: Revision) -> Response:
    """Accept a preview: one step, which is computed again and compared."""
    return _written(own.desk.fill(own.reader, own.token, _sent(body), revision))


@_room.post("/t/{token}/undo")
def undo(own: Own, body: StepBody, revision: Revision) -> Response:
    """Take the last step back."""
    return _written(own.desk.undo(own.reader, own.token, body.id, revision, body.seconds))


@_room.post("/t/{token}/redo")
def redo(own: Own, body: StepBody, revision: Revision) -> Response:
    """Bring the last step back that was taken back."""
    return _written(own.desk.redo(own.reader, own.token, body.id, revision, body.seconds))


@_room.put("/t/{token}/level")
def level(own: Own, body: LevelBody, revision: Revision) -> Response:
    """Say where the vertebra is."""
    return _written(own.desk.level(own.reader, own.token, _sent(body), revision))


@_room.put("/t/{token}/quality")
def quality(own: Own, body: QualityBody, revision: Revision) -> Response:
    """Say what is wrong with the images."""
    return _written(own.desk.quality(own.reader, own.token, _sent(body), revision))


@_room.post("/t/{token}/submit")
def submit(own: Own, body: StepBody, revision: Revision) -> Response:
    """Sign a case; refused with the slices that nobody has looked at."""
    return _written(own.desk.submit(own.reader, own.token, _sent(body), revision))


@_room.post("/t/{token}/reopen")
def reopen(own: Own, body: ReopenBody) -> Response:
    """Open a signed case again, for a reason."""
    return _written(own.desk.reopen(own.reader, own.token, _sent(body)))


@_room.post("/t/{token}/proposal")
def proposal(own: Own, body: StepBody, revision: Revision) -> Response:
    """Begin with the proposal of another program, where the study allows it."""
    return _written(own.desk.use_proposal(own.reader, own.token, _sent(body), revision))


@_room.get("/t/{token}/training")
def training(own: Own) -> Response:
    """How a signed case of the practice agrees with the truth."""
    return JSONResponse(as_sent(own.desk.training_result(own.reader, own.token)))


@_room.get("/t/{token}/sequence")
def sequence(own: Own, name: SequenceName) -> Response:
    """Scale and windows of another sequence."""
    return JSONResponse(as_sent(own.desk.sequence_view(own.reader, own.token, name)))


# The study's lead


@_room.get("/progress")
def progress(service: Served, lead: Lead) -> Response:
    """How far each reader is: counts alone."""
    return JSONResponse(service.desk.progress())


@_room.get("/compare")
def compare(service: Served, lead: Lead) -> Response:
    """Cases that two have signed, by pairs of tokens; those that agree least first."""
    return JSONResponse(as_sent(compared_pairs(service.desk)))


@_room.get("/compare/{a}/{b}")
def compare_pair(a: Token, b: Token, service: Served, lead: Lead) -> Response:
    """One of them: runs of both on every slice that either has outlined."""
    return JSONResponse(as_sent(compared_pair(service.desk, a, b)))


@_room.get(
    "/compare/{a}/{b}/pixels",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def compare_pixels(a: Token, b: Token, request: Request, service: Served, lead: Lead) -> Response:
    """The image of one of them, as that of a case."""
    return _pixels(request, compared_pixels(service.desk, a, b))


@_room.post("/compare/{a}/{b}/decide")
def decide(a: Token, b: Token, body: DecideBody, service: Served, lead: Lead) -> Response:
    """Decide its consensus; unsigned, the lead goes on drawing it under the token that is told."""
    decided = decide_pair(service.desk, a, b, body.take, body.reason, sign=body.sign)
    return JSONResponse(as_sent(decided))
