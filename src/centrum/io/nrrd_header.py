"""The header of an NRRD file, taken apart as the format says and SimpleITK does.

Names of fields and their words are written in any case; each field stands once; key/value pairs
are apart from fields. What SimpleITK would pass over, guess or crash over is refused: a field that
is not known, numbers with something behind them, lines that are too long.

Source: https://teem.sourceforge.net/nrrd/format.html.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, prod
from pathlib import Path

import numpy as np

from centrum.errors import ImageError
from centrum.io.gzipped import FARTHEST_MM, damaged

MAGIC = b"NRRD"

LONGEST_HEADER = 1 << 20
"""Bytes among which the header must end; it holds text, and no voxels."""

LONGEST_FIELD = 800
"""Characters of a field: SimpleITK writes longer ones past the end of its messages, and crashes."""

_FREE = {"content", "sampleunits", "number"}
"""Fields of any text, which SimpleITK does not parse."""

_NAMES = (
    "content", "number", "type", "block size", "dimension", "space", "space dimension", "sizes",
    "spacings", "thicknesses", "axis mins", "axis maxs", "space directions", "centers",
    "centerings", "kinds", "labels", "units", "min", "max", "old min", "old max", "endian",
    "encoding", "line skip", "byte skip", "sample units", "space units", "space origin",
    "measurement frame", "data file",
)  # fmt: skip
_FIELDS = {spelling: n.replace(" ", "") for n in _NAMES for spelling in (n, n.replace(" ", ""))}

_TYPES = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, "
    "int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
_KINDS = {word: kind for kind, words in _TYPES.items() for word in words.split(", ")}
_ENCODINGS = {
    "raw": "raw", "txt": "text", "text": "text", "ascii": "text", "hex": "hex", "gz": "gzip",
    "gzip": "gzip",
}  # fmt: skip
_SPATIAL = {"domain", "space", "time", "???", "none"}
"""Kinds of axes that run through space or time; along the others lie components of a voxel."""

_VECTOR = re.compile(r"none(?!\S)|\(([^()]*)\)")
_LARGEST_DIMENSION = 16


@dataclass(frozen=True)
class NrrdHeader:
    """What a header says.

    Attributes
    ----------
    fields : values by the names of fields, in lower case and without blanks
    keys : key/value pairs
    end : where the voxels begin, if they are in the same file
    kind, sizes, encoding : of the numbers that are stored, the fastest axis first
    """

    fields: Mapping[str, str]
    keys: Mapping[str, str]
    end: int
    kind: np.dtype
    sizes: tuple[int, ...]
    encoding: str

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return prod(self.sizes)

    @property
    def components_first(self) -> bool:
        """Whether all axes but the first run through space, so that voxels lie as they are read."""
        return all(kind in _SPATIAL for kind in self._axes_kinds[1:])

    @property
    def axes_are_spatial(self) -> bool:
        """Whether no axis runs along the components of a voxel."""
        return all(kind in _SPATIAL for kind in self._axes_kinds)

    @property
    def _axes_kinds(self) -> list[str]:
        """The kind of each axis, "domain" where none is given."""
        return self.fields.get("kinds", "").casefold().split() or ["domain"] * len(self.sizes)


def parse(path: Path, start: bytes) -> NrrdHeader:
    """The header at the `start` of a file, as much of it as `LONGEST_HEADER`.

    Raises
    ------
    ImageError
        The header is damaged ("damaged-file") or of a kind that is not read ("unread-header").
    """
    lines, end = _lines(path, start)
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for line in lines[1:]:
        if line.startswith("#"):
            continue
        name, value = _field(line)
        if name is None:
            keys |= [_pair(path, line)]
        elif name in fields:
            raise damaged(path, f"its header gives {name!r} twice")
        else:
            fields[name] = _checked(path, name, value)
    missing = {"type", "dimension", "sizes", "encoding"} - fields.keys()
    if missing:
        raise damaged(path, f"its header gives no {', '.join(sorted(missing))}")
    return NrrdHeader(
        fields,
        keys,
        end,
        np.dtype(_word(path, fields, "type", _KINDS)),
        _sizes(path, fields),
        _word(path, fields, "encoding", _ENCODINGS),
    )


def _lines(path: Path, start: bytes) -> tuple[list[str], int]:
    """The lines down to an empty one, else to the end of the file, and where the voxels begin."""
    blank = re.search(rb"(?:\r?\n){2}", start)
    text, end = (start[: blank.start()], blank.end()) if blank else (start.rstrip(), len(start))
    if blank is None and len(start) >= LONGEST_HEADER:
        raise damaged(path, f"its header does not end within {LONGEST_HEADER} bytes")
    lines = [_text(line) for line in re.split(rb"\r?\n", text)]
    if "\0" in (whole := "\n".join(lines)) or "\r" in whole:
        raise damaged(path, "its header holds characters that no text has")
    return lines, end


def _text(line: bytes) -> str:
    """Text as 3D Slicer writes it, in UTF-8, or as older programs do."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _field(line: str) -> tuple[str | None, str]:
    """Name and value of a field; no name for what is none."""
    head, colon, value = line.partition(": ")
    return (_FIELDS.get(head.casefold()) if colon else None), value.lstrip(" \t")


