"""Label schemes: which bone or disc a number of a label map means, in whose program.

The same number means another bone in almost every pair of programs, so that a number says
nothing until its scheme is named. Each table was checked against the program's own source, which
`Scheme.source` names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from centrum.cohort.levels import Level
from centrum.errors import ProtocolError

Holds = Literal["whole vertebrae", "parts"]
"""Whole vertebrae: body and posterior elements have one number. Parts: no number is of one bone."""

SPINE = tuple(
    f"{letter}{number}"
    for letter, last in (("C", 7), ("T", 12), ("L", 5))
    for number in range(1, last + 1)
)
"""The levels of a spine without variants, from head to foot."""

_RANGE = re.compile(r"([CTLS]\d+)(?:-([CTLS]\d+))?")


@dataclass(frozen=True)
class Scheme:
    """What the numbers of one program's label maps mean.

    Attributes
    ----------
    name : what the user calls it
    title : the program and the file
    holds : what one number covers
    source : where the table stands
    levels : label -> vertebra; empty where the scheme names none
    discs : label -> the vertebra above the disc
    others : label -> what else it is
    caution : what the numbers do not say, "" if nothing
    parts : name of the scheme of the file that the program writes beside, with the bodies apart

    >>> find_scheme("verse").levels[20].name
    'L1'
    """

    name: str
    title: str
    holds: Holds
    source: str
    levels: Mapping[int, Level] = field(default_factory=dict)
    discs: Mapping[int, Level] = field(default_factory=dict)
    others: Mapping[int, str] = field(default_factory=dict)
    caution: str = ""
    parts: str = ""

    @property
    def whole(self) -> bool:
        """Whether a label is a whole vertebra, the body not apart."""
        return self.holds == "whole vertebrae"

    def labels_of(self, *structures: str) -> tuple[int, ...]:
        """The labels of structures that are no vertebra and no disc.

        >>> find_scheme("totalspineseg").labels_of("canal", "cord")
        (1, 2)
        """
        return tuple(label for label, what in self.others.items() if what in structures)

    def structure(self, label: int) -> str:
        """What a label is, in a word or two; "" where the scheme does not know it.

        >>> [find_scheme("totalspineseg").structure(n) for n in (41, 91, 2, 99)]
        ['L1', 'disc T12', 'canal', '']
        """
        if label in self.levels:
            return self.levels[label].name
        return f"disc {self.discs[label]}" if label in self.discs else self.others.get(label, "")


def level_of(text: str, scheme: Scheme | None) -> Level:
    """The level that a text names, where a bare integer is a label of `scheme`.

    Raises
    ------
    ManifestError
        The text names no level, or an integer stands without a scheme that has it as a vertebra.

    >>> level_of("20", find_scheme("verse")).name, level_of("Th12", None).name
    ('L1', 'T12')
    """
    if scheme is None or not text.isdecimal():
        return Level.parse(text)
    if int(text) in scheme.levels:
        return scheme.levels[int(text)]
    found = scheme.structure(int(text)) or "unknown"
    raise Level.unknown(text, f"In {scheme.name} {text} is {found}, no vertebra.")


def find_scheme(name: str) -> Scheme:
    """The scheme of that name, which must name levels.

    Raises
    ------
    ProtocolError
        There is no such scheme, or its numbers name no levels.
    """
    known = SCHEMES.get(name.strip().casefold())
    if known is None:
        near = get_close_matches(name.casefold(), SCHEMES, n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"There are {', '.join(naming_levels())}."
        raise ProtocolError(
            f"There is no label scheme {name!r}.", remedy=remedy, code="unknown-label-scheme"
        )
    if not known.levels:
        raise ProtocolError(
            f"The labels of {known.name} ({known.title}) name no levels: {known.caution}.",
            remedy=f"Give a label map of one of {', '.join(naming_levels())}.",
            code="scheme-without-levels",
        )
    return known


def naming_levels() -> tuple[str, ...]:
    """Names of the schemes whose numbers name levels."""
    return tuple(scheme.name for scheme in SCHEMES.values() if scheme.levels)


def _numbered(ranges: Mapping[str, int]) -> dict[int, Level]:
    """Labels of ranges of levels that are numbered upwards from a first number.

    >>> {label: str(level) for label, level in _numbered({"L2-T12": 5}).items()}
    {5: 'L2', 6: 'L1', 7: 'T12'}
    """
    return {
        first + k: Level.parse(name)
        for text, first in ranges.items()
        for k, name in enumerate(_run(text))
    }


def _run(text: str) -> Iterator[str]:
    match = _RANGE.fullmatch(text)
    if match is None or match[2] is None:
        return iter((text,))
    names = (*SPINE, "L6") if "L6" in text else SPINE
    start, stop = names.index(match[1]), names.index(match[2])
    return iter(names[start : stop + 1] if start < stop else names[stop : start + 1][::-1])


def _spread(first: int, last: int, text: str) -> dict[int, str]:
    return dict.fromkeys(range(first, last + 1), text)


ORGAN = "another organ"
"""What lies outside the spine, where a task has it."""


def _organs(last: int, vertebrae: range) -> dict[int, str]:
    """The other labels of a task that ends with `last`."""
    return {n: ORGAN for n in range(1, last + 1) if n not in vertebrae}


_VERSE = _numbered({"C1-T12": 1, "L1-L6": 20, "T13": 28})
_SACRUM = {26: "sacrum", 27: "coccyx"}
_TOTAL = _numbered({"L5-C1": 27})

_TABLES = (
    Scheme(
        "verse",
        "VerSe",
        "whole vertebrae",
        "Sekuboyina et al., Med Image Anal 2021;73:102166; https://osf.io/4skx2/wiki",
        _VERSE,
        others=_SACRUM,
    ),
    Scheme(
        "spineps",
        "SPINEPS seg-vert, with a labelling model",
        "whole vertebrae",
        "https://github.com/Hendrik-code/spineps, readme and phase_post.py",
        _VERSE,
        discs={100 + label: level for label, level in _VERSE.items()},
        others=_SACRUM | _spread(201, 228, "end plate"),
        parts="spineps-spine",
        caution="without a labelling model the numbers count from the top of the image",
    ),
    Scheme(
        "spineps-spine",
        "SPINEPS seg-spine, and subregions of TPTBox",
        "parts",
        "https://github.com/Hendrik-code/spineps, readme; 50 to 53 of TPTBox, vert_constants.py",
        others={
            26: "sacrum",
            41: "arch",
            42: "spinous process",
            **_spread(43, 44, "costal process"),
            **_spread(45, 48, "articular process"),
            **_spread(49, 50, "body"),
            51: "dens",
            **_spread(52, 53, "end plate"),
            60: "cord",
            61: "canal",
            62: "end plate",
            100: "disc",
        },
        caution="a number is a part of every vertebra, such as 49 for all bodies",
    ),
    Scheme(
        "tptbox",
        "TPTBox, instances of vertebrae",
        "whole vertebrae",
        "https://github.com/Hendrik-code/TPTBox, core/vert_constants.py",
        _VERSE,
        discs={100 + label: level for label, level in _VERSE.items()},
        others=_SACRUM | _spread(29, 33, "sacrum") | _spread(201, 228, "end plate"),
        parts="spineps-spine",
        caution="its subregions (49 and 50 for bodies) are another file, which names no levels",
    ),
    Scheme(
        "totalspineseg",
        "TotalSpineSeg, step 2",
        "whole vertebrae",
        "https://github.com/neuropoly/totalspineseg, labels_maps/tss_map.json",
        _numbered({"C1-C7": 11, "T1-T12": 21, "L1-L6": 41}),
        discs=_numbered({"C2-C6": 63, "C7-T11": 71, "T12-L4": 91, "L5": 100}),
        others={1: "cord", 2: "canal", 47: "L7", 50: "sacrum", 96: "disc L5/L6"},
    ),
    Scheme(
        "totalsegmentator-vertebrae-mr",
        "TotalSegmentator, task vertebrae_mr",
        "whole vertebrae",
        "https://github.com/wasserth/TotalSegmentator, map_to_binary.py",
        _numbered({"L5-C1": 2}),
        others={1: "sacrum"},
    ),
    Scheme(
        "totalsegmentator-mr",
        "TotalSegmentator, task total_mr",
        "parts",
        "https://github.com/wasserth/TotalSegmentator, map_to_binary.py",
        others={18: "sacrum", 19: "vertebrae", 20: "discs", 21: "cord"},
        caution="all vertebrae have the one number 19",
    ),
    Scheme(
        "totalsegmentator",
        "TotalSegmentator, task total (CT), version 2",
        "whole vertebrae",
        "https://github.com/wasserth/TotalSegmentator, map_to_binary.py",
        _TOTAL | {26: Level("S", 1)},
        others=_organs(117, range(26, 51)) | {25: "sacrum", 79: "cord"},
        parts="totalsegmentator-body",
    ),
    Scheme(
        "totalsegmentator-v3",
        "TotalSegmentator, task total_v3 (CT)",
        "whole vertebrae",
        "https://github.com/wasserth/TotalSegmentator, map_to_binary.py",
        _TOTAL | {26: Level("L", 6)},
        others=_organs(117, range(26, 51)) | {25: "sacrum", 79: "cord"},
        parts="totalsegmentator-body",
    ),
    Scheme(
        "totalsegmentator-v1",
        "TotalSegmentator, task total (CT), version 1",
        "whole vertebrae",
        "https://github.com/wasserth/TotalSegmentator, map_to_binary.py",
        _numbered({"L5-C1": 18}),
        others=_organs(104, range(18, 42)) | {92: "sacrum"},
        parts="totalsegmentator-body",
    ),
    Scheme(
        "totalsegmentator-body",
        "TotalSegmentator, task vertebrae_body (CT)",
        "parts",
        "https://github.com/wasserth/TotalSegmentator, map_to_binary.py",
        others={1: "bodies", 2: "discs"},
        caution="all bodies have the one number 1",
    ),
    Scheme(
        "spider",
        "SPIDER, reference masks",
        "whole vertebrae",
        "https://grand-challenge.org/algorithms/spider-baseline-iis",
        _numbered({"L5-C1": 1}),
        discs={200 + label: level for label, level in _numbered({"L5-C1": 1}).items()},
        others={100: "canal"} | _spread(101, 125, "partly visible vertebra"),
        caution="it counts from the lowest lumbar vertebra, which is taken as L5",
    ),
    Scheme(
        "spider-algorithm",
        "SPIDER, as the challenge's algorithm writes",
        "whole vertebrae",
        "https://grand-challenge.org/algorithms/spider-baseline-iis",
        _numbered({"C1-L5": 1}),
        discs={200 + label: level for label, level in _numbered({"C1-L5": 1}).items()},
        others={100: "canal"} | _spread(101, 124, "partly visible vertebra"),
        caution="24 is the lowest lumbar vertebra, which is taken as L5",
    ),
    Scheme(
        "mrspineseg",
        "MRSpineSeg challenge",
        "whole vertebrae",
        "https://www.spinesegmentation-challenge.com/?page_id=1162",
        _numbered({"L5-T9": 2}),
        discs=_numbered({"L5-T9": 11}),
        others={1: "sacrum"},
    ),
)

SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in _TABLES}
"""Every scheme by its name."""
