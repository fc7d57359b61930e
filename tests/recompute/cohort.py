"""A study whose every number can be computed again: several cases per patient, three scanners.

Values are rounded to what a spreadsheet shows, so that another program reads the very same.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

FEATURES = tuple(f"f{k}" for k in range(12))

PROTOCOL = {
    "preset": "vcf-t2w",
    "name": "Computed again",
    "outcome": {"positive": "malignant", "negative": "osteoporotic"},
    "tables": [
        {"file": "senior.csv", "reader": "senior", "format": "auto"},
        {"file": "resident.csv", "reader": "resident", "format": "auto"},
    ],
    "model": {
        "agreement": {"form": "A,1", "threshold": 0.75, "use": "estimate"},
        "harmonisation": {"method": "combat", "batch": "scanner"},
        "clip": None,
    },
    "split": {"design": "single", "train_fraction": 0.6, "seed": 3},
    "evaluation": {
        "n_resamples": 200,
        "prevalence": 0.2,
        "subgroups": ["sex"],
        "ablation": False,
        "optimism_resamples": 12,
        "leak_audit": {"permutations": 19, "splits": 1},
    },
}


def write_study(folder: Path, *, alone: bool = False, **split: object) -> Path:
    """170 cases on three scanners, measured by two readers; `split` as in YAML.

    Of 110 patients, or each `alone` of another.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(11)
    n = 170 if alone else 110
    patient = np.sort(np.r_[np.arange(n), rng.integers(0, n, 170 - n)])
    malignant = (np.arange(n) % 5 < 2)[patient]
    scanner = rng.choice(["Aera", "Ingenia", "Skyra"], n, p=[0.5, 0.3, 0.2])[patient]
    shared = rng.normal(size=(n, 12))[patient]
    values = 0.7 * shared + rng.normal(size=(170, 12)) + 50
    values[:, :3] += np.array([1.6, 1.1, -1.1]) * malignant[:, None]
    values[:, 6:9] += values[:, :3] * 0.5
    for name in ("Ingenia", "Skyra"):
        own = scanner == name
        values[own] = 50 + (values[own] - 50) * rng.uniform(0.6, 1.6, 12) + rng.normal(0, 2, 12)
    cases = [f"C{k:03d}" for k in range(170)]
    for reader, bias, noise in (("senior", 0.0, 0.2), ("resident", 0.15, 0.35)):
        noises = noise * np.r_[np.ones(10), 4, 6]
        seen = values + bias + noises * rng.normal(size=values.shape)
        frame = pd.DataFrame(seen.round(4), pd.Index(cases, name="case"), list(FEATURES))
        frame.to_csv(folder / f"{reader}.csv")
    known = pd.DataFrame(
        {
            "patient": [f"Q{k:03d}" for k in patient],
            "outcome": np.where(malignant, "malignant", "osteoporotic"),
            "level": rng.choice(["T12", "L1", "L3"], 170, p=[0.45, 0.45, 0.1]),
            "scanner": scanner,
            "age": (66 + 3 * malignant + rng.normal(0, 9, n)[patient]).round(),
            "sex": np.where(rng.random(n) < 0.6, "F", "M")[patient],
        },
        pd.Index(cases, name="case"),
    )
    known.to_csv(folder / "cases.csv")
    protocol = {**PROTOCOL, "split": {"seed": 3, **split} if split else PROTOCOL["split"]}
    (folder / "study.yaml").write_text(yaml.safe_dump(protocol))
    return folder
