"""The range of a probability, from numbers and from a study."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from centrum.commands import results as left, study as verbs
from centrum.commands.score import score_lines
from centrum.errors import DataError
from centrum.frozen.inputs import Covariate
from centrum.frozen.model import FrozenModel, read_model
from centrum.frozen.refits import LinearRefit, Refits
from centrum.frozen.score import SCORED, Patient, Score, range_by, score_patient
from centrum.modelling.calibrators import PlattCalibrator
from centrum.records import as_json
from centrum.study.study import open_study
from centrum.validation.matrix import study_matrix
from tests.studies import PROTOCOL, make_study

AGE = (Covariate("age", "age", None, ()),)

RESAMPLED = PROTOCOL.replace(
    "extraction:", "extraction:\n  families: [morphology, statistics]"
).replace("{permutations: 3, splits: 1}", "{permutations: 0, splits: 0}\n  optimism_resamples: 4")


def curve() -> PlattCalibrator:
    return PlattCalibrator().fit([-2.0, -1.0, 0.5, 0.0, 1.0, 2.0], [0, 0, 0, 1, 1, 1])


def refits(weights: tuple[float, ...] = (0.5, 1.0, 1.5), clip: float | None = None) -> Refits:
    fits = tuple(
        LinearRefit(np.array([0]), np.array([70.0]), np.array([5.0]), np.array([w]), 0.1, curve())
        for w in weights
    )
    return Refits(("age",), (None,), AGE, clip, fits)


def test_a_range_is_the_percentiles_over_the_refits() -> None:
    """By hand: z = 2, scores 0.1 + 2 w."""
    found = refits().range(np.array([80.0]))
    likely = curve().predict_proba([1.1, 2.1, 3.1])
    np.testing.assert_allclose(found, np.quantile(likely, [0.025, 0.975]))
    clipped = refits(clip=1.0).range(np.array([80.0]))
    likely = curve().predict_proba([0.6, 1.1, 1.6])
    np.testing.assert_allclose(clipped, np.quantile(likely, [0.025, 0.975]))


def test_a_missing_value_has_no_range() -> None:
    assert refits().range(np.array([np.nan])) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"at": [1]}, "reads a feature that is not there"),
        ({"sds": [0.0]}, "SDs above 0"),
        ({"means": [1.0, 2.0]}, "lists of equal length"),
        ({"calibrator": {"method": "platt", "slope": -1.0, "intercept": 0.0}}, "greater than"),
        ({"pickle": "x"}, "is not known"),
    ],
)
def test_refits_of_a_file_are_checked(one: FrozenModel, change: dict, why: str) -> None:
    record = replace(one, refits=refits(), covariates=one.covariates).to_dict()
    record["refits"]["fits"][0] |= change
    from centrum.provenance import digest

    del record["sha256"]
    with pytest.raises(DataError, match=why):
        FrozenModel.from_dict({**record, "sha256": digest(record)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with four refits, frozen."""
    folder = make_study(tmp_path_factory.mktemp("refits") / "study", 30, protocol=RESAMPLED)
    study = open_study(folder)
    for verb in (verbs.extract, verbs.fit, verbs.internal, verbs.evaluate, verbs.freeze):
        verb(study)
    return folder


@pytest.fixture(scope="module")
def one(folder: Path) -> FrozenModel:
    return read_model(folder / "results/model.json")


def test_a_study_keeps_its_refits(folder: Path, one: FrozenModel) -> None:
    """The frozen numbers give the probabilities of assessment.json, to six digits."""
    study = open_study(folder)
    matrix = study_matrix(verbs.load_table(study), study.protocol)
    kept = left.load_internal_validation(study).resamples
    assert len(one.refits.fits) == len(kept) == 4
    at = [matrix.names.index(name) for name in one.refits.names]
    for fit, refit in zip(one.refits.fits, kept, strict=True):
        found = [fit.probability(row, one.refits.clip) for row in matrix.X[:, at, 0]]
        np.testing.assert_allclose(found, refit.probability, atol=1e-4)
    assert FrozenModel.from_dict(one.to_dict()).refits.names == one.refits.names


def test_a_new_patient_has_a_range(folder: Path, one: FrozenModel) -> None:
    """Measured from the files of a case: the range of the same case in the study."""
    study = open_study(folder)
    case, n = "P004", 4
    patient = Patient(case, str(folder / f"images/{case}.nrrd"),
                      str(folder / f"masks/{case}_senior.nrrd"))  # fmt: skip
    score = score_patient(one, patient)
    likely = [r.probability[n] for r in left.load_internal_validation(study).resamples]
    np.testing.assert_allclose((score.low, score.high), np.quantile(likely, [0.025, 0.975]),
                               atol=1e-3)  # fmt: skip
    assert score.low < score.high
    (line, *_) = score_lines([score])
    assert f"{100 * score.low:.0f} to {100 * score.high:.0f} %" in line.replace("−", "-")


def test_a_table_without_a_feature_of_a_refit_has_a_score_and_no_range(one: FrozenModel) -> None:
    def value_of(name: str, _: object) -> float:
        raise KeyError(name)

    assert range_by(one, Patient("P", "", ""), value_of) is None
    assert range_by(one, Patient("P", "", ""), lambda *_: 1.0) is not None


def test_probabilities_are_told_in_whole_per_cents() -> None:
    plain = Score("P1", SCORED, (), 1.0, 0.8764)
    assert plain.probability_text == "88 %"
    assert replace(plain, low=0.4, high=0.999).probability_text == "88 % (40 to 100 %)"
    assert replace(plain, probability=None).probability_text == ""


def test_a_model_without_refits_is_as_before(folder: Path, one: FrozenModel) -> None:
    bare = replace(one, refits=None)
    assert "refits" not in bare.to_dict()
    read = FrozenModel.from_dict(json.loads(json.dumps(bare.to_dict())))
    assert read.refits is None
    assert as_json(read.scorer) == as_json(one.scorer)
    assert range_by(read, Patient("P", "", ""), lambda *_: 1.0) is None


def test_freezing_reads_the_refits_where_they_are_asked_for(tmp_path: Path) -> None:
    """Without the internal validation there are none to read."""
    folder = make_study(tmp_path / "study", 24, protocol=RESAMPLED)
    study = open_study(folder)
    for verb in (verbs.extract, verbs.fit, verbs.evaluate):
        verb(study)
    with pytest.raises(DataError, match=r"assessment\.json is not there yet"):
        verbs.freeze(study)
