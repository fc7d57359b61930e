"""A frozen model scores as the fitted one does, whatever was fitted."""

import json
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from centrum import arrays
from centrum.errors import DataError
from centrum.frozen.classifiers import Linear, classifier_from
from centrum.frozen.export import scorer_of
from centrum.frozen.scorer import Branch, Filling, Harmoniser, Member, Scorer
from centrum.modelling.classifiers import CERTAIN
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import SearchClassifier
from centrum.modelling.settings import (
    ClassifierName,
    FeatureCountSettings,
    HarmonisationSettings,
    ImputationSettings,
    LassoSettings,
    ModelSettings,
    ScreenSettings,
    SearchSettings,
)
from centrum.records import as_json

pytestmark = pytest.mark.usefixtures("few_trees")

QUICK = ModelSettings(
    lasso=LassoSettings(folds=3),
    n_features=FeatureCountSettings(maximum=3, folds=3),
    balance="none",
    classifier="logistic",
)
N, P = 80, 25
NAMES = tuple(f"f{k}" for k in range(P))
COMBAT = HarmonisationSettings(method="combat")


def cohort(seed: int = 1, gaps: float = 0.0) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """80 cases of 60 patients, 25 features by two readers, two centres that differ."""
    rng = np.random.default_rng(seed)
    patients = np.r_[np.arange(60), np.arange(20)]
    y = patients % 2
    centre = np.where(patients % 3 == 0, "B", "A")
    X = rng.normal(50, 10, size=(N, P))
    X[:, :3] += 12 * y[:, None]
    X += 15 * (centre == "B")[:, None]
    X = np.stack([X, X + rng.normal(size=X.shape)], axis=2)
    X[rng.random((N, P)) < gaps] = np.nan
    return X, y, patients, centre


def check(model: object, X: NDArray, centre: NDArray | None) -> Scorer:
    """The frozen model, read again from its JSON, scores the same."""
    scorer = scorer_of(model, NAMES, "centre")
    again = Scorer.from_dict(json.loads(json.dumps(as_json(scorer))))
    read = X[:, [NAMES.index(n) for n in again.features], 0]
    batch = None if centre is None else centre.tolist()
    wanted = model.decision_function(X, centre)
    scale = np.maximum(1, np.abs(wanted))
    assert np.abs((again.score(read, batch) - wanted) / scale).max() < 1e-12
    one_by_one = [again.score(r[None], None if batch is None else [batch[k]])[0]
                  for k, r in enumerate(read[:5])]  # fmt: skip
    np.testing.assert_allclose(one_by_one, wanted[:5], rtol=1e-12, atol=1e-12)
    _check_explained(again, read, batch, wanted)
    return again


def _check_explained(scorer: Scorer, read: NDArray, batch: list | None, wanted: NDArray) -> None:
    """Contributions sum to the score, or to the vote that it is the log-odds of."""
    found = scorer.explain(read[:9], None if batch is None else batch[:9])
    total = found.base + found.parts.sum(axis=1) + found.rest
    np.testing.assert_allclose(total, found.total, rtol=0, atol=1e-12)
    told = [scorer.on_scale(score) for score in wanted[:9]]
    limits = (CERTAIN, 1 - CERTAIN) if found.scale == "vote" else (-np.inf, np.inf)
    np.testing.assert_allclose(np.clip(found.total, *limits), told, rtol=1e-9, atol=1e-9)
    if scorer.linear or found.scale == "vote":
        np.testing.assert_allclose(found.rest, 0, atol=1e-9)
    if scorer.linear:
        z = scorer.z_scores(read[:9], None if batch is None else batch[:9])
        weighed = np.zeros_like(z)
        for branch in scorer.branches:
            for m in branch.members:
                at = branch.reads[branch.kept][m.columns]
                weighed[:, at] += m.weight * m.classifier.weights * z[:, at]
        np.testing.assert_allclose(found.parts, weighed, rtol=0, atol=1e-12)


STEPS = (("none", "none"), ("knn", "combat"))
"""Imputation and harmonisation: neither, and those that keep the most."""


