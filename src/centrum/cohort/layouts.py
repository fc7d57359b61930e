"""Layouts learnt from a folder: which parts of its names recur, and which vary by case.

A name is cut into words. A word that many files share is part of the layout; the others, numbers
and dates vary. Images and masks belong together where what varies in both is the same.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import NamedTuple

from centrum.cohort.levels import Level
from centrum.cohort.patterns import ENDING, FolderLayout, case_name, match_all
from centrum.errors import ManifestError

MASK_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        annotation contour contours label labels mask masks msk roi rois seg segmentation
        segmentations segs spineps totalseg totalsegmentator totalspineseg vb vert vertebra
        vertebrae verse maske masken segmentierung
        """,
    )
)
"""Words that name masks."""

IMAGE_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        image images img mri mr t1 t1w t2 t2w stir flair dixon tse fse sag sagittal scan scans
        bild bilder raw
        """,
    )
)
"""Words that name images."""

VERTEBRA_WORDS = frozenset(("vert", "vertebra", "vertebrae", "vb"))
"""Words that name label maps of vertebrae, beside others of discs or of parts of vertebrae."""

FEWEST_CASES = 2
"""A layout is learnt from no fewer."""

_DATE = r"(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?!\d)|[0-3]?\d\.[01]?\d\.(?:19|20)\d\d(?!\d)"
_WORD = re.compile(rf"(?P<date>{_DATE})|(?P<word>[^\W_]+)|(?P<between>[\W_])")


class Word(NamedTuple):
    """A piece of a path: text, and what it is: "word", "date", "number" or "between"."""

    text: str
    kind: str


@dataclass(frozen=True)
class PathShape:
    """What the paths of a group share: literal text, and None for each stretch that varies."""

    pieces: tuple[str | None, ...]
    ending: str

    def pattern(self, names: Mapping[int, str]) -> str:
        """The pattern in which some varying stretches, by number, have placeholders."""
        varying, text = 0, ""
        for piece in self.pieces:
            if piece is None:
                text += names.get(varying, "*")
                varying += 1
            else:
                text += piece
        return re.sub(r"\*(?:[^/*{}A-Za-z]*\*)+", "*", text) + self.ending


Group = Mapping[str, tuple[str, ...]]
"""Paths of one shape, with what their varying stretches hold."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Images of one shape and masks of another that belong together, and their patterns."""

    images: Group
    masks: Group
    image: str
    mask: str


@dataclass(frozen=True)
class Link:
    """By which stretches the images of one shape and the masks of another belong together.

    Attributes
    ----------
    image, mask : numbers of the stretches that name the case, the first of them first
    cases : how many have just one image of the shape, and a mask
    """

    image: tuple[int, ...]
    mask: tuple[int, ...]
    cases: int


def learn_layouts(
    files: Sequence[str], folders: Sequence[str], is_label_map: Callable[[str], bool]
) -> tuple[FolderLayout, ...]:
    """Layouts that the names of files and DICOM folders suggest, those that are
    as good as each other; one where the names leave no doubt.

    Parameters
    ----------
    files, folders : relative paths; those of folders end with a slash
    is_label_map : whether a file holds labels; asked where its name does not tell

    >>> files = [f"{p}/{p}_{what}.nii.gz" for p in ("Li", "Wu", "Ng") for what in ("sag", "roi")]
    >>> learn_layouts(files, (), lambda path: False)
    (FolderLayout(image='{case}/{case}_sag.{ext}', mask='{case}/{case}_roi.{ext}'),)
    """
    items = [path for path in files if re.search(rf"\.{ENDING}$", path)]
    paths = {path: _words(_stem(path)) for path in (*items, *folders)}
    found: dict[frozenset[str], list[tuple[int, int, int, FolderLayout]]] = defaultdict(list)
    for least in sorted(set(_counts(paths.values()).values())):
        for layout in _layouts(paths, least, is_label_map):
            both = layout.image + layout.mask
            cases, matched = _matched(layout, paths)
            worth = (cases, -both.count("*"), len(matched))
            found[matched].append((*worth, _prefixed(layout)))
    # Of layouts for the same files the one that says most of their names.
    told = [
        max(same, key=lambda one: (one[:3], len(one[3].image + one[3].mask)))
        for same in found.values()
    ]
    best = max((one[:3] for one in told), default=(0, 0, 0))
    alike = (layout for *worth, layout in told if tuple(worth) == best)
    return tuple(sorted(alike, key=lambda layout: (layout.image, layout.mask)))


