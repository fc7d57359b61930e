"""Everything that a written file says, opened: to look for names where a plain search is blind."""

import base64
import binascii
import gzip
import html
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

_BASE64 = re.compile(r"base64,\s*([A-Za-z0-9+/\s]+=*)")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_PDF_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_PDF_SHOWN = re.compile(
    rb"\[((?:\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>|[-+.\d\s])*)\]\s*TJ"
    rb"|(\((?:\\.|[^\\()])*\))\s*Tj",
    re.DOTALL,
)
_PDF_STRING = re.compile(rb"\(((?:\\.|[^\\)])*)\)|<([0-9A-Fa-f\s]+)>", re.DOTALL)
_PDF_OCTAL = re.compile(rb"\\([0-7]{1,3})")

_COMBINING = re.compile("[\u0300-\u036f]")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def plain(text: str) -> str:
    """A text without accents and case, so that both Unicode forms of a name are one."""
    if text.isascii():
        return text.casefold()
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text.casefold()))


def spellings(name: str) -> set[str]:
    """How a name may be written: without accents, or with umlauts in two letters."""
    return {plain(name), unicodedata.normalize("NFC", name).casefold().translate(_UMLAUTS)}


def found_in(folder: Path, markers: Iterable[str]) -> list[tuple[str, str]]:
    """(file, marker) for every marker in a name or the content of what lies in a folder."""
    wanted = sorted({spelling for marker in markers for spelling in spellings(marker)})
    found = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        texts = [name, *(texts_of(path.read_bytes()) if path.is_file() else ())]
        held = set().union(*(_held(plain(text), wanted) for text in texts))
        found += [(name, marker) for marker in sorted(held)]
    return found


def _held(text: str, wanted: Iterable[str]) -> set[str]:
    """Markers in a text, but for those within the digits of a number."""
    there = (marker for marker in wanted if marker in text)
    return {m for m in there if re.search(rf"(?<![\d.]){re.escape(m)}(?!\d)", text)}


def texts_of(content: bytes) -> Iterator[str]:
    """All texts in a file, whatever it is packed in."""
    if content[:4] == b"PK\x03\x04":
        yield from _of_zip(content)
    elif content[:2] == b"\x1f\x8b":
        yield from texts_of(gzip.decompress(content))
    elif content[:4] == b"PAR1":
        yield from _of_parquet(content)
    elif content[:8] == b"\x89PNG\r\n\x1a\n":
        yield from _of_png(content)
    elif content[:4] in (b"II*\0", b"MM\0*"):
        yield from _of_tiff(content)
    elif content[:5] == b"%PDF-":
        yield from _of_pdf(content)
    else:
        yield from _of_text(content)


def _of_text(content: bytes) -> Iterator[str]:
    text = _decoded(content)
    wide = ("utf-16-le", "utf-16-be") if b"\0" in content else ()
    for form in (text, *(content.decode(encoding, errors="ignore") for encoding in wide)):
        short = _BASE64.sub("", form)
        yield short
        yield unquote(html.unescape(_ESCAPE.sub(lambda m: chr(int(m[1], 16)), short)))
    for packed in _BASE64.findall(text):
        try:
            yield from texts_of(base64.b64decode("".join(packed.split())))
        except (binascii.Error, zlib.error):
            continue


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _of_zip(content: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for member in packed.infolist():
            yield member.filename
            yield member.comment.decode("utf-8", errors="ignore")
            yield from texts_of(packed.read(member))


def _of_parquet(content: bytes) -> Iterator[str]:
    table = pq.read_table(io.BytesIO(content))
    yield from table.column_names
    for key, value in (table.schema.metadata or {}).items():
        yield from _of_text(key + b"\n" + value)
    for column in table.columns:
        flat = pc.list_flatten(column) if pa.types.is_list(column.type) else column
        yield "\n".join(str(value) for value in flat.unique().to_pylist())


def _of_png(content: bytes) -> Iterator[str]:
    at = 8
    while at + 8 <= len(content):
        size, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        data = content[at + 8 : at + 8 + size]
        if kind != b"IDAT":
            yield from _of_text(data)
            yield from _inflated(data)
        at += 12 + size


def _of_tiff(content: bytes) -> Iterator[str]:
    with Image.open(io.BytesIO(content)) as image:
        for value in image.tag_v2.values():
            raw = str(value).encode("latin-1", errors="replace")  # as the library decoded it
            yield from _of_text(value if isinstance(value, bytes) else raw)


def _of_pdf(content: bytes) -> Iterator[str]:
    for data in (_PDF_STREAM.sub(b"", content), *map(_unpacked, _PDF_STREAM.findall(content))):
        yield data.decode("latin-1")
        shown = (m[1] or m[2] for m in _PDF_SHOWN.finditer(data))
        for strings in (*shown, *(m[0] for m in _PDF_STRING.finditer(data))):
            yield "".join(_pdf_string(*m.groups()) for m in _PDF_STRING.finditer(strings))


def _pdf_string(literal: bytes | None, digits: bytes | None) -> str:
    hexadecimal = "".join((digits or b"").decode().split())
    raw = bytes.fromhex(hexadecimal + "0" * (len(hexadecimal) % 2))  # as ISO 32000-1, 7.3.4.3
    if literal is not None:
        octal = _PDF_OCTAL.sub(lambda m: bytes([int(m[1], 8) & 255]), literal)
        raw = re.sub(rb"\\(.)", rb"\1", octal, flags=re.DOTALL)
    return (
        raw[2:].decode("utf-16-be", "ignore") if raw[:2] == b"\xfe\xff" else raw.decode("latin-1")
    )


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return stream


def _inflated(data: bytes) -> Iterator[str]:
    """Texts that are deflated in the data, from each place where a stream may begin."""
    for begin in re.finditer(rb"x[\x01\x5e\x9c\xda]", data):
        yield from _of_text(_unpacked(data[begin.start() :]))
