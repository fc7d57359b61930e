"""A study of feature tables produced elsewhere: where its numbers come from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from centrum.manuscript.passage import Passage
from centrum.report.readers import readers_counted
from centrum.report.results import StudyResults
from centrum.report.words.images import PROGRAMS
from centrum.table import FeatureTable
from centrum.text import counted, listed, placeholder, quoted, sentences


def segmentation(results: StudyResults) -> Passage:
    """Who drew, as far as the tables say."""
    readers = results.table.readers
    paper = sentences(
        placeholder("scanner, field strength and parameters of the acquisition"),
        placeholder(
            "who drew the regions of interest, with which experience and software, blinded to what"
        ),
        f"Features of {counted(len(readers), 'reader')}, "
        f"{listed(readers_counted(results, quoted=True))}, were given."
        if len(readers) > 1
        else f"Features of one reader, {quoted(readers)}, were given.",
        f"Those of {quoted(readers[:1])}, the primary reader, fed the model.",
    )
    return Passage(paper)


def tables(results: StudyResults) -> Passage:
    """Which tables, and what was read of them."""
    read = [p for p in _read(results) if "source" not in p]
    told = [f"of {quoted([str(p['reader'])])} {_from(p)}" for p in read]
    left_out = {head: why for p in read for head, why in p["no_features"].items()}
    kept = [name for p in read for name in p["kept"]]
    n = len(results.table.measured.features)
    paper = sentences(
        "Images were neither prepared nor measured by the software of this study: features were "
        f"read as they had been measured, {listed(told)}.",
        f"{n} features per case and reader were analysed, those that all readers' tables have.",
        placeholder("software, version and all settings of preparation and feature extraction"),
    )
    supplement = sentences(
        f"Columns that hold no features were left out: {_reasons(left_out)}." if left_out else "",
        f"Kept as features at the investigators' word: {quoted(kept)}." if kept else "",
    )
    return Passage(paper, supplement)


def sources(results: StudyResults) -> Passage:
    """Which features made elsewhere joined the others by case; nothing without any."""
    read = [p for p in _read(results) if "source" in p]
    if not read:
        return Passage()
    table = results.table
    counts = Counter(f.sequence for f in table.features)
    told = [
        f"{counted(counts[name], 'feature')} of the source {quoted([name])} {_whose(table, own)}"
        for name in table.elsewhere
        for own in [[p for p in read if p["source"] == name]]
    ]
    paper = sentences(
        f"Features made elsewhere joined them by case: {'; '.join(told)}.",
        f"In all, {counted(len(table.features), 'feature')} per case and reader were analysed.",
        placeholder("how the features made elsewhere were made"),
    )
    return Passage(paper)


def _whose(table: FeatureTable, read: Sequence[Mapping[str, Any]]) -> str:
    if read[0]["source"] in table.unread:
        return f"{_from(read[0])}, the same for every reader and not part of their agreement"
    return listed([f"{_from(p)} as made by {quoted([str(p['reader'])])}" for p in read])


def _read(results: StudyResults) -> list[Mapping[str, Any]]:
    """How each table was read."""
    return [step.parameters for step in results.table.history if step.name == "read table"]


def _from(read: Mapping[str, Any]) -> str:
    return (
        f"from {counted(int(read['files']), 'table')} of {PROGRAMS[str(read['format'])]} "
        f"({read['matched']} of {counted(int(read['rows']), 'row')} matched by id with a case of "
        "the manifest)"
    )


def _reasons(columns: Mapping[str, str]) -> str:
    return listed([f"{quoted([head])} ({why})" for head, why in columns.items()])
