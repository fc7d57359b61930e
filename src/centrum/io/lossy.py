"""Whether an image has been compressed with loss, as DICOM files say it.

It stays said in the header when the pixels are unpacked again. Coefficients that were thrown away
are texture: such an image is read, and told.

Sources: DICOM PS3.3, C.7.6.1.1.5 (Lossy Image Compression); PS3.5, 8.2 (transfer syntaxes).
"""

from collections.abc import Callable, Iterable
from typing import Any

from centrum.io.checks import LOSSY
from centrum.io.codestream import ALWAYS_LOSSY, MAY_BE_LOSSY
from centrum.io.dicom_object import uid_name

LOSSY_KEYWORDS = (
    "LossyImageCompression",
    "LossyImageCompressionMethod",
    "LossyImageCompressionRatio",
)
"""The entries that say it."""

_METHODS = {
    "ISO_10918_1": "JPEG",
    "ISO_14495_1": "JPEG-LS",
    "ISO_15444_1": "JPEG 2000",
    "ISO_15444_2": "JPEG 2000",
    "ISO_15444_15": "HTJ2K",
}


_Value = Callable[[str], Any]


def lossy_note(headers: Iterable[tuple[_Value, str]]) -> dict[str, list[str]]:
    """What the reading step says of files, as `lossy_compression` takes them; nothing of none."""
    found = sorted({lossy_compression(value, syntax) for value, syntax in headers} - {""})
    return {LOSSY: found} if found else {}


def lossy_compression(value: _Value, syntax: str) -> str:
    """What an image lost something by, "" where nothing says that it did.

    Parameters
    ----------
    value : an entry of the header by its keyword, None if absent
    syntax : UID of the transfer syntax

    >>> header = {"LossyImageCompression": "01", "LossyImageCompressionRatio": 12.5}
    >>> lossy_compression(header.get, "1.2.840.10008.1.2.1")
    'compression with loss, 12.5 to 1'
    >>> lossy_compression({}.get, "1.2.840.10008.1.2.4.50")
    'JPEG Baseline (Process 1)'
    """
    said, methods, ratios = (_several(value(keyword)) for keyword in LOSSY_KEYWORDS)
    if said == ["01"]:
        known = [_METHODS[each] for each in methods if each in _METHODS]
        by = ", then ".join(known) or "compression with loss"
        shown = ", then ".join(f"{r:g}" for r in ratios if isinstance(r, float) and r > 1)
        return f"{by}, {shown} to 1" if shown else by
    # Of the second the standard wants the entry, and nothing else tells.
    lossy = syntax in ALWAYS_LOSSY or (syntax in MAY_BE_LOSSY and said != ["00"])
    return uid_name(syntax) if lossy else ""


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
