"""Texts as they may be written: without names of files, and without what was quoted from them.

The console names the file that a message is about. What is written shows its part in the case
instead, such as `[image]` or `[mask of senior]`; a text in quotation marks, which may come out of
a header, stays only where the study's own words hold it, or where it is a code or a level.
"""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from centrum.cohort.levels import Level
from centrum.cohort.pseudonyms import codes
from centrum.errors import ManifestError
from centrum.io.nifti import sidecar_of
from centrum.io.objects import is_url
from centrum.io.scratch import staged_files

WITHHELD = "[...]"
"""Stands for what is not written."""

_FILE = re.compile(
    r"(?<![\w.])\w[^\s'\"]*\.(?:dcm|ima|nii|nii\.gz|nrrd|mha|mhd|img|hdr)\b", re.IGNORECASE
)
_PART = re.compile(r"\[[^\]]*\]")
_QUOTED = re.compile(r"(?<!\w)(['\"])((?:(?!\1).)*)\1(?!\w)")

_COMMON = frozenset(
    re.findall(
        r"\S+",
        """
        images image masks mask study studies series dicom nifti volumes patients cohort export
        centre center hospital users documents desktop downloads spine lumbar thoracic labels
        tables results segmentations
        """,
    )
)
"""Folders that tell nothing, and words that a message may need."""

_SHORTEST_FOLDER = 4

Roles = Mapping[str, str]
"""What may stand in a message, and what is written in its place."""