@pytest.mark.parametrize(
    ("name", "filling", "method"),
    [
        *((name, *steps) for name, steps in product(ClassifierName.__args__, STEPS)),
        *(("logistic", *steps) for steps in product(("mean", "median"), ("none", "combat"))),
    ],
)
def test_every_classifier(name: str, filling: str, method: str) -> None:
    X, y, patients, centre = cohort(gaps=0.0 if filling == "none" else 0.04)
    chosen = QUICK.model_copy(
        update={
            "classifier": name,
            "imputation": ImputationSettings(method=filling),
            "harmonisation": HarmonisationSettings(method=method),
            "clip": 2.0 if method == "combat" else None,
        }
    )
    batch = centre if method == "combat" else None
    model = StudyClassifier(chosen, 1, NAMES, calibrate=False).fit(X, y, patients, batch)
    scorer = check(model, X, batch)
    assert scorer.batch_column == ("centre" if method == "combat" else None)
    if filling != "knn":
        assert set(scorer.features) <= set(map(str, model.selected_))


@pytest.mark.parametrize("fusion", ["late", "stacked"])
def test_fusion(fusion: str) -> None:
    X, y, patients, centre = cohort(gaps=0.03)
    sources = {"T1w": range(10), "T2w": range(10, 22), "clinical": range(22, 25)}
    chosen = QUICK.model_copy(
        update={
            "fusion": fusion,
            "harmonisation": COMBAT,
            "imputation": ImputationSettings(method="knn"),
        }
    )
    model = FusionClassifier(sources, chosen, 1, NAMES).fit(X, y, patients, centre)
    check(model, X, centre)


@pytest.mark.parametrize("ensemble", [1, 6])
def test_search(ensemble: int) -> None:
    X, y, patients, centre = cohort()
    chosen = SearchSettings(
        selectors=("lasso", "none"), n_features=(3,), folds=3, ensemble=ensemble, survivors=8
    )
    settings = QUICK.model_copy(update={"harmonisation": COMBAT, "clip": 2.0})
    model = SearchClassifier(chosen, settings, 1, NAMES).fit(X, y, patients, centre)
    check(model, X, centre)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    classifier=st.sampled_from(ClassifierName.__args__),
    screen=st.sampled_from([None, ScreenSettings()]),
    filling=st.sampled_from(["mean", "knn"]),
    select=st.sampled_from(["none", "mrmr", "univariate"]),
)
def test_any_model(
    seed: int, classifier: str, screen: ScreenSettings | None, filling: str, select: str
) -> None:
    X, y, patients, _ = cohort(seed, gaps=0.05)
    chosen = QUICK.model_copy(
        update={
            "classifier": classifier,
            "screen": screen,
            "imputation": ImputationSettings(method=filling),
            "select": QUICK.select.model_copy(update={"method": select, "n_features": 6}),
            "balance": "repeat",
        }
    )
    check(StudyClassifier(chosen, seed, NAMES, calibrate=False).fit(X, y, patients), X, None)


@pytest.mark.parametrize("reference", ["A", "B"])
def test_cases_of_the_reference_batch_stay_as_they_are(reference: str) -> None:
    X, y, patients, centre = cohort()
    chosen = QUICK.model_copy(
        update={"harmonisation": COMBAT.model_copy(update={"reference": reference})}
    )
    model = StudyClassifier(chosen, 1, NAMES, calibrate=False).fit(X, y, patients, centre)
    scorer = check(model, X, centre)
    read = X[:, [NAMES.index(n) for n in scorer.features], 0]
    as_they_are = scorer.score(read, ["not trained on"] * len(read))
    stays = scorer.score(read, list(centre)) == as_they_are
    np.testing.assert_array_equal(stays, centre == reference)


def test_a_harmoniser_moves_all_but_its_reference_and_what_it_does_not_adjust() -> None:
    """By hand: (x - mean) / SD less gamma, over the root of delta, and back."""
    step = Harmoniser(
        column="centre",
        batches=("A", "B"),
        mean=np.array([10.0, 10.0]),
        sd=np.array([2.0, 2.0]),
        gamma=np.array([[0.5, 0.5], [1.0, 1.0]]),
        delta=np.array([[4.0, 4.0], [0.25, 0.25]]),
        adjusted=np.array([True, False]),
        reference="A",
        unseen="as_is",
    )
    x = np.full((3, 2), 14.1)
    moved = step.apply(x, ["A", "B", "C"])
    np.testing.assert_array_equal(moved[[0, 2]], x[[0, 2]])
    np.testing.assert_allclose(moved[1], [(4.1 / 2 - 1) / 0.5 * 2 + 10, 14.1])


