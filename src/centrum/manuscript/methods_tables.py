"""A study of feature tables produced elsewhere: where its numbers come from."""

from collections.abc import Mapping

from centrum.report.readers import readers_counted
from centrum.report.results import StudyResults
from centrum.report.words.images import PROGRAMS
from centrum.text import counted, listed, placeholder, quoted, sentences


def segmentation(results: StudyResults) -> str:
    """Who drew, as far as the tables say."""
    readers = results.table.readers
    return sentences(
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


def tables(results: StudyResults) -> str:
    """Which tables, and what was read of them."""
    read = [step.parameters for step in results.table.history if step.name == "read table"]
    told = [
        f"of {quoted([str(p['reader'])])} from {counted(int(p['files']), 'table')} of "
        f"{PROGRAMS[str(p['format'])]} ({p['matched']} of {counted(int(p['rows']), 'row')} matched "
        "by id with a case of the manifest)"
        for p in read
    ]
    left_out = {head: why for p in read for head, why in p["no_features"].items()}
    kept = [name for p in read for name in p["kept"]]
    n = len(results.table.features)
    return sentences(
        "Images were neither prepared nor measured by the software of this study: features were "
        f"read as they had been measured, {listed(told)}.",
        f"{n} features per case and reader were analysed, those that all readers' tables have.",
        f"Columns that hold no features were left out: {_reasons(left_out)}." if left_out else "",
        f"Kept as features at the investigators' word: {quoted(kept)}." if kept else "",
        placeholder("software, version and all settings of preparation and feature extraction"),
    )


def _reasons(columns: Mapping[str, str]) -> str:
    return listed([f"{quoted([head])} ({why})" for head, why in columns.items()])
