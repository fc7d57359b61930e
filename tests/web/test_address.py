"""Where the room is, and the certificate that it shows there."""

import ssl
from pathlib import Path

import pytest

from centrum.errors import DataError
from centrum.io.loopback import is_loopback
from centrum.web import certificate as certificates
from centrum.web.address import Address
from centrum.web.certificate import Certificate, own_certificate


def test_cookies_of_two_ports_have_two_names() -> None:
    assert Address("127.0.0.1", 1).cookie != Address("127.0.0.1", 2).cookie
    assert Address("192.168.1.2", 1, tls=True).cookie == "__Host-centrum-1"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        (Address("::1", 8484), "http://[::1]:8484"),
        (Address("10.0.0.1", 443, tls=True), "https://10.0.0.1"),
        (Address("10.0.0.1", 80, tls=True), "https://10.0.0.1:80"),
        (Address("room.example", 8484, tls=True), "https://room.example:8484"),
    ],
)
def test_origins(address: Address, origin: str) -> None:
    assert address.origin == origin
    assert address.is_own(origin)
    assert address.link("ab") == f"{origin}/#enter=ab"


def test_a_room_in_the_network_is_not_asked_for_by_local_names() -> None:
    room = Address("10.0.0.1", 8484, tls=True)
    assert room.knows("10.0.0.1:8484")
    assert not room.knows("localhost:8484")
    assert not room.is_own("http://10.0.0.1:8484")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "room.example", ""])
def test_what_is_not_this_machine_alone(host: str) -> None:
    assert not is_loopback(host)


def test_a_certificate_is_made_once_and_for_its_host(tmp_path: Path) -> None:
    made = own_certificate(tmp_path, "10.0.0.1")
    made.check()
    assert made.key.stat().st_mode & 0o077 == 0
    assert own_certificate(tmp_path, "10.0.0.1").fingerprint == made.fingerprint
    first = made.fingerprint
    assert own_certificate(tmp_path, "room.example").fingerprint != first


def test_a_certificate_that_ends_soon_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "DAYS", 13)
    first = own_certificate(tmp_path, "10.0.0.1").fingerprint
    monkeypatch.setattr(certificates, "DAYS", 300)
    second = own_certificate(tmp_path, "10.0.0.1").fingerprint
    assert first != second == own_certificate(tmp_path, "10.0.0.1").fingerprint


def test_the_fingerprint_is_that_of_the_certificate(tmp_path: Path) -> None:
    import hashlib

    made = own_certificate(tmp_path, "127.0.0.1")
    der = ssl.PEM_cert_to_DER_cert(made.certificate.read_text())
    assert made.fingerprint.replace(":", "") == hashlib.sha256(der).hexdigest().upper()


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = own_certificate(tmp_path / "a", "x"), own_certificate(tmp_path / "b", "x")
    with pytest.raises(DataError, match="cannot be used"):
        Certificate(one.certificate, other.key).check()
    with pytest.raises(DataError, match="cannot be used"):
        Certificate(one.key, one.key).check()
    with pytest.raises(DataError, match="cannot be used"):
        Certificate(one.certificate, tmp_path / "none").check()
    one.key.write_text("damaged")
    assert own_certificate(tmp_path / "a", "x").fingerprint
