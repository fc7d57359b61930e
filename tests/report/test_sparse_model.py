"""What the report and the paper say of the sparse model beside the model."""

from dataclasses import replace

import numpy as np
import pytest

from centrum.evaluate import Scored
from centrum.evaluate.comparison import delong_test
from centrum.evaluate.repeated import corrected_mean
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.cards import model_card
from centrum.manuscript.evidence_of_model import model_choice
from centrum.manuscript.methods_validation import sparse as methods
from centrum.manuscript.passage import Passage
from centrum.modelling.settings import SearchSettings
from centrum.protocol import EvaluationSettings, Protocol, load_preset
from centrum.report.results import StudyResults
from centrum.report.sections.sparse_model import lost_text, sparse_model
from centrum.report.sections.summary import summary
from centrum.text import fixed
from centrum.validation.procedure import sparse_protocol

from .conftest import Make


def with_protocol(results: StudyResults, **blocks: object) -> StudyResults:
    return replace(results, protocol=results.protocol.model_copy(update=blocks))


def validated(results: StudyResults, **changes: object) -> StudyResults:
    return replace(results, validation=replace(results.validation, **changes))


def test_the_loss_is_paired_on_the_same_patients(results: StudyResults) -> None:
    (few,), (own,) = results.validation.sparse, results.validation.parts
    patients = results.scores["patient"].to_numpy()[own["case"]]
    scored = [Scored.of(r["score"], own["positive"], patients) for r in (few, own)]
    found = delong_test(*scored, 0.95)
    table, features = sparse_model(results).tables
    assert table.rows[1][3].value == found.difference
    assert table.rows[1][4].value == found.p
    assert [row[1] for row in table.rows] == [3, 2]
    assert [row[1] for row in table.shown()] == ["3", "2"]
    lost = lost_text(results)
    assert f"its AUC is {fixed(found.first, 2)}, that of the model {fixed(found.second, 2)}" in lost
    assert "reads 2 features, the model 3" in lost
    lower, upper = -found.interval.upper, -found.interval.lower
    assert f"CI of the loss {fixed(lower, 2)} to {fixed(upper, 2)}" in lost
    assert [row[1] for row in features.rows] == [0.4, -0.2], "the largest coefficient first"


def test_over_several_parts_the_loss_is_corrected(make: Make) -> None:
    results = make(n_parts=4)
    split = results.protocol.split.model_copy(update={"design": "repeated_split"})
    results = with_protocol(results, split=split)
    own, few = results.validation.parts, results.validation.sparse
    gaps = [f["auc"] - o["auc"] for f, o in zip(few, own, strict=True)]
    expected = corrected_mean(gaps, own[0]["n_train"], own[0]["n_test"])
    table, features = sparse_model(results).tables
    assert table.rows[1][3].value == pytest.approx(expected.mean)
    assert "0.03 is lost" in lost_text(results)
    assert [row[-1] for row in features.rows] == [1.0, 1.0]
    assert features.columns[-1].name == "Share of the parts that select it"


def test_a_gain_is_no_loss(results: StudyResults) -> None:
    own, few = results.validation.parts, results.validation.sparse
    better = [o | {"score": np.array(o["positive"], dtype=float).tolist()} for o in own]
    assert "nothing is lost" in lost_text(validated(results, sparse=better))
    assert " is lost" in lost_text(validated(results, parts=better, sparse=few))


def test_every_document_says_what_is_lost(results: StudyResults) -> None:
    lost = lost_text(results)
    assert lost in summary(results).prose
    assert lost in model_card(results, StudyFacts())
    assert lost in model_choice(results, StudyFacts()).answer
    assert "no more than 10 features had a coefficient" in methods(results).whole


def test_how_the_protocol_chooses_it(results: StudyResults) -> None:
    """What the section names makes the model the sparse one."""
    default = with_protocol(results, model=load_preset("vcf-t2w").model)
    (said,) = (text for text in sparse_model(default).prose if "The protocol chooses" in text)
    assert "by model.lasso.choice: lambda.1se and model.lasso.most_features: 10." in said
    few = sparse_protocol(default.protocol)
    assert few.model == default.protocol.model.model_copy(
        update={
            "lasso": default.protocol.model.lasso.model_copy(
                update={"choice": "lambda.1se", "most_features": 10}
            )
        }
    )
    assert sparse_protocol(few) is None
    itself = with_protocol(results, model=few.model)
    assert "itself the sparse one" in " ".join(sparse_model(itself).prose)
    assert methods(itself) == Passage()
    searched = with_protocol(itself, search=SearchSettings())
    assert "search: null" in " ".join(sparse_model(searched).prose)


def test_what_could_not_be_made_is_said(results: StudyResults) -> None:
    off = EvaluationSettings(ablation=False)
    assert sparse_model(with_protocol(results, evaluation=off)) is None
    nothing = validated(results, sparse=(), sparse_features={}, failed={"sparse": "no reason"})
    assert "no reason" in " ".join(sparse_model(nothing).warnings)
    error = [{"name": "split", "repeat": 0, "n_train": 3, "n_test": 2, "error": "too few",
              "case": [], "auc": None}]  # fmt: skip
    failed = validated(results, sparse=error, sparse_features={})
    block = sparse_model(failed)
    assert "too few" in " ".join(block.warnings)
    assert not block.tables
    assert lost_text(failed) == ""
    assert "" not in summary(failed).prose


@pytest.mark.parametrize("preset", ["vcf-t2w", "vcf-t2w-2024"])
def test_a_sparse_protocol_keeps_all_before_the_selection(preset: str) -> None:
    protocol: Protocol = load_preset(preset)
    few = sparse_protocol(protocol)
    before = {"agreement", "imputation", "harmonisation", "balance", "clip", "screen",
              "correlation", "covariates", "calibration"}  # fmt: skip
    assert few.model.model_dump(include=before) == protocol.model.model_dump(include=before)
    assert few.model.lasso.l1_ratio == protocol.model.lasso.l1_ratio
    assert (few.split, few.evaluation) == (protocol.split, protocol.evaluation)
