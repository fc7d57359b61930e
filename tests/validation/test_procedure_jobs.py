"""Internal validation without a study: its jobs, what they are known by, what is counted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from centrum.errors import DataError
from centrum.modelling.designs import Part
from centrum.modelling.permute import arrangements, shuffle_by_patient, shuffle_seeds
from centrum.protocol import Protocol
from centrum.validation import procedure
from centrum.validation.fits import FitJob, Source
from centrum.validation.matrix import Matrix
from centrum.validation.procedure import (
    EVERY_LEAK,
    LeakJob,
    Permutation,
    ResampleJob,
    _reasons,
    permute,
    row_audit,
    run_sparse,
    sparse_protocol,
)

AUDIT = {"splits": 2, "permutations": 4}
EVALUATION = {"seed": 30, "optimism_resamples": 3, "leak_audit": AUDIT}


def protocol(**chosen: Any) -> Protocol:
    chosen = {"evaluation": EVALUATION, **chosen}
    return Protocol(name="Test", model={"fusion": "early"}, **chosen)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path, "0" * 64)


class Jobs:
    """Takes the place of `run_jobs`: keeps what it was given, and answers for every job."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer

    def __call__(self, function: Any, jobs: Any, *_: object, failed: Any, kept: Any) -> list[Any]:
        self.jobs, self.failed, self.kept = jobs, failed, kept
        return [self.answer(job) for job in jobs]


