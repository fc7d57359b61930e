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
from centrum.evaluate.bootstrap import Interval, case_weights
from centrum.evaluate.calibration import Calibration, calibration
from centrum.evaluate.comparison import AucDifference, delong_test
from centrum.evaluate.decision_curve import DecisionCurve, decision_curve
from centrum.evaluate.discrimination import RocCurve, auc, auc_interval, roc_curve
from centrum.evaluate.reclassification import Reclassification, reclassification
from centrum.modelling.auc import auc as area_of
from centrum.modelling.levels import Covariates, ReferenceLevels
from centrum.modelling.nomogram import Axis, Nomogram, NumberAxis, TextAxis, ticks_over
from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.modelling.split import Indices
from centrum.protocol import EvaluationSettings, Protocol
from centrum.text import OneLine
from centrum.validation.fits import Prediction
from centrum.validation.matrix import covariate_values

CLINICAL, SCORE, COMBINED = "clinical", "score", "combined"
"""Models that are compared."""

MODELS = (CLINICAL, SCORE, COMBINED)
"""In their order."""

PAIRS = ((COMBINED, CLINICAL), (COMBINED, SCORE), (SCORE, CLINICAL))
"""Whose AUCs are compared: the first less the second."""


@dataclass(frozen=True)
class ModelArea:
    """The AUC of a model on the test cases."""

    value: float
    interval: Interval


@dataclass(frozen=True, eq=False, repr=False)
class ModelCurves(OneLine):
    """What is drawn of a model: of its order, and of its probabilities on the test cases."""

    roc: RocCurve
    calibration: Calibration
    decision_curve: DecisionCurve


@dataclass(frozen=True, eq=False, repr=False)
class AddedValue(OneLine):
    """What the score adds to clinical variables, and they to it.

    Attributes
    ----------
    variables : columns of the manifest
    filled : cases without a value of one of them, which took the mean of the training cases
    n_train, n_test : cases
    areas : model -> AUC of the test cases
    curves : model -> what is drawn of it
    differences : "combined - clinical" and so on -> difference of two of them
    test : whether the score adds to the variables, on training cases out of fold
    nomogram : the combined model of the training cases of the final model
    penalised : models of the training cases of the final model with Firth's penalty, because their
        variables part the outcomes without error
    parts, penalised_parts : that were fitted, and those of them in which a model has the penalty
    nri_idi : from the clinical to the combined model on the test cases; None unless asked for
    """

    variables: tuple[str, ...]
    filled: int
    n_train: int
    n_test: int
    areas: Mapping[str, ModelArea]
    curves: Mapping[str, ModelCurves]
    differences: Mapping[str, AucDifference]
    test: AddedTest
    nomogram: Nomogram
    penalised: tuple[str, ...]
    parts: int
    penalised_parts: int
    nri_idi: Reclassification | None


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
    probability: Floats,
    groups: int,
) -> AddedValue | None:
    """The clinical model, the score and both together; None without a clinical variable.

    Parameters
    ----------
    obs : what is known about all cases, with their patients
    positive : (cases,)
    final : training cases of the final model, for the test; its test cases are not looked at
    parts : whose test cases the models are compared on
    ranked : (cases,) what the test cases are ordered by without clinical variables, nan for others
    probability : (cases,) of the test cases by the score
    groups : of similar probability, in which calibration is shown

    Raises
    ------
    DataError
        A variable follows from others on the training cases of the final model, or of every part.
    """
    names = clinical_variables(protocol, obs)
    if not names:
        return None
    values, covariates = covariate_values(obs, names)
    known = _Known(values, covariates, positive, obs["patient"].to_numpy())
    confidence = protocol.evaluation.confidence
    fitted = known.fitted(final, confidence)
    fits = known.fits(parts, confidence)
    pooled = _pooled(known, fits)
    there = np.isfinite(np.column_stack([ranked, *pooled.values()])).all(axis=1)

    def tested(values: Floats) -> Scored:
        return Scored.of(values[there], positive[there], known.patients[there])

    likely = {name: tested({SCORE: probability, **pooled}[name]) for name in MODELS}
    scored = likely | {SCORE: tested(ranked)}
    return AddedValue(
        variables=names,
        filled=int(np.isnan(values).any(axis=1).sum()),
        n_train=final.train.size,
        n_test=int(there.sum()),
        areas={n: ModelArea(auc(s), auc_interval(s, confidence)) for n, s in scored.items()},
        curves={
            name: ModelCurves(
                roc_curve(scored[name]),
                calibration(likely[name], groups, confidence),
                decision_curve(likely[name]),
            )
            for name in MODELS
        },
        differences={f"{a} - {b}": delong_test(scored[a], scored[b], confidence) for a, b in PAIRS},
        test=added_test(fitted.clinical, fitted.combined, known.scored(final)),
        nomogram=known.nomogram(names, fitted, final),
        penalised=fitted.penalised,
        parts=len(fits),
        penalised_parts=sum(bool(fit.penalised) for _, fit in fits),
        nri_idi=_nri_idi(protocol.evaluation, likely),
    )


