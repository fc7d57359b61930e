"""Columns of a manifest that tell how images were acquired; no cell of them is needed."""

from centrum.cohort.case import Value
from centrum.cohort.cells import is_missing
from centrum.cohort.findings import Findings, listed
from centrum.io.facts import fact_of, read_facts


def read_fact_column(cells: dict[int, str], head: str, findings: Findings) -> dict[int, Value]:
    """The numbers of a fact by row, with or without units; what cannot be read is empty, and noted.

    >>> found = Findings()
    >>> read_fact_column({2: "100 ms", 3: "0,1 s", 4: "long", 5: ""}, "te_ms", found)
    {2: 100.0, 3: 100.0, 4: None, 5: None}
    >>> found.notes
    ["column 'te_ms', rows 4: the value is no number, 'long', and is left out."]
    """
    fact, values, unread = fact_of(head), dict[int, Value](), dict[str, list[int]]()
    for row, text in cells.items():
        found = read_facts(
            {fact: None if is_missing(text) else str(text)}, called={fact: "the value"}
        )
        values[row] = found.facts.get(fact)
        for note in found.notes:
            unread.setdefault(note, []).append(row)
    for note, rows in unread.items():
        findings.note(f"column {head!r}, rows {listed(rows)}: {note}")
    return values
