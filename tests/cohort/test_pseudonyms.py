"""Ids that are no codes get pseudonyms, which stay; the key is its owner's alone."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from centrum.cohort import Case, Cohort
from centrum.cohort.levels import Level
from centrum.cohort.pseudonyms import KEY, codes, pseudonymised, read_key, write_key
from centrum.errors import ManifestError


@pytest.mark.parametrize(
    "name",
    ["P001", "patient-7", "Case 12", "v01", "P3_L1", "P3_T12", "P3-2", "P003a", "7", "0012", "x",
     "patient", "sub-012", "R1", "OPF_14"],
)  # fmt: skip
def test_codes(name: str) -> None:
    assert codes([name]) == {name}


@pytest.mark.parametrize(
    "name",
    ["Müller", "Anna-1", "Anna Roth", "anna_l1", "Roth12", "MRN00482913", "48151623", "12-03-48",
     "P19480312", "2019-11-27", "E-2019-0456", "P001 Anna", ""],
)  # fmt: skip
def test_names_are_no_codes(name: str) -> None:
    assert codes([name]) == frozenset()


def test_a_word_before_many_numbers_is_one_of_codes() -> None:
    ids = [f"Heidelberg-{k:03d}" for k in range(12)] + [f"Mainz-{k:03d}" for k in range(12)]
    assert codes(ids) == set(ids)
    assert codes(["Heidelberg-1", "Anna-2", "Berta-3", "Carl-4"]) == frozenset()


def case(name: str, patient: str, level: str | None = None) -> Case:
    return Case(name, patient, "malignant", Level.parse(level) if level else None)


NAMED = Cohort(
    (
        case("Anna L1", "Anna", "L1"),
        case("Anna L1 again", "Anna", "L1"),
        case("Berta", "Berta"),
        case("P002", "Carl"),
    )
)


def test_cases_are_called_after_their_patient(tmp_path: Path) -> None:
    found = pseudonymised(NAMED, tmp_path / KEY)
    assert [(c.id, c.patient) for c in found.cases] == [
        ("P001_L1", "P001"), ("P001_1", "P001"), ("P003", "P003"), ("P002", "P004"),
    ]  # fmt: skip
    assert found.names["P001_1"] == "Anna L1 again"
    assert not list(tmp_path.iterdir()), "nothing is written by the way"


def test_codes_stay_and_need_no_key(tmp_path: Path) -> None:
    coded = Cohort((case("P001", "P001"), case("P002_L1", "P002", "L1")))
    assert pseudonymised(coded, tmp_path / KEY) is coded


def test_a_pseudonym_is_not_another_code_with_zeros(tmp_path: Path) -> None:
    mixed = Cohort((case("P 1", "P 1"), case("Anna", "Anna"), case("p2", "p2")))
    assert [c.id for c in pseudonymised(mixed, tmp_path / KEY).cases] == ["P 1", "P003", "p2"]


def test_a_pseudonym_stays_when_cases_are_added(tmp_path: Path) -> None:
    first = pseudonymised(NAMED, tmp_path / KEY)
    write_key(first.identities, tmp_path / KEY)
    before = (tmp_path / KEY).read_text()
    more = Cohort((case("Adam", "Adam"), *NAMED.cases))
    second = pseudonymised(more, tmp_path / KEY)
    write_key(second.identities, tmp_path / KEY)
    assert [c.id for c in second.cases[1:]] == [c.id for c in first.cases]
    assert (tmp_path / KEY).read_text().startswith(before)
    assert len({c.patient for c in second.cases}) == 4
    assert pseudonymised(more, tmp_path / KEY) == second


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of the folder")
def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    write_key(pseudonymised(NAMED, tmp_path / KEY).identities, tmp_path / KEY)
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    assert len(read_key(tmp_path / KEY)) == 6


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY).write_text("what;name;pseudonym\n")
    with pytest.raises(ManifestError, match="Put the file back"):
        pseudonymised(NAMED, tmp_path / KEY)


def test_a_name_is_in_no_repr() -> None:
    found = pseudonymised(NAMED, Path(KEY))
    assert "Anna" not in repr(replace(found, cases=()))
