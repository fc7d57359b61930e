"""Rooms that tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.rooms import Hand, Served, make_study, served


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Served]:
    """A room of four cases and two readers."""
    with served(make_study(tmp_path / "study")) as found:
        yield found


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for tests that change nothing in it."""
    with served(make_study(tmp_path_factory.mktemp("still") / "study")) as found:
        yield found


@pytest.fixture(scope="module")
def reader(still: Served) -> Hand:
    """A reader inside of it, who has opened the first case and drawn a slice."""
    hand = still.hand("anna")
    token = hand.tokens()[0]
    hand.open(token)
    hand.draw(token, 0)
    return hand


@pytest.fixture
def anna(room: Served) -> Hand:
    """A reader inside."""
    return room.hand("anna")


@pytest.fixture
def ben(room: Served) -> Hand:
    """The other one."""
    return room.hand("ben")
