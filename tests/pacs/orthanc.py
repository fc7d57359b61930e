"""A real archive for the tests: Orthanc in a network that nobody else can reach."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from tests.pacs import inside

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
WEB, DICOM, BACK = 8042, 4242, 4243
USER, PASSWORD = "centrum", "correct horse battery"
MISSING = "tests of the archive need Orthanc, its DICOMweb plugin and the right to unshare"


def configuration(folder: Path) -> dict:
    return {
        "Name": "Test",
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [str(PLUGIN)],
        "HttpPort": WEB,
        "DicomPort": DICOM,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomAet": "ORTHANC",
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomModalities": {"centrum": ["CENTRUM", "127.0.0.1", BACK]},
        "SyncStorageArea": False,
        "StableAge": 1,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
    }


@dataclass
class Orthanc:
    """An archive in a folder, which may be stopped, killed and started again.

    Attributes
    ----------
    web, dicom : its ports on 127.0.0.1
    """

    folder: Path
    web: int = 0
    dicom: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    doors: list[socket.socket] = field(default_factory=list)

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "orthanc.json").write_text(json.dumps(configuration(self.folder)))
        self._launch()
        if not self.doors:
            self.web, self.dicom = map(self._open, (WEB, DICOM))
        self._wait()

    def _launch(self) -> None:
        for port in (WEB, DICOM):
            (self.folder / f"{port}.socket").unlink(missing_ok=True)
        words = [*apart(), sys.executable, inside.__file__]
        words += [
            str(self.folder),
            f"{WEB},{DICOM}",
            str(BACK),
            "Orthanc",
            str(self.folder / "orthanc.json"),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)

    def _open(self, port: int) -> int:
        """A door on this side's loopback; as long as the archive is down it closes at once."""
        door = socket.create_server(("127.0.0.1", 0))
        self.doors.append(door)
        inside.relay(door, socket.AF_UNIX, str(self.folder / f"{port}.socket"))
        return door.getsockname()[1]

    def sends_to(self, port: int) -> None:
        """What the archive sends to CENTRUM goes to a port of this side's loopback."""
        path = self.folder / f"{BACK}.socket"
        path.unlink(missing_ok=True)
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        door.bind(str(path))
        door.listen(8)
        self.doors.append(door)
        inside.relay(door, socket.AF_INET, ("127.0.0.1", port))

    def _wait(self) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                self.ask("system")
                return
            except OSError:
                time.sleep(0.02)
            if self.process and self.process.poll() is not None:
                self._launch()  # the one that was killed may still hold its database
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def ask(self, path: str, method: str = "GET") -> object:
        """An answer of Orthanc's own interface."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.web}/{path}", method=method)
        keys = urllib.request.HTTPPasswordMgrWithPriorAuth()
        keys.add_password(None, request.full_url, USER, PASSWORD, is_authenticated=True)
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(keys))
        return json.load(opener.open(request, timeout=5))

    def kill(self) -> None:
        """As when the power fails."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def empty(self) -> None:
        for patient in self.ask("patients"):
            self.ask(f"patients/{patient}", "DELETE")

    def close(self) -> None:
        self.kill()
        for door in self.doors:
            door.close()


@cache
def apart() -> tuple[str, ...]:
    """Words before a program that runs in a network of its own; none where that is not allowed."""
    for words in (("unshare", "--net"), ("unshare", "--user", "--map-root-user", "--net")):
        if shutil.which(words[0]):
            done = subprocess.run([*words, "true"], capture_output=True)
            if done.returncode == 0:
                return words
    return ()


def can_be_started() -> bool:
    """Whether there is an archive, and a network for it alone."""
    return bool(shutil.which("Orthanc") and PLUGIN.exists() and apart())


def needed() -> None:
    """Skips where no archive can be started; in continuous integration that fails."""
    there = can_be_started()
    if not there and os.environ.get("CI"):
        pytest.fail(MISSING)
    if not there:
        pytest.skip(MISSING)
