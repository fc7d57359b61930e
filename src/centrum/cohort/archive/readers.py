"""Who drew a mask: what its header says, never what a file or folder happens to be called.

A person's name is written as a code, R1; whose it is stands in the key beside the manifest.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from pathlib import Path

from centrum.cohort.archive.index import ArchiveIndex
from centrum.cohort.archive.masks import PlacedMask
from centrum.cohort.archive.series import shown
from centrum.cohort.case import DEFAULT_READER, EVERY, Identity
from centrum.cohort.pseudonyms import read_key
from centrum.errors import ProtocolError
from centrum.text import one_line

Named = Callable[[PlacedMask, ArchiveIndex], str]


def _creator(placed: PlacedMask, index: ArchiveIndex) -> str:
    """The creator of the content, else the operator, unless that is who made the images."""
    said, of_image = placed.mask.said, index.series[placed.series].said
    operator = said["OperatorsName"] if said["OperatorsName"] != of_image["OperatorsName"] else None
    name = one_line(str(said["ContentCreatorName"] or operator or ""))
    return " ".join(name.replace("^", " ").split())


def _description(placed: PlacedMask, index: ArchiveIndex) -> str:
    """The description of the mask's series, unless that is a copy of the image's."""
    said, of_image = placed.mask.said, index.series[placed.series].said
    copied = said["SeriesDescription"] == of_image["SeriesDescription"]
    return "" if copied or not said["SeriesDescription"] else shown(said)


def _folder(placed: PlacedMask, index: ArchiveIndex) -> str:
    """The first folder of the path."""
    return placed.mask.path.rpartition("/")[0].partition("/")[0]


SOURCES: dict[str, Named] = {"creator": _creator, "description": _description, "folder": _folder}
"""What can name the readers."""


def readers_of(
    placed: Sequence[PlacedMask], index: ArchiveIndex, source: str | None, key: Path | None
) -> tuple[dict[PlacedMask, str], tuple[Identity, ...]]:
    """The reader of each mask, and whose the codes among them are.

    Parameters
    ----------
    source : one of `SOURCES`. Without it the creator; where a series has several masks whose
        creator is not stated, the description tells those apart
    key : file with the codes given before; None leaves names as they are

    Raises
    ------
    ProtocolError
        There is no such source.
    ManifestError
        The key file cannot be understood.
    """
    if source is not None and source not in SOURCES:
        raise ProtocolError(
            f"Readers are told by {', '.join(SOURCES)}, found {source!r}.",
            remedy="Give one of these as --readers.",
        )
    names = {each: SOURCES[source or "creator"](each, index) for each in placed}
    persons = {name for name in names.values() if name} if source in (None, "creator") else set()
    if source is None:
        names |= _described([each for each in placed if not names[each]], index)
    codes = {} if key is None else _codes(persons, key, set(names.values()) - persons)
    who = tuple(Identity("reader", name, code) for name, code in codes.items())
    return {each: codes.get(name) or _column(name) for each, name in names.items()}, who


def _described(unnamed: Sequence[PlacedMask], index: ArchiveIndex) -> dict[PlacedMask, str]:
    """Descriptions of masks without a creator, if a series has several of these."""
    if max(Counter(each.series for each in unnamed).values(), default=0) < 2:
        return {}
    return {each: _description(each, index) for each in unnamed}


def _codes(persons: Collection[str], key: Path, taken: Collection[str]) -> Mapping[str, str]:
    """R1, R2 ... for names of persons; those of the key are kept."""
    known = {each.name: each.pseudonym for each in read_key(key) if each.what == "reader"}
    used = {*known.values(), *map(_column, taken)}
    free = (code for k in count(1) if (code := f"R{k}") not in used)
    return {name: known.get(name) or next(free) for name in sorted(persons)}


def _column(name: str) -> str:
    """A name as that of a reader's column in a manifest."""
    plain = re.sub(r"[^\w.+-]+", "_", name).strip("_.")
    return f"{plain}_" if plain.casefold() == EVERY else plain or DEFAULT_READER
