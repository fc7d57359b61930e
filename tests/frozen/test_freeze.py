"""Numbers that do not score as the fitted model did are never frozen."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from centrum.commands import study as verbs
from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.frozen.classifiers import Linear
from centrum.frozen.export import scorer_of
from centrum.frozen.freeze import _covariates, _refits, _rows, _training, _use, check_scores
from centrum.frozen.inputs import Covariate
from centrum.frozen.scorer import Member, Scorer
from centrum.modelling.calibrators import PlattCalibrator
from centrum.protocol import parse_protocol
from centrum.study.study import Study, open_study
from centrum.validation.instability import LinearSignature, Refit
from centrum.validation.matrix import Matrix
from tests.frozen.test_scorer import OTHER, SCORER
from tests.smallest import table_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    study = open_study(table_study(tmp_path / "study"))
    verbs.extract(study)
    return study


def test_scores_of_the_numbers_are_compared_with_those_of_the_model(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*given: object):
        scorer = scorer_of(*given)
        return replace(scorer, offset=scorer.offset + 1e-7)

    monkeypatch.setattr(verbs, "scorer_of", other)
    with pytest.raises(DataError, match="cannot be frozen: as numbers it scores a case 1e-07 away"):
        verbs.fit(study)
    monkeypatch.undo()
    verbs.fit(study)


# Parts of a frozen model


def linear(*names: str, weight: float = 0.123456789) -> Refit:
    k = len(names)
    curve = {"method": "platt", "slope": 1.0, "intercept": 0.0}
    numbers = (np.full(k, weight), np.full(k, 70.12345678), np.full(k, 9.87654321))
    signature = LinearSignature(names, *numbers, 1234.56789, curve)
    return Refit((0.5, 0.5), np.empty(0), np.empty(0), signature)


OBS = pd.DataFrame({"age": [70.0, 80.0, 60.0], "sex": ["M", "F", None], "coil": ["b", "a", "b"]})
READS = parse_protocol("preset: vcf-t2w\nmodel: {covariates: [age, sex, coil]}", "test")
VOLUME = FeatureId("", "", "", "", "", label="volume")
TABLE = SimpleNamespace(names=("volume",), features=(VOLUME,))


def test_covariates_are_those_that_the_model_reads() -> None:
    found = _covariates(("sex=M", "age", "coil=a", "volume"), OBS, READS)
    assert found == (
        Covariate("age", "age", None, ()),
        Covariate("sex=M", "sex", "M", ("F", "M")),
        Covariate("coil=a", "coil", "a", ("a", "b")),
    )
    assert _covariates(("volume",), OBS, READS) == ()


def test_refits_are_kept_where_all_of_them_are_linear() -> None:
    found = _refits([linear("volume", "age"), linear("sex=F", "volume")], TABLE, OBS, READS)
    assert found is not None
    assert found.names == ("volume", "age", "sex=F")
    assert found.features == (VOLUME, None, None)
    assert [c.name for c in found.covariates] == ["age", "sex=F"]
    assert found.clip == READS.model.clip
    first, second = found.fits
    assert (first.at.tolist(), second.at.tolist()) == ([0, 1], [2, 0])
    assert first.coefficients.tolist() == [0.123457] * 2
    assert (first.means[0], first.sds[0], first.intercept) == (70.1235, 9.87654, 1234.57)
    other = replace(linear("age"), signature=None)
    for refits in ([], [other], [linear("age"), other]):
        assert _refits(refits, TABLE, OBS, READS) is None


def test_the_use_of_a_model_tells_its_images_and_the_rarer_outcome() -> None:
    for positive in (20, 60):
        use = _use(READS, (), 80, positive)
        assert use["limits"][-1] == "Trained on 80 cases, 20 of the rarer outcome."
    (intended,) = _use(READS, (), 80, 20)["intended"]
    assert "malignant from osteoporotic fractures" in intended
    assert f"from {READS.images.weighting} images that were acquired" in intended
    images = READS.images.model_copy(update={"weighting": None})
    (intended,) = _use(READS.model_copy(update={"images": images}), (), 80, 20)["intended"]
    assert "fractured, from images that were" in intended


def matrix(batch: list[str] | None = None) -> Matrix:
    X = np.arange(24.0).reshape(6, 2, 2)
    positive, patients = np.array([1, 0, 1, 1, 0, 0]), np.array([*"aabcde"])
    return Matrix(
        X, ("a", "b"), {"radiomics": (0, 1)}, positive, patients,
        None if batch is None else np.array(batch), ("senior", "resident"), OBS,
    )  # fmt: skip


def test_training_cases_are_counted_by_patient_and_outcome() -> None:
    found = _training(matrix(), np.array([0, 1, 2, 3]))
    assert found == {"cases": 4, "patients": 3, "positive": 3}


def test_rows_of_a_self_test_are_quantiles_of_batches_in_turn() -> None:
    values = np.array([[0.0, 10.0], [1.0, np.nan], [2.0, 30.0], [3.0, 20.0], [4.0, 40.0]])
    curve = PlattCalibrator().fit([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 1])
    scorer = replace(SCORER, features=("a", "b", "c"))
    three = np.column_stack([values, values[:, 0]])
    found = _rows(scorer, curve, three, matrix([*"BBAABB"]), np.arange(5))
    np.testing.assert_allclose(found.values[:, 0], [0.2, 1, 2, 3, 3.8])
    np.testing.assert_allclose(found.values[:, 1], [11.5, 17.5, 25, 32.5, 38.5])
    assert found.batch == ("A", "B", "A", "B", "A")
    np.testing.assert_allclose(found.scores, scorer.score(found.values, found.batch))


def test_a_score_may_be_a_billionth_away() -> None:
    scorer = Scorer(("b", "a"), 0.0, (replace(
        OTHER, reads=np.array([0, 1]), kept=np.array([0, 1]), mean=np.zeros(2), sd=np.ones(2),
        clip=None, members=(Member(np.array([0, 1]), 1.0, Linear(np.array([10.0, 1.0]), 0.0)),)),
    ))  # fmt: skip
    known = matrix()
    wanted = known.X[:, 1, 0] * 10 + known.X[:, 0, 0]
    check_scores(scorer, known, wanted)
    check_scores(scorer, known, wanted * (1 + 5e-10))
    with pytest.raises(DataError, match="scores a case 2e-09 away"):
        check_scores(scorer, known, wanted * (1 + 2e-9))
    wanted[0] = np.nan
    with pytest.raises(DataError, match="cannot be frozen"):
        check_scores(scorer, known, wanted)
