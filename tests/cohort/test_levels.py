"""Every usual spelling of a vertebral level, and what is refused."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from centrum.cohort.levels import COUNTS, Level
from centrum.errors import ManifestError

LEVELS = [Level(letter, n) for letter, count in COUNTS.items() for n in range(1, count + 1)]
PREFIXES = {
    "C": ["C", "c", "cervical ", "Cervical-", "HWK", "hwk "],
    "T": ["T", "t", "Th", "TH-", "D", "d ", "thoracic ", "dorsal_", "BWK ", "Th."],
    "L": ["L", "l ", "lumbar ", "LWK", "vertebrae_L", "Lumbar vertebra "],
    "S": ["S", "s-", "sacral ", "SWK "],
}
NUMBER_FIRST = {"C": "{}. HWK", "T": "{}th thoracic", "L": "{}. Lendenwirbelkörper", "S": "{}. SWK"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("C3", "C3"),
        ("c3", "C3"),
        ("C 3", "C3"),
        ("T12", "T12"),
        ("Th12", "T12"),
        ("D12", "T12"),
        ("TH-12", "T12"),
        ("thoracic 12", "T12"),
        ("12. BWK", "T12"),
        ("LWK 1", "L1"),
        ("7. HWK", "C7"),
        ("L6", "L6"),
        ("T13", "T13"),
        ("S1", "S1"),
        ("L01", "L1"),
        ("1st lumbar vertebra", "L1"),
        ("12th thoracic vertebral body", "T12"),
        ("vertebrae_L1", "L1"),
        (" l1 ", "L1"),
        ("Ｌ１", "L1"),
    ],
)
def test_usual_spellings(text: str, name: str) -> None:
    assert Level.parse(text).name == name


@pytest.mark.parametrize("text", ["20", " 7 ", "0", "100"])
def test_a_number_names_no_level_without_a_scheme(text: str) -> None:
    with pytest.raises(ManifestError, match="only in a label scheme") as caught:
        Level.parse(text)
    assert (caught.value.code, "images.labels" in caught.value.remedy) == (
        "level-needs-scheme",
        True,
    )


@given(st.sampled_from(LEVELS))
def test_parse_is_the_inverse_of_name(level: Level) -> None:
    assert Level.parse(level.name) == level
    assert Level.parse(str(level)) == level


@given(st.sampled_from(LEVELS), st.data())
def test_every_prefix_with_every_number(level: Level, data: st.DataObject) -> None:
    prefix = data.draw(st.sampled_from(PREFIXES[level.letter]))
    assert Level.parse(f"{prefix}{level.number}") == level
    assert Level.parse(NUMBER_FIRST[level.letter].format(level.number)) == level


def test_order_is_from_head_to_foot() -> None:
    names = ["L1", "S1", "T13", "C7", "L6", "T2", "T12", "C1"]
    ordered = [level.name for level in sorted(map(Level.parse, names))]
    assert ordered == ["C1", "C7", "T2", "T12", "T13", "L1", "L6", "S1"]
    assert all(a < b and b > a for a, b in pairwise(LEVELS))


def test_regions() -> None:
    regions = [Level.parse(name).region for name in ("C1", "T1", "L1", "S1")]
    assert regions == ["cervical", "thoracic", "lumbar", "sacral"]


@pytest.mark.parametrize(
    "text",
    ["", "L", "L0", "L7", "C8", "T14", "1.5", "-1", "lumbar", "X3"],
)
def test_refused_with_what_was_found_and_what_is_accepted(text: str) -> None:
    with pytest.raises(ManifestError) as caught:
        Level.parse(text)
    assert repr(text) in str(caught.value)
    assert "C1-C7, T1-T13, L1-L6" in str(caught.value)


def test_an_impossible_level_is_refused() -> None:
    with pytest.raises(ManifestError, match="'L9'"):
        Level("L", 9)


@pytest.mark.parametrize("text", ["T12-L1", "L1/2", "L1, L2", "C3 4", "L1 left half", "L001"])
def test_more_than_one_level_is_refused(text: str) -> None:
    with pytest.raises(ManifestError, match="A vertebral level is one of"):
        Level.parse(text)
