"""Made-up studies by many protocols, and all that is said of one, line by line."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from centrum.frozen.scorer import Branch, Filling, Harmoniser, Scorer
from centrum.manuscript.abstract import abstract_text
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.cards import data_sheet, model_card
from centrum.manuscript.checklists import CHECKLISTS, checklist_table, fill
from centrum.manuscript.limitations import limitations_text
from centrum.manuscript.methods import Paragraph, methods_text
from centrum.manuscript.results import results_text
from centrum.protocol import Protocol
from centrum.provenance import Step
from centrum.report.blocks import Block, Table
from centrum.report.build import sections_of
from centrum.report.results import StudyResults
from centrum.validation.model import Model
from tests.report.conftest import SEARCHED

Patch = Mapping[str, Any]

LINEAR = ("linear_svm", "logistic", "ridge", "elastic_net")
BY_COLUMN = ("leave_one_centre_out", "external")


def varied(
    results: StudyResults, patch: Patch, *, simulated: bool = True, audited: bool = True
) -> StudyResults:
    """The study by a changed protocol, with what the fit of such a protocol leaves behind.

    Parameters
    ----------
    patch : choices of `model`, `split` and `images` that are changed, and other blocks as a whole;
        with `tables` nothing is left of images
    audited : whether outcomes were permuted and leaks switched on
    """
    protocol = _patched(results.protocol, patch)
    obs = results.table.obs.assign(**_columns(results, protocol))
    table = replace(results.table, obs=obs)
    found = results.validation
    apart = protocol.split.design in BY_COLUMN and protocol.split.column == "centre"
    sides = [{**side, "centres": 0 if apart else 1} for side in found.rows["parts"]]
    found = replace(found, rows={**found.rows, "parts": sides})
    if not audited:
        found = replace(found, permutation=None, leaks=[])
    varied = replace(
        results,
        protocol=protocol,
        search=SEARCHED if protocol.search is not None else (),
        table=table,
        model=_model(results.model, protocol, len(table.readers)),
        scorer=_scorer(results.scorer, protocol),
        simulated=results.simulated if simulated else "",
        sides=results.sides if protocol.split.single_part else None,
        validation=found,
    )
    return _of_tables(varied) if protocol.tables else varied


def _patched(protocol: Protocol, patch: Patch) -> Protocol:
    choices = protocol.model_dump()
    for name, block in patch.items():
        merged = name in ("model", "split", "images")
        choices[name] = choices[name] | block if merged else block
    return Protocol.model_validate(choices)


def _of_tables(results: StudyResults) -> StudyResults:
    n = len(results.table.cases)
    read = tuple(
        Step("read table", {"reader": table.reader, "files": 1, "format": "pyradiomics", "rows": n,
                            "matched": n, "no_features": {}, "kept": []})
        for table in results.protocol.tables
    )  # fmt: skip
    return replace(
        results,
        table=replace(results.table, history=read),
        sources={},
        overlap=results.overlap.iloc[:0],
    )


def _columns(results: StudyResults, protocol: Protocol) -> dict[str, Any]:
    """The column of a design that goes by one, and that of the batches."""
    tested = (results.scores["part"] == "test").to_numpy()
    found = {}
    if protocol.model.harmonisation.method != "none":
        found[protocol.model.harmonisation.batch] = np.arange(len(tested)) % 3 == 0
    if protocol.split.design in BY_COLUMN:
        found[protocol.split.column] = tested
    return {name: np.where(is_b, "B", "A") for name, is_b in found.items()}


def _model(model: Model, protocol: Protocol, n_readers: int) -> Model:
    """What a fit by the protocol leaves: the steps that it has, and their facts."""
    settings = protocol.model
    if protocol.search is not None:
        (won,) = (row for row in SEARCHED if row["chosen"])
        settings = settings.model_copy(update={"classifier": won["classifier"]})
    kind, fused = settings.classifier, settings.fusion != "early"
    path = settings.select.method == "lasso" or kind == "elastic_net"
    steps = {
        "agreement": n_readers > 1,
        "imputation": settings.imputation.method != "none",
        "harmonisation": settings.harmonisation.method != "none",
        "constant": True,
        "balance": settings.balance in ("repeat", "smote"),
        "correlation": settings.correlation is not None,
        "select": settings.select.method != "none",
        "rfe": settings.rfe.estimator != "none",
        "classifier": kind == "elastic_net",
    }
    sizes = {"imputation": 60, "harmonisation": 60, "balance": 59, "classifier": 6} | model.funnel
    return replace(
        model,
        classifier=kind,
        clip=settings.clip,
        coefficients=model.coefficients * (1.0 if kind in LINEAR else np.nan),
        funnel={step: sizes[step] for step, there in steps.items() if there},
        lasso=model.lasso if path and not fused else None,
        feature_count=model.feature_count if settings.n_features and not fused else None,
    )


def _scorer(scorer: Scorer, protocol: Protocol) -> Scorer:
    """The same numbers after a filling and a harmonisation, where the protocol has them."""
    settings, (branch,) = protocol.model, scorer.branches
    filling = None if settings.imputation.method == "none" else Filling(branch.mean, None, 0)
    harmoniser = None
    if settings.harmonisation.method != "none":
        k = branch.mean.size
        harmoniser = Harmoniser(
            settings.harmonisation.batch, ("A", "B"), branch.mean, branch.sd,
            np.array([np.zeros(k), np.ones(k)]), np.ones((2, k)), np.ones(k, dtype=bool),
            None, "as_is",
        )  # fmt: skip
    moved = Branch(
        branch.reads, filling, branch.kept, harmoniser, branch.mean, branch.sd, settings.clip,
        branch.members,
    )  # fmt: skip
    return replace(scorer, branches=(moved,))


# All that is said


def everything(results: StudyResults, facts: StudyFacts) -> Iterator[str]:
    """Report, methods, cards and checklists, a line each, which begins with where it stands."""
    for block in sections_of(results):
        yield from (f"report, {block.anchor}: {line}" for line in of_block(block))
    chapters = {
        "abstract": abstract_text(results, facts.external),
        "methods": methods_text(results),
        "results": results_text(results),
        "limitations": [Paragraph("", limitations_text(results, facts.external))],
    }
    for name, paragraphs in chapters.items():
        for paragraph in paragraphs:
            said = (paragraph.text, *paragraph.items)
            yield from (f"{name}, {paragraph.heading}: {text}" for text in said)
    for name, card in (("model card", model_card), ("data sheet", data_sheet)):
        yield from (f"{name}: {line}" for line in card(results, facts).splitlines() if line)
    for name in CHECKLISTS:
        answers = fill(results, name, facts)
        yield from (f"{name} {a.item}: [{a.status}] {a.answer}" for a in answers)
        yield from _of_table(checklist_table(name, answers))


def of_block(block: Block) -> Iterator[str]:
    """All that a section says."""
    yield from (block.title, *block.prose, *block.warnings)
    yield from (point.text for point in block.points)
    yield from (f"{name}: {value}" for name, value in block.facts)
    for answer in block.answers:
        yield from (f"{name}: {value}" for name, value in answer.facts)
        yield from (point.text for point in answer.points)
    for table in block.tables:
        yield from _of_table(table)
    for picture in block.pictures:
        yield from (picture.title, picture.caption, picture.alt, picture.reading)


def _of_table(table: Table) -> Iterator[str]:
    yield from (table.title, *(column.name for column in table.columns), *table.notes)
    yield from (" | ".join(row) for row in table.shown())
