"""The abstract is as short as a journal wants it, and claims no more than was found."""

from dataclasses import replace

import pytest

from centrum.manuscript.abstract import MOST_WORDS, STRUCTURE, TESTED, abstract_text, headline
from centrum.modelling.settings import Split
from centrum.report.results import StudyResults
from tests.report.conftest import Make, above_chance

from .elsewhere import external_of
from .test_truth import ROWS, study
from .variants import varied


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


def structured(results: StudyResults) -> str:
    return " ".join(p.text for p in abstract_text(results) if p.heading in STRUCTURE)


def test_no_abstract_is_too_long(make: Make) -> None:
    lengths = [len(structured(study(make, row)).split()) for row in ROWS]
    assert max(lengths) <= MOST_WORDS
    assert min(lengths) > 100


def test_the_longest_abstract_is_not_too_long(make: Make) -> None:
    """Two further readers, covariates and a design of long words."""
    found = varied(
        make(n_parts=3, readers=("senior", "resident", "third"), searched=True),
        {"split": {"design": "repeated_split"}, "model": {"covariates": ("age", "sex")}},
    )
    text = " ".join(p.text for p in abstract_text(found, external_of(found))[: len(STRUCTURE)])
    assert "With the regions of 2 other readers the AUC was " in text
    assert "external" in text
    assert len(text.split()) <= MOST_WORDS


def test_external_cases_have_their_numbers(results: StudyResults) -> None:
    found = external_of(results, per_patient=2)
    e, c = found.evaluation, found.evaluation.confusion
    text = " ".join(p.text for p in abstract_text(results, found))
    assert "On 40 simulated external cases of 20 patients (20 malignant) the AUC was " in text
    assert f"the AUC was {e.auc.value:.2f} (95 % CI {e.auc.interval.lower:.2f}–" in text
    assert f"({c.tp} of {c.tp + c.fn}; 95 % CI" in text
    assert f"({c.tn} of {c.tn + c.fp}; 95 % CI" in text
    assert "external" not in structured(results)
    real = external_of(results, simulated=False)
    assert "On 40 external cases of" in " ".join(p.text for p in abstract_text(results, real))


def test_headings_are_those_of_the_journal(results: StudyResults) -> None:
    headings = [paragraph.heading for paragraph in abstract_text(results)]
    assert headings == ["Objectives", "Materials and methods", "Results", "Conclusion",
                        *["Key points"] * 3]  # fmt: skip
    question, findings, relevance = (p.text for p in abstract_text(results)[4:])
    assert question.endswith("?")
    assert findings == f"Findings: {headline(results)}"
    assert relevance == "Clinical relevance: [Author: clinical relevance statement]."


def test_what_only_authors_know_stays_open(results: StudyResults) -> None:
    text = structured(results)
    assert "[Author: design, setting and period]." in text
    assert text.endswith("[Author: what this means for practice].")


def test_simulated_patients_are_called_so(results: StudyResults) -> None:
    assert "57 simulated cases" in structured(results)
    assert "In simulated patients on whom it was not fitted" in structured(results)
    assert "simulated" not in structured(replace(results, simulated=""))


def test_nothing_is_concluded_from_chance(results: StudyResults) -> None:
    chance = replace(results, evaluation=above_chance(results.evaluation, lower=0.5))
    assert "model told malignant from osteoporotic" in structured(results)
    assert "It was not shown that the radiomics model tells malignant" in structured(chance)
    assert "told malignant" not in structured(chance)


@pytest.mark.parametrize(
    ("split", "told"),
    [({}, "on patients held out by one stratified split"),
     ({"design": "nested_cv", "folds": 4, "repeats": 3},
      "by nested cross-validation with 4 outer folds, repeated 3 times"),
     ({"design": "repeated_k_fold", "folds": 4, "repeats": 1},
      "by nested 4-fold cross-validation, repeated 1 time"),
     ({"design": "temporal", "by": "date"}, "on the latest patients"),
     ({"design": "leave_one_centre_out", "by": "scanner_model"},
      "with each scanner model left out in turn"),
     ({"design": "external", "by": "centre", "test_values": ("B",)},
      "on cases of another centre")],
)  # fmt: skip
def test_the_design_is_told(split: dict[str, object], told: str) -> None:
    settings = Split.model_validate(split)
    assert TESTED[settings.design](settings) == told


def test_images_are_claimed_only_where_they_were_seen(results: StudyResults) -> None:
    def objective(found: StudyResults) -> str:
        return abstract_text(found)[0].text

    images = results.protocol.images.model_copy(update={"weighting": "STIR"})
    stir = replace(results, protocol=results.protocol.model_copy(update={"images": images}))
    assert objective(stir).endswith("fractures on STIR MRI.")
    unknown = images.model_copy(update={"weighting": None})
    none = replace(results, protocol=results.protocol.model_copy(update={"images": unknown}))
    assert objective(none).endswith("vertebral fractures.")
    tables = {"tables": ({"reader": "senior", "file": "a.csv"},
                         {"reader": "resident", "file": "b.csv"})}  # fmt: skip
    assert objective(varied(results, tables)).endswith("vertebral fractures.")
