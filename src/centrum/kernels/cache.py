"""How kernels are compiled, and where they are kept, wherever the package lies.

numba keeps them in `NUMBA_CACHE_DIR`, beside the package, or in the user's folder of caches. Where
it may write to none of these it refuses to define a kernel, and over a damaged entry it raises.
"""

import gc
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from numba.core import caching, config
from numba.core.registry import CPUDispatcher
from numba.core.runtime import rtsys

from centrum.provenance import __version__

OPTIONS = {"nopython": True, "nogil": True, "no_cfunc_wrapper": True, "no_rewrites": True}
"""Of all that is compiled; without the last two numba would make a second way in, for callers in C,
and look for sums of whole arrays to join, which no kernel has, a twentieth of the time."""


def kernel(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Compile a function for Python when it is first called, and keep it; `options` are numba's."""
    if function is None:
        return lambda function: kernel(function, **options)
    made = _Kernel(function, targetoptions={**OPTIONS, **options})
    made.enable_caching()
    return made


def part(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Compile a function into the kernels that call it; Python cannot call it.

    Neither a way in from Python is compiled, which costs as much as a short function, nor is it
    kept apart from those kernels.
    """
    if function is None:
        return lambda function: part(function, **options)
    return _KernelPart(function, targetoptions={"no_cpython_wrapper": True, **OPTIONS, **options})


class _Kernel(CPUDispatcher):
    def enable_caching(self) -> None:
        self._cache = _KernelCache(self.py_func)

    def compile(self, signature: Any) -> Any:
        """Looks for garbage seldom meanwhile, which would take a tenth of the time."""
        often = gc.get_threshold()
        gc.set_threshold(50_000, *often[1:])
        try:
            return super().compile(signature)
        finally:
            gc.set_threshold(*often)


class _KernelPart(CPUDispatcher):
    def __call__(self, *_: object, **__: object) -> NoReturn:
        name = self.py_func.__name__
        raise TypeError(f"{name} is a part of kernels; only they can call it. Make it a kernel.")


class _KernelCache(caching.FunctionCache):
    """Finds a kernel without loading what only compiling needs.

    numba loads all that a function may ever call, scipy's linear algebra with it, before it looks
    into its cache: half the time of a start. It loads them again where there is no entry.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _WholeOrAbsent(
            self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def load_overload(self, signature: Any, context: Any) -> Any:
        rtsys.initialize(context)  # what counts references to arrays: entries call it
        with self._guard_against_spurious_io_errors():
            return self._load_overload(signature, context)


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
    try:
        kernel(_kernel)
    except RuntimeError:  # numba has no place
        config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] = str(_own_folder())


def _kernel() -> None:
    """A kernel like all others."""


def _own_folder() -> Path:
    """A folder among the temporary files that nobody else can write to: code is run from it."""
    user = os.getuid() if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir(), f"centrum-kernels-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if hasattr(os, "getuid") and (state.st_uid != user or state.st_mode & 0o077):
        return Path(tempfile.mkdtemp(prefix="centrum-kernels-"))
    return folder