def test_leaks_are_switched_on_for_true_and_permuted_outcomes_of_each_split(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Jobs(lambda job: {"honest": job.seed / 100})
    monkeypatch.setattr(procedure, "run_jobs", run)
    found = procedure.leaks(protocol(), source, 1, lambda *_: None)
    assert found == [
        {"seed": seed, "shuffled": shuffled, "honest": seed / 100}
        for shuffled in (False, True) for seed in (30, 31)
    ]  # fmt: skip
    one = run.jobs[0]
    none = run.failed(one, DataError("No."))
    assert none == {**dict.fromkeys(EVERY_LEAK), "errors": dict.fromkeys(EVERY_LEAK, "No.")}
    assert (run.kept.key(one), run.kept.store.folder) == (one.key(), source.store.folder)


def test_patients_are_resampled_as_often_as_asked_for(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Jobs(lambda job: f"not {job.seed}")
    monkeypatch.setattr(procedure, "run_jobs", run)
    train = np.array([4, 2, 7])
    found = procedure.resamples(protocol(), source, train, 1, lambda *_: None)
    assert found == ["not 30", "not 31", "not 32"]
    one = run.jobs[0]
    assert one.train == (4, 2, 7)
    assert run.failed(one, DataError("No.")) == "No."
    assert (run.kept.key(one), run.kept.store.folder) == (one.key(), source.store.folder)


def test_a_job_is_known_by_all_that_decides_its_result(source: Source) -> None:
    def leak(seed: int = 1, shuffle: bool = False, **chosen: Any) -> str:
        return LeakJob(source, protocol(**chosen), seed, shuffle).key()

    others = [
        leak(seed=2), leak(shuffle=True), leak(split={"train_fraction": 0.6}),
        leak(evaluation=EVALUATION | {"clinical": ["age"]}), leak(search={"folds": 3}),
    ]  # fmt: skip
    assert leak() == leak(evaluation=EVALUATION | {"confidence": 0.9})
    assert len({leak(), *others}) == len(others) + 1

    def resample(train: tuple[int, ...] = (1, 2), seed: int = 1, **chosen: Any) -> str:
        return ResampleJob(source, protocol(**chosen), train, seed).key()

    others = [
        resample(train=(1, 3)), resample(seed=2), resample(search={"folds": 3}),
        resample(evaluation=EVALUATION | {"conformal_error": 0.2}),
        resample(evaluation=EVALUATION | {"prevalence": 0.2}),
    ]  # fmt: skip
    assert resample() == resample(evaluation=EVALUATION | {"confidence": 0.9})
    assert len({resample(), leak(), *others}) == len(others) + 2


def matrix(n: int = 12) -> Matrix:
    return Matrix(
        np.zeros((n, 1, 1)), ("a",), {"radiomics": (0,)}, np.arange(n) % 2, np.arange(n), None,
        ("senior",), pd.DataFrame(index=range(n)),
    )  # fmt: skip


def test_the_first_repeat_of_the_design_is_repeated_on_permuted_outcomes(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each permutation the mean over its parts that have an AUC; one without any has failed."""
    known, asked = matrix(), []
    seeds = shuffle_seeds(known.positive, known.patients, 4, 31)

    def plan(_: Protocol, shuffled: Matrix) -> list[Part]:
        for seed in seeds:
            wanted = shuffle_by_patient(known.positive, known.patients, seed)
            if (wanted == shuffled.positive).all():
                asked.append(seed)
        if len(asked) == 2:
            raise DataError("A side without one of the two outcomes.")
        return [Part(f"fold {k}", repeat, np.arange(8), np.arange(8, 12))
                for repeat in (0, 1) for k in (1, 2)]  # fmt: skip

    def refit(_: Source, jobs: list[FitJob], *__: object) -> list[dict[str, Any]]:
        assert [(job.name, job.repeat) for job in jobs] == [("fold 1", 0), ("fold 2", 0)] * 3
        assert [job.shuffle for job in jobs] == [seeds[0]] * 2 + [seeds[2]] * 2 + [seeds[3]] * 2
        return [{"auc": area} for area in (0.4, 0.6, 0.7, None, None, None)]

    monkeypatch.setattr(procedure, "parts_of", plan)
    monkeypatch.setattr(procedure, "refit_all", refit)
    parts = [{"repeat": 0, "auc": 0.9}, {"repeat": 0, "auc": 0.7}, {"repeat": 0, "auc": None},
             {"repeat": 1, "auc": 0.1}]  # fmt: skip
    found = permute(protocol(), source, known, parts, 1, lambda *_: None)
    assert asked == [*seeds]
    assert found.observed == pytest.approx(0.8)
    assert found.values == pytest.approx((0.5, 0.7))
    assert found.failed == 2
    assert found.ways == min(arrangements(known.positive, known.patients), procedure.MANY_WAYS)
    asked.clear()
    nothing = permute(protocol(), source, known, parts[2:], 1, lambda *_: None)
    assert np.isnan(nothing.observed)


def test_the_sparse_model_is_fitted_to_the_same_parts_and_at_last_to_all_of_a_design(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is fitted where the study's model is the sparse one."""
    monkeypatch.setattr(procedure, "refit_all", lambda _, jobs, *__: tuple(jobs))
    parts = [Part("fold 1", 0, np.arange(8), np.arange(8, 12)),
             Part("fold 2", 0, np.arange(4, 12), np.arange(4))]  # fmt: skip

    def fitted(chosen: Protocol, some: list[Part]) -> list[tuple[str, list[int], list[int]]]:
        jobs = run_sparse(chosen, source, some, 1, lambda *_: None)
        assert {job.protocol.model == chosen.model.sparse for job in jobs} <= {True}
        return [(job.name, job.train.tolist(), job.test.tolist()) for job in jobs]

    told = [(part.name, part.train.tolist(), part.test.tolist()) for part in parts]
    assert fitted(protocol(), parts[:1]) == told[:1]
    nested = fitted(protocol(split={"design": "nested_cv"}), parts)
    assert nested == [*told, ("final", [*range(12)], [*range(12)])]
    few = sparse_protocol(protocol())
    assert few is not None
    assert fitted(few, parts) == []


def test_outcomes_that_can_be_permuted_in_twenty_ways_can_show_a_p_of_05() -> None:
    """The smallest P of n ways is 1 / n."""
    assert Permutation(0.9, tuple([0.5] * 19), 0, ways=20).p == 0.05
    few = Permutation(0.9, tuple([0.5] * 18), 0, ways=19)
    assert not few.telling
    assert np.isnan(few.p)
    assert not Permutation(0.9, (), 5).telling


def test_rows_patients_and_centres_on_both_sides_are_counted() -> None:
    """By hand: what is within one side, or unknown, counts nowhere."""
    X = np.random.default_rng(8).normal(size=(8, 9, 2))
    X[4, :, 0] = X[0, :, 0]  # on both sides
    X[1, :, 0] = X[2, :, 0]  # on one side
    X[6, :, 0] = X[3, :, 0] + 1e-9  # nearly, on both sides
    matrix = Matrix(
        X=X,
        names=tuple("abcdefghi"),
        sources={},
        positive=np.arange(8) % 2,
        patients=np.array([*"pqrstupp"]),
        batch=None,
        readers=("senior", "resident"),
        columns=pd.DataFrame({"centre": ["A", "B", None, "C", "A", "B", None, "D"]}),
    )
    part = Part("split", 0, np.arange(4), np.arange(4, 8))
    found = row_audit(matrix, [part, Part("other", 1, np.array([0, 5]), np.array([1, 2]))])
    assert found["equal_rows"] == 4
    assert [pair[:2] for pair in found["near_copies"]] == [[0, 4], [1, 2], [3, 6]]
    one, other = found["parts"]
    assert (one["name"], one["n_train"], one["n_test"]) == ("split", 4, 4)
    assert (one["patients"], one["equal_rows"], one["near_copies"], one["centres"]) == (1, 1, 2, 2)
    assert [other[k] for k in ("patients", "equal_rows", "near_copies", "centres")] == [0, 0, 0, 1]
    assert one["train"] != one["test"]
    nameless = replace(matrix, columns=pd.DataFrame(index=range(8)))
    assert row_audit(nameless, [part])["parts"][0]["centres"] == 0
    second = replace(matrix, X=X[:, :, ::-1])
    assert row_audit(second, [part])["equal_rows"] == 0, "of the primary reader"


def test_resamples_that_could_not_be_drawn_are_counted_with_the_first_reason() -> None:
    assert _reasons(["no feature is left"] * 2 + [Mock()]) == {
        "resamples": "2 of 3, the first because: no feature is left"
    }
    assert _reasons([Mock()]) == {}
