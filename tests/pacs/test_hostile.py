"""Archives that lie: what they send is bounded, and what was not asked for is refused."""

import gzip
import json
import logging
import socket
import ssl
import struct
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind as FIND,
    StudyRootQueryRetrieveInformationModelGet as GET,
    StudyRootQueryRetrieveInformationModelMove as MOVE,
)

from centrum.commands import pacs
from centrum.errors import ArchiveError, CentrumError, describe
from centrum.pacs.archive import FoundSeries
from centrum.pacs.selection import write_selection
from tests.pacs import objects

ALL = {"first": date(1900, 1, 1)}
LIMITS = "limits: {series: 40, instances: 20, instance_bytes: 3000000, bytes: 200000, seconds: 1}\n"
SERIES = FoundSeries(objects.STUDY, objects.MR, "MR", "", 6, objects.PATIENT, objects.DAY)
BOUNDARY = "xyz"


def dicom_json(**entries: str) -> dict:
    tags = {pydicom.datadict.tag_for_keyword(k): v for k, v in entries.items()}
    return {f"{tag:08X}": {"vr": "LO", "Value": [value]} for tag, value in tags.items()}


STUDY = dicom_json(StudyInstanceUID=objects.STUDY, PatientID="1", StudyDate="20240101")
ONE = dicom_json(SOPInstanceUID=f"{objects.MR}.1", SOPClassUID=MRImageStorage)


def parts(*files: bytes) -> bytes:
    head = f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + file for file in files) + f"\r\n--{BOUNDARY}--\r\n".encode()


class Quiet(ThreadingHTTPServer):
    """Prints nothing of clients that break off."""

    def handle_error(self, *_: object) -> None:
        pass


