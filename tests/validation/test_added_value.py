"""The clinical model, the score and both, from numbers that are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.added_value import fit_logistic
from centrum.evaluate.calibration import calibration
from centrum.evaluate.comparison import delong_test
from centrum.evaluate.decision_curve import decision_curve
from centrum.evaluate.discrimination import auc, roc_curve
from centrum.protocol import Protocol, load_preset, parse_protocol
from centrum.validation.added_value import (
    AddedValue,
    HeldOut,
    added_value,
    clinical_variables,
    held_in_parts,
)

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


def added(*given: object) -> AddedValue | None:
    """With probabilities that follow the scores."""
    return added_value(*given, expit(given[-1]), 10)


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
    found = added(protocol, obs, positive, held, [held], ranking(score, held))
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
    assert found.variables == ("age", "sex")
    assert (found.n_train, found.n_test, found.filled) == (80, 40, 0)


def test_the_nomogram_is_the_combined_model(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    """Its log-odds of test cases are those by hand; its axes are those of the training cases."""
    held = sides(score)
    far = obs.copy()
    far.loc[100, "age"] = 300
    found = added(protocol, far, positive, held, [held], ranking(score, held)).nomogram
    wanted = by_hand(far, positive, held)[1]
    cases = far.assign(score=score).loc[held.test, ["age", "sex", "score"]].to_dict("records")
    assert [found.log_odds(case) for case in cases] == pytest.approx(wanted)
    age, sex, of_score = found.axes
    known = obs.loc[held.train, "age"]
    assert age.ticks[0] <= known.min() < known.max() <= age.ticks[-1] < 150
    assert age.usual == pytest.approx(known.mean())
    assert (sex.levels, sex.usual) == (("F", "M"), "M")
    assert sex.effects[1] == 0, "the most frequent level is the reference"
    assert of_score.variable == "score"
    assert of_score.ticks[0] <= held.out_of_fold.min()
    assert found.share == positive[held.train].mean()


def test_a_column_called_score_is_another_axis(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray
) -> None:
    held = sides(score)
    other = obs.assign(score=np.random.default_rng(8).normal(size=N))
    protocol = parse_protocol("preset: vcf-t2w\nevaluation: {clinical: [score]}", "test")
    found = added(protocol, other, positive, held, [held], ranking(score, held)).nomogram
    assert [axis.variable for axis in found.axes] == ["score", "score of the model"]


def test_a_level_of_no_training_case_has_no_place(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray
) -> None:
    held = sides(score)
    coils = obs.assign(coil=np.array(["a", "b"])[np.arange(N) % 2])
    coils.loc[110, "coil"] = "c"
    protocol = parse_protocol("preset: vcf-t2w\nevaluation: {clinical: [coil]}", "test")
    (coil, _) = added(protocol, coils, positive, held, [held], ranking(score, held)).nomogram.axes
    assert coil.levels == ("a", "b")


@pytest.mark.parametrize("constant", ["a", 0.3])
def test_a_variable_that_no_training_case_differs_in_has_no_axis(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, constant: object
) -> None:
    held = sides(score)
    coils = obs.assign(coil=[constant] * 80 + [constant, 6.0 if constant == 0.3 else "b"] * 20)
    protocol = parse_protocol("preset: vcf-t2w\nevaluation: {clinical: [coil, age]}", "test")
    found = added(protocol, coils, positive, held, [held], ranking(score, held))
    assert [axis.variable for axis in found.nomogram.axes] == ["age", "score"]
    alone = parse_protocol("preset: vcf-t2w\nevaluation: {clinical: [coil]}", "test")
    with pytest.raises(DataError, match=r"No (clinical variable|covariate) varies over .*80 train"):
        added(alone, coils, positive, held, [held], ranking(score, held))


def test_a_score_that_does_not_vary_is_told(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    held = HeldOut(np.arange(80), np.full(80, 0.3), np.arange(80, N), score[80:])
    with pytest.raises(DataError, match="No score varies over the 80 training cases"):
        added(protocol, obs, positive, held, [held], ranking(score, held))


def test_the_usual_level_is_the_most_frequent_and_one_case_gives_a_level_a_place(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray
) -> None:
    held = sides(score)
    coils = obs.assign(coil=["b"] * 20 + ["a"] * 49 + ["d"] * 10 + ["c"] + ["a", "b"] * 20)
    protocol = parse_protocol("preset: vcf-t2w\nevaluation: {clinical: [coil]}", "test")
    (coil, _) = added(protocol, coils, positive, held, [held], ranking(score, held)).nomogram.axes
    assert (coil.levels, coil.usual) == (("a", "b", "c", "d"), "a")


def test_curves_are_of_the_test_cases(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    held = sides(score)
    likely = np.where(np.isfinite(ranking(score, held)), 0.3, np.nan) + 0.001 * np.arange(N)
    found = added_value(protocol, obs, positive, held, [held], ranking(score, held), likely, 4)
    test, (plain, both) = positive[80:], map(expit, by_hand(obs, positive, held))
    probabilities = {"clinical": plain, "score": likely[80:], "combined": both}
    assert list(found.curves) == ["clinical", "score", "combined"]
    for name, values in probabilities.items():
        own, scored = found.curves[name], Scored.of(values, test)
        assert own.calibration.brier == pytest.approx(calibration(scored).brier), name
        assert len(own.calibration.groups) == 4
        np.testing.assert_allclose(own.decision_curve.model, decision_curve(scored).model)
    roc = roc_curve(Scored.of(score[80:], test))
    np.testing.assert_array_equal(found.curves["score"].roc.sensitivity, roc.sensitivity)


def test_nri_and_idi_are_of_the_test_cases_and_on_request(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    held = sides(score)
    assert added(protocol, obs, positive, held, [held], ranking(score, held)).nri_idi is None
    asked = parse_protocol("preset: vcf-t2w\nevaluation: {nri_idi: true, n_resamples: 100}", "test")
    found = added(asked, obs, positive, held, [held], ranking(score, held)).nri_idi
    old, new = map(expit, by_hand(obs, positive, held))
    rises, own = new - old, positive[80:]
    assert found.idi.value == pytest.approx(rises[own].mean() - rises[~own].mean())
    assert found.positive.value == pytest.approx(np.sign(rises[own]).mean())
    assert found.nri.interval.lower < found.nri.value < found.nri.interval.upper


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
        added(protocol, table, positive, held, [held], ranking(score, held))
        for table in (gaps.assign(sex=obs["sex"]), filled)
    )
    assert found.filled == 2
    # A mean that is filled in changes the spread that values are divided by, and no AUC.
    assert found.areas["clinical"].value == pytest.approx(wanted.areas["clinical"].value)
    three = added(protocol, gaps, positive, held, [held], ranking(score, held))
    assert three.filled == 3
    assert np.isfinite(three.areas["combined"].value)


def test_a_score_that_is_age_adds_nothing_to_age(
    obs: pd.DataFrame, positive: np.ndarray, protocol: Protocol
) -> None:
    rng = np.random.default_rng(9)
    outcome = rng.random(N) < expit((obs["age"].to_numpy() - 70) / 4)
    score = obs["age"].to_numpy() / 9 + rng.normal(0, 0.3, N)
    held = sides(score)
    found = added(protocol, obs, outcome, held, [held], ranking(score, held))
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
    pair = added(protocol, obs, positive, final, [first, again], ranking(score, first))
    for k, name in enumerate(("clinical", "combined")):
        mean = np.mean([expit(by_hand(obs, positive, held)[k]) for held in (first, again)], axis=0)
        assert pair.areas[name].value == pytest.approx(auc(Scored.of(mean, positive[80:])))
    ranked = np.full(N, np.nan)
    ranked[[*range(30), *range(80, N)]] = score[[*range(30), *range(80, N)]]
    found = added(protocol, obs, positive, final, [first, second], ranked)
    assert (found.n_train, found.n_test) == (N, 70)
    alone = added(protocol, obs, positive, final, [first], ranked)
    assert alone.n_test == 40
    twice = added(protocol, obs, positive, final, [first, first], ranked)
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
    ages = obs["age"].to_numpy()[good.train]
    bound = HeldOut(good.train, 2 * ages + 1, good.test, good.scores)
    ranked = ranking(score, good)
    both = added(protocol, obs, positive, final, [good, bound], ranked)
    alone = added(protocol, obs, positive, final, [good], ranked)
    assert both.areas == alone.areas
    assert (both.parts, alone.parts) == (1, 1)
    with pytest.raises(DataError, match="some follow from the others"):
        added(protocol, obs, positive, final, [bound], ranked)
    with pytest.raises(DataError, match="some follow from the others"):
        added(protocol, obs, positive, bound, [good], ranked)


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
    assert added(protocol, bare, positive, held, [held], ranking(score, held)) is None


def test_outcomes_that_are_parted_have_a_model_and_a_nomogram(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    """A score that parts them, and a level of a text that has one outcome alone."""
    held = sides(score)
    perfect = np.where(positive, 5.0, -5.0) + score / 100
    parting = sides(perfect)
    found = added(protocol, obs, positive, parting, [parting], ranking(perfect, parting))
    assert found.penalised == ("combined",)
    assert (found.parts, found.penalised_parts) == (1, 1)
    assert found.test.penalised
    assert found.test.p < 0.001
    assert found.areas["combined"].value > 0.99
    case = {"age": 70.0, "sex": "F", "score": perfect[positive].mean()}
    assert 0.9 < expit(found.nomogram.log_odds(case)) < 1
    rare = obs.assign(region=np.where(positive & (np.arange(N) % 9 < 4), "cervical", "lumbar"))
    protocol = parse_protocol("preset: vcf-t2w\nevaluation: {clinical: [region]}", "test")
    found = added(protocol, rare, positive, held, [held, held], ranking(score, held))
    assert found.penalised == ("clinical", "combined")
    assert (found.parts, found.penalised_parts) == (2, 2)
    region = found.nomogram.axes[0]
    assert region.effect("cervical") - region.effect("lumbar") > 1


def test_nothing_is_penalised_that_has_a_maximum(
    obs: pd.DataFrame, positive: np.ndarray, score: np.ndarray, protocol: Protocol
) -> None:
    held = sides(score)
    found = added(protocol, obs, positive, held, [held], ranking(score, held))
    assert (found.penalised, found.penalised_parts) == ((), 0)
    assert not found.test.penalised
