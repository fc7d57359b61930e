"""The table of odds ratios: which variables, and of which cases."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.odds_ratios import regression
from centrum.protocol import Protocol, load_preset, parse_protocol
from centrum.validation.added_value import HeldOut
from centrum.validation.odds_ratios import odds_ratios, odds_variables

N, N_TRAIN = 160, 120


@pytest.fixture
def obs() -> pd.DataFrame:
    rng = np.random.default_rng(14)
    return pd.DataFrame(
        {
            "patient": [f"P{k}" for k in range(N)],
            "age": rng.normal(70, 9, N).round(),
            "sex": np.where(rng.random(N) < 0.4, "F", "M"),
            "morphometry:greatest_loss": rng.uniform(0, 0.6, N),
            "morphometry:depth": rng.normal(32, 2, N),
        }
    )


@pytest.fixture
def positive(obs: pd.DataFrame) -> np.ndarray:
    likely = expit(0.05 * (obs["age"] - 70) + (obs["sex"] == "M") - 0.5)
    return np.random.default_rng(15).random(N) < likely.to_numpy()


@pytest.fixture
def held(positive: np.ndarray) -> HeldOut:
    """Test cases have other scores, which must not be read."""
    train, test = np.arange(N_TRAIN), np.arange(N_TRAIN, N)
    out = np.random.default_rng(16).normal(size=N_TRAIN) + 1.2 * positive[:N_TRAIN]
    return HeldOut(train, out, test, np.full(test.size, 1e9))


@pytest.fixture
def protocol() -> Protocol:
    return load_preset("vcf-t2w")


def test_ratios_are_per_unit_of_the_training_cases(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut, protocol: Protocol
) -> None:
    """By hand: regressions on the numbers as they are, of the first cases alone."""
    far = obs.copy()
    far.loc[N_TRAIN:, "age"] = 500
    found = odds_ratios(protocol, far, positive, held)
    names = ["age", "sex", "morphometry:greatest_loss", "score"]
    assert [row.variable for row in found.rows] == names
    known = obs[:N_TRAIN]
    x = np.column_stack(
        [known["age"], known["sex"] == "F", known["morphometry:greatest_loss"], held.out_of_fold]
    ).astype(float)
    scored = Scored.of(held.out_of_fold, positive[:N_TRAIN])
    whole = regression(x, scored)
    for k, row in enumerate(found.rows):
        (alone,) = regression(x[:, [k]], scored).found
        for made, wanted in ((row.alone, alone), (row.together, whole.found[k])):
            ends = (made.value, made.interval.lower, made.interval.upper, made.p)
            assert ends == pytest.approx(
                (wanted.value, wanted.interval.lower, wanted.interval.upper, wanted.p), rel=1e-6
            )
    age, sex, *_ = found.rows
    assert age.sd == pytest.approx(known["age"].std()), "of pandas: n - 1"
    assert (sex.level, sex.reference) == ("F", "M"), "the most frequent is the reference"
    assert np.isnan(sex.sd)
    assert (age.level, age.reference) == ("", "")
    assert found.penalty == ""
    assert (found.n, found.n_positive, found.n_patients) == (N_TRAIN, positive[:N_TRAIN].sum(), 120)
    assert not found.by_patient


def test_several_levels_are_one_regression(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut
) -> None:
    coils = obs.assign(coil=np.array(["spine", "body", "spine", "neck"])[np.arange(N) % 4])
    protocol = parse_protocol("preset: vcf-t2w\nevaluation: {odds_ratios: [coil]}", "test")
    found = odds_ratios(protocol, coils, positive, held)
    rows = [row for row in found.rows if row.variable == "coil"]
    assert [(row.level, row.reference) for row in rows] == [("body", "spine"), ("neck", "spine")]
    x = np.column_stack([coils["coil"] == level for level in ("body", "neck")])[:N_TRAIN]
    alone = regression(x.astype(float), Scored.of(held.out_of_fold, positive[:N_TRAIN]))
    assert [row.alone.value for row in rows] == pytest.approx([c.value for c in alone.found])


def test_missing_values_take_the_mean(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut, protocol: Protocol
) -> None:
    gaps = obs.copy()
    gaps.loc[[3, 150], "age"] = np.nan
    filled = obs.copy()
    filled.loc[3, "age"] = gaps["age"][:N_TRAIN].mean()
    found, wanted = (odds_ratios(protocol, t, positive, held) for t in (gaps, filled))
    assert (found.filled, wanted.filled) == (1, 0)
    assert found.rows[0].alone.value == pytest.approx(wanted.rows[0].alone.value)
    gaps.loc[[3, 5], "morphometry:greatest_loss"] = np.nan
    assert odds_ratios(protocol, gaps, positive, held).filled == 2, "cases, not values"


def test_variances_are_by_patient(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut, protocol: Protocol
) -> None:
    pairs = obs.assign(patient=np.arange(N) // 2)
    found, alone = (odds_ratios(protocol, t, positive, held) for t in (pairs, obs))
    assert found.by_patient
    assert found.n_patients == N_TRAIN // 2
    assert found.rows[0].alone.value == alone.rows[0].alone.value
    assert found.rows[0].alone.interval != alone.rows[0].alone.interval


def test_why_the_penalty_was_used_is_kept_of_each(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut, protocol: Protocol
) -> None:
    """All women are negative: sex has an empty cell, alone and with the others."""
    women = (obs["sex"] == "F").to_numpy()
    found = odds_ratios(protocol, obs, positive & ~women, held)
    penalties = {row.variable: row.penalty for row in found.rows}
    assert penalties == {"age": "", "sex": "empty", "morphometry:greatest_loss": "", "score": ""}
    assert found.penalty == "empty"


def test_what_follows_from_the_outcome_is_left_out(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut
) -> None:
    kinds = np.where(positive, np.array(["lung", "breast"])[np.arange(N) % 2], "none")
    tumours = obs.assign(tumour=kinds)
    protocol = parse_protocol("preset: vcf-t2w\nevaluation: {odds_ratios: [tumour]}", "test")
    found = odds_ratios(protocol, tumours, positive, held)
    assert found.bound == ("tumour",)
    assert [row.variable for row in found.rows] == ["age", "sex", "score"]
    two = obs.assign(tumour=np.where(positive, "lung", "none"))
    assert odds_ratios(protocol, two, positive, held).bound == ("tumour",)


def test_what_does_not_vary_is_not_said_to_follow_from_the_outcome(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut
) -> None:
    """One kind is known of the training cases, of positive ones alone."""
    kinds = pd.Series(np.where(positive, "lung", None), dtype=object)
    kinds[N_TRAIN:] = "breast"
    protocol = parse_protocol("preset: vcf-t2w\nevaluation: {odds_ratios: [tumour]}", "test")
    found = odds_ratios(protocol, obs.assign(tumour=kinds), positive, held)
    assert found.bound == ()
    assert [row.variable for row in found.rows] == ["age", "sex", "score"]


def test_which_variables(obs: pd.DataFrame) -> None:
    def of(text: str, table: pd.DataFrame = obs) -> tuple[str, ...]:
        return odds_variables(parse_protocol(f"preset: vcf-t2w\n{text}", "test"), table)

    assert of("") == ("age", "sex", "morphometry:greatest_loss")
    assert of("", obs.drop(columns="morphometry:greatest_loss")) == ("age", "sex")
    assert of("evaluation: {odds_ratios: []}") == ("age", "sex")
    coils = obs.assign(coil=np.where(np.arange(N) % 2, "a", "b"), field=1.5)
    assert of("evaluation: {odds_ratios: [field, coil]}", coils) == ("age", "sex", "coil")
    named = "model: {covariates: ['morphometry:depth']}\nmorphometry: {}\n"
    assert of(named) == ("age", "sex", "morphometry:depth", "morphometry:greatest_loss")


def test_without_a_variable_there_is_no_table(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut, protocol: Protocol
) -> None:
    assert odds_ratios(protocol, obs[["patient"]], positive, held) is None
    same = obs[["patient"]].assign(sex="F", age=np.where(np.arange(N) < N_TRAIN, 70.0, 80.0))
    assert odds_ratios(protocol, same, positive, held) is None, "no training case differs"


def test_twins_are_refused(
    obs: pd.DataFrame, positive: np.ndarray, held: HeldOut, protocol: Protocol
) -> None:
    with pytest.raises(DataError, match="follow from the others"):
        odds_ratios(protocol, obs.assign(**{"morphometry:wedge_angle": obs["age"]}), positive, held)
