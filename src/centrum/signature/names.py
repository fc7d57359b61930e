"""What a printed name of a feature may mean: candidates with reasons, never one silent answer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from centrum.pyradiomics.feature_names import SHAPE_CLASSES
from centrum.signature.images import ImageTypes
from centrum.signature.source_table import (
    ORDERS,
    ClassOrder,
    SourceTable,
    features_of,
    tables_of,
)

ALL_CLASSES = frozenset(c for order in ORDERS for c in order.classes)


@dataclass(frozen=True)
class NameCandidate:
    """A full name, and the tables in which it is what was printed; none were tried that have the
    image of a full name such as log-sigma-3-0-mm-3D_glcm_Id."""

    name: str
    tables: tuple[SourceTable, ...]


@dataclass(frozen=True)
class DecodedName:
    """What a printed name may mean.

    Attributes
    ----------
    printed : the name as it was printed
    candidates : what it is, under one setting or another
    excluded : tables that have no such name
    reasoning : lines for people
    """

    printed: str
    candidates: tuple[NameCandidate, ...]
    excluded: tuple[SourceTable, ...]
    reasoning: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Full names of the candidates."""
        return tuple(candidate.name for candidate in self.candidates)


def decode(name: str, images: ImageTypes, orders: Sequence[ClassOrder] = ORDERS) -> DecodedName:
    """What a printed name means when these images were measured; see `decode_all`.

    >>> found = decode("Contrast.5", ImageTypes.parse("original+wavelet"))
    >>> print(*found.reasoning, sep="\\n")
    Contrast occurs in glcm and ngtdm: 2 per image.
    The 6th Contrast under original+wavelet is wavelet-LHL_ngtdm_Contrast.
    """
    return decode_all(name, [images], orders)


def decode_all(
    name: str,
    settings: Sequence[ImageTypes] | None = None,
    orders: Sequence[ClassOrder] = ORDERS,
) -> DecodedName:
    """What a printed name may mean under several settings.

    For every setting the whole table is written down, the last parts of its names are made
    unique as R and pandas do, and the name is looked up.

    Parameters
    ----------
    name : such as "Contrast.5", "X10Percentile" or a full name
    settings : images that may have been measured; `plausible_images()` by default, where LoG
        images of unknown sigma are called log-sigma-?1-mm-3D and so on
    orders : in which a table may list the classes

    >>> decode_all("Minimum.9").candidates[0].name
    'wavelet-LLL_firstorder_Minimum'
    """
    tables = tables_of(settings, orders)
    found: dict[str, list[SourceTable]] = {}
    for table in tables:
        if full := table.find(name):
            found.setdefault(full, []).append(table)
    if settings is None and is_full(name):
        found.setdefault(name, [])
    return DecodedName(
        printed=name,
        candidates=tuple(NameCandidate(full, tuple(where)) for full, where in found.items()),
        excluded=tuple(table for table in tables if not table.find(name)),
        reasoning=tuple(_reasoning(name, tables)),
    )


def is_full(name: str) -> bool:
    """Whether a name has all three parts.

    >>> is_full("wavelet-LHL_ngtdm_Contrast"), is_full("Contrast.5"), is_full("a_b_Contrast")
    (True, False, False)
    """
    image, *parts = name.rsplit("_", 2)
    known = bool(image) and len(parts) == 2 and parts[0] in ALL_CLASSES
    return known and parts[1] in features_of(parts[0])


def _reasoning(name: str, tables: Sequence[SourceTable]) -> Iterator[str]:
    feature, k = _split(name)
    if not any(table.count(feature) for table in tables):
        yield _about_others(name, tables)
        return
    yield from _occurrences(feature, tables)
    yield from _answers(name, f"{_ordinal(k + 1)} {feature}", tables)
    if none := [same for same in _by_images(tables) if not any(t.find(name) for t in same)]:
        sizes = ", ".join(_size(same, feature) for same in none)
        yield f"There is no {_ordinal(k + 1)} {feature} under {sizes}."


