"""One server for one room: on this machine alone, unless somebody asks for more."""

import errno
import logging
import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn

from centrum.commands.read import LEAD, Desk, Pins
from centrum.errors import DataError
from centrum.io.loopback import is_loopback
from centrum.text import listed
from centrum.web.address import Address
from centrum.web.app import create_app
from centrum.web.auth import Door
from centrum.web.certificate import Certificate, own_certificate

PORT = 8484
"""Stays the same from day to day: what a browser keeps while offline belongs to it."""

MOST_REQUESTS = 200
"""At a time; more are told to come again."""

LARGEST_HEADERS = 16 * 1024

PATIENCE = 2
"""Seconds that open requests are given when the server ends."""


@dataclass(frozen=True)
class Network:
    """Whether, and how, the room is open to other machines.

    Attributes
    ----------
    host : address of this machine by which it is reached
    wanted : whether it was said in so many words
    certificate, key : PEM files; a certificate is made where both are missing
    """

    host: str = "127.0.0.1"
    wanted: bool = False
    certificate: Path | None = None
    key: Path | None = None

    @property
    def tls(self) -> bool:
        """Always beyond this machine, and here where a certificate is given."""
        return not is_loopback(self.host) or self.certificate is not None


def refuse_unsafe(network: Network, without_pin: Sequence[str]) -> None:
    """Open the room to a network only when that is meant, and nobody can enter without a PIN.

    Raises
    ------
    DataError
        --network is missing ("not-meant"), the address is this machine's for itself ("no-host") or
        none of one machine ("any-host"), somebody has no PIN ("no-pin"), or one of certificate and
        key is missing ("bad-certificate").
    """
    if (network.certificate is None) != (network.key is None):
        raise DataError(
            "A certificate needs its key.", remedy="Give --cert and --key.", code="bad-certificate"
        )
    if is_loopback(network.host):
        if network.wanted:
            raise DataError(
                f"{network.host} is reached from this machine alone.",
                remedy="Give the address that others reach it by: --host 192.168.1.20, or a name.",
                code="no-host",
            )
        return
    if not network.wanted:
        raise DataError(
            f"{network.host} can be reached from other machines.",
            remedy="Add --network if that is meant; each reader needs a PIN then.",
            code="not-meant",
        )
    if _any(network.host):
        raise DataError(
            f"{network.host} is every address of this machine.",
            remedy="Give the one that readers type: --host 192.168.1.20, or a name.",
            code="any-host",
        )
    if without_pin:
        raise DataError(
            f"No PIN: {listed(without_pin)}.",
            remedy="Set each: centrum read STUDY --set-pin NAME.",
            code="no-pin",
        )


def _any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return host in ("", "*")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes one that is free.

    Raises
    ------
    DataError
        Somebody else has the port ("port-taken"), or the address is another machine's
        ("bad-host").
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off for sockets that say they are TCP, and for no others:
    # with it every answer waits 40 ms for an acknowledgement.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # on Windows it would let two servers have one port
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(128)
    except (OSError, OverflowError) as error:
        found.close()
        raise _not_bound(host, port, error) from error
    return found


def _not_bound(host: str, port: int, error: Exception) -> DataError:
    if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
        return DataError(
            f"Port {port} is taken: another room may be open, or another program.",
            remedy="End it, or give another one with --port.",
            code="port-taken",
        )
    return DataError(
        f"{host}:{port} is no address of this machine.",
        remedy="Give one of its own with --host.",
        code="bad-host",
    )


def serve(
    desk: Desk,
    *,
    port: int = PORT,
    network: Network | None = None,
    only: str | None = None,
    lead: bool = True,
    say: Callable[[str], None] = print,
    opened: Callable[[str], object] | None = None,
) -> None:
    """Open the room until it is ended.

    Parameters
    ----------
    desk : whose readings they are
    port : of this machine; 0 takes a free one
    network : for other machines; None is for this one alone
    only : the only reader whose link is told
    lead : whether the study's lead may enter
    say : is given each line that is told
    opened : is given the first link, such as a function that starts a browser
    """
    network = network or Network()
    names = (*desk.readers(), *([LEAD] if lead else []))
    wanted = _wanted(names, only)
    pins = Pins(desk.room.study)
    refuse_unsafe(network, [name for name in names if not pins.has(name)])
    _quiet_logs()
    certificate = _certificate(network, desk.room.folder)
    listener = listening(network.host, port)
    with listener:
        address = Address(network.host, listener.getsockname()[1], network.tls)
        door = Door(names, pins, 60 * desk.room.settings.idle_minutes, _told(address, say))
        links = {name: address.link(door.link(name)) for name in wanted}
        for line in _welcome(address, links, certificate):
            say(line)
        if opened is not None:
            opened(next(iter(links.values())))
        config = uvicorn.Config(create_app(desk, door, address), **_options(certificate))
        uvicorn.Server(config).run(sockets=[listener])


def _certificate(network: Network, folder: Path) -> Certificate | None:
    if not network.tls:
        return None
    if network.certificate is None or network.key is None:
        return own_certificate(folder, network.host)
    given = Certificate(network.certificate, network.key)
    given.check()
    return given


def _wanted(names: tuple[str, ...], only: str | None) -> tuple[str, ...]:
    if only is None:
        return names
    if only not in names:
        raise DataError(
            f"There is no reader {only}; there are {listed(names)}.",
            remedy="Name one of them.",
            code="no-reader",
        )
    return (only,)


def _told(address: Address, say: Callable[[str], None]) -> Callable[[str, str], None]:
    def tell(name: str, secret: str) -> None:
        say(f"{name} is locked out and has no PIN. A new link: {address.link(secret)}")

    return tell


def _welcome(
    address: Address, links: Mapping[str, str], certificate: Certificate | None
) -> Iterable[str]:
    yield f"The reading room is open at {address.origin}. Ctrl-C closes it; nothing is lost."
    yield "Links, each for one person and once:"
    width = max(map(len, links))
    yield from (f"  {name:{width}}  {link}" for name, link in links.items())
    if certificate is not None:
        yield f"Certificate (SHA-256): {certificate.fingerprint}"
        yield "Readers compare it with what their browser shows before they go on."


def _options(certificate: Certificate | None) -> dict[str, Any]:
    """Of the server: one process, no log of requests, nothing told of itself."""
    options: dict[str, Any] = {
        "access_log": False, "log_config": None, "server_header": False, "proxy_headers": False,
        "http": "h11", "ws": "none", "loop": "asyncio", "lifespan": "off",
        "limit_concurrency": MOST_REQUESTS, "h11_max_incomplete_event_size": LARGEST_HEADERS,
        "timeout_graceful_shutdown": PATIENCE,
    }  # fmt: skip
    if certificate is not None:
        options |= {"ssl_certfile": certificate.certificate, "ssl_keyfile": certificate.key}
    return options


def _quiet_logs() -> None:
    """Warnings alone, on the error stream; what a library tells may hold what was asked for."""
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.WARNING)
    for name in ("uvicorn.error", "uvicorn.access", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
