"""Whether a DICOMDIR and the files beside it agree; a stale one decides nothing."""

from collections.abc import Iterator

from centrum.cohort.archive.index import ArchiveIndex
from centrum.cohort.findings import listed
from centrum.errors import CentrumError
from centrum.io.dicomdir import listed_files
from centrum.io.paths import existing


def directory_notes(index: ArchiveIndex) -> Iterator[str]:
    """What is to be said of each DICOMDIR, in lines to print; nothing where all agree.

    Names are compared without regard to capitals, and to the ";1" of ISO 9660. One that leads out
    of the folder is no name of a file.
    """
    for path in index.directories:
        try:
            ids = listed_files(existing(index.folder / path))
        except CentrumError as error:
            yield f"{path} cannot be read, and is not needed: {error.code}"
        else:
            yield from _differences(path, ids, index)


def _differences(path: str, ids: list[tuple[str, ...]], index: ArchiveIndex) -> Iterator[str]:
    folder = path.rpartition("/")[0]
    below = f"{folder}/" if folder else ""
    files = (file for file in index.files if file.startswith(below))
    there = {_plain(file[len(below) :]): file for file in files}
    safe = [each for each in ids if not _leads_out(each)]
    named = {_plain("/".join(each)): "/".join(each) for each in safe}
    missing = [named[key] for key in named.keys() - there.keys()]
    extra = [there[key] for key in there.keys() - named.keys()]
    if outside := len(ids) - len(safe):
        yield f"{path} names files outside its folder ({outside}): not opened"
    if missing:
        yield (
            f"{path} names files that are not there ({len(missing)}): "
            f"{listed(sorted(missing), 3)}. Look whether the export is complete"
        )
    if extra:
        yield (
            f"{path} does not name files that are there ({len(extra)}), which are taken all the "
            f"same: {listed(sorted(extra), 3)}"
        )


def _plain(name: str) -> str:
    return name.casefold().partition(";")[0]


def _leads_out(file_id: tuple[str, ...]) -> bool:
    return any(not part or part in (".", "..") or set(part) & set("/\\:\0") for part in file_id)
