"""What a number of a table is, whatever its marks, and what is told of those that are doubtful."""

import pytest

from centrum.cohort.cells import NumberText
from centrum.cohort.findings import Findings
from centrum.cohort.numbers import note_missing, read_covariate, read_numbers, read_typed


@pytest.mark.parametrize(
    ("texts", "values", "unclear"),
    [
        (["1,234", "5"], [None, 5], [0]),
        (["1,234", "5.6"], [None, 5.6], [0]),
        (["1,234", "2.345"], [None, 2.345], [0]),
        (["1,234", "5,6"], [1.234, 5.6], []),
        (["1,234", "5,6", "2.345"], [None, 5.6, None], [0, 2]),
        (["2.345", "5.6"], [2.345, 5.6], []),
        (["1,234", "1,234,567"], [1234, 1234567], []),
        (["1.234", "1.234,5", "7,5"], [1234, 1234.5, 7.5], []),
        (["1,234.5", "7,5"], [1234.5, None], [1]),
        (["1.234.567", "7.5"], [1234567, None], [1]),
        (["1,234.5", "7,5", "8,5", "1.234"], [None, 7.5, 8.5, None], [0, 3]),
    ],
)
def test_commas_and_points_mean_the_same_in_all_cells(
    texts: list[str], values: list[float | None], unclear: list[int]
) -> None:
    """Those of fewer cells are unclear where cells contradict each other."""
    found = read_typed(dict(enumerate(texts)))
    assert [found.values.get(k) for k in range(len(texts))] == values
    assert [*found.unclear] == unclear


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (("1,234.5", "7,5", "8,5"), {1: 7.5, 2: 8.5}),
        (("1.234.567", "7.5", "8.5"), {1: 7.5, 2: 8.5}),
        (("1,234.5", "1.234,5", "2.345,5", "1.500"), {1: 1234.5, 2: 2345.5, 3: 1500}),
    ],
)
def test_thousands_in_fewer_cells_than_decimals_are_unclear(
    texts: tuple[str, ...], values: dict[int, float]
) -> None:
    """What the others show holds for the rest."""
    found = read_typed(dict(enumerate(texts)))
    assert (found.unclear, found.values) == ((0,), values)


def test_a_typed_number_keeps_its_point_beside_separators_of_thousands() -> None:
    found = read_typed({1: NumberText("1.234"), 2: "1.234.567", 3: NumberText("2,5")})
    assert found.values == {1: 1.234, 2: 1234567, 3: 2.5}
    assert found.thousands == (2,)


def read(*texts: str, row: int = 2) -> Findings:
    findings = Findings()
    read_numbers(dict(enumerate(texts, row)), "weight", findings)
    return findings


@pytest.mark.parametrize(
    ("texts", "rows"),
    [
        (("-99", "70"), [2]),
        (("-99", "0"), [2]),
        (("-999", "70", "-99"), [2, 4]),
        (("-99", "-1"), []),
        (("-99",), [2]),
        (("-98", "70"), []),
        (("999", "70"), []),
    ],
)
def test_negative_codes_beside_numbers_that_are_not_negative(
    texts: tuple[str, ...], rows: list[int]
) -> None:
    problems = read(*texts).problems
    assert [(p.row, p.column, p.code) for p in problems] == [
        (row, "weight", "missing-code") for row in rows
    ]


@pytest.mark.parametrize(
    ("texts", "told"), [(("999", "499"), True), (("999", "500"), False), (("999",), True)]
)
def test_more_than_twice_the_largest_is_noted(texts: tuple[str, ...], told: bool) -> None:
    notes = ["column 'weight': 999 in rows 2 was read as a number; leave the cell empty if it "
             "means missing"]  # fmt: skip
    assert read(*texts).notes == notes * told


def test_unclear_numbers_are_one_problem_of_their_column() -> None:
    (problem,) = read("1,234", "70", "2,345").problems
    assert (problem.row, problem.column, problem.code) == (2, "weight", "unclear-number")
    assert "and so may rows 4" in problem.text


def test_missing_values_of_a_covariate_are_noted() -> None:
    findings = Findings()
    assert read_covariate({2: "NA", 3: "7", 4: ""}, "grade", findings) == {2: None, 3: 7, 4: None}
    assert findings.notes == ["column 'grade': 'NA' read as missing in rows 2"]
    signs = read_covariate({2: "+", 3: "-", 4: ""}, "sign", findings)
    assert signs == {2: "+", 3: "-", 4: None}
    none = Findings()
    note_missing({2: "a", 3: ""}, "grade", none)
    assert none.notes == []