def _matched(layout: FolderLayout, paths: Iterable[str]) -> tuple[int, frozenset[str]]:
    """How many cases have an image and a mask, and all files that the layout has a place for."""
    images, masks = (match_all(pattern, paths) for pattern in (layout.image, layout.mask))
    ids = [
        {case_name(found) for path, found in side.items() if side is masks or path not in masks}
        for side in (images, masks)
    ]
    return len(ids[0] & ids[1]), frozenset([*images, *masks])


def _prefixed(layout: FolderLayout) -> FolderLayout:
    """The layout whose case is called by its whole name, where each begins alike: sub-01."""
    text = f"{layout.image}\n{layout.mask}"
    begins = set(re.findall(r"(?:^|(?<=/)|(?<=\n))([^/\n{}*]*)\{case\}", text))
    prefix = begins.pop() if len(begins) == 1 else ""
    if not prefix or text.count(prefix + "{case}") != text.count("{case}"):
        return layout
    return FolderLayout(*text.replace(prefix + "{case}", "{case}").split("\n"))


def _stem(path: str) -> str:
    return re.sub(rf"\.{ENDING}$", "", path).rstrip("/")


def _words(text: str) -> tuple[Word, ...]:
    words = []
    for match in _WORD.finditer(text):
        kind = match.lastgroup or "between"
        number = kind == "word" and match[0].isdigit()
        words.append(Word(match[0], "number" if number else kind))
    return tuple(words)


def _counts(paths: Iterable[tuple[Word, ...]]) -> Counter[str]:
    """In how many paths each word stands."""
    counts: Counter[str] = Counter()
    for words in paths:
        counts.update({word.text for word in words if word.kind == "word"})
    return counts


def _layouts(
    paths: Mapping[str, tuple[Word, ...]], least: int, is_label_map: Callable[[str], bool]
) -> Iterator[FolderLayout]:
    """Layouts when words of at least so many paths recur."""
    groups = _groups(paths, least)
    masks = [shape for shape, group in groups.items() if _holds_masks(shape, group, is_label_map)]
    pairs = [
        Pair(groups[image], groups[mask], *_named_patterns(groups, image, mask, link))
        for image in (shape for shape in groups if shape not in masks)
        for mask in masks
        if (link := _link(groups[image], groups[mask])) is not None
    ]
    pairs = _of_vertebrae(pairs)
    for pair in pairs:
        yield _twins(pair, pairs) or _together(pair, pairs, paths)


