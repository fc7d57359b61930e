"""The unit of a generated text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Paragraph:
    """A paragraph under a heading; several may share one.

    >>> Paragraph("Software", "Version 1.").heading
    'Software'
    """

    heading: str
    text: str
