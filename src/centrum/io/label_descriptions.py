"""Label descriptions of ITK-SNAP: a text file beside a label map that names its labels.

A line has the number, a colour, three settings and the name between quotation marks. Such a file
does not say which label map it is of: it is taken for the one that is called like it, or for all of
its folder where it is the only one and called like none. Where two could be meant, none is taken.

Source: the comment at the head of each such file, which explains its columns.
"""

import os
import re
from functools import lru_cache
from pathlib import Path

from centrum.io.segments import MOST_LABELS
from centrum.text import one_line

LONGEST, LONGEST_NAME = 1 << 20, 200
"""Bytes of a file, of which a line has some 60, and letters of a name."""

_ENDINGS = (".label", ".txt")
_IMAGES = (".nii.gz", ".nii", ".hdr.gz", ".img.gz", ".hdr", ".img", ".mha", ".mhd")
_COLUMNS = "IDX -R- -G- -B- -A-- VIS MSH LABEL"
_ROW = re.compile(r'\s*([0-9]{1,10})(?:\s+[0-9.]{1,12}){4}(?:\s+[01]){2}\s+"([^"]*)"\s*')


def label_descriptions(text: str) -> dict[int, str]:
    """Name of each label but 0, which is the background; empty where the text is no such file.

    >>> text = '# IDX -R- -G- -B- -A-- VIS MSH LABEL\\n 20 255 0 0 1 1 1 "L1"\\n'
    >>> label_descriptions(text), label_descriptions(text + "and more")
    ({20: 'L1'}, {})
    """
    lines = [line for line in text.splitlines() if line.strip()]
    comments = [" ".join(line[1:].split()) for line in lines if line.startswith("#")]
    rows = [_ROW.fullmatch(line) for line in lines if not line.startswith("#")]
    if _COLUMNS not in comments or len(rows) > MOST_LABELS:
        return {}
    found = [(int(row[1]), one_line(row[2])) for row in rows if row]
    if len(found) < len(rows) or len({number for number, _ in found}) < len(found):
        return {}
    return {number: name for number, name in found if number and 0 < len(name) <= LONGEST_NAME}


def description_of(path: Path) -> Path | None:
    """The file of label descriptions that is taken for a label map, None where none or two are.

    >>> description_of(Path("nowhere/labels.nii.gz")) is None
    True
    """
    try:
        found, images = _in_folder(path.parent, path.parent.stat().st_mtime_ns)
    except OSError:
        return None
    own = [each for each in found if _stem(each.name) == _stem(path.name)]
    candidates = own or [each for each in found if _stem(each.name) not in images]
    return candidates[0] if len(candidates) == 1 else None


def names_of(path: Path) -> dict[int, str]:
    """The names that a file of label descriptions gives, empty where it is none."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LONGEST + 1)
        return label_descriptions(data.decode("utf-8-sig")) if len(data) <= LONGEST else {}
    except (OSError, UnicodeDecodeError):
        return {}


@lru_cache(maxsize=1 << 10)
def _in_folder(folder: Path, modified: int) -> tuple[tuple[Path, ...], frozenset[str]]:
    """The descriptions in a folder, and what its images are called."""
    names = sorted(os.listdir(folder))
    texts = [folder / name for name in names if name.lower().endswith(_ENDINGS)]
    images = frozenset(_stem(name) for name in names if name.lower().endswith(_IMAGES))
    return tuple(path for path in texts if path.is_file() and names_of(path)), images


def _stem(name: str) -> str:
    """The name without its ending.

    >>> _stem("a.b.nii.gz"), _stem("a.b.label")
    ('a.b', 'a.b')
    """
    ending = next((e for e in (*_IMAGES, *_ENDINGS) if name.lower().endswith(e)), "")
    return name[: len(name) - len(ending)]
