"""Where objects are staged: a folder of this machine that holds so much and no more.

What a URL names is fetched once, by whichever process needs it first, and lies there under what it
is: its URL and the versions of its content. It is fetched under another name and renamed when it is
whole. Who reads it holds a lock that the system takes away from a process that ends; what nobody
holds goes when room is wanted, the longest unused first.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from threading import RLock
from typing import BinaryIO

from centrum.errors import NO_SPACE, ProtocolError, StorageDown, StorageError
from centrum.io.objects import (
    ObjectUrl,
    StoredObject,
    is_url,
    look,
    look_below,
    missing,
    transfer,
)
from centrum.provenance import digest

PLACE, ROOM_GB = "CENTRUM_SCRATCH", "CENTRUM_SCRATCH_GB"
"""Environment variables: the folder in which objects are staged, and how much it may hold."""

DEFAULT_GB = 20.0

HELD = 8
"""Objects of which a process says that it reads them, the last ones."""

TRANSFERS = 8
"""Objects of one exam that are transferred at the same time."""

MOST_OBJECTS = 20_000
"""Objects below one place: more than any exam has."""

_BESIDE = {
    ".nii.gz": (".json", ".label", ".txt"),
    ".nii": (".json", ".label", ".txt"),
    ".hdr": (".img", ".json", ".label", ".txt"),
    ".img": (".hdr", ".json", ".label", ".txt"),
    ".mha": (".label", ".txt"),
    ".mhd": (".raw", ".zraw", ".label", ".txt"),
    ".nhdr": (".raw", ".raw.gz"),
}
"""What belongs to a file, by its ending, and is called like it: voxels, facts, names of labels."""

_STAGED = re.compile(r"([0-9a-f]{32})\.(\d+)(\.writing)?")
"""Names of what is staged: what it is, its bytes, and whether it is not whole yet."""

_guard = RLock()
_held: dict[str, BinaryIO] = {}
_places: dict[str, Path] = {}


def scratch_folder() -> Path:
    """Where objects are staged: as `CENTRUM_SCRATCH` says, else among temporary files."""
    own = f"centrum-{os.getuid()}" if hasattr(os, "getuid") else "centrum"
    return Path(os.environ.get(PLACE) or Path(tempfile.gettempdir(), own)).absolute()


def scratch_bytes() -> int:
    """How much may be staged.

    Raises
    ------
    ProtocolError
        `CENTRUM_SCRATCH_GB` is no number above 0.
    """
    text = os.environ.get(ROOM_GB) or str(DEFAULT_GB)
    with suppress(ValueError):
        if 0 < float(text) < 1e9:
            return int(float(text) * 1e9)
    raise ProtocolError(
        f"{ROOM_GB}: expected a number of gigabytes, found {text!r}.",
        remedy=f"Write a number such as {DEFAULT_GB:g}.",
        code="scratch-size",
    )


def fetched(source: str | Path) -> str | Path:
    """A source as it can be read on this machine: a path as it is, of a URL its staged copy.

    Raises
    ------
    StorageError
        There is no such object, it may not be read, or there is no room for it.
    StorageDown
        The storage cannot be reached, or the disk is full.
    """
    if not is_url(source):
        return source
    _, mark, part = str(source).partition("#")
    place = object_url(str(source))
    with _guard:
        path = _staged(place, versions(str(source)))
        _places[str(place)] = path
    return f"{path}{mark}{part}"


def object_url(source: str) -> ObjectUrl:
    """The place that a source names, URL or URL#PART.

    Raises
    ------
    StorageError
        It names none; see `ObjectUrl.parse`.
    """
    return ObjectUrl.parse(source.partition("#")[0])


def versions(source: str) -> list[StoredObject]:
    """What a URL names: an object and what belongs to it, or all objects below it.

    Raises
    ------
    StorageError
        There is nothing, or it may not be looked at.
    """
    url = object_url(source)
    if found := look(url):
        beside = (look(url.beside(name)) for name in _belonging(url.name))
        return [found, *filter(None, beside)]
    below: list[StoredObject] = []
    for each in look_below(url):
        below += [each] if each.size else []  # what programs make in the place of a folder is empty
        if len(below) > MOST_OBJECTS:
            raise StorageError(
                f"More than {MOST_OBJECTS} objects lie below {url.name}: expected one series.",
                remedy="Name the place of the series.",
                code="too-many-objects",
                file=url.name,
            )
    if not below:
        raise missing(url)
    return below


def url_digest(source: str) -> str:
    """Digest of the content of what a URL names, by what the storage says of it.

    S3 makes the version (ETag) of the content, so that it is the same wherever an object is copied
    to in one request. Of an object that was uploaded in parts it also tells in which.
    """
    found = versions(source)
    return digest(["objects", sorted((each.version, each.size) for each in found)])


def staged_files(source: str) -> Path | None:
    """Where this process has staged what a URL names; None where it has not."""
    with suppress(StorageError):
        return _places.get(str(object_url(source)))
    return None


def _belonging(name: str) -> Iterator[str]:
    for ending, others in _BESIDE.items():
        if name.lower().endswith(ending):
            yield from (name[: -len(ending)] + other for other in others)
            return


def _staged(url: ObjectUrl, found: Sequence[StoredObject]) -> Path:
    """The path of the staged copy, which stays as long as this process holds it."""
    own = digest([str(url), [(each.url.key, each.version, each.size) for each in found]])[:32]
    folder = _own_folder()
    place = folder / f"{own}.{sum(each.size for each in found)}"
    while not (own in _held and place.is_dir()):
        _release(own)
        _held[own] = _locked(folder / f"{own}.lock")
        if not place.is_dir():
            _release(own)
            with closing(_locked(folder / f"{own}.lock", alone=True)):
                if not place.is_dir():
                    _fetch(url, found, place)
    _held[own] = _held.pop(own)  # the last used is the last
    os.utime(_held[own].name)
    _hold_last(HELD)
    return place / url.name


def _release(own: str) -> None:
    if own in _held:
        _held.pop(own).close()


def _hold_last(most: int) -> None:
    while len(_held) > most:
        _release(next(iter(_held)))


def _locked(path: Path, *, alone: bool = False) -> BinaryIO:
    """A lock, shared or alone, which is waited for."""
    while True:
        stream = path.open("a+b")
        _lock(stream, alone=alone)
        with suppress(FileNotFoundError):  # it was taken away meanwhile, and means nothing now
            if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                return stream
        stream.close()


def _lock(stream: BinaryIO, *, alone: bool, wait: bool = True) -> None:
    try:
        import fcntl
    except ImportError:
        raise _unusable("Windows has no locks for it") from None
    kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    try:
        fcntl.flock(stream, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:  # of some network file systems
        raise _unusable(f"it has no locks ({error.strerror})") from None


def _own_folder() -> Path:
    """The folder, for its owner alone: images lie in it.

    Raises
    ------
    StorageDown
        It is somebody else's, or cannot be made.
    """
    folder = scratch_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid():
            return folder
        why = "it belongs to another user"
    except OSError as error:
        why = error.strerror or type(error).__name__
    raise _unusable(why)


def _unusable(why: str) -> StorageDown:
    return StorageDown(
        f"Objects cannot be staged in {scratch_folder()}: {why}.",
        remedy=f"Set {PLACE} to a folder of your own on a disk of this machine; else copy the "
        "objects into a folder, and name their paths.",
        code="no-scratch",
    )


def _fetch(url: ObjectUrl, found: Sequence[StoredObject], place: Path) -> None:
    """Fetch objects under another name, and rename them when they are whole."""
    writing = place.with_name(f"{place.name}.writing")
    _make_room(url, writing)
    try:
        with ThreadPoolExecutor(TRANSFERS) as pool:
            list(pool.map(partial(_write, writing, url), found))
        os.replace(writing, place)
    except BaseException as error:
        shutil.rmtree(writing, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise _full(url) from None
        raise


def _write(writing: Path, url: ObjectUrl, stored: StoredObject) -> None:
    """Fetch an object to where it lies, seen from the folder of the URL."""
    key = stored.url.key.removeprefix(url.key.rpartition("/")[0])
    file = writing.joinpath(*key.strip("/").split("/"))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as stream:
        stream.writelines(transfer(stored))


def _make_room(url: ObjectUrl, writing: Path) -> None:
    """Begin to write so many bytes as the name says, after what is longest unused is gone.

    Raises
    ------
    StorageError
        They are more than may be staged at all.
    StorageDown
        Too much of what is staged is in use, or the disk is full.
    """
    folder, wanted, most = writing.parent, _bytes(writing), scratch_bytes()
    if wanted > most:
        raise StorageError(
            f"{url.name} has {wanted / 1e9:.3g} GB; {ROOM_GB} allows {most / 1e9:.3g}.",
            remedy=f"Raise {ROOM_GB}, or leave the case out.",
            code="scratch-too-small",
            file=url.name,
        )
    with closing(_locked(folder / "room.lock", alone=True)):
        shutil.rmtree(writing, ignore_errors=True)  # of a process that was killed
        if not (_has_room(folder, wanted, most) or _has_room(folder, wanted, most, holding=1)):
            raise _full(url)
        writing.mkdir()


def _has_room(folder: Path, wanted: int, most: int, holding: int = HELD) -> bool:
    """Whether there is room, for which goes what nobody holds; this process holds so many."""
    _hold_last(holding)
    staged = sorted(filter(_is_staged, folder.iterdir()), key=_last_used)
    room = most - sum(map(_bytes, staged))
    for place in staged:
        if min(room, shutil.disk_usage(folder).free) >= wanted:
            return True
        room += _bytes(place) if _is_gone(place) else 0
    return min(room, shutil.disk_usage(folder).free) >= wanted


def _is_staged(place: Path) -> bool:
    return bool(_STAGED.fullmatch(place.name))


def _bytes(place: Path) -> int:
    return int(place.name.split(".")[1])


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name.split('.')[0]}.lock")


def _last_used(place: Path) -> float:
    with suppress(FileNotFoundError):
        return _lock_of(place).stat().st_mtime
    return 0.0


def _is_gone(place: Path) -> bool:
    """Whether a staged copy could be taken away, since nobody reads or writes it."""
    with _lock_of(place).open("a+b") as stream:
        try:
            _lock(stream, alone=True, wait=False)
        except BlockingIOError:
            return False
        shutil.rmtree(place, ignore_errors=True)
        _lock_of(place).unlink(missing_ok=True)
        return True


def _full(url: ObjectUrl) -> StorageDown:
    return StorageDown(
        f"There is no room for {url.name} in {scratch_folder()}.",
        remedy=f"Free some of its disk, raise {ROOM_GB}, or set {PLACE} to a folder with room; "
        "then run the same command again: what was finished is kept.",
        code="scratch-full",
        file=url.name,
    )
