"""Keep the features that perturbations of image and region hardly change."""

from collections.abc import Sequence

from centrum.agreement.icc import IccForm
from centrum.modelling.agreement_filter import AgreementFilter, Missing
from centrum.modelling.settings import AgreementUse


class RobustnessFilter(AgreementFilter):
    """From a region's unperturbed and perturbed features to the unperturbed that are stable.

    X is (cases, features, 1 + perturbations), the unperturbed measurement first. The ICC is
    one-way: each case has perturbations of its own, the second of one has nothing to do with
    the second of another. At prediction the unperturbed measurement is enough.
    Source: Zwanenburg et al., Sci Rep 2019;9:614.

    Parameters and attributes as `AgreementFilter`.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(30, 2, 1))
    >>> X = truth + rng.normal(size=(30, 2, 11)) * [[0.1], [2.0]]
    >>> RobustnessFilter().fit(X).get_support()
    array([ True, False])
    """

    def __init__(
        self,
        form: str = IccForm.ONE_WAY_SINGLE,
        threshold: float = 0.9,
        use: AgreementUse = "estimate",
        feature_names: Sequence[str] | None = None,
        missing: Missing = "refuse",
    ) -> None:
        super().__init__(form, threshold, use, feature_names, missing=missing)

    _advice = "Perturb less (`robustness` of the protocol), or lower the threshold."
