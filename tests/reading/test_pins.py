"""PINs: kept so that nobody reads them, and tried a few times only."""

import stat
from pathlib import Path

import pytest

from centrum.errors import DataError
from centrum.reading.pins import MOST_WRONG, PINS, WAIT_SECONDS, Pins
from centrum.reading.refusals import TooManyAttempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pins(tmp_path: Path, clock: Clock) -> Pins:
    pins = Pins(tmp_path, clock)
    pins.set("anna", "271828")
    return pins


def test_the_file_is_its_owners_and_holds_no_pin(tmp_path: Path, pins: Pins) -> None:
    path = tmp_path / "readings" / PINS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "271828" not in path.read_text()
    pins.set("ben", "271828")
    assert len({line for line in path.read_text().split('"') if len(line) == 128}) == 2


@pytest.mark.parametrize("reader", ["anna", "nobody"])
def test_wrong_ones_are_counted_and_the_right_one_waits_too(
    tmp_path: Path, pins: Pins, clock: Clock, reader: str
) -> None:
    for _ in range(MOST_WRONG):
        assert not pins.check(reader, "000000")
    with pytest.raises(TooManyAttempts) as error:
        pins.check(reader, "271828")
    assert error.value.seconds == WAIT_SECONDS
    clock.now += WAIT_SECONDS + 1
    assert pins.check(reader, "271828") == (reader == "anna")


def test_a_restart_does_not_forget_wrong_ones(tmp_path: Path, pins: Pins, clock: Clock) -> None:
    for _ in range(MOST_WRONG):
        Pins(tmp_path, clock).check("anna", "000000")
    with pytest.raises(TooManyAttempts):
        Pins(tmp_path, clock).check("anna", "271828")


def test_the_right_one_ends_the_count(pins: Pins) -> None:
    for _ in range(2):
        for _ in range(MOST_WRONG - 1):
            assert not pins.check("anna", "000000")
        assert pins.check("anna", "271828")


@pytest.mark.parametrize("pin", ["", "12345", "1" * 65])
def test_short_and_long_ones_are_refused(pins: Pins, pin: str) -> None:
    with pytest.raises(DataError, match="6 to 64"):
        pins.set("ben", pin)
