"""Small studies of tables on disk: features that were measured elsewhere, quick to fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

QUIET = {"n_resamples": 100, "cutoff_folds": 2, "leak_audit": {"permutations": 2, "splits": 1}}

PROTOCOL = {
    "preset": "vcf-t2w",
    "name": "A table",
    "tables": [{"file": "table.csv", "reader": "reader1", "format": "auto"}],
    "outcome": {"positive": "malignant", "negative": "osteoporotic"},
    "model": {
        "select": {"method": "none"},
        "rfe": {"estimator": "none"},
        "n_features": None,
        "classifier": "logistic",
    },
    "evaluation": QUIET,
}


def features(n: int = 32, p: int = 5, seed: int = 0) -> pd.DataFrame:
    """Features f0, f1, ... of cases c0, c1, ...; every second case has higher ones."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, p)) + 1.2 * (np.arange(n) % 2)[:, None]
    return pd.DataFrame(values, [f"c{k}" for k in range(n)], [f"f{k}" for k in range(p)])


def table_study(
    folder: Path, table: pd.DataFrame, protocol: dict[str, Any], **columns: Any
) -> Path:
    """A study of a table; every second case is malignant unless `columns` say otherwise."""
    folder.mkdir(parents=True)
    table.rename_axis("case").to_csv(folder / "table.csv")
    outcome = np.where(np.arange(len(table)) % 2, "malignant", "osteoporotic")
    cases = pd.DataFrame({"outcome": outcome, **columns}, table.index)
    cases.rename_axis("case").to_csv(folder / "cases.csv")
    known = {k: {**v, **protocol.get(k, {})} if isinstance(v, dict) else v
             for k, v in PROTOCOL.items()}  # fmt: skip
    text = yaml.safe_dump({**known, **{k: v for k, v in protocol.items() if k not in known}})
    (folder / "study.yaml").write_text(text)
    return folder
