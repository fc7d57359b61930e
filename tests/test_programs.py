"""Without the programs of others tests skip, and in continuous integration they fail."""

from pathlib import Path

import pytest

from tests import programs


@pytest.mark.parametrize(
    ("value", "ending"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_a_missing_program_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str, ending: type[Exception]
) -> None:
    monkeypatch.setattr(programs.shutil, "which", lambda name: None)
    monkeypatch.setenv("CI", value)
    with pytest.raises(ending, match="needs dciodvfy, of Debian's dicom3tools"):
        programs.faults(Path("a.dcm"))
