"""What the report and the paper say of odds ratios."""

from dataclasses import replace

import numpy as np
import pytest

from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.odds_ratios import LogOddsRatio
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.evidence_of_results import confounders
from centrum.manuscript.methods_added_value import odds_ratios as methods
from centrum.manuscript.passage import Passage
from centrum.report.results import StudyResults
from centrum.report.sections.added_value import added_value
from centrum.report.sections.odds_ratios import odds_ratios, penalty_text, variables_text
from centrum.validation.odds_ratios import OddsRatios, OddsRow

ALONE = LogOddsRatio(np.log(2), Interval(np.log(1.5), np.log(3)), 0.004)
TOGETHER = LogOddsRatio(np.log(0.05), Interval(np.log(0.002), np.log(0.4)), 0.2)


def row(variable: str, **changes: object) -> OddsRow:
    return replace(OddsRow(variable, "", "", 10.0, ALONE, TOGETHER, ""), **changes)


def found(*rows: OddsRow, **changes: object) -> OddsRatios:
    whole = OddsRatios((*rows, row("score", sd=2.0)), "", 42, 21, 42, 0, ())
    return replace(whole, **changes)


def with_odds(results: StudyResults, odds: OddsRatios | None) -> StudyResults:
    return replace(results, evaluation=replace(results.evaluation, odds_ratios=odds))


def test_the_numbers_of_a_study_are_in_its_table(results: StudyResults) -> None:
    odds = results.evaluation.odds_ratios
    (table,) = odds_ratios(results).tables
    assert [r[0] for r in table.rows] == ["Age (years)", "Age (years)", "Sex", "Score", "Score"]
    age = odds.rows[0]
    assert table.rows[0][2].value == np.exp(age.alone.value)
    assert table.rows[1][2].value == pytest.approx(np.exp(age.sd * age.alone.value))
    assert table.rows[1][4].upper == pytest.approx(np.exp(age.sd * age.together.interval.upper))
    assert [table.rows[0][k].value for k in (3, 5)] == [age.alone.p, age.together.p]
    assert table.main


def test_lines_per_unit_and_per_sd(results: StudyResults) -> None:
    sex = row("sex", level="F", reference="M", sd=np.nan)
    loss = row("morphometry:greatest_loss", sd=0.2)
    (table,) = odds_ratios(with_odds(results, found(row("age"), sex, loss))).tables
    assert table.shown() == [
        ["Age (years)", "1", "2.00 (1.50–3.00)", ".004", "0.050 (0.0020–0.40)", ".20"],
        ["Age (years)", "SD, 10.00", "1024 (57.67–59049)", ".004",
         "9.8e-14 (1.0e-27–0.00010)", ".20"],
        ["Sex", "F, against M", "2.00 (1.50–3.00)", ".004", "0.050 (0.0020–0.40)", ".20"],
        ["Greatest loss of height (share)", "0.1", "1.07 (1.04–1.12)", ".004",
         "0.74 (0.54–0.91)", ".20"],
        ["Greatest loss of height (share)", "SD, 0.20", "1.15 (1.08–1.25)", ".004",
         "0.55 (0.29–0.83)", ".20"],
        ["Score", "1", "2.00 (1.50–3.00)", ".004", "0.050 (0.0020–0.40)", ".20"],
        ["Score", "SD, 2.00", "4.00 (2.25–9.00)", ".004", "0.0025 (4.0e-06–0.16)", ".20"],
    ]  # fmt: skip


def test_notes_say_of_whom_and_how(results: StudyResults) -> None:
    (table,) = odds_ratios(with_odds(results, found(row("age"), filled=3))).tables
    (cases,) = table.notes
    assert "42 training cases of 42 patients, 21 malignant" in cases
    assert "3 cases without one of the values took the mean" in cases
    assert "clustered" not in cases
    clustered = found(row("age"), n_patients=30, bound=("tumour_type",))
    (table,) = odds_ratios(with_odds(results, clustered)).tables
    assert "clustered by patient" in table.notes[0]
    assert table.notes[-1].endswith("tumour type.")


def test_the_penalty_is_told(results: StudyResults) -> None:
    assert penalty_text(found(row("age"))) == ""
    sex = row("sex", level="F", reference="M", penalty="empty")
    few = found(row("age"), sex, penalty="few")
    told = penalty_text(few)
    assert "profile of the penalised likelihood" in told
    assert "sex alone (a level occurs with one outcome alone)" in told
    assert "all together (fewer than 10 training cases of the rarer outcome" in told
    assert "age" not in told
    assert "larger of the variances" in penalty_text(replace(few, n_patients=30))
    both = penalty_text(found(row("age", penalty="few"), sex, penalty="empty"))
    assert "sex alone and all together (a level occurs with one outcome alone); age alone" in both
    changed = with_odds(results, few)
    assert told in odds_ratios(changed).tables[0].notes
    assert told in methods(changed).whole
    assert "No regression needed it." in methods(with_odds(results, found(row("age")))).whole


def test_intervals_of_maximum_likelihood_are_told_where_there_are_any(
    results: StudyResults,
) -> None:
    def notes(odds: OddsRatios) -> str:
        return " ".join(odds_ratios(with_odds(results, odds)).tables[0].notes)

    assert "are Wald's." in notes(found(row("age")))
    mixed = found(row("age", penalty="few"), penalty="few")
    assert "are Wald's." in notes(mixed), "the score alone"
    every = replace(mixed, rows=tuple(replace(r, penalty="few") for r in mixed.rows))
    assert "Wald" not in notes(every)


def test_what_was_asked_is_told(results: StudyResults) -> None:
    text = "those of the clinical model, greatest loss of height, wedge angle, convexity of the "
    assert text in odds_ratios(results).prose[0]
    assert text in methods(results).whole


def test_names_within_a_sentence(results: StudyResults) -> None:
    bodies = [row("morphometry:grade"), row("morphometry:wedge_angle")]
    text = "age, Genant's grade, wedge angle and the score"
    assert variables_text(found(row("age"), *bodies)) == text
    assert text in methods(with_odds(results, found(row("age"), *bodies))).whole


def test_without_a_table_nothing_refers_to_it(results: StudyResults) -> None:
    none = with_odds(results, None)
    assert odds_ratios(none) is None
    assert methods(none) == Passage()
    assert "odds-ratios" not in str(confounders(none, StudyFacts()))
    assert "odds-ratios" in str(confounders(results, StudyFacts()))
    assert "odds-ratios" not in str(added_value(none).prose)
