"""OHIF as its makers build it, beside a real archive, under one address of the loopback."""

import base64
import json
import shutil
import subprocess
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.pacs.browser import CHROMIUM
from tests.pacs.orthanc import PASSWORD, USER, Orthanc

PACKAGE = "@ohif/app@3.12.0"
DATA = {
    "friendlyName": "Orthanc",
    "qidoRoot": "/dicom-web",
    "wadoRoot": "/dicom-web",
    "imageRendering": "wadors",
    "thumbnailRendering": "wadors",
    "supportsWildcard": True,
    "singlepart": "bulkdata,video",
    "bulkDataURI": {"enabled": True},
}
SETTINGS = {
    "routerBasename": "/",
    "extensions": [],
    "modes": [],
    "showStudyList": True,
    "maxNumberOfWebWorkers": 2,
    "defaultDataSourceName": "dicomweb",
    "dataSources": [
        {
            "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
            "sourceName": "dicomweb",
            "configuration": DATA,
        }
    ],
}
"""The least that OHIF wants; no address but its own."""


def built() -> Path:
    """The folder of the viewer's files, fetched once; skips where that cannot be."""
    for name, there in (("npm", shutil.which("npm")), ("chromium", CHROMIUM)):
        if not there:
            pytest.skip(f"OHIF needs {name}")
    folder = Path(tempfile.gettempdir()) / f"centrum-{PACKAGE.strip('@').replace('/', '-')}"
    if not folder.exists():
        _fetch(folder)
    return folder / "package" / "dist"


def _fetch(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        done = subprocess.run(["npm", "pack", PACKAGE], cwd=name, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"npm does not fetch {PACKAGE}: {done.stderr[-200:]}")
        (archive,) = Path(name).glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(Path(name) / "whole", filter="data")
        with suppress(OSError):  # another process was quicker
            (Path(name) / "whole").rename(folder)


class _Handler(SimpleHTTPRequestHandler):
    """Files of the viewer, its page for every other path, and the archive's answers."""

    def __init__(self, *args: object, archive: Orthanc, **kwargs: object) -> None:
        self.archive = archive
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        if self.path.startswith("/dicom-web/"):
            self._pass_on()
        elif self.path == "/app-config.js":
            script = f"window.config = {json.dumps(SETTINGS)}".encode()
            self._answer(200, "text/javascript", script)
        else:
            if not Path(self.translate_path(self.path)).is_file():
                self.path = "/index.html"
            super().do_GET()

    def _pass_on(self) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.archive.web}{self.path}")
        key = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {key}")
        request.add_header("Accept", self.headers.get("Accept", "*/*"))
        request.add_header("Host", self.headers["Host"])
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self._answer(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as error:
            self._answer(error.code, "text/plain", error.read())

    def _answer(self, status: int, kind: str | None, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(files: Path, archive: Orthanc) -> Iterator[str]:
    """The address of the viewer before an archive."""
    handler = partial(_Handler, archive=archive, directory=str(files))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
