"""The file of a frozen model, changed in every place, is refused or gives the same results."""

import json
import math
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.frozen.model import OLDER, OLDER_ROWS, UNSEALED, FrozenModel, read_model
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.settings import ImputationSettings
from centrum.provenance import digest
from tests.frozen.models import frozen
from tests.frozen.test_scorer import COMBAT, NAMES, QUICK, cohort

KINDS = {
    "plain": {"classifier": "logistic"},
    "svm": {"classifier": "linear_svm", "clip": 2.0},
    "rbf": {"classifier": "rbf_svm"},
    "bayes": {"classifier": "naive_bayes"},
    "forest": {"classifier": "random_forest"},
    "boosting": {"classifier": "gradient_boosting"},
    "combat": {"harmonisation": COMBAT},
    "neighbours": {"imputation": ImputationSettings(method="knn")},
}
CALIBRATION = {"svm": "isotonic", "combat": "venn_abers"}


@cache
def model(kind: str) -> FrozenModel:
    X, y, patients, centre = cohort(gaps=0.03 if kind == "neighbours" else 0.0)
    batch = centre if kind in ("combat", "fusion") else None
    if kind == "fusion":
        settings = QUICK.model_copy(update={"harmonisation": COMBAT, "fusion": "stacked"})
        sources = {"T1w": range(12), "T2w": range(12, 25)}
        fitted: Any = FusionClassifier(sources, settings, 1, NAMES).fit(X, y, patients, centre)
    else:
        settings = QUICK.model_copy(update={**KINDS[kind], "n_features": None})
        fitted = StudyClassifier(settings, 1, NAMES).fit(X, y, patients, batch)
    if kind in ("forest", "boosting"):  # a few trees, so that files are small
        trees = fitted.pipeline_.steps[-1][1].estimator_
        trees.estimators_ = trees.estimators_[:6]
    calibration = CALIBRATION.get(kind, "platt")
    return frozen(fitted, NAMES, X, y, batch, calibration=calibration, age=kind == "plain")


def results(of: FrozenModel) -> tuple[Any, ...]:
    """What a model says of cases that lie all over the training range, by names of features."""
    rng = np.random.default_rng(0)
    known = {name: 50 + 20 * rng.normal(size=40) for name in NAMES}
    values = np.column_stack([known[name] for name in of.scorer.features])
    batch = None if of.scorer.batch_column is None else [*"AB"] * 20
    scores = of.scorer.score(values, batch)
    likely = of.calibrator.predict_proba(scores)
    return scores.tolist(), likely.tolist(), of.called(scores), of.sets(scores)


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Paths to what a record holds; of a long list the first two items and the last."""
    if path:
        yield path
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        n = len(value)
        items = [(k, value[k]) for k in sorted({0, 1, n - 1} & {*range(n)})]
    for key, item in items:
        yield from places(item, (*path, key))


FEW = int(os.environ.get("CENTRUM_MUTANTS", 100))
"""Mutants of each kind of model; there are thousands."""

GONE = object()
OTHERS: tuple[Any, ...] = (
    GONE, None, True, -1, 0, 3, 0.25, 1e308, 10**400, float("nan"), float("inf"), "", "1", "inf",
    "\ud800", [], {}, [None], [[1.0]], {"a": None}, [[1.0], [1.0, 2.0]],
)  # fmt: skip


def changes(value: Any) -> Iterator[Any]:
    yield from OTHERS
    if isinstance(value, list) and len(value) > 1:
        yield value[::-1]
        yield value[:-1]
    if isinstance(value, list) and value:
        yield [*value, value[0]]
    if isinstance(value, dict):
        yield {**value, "later": 1}
    if isinstance(value, str):
        yield f"{value}x"
    if isinstance(value, float):
        yield value * (1 + 1e-6) + 1e-9
        yield -value


def changed(record: dict, path: tuple, value: Any) -> dict:
    whole = json.loads(json.dumps(record))
    at = whole
    for key in path[:-1]:
        at = at[key]
    if value is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return whole


def rehashed(record: dict, *, seal: bool = False) -> dict:
    content = {k: v for k, v in record.items() if k != "sha256"}
    if seal and isinstance(content.get("self_test"), dict):
        sealed = digest({k: v for k, v in content.items() if k not in UNSEALED})
        content["self_test"] = {**content["self_test"], "sealed": sealed}
    return {**content, "sha256": digest(content)}


COMPUTING = ("scorer", "calibrator", "conformal", "features", "covariates", "distributions",
             "cutoff", "scores", "self_test")  # fmt: skip


@pytest.mark.parametrize("kind", [*KINDS, "fusion"])
def test_a_changed_file_is_refused_or_says_the_same(kind: str) -> None:
    """Whatever is changed and hashed again: the project's own error, or the same results."""
    record = model(kind).to_dict()
    wanted = results(model(kind))
    rng = np.random.default_rng(3)
    part = record if kind == "plain" else {k: record[k] for k in COMPUTING}
    tried = [(path, value) for path in places(part) for value in changes(_at(record, path))]
    few = rng.permutation(len(tried))[:FEW]
    for path, value in (tried[k] for k in few):
        other = rehashed(changed(record, path, value))
        try:
            found = FrozenModel.from_dict(other)
        except DataError:
            continue
        assert results(found) == wanted, (path, value)


