"""Archives that tests may use: a real one, and profiles of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from centrum.geometry import Geometry
from tests.pacs.bodies import GRID
from tests.pacs.orthanc import PASSWORD, USER, Orthanc, needed

CREDENTIALS = "credentials: credentials.yaml\n"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    needed()
    # A short path: that of a socket has 100 letters at most.
    archive = Orthanc(tmp_path_factory.mktemp("o") / "a")
    archive.start()
    yield archive
    archive.close()


@pytest.fixture
def orthanc(running: Orthanc) -> Orthanc:
    """A real archive, empty."""
    running.empty()
    return running


@pytest.fixture(params=["web", "dimse"])
def profile(request: pytest.FixtureRequest, orthanc: Orthanc, tmp_path: Path) -> Path:
    """A profile of the archive in each of its languages."""
    return write_profile(tmp_path / "private", orthanc, request.param)


def write_profile(folder: Path, archive: Orthanc, language: str) -> Path:
    folder.mkdir(exist_ok=True)
    secret = folder / "credentials.yaml"
    secret.write_text(f"username: {USER}\npassword: {PASSWORD}\n", encoding="utf-8")
    secret.chmod(0o600)
    web = f"web: {{url: 'http://127.0.0.1:{archive.web}/dicom-web'}}\n{CREDENTIALS}"
    dimse = f"dimse: {{host: 127.0.0.1, port: {archive.dicom}, called: ORTHANC, tls: false}}\n"
    path = folder / "archive.yaml"
    way = {"web": web, "dimse": dimse}[language]
    path.write_text(f"name: test\n{way}", encoding="utf-8")
    return path


@pytest.fixture
def grid() -> Geometry:
    """Of an exam with two bodies."""
    return GRID
