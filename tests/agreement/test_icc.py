"""ICC against R (irr 0.84.1, psych 2.2.9), published values and its own algebra."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.agreement import IccForm, icc, parse_form
from centrum.agreement.icc import _coefficient, _without_each
from centrum.errors import DataError

IRR = {
    "1,1": "irr_oneway__single",
    "1,k": "irr_oneway__average",
    "C,1": "irr_twoway_consistency_single",
    "C,k": "irr_twoway_consistency_average",
    "A,1": "irr_twoway_agreement_single",
    "A,k": "irr_twoway_agreement_average",
}
PSYCH = {
    "1,1": "ICC1",
    "A,1": "ICC2",
    "C,1": "ICC3",
    "1,k": "ICC1k",
    "A,k": "ICC2k",
    "C,k": "ICC3k",
}
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)[:, None, :]


@pytest.fixture(scope="module")
def r_sets(reference):
    folder = reference / "modelling" / "r"
    table = pd.read_csv(folder / "inputs" / "icc_sets.csv")
    wanted = json.loads((folder / "icc.json").read_text())
    ratings = {
        name: rows.pivot(index="subject", columns="rater", values="value").to_numpy()[:, None, :]
        for name, rows in table.groupby("set")
    }
    assert ratings.keys() == wanted.keys()
    return [(ratings[name], wanted[name], name) for name in wanted if name != "identical_20x2"]


def found(result):
    return [float(getattr(result, key)[0]) for key in ("value", "f", "df1", "df2", "p")] + [
        float(result.lower[0]),
        float(result.upper[0]),
    ]


@pytest.mark.parametrize("form", IRR)
def test_equals_irr(r_sets, form):
    for ratings, wanted, name in r_sets:
        irr = wanted[IRR[form]]
        expected = [irr[key] for key in ("icc", "F", "df1", "df2", "p", "lbound", "ubound")]
        result = found(icc(ratings, form))
        if form.startswith("A"):  # irr's own test; that of McGraw and Wong is psych's, below
            del result[3:5], expected[3:5]
        np.testing.assert_allclose(result, expected, rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("form", PSYCH)
def test_equals_psych(r_sets, form):
    for ratings, wanted, name in r_sets:
        psych = next(row for row in wanted["psych_aov"] if row["type"] == PSYCH[form])
        expected = [psych[key] for key in ("ICC", "F", "df1", "df2", "p", "lower", "upper")]
        result = icc(ratings, form, variant="psych")
        np.testing.assert_allclose(found(result), expected, rtol=1e-10, err_msg=name)
        np.testing.assert_allclose(found(icc(ratings, form))[:5], expected[:5], rtol=1e-10)


def test_p_of_shrout_and_fleiss_table_2_is_that_of_psych():
    # Printed by psych's ICC for ICC2 and ICC3: F = 11 with 5 and 15 degrees of freedom, P =
    # 0.00013; F from the mean squares of Shrout and Fleiss's table 3, 11.24 / 1.02.
    for form in ("A,1", "A,k", "C,1"):
        result = icc(SHROUT_FLEISS, form)
        assert result.f[0] == pytest.approx(11.027, abs=5e-4)
        assert (result.df1, result.df2) == (5, 15)
        assert result.p[0] == pytest.approx(0.00013, abs=5e-6)


def test_p_of_a_reader_bias_is_not_that_of_satterthwaite():
    truth, noise = np.arange(20.0), np.tile([0.0, 0.25, 0.0, -0.25], 5)
    x = np.column_stack([truth, truth + noise + 30])[:, None, :]
    result = icc(x, "A,1")
    assert result.df2 == 19
    assert result.p[0] < 1e-20


def test_shrout_and_fleiss_1979_table_4():
    published = {"1,1": 0.17, "2,1": 0.29, "3,1": 0.71, "1,k": 0.44, "2,k": 0.62, "3,k": 0.91}
    values = {form: round(float(icc(SHROUT_FLEISS, form).value[0]), 2) for form in published}
    assert values == published


@pytest.mark.parametrize(("form", "variant"), list(product(IccForm, ["irr", "psych"])))
def test_many_features_are_judged_as_each_alone(form, variant):
    x = np.random.default_rng(1).normal(size=(20, 7, 3)) + np.arange(20)[:, None, None] / 9
    together = icc(x, form, variant=variant)
    for j in range(7):
        alone = icc(x[:, [j]], form, variant=variant)
        for name in ("value", "f", "df2", "p", "lower", "upper"):
            np.testing.assert_allclose(
                getattr(together, name)[j], getattr(alone, name)[0], rtol=1e-12
            )


@pytest.mark.parametrize("form", IccForm)
@pytest.mark.parametrize("readers", [2, 3])
def test_identical_ratings_agree_fully(form, readers):
    x = np.random.default_rng(2).normal(1e3, 1, size=(20, 1, 1)).repeat(readers, axis=2)
    result = icc(x, form)
    assert (result.value[0], result.lower[0], result.upper[0]) == (1, 1, 1)
    assert (result.f[0], result.p[0]) == (np.inf, 0)


@pytest.mark.parametrize("form", IccForm)
def test_constant_ratings_have_no_agreement_to_measure(form):
    x = np.full((12, 2, 2), 0.3)
    x[:, 1, 1] = np.nextafter(0.3, 1)
    result = icc(x, form)
    assert np.isnan([result.value, result.f, result.p, result.lower, result.upper]).all()


def test_a_constant_reader_bias_counts_in_agreement_and_not_in_consistency():
    x = np.arange(10.0)[:, None, None] + np.array([0.0, 100.0])
    assert icc(x, "C,1").value[0] == 1
    assert icc(x, "A,1").value[0] < 0.01


def test_negative_values_stay_negative():
    x = np.array([[0.0, 5.0], [5.0, 0.0], [1.0, 4.0]])[:, None, :]
    assert all(icc(x, form).value[0] < -0.5 for form in ("1,1", "C,1", "A,1"))


def test_cases_with_a_missing_reader_are_left_out_of_the_features_concerned():
    x = np.random.default_rng(3).normal(size=(9, 3, 2))
    x[0, :, 1] = np.nan
    x[4, 2, 0] = np.inf
    result = icc(x)
    assert result.n_dropped.tolist() == [1, 1, 2]
    assert result.n_subjects.tolist() == [8, 8, 7]
    np.testing.assert_allclose(result.value[:2], icc(x[1:, :2]).value, rtol=1e-12)
    np.testing.assert_allclose(
        result.value[2], icc(np.delete(x, [0, 4], axis=0)[:, [2]]).value[0], rtol=1e-12
    )


def test_a_feature_without_two_complete_cases_is_nan_and_others_are_not():
    x = np.random.default_rng(4).normal(size=(6, 2, 2))
    x[1:, 0, 1] = np.nan
    result = icc(x)
    assert np.isnan(result.value[0])
    assert np.isfinite(result.value[1])
    assert result.n_subjects.tolist() == [1, 6]


def test_too_few_complete_cases_is_an_error_that_counts_them():
    x = np.ones((5, 2, 2))
    x[1:, :, 1] = np.nan
    with pytest.raises(DataError, match=r"at least 2 cases .* found 1 of 5"):
        icc(x)


@pytest.mark.parametrize("shape", [(5, 2), (5, 2, 1)])
def test_ratings_need_three_axes_and_two_readers(shape):
    with pytest.raises(DataError, match="at least 2 readers"):
        icc(np.ones(shape))


def test_spellings():
    assert parse_form("ICC(2,1)") is parse_form("A,1") is IccForm.AGREEMENT_SINGLE
    assert parse_form("3,k") is parse_form("ICC(C,K)") is IccForm.CONSISTENCY_AVERAGE
    assert parse_form("ICC(1)") is parse_form("ICC(1,1)") is IccForm.ONE_WAY_SINGLE
    assert parse_form("ICC(k)") is IccForm.ONE_WAY_AVERAGE
    with pytest.raises(DataError, match="found 'ICC\\(4,1\\)'"):
        parse_form("ICC(4,1)")


ratings = arrays(
    float, (8, 1, 3), elements=st.integers(-999, 999).map(lambda i: i / 8), unique=True
)


@given(ratings, st.floats(0.1, 10), st.floats(-100, 100), st.permutations(range(3)))
def test_units_and_the_order_of_readers_do_not_matter(x, scale, shift, order):
    wanted = [icc(x, form).value[0] for form in IccForm]
    moved = [icc(scale * x[:, :, order] + shift, form).value[0] for form in IccForm]
    np.testing.assert_allclose(moved, wanted, rtol=1e-6, atol=1e-6)


@given(ratings)
def test_the_interval_holds_the_estimate_and_widens_with_confidence(x):
    for form in IccForm:
        narrow, wide = icc(x, form, confidence=0.8), icc(x, form, confidence=0.99)
        # The denominator of ICC(A,k) can change its sign when readers agree less than by chance.
        if form is not IccForm.AGREEMENT_AVERAGE:
            assert wide.lower[0] <= narrow.lower[0] <= narrow.value[0]
            assert narrow.value[0] <= narrow.upper[0] <= wide.upper[0]


@given(ratings)
def test_average_forms_are_spearman_brown_of_single_forms(x):
    for model in "1CA":
        single, average = icc(x, f"{model},1").value[0], icc(x, f"{model},k").value[0]
        np.testing.assert_allclose(average * (1 + 2 * single), 3 * single, rtol=1e-7, atol=1e-9)


# Patients with several subjects


def clustered(seed, patients, features, bias=0.0):
    """Subjects of patients who differ: variances 0.6 and 0.2, of the readers 0.2; ICC(1) is 0.8."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    shared = rng.normal(0, np.sqrt(0.6), (patients, features))[owner]
    own = rng.normal(0, np.sqrt(0.2), shared.shape)
    noise = rng.normal(0, np.sqrt(0.2), (*shared.shape, 2))
    return (shared + own)[:, :, None] + noise + bias * np.arange(2), owner


