"""Over which cases readers are compared: said alike wherever it is said."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from centrum.agreement import icc
from centrum.arrays import Flags
from centrum.io.segments import PROPOSED
from centrum.protocol import Protocol
from centrum.report.results import StudyResults
from centrum.text import counted, listed


def agreed_over(results: StudyResults) -> str:
    """The cases of the ICC of `agreement.csv`, by their numbers there."""
    return those(
        results.agreement["n"],
        len(results.table.cases),
        "case",
        _who(results),
    )


def agreed_cases(results: StudyResults) -> str:
    """The numbers of these cases."""
    n = results.agreement["n"]
    return span(int(n.min()), int(n.max()))


def trained_over(results: StudyResults) -> str:
    """The training cases on which the final model judged the agreement of readers."""
    train = _trained(results)
    read = results.table.read.all(axis=1)
    return those(
        [int((read & train).sum())],
        int(train.sum()),
        "training case",
        _who(results),
    )


def trained_agreement(results: StudyResults) -> pd.DataFrame:
    """What the final model's rule saw on its training cases, a row per feature of the table.

    Columns: n, icc, lower, upper, kept (whether the rule let the feature pass).
    """
    rule, train = results.protocol.model.agreement, _trained(results)
    owners = results.table.obs["patient"][train]
    found = icc(results.table.values[train], rule.form, patients=owners)
    judged = found.lower if rule.use == "lower_bound" else found.value
    return pd.DataFrame(
        {
            "n": found.n_subjects,
            "icc": found.value,
            "lower": found.lower,
            "upper": found.upper,
            "kept": judged > rule.threshold,
        },
        index=pd.Index(results.table.names),
    )


def _trained(results: StudyResults) -> Flags:
    """(cases,) of the table, whether the final model was fitted to them."""
    part = results.scores["part"].reindex(results.table.cases)
    return np.asarray(part == "train")


def readers_counted(results: StudyResults, *, quoted: bool = False) -> list[str]:
    """The readers, each with the number of cases that are measured."""
    mark = '"' * quoted
    read = zip(results.table.readers, results.table.read.sum(axis=0), strict=True)
    return [f"{mark}{reader}{mark} ({counted(int(n), 'case')})" for reader, n in read]


def read_by_all(results: StudyResults) -> int:
    """How many of the cases have a measurement of every reader."""
    return int(results.table.read.all(axis=1).sum())


def _who(results: StudyResults) -> str:
    return who(len(results.table.readers), results.protocol)


def consensus_text(results: StudyResults) -> str:
    """That the primary reader is a consensus of the others, which agrees with them; else ""."""
    primary = results.table.readers[0]
    if not results.readings or not results.readings.is_consensus(primary):
        return ""
    if len(results.table.readers) == 1:
        return ""
    return (
        f'The ICC counts "{primary}" as a reader: it was made of the outlines of the others, and '
        "the ICC is higher than that of readers who do not know of each other."
    )


def who(readers: int, protocol: Protocol) -> str:
    """All readers, and what they did."""
    did = "measured" if protocol.tables else "drew"
    return f"{'both' if readers == 2 else f'all {readers}'} readers {did}"


def those(counts: Iterable[int], total: int, noun: str, who: str) -> str:
    """The cases that `counts` are of, one count or a count for each feature.

    >>> those([8, 8], 24, "case", "both readers drew")
    'the 8 of 24 cases that both readers drew'
    >>> those([24], 24, "case", "both readers drew")
    'all 24 cases, which both readers drew'
    >>> those([7, 8], 24, "case", "both readers drew")
    'the 7 to 8 (by feature) of 24 cases that both readers drew'
    """
    low, high = (int(pick(counts)) for pick in (min, max))
    if low == total:
        return f"all {total} {noun}s, which {who}"
    return f"the {span(low, high)} of {total} {noun}s that {who}"


def span(low: int, high: int) -> str:
    """A number, or the two ends of numbers that differ from feature to feature.

    >>> span(8, 8), span(7, 8)
    ('8', '7 to 8 (by feature)')
    """
    return f"{low}" if low == high else f"{low} to {high} (by feature)"


def proposed_text(results: StudyResults) -> str:
    """Whose regions were proposed by the software and drawn by no reader; "" where none was."""
    told = [f for f in results.findings if f.code.startswith(PROPOSED)]
    found = Counter((f.reader, f.code) for f in told if f.case in results.table.cases)
    if not found:
        return ""
    parts = [f'{n} of "{reader}" ({code})' for (reader, code), n in sorted(found.items())]
    return (
        f"Of the regions of interest, {listed(parts)} were proposed by the software, from label "
        "maps of another program, and not drawn by a reader."
    )
