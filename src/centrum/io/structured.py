"""Files of keys and values, YAML and JSON: read with limits, and refused where they are unclear.

A key that occurs twice, a number that no computer number holds, a file that unfolds to more than
it shows: each is an error of the class that the caller names, with the line where there is one.

>>> from centrum.errors import ProtocolError
>>> parse_yaml("name: a\\nmri: 2024-05-01", "study.yaml", ProtocolError)
{'name': 'a', 'mri': '2024-05-01'}
>>> parse_json('{"seed": 1, "seed": 2}', "model.json", ProtocolError)
Traceback (most recent call last):
...
centrum.errors.ProtocolError: model.json: 'seed' occurs twice in one block. Keep one of them.
"""

import json
import math
import re
import stat
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import yaml

from centrum.errors import CentrumError

LARGEST_YAML = 2**20
"""Bytes of YAML, which people write by hand."""

LARGEST_JSON = 2**26
"""Bytes of JSON, which programs write."""

MOST_VALUES = 2**23
"""Values and keys that a file may unfold to; a YAML alias counts wherever it stands."""

DEEPEST = 64
"""Blocks within blocks."""

LARGEST_INTEGER = 2**63
"""Integers from here on are held by no column of a table."""

Kind = type[CentrumError]
"""The class of the errors that are raised."""


