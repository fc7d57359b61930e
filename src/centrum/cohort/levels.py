"""Vertebral levels: one name for the many ways in which people write them."""

import re
import unicodedata
from dataclasses import dataclass
from functools import total_ordering

from centrum.errors import ManifestError

REGIONS = {"C": "cervical", "T": "thoracic", "L": "lumbar", "S": "sacral"}
"""Region of the spine by the letter of the level, from head to foot."""

COUNTS = {"C": 7, "T": 13, "L": 6, "S": 5}
"""Highest number in a region; T13 and L6 are variants of a normal spine."""

ACCEPTED = 'C1-C7, T1-T13, L1-L6 or S1-S5; also spelt Th12, D12, "thoracic 12" or "12. BWK"'

NAME_THE_SCHEME = "Name the scheme of the numbers: images.labels, or --labels."

_LETTERS = "".join(REGIONS)

_SPELLINGS = {
    "C": "c|cs|cerv|cervical|hwk?|halswirbel(?:körper)?",
    "T": "t|th|d|ds|bs|thor|thoracic|dorsal|bwk?|brustwirbel(?:körper)?",
    "L": "l|lv|lumb|lumbar|lwk?|lendenwirbel(?:körper)?",
    "S": "s|sv|sacr|sacral|swk?|sakralwirbel(?:körper)?",
}
_FILLERS = re.compile(r"\b(vertebrae?|vertebral|body|corpus|level|spine)\b")
_SEPARATORS = re.compile(r"[\s_\-–.:#]+")
_REGION_FIRST, _NUMBER_FIRST = (
    {letter: re.compile(shape.format(words)) for letter, words in _SPELLINGS.items()}
    for shape in (r"(?:{0}) ?0?([1-9]\d?)", r"([1-9]\d?) ?(?:(?:st|nd|rd|th) )?(?:{0})")
)


@total_ordering
@dataclass(frozen=True)
class Level:
    """A vertebra by its place in the spine; ordered from head to foot.

    Attributes
    ----------
    letter : "C", "T", "L" or "S"
    number : counted from the head within the region, from 1

    Raises
    ------
    ManifestError
        There is no such vertebra.

    >>> Level("T", 12) < Level("L", 1)
    True
    >>> Level("L", 1).name, Level("L", 1).region
    ('L1', 'lumbar')
    """

    letter: str
    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= COUNTS.get(self.letter, 0):
            raise self.unknown(f"{self.letter}{self.number}")

    def __str__(self) -> str:
        return self.name

    def __lt__(self, other: "Level") -> bool:
        return self._place < other._place

    @property
    def _place(self) -> tuple[int, int]:
        return _LETTERS.index(self.letter), self.number

    @property
    def name(self) -> str:
        """Short name, such as "T12"."""
        return f"{self.letter}{self.number}"

    @property
    def region(self) -> str:
        """cervical, thoracic, lumbar or sacral."""
        return REGIONS[self.letter]

    @classmethod
    def parse(cls, text: str) -> "Level":
        """The level that `text` names, in any usual spelling.

        A bare integer names a level only in a label scheme (`centrum.cohort.schemes`). It is
        refused with a ManifestError, as is text that names no level, or more than one.

        >>> [Level.parse(text).name for text in ("c 3", "TH-12", "D12", "thoracic 12", "12. BWK")]
        ['C3', 'T12', 'T12', 'T12', 'T12']
        """
        if text.strip().isdecimal():
            raise ManifestError(
                f"{text.strip()} is a number, which names a vertebra only in a label scheme.",
                remedy=NAME_THE_SCHEME,
                code="level-needs-scheme",
            )
        plain = _plain(text)
        for shapes in (_REGION_FIRST, _NUMBER_FIRST):
            for letter, shape in shapes.items():
                found = shape.fullmatch(plain)
                if found and 1 <= int(found[1]) <= COUNTS[letter]:
                    return cls(letter, int(found[1]))
        raise cls.unknown(text)

    @staticmethod
    def unknown(text: str, reason: str = "") -> ManifestError:
        """The error of a text that names no level."""
        message = f"{reason} A vertebral level is one of {ACCEPTED}. Found {text!r}."
        return ManifestError(
            message.lstrip(), remedy="Correct the level, or leave it empty.", code="unknown-level"
        )


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    spaced = _SEPARATORS.sub(" ", folded)
    return " ".join(_FILLERS.sub(" ", spaced).split())
