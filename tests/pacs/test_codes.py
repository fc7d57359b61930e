"""Codes against the tables of the standard that pydicom has."""

import re

import pytest
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.codedict import codes

from centrum.cohort.levels import COUNTS, Level
from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.features.registry import catalogue
from centrum.pacs import codes as ours, sr

LEVELS = [Level(letter, k + 1) for letter, n in COUNTS.items() for k in range(n)]


def in_standard(scheme: str) -> dict[str, set[str]]:
    """Meanings by code."""
    found: dict[str, set[str]] = {}
    for values in concepts[scheme].values():
        for code, (meaning, _) in values.items():
            found.setdefault(code, set()).update((meaning, re.sub(r" \(\w+\)$", "", meaning)))
    return found


def test_vertebrae_are_those_of_the_standard() -> None:
    named = {level: ours.vertebra(level) for level in LEVELS}
    for level, term in named.items():
        there = getattr(codes.SCT, f"{level}Vertebra", None)
        assert (term is None) == (there is None), level
        assert term is None or (term.value, term.meaning) == (there.value, there.meaning)
    assert sum(term is not None for term in named.values()) == 24
    assert ours.vertebra(None) is None


@pytest.mark.parametrize("module", [ours, sr])
def test_terms_of_the_standard_mean_what_they_say(module: object) -> None:
    terms = [term for term in vars(module).values() if isinstance(term, ours.CodedTerm)]
    checked = [term for term in terms if term.scheme in ("DCM", "SCT")]
    assert checked
    for term in checked:
        assert term.meaning in in_standard(term.scheme)[term.value]


def test_ibsi_codes_mean_what_the_standard_says() -> None:
    """Where both have one; and it has no code that the catalogue lacks."""
    own = {entry.code: entry.name for entry in catalogue().values() if entry.code}
    theirs = in_standard("IBSI")
    assert len(own) == 174
    shared = set(own) & set(theirs)
    assert len(shared) > 120
    alike = [c for c in shared if words(own[c]) & set().union(*map(words, theirs[c]))]
    assert set(alike) == shared


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]{3,}", text.casefold().replace("entre", "enter")))


def test_every_feature_of_the_catalogue_has_a_term() -> None:
    terms = []
    for entry in catalogue().values():
        feature = FeatureId("original", entry.family, "any", entry.code, entry.name)
        terms.append(ours.feature_term(feature))
        unit = ours.unit_term(feature.unit)
        assert re.fullmatch(r"[!-~]{1,16}", unit.value)
    assert len({(t.value, t.scheme) for t in terms}) == len(terms)
    for term in terms:
        assert len(term.value) <= ours.LONGEST_VALUE
        assert 0 < len(term.meaning) <= ours.LONGEST_MEANING
        assert term.scheme in (ours.IBSI, ours.OWN)


def test_a_feature_of_another_catalogue_is_refused() -> None:
    with pytest.raises(DataError, match="the catalogue has no such feature"):
        ours.feature_term(FeatureId("original", "glcm", "any", "ACUI", "Contrasts"))


def test_units_are_of_ucum() -> None:
    units = {entry.unit for entry in catalogue().values()}
    terms = [ours.unit_term(unit) for unit in units]
    assert len({term.value for term in terms}) == len(units)
    metric = re.compile(r"1|/?mm[23]?|bit|(mm3)?\{[^{} ]+\}")
    assert all(metric.fullmatch(term.value) for term in terms)
    assert ours.unit_term("I^2 mm3").value == "mm3{I^2}"


def test_long_meanings_are_cut_and_keep_their_code() -> None:
    one, two = ours.own_term("a" * 80), ours.own_term("a" * 81)
    assert len(one.meaning) == len(two.meaning) == ours.LONGEST_MEANING
    assert one.value != two.value
