"""How often the interval of the AUC that is reported holds the true AUC.

    python benchmarks/interval_coverage.py       # writes docs/reference/interval-coverage.md

Scores are normal in both outcomes (binormal), so that the true AUC is known. With several cases
per patient an outcome belongs to the patient, whose 1, 2 or 3 cases share `ICC` of the variance
of the scores. A few seconds: AUC and variance of all simulated studies are computed together,
and the limits by the function that the product uses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm

from centrum.arrays import Flags, Floats
from centrum.evaluate.discrimination import auc_limits

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "interval-coverage.md"

AREAS = (0.8, 0.9, 0.95, 0.97)
SIZES = (15, 50)
"""Patients of each outcome."""

RUNS, AT_ONCE = 4000, 500
"""Simulated studies of a row, and how many of them are computed together."""

MOST_CASES, ICC = 3, 0.6
CONFIDENCE = 0.95
WANTED = 0.94
"""Coverage that is asked for, less two Monte Carlo standard errors."""

SEED = 1


@dataclass(frozen=True)
class Cases:
    """Cases of one outcome: scores (studies, patients, most cases) and which of them exist."""

    scores: Floats
    there: Flags


@dataclass(frozen=True)
class Row:
    """Coverage of the reported interval and of the plain one, and what goes with it."""

    clustered: bool
    patients: int
    area: float
    reported: float
    above: float
    below: float
    width: float
    parted: float
    plain: float


def drawn(rng: np.random.Generator, patients: int, mean: float, clustered: bool) -> Cases:
    """The cases of one outcome in `AT_ONCE` studies."""
    shape = (AT_ONCE, patients, MOST_CASES if clustered else 1)
    own = rng.normal(size=shape)
    if not clustered:
        return Cases(mean + own, np.ones(shape, dtype=bool))
    shared = rng.normal(size=(*shape[:2], 1))
    number = rng.integers(1, MOST_CASES + 1, size=(*shape[:2], 1))
    scores = mean + np.sqrt(ICC) * shared + np.sqrt(1 - ICC) * own
    return Cases(scores, np.arange(MOST_CASES) < number)


def area_and_variance(positive: Cases, negative: Cases) -> tuple[Floats, Floats]:
    """AUC and its variance (DeLong; Obuchowski) of each study, patients with one outcome."""
    n = len(positive.scores)
    x, y = (cases.scores.reshape(n, -1) for cases in (positive, negative))
    a, b = (cases.there.reshape(n, -1).astype(float) for cases in (positive, negative))
    right = (x[:, :, None] > y[:, None, :]).astype(float)
    of_positive = np.einsum("rij,rj->ri", right, b) / b.sum(axis=1)[:, None]
    of_negative = np.einsum("rij,ri->rj", right, a) / a.sum(axis=1)[:, None]
    area = (of_positive * a).sum(axis=1) / a.sum(axis=1)
    variance = _between(of_positive, area, positive) + _between(of_negative, area, negative)
    return area, variance


def _between(placements: Floats, area: Floats, cases: Cases) -> Floats:
    """What the patients of one outcome add to the variance."""
    there = cases.there.reshape(placements.shape)
    deviation = np.where(there, placements - area[:, None], 0).reshape(cases.scores.shape)
    by_patient = deviation.sum(axis=2) / there.sum(axis=1)[:, None]
    patients = by_patient.shape[1]
    return np.asarray((by_patient**2).sum(axis=1) * patients / (patients - 1))


def row_of(clustered: bool, patients: int, true: float) -> Row:
    """One row of the page."""
    rng = np.random.default_rng(SEED)
    mean = norm.ppf(true) * np.sqrt(2)
    parts = [
        area_and_variance(*(drawn(rng, patients, m, clustered) for m in (mean, 0.0)))
        for _ in range(RUNS // AT_ONCE)
    ]
    area, variance = (np.concatenate(values) for values in zip(*parts, strict=True))
    lower, upper = auc_limits(area, variance, patients, CONFIDENCE, clustered)
    half = norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(variance)
    return Row(
        clustered, patients, true,
        reported=float(np.mean((lower <= true) & (true <= upper))),
        above=float(np.mean(lower > true)),
        below=float(np.mean(upper < true)),
        width=float(np.mean(upper - lower)),
        parted=float(np.mean(variance == 0)),
        plain=float(np.mean((area - half <= true) & (true <= area + half))),
    )  # fmt: skip


def rows() -> Iterator[Row]:
    """Every row of the page."""
    for clustered in (False, True):
        for patients in SIZES:
            for true in AREAS:
                yield row_of(clustered, patients, true)


def acceptable() -> float:
    """The least coverage that is not too low."""
    return WANTED - 2 * float(np.sqrt(WANTED * (1 - WANTED) / RUNS))


def page(found: list[Row]) -> str:
    """The page, as Markdown."""
    low = [r for r in found if r.reported < acceptable()]
    verdict = (
        "No row is below that."
        if not low
        else f"{len(low)} of {len(found)} rows are below that; they are marked."
    )
    lines = [
        f"| {'1 to 3' if r.clustered else '1'} | {r.patients} + {r.patients} | {r.area:.2f} | "
        f"{r.reported:.3f}{' (too low)' if r in low else ''} | {r.above:.3f} | {r.below:.3f} | "
        f"{r.width:.2f} | {r.parted:.3f} | {r.plain:.3f} |"
        for r in found
    ]
    return "\n".join(
        [
            "# Coverage of the AUC's interval",
            "",
            f"Written by `python benchmarks/interval_coverage.py`: {RUNS} simulated studies a row, "
            f"seed {SEED}. Scores are",
            "normal in both outcomes. Where patients have 1 to 3 cases, these share an outcome and",
            f"{ICC:.0%} of the variance of the scores. The interval is the one of "
            f"{CONFIDENCE:.0%} that is reported",
            "everywhere ([how it is made](../concepts/validation.md)). It should hold the true AUC "
            f"in {WANTED} of the",
            f"studies or more; less two Monte Carlo standard errors that is {acceptable():.4f}. "
            f"{verdict}",
            "",
            "*Too high* and *too low*: the whole interval lies above, or below, the true AUC. "
            "*Parted*: studies",
            "whose scores part all cases (AUC 1). *Plain*: coverage of DeLong's interval without "
            "the logit, cut",
            "at 1, for comparison.",
            "",
            "| cases of a patient | patients | true AUC | coverage | too high | too low | mean "
            "width | parted | plain |",
            "|---|---|--:|--:|--:|--:|--:|--:|--:|",
            *lines,
            "",
        ]
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(list(rows())), encoding="utf-8")


if __name__ == "__main__":
    main()
