"""Progress of maps, shown by the class that a script sets as `progressReporter` of the package."""

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

from centrum.pyradiomics.verbosity import handler

Item = TypeVar("Item")


class SilentReporter(Generic[Item]):
    """What stands in for a progress reporter, such as `tqdm.tqdm`, and shows nothing.

    >>> with SilentReporter("abc", desc="letters") as letters:
    ...     print(*letters)
    a b c
    """

    def __init__(
        self, iterable: Iterable[Item] = (), desc: str = "", total: float | None = None
    ) -> None:
        self.iterable, self.desc, self.total = iterable, desc, total

    def __iter__(self) -> Iterator[Item]:
        return iter(self.iterable)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    def update(self, n: int = 1) -> None:
        """Nothing is shown."""


def getProgressReporter(*args: Any, **kwargs: Any) -> Any:
    """A progress reporter of the class that was set, or a silent one.

    Parameters
    ----------
    args, kwargs : as `tqdm.tqdm` takes them; maps give `total` and `desc`, and call `update`

    It is silent where none was set, and where `setVerbosity` hides messages of level INFO.

    >>> type(getProgressReporter(total=3, desc="batch")).__name__
    'SilentReporter'
    """
    package = sys.modules[__name__.rpartition(".")[0]]
    shown = logging.NOTSET < handler.level <= logging.INFO
    made = package.progressReporter if shown else None
    return (made or SilentReporter)(*args, **kwargs)
