"""How an archive is reached: a file that can be shown, and one of credentials that cannot.

Names and passwords stand in a file of their own that only its owner can read; neither they nor
anything about a patient is ever part of an address. What leaves this computer is encrypted, and
the archive shows a certificate that is checked, unless the profile says `insecure: true`.
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator

from centrum.errors import ArchiveError
from centrum.io.loopback import is_loopback
from centrum.io.structured import parse_yaml, read_text
from centrum.protocol.faults import faults_of
from centrum.settings import Settings

LARGEST = 1 << 16
"""Bytes of a profile or of credentials."""

OTHERS = 0o077
"""Rights of a file that anybody but its owner has."""

Name = Annotated[str, Field(pattern=r"^[\w.-]{1,40}$")]
Title = Annotated[str, Field(pattern=r"^[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,15})$")]
"""Of an application entity. Source: DICOM PS3.5, 6.2 (AE)."""

Port = Annotated[int, Field(ge=1, le=65535)]


class Certificates(Settings):
    """PEM files of an encrypted connection; without `ca` those that the system trusts."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _key_has_certificate(self) -> "Certificates":
        if self.key and not self.certificate:
            raise ValueError("`key` belongs to a `certificate`, and none is given")
        return self


class Web(Settings):
    """An archive that speaks DICOMweb (PS3.18): the address below which `studies` lies."""

    url: str
    tls: Certificates = Certificates()

    @model_validator(mode="after")
    def _plain_address(self) -> "Web":
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address begins with https:// and the name of a computer")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(
                "the address holds neither a name and password nor anything behind a question mark"
            )
        return self


class Move(Settings):
    """Where this computer listens, for an archive that only sends to titles that it knows.

    It listens as long as something is fetched.
    """

    port: Port
    address: str = "127.0.0.1"


class Dimse(Settings):
    """An archive that speaks DIMSE (PS3.7): C-FIND, C-STORE, and C-GET or, if told so, C-MOVE."""

    host: str
    port: Port
    called: Title
    calling: Title = "CENTRUM"
    tls: Certificates | Literal[False] = Certificates()
    move: Move | None = None

    @model_validator(mode="after")
    def _listens_with_certificate(self) -> "Dimse":
        if self.move and self.tls and not self.tls.certificate:
            raise ValueError("whoever listens (`move`) shows a `certificate`, and none is given")
        return self


class Limits(Settings):
    """Of what an archive may answer; more is refused.

    Attributes
    ----------
    series : that a search finds
    instances : of all series that are fetched at once
    bytes : of all that is fetched at once
    instance_bytes : of one instance, or of another single answer
    seconds : of silence
    minutes : for one answer
    """

    series: int = Field(5_000, ge=1, le=50_000)
    instances: int = Field(50_000, ge=1, le=10_000_000)
    bytes: int = Field(50_000_000_000, ge=1, le=10**14)
    instance_bytes: int = Field(1_000_000_000, ge=1, le=4_000_000_000)
    seconds: float = Field(30, gt=0, le=3600)
    minutes: float = Field(60, gt=0, le=1440)


class Profile(Settings):
    """An archive, by one of the two languages that it speaks.

    Attributes
    ----------
    name : what it is called in messages and in the audit log
    credentials : file with `username` and `password`, or with `token`
    identities : file that tells whose the pseudonyms are; see `centrum.pacs.identities`
    audit : file of what was fetched and sent
    insecure : whether what leaves this computer may be read on its way
    """

    name: Name
    web: Web | None = None
    dimse: Dimse | None = None
    credentials: Path | None = None
    identities: Path = Path("identities.jsonl")
    audit: Path = Path("audit.jsonl")
    insecure: bool = False
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _one_language(self) -> "Profile":
        if (self.web is None) == (self.dimse is None):
            raise ValueError("one of `web` and `dimse` is wanted")
        if self.dimse and self.credentials:
            raise ValueError("`credentials` are for `web`; DIMSE knows titles and certificates")
        hosts, secret = _reached(self)
        if not secret and not self.insecure and not all(map(is_loopback, hosts)):
            raise ValueError(
                "the connection would not be encrypted: patients could be read on the way. Use "
                "https, or `tls`; or write `insecure: true` if the network itself is trusted"
            )
        return self


