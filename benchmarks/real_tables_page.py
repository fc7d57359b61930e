"""Write docs/reference/real-tables.md and its figures from benchmarks/results/real-tables.json.

python benchmarks/real_tables_page.py
"""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from real_tables import (
    BASELINE,
    CANDIDATES,
    FOLDS,
    PRESET,
    RECIPE,
    REPEATS,
    ROOT,
    SPLITS,
    SPLITS_OF_SEARCH,
    Result,
    load,
    models,
)

from centrum.evaluate.repeated import RepeatedMean, corrected_mean

mpl.use("svg")
from matplotlib import pyplot as plt

DOCS = ROOT / "docs" / "reference"

SIZES = {"folds": (FOLDS - 1.0, 1.0), "splits": (7.0, 3.0)}
"""Design -> training to test cases."""

NORMAL = 1.96
"""Half an interval of 95 % in standard errors, of a mean over eight tables."""

TITLES = {
    "folds": f"Nested folds ({FOLDS} folds, {REPEATS} repeats)",
    "splits": f"Splits ({SPLITS} of 7:3)",
}

Results = dict[str, dict[str, Result]]


@dataclass(frozen=True)
class Gap:
    """AUC of a model less that of another on the same parts.

    Attributes
    ----------
    by_table : table -> mean over the parts, with its corrected interval
    """

    by_table: dict[str, RepeatedMean]

    @property
    def mean(self) -> float:
        """Over the tables."""
        return float(np.mean([found.mean for found in self.by_table.values()]))

    @property
    def se(self) -> float:
        """Of the mean: about these tables, whose variances are added."""
        return float(np.sqrt(np.sum([f.se**2 for f in self.by_table.values()]))) / len(
            self.by_table
        )


def gap(known: Results, design: str, model: str, other: str) -> Gap:
    """The differences of two models on the parts that both were fitted to."""
    found = {}
    for name in BASELINE:
        pairs = zip(known[model][name]["auc"], known[other][name]["auc"], strict=False)
        found[name] = corrected_mean([a - b for a, b in pairs], *SIZES[design])
    return Gap(found)


def whole(known: Results) -> list[str]:
    """The models that were fitted to every table, in their order."""
    return [name for name in models() if set(known.get(name, {})) == set(BASELINE)]


def signed(value: float, digits: int = 3) -> str:
    """With its sign, the true minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


# Figures


def figure(known: Results, design: str, path: Path) -> None:
    """A panel for each model: its AUC less that of the default, by table and on the mean."""
    plt.rcParams["svg.hashsalt"] = "real-tables"
    others = [name for name in whole(known) if name != "default"]
    drawn, panels = plt.subplots(
        1, len(others), figsize=(2.0 + 1.45 * len(others), 3.6), sharey=True, layout="constrained",
        squeeze=False,
    )  # fmt: skip
    rows = [*BASELINE, "mean"]
    gaps = {name: gap(known, design, name, "default") for name in others}
    tables = [found for g in gaps.values() for found in g.by_table.values()]
    widest = 1.05 * max(abs(end) for f in tables for end in (f.interval.lower, f.interval.upper))
    for axes, (model, found) in zip(panels[0], gaps.items(), strict=True):
        for k, name in enumerate(BASELINE):
            _bar(axes, k, found.by_table[name].mean, found.by_table[name].interval, "#0072B2")
        half = NORMAL * found.se
        _bar(axes, len(BASELINE) + 0.5, found.mean, (found.mean - half, found.mean + half),
             "#D55E00", "D")  # fmt: skip
        axes.axvline(0, color="#666666", linewidth=0.8)
        axes.set_title(model, fontsize=9)
        axes.set(xlim=(-widest, widest), xticks=[-0.2, 0, 0.2])
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_yticks([*range(len(BASELINE)), len(BASELINE) + 0.5], rows)
    panels[0][0].invert_yaxis()
    drawn.supxlabel("test AUC less that of the default", fontsize=9)
    drawn.savefig(path, metadata={"Date": None})
    plt.close(drawn)


def _bar(
    axes: plt.Axes, at: float, value: float, ends: object, colour: str, marker: str = "o"
) -> None:
    lower, upper = (ends.lower, ends.upper) if hasattr(ends, "lower") else ends
    axes.plot([lower, upper], [at, at], color=colour, linewidth=1.2)
    axes.plot([value], [at], marker, color=colour, markersize=4)


# Text


def means_table(known: Results, names: list[str]) -> str:
    """Test AUC (mean, SD over the parts) of every model on every table, and features."""
    lines = [
        f"| table | baseline | {' | '.join(names)} | optimistic best |",
        "|---|--:" + "|--:" * (len(names) + 1) + "|",
    ]
    for name, (baseline, best) in BASELINE.items():
        cells = [_mean_sd(known[model][name]["auc"]) for model in names]
        lines.append(f"| {name} | {baseline:.3f} | {' | '.join(cells)} | {best:.3f} |")
    average = [f"{_mean(known[model], 'auc'):.4f}" for model in names]
    low, high = np.mean(list(BASELINE.values()), axis=0)
    lines.append(f"| **mean** | **{low:.4f}** | {' | '.join(average)} | **{high:.4f}** |")
    number = [_features(known[model]) for model in names]
    lines.append(f"| features | | {' | '.join(number)} | |")
    return "\n".join(lines)


def _mean(results: dict[str, Result], what: str) -> float:
    return float(np.mean([np.mean(results[name][what]) for name in BASELINE]))


def _features(results: dict[str, Result]) -> str:
    known = all("features" in found for found in results.values())
    return f"{_mean(results, 'features'):.0f}" if known else ""


def _mean_sd(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def gaps_table(known: Results, design: str, names: list[str]) -> str:
    """Mean difference of every model to the default and to ridge."""
    lines = [
        "| model | parts | less the default (SE) | 95 % CI | less ridge (SE) | 95 % CI |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for model in names:
        parts = len(known[model]["Hosny2018A"]["auc"])
        cells = [_gap_cells(known, design, model, other) for other in ("default", "ridge")]
        lines.append(f"| {model} | {parts} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _gap_cells(known: Results, design: str, model: str, other: str) -> str:
    if model == other or other not in whole(known):
        return "| "
    found = gap(known, design, model, other)
    half = NORMAL * found.se
    ends = f"{signed(found.mean - half)} to {signed(found.mean + half)}"
    return f"{signed(found.mean)} ({found.se:.3f}) | {ends}"


def beaten(known: Results) -> dict[str, list[str]]:
    """Candidate -> those that are more than one standard error above it in the nested folds."""
    there = [name for name in CANDIDATES if name in whole(known)]
    found: dict[str, list[str]] = {}
    for model in there:
        gaps = {other: gap(known, "folds", other, model) for other in there if other != model}
        found[model] = [other for other, g in gaps.items() if g.mean > g.se]
    return found


def verdict(known: Results) -> str:
    """What the rule of decision 39 says of the candidates."""
    found = beaten(known)
    lines = [
        f"- {model}: " + (f"beaten by {'; '.join(others)}" if others else "beaten by none")
        for model, others in found.items()
    ]
    return "\n".join(lines)


def conclusion(known: Results) -> str:
    """What follows from the rule, in words."""
    level = [model for model, others in beaten(known).items() if not others]
    ridge, few = (gap(known, "folds", name, "default") for name in ("ridge", "sparse"))
    kept = {name: _features(known[name]) for name in ("default", "ridge", "sparse")}
    stays = (
        f"None of {'; '.join(level)} is one standard error above another: these tables do not tell "
        "them apart, and the default stays. **No default was found that is better than a plain "
        f"ridge, and it is not beaten by ridge either**: {signed(ridge.mean, 4)} of AUC (SE "
        f"{ridge.se:.4f}) go with ridge, and {kept['ridge']} features on the mean in place "
        f"of {kept['default']}. Table by table they differ in both directions."
        if {"default", "ridge"} <= set(level)
        else "The default is beaten: decision 39 says what follows."
    )
    return (
        f"{stays}\n\nThe sparse model has {kept['sparse']} features on the mean, and "
        f"{signed(few.mean)} of AUC (SE {few.se:.3f}) beside the default: between "
        f"{signed(min(f.mean for f in few.by_table.values()))} and "
        f"{signed(max(f.mean for f in few.by_table.values()))} by table. What it loses on a "
        "study's own patients stands in every report."
    )


def section(known: dict[str, Results], design: str) -> list[str]:
    """A design's figure and tables."""
    names = whole(known[design])
    missing = [name for name in models() if name not in names]
    head = [
        f"## {TITLES[design]}",
        f"Not fitted in this design so far: {', '.join(missing)}." if missing else "",
    ]
    means = means_table(known[design], names)
    if len(names) < 2:
        return [*head, means]
    file = f"real-tables-{design}.svg"
    figure(known[design], design, DOCS / file)
    seen = f"![Test AUC of each model less that of the default, {TITLES[design]}]({file})"
    return [*head, seen, gaps_table(known[design], design, names), means]


