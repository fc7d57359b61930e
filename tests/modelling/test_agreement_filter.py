"""The agreement filter and the patients whose cases it is fitted to."""

import numpy as np

from centrum.agreement import icc
from centrum.modelling.agreement_filter import AgreementFilter


def test_the_lower_bound_is_by_patient() -> None:
    """Features that pass as long as cases are taken as independent do not, by patient."""
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(12), 4)
    shared = rng.normal(size=(12, 60))[owner]
    own = 0.3 * rng.normal(size=shared.shape)
    X = (shared + own)[:, :, None] + 0.35 * rng.normal(size=(*shared.shape, 2))
    plain = AgreementFilter(threshold=0.8, use="lower_bound").fit(X)
    by_patient = AgreementFilter(threshold=0.8, use="lower_bound").fit(X, groups=owner)
    assert by_patient.support_.sum() < plain.support_.sum()
    wanted = icc(X, patients=owner).lower > 0.8
    np.testing.assert_array_equal(by_patient.support_, wanted)
    estimate = AgreementFilter(threshold=0.8).fit(X, groups=owner)
    np.testing.assert_array_equal(estimate.support_, AgreementFilter(threshold=0.8).fit(X).support_)