@pytest.mark.parametrize("kind", ["plain", "forest", "fusion"])
def test_sealed_again_it_is_refused_or_scores(kind: str) -> None:
    """Even a seal that is made right leaves no fault that ends in a traceback, or in no number."""
    record = model(kind).to_dict()
    tried = [(path, value) for path in places(record) for value in changes(_at(record, path))]
    few = np.random.default_rng(4).permutation(len(tried))[:FEW]
    for path, value in (tried[k] for k in few):
        other = rehashed(changed(record, path, value), seal=True)
        try:
            found = FrozenModel.from_dict(other)
        except DataError:
            continue
        scores, likely, called, _ = results(found)
        assert np.isfinite(scores).all(), (path, value)
        assert np.isfinite(likely).all(), (path, value)
        assert {*called} <= {found.positive, found.negative}


def _at(record: Any, path: tuple) -> Any:
    for key in path:
        record = record[key]
    return record


def swapped(record: dict, *path: Any) -> dict:
    """The record with the first two items of a list in the other order."""
    whole = json.loads(json.dumps(record))
    found = _at(whole, path)
    found[0], found[1] = found[1], found[0]
    return whole


def with_words(record: dict, positive: str, negative: str) -> dict:
    whole = json.loads(json.dumps(record))
    whole["protocol"]["outcome"] |= {"positive": positive, "negative": negative}
    return whole


def in_another_order(record: dict) -> dict:
    """Names, records and distributions of two features exchanged, and the numbers not."""
    whole = record
    for path in (("scorer", "features"), ("features",), ("distributions",)):
        whole = swapped(whole, *path)
    return whole


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda r: with_words(r, "osteoporotic", "malignant"), "a call that was"),
        (lambda r: with_words(r, "myeloma", "osteoporotic"), "a call that was"),
        (lambda r: swapped(r, "scorer", "features"), "expected the distributions of the features"),
        (in_another_order, "a score that was"),
        (lambda r: r | {"cutoff": r["cutoff"] + 1e-6}, "a cut-off that was"),
        (lambda r: r | {"cutoff": float("nan")}, "expected a finite number"),
        (lambda r: changed(r, ("conformal", "error"), 0.9), "a set of outcomes that was"),
        (lambda r: changed(r, ("calibrator", "slope"), 0.9), "a probability that was"),
        (lambda r: changed(r, ("protocol", "extraction", "distances"), [2]), "another SHA-256"),
        (lambda r: r | {"schema": "centrum.model/3"}, "Use the version of centrum that made the"),
        (lambda r: r | {"later": 1}, "`later` is not known to this version. Use the version"),
        (lambda r: changed(r, ("scorer", "branches", 0, "members", 0, "weight"), GONE),
         r"`scorer.branches\[0\].members\[0\].weight` is missing"),
        (lambda r: changed(r, ("provenance", "training", "cases"), "80"), "expected a whole"),
    ],
)  # fmt: skip
def test_what_is_changed_is_said(other: Any, message: str) -> None:
    record = model("plain" if "probability" in message else "combat").to_dict()
    with pytest.raises(DataError, match=message):
        FrozenModel.from_dict(rehashed(other(record)))


