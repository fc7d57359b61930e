"""What is asked of object storage, and what is said of its answers.

Against moto, an emulator of S3 (see `tests.object_storage`), and against a server that gives the
answers of Amazon's manual ("Error responses", Amazon S3 API Reference) which moto does not give.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import SEEK_CUR, SEEK_END
from unittest.mock import Mock

import pytest

from centrum.errors import DataError, ProtocolError, StorageDown, StorageError
from centrum.io import objects
from centrum.io.objects import (
    ENDPOINTS,
    ObjectUrl,
    StoredObject,
    create,
    is_url,
    look,
    look_below,
    read_object,
    remove,
    replace_object,
)
from tests.object_storage import Bucket, needed

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize(
    "key", ["a.nrrd", "Müller Anna/ä b.nrrd", "a%20b#1.nrrd", "a+b&c=d;e.nrrd"]
)
def test_an_object_is_written_looked_at_read_and_taken_away(bucket: Bucket, key: str) -> None:
    url = ObjectUrl.parse(bucket.url(key))
    assert look(url) is None
    assert create(url, b"one")
    assert not create(url, b"two")
    content, version = read_object(url)
    assert content == b"one"
    found = look(url)
    assert found is not None
    assert (found.url, found.size, found.version) == (url, 3, version)
    assert [*look_below(ObjectUrl(bucket.name, ""))] == [found]
    remove(url)
    remove(url)
    assert look(url) is None
    with pytest.raises(FileNotFoundError):
        read_object(url)


def test_only_the_version_that_was_seen_is_replaced(bucket: Bucket) -> None:
    url = ObjectUrl.parse(bucket.url("index"))
    create(url, b"one")
    _, seen = read_object(url)
    assert replace_object(url, b"two", seen)
    assert not replace_object(url, b"three", seen)
    assert read_object(url)[0] == b"two"
    remove(url)
    assert not replace_object(url, b"four", seen), "it is gone"


def test_below_a_place_is_not_beside_it(bucket: Bucket) -> None:
    for key in ("a/1", "a/b/2", "ab/3", "a.nrrd"):
        bucket.put(key, b"x")
    found = look_below(ObjectUrl.parse(bucket.url("a/")))
    assert [each.url.key for each in found] == ["a/1", "a/b/2"]


def test_what_is_a_url() -> None:
    assert all(map(is_url, ["s3://a/b", "https://a", "weird+scheme.1://x"]))
    assert not any(map(is_url, ["a/b://c", "C:\\x", "/s3://x", "s3:/b/x", "://x"]))


# What a storage answers


class Answers(BaseHTTPRequestHandler):
    """Gives one answer to every request; what it repeats of the request nobody is to see."""

    status = 200
    said = ""

    def answer(self) -> None:
        signed = self.headers.get("authorization", "")
        body = (
            f"<Error><Code>{self.said}</Code><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId>"
            f"<CanonicalRequest>{signed} {self.path}</CanonicalRequest></Error>"
        ).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Answers]]:
    needed()
    own = type("Own", (Answers,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), own) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setattr(objects, "PATIENCE", objects.timedelta(seconds=0.5))
        objects._store.cache_clear()
        yield own
        objects._store.cache_clear()
        server.shutdown()


URL = ObjectUrl("klinik", "Anna-Roth/T2w.nrrd")


@pytest.mark.parametrize(
    ("status", "said", "code", "down"),
    [
        (403, "AccessDenied", "no-permission", False),
        (401, "", "no-permission", False),
        (404, "NoSuchBucket", "no-bucket", False),
        (400, "AuthorizationHeaderMalformed", "storage", False),
        (403, "InvalidAccessKeyId", "bad-credentials", True),
        (403, "SignatureDoesNotMatch", "bad-credentials", True),
        (400, "ExpiredToken", "bad-credentials", True),
        (403, "RequestTimeTooSkewed", "bad-credentials", True),
        (503, "SlowDown", "storage-down", True),
        (500, "InternalError", "storage-down", True),
        (501, "NotImplemented", "no-conditional-put", True),
    ],
)
@pytest.mark.parametrize(
    "ask",
    [read_object, lambda url: create(url, b"x"), lambda url: [*look_below(url)]],
    ids=["read", "create", "list"],
)
def test_each_answer_says_whose_error_it_is(
    answers: type[Answers], status: int, said: str, code: str, down: bool, ask
) -> None:
    answers.status, answers.said = status, said
    with pytest.raises(StorageError) as caught:
        ask(URL)
    assert caught.value.code == code
    assert isinstance(caught.value, StorageDown) == down, "nobody's case, or that of this one"
    assert caught.value.file == ("" if down else "T2w.nrrd")
    assert caught.value.remedy
    assert caught.value.__cause__ is None
    told = str(caught.value)
    assert not [m for m in ("klinik", "Anna", "AKIA", "Signature=", SECRET) if m in told]


def test_a_look_that_is_forbidden_is_told_without_an_answer(answers: type[Answers]) -> None:
    """HEAD has none."""
    answers.status, answers.said = 403, "AccessDenied"
    with pytest.raises(StorageError, match="s3:ListBucket") as caught:
        look(URL)
    assert caught.value.code == "no-permission"


def test_an_object_that_is_not_there_is_no_error_of_the_storage(answers: type[Answers]) -> None:
    answers.status, answers.said = 404, "NoSuchKey"
    assert look(URL) is None
    remove(URL)
    with pytest.raises(FileNotFoundError):
        read_object(URL)


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, answers: type[Answers]) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    objects._store.cache_clear()
    with pytest.raises(StorageDown, match="cannot be reached") as caught:
        look(URL)
    assert caught.value.code == "storage-down"


def test_nobody_has_credentials(monkeypatch: pytest.MonkeyPatch, answers: type[Answers]) -> None:
    """The machine is asked for its own, here a server that has none, at the address of clouds."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    objects._store.cache_clear()
    with pytest.raises(StorageDown, match="AWS_SKIP_SIGNATURE") as caught:
        look(URL)
    assert caught.value.code == "no-credentials"


