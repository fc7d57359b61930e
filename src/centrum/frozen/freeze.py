"""A finished study made into one file that scores new patients."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from centrum.arrays import Floats, row_blocks
from centrum.errors import DataError
from centrum.evaluate import Evaluation
from centrum.frozen.domain import Distribution, Domain
from centrum.frozen.inputs import Covariate
from centrum.frozen.model import FrozenModel, SelfTest
from centrum.frozen.refits import LinearRefit, Refits
from centrum.frozen.schema import made
from centrum.frozen.scorer import Scorer
from centrum.measure.regions import regions_read
from centrum.modelling.calibrators import Calibrator, calibrator_from
from centrum.modelling.split import Indices
from centrum.protocol import Protocol
from centrum.protocol.limits import RESEARCH_ONLY, outside_the_region
from centrum.records import as_json
from centrum.table import FeatureTable
from centrum.validation.evaluation import POOLED, StudyEvaluation
from centrum.validation.instability import LinearSignature, Refit
from centrum.validation.matrix import Matrix

ROWS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Self-test rows: every feature at this quantile of the training cases."""


def freeze(
    *,
    protocol: Protocol,
    table: FeatureTable,
    matrix: Matrix,
    train: Indices,
    scores: pd.DataFrame,
    scorer: Scorer,
    evaluation: StudyEvaluation,
    acquisition: pd.DataFrame,
    provenance: Mapping[str, Any],
    refits: Sequence[Refit] = (),
) -> FrozenModel:
    """The frozen model of a study.

    Parameters
    ----------
    protocol : with what preparation has learnt
    table, matrix : of all cases; `train` are the rows of the final model
    scores : a row per case, with `score` and `out_of_fold`
    scorer : the final model as numbers
    evaluation : of its scores, with the decision learnt on them
    acquisition : a row per case
    provenance : versions, digests, whether simulated, whether of tables
    refits : of the procedure, for the range of a probability
    """
    position = {name: k for k, name in enumerate(matrix.names)}
    columns = [position[name] for name in scorer.features]
    values = np.asarray(matrix.X[train][:, columns, 0])
    positive = matrix.positive[train] == 1
    records = dict(zip(table.names, table.features, strict=True))
    features = tuple(records.get(name) for name in scorer.features)
    regions = regions_read(filter(None, features), protocol.extraction)
    decision = evaluation.decision
    known = zip(scorer.features, values.T, strict=True)
    with made("The model cannot be frozen"):
        model = FrozenModel(
            name=protocol.name,
            protocol=protocol,
            features=features,
            covariates=_covariates(scorer.features, table.obs.iloc[train], protocol),
            scorer=scorer,
            cutoff=decision.cutoff.value,
            cutoff_rule=f"{decision.cutoff.rule}, {decision.cutoff.learnt_on}",
            calibrator=decision.calibrator,
            conformal=decision.conformal,
            distributions=tuple(Distribution.of(name, x, positive) for name, x in known),
            scores=Distribution.of("score", scores["out_of_fold"].to_numpy()[train], positive),
            domain=Domain.of_frame(acquisition.iloc[train]),
            use=_use(protocol, regions, len(train), int(positive.sum())),
            performance=_performance(protocol, evaluation),
            provenance={**provenance, "training": _training(matrix, train)},
            self_test=_rows(scorer, decision.calibrator, values, matrix, train),
            refits=_refits(refits, table, table.obs.iloc[train], protocol),
            nomogram=None if evaluation.added is None else evaluation.added.nomogram,
        )
        return model.tested()


def check_scores(scorer: Scorer, matrix: Matrix, wanted: Floats) -> None:
    """Whether the numbers score every case as the fitted model did.

    Raises
    ------
    DataError
        They do not.
    """
    position = {name: k for k, name in enumerate(matrix.names)}
    X = matrix.X[:, [position[name] for name in scorer.features], 0]
    found = np.empty(len(wanted))
    for rows in row_blocks(X):
        batch = None if matrix.batch is None else [str(b) for b in matrix.batch[rows]]
        found[rows] = scorer.score(np.asarray(X[rows]), batch)
    away = np.abs(found - wanted) / np.maximum(1, np.abs(wanted))
    if not away.max() < 1e-9:
        raise DataError(
            f"The model cannot be frozen: as numbers it scores a case {away.max():.3g} away from "
            "the fitted one. Please report this with study.yaml."
        )


