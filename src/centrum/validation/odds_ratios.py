"""The table of odds ratios: each variable alone, and all of them together with the score.

Which variables stand in it is the protocol's choice, made before any result: none is taken in or
left out by its P. They are judged on the training cases; the score enters out of fold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from centrum.arrays import Flags, Floats
from centrum.evaluate import Scored
from centrum.evaluate.odds_ratios import LogOddsRatio, Penalty, Regression, regression
from centrum.modelling.levels import Covariates
from centrum.protocol import Protocol
from centrum.text import OneLine
from centrum.validation.added_value import (
    SCORE,
    HeldOut,
    clinical_variables,
    level_of,
    telling_columns,
)
from centrum.validation.matrix import covariate_values


@dataclass(frozen=True)
class OddsRow:
    """A variable, or a level of one.

    Attributes
    ----------
    variable : column of the manifest, measure of the bodies with its prefix, or "score"
    level, reference : of a text, which level is compared with which; "" of a number
    sd : of the training cases; nan of a level
    alone, together : log odds ratio per unit, in a regression of the variable and of all
    penalty : why the regression of the variable alone was penalised
    """

    variable: str
    level: str
    reference: str
    sd: float
    alone: LogOddsRatio
    together: LogOddsRatio
    penalty: Penalty


@dataclass(frozen=True, eq=False, repr=False)
class OddsRatios(OneLine):
    """The table of odds ratios.

    Attributes
    ----------
    rows : in the order of the protocol, the score last
    penalty : why the regression of all was penalised
    n, n_positive, n_patients : training cases, those of the positive outcome, and patients
    filled : cases without a value of one of the variables, which took the mean
    bound : variables that were left out because each of their values has one outcome alone
    """

    rows: tuple[OddsRow, ...]
    penalty: Penalty
    n: int
    n_positive: int
    n_patients: int
    filled: int
    bound: tuple[str, ...]

    @property
    def by_patient(self) -> bool:
        """Whether patients have several cases, and variances are by patient."""
        return self.n_patients < self.n


def odds_variables(protocol: Protocol, obs: pd.DataFrame) -> tuple[str, ...]:
    """Columns beside the score: of the clinical model, the bodies and further ones asked for."""
    asked = (*protocol.morphometry_covariates, *protocol.evaluation.odds_ratios)
    further = [name for name in asked if name in obs and obs[name].nunique() > 1]
    return tuple(dict.fromkeys((*clinical_variables(protocol, obs), *further)))


def odds_ratios(
    protocol: Protocol, obs: pd.DataFrame, positive: Flags, final: HeldOut
) -> OddsRatios | None:
    """Of the training cases of the final model; None without a variable beside the score.

    Parameters
    ----------
    obs : what is known about all cases, with their patients and the measures of the bodies
    positive : (cases,)
    final : training cases of the final model with their out-of-fold scores

    Raises
    ------
    DataError
        A variable follows from others.
    """
    rows = final.train
    known, outcome = obs.iloc[rows], positive[rows]
    wanted = odds_variables(protocol, obs)
    bound = tuple(name for name in wanted if _bound(known[name], outcome))
    names = [name for name in wanted if name not in bound and known[name].nunique() > 1]
    if not names:
        return None
    values, covariates = covariate_values(known, names)
    scored = Scored.of(final.out_of_fold, outcome, known["patient"].to_numpy())
    terms = _terms(names, values, covariates)
    terms.append(_OddsTerm(SCORE, (SCORE,), (), final.out_of_fold[:, None]))
    confidence = protocol.evaluation.confidence
    whole = regression(np.column_stack([t.scaled for t in terms]), scored, confidence)
    alone = [regression(t.scaled, scored, confidence) for t in terms]
    return OddsRatios(
        rows=tuple(_rows(terms, alone, whole)),
        penalty=whole.penalty,
        n=rows.size,
        n_positive=scored.n_positive,
        n_patients=scored.n_patients,
        filled=int(np.isnan(values).any(axis=1).sum()),
        bound=bound,
    )


@dataclass(frozen=True, eq=False)
class _OddsTerm:
    """A variable with the columns (cases, k) that it makes.

    Attributes
    ----------
    columns : name of each; "sex=F" of a level
    levels : all columns of a text, those without a column of their own among them
    """

    variable: str
    columns: tuple[str, ...]
    levels: tuple[str, ...]
    values: Floats

    @property
    def sds(self) -> Floats:
        """Of each column."""
        return np.asarray(self.values.std(axis=0, ddof=1))

    @property
    def scaled(self) -> Floats:
        """z-scores: the regressions are the same, and well conditioned."""
        return np.asarray((self.values - self.values.mean(axis=0)) / self.sds)

    @property
    def reference(self) -> str:
        """The level, or levels, that the others are compared with; "" of a number."""
        left = [level_of(name, self.variable) for name in self.levels if name not in self.columns]
        return " or ".join(left)


def _bound(values: pd.Series, positive: Flags) -> bool:
    """Whether a text has each of its values with one outcome alone: it may follow from it."""
    if pd.api.types.is_numeric_dtype(values):
        return False
    outcomes = pd.Series(positive, values.index).groupby(values).nunique()
    return len(outcomes) > 1 and bool((outcomes == 1).all())


def _terms(names: Sequence[str], values: Floats, covariates: Covariates) -> list[_OddsTerm]:
    """Those that vary; the mean stands for a missing value."""
    made = [name for own in covariates for name in own]
    kept = set(telling_columns(values, covariates).tolist())
    filled = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    terms = []
    for variable, own in zip(names, covariates, strict=True):
        at = [k for k, name in enumerate(made) if name in own and k in kept]
        if at:
            columns = tuple(made[k] for k in at)
            terms.append(_OddsTerm(variable, columns, own if len(own) > 1 else (), filled[:, at]))
    return terms


def _rows(
    terms: Sequence[_OddsTerm], alone: Sequence[Regression], whole: Regression
) -> list[OddsRow]:
    together = iter(whole.found)
    rows = []
    for term, own in zip(terms, alone, strict=True):
        for column, sd, found in zip(term.columns, term.sds, own.found, strict=True):
            of_text = bool(term.levels)
            rows.append(
                OddsRow(
                    variable=term.variable,
                    level=level_of(column, term.variable) if of_text else "",
                    reference=term.reference,
                    sd=np.nan if of_text else float(sd),
                    alone=found.times(1 / sd),
                    together=next(together).times(1 / sd),
                    penalty=own.penalty,
                )
            )
    return rows
