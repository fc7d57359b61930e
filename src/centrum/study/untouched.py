"""What `init` wrote into a study folder, and whether somebody has worked on it since."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from centrum.errors import ManifestError
from centrum.provenance import file_digest
from centrum.store import write_atomically

MARK = ".begun.json"
"""File beside the study's own with the digest of each as it was written."""

_DIGESTS = TypeAdapter(dict[str, str])


def remember_begun(folder: Path, names: Sequence[str]) -> None:
    """Note the digests of the files that were just written."""
    digests = {name: file_digest(folder / name) for name in names if (folder / name).is_file()}
    write_atomically(folder / MARK, json.dumps(digests, indent=1).encode())


def make_way(folder: Path, names: Sequence[str], kept: Sequence[str]) -> None:
    """Take those of the files away that are as they were written, so that `init` can be repeated.

    Raises
    ------
    ManifestError
        One of `kept` is there and was worked on; nothing is taken away then.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     folder = Path(place)
    ...     _ = [(folder / name).write_text("begun") for name in ("a", "b")]
    ...     remember_begun(folder, ["a", "b"])
    ...     _ = (folder / "b").write_text("a day's work")
    ...     make_way(folder, ["a", "b"], kept=["a"])
    ...     [name for name in ("a", "b") if (folder / name).exists()]
    ['b']
    """
    known = _remembered(folder / MARK)
    there = {name for name in (*names, *kept) if (folder / name).exists()}
    untouched = {name for name in there if known.get(name) == file_digest(folder / name)}
    for name in kept:
        if name in there - untouched:
            raise ManifestError(
                f"{name} exists and is not overwritten: it may hold a day's work.",
                remedy="Move it away, or begin in another folder: centrum init IMAGES_DIR STUDY.",
                code="manifest-exists",
                file=name,
            )
    for name in untouched:
        (folder / name).unlink()


def _remembered(mark: Path) -> dict[str, str]:
    """Digest by name; a mark that cannot be understood counts as absent: what is there stays."""
    try:
        return _DIGESTS.validate_json(mark.read_bytes())
    except (OSError, ValidationError):
        return {}
