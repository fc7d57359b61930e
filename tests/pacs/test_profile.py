"""Profiles and credentials: what is unsafe is refused, what is secret is not shown."""

import os
from pathlib import Path

import pytest

from centrum.errors import ArchiveError, describe
from centrum.pacs.profile import read_credentials, read_profile
from centrum.pacs.selection import read_selection
from tests.docs.pages import DOCS, blocks_of

WEB = "name: a\nweb: {url: 'https://pacs.example.org/dicom-web'}\n"
DIMSE = "name: a\ndimse: {host: pacs.example.org, port: 104, called: PACS}\n"
LISTENING = (
    "name: a\ndimse: {host: 127.0.0.1, port: 104, called: PACS, tls: false, "
    "move: {port: 9, address: 127.0.0.2}}\n"
)


def profile(folder: Path, text: str) -> Path:
    path = folder / "archive.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(ArchiveError) as error:
        read_profile(path)
    return describe(error.value)


def test_profiles_of_the_page_are_read(tmp_path: Path) -> None:
    page = DOCS / "how-to" / "fetch-from-the-archive.md"
    texts = [block.text for block in blocks_of(page) if block.language == "yaml"]
    web, dimse = (read_profile(profile(tmp_path, text)) for text in texts)
    assert web.web.tls.ca == tmp_path / "hospital-ca.pem"
    assert web.identities == tmp_path / "private" / "identities.jsonl"
    assert web.credentials == tmp_path / "credentials.yaml"
    assert dimse.dimse.tls.key == tmp_path / "mine-key.pem"
    assert dimse.audit == tmp_path / "audit.jsonl"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (WEB.replace("https", "http"), "would not be encrypted"),
        (DIMSE.replace("PACS}", "PACS, tls: false}"), "would not be encrypted"),
        (WEB.replace("https://", "https://anna:secret@"), "neither a name and password"),
        (WEB.replace("dicom-web", "dicom-web?key=1"), "neither a name and password"),
        (WEB.replace("https", "ftp"), "begins with https"),
        (WEB + DIMSE.partition("\n")[2], "one of `web` and `dimse`"),
        ("name: a\n", "one of `web` and `dimse`"),
        (DIMSE + "credentials: c.yaml\n", "`credentials` are for `web`"),
        (WEB + "password: hunter2\n", "password: there is no such key"),
        (DIMSE.replace("called: PACS", "called: A\\\\B"), "called"),
        (DIMSE.replace("104", "99999"), "port"),
        (WEB + "limits: {bytes: -1}\n", "limits.bytes"),
        (DIMSE.replace("PACS}", "PACS, tls: {key: k.pem}}"), "`key` belongs to a `certificate`"),
        (DIMSE.replace("104", "104, move: {port: 9}"), "`move`) shows a `certificate`"),
        (LISTENING.replace("127.0.0.2", "0.0.0.0"), "would not be encrypted"),
        ("- a\n", "expected lines of `key: value`"),
    ],
)
def test_what_is_unsafe_or_unknown_is_refused(text: str, why: str, tmp_path: Path) -> None:
    assert why in refused(profile(tmp_path, text))


def test_plain_connections_are_for_this_computer_or_for_who_says_so(tmp_path: Path) -> None:
    plain = WEB.replace("https", "http")
    assert read_profile(profile(tmp_path, plain + "insecure: true\n")).insecure
    for host in ("127.0.0.1", "localhost", "[::1]"):
        read_profile(profile(tmp_path, plain.replace("pacs.example.org", f"{host}:8042")))
    read_profile(profile(tmp_path, LISTENING))
    for host in ("127.0.0.1.example.org", "localhost.example.org", "10.0.0.1"):
        refused(profile(tmp_path, plain.replace("pacs.example.org", host)))


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_credentials_that_others_can_read_are_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "credentials.yaml"
    path.write_text("username: anna\npassword: hunter2\n", encoding="utf-8")
    path.chmod(mode)
    with pytest.raises(ArchiveError, match=f"its rights are {mode:o}") as error:
        read_credentials(path)
    assert error.value.code == "not-private"
    with pytest.raises(ArchiveError, match="not private"):
        read_selection(path)
    path.chmod(0o600)
    assert read_credentials(path).username == "anna"


@pytest.mark.parametrize(
    "text", ["username: anna\n pass: hunter2", "password: hunter2", "token: hunter2\nusername: x",
             "hunter2", "username: anna\npassword: [hunter2]", "user: hunter2"],
)  # fmt: skip
def test_no_password_is_shown(text: str, tmp_path: Path) -> None:
    path = tmp_path / "credentials.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ArchiveError) as error:
        read_credentials(path)
    assert "hunter2" not in describe(error.value)
    path.write_text("username: anna\npassword: hunter2\n", encoding="utf-8")
    assert "hunter2" not in repr(read_credentials(path))
