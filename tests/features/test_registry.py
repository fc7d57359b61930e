"""The registry refuses contradiction, and every catalogue row has its definition."""

import numpy as np
import pytest

from centrum.features.families import FAMILIES
from centrum.features.registry import Family, Reads, catalogue
from centrum.measure.region import _refuse_unmade


def test_every_row_of_the_catalogue_is_defined_once() -> None:
    defined = [(f.entry.family, f.entry.name) for family in FAMILIES.values() for f in family]
    assert sorted(defined) == sorted(catalogue())


def test_rows_have_unit_formula_and_a_place_in_a_standard() -> None:
    for entry in catalogue().values():
        assert entry.unit
        assert entry.formula
        assert bool(entry.code) == bool(entry.section)
        assert entry.code or entry.pyradiomics
        assert entry.pyradiomics or not entry.deprecated


def test_every_feature_has_an_example() -> None:
    without = [
        f"{family.name}.{feature.key}"
        for family in FAMILIES.values()
        for feature in family
        if ">>>" not in (feature.compute.__doc__ or "")
    ]
    assert without == []


def test_pyradiomics_names_are_unique() -> None:
    names = [e.pyradiomics for e in catalogue().values() if e.pyradiomics]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("code", "name"), [("ACUI", "Dissimilarity"), ("XXXX", "Contrast"), ("ACUI", "Kontrast")]
)
def test_a_mistyped_code_or_name_is_refused(code: str, name: str) -> None:
    with pytest.raises(ValueError, match="the catalogue gives"):
        Family("glcm", Reads("pairs of neighbours")).feature(code, name)(np.sum)


def test_a_second_definition_is_refused() -> None:
    family = Family("glcm", Reads("pairs of neighbours"))
    family.feature("ACUI", "Contrast")(np.sum)
    with pytest.raises(ValueError, match="defined twice"):
        family.feature("ACUI", "Contrast")(np.prod)


def test_a_family_that_reads_what_nobody_makes_stops_the_import() -> None:
    for reads, place in (
        (Reads("a new thing"), "_STATISTICS"),
        (Reads("m", neighbours=True), "COUNTS"),
    ):
        with pytest.raises(
            ValueError, match=f"{reads.what!r}, which nobody makes; add a line to {place}"
        ):
            _refuse_unmade([Family("new", reads)])