def combined_area(protocol: Protocol, obs: pd.DataFrame, positive: Flags, held: HeldOut) -> float:
    """AUC of the combined model of training cases on the test cases.

    There must be a clinical variable; parameters and errors as of `added_value`.
    """
    values, covariates = covariate_values(obs, clinical_variables(protocol, obs))
    known = _Known(values, covariates, positive, obs["patient"].to_numpy())
    fitted = known.fitted(held, protocol.evaluation.confidence)
    _, likely = fitted.probabilities(known.values[held.test], held.scores)
    return float(area_of(positive[held.test], likely))


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
    combined: LogisticFit

    @property
    def penalised(self) -> tuple[str, ...]:
        """Those with Firth's penalty."""
        pairs = ((CLINICAL, self.clinical), (COMBINED, self.combined))
        return tuple(name for name, fit in pairs if fit.penalised is not None)

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
        designs = (z, np.column_stack([z, score]))
        return _ClinicalFits(
            scale, *(fit_logistic(design, scored, confidence) for design in designs)
        )

    def fits(
        self, parts: Sequence[HeldOut], confidence: float
    ) -> list[tuple[HeldOut, _ClinicalFits]]:
        """The parts with their models, but for those in which a variable follows from others.

        Raises
        ------
        DataError
            That is so in every part.
        """
        found, why = [], None
        for held in parts:
            try:
                found.append((held, self.fitted(held, confidence)))
            except DataError as error:
                why = error
        if why is not None and not found:
            raise why
        return found

    def nomogram(self, variables: Sequence[str], fitted: _ClinicalFits, held: HeldOut) -> Nomogram:
        """The combined model per unit of each variable, over the range of its training cases."""
        scale, values = fitted.scale, self.values[held.train]
        *clinical, of_score = (c.value for c in fitted.combined.coefficients)
        per_unit = dict(zip(scale.names, np.array(clinical) / scale.sds, strict=True))
        shifts = np.array(clinical) / scale.sds * scale.means
        columns = dict(zip((n for own in self.covariates for n in own), values.T, strict=True))
        axes = [
            _axis(variable, {name: columns[name] for name in own}, per_unit)
            for variable, own in zip(variables, self.covariates, strict=True)
            if per_unit.keys() & set(own)
        ]
        name = SCORE if SCORE not in variables else f"{SCORE} of the model"
        axes.append(_axis(name, {name: held.out_of_fold}, {name: of_score / scale.score_sd}))
        share = float(self.positive[held.train].mean())
        return Nomogram(float(fitted.combined.intercept - shifts.sum()), tuple(axes), share)

    def _scale(self, held: HeldOut) -> _ClinicalScale:
        values, names = self.values[held.train], [n for own in self.covariates for n in own]
        columns, spread = telling_columns(values, self.covariates), np.nanstd(values, axis=0)
        score_varies = np.ptp(held.out_of_fold) > 0
        if not (columns.size and score_varies):
            what = "clinical variable" if score_varies else "score"
            raise DataError(f"No {what} varies over the {len(values)} training cases.")
        means = np.nanmean(values[:, columns], axis=0)
        return _ClinicalScale(
            tuple(names[k] for k in columns),
            columns,
            means,
            spread[columns],
            float(held.out_of_fold.std()),
        )


def _nri_idi(settings: EvaluationSettings, likely: Mapping[str, Scored]) -> Reclassification | None:
    if not settings.nri_idi:
        return None
    weights = case_weights(likely[CLINICAL], settings.n_resamples, settings.seed)
    return reclassification(likely[CLINICAL], likely[COMBINED], weights, settings.confidence)


def _axis(variable: str, columns: Mapping[str, Floats], per_unit: Mapping[str, float]) -> Axis:
    """Of a number, or of the levels of a text that training cases have."""
    if len(columns) == 1:
        ((name, values),) = columns.items()
        ticks = ticks_over(float(np.nanmin(values)), float(np.nanmax(values)))
        return NumberAxis(variable, float(per_unit[name]), ticks, float(np.nanmean(values)))
    times = {name: np.nansum(values) for name, values in columns.items()}
    there = {name: level_of(name, variable) for name, n in times.items() if n > 0}
    effects = tuple(float(per_unit.get(name, 0.0)) for name in there)
    usual = there[max(there, key=lambda name: times[name])]
    return TextAxis(variable, tuple(there.values()), effects, usual)


def level_of(column: str, variable: str) -> str:
    """Level of a text that a column indicates, as "F" of "sex=F"."""
    return column.removeprefix(f"{variable}=")


def telling_columns(values: Floats, covariates: Covariates) -> Indices:
    """Columns of values (cases, numbers) that vary, without the level others are compared with."""
    names = [name for own in covariates for name in own]
    levels = ReferenceLevels(covariates).fit(values, names=names)
    varies = np.nanmax(values, axis=0) > np.nanmin(values, axis=0)
    return np.flatnonzero(levels.get_support() & varies)


def _pooled(known: _Known, fits: Sequence[tuple[HeldOut, _ClinicalFits]]) -> dict[str, Floats]:
    """Model -> mean probability (cases,) over the parts in which a case was tested, else nan."""
    n = known.positive.size
    times, sums = np.zeros(n), {CLINICAL: np.zeros(n), COMBINED: np.zeros(n)}
    for held, fitted in fits:
        times[held.test] += 1
        likely = fitted.probabilities(known.values[held.test], held.scores)
        for name, found in zip(sums, likely, strict=True):
            sums[name][held.test] += found
    return {name: np.where(times > 0, total / np.maximum(times, 1), np.nan)
            for name, total in sums.items()}  # fmt: skip
