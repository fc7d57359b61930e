"""Whole procedures on outcomes dealt out anew: nothing may be learnt, under any design.

    python benchmarks/permuted.py             # writes docs/reference/permuted-outcomes.md
    python benchmarks/permuted.py beside      # one of its sections, as in `SECTIONS`

`make test-slow` runs the same and fails when a mean is further from 0.5 than `ERRORS` of its
standard errors.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator

from centrum.modelling.auc import auc
from centrum.modelling.designs import Part, plan_parts
from centrum.modelling.leaks import LEAKS, TITLES, SplitStudy
from centrum.modelling.optimism import areas_of, draw_patients
from centrum.modelling.permute import shuffle_by_patient
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.resampling import design_auc
from centrum.modelling.search import SearchClassifier
from centrum.modelling.settings import HarmonisationSettings, SearchSettings, Split
from centrum.modelling.split import stratified_split
from centrum.protocol import load_preset
from centrum.validation.added_value import CLINICAL, COMBINED, HeldOut, added_value, combined_area

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "permuted-outcomes.md"

PERMUTATIONS = 100

ERRORS = 3
"""Standard errors of the mean over permutations."""

PRESETS = ("vcf-t2w", "vcf-t2w-2024")

DESIGNS = {
    "single": Split(),
    "repeated_split": Split(design="repeated_split", repeats=3),
    "repeated_k_fold": Split(design="repeated_k_fold", folds=4, repeats=2),
    "nested_cv": Split(design="nested_cv", folds=5, repeats=1),
    "leave_one_centre_out": Split(design="leave_one_centre_out"),
    "temporal": Split(design="temporal"),
    "external": Split(design="external", test_values=("C",)),
}
"""Every advertised design, small enough to be repeated."""

QUICK_SEARCH = SearchSettings(
    selectors=("lasso", "mrmr", "none"), classifiers=("ridge", "rbf_svm", "naive_bayes"),
    n_features=(4, 16), ensemble=3,
)  # fmt: skip

Cell = tuple[str, str]


def cohort() -> tuple[np.ndarray, np.ndarray, np.ndarray, pd.DataFrame]:
    """240 cases of 200 patients, 120 features by two readers that resemble each other, three
    centres that differ in all features, one of them with two scanners, dates; outcomes unrelated
    to any of it."""
    rng = np.random.default_rng(7)
    patients = np.r_[np.arange(200), rng.choice(200, 40, replace=False)]
    sources = rng.normal(size=(200, 15))[patients] + 0.3 * rng.normal(size=(240, 15))
    X = sources @ rng.normal(size=(15, 120)) + rng.normal(size=(240, 120))
    centre = np.array(["A", "B", "C"])[rng.integers(0, 3, 200)][patients]
    X += (centre == "B")[:, None] * rng.normal(size=120)
    readings = np.stack([X, X + 0.5 * rng.normal(size=X.shape)], axis=2)
    y = rng.permutation(np.arange(200) % 2)[patients]
    days = pd.date_range("2019-01-01", periods=200).strftime("%Y-%m-%d").to_numpy()
    age, sex = rng.normal(66, 10, 200).round(), np.array(["F", "M"])[rng.integers(0, 2, 200)]
    second = (centre == "A") & (patients % 2 == 1)
    columns = pd.DataFrame(
        {"centre": centre, "scanner": np.where(second, "A2", np.char.add(centre, "1")),
         "date": days[patients], "age": age[patients], "sex": sex[patients]}
    )  # fmt: skip
    return readings, y, patients, columns


def model_of(name: str) -> BaseEstimator:
    """The model of a preset; of "search" a search with the default's other steps, of "sparse" the
    sparse model beside the default."""
    if name == "sparse":
        return StudyClassifier(load_preset(PRESETS[0]).model.sparse, 1, calibrate=False)
    if name == "search":
        return SearchClassifier(QUICK_SEARCH, load_preset(PRESETS[0]).model, 1)
    return StudyClassifier(load_preset(name).model, 1, calibrate=False)  # of the order alone


def cells() -> Iterator[Cell]:
    """Every design with every preset, and the search under one design."""
    for preset in PRESETS:
        for design in DESIGNS:
            yield preset, design
    yield "search", "single"


SPARSE: tuple[Cell, ...] = (("sparse", "single"), ("sparse", "nested_cv"))
"""The sparse model beside the default one."""


def permuted(cell: Cell) -> list[float]:
    """Mean test AUC of the design under each permutation."""
    model, design = cell
    X, y, patients, columns = cohort()
    return [
        design_auc(model_of(model), X, y, patients, DESIGNS[design], columns, permutation=seed)
        for seed in range(PERMUTATIONS)
    ]


def leaked(leak: str) -> list[float]:
    """AUC that the leak would have claimed under each permutation, with the 2024 recipe."""
    X, y, patients, _ = cohort()
    settings = load_preset("vcf-t2w-2024").model
    found = []
    for seed in range(PERMUTATIONS):
        target = shuffle_by_patient(y, patients, seed)
        train, test = stratified_split(target, patients, 0.7, seed)
        names = tuple(f"x{k}" for k in range(X.shape[1]))
        scene = SplitStudy(
            StudyClassifier(settings, 1), X, target, patients, None, names, train, test,
            settings, seed,
        )  # fmt: skip
        found.append(LEAKS[leak](scene))
    return found


BESIDE = {
    CLINICAL: "age and sex alone",
    COMBINED: "age, sex and the score",
    "regions": "the score by the regions of the other reader",
    "refit": "refits on bootstrap samples, patients not drawn",
}
"""What is evaluated beside the score, of one split."""


def beside(preset: str) -> dict[str, list[float]]:
    """What is evaluated beside the score -> its AUC under each permutation."""
    found: dict[str, list[float]] = {name: [] for name in BESIDE}
    for seed in range(PERMUTATIONS):
        for name, area in _beside(preset, seed).items():
            found[name].append(area)
    return found


def _beside(preset: str, seed: int) -> dict[str, float]:
    X, y, patients, columns = cohort()
    target = shuffle_by_patient(y, patients, seed)
    protocol = load_preset(preset)
    train, test = stratified_split(target, patients, 0.7, seed)
    seen = (X[train], target[train], patients[train])
    model = model_of(preset).fit(*seen)
    scores = [model.decision_function(X[:, :, reader]) for reader in (0, 1)]
    held = HeldOut(train, model.inner_scores(*seen), test, scores[0][test])
    ranked = np.where(np.isin(np.arange(y.size), test), scores[0], np.nan)
    obs = columns.assign(patient=patients)
    added = added_value(protocol, obs, target == 1, held, [held], ranked, expit(ranked))
    assert added is not None
    drawn = draw_patients(target[train], patients[train], seed)
    rows = train[drawn]
    refit = model_of(preset).fit(X[rows], target[rows], patients[rows])
    own = refit.decision_function(X[train])
    return {
        CLINICAL: added.areas[CLINICAL].value,
        COMBINED: added.areas[COMBINED].value,
        "regions": float(auc(target[test] == 1, scores[1][test])),
        "refit": areas_of(target[train] == 1, own, drawn).out_of_bag,
    }


FEATURES_TOGETHER = 30
"""Features of the score that stands beside age and sex under every design: scores of training cases
out of fold cost six fits for each part."""

BY_SCANNER = "leave one scanner out"

COMBINED_DESIGNS = {**DESIGNS, BY_SCANNER: Split(design="leave_one_centre_out", by="scanner")}
"""Designs of the combined model."""

HARMONISED = ", harmonised"
"""After the name of a design whose features are harmonised in every training side."""


def together(design: str) -> list[float]:
    """AUC of age, sex and the score together under each permutation: its mean over the parts."""
    harmonised = design.endswith(HARMONISED)
    name = design.removesuffix(HARMONISED)
    split = COMBINED_DESIGNS[name]
    X, y, patients, columns = cohort()
    obs, protocol = columns.assign(patient=patients), load_preset(PRESETS[0])
    batch = columns["scanner" if name == BY_SCANNER else "centre"].to_numpy()
    seen = Cohort(X[:, :FEATURES_TOGETHER], patients, batch if harmonised else None)
    found = []
    for seed in range(PERMUTATIONS):
        target = shuffle_by_patient(y, patients, seed)
        areas = []
        for part in plan_parts(split, target, patients, columns):
            if 0 < target[part.test].sum() < part.test.size:
                held = _held(seen, target, part)
                areas.append(combined_area(protocol, obs, target == 1, held))
        found.append(float(np.mean(areas)))
    return found


@dataclass(frozen=True, eq=False)
class Cohort:
    """What the default model is fitted on beside outcomes, harmonised by a `batch` there is."""

    X: np.ndarray
    patients: np.ndarray
    batch: np.ndarray | None

    @property
    def model(self) -> StudyClassifier:
        settings = load_preset(PRESETS[0]).model
        if self.batch is not None:
            combat = HarmonisationSettings(method="combat")
            settings = settings.model_copy(update={"harmonisation": combat})
        return StudyClassifier(settings, 1, calibrate=False)

    def batches(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self.batch is None else self.batch[rows]


def _held(cohort: Cohort, y: np.ndarray, part: Part) -> HeldOut:
    """The sides of a part with their scores."""
    train, test = part.train, part.test
    seen = (cohort.X[train], y[train], cohort.patients[train], cohort.batches(train))
    model = cohort.model.fit(*seen)
    scores = model.decision_function(cohort.X[test][:, :, 0], cohort.batches(test))
    return HeldOut(train, model.inner_scores(*seen), test, scores)


def errors(areas: list[float]) -> float:
    """How many standard errors the mean lies from 0.5, above it if positive."""
    return float((np.mean(areas) - 0.5) / (np.std(areas, ddof=1) / np.sqrt(len(areas))))


def spread(function: Callable[[object], list[float]], jobs: list) -> dict:
    """Job -> result, over two processes."""
    with ProcessPoolExecutor(2) as pool:
        return dict(zip(jobs, pool.map(function, jobs), strict=True))


Section = tuple[list[str], list[list[float]]]
"""Lines, and the areas that must not lie away from 0.5."""

HEAD = [
    "# Permuted outcomes",
    "",
    f"Written by `python benchmarks/permuted.py`. {PERMUTATIONS} permutations of the outcome among",
    "the patients of a made-up cohort (240 cases of 200 patients, 120 features, two readers, three",
    "centres, age and sex); the whole procedure refitted in each. Mean of the test AUC, its",
    "standard deviation over the permutations, and how many standard errors the mean lies from",
    f"0.5. Nothing can be learnt: more than {ERRORS} are a fault.",
    "",
]

FIGURES = "mean AUC | SD | standard errors |"


def _row(*words: str, areas: list[float]) -> str:
    mean, sd = np.mean(areas), np.std(areas, ddof=1)
    return f"| {' | '.join(words)} | {mean:.3f} | {sd:.3f} | {errors(areas):+.1f} |"


TITLES_OF_SECTIONS = DESIGNED, FEW, NEXT_TO_IT, TOGETHER, WITH_COMBAT, LEAKING = (
    "## Designs",
    "## The sparse model",
    "## Beside the score",
    "## The combined model",
    "## The combined model, harmonised",
    "## Leaks switched on",
)
"""In their order on the page."""


def designs_section() -> Section:
    """Every design with every preset."""
    return _designs(DESIGNED, cells())


def sparse_section() -> Section:
    """The sparse model."""
    return _designs(FEW, SPARSE)


def _designs(title: str, asked: Iterable[Cell]) -> Section:
    found = spread(permuted, list(asked))
    rows = [_row(*cell, areas=areas) for cell, areas in found.items()]
    lines = [f"| model | design | {FIGURES}", "|---|---|--:|--:|--:|", *rows]
    return [title, "", *lines, ""], list(found.values())


def beside_section() -> Section:
    """What is evaluated beside the score."""
    found = spread(beside, list(PRESETS))
    rows = [
        _row(preset, BESIDE[name], areas=areas)
        for preset, by_name in found.items()
        for name, areas in by_name.items()
    ]
    text = [
        "What is evaluated beside the score of one split; the regressions of age and sex are",
        "fitted to the training cases, with their out-of-fold scores.",
    ]
    lines = [f"| model | what | {FIGURES}", "|---|---|--:|--:|--:|", *rows]
    areas = [areas for by_name in found.values() for areas in by_name.values()]
    return [NEXT_TO_IT, "", *text, "", *lines, ""], areas


def together_section() -> Section:
    """Age, sex and the score together, under every design."""
    return _together(
        TOGETHER,
        COMBINED_DESIGNS,
        f"The regression of age, sex and the out-of-fold score of {PRESETS[0]} (of",
        f"{FEATURES_TOGETHER} features), fitted to the training cases of every part; the mean over",
        "the parts.",
    )


def harmonised_section() -> Section:
    """The same with harmonised features."""
    return _together(
        WITH_COMBAT,
        [f"{name}{HARMONISED}" for name in COMBINED_DESIGNS],
        "The same where ComBat, fitted to the training cases of every part and of every inner",
        "fold, harmonises the features of the score: by centre, and by scanner where each of four",
        "scanners is left out in turn. A centre or scanner that is tested alone stays as it is.",
    )


def _together(title: str, asked: Iterable[str], *text: str) -> Section:
    found = spread(together, list(asked))
    rows = [_row(design, areas=areas) for design, areas in found.items()]
    lines = [f"| design | {FIGURES}", "|---|--:|--:|--:|", *rows]
    return [title, "", *text, "", *lines, ""], list(found.values())


def leaks_section() -> Section:
    """What leaks would claim: their means do lie away from 0.5."""
    rows = [
        f"| {TITLES[leak]} | {np.mean(areas):.3f} | {np.std(areas, ddof=1):.3f} |"
        for leak, areas in spread(leaked, list(LEAKS)).items()
    ]
    text = "With each classic leak switched on, the recipe of 2024 claims on the same outcomes:"
    lines = ["| leak | mean AUC | SD |", "|---|--:|--:|", *rows]
    return [LEAKING, "", text, "", *lines, ""], []


SECTIONS: Mapping[str, Callable[[], Section]] = {
    "designs": designs_section,
    "sparse": sparse_section,
    "beside": beside_section,
    "together": together_section,
    "harmonised": harmonised_section,
    "leaks": leaks_section,
}


def main(asked: list[str]) -> None:
    made = {name: SECTIONS[name]() for name in asked or SECTIONS}
    old = re.split(r"^(?=## )", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    texts = {text.splitlines()[0]: text.rstrip() + "\n" for text in old}
    texts |= {lines[0]: "\n".join(lines) for lines, _ in made.values()}
    kept = [texts[title] for title in TITLES_OF_SECTIONS if title in texts]
    page = "\n".join(("\n".join(HEAD), *kept))
    PAGE.write_text(page.rstrip() + "\n", encoding="utf-8")
    worst = max((abs(errors(a)) for _, areas in made.values() for a in areas), default=0.0)
    print(f"{PAGE.name}: the furthest mean lies {worst:.1f} standard errors from 0.5")
    sys.exit(worst > ERRORS)


if __name__ == "__main__":
    main(sys.argv[1:])
