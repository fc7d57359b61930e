"""From perturbed measurements to numbers: the layer of the table, and ICC of every feature."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from centrum.agreement import ICC, icc
from centrum.arrays import Floats
from centrum.perturb import RobustnessSettings, plan_perturbations
from centrum.perturb.plan import TOGETHER, Perturbation
from centrum.table import FeatureTable

Records = Mapping[str, Mapping[str, Any]]
"""By case, as `measure_perturbed` gives them."""


def perturbed_values(records: Records, names: Sequence[str], columns: Sequence[int]) -> Floats:
    """Values (cases, columns, perturbations), nan where there is none.

    >>> records = {"P001": {"values": {"a 1": [1.0, 2.0]}}, "P002": {"values": {}}}
    >>> perturbed_values(records, ["a 1"], [1])[:, 0, 0].tolist()
    [2.0, nan]
    """
    out = np.full((len(records), len(columns), len(names)), np.nan)
    for row, record in enumerate(records.values()):
        for layer, name in enumerate(names):
            if name in record["values"]:
                out[row, :, layer] = np.array(record["values"][name], dtype=float)[columns]
    return out


def robustness(table: FeatureTable, settings: RobustnessSettings) -> pd.DataFrame:
    """A row per feature: feature, icc, lower, upper, n, kept; with kinds apart also icc_KIND.

    The ICC is between the primary reader's measurement and its perturbations, over all cases.
    """
    found = _stability(table, settings, table.perturbations)
    judged = found.lower if settings.icc.use == "lower_bound" else found.value
    columns = {
        "feature": table.names,
        "icc": found.value,
        "lower": found.lower,
        "upper": found.upper,
        "n": found.n_subjects,
        "kept": judged > settings.icc.threshold,
    }
    planned = plan_perturbations(settings, "")
    kinds = dict.fromkeys(p.kind for p in planned if p.kind != TOGETHER)
    apart = {
        f"icc_{kind}": _stability(
            table, settings, [p.name for p in planned if p.kind == kind]
        ).value
        for kind in kinds
    }
    return pd.DataFrame(columns | apart)


def _stability(table: FeatureTable, settings: RobustnessSettings, names: Sequence[str]) -> ICC:
    slots = [len(table.modelled) + table.perturbations.index(name) for name in names]
    taken = table.readings[:, :, [0, *slots]]
    return icc(taken, settings.icc.form, patients=table.obs["patient"])


SIZES = [f.name for f in fields(Perturbation) if f.name not in ("name", "translation")]
"""What a perturbation consists of, in columns of their own."""


def perturbations(records: Records) -> pd.DataFrame:
    """A row per case and perturbation: what was done, and the error if it failed.

    A case that could not be read has one row, without a name.
    """
    rows = []
    for case, record in records.items():
        for step in record["plan"] or [{"name": ""}]:
            sizes = {name: step[name] for name in SIZES if name in step}
            shift = zip(("slices", "rows", "columns"), step.get("translation", ()), strict=False)
            moved = {f"translation_{along}": voxels for along, voxels in shift}
            error = record["errors"].get(step["name"], "")
            ends = {"noise_sd": record["noise_sd"], "error": error}
            rows.append({"case": case, "perturbation": step["name"]} | sizes | moved | ends)
    return pd.DataFrame(rows)
