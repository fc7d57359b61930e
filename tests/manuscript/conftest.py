"""The made-up study of the report, with a protocol that fits its table."""

from dataclasses import replace

import pytest

from centrum.protocol import Protocol
from centrum.results import StudyResults
from tests.report.conftest import Make, make, sources

__all__ = ["make", "sources"]


@pytest.fixture(scope="session")
def results(make: Make) -> StudyResults:
    """Two readers; every choice as the settings have it by default."""
    return replace(make(), protocol=Protocol(name="A study"))
