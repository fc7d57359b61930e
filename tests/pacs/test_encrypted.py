"""Encrypted connections: certificates of both sides are checked, in both languages."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as FIND

from centrum.commands import pacs
from centrum.errors import ArchiveError, describe
from tests.pacs import objects
from tests.pacs.test_hostile import liar

ALL = {"first": date(1900, 1, 1)}
KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout"
EVERYTHING = "{ca: ca.pem, certificate: client.pem, key: client-key.pem}"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server called 127.0.0.1, one of another name, a client, and a stranger."""
    if not shutil.which("openssl"):
        pytest.skip("certificates are made by openssl, which is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "stranger"):
        openssl(folder, f"req -x509 -days 2 -subj /CN={name} {KEY} {name}-key.pem -out {name}.pem")
    for name, alternative in (("server", "IP:127.0.0.1"), ("other", "DNS:other"), ("client", "")):
        openssl(folder, f"req -subj /CN={name} {KEY} {name}-key.pem -out {name}.csr")
        (folder / "more").write_text(f"subjectAltName={alternative}\n" if alternative else "")
        openssl(folder, f"x509 -req -days 2 -in {name}.csr -CA ca.pem -CAkey ca-key.pem "
                        f"-CAcreateserial -extfile more -out {name}.pem")  # fmt: skip
    return folder


def openssl(folder: Path, words: str) -> None:
    done = subprocess.run(["openssl", *words.split()], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def server_context(certificates: Path, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}-key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def web(certificates: Path, name: str) -> Iterator[str]:
    answer: list[object] = []
    with liar(lambda path, whole: answer, server_context(certificates, name)) as server:
        yield f"web: {{url: 'https://127.0.0.1:{server.port}/dicom-web', tls: TLS}}"


@contextmanager
def dimse(certificates: Path, name: str) -> Iterator[str]:
    entity = AE("PACS")
    entity.add_supported_context(FIND)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, ssl_context=server_context(certificates, name),
        evt_handlers=[(evt.EVT_C_FIND, lambda event: iter(()))],
    )  # fmt: skip
    try:
        port = server.socket.getsockname()[1]
        yield f"dimse: {{host: 127.0.0.1, port: {port}, called: PACS, tls: TLS}}"
    finally:
        server.shutdown()


def profile(folder: Path, way: str, tls: str) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.yaml"
    text = f"name: a\n{way.replace('TLS', tls)}\nlimits: {{seconds: 2}}\n"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("language", [web, dimse])
def test_both_sides_show_a_certificate(language, certificates: Path) -> None:
    with language(certificates, "server") as way:
        assert pacs.find(profile(certificates, way, EVERYTHING), **ALL) == ()
        for tls in (
            "{}",
            EVERYTHING.replace("ca: ca.pem", "ca: stranger.pem"),
            "{ca: ca.pem}",
            EVERYTHING.replace("client", "stranger"),
        ):
            with pytest.raises(ArchiveError) as refused:
                pacs.find(profile(certificates, way, tls), **ALL)
            assert refused.value.code in ("archive-certificate", "unreachable")
    with language(certificates, "other") as way, pytest.raises(ArchiveError):
        pacs.find(profile(certificates, way, EVERYTHING), **ALL)


def test_why_a_certificate_is_not_accepted_is_told(certificates: Path) -> None:
    with web(certificates, "other") as way, pytest.raises(ArchiveError) as refused:
        pacs.find(profile(certificates, way, EVERYTHING), **ALL)
    assert "IP address mismatch" in describe(refused.value)
    with web(certificates, "server") as way, pytest.raises(ArchiveError) as refused:
        pacs.find(profile(certificates, way, "{}"), **ALL)
    assert "is not accepted: self-signed certificate in" in describe(refused.value)


def test_certificates_that_cannot_be_read_are_named(certificates: Path, tmp_path: Path) -> None:
    way = "dimse: {host: 127.0.0.1, port: 9, called: PACS, tls: TLS}"
    with pytest.raises(ArchiveError, match=r"nothing\.pem") as refused:
        pacs.find(profile(tmp_path, way, "{ca: nothing.pem}"), **ALL)
    assert refused.value.code == "archive-certificate"
    assert objects.PATIENT not in describe(refused.value)
