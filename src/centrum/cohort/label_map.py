"""The one reader of the levels of a label map, for `init`, `morphometry` and the measurement.

A region's level is what its name says, or what its number means in the scheme that the user
named. Every label is a region, or is named as what it is instead; none is dropped in silence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from centrum.cohort.anatomy import RegionPlace, SpinalColumn, place_of
from centrum.cohort.findings import listed
from centrum.cohort.levels import NAME_THE_SCHEME, Level
from centrum.cohort.schemes import ORGAN, SCHEMES, Scheme
from centrum.errors import CentrumError, DataError, ManifestError
from centrum.geometry import Geometry
from centrum.io import Segment, Segmentation, read_labels

BESIDE = re.compile(r"(disc|disk|ivd|canal|cord|csf|end ?plate|sacrum|coccyx)", re.IGNORECASE)
"""Names of what lies beside vertebrae; such segments are no regions where others name levels."""


_NUMBERED = re.compile(r"(?:label[ _-]*)?([0-9]{1,9})", re.IGNORECASE)
"""A number as a name, alone or as programs call what they have no name for."""


@dataclass(frozen=True)
class Label:
    """One label of a map, and what it is.

    Attributes
    ----------
    segment : name, number and voxels
    level : the vertebra, None where nothing names one
    beside : what it is instead of a vertebra, such as "canal"; "" for a region
    place : None without voxels, and of contours that are not laid on an image
    """

    segment: Segment
    level: Level | None
    beside: str
    place: RegionPlace | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn."""
        return self.place is None and not self.segment.drawn

    @property
    def number(self) -> int | None:
        """The number that stands for a name, None where the name is a word."""
        return number_in(self.segment.name)