def parts(
    image: str, masks: Mapping[str, str], further: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The sources of a case by the part that they have in it.

    >>> parts("T2w.nrrd", {"senior": "roi.nrrd"})
    {'[image]': 'T2w.nrrd', '[mask of senior]': 'roi.nrrd'}
    """
    images = {"[image]": image, **{f"[image {n}]": s for n, s in (further or {}).items()}}
    return images | {f"[mask of {reader}]": source for reader, source in masks.items()}


def roles(image: str, masks: Mapping[str, str], further: Mapping[str, str] | None = None) -> Roles:
    """The parts that a case's files have, by all that a message may call them.

    >>> found = roles("mri/Anna/T2w.nrrd", {"senior": "roi/Anna.seg.nrrd#Anna"})
    >>> withheld("Anna.seg.nrrd: no segment 'Anna'", found)
    "[mask of senior]: no segment '[...]'"
    """
    found: dict[str, str] = {}
    for label, source in parts(image, masks, further).items():
        for name, role in _names(source, label):
            found.setdefault(name, role)
    return found


class ManyRoles:
    """Roles of which a text holds few, such as the names of all patients of a study.

    Looking into a text takes as long for a hundred thousand names as for ten.

    >>> ManyRoles({"Anna Roth": "P1", "Bo": "P2"}).within("ANNA ROTH: no image, nor of Bob")
    {'Anna Roth': 'P1'}
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._names: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for place, name in enumerate(roles):
            self._names[_folded(name)].append((place, name))
        self._lengths = sorted({len(unicodedata.normalize("NFC", name)) for name in roles})

    def within(self, text: str) -> dict[str, str]:
        """Those whose names stand in a text, as `withheld` finds them."""
        text = unicodedata.normalize("NFC", text)
        outside = [-1, *(k for k, letter in enumerate(text) if not letter.isalnum()), len(text)]
        starts, ends = [k + 1 for k in outside[:-1]], {*outside}
        pieces = {
            text[start : start + length].casefold()
            for start in starts
            for length in self._lengths
            if start + length in ends
        }
        found = sorted(named for piece in pieces for named in self._names.get(piece, ()))
        return {name: self._roles[name] for _, name in found}


def withheld(text: str, roles: Roles, words: Collection[str] = ()) -> str:
    """A message as it may be written; `words` may stand in quotation marks.

    >>> withheld("There is no file /mri/Anna/T2w.nrrd.", roles("/mri/Anna/T2w.nrrd", {}))
    'There is no file [image].'
    >>> withheld("expected 'L1', found 'Anna Roth' and 'disc'", {}, {"disc"})
    "expected 'L1', found '[...]' and 'disc'"
    """
    text = unicodedata.normalize("NFC", text)
    folded = _folded(text)
    there = (name for name in roles if _folded(name) in folded)
    for name in sorted(there, key=len, reverse=True):
        text = _whole(name).sub(roles[name].replace("\\", "/"), text)
    text = _FILE.sub("[file]", text)
    return _QUOTED.sub(_judged(words), text)


def withheld_fields(
    record: Mapping[str, Any], roles: Roles, words: Collection[str] = ()
) -> dict[str, Any]:
    """A finding or failure as it may be written: `message`, `remedy` and `file` of it."""
    private = {name: record[name] for name in ("message", "remedy", "file") if record.get(name)}
    return {**record, **{name: withheld(text, roles, words) for name, text in private.items()}}


def file_names(parts: Mapping[str, str]) -> Roles:
    """The other way round: what the console calls each part, and the sidecar of an image.

    >>> file_names({"[image]": "mri/Anna.nii.gz"})
    {'[image].json': 'Anna.json', '[image]': 'Anna.nii.gz'}
    """
    paths = {label: Path(source.partition("#")[0]) for label, source in parts.items()}
    sidecars = {f"{n}.json": sidecar_of(path).name for n, path in paths.items() if path.name}
    return sidecars | {label: path.name or label for label, path in paths.items()}


def restored(text: str, names: Roles) -> str:
    """A written message with the names of the files, for the console."""
    for label, name in names.items():
        text = text.replace(label, name)
    return text


def words_in(value: Any) -> frozenset[str]:
    """All texts in JSON-ready choices.

    >>> sorted(words_in({"images": {"reader": "senior"}, "n": 3, "of": ["T1w"]}))
    ['T1w', 'images', 'n', 'of', 'reader', 'senior']
    """
    if isinstance(value, str):
        return frozenset([value])
    inside = [*value, *value.values()] if isinstance(value, Mapping) else value
    inside = inside if isinstance(inside, (list, tuple)) else ()
    return frozenset().union(*map(words_in, inside))


def _names(source: str, label: str) -> Iterator[tuple[str, str]]:
    """What a message may call a source, its files and its folders, with what is written."""
    ends = [k for k, letter in enumerate(source) if letter == "#"]
    for end in (*ends, len(source)):
        path = Path(source[:end])
        if not path.name:
            continue
        yield from ((tail, label) for tail in (source[:end], str(path), *_tails(path)))
        yield from ((stem, label) for stem in _stems(path.name) if _tells(stem))
        yield from ((name, WITHHELD) for name in path.parts[:-1] if _tells_folder(name))
        yield from ((inside, f"[file of {label[1:]}") for inside in _within(source[:end]))
    yield from ((source[k + 1 :].strip(), WITHHELD) for k in ends if _tells(source[k + 1 :]))


def _within(source: str) -> list[str]:
    """Names of the files of a folder; none of a file, or of a folder that nobody may look into."""
    try:
        return os.listdir((staged_files(source) if is_url(source) else None) or source)
    except (OSError, ValueError):
        return []


def _tails(path: Path) -> Iterator[str]:
    return ("/".join(path.parts[k:]) for k in range(1, len(path.parts)))


def _stems(name: str) -> tuple[str, str]:
    return name.split(".")[0], name.rpartition(".")[0]


def _tells(name: str) -> bool:
    """Whether a name may be that of a patient."""
    text = name.strip()
    return len(text) > 1 and text.casefold() not in _COMMON and not _harmless(text)


def _tells_folder(name: str) -> bool:
    return len(name) >= _SHORTEST_FOLDER and _tells(name)


def _harmless(text: str) -> bool:
    """Whether a text is a code or a level, or has no letter and no long number."""
    if codes([text]) or not re.search(r"[^\W\d_]|\d{5}", text):
        return True
    try:
        Level.parse(text)
    except ManifestError:
        return False
    return True


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _whole(name: str) -> re.Pattern[str]:
    """A name where no letter or digit goes on before or after it."""
    text = re.escape(unicodedata.normalize("NFC", name))
    return re.compile(rf"(?<![^\W_]){text}(?![^\W_])", re.IGNORECASE)


def _judged(words: Collection[str]) -> Callable[[re.Match[str]], str]:
    def judged(found: re.Match[str]) -> str:
        mark, text = found.groups()
        own = text.casefold() in map(str.casefold, words)
        known = own or _PART.fullmatch(text) or _harmless(text)
        return found[0] if known else f"{mark}{WITHHELD}{mark}"

    return judged
