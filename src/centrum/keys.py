"""The key of a job: the digest of all that it reads.

What a job leaves is kept under its key and served as long as the key is the same, so whatever can
change a result has to stand here: the kind of job, this version, the libraries that compute, and
every value that is passed as read.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version

from centrum import __version__

MEASURING = ("numpy", "scipy", "numba", "SimpleITK", "PyWavelets", "pydicom")
"""Packages that can change what is measured of an image."""

MODELLING = ("numpy", "scipy", "numba", "pandas", "scikit-learn", "imbalanced-learn")
"""Packages that can change what is made of numbers."""

PACKAGES = tuple(dict.fromkeys((*MEASURING, *MODELLING)))
"""Their versions stand in every report: they can change a result."""


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
    software = {"centrum": __version__, **{name: package_version(name) for name in packages}}
    text = json.dumps([kind, software, reads], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache
def package_version(name: str) -> str:
    """The version of an installed package."""
    return version(name)
