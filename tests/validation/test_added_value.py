"""The clinical model, the score and both, from numbers that are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.added_value import fit_logistic
from centrum.evaluate.comparison import delong_test
from centrum.evaluate.discrimination import auc
from centrum.protocol import Protocol, load_preset, parse_protocol
from centrum.validation.added_value import HeldOut, added_value, clinical_variables, held_in_parts

N = 120


@pytest.fixture
def obs() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "patient": [f"P{k}" for k in range(N)],
            "age": rng.normal(70, 9, N).round(),
            "sex": np.where(rng.random(N) < 0.4, "F", "M"),
            "centre": "A",
        }
    )


@pytest.fixture
def positive(obs: pd.DataFrame) -> np.ndarray:
    rng = np.random.default_rng(5)
    age, male = obs["age"].to_numpy(), (obs["sex"] == "M").to_numpy()
    return rng.random(N) < expit(1.2 * male - 0.6 + 0.03 * (70 - age))


@pytest.fixture
def score(positive: np.ndarray) -> np.ndarray:
    return np.random.default_rng(6).normal(size=N) + 1.5 * positive


@pytest.fixture
def protocol() -> Protocol:
    return load_preset("vcf-t2w")


def sides(score: np.ndarray, n_train: int = 80) -> HeldOut:
    train, test = np.arange(n_train), np.arange(n_train, N)
    return HeldOut(train, score[train] * 0.9, test, score[test])


def ranking(score: np.ndarray, held: HeldOut) -> np.ndarray:
    ranked = np.full(N, np.nan)
    ranked[held.test] = score[held.test]
    return ranked


def by_hand(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut
) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of the test cases by the clinical and by the combined model."""
    x = np.column_stack([obs["age"], obs["sex"] == "F"]).astype(float)
    train, test = held.train, held.test
    x = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    scored = Scored.of(held.out_of_fold, positive[train])
    fit = fit_logistic(np.column_stack([x[train], held.out_of_fold]), scored)
    plain = fit_logistic(x[train], scored)
    return plain.log_odds(x[test]), fit.log_odds(np.column_stack([x[test], held.scores]))


