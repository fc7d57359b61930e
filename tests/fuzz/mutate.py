"""Mutations: of bytes, of lines of text, of trees, of containers, and of the fields of headers.

All take a random generator first, so that a mutant is made again from its seed and number.
"""

import copy
import gzip
import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

ODD_NUMBERS = (
    "0", "-0", "1", "-1", "2", "3.5", "-5", "04", "+4", "1e400", "-1e400", "nan", "NaN", "inf",
    "1e-9", "1e12", "4.9e-324", "255", "256", "32768", "65536", "2147483647", "2147483648",
    "-2147483648", "4294967296", "9223372036854775808", "18446744073709551616", "9" * 60,
    "9" * 5000, "0x10", "1_000", "1,5", "١٢", "1 2", "", "True", "1048576", "16385",
)  # fmt: skip

ODD_TEXTS = (
    "", " ", "\t", "x", "None", "null", "NaN", "true", "~", "-", "=1+1", "@a", "'", '"', "#", ":",
    "\\", "/", "../x", "/etc/passwd", "CON", ".", "é", "é", "\u202e", "\u2028", "\ufeff",
    "\x00", "\x0b", "\x1b[31m", "\x85", "\U0001f9b4", "%s", "{}", "{{", "<script>", "</script>",
    "2024-01-31", "20240131", "L1", "1.2.3", "a" * 300, "a" * 5000,
)  # fmt: skip

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 2.5, -0.0, 1e308, 1e-308, math.inf, -math.inf, math.nan,
    2**31, 2**53 + 1, 2**63, 2**64, 10**400, [], {}, [[]], [None], [1, 2], ["a"], {"a": 1},
    {"": None}, *ODD_TEXTS,
)  # fmt: skip

ODD_BYTES = (
    b"\x00", b"\xff", b"\x80", b"\n", b"\r", b"\r\n", b"\n\n", b"\x1a", b"\xef\xbb\xbf",
    b"\xff\xfe", b"\xe4", b"\xc3", b"\x1f\x8b", b"\xed\xa0\x80", b" ", b"\t", b":", b"=", b",",
    b";", b'"', b"'", b"#", b"{", b"[", b"&", b"*", b"!", b"<", b"%", b"\x7f", b"\x85",
)  # fmt: skip

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[A-Za-z][\w.-]*")

Mutation = Callable[[Random, bytes], bytes]