def read_bytes(path: Path, kind: Kind, most: int) -> bytes:
    """The bytes of an ordinary file, or of a link to one.

    Raises
    ------
    CentrumError
        Of the class `kind`. Codes "no-file", "no-regular-file" (a folder, a pipe, a device),
        "unreadable-file" and "too-large" (more than `most` bytes).
    """
    try:
        state, content = path.stat(), b""
        ordinary = stat.S_ISREG(state.st_mode)
        if ordinary and state.st_size <= most:
            with path.open("rb") as stream:
                content = stream.read(most + 1)
    except FileNotFoundError as error:
        raise kind(
            f"{path.name}: there is no such file in {path.parent.name or '.'!r}.",
            remedy="Correct the name.",
            code="no-file",
            file=path,
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise kind(
            f"{path.name[:80]} cannot be read: {getattr(error, 'strerror', None) or error}.",
            remedy="Correct the name, or the permission to read the file.",
            code="unreadable-file",
            file=path,
        ) from error
    if not ordinary:
        raise kind(
            f"{path.name} is no ordinary file, but a folder, a pipe or a device.",
            remedy="Give a file.",
            code="no-regular-file",
            file=path,
        )
    if max(state.st_size, len(content)) > most:
        raise kind(
            f"{path.name} has more than {_size(most)}.",
            remedy="Is it the right file?",
            code="too-large",
            file=path,
        )
    return content


def _size(n: int) -> str:
    return f"{n >> 20} MB" if n >= 1 << 20 else f"{n} bytes"


def read_text(path: Path, kind: Kind, most: int = LARGEST_YAML) -> str:
    """The text of a file in UTF-8; errors as of `read_bytes`, and the code "not-utf-8"."""
    try:
        return read_bytes(path, kind, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(
            f"{path.name} is not text in UTF-8.",
            remedy="Save it with the encoding UTF-8.",
            code="not-utf-8",
            file=path,
        ) from error


def read_yaml(path: Path, kind: Kind) -> Any:
    """The content of a YAML file; errors as of `read_text` and `parse_yaml`."""
    return parse_yaml(read_text(path, kind), path.name, kind)


def read_json(path: Path, kind: Kind, *, nan: bool = False) -> Any:
    """The content of a JSON file; errors as of `read_text` and `parse_json`."""
    return parse_json(read_text(path, kind, LARGEST_JSON), path.name, kind, nan=nan)


class _Unclear(Exception):
    """What a file says that is refused, and what to do."""


def parse_yaml(text: str, name: str, kind: Kind, *, nan: bool = False) -> Any:
    """What a YAML text says: mappings, lists, text, numbers, truth values and null.

    A date stays the text that was written, and so does a number such as 007. Tags, merged blocks
    (`<<`) and further documents are refused. `name` is what messages call the text, `nan` whether
    numbers may be NaN or infinite.

    Raises
    ------
    CentrumError
        Of the class `kind`, code "not-yaml".
    """
    try:
        content = yaml.load(text, Loader=_Loader)
        _check(content, nan=nan)
    except _Unclear as error:
        raise _refusal(kind, name, *error.args, code="not-yaml") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        told = f"{name} is not YAML: {place}{error.problem or error.context}."
        remedy = "Check that line, and its indentation."
        raise kind(told, remedy=remedy, code="not-yaml", file=name) from error
    except RecursionError as error:
        raise _refusal(kind, name, *_TOO_DEEP, code="not-yaml") from error
    except yaml.YAMLError as error:  # a character that YAML forbids
        told = f"{name} is not YAML: {str(error).splitlines()[0]}."
        raise kind(told, remedy="Remove it.", code="not-yaml", file=name) from error
    except (ValueError, LookupError) as error:  # thousands of digits, `!!int ""`
        told = f"a number or a tag cannot be read: {str(error).split(';')[0]}."
        raise _refusal(kind, name, told, "Correct it.", code="not-yaml") from error
    return content


def parse_json(text: str, name: str, kind: Kind, *, nan: bool = False) -> Any:
    """What a JSON text says. `nan`: whether NaN and Infinity are allowed, as Python writes them.

    Raises
    ------
    CentrumError
        Of the class `kind`, code "not-json".
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique)
        _check(content, nan=nan)
    except _Unclear as error:
        raise _refusal(kind, name, *error.args, code="not-json") from error
    except RecursionError as error:
        raise _refusal(kind, name, *_TOO_DEEP, code="not-json") from error
    except ValueError as error:
        told = f"{name} is not JSON: {str(error).split(';')[0]}."
        raise kind(told, remedy="Copy or write it again.", code="not-json", file=name) from error
    return content


def _refusal(kind: Kind, name: str, told: str, remedy: str, *, code: str) -> CentrumError:
    return kind(f"{name}: {told}", remedy=remedy, code=code, file=name)


_TOO_DEEP = (f"more than {DEEPEST} blocks lie within each other.", "Remove the inner ones.")


def _unique(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    block: dict[Any, Any] = {}
    for key, value in pairs:
        if key in block:
            raise _Unclear(f"{key!r} occurs twice in one block.", "Keep one of them.")
        block[key] = value
    return block


def _check(content: Any, *, nan: bool) -> None:
    """Count the values, look how deep they lie, and at each number and text."""
    level, left = [content], MOST_VALUES
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += (*(key for key in value if isinstance(key, str)), *value.values())
            elif isinstance(value, list):
                below += value
            elif wrong := _wrong(value, nan):
                raise _Unclear(f"{_place(content, value)}{wrong}", "Write it again.")
            if len(below) > left:
                told = f"it unfolds to more than {MOST_VALUES} values."
                raise _Unclear(told, "Remove what is repeated.")
        if not below:
            return
        level, left = below, left - len(below)
    raise _Unclear(*_TOO_DEEP)


def _place(content: Any, wanted: Any) -> str:
    """The keys that lead to a value that is there, with a colon; "" of a key and of the whole.

    >>> _place({"features": [1.5, "a"]}, "a")
    'features.1: '
    """
    level = [("", content)]
    while level:
        for place, value in level:
            if value is wanted:
                return place and f"{place[1:]}: "
        blocks = [(place, dict(_entries(value))) for place, value in level]
        level = [(f"{place}.{key}", v) for place, block in blocks for key, v in block.items()]
    return ""


def _entries(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _wrong(value: Any, nan: bool) -> str:
    """What is wrong with a text or a number, "" if nothing."""
    if isinstance(value, str):
        return (
            "" if value.isascii() or not _HALF_PAIR.search(value) else "it holds half a character."
        )
    if isinstance(value, float) and not (nan or math.isfinite(value)):
        return "expected a finite number, found NaN, infinity or a larger one."
    if isinstance(value, int) and abs(value) >= LARGEST_INTEGER:
        return f"expected a smaller number, found an integer of {value.bit_length()} bits."
    return ""


_HALF_PAIR = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which can stand escaped and be written nowhere."""


class _Loader(yaml.SafeLoader):
    """YAML without tags and merged blocks, in which a key stands once.

    Dates, 007 and 12:30:00 are text, where YAML 1.1 makes them days, octal and sexagesimal numbers;
    1e-4 is a number, where it makes it text.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The block of a node, which a tag may have called one."""
        if not isinstance(node, yaml.MappingNode):
            return super().construct_mapping(node, deep)  # which says what was wanted
        pairs = [(self._key(key), value) for key, value in node.value]
        return _unique((key, self.construct_object(value, deep)) for key, value in pairs)

    def _key(self, node: yaml.Node) -> Hashable:
        if not isinstance(node, yaml.ScalarNode):
            line = node.start_mark.line + 1
            raise _Unclear(f"line {line}: a key is a list or a block.", "Write text before the :.")
        if node.tag == "tag:yaml.org,2002:merge":
            told = f"line {node.start_mark.line + 1}: blocks are not merged with <<."
            raise _Unclear(told, "Write the keys out.")
        key: Hashable = self.construct_object(node)
        return key


_KINDS = ("null", "bool", "int", "float", "str", "seq", "map")
_KNOWN = {None, *(f"tag:yaml.org,2002:{kind}" for kind in _KINDS)}  # None: every other tag

_Loader.yaml_constructors = {
    tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag in _KNOWN
}
_RESOLVED = ("bool", "null", "merge")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag.rpartition(":")[2] in _RESOLVED]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_WHOLE = "[-+]?(?:0|[1-9][0-9]*)"
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(rf"{_WHOLE}\Z"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        rf"(?:{_WHOLE}(?:\.[0-9]*)?|[-+]?\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z"
        r"|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
    ),
    list("-+.0123456789"),
)
