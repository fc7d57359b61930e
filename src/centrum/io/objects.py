"""Objects of object storage: what a URL names, and the requests that are made about it.

obstore asks (docs/decisions/0032). Credentials and the endpoint are those of its environment
variables and of the machine; no message repeats a bucket, a key or what a server answered, in which
both can stand.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from typing import Any
from urllib.parse import urlsplit

from centrum.errors import DataError, ProtocolError, StorageDown, StorageError
from centrum.io.loopback import is_loopback

SCHEME = "s3://"
"""How URLs begin that are read."""

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
"""Environment variables with the address of a storage that is not Amazon's; the first counts."""

PATIENCE = timedelta(minutes=1)
"""For how long a request is repeated that nobody answers."""

PART = 16 << 20
"""Bytes that are asked for at once, each time anew where a transfer is cut."""

TRIES = 3
"""How often a part is asked for whose transfer is cut; obstore goes on with it a few times, too."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_SAID = re.compile(r"<Code>(\w{1,60})</Code>")

_CUT = re.compile(r"IncompleteBody|kind: Body")
_SILENT = re.compile(r"kind: (Connect|Timeout|Interrupted|Request)|error sending request")
_MACHINE = "//169.254."
"""Where clouds tell machines their credentials, which is asked when the environment has none."""

_REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
            "RequestTimeTooSkewed")  # fmt: skip
"""Codes of S3 for credentials that are wrong for every object."""

_AGAIN = "and run the same command again: what was finished is kept."

_TOLD: dict[str, tuple[type[StorageError], str, str]] = {
    "changed-meanwhile": (
        StorageError,
        "{name} was changed while it was fetched.",
        "Wait until it is uploaded, and run the same command again.",
    ),
    "no-bucket": (
        StorageError,
        "There is no such bucket as that of {name}.",
        "Check the URL, AWS_ENDPOINT_URL and AWS_REGION.",
    ),
    "no-permission": (
        StorageError,
        "These credentials may not use {name}, or it is not there.",
        "Have reading and listing allowed (s3:GetObject, s3:ListBucket); for shards also writing "
        "and deleting (s3:PutObject, s3:DeleteObject).",
    ),
    "transfer-cut": (
        StorageError,
        "The transfer of {name} was cut off each time.",
        "Run the same command again.",
    ),
    "no-credentials": (
        StorageDown,
        "There are no credentials for the storage.",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public "
        "bucket.",
    ),
    "bad-credentials": (
        StorageDown,
        "The storage does not accept the credentials{said}.",
        f"Renew them (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), {_AGAIN}",
    ),
    "no-conditional-put": (
        StorageDown,
        "The storage cannot write an object only where there is none.",
        "Keep shards in a storage that knows If-None-Match and If-Match.",
    ),
    "storage-down": (
        StorageDown,
        "The storage cannot be reached, or does not answer{said}.",
        f"Look at the network and at AWS_ENDPOINT_URL, {_AGAIN}",
    ),
    "storage": (
        StorageError,
        "{name}: the storage does not do what was asked{said}.",
        "Check AWS_REGION and AWS_ENDPOINT_URL.",
    ),
}
"""What is said of what went wrong, and what to do."""


def is_url(source: object) -> bool:
    """Whether a source is a URL of any kind, and no path.

    >>> is_url("s3://exams/P001.nrrd"), is_url("exams/P001.nrrd"), is_url("C:/exams/P001.nrrd")
    (True, False, False)
    """
    return bool(_URL.match(str(source)))


@dataclass(frozen=True)
class ObjectUrl:
    """The place of an object, or of all objects whose keys begin so."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> "ObjectUrl":
        """What a URL names; a slash at the end makes no difference.

        Raises
        ------
        StorageError
            It is another kind of URL, holds what may be secret, or a key that cannot be named;
            code "bad-url". The URL is not repeated.

        >>> ObjectUrl.parse("s3://exams/A17/T2w.nrrd")
        ObjectUrl(bucket='exams', key='A17/T2w.nrrd')
        """
        bucket, _, key = text.removeprefix(SCHEME).partition("/")
        key = key.removesuffix("/")
        if fault := _fault(text, bucket, key):
            raise StorageError(
                f"A URL {fault}.",
                remedy=f"Write {SCHEME}BUCKET/KEY; credentials are read from the environment.",
                code="bad-url",
            )
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """What messages call it: the last part of the key."""
        return self.key.rpartition("/")[2]

    def beside(self, name: str) -> "ObjectUrl":
        """Another object of the same folder."""
        return ObjectUrl(self.bucket, f"{self.key.rpartition('/')[0]}/{name}".lstrip("/"))

    def within(self, name: str) -> "ObjectUrl":
        """An object below this place."""
        return ObjectUrl(self.bucket, f"{self.key}/{name}".lstrip("/"))


