"""The section on the sparse model beside the model: what few features keep, and what is lost."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from centrum.modelling.settings import SPARSE
from centrum.report.blocks import Block, Column, PValue, Table
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.sections.validation import WHOLE, against_model, compared_by
from centrum.report.tables import flat, labels_of, not_computed
from centrum.report.words.model import penalty_label
from centrum.text import agreeing, fixed, interval_text, listed, p_equals, percent
from centrum.validation.fits import Prediction
from centrum.validation.over_parts import by_part, fitted
from centrum.validation.procedure import sparse_protocol

SHOWN = ("Features", "Sensitivity", "Specificity", "Brier score")
"""Measures of the parts that stand beside the AUC."""


@section
def sparse_model(results: StudyResults) -> Block | None:
    """The model beside the sparse one, and what is lost; None where that was not asked for."""
    if not results.protocol.evaluation.ablation:
        return None
    title, anchor = "A sparse model", "sparse-model"
    few = sparse_protocol(results.protocol)
    if few is None:
        text = f"The model is itself the sparse one, with at most {SPARSE} features."
        return Block(title, anchor, prose=(text,))
    failed = [r["error"] for r in results.validation.sparse if r["error"]]
    warnings = (
        *not_computed(results, "sparse"),
        *(f"The sparse model could not be fitted: {why}" for why in failed[:1]),
    )
    if not (lost := lost_text(results)):
        return Block(title, anchor, warnings=warnings)
    prose = (
        f"The {penalty_label(few.model.lasso)} of the same settings with at most {SPARSE} "
        "features: the largest penalty within one standard error of the best, raised where that "
        "leaves more, or the largest that selects any where that one selects none. Fitted to the "
        "same training cases and tested on the same test cases as the model.",
        lost,
        f"The protocol chooses it by {listed(_choices(results))}. Chosen after a look at these "
        "test cases, it has no unseen cases left to be judged on.",
    )
    tables = (_comparison(results), *_features(results))
    return Block(title, anchor, prose=prose, warnings=warnings, tables=tables)


def lost_text(results: StudyResults) -> str:
    """What the sparse model loses, in a sentence; nothing where it cannot be compared."""
    few, own = results.validation.sparse, results.validation.parts
    if not any(None not in (r["auc"], o["auc"]) for r, o in zip(few, own, strict=False)):
        return ""
    (area, gap, p), (whole, _, _) = against_model(results, few), against_model(results, own)
    digits, (lower,) = agreeing((area.value, whole.value))
    loss = interval_text(-gap.upper, -gap.lower, digits, " to ")
    lost = f"{fixed(-lower, digits)} is lost" if gap.value < 0 else "nothing is lost"
    return (
        f"The sparse model reads {features_of(few)}, the model {mean_features(own)}; on "
        f"the same test cases its AUC is {fixed(area.value, digits)}, that of the model "
        f"{fixed(whole.value, digits)}: {lost} "
        f"({percent(results.protocol.evaluation.confidence)} CI of the loss {loss}, "
        f"{p_equals(p)})."
    )


def features_of(records: Sequence[Prediction]) -> str:
    """How many features they have, with the noun."""
    mean = mean_features(records)
    return f"{mean} feature{'s' * (mean != '1')}"


def mean_features(records: Sequence[Prediction]) -> str:
    """Features of the parts that could be fitted, on the mean."""
    mean = float(np.mean(by_part(fitted(records))["Features"]))
    return fixed(mean, 0 if len(records) == 1 else 1)


def _choices(results: StudyResults) -> list[str]:
    """What the protocol of the sparse model says otherwise."""
    few = sparse_protocol(results.protocol) or results.protocol
    blocks = {"model", "search"}
    own, others = (dict(flat(p.model_dump(mode="json", include=blocks)))
                   for p in (results.protocol, few))  # fmt: skip
    return [f"{name}: {value}" for name, value in others.items() if own.get(name) != value]


def _comparison(results: StudyResults) -> Table:
    rows: list[tuple[Any, ...]] = []
    for name, records in ((WHOLE, results.validation.parts), ("sparse", results.validation.sparse)):
        measured = by_part(fitted(records))
        means = {k: float(np.mean(measured[k])) if measured[k] else None for k in SHOWN}
        area, gap, p = against_model(results, records)
        beside = (None, None) if name == WHOLE else (gap, PValue(p))
        rows.append((name, means["Features"], area, *beside, *(means[k] for k in SHOWN[1:])))
    heads = ("AUC, test (CI)", "Difference to the model (CI)", "P")
    digits = 0 if len(results.validation.parts) == 1 else 1
    columns = (
        Column("Model"), Column("Features", lambda v: fixed(v, digits)), *map(Column, heads),
        *(Column(name, lambda v: "" if v is None else fixed(v)) for name in SHOWN[1:]),
    )  # fmt: skip
    notes = (f"{compared_by(results)} Each has a cut-off of its own, learnt on training cases.",)
    return Table("sparse", "The model and the sparse model", columns, tuple(rows), notes)


def _features(results: StudyResults) -> Iterator[Table]:
    """The features of the sparse model on the training cases of the final model."""
    found, parts = results.validation.sparse_features, fitted(results.validation.sparse)
    names = sorted(found, key=lambda name: -abs(found[name] or 0.0))
    if not names:
        return
    own = dict(zip(results.model.features, results.model.coefficients.tolist(), strict=True))
    several = len(parts) > 1
    rows = tuple(
        (label, found[name], own.get(name), *([_share(name, parts)] if several else []))
        for name, label in zip(names, labels_of(results, names), strict=True)
    )
    heads = ("Coefficient per SD", "In the model",
             *(["Share of the parts that select it"] if several else []))  # fmt: skip
    columns = (
        Column("Feature"),
        *(Column(head, lambda v: "" if v is None else fixed(v)) for head in heads),
    )
    notes = ("Fitted to the training cases of the final model. Empty: not a feature of the model.",)
    yield Table("sparse-features", "Features of the sparse model", columns, rows, notes, sorts=True)


def _share(name: str, parts: Sequence[Prediction]) -> float:
    """Of the parts that select a feature."""
    return sum(name in part["features"] for part in parts) / len(parts)
