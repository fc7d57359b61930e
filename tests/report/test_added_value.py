"""What the report says of confounding and added value."""

import re
from dataclasses import replace

import numpy as np

from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.reclassification import Improvement, Reclassification
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.evidence_of_results import baseline, confounders, non_radiomic
from centrum.manuscript.methods_added_value import added_value as methods
from centrum.protocol import EvaluationSettings
from centrum.report.confounders import bound_to_outcome, compared, differing, differing_text
from centrum.report.figures import draw_models
from centrum.report.readings import models
from centrum.report.results import StudyResults
from centrum.report.sections.added_value import (
    NRI_IDI,
    added_text,
    added_value,
    penalty_text,
)
from centrum.report.sections.caveats import cautions, caveats
from centrum.report.sections.nomogram import nomogram
from centrum.text import fixed, p_equals
from centrum.validation.population import population

OUTCOMES = ("malignant", "osteoporotic")


def with_column(results: StudyResults, name: str, values: np.ndarray) -> StudyResults:
    """Results whose manifest has a column more."""
    obs = results.table.obs.assign(**{name: values})
    return replace(
        results,
        table=replace(results.table, obs=obs),
        population=population(obs, OUTCOMES),
    )


def outcomes(results: StudyResults) -> np.ndarray:
    return (results.table.obs["outcome"] == "malignant").to_numpy()


def test_tables_have_the_numbers(results: StudyResults) -> None:
    found = results.evaluation.added
    (table,) = added_value(results).tables
    assert [row[1].value for row in table.rows] == [
        found.areas[name].value for name in ("clinical", "score", "combined")
    ]
    assert table.rows[2][2].value == found.differences["combined - clinical"].difference
    assert table.rows[1][3].value == found.differences["score - clinical"].p
    assert table.rows[2][5].value == found.differences["combined - score"].p
    assert table.rows[0][2] is None
    assert f"χ² {fixed(found.test.statistic, 2)}" in table.notes[-1]


def test_three_models_are_drawn(results: StudyResults) -> None:
    found = results.evaluation.added
    (figure,) = added_value(results).pictures
    drawn = figure.drawing()
    roc, flexible, use, *_ = drawn.axes
    assert len(roc.lines) == 4, "three models and chance"
    for k, (name, curves) in enumerate(found.curves.items()):
        np.testing.assert_array_equal(roc.lines[k + 1].get_ydata(), curves.roc.sensitivity)
        np.testing.assert_array_equal(use.lines[k + 1].get_ydata(), curves.decision_curve.model)
        if curves.calibration.curve is not None:
            own = curves.calibration.curve.observed
            np.testing.assert_array_equal(flexible.lines[k + 1].get_ydata(), own)
        legend = [text.get_text() for text in drawn.legends[0].get_texts()]
        assert any(f"AUC {fixed(found.areas[name].value, 2)}" in text for text in legend)
    assert len({line.get_linestyle() for line in roc.lines[1:]}) == 3
    (table,) = added_value(results).tables
    slopes = [row[6].value for row in table.rows]
    assert slopes == [c.calibration.slope.value for c in found.curves.values()]
    assert [row[7] for row in table.rows] == [c.calibration.brier for c in found.curves.values()]
    frame = figure.data.rows
    assert {row[0] for row in frame} >= {"ROC", "decision"}


def test_without_a_flexible_curve_groups_are_drawn(results: StudyResults) -> None:
    added = results.evaluation.added
    bare = {
        name: replace(curves, calibration=replace(curves.calibration, curve=None))
        for name, curves in added.curves.items()
    }
    figure = draw_models(bare, "malignant")
    groups = next(iter(bare.values())).calibration.groups
    assert figure.axes[1].lines[1].get_ydata().tolist() == [g.observed for g in groups]


def test_the_reading_counts_thresholds(results: StudyResults) -> None:
    added = results.evaluation.added
    assert re.search(r"at \d+ of 99 thresholds both", models(added))
    own = added.curves["combined"]
    most = replace(own.decision_curve, model=np.ones(99))
    better = added.curves | {"combined": replace(own, decision_curve=most)}
    assert "at 99 of 99 thresholds both" in models(replace(added, curves=better))


