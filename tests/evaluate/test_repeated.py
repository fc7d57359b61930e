"""Means over overlapping parts, subgroups and readers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import case_weights
from centrum.evaluate.discrimination import auc
from centrum.evaluate.readers import compare_reader, mcnemar_p
from centrum.evaluate.repeated import corrected_mean
from centrum.evaluate.subgroups import subgroup_table


class TestCorrectedMean:
    def test_by_hand(self):
        x = np.array([0.8, 0.7, 0.9, 0.75, 0.85])
        found = corrected_mean(x, 80, 20, null=0.5)
        se = np.sqrt(1 / 5 + 0.25) * x.std(ddof=1)
        half = stats.t.ppf(0.975, 4) * se
        assert found.se == pytest.approx(se)
        limits = (found.interval.lower, found.interval.upper)
        assert limits == pytest.approx((0.8 - half, 0.8 + half))
        assert found.p == pytest.approx(2 * stats.t.sf(0.3 / se, 4))

    def test_is_wider_than_the_naive_interval(self):
        x = np.random.default_rng(0).normal(0.8, 0.05, 20)
        naive = x.std(ddof=1) / np.sqrt(20)
        assert corrected_mean(x, 70, 30).se > 2.5 * naive

    def test_is_cut_at_the_ends_of_the_scale(self):
        found = corrected_mean([0.9, 1.0, 1.0], 70, 30, limits=(0, 1))
        assert found.interval.upper == 1
        assert corrected_mean([0.9, 1.0, 1.0], 70, 30).interval.upper > 1

    def test_degenerate(self):
        one = corrected_mean([0.7], 70, 30)
        assert one.mean == 0.7
        assert np.isnan(one.interval.lower)
        same = corrected_mean([0.7, 0.7], 70, 30, null=0.5)
        assert (same.se, same.p) == (0, 0)
        assert corrected_mean([0.5, 0.5], 70, 30, null=0.5).p == 1
        with pytest.raises(DataError, match="finite"):
            corrected_mean([0.7, np.nan], 70, 30)


class TestSubgroups:
    rng = np.random.default_rng(1)
    y = np.arange(100) % 2
    scored = Scored.of(rng.normal(size=100) + y, y)
    columns = pd.DataFrame(
        {
            "sex": np.where(np.arange(100) % 4 < 2, "F", "M"),
            "age": np.r_[np.arange(99.0), np.nan],
            "one": "same",
            "rare": np.where(np.arange(100) < 4, "few", "many"),
        }
    )

    def table(self, *variables):
        return subgroup_table(self.scored, self.scored.scores > 0.5, self.columns, variables)

    def test_each_level_by_itself(self):
        for row in self.table("sex"):
            own = (self.columns["sex"] == row.level).to_numpy()
            part = Scored.of(self.scored.scores[own], self.y[own])
            assert row.auc == auc(part)
            assert (row.n, row.n_positive) == (own.sum(), self.y[own].sum())
            called = self.scored.scores[own] > 0.5
            assert row.sensitivity == pytest.approx(called[self.y[own] == 1].mean())

    def test_numbers_are_halved_and_missing_ones_left_out(self):
        low, high = self.table("age")
        assert (low.level, high.level) == ("up to 49", "above 49")
        assert low.n + high.n == 99

    def test_what_cannot_be_judged_says_why(self):
        few, many = self.table("rare")
        assert "fewer than 5" in few.reason
        assert np.isnan(few.auc)
        assert many.reason == ""

    def test_columns_that_tell_nothing_are_left_out(self):
        assert self.table("one", "absent") == ()

    def test_heterogeneity(self):
        better = Scored.of(
            np.where(self.columns["sex"] == "F", self.y * 9.0 + self.rng.normal(size=100),
                     self.rng.normal(size=100)), self.y,
        )  # fmt: skip
        noisy = Scored.of(better.scores + 0.01 * self.rng.normal(size=100), self.y)
        flip = noisy.scores.copy()
        flip[0] += 20
        rows = subgroup_table(Scored.of(flip, self.y), flip > 0.5, self.columns, ["sex"])
        assert rows[0].heterogeneity < 0.01
        assert self.table("sex")[0].heterogeneity > 0.05


class TestReaders:
    def test_mcnemar_is_the_binomial(self):
        first = np.array([True] * 9 + [False] * 3)
        second = np.array([True] * 2 + [False] * 7 + [True] * 1 + [False] * 2)
        assert mcnemar_p(first, second) == pytest.approx(stats.binomtest(7, 8).pvalue)

    def test_a_reader_who_is_the_model(self):
        rng = np.random.default_rng(2)
        y = np.arange(60) % 2
        scored = Scored.of(rng.normal(size=60) + y, y)
        called = scored.scores > 0.4
        found = compare_reader(
            "R", called.astype(int), scored, called, case_weights(scored, 200, 1)
        )
        assert (found.p_sensitivity, found.p_specificity) == (1, 1)
        assert found.model_sensitivity == pytest.approx(found.sensitivity, abs=0.04)

    def test_calls_are_checked(self):
        scored = Scored.of([1, 2], [0, 1])
        with pytest.raises(DataError, match="0 or 1"):
            compare_reader("R", [0, 2], scored, [0, 1], np.ones((2, 2)))