def _fault(text: str, bucket: str, key: str) -> str:
    """What is wrong with a URL, without repeating it."""
    if not text.startswith(SCHEME):
        return f"that begins with {text.partition('://')[0]}:// cannot be read"
    if not re.fullmatch(r"[A-Za-z0-9._-]+", bucket):
        return "names no bucket, or more than a bucket, such as a password, in its place"
    if "?" in key:
        return "has a question mark, behind which signatures stand"
    parts = key.split("/")
    if any(part in ("", ".", "..") or "\\" in part or not part.isprintable() for part in parts):
        return "names no object: its key is empty, or has an empty part, '..' or a backslash"
    return ""


@dataclass(frozen=True)
class StoredObject:
    """An object as it was when it was asked for: its version is that of its content."""

    url: ObjectUrl
    size: int
    version: str


def look(url: ObjectUrl) -> StoredObject | None:
    """The object at a place; None where there is none.

    Raises
    ------
    StorageError
        It may not be looked at.
    """
    with _explained(url), suppress(FileNotFoundError):
        return _stored(url, _obstore().head(_store(url.bucket), url.key))
    return None


def look_below(url: ObjectUrl) -> Iterator[StoredObject]:
    """All objects below a place, in the order of their keys.

    Raises
    ------
    StorageError
        They may not be listed, or there is no such bucket ("no-bucket").
    """
    with _explained(url):
        for chunk in _obstore().list(_store(url.bucket), url.key):
            for meta in chunk:
                yield _stored(ObjectUrl.parse(f"{SCHEME}{url.bucket}/{meta['path']}"), meta)


def _stored(url: ObjectUrl, meta: Any) -> StoredObject:
    if not meta["e_tag"]:
        raise StorageError(
            f"{url.name}: the storage does not tell versions of objects (ETag).",
            remedy="Choose another storage.",
            code="no-etag",
            file=url.name,
        )
    return StoredObject(url, meta["size"], meta["e_tag"])


def transfer(stored: StoredObject) -> Iterator[bytes]:
    """The bytes of an object as it was looked at, in parts.

    Raises
    ------
    StorageError
        It is no longer there, was changed since ("changed-meanwhile"), or its transfer was cut
        again and again ("transfer-cut").
    """
    for begin in range(0, stored.size, PART):
        try:
            yield _part(stored, begin, PART)
        except FileNotFoundError:
            raise missing(stored.url) from None


def _part(stored: StoredObject, begin: int, length: int) -> bytes:
    """Some bytes of an object as it was looked at, as far as it has them."""
    end = min(begin + length, stored.size)
    return _get(stored.url, {"range": (begin, end), "if_match": stored.version})[0]


class ObjectFile(RawIOBase):
    """An object as it was looked at, as a file of which only what is read is asked for.

    Reading raises FileNotFoundError where it is no longer there, and StorageError where it cannot
    be read or was changed since ("changed-meanwhile").
    """

    def __init__(self, stored: StoredObject) -> None:
        self._stored, self._place = stored, 0
        self._held, self._held_at = b"", 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a place, without asking for anything."""
        begin = {SEEK_SET: 0, SEEK_CUR: self._place, SEEK_END: self._stored.size}[whence]
        self._place = begin + offset
        return self._place

    def readinto(self, into: Any) -> int:
        """Fill `into` as far as there is anything left."""
        wanted = max(0, min(len(into), self._stored.size - self._place))
        begin = self._place - self._held_at
        if wanted and not 0 <= begin <= len(self._held) - wanted:
            self._held_at, begin = self._place, 0
            self._held = _part(self._stored, self._place, wanted)
        into[:wanted] = self._held[begin : begin + wanted]
        self._place += wanted
        return wanted


def read_object(url: ObjectUrl) -> tuple[bytes, str]:
    """Bytes and version of an object, by one request.

    Raises
    ------
    FileNotFoundError
        There is none.
    StorageError
        It cannot be read.
    """
    return _get(url, {})


def _get(url: ObjectUrl, options: Any) -> tuple[bytes, str]:
    """Bytes and version; asked for anew where the transfer is cut."""
    for left in reversed(range(TRIES)):
        try:
            with _explained(url):
                found = _obstore().get(_store(url.bucket), url.key, options=options)
                return bytes(found.bytes()), found.meta["e_tag"]
        except StorageError as error:
            if error.code != "transfer-cut" or not left:
                raise
    raise AssertionError("the last try returns or raises")


def create(url: ObjectUrl, content: bytes) -> bool:
    """Write an object where there is none; False where there is one already.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    return _put(url, content, "create")