def as_before(record: dict) -> dict:
    """The record as 0.2.0 and 0.2.1 wrote it."""
    rows = {name: record["self_test"][name] for name in OLDER_ROWS}
    return rehashed(record | {"schema": OLDER, "self_test": rows})


@pytest.mark.parametrize("kind", ["plain", "combat", "neighbours"])
def test_a_file_of_an_older_layout_opens_and_says_what_is_not_checked(kind: str) -> None:
    now, record = model(kind), as_before(model(kind).to_dict())
    old = FrozenModel.from_dict(record)
    assert results(old) == results(now)
    assert "neither the cut-off, the names of the outcomes nor the sets" in old.notes[0]
    assert now.notes == ()
    assert old.to_dict() == record, "an older file keeps its layout and its digest"
    with pytest.raises(DataError, match="a score that was"):
        FrozenModel.from_dict(rehashed(changed(record, ("scorer", "offset"), 0.5)))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xff\xfe{}", "not text in UTF-8"),
        (b'{"schema": 1, "schema": 1}', "'schema' occurs twice"),
        (b'{"cutoff": NaN}', "expected a finite number"),
        (b'{"cutoff": 1e400}', "expected a finite number"),
        (b"9" * 5000, "is not JSON"),
        (b"[" * 100_000, "lie within each other"),
        (b"[]", "'centrum.model/2', found None"),
    ],
)
def test_a_hostile_file_is_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=message):
        read_model(path)


def test_a_deep_model_is_refused() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(DataError, match="too deeply"):
        FrozenModel.from_dict(model("plain").to_dict() | {"use": deep})


def test_a_mark_of_byte_order_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model("plain").to_dict()), encoding="utf-8-sig")
    assert results(read_model(path)) == results(model("plain"))


def test_a_cut_off_without_end_is_a_word(tmp_path: Path) -> None:
    """A rule of costs may call all cases alike; JSON knows no such number."""
    whole = replace(model("plain"), cutoff=math.inf).tested()
    whole.save(tmp_path / "model.json")
    again = read_model(tmp_path / "model.json")
    assert again.cutoff == math.inf
    assert set(again.called(np.array([-9.0, 9.0]))) == {again.negative}


def knowing(batches: tuple[str, ...]) -> FrozenModel:
    """The model that harmonises, its batches called so; all of them differ like the first."""
    one = model("combat")
    (branch,) = one.scorer.branches
    old = branch.harmoniser
    rows = np.zeros(len(batches), dtype=int)
    other = replace(
        old, batches=batches, gamma=old.gamma[rows], delta=old.delta[rows], reference=None
    )
    scorer = replace(one.scorer, branches=(replace(branch, harmoniser=other),))
    return replace(one, scorer=scorer)


@pytest.mark.parametrize(
    ("batches", "value", "named"),
    [
        (("A", "B"), "B", "B"), (("A", "B"), 3, "3"), (("1001", "B"), 1001.0, "1001"),
        (("1001.0", "B"), 1001, "1001.0"), (("1001", "1001.0"), 1001, "1001"),
    ],
)  # fmt: skip
def test_the_batch_of_a_case_is_spelled_as_in_training(
    batches: tuple[str, ...], value: Any, named: str
) -> None:
    assert knowing(batches).batch_of({"centre": value}) == [named]


@pytest.mark.parametrize("known", [{}, {"centre": None}, {"centre": ""}, {"centre": math.nan}])
def test_a_case_without_a_batch_is_refused(known: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="'centre', which is not known of this case") as told:
        model("combat").batch_flags(known)
    assert told.value.code == "no-batch"
    assert "--known centre=" in told.value.remedy
    assert model("plain").batch_of(known) is None
    assert model("plain").batch_flags(known) == ()


def test_of_many_batches_the_first_are_named() -> None:
    names = tuple("ABCDEFGHIJ")
    (flag,) = knowing(names).batch_flags({"centre": "Z"})
    assert "centre is 'Z': the model" in flag.message
    assert "trained on A, B, C, D, E, F, G, H and 2 more. The values" in flag.message
    (flag,) = knowing(names[:8]).batch_flags({"centre": "Z"})
    assert "trained on A, B, C, D, E, F, G, H. The values" in flag.message
    assert (flag.severity, flag.code) == ("warning", "unknown-batch")
    assert knowing(names).batch_flags({"centre": "J"}) == ()


