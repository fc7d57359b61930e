"""Model card and data sheet: a study's model and its data on a page each, in Markdown.

They hold summaries only: no patient, no case, no date. Of the manifest's columns only those are
described that the report groups by or the model reads; others are named, no more.

Sources of the two forms: Mitchell et al., Proc FAT* 2019:220; Gebru et al., Commun ACM
2021;64(12):86.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from centrum.arrays import column_blocks
from centrum.evaluate.population import MISSING
from centrum.manuscript.answers import (
    MODEL_FILE,
    StudyFacts,
    area_text,
    classifier_text,
    listed,
    prepared,
    spread,
)
from centrum.manuscript.evidence_of_study import acquired
from centrum.manuscript.results_external import external_summary
from centrum.protocol.inherited import stated
from centrum.protocol.limits import RESEARCH_ONLY, outside_the_region, region_words
from centrum.records import as_json
from centrum.report.blocks import Table
from centrum.report.flow import flow_table
from centrum.report.formula import (
    Exact,
    decision_table,
    exact,
    formula,
    harmonisation_table,
    score_table,
)
from centrum.report.labels import family_label
from centrum.report.other_readers import found_text
from centrum.report.results import StudyResults
from centrum.report.sections.calibration_and_use import (
    calibration_table,
    sets_text,
    subgroup_table,
)
from centrum.report.sections.instability import instability_text
from centrum.report.sections.other_readers import (
    regions_table,
    score_agreement_table,
)
from centrum.report.sections.sparse_model import lost_text
from centrum.report.sections.validation import parts_table
from centrum.report.sequences import weighting_text
from centrum.report.tables import (
    digest_table,
    frame_table,
    overlap_table,
    performance_table,
    population_table,
    version_table,
)
from centrum.report.words.features import DIALECTS
from centrum.report.words.model import CALIBRATIONS
from centrum.report.words.validation import design_label
from centrum.text import counted, fixed, percent

ALWAYS_DESCRIBED = ("level", "region", "outcome", "centre", "age", "sex")
"""Columns of every manifest that are summarised; others if the protocol uses them."""

ELSEWHERE = "Features were read from tables made elsewhere"
"""What is said of a study of tables where others tell of their images."""

COUNTS = ("cases", "patients")
"""First rows of the table of the population."""


def model_card(results: StudyResults, facts: StudyFacts) -> str:
    """The model: what it is for, how it did, and how to use it; Markdown."""
    sections = {
        "What it is": _what_it_is(results),
        "Intended use and limits": _use(results),
        "Training data": _training(results),
        "Performance": _performance(results),
        "Other readers": _other_readers(results),
        "Calibration": _calibration(results),
        "Cut-off and uncertainty": _cut_off(results),
        "Subgroups": _subgroups(results),
        "Features": [
            _markdown(table)
            for table in (
                score_table(results),
                *harmonisation_table(results),
                decision_table(results),
            )
        ],
        "How to use it": _how_to_use(results, facts),
        "Software": [_markdown(version_table(results))],
        "Digests": [_markdown(digest_table(results))],
    }
    return _page(f"Model card: {results.title}", results, sections)


def data_sheet(results: StudyResults, facts: StudyFacts) -> str:
    """The data: who and what was measured, and what is missing; Markdown."""
    sections = {
        "Cases": _cases(results),
        "Flow": _flow(results),
        "Readers": _readers(results),
        "Acquisition": _acquisition(results, facts),
        "Missing values": _missing(results),
        "Features": _features(results),
        "Left out": _left_out(results),
        "Digests": [_markdown(digest_table(results))],
    }
    return _page(f"Data sheet: {results.title}", results, sections)


# The page


def _page(title: str, results: StudyResults, sections: dict[str, list[str]]) -> str:
    notice = f"**{results.simulated.rstrip('.')}.**" if results.simulated else ""
    parts = [f"# {title}", *filter(None, [notice])]
    for head, paragraphs in sections.items():
        parts += [f"## {head}", *filter(None, paragraphs)]
    return "\n\n".join(parts) + "\n"


def _points(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines if line)


def _markdown(table: Table) -> str:
    """A table of the report, its notes below it.

    >>> from centrum.report.blocks import Column
    >>> print(_markdown(Table("t", "T", (Column("x"), Column("y")), (("a|b", 1),))))
    | x | y |
    |---|---|
    | a\\|b | 1 |
    """
    rows = [[column.name for column in table.columns], *table.shown()]
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    lines.insert(1, "|" + "---|" * len(table.columns))
    return "\n\n".join(["\n".join(lines), *table.notes])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# The model


def _what_it_is(results: StudyResults) -> list[str]:
    model = results.model
    return [
        stated(results.protocol).description,
        f"A score that tells {model.positive} (high) from {model.negative} (low) vertebral "
        f"fractures by {counted(len(model.features), 'feature')}, of "
        f"{len(results.table.features)} that were measured. Classifier: "
        f"{classifier_text(results)}.",
    ]


def _use(results: StudyResults) -> list[str]:
    covered = f"{results.model.positive} or {results.model.negative}"
    alike = (
        "with features measured as those of the tables were"
        if results.protocol.tables
        else "on images that were acquired, drawn and prepared as here"
    )
    return [
        RESEARCH_ONLY,
        f"Meant for studies of fractured vertebrae that are {covered}, {alike}: other lesions "
        "and normal vertebrae were not among the cases, and the score says nothing about them.",
        outside_the_region(results.protocol.images.region, results.regions),
    ]


def _training(results: StudyResults) -> list[str]:
    train = results.evaluation.by_set["train"]
    sequences = listed(dict.fromkeys(f.sequence for f in results.table.features if f.sequence))
    return [
        _points(
            (
                f"{counted(train.n, 'case')} of {counted(train.n_patients, 'patient')}: "
                f"{train.n_positive} {results.model.positive}, {train.n_negative} "
                f"{results.model.negative}",
                f"Image sequences: {sequences}" if sequences else "",
                weighting_text(results),
                f"Readers: {listed(results.table.readers)}; the features of "
                f"{results.table.readers[0]} feed the model",
                _prepared(results),
                f"Covariates: {listed(results.protocol.model.covariates) or 'none'}",
            )
        )
    ]


def _performance(results: StudyResults) -> list[str]:
    split, parts = results.protocol.split, len(results.validation.parts)
    prevalence = results.protocol.evaluation.prevalence
    return [
        f"Design: {design_label(split)}; {counted(parts, 'part')}. AUC on cases that "
        f"took no part in any choice: {area_text(results)}.",
        lost_text(results),
        _markdown(parts_table(results)) if parts > 1 else "",
        _markdown(performance_table(results.evaluation.by_set, prevalence)),
    ]


def _other_readers(results: StudyResults) -> list[str]:
    found = results.evaluation.other_readers
    if not found:
        return ["How far the score depends on who draws the region was not assessed."]
    tables = (regions_table(results), score_agreement_table(results))
    return [" ".join(map(found_text, found)), *map(_markdown, tables)]


def _calibration(results: StudyResults) -> list[str]:
    calibration, found = results.protocol.model.calibration, results.evaluation
    return [
        f"Scores become probabilities by {CALIBRATIONS[calibration].label}, learnt on out-of-fold "
        "scores of the "
        "training cases.",
        f"No calibration slope: {found.calibration.reason}." if found.calibration.reason else "",
        _markdown(calibration_table(found.calibration, found.by_set["test"].confidence)),
    ]


def _cut_off(results: StudyResults) -> list[str]:
    cut, found = results.cutoff, results.evaluation
    sets = found.conformal
    return [
        f"A score of at least {fixed(cut.value)} is called {results.model.positive} ({cut.rule}, "
        f"learnt on {cut.learnt_on}).",
        instability_text(results),
        f"{sets_text(results)} Of the test cases {percent(sets.decided, 0)} have one outcome in "
        f"their set, {percent(sets.uncertain, 0)} are uncertain, {percent(sets.neither, 0)} "
        "unlike both.",
    ]


def _subgroups(results: StudyResults) -> list[str]:
    rows = results.evaluation.subgroups
    if not rows:
        return ["No column of the manifest splits the test cases into groups."]
    table = subgroup_table(results)
    judged = [row for row, found in zip(table.rows, rows, strict=True) if not found.reason]
    small = len(rows) - len(judged)
    few = f"{counted(small, 'group')} too small to be evaluated." if small else ""
    return [_markdown(replace(table, rows=tuple(judged))) if judged else "", few]


def _how_to_use(results: StudyResults, facts: StudyFacts) -> list[str]:
    linear = results.model.linear
    return [
        _how_to_measure(results),
        f"score = intercept + sum of coefficient × z, z = {formula(results)}, with the numbers "
        f"above; {_files(results)} have them in full."
        if linear
        else f"The classifier ({classifier_text(results)}) has no coefficients: computing "
        "its score takes the model.",
        _platt(results),
        _frozen(results) if facts.exported_model else "",
        "" if facts.external is None else external_summary(results, facts.external),
        "The text of the methods says in words what was done." if facts.methods else "",
    ]


def _how_to_measure(results: StudyResults) -> str:
    """What to do with a new patient before the score is computed."""
    if results.protocol.tables:
        return f"{ELSEWHERE}. Measure new cases as those were measured, and score them:"
    return (
        f"Draw the {region_words(results.protocol.images.region)}, on every "
        f"{results.protocol.extraction.plane} slice, prepare and measure it by the protocol of the "
        "study (study.yaml), and score it:"
    )


def _frozen(results: StudyResults) -> str:
    """The command that applies the frozen model: images cannot be measured for one of tables."""
    if results.protocol.tables:
        return f"The frozen model is {MODEL_FILE}; `centrum validate` applies it to other tables."
    return f"The frozen model is {MODEL_FILE}; `centrum score` scores new patients by it."


def _platt(results: StudyResults) -> str:
    learnt = as_json(results.evaluation.decision.calibrator)
    if learnt["method"] != "platt":
        return "The table of the cut-off above says how the score becomes a probability."
    a, b = Exact(learnt["intercept"], 1.0), Exact(learnt["slope"], learnt["slope"])
    return (
        f"Probability of {results.model.positive} = 1 / (1 + exp(−(a + b × score))), "
        f"a = {exact(a)}, b = {exact(b)}."
    )


def _files(results: StudyResults) -> str:
    tables = (score_table(results), *harmonisation_table(results), decision_table(results))
    return " and ".join(table.file for table in tables)


# The data


def _cases(results: StudyResults) -> list[str]:
    known = {*ALWAYS_DESCRIBED, *COUNTS, *_used(results)}
    table, rows = population_table(results), results.population
    kept = [cells for cells, row in zip(table.rows, rows, strict=True) if row.variable in known]
    others = dict.fromkeys(row.variable for row in rows if row.variable not in known)
    return [
        f"One case is one fractured vertebra; its region is the "
        f"{region_words(results.protocol.images.region)}. Outcomes: {results.model.positive} and "
        f"{results.model.negative}.",
        _markdown(replace(table, rows=tuple(kept))),
        f"Further columns, not described here: {listed(others)}." if others else "",
    ]


def _used(results: StudyResults) -> Sequence[str]:
    protocol = results.protocol
    return (*protocol.evaluation.subgroups, *protocol.model.covariates)


def _flow(results: StudyResults) -> list[str]:
    undecided = sum(len(rule.undecided) for rule in results.flow.exclusions)
    return [
        _markdown(flow_table(results)),
        f"{counted(undecided, 'case')} stayed in although a missing value leaves a rule undecided."
        if undecided
        else "",
        "" if results.flow.exclusions else "The protocol has no eligibility criteria.",
    ]


def _readers(results: StudyResults) -> list[str]:
    read = zip(results.table.readers, results.table.read.sum(axis=0), strict=True)
    return [
        _points(f"{reader}: {counted(int(n), 'case')}" for reader, n in read),
        _markdown(overlap_table(results.overlap, results.overlap_of_regions))
        if len(results.overlap)
        else "",
    ]


def _acquisition(results: StudyResults, facts: StudyFacts) -> list[str]:
    frame = acquired(results, facts)
    found = [f"{str(name).replace('_', ' ')}: {spread(frame[name])}" for name in frame]
    return [
        _points(
            (
                _sequences(results),
                weighting_text(results),
                *found,
            )
        ),
        "" if found else "Nothing more is known about the acquisition.",
    ]


def _sequences(results: StudyResults) -> str:
    """The image sequences that were measured, as far as their features name them."""
    names = listed(dict.fromkeys(f.sequence for f in results.table.features if f.sequence))
    if names:
        return f"sequences: {names}"
    return "" if results.protocol.tables else "one sequence"


def _missing(results: StudyResults) -> list[str]:
    rows = [r for r in results.population if r.level == MISSING]
    values = results.table.values[:, :, 0]
    blocks = (np.asarray(values[:, own]) for own in column_blocks(values))
    lost = int(sum((~np.isfinite(block)).sum() for block in blocks))
    return [
        _points(
            (
                f"features of the primary reader: {counted(lost, 'value')}",
                *(f"{row.variable.replace('_', ' ')}: {row.overall.text}" for row in rows),
            )
        )
    ]


def _features(results: StudyResults) -> list[str]:
    features = results.table.features
    images = pd.Series([f.image for f in features], name="image")
    families = pd.Series([family_label(f) for f in features])
    counts = pd.crosstab(images, families).loc[images.unique(), families.unique()]
    return [
        f"{counted(len(features), 'feature')} of {counted(len(counts), 'image')}"
        + ("." if results.protocol.tables else f", {_definitions(results)}."),
        _markdown(frame_table(counts.reset_index())),
        f"{_prepared(results)}.",
    ]


def _definitions(results: StudyResults) -> str:
    return f"the definitions those of {DIALECTS[results.table.dialect].label}"


def _prepared(results: StudyResults) -> str:
    """What was done to the images, which nobody knows of tables."""
    if results.protocol.tables:
        return f"{ELSEWHERE}: their preparation is not in the records"
    return f"Images: {'; '.join(prepared(results.protocol))}"


def _left_out(results: StudyResults) -> list[str]:
    undefined = [
        name
        for step in results.history
        if step.name == "leave out undefined"
        for name in step.parameters["features"]
    ]
    kinds = Counter(finding.code for finding in results.findings)
    noticed = listed(f"{code} ({n})" for code, n in kinds.items())
    return [
        _points(
            (
                f"{counted(len(results.failures), 'case')} could not be measured",
                f"{counted(len(undefined), 'feature')} without a value in any region"
                + (f": {listed(undefined)}" if undefined else ""),
                f"findings in what was measured: {noticed or 'none'}",
                "images, regions, patient identifiers and dates are not part of this sheet",
            )
        )
    ]
