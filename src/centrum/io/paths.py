"""Where a source lies: names in either Unicode form, links, and files that stand for others."""

import os
import re
import unicodedata
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from centrum.errors import ImageError
from centrum.io.objects import is_url

STAND_INS = {
    b"version https://git-lfs.github.com/spec/": (
        "a Git LFS pointer, which stands for the file",
        "Fetch the file itself: git lfs pull.",
        "lfs-pointer",
    ),
    b"/annex/objects/": (
        "a git-annex pointer, which stands for the file",
        "Fetch the file itself: git annex get, or datalad get.",
        "annex-pointer",
    ),
    b"\x00\x05\x16\x07": (
        "what macOS keeps beside a file (AppleDouble), not the file",
        "Name the file without '._' at its beginning.",
        "apple-double",
    ),
}
"""First bytes of files that stand for another: what they are, what to do, and the code."""

DANGLING = "a link to content that is not there"
FETCH = "Fetch the content (git annex get, or datalad get), or repair the link."

DEEPEST = 200
"""Folders within folders that are looked into for a name in the other form."""

APPLE_DOUBLE = "._"
"""How the names begin of what macOS keeps beside files on foreign disks and in archives."""

_LONGEST_NAME = 255
_SHOWN = 60


def existing(path: Path) -> Path:
    """The path, or the one that is there and whose names differ only in their Unicode form.

    macOS takes "ü" apart into two characters in names of files, spreadsheets do not; a path that
    is not there in either form is given back as it came.
    """
    if _is_there(path) or path.parent == path or len(path.parts) > DEEPEST:
        return path
    folder = existing(path.parent)
    if path.name.isascii():  # which has no other form
        same = folder / path.name
        return same if _is_there(same) else path
    wanted = unicodedata.normalize("NFC", path.name)
    with suppress(OSError):  # no folder, none that may be looked into, too long a name
        for found in folder.iterdir():
            if unicodedata.normalize("NFC", found.name) == wanted:
                return found
    return path


def split_source(source: str | Path) -> tuple[Path, str | None]:
    """Path and chosen part of PATH#PART; the part is None if there is none.

    The path ends at the first "#" behind which it exists, so that paths and segment names
    may contain one; names are found in either Unicode form. Of a URL, which ends at the first "#",
    it is no path that can be opened: `centrum.io.scratch.fetched` gives one.

    >>> split_source("R1/007.seg.nrrd#L1 body")
    (PosixPath('R1/007.seg.nrrd'), 'L1 body')
    >>> split_source("R1/007.seg.nrrd")
    (PosixPath('R1/007.seg.nrrd'), None)
    """
    text = str(source)
    if is_url(text):
        url, mark, part = text.partition("#")
        return Path(url), part.strip() if mark else None
    marks = [k for k, letter in enumerate(text) if letter == "#"]
    if not marks or _is_there(existing(Path(text))):
        return existing(Path(text)), None
    end = next((k for k in marks if _is_there(existing(Path(text[:k])))), marks[-1])
    return existing(Path(text[:end])), text[end + 1 :].strip()


def seen_from(folder: Path, path: Path) -> str:
    """The path relative to a folder, with slashes; the whole path where it is on another drive."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # of Windows, which has no path from one drive to another
        return path.as_posix()


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)  # False of a name that is too long, too


def is_dangling(path: Path) -> bool:
    """Whether a path is a link to content that is not there."""
    return os.path.islink(path) and not os.path.exists(path)


def check_content(path: Path) -> None:
    """Refuses a path that is not there, that cannot be opened, and whose content is elsewhere.

    Raises
    ------
    ImageError
        Codes "missing-file", "missing-content" (a dangling link), "not-a-file" and those of
        `STAND_INS`.
    """
    if is_dangling(path):
        raise ImageError(
            f"{path.name} is {DANGLING}.",
            remedy=FETCH,
            code="missing-content",
            file=path,
        )
    if not os.path.exists(path):
        raise ImageError(
            f"There is no file {path.name!r} in {path.parent.name or '.'!r}.",
            remedy="Check the path in the manifest.",
            code="missing-file",
            file=path,
        )
    if waits(path):
        raise ImageError(
            f"{path.name} is a pipe, a socket or a device: expected a file or a folder.",
            remedy="Save what comes out of it as a file.",
            code="not-a-file",
            file=path,
        )
    if path.is_file():
        with path.open("rb") as stream:
            _check_start(path, stream.read(max(map(len, STAND_INS))))


def waits(path: Path) -> bool:
    """Whether a path is there and neither a file nor a folder: reading it may never end."""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_name(path: Path) -> None:
    """Refuses a name that is not written in UTF-8: SimpleITK ends the program over it.

    Raises
    ------
    ImageError
        Code "file-name".
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ImageError(
            f"The name of {path.name!r} or of a folder above it is not written in UTF-8.",
            remedy="Rename it.",
            code="file-name",
            file=path,
        ) from error


def _check_start(path: Path, start: bytes) -> None:
    for beginning, (what, remedy, code) in STAND_INS.items():
        if start.startswith(beginning):
            raise ImageError(f"{path.name} is {what}.", remedy=remedy, code=code, file=path)


def beside(header: Path, name: str) -> Path:
    """The file of voxels that a header names: beside it or below, nowhere else.

    Raises
    ------
    ImageError
        The name leads out of the folder of the header ("outside-folder"), or to no file
        ("missing-file").
    """
    parts = PurePosixPath(name).parts
    if name.startswith("/") or PureWindowsPath(name).anchor or ".." in re.split(r"[/\\]", name):
        raise ImageError(
            f"{header.name} keeps its voxels in {_short(name)}, which is outside its own folder.",
            remedy="Copy that file beside it and name it without a folder, or save the image as "
            "one file.",
            code="outside-folder",
            file=header,
        )
    file = header.parent.joinpath(*parts)
    if not parts or max(map(len, parts)) > _LONGEST_NAME or "\0" in name or not file.is_file():
        raise ImageError(
            f"{header.name} keeps its voxels in {_short(name)}, which is not a single file beside "
            "it.",
            remedy="Copy that file too, or save the image as one file.",
            code="missing-file",
            file=header,
        )
    return file


def _short(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
