"""Docstrings of the package as mkdocstrings reads them.

Ours have a name, a colon and what it is on one line; numpydoc has a type there and what it is
below. Prose and examples stand anywhere in ours; numpydoc wants prose before the sections and a
heading above the examples.
"""

import re
from typing import Any

from griffe import Extension, Object

HEADING = re.compile(r"^[A-Z]\w+\n-+(\n|$)")
DESCRIBES = re.compile(r"^(Parameters|Attributes)\n")
ITEM = re.compile(r"^([\w, *]+) : (.*)$", re.MULTILINE)
EXAMPLE = re.compile(r"^>>> ", re.MULTILINE)


class Docstrings(Extension):
    """Brings every docstring into numpydoc's form before it is parsed."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called by griffe for each object that it has read."""
        if obj.docstring:
            obj.docstring.value = as_numpydoc(obj.docstring.value)


def as_numpydoc(text: str) -> str:
    """Prose, sections with what a name is below it, examples under their heading."""
    example = EXAMPLE.search(text)
    described, shown = (text[: example.start()], text[example.start() :]) if example else (text, "")
    prose: list[str] = []
    sections: list[str] = []
    for paragraph in re.split(r"\n\n(?! )", described.strip()):
        (sections if HEADING.match(paragraph) else prose).append(paragraph)
    parts = prose + [
        _items_below(section) for section in sections if section != "Examples\n--------"
    ]
    return "\n\n".join([*parts, *([f"Examples\n--------\n{shown}"] if shown else [])])


def _items_below(section: str) -> str:
    return ITEM.sub(r"\1\n    \2", section) if DESCRIBES.match(section) else section
