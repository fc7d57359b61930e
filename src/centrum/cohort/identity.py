"""Identifiers that may be one: "007" and "7", "P01" and "p 1"."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

_PADDING = re.compile(r"(?<![\d.,])0+(?=\d)")
_WHOLE = re.compile(r"(\d+)\.0+")


def bare_id(text: str) -> str:
    """An identifier without what is easily lost or not seen.

    Case, blanks, leading zeros, the form of Unicode, marks without width, kinds of dashes, and the
    .0 that a program puts behind a number.

    >>> bare_id("P 007"), bare_id("p7"), bare_id("1.05"), bare_id("P\u20117\u200b")
    ('p7', 'p7', '1.05', 'p-7')
    >>> bare_id("1001.0")
    '1001'
    """
    joined = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    if not joined.isascii():
        kinds = {c: unicodedata.category(c) for c in joined}
        joined = "".join("-" if kinds[c] == "Pd" else c for c in joined if kinds[c] != "Cf")
    whole = _WHOLE.fullmatch(joined)
    return _PADDING.sub("", whole[1] if whole else joined)


def alike(ids: Iterable[str]) -> list[list[str]]:
    """Groups of different identifiers that may be one.

    >>> alike(["007", "7", "8", "8"])
    [['007', '7']]
    """
    groups = defaultdict(list)
    for text in dict.fromkeys(ids):
        groups[bare_id(text)].append(text)
    return [group for group in groups.values() if len(group) > 1]
