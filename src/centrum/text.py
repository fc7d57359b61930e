"""Text from files and people, made fit for every page, table and file name that shows it."""

import re
from hashlib import sha256
from typing import Any

_ILLEGAL = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+|[\u202a-\u202e\u2066-\u2069]+"
)
"""What XML, and with it Word, cannot hold: control characters, halves of surrogate pairs; and what
turns the direction of the text behind it, such as that of a sentence which names a case."""

_BREAKS = re.compile("[\t\n\r\u2028\u2029]+")

_RESERVED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
"""What some file system forbids in a name."""

_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, whatever their ending."""

STEM_BYTES = 96
"""Longest stem of a file name in UTF-8; many file systems stop at 143 or 255 with the ending."""


def legal(text: str) -> str:
    r"""`text` with a space for every run of characters that no page can hold.

    >>> legal("Cologne\x0bWest"), legal("two\nlines")
    ('Cologne West', 'two\nlines')
    """
    return _ILLEGAL.sub(" ", text)


def one_line(text: str) -> str:
    r"""`text` as the cell of a table or a name: legal, on one line, without blanks around it.

    >>> one_line(" Cologne\x0bWest\r\n"), one_line("Age\n(years)")
    ('Cologne West', 'Age (years)')
    """
    return _BREAKS.sub(" ", legal(text)).strip()


def one_line_each(value: Any) -> Any:
    r"""Nested lists and mappings with all their texts, keys too, on one line.

    >>> one_line_each({"name": "a\x07b", "seed": 7, "notes": ["c\nd"]})
    {'name': 'a b', 'seed': 7, 'notes': ['c d']}
    """
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {one_line_each(key): one_line_each(item) for key, item in value.items()}
    return [one_line_each(item) for item in value] if isinstance(value, list) else value


def spelled(value: object) -> str:
    """A cell of a table as text: a whole number is written as one, however the table is read.

    A column of numbers with a gap becomes one of 1001.0, and seven digits would else merge.

    >>> spelled(1001.0), spelled(1234567.0), spelled(2.5), spelled("1001")
    ('1001', '1234567', '2.5', '1001')
    """
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def file_stem(name: str, taken: tuple[str, ...] = ()) -> str:
    """`name` as part of a file name that every file system takes.

    A plain name stays. Another, or one of `taken`, gets what it may keep and a digest, so that no
    two names have one file.

    >>> file_stem("P 7"), file_stem("a:b"), len(file_stem("x" * 300))
    ('P 7', 'a_b-6783a31e', 96)
    """
    kept = _RESERVED.sub("_", legal(name)).strip(" .")
    if name and kept == name and len(name.encode()) <= STEM_BYTES and not _taken(name, taken):
        return name
    mark = "-" + sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return kept.encode()[: STEM_BYTES - len(mark)].decode(errors="ignore") + mark


def _taken(name: str, taken: tuple[str, ...]) -> bool:
    return bool(_DEVICES.fullmatch(name)) or name.casefold() in taken
