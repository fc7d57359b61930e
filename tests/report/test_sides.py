"""What the report says of training beside test."""

from dataclasses import replace

from centrum.evaluate.population import Count
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.evidence_of_results import distributions
from centrum.manuscript.evidence_of_study import characteristics
from centrum.report.results import StudyResults
from centrum.report.sections.population import population
from centrum.report.sides import sides_tables
from centrum.report.tables import model_labels


def test_tables_have_the_numbers_of_both_sides(results: StudyResults) -> None:
    beside, by_outcome, features = sides_tables(results, results.sides)
    rows = {(row[0], row[1]): row for row in beside.rows}
    test = results.scores[results.scores["part"] == "test"]
    assert rows["Cases", ""][4].n == len(test)
    assert rows["Outcome", "malignant"][4].n == int((test["outcome"] == "malignant").sum())
    assert rows["Sex", "F"][5] is not None
    assert rows["Sex", "M"][5] is None
    assert [row[0] for row in features.rows] == list(model_labels(results))
    assert f"{len(test)} cases" in beside.notes[-1]
    found = {(row[0], row[1]): row for row in by_outcome.rows}
    positive = test["outcome"] == "malignant"
    assert [c.n for c in found["Cases", ""][5:7]] == [positive.sum(), (~positive).sum()]
    assert len(by_outcome.rows) == len(results.population)


def test_a_level_of_one_side_alone_is_counted_as_none_on_the_other(results: StudyResults) -> None:
    sides = results.sides
    less = tuple(
        row for row in sides.by_outcome["test"] if (row.variable, row.level) != ("sex", "F")
    )
    cut = replace(sides, by_outcome={**sides.by_outcome, "test": less})
    rows = {(row[0], row[1]): row for row in sides_tables(results, cut)[1].rows}
    total = sides.by_outcome["test"][0].groups["malignant"].n
    cell = rows["Sex", "F"][5]
    assert isinstance(cell, Count)
    assert cell.n == 0
    assert 0 < cell.total <= total
    assert rows["Sex", "F"][4] is not None, "P stands in the first row of a variable"
    assert rows["Sex", "M"][4] is None


def test_designs_in_which_cases_change_sides_have_no_such_tables(results: StudyResults) -> None:
    none = replace(results, sides=None)
    assert [table.key for table in population(none).tables] == ["population"]
    assert distributions(none, StudyFacts()).status == "not applicable"
    assert "by side" not in characteristics(none, StudyFacts()).answer
    shown = distributions(results, StudyFacts())
    assert shown.status == "answered"
    assert f"{results.sides.compared} characteristics" in shown.answer
