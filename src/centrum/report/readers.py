"""Over which cases readers are compared: said alike wherever it is said."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from centrum.agreement import icc
from centrum.arrays import Flags
from centrum.io.segments import PROPOSED
from centrum.modelling.settings import AgreementSettings
from centrum.protocol import Protocol
from centrum.report.results import StudyResults
from centrum.report.words.agreement import icc_label, rule_label
from centrum.text import counted, fixed, listed, sentences


def agreed_over(results: StudyResults) -> str:
    """The cases of the ICC of `agreement.csv`, by their numbers there."""
    return those(results.agreement["n"], len(results.table.cases), "case", _who(results))


def agreed_cases(results: StudyResults) -> str:
    """The numbers of these cases."""
    n = results.agreement["n"]
    return span(int(n.min()), int(n.max()))


def trained_over(results: StudyResults) -> str:
    """The training cases on which the final model judged the agreement of readers."""
    train = _trained(results)
    read = results.table.read_by_all
    return those([int((read & train).sum())], int(train.sum()), "training case", _who(results))


def trained_agreement(results: StudyResults) -> pd.DataFrame:
    """What the final model's rule saw on its training cases, a row per feature of the table.

    Columns: n, icc, lower, upper, kept (whether the rule let the feature pass).
    """
    rule, train = results.protocol.model.agreement, _trained(results)
    table = results.table.rated
    owners = table.obs["patient"][train]
    values = table.values_of(table.compared)[train]
    found = icc(values, rule.form, patients=owners)
    judged = found.lower if rule.use == "lower_bound" else found.value
    return pd.DataFrame(
        {
            "n": found.n_subjects,
            "icc": found.value,
            "lower": found.lower,
            "upper": found.upper,
            "kept": judged > rule.threshold,
        },
        index=pd.Index(table.names),
    )


def _trained(results: StudyResults) -> Flags:
    """(cases,) of the table, whether the final model was fitted to them."""
    part = results.scores["part"].reindex(results.table.cases)
    return np.asarray(part == "train")


def between_readers(results: StudyResults) -> pd.DataFrame:
    """The rows of `overlap` of two readers, without those of one who read twice."""
    pairs, names = results.overlap, results.table.compared
    if pairs.empty:
        return pairs
    return pairs[pairs["reader_a"].isin(names) & pairs["reader_b"].isin(names)]


def readers_counted(
    results: StudyResults, *, quoted: bool = False, among: Sequence[str] | None = None
) -> list[str]:
    """The readers, or those among them, each with the number of cases that are measured."""
    mark = '"' * quoted
    read = zip(results.table.readers, results.table.read.sum(axis=0), strict=True)
    return [
        f"{mark}{reader}{mark} ({counted(int(n), 'case')})"
        for reader, n in read
        if among is None or reader in among
    ]


def read_by_all(results: StudyResults) -> int:
    """How many of the cases have a measurement of every reader who is compared."""
    return int(results.table.read_by_all.sum())


def _who(results: StudyResults) -> str:
    return who(results.table.compared, results.table.readers, results.protocol)


def not_compared_text(results: StudyResults) -> str:
    """Why the primary reader does not count in the agreement; "" where they do."""
    table = results.table
    primary = table.readers[0]
    if primary in table.compared or any(primary in names for names in table.read_twice):
        return ""
    return (
        f'"{primary}" was not compared: it was made of the outlines of the readers and would agree '
        "with them."
    )


def within_text(results: StudyResults) -> str:
    """How well each reader agrees with themselves who read more than once; "" without one."""
    table, rule = results.table, results.protocol.model.agreement
    if not table.read_twice:
        return ""
    told = [_within(names, results, rule) for names in table.read_twice]
    again = {name for _, *further in table.read_twice for name in further}
    model = "" if table.readers[0] in again else ", nor in the model"
    return sentences(
        *told, f"Repeated readings had no part in the agreement between readers{model}."
    )


def _within(names: Sequence[str], results: StudyResults, rule: AgreementSettings) -> str:
    again = results.agreement_within
    found = again[again["reader"] == names[0]]
    cases = those(found["n"], len(results.table.cases), "case", f'"{names[0]}" read {times(names)}')
    lower, median, upper = np.nanquantile(found["icc"], [0.25, 0.5, 0.75])
    return (
        f'Within "{names[0]}" the median {icc_label(rule)} of the features, over {cases}, was '
        f"{fixed(median, 2)} (interquartile range {fixed(lower, 2)} to {fixed(upper, 2)}); "
        f"{int(found['kept'].sum())} of {len(found)} had {rule_label(rule)}."
    )


def times(names: Sequence[str]) -> str:
    """How often somebody read.

    >>> times(["anna", "anna-second"]), times(["anna", "anna-second", "anna-third"])
    ('twice', '3 times')
    """
    return "twice" if len(names) == 2 else f"{len(names)} times"


def who(compared: Sequence[str], readers: Sequence[str], protocol: Protocol) -> str:
    """The readers who are compared, and what they did; by name where there are others."""
    did = "measured" if protocol.tables else "drew"
    every = f"all {len(compared)}" if len(compared) != 2 else "both"
    named = "" if len(compared) == len(readers) else f", {listed(compared)},"
    return f"{every} readers{named} {did}"


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
