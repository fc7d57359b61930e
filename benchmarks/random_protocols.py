"""Studies of tables drawn at random: small, of every design, model and oddity of data.

`draw(seed, k)` gives the k-th study; the same two numbers give the same files.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import yaml

from centrum.features.registry import catalogue
from centrum.modelling import settings as choices
from centrum.protocol import CutOffRule

POSITIVE, NEGATIVE = "malignant", "osteoporotic"
READERS = ("senior", "resident")
SEQUENCES = ("T2w", "T1w", "STIR")
MARK = "~"
"""Between the sequence and the name of a feature in the head of a column."""

TREES = ("random_forest", "extra_trees", "gradient_boosting")
"""Classifiers that take longest."""

Choices = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """A study's files by name, and in words what is odd about it."""

    files: dict[str, str]
    told: dict[str, Any]


def draw(seed: int, k: int) -> Drawn:
    """The k-th study of a seed."""
    rng = np.random.default_rng([seed, k])
    data = _Data.drawn(rng)
    protocol = _protocol(rng, data, f"Random protocol {seed}-{k}")
    tables = {f"{reader}.csv": data.table(rng, reader) for reader in data.readers}
    text = yaml.safe_dump(protocol, sort_keys=False)
    return Drawn({"study.yaml": text, "cases.csv": data.manifest(), **tables}, data.told)


# Data


@dataclass(frozen=True)
class _Data:
    """What was drawn of the cases.

    Attributes
    ----------
    columns : head -> a cell per case
    features, values : heads of the table, and (cases, features)
    readers, sequences : their names
    told : what is odd
    """

    columns: dict[str, list[str]]
    features: tuple[str, ...]
    values: np.ndarray
    readers: tuple[str, ...]
    sequences: tuple[str, ...]
    told: dict[str, Any]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "_Data":
        patients, positive = _patients(rng)
        centre = _centres(rng, patients, positive)
        sequences = SEQUENCES[: rng.choice([1, 1, 2, 3])]
        features = _features(rng, sequences)
        effect = float(rng.choice([0, 0.7, 0.7, 1.5, 8]))
        values = _values(rng, len(features), patients, positive, centre, effect)
        gaps = str(rng.choice(["none", "none", "few", "feature", "case"]))
        _make_gaps(rng, values, gaps)
        readers = READERS[: rng.choice([1, 2])]
        columns = _columns(rng, patients, positive, centre)
        told = {
            "cases": len(patients), "features": len(features), "effect": effect, "gaps": gaps,
            "centres": sorted(set(centre)), "sequences": len(sequences), "readers": len(readers),
        }  # fmt: skip
        return cls(columns, features, values, readers, sequences, told)

    def manifest(self) -> str:
        return _csv(self.columns)

    def table(self, rng: np.random.Generator, reader: str) -> str:
        """The primary reader's values, or another's, who agrees more or less feature by feature
        and may have read a part of the cases."""
        values = self.values
        if reader != self.readers[0]:
            doubt = rng.choice([0.05, 0.3, 2], values.shape[1]) * np.nanstd(values, axis=0)
            values = values + doubt * rng.normal(size=values.shape)
        read = np.ones(len(values), bool)
        if reader != self.readers[0] and rng.random() < 0.3:
            read = rng.random(len(values)) < 0.7
        cases = np.array(self.columns["case"])[read]
        cells = {
            name: ["" if np.isnan(v) else repr(float(v)) for v in values[read, j]]
            for j, name in enumerate(self.features)
        }
        return _csv({"case": list(cases), **cells})