def test_models_are_fitted_on_training_cases_and_compared_on_test_cases(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    """By hand: a design of z-scores and the out-of-fold score, on rows of one side."""
    held = sides(score)
    found = added_value(protocol, obs, positive, held, [held], ranking(score, held))
    x = np.column_stack([obs["age"], obs["sex"] == "F"]).astype(float)
    train, test = held.train, held.test
    x = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    with_score = np.column_stack([x, np.r_[held.out_of_fold, held.scores]])
    scored = Scored.of(held.out_of_fold, positive[train])
    plain, whole = (fit_logistic(d[train], scored) for d in (x, with_score))
    names = ("clinical", "score", "combined")
    values = (plain.log_odds(x[test]), score[test], whole.log_odds(with_score[test]))
    areas = {n: Scored.of(v, positive[test]) for n, v in zip(names, values, strict=True)}
    for name, each in areas.items():
        assert found.areas[name].value == pytest.approx(auc(each)), name
    gap = delong_test(areas["combined"], areas["clinical"])
    assert found.differences["combined - clinical"].difference == pytest.approx(gap.difference)
    assert found.differences["combined - clinical"].p == pytest.approx(gap.p)
    assert found.test.statistic == pytest.approx(plain.deviance - whole.deviance)
    per_sd = whole.coefficients[-1].value * held.out_of_fold.std()
    assert found.adjusted.value == pytest.approx(per_sd)
    assert found.variables == ("age", "sex")
    assert list(found.coefficients) == ["age", "sex=F"], "the most frequent level is the reference"
    assert (found.n_train, found.n_test, found.filled) == (80, 40, 0)


def test_missing_values_take_the_mean_of_the_training_cases(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    held = sides(score)
    gaps = obs.copy()
    gaps.loc[[3, 100], "age"] = np.nan
    gaps.loc[7, "sex"] = None
    filled = obs.astype({"age": float}).copy()
    filled.loc[[3, 100], "age"] = gaps.loc[held.train, "age"].mean()
    found, wanted = (
        added_value(protocol, table, positive, held, [held], ranking(score, held))
        for table in (gaps.assign(sex=obs["sex"]), filled)
    )
    assert found.filled == 2
    # A mean that is filled in changes the spread that values are divided by, and no AUC.
    assert found.areas["clinical"].value == pytest.approx(wanted.areas["clinical"].value)
    three = added_value(protocol, gaps, positive, held, [held], ranking(score, held))
    assert three.filled == 3
    assert np.isfinite(three.areas["combined"].value)


def test_a_score_that_is_age_adds_nothing_to_age(
    obs: pd.DataFrame, positive: np.ndarray, protocol: Protocol
) -> None:
    """Crude it seems to tell; adjusted it does not."""
    rng = np.random.default_rng(9)
    outcome = rng.random(N) < expit((obs["age"].to_numpy() - 70) / 4)
    score = obs["age"].to_numpy() / 9 + rng.normal(0, 0.3, N)
    held = sides(score)
    found = added_value(protocol, obs, outcome, held, [held], ranking(score, held))
    assert found.crude.p < 0.001
    assert found.adjusted.p > 0.05
    assert found.test.p > 0.05
    assert abs(found.differences["combined - clinical"].difference) < 0.05


def test_parts_give_a_case_its_mean_probability(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    """By hand; cases of either part are compared, others take no part."""
    first = sides(score)
    second = HeldOut(np.arange(30, N), score[30:] * 0.8, np.arange(30), score[:30])
    final = HeldOut(np.arange(N), score, np.arange(0), np.zeros(0))
    again = HeldOut(np.arange(80), score[:80] * -0.2 + 1, first.test, first.scores)
    pair = added_value(protocol, obs, positive, final, [first, again], ranking(score, first))
    for k, name in enumerate(("clinical", "combined")):
        mean = np.mean([expit(by_hand(obs, positive, held)[k]) for held in (first, again)], axis=0)
        assert pair.areas[name].value == pytest.approx(auc(Scored.of(mean, positive[80:])))
    ranked = np.full(N, np.nan)
    ranked[[*range(30), *range(80, N)]] = score[[*range(30), *range(80, N)]]
    found = added_value(protocol, obs, positive, final, [first, second], ranked)
    assert (found.n_train, found.n_test) == (N, 70)
    alone = added_value(protocol, obs, positive, final, [first], ranked)
    assert alone.n_test == 40
    twice = added_value(protocol, obs, positive, final, [first, first], ranked)
    assert twice.areas["combined"].value == pytest.approx(alone.areas["combined"].value)


def test_records_of_parts_become_sides() -> None:
    good = {"error": "", "train": [0, 2], "out_of_fold": [0.1, -0.3], "case": [1], "score": [0.4]}
    (held,) = held_in_parts([good, {"error": "no feature left", "case": []}])
    assert held.train.tolist() == [0, 2]
    assert held.out_of_fold.tolist() == [0.1, -0.3]
    assert (held.test.tolist(), held.scores.tolist()) == ([1], [0.4])


def test_a_part_that_cannot_be_fitted_takes_no_other_with_it(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    good, final = sides(score), HeldOut(np.arange(N), score, np.arange(0), np.zeros(0))
    parted = HeldOut(good.train, np.where(positive[:80], 5.0, -5.0), good.test, good.scores)
    ranked = ranking(score, good)
    both = added_value(protocol, obs, positive, final, [good, parted], ranked)
    alone = added_value(protocol, obs, positive, final, [good], ranked)
    assert both.areas == alone.areas
    with pytest.raises(DataError, match="part the outcomes"):
        added_value(protocol, obs, positive, final, [parted], ranked)
    with pytest.raises(DataError, match="part the outcomes"):
        added_value(protocol, obs, positive, parted, [good], ranked)


def test_which_variables(obs: pd.DataFrame) -> None:
    def of(text: str, table: pd.DataFrame = obs) -> tuple[str, ...]:
        return clinical_variables(parse_protocol(f"preset: vcf-t2w\n{text}", "test"), table)

    assert of("") == ("age", "sex")
    assert of("", obs.assign(sex="F")) == ("age",)
    assert of("", obs.drop(columns=["age", "sex"])) == ()
    assert of("evaluation: {clinical: []}") == ()
    assert of("model: {covariates: [centre, sex]}") == ("age", "sex"), "one centre tells nothing"
    two = obs.assign(centre=np.where(np.arange(N) % 2 == 0, "A", "B"))
    assert of("model: {covariates: [centre, sex]}", two) == ("age", "sex", "centre")


def test_without_a_variable_there_is_no_model(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    held, bare = sides(score), obs[["patient"]]
    assert added_value(protocol, bare, positive, held, [held], ranking(score, held)) is None