@dataclass(frozen=True)
class LabelMap:
    """A label map with what its labels are.

    Attributes
    ----------
    file : its name
    scheme : what its numbers mean, None where neither the user nor a table of the file has said
    labels : in the order of the file
    tabled : whether a table in the file itself names the labels
    oriented : whether it is known how it lies in the patient
    """

    file: str
    scheme: Scheme | None
    labels: tuple[Label, ...]
    oriented: bool = True
    tabled: bool = False

    @property
    def regions(self) -> tuple[Label, ...]:
        """The labels with voxels or contours that are regions to measure."""
        return tuple(each for each in self.labels if not (each.is_empty or each.beside))

    @property
    def unplaced(self) -> bool:
        """Whether levels are drawn as contours that are not laid on an image, one above another."""
        return sum(bool(each.level) and each.place is None for each in self.regions) > 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers that name no level because no scheme is named.

        The number of one region alone may be that of any mask.
        """
        found = [r.number for r in self.regions if r.number is not None and r.level is None]
        of_any_mask = len(self.regions) == 1 and (found == [1] or not self.fitting())
        return () if of_any_mask else tuple(sorted(found))

    def left_out(self) -> str:
        """What is no region although it has voxels, in a few words; "" if nothing is."""
        words = dict.fromkeys(_family(each.beside) for each in self.labels if each.beside)
        return listed(list(words), 8)

    def contradiction(self, *, by_size: bool = False) -> str:
        """Why the levels cannot be right, in a clause; "" where nothing speaks against them.

        Sizes speak against numbers that another scheme would fit, and with `by_size` in any case.
        """
        placed = [each for each in self.labels if each.place]
        named = [each for each in placed if each.level]
        unknown = [each.segment.name for each in placed if each.beside.startswith("unknown")]
        if self.scheme and placed and not named:
            return f"none of {listed([each.segment.name for each in placed], 12)} is a vertebra"
        if len(unknown) > len(named):
            return f"most of the labels, such as {listed(unknown)}, are none of its labels"
        if not self.oriented:
            return ""
        return _doubt(placed, by_size=by_size or bool(self._sizes() and self._other_schemes()))

    def unusual_size(self) -> str:
        """Where the sizes are not those of the levels, and no other scheme explains it; else "".

        Voxels may not be as large as the file says, or somebody counted from elsewhere.
        """
        why = self._sizes()
        return "" if why and self._other_schemes() else why

    def _sizes(self) -> str:
        named = [each for each in self.labels if each.place and each.level]
        return _column(named).unusual_size() if self.oriented else ""

    def _other_schemes(self) -> list[str]:
        """Schemes that the numbers would fit, sizes and all, beside the one that is named."""
        return [s for s in self.fitting() if self.scheme and s != self.scheme.name]

    def check(self, *, by_size: bool = False) -> None:
        """Refuse levels that no anatomy allows.

        Raises
        ------
        DataError
            With what contradicts them, and the schemes that the numbers would fit.
        """
        refuse(self.doubt(by_size=by_size), self.file)

    def doubt(self, *, by_size: bool = False) -> dict[str, str]:
        """Message and remedy where the levels contradict the anatomy, else nothing."""
        why = self.contradiction(by_size=by_size)
        said = f" as {self.scheme.name} labels" if self.scheme else ""
        if not why:
            return {}
        message = f"the levels{said} contradict the anatomy: {why}."
        return {"message": message, "remedy": self._other_scheme()}

    def fitting(self) -> tuple[str, ...]:
        """The schemes that know every number and whose levels the anatomy allows."""
        fits = [scheme for scheme in SCHEMES.values() if not self.against(scheme)]
        return tuple(s.name if s.levels else f"{s.name} (which names no levels)" for s in fits)

    def hint(self) -> str:
        """What the numbers would fit, as a clause of a note: a hint, never a guess."""
        fits = self.fitting()
        numbers = f"the numbers {listed(self.numbers, 12)}"
        fit = f"would fit {' or '.join(fits)}" if fits else "fit no known scheme"
        placed = self.oriented and all(each.place for each in self.regions)
        they = "they and their order" if placed else "they"
        return f"{numbers} name no levels by themselves; {they} {fit}"

    def against(self, scheme: Scheme) -> str:
        """Why the numbers cannot be of a scheme, in a clause; "" where they fit."""
        numbered = [each for each in self.labels if not each.is_empty and each.number is not None]
        known = [_label(each.segment, each.place, scheme) for each in numbered]
        unknown = [str(each.number) for each in known if each.beside.startswith("unknown")]
        if not known:
            return "no label is called by a number"
        if unknown:
            return f"it has no {listed(unknown, 3)}"
        if scheme.levels and not any(each.level for each in known):
            return "none of them is a vertebra"
        return _doubt(known, by_size=True) if self.oriented else ""

    def _other_scheme(self) -> str:
        scheme = self.scheme
        if fits := self._other_schemes():
            return f"These numbers fit {' or '.join(fits)}. {NAME_THE_SCHEME}"
        caution = f" In {scheme.name} {scheme.caution}." if scheme and scheme.caution else ""
        return f"Check the labels, and which way up the file is.{caution}"


def refuse(doubt: Mapping[str, str], file: str) -> None:
    """Raise a DataError about the levels of a file where there is a doubt."""
    if doubt:
        raise DataError(
            f"{file}: {doubt['message']}",
            remedy=doubt["remedy"],
            code="levels-contradict-anatomy",
            file=file,
        )


def read_label_map(
    path: Path | str,
    scheme: Scheme | None = None,
    orientation: str | None = None,
    image: Geometry | None = None,
) -> LabelMap:
    """The labels of a map; numbers are read by `scheme`, names by themselves.

    `orientation` is that of a file that does not say it, `image` the grid on which contours are
    laid; without it the anatomy is not looked at.

    Raises
    ------
    ImageError
        The file cannot be read, or is no label image.
    """
    return label_map_of(read_labels(path, orientation, image), Path(path).name, scheme)


def label_map_of(found: Segmentation, file: str, scheme: Scheme | None = None) -> LabelMap:
    """The labels of a map that was read; see `read_label_map`."""
    names = [segment.name for segment in found.segments]
    said = scheme_of_one(names[0], scheme) if len(names) == 1 else scheme
    labels = [_label(segment, _place(found, segment), said) for segment in found.segments]
    if any(each.level for each in labels):
        labels = [_beside(each, tabled=bool(found.table)) for each in labels]
    scheme = scheme_of_table(found.table) or said
    return LabelMap(file, scheme, tuple(labels), found.oriented, bool(found.table))


def scheme_of_one(name: str, scheme: Scheme | None) -> Scheme | None:
    """The scheme, where the number of a file's only region speaks by it: 1 or 255 any mask has.

    >>> spider = SCHEMES["spider"]
    >>> [scheme_of_one(name, spider) is spider for name in ("1", "2", "255", "L1")]
    [False, True, False, False]
    """
    number = number_in(name) or 1
    return scheme if scheme and number != 1 and scheme.structure(number) else None


def number_in(name: str) -> int | None:
    """The label that a segment is called by, None where its name is a word.

    >>> [number_in(name) for name in ("21", "Label 21", "label_7", "L1", "Segment_1")]
    [21, 21, 7, None, None]
    """
    found = _NUMBERED.fullmatch(name)
    return int(found[1]) if found else None


def named_level(name: str, scheme: Scheme | None) -> Level | None:
    """The level that the name or number of a segment says, None if it says none.

    >>> named_level("L1 body", None), named_level("lesion", None), named_level("20", None)
    (Level(letter='L', number=1), None, None)
    """
    if (number := number_in(name)) is not None:
        return scheme.levels.get(number) if scheme else None
    try:
        return Level.parse(name)
    except ManifestError:
        return None


def _label(segment: Segment, place: RegionPlace | None, scheme: Scheme | None) -> Label:
    level, beside = named_level(segment.name, scheme), ""
    number = number_in(segment.name)
    if level is None and scheme and number is not None:
        beside = scheme.structure(number) or f"unknown {number}"
    return Label(segment, level, beside, place)


def scheme_of_table(table: Mapping[int, str]) -> Scheme | None:
    """The one scheme whose vertebrae a table of names has, all of them and no others.

    >>> total = SCHEMES["totalsegmentator"]
    >>> names = {n: f"vertebrae_{level}" for n, level in total.levels.items()} | {1: "spleen"}
    >>> scheme_of_table(names) is total, scheme_of_table({27: "vertebrae_L5"})
    (True, None)
    """
    named = {n: level for n, name in table.items() if (level := named_level(name, None))}
    fits = [scheme for scheme in SCHEMES.values() if named and named == scheme.levels]
    return fits[0] if len(fits) == 1 else None


def _beside(label: Label, *, tabled: bool) -> Label:
    """The label as what its name says that it is beside vertebrae.

    In a table that a program wrote, that is whatever it does not call a vertebra; of segments that
    a user named, what is known to be none.
    """
    found = tabled or BESIDE.search(label.segment.name)
    if label.level or label.beside or not found:
        return label
    return Label(label.segment, None, label.segment.name, label.place)


def _place(found: Segmentation, segment: Segment) -> RegionPlace | None:
    if segment.drawn:
        return _place_of_contours(found, segment)
    if not segment.voxels or found.without_voxels:
        return None
    return place_of(found.mask(segment))


def _place_of_contours(found: Segmentation, segment: Segment) -> RegionPlace | None:
    """Of what has or may have a place in the spine; other contours would be filled for nothing.

    Contours that cannot be laid on the image are refused when they are measured.
    """
    name = segment.name
    if number_in(name) is None and not (named_level(name, None) or BESIDE.search(name)):
        return None
    try:
        mask = found.mask(segment)
    except CentrumError:
        return None
    return place_of(mask) if mask.n_voxels else None


def _column(labels: Sequence[Label]) -> SpinalColumn:
    """Bodies, discs and sacrum; of two regions of one level the first."""
    bodies = {each.level: each.place for each in reversed(labels) if each.level and each.place}
    discs = {
        Level.parse(each.beside.removeprefix("disc ")): each.place
        for each in labels
        if each.place and re.fullmatch(r"disc [CTL]\d+", each.beside)
    }
    partial = {f"the partly visible {n}": p for n, p in _placed(labels, "partly visible vertebra")}
    organs = {f"the organ {n}": place for n, place in _placed(labels, ORGAN)}
    sacrum, canal, cord = (
        tuple(place for _, place in _placed(labels, what)) for what in ("sacrum", "canal", "cord")
    )
    around = canal and (*canal, *cord)
    return SpinalColumn(bodies, discs, sacrum, around, partial, organs)


def _doubt(labels: Sequence[Label], *, by_size: bool) -> str:
    """What the anatomy has against the levels, in a clause."""
    column = _column(labels)
    return column.contradiction() or (column.unusual_size() if by_size else "")


def _placed(labels: Iterable[Label], beside: str) -> Iterator[tuple[str, RegionPlace]]:
    """Names and places of what lies beside vertebrae."""
    for each in labels:
        if each.place and each.beside.casefold() == beside:
            yield each.segment.name, each.place


def _family(beside: str) -> str:
    """Discs and end plates by their kind, whatever their level."""
    return "discs" if beside.startswith("disc ") else beside
