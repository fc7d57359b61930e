"""A clinical table put to the cases of a folder: outcome, age, sex, centre and further columns."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from centrum.cohort.case import Case, Value
from centrum.cohort.cells import is_missing
from centrum.cohort.columns import find_columns, parse_sex
from centrum.cohort.consistency import check_identifiers
from centrum.cohort.dates import is_date
from centrum.cohort.describing import stands_for_identity
from centrum.cohort.findings import CORRECT_IT, Findings, listed
from centrum.cohort.join import MIN_SHARE, IdMatch, match_ids
from centrum.cohort.levels import Level
from centrum.cohort.numbers import note_missing, read_covariate, read_numbers
from centrum.cohort.schemes import Scheme, level_of
from centrum.cohort.sheet import Sheet, read_sheet
from centrum.errors import ManifestError

_OF_BIRTH = re.compile(r"birth|dob|geb|naiss|nacim|nascita|рожд|生", re.IGNORECASE)

KEYS: Mapping[str, Callable[[Case], str]] = {
    "case": lambda case: case.id,
    "patient": lambda case: case.patient,
}
"""What the ids of a clinical table may be those of."""


@dataclass(frozen=True)
class ClinicalTable:
    """A table and what the user says about it.

    Attributes
    ----------
    path : CSV, XLSX or ODS
    outcome_column : head; the usual ones are found when missing
    positive, negative : words for the outcomes in it; those of the protocol when missing
    id_column : head of the ids of patients or cases; the usual ones are found when missing
    min_share : of its rows, or of the cases, that must match
    """

    path: Path
    outcome_column: str | None = None
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    id_column: str | None = None
    min_share: float = MIN_SHARE


@dataclass(frozen=True)
class Merged:
    """Cases with what a table knows of them.

    Attributes
    ----------
    cases : as many as before, in their order
    without : positions of the cases of which the table has no row
    lines : how the tables matched, and what was assumed
    """

    cases: tuple[Case, ...]
    without: tuple[int, ...] = ()
    lines: tuple[str, ...] = ()

    def told(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Lines to print; `ids` are what the cases are called by now."""
        gone = [ids[k] for k in self.without]
        more = (f"cases without a row in the table: {listed(gone, 10)}",) if gone else ()
        return (*self.lines, *more)


def merge_table(
    cases: Sequence[Case],
    table: ClinicalTable,
    outcomes: tuple[str, str],
    labels: Scheme | None = None,
) -> Merged:
    """Put a clinical table to cases, by case or by patient, and by level where it has one.

    Its rows are named by their numbers only: its ids may be those of patients.

    Parameters
    ----------
    outcomes : positive and negative, as the protocol spells them
    labels : scheme of integers in a column of levels

    Raises
    ------
    ManifestError
        The table cannot be read, has no column of ids or of the outcome, other words for the
        outcomes, or rows of one patient that contradict each other.
    DataError
        Neither enough of its rows nor enough of the cases match.
    """
    reading = _ClinicalTablePass(read_sheet(table.path), table, outcomes, labels)
    key, match = reading.match(cases)
    hint = reading.better_column(cases, match)
    match.require(table.min_share, "--min-share", either_side=True, tell_ids=False, hint=hint)
    rows = reading.rows_by_id()
    found = [reading.row_of(case, rows.get(KEYS[key](case), []), cases, key) for case in cases]
    merged = tuple(
        case if row is None else reading.known(case, row)
        for case, row in zip(cases, found, strict=True)
    )
    reading.findings.raise_problems(table.path.name)
    without = tuple(k for k, row in enumerate(found) if row is None)
    return Merged(merged, without, (match.told(), *reading.told(match, rows)))


