"""Who is in the room: one-time links, PINs, and visits that lock and expire.

A secret is never kept, only its SHA-256, by which it is looked up: nothing is compared letter by
letter. Links and visits are forgotten when the server ends.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import RLock

from centrum.commands.read import LEAD, Pins, TooManyAttempts
from centrum.web.refusals import Refused

SECRET_BYTES = 16
"""128 random bits in a link; a visit has twice as many."""

LONGEST_VISIT = 12 * 3600.0
"""Seconds after which one has to enter again, whatever one does."""

MOST_VISITS = 64
"""At a time; the oldest gives way."""


@dataclass(frozen=True)
class Visit:
    """Somebody who entered, until when, when they last did something, and whether it is locked."""

    name: str
    ends: float
    seen: float
    locked: bool = False

    @property
    def lead(self) -> bool:
        """Whether it is the study's lead."""
        return self.name == LEAD


def _nobody(name: str, secret: str) -> None:
    """A new link that nobody is told of."""


@dataclass
class Door:
    """Lets readers and the lead in, and knows who is inside.

    Attributes
    ----------
    names : who may enter
    pins : their PINs
    idle_seconds : without an act, until the screen locks
    tell : is given name and secret of a new link where a reader without PIN was locked out
    clock : seconds that only grow

    >>> now = [0.0]
    >>> door = Door(("reader1",), idle_seconds=60, clock=lambda: now[0])
    >>> cookie = door.enter_by_link(door.link("reader1"))
    >>> door.acts(cookie).name
    'reader1'
    >>> now[0] = 61.0
    >>> door.visit(cookie).locked
    True
    """

    names: tuple[str, ...]
    pins: Pins | None = None
    idle_seconds: float = 900.0
    tell: Callable[[str, str], None] = _nobody
    clock: Callable[[], float] = time.monotonic
    _links: dict[str, str] = field(default_factory=dict, repr=False)
    _visits: dict[str, Visit] = field(default_factory=dict, repr=False)
    _alone: RLock = field(default_factory=RLock, repr=False)

    def link(self, name: str) -> str:
        """A secret that lets `name` in once; it takes the place of an older one."""
        secret = secrets.token_hex(SECRET_BYTES)
        with self._alone:
            self._links = {key: whose for key, whose in self._links.items() if whose != name}
            self._links[_digest(secret)] = name
        return secret

    def enter_by_link(self, secret: str) -> str:
        """The cookie of a new visit; the link is spent.

        Raises
        ------
        Refused
            There is no such link, or it was used (401, "wrong-link").
        """
        with self._alone:
            name = self._links.pop(_digest(secret), None)
        if name is None:
            raise Refused(
                401, "wrong-link", "This link is not, or no longer, valid.",
                "Each works once: ask the study's lead for a new one, or enter with your PIN.",
            )  # fmt: skip
        return self._entered(name)

    def enter_by_pin(self, name: str, pin: str) -> str:
        """The cookie of a new visit.

        Raises
        ------
        Refused
            The PIN is wrong, or the name (401, "wrong-pin"); there were too many (429).
        """
        try:
            fits = self.pins is not None and self.pins.check(name, pin)
        except TooManyAttempts as error:
            wait = str(max(1, round(error.seconds)))
            headers = {"retry-after": wait}
            raise Refused(429, error.code, error.message, error.remedy, headers) from None
        if not fits or name not in self.names:
            raise Refused(401, "wrong-pin", "Name and PIN do not belong together.", "Try again.")
        return self._entered(name)

    def has_pin(self, name: str) -> bool:
        """Whether `name` can enter with one."""
        return self.pins is not None and self.pins.has(name)

    def _entered(self, name: str) -> str:
        cookie, now = secrets.token_urlsafe(2 * SECRET_BYTES), self.clock()
        with self._alone:
            self._forget(now)
            self._visits[_digest(cookie)] = Visit(name, now + LONGEST_VISIT, now)
        return cookie

    def _forget(self, now: float) -> None:
        """Visits that are over, and the oldest where there are too many."""
        for key in [key for key, visit in self._visits.items() if visit.ends <= now]:
            self._expired(key)
        while len(self._visits) >= MOST_VISITS:
            del self._visits[next(iter(self._visits))]

    def visit(self, cookie: str) -> Visit | None:
        """Whose cookie it is, locked where they were idle for too long; None where it is over."""
        with self._alone:
            key, now = _digest(cookie), self.clock()
            found = self._visits.get(key)
            if found is None:
                return None
            if found.ends <= now:
                self._expired(key)
                return None
            if not found.locked and found.seen + self.idle_seconds <= now:
                found = self._locked(key, found)
            return found

    def acts(self, cookie: str) -> Visit:
        """Who does something, which keeps the screen from locking.

        Raises
        ------
        Refused
            Nobody entered, the visit is over or locked (401).
        """
        with self._alone:
            found = self.visit(cookie)
            if found is None:
                raise Refused(401, "enter-first", "Nobody has entered.", "Use your link or PIN.")
            if found.locked:
                raise Refused(401, "locked", "The screen is locked.", "Enter again.")
            self._visits[_digest(cookie)] = replace(found, seen=self.clock())
            return found

    def lock(self, cookie: str) -> None:
        """Lock the screen of a visit, at once."""
        with self._alone:
            found = self.visit(cookie)
            if found is not None and not found.locked:
                self._locked(_digest(cookie), found)

    def _locked(self, key: str, found: Visit) -> Visit:
        self._visits[key] = locked = replace(found, locked=True)
        self._tell_new_link(found.name)
        return locked

    def _expired(self, key: str) -> None:
        found = self._visits.pop(key)
        if not any(visit.name == found.name for visit in self._visits.values()):
            self._tell_new_link(found.name)

    def _tell_new_link(self, name: str) -> None:
        """Who has no PIN could not come back otherwise."""
        if not self.has_pin(name):
            self.tell(name, self.link(name))

    def leave(self, cookie: str) -> None:
        """End a visit."""
        with self._alone:
            self._visits.pop(_digest(cookie), None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
