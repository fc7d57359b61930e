"""Where the room is: what its links, its cookie and its own pages are called."""

from dataclasses import dataclass

from centrum.io.loopback import is_loopback

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that nobody else reaches it by."""


@dataclass(frozen=True)
class Address:
    """A host and a port, with or without TLS.

    >>> room = Address("127.0.0.1", 8400)
    >>> room.origin, room.cookie
    ('http://127.0.0.1:8400', 'centrum-8400')
    >>> room.knows("localhost:8400"), room.knows("evil.example:8400"), room.knows("127.0.0.1:1")
    (True, False, False)
    """

    host: str
    port: int
    tls: bool = False

    @property
    def scheme(self) -> str:
        """As links begin."""
        return "https" if self.tls else "http"

    @property
    def local(self) -> bool:
        """Whether nobody reaches it from another machine."""
        return is_loopback(self.host)

    @property
    def origin(self) -> str:
        """What browsers say of the room's own pages."""
        return f"{self.scheme}://{_bracketed(self.host)}{self._ending}"

    @property
    def cookie(self) -> str:
        """Cookies do not know ports, so that the name tells two rooms of one machine apart."""
        return f"{'__Host-' if self.tls else ''}centrum-{self.port}"

    @property
    def names(self) -> tuple[str, ...]:
        """Hosts by which the room may be asked for."""
        own = self.host.lower()
        return (*LOCAL, own) if self.local else (own,)

    @property
    def _ending(self) -> str:
        return "" if self.port == (443 if self.tls else 80) else f":{self.port}"

    def knows(self, host: str) -> bool:
        """Whether a Host header names this room; another name may be a page's that leads here."""
        told = host.lower()
        return told in {f"{_bracketed(name)}{self._ending}" for name in self.names}

    def is_own(self, origin: str) -> bool:
        """Whether an Origin header is that of the room's own pages."""
        scheme, _, host = origin.partition("://")
        return scheme == self.scheme and self.knows(host)

    def link(self, secret: str) -> str:
        """Where somebody enters; what stands behind # is sent to nobody and kept in no log."""
        return f"{self.origin}/#enter={secret}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
