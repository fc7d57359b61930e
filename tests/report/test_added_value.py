"""What the report says of confounding and added value."""

from dataclasses import replace

import numpy as np

from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.evidence_of_results import baseline, confounders, non_radiomic
from centrum.manuscript.methods_added_value import added_value as methods
from centrum.report.confounders import bound_to_outcome, compared, differing, differing_text
from centrum.report.results import StudyResults
from centrum.report.sections.added_value import added_text, added_value
from centrum.report.sections.caveats import cautions, caveats
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
    models, coefficients = added_value(results).tables
    assert [row[1].value for row in models.rows] == [
        found.areas[name].value for name in ("clinical", "score", "combined")
    ]
    assert models.rows[2][2].value == found.differences["combined - clinical"].difference
    assert models.rows[1][3].value == found.differences["score - clinical"].p
    assert models.rows[2][5].value == found.differences["combined - score"].p
    assert models.rows[0][2] is None
    ratios = {row[0]: row[1].value for row in coefficients.rows}
    assert ratios["Score, alone"] == np.exp(found.crude.value)
    assert ratios["Score, adjusted for age and sex"] == np.exp(found.adjusted.value)
    assert f"χ² {fixed(found.test.statistic, 2)}" in coefficients.notes[0]


def test_without_a_clinical_variable_nothing_is_said(results: StudyResults) -> None:
    none = replace(results, evaluation=replace(results.evaluation, added=None))
    assert added_value(none) is None
    assert "not compared" in methods(none)
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