def test_an_unknown_batch_stays_or_is_refused() -> None:
    X, y, patients, centre = cohort()
    for unseen in ("as_is", "refuse"):
        chosen = QUICK.model_copy(
            update={"harmonisation": COMBAT.model_copy(update={"unseen": unseen})}
        )
        model = StudyClassifier(chosen, 1, NAMES, calibrate=False).fit(X, y, patients, centre)
        scorer = check(model, X, centre)
        new = X[:2, [NAMES.index(n) for n in scorer.features], 0]
        if unseen == "refuse":
            with pytest.raises(DataError, match="not trained on C; it knows A, B"):
                scorer.score(new, ["A", "C"])
        else:
            wanted = model.decision_function(X[:2], np.array(["A", "C"]))
            np.testing.assert_allclose(scorer.score(new, ["A", "C"]), wanted, rtol=1e-12)


@pytest.mark.parametrize("method", ["none", "combat"])
def test_a_large_table_is_scored_in_parts(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, patients, centre = cohort()
    chosen = QUICK.model_copy(update={"harmonisation": HarmonisationSettings(method=method)})
    batch = None if method == "none" else centre
    scorer = check(StudyClassifier(chosen, 1, NAMES, calibrate=False).fit(
        X, y, patients, batch), X, batch)  # fmt: skip
    values = X[:, [NAMES.index(n) for n in scorer.features], 0]
    names = None if batch is None else list(batch)
    whole = scorer.score(values, names)
    monkeypatch.setattr(arrays, "AT_ONCE", 7 * values.shape[1])
    np.testing.assert_allclose(scorer.score(values, names), whole, rtol=1e-13)


def test_what_is_missing_is_refused_with_its_name() -> None:
    X, y, patients, _ = cohort()
    scorer = scorer_of(
        StudyClassifier(QUICK, 1, NAMES, calibrate=False).fit(X, y, patients), NAMES, "centre"
    )
    values = X[:3, [NAMES.index(n) for n in scorer.features], 0].copy()
    values[1, 0] = np.nan
    with pytest.raises(DataError, match=f"1 are missing: {scorer.features[0]}"):
        scorer.score(values)
    with pytest.raises(DataError, match="the shape"):
        scorer.score(values[:, :1])


def of_forest(weight: float = 1.0) -> tuple[Scorer, NDArray]:
    """A forest's scorer with a weight, and values of its features."""
    X, y, patients, _ = cohort()
    chosen = QUICK.model_copy(update={"classifier": "random_forest"})
    fitted = StudyClassifier(chosen, 1, NAMES, calibrate=False).fit(X, y, patients)
    scorer = scorer_of(fitted, NAMES, "centre")
    branch = scorer.branches[0]
    weighed = replace(branch, members=(replace(branch.members[0], weight=weight),))
    values = X[:, [NAMES.index(n) for n in scorer.features], 0]
    return Scorer(scorer.features, scorer.offset, (weighed,)), values


@pytest.mark.parametrize("weight", [1.0, 0.4])
def test_a_lone_forest_is_explained_by_its_votes(weight: float) -> None:
    scorer, values = of_forest(weight)
    found = scorer.explain(values)
    assert found.scale == "vote"
    assert not scorer.approximate
    assert ((found.total >= 0) & (found.total <= 1)).all()
    inside = (found.total > CERTAIN) & (found.total < 1 - CERTAIN)
    scores = scorer.score(values)
    assert [scorer.on_scale(s) for s in scores[inside]] == pytest.approx(found.total[inside])
    means = np.empty((1, values.shape[1]))
    branch = scorer.branches[0]
    means[:, branch.reads[branch.kept]] = branch.mean
    assert found.base == pytest.approx(scorer.explain(means).total[0], abs=1e-12)
    np.testing.assert_allclose(scorer.explain(means).parts, 0, atol=1e-12)


def test_a_forest_among_others_is_carried_to_its_log_odds() -> None:
    scorer, values = of_forest()
    (branch,) = scorer.branches
    (trees,) = branch.members
    linear = Member(trees.columns, 0.5, Linear(np.ones(trees.columns.size), 0.2))
    both = Scorer(scorer.features, 0.0, (replace(branch, members=(trees, linear)),))
    assert both.approximate
    assert both.votes is None
    found, votes = both.explain(values), scorer.explain(values)
    np.testing.assert_allclose(found.rest, 0, atol=1e-9)
    np.testing.assert_allclose(found.base + found.parts.sum(axis=1), both.score(values), atol=1e-9)
    own = found.parts - 0.5 * np.nan_to_num(both.z_scores(values))
    share = votes.parts / np.abs(votes.parts).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        np.abs(own / np.abs(own).sum(axis=1, keepdims=True)), np.abs(share), atol=1e-9
    )


