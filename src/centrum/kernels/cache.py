"""Where compiled kernels are kept, so that they are found wherever the package lies.

numba keeps them in `NUMBA_CACHE_DIR`, beside the package, or in the user's folder of caches. Where
it may write to none of these it refuses to define a kernel, and over a damaged entry it raises.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import caching, config

from centrum.provenance import __version__


class _WholeOrAbsent(caching.IndexDataCacheFile):
    """Entries of a kernel; damaged ones are compiled again, and none is needed.

    numba knows an entry by the file of its kernel alone, in which constants of other files are
    compiled: those of another version are compiled again, too.
    """

    def __init__(self, cache_path: str, filename_base: str, source_stamp: Any) -> None:
        super().__init__(cache_path, filename_base, (source_stamp, __version__))

    def load(self, key: Any) -> Any:
        try:
            return super().load(key)
        except Exception:  # whatever reading half a pickle raises
            with suppress(OSError):
                self.flush()
            return None

    def save(self, key: Any, data: Any) -> None:
        with suppress(OSError):
            super().save(key, data)


def use_cache() -> None:
    """Have the kernels that are defined from now on kept in a place that there is."""
    caching.IndexDataCacheFile = _WholeOrAbsent
    try:
        njit(cache=True)(_kernel)
    except RuntimeError:  # numba has no place
        config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] = str(_own_folder())


def _kernel() -> None:
    """A kernel like all others of this folder."""


def _own_folder() -> Path:
    """A folder among the temporary files that nobody else can write to: code is run from it."""
    user = os.getuid() if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir(), f"centrum-kernels-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if hasattr(os, "getuid") and (state.st_uid != user or state.st_mode & 0o077):
        return Path(tempfile.mkdtemp(prefix="centrum-kernels-"))
    return folder