def replace_object(url: ObjectUrl, content: bytes, version: str) -> bool:
    """Write an object in the place of that version; False where there is another by now.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    return _put(url, content, {"e_tag": version})


def _put(url: ObjectUrl, content: bytes, mode: Any) -> bool:
    exceptions = _obstore().exceptions
    with _explained(url):
        try:
            _obstore().put(_store(url.bucket), url.key, content, mode=mode)
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            return False
        return True


def remove(url: ObjectUrl) -> None:
    """Take an object away, if it is there.

    Raises
    ------
    StorageError
        It may not be taken away.
    """
    with _explained(url), suppress(FileNotFoundError):
        _obstore().delete(_store(url.bucket), url.key)


def missing(url: ObjectUrl) -> StorageError:
    """The error of an object that is not there."""
    return StorageError(
        f"There is no object {url.name!r} in its place.",
        remedy="Check the URL in the manifest.",
        code="missing-object",
        file=url.name,
    )


@contextmanager
def _explained(url: ObjectUrl) -> Iterator[None]:
    """Errors of obstore in our own words: what it says holds keys, and can hold a signature.

    That there is no object stays FileNotFoundError.
    """
    try:
        yield
    except (FileNotFoundError, _obstore().exceptions.BaseError) as error:
        code, said = _kind(error)
        if code == "missing-object":
            raise FileNotFoundError(url.name) from None
        wrong, message, remedy = _TOLD[code]
        told = message.format(name=url.name, said=f" ({said})" if said else "")
        file = url.name if wrong is StorageError else ""
        raise wrong(told, remedy=remedy, code=code, file=file) from None


def _kind(error: Exception) -> tuple[str, str]:
    """The code of what went wrong, and what the storage called it."""
    text = str(error)
    status, said = (found[1] if (found := p.search(text)) else "" for p in (_STATUS, _SAID))
    kinds = {
        "changed-meanwhile": type(error).__name__ == "PreconditionError",
        "no-credentials": _MACHINE in text,
        "no-bucket": said == "NoSuchBucket",
        "missing-object": isinstance(error, FileNotFoundError),
        "bad-credentials": said in _REFUSED,
        "no-permission": status in ("401", "403"),
        "transfer-cut": _CUT.search(text),
        "no-conditional-put": said == "NotImplemented",
        "storage-down": _SILENT.search(text) or status.startswith("5"),
        "storage": True,
    }
    return next(code for code, found in kinds.items() if found), said or status


def _endpoint() -> str:
    """Where requests go if not to Amazon.

    Raises
    ------
    ProtocolError
        It is not encrypted and leads beyond this machine; code "not-encrypted".
    """
    name = next((name for name in ENDPOINTS if os.environ.get(name)), "")
    address = os.environ.get(name, "")
    parts = urlsplit(address)
    if not address or parts.scheme == "https" or is_loopback(parts.hostname or ""):
        return address
    raise ProtocolError(
        f"{name}: the connection would not be encrypted, and images go over it.",
        remedy="Give an address that begins with https://; http:// is for this machine alone "
        "(127.0.0.1).",
        code="not-encrypted",
    )


@lru_cache
def _store(bucket: str) -> Any:
    from obstore.store import S3Store

    endpoint = _endpoint()
    return S3Store(
        bucket,
        config={"disable_bulk_delete": True, **({"endpoint": endpoint} if endpoint else {})},
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": "10s",
            "timeout": "120s",
        },
        retry_config={"retry_timeout": PATIENCE},
    )


def _obstore() -> Any:
    try:
        import obstore
        import obstore.exceptions
    except ImportError as error:
        raise DataError(
            "Object storage is reached by obstore, which is not installed.",
            remedy="Install it: pip install 'centrum[cloud]'.",
            code="missing-extra",
        ) from error
    return obstore
