"""PyRadiomics' loggers: messages go to "radiomics" and its children."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

logger = logging.getLogger("radiomics")
handler = logging.StreamHandler()


DATED = "[%(asctime)s] %(levelname)-.1s: %(name)s: %(message)s"
"""Messages of a command."""


def setVerbosity(level: int) -> None:
    """Print messages from this level (10 debug to 50 critical, 60 none) on to stderr."""
    handler.setLevel(min(max(level, logging.DEBUG), 60))
    if handler.level < logger.level:
        logger.setLevel(handler.level)


@dataclass(frozen=True)
class Messages:
    """Which messages a command shows.

    Attributes
    ----------
    level : from which on they go to stderr
    file, file_level : the log file to which they are appended, and from which level on
    """

    level: int
    file: str | None
    file_level: str

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Messages go there meanwhile, and where they went before afterwards."""
        before = logger.level, handler.level, handler.formatter
        file = self._file_handler()
        for one, level in ((handler, self.level), (file, self.file_level)):
            one.setLevel(level)
            one.setFormatter(logging.Formatter(DATED, "%Y-%m-%d %H:%M:%S"))
        logger.setLevel(min(handler.level, file.level))
        logger.addHandler(file)
        try:
            yield
        finally:
            logger.removeHandler(file)
            file.close()
            logger.setLevel(before[0])
            handler.setLevel(before[1])
            handler.setFormatter(before[2])

    def _file_handler(self) -> logging.Handler:
        if self.file is None:
            return logging.NullHandler()
        return logging.FileHandler(self.file, encoding="utf-8", delay=True)


def _set_up() -> None:
    logger.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    setVerbosity(logging.WARNING)


_set_up()
