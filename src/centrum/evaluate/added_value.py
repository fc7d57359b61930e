"""What a score adds to what is known of the patients anyway, and the other way round.

Sources: Pencina, D'Agostino and Steyerberg, Stat Med 2011;30:11 and Vickers, Cronin and Begg, BMC
Med Res Methodol 2011;11:13 (the test of added value is that of the regression coefficient; the
difference of the AUCs of nested models is described, on patients who took no part in the fit).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.evaluate.logistic import Coefficient, deviance, logistic, wald
from centrum.evaluate.scored import Scored
from centrum.text import OneLine


@dataclass(frozen=True, eq=False, repr=False)
class LogisticFit(OneLine):
    """A logistic regression by maximum likelihood.

    Attributes
    ----------
    intercept : log-odds where all of the design is 0
    coefficients : (k,) log-odds per unit
    deviance : -2 log-likelihood
    """

    intercept: float
    coefficients: tuple[Coefficient, ...]
    deviance: float

    def log_odds(self, design: Floats) -> Floats:
        """Of cases with a design (cases, k)."""
        found: Floats = self.intercept + design @ [c.value for c in self.coefficients]
        return found


def fit_logistic(design: Floats, scored: Scored, confidence: float = 0.95) -> LogisticFit:
    """The regression of the outcome on a design (cases, k).

    Standard errors are clustered by patient where patients have several cases.

    Raises
    ------
    DataError
        The likelihood has no maximum: the design parts the outcomes, or a column follows from
        the others.

    >>> x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    >>> found = fit_logistic(x, Scored.of(x[:, 0], [0, 1, 0, 1, 0, 1]))
    >>> round(found.coefficients[0].value, 2)
    0.36
    """
    whole = np.column_stack([np.ones(len(design)), design])
    beta, covariance = logistic(whole, scored)
    if np.isnan(beta).any():
        raise DataError(
            f"A logistic regression of {whole.shape[1] - 1} variables on {len(whole)} cases has no "
            "maximum: they part the outcomes without error, or follow from each other."
        )
    _, *found = (wald(b, v, confidence) for b, v in zip(beta, np.diag(covariance), strict=True))
    left = deviance(scored.positive.astype(float), whole @ beta)
    return LogisticFit(float(beta[0]), tuple(found), left)


@dataclass(frozen=True)
class AddedTest:
    """Whether the score adds to the clinical variables.

    Attributes
    ----------
    statistic, df, p : chi-square of H0: the coefficient of the score is 0
    by_patient : whether it is Wald's with a variance clustered by patient, else the likelihood
        ratio's
    """

    statistic: float
    df: int
    p: float
    by_patient: bool


def added_test(without: LogisticFit, both: LogisticFit, scored: Scored) -> AddedTest:
    """The test of the last coefficient of `both`, which `without` has not.

    Cases of one patient are not independent, which the likelihood ratio takes them for.
    """
    by_patient = scored.n_patients < scored.scores.size
    statistic = without.deviance - both.deviance
    if by_patient:
        last = both.coefficients[-1]
        statistic = (last.value / last.se) ** 2
    return AddedTest(float(statistic), 1, float(stats.chi2.sf(statistic, 1)), by_patient)
