"""What a section of the report is, and the register of all of them."""

from collections.abc import Callable

from centrum.report.blocks import Block
from centrum.report.results import StudyResults

Section = Callable[[StudyResults], Block | None]
"""From the results of a study to a section of its report; None where a study has no such part."""

REGISTERED: dict[str, Section] = {}
"""Name of the module -> its section."""


def section(write: Section) -> Section:
    """Register a section under its name, which is that of its module.

    Raises
    ------
    ValueError
        Another section has the name.
    """
    name = write.__name__
    if name in REGISTERED:
        raise ValueError(f"There is a section '{name}' already; choose another name.")
    REGISTERED[name] = write
    return write


def section_of(name: str) -> Section:
    """The section of a module.

    Raises
    ------
    ValueError
        The module has no such section.
    """
    if name not in REGISTERED:
        raise ValueError(
            f"The module '{name}' of the sections registers no section of that name; put @section "
            f"above def {name}(results)."
        )
    return REGISTERED[name]