def test_a_score_at_the_cut_off_is_positive() -> None:
    one = model("plain")
    at = np.array([one.cutoff, np.nextafter(one.cutoff, -np.inf)])
    assert one.called(at) == (one.positive, one.negative)


@pytest.mark.parametrize(("lower", "above"), [(0.4999, False), (0.5, False), (0.5001, True)])
def test_a_model_is_explained_that_tells_more_than_chance(lower: float, above: bool) -> None:
    """By the interval over the parts of a design, if there are several."""
    found = {"value": 0.7, "interval": {"lower": lower, "upper": 0.9}}
    one = model("plain")
    test = one.performance["test"] | {"auc": found}
    assert replace(one, performance={**one.performance, "test": test}).above_chance == above
    parts = {**one.performance, "over_parts": found}
    assert replace(one, performance=parts).above_chance == above


def test_the_self_test_allows_for_rounding_alone() -> None:
    one = model("plain")
    for away, fails in ((5e-13, False), (1e-11, True)):
        moved = tuple(s + away for s in one.self_test.scores)
        other = replace(one, self_test=replace(one.self_test, scores=moved))
        if fails:
            with pytest.raises(DataError, match="a score that was"):
                other.check()
        else:
            other.check()
    large = replace(one.scorer, offset=one.scorer.offset + 1e6)
    scores = tuple(s + 1e6 for s in one.self_test.scores)
    far = replace(one, scorer=large, self_test=replace(one.self_test, scores=scores))
    with pytest.raises(DataError, match="a probability that was"):
        far.check()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scores": (), "values": np.empty((0, 1)), "probabilities": ()}, "at least one row"),
        ({"probabilities": (0.5,)}, "lists of equal length"),
        ({"called": ("a",)}, "lists of equal length"),
        ({"features": ("x", "y", "z")}, "expected a value of each feature"),
    ],
)
def test_rows_of_a_self_test_belong_together(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(model("plain").self_test, **change)


def test_parts_of_other_features_are_refused() -> None:
    one = model("plain")
    test = replace(one.self_test, features=tuple(f"{n}x" for n in one.self_test.features))
    same = one.protocol.outcome.model_copy(update={"negative": one.positive})
    for change, why in (
        ({"features": one.features[:-1]}, "expected a record of each feature"),
        ({"distributions": one.distributions[::-1]}, "in their order"),
        ({"self_test": test}, "the self-test must have the model's features"),
        ({"covariates": ()}, "is none of the features that are described"),
        ({"protocol": one.protocol.model_copy(update={"outcome": same})}, "two outcomes"),
    ):
        with pytest.raises(ValueError, match=why):
            replace(one, **change)


def test_what_made_a_file_is_told_in_short(tmp_path: Path) -> None:
    record = {"schema": "centrum.model/9", "provenance": {"versions": {"centrum": "0.9.1"}}}
    with pytest.raises(DataError) as told:
        FrozenModel.from_dict(record)
    assert told.value.remedy == "Use the version of centrum that made the file, 0.9.1."
    long = record | {"schema": "s" * 58, "provenance": {"versions": {"centrum": "0" * 20}}}
    with pytest.raises(DataError, match=rf"found '{'s' * 59}\.\.\.") as told:
        FrozenModel.from_dict(long | {"schema": "s" * 59})
    assert told.value.remedy.startswith("`centrum run STUDY` leaves")
    with pytest.raises(DataError, match=rf"found '{'s' * 57}'\."):
        FrozenModel.from_dict(long | {"schema": "s" * 57})
    with pytest.raises(DataError) as told:
        FrozenModel.from_dict(long | {"schema": "centrum.model/9"})
    assert told.value.remedy == "Use the version of centrum that made the file."
    with pytest.raises(DataError, match=r"There is no model model\.json"):
        read_model(tmp_path / "model.json")
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(DataError) as told:
        read_model(tmp_path / "model.json")
    assert told.value.__notes__[-1] == "while reading model.json"
