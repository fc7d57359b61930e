"""Where a result comes from: steps with their parameters, digests of content, keys of jobs.

What a job leaves is kept under its key and served as long as the key is the same, so whatever can
change a result has to stand in the key: the kind of job, this version, the libraries that compute,
and every value that is passed as read.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from centrum.errors import DataError

__version__ = "0.3.0"

MEASURING = ("numpy", "scipy", "numba", "SimpleITK", "PyWavelets", "pydicom")
"""Packages that can change what is measured of an image."""

MODELLING = ("numpy", "scipy", "numba", "pandas", "scikit-learn", "imbalanced-learn")
"""Packages that can change what is made of numbers."""

DRAWING = ("numpy", "matplotlib", "contourpy", "kiwisolver", "fonttools", "pillow")
"""Packages that can change a picture."""

PACKAGES = tuple(dict.fromkeys((*MEASURING, *MODELLING)))
"""Their versions stand in every report: they can change a result."""


@dataclass(frozen=True)
class Step:
    """One thing that was done to data: its name, its parameters, the version that did it.

    >>> Step("discretise", {"method": "fixed_bin_number", "bins": 32}).parameters["bins"]
    32
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str = __version__


History = tuple[Step, ...]


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text.

    >>> canonical_json({"b": 1, "a": (2.5, None)})
    '{"a":[2.5,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=True)


def digest(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of `value`.

    >>> digest({"a": 1}) == digest({"a": 1}) != digest({"a": 2})
    True
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of the bytes of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def job_key(kind: str, packages: Sequence[str], **reads: object) -> str:
    """SHA-256 of a kind of job and of all that it reads.

    Parameters
    ----------
    kind : a word of its own for each kind of job
    packages : names of the libraries that compute it
    reads : JSON-ready values; the order within lists and mappings counts

    >>> one = job_key("demo", ("numpy",), masks={"a": 1, "b": 2})
    >>> one == job_key("demo", ("numpy",), masks={"b": 2, "a": 1})
    False
    """
    text = json.dumps([kind, software(packages), reads], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def software(packages: Sequence[str]) -> dict[str, str]:
    """The versions of the package itself and of others."""
    return {"centrum": __version__, **{name: package_version(name) for name in packages}}


@lru_cache
def package_version(name: str) -> str:
    """The version of an installed package."""
    return version(name)


@contextmanager
def unchanged(*paths: Path) -> Iterator[dict[str, str]]:
    """Digests of files by their names, which are read within and must stay as they are meanwhile.

    A file that is not there has none: reading it says so.

    Raises
    ------
    DataError
        A file was changed while it was read.
    """
    before = {path: file_digest(path) for path in paths if path.is_file()}
    yield {path.name: known for path, known in before.items()}
    for path, known in before.items():
        if not path.is_file() or file_digest(path) != known:
            raise changed_meanwhile(path.name, path.name)


def changed_meanwhile(what: str, file: str = "") -> DataError:
    """The error of a file that is not as it was when its reading began."""
    return DataError(
        f"{what} was changed while it was read: what was read may be half of the old and half of "
        "the new.",
        remedy="Wait until it is saved or copied, and run the same command again.",
        code="changed-meanwhile",
        file=file,
    )