@pytest.mark.parametrize(("form", "true"), [("1,1", 0.8), ("C,1", 0.8), ("A,1", 0.8),
                                            ("C,k", 1.6 / 1.8)])  # fmt: skip
def test_intervals_by_patient_hold_as_often_as_they_say(form, true):
    """And those of independent subjects in 0.89 to 0.91 of 3000 features alone."""
    ratings, owner = clustered(1, 40, 3000)
    found, plain = icc(ratings, form, patients=owner), icc(ratings, form)
    held = [np.mean((f.lower <= true) & (true <= f.upper)) for f in (found, plain)]
    assert held[0] == pytest.approx(0.95, abs=0.015)
    assert held[1] < 0.92
    np.testing.assert_array_equal(found.value, plain.value)
    np.testing.assert_array_equal(found.f, plain.f)


def test_p_by_patient_is_uniform_where_nothing_agrees():
    rng = np.random.default_rng(2)
    owner = np.repeat(np.arange(30), 3)
    p = icc(rng.normal(size=(90, 3000, 2)), "1,1", patients=owner).p
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.012)


def test_without_each_patient_is_the_icc_of_the_others():
    ratings, owner = clustered(3, 8, 4)
    for form in ("1,1", "C,1", "A,1", "A,k"):
        shape = parse_form(form)
        by_sums = _coefficient(_without_each(ratings, owner), shape, 1.0)
        for patient in range(8):
            others = icc(ratings[owner != patient], form).value
            np.testing.assert_allclose(by_sums[patient], others, rtol=1e-9)


