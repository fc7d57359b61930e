"""Manifests as short texts."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a manifest of the given rows; a row is text with commas."""

    def _write(*rows: str, name: str = "cases.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(rows) + "\n", encoding=encoding)
        return path

    return _write
