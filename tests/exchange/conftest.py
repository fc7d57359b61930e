"""Tables as short texts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from centrum.errors import ManifestError
from centrum.exchange import ForeignTable, read_table

Read = Callable[..., ForeignTable]
Refuse = Callable[..., str]


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write lines to a file."""

    def _save(lines: str, name: str = "table.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_text(lines, encoding=encoding)
        return path

    return _save


@pytest.fixture
def read(save: Callable[..., Path]) -> Read:
    """Read a table from its text."""

    def _read(
        lines: str, name: str = "table.csv", encoding: str = "utf-8", **options: str
    ) -> ForeignTable:
        return read_table(save(lines, name, encoding), **options)

    return _read


@pytest.fixture
def refuse(read: Read) -> Refuse:
    """The message of the error that reading a text gives."""

    def _refuse(*args: str, **options: str) -> str:
        with pytest.raises(ManifestError) as caught:
            read(*args, **options)
        return str(caught.value)

    return _refuse