def centres(known: Results) -> list[str]:
    """Each of three centres tested by a model of the other two."""
    lines = ["| tested | plain | ComBat |", "|---|--:|--:|"]
    for name in known["plain"]:
        pair = [_mean_sd(known[mode][name]["auc"]) for mode in ("plain", "ComBat")]
        lines.append(f"| {name} | {pair[0]} | {pair[1]} |")
    return [
        "## Three centres (Hosny 2018 A, B, C)",
        "Each centre tested by the default model of the other two; below, all three mixed in 5 "
        "stratified 7:3 splits. ComBat is learnt on training cases without outcomes; a centre "
        "that was not trained on stays as it is.",
        "\n".join(lines),
    ]


def page() -> str:
    """The whole page."""
    known = load()
    parts = [
        "# Real radiomics tables",
        "Written by `make real-tables`. Test AUC, every step refitted in each part, all models on "
        f"the same parts. Default: the model of the preset `{PRESET}`; sparse: the one that every "
        "report shows beside it (lambda.1se, at most ten features); ridge: all features that vary, "
        "z-scored, the penalty by cross-validation; filtered ridge: ridge after the default's own "
        "filters and clipping; elastic net, a tenth: the default with a tenth in place of half of "
        f"the absolute penalty; 2024 recipe: the model of the preset `{RECIPE}`; random forest: of "
        "all features; search: `search: {}`. Models that cannot become the default have the first "
        f"repeat of the folds alone, the search the first {SPLITS_OF_SEARCH} splits; they are "
        "compared on the parts that both have: read the differences, not the means of other parts.",
        "Differences are means over the parts; intervals and standard errors (SE) by [Nadeau and "
        "Bengio](../concepts/validation.md), variance (1/J + n_test/n_train) s². Those of the mean "
        "over the eight tables add the tables' variances: they are about these tables. Baseline: a "
        "leak-free LASSO; best: the optimistic best of 616 configurations of the benchmark "
        "radMLBench, chosen on the very folds that it is judged on.",
        "## Which is the default",
        "By the rule of [decision 39](../decisions/0039-a-sparse-model-beside-the-default.md), "
        "written before the run: a model is beaten by another that is more than one standard error "
        "above it on the mean of the nested folds.",
        verdict(known["folds"]),
        conclusion(known["folds"]),
        *section(known, "folds"),
        *section(known, "splits"),
        *centres(known["centres"]),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def main() -> None:
    (DOCS / "real-tables.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