def _covariates(
    names: Collection[str], obs: pd.DataFrame, protocol: Protocol
) -> tuple[Covariate, ...]:
    """The covariates among features of these names; `obs` are the training cases."""
    found = []
    for column in protocol.model.covariates:
        if is_numeric_dtype(obs[column]):
            found.append(Covariate(column, column, None, ()))
        else:
            levels = tuple(sorted(map(str, obs[column].dropna().unique())))
            found += [Covariate(f"{column}={v}", column, v, levels) for v in levels]
    return tuple(c for c in found if c.name in names)


DIGITS = 6
"""Significant digits of the numbers of a refit: a range is told in whole per cents."""


def _refits(
    refits: Sequence[Refit], table: FeatureTable, obs: pd.DataFrame, protocol: Protocol
) -> Refits | None:
    """The refits as numbers; None where there are none, or one that is not linear."""
    known = [refit.signature for refit in refits if refit.signature is not None]
    if not known or len(known) < len(refits):
        return None
    names = tuple(dict.fromkeys(name for signature in known for name in signature.features))
    records, at = (
        dict(zip(table.names, table.features, strict=True)),
        {n: k for k, n in enumerate(names)},
    )
    return Refits(
        names=names,
        features=tuple(records.get(name) for name in names),
        covariates=_covariates(names, obs, protocol),
        clip=protocol.model.clip,
        fits=tuple(_linear(signature, at) for signature in known),
    )


def _linear(signature: LinearSignature, at: Mapping[str, int]) -> LinearRefit:
    return LinearRefit(
        at=np.array([at[name] for name in signature.features], dtype=np.int64),
        means=_short(signature.means),
        sds=_short(signature.sds),
        coefficients=_short(signature.coefficients),
        intercept=float(_short(np.array([signature.intercept]))[0]),
        calibrator=calibrator_from(signature.calibrator),
    )


def _short(values: Floats) -> Floats:
    """Values with fewer digits."""
    return np.array([float(f"{value:.{DIGITS}g}") for value in values])


def _use(
    protocol: Protocol, regions: tuple[str, ...], n: int, n_positive: int
) -> dict[str, tuple[str, ...]]:
    outcome = protocol.outcome
    events = min(n_positive, n - n_positive)
    claimed = f"{protocol.images.weighting} " if protocol.images.weighting else ""
    return {
        "intended": (
            f"To tell {outcome.positive} from {outcome.negative} fractures of a vertebral body "
            f"that is known to be fractured, from {claimed}images that were acquired and segmented "
            "like those of the training cases.",
        ),
        "limits": (
            RESEARCH_ONLY,
            outside_the_region(protocol.images.region, regions),
            f"Trained on {n} cases, {events} of the rarer outcome.",
        ),
    }


def _performance(protocol: Protocol, evaluation: StudyEvaluation) -> dict[str, Any]:
    calibration, mean = evaluation.calibration, evaluation.over_parts.get("AUC")
    told = {} if mean is None else {"value": mean.mean, "interval": as_json(mean.interval)}
    return {
        "design": protocol.split.design,
        **({"over_parts": told} if told else {}),
        **{name: _summary(found) for name, found in evaluation.by_set.items()},
        "calibration": {
            "slope": as_json(calibration.slope),
            "intercept": as_json(calibration.intercept),
            "brier": calibration.brier,
        },
    }


def _summary(found: Evaluation) -> dict[str, Any]:
    sizes = {name: getattr(found, name) for name in ("n", "n_patients", "n_positive")}
    measures = {name: as_json(measure) for name, measure in found.measures.items()}
    area = {"value": found.auc.value, "interval": as_json(found.auc.interval)}
    return {
        **sizes,
        "pooled": found.name == POOLED,
        "auc": area,
        "confidence": found.confidence,
        "at_cutoff": measures,
    }


def _training(matrix: Matrix, train: Indices) -> dict[str, int]:
    return {
        "cases": len(train),
        "patients": len(np.unique(matrix.patients[train])),
        "positive": int(matrix.positive[train].sum()),
    }


def _rows(
    scorer: Scorer, calibrator: Calibrator, values: Floats, matrix: Matrix, train: Indices
) -> SelfTest:
    rows = np.nanquantile(values, ROWS, axis=0)
    batch = None
    if matrix.batch is not None:
        known: Sequence[str] = sorted({str(b) for b in matrix.batch[train]})
        batch = tuple(known[k % len(known)] for k in range(len(rows)))
    return SelfTest.of(scorer, calibrator, rows, batch)