def test_a_storage_without_versions_is_refused(answers: type[Answers]) -> None:
    with pytest.raises(StorageError) as caught:
        look(URL)
    assert caught.value.code == "no-etag"


# Where to


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "address", ["http://minio.example.org:9000", "http://10.0.0.5", "minio:9000", "http://[::]:1",
                "http://127.0.0.1.example.org", "ftp://minio"],
)  # fmt: skip
def test_beyond_this_machine_only_encrypted(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    needed()
    monkeypatch.setenv(name, address)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    objects._store.cache_clear()
    with pytest.raises(ProtocolError, match=name) as caught:
        look(URL)
    assert caught.value.code == "not-encrypted"


@pytest.mark.parametrize(
    "address", ["https://minio.example.org", "http://127.0.0.1:9000", "http://localhost", "http://[::1]:9"]
)  # fmt: skip
def test_what_is_encrypted_or_stays_here_may_be(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    assert objects._endpoint() == address


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    with pytest.raises(DataError, match=r"centrum\[cloud\]") as caught:
        look(URL)
    assert caught.value.code == "missing-extra"


@pytest.mark.parametrize("there", [True, False])
def test_an_object_is_taken_away_whether_it_is_there_or_not(
    monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    library = Mock()
    library.delete.side_effect = None if there else FileNotFoundError
    monkeypatch.setattr(objects, "_obstore", lambda: library)
    monkeypatch.setattr(objects, "_store", lambda bucket: f"store of {bucket}")
    objects.remove(URL)
    library.delete.assert_called_once_with("store of klinik", URL.key)


def test_an_object_is_read_in_parts_and_none_is_asked_for_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is held is read again; behind the end there is nothing, and nothing is asked for."""
    content, asked = b"0123456789", []

    def part(stored: StoredObject, start: int, length: int) -> bytes:
        asked.append((start, length))
        return content[start : start + length]

    monkeypatch.setattr(objects, "_part", part)
    file = objects.ObjectFile(Mock(size=len(content)))
    assert file.readable()
    assert file.seekable()
    assert (file.read(4), asked) == (b"0123", [(0, 4)])
    assert (file.seek(1), file.read(3), file.tell()) == (1, b"123", 4)
    assert asked == [(0, 4)]
    assert (file.read(4), file.seek(-1, SEEK_CUR), file.read(2)) == (b"4567", 7, b"78")
    assert asked == [(0, 4), (4, 4), (7, 2)]
    assert (file.seek(-3, SEEK_END), file.read(9), file.read(1)) == (7, b"789", b"")
    assert asked == [(0, 4), (4, 4), (7, 2), (7, 3)]
    assert (file.seek(20), file.read(1)) == (20, b"")
