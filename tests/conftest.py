"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from centrum.report import numbering
from centrum.simulate import simulate_cohort
from tests import object_storage as storages, phantom as phantoms, pictures
from tests.pacs import bodies

# A loaded machine is no failure; continuous integration tries the same examples each time, and
# `make test-slow` many more of them.
settings.register_profile("local", deadline=None, max_examples=50)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile(
    os.environ.get("CENTRUM_EXAMPLES") or ("ci" if os.environ.get("CI") else "local")
)

ABSENT = numbering.absent

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole studies, which take longest, come first: at the end no process waits for the other."""
    items.sort(key=lambda item: item.path.parent != ROOT / "tests")


@pytest.fixture(scope="session", autouse=True)
def every_reference_resolves() -> Iterator[None]:
    """A text that refers to a table or figure that its document lacks fails the test."""

    def fail(word: str, key: str) -> str:
        raise AssertionError(f"A text refers to the {word} '{key}', which its document lacks.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "absent", fail)
        yield


@pytest.fixture
def lost_section(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests in which a section cannot be written: references to it are as for users."""
    monkeypatch.setattr(numbering, "absent", ABSENT)


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forests of 20 trees, which are grown and read as those of 200 are."""
    monkeypatch.setattr("centrum.modelling.classifiers.N_TREES", 20)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference material that lies beside the project; skips without it."""
    folder = Path(os.environ.get("CENTRUM_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"reference material not found at {folder} (set CENTRUM_REFERENCE)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def figures_are_not_drawn() -> Iterator[None]:
    """See `tests.pictures`."""
    with pictures.not_drawn():
        yield


@pytest.fixture
def drawn() -> Iterator[None]:
    """For tests of which figures can be drawn."""
    with pictures.drawn():
        yield


@pytest.fixture
def rendered() -> Iterator[None]:
    """For tests that look at pictures."""
    with pictures.rendered():
        yield


@pytest.fixture(scope="session", autouse=True)
def one_processor() -> None:
    """Each process of a test run keeps to one, so that studies start no workers unless told to."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        number = int(worker.removeprefix("gw"))
        os.sched_setaffinity(0, {processors[number % len(processors)]})


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> bodies.Exam:
    """A DICOM series with two bodies drawn on it; not to be changed."""
    return bodies.exam(tmp_path_factory.mktemp("exam"))


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the cohort of `tests.phantom`; not to be changed."""
    folder = tmp_path_factory.mktemp("phantom")
    simulate_cohort(phantoms.SETTINGS, folder)
    return folder


@pytest.fixture(scope="session")
def emulator() -> Iterator[storages.Emulator]:
    """An emulator of S3; see `tests.object_storage`."""
    storages.needed()
    found = storages.Emulator()
    found.start()
    yield found
    found.close()


@pytest.fixture
def bucket(
    emulator: storages.Emulator, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[storages.Bucket]:  # fmt: skip
    """An empty bucket, to which the environment leads; what is staged lies in a folder beside."""
    for name, value in storages.environment(emulator.address).items():
        monkeypatch.setenv(name, value)
    place = tmp_path_factory.mktemp("scratch")
    monkeypatch.setenv("CENTRUM_SCRATCH", str(place / "own"))
    storages.as_at_first()
    emulator.ask("PUT", f"/{place.name}")
    yield storages.Bucket(emulator, place.name)
    storages.as_at_first()