def _pair(path: Path, line: str) -> tuple[str, str]:
    """A key and its value, in which a backslash and an n stand for the end of a line."""
    head, colon, _ = line.partition(": ")
    key, mark, value = line.partition(":=")
    if not mark or (colon and ":=" not in head):
        raise damaged(path, f"its header has a line that is no field: {line[:60]!r}")
    return _unescaped(key), _unescaped(value)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\\n])", lambda found: "\n" if found[1] == "n" else "\\", text)


def _checked(path: Path, name: str, value: str) -> str:
    if name not in _FREE and len(value.encode()) > LONGEST_FIELD:
        raise damaged(path, f"its header gives {name!r} in more than {LONGEST_FIELD} characters")
    return value


def _word(path: Path, fields: Mapping[str, str], name: str, known: Mapping[str, str]) -> str:
    value = fields[name].casefold()
    if value not in known:
        raise ImageError(
            f"{path.name} has the {name} {fields[name]!r}, which is not read; known are "
            f"{', '.join(known)}.",
            remedy="Save it again with 3D Slicer.",
            code="unread-header",
            file=path,
        )
    return known[value]


def _sizes(path: Path, fields: Mapping[str, str]) -> tuple[int, ...]:
    words = fields["sizes"].split()
    sizes = tuple(int(w) for w in words if re.fullmatch(r"[1-9][0-9]{0,9}", w))
    if fields["dimension"].strip() != str(len(words)) or len(sizes) != len(words):
        raise damaged(
            path, f"its header gives {fields['dimension']!r} axes of the sizes {fields['sizes']!r}"
        )
    if len(sizes) > _LARGEST_DIMENSION:
        raise damaged(path, f"it has {len(sizes)} axes")
    return sizes


def whole(path: Path, fields: Mapping[str, str], name: str) -> int:
    """The whole number that a field holds, 0 where it is missing."""
    value = fields.get(name, "0").strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", value):
        raise damaged(path, f"its header gives {name!r} as {value!r}: expected a whole number")
    return int(value)


def numbers(path: Path, fields: Mapping[str, str], name: str) -> list[float | None]:
    """The numbers of a field; None for one that is not given ("nan")."""
    return [_number(path, name, word) for word in fields.get(name, "").split()]


def vectors(path: Path, fields: Mapping[str, str], name: str) -> list[tuple[float, ...] | None]:
    """The vectors of a field, such as "(1,0,0)"; None for an axis without one ("none")."""
    value = fields.get(name, "")
    if _VECTOR.sub("", value).strip():
        raise damaged(path, f"its header gives {name!r} as {value!r}: expected vectors")
    return [_vector(path, name, found[1]) for found in _VECTOR.finditer(value)]


def _vector(path: Path, name: str, inside: str | None) -> tuple[float, ...] | None:
    if inside is None:
        return None
    parts = [_number(path, name, word.strip()) for word in inside.split(",")]
    given = tuple(part for part in parts if part is not None)
    return given if len(given) == len(parts) else None


def _number(path: Path, name: str, word: str) -> float | None:
    if not re.fullmatch(
        r"[+-]?(nan|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)", word, re.IGNORECASE | re.ASCII
    ):
        raise damaged(path, f"its header gives {name!r} as {word!r}: expected a number")
    number = float(word)
    if abs(number) > FARTHEST_MM:
        raise damaged(path, f"its header gives {name!r} as {word!r}, which is no length in mm")
    return None if isnan(number) else number