def test_what_a_limit_takes_off_is_no_features() -> None:
    X, y, patients, _ = cohort()
    X[:, 0] += 400 * y[:, None]
    chosen = QUICK.model_copy(update={"classifier": "naive_bayes"})
    fitted = StudyClassifier(chosen, 1, NAMES, calibrate=False).fit(X, y, patients)
    scorer = scorer_of(fitted, NAMES, "centre")
    values = X[:, [NAMES.index(n) for n in scorer.features], 0]
    found = scorer.explain(values)
    limit = np.log((1 - CERTAIN) / CERTAIN)
    limited = np.abs(found.base + found.parts.sum(axis=1)) > limit
    assert limited.any()
    np.testing.assert_allclose(np.abs(found.total[limited]), limit)
    assert (np.abs(found.rest[limited]) > 1e-6).all()
    np.testing.assert_allclose(found.rest[~limited], 0, atol=1e-9)
    np.testing.assert_allclose(found.total, scorer.score(values), atol=1e-12)


def test_an_unknown_kind_names_those_that_are_known() -> None:
    with pytest.raises(DataError, match="kind 'deep'; this version scores linear"):
        classifier_from({"kind": "deep"})


def test_a_fitted_model_of_no_number_is_refused_in_words() -> None:
    X, y, patients, _ = cohort()
    model = StudyClassifier(QUICK, 1, NAMES, calibrate=False).fit(X, y, patients)
    model.pipeline_.steps[-1][1].coef_[:] = np.nan
    with pytest.raises(DataError, match=r"cannot be frozen.*expected finite numbers"):
        scorer_of(model, NAMES, "centre")


FILLING = Filling(np.array([5.0, 6.0]), None, 0)
HARMONISER = Harmoniser(
    column="centre", batches=("A", "B"), mean=np.ones(2), sd=np.ones(2), gamma=np.zeros((2, 2)),
    delta=np.ones((2, 2)), adjusted=np.ones(2, bool), reference="A", unseen="refuse",
)  # fmt: skip
MEMBER = Member(np.array([0, 1]), 0.5, Linear(np.array([2.0, 1.0]), -1.0))
BRANCH = Branch(
    np.array([0, 2]),
    FILLING,
    np.array([0, 1]),
    HARMONISER,
    np.zeros(2),
    np.ones(2),
    None,
    (MEMBER,),
)
OTHER = Branch(
    np.array([1]), None, np.array([0]), None, np.zeros(1), np.ones(1), 2.0,
    (Member(np.array([0]), 1.0, Linear(np.array([1.0]), 0.0)),),
)  # fmt: skip
ALONE = replace(
    HARMONISER, mean=np.ones(1), sd=np.ones(1), gamma=np.zeros((2, 1)), delta=np.ones((2, 1)),
    adjusted=np.ones(1, bool),
)  # fmt: skip
BY_TWO = tuple(
    replace(OTHER, reads=np.array([k]), harmoniser=replace(ALONE, column=column))
    for k, column in enumerate(("centre", "site"))
)
SCORER = Scorer(("a", "b", "c"), 0.25, (BRANCH, OTHER))
TWO = {"donors": np.ones((4, 2)), "neighbours": 1, "spread": np.array([1.0, 0.0])}


