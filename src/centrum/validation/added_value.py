"""Confounding and added value: age, sex and the like without the score, and with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.added_value import AddedTest, LogisticFit, added_test, fit_logistic
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.comparison import AucDifference, delong_test
from centrum.evaluate.discrimination import auc, auc_interval
from centrum.evaluate.logistic import Coefficient
from centrum.modelling.levels import Covariates, ReferenceLevels
from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.modelling.split import Indices
from centrum.protocol import Protocol
from centrum.text import OneLine
from centrum.validation.fits import Prediction
from centrum.validation.matrix import covariate_values

CLINICAL, SCORE, COMBINED = "clinical", "score", "combined"
"""Models that are compared."""

PAIRS = ((COMBINED, CLINICAL), (COMBINED, SCORE), (SCORE, CLINICAL))
"""Whose AUCs are compared: the first less the second."""


@dataclass(frozen=True)
class ModelArea:
    """The AUC of a model on the test cases."""

    value: float
    interval: Interval


@dataclass(frozen=True, eq=False, repr=False)
class AddedValue(OneLine):
    """What the score adds to clinical variables, and they to it.

    Attributes
    ----------
    variables : columns of the manifest
    filled : cases without a value of one of them, which took the mean of the training cases
    n_train, n_test : cases
    areas : model -> AUC of the test cases
    differences : "combined - clinical" and so on -> difference of two of them
    test : whether the score adds to the variables, on training cases out of fold
    crude, adjusted : log odds ratio per SD of the out-of-fold score, alone and with the variables
    coefficients : number that a variable makes -> log odds ratio per SD of it, with the score
    """

    variables: tuple[str, ...]
    filled: int
    n_train: int
    n_test: int
    areas: Mapping[str, ModelArea]
    differences: Mapping[str, AucDifference]
    test: AddedTest
    crude: Coefficient
    adjusted: Coefficient
    coefficients: Mapping[str, Coefficient]


@dataclass(frozen=True, eq=False, repr=False)
class HeldOut(OneLine):
    """Training cases with their out-of-fold scores, and the test cases of their model."""

    train: Indices
    out_of_fold: Floats
    test: Indices
    scores: Floats


def clinical_variables(protocol: Protocol, obs: pd.DataFrame) -> tuple[str, ...]:
    """Columns of a clinical model: those asked for that differ, and the model's covariates."""
    wanted = (*protocol.evaluation.clinical, *protocol.model.covariates)
    names = [name for name in dict.fromkeys(wanted) if not name.startswith(MORPHOMETRY_PREFIX)]
    return tuple(name for name in names if name in obs and obs[name].nunique() > 1)


def held_in(scores: pd.DataFrame) -> HeldOut:
    """The sides of a design with one test side, from the scores of its model."""
    train, test = (np.flatnonzero(scores["part"] == side) for side in ("train", "test"))
    values = scores["out_of_fold"].to_numpy()[train], scores["score"].to_numpy()[test]
    return HeldOut(train, values[0], test, values[1])


def held_in_parts(parts: Sequence[Prediction]) -> Iterator[HeldOut]:
    """The sides of the parts that could be fitted."""
    for record in parts:
        if not record["error"]:
            rows = (np.array(record[name], dtype=np.intp) for name in ("train", "case"))
            train, test = rows
            yield HeldOut(train, np.array(record["out_of_fold"]), test, np.array(record["score"]))


def added_value(
    protocol: Protocol,
    obs: pd.DataFrame,
    positive: Flags,
    final: HeldOut,
    parts: Sequence[HeldOut],
    ranked: Floats,
) -> AddedValue | None:
    """The clinical model, the score and both together; None without a clinical variable.

    Parameters
    ----------
    obs : what is known about all cases, with their patients
    positive : (cases,)
    final : training cases of the final model, for the test; its test cases are not looked at
    parts : whose test cases the models are compared on
    ranked : (cases,) what the test cases are ordered by without clinical variables, nan for others

    Raises
    ------
    DataError
        A regression has no maximum on the training cases of the final model, or of every part.
    """
    names = clinical_variables(protocol, obs)
    if not names:
        return None
    values, covariates = covariate_values(obs, names)
    known = _Known(values, covariates, positive, obs["patient"].to_numpy())
    confidence = protocol.evaluation.confidence
    fitted = known.fitted(final, confidence)
    found = {SCORE: ranked, **_pooled(known, parts)}
    there = np.isfinite(np.column_stack(list(found.values()))).all(axis=1)
    scored = {
        name: Scored.of(found[name][there], positive[there], known.patients[there])
        for name in (CLINICAL, SCORE, COMBINED)
    }
    *clinical, adjusted = fitted.combined.coefficients
    return AddedValue(
        variables=names,
        filled=int(np.isnan(values).any(axis=1).sum()),
        n_train=final.train.size,
        n_test=int(there.sum()),
        areas={n: ModelArea(auc(s), auc_interval(s, confidence)) for n, s in scored.items()},
        differences={f"{a} - {b}": delong_test(scored[a], scored[b], confidence) for a, b in PAIRS},
        test=added_test(fitted.clinical, fitted.combined, known.scored(final)),
        crude=fitted.score.coefficients[0],
        adjusted=adjusted,
        coefficients=dict(zip(fitted.scale.names, clinical, strict=True)),
    )