def some(rng: Random, data: bytes, mutations: Sequence[Mutation]) -> bytes:
    """One to three mutations, one after the other."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(mutations)(rng, data)
    return data


# Bytes


def place(rng: Random, data: bytes) -> int:
    """A place in the data, near the beginning more often than not: headers stand there."""
    end = len(data) if rng.random() < 0.3 else min(len(data), 400)
    return rng.randrange(end) if end else 0


def flip(rng: Random, data: bytes) -> bytes:
    """Some bits turned."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8)) if data else 0):
        changed[place(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def odd_bytes(rng: Random, data: bytes) -> bytes:
    """Odd bytes over others, or between them."""
    at, new = place(rng, data), rng.choice(ODD_BYTES)
    return data[:at] + new + data[at + len(new) * rng.randrange(2) :]


def cut(rng: Random, data: bytes) -> bytes:
    """Truncated, or a piece taken out."""
    at = place(rng, data)
    return data[:at] if rng.random() < 0.5 else data[:at] + data[at + rng.choice((1, 2, 4, 50)) :]


def splice(rng: Random, data: bytes) -> bytes:
    """A piece from elsewhere put in, or over what was there."""
    start, at, n = place(rng, data), place(rng, data), rng.choice((1, 4, 16, 100, 1000))
    return data[:at] + data[start : start + n] + data[at + n * rng.randrange(2) :]


def binary_number(rng: Random, data: bytes) -> bytes:
    """A number of 1 to 8 bytes over what was there."""
    kind = rng.choice("bhiqfd")
    number = packed(rng, rng.choice("<>") + kind)
    at = place(rng, data)
    return data[:at] + number + data[at + len(number) :]


def packed(rng: Random, kind: str) -> bytes:
    """An odd number in the format of `struct`."""
    if kind[-1] in "fd":
        odd = (0.0, -0.0, 1.0, -1.0, 0.5, 347.0, 1e30, 1e-30, math.inf, -math.inf, math.nan, 352.5)
        return struct.pack(kind, rng.choice(odd))
    bits = 8 * struct.calcsize(kind)
    odd = (0, 1, -1, 2, 3, 7, 8, 16, 100, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), 2 ** (bits - 2))
    return struct.pack(kind, rng.choice(odd) % 2**bits if kind[-1].isupper() else rng.choice(odd))


def surplus(rng: Random, data: bytes) -> bytes:
    """Something behind the end."""
    return data + rng.choice(ODD_BYTES) * rng.choice((1, 3, 1000))


BYTES: tuple[Mutation, ...] = (flip, odd_bytes, cut, splice, binary_number, surplus)


# Text


def text_of(data: bytes) -> str:
    """Bytes as letters that become the same bytes again, by `bytes_of`."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes of a text, with whatever cannot be written."""
    return text.encode("utf-8", "surrogatepass") if _lone(text) else _escaped(text)


def _lone(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" for c in text)


def _escaped(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def of_text(change: Callable[[Random, str], str]) -> Mutation:
    """The mutation of bytes that a mutation of text is."""
    return lambda rng, data: bytes_of(change(rng, text_of(data)))


def lines(rng: Random, text: str) -> str:
    """A line taken out, repeated, moved, or made long."""
    own = text.split("\n")
    k = rng.randrange(len(own))
    what = rng.randrange(5)
    if what == 0:
        del own[k]
    elif what == 1:
        own.insert(rng.randrange(len(own) + 1), own[k])
    elif what == 2:
        own.insert(rng.randrange(len(own)), own.pop(k))
    elif what == 3:
        own[k] += rng.choice("x 1,;\t") * rng.choice((300, 5000, 100_000))
    else:
        own[k : k + 1] = [own[k]] * rng.choice((3, 200))
    return "\n".join(own)


def _replaced(rng: Random, text: str, pattern: re.Pattern[str], new: str) -> str:
    found = list(pattern.finditer(text))
    if not found:
        return text + new
    match = rng.choice(found)
    return text[: match.start()] + new + text[match.end() :]


def number(rng: Random, text: str) -> str:
    """An odd number in the place of one."""
    return _replaced(rng, text, _NUMBER, rng.choice(ODD_NUMBERS))


def word(rng: Random, text: str) -> str:
    """An odd text in the place of a word."""
    return _replaced(rng, text, _WORD, rng.choice(ODD_TEXTS))


def other_word(rng: Random, text: str) -> str:
    """A word of the text in the place of another."""
    return _replaced(rng, text, _WORD, rng.choice(_WORD.findall(text) or ["x"]))


def case(rng: Random, text: str) -> str:
    """A word in other letters."""
    words = list(_WORD.finditer(text))
    if not words:
        return text.swapcase()
    match = rng.choice(words)
    change = rng.choice((str.upper, str.lower, str.title, str.swapcase))
    return text[: match.start()] + change(match[0]) + text[match.end() :]


def put_in(rng: Random, text: str) -> str:
    """An odd text anywhere."""
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(ODD_TEXTS) + text[at:]


def line_ends(rng: Random, text: str) -> str:
    """Other ends of lines."""
    return text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", "\x85", "\u2028", "")))


def encoded(rng: Random, data: bytes) -> bytes:
    """In another encoding."""
    text = data.decode("utf-8", "replace")
    kind = rng.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp037", "utf-7"))
    return text.encode(kind, "replace")


def entry(known: Sequence[str]) -> Mutation:
    """A line of those that the format knows, put anywhere among the first lines."""

    def put(rng: Random, text: str) -> str:
        own = text.split("\n")
        own.insert(rng.randrange(min(len(own), 30) + 1), rng.choice(known))
        return "\n".join(own)

    return of_text(put)


TEXT: tuple[Mutation, ...] = (
    *map(of_text, (lines, number, number, word, other_word, case, put_in, line_ends)), encoded,
)  # fmt: skip


# Trees, as of JSON and YAML


def tree(rng: Random, root: Any) -> Any:
    """A copy with one to four places changed."""
    root = copy.deepcopy(root)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(root))
        if places:
            _change(rng, *rng.choice(places))
    return root


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a node."""
    if not isinstance(node, dict | list):
        return []
    keys = list(node) if isinstance(node, dict) else range(len(node))
    found = [(node, key) for key in keys]
    for key in keys:
        found += _places(node[key])
    return found


def _change(rng: Random, parent: Any, key: Any) -> None:
    old = parent[key]
    what = rng.randrange(8)
    if what == 0:
        del parent[key]
    elif what == 1 and isinstance(parent, dict):
        del parent[key]
        parent[rng.choice((str(key).upper(), f"{key}s", "", "x", str(key)[:-1]))] = old
    elif what == 2:
        parent[key] = rng.choice(([old], {"value": old}, str(old), [old, old]))
    elif what == 3 and isinstance(old, list) and old:
        parent[key] = rng.choice((old[::-1], old[1:], old + old[:1], old * 2))
    elif what == 4 and isinstance(old, float | int):
        parent[key] = rng.choice((-old, old + 1, old * 1000, float(old), old * 1e-9, str(old)))
    elif what == 5:
        parent[key] = _deep(rng.choice((3, 100)))
    else:
        parent[key] = rng.choice(ODD_VALUES)


def _deep(n: int) -> Any:
    value: Any = 1
    for _ in range(n):
        value = [value]
    return value


def of_json(rng: Random, data: bytes) -> bytes:
    """A JSON text whose tree is changed; other bytes are mutated as text."""
    try:
        return json.dumps(tree(rng, json.loads(data)), indent=1).encode()
    except (ValueError, RecursionError):
        return some(rng, data, TEXT)


def deep_json(rng: Random, data: bytes) -> bytes:
    """JSON so deep that parsers give up."""
    return b"[" * rng.choice((2000, 100_000)) + data[:20]


# Containers


def of_gzip(inner: Sequence[Mutation]) -> Mutation:
    """Of what is compressed, of the compressed bytes, or surplus data behind either."""

    def change(rng: Random, data: bytes) -> bytes:
        what = rng.random()
        if what < 0.15 or len(data) > 1 << 20:
            return some(rng, data, BYTES)
        if what < 0.16:
            return data + gzip.compress(bytes(1 << 24), mtime=0) * 100
        try:
            content = gzip.decompress(data)
        except (OSError, EOFError, ValueError, zlib.error):
            return some(rng, data, BYTES)
        return gzip.compress(some(rng, content, inner), mtime=0)

    return change


def of_zip(inner: Sequence[Mutation]) -> Mutation:
    """Of one member of an archive, which is packed again; sometimes of the archive's bytes."""

    def change(rng: Random, data: bytes) -> bytes:
        if rng.random() < 0.1:
            return some(rng, data, BYTES)
        try:
            members = _unzipped(data)
        except Exception:  # whatever the library makes of a broken archive
            return some(rng, data, BYTES)
        _change_member(rng, members, inner)
        return zipped(members)

    return change


def _unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes]) -> bytes:
    """An archive that is the same whenever it is made."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content,
                             zipfile.ZIP_DEFLATED)  # fmt: skip
    return whole.getvalue()


def _change_member(rng: Random, members: dict[str, bytes], inner: Sequence[Mutation]) -> None:
    names = list(members)
    tables = [name for name in names if "sheet" in name or "content" in name or "String" in name]
    name = rng.choice(tables if tables and rng.random() < 0.7 else names or [""])
    what = rng.randrange(20)
    if what == 0:
        members.pop(name, None)
    elif what == 1:
        members[rng.choice((name.upper(), f"x/{name}", "../x", ""))] = members.pop(name, b"")
    elif what == 2:
        members[name] = members[rng.choice(names)] if names else b""
    else:
        members[name] = some(rng, members.get(name, b""), inner)


CELLS = ("XFD1048576", "A1048576", "XFD1", "A0", "0", "", "1A", "ZZZZ9", "A-1", "a1", "$A$1")
"""References of cells, of which some do not exist."""

TYPES = ("s", "n", "b", "e", "d", "str", "inlineStr", "x", "")


def cell(rng: Random, text: str) -> str:
    """Another reference or type of a cell, in the XML of a sheet."""
    if rng.random() < 0.5:
        return _replaced(rng, text, re.compile(r'(?<= r=")[^"]*'), rng.choice(CELLS))
    return _replaced(rng, text, re.compile(r'(?<= t=")[^"]*'), rng.choice(TYPES))


def tag(rng: Random, text: str) -> str:
    """An element's tag taken away, repeated, or called otherwise."""
    found = list(re.finditer(r"<[^>]+>", text))
    if not found:
        return text
    match = rng.choice(found)
    new = rng.choice(("", match[0] * 2, "<x/>", "<v>99999</v>", "<!DOCTYPE a [<!ENTITY b 'c'>]>",
                      match[0].upper(), "<f>1+1</f>", "&b;"))  # fmt: skip
    return text[: match.start()] + new + text[match.end() :]


def repeated(rng: Random, text: str) -> str:
    """Repetitions of rows and columns, as OpenDocument counts them."""
    head = rng.choice(("columns", "rows"))
    count = rng.choice(("1048576", "1000000000000", "-1", "0", "x", ""))
    mark = f"<table:table-{'cell' if head == 'columns' else 'row'}"
    return text.replace(mark, f'{mark} table:number-{head}-repeated="{count}"', rng.randrange(1, 3))


XML: tuple[Mutation, ...] = (
    *map(of_text, (cell, cell, tag, repeated, number, word, put_in, case)), flip, cut, encoded,
)  # fmt: skip


# Fields of binary headers


def in_field(places: Sequence[tuple[int, str]]) -> Mutation:
    """An odd number in a field, given by where it stands and its format."""

    def put(rng: Random, data: bytes) -> bytes:
        at, kind = rng.choice(places)
        new = packed(rng, f"<{kind}")
        return data[:at] + new + data[at + len(new) :]

    return put