def _csv(columns: dict[str, list[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()


def _patients(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Whose case each is, and which are positive; some patients have two cases."""
    n = int(rng.integers(36, 61))
    positive = rng.random(n) < rng.choice([0.5, 0.5, 0.4, 0.4, 0.15])
    positive[:2] = True, False
    twice = np.flatnonzero(rng.random(n) < rng.choice([0, 0.2]))
    patients = np.sort(np.r_[np.arange(n), twice])
    return patients, positive[patients]


def _centres(rng: np.random.Generator, patients: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Names of centres; one may have one outcome, a single patient, or no name at all."""
    names = [["A", "B", "C"], ["1001", "1002"], ["1234567", "1234568", "7"], ["Köln", "São Paulo"]]
    known = np.array(names[rng.integers(len(names))], dtype=object)
    centre = known[rng.integers(0, len(known), patients.max() + 1)]
    oddity = rng.choice(["none"] * 6 + ["one outcome", "one patient", "empty"])
    if oddity == "one outcome":
        centre[np.unique(patients[positive])[::4]] = "90"
    if oddity == "one patient":
        centre[0] = "91"
    if oddity == "empty":
        centre[::9] = ""
    return centre[patients]


def _features(rng: np.random.Generator, sequences: Sequence[str]) -> tuple[str, ...]:
    known = [entry.pyradiomics for entry in catalogue().values() if entry.pyradiomics]
    images = ["original", "wavelet-LHL", "log-sigma-2-0-mm-3D"]
    names = [f"{image}_{name}" for image in images for name in sorted(set(known))]
    found = []
    for name in sequences:
        mark = f"{name}{MARK}" if len(sequences) > 1 else ""
        count = int(rng.integers(10, 41)) // len(sequences)
        found += [f"{mark}{names[i]}" for i in rng.choice(len(names), count, replace=False)]
    return tuple(found)


def _values(
    rng: np.random.Generator,
    count: int,
    patients: np.ndarray,
    positive: np.ndarray,
    centre: np.ndarray,
    effect: float,
) -> np.ndarray:
    """(cases, features) of a few hidden factors, in units from 1e-6 to 1e6."""
    hidden = rng.normal(size=(patients.max() + 1, 4))[patients]
    x = hidden @ rng.normal(size=(4, count)) + rng.normal(size=(len(patients), count))
    x += effect * positive[:, None] * (rng.random(count) < 0.3)
    for name in np.unique(centre):
        x[centre == name] += rng.normal(0, rng.choice([0, 1]), count)
    tailed = rng.random(count) < 0.1
    x[:, tailed] = np.exp(2 * x[:, tailed])
    x *= 10.0 ** rng.integers(-6, 7, count)
    if count > 4 and rng.random() < 0.2:
        x[:, 1], x[:, 2] = 3.5, x[:, 3]
    return x


def _make_gaps(rng: np.random.Generator, values: np.ndarray, gaps: str) -> None:
    if gaps == "few":
        values[rng.random(values.shape) < 0.03] = np.nan
    if gaps == "feature":
        values[rng.random(len(values)) < 0.6, 0] = np.nan
    if gaps == "case":
        values[3] = np.nan


def _columns(
    rng: np.random.Generator, patients: np.ndarray, positive: np.ndarray, centre: np.ndarray
) -> dict[str, list[str]]:
    n = patients.max() + 1
    age = rng.normal(70, 9, n).round().clip(30, 95).astype(int)
    days = np.datetime64("2019-01-01") + np.arange(n)
    call = np.where(rng.random(len(patients)) < 0.2, ~positive, positive)
    rare = np.where(np.arange(n) == 1, "rare", rng.choice(["low", "high", "none known"], n))
    cells = {
        "case": [f"C{i:03d}" for i in range(len(patients))],
        "patient": [f"P{p:03d}" for p in patients],
        "level": [str(rng.choice(["T12", "L1", "L2", "L3"])) for _ in patients],
        "outcome": [POSITIVE if p else NEGATIVE for p in positive],
        "centre": list(centre),
        "date": [str(day) for day in days[patients]],
        "age": [str(a) for a in age[patients]],
        "sex": list(rng.choice(["F", "M"], n)[patients]),
        "trauma": list(rare[patients]),
        "constant": ["5"] * len(patients),
        "grade": list(rng.choice(["1", "2", "3"], n)[patients]),
        "call": [POSITIVE if c else NEGATIVE for c in call],
    }
    if rng.random() < 0.3:
        cells["age"][4] = cells["trauma"][6] = ""
    return {head: list(map(str, column)) for head, column in cells.items()}


# Protocol


def _protocol(rng: np.random.Generator, data: _Data, name: str) -> Choices:
    search = _search(rng) if rng.random() < 0.15 else None
    model = _model(rng, data, searched=search is not None)
    preset = str(rng.choice(["vcf-t2w", "vcf-t2w", "vcf-t2w-2024"]))
    protocol: Choices = {
        "preset": preset, "name": name,
        "tables": [{"file": f"{reader}.csv", "reader": reader} for reader in data.readers],
        "model": model, "split": _split(rng, data), "evaluation": _evaluation(rng),
    }  # fmt: skip
    if search is not None:
        protocol["search"] = search
    if rng.random() < 0.15:
        protocol["eligibility"] = [{"name": "adults in the study", "require": "age >= 60"}]
    return protocol


def _one(rng: np.random.Generator, of: object) -> str:
    """A word of a Literal."""
    words = get_args(of)
    return str(words[rng.integers(len(words))])


def _model(rng: np.random.Generator, data: _Data, *, searched: bool) -> Choices:
    covariates = ["age", "sex", "trauma", "constant", "grade"]
    taken = [c for c in covariates if rng.random() < 0.25] if rng.random() < 0.6 else []
    taken = taken if taken != ["constant"] or rng.random() < 0.3 else ["age"]
    fill = data.told["gaps"] != "none" or "age" in taken or "trauma" in taken
    model: Choices = {
        "covariates": taken,
        "imputation": _imputation(rng) if fill and rng.random() < 0.95 else {"method": "none"},
        "balance": _one(rng, choices.Balance),
        "calibration": _one(rng, choices.Calibration),
        "clip": [None, 2.0, 5.0][rng.integers(3)],
        "correlation": [None, _correlation(rng)][rng.integers(2)],
        "screen": [None, None, _screen(rng)][rng.integers(3)],
        "C": float(rng.choice([0.01, 1.0, 30.0])),
    }
    if rng.random() < 0.35:
        model["harmonisation"] = _harmonisation(rng, data)
    if not searched:
        model |= _chosen(rng)
        if model["classifier"] == "elastic_net" and model["balance"] == "class_weight":
            model["balance"] = "repeat"
        if taken:
            model["fusion"] = _one(rng, choices.Fusion)
    return model


def _imputation(rng: np.random.Generator) -> Choices:
    method = str(rng.choice(["median", "mean", "knn"]))
    return {"method": method} | ({"neighbours": int(rng.integers(1, 6))} if method == "knn" else {})


def _correlation(rng: np.random.Generator) -> Choices:
    rule = _one(rng, choices.CorrelationRule)
    return {"threshold": float(rng.choice([0.7, 0.95])), "rule": rule}


def _screen(rng: np.random.Generator) -> Choices:
    test, adjustment = _one(rng, choices.ScreenTest), _one(rng, choices.Adjustment)
    return {"test": test, "adjustment": adjustment, "alpha": float(rng.choice([0.05, 0.3]))}


def _harmonisation(rng: np.random.Generator, data: _Data) -> Choices:
    settings: Choices = {"method": "combat", "unseen": str(rng.choice(["as_is"] * 4 + ["refuse"]))}
    if rng.random() < 0.2:
        return settings | {"batch": "grade", "reference": str(rng.choice(["1", "2", "4"]))}
    if rng.random() < 0.3:
        settings["reference"] = str(rng.choice(data.told["centres"]))
    return settings


def _chosen(rng: np.random.Generator) -> Choices:
    """Selection, ranking, number of features and classifier."""
    select, ranked = (
        _one(rng, choices.Selector),
        str(rng.choice(["linear_svm", "logistic", "none"])),
    )
    found: Choices = {
        "select": {"method": select},
        "rfe": {"estimator": ranked},
        "classifier": _one(rng, choices.ClassifierName),
    }
    if select in ("mrmr", "relieff", "univariate"):
        found["select"]["n_features"] = int(rng.integers(3, 9))
    # Trees for every number of features in every fold of every part take minutes.
    slow = found["classifier"] in TREES or select == "stability"
    counted = select + ranked != "nonenone" and not slow and rng.random() < 0.5
    found["n_features"] = _count(rng) if counted else None
    if select == "lasso" or found["classifier"] == "elastic_net":
        found["lasso"] = {
            "folds": int(rng.integers(3, 6)), "threshold": 1e-7,
            "choice": _one(rng, choices.LassoChoice), "measure": _one(rng, choices.LassoMeasure),
            "l1_ratio": float(rng.choice([0.3, 1.0])),
        }  # fmt: skip
    return found


def _count(rng: np.random.Generator) -> Choices:
    measure, rule = str(rng.choice(["auc", "accuracy"])), str(rng.choice(["best", "one_se"]))
    return {"maximum": int(rng.integers(2, 6)), "folds": 3, "measure": measure, "rule": rule}


def _search(rng: np.random.Generator) -> Choices:
    return {
        "selectors": _some(rng, choices.Selector),
        "classifiers": _some(rng, choices.ClassifierName),
        "n_features": [2, 5], "folds": 3, "survivors": int(rng.integers(1, 5)),
        "ensemble": int(rng.choice([1, 3])), "measure": str(rng.choice(["auc", "deviance"])),
        "halving": bool(rng.integers(2)),
    }  # fmt: skip


def _some(rng: np.random.Generator, of: object) -> list[str]:
    """One to three words of a Literal."""
    words = get_args(of)
    return [str(w) for w in rng.choice(words, rng.integers(1, 4), replace=False)]


def _split(rng: np.random.Generator, data: _Data) -> Choices:
    design, seed = _one(rng, choices.Design), int(rng.integers(0, 1000))
    values = data.told["centres"]
    more: dict[str, Choices] = {
        "single": {"train_fraction": float(rng.choice([0.6, 0.75]))},
        "repeated_split": {"repeats": 2, "train_fraction": 0.7},
        "repeated_k_fold": {"repeats": int(rng.integers(1, 3)), "folds": 3},
        "nested_cv": {"repeats": 1, "folds": 3},
        "leave_one_centre_out": {},
        "temporal": [{"train_fraction": 0.7}, {"test_from": "2019-01-25"}][rng.integers(2)],
        "external": {"test_values": [str(rng.choice(values))]},
    }
    return {"design": design, "seed": seed} | more[design]


def _evaluation(rng: np.random.Generator) -> Choices:
    rule = _one(rng, CutOffRule.model_fields["rule"].annotation)
    cutoff: Choices = {"rule": rule, "ties": str(rng.choice(["most_sensitive", "most_specific"]))}
    if rule in ("sensitivity", "specificity"):
        cutoff["target"] = float(rng.choice([0.5, 0.9, 0.99]))
    if rule == "cost":
        cutoff["cost_ratio"] = float(rng.choice([0.2, 5]))
    return {
        "prevalence": 0.3 if rule == "cost" else None,
        "n_resamples": 100, "confidence": float(rng.choice([0.9, 0.95])), "cutoff": cutoff,
        "cutoff_folds": int(rng.integers(2, 5)), "conformal_error": float(rng.choice([0.05, 0.3])),
        "optimism_resamples": int(rng.choice([0, 0, 2])),
        "leak_audit": {"permutations": int(rng.integers(0, 2)), "splits": int(rng.integers(0, 2))},
        "ablation": bool(rng.random() < 0.3),
        "reader_calls": ["call"] if rng.random() < 0.3 else [],
        "seed": int(rng.integers(0, 1000)),
    }  # fmt: skip