def _reached(profile: Profile) -> tuple[list[str], bool]:
    """The computers and addresses that a profile names, and whether the way is encrypted."""
    if profile.web:
        parts = urlsplit(profile.web.url)
        return [parts.hostname or ""], parts.scheme == "https"
    assert profile.dimse is not None
    move = [profile.dimse.move.address] if profile.dimse.move else []
    return [profile.dimse.host, *move], profile.dimse.tls is not False


class Credentials(Settings):
    """Who asks: a name with its password, or a token. Neither is shown when printed."""

    username: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _one_kind(self) -> "Credentials":
        if bool(self.username) == bool(self.token.get_secret_value()):
            raise ValueError("`username` and `password` are wanted, or `token`")
        return self


def read_profile(path: Path) -> Profile:
    """A profile; the files that it names lie relative to its own folder.

    Raises
    ------
    ArchiveError
        It cannot be read, or asks for something unknown or unsafe ("archive-profile").
    """
    profile = _read(path, Profile)
    beside = path.absolute().parent
    files = {n: beside / p for n in _FILES if (p := getattr(profile, n)) is not None}
    web, dimse = profile.web, profile.dimse
    if web:
        web = web.model_copy(update={"tls": _below(beside, web.tls)})
    if dimse and dimse.tls:
        dimse = dimse.model_copy(update={"tls": _below(beside, dimse.tls)})
    return profile.model_copy(update={**files, "web": web, "dimse": dimse})


_FILES = ("credentials", "identities", "audit")


def _below(folder: Path, tls: Certificates) -> Certificates:
    given = {name: folder / path for name, path in tls if path is not None}
    return tls.model_copy(update=given)


def read_credentials(path: Path) -> Credentials:
    """Name and password, or token, of a file that nobody else can read.

    Raises
    ------
    ArchiveError
        Others may read it ("not-private"), or it cannot be understood.
    """
    check_private(path)
    return _read(path, Credentials)


def check_private(path: Path) -> None:
    """Refuses a file that others than its owner may read or write.

    On Windows rights are not looked at.

    Raises
    ------
    ArchiveError
        With the code "not-private".
    """
    if not path.is_file() or not hasattr(os, "geteuid"):
        return
    state = path.stat()
    if state.st_mode & OTHERS or state.st_uid != os.geteuid():
        raise ArchiveError(
            f"{path.name} is not private: its rights are {state.st_mode & 0o777:o}, and it must be "
            "yours alone (600).",
            remedy=f"chmod 600 {path.name}",
            code="not-private",
            file=path,
        )


Model = TypeVar("Model", bound=Settings)


def _read(path: Path, model: type[Model]) -> Model:
    choices = parse_yaml(read_text(path, ArchiveError, LARGEST), path.name, ArchiveError)
    if not isinstance(choices, dict):
        raise _wrong(path, f"expected lines of `key: value`, as {_keys(model)}")
    try:
        return model.model_validate(choices)
    except ValidationError as error:
        raise _wrong(path, _told(error, model, choices)) from None


def _told(error: ValidationError, model: type[Settings], choices: Mapping[str, Any]) -> str:
    """What is wrong; of credentials nothing that was written, which could be a password."""
    if model is Credentials:
        return f"expected {_keys(model)}, each a text"
    return "; ".join(fault.message for fault in faults_of(error, model, dict(choices)))


def _keys(model: type[Settings]) -> str:
    return ", ".join(f"`{name}`" for name in model.model_fields)


def _wrong(path: Path, why: str) -> ArchiveError:
    return ArchiveError(f"{path.name}: {why.rstrip('.')}.", code="archive-profile", file=path)


def tls_context(tls: Certificates, *, listening: bool = False) -> ssl.SSLContext:
    """A context that checks the archive's certificate, and its name, and shows our own.

    Of who comes to us while `listening` the certificate alone can be checked.

    Raises
    ------
    ArchiveError
        A file of certificates cannot be read ("archive-certificate").
    """
    try:
        purpose = ssl.Purpose.CLIENT_AUTH if listening else ssl.Purpose.SERVER_AUTH
        context = ssl.create_default_context(purpose, cafile=tls.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(path.name for _, path in tls if path is not None)
        raise ArchiveError(
            f"The certificates of the profile cannot be used ({named}): "
            f"{getattr(error, 'reason', None) or error.strerror or type(error).__name__}.",
            remedy="Give PEM files: `ca`, and `certificate` with its `key`.",
            code="archive-certificate",
        ) from error
    return context
