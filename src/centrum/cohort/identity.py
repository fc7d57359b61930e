"""Identifiers that may be one: "007" and "7", "P01" and "p 1"."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

_PADDING = re.compile(r"(?<![\d.,])0+(?=\d)")


def bare_id(text: str) -> str:
    """An identifier without what is easily lost: case, blanks, leading zeros, form of Unicode.

    >>> bare_id("P 007"), bare_id("p7"), bare_id("1.05")
    ('p7', 'p7', '1.05')
    """
    joined = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _PADDING.sub("", joined)


def alike(ids: Iterable[str]) -> list[list[str]]:
    """Groups of different identifiers that may be one.

    >>> alike(["007", "7", "8", "8"])
    [['007', '7']]
    """
    groups = defaultdict(list)
    for text in dict.fromkeys(ids):
        groups[bare_id(text)].append(text)
    return [group for group in groups.values() if len(group) > 1]
