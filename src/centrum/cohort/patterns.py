"""File patterns with placeholders, such as `masks/{case}_{reader}.seg.nrrd`."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from centrum.errors import ManifestError

PLACEHOLDERS = ("case", "patient", "exam", "reader", "sequence", "ext")
"""What may stand in braces; `ext` is any ending of an image or mask file, `exam` tells the exams of
a case apart, whose names may be those of another case's."""

ENDING = r"(?i:seg\.nrrd|nii\.gz|nii|nrrd|nhdr|mha|mhd|hdr)"
"""Regular expression of the ending of an image or mask file, in small or capital letters."""

_TOKEN = re.compile(r"\{(\w*)\}|(\*)")


@dataclass(frozen=True)
class FolderLayout:
    """How images and masks lie in a folder; an image pattern with a final slash is a folder.

    >>> FolderLayout("images/{case}.{ext}", "masks/{case}_{reader}.{ext}").image
    'images/{case}.{ext}'
    """

    image: str
    mask: str

    def __post_init__(self) -> None:
        for pattern in (self.image, self.mask):
            if "{case}" not in pattern:
                raise ManifestError(
                    f"the pattern {pattern!r} has no {{case}}: it tells which files belong together"
                )
            _regex(pattern)


def case_name(found: Mapping[str, str]) -> str:
    """The id that the placeholders of a path give a case.

    >>> case_name({"case": "P01", "exam": "2021", "sequence": "T2w"})
    'P01_2021'
    """
    return "_".join(found[name] for name in ("case", "exam") if name in found)


def match_all(pattern: str, paths: Iterable[str]) -> dict[str, dict[str, str]]:
    """The placeholders of every path that the pattern matches; `case` takes all it can.

    >>> match_all("{case}_{reader}.nrrd", ["a_1_R1.nrrd", "b.nrrd"])
    {'a_1_R1.nrrd': {'case': 'a_1', 'reader': 'R1'}}
    """
    regex = _regex(pattern)
    found = {path: regex.fullmatch(path) for path in paths}
    return {path: match.groupdict() for path, match in found.items() if match}


def match_known(
    pattern: str, paths: Iterable[str], cases: Collection[str]
) -> dict[str, dict[str, str]]:
    """Like `match_all` for paths whose case is known, however many `_` it has.

    >>> match_known("{case}_{reader}.nrrd", ["a_1_R1_b.nrrd"], {"a_1", "a_2"})
    {'a_1_R1_b.nrrd': {'case': 'a_1', 'reader': 'R1_b'}}
    """
    lengths = sorted({len(case) for case in cases}, reverse=True)
    regexes = [_regex(pattern, length) for length in lengths]
    found = {}
    for path in paths:
        matches = (match for regex in regexes if (match := regex.fullmatch(path)))
        known = next((m for m in matches if m["case"] in cases), None)
        if known:
            found[path] = known.groupdict()
    return found


def _regex(pattern: str, case_length: int | None = None) -> re.Pattern[str]:
    parts, end = [], 0
    seen: set[str] = set()
    for token in _TOKEN.finditer(pattern):
        parts.append(re.escape(pattern[end : token.start()]))
        parts.append(_group(token[1], seen, case_length) if token[1] is not None else "[^/]*")
        seen.add(token[1])
        end = token.end()
    return re.compile("".join(parts) + re.escape(pattern[end:]))


def _group(name: str, seen: Collection[str], case_length: int | None) -> str:
    if name not in PLACEHOLDERS:
        raise ManifestError(
            f"a pattern has the placeholders {', '.join(f'{{{p}}}' for p in PLACEHOLDERS)} and *, "
            f"found {{{name}}}"
        )
    if name == "ext":
        return ENDING
    if name in seen:
        return f"(?P={name})"
    if name == "case":
        return f"(?P<case>[^/]{{{case_length}}})" if case_length else "(?P<case>[^/]+)"
    return f"(?P<{name}>[^/]+?)"


LAYOUTS = (
    FolderLayout("images/{case}.{ext}", "masks/{case}_{reader}.{ext}"),
    FolderLayout("images/{case}.{ext}", "masks/{case}.{ext}"),
    FolderLayout("images/{case}/", "masks/{case}_{reader}.{ext}"),
    FolderLayout("images/{case}/", "masks/{case}_{reader}.dcm"),
    FolderLayout("images/{case}/", "masks/{case}.dcm"),
    FolderLayout("images/{case}.dcm", "masks/{case}_{reader}.{ext}"),
    FolderLayout("images/{case}.dcm", "masks/{case}_{reader}.dcm"),
    FolderLayout("images/{case}.dcm", "masks/{case}.dcm"),
    FolderLayout("{case}/image.{ext}", "{case}/mask_{reader}.{ext}"),
    FolderLayout("{case}/image.{ext}", "{case}/mask.{ext}"),
    FolderLayout("{case}/T2w.{ext}", "{case}/seg-vb.{ext}"),
    FolderLayout("{case}/", "{case}_{reader}.seg.nrrd"),
    FolderLayout("{case}/", "{case}.seg.nrrd"),
    FolderLayout("{case}/", "{case}_{reader}.dcm"),
    FolderLayout("{case}/", "{case}.dcm"),
    FolderLayout("{case}.{ext}", "{case}_{reader}.seg.nrrd"),
    FolderLayout("{case}.{ext}", "{case}.seg.nrrd"),
)
"""Layouts that are tried when no pattern is given; the one that matches most cases is it."""
