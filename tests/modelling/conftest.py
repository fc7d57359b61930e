"""Tables that the modelling tests share."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray


class RealTable(NamedTuple):
    name: str
    X: NDArray[np.float64]
    y: NDArray[np.float64]
    features: list[str]


@pytest.fixture(scope="session")
def real_table(reference: Path) -> Callable[[str], RealTable]:
    """Reads a radiomics table of the reference material, without its constant columns."""

    def read(name: str) -> RealTable:
        table = pd.read_csv(reference / "modelling" / "tables" / f"{name}.csv.gz")
        y = table["Target"].to_numpy(float)
        table = table.drop(columns=["ID", "Target"])
        table = table.loc[:, table.nunique() > 1]
        return RealTable(name, table.to_numpy(float), y, list(table.columns))

    return read


@pytest.fixture
def two_readers() -> tuple[NDArray[np.float64], NDArray, NDArray]:
    """60 cases of 50 patients, 30 features by 2 readers; x0-x3 carry the outcome.

    x4 repeats x0, x5 is constant, x6 and x7 disagree between the readers.
    """
    rng = np.random.default_rng(5)
    patients = np.r_[np.arange(50), np.arange(10)]
    outcome = np.where(patients % 5 < 3, "malignant", "osteoporotic")
    first = rng.normal(size=(60, 30))
    first[:, :4] += 0.8 * (outcome == "osteoporotic")[:, None]
    first[:, 4] = 3 * first[:, 0] + 1
    first[:, 5] = 7.0
    second = first + 0.1 * rng.normal(size=first.shape)
    second[:, 5] = 7.0
    second[:, 6:8] = rng.normal(size=(60, 2))
    return np.stack([first, second], axis=2), outcome, patients