@dataclass(frozen=True, eq=False)
class _ClinicalScale:
    """How cases are brought to what the models read, as learnt on training cases."""

    names: tuple[str, ...]
    columns: Indices
    means: Floats
    sds: Floats
    score_sd: float

    def design(self, values: Floats) -> Floats:
        """z-scores (cases, k) of all variables; the mean stands for a missing value."""
        z: Floats = (values[:, self.columns] - self.means) / self.sds
        return np.where(np.isnan(z), 0.0, z)

    def score(self, scores: Floats) -> Floats:
        """A design of the score alone, (cases, 1), per SD."""
        return scores[:, None] / self.score_sd


@dataclass(frozen=True, eq=False)
class _ClinicalFits:
    """The models of some training cases."""

    scale: _ClinicalScale
    clinical: LogisticFit
    score: LogisticFit
    combined: LogisticFit

    def probabilities(self, values: Floats, scores: Floats) -> tuple[Floats, Floats]:
        """Of the clinical and of the combined model, (cases,) each."""
        z = self.scale.design(values)
        both = np.column_stack([z, self.scale.score(scores)])
        return expit(self.clinical.log_odds(z)), expit(self.combined.log_odds(both))


@dataclass(frozen=True, eq=False)
class _Known:
    """Clinical values of all cases, outcomes and patients."""

    values: Floats
    covariates: Covariates
    positive: Flags
    patients: NDArray

    def scored(self, held: HeldOut) -> Scored:
        """The out-of-fold scores of the training cases."""
        rows = held.train
        return Scored.of(held.out_of_fold, self.positive[rows], self.patients[rows])

    def fitted(self, held: HeldOut, confidence: float) -> _ClinicalFits:
        """The models of the training cases."""
        scale, scored = self._scale(held), self.scored(held)
        z, score = scale.design(self.values[held.train]), scale.score(held.out_of_fold)
        designs = (z, score, np.column_stack([z, score]))
        return _ClinicalFits(
            scale, *(fit_logistic(design, scored, confidence) for design in designs)
        )

    def _scale(self, held: HeldOut) -> _ClinicalScale:
        values, names = self.values[held.train], [n for own in self.covariates for n in own]
        levels = ReferenceLevels(self.covariates).fit(values, names=names)
        spread = np.nanstd(values, axis=0)
        columns = np.flatnonzero(levels.get_support() & (spread > 0))
        score_sd = float(held.out_of_fold.std())
        if not columns.size or score_sd == 0:
            what = "clinical variable" if score_sd else "score"
            raise DataError(f"No {what} varies over the {len(values)} training cases.")
        means = np.nanmean(values[:, columns], axis=0)
        return _ClinicalScale(
            tuple(names[k] for k in columns), columns, means, spread[columns], score_sd
        )


def _pooled(known: _Known, parts: Sequence[HeldOut]) -> dict[str, Floats]:
    """Model -> mean probability (cases,) over the parts in which a case was tested, else nan."""
    n = known.positive.size
    times, sums = np.zeros(n), {CLINICAL: np.zeros(n), COMBINED: np.zeros(n)}
    why = None
    for held in parts:
        try:
            fitted = known.fitted(held, 0.95)
        except DataError as error:
            why = error
            continue
        times[held.test] += 1
        likely = fitted.probabilities(known.values[held.test], held.scores)
        for name, found in zip(sums, likely, strict=True):
            sums[name][held.test] += found
    if why is not None and not times.any():
        raise why
    return {name: np.where(times > 0, total / np.maximum(times, 1), np.nan)
            for name, total in sums.items()}  # fmt: skip