def _groups(paths: Mapping[str, tuple[Word, ...]], least: int) -> dict[PathShape, dict]:
    recurring = {word for word, count in _counts(paths.values()).items() if count >= least}
    groups: dict[PathShape, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for path, words in paths.items():
        pieces, values = _shape(words, recurring)
        ending = "/" if path.endswith("/") else ".{ext}"
        groups[PathShape(pieces, ending)][path] = values
    return {
        shape: group
        for old, values in groups.items()
        for shape, group in [_constants(old, values)]
        if len(group) >= FEWEST_CASES
    }


def _shape(
    words: Sequence[Word], recurring: set[str]
) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """Literal and varying stretches of a path, and what the varying ones hold.

    Varying words in a row are one stretch, so that names may have any number of them; a date
    is one by itself.
    """
    pieces: list[str | None] = []
    values: list[str] = []
    gap, last = "", ""
    for word in words:
        if word.kind == "between":
            gap += word.text
            continue
        if word.text in recurring:
            pieces, gap, last = [*pieces, gap + word.text], "", ""
        elif last and word.kind != "date" and last != "date" and "/" not in gap:
            values[-1] += gap + word.text
            gap = ""
        else:
            pieces, gap, last = [*pieces, *filter(None, [gap]), None], "", word.kind
            values.append(word.text)
    return _joined([*pieces, *filter(None, [gap])]), tuple(values)


def _joined(pieces: Iterable[str | None]) -> tuple[str | None, ...]:
    """Literal pieces that follow each other as one."""
    out: list[str | None] = []
    for piece in pieces:
        if piece is not None and out and out[-1] is not None:
            out[-1] += piece
        else:
            out.append(piece)
    return tuple(out)


def _constants(shape: PathShape, group: Group) -> tuple[PathShape, dict[str, tuple[str, ...]]]:
    """The shape with words that are the same in all its paths as literal text.

    A number stays: of a series or a slice it may be another in the next exam.
    """
    columns = list(zip(*group.values(), strict=True))
    same = {k: column[0] for k, column in enumerate(columns) if len(set(column)) == 1}
    fixed = {k: text for k, text in same.items() if not text.isdigit()}
    if not fixed or len(group) < FEWEST_CASES:
        return shape, dict(group)
    varying, pieces = iter(range(len(columns))), []
    for piece in shape.pieces:
        pieces.append(fixed.get(next(varying)) if piece is None else piece)
    kept = {
        path: tuple(v for k, v in enumerate(values) if k not in fixed)
        for path, values in group.items()
    }
    return PathShape(_joined(pieces), shape.ending), kept


def _holds_masks(shape: PathShape, group: Group, is_label_map: Callable[[str], bool]) -> bool:
    """Whether a group is of masks: its name says so, or the first of its files."""
    if shape.ending == "/":
        return False
    if all(path.lower().endswith(".seg.nrrd") for path in group):
        return True
    text = "".join(piece or " " for piece in shape.pieces).casefold()
    folders, own = (set(re.findall(r"[^\W_]+", part)) for part in text.rpartition("/")[::2])
    if own & MASK_WORDS:
        return True
    if folders & MASK_WORDS and not own & IMAGE_WORDS:
        return True
    if (folders | own) & IMAGE_WORDS and not folders & MASK_WORDS:
        return False
    return is_label_map(next(iter(group)))


def _link(images: Group, masks: Group) -> Link | None:
    """The stretches that join most cases; one where one is enough."""
    n, m = (len(next(iter(group.values()))) for group in (images, masks))
    single = [((i,), (j,)) for i in range(n) for j in range(m)]
    double = [(a, b) for a in combinations(range(n), 2) for b in permutations(range(m), 2)]
    single.sort(key=lambda pair: _are_dates(images, pair[0][0]))
    links = [Link(a, b, _joins(images, masks, a, b)) for a, b in (*single, *double)]
    best = max(links, key=lambda link: link.cases, default=None)
    return best if best is not None and best.cases >= FEWEST_CASES else None


def _are_dates(group: Group, k: int) -> bool:
    """Whether a stretch holds dates, which name a case only for want of something else."""
    return all(re.fullmatch(_DATE, values[k]) for values in group.values())


def _joins(images: Group, masks: Group, a: Sequence[int], b: Sequence[int]) -> int:
    """Cases with just one image of the group, and a mask."""
    counts = Counter(tuple(values[k] for k in a) for values in images.values())
    there = {tuple(values[k] for k in b) for values in masks.values()}
    return sum(count == 1 and key in there for key, count in counts.items())


def _named_patterns(
    groups: Mapping[PathShape, Group], image: PathShape, mask: PathShape, link: Link
) -> tuple[str, str]:
    return (
        image.pattern(_named(groups[image], link.image)),
        mask.pattern(_with_readers(groups[mask], link.mask, _named(groups[mask], link.mask))),
    )


def _named(group: Group, key: Sequence[int]) -> dict[int, str]:
    """Placeholders of the varying stretches: of the case, and where that is repeated."""
    columns = list(zip(*group.values(), strict=True))
    names = dict(zip(key, ("{case}", "{exam}"), strict=False))
    for k, column in enumerate(columns):
        if k not in names and column == columns[key[0]]:
            names[k] = "{case}"
    return names


def _twins(pair: Pair, pairs: Sequence[Pair]) -> FolderLayout | None:
    """One layout for pairs whose patterns differ in the same way: M/F, or Exam1/ and Exam2/.

    A folder that the same cases have twice is an exam; what differs from case to case is nothing.
    None where there is no such pair.
    """
    others = [
        other
        for other in pairs
        if (both := _middles([pair.image, other.image]))
        and both == _middles([pair.mask, other.mask])
    ]
    if not others:
        return None
    alike = [pair, *others]
    keys = [set(match_all(each.image, each.images)) for each in alike]
    ids = [{case_name(f) for f in match_all(e.image, e.images).values()} for e in alike]
    apart = len(set().union(*ids)) == sum(map(len, ids))
    sides = [_stretch([each.image for each in alike]), _stretch([each.mask for each in alike])]
    if None in sides or not keys:
        return None
    folder = all(start[-1:] in ("", "/") and end[:1] == "/" for start, end in filter(None, sides))
    if not apart and (not folder or _are_sequences(_middles([e.image for e in alike]))):
        return None
    name = "*" if apart else "{exam}"
    return FolderLayout(*(f"{start}{name}{end}" for start, end in filter(None, sides)))


def _are_sequences(names: Collection[str]) -> bool:
    return any(set(re.findall(r"[^\W_]+", name.casefold())) & IMAGE_WORDS for name in names)


def _together(pair: Pair, pairs: Sequence[Pair], paths: Collection[str]) -> FolderLayout:
    """The layout of a pair, with other images and masks of its cases as sequences and readers."""
    masks = [other.mask for other in pairs if other.image == pair.image]
    mask = _merged(pair.mask, masks, "{reader}", paths)
    images = [other.image for other in pairs if other.mask == pair.mask]
    known = set(paths) - match_all(mask, paths).keys()
    return FolderLayout(_merged(pair.image, images, "{sequence}", known), mask)


def _of_vertebrae(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, of several label maps of an image those of vertebrae where some are named so."""
    named = [
        pair
        for pair in pairs
        if set(re.findall(r"[^\W_]+", pair.mask.rpartition("/")[2].casefold())) & VERTEBRA_WORDS
    ]
    images = {pair.image for pair in named}
    return [*named, *(pair for pair in pairs if pair.image not in images)]


def _with_readers(group: Group, key: Sequence[int], names: Mapping[int, str]) -> dict[int, str]:
    """The names, and of a stretch that holds the same few words in most cases that of readers."""
    cases = {tuple(values[k] for k in key) for values in group.values()}
    named = dict(names)
    for k, column in enumerate(zip(*group.values(), strict=True)):
        rare = min(Counter(column).values())
        several = k not in names and len(group) > len(cases) and 2 * rare > len(cases)
        if several and not any(map(_is_level, column)):
            of_vertebrae = [text for text in set(column) if text.casefold() in VERTEBRA_WORDS]
            named[k] = of_vertebrae[0] if of_vertebrae else "{reader}"
            break
    return named


def _merged(first: str, patterns: Collection[str], placeholder: str, paths: Collection[str]) -> str:
    """The first pattern, or one for all that differ from it in one stretch of a name.

    Of all `paths` it may match those of the patterns alone.
    """
    others = [p for p in dict.fromkeys(patterns) if p != first and _stretch([first, p]) is not None]
    if placeholder == "{reader}" and any(map(_is_level, _middles([first, *others]))):
        return first
    found = _stretch([first, *others]) if others else None
    if found is None:
        return first
    whole = found[0] + placeholder + found[1]
    known = {path for pattern in patterns for path in match_all(pattern, paths)}
    return whole if match_all(whole, paths).keys() <= known else first


def _is_level(text: str) -> bool:
    """Whether a text names a vertebra; a file for each is no file for each reader."""
    try:
        Level.parse(text)
    except ManifestError:
        return False
    return True


def _middles(patterns: Sequence[str]) -> frozenset[str]:
    """What patterns have where they differ, in part of one name; empty where they differ more."""
    found = _stretch(patterns)
    if found is None or len(set(patterns)) < len(patterns):
        return frozenset()
    start, end = map(len, found)
    return frozenset(pattern[start : len(pattern) - end] for pattern in patterns)


def _stretch(patterns: Sequence[str]) -> tuple[str, str] | None:
    """What patterns begin and end with, where between they differ in part of one name only."""
    start = _common(patterns)
    end = _common([pattern[len(start) :][::-1] for pattern in patterns])[::-1]
    middles = [pattern[len(start) : len(pattern) - len(end)] for pattern in patterns]
    if any(set(middle) & set("/{}*") for middle in middles):
        return None
    return start, end


def _common(texts: Sequence[str]) -> str:
    """The longest beginning that all texts share, to the end of a word."""
    k = 0
    while all(k < len(text) and text[k] == texts[0][k] for text in texts):
        k += 1
    cut = texts[0][:k]
    return re.sub(r"[^\W_]+$", "", cut)
