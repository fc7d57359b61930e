"""PyRadiomics' loggers: messages go to "radiomics" and its children."""

import logging

logger = logging.getLogger("radiomics")
handler = logging.StreamHandler()


def setVerbosity(level: int) -> None:
    """Print messages from this level (10 debug to 50 critical, 60 none) on to stderr."""
    handler.setLevel(min(max(level, logging.DEBUG), 60))
    if handler.level < logger.level:
        logger.setLevel(handler.level)


def _set_up() -> None:
    logger.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    setVerbosity(logging.WARNING)


_set_up()
