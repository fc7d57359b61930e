"""The number side of a study: values of features, by case and reader."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.provenance import History, Step
from centrum.settings import Dialect
from centrum.store import write_atomically


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Values of features for every case and reader.

    Attributes
    ----------
    values : (cases, features, readers) float64; nan where a reader has no mask of a case
    obs : what is known about the cases, indexed by case id, as `Cohort.to_frame` gives it
    features : the records of the second axis
    readers : names of the third axis, the primary reader first
    dialect : whose spelling the column names have
    history : the steps that made it, oldest first

    >>> f = FeatureId("original", "glcm", "contrast", "ACUI", "Contrast", "FBN32", "3D_merged")
    >>> obs = pd.DataFrame({"outcome": ["malignant"]}, index=pd.Index(["P001"], name="case"))
    >>> FeatureTable(np.ones((1, 1, 1)), obs, (f,), ("senior",)).names
    ('original_glcm_contrast_FBN32_3D_merged',)
    """

    values: NDArray[np.float64]
    obs: pd.DataFrame
    features: tuple[FeatureId, ...]
    readers: tuple[str, ...]
    dialect: Dialect = "ibsi"
    history: History = ()

    def __post_init__(self) -> None:
        wanted = (len(self.obs), len(self.features), len(self.readers))
        if self.values.shape != wanted:
            raise DataError(
                "A feature table has values of the shape (cases, features, readers) = "
                f"{wanted}, found {self.values.shape}."
            )
        if len(set(self.names)) != len(self.names):
            raise DataError("Two features of a table have one name.")

    @property
    def names(self) -> tuple[str, ...]:
        """Column names of the features."""
        return tuple(feature.spell(self.dialect) for feature in self.features)

    @property
    def cases(self) -> tuple[str, ...]:
        """Ids of the cases."""
        return tuple(self.obs.index)

    def to_frame(self) -> pd.DataFrame:
        """One row per case and reader: case, reader, the columns of `obs`, the features."""
        parts = []
        for k, reader in enumerate(self.readers):
            numbers = pd.DataFrame(self.values[:, :, k], self.obs.index, list(self.names))
            part = pd.concat([self.obs, numbers], axis=1).reset_index()
            part.insert(1, "reader", reader)
            parts.append(part)
        frame = pd.concat(parts, ignore_index=True)
        order = np.arange(len(frame)).reshape(len(self.readers), -1).T.ravel()
        return frame.iloc[order].reset_index(drop=True)

    def save(self, folder: Path) -> tuple[Path, ...]:
        """Write features.parquet, the same as features.csv, and features.json (what they are)."""
        frame = self.to_frame()
        head = {
            "dialect": self.dialect,
            "readers": self.readers,
            "obs": list(self.obs.columns),
            "features": [f.to_dict() | {"unit": f.unit} for f in self.features],
            "history": [step.to_dict() for step in self.history],
        }
        files = (folder / "features.parquet", folder / "features.csv", folder / "features.json")
        write_atomically(files[0], frame.to_parquet(index=False))
        write_atomically(files[1], frame.to_csv(index=False).encode())
        write_atomically(files[2], json.dumps(head, indent=1).encode())
        return files

    @classmethod
    def load(cls, folder: Path) -> "FeatureTable":
        """Read what `save` wrote."""
        head = json.loads((folder / "features.json").read_text(encoding="utf-8"))
        frame = pd.read_parquet(folder / "features.parquet")
        records = [{k: v for k, v in f.items() if k != "unit"} for f in head["features"]]
        features = tuple(FeatureId(**record) for record in records)
        readers = tuple(head["readers"])
        names = [feature.spell(head["dialect"]) for feature in features]
        parts = [frame[frame["reader"] == reader] for reader in readers]
        obs = parts[0].set_index("case")[head["obs"]]
        values = np.stack([part[names].to_numpy(dtype=float) for part in parts], axis=2)
        history = tuple(Step(**step) for step in head["history"])
        return cls(values, obs, features, readers, head["dialect"], history)