class _ClinicalTablePass:
    """A clinical table, read once; problems go to `findings`."""

    def __init__(
        self,
        sheet: Sheet,
        table: ClinicalTable,
        outcomes: tuple[str, str],
        labels: Scheme | None,
    ) -> None:
        self.sheet, self.table, self.labels = sheet, table, labels
        self.findings = Findings(list(sheet.problems), list(sheet.notes))
        self.columns = find_columns(sheet.header)
        self.ids: dict[int, str] = {}
        self.id_index = -1
        self.outcome_index = self._outcome_index()
        self.outcomes = self._outcomes(outcomes)
        self.cells = {name: sheet.column(j) for name, j in self.columns.fields.items()}
        for name in ("level", "centre", "age", "sex"):
            note_missing(self.cells.get(name, {}), self._head(name), self.findings)
        self.ages = read_numbers(self.cells.get("age", {}), self._head("age"), self.findings)
        self.levels = {row: self._level(row, text) for row, text in self._filled("level")}
        self.sexes = {row: self._sex(row, text) for row, text in self._filled("sex")}
        self.covariates: dict[str, dict[int, Value]] = {}

    def match(self, cases: Sequence[Case]) -> tuple[str, IdMatch]:
        """Whether the ids are those of cases or of patients, and how they match."""
        tried = [
            (match, key, j)
            for j in self._id_columns()
            for key, id_of in KEYS.items()
            for match in [self._match(self.sheet.column(j), [*map(id_of, cases)], key)]
        ]
        match, key, self.id_index = max(tried, key=lambda each: len(each[0].matched))
        head = self.sheet.header[self.id_index]
        self.ids = {n: t for n, t in self.sheet.column(self.id_index).items() if not is_missing(t)}
        check_identifiers(self.ids, head, self.findings)
        self._read_covariates()
        self.findings.note(f"rows were joined to cases by the {key} in the column {head!r}")
        return key, match

    def better_column(self, cases: Sequence[Case], match: IdMatch) -> str:
        """What to do where another column has more of the ids; "" where none has."""
        tried = [
            (len(self._match(self.sheet.column(j), [*map(id_of, cases)], key).matched), head)
            for j, head in enumerate(self.sheet.header)
            for key, id_of in KEYS.items()
        ]
        matched, head = max(tried, key=lambda each: each[0])
        if matched <= len(match.matched):
            return ""
        return f" {matched} ids stand in the column {head!r}: --id-column {head!r}."

    def _match(self, cells: Mapping[int, str], ids: Iterable[str], key: str) -> IdMatch:
        known = (text for text in cells.values() if not is_missing(text))
        return match_ids(known, ids, self.sheet.name, f"the {key}s of the folder")

    def _id_columns(self) -> list[int]:
        if self.table.id_column is not None:
            return [self._index(self.table.id_column, "id column", "--id-column")]
        found = [self.columns.fields[name] for name in KEYS if name in self.columns.fields]
        if not found:
            raise ManifestError(
                f"{self.sheet.name}: no column names the cases or patients; found "
                f"{listed(self.sheet.header, 12)}.",
                remedy="Say which one does: --id-column HEAD.",
                code="no-id-column",
                file=self.sheet.name,
            )
        return found

    def _index(self, head: str, what: str, option: str) -> int:
        plain = [_plain(each) for each in self.sheet.header]
        if _plain(head) in plain:
            return plain.index(_plain(head))
        raise ManifestError(
            f"{self.sheet.name}: there is no {what} {head!r}; found "
            f"{listed(self.sheet.header, 12)}.",
            remedy=f"Give one of these heads: {option} HEAD.",
            code="missing-column",
            file=self.sheet.name,
        )

    def _outcome_index(self) -> int:
        if self.table.outcome_column is None and "outcome" in self.columns.fields:
            return self.columns.fields["outcome"]
        wanted = self.table.outcome_column or "outcome"
        return self._index(wanted, "column of the outcome", "--outcome-column")

    def _outcomes(self, outcomes: tuple[str, str]) -> dict[str, str]:
        """The protocol's word for each word of the table that stands for an outcome.

        Without words for the negative outcome, the only other one is it.
        """
        positive, negative = outcomes
        cells = self.sheet.column(self.outcome_index).values()
        there = {_plain(text): text for text in cells if not is_missing(text)}
        yes = [_plain(text) for text in self.table.positive or (positive,)]
        rest = [word for word in there if word not in yes]
        alone = bool(self.table.positive) and len(rest) == 1
        no = [_plain(text) for text in self.table.negative or (() if alone else (negative,))]
        no = rest if alone and not no else no
        if not ({*yes} & {*there} and {*no} & {*there}):
            raise self._unknown_outcomes([*there.values()], positive, negative)
        if other := [there[word] for word in there if word not in (*yes, *no)]:
            self.findings.note(
                f"the outcome is left empty where the table says {listed(other)}: correct it, or "
                "take these cases out"
            )
        return dict.fromkeys(yes, positive) | dict.fromkeys(no, negative)

    def _unknown_outcomes(self, there: list[str], positive: str, negative: str) -> ManifestError:
        head = self.sheet.header[self.outcome_index]
        return ManifestError(
            f"{self.sheet.name}: the column {head!r} says {listed(there, 8)}: which of these is "
            f"{positive} and which {negative} is not said.",
            remedy="Give the table's words: --positive WORD --negative WORD, each as often as "
            "there are words for it.",
            code="unknown-outcome",
            file=self.sheet.name,
        )

    def _read_covariates(self) -> None:
        """All further columns but those that tell who somebody is."""
        used = {self.id_index, self.outcome_index}
        further = {head: j for head, j in self.columns.covariates.items() if head and j not in used}
        told = [head for head, j in further.items() if _is_identity(head, self.sheet.column(j))]
        if told:
            self.findings.note(f"columns of names and identifiers left out: {listed(told, 8)}")
        for head, j in further.items():
            if head not in told:
                cells = self.sheet.column(j)
                self.covariates[head] = read_covariate(cells, head, self.findings)

    def _filled(self, name: str) -> Iterator[tuple[int, str]]:
        cells = self.cells.get(name, {})
        return ((row, text) for row, text in cells.items() if not is_missing(text))

    def _level(self, row: int, text: str) -> Level | None:
        try:
            return level_of(text, self.labels)
        except ManifestError as error:
            self._problem(row, "level", error.message, error.code, error.remedy)
            return None

    def _sex(self, row: int, text: str) -> str | None:
        sex = parse_sex(text)
        if sex is None:
            self._problem(row, "sex", f"expected M, F or O, found {text!r}", "bad-sex")
        return sex

    def _problem(self, row: int, name: str, text: str, code: str, remedy: str = CORRECT_IT) -> None:
        head = self._head(name)
        self.findings.problem(text, row=row, column=head, code=code, remedy=remedy)

    def _head(self, name: str) -> str:
        index = self.columns.fields.get(name)
        return name if index is None else self.sheet.header[index]

    def rows_by_id(self) -> dict[str, list[int]]:
        """Row numbers of each id."""
        rows = defaultdict(list)
        for row, text in self.ids.items():
            rows[text].append(row)
        return dict(rows)

    def row_of(
        self, case: Case, rows: Sequence[int], cases: Sequence[Case], key: str
    ) -> int | None:
        """The row of a case among those with its id; a level that is stated must be its own."""
        if key == "case" or not self.levels:
            return self._one(rows)
        own = [row for row in rows if self.levels.get(row) in (None, case.level)]
        alone = sum(other.patient == case.patient for other in cases) == len(rows) == 1
        return self._one(rows if case.level is None and alone else own)

    def _one(self, rows: Sequence[int]) -> int | None:
        """The row, or the first of several that say the same."""
        if len({self._said(row) for row in rows}) > 1:
            self.findings.problem(
                f"rows {listed(rows)} are of one case and differ",
                row=rows[0],
                code="several-rows",
                remedy="Keep one of them, or add a column 'level' or 'case' that tells the cases "
                "apart.",
            )
        return rows[0] if rows else None

    def _said(self, row: int) -> tuple[Value, ...]:
        further = (by.get(row) for by in self.covariates.values())
        sex, age = self.sexes.get(row), self.ages.get(row)
        return (self._outcome(row), self._centre(row), age, sex, *further)

    def _outcome(self, row: int) -> str:
        return self.outcomes.get(_plain(self.sheet.column(self.outcome_index)[row]), "")

    def _centre(self, row: int) -> str | None:
        text = self.cells.get("centre", {}).get(row, "")
        return None if is_missing(text) else text

    def known(self, case: Case, row: int) -> Case:
        """The case with what a row says."""
        return replace(
            case,
            outcome=self._outcome(row),
            level=case.level or self.levels.get(row),
            centre=self._centre(row),
            age=self.ages.get(row),
            sex=self.sexes.get(row),
            covariates={head: by[row] for head, by in self.covariates.items()},
        )

    def told(self, match: IdMatch, rows: Mapping[str, Sequence[int]]) -> Iterator[str]:
        """What was assumed, and which rows are of no case."""
        gone = sorted(row for text in match.rows for row in rows[text])
        if gone:
            yield f"rows of {self.sheet.name} without a case: {listed(gone, 10)}"
        near = sorted(row for text, _ in match.similar for row in rows[text])
        if near:
            yield (
                f"rows {listed(near, 10)} of {self.sheet.name} have ids like those of cases here "
                "but for zeros, blanks, capitals or a prefix: write them the same way if they are "
                "one"
            )
        yield from self.findings.notes


def _is_identity(head: str, cells: Mapping[int, str]) -> bool:
    """Whether a column must not stand beside pseudonyms; the date of an exam may, for a split."""
    known = [text for text in cells.values() if not is_missing(text)]
    exam = bool(known) and all(map(is_date, known)) and not _OF_BIRTH.search(head)
    return stands_for_identity(head) and not exam


def _plain(text: str) -> str:
    return "".join(text.casefold().split())
