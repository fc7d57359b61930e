"""The printed score: every number that a reader needs to compute it from values as measured.

Numbers are printed with the digits that it takes: a location to a millionth of its scale, a
coefficient and a scale to seven digits.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from centrum.frozen.scorer import Branch, Harmoniser, Scorer
from centrum.records import as_json
from centrum.report.blocks import Column, Table
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.tables import feature_units, model_labels, model_order
from centrum.report.words.model import classifier_label
from centrum.text import fixed

PRECISION = 1e-6
"""Of a printed number, in the unit that it is used in."""


class Exact(float):
    """A number with the unit that it is used in, which tells how many digits it needs."""

    unit: float

    def __new__(cls, value: float, unit: float) -> "Exact":
        """The number `value`, read against `unit`."""
        number = super().__new__(cls, value)
        number.unit = abs(unit) or 1.0
        return number


def exact(cell: Any) -> str:
    """A cell with the digits that computing with it takes.

    >>> exact(Exact(12345.678901, 0.5)), exact(Exact(-0.00000123456789, 0.00000123456789))
    ('12345.6789010', '−1.234568e-06')
    """
    if not isinstance(cell, Exact):
        return "" if cell is None else str(cell)
    if not math.isfinite(cell):
        return "–" if math.isnan(cell) else fixed(cell)
    decimals = max(math.ceil(-math.log10(PRECISION * cell.unit)), 0)
    if cell and abs(cell) < 1e-5:
        text = f"{float(cell):.{max(decimals + math.floor(math.log10(abs(cell))), 0)}e}"
    else:
        text = f"{float(cell):.{decimals}f}"
    return f"−{text[1:]}" if text.startswith("-") else text


@dataclass(frozen=True, eq=False)
class Term:
    """How the score reads one feature: coefficient × (value − location) / scale.

    Attributes
    ----------
    fill : what a missing value is taken for; None where nothing, or what neighbours have
    harmonised : batch -> location and scale of values as measured; empty where they stay
    """

    fill: float | None
    harmonised: Mapping[str, tuple[float, float]]


def terms_of(scorer: Scorer) -> dict[str, Term]:
    """The terms of a linear scorer, by the names of its features."""
    return {
        scorer.features[b.reads[b.kept[k]]]: _term(b, k)
        for b in scorer.branches
        for k in range(b.kept.size)
    }


def _term(branch: Branch, k: int) -> Term:
    filling = branch.filling
    fill = None if filling is None or filling.donors is not None else filling.values[branch.kept[k]]
    harmonised = {} if branch.harmoniser is None else _by_batch(branch, branch.harmoniser, k)
    return Term(None if fill is None else float(fill), harmonised)


def _by_batch(branch: Branch, settings: Harmoniser, k: int) -> dict[str, tuple[float, float]]:
    """ComBat and z-score in one step: (value − location) / scale."""
    if not settings.adjusted[k]:
        return {}
    mean, sd = branch.mean[k], branch.sd[k]
    scale = np.sqrt(settings.delta[:, k])
    location = (
        settings.mean[k] + settings.sd[k] * settings.gamma[:, k] - (settings.mean[k] - mean) * scale
    )
    found = zip(settings.batches, location, scale * sd, strict=True)
    return {
        batch: (float(mean), float(sd))
        if batch == settings.reference
        else (float(at), float(width))
        for batch, at, width in found
    }


def score_table(results: StudyResults) -> Table:
    """The features of the model, and what a linear one multiplies them with."""
    model, order = results.model, model_order(results.model)
    terms = terms_of(results.scorer) if model.linear else {}
    filled = any(term.fill is not None for term in terms.values())
    size = float(np.abs(model.coefficients).max()) if model.linear else 1.0
    rows: list[tuple[Any, ...]] = []
    if model.linear:
        rows = [("–", "Intercept", Exact(model.intercept, size), *(None,) * (3 if filled else 2))]
        rows = [(*rows[0], "", "")]
    facts = zip(model_labels(results), feature_units(results), order, strict=True)
    for number, (label, unit, k) in enumerate(facts, 1):
        c, mean, sd = (float(x[k]) for x in (model.coefficients, model.means, model.sds))
        term = terms.get(model.features[k])
        numbers: list[Exact | None] = [Exact(c, c), Exact(mean, sd), Exact(sd, sd)]
        if filled:
            numbers += [None if term is None or term.fill is None else Exact(term.fill, sd)]
        rows.append((str(number), label, *numbers, unit, model.features[k]))
    heads = ("No.", "Feature", "Coefficient per SD", "Mean", "SD",
             *(["If missing"] if filled else []), "Unit", "Column name")  # fmt: skip
    columns = tuple(Column(h, exact) for h in heads)
    title = "The score" if model.linear else "Features of the model"
    return Table("score", title, columns, tuple(rows), (_note(results),), sorts=True, main=True)


def _note(results: StudyResults) -> str:
    model, scorer = results.model, results.scorer
    spread = "Mean and SD are those of the training cases that the model was fitted to"
    spread += ", after harmonisation." if scorer.batch_column else "."
    if not model.linear:
        named = classifier_label(model.classifier)
        score = f"The classifier ({named}) has no coefficients: its score is not a weighted sum."
    else:
        score = f"Score = intercept + sum of coefficient × z, z = {formula(results)}."
    if model.clip is not None:
        spread += f" z beyond ±{model.clip:g} is set to that." if model.linear else ""
    if model.linear and any(b.filling and b.filling.donors is not None for b in scorer.branches):
        spread += (
            " A missing value is filled from the nearest training cases, which are in the frozen "
            "model only: the formula holds for cases without missing values."
        )
    return f"{score} {spread} A high score speaks for {model.positive}."


def formula(results: StudyResults) -> str:
    """What z is, in words that name the columns of the tables."""
    column = results.scorer.batch_column
    if column is None:
        return "(value − mean) / SD"
    return (
        f"(value − location) / scale of the case's {column} in {ref('Table harmonisation')}, and "
        "(value − mean) / SD for what is not in it"
    )


def harmonisation_table(results: StudyResults) -> list[Table]:
    """Location and scale of every batch, of a linear model that harmonises."""
    column = results.scorer.batch_column
    if column is None or not results.model.linear:
        return []
    terms, order = terms_of(results.scorer), model_order(results.model)
    rows = [
        (str(number), label, batch, Exact(at, scale), Exact(scale, scale), name)
        for number, (label, name) in enumerate(
            zip(model_labels(results), (results.model.features[k] for k in order), strict=True), 1
        )
        if name in terms
        for batch, (at, scale) in terms[name].harmonised.items()
    ]
    heads = ("No.", "Feature", column.capitalize(), "Location", "Scale", "Column name")
    unseen = {b.harmoniser.unseen for b in results.scorer.branches if b.harmoniser}
    own = ref("Table score")
    kept = f"is not harmonised: mean and SD of {own} hold"
    other = "is refused" if "refuse" in unseen else kept
    notes = (
        "ComBat and the z-score in one step: z = (value as measured − location) / scale. "
        f"A case of another {column} {other}. Features of {own} that are not listed are not "
        "harmonised.",
    )
    columns = tuple(Column(h, exact) for h in heads)
    title = f"Harmonisation by {column}"
    return [Table("harmonisation", title, columns, tuple(rows), notes, sorts=True)]


def decision_table(results: StudyResults) -> Table:
    """From the score to the call and the probability."""
    decision = results.evaluation.decision
    learnt = as_json(decision.calibrator)
    size = float(np.abs(results.scores["score"]).max()) or 1.0
    cutoff = Exact(decision.cutoff.value, min(size, 1.0))
    rows: list[tuple[Any, ...]] = [("Cut-off", cutoff, None, None)]
    if learnt["method"] == "platt":
        rows += [("a", None, Exact(learnt["intercept"], 1.0), None),
                 ("b", None, Exact(learnt["slope"], learnt["slope"]), None)]  # fmt: skip
        settings = "Probability = 1 / (1 + exp(−(a + b × score)))."
    elif learnt["method"] == "isotonic":
        knots = zip(learnt["scores"], learnt["probabilities"], strict=True)
        rows += [("Knot", Exact(s, size), Exact(p, 1.0), None) for s, p in knots]
        settings = (
            "The probability goes in straight lines from knot to knot, and is level beyond them."
        )
    else:
        levels = zip(learnt["scores"], learnt["positives"], learnt["cases"], strict=True)
        rows += [("Level", Exact(s, size), Exact(p, 1.0), Exact(n, 1.0)) for s, p, n in levels]
        settings = (
            "Levels: scores with the cases there, and those of them that are "
            f"{results.model.positive}. With the new case as either outcome the rising "
            "(isotonic) fit gives p0 and p1; the probability is p1 / (1 − p0 + p1)."
        )
    middle = "Positive cases" if learnt["method"] == "venn_abers" else "Value"
    columns = tuple(Column(h, exact) for h in ("Number", "Score", middle, "Cases"))
    notes = (
        f"A score of at least the cut-off is called {results.model.positive}. {settings}",
        "Sets of possible outcomes need the scores of the training patients, which are in the "
        "frozen model only.",
    )
    return Table("call", "From the score to the call", columns, tuple(rows), notes)