@pytest.mark.parametrize(
    ("part", "change", "why"),
    [
        (FILLING, TWO, ""),
        (FILLING, TWO | {"donors": np.ones((4, 3))}, "donors have other features"),
        (FILLING, TWO | {"neighbours": 0}, "at least one neighbour"),
        (FILLING, TWO | {"spread": np.array([1.0])}, "spreads are of other features"),
        (FILLING, TWO | {"spread": np.array([1.0, -1e-9])}, "a spread is negative"),
        (HARMONISER, {"gamma": np.zeros((1, 2))}, "a row for each batch"),
        (HARMONISER, {"delta": np.ones((2, 3))}, "a row for each batch"),
        (HARMONISER, {"sd": np.ones(3)}, "lists of equal length"),
        (HARMONISER, {"adjusted": np.ones(1, bool)}, "lists of equal length"),
        (HARMONISER, {"sd": np.array([1.0, 0.0])}, "spreads above 0"),
        (HARMONISER, {"delta": np.array([[1.0, 1.0], [0.0, 1.0]])}, "spreads above 0"),
        (HARMONISER, {"batches": ("A", "A")}, "each batch once"),
        (HARMONISER, {"reference": "C"}, "none of the batches"),
        (HARMONISER, {"reference": None}, ""),
        (HARMONISER, {"batches": (), "gamma": np.zeros((0, 2)), "delta": np.zeros((0, 2))},
         "at least 1 item"),
        (MEMBER, {"columns": np.array([0])}, "it reads 2 of 1 columns"),
        (BRANCH, {"mean": np.zeros(3)}, "mean and SD of each feature"),
        (BRANCH, {"sd": np.ones(1)}, "mean and SD of each feature"),
        (BRANCH, {"sd": np.array([1.0, 0.0])}, "SDs above 0"),
        (BRANCH, {"kept": np.array([0, 2])}, "a feature that it does not read"),
        (BRANCH, {"kept": np.array([0, -1])}, "a feature that it does not read"),
        (BRANCH, {"members": (replace(MEMBER, columns=np.array([0, 2])),)}, "is not kept"),
        (BRANCH, {"members": ()}, "at least 1 item"),
        (BRANCH, {"filling": Filling(np.array([5.0]), None, 0)}, "it fills other features"),
        (OTHER, {"harmoniser": HARMONISER}, "it harmonises other features"),
        (OTHER, {"clip": 0.0}, "greater than 0"),
        (SCORER, {"features": ("a", "b", "b")}, "each feature once"),
        (SCORER, {"branches": (BRANCH, replace(OTHER, reads=np.array([3])))}, "is not there"),
        (SCORER, {"branches": (BRANCH, replace(OTHER, reads=np.array([2])))}, "two branches score"),
        (SCORER, {"branches": BY_TWO}, "several columns or batches"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_belong_together_are_refused(
    part: Any, change: dict[str, Any], why: str
) -> None:
    if not why:
        replace(part, **change)
        return
    with pytest.raises(ValueError, match=why):
        replace(part, **change)


def test_a_score_is_the_sum_of_what_the_branches_give() -> None:
    """By hand: missing values filled, z-scores clipped, weights and offset."""
    values = np.array([[1.0, 9.0, np.nan], [np.nan, -1.0, 2.0]])
    first = 0.5 * (2 * np.array([1, 5]) + np.array([6, 2]) - 1)
    found = SCORER.score(values, ["A", "B"])
    np.testing.assert_allclose(found, 0.25 + first + [2, -1])
    z = SCORER.z_scores(values, ["A", "B"])
    np.testing.assert_allclose(z, [[1, 2, 6], [5, -1, 2]])
    np.testing.assert_allclose(SCORER.score_of_z(z), found)
    told = SCORER.explain(values, ["A", "B"])
    np.testing.assert_allclose(told.parts, [[1, 2, 3], [5, -1, 1]])
    assert told.base == pytest.approx(0.25 - 0.5)
    np.testing.assert_allclose(told.rest, 0, atol=1e-12)
    assert (told.scale, SCORER.linear, SCORER.approximate, SCORER.votes) == (
        "score", True, False, None)  # fmt: skip
    assert (SCORER.batch_column, SCORER.batches, SCORER.fills) == ("centre", ("A", "B"), False)
    alone = Scorer(("b",), 0.0, (replace(OTHER, reads=np.array([0])),))
    assert (alone.batch_column, alone.batches, alone.fills) == (None, (), False)
    assert replace(SCORER, branches=(BRANCH,)).fills


def test_what_a_score_needs_is_told() -> None:
    values = np.ones((2, 3))
    for batch, n in ((None, 0), (["A"], 1)):
        with pytest.raises(DataError, match=f"'centre' of each of 2 cases, found {n}"):
            SCORER.score(values, batch)
    five = replace(HARMONISER, reference=None)
    with pytest.raises(DataError, match="not trained on C, D, E; it knows A, B"):
        five.apply(np.ones((5, 2)), ["F", "E", "A", "D", "C"])
    many = Branch(np.arange(6), None, np.arange(6), None, np.zeros(6), np.ones(6), None,
                  (Member(np.arange(6), 1.0, Linear(np.ones(6), 0.0)),))  # fmt: skip
    scorer = Scorer(tuple("abcdef"), 0.0, (many,))
    gaps = np.array([[1.0, np.nan, np.inf, np.nan, np.nan, np.nan]])
    with pytest.raises(DataError, match=r"its 6 features; 5 are missing: b, c, d, \.\.\.\."):
        scorer.score(gaps)
    with pytest.raises(DataError, match=r"found an array of the shape \(6,\)"):
        scorer.score(gaps[0])
    assert scorer.score(np.ones((1, 6))) == 6
    gap = np.array([[1.0, np.nan, 1.0]])
    with pytest.raises(DataError, match="1 are missing: b"):
        SCORER.score(gap, ["A"])
