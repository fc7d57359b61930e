"""Sample sizes equal those of R's pmsampsize 1.1.3 and of the papers."""

import json

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.special import expit
from scipy.stats import norm

from centrum.errors import DataError
from centrum.evaluate.sample_size import (
    max_r2,
    minimum_sample_size,
    most_parameters,
    r2_of_c_statistic,
)

MONTE_CARLO = 0.0006
"""Standard deviation of the R2 that pmsampsize simulates for a C statistic of 0.85: that of the
log-likelihood of a million cases."""

PREVALENCE = {
    "0.288_8_0.5": 0.5,
    "0.15_8_0.5": 0.5,
    "0.15_20_0.2": 0.2,
    "0.3_24_0.174": 0.174,
    "cstat_.85_8_.5": 0.5,
}


@pytest.fixture(scope="module")
def pmsampsize(reference):
    return json.loads((reference / "modelling" / "r" / "pmsampsize.json").read_text())


@pytest.mark.parametrize("name", PREVALENCE)
def test_every_number_of_the_table_equals_pmsampsize(pmsampsize, name):
    table = pmsampsize[name]["table"]
    found = minimum_sample_size(table[0]["Parameter"], PREVALENCE[name], table[0]["CS_Rsq"])
    assert found.n == pmsampsize[name]["n"] == table[3]["Samp_size"]
    assert found.events == pytest.approx(pmsampsize[name].get("events", 192.5))
    half = 0.005 + 1e-9
    assert found.events_per_parameter == pytest.approx(table[3]["EPP"], abs=half)
    for ours, row in zip(found.criteria, table, strict=False):
        assert ours.n == row["Samp_size"]
        assert ours.shrinkage == pytest.approx(row["Shrinkage"], abs=half / 10)
        assert ours.events_per_parameter == pytest.approx(row["EPP"], abs=half)
        assert found.max_r2 == pytest.approx(row["Max_Rsq"], abs=half / 10)
        assert found.nagelkerke == pytest.approx(row["Nag_Rsq"], abs=half / 10)


def test_c_statistic_equals_pmsampsize_within_its_monte_carlo_error(pmsampsize):
    simulated = pmsampsize["cstat_.85_8_.5"]["r2"]
    assert r2_of_c_statistic(0.85, 0.5) == pytest.approx(simulated, abs=3 * MONTE_CARLO)


@pytest.mark.parametrize(("c", "prevalence"), [(0.55, 0.5), (0.7, 0.1), (0.85, 0.3), (0.98, 0.5)])
def test_r2_of_a_c_statistic_is_that_of_simulated_cases(c, prevalence):
    rng = np.random.default_rng(0)
    n, distance = 200_000, np.sqrt(2) * norm.ppf(c)
    y = np.arange(n) < prevalence * n
    x = rng.normal(size=n) + distance * y
    odds = np.log(prevalence / (1 - prevalence)) + distance * (x - distance / 2)
    each = np.log(expit(np.where(y, odds, -odds)))
    explained = each.mean() - np.log(np.where(y, prevalence, 1 - prevalence)).mean()
    error = 2 * each.std() / np.sqrt(n)
    assert r2_of_c_statistic(c, prevalence) == pytest.approx(
        1 - np.exp(-2 * explained), abs=4 * error
    )


def test_limits_of_the_c_statistic():
    assert r2_of_c_statistic(0.5 + 1e-9, 0.3) == pytest.approx(0, abs=1e-9)
    assert r2_of_c_statistic(1 - 1e-12, 0.3) == pytest.approx(max_r2(0.3), rel=1e-4)
    assert r2_of_c_statistic(0.8, 0.2) == pytest.approx(r2_of_c_statistic(0.8, 0.8))


@given(st.integers(1, 5000), st.floats(0.05, 0.95), st.floats(0.05, 0.9), st.floats(0.8, 0.95))
def test_most_parameters_turns_the_sample_size_around(n, prevalence, share, shrinkage):
    r2 = share * max_r2(prevalence)
    most = most_parameters(n, prevalence, r2, shrinkage)
    assert minimum_sample_size(most + 1, prevalence, r2, shrinkage).n > n
    if most:
        assert minimum_sample_size(most, prevalence, r2, shrinkage).n <= n


def test_more_parameters_and_weaker_models_need_more():
    needed = [minimum_sample_size(k, 0.3, 0.2).n for k in (5, 20, 80)]
    assert needed == sorted(set(needed))
    weaker = [minimum_sample_size(20, 0.3, r2).n for r2 in (0.3, 0.1, 0.02)]
    assert weaker == sorted(set(weaker))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((8, 0.0, 0.2), "prevalence must lie between 0 and 1, found 0"),
        ((8, 0.5, 0.8), r"r2 .* between 0 and 0.75, found 0.8"),
        ((8, 0.5, 0.0), r"r2 .* found 0"),
        ((8, 0.5, float("nan")), "found nan"),
        ((8, 0.5, 0.6, 0.5), r"r2 .* between 0 and 0.5, found 0.6"),
        ((8, 0.5, 0.2, 1.0), "shrinkage must lie between 0 and 1, found 1"),
        ((0, 0.5, 0.2), "at least one candidate parameter, found 0"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        minimum_sample_size(*arguments)


def test_a_c_statistic_without_information_is_refused():
    with pytest.raises(DataError, match=r"c statistic must lie between 0\.5 and 1, found 0\.5"):
        r2_of_c_statistic(0.5, 0.3)
