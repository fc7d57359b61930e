"""What the folds of a search measure."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss

from centrum.modelling.search import _measure


def test_deviance_is_twice_the_logarithmic_loss_the_higher_the_better() -> None:
    positive, scores = np.array([True, False, True]), np.array([2.0, -1.0, -0.5])
    wanted = -2 * log_loss(positive, expit(scores))
    assert _measure("deviance", positive, scores) == pytest.approx(wanted)
    certain = _measure("deviance", positive, 1e4 * scores)
    assert certain == pytest.approx(2 * np.log(1e-5) / 3, rel=1e-4), "one case is impossible"
