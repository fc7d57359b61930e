"""Whatever the table and the choices: finite scores, or an error in plain words."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from centrum.errors import DataError
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import SearchClassifier
from centrum.modelling.settings import (
    CLINICAL,
    ClassifierName,
    FeatureCountSettings,
    HarmonisationSettings,
    ImputationSettings,
    LassoSettings,
    ModelSettings,
    RfeSettings,
    ScreenSettings,
    SearchSettings,
    Selector,
    SelectSettings,
)

TREES = {"random_forest", "extra_trees", "gradient_boosting"}
QUICK = tuple(name for name in get_args(ClassifierName) if name not in TREES)
"""Classifiers that are fitted in milliseconds; trees look at no numbers but their order."""

COVARIATES = (("age",), ("sex=F", "sex=M"))


class Table:
    """A small table of image features and covariates, with oddities that are drawn."""

    def __init__(self, seed: int, odd: set[str], effect: float = 1.0) -> None:
        rng = np.random.default_rng(seed)
        n, p = int(rng.integers(14, 30)), int(rng.integers(1, 9))
        self.y = np.asarray(rng.permutation(np.arange(n) % 3 == 0), dtype=int)
        if "rare" in odd:
            self.y[:] = 0
            self.y[rng.permutation(n)[: int(rng.integers(1, 4))]] = 1
        self.patients = rng.integers(0, n, n) if "patients" in odd else np.arange(n)
        self.batch = np.array(["A", "B", "C"])[rng.integers(0, 2, n)]
        if "alone" in odd:
            self.batch[0] = "C"
        image = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-6, 7, p)
        image[:, 0] += effect * self.y * image[:, 0].std()
        male = rng.random(n) < 0.4
        self.names = (*(f"x{k}" for k in range(p)), "age", "sex=F", "sex=M")
        self.X = np.column_stack([image, rng.normal(70, 9, n), ~male, male])
        self._spoil(rng, odd, p)

    def _spoil(self, rng: np.random.Generator, odd: set[str], p: int) -> None:
        X, k = self.X, int(rng.integers(p))
        if "constant" in odd:
            X[:, k] = 7.0
        if "copies" in odd:
            X[1::2] = X[::2][: len(X[1::2])]
        if "huge" in odd:
            X[int(rng.integers(len(X))), k] = 10.0 ** rng.integers(100, 308)
        if "tiny" in odd:
            X[:, k] *= 1e-290
        if "infinite" in odd:
            X[0, k] = np.inf
        if "gaps" in odd:
            X[rng.random(X.shape) < 0.1] = np.nan
            X[:, -2:][np.isnan(X[:, -2:]).any(axis=1)] = np.nan
        if "empty" in odd:
            X[:, k] = np.nan
        if "single" in odd:
            X[1:, k] = np.nan


ODD = ("rare", "patients", "alone", "constant", "copies", "huge", "tiny", "infinite", "gaps",
       "empty", "single")  # fmt: skip

choices = st.fixed_dictionaries(
    {
        "classifier": st.sampled_from(QUICK),
        "imputation": st.sampled_from(["none", "median", "mean", "knn"]),
        "harmonisation": st.sampled_from(["none", "combat"]),
        "balance": st.sampled_from(["repeat", "smote", "class_weight", "none"]),
        "selector": st.sampled_from(get_args(Selector)),
        "rank": st.sampled_from(["linear_svm", "logistic", "none"]),
        "screen": st.booleans(),
        "count": st.booleans(),
        "calibrate": st.booleans(),
        "kind": st.sampled_from(["study", "study", "late", "stacked", "search"]),
    }
)


def settings_of(c: dict[str, Any]) -> ModelSettings:
    unranked = c["selector"] == "none" and c["rank"] == "none"
    counted = FeatureCountSettings(maximum=3, folds=2) if c["count"] and not unranked else None
    return ModelSettings(
        classifier=c["classifier"],
        imputation=ImputationSettings(method=c["imputation"], neighbours=3),
        harmonisation=HarmonisationSettings(method=c["harmonisation"]),
        balance=c["balance"],
        select=SelectSettings(method=c["selector"], n_features=3),
        rfe=RfeSettings(estimator=c["rank"]),
        screen=ScreenSettings() if c["screen"] else None,
        lasso=LassoSettings(folds=2, threshold=1e-7),
        n_features=counted,
        fusion=c["kind"] if c["kind"] in ("late", "stacked") else "early",
    )


def model_of(c: dict[str, Any], table: Table) -> Any:
    chosen = settings_of(c)
    known = {
        "seed": 1, "feature_names": table.names, "covariates": COVARIATES,
        "calibrate": c["calibrate"],
    }  # fmt: skip
    if c["kind"] == "search":
        tried = SearchSettings(
            selectors=(c["selector"], "lasso"), classifiers=(c["classifier"], "ridge"),
            n_features=(1, 3), folds=2, ensemble=2, survivors=2,
        )  # fmt: skip
        return SearchClassifier(tried, chosen, **known)
    if c["kind"] in ("late", "stacked"):
        p = len(table.names) - 3
        return FusionClassifier({"images": range(p), CLINICAL: range(p, p + 3)}, chosen, **known)
    return StudyClassifier(chosen, **known)


def scores_of(c: dict[str, Any], table: Table) -> NDArray[np.float64]:
    """Scores of the cases that the model was fitted on, out of fold, and of cases all alike."""
    batch = table.batch if c["harmonisation"] == "combat" else None
    X = table.X[:, :, None]
    model = model_of(c, table).fit(X, table.y, table.patients, batch)
    inner = model.inner_scores(X, table.y, table.patients, batch)
    return np.concatenate([model.decision_function(X, batch), inner])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), odd=st.sets(st.sampled_from(ODD), max_size=3), c=choices,
       effect=st.sampled_from([0.0, 1.0]))  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_finite_scores_or_a_refusal(
    seed: int, odd: set[str], c: dict[str, Any], effect: float
) -> None:
    table = Table(seed, odd, effect)
    try:
        scores = scores_of(c, table)
    except DataError:
        return
    assert np.isfinite(scores).all()
