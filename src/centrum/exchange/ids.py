"""Which column names the cases."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from centrum.cohort.cells import is_no_name
from centrum.cohort.findings import listed
from centrum.errors import ManifestError
from centrum.exchange.grid import CellGrid

CASE_HEADS = ("case", "caseid", "casename", "id", "sampleid", "samplename", "sample")
"""Heads of columns that name cases, as `plain` makes them; an earlier one is taken first."""

PATIENT_HEADS = ("patient", "patientid", "subject", "subjectid", "patientname")
"""Heads that name cases if each patient has one case; their cells are not told in messages."""


@dataclass(frozen=True)
class IdCandidate:
    """Texts that may be the ids of the cases.

    Attributes
    ----------
    ids : text by case
    origin : where they come from, such as "column 'ID'"
    index : position of the column that they are, None if they were made of something
    binding : whether they must serve; the others are passed over if they do not
    warning : what to say when they serve
    """

    ids: tuple[str, ...]
    origin: str
    index: int | None = None
    binding: bool = False
    warning: str = ""


def plain(head: str) -> str:
    """A head without case and punctuation.

    >>> plain("Case_ID")
    'caseid'
    """
    return "".join(re.findall(r"[^\W_]+", head.casefold()))


def by_heads(grid: CellGrid, heads: Sequence[str], **options: bool | str) -> Iterator[IdCandidate]:
    """The columns with one of the `heads`, in the order of these."""
    for wanted in heads:
        for j, head in enumerate(grid.heads):
            if plain(head) == wanted:
                yield IdCandidate(grid.column(j), f"column {head!r}", j, **options)  # type: ignore[arg-type]


def usual(grid: CellGrid, *others: IdCandidate) -> list[IdCandidate]:
    """What the file itself names, columns of cases, of patients, `others`, names of rows."""
    own = [IdCandidate(grid.ids, "the header", binding=True)] if grid.ids else []
    cases = by_heads(grid, CASE_HEADS, binding=True)
    patients = by_heads(
        grid, PATIENT_HEADS, warning="every patient has one case, named as the patient"
    )
    unnamed = [
        IdCandidate(grid.column(j), f"the names of the rows (column {j + 1})", j)
        for j in grid.row_names()
    ]
    return [*own, *cases, *patients, *others, *unnamed]


def choose(grid: CellGrid, candidates: Sequence[IdCandidate], id_column: str | None) -> IdCandidate:
    """The ids of the cases.

    Raises
    ------
    ManifestError
        There are none, or those there are leave a case without id or are repeated.
    """
    if id_column is not None:
        chosen = _named(grid, id_column)
        _check(grid, chosen)
        return chosen
    for candidate in candidates:
        if candidate.binding or not (_gaps(candidate.ids) or _repeats(candidate.ids)):
            _check(grid, candidate)
            return candidate
    if candidates:
        _check(grid, candidates[0])
    raise ManifestError(
        f"{grid.file}: no column names the cases. Wanted one that is called 'case', 'ID' or "
        f"'patient'; found {listed(grid.heads, 8)}.",
        remedy="Add one, or say which it is (id column).",
        code="no-id-column",
        file=grid.file,
    )


def _named(grid: CellGrid, id_column: str) -> IdCandidate:
    for same in (str, plain):
        found = [j for j, head in enumerate(grid.heads) if same(head) == same(id_column)]
        if found:
            return IdCandidate(grid.column(found[0]), f"column {id_column!r}", found[0], True)
    raise ManifestError(
        f"{grid.file}: there is no column {id_column!r} to name the cases; "
        f"found {listed(grid.heads, 8)}.",
        remedy="Correct the name of the id column.",
        code="missing-column",
        file=grid.file,
    )


def _check(grid: CellGrid, candidate: IdCandidate) -> None:
    """The grid's own ids were checked when it was made."""
    if candidate.ids is grid.ids:
        return
    gaps, repeats = _gaps(candidate.ids), _repeats(candidate.ids)
    if gaps or repeats:
        what = "without a case id" if gaps else "with a case id that another row has too"
        rows = sorted({int(grid.rows[case].max()) for case in gaps or repeats})
        raise ManifestError(
            f"{grid.file}: {candidate.origin} names the cases, and there are rows {what}: "
            f"{listed(rows)}. A case has one row.",
            remedy="Add a column 'case' with ids of your own, or say which column it is (id "
            "column).",
            code="bad-case-ids",
            file=grid.file,
        )


def _gaps(ids: Sequence[str]) -> list[int]:
    return [case for case, text in enumerate(ids) if is_no_name(text)]


def _repeats(ids: Collection[str]) -> list[int]:
    counts = Counter(ids)
    return [case for case, text in enumerate(ids) if counts[text] > 1]