def test_nri_and_idi_are_told_on_request_with_a_warning(results: StudyResults) -> None:
    plain = added_value(results)
    assert not plain.warnings
    assert [table.key for table in plain.tables] == ["added-value"]
    assert "reclassification" not in methods(results).whole
    ends = Interval(-0.1, 0.7)
    moved = Reclassification(*(Improvement(v, ends) for v in (0.1, 0.2, 0.3, 0.04)))
    asked = replace(
        results,
        evaluation=replace(
            results.evaluation, added=replace(results.evaluation.added, nri_idi=moved)
        ),
        protocol=results.protocol.model_copy(
            update={"evaluation": EvaluationSettings(nri_idi=True, n_resamples=300)}
        ),
    )
    block = added_value(asked)
    assert block.warnings == (NRI_IDI,)
    table = block.tables[1]
    assert [row[1].value for row in table.rows] == [0.1, 0.2, 0.3, 0.04]
    assert table.rows[3][0] == "IDI"
    assert "even where a model adds nothing" in table.notes[0]
    assert "net reclassification improvement" in methods(asked).whole
    assert "300 bootstrap samples" in methods(asked).whole
    assert "even where a model adds nothing" in methods(asked).whole


def test_without_a_clinical_variable_nothing_is_said(results: StudyResults) -> None:
    none = replace(results, evaluation=replace(results.evaluation, added=None))
    assert added_value(none) is None
    assert "not compared" in methods(none).whole
    assert confounders(none, StudyFacts()).status == "author"
    assert not any("the score adds" in point.text for point in caveats(none).points)


def test_texts_tell_the_test(results: StudyResults) -> None:
    found = results.evaluation.added
    assert found.test.by_patient, "made-up patients have two cases"
    text = added_text(found)
    assert p_equals(found.test.p) in text
    assert "Wald's test by patient" in text
    alone = replace(found, test=replace(found.test, by_patient=False))
    assert "likelihood ratio test" in added_text(alone)
    assert any(text in point.text for point in caveats(results).points)
    assert text in confounders(results, StudyFacts()).answer
    assert f"age and sex give an AUC of {fixed(found.areas['clinical'].value, 2)}" in (
        baseline(results, StudyFacts()).answer
    )
    assert text.rstrip(".") in non_radiomic(results, StudyFacts()).answer


def test_what_differs_between_the_outcomes_is_told(results: StudyResults) -> None:
    rng = np.random.default_rng(1)
    y = outcomes(results)
    scanner = np.where(rng.random(y.size) < 0.1 + 0.8 * y, "X", "Y")
    far = with_column(results, "scanner", scanner)
    assert differing(far)["scanner"] < 0.001
    assert "scanner (P < .001)" in differing_text(far)
    assert any("canner (P < .001) differs" in point.text for point in caveats(far).points)
    even = with_column(results, "scanner", np.where(np.arange(y.size) % 2 < 1, "X", "Y"))
    assert "scanner" not in differing(even)
    assert "scanner" in compared(even)
    other = with_column(results, "machine", scanner)
    assert "machine" not in differing(other), "a column that nobody named"


def test_what_tells_the_outcome_by_itself_is_a_caution(results: StudyResults) -> None:
    y = outcomes(results)
    apart = with_column(results, "centre", np.where(y, "A", "B"))
    assert bound_to_outcome(apart) == ("centre",)
    (grave,) = [p for p in cautions(apart) if "centre occurs with one outcome" in p.text]
    assert grave.grave
    mixed = with_column(results, "centre", np.where(np.arange(y.size) % 4 == 0, "A", "B"))
    assert bound_to_outcome(mixed) == ()
    assert bound_to_outcome(with_column(results, "centre", np.full(y.size, "A"))) == ()
    kind = with_column(results, "tumour", np.where(y, "metastasis", "none"))
    assert bound_to_outcome(kind) == (), "what the outcome defines is no confounder"


def test_where_the_penalty_was_used_is_said(results: StudyResults) -> None:
    """In the section, under the table, at the nomogram and in the methods; else nowhere."""
    found = results.evaluation.added
    parted = replace(found, penalised=("combined",), penalised_parts=1,
                     test=replace(found.test, by_patient=False, penalised=True))  # fmt: skip
    of = replace(results, evaluation=replace(results.evaluation, added=parted))
    where = "Firth's penalty was used: in the regression of both."
    kind = "penalised likelihood ratio"
    block = added_value(of)
    assert where in block.prose[0]
    assert f"({kind} test)" in block.prose[0]
    assert f"({kind} test)" in block.tables[0].notes[-1]
    assert "with Firth's penalty" in nomogram(of).prose[-1]
    assert where in methods(of).supplement
    assert f"by the {kind}." in methods(of).supplement
    for text in (*added_value(results).prose, *nomogram(results).prose, methods(results).whole):
        assert "Firth" not in text.partition("Odds ratios")[0]
    several = replace(parted, penalised=(), parts=25, penalised_parts=3)
    assert penalty_text(several).endswith(": in models of 3 of 25 parts.")
