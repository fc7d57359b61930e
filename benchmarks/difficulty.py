"""AUC of a preset's model over repeated splits of a study that has been extracted.

centrum simulate cohort --seed 21 --malignant 92 --osteoporotic 88 --cue 0.7
centrum extract cohort
python benchmarks/difficulty.py cohort --train 70 --repeats 10
python benchmarks/difficulty.py demo --repeats 20 --seed 1 --shuffle
"""

import argparse
from pathlib import Path

import numpy as np

from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.resampling import repeated_split_auc
from centrum.study.study import open_study
from centrum.table import FeatureTable


def areas(folder: Path, train: int, repeats: int, seed: int, shuffle: bool) -> np.ndarray:
    """Test AUC of each split; the model is that of the study's protocol."""
    protocol, table = open_study(folder).protocol, FeatureTable.load(folder / "results")
    positive = (table.obs["outcome"] == protocol.outcome.positive).to_numpy(dtype=int)
    return repeated_split_auc(
        StudyClassifier(protocol.model, 1, table.names),
        table.values,
        positive,
        table.obs["patient"].to_numpy(),
        repeats=repeats,
        train_fraction=train / len(positive),
        seed=seed,
        shuffle=shuffle,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="AUC over repeated splits of a study.")
    parser.add_argument("study", type=Path)
    parser.add_argument("--train", type=int, default=70, help="training cases")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the first split")
    parser.add_argument("--shuffle", action="store_true", help="shuffle outcomes by patient")
    chosen = parser.parse_args()
    found = areas(chosen.study, chosen.train, chosen.repeats, chosen.seed, chosen.shuffle)
    print(f"AUC {found.mean():.3f}, SD {found.std(ddof=1):.3f}, {len(found)} splits")


if __name__ == "__main__":
    main()
