"""What a score adds to what is known of the patients anyway, and the other way round.

Sources: Pencina, D'Agostino and Steyerberg, Stat Med 2011;30:11 and Vickers, Cronin and Begg, BMC
Med Res Methodol 2011;11:13 (the test of added value is that of the regression coefficient; the
difference of the AUCs of nested models is described, on patients who took no part in the fit).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from centrum.arrays import Floats
from centrum.evaluate.firth import FirthFit, firth, refuse_dependent
from centrum.evaluate.logistic import Coefficient, deviance, logistic, wald
from centrum.evaluate.scored import Scored
from centrum.text import OneLine


@dataclass(frozen=True, eq=False, repr=False)
class LogisticFit(OneLine):
    """A logistic regression by maximum likelihood, or with Firth's penalty.

    Attributes
    ----------
    intercept : log-odds where all of the design is 0
    coefficients : (k,) log-odds per unit
    deviance : -2 log-likelihood
    penalised : the regression with the penalty; None where the likelihood has a maximum
    """

    intercept: float
    coefficients: tuple[Coefficient, ...]
    deviance: float
    penalised: FirthFit | None = None

    def log_odds(self, design: Floats) -> Floats:
        """Of cases with a design (cases, k)."""
        found: Floats = self.intercept + design @ [c.value for c in self.coefficients]
        return found


def fit_logistic(design: Floats, scored: Scored, confidence: float = 0.95) -> LogisticFit:
    """The regression of the outcome on a design (cases, k).

    Standard errors are clustered by patient where patients have several cases. Firth's penalty is
    used where the likelihood has no maximum: the design parts the outcomes without error.

    Raises
    ------
    DataError
        A column follows from the others.

    >>> x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    >>> found = fit_logistic(x, Scored.of(x[:, 0], [0, 1, 0, 1, 0, 1]))
    >>> round(found.coefficients[0].value, 2)
    0.36
    """
    whole = np.column_stack([np.ones(len(design)), design])
    refuse_dependent(whole)
    y, penalised = scored.positive.astype(float), None
    beta, covariance = logistic(whole, scored)
    variances = np.diag(covariance)
    if np.isnan(beta).any():
        penalised = firth(whole, y)
        beta, variances = penalised.beta, penalised.variances(scored)
    _, *found = (wald(b, v, confidence) for b, v in zip(beta, variances, strict=True))
    return LogisticFit(float(beta[0]), tuple(found), deviance(y, whole @ beta), penalised)


@dataclass(frozen=True)
class AddedTest:
    """Whether the score adds to the clinical variables.

    Attributes
    ----------
    statistic, df, p : chi-square of H0: the coefficient of the score is 0
    by_patient : whether it is Wald's with a variance clustered by patient, else the likelihood
        ratio's
    penalised : whether likelihood or variance are those with Firth's penalty
    """

    statistic: float
    df: int
    p: float
    by_patient: bool
    penalised: bool


def added_test(without: LogisticFit, both: LogisticFit, scored: Scored) -> AddedTest:
    """The test of the last coefficient of `both`, which `without` has not.

    Cases of one patient are not independent, which the likelihood ratio takes them for.
    """
    by_patient, penalised = scored.n_patients < scored.scores.size, both.penalised
    if by_patient:
        last = both.coefficients[-1]
        statistic = (last.value / last.se) ** 2
    elif penalised is not None:
        statistic = penalised.statistic(len(both.coefficients))
    else:
        statistic = without.deviance - both.deviance
    p = float(stats.chi2.sf(statistic, 1))
    return AddedTest(float(statistic), 1, p, by_patient, penalised is not None)
