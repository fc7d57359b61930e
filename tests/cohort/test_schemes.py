"""Every label scheme as typed numbers, and what is refused."""

import pytest

from centrum.cohort.levels import Level
from centrum.cohort.schemes import SCHEMES, find_scheme, level_of, naming_levels
from centrum.errors import ManifestError, ProtocolError

CERVICAL = ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]
THORACIC = ["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12"]
LUMBAR = ["L1", "L2", "L3", "L4", "L5"]
SPINE = [*CERVICAL, *THORACIC, *LUMBAR]


def numbered(names: list[str], first: int) -> dict[int, str]:
    return dict(enumerate(names, first))


VERSE = {**numbered(SPINE, 1), 25: "L6", 28: "T13"}

LEVELS = {
    "verse": VERSE,
    "spineps": VERSE,
    "tptbox": VERSE,
    "totalspineseg": {
        **numbered(CERVICAL, 11),
        **numbered(THORACIC, 21),
        **numbered([*LUMBAR, "L6"], 41),
    },
    "totalsegmentator-vertebrae-mr": {
        2: "L5", 3: "L4", 4: "L3", 5: "L2", 6: "L1", 7: "T12", 8: "T11", 9: "T10", 10: "T9",
        11: "T8", 12: "T7", 13: "T6", 14: "T5", 15: "T4", 16: "T3", 17: "T2", 18: "T1", 19: "C7",
        20: "C6", 21: "C5", 22: "C4", 23: "C3", 24: "C2", 25: "C1",
    },
    "totalsegmentator": {26: "S1", **numbered(SPINE[::-1], 27)},
    "totalsegmentator-v3": {26: "L6", **numbered(SPINE[::-1], 27)},
    "totalsegmentator-v1": numbered(SPINE[::-1], 18),
    "spider": {
        1: "L5", 2: "L4", 3: "L3", 4: "L2", 5: "L1", 6: "T12", 7: "T11", 8: "T10", 9: "T9",
        **numbered(SPINE[14::-1], 10),
    },
    "spider-algorithm": {**numbered(SPINE, 1), 24: "L5"},
    "mrspineseg": {
        2: "L5", 3: "L4", 4: "L3", 5: "L2", 6: "L1", 7: "T12", 8: "T11", 9: "T10", 10: "T9",
    },
}  # fmt: skip
"""Typed from the programs' own tables."""

DISCS = {
    "spineps": {107: "C7", 119: "T12", 120: "L1", 124: "L5", 128: "T13"},
    "tptbox": {107: "C7", 119: "T12", 120: "L1", 124: "L5"},
    "totalspineseg": {
        63: "C2", 67: "C6", 71: "C7", 72: "T1", 82: "T11", 91: "T12", 95: "L4", 100: "L5",
    },
    "spider": {201: "L5", 206: "T12"},
    "spider-algorithm": {224: "L5", 219: "T12"},
    "mrspineseg": {11: "L5", 12: "L4", 16: "T12", 17: "T11", 19: "T9"},
}  # fmt: skip
"""The vertebra above a disc."""

OTHERS = {
    "verse": {26: "sacrum", 27: "coccyx"},
    "spineps": {26: "sacrum", 201: "end plate", 228: "end plate"},
    "spineps-spine": {41: "arch", 42: "spinous process", 43: "costal process", 49: "body",
                      45: "articular process", 48: "articular process", 60: "cord", 61: "canal",
                      62: "end plate", 100: "disc", 26: "sacrum", 50: "body", 51: "dens",
                      52: "end plate", 53: "end plate", 40: "", 54: ""},
    "tptbox": {26: "sacrum", 29: "sacrum"},
    "totalspineseg": {1: "cord", 2: "canal", 47: "L7", 50: "sacrum"},
    "totalsegmentator-vertebrae-mr": {1: "sacrum"},
    "totalsegmentator-mr": {18: "sacrum", 19: "vertebrae", 20: "discs", 21: "cord"},
    "totalsegmentator": {25: "sacrum", 79: "cord", 5: "another organ", 118: ""},
    "totalsegmentator-v3": {25: "sacrum"},
    "totalsegmentator-v1": {92: "sacrum", 42: "another organ", 105: ""},
    "totalsegmentator-body": {1: "bodies", 2: "discs"},
    "spider": {100: "canal", 101: "partly visible vertebra", 125: "partly visible vertebra"},
    "spider-algorithm": {100: "canal", 124: "partly visible vertebra"},
    "mrspineseg": {1: "sacrum"},
}  # fmt: skip


def test_every_scheme_is_typed_here() -> None:
    assert set(SCHEMES) == set(OTHERS)
    assert set(naming_levels()) == set(LEVELS)
    assert all(scheme.whole == bool(scheme.levels) for scheme in SCHEMES.values())
    assert all(scheme.source and scheme.title for scheme in SCHEMES.values())


@pytest.mark.parametrize("name", SCHEMES)
def test_the_numbers_of_a_scheme(name: str) -> None:
    scheme = SCHEMES[name]
    assert {n: level.name for n, level in scheme.levels.items()} == LEVELS.get(name, {})
    for number, above in DISCS.get(name, {}).items():
        assert scheme.discs[number].name == above
    assert bool(scheme.discs) == (name in DISCS)
    for number, what in OTHERS[name].items():
        assert scheme.structure(number) == what


INTO_TOTALSEGMENTATOR = {
    "spider": dict(zip(range(1, 25), range(18, 42), strict=True)),
    "mrspineseg": dict(zip(range(2, 11), range(18, 27), strict=True)),
}
"""As TotalSpineSeg translates the numbers of others into those of TotalSegmentator's first version:
labels_maps/spider.json and mrspineseg.json. Sacra: 1 of MRSpineSeg is 92."""


@pytest.mark.parametrize("name", INTO_TOTALSEGMENTATOR)
def test_schemes_are_as_another_program_translates_them(name: str) -> None:
    of_first = SCHEMES["totalsegmentator-v1"]
    for number, there in INTO_TOTALSEGMENTATOR[name].items():
        assert SCHEMES[name].levels[number] == of_first.levels[there]
    assert SCHEMES["mrspineseg"].others[1] == of_first.others[92] == "sacrum"


@pytest.mark.parametrize("name", sorted(set(SCHEMES) - set(LEVELS)))
def test_schemes_without_levels_are_refused(name: str) -> None:
    with pytest.raises(ProtocolError, match="name no levels") as caught:
        find_scheme(name)
    assert caught.value.code == "scheme-without-levels"


def test_an_unknown_scheme_has_a_nearest() -> None:
    assert find_scheme(" Verse ").name == "verse"
    with pytest.raises(ProtocolError, match=r"Did you mean spineps\?"):
        find_scheme("spinep")
    with pytest.raises(ProtocolError, match="There are verse, spineps") as caught:
        find_scheme("mine")
    assert caught.value.code == "unknown-label-scheme"


def test_a_number_that_is_no_vertebra() -> None:
    verse = find_scheme("verse")
    assert level_of("28", verse) == Level("T", 13)
    assert level_of("LWK 1", verse) == Level("L", 1)
    with pytest.raises(ManifestError, match="In verse 26 is sacrum, no vertebra"):
        level_of("26", verse)
    with pytest.raises(ManifestError, match="In verse 99 is unknown"):
        level_of("99", verse)
