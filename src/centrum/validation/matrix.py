"""What a model of a study is fitted on: features and covariates, outcome, patient, centre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from centrum.arrays import Columns, Flags, Floats, Ints, Table
from centrum.errors import DataError
from centrum.features.settings import BODY
from centrum.modelling.levels import Covariates
from centrum.modelling.settings import CLINICAL, FEW, MORPHOMETRY, MORPHOMETRY_PREFIX, RADIOMICS
from centrum.protocol import Protocol
from centrum.table import FeatureTable
from centrum.text import OneLine, spelled

VOLUME_CODES = ("RNU0", "YEKZ")
"""IBSI codes of the volume, from the mesh and from counting voxels."""


@dataclass(frozen=True, eq=False, repr=False)
class Matrix(OneLine):
    """Arrays of a study; the first axis of all of them are its cases.

    Attributes
    ----------
    X : (cases, features, readings), readers and then perturbations; covariates are the same in
        all of them. That of a large table stays on disk
    names : of the features
    sources : name -> positions of its features
    positive : (cases,) 1 for the positive outcome
    patients : (cases,) whose case it is
    batch : (cases,) what harmonisation goes by, None when nothing is harmonised
    readers : names of the readings that are readers, the primary one first
    compared : positions of those readers whose agreement counts; None for all of them
    columns : what is known about the cases
    covariates : names of the features that each covariate makes
    """

    X: Table
    names: tuple[str, ...]
    sources: Mapping[str, tuple[int, ...]]
    positive: Ints
    patients: NDArray
    batch: NDArray | None
    readers: tuple[str, ...]
    columns: pd.DataFrame
    covariates: Covariates = ()
    compared: tuple[int, ...] | None = None

    @property
    def n_readers(self) -> int:
        """How many of the readings are readers."""
        return len(self.readers)

    def of_sources(self, names: Sequence[str]) -> "Matrix":
        """The same cases with the features of some sources alone."""
        return self.of_features([k for name in names for k in self.sources[name]], names)

    def of_features(self, positions: Sequence[int], sources: Sequence[str]) -> "Matrix":
        """The same cases with some features alone."""
        at = {old: new for new, old in enumerate(positions)}
        kept = {s: tuple(at[k] for k in self.sources[s] if k in at) for s in sources}
        return replace(
            self,
            X=self.X[:, list(positions)],
            names=tuple(self.names[k] for k in positions),
            sources=kept,
        )

    def of_reading(self, k: int) -> "Matrix":
        """The same cases with one reading alone."""
        own = self.X[:, :, k : k + 1]
        return replace(self, X=own, readers=self.readers[k : k + 1], compared=None)

    def measured(self, k: int, *, whole: bool) -> Flags:
        """Whether each case has image features of a reading; with `whole` all of them."""
        images = [at for name in self.sources if name not in FEW for at in self.sources[name]]
        known = np.isfinite(self.X[:, images, k])
        return np.asarray(known.any(axis=1) & (known.all(axis=1) | (not whole)))

    def with_outcome(self, positive: Ints) -> "Matrix":
        """The same cases with another outcome."""
        return replace(self, positive=positive)


def study_matrix(table: FeatureTable, protocol: Protocol) -> Matrix:
    """The matrix of a study's table.

    Raises
    ------
    DataError
        A covariate or the column of the batches is not in the manifest, or has nothing in it.
    """
    model = protocol.model
    values, covariates = covariate_values(table.obs, model.covariates)
    names = [name for made in covariates for name in made]
    return Matrix(
        X=_beside(table.readings, values),
        names=(*table.names, *names),
        sources=_sources(table, names),
        positive=np.asarray(table.obs["outcome"] == protocol.outcome.positive, dtype=np.int64),
        patients=table.obs["patient"].to_numpy(),
        batch=batches(table.obs, protocol),
        readers=table.modelled,
        columns=table.obs,
        covariates=covariates,
        compared=_compared(table),
    )


def _beside(readings: Table, values: Floats) -> Table:
    """Covariates (cases, numbers) behind the features, the same in all readings."""
    if isinstance(readings, Columns):
        return readings.with_columns(values)
    repeated = np.repeat(values[:, :, None], readings.shape[2], axis=2)
    return np.concatenate([readings, repeated], axis=1)


def _compared(table: FeatureTable) -> tuple[int, ...] | None:
    """None where all readers are compared, the primary one among them."""
    if table.modelled[0] in table.compared:
        return None
    return tuple(range(1, len(table.modelled)))


def volume_position(table: FeatureTable) -> int | None:
    """Where the volume of the region stands among the features, if it was measured."""
    codes = [feature.code for feature in table.features]
    return next((codes.index(code) for code in VOLUME_CODES if code in codes), None)


def covariate_values(obs: pd.DataFrame, wanted: Sequence[str]) -> tuple[Floats, Covariates]:
    """Numbers of covariates, (cases, numbers), nan where a value is missing, and their names.

    A text becomes one indicator for each of its values; which of them the others are compared
    with, the model learns from its training cases (`ReferenceLevels`).

    >>> obs = pd.DataFrame({"age": [70.0, 81.0, 66.0], "sex": ["F", "M", "F"]})
    >>> values, names = covariate_values(obs, ["age", "sex"])
    >>> names, values[:, 2].tolist()
    ((('age',), ('sex=F', 'sex=M')), [0.0, 1.0, 0.0])
    """
    made = [_numbers(_column(obs, name, "model.covariates")) for name in dict.fromkeys(wanted)]
    columns = [column for covariate in made for column in covariate.values()]
    values = np.column_stack(columns) if columns else np.empty((len(obs), 0))
    return values, tuple(tuple(covariate) for covariate in made if covariate)


def _numbers(values: pd.Series) -> dict[str, Floats]:
    if is_numeric_dtype(values):
        return {str(values.name): values.to_numpy(dtype=float)}
    text = values.astype(str).to_numpy()
    missing = values.isna().to_numpy()
    levels = np.unique(text[~missing])
    if levels.size < 2:
        return {}
    return {
        f"{values.name}={level}": np.where(missing, np.nan, (text == level).astype(float))
        for level in levels
    }


def _column(obs: pd.DataFrame, name: str, said_in: str) -> pd.Series:
    if name not in obs or obs[name].isna().all():
        there = [str(c) for c in obs if not obs[c].isna().all() and c not in ("patient", "outcome")]
        raise DataError(
            f"`{said_in}` names the column {name!r}, which the manifest does not have, or which is "
            f"empty; there are {', '.join(there)}."
        )
    return obs[name]


def image_sources(table: FeatureTable) -> list[str]:
    """The source of each feature; the first region is called so beside further ones."""
    several = any(feature.region for feature in table.features)
    return [
        f"{BODY} {f.source}".strip()
        if several and not f.region and f.sequence not in table.elsewhere
        else f.source or RADIOMICS
        for f in table.features
    ]


def _sources(table: FeatureTable, covariates: Sequence[str]) -> dict[str, tuple[int, ...]]:
    own = image_sources(table)
    sources = {
        name: tuple(k for k, other in enumerate(own) if other == name)
        for name in dict.fromkeys(own)
    }
    for k, name in enumerate(covariates, len(table.features)):
        source = MORPHOMETRY if name.startswith(MORPHOMETRY_PREFIX) else CLINICAL
        sources[source] = (*sources.get(source, ()), k)
    return sources


def batches(obs: pd.DataFrame, protocol: Protocol) -> NDArray | None:
    """The batch of each case, (cases,); None when nothing is harmonised.

    Raises
    ------
    DataError
        The column is not there, or empty for a case.
    """
    harmonisation = protocol.model.harmonisation
    if harmonisation.method == "none":
        return None
    values = _column(obs, harmonisation.batch, "model.harmonisation.batch")
    if values.isna().any():
        raise DataError(
            f"Harmonisation needs the column {harmonisation.batch!r} of every case; "
            f"{values.isna().sum()} are empty. Fill them in or exclude the cases."
        )
    return np.array([spelled(value) for value in values])
