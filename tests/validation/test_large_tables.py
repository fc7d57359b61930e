"""A table that stays on disk gives the results of one in memory, to the last byte."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centrum import arrays, table
from centrum.arrays import Columns
from centrum.commands import study as verbs
from centrum.table import FeatureTable
from tests.table_studies import QUIET, table_study

NET = {
    "preset": "vcf-t2w",
    "model": {"classifier": "elastic_net", "covariates": ["age", "sex"], "screen": {"alpha": 0.9}},
    "evaluation": {**QUIET, "optimism_resamples": 1},
    "tables": [{"file": f"{name}.csv", "reader": name} for name in ("table", "second")],
}
OLD = {
    "model": {
        "imputation": {"method": "median"},
        "select": {"method": "lasso"},
        "rfe": {"estimator": "linear_svm"},
        "n_features": {"maximum": 3, "folds": 2},
        "lasso": {"folds": 3},
        "classifier": "linear_svm",
    },
    "tables": NET["tables"],
}
FILLED = {
    **NET,
    "model": {
        "classifier": "elastic_net",
        "balance": "repeat",
        "imputation": {"method": "mean"},
        "harmonisation": {"method": "combat", "batch": "centre"},
        "covariates": ["age", "sex"],
    },
}


def study_in(folder: Path, protocol: dict) -> verbs.Study:
    """Two readers of 48 cases and 12 features, some alike, one constant, some in disagreement.

    Where the protocol fills gaps there are some, and centres differ.
    """
    rng = np.random.default_rng(5)
    n, p = 48, 12
    names = [f"f{k}" for k in range(p)]
    first = rng.normal(size=(n, p)) + 1.5 * (np.arange(n) % 2)[:, None] * (np.arange(p) < 4)
    first[:, 5], first[:, 6] = first[:, 4] * 2 + 1e-3 * rng.normal(size=n), 7.0
    second = first + 0.1 * rng.normal(size=(n, p))
    second[:, 8] = rng.normal(size=n)
    centre = np.arange(n) // 2 % 3
    if protocol is FILLED:
        first += centre[:, None] * np.linspace(0, 3, p)
        first[rng.random((n, p)) < 0.1] = np.nan
        first[:, 9] = 7.0
    index = [f"c{k}" for k in range(n)]
    columns = {"age": np.arange(n) % 31 + 50, "sex": np.where(np.arange(n) % 3, "F", "M"),
               "centre": np.array(["A", "B", "C"])[centre]}  # fmt: skip
    made = table_study(folder, pd.DataFrame(first, index, names), protocol, **columns)
    frame = pd.DataFrame(second, index, names).rename_axis("case")
    frame.iloc[:-3].to_csv(folder / "second.csv")
    return verbs.open_study(made)


def results_of(study: verbs.Study) -> dict[str, bytes]:
    """What a run leaves, but what it says of the text that a large table lacks."""
    verbs.run(study)
    untold = {"features.csv", "report.html", "stages.json", "features.parquet"}
    kept = {"json", "csv"}
    return {
        path.relative_to(study.results).as_posix(): path.read_bytes()
        for path in study.results.rglob("*")
        if path.suffix[1:] in kept and path.name not in untold and path.parent.name != "fits"
        and "digests" not in path.name and path.parent.parent.name != "fits"
    }  # fmt: skip


@pytest.mark.parametrize("protocol", [NET, OLD], ids=["elastic net", "lasso and elimination"])
def test_on_disk_and_in_memory_are_the_same(protocol, tmp_path, monkeypatch) -> None:
    whole = results_of(study_in(tmp_path / "whole", protocol))
    monkeypatch.setattr(table, "LARGE", 100)
    study = study_in(tmp_path / "disk", protocol)
    found = results_of(study)
    assert isinstance(FeatureTable.load(study.results).values, Columns)
    assert not (study.results / "features.csv").exists()
    assert "There is no features.csv" in (study.results / "report.html").read_text()
    for name in ("fit.json", "scores.csv", "agreement.csv", "evaluation.json", "predictions.csv"):
        assert found[name] == whole[name], name
    first, second = (json.loads(r["assessment.json"]) for r in (whole, found))
    assert first == second


@pytest.mark.parametrize("protocol", [NET, FILLED], ids=["elastic net", "filled and harmonised"])
def test_blocks_change_the_last_bits_at_most(protocol, tmp_path, monkeypatch) -> None:
    """And nothing is read whole."""
    whole = pd.read_csv(tmp_path / scored(study_in(tmp_path / "whole", protocol)))
    monkeypatch.setattr(table, "LARGE", 100)
    monkeypatch.setattr(arrays, "AT_ONCE", 300)
    monkeypatch.setattr("centrum.modelling.on_disk.IN_MEMORY", 0)
    found = pd.read_csv(tmp_path / scored(study_in(tmp_path / "blocks", protocol)))
    np.testing.assert_allclose(found["score"], whole["score"], rtol=1e-6, atol=1e-8)


def scored(study: verbs.Study) -> Path:
    """Where the scores of the final model are."""
    verbs.extract(study)
    verbs.agree(study)
    verbs.fit(study)
    return study.results / "scores.csv"
