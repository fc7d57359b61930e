"""The elastic net equals R's glmnet, and so do paths at other thresholds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from centrum.modelling.lasso import LogisticLassoCV, lasso_path

TABLE = np.array(
    [
        [0, -8, -2, 6, -2, -2, 1],
        [9, -6, 6, 7, 8, 9, 1],
        [-3, -4, 8, 1, -7, -4, 0],
        [-8, 1, -5, 3, 8, -9, 0],
        [5, -2, -4, 2, 3, 6, 1],
        [-2, 7, -7, 8, 8, -2, 0],
        [-7, 4, -1, -9, 1, -5, 0],
        [-2, -6, 6, 7, -8, -3, 1],
        [5, -7, -2, -9, -8, 6, 1],
        [-2, 3, 6, 2, 8, -3, 1],
        [2, -1, 8, 1, -2, 0, 1],
        [9, -2, 8, 6, -5, 9, 1],
        [-2, 3, -2, -8, 7, -3, 0],
        [8, 5, -4, -1, 6, 10, 1],
        [5, -1, 0, 7, -1, 3, 1],
        [-4, -8, 3, -2, 5, -3, 0],
        [6, 2, -3, -1, 1, 5, 1],
        [-6, -2, 2, -1, -2, -5, 0],
        [1, 0, -4, 4, 1, 1, 1],
        [-4, 4, -6, 1, 3, -3, 0],
    ]
)
"""Six features and the outcome; the last feature resembles the first."""

STEPS = [3, 9, 15, 21, 27]

# fmt: off
GLMNET = {
    0.5: [
        [0.377992138, 0.253492965, 0.390641106,
         0.071584866, 0, 0, 0, 0, 0.034069762],
        [0.091642758, 0.590060177, 0.478172661,
         0.210154631, -0.028034861, 0.029335703, 0.057301116, -0.009468394, 0.113961661],
        [0.022218439, 0.765734601, 0.656474898,
         0.409155526, -0.050711517, 0.122955915, 0.152091136, 0, 0.220275643],
        [0.005386776, 0.882442441, 0.744417642,
         0.776941940, -0.123891198, 0.299124716, 0.314299208, 0.108855499, 0.412942227],
        [0.001306003, 0.956822445, 0.669870125,
         1.313745818, -0.254404443, 0.583379521, 0.594483897, 0.283885107, 0.739631687],
    ],
    0.2: [
        [0.944980345, 0.143210402, 0.390041543,
         0.032438965, 0, 0, 0, 0, 0.022407114],
        [0.229106895, 0.466321376, 0.401371069,
         0.118789774, -0.023240100, 0.014424753, 0.038239820, -0.016322143, 0.087683549],
        [0.055546097, 0.671667112, 0.501725456,
         0.244675444, -0.047740309, 0.068309916, 0.102956987, -0.016185064, 0.169619453],
        [0.013466940, 0.799068664, 0.641196574,
         0.450858778, -0.074546827, 0.164146850, 0.196781161, 0.023561362, 0.287865172],
        [0.003265008, 0.900692055, 0.663839114,
         0.832201657, -0.158105831, 0.354094133, 0.374782777, 0.148738427, 0.501297129],
    ],
}
# fmt: on
"""By alpha and step: lambda, deviance ratio, intercept, six coefficients. R's glmnet 4.1-6 with
family "binomial", nlambda 40, thresh 1e-22."""


@pytest.mark.parametrize("alpha", GLMNET)
def test_elastic_net_path_equals_glmnet(alpha: float) -> None:
    X, y = TABLE[:, :6].astype(float), TABLE[:, 6].astype(float)
    path = lasso_path(X, y, l1_ratio=alpha, n_lambdas=40, threshold=1e-22)
    ours = np.column_stack([path.lambdas, path.deviance_ratio, path.intercepts, path.coefficients])
    assert_allclose(ours[STEPS], GLMNET[alpha], rtol=0, atol=2e-9)


def wide(seed: int) -> tuple[NDArray, NDArray]:
    """More features than cases; features in groups of five that resemble each other."""
    rng = np.random.default_rng(seed)
    shared = np.repeat(rng.normal(size=(80, 24)), 5, axis=1)
    X = shared + 0.3 * rng.normal(size=shared.shape)
    return X, (X[:, 0] - X[:, 7] + rng.normal(size=80) > 0).astype(float)


def test_an_elastic_net_keeps_more_of_what_resembles_each_other() -> None:
    X, y = wide(1)
    sizes = [
        LogisticLassoCV(folds=4, l1_ratio=l1_ratio).fit(X, y).get_support().sum()
        for l1_ratio in (1.0, 0.5, 0.1)
    ]
    assert sizes[0] < sizes[1] < sizes[2]


def test_the_threshold_reaches_the_path_and_the_folds() -> None:
    X, y = wide(2)
    tight, loose = (LogisticLassoCV(folds=4, threshold=t).fit(X, y) for t in (1e-12, 1e-4))
    given = lasso_path(X, y, threshold=1e-4)
    np.testing.assert_array_equal(loose.path_.coefficients, given.coefficients)
    exact = lasso_path(X, y, threshold=1e-14)
    off = [np.abs(fit.path_.coefficients - exact.coefficients).max() for fit in (tight, loose)]
    assert off[0] < 1e-4 < off[1]
    assert not np.array_equal(tight.cvm_[: loose.cvm_.size], loose.cvm_[: tight.cvm_.size])
