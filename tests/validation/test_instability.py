"""How far predictions depend on who was trained on, by hand and from a study."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from centrum.commands import results as left, study as verbs
from centrum.evaluate import Scored
from centrum.evaluate.discrimination import auc
from centrum.modelling.calibrators import PlattCalibrator
from centrum.modelling.optimism import Resample
from centrum.study.study import open_study
from centrum.table import FeatureTable
from centrum.validation.instability import Refit, instability, signature_of
from tests.studies import PROTOCOL, make_study

FEW = PROTOCOL.replace("extraction:", "extraction:\n  families: [morphology, statistics]")
RESAMPLED = FEW.replace(
    "{permutations: 3, splits: 1}", "{permutations: 0, splits: 0}\n  optimism_resamples: 3"
)


def refit(probability: list[float], called: list[float]) -> Refit:
    return Refit(Resample(0.9, 0.8, 0.7), np.array(probability), np.array(called), None)


def test_by_hand() -> None:
    """Two cases, three refits; Riley and Collins' MAPE and classification instability."""
    refits = [
        refit([0.2, 0.9], [0, 1]),
        refit([0.6, 0.7], [1, 1]),
        refit([0.4, 0.2], [0, 0]),
    ]
    found = instability(np.array([0.3, 0.8]), np.array([False, True]), refits)
    np.testing.assert_allclose(found.errors, [(0.1 + 0.3 + 0.1) / 3, (0.1 + 0.1 + 0.6) / 3])
    np.testing.assert_allclose(found.changes, [1 / 3, 1 / 3])
    lower, upper = found.ranges
    np.testing.assert_allclose(lower, [0.2 + 0.05 * 0.2, 0.2 + 0.05 * 0.5])
    np.testing.assert_allclose(upper, [0.6 - 0.05 * 0.2, 0.9 - 0.05 * 0.2])
    one = found.of(np.array([False, True]))
    assert one.refits.shape == (3, 1)
    assert one.errors[0] == found.errors[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_study(tmp_path_factory.mktemp("refits") / "study", 30, protocol=RESAMPLED)
    verbs.extract(open_study(folder))
    return folder


def score_of(each: Refit, table: FeatureTable) -> np.ndarray:
    """By the signature of a refit."""
    own = each.signature
    at = [table.names.index(name) for name in own.features]
    z = (table.values[:, at, 0] - own.means) / own.sds
    return own.intercept + z @ own.coefficients


def test_refits_are_of_the_training_patients_and_predict_all_cases(folder: Path) -> None:
    """Their AUCs are those of the training cases, by the scores of their signatures."""
    study = open_study(folder)
    verbs.fit(study)
    verbs.internal(study)
    scores = left.load_scores(study)
    train = (scores["part"] == "train").to_numpy()
    positive = (scores["outcome"] == "malignant").to_numpy()
    found, table = left.load_internal_validation(study).resamples, verbs.load_table(study)
    assert len(found) == 3
    for each in found:
        assert each.probability.shape == (30,)
        assert each.called.shape == (30,)
        area = auc(Scored.of(score_of(each, table)[train], positive[train]))
        assert each.areas.original == pytest.approx(area)
    assert len({each.probability.tobytes() for each in found}) == 3


def test_a_signature_gives_the_score_behind_the_probability(folder: Path) -> None:
    study = open_study(folder)
    verbs.fit(study)
    verbs.internal(study)
    table = verbs.load_table(study)
    for each in left.load_internal_validation(study).resamples:
        curve = each.signature.calibrator
        line = curve["intercept"] + curve["slope"] * score_of(each, table)
        likely = 1 / (1 + np.exp(-line))
        np.testing.assert_allclose(likely, each.probability, atol=1e-9)


def test_a_model_that_is_no_weighted_sum_has_no_signature(tmp_path: Path, few_trees: None) -> None:
    text = RESAMPLED.replace("classifier: logistic", "classifier: random_forest")
    folder = make_study(tmp_path / "study", 30, protocol=text)
    study = open_study(folder)
    for verb in (verbs.extract, verbs.fit, verbs.internal, verbs.evaluate):
        verb(study)
    found = left.load_internal_validation(study).resamples
    assert [each.signature for each in found] == [None] * 3
    assert verbs.freeze(study).refits is None


def linear(**changed: object) -> SimpleNamespace:
    """A fitted model of two features, as far as its signature reads it."""
    own = {"selected_": ["b", "a"], "coef_": np.array([2.0, -1.0]), "intercept_": 0.5,
           "mean_": np.array([1.0, 0.0]), "sd_": np.array([2.0, 1.0])}  # fmt: skip
    return SimpleNamespace(model=SimpleNamespace(**own | changed), decision=DECISION)


DECISION = SimpleNamespace(calibrator=PlattCalibrator().fit([0.0, 1, 2, 3], [0, 1, 0, 1]))
VALUES = np.array([[0.0, 1.0], [3.0, 5.0], [np.nan, 1.0]])
"""Of a and b: z-scores of b are 0 and 2, so that scores are .5 and .5 + 4 - 3."""


def signed(scores: list[float], clip: float | None = None, **changed: object) -> object:
    matrix = SimpleNamespace(names=("a", "b"), X=VALUES[:, :, None])
    return signature_of(linear(**changed), matrix, np.array(scores), clip)


def test_a_signature_is_of_a_model_whose_scores_it_gives() -> None:
    """Where a value is filled in it gives none, and is not asked."""
    found = signed([0.5, 1.5, 9.0])
    assert found is not None
    assert (found.features, found.intercept) == (("b", "a"), 0.5)
    assert found.calibrator["method"] == "platt"
    assert signed([0.5, 1.5 + 1e-7, 9.0]) is not None
    assert signed([0.5, 1.5 + 1.8e-6, 9.0]) is None
    assert signed([0.5, 2.5, 9.0], clip=1) is None
    assert signed([0.5, 0.5 + 2 - 1, 9.0], clip=1) is not None
    assert signed([0.5, 0.5 + 4 - 2, 9.0], clip=2) is not None
    assert signed([0.5, 1.5, 9.0], coef_=None) is None
    assert signed([0.5, 1.5, 9.0], coef_=np.array([np.nan, 1.0])) is None
    assert signed([0.5, 1.5, 9.0], intercept_=np.nan) is None, "no case is known"


def test_large_scores_are_compared_by_their_size() -> None:
    large = {"coef_": np.array([2e9, 0.0]), "intercept_": 0.0}
    assert signed([0.0, 4e9 * (1 + 1e-7), 0.0], **large) is not None
    assert signed([0.0, 4e9 * (1 + 1e-5), 0.0], **large) is None
