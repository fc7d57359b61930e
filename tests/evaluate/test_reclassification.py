"""NRI and IDI against R's Hmisc, and what is wrong with them."""

import numpy as np
import pytest
from scipy.special import expit

from centrum.evaluate.added_value import fit_logistic
from centrum.evaluate.bootstrap import case_weights
from centrum.evaluate.reclassification import reclassification
from centrum.evaluate.scored import Scored

from .firth_data import ENDOMETRIAL

_, PI, EH, HIGH = ENDOMETRIAL.T


def fitted(*columns: np.ndarray) -> Scored:
    design = np.column_stack(columns)
    found = fit_logistic(design, Scored.of(PI, HIGH))
    return Scored.of(expit(found.log_odds(design)).round(6), HIGH)


def test_they_equal_hmisc() -> None:
    """improveProb of glm(HG ~ PI) and glm(HG ~ PI + EH), probabilities to six decimals."""
    old, new = fitted(PI), fitted(PI, EH)
    found = reclassification(old, new, case_weights(old, 200, 1))
    assert found.positive.value == pytest.approx(0.66666666666667)
    assert found.negative.value == pytest.approx(0.63265306122449)
    assert found.nri.value == pytest.approx(1.2993197278912)
    assert found.idi.value == pytest.approx(0.45602710340136)
    for each in (found.positive, found.negative, found.nri, found.idi):
        assert each.interval.lower < each.value < each.interval.upper


def test_intervals_are_of_the_resamples() -> None:
    old, new = fitted(PI), fitted(PI, EH)
    weights = case_weights(old, 50, 3)
    found = reclassification(old, new, weights, 0.5)
    moves, high = new.scores - old.scores, HIGH == 1
    drawn = [np.average(moves[high], weights=w[high]) - np.average(moves[~high], weights=w[~high])
             for w in weights]  # fmt: skip
    ends = np.quantile(drawn, [0.25, 0.75])
    assert (found.idi.interval.lower, found.idi.interval.upper) == pytest.approx(tuple(ends))


def test_noise_improves_by_the_nri() -> None:
    """Pepe et al.: on cases that took no part in the fit the NRI of pure noise is positive."""
    rng, found = np.random.default_rng(2), []
    for _ in range(150):
        x, noise = rng.normal(size=(2, 400))
        y = rng.random(400) < expit(1.5 * x)
        train, test = slice(0, 40), slice(40, None)
        both, scored = np.column_stack([x, noise]), Scored.of(x[train], y[train])
        old, new = (
            Scored.of(expit(fit_logistic(d[train], scored).log_odds(d[test])), y[test])
            for d in (x[:, None], both)
        )
        found.append(reclassification(old, new, np.ones((1, 360))).nri.value)
    assert np.mean(found) > 2 * np.std(found) / np.sqrt(len(found))