def _about_others(name: str, tables: Sequence[SourceTable]) -> str:
    """Of a full name, or of one that does not exist."""
    if any(table.find(name) for table in tables):
        having = [str(same[0].images) for same in _by_images(tables) if same[0].find(name)]
        return f"{name} is a full name, of a table with {_joined(having, 'or')}."
    if is_full(name):
        tried = ", ".join(str(same[0].images) for same in _by_images(tables))
        return f"{name} is a full name, of an image that is not in {tried}."
    known = {f for table in tables for c in table.order.classes for f in features_of(c)}
    close = get_close_matches(_split(name)[0], sorted(known), 3)
    hint = f" Close to it: {', '.join(close)}." if close else ""
    return f"No table has a feature {name}.{hint}"


def _occurrences(feature: str, tables: Sequence[SourceTable]) -> Iterator[str]:
    """One line for each set of classes that has the feature."""
    said: dict[tuple[str, ...], str] = {}
    for order in dict.fromkeys(table.order for table in tables):
        said.setdefault(tuple(sorted(order.holding(feature))), order.name)
    for classes, order_name in said.items():
        which = "" if len(said) == 1 else f" ({order_name})"
        if classes:
            yield f"{feature} occurs in {_joined(classes)}: {_frequency(classes)}{which}."


def _frequency(classes: Sequence[str]) -> str:
    return "once in a table" if set(classes) <= set(SHAPE_CLASSES) else f"{len(classes)} per image"


def _answers(name: str, what: str, tables: Sequence[SourceTable]) -> Iterator[str]:
    """One line for each meaning, with the settings that give it."""
    under: dict[str, list[str]] = {}
    groups = _by_images(tables)
    for same in groups:
        if meaning := _meaning(name, same):
            under.setdefault(meaning, []).append(str(same[0].images))
    for meaning, settings in under.items():
        all_of_many = 1 < len(groups) == len(settings)
        where = f"all {len(groups)} settings" if all_of_many else _joined(settings, "or")
        yield f"The {what} under {where} is {meaning}."


def _meaning(name: str, tables: Sequence[SourceTable]) -> str:
    """The full name; where it depends on the order of the classes, each with its order."""
    by_name: dict[str | None, list[str]] = {}
    for table in tables:
        by_name.setdefault(table.find(name), []).append(table.order.name)
    if set(by_name) == {None}:
        return ""
    if len(by_name) == 1:
        return str(next(iter(by_name)))
    told = (f"{full or 'nothing'} ({'; '.join(why)})" for full, why in by_name.items())
    return ", or ".join(told)


def _size(tables: Sequence[SourceTable], feature: str) -> str:
    """A setting with its numbers of images and of columns of a feature."""
    images = tables[0].images
    n, most = len(images.names), max(table.count(feature) for table in tables)
    return f"{images} ({n} {'image' if n == 1 else 'images'}, {most} in all)"


def _by_images(tables: Sequence[SourceTable]) -> list[list[SourceTable]]:
    """Tables of the same images together."""
    found: dict[ImageTypes, list[SourceTable]] = {}
    for table in tables:
        found.setdefault(table.images, []).append(table)
    return list(found.values())


def _split(name: str) -> tuple[str, int]:
    """The feature and how often it was there before; without the X that R puts before digits."""
    match = re.fullmatch(r"(?:X(?=\d))?(.*?)(?:\.(\d{1,9}))?", name, re.DOTALL)
    assert match is not None
    return match[1], int(match[2] or 0)


def _joined(words: Sequence[str], last: str = "and") -> str:
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def _ordinal(n: int) -> str:
    """With its ending.

    >>> [_ordinal(n) for n in (1, 2, 3, 4, 11, 12, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '22nd']
    """
    teen = n % 100 in (11, 12, 13)
    return f"{n}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