def test_one_subject_each_changes_nothing():
    ratings, _ = clustered(4, 20, 3)
    alone = icc(ratings, "A,1", patients=np.arange(len(ratings))[::-1])
    for name in ("value", "lower", "upper", "p", "df1", "df2"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(icc(ratings, "A,1"), name))


def test_a_reader_bias_keeps_the_interval_as_wide_as_other_readers_make_it():
    ratings, owner = clustered(5, 40, 50, bias=1.0)
    found, plain = icc(ratings, "A,1", patients=owner), icc(ratings, "A,1")
    assert (found.lower <= plain.lower).all()
    assert (found.upper >= plain.upper).all()


def test_identical_ratings_of_clusters_agree_fully():
    x = np.random.default_rng(6).normal(size=(9, 2, 1)).repeat(2, axis=2)
    found = icc(x, "A,1", patients=[1, 1, 2, 2, 3, 3, 4, 4, 5])
    for name, value in (("value", 1), ("lower", 1), ("upper", 1), ("p", 0)):
        np.testing.assert_array_equal(getattr(found, name), value)


def test_of_a_single_patient_there_is_no_interval():
    found = icc(clustered(7, 5, 2)[0][:6], "A,1", patients=["a"] * 6)
    assert np.isfinite(found.value).all()
    assert np.isnan(found.p).all()


def test_every_subject_has_a_patient():
    with pytest.raises(DataError, match="the patient of each of 4 subjects, found 3"):
        icc(np.zeros((4, 1, 2)), patients=[1, 2, 3])
