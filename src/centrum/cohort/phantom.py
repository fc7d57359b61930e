"""How a folder says that its patients are simulated; see `centrum.simulate`."""

from pathlib import Path

MARKER = "phantom.json"
"""File that lies beside a manifest of simulated patients."""

NOTICE = "Simulated patients: a phantom cohort proves the software, not the medicine."
"""Stands in every file of the cohort; reports repeat it on every page."""


def is_phantom(folder: Path | str) -> bool:
    """Whether a folder holds simulated patients."""
    return (Path(folder) / MARKER).exists()