class Liar(BaseHTTPRequestHandler):
    """Answers as the test says; `answers` by the last word of the path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].rstrip("/")
        self.server.asked.append(self.path)
        answer = self.server.answers(path, self.path)
        try:
            answer(self) if callable(answer) else self.give(answer)
        except OSError:
            self.close_connection = True

    def give(self, content: object, kind: str = "application/dicom+json", **more: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = f"multipart/related; boundary={BOUNDARY}" if isinstance(content, bytes) else kind
        self.send_response(200)
        own = {"Content_Type": kind, "Content_Length": str(len(body))}
        for name, value in (own | more).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def endless(begin: bytes, again: bytes) -> Callable[[Liar], None]:
    def send(liar: Liar) -> None:
        liar.send_response(200)
        liar.send_header("Content-Type", f"multipart/related; boundary={BOUNDARY}")
        liar.end_headers()
        liar.wfile.write(begin)
        for _ in range(10_000):
            liar.wfile.write(again)
        raise AssertionError("nobody stopped this")

    return send


def too_short(liar: Liar) -> None:
    liar.give(parts(image()), Content_Length="100000")
    liar.close_connection = True


def redirected(liar: Liar) -> None:
    liar.send_response(307)
    liar.send_header("Location", "http://127.0.0.1:9/elsewhere")
    liar.send_header("Content-Length", "0")
    liar.end_headers()


def silent(liar: Liar) -> None:
    threading.Event().wait(2)


PACKED = gzip.compress(bytes(50_000_000), 1)


def packed(liar: Liar) -> None:
    liar.give(PACKED, Content_Encoding="gzip")


@contextmanager
def liar(
    answers: Callable[[str, str], object], context: ssl.SSLContext | None = None
) -> Iterator[SimpleNamespace]:
    server = Quiet(("127.0.0.1", 0), Liar)
    if context:
        server.socket = context.wrap_socket(server.socket, True, do_handshake_on_connect=False)
    server.answers, server.asked, server.daemon_threads = answers, [], True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield SimpleNamespace(port=server.server_port, asked=server.asked)
    finally:
        server.shutdown()
        server.server_close()


def web_profile(folder: Path, port: int) -> Path:
    path = folder / "archive.yaml"
    address = f"http://127.0.0.1:{port}/dicom-web"
    path.write_text(f"name: liar\nweb: {{url: '{address}'}}\n{LIMITS}", encoding="utf-8")
    return path


def image(uid: str = f"{objects.MR}.1", series: str = objects.MR) -> bytes:
    found = objects.mri(series)[0]
    found.SOPInstanceUID = uid
    return objects.encoded(found)


def deflated() -> bytes:
    found = pydicom.dcmread(BytesIO(image()))
    found.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return objects.encoded(found)


def nested(depth: int = 3000) -> bytes:
    """Sequences within sequences, of undefined length, so that each is read to find its end."""
    sequence, item = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff", b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    whole = image()
    at = whole.index(b"\x08\x00\x60\x00CS")
    return whole[:at] + (sequence + item) * depth + whole[at:]


def many_items() -> bytes:
    return image() + b"\xfe\xff\x00\xe0\0\0\0\0" * 6000


BAD_FILES = {
    "endless": (endless(parts(b"")[:60], bytes(1 << 16)), "too-large"),
    "another-series": (parts(image(series=f"{objects.ROOT}.66")), "not-asked-for"),
    "another-instance": (parts(image(f"{objects.MR}.2")), "not-asked-for"),
    "path-as-uid": (parts(image("../../x")), "not-asked-for"),
    "two-files": (parts(image(), image()), "archive-answer"),
    "no-end": (parts(image())[:-8], "archive-answer"),
    "shorter-than-said": (too_short, "unreachable"),
    "packed": (packed, "too-large"),
    "elsewhere": (redirected, "archive-answer"),
    "silent": (silent, "unreachable"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_and_nothing_of_it_is_kept(name: str, tmp_path: Path) -> None:
    answer, code = BAD_FILES[name]
    write_selection([SERIES], tmp_path / "found.csv")

    def answers(path: str, whole: str) -> object:
        if path.endswith("instances"):
            return [ONE] if "offset=0" in whole else []
        return answer

    tracemalloc.start()
    with liar(answers) as server:
        profile = web_profile(tmp_path, server.port)
        with pytest.raises(CentrumError) as refused:
            pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri", keep_identifiers=True)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == code
    assert most < 40_000_000
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.suffix == ".dcm"]
    assert objects.PATIENT not in describe(refused.value)
    assert "failed" in (tmp_path / "audit.jsonl").read_text()


DAMAGED = {
    "deflated": (deflated(), "would unfold"),
    "items": (many_items(), "would unfold"),
    "nested": (nested(), "RecursionError"),
    "no-dicom": (b"hello", "InvalidDicomError"),
    "cut": (image()[:-41], "ends before it should"),
    "without-pixels": (image()[: image().index(b"\xe0\x7f\x10\0OW")], "ends before it should"),
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("keep", [True, False])
def test_a_damaged_file_is_passed_over(
    name: str, keep: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("centrum.pacs.instance.MOST_ITEMS", 5000)
    content, why = DAMAGED[name]
    write_selection([SERIES], tmp_path / "found.csv")
    two = [ONE, dicom_json(SOPInstanceUID=f"{objects.MR}.2", SOPClassUID=MRImageStorage)]

    def answers(path: str, whole: str) -> object:
        if path.endswith("instances"):
            return two if "offset=0" in whole else []
        return parts(content if path.endswith(".1") else image(f"{objects.MR}.2"))

    with liar(answers) as server:
        profile = web_profile(tmp_path, server.port)
        (fetched,) = pacs.fetch(
            profile, tmp_path / "found.csv", tmp_path / "mri", keep_identifiers=keep
        )
    assert (fetched.new, fetched.refused.total(), fetched.missing) == (1, 1, 0)
    assert why in next(iter(fetched.refused))
    assert len(list((tmp_path / "mri").rglob("*.dcm"))) == 1


BAD_ANSWERS = {
    "path-as-uid": ([dicom_json(StudyInstanceUID="../../x", PatientID="1")], "strange-uid"),
    "no-list": ("studies", ""),
    "no-json": (b"[", "archive-answer"),
    "deep": (b"[" * 100_000, "archive-answer"),
    "endless": (endless(b"[", b'"a",' * 10_000), "too-large"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_to_a_search_is_refused(name: str, tmp_path: Path) -> None:
    answer, code = BAD_ANSWERS[name]
    with liar(lambda path, whole: answer) as server:
        if not code:
            assert pacs.find(web_profile(tmp_path, server.port), **ALL) == ()
            return
        with pytest.raises(ArchiveError) as refused:
            pacs.find(web_profile(tmp_path, server.port), **ALL)
    assert refused.value.code == code


def test_a_wrong_address_is_no_empty_archive(tmp_path: Path) -> None:
    with (
        liar(lambda path, whole: lambda liar: liar.send_error(404)) as server,
        pytest.raises(ArchiveError, match="HTTP 404"),
    ):
        pacs.find(web_profile(tmp_path, server.port), **ALL)


def test_pages_without_end_are_refused(tmp_path: Path) -> None:
    count = iter(range(10**6))

    def answers(path: str, whole: str) -> object:
        return [dicom_json(StudyInstanceUID=f"1.2.{next(count)}") for _ in range(10)]

    with liar(answers) as server, pytest.raises(ArchiveError, match="more than 40 series"):
        pacs.find(web_profile(tmp_path, server.port), **ALL)


def test_studies_that_were_not_asked_for_are_passed_over(tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("7\n", encoding="utf-8")
    with liar(lambda path, whole: [STUDY]) as server:
        assert pacs.find(web_profile(tmp_path, server.port), patients=ids) == ()
        assert all("/series" not in path for path in server.asked)


def test_nothing_is_logged_of_whom_is_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text(f"{objects.PATIENT}\n", encoding="utf-8")
    caplog.set_level(logging.DEBUG)
    for profile in (web_profile(tmp_path, 9), dimse_profile(tmp_path, 9)):
        with pytest.raises(ArchiveError, match="does not answer") as refused:
            pacs.find(profile, patients=ids)
        assert objects.PATIENT not in describe(refused.value)
    assert objects.PATIENT not in caplog.text + "".join(capfd.readouterr())


# DIMSE


def dimse_profile(folder: Path, port: int) -> Path:
    path = folder / "dimse.yaml"
    way = f"dimse: {{host: 127.0.0.1, port: {port}, called: LIAR, tls: false}}"
    path.write_text(f"name: liar\n{way}\n{LIMITS}", encoding="utf-8")
    return path


@contextmanager
def dimse_liar(
    sends: Callable[[evt.Event], Iterator], moves: Callable[[evt.Event], Iterator] = iter
) -> Iterator[int]:
    """Says that a series has one instance, and sends in a C-GET or C-MOVE what it likes."""

    def find(event: evt.Event) -> Iterator:
        yield (
            0xFF00,
            objects.item(
                QueryRetrieveLevel="IMAGE",
                SOPInstanceUID=f"{objects.MR}.1",
                SOPClassUID=MRImageStorage,
            ),
        )

    entity = AE("LIAR")
    entity.add_supported_context(FIND)
    entity.add_supported_context(GET)
    entity.add_supported_context(MOVE)
    entity.add_supported_context(MRImageStorage, scu_role=True, scp_role=True)
    handlers = [(evt.EVT_C_FIND, find), (evt.EVT_C_GET, sends), (evt.EVT_C_MOVE, moves)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()


def read(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(data))


def flood(event: evt.Event) -> Iterator:
    """More than announced."""
    yield 1
    for k in range(2000):
        if not event.assoc.is_established:
            return
        event.assoc.send_c_store(read(image(f"{objects.MR}.{k + 1}")))
        flood.sent = k + 1
    yield 0xFF00, read(image())


def other_series(event: evt.Event) -> Iterator:
    yield 1
    yield 0xFF00, read(image(series=f"{objects.ROOT}.66"))


def huge(event: evt.Event) -> Iterator:
    found = read(image())
    found.PixelData = bytes(30_000_000)
    yield 1
    yield 0xFF00, found


@pytest.mark.parametrize(
    ("sends", "code", "kept"),
    [(flood, "not-asked-for", 1), (other_series, "not-asked-for", 0), (huge, "too-large", 0)],
)
def test_a_c_get_that_sends_something_else_ends(
    sends: Callable, code: str, kept: int, tmp_path: Path
) -> None:
    write_selection([SERIES], tmp_path / "found.csv")
    with dimse_liar(sends) as port:
        profile = dimse_profile(tmp_path, port)
        with pytest.raises(ArchiveError) as refused:
            pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri", keep_identifiers=True)
    assert refused.value.code == code
    assert len(list(tmp_path.rglob("*.dcm"))) == kept
    if sends is flood:
        assert flood.sent < 20


def test_nobody_but_the_archive_sends_while_we_listen(tmp_path: Path) -> None:
    write_selection([SERIES], tmp_path / "found.csv")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    rejected = []

    def strangers(event: evt.Event) -> Iterator:
        for calling, called in (("STRANGER", "CENTRUM"), ("LIAR", "OTHER")):
            entity = AE(calling)
            entity.add_requested_context(MRImageStorage)
            rejected.append(entity.associate("127.0.0.1", port, ae_title=called).is_rejected)
        yield None, None

    with dimse_liar(flood, strangers) as archive:
        profile = dimse_profile(tmp_path, archive)
        way = profile.read_text().replace("tls: false", f"tls: false, move: {{port: {port}}}")
        profile.write_text(way, encoding="utf-8")
        with pytest.raises(ArchiveError, match="failure A801H"):
            pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri", keep_identifiers=True)
    assert rejected == [True, True]


@pytest.mark.parametrize("answer", ["nothing", "a PDU of 4 GB", "noise"])
def test_a_port_that_does_not_speak_dicom(answer: str, tmp_path: Path) -> None:
    begins = {"nothing": b"", "a PDU of 4 GB": struct.pack(">BBL", 2, 0, 0xFFFFFFFF),
              "noise": zlib.compress(bytes(1000)) * 10}  # fmt: skip

    def serve(door: socket.socket) -> None:
        client, _ = door.accept()
        with client:
            client.sendall(begins[answer])
            try:
                while client.recv(1 << 16):
                    client.sendall(bytes(1 << 16) if answer == "a PDU of 4 GB" else b"")
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, args=(door,), daemon=True).start()
        with pytest.raises(ArchiveError) as refused:
            pacs.find(dimse_profile(tmp_path, door.getsockname()[1]), **ALL)
    assert refused.value.code == ("too-large" if answer == "a PDU of 4 GB" else "unreachable")
