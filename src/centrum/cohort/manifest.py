"""The manifest: one row per case, read whole or refused with every problem that it has."""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path, PureWindowsPath

from centrum.cohort.case import EVERY, Case, Cohort, Value, column
from centrum.cohort.cells import is_error, is_missing, is_no_name
from centrum.cohort.columns import (
    REQUIRED,
    TAKEN,
    ManifestColumns,
    find_columns,
    identifier,
    parse_sex,
    repeated_heads,
)
from centrum.cohort.consistency import check_identifiers, check_ids, without_contradictions
from centrum.cohort.dates import check_words
from centrum.cohort.fact_columns import read_fact_column
from centrum.cohort.findings import CORRECT_IT, Findings, Problem, listed, refusal
from centrum.cohort.levels import Level
from centrum.cohort.numbers import note_missing, read_covariate, read_numbers
from centrum.cohort.schemes import Scheme, level_of
from centrum.cohort.sheet import Sheet, read_sheet
from centrum.errors import ManifestError, StorageDown, StorageError
from centrum.io.csv_text import csv_text
from centrum.io.facts import NUMBERS, fact_of
from centrum.io.objects import is_url
from centrum.io.paths import DANGLING, FETCH, is_dangling, split_source
from centrum.io.scratch import object_url, versions
from centrum.provenance import Step, file_digest
from centrum.store import write_atomically
from centrum.text import spelled

OUTCOMES = ("osteoporotic", "malignant")
"""Outcomes of a study of vertebral compression fractures."""

LONGEST_NAME = 200
"""Characters of a head or of a cell that names something; a longer one is several cells."""

OLDEST_YEARS = 120
"""Ages beyond this are typing errors."""


def read_manifest(
    path: Path | str,
    *,
    outcomes: Sequence[str] = OUTCOMES,
    mixed_patients: bool = False,
    optional: Collection[str] = (),
    labels: Scheme | None = None,
    only: Callable[[str], bool] | None = None,
) -> Cohort:
    """Read the table of cases: a CSV, XLSX or ODS file.

    Columns: `case, patient, level, outcome, centre, age, sex`, `image` or `image:SEQUENCE`,
    `mask` or `mask:READER`; every other column is a covariate. Required are case, outcome,
    one image and one mask. Paths are relative to the folder of the manifest. Outcomes are
    compared without regard to case and spaces, and kept as `outcomes` spells them. A patient
    whose cases have several outcomes is refused unless `mixed_patients` (when the outcome
    belongs to the vertebra and not to a disease of the patient), and then noted. `optional` are
    required columns that may be missing or empty here: the outcome of cases that are to be
    scored, images and masks of a study of tables. `labels` is the scheme of integers in the
    column level, which are a problem without one. `only` says of a head whether its column is
    looked at; the others count as absent.

    Raises
    ------
    ManifestError
        With row and column of everything that is wrong, rows numbered as a spreadsheet
        does. The values of the patient column are never told.
    """
    path = Path(path)
    cohort, problems = examine_manifest(
        path,
        outcomes=outcomes,
        mixed_patients=mixed_patients,
        optional=optional,
        labels=labels,
        only=only,
    )
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise refusal(path.name, errors)
    return cohort


def examine_manifest(
    path: Path,
    *,
    outcomes: Sequence[str] = OUTCOMES,
    mixed_patients: bool = False,
    optional: Collection[str] = (),
    labels: Scheme | None = None,
    only: Callable[[str], bool] | None = None,
) -> tuple[Cohort, tuple[Problem, ...]]:
    """The cases that can be told apart, and everything that is wrong with the table.

    What is only a warning, by its severity, stops nothing. Parameters as of `read_manifest`. What
    is wrong in a case is left empty in it; of several rows with one id the first is kept.

    Raises
    ------
    ManifestError
        The file is no table at all.
    """
    sheet = read_sheet(path)
    sheet = sheet.only(only) if only else sheet
    findings = Findings(list(sheet.problems), list(sheet.notes))
    columns = _read_header(sheet, findings, optional)
    cases = _ManifestPass(sheet, columns, path.parent, outcomes, findings, optional, labels).cases()
    _check_together(cases, findings)
    _check_mixed(cases, mixed_patients, findings)
    check_ids(cases, findings)
    cases = without_contradictions(cases, findings)
    if not findings.problems:
        _note_gaps(cases, columns, findings)
    step = Step(
        "read manifest",
        {
            "file": sheet.name,
            "sha256": file_digest(path),
            **sheet.format,
            "cases": len(cases),
            "notes": (*map(str, findings.warnings), *findings.notes),
        },
    )
    kept = tuple(_first_of_each(cases))
    cohort = Cohort(kept, str(path), (step,), tuple(columns.masks), tuple(columns.images))
    return cohort, (*sorted(set(findings.problems)), *findings.warnings)


def write_manifest(heads: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> Path:
    """Write a table of cases, with values as of `as_cell`; its path.

    Raises
    ------
    ManifestError
        The file exists, which may hold a day's work; code "manifest-exists".
    """
    if os.path.lexists(path):
        raise ManifestError(
            f"{path.name} exists and is not overwritten.",
            remedy="Move it away, or choose another name.",
            code="manifest-exists",
            file=path,
        )
    write_atomically(
        path, csv_text([heads, *([as_cell(value) for value in row] for row in rows)]).encode()
    )
    return path


def as_cell(value: object) -> str:
    """A value as a manifest spells it.

    >>> [as_cell(value) for value in (71.0, 0.5, "L1", None, float("nan"))]
    ['71', '0.5', 'L1', '', '']
    """
    return "" if value is None or value != value else spelled(value)


def _first_of_each(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases that have an id, each id once."""
    seen = {""}
    for case in cases:
        if case.id.casefold() not in seen:
            seen.add(case.id.casefold())
            yield case


def check_files(cohort: Cohort) -> None:
    """Raise a ManifestError that lists every image and mask that is not on disk."""
    findings = Findings()
    for case, _, problem in missing_files(cohort):
        findings.problems.append(replace(problem, text=f"case {case.id}: {problem.text}"))
    findings.raise_problems(Path(cohort.source).name or "cohort")


def missing_files(cohort: Cohort) -> Iterator[tuple[Case, str, Problem]]:
    """Case, name of the file, and what is wrong, of every image and mask that is not on disk."""
    for case in cohort.cases:
        for kind, sources in (("image", case.images), ("mask", case.drawn)):
            for name, source in sources.items():
                path, _ = split_source(source)
                if told := _no_object(source) if is_url(source) else _not_there(path):
                    yield case, path.name, Problem(case.row, column(kind, name), *told)


def _no_object(source: str) -> tuple[str, str, str] | None:
    """What is wrong with the place of an object, the code and the remedy."""
    try:
        versions(source)
    except StorageDown:
        raise
    except StorageError as error:
        return error.message.rstrip("."), error.code, error.remedy
    return None


def _not_there(path: Path) -> tuple[str, str, str] | None:
    """What is wrong with the place of a file, the code and the remedy."""
    if is_dangling(path):
        return f"{path.name!r} is {DANGLING}", "missing-content", FETCH
    if not os.path.exists(path):  # which is False of a name that is too long, too
        return f"there is no file {path.name[:LONGEST_NAME]!r}", "missing-file", CORRECT_IT
    return None


def _read_header(sheet: Sheet, findings: Findings, optional: Collection[str]) -> ManifestColumns:
    columns = find_columns(sheet.header)
    for name in columns.missing([name for name in REQUIRED if name not in optional]):
        found = listed([head for head in sheet.header if head], 12)
        findings.problem(
            f"the column {name!r} is missing; found {found}",
            row=sheet.head_row,
            code="missing-column",
            remedy=f"Add it, or call the column that holds it {name!r}.",
        )
    for heads in repeated_heads(sheet.header):
        findings.problem(
            f"the columns {' and '.join(map(repr, heads))} mean the same",
            row=sheet.head_row,
            code="repeated-column",
            remedy="Remove one of them.",
        )
    for head in (head for head in sheet.header if len(head) > LONGEST_NAME):
        findings.problem(
            f"a head of {len(head)} characters: {head[:40]!r} ...",
            row=sheet.head_row,
            code="too-long",
            remedy=f"Write at most {LONGEST_NAME}, and look for a delimiter that is missing.",
        )
    if EVERY in map(str.casefold, columns.masks):
        findings.problem(
            f"a reader cannot be called {EVERY!r}, which stands for all of them",
            row=sheet.head_row,
            code="taken-name",
            remedy="Rename the column.",
        )
    for head, index in list(columns.covariates.items()):
        _check_covariate_head(sheet, head, index, columns, findings)
    if not sheet.rows:
        findings.problem(
            "there is no case below the header", code="no-cases", remedy="Add a row for each case."
        )
    return columns


def _check_covariate_head(
    sheet: Sheet, head: str, index: int, columns: ManifestColumns, findings: Findings
) -> None:
    if not head:
        del columns.covariates[head]
        filled = [row for row, text in sheet.column(index).items() if text]
        if filled:
            findings.problem(
                f"column {index + 1} has no name but a value",
                row=filled[0],
                code="unnamed-column",
                remedy="Name the column, or remove its values.",
            )
    elif identifier(head) in TAKEN:
        findings.problem(
            "this name is taken",
            row=sheet.head_row,
            column=head,
            code="taken-name",
            remedy="Rename the column.",
        )


def _column_reader(head: str) -> Callable[[dict[int, str], str, Findings], dict[int, Value]]:
    """What reads a further column: facts of the acquisition are told by their names."""
    return read_fact_column if fact_of(head) in NUMBERS else read_covariate


class _ManifestPass:
    """One pass over the rows of a manifest; problems go to `findings`."""

    def __init__(
        self,
        sheet: Sheet,
        columns: ManifestColumns,
        folder: Path,
        outcomes: Sequence[str],
        findings: Findings,
        optional: Collection[str],
        labels: Scheme | None,
    ) -> None:
        self.sheet, self.columns, self.folder = sheet, columns, folder
        self.findings, self.optional, self.labels = findings, optional, labels
        self.outcomes = {_plain(outcome): outcome for outcome in outcomes}
        self._renamed = False
        self.cells, self.images, self.masks, self.regions, self.covariates = (
            {name: sheet.column(index) for name, index in named.items()}
            for named in (
                columns.fields, columns.images, columns.masks, columns.regions, columns.covariates
            )
        )  # fmt: skip

    def cases(self) -> list[Case]:
        """The cases of all rows; one with a problem has a stand-in where the value belongs."""
        self._check_columns()
        ages = read_numbers(self.cells.get("age", {}), self._head("age"), self.findings)
        covariates = {
            head: _column_reader(head)(cells, head, self.findings)
            for head, cells in self.covariates.items()
        }
        if "patient" not in self.cells:
            self.findings.note("no column 'patient': every case counts as a patient of its own")
        self._renamed = self._name_outcomes()
        codes = [row for row, text in self.cells.get("level", {}).items() if text.isdecimal()]
        if codes and self.labels:
            self.findings.note(f"levels read as {self.labels.name} labels in rows {listed(codes)}")
        return [
            self._case(row, ages.get(row), {head: by[row] for head, by in covariates.items()})
            for row in self._rows()
        ]

    def _check_columns(self) -> None:
        """What whole columns show: dates that a spreadsheet made, and marks of what is missing."""
        for name, cells in (*self.cells.items(), *self.covariates.items()):
            for row in (row for row, text in cells.items() if is_error(text)):
                self._problem(row, name, f"the cell holds the error {cells[row]}", "error-cell",
                              "Correct the formula, or leave the cell empty.")  # fmt: skip
        for name, cells in self.cells.items():
            for row in (row for row, text in cells.items() if len(text) > LONGEST_NAME):
                told = f"{len(cells[row])} characters in the cell, expected at most {LONGEST_NAME}"
                self._problem(row, name, told, "too-long", "Shorten it, or look for a delimiter or "
                              "a quotation mark that is missing.")  # fmt: skip
        for name in ("case", "patient"):
            check_identifiers(self.cells.get(name, {}), self._head(name), self.findings)
        for name in ("level", "outcome", "centre", "sex"):
            check_words(self.cells.get(name, {}), self._head(name), self.findings)
        for name in ("level", "centre", "age", "sex"):
            note_missing(self.cells.get(name, {}), self._head(name), self.findings)

    def _rows(self) -> Iterable[int]:
        width = len(self.sheet.header)
        for row, cells in self.sheet.rows:
            if len(cells) > width:
                self.findings.problem(
                    f"{len(cells)} cells under {width} column headings",
                    row=row,
                    code="too-many-cells",
                    remedy="Put text with a delimiter or a decimal comma in quotation marks.",
                )
            else:
                yield row

    def _case(self, row: int, age: float | None, covariates: Mapping[str, Value]) -> Case:
        name = self._id(row)
        return Case(
            id=name,
            patient=self._patient(row, name),
            outcome=self._outcome(row),
            level=self._level(row),
            centre=self._optional(row, "centre"),
            age=self._age(row, age),
            sex=self._sex(row),
            covariates=covariates,
            images=self._sources(row, "image", self.images),
            masks=self._sources(row, "mask", self.masks),
            regions=self._sources(row, "mask", self.regions),
            row=row,
        )

    def _id(self, row: int) -> str:
        name = self._required(row, "case")
        if name in (".", "..") or any(c in "/\\" for c in name):
            text = f"a case id names files: no slash in it, found {name!r}"
            self._problem(row, "case", text, "bad-case-id", "Remove the slash from the id.")
        if name.casefold() == EVERY:
            text = f"a case cannot be called {name!r}, which stands for all of them"
            self._problem(row, "case", text, "bad-case-id", "Give it another name.")
        return name

    def _patient(self, row: int, case: str) -> str:
        return self._required(row, "patient") if "patient" in self.cells else case

    def _check_named(self, row: int, name: str, text: str) -> None:
        """Ids that programs write for nobody would make one of all whose id is not known."""
        if not is_missing(text) and is_no_name(text):
            told = f"{text!r} is read by many programs as a missing value"
            self._problem(row, name, told, "no-name", "Write an id, such as P001.")

    def _outcome(self, row: int) -> str:
        text = self._required(row, "outcome")
        if text and not self._renamed and _plain(text) not in self.outcomes:
            near = get_close_matches(_plain(text), self.outcomes, 1)
            self.findings.problem(
                f"expected one of {', '.join(self.outcomes.values())}; found {text!r}",
                row=row,
                column=self._head("outcome"),
                code="unknown-outcome",
                remedy=f"Write {self.outcomes[near[0]]}." if near else CORRECT_IT,
            )
        return self.outcomes.get(_plain(text), "")

    def _name_outcomes(self) -> bool:
        """Whether the table names both outcomes otherwise throughout, which is one problem."""
        cells = self.cells.get("outcome", {}).values()
        named = list(dict.fromkeys(text for text in cells if not is_missing(text)))
        known = [text for text in named if _plain(text) in self.outcomes]
        if len(named) != len(OUTCOMES) or known:
            return False
        wanted, found = " and ".join(self.outcomes.values()), " and ".join(map(repr, named))
        lines = "\n".join(
            f"      outcome: {{positive: {_quoted(a)}, negative: {_quoted(b)}}}"
            for a, b in (named, named[::-1])
        )
        self.findings.problem(
            f"the protocol names {wanted}, the table has {found}",
            column=self._head("outcome"),
            code="unknown-outcome",
            remedy="Change `outcome` in study.yaml to one of these; `positive` is the outcome "
            f"whose probability is predicted:\n{lines}",
        )
        return True

    def _level(self, row: int) -> Level | None:
        text = self._optional(row, "level")
        try:
            return level_of(text, self.labels) if text else None
        except ManifestError as error:
            self._problem(row, "level", error.message, error.code, error.remedy)
            return None

    def _age(self, row: int, age: float | None) -> float | None:
        if age is not None and not 0 <= age <= OLDEST_YEARS:
            text = f"expected 0 to {OLDEST_YEARS} years, found {age:g}"
            self._problem(row, "age", text, "bad-age")
        return age

    def _sex(self, row: int) -> str | None:
        text = self._optional(row, "sex")
        sex = parse_sex(text) if text else None
        if text and not sex:
            wanted = f"expected M, F or O (male, female, w, other); found {text!r}"
            coded = "Write M, F or O: a number, or H, does not say which sex it stands for."
            remedy = coded if len(text) == 1 else CORRECT_IT
            self._problem(row, "sex", wanted, "bad-sex", remedy)
        return sex

    def _sources(
        self, row: int, kind: str, columns: Mapping[str, Mapping[int, str]]
    ) -> dict[str, str]:
        filled = {name: by[row] for name, by in columns.items() if not is_missing(by[row])}
        if columns and not filled and kind not in self.optional:
            head = column(kind, next(iter(columns)))
            self.findings.problem(
                f"the case has no {kind}",
                row=row,
                column=head,
                code=f"no-{kind}",
                remedy="Name its file, or remove the row.",
            )
        for name, text in filled.items():
            self._check_url(row, column(kind, name), text)
        return {name: _resolve(self.folder, text) for name, text in filled.items()}

    def _check_url(self, row: int, head: str, text: str) -> None:
        """A URL is not repeated: what is wrong with it may be a password in it."""
        if is_url(text):
            try:
                object_url(text)
            except StorageError as error:
                self.findings.problem(
                    error.message, row=row, column=head, code=error.code, remedy=error.remedy
                )

    def _required(self, row: int, name: str) -> str:
        text = self.cells.get(name, {}).get(row, "")
        if is_missing(text) and name in self.optional:
            return ""
        if name in self.cells and is_missing(text):
            remedy = "Fill it in, or remove the row."
            told = f"{text!r} means that the value is missing" if text else "the cell is empty"
            self._problem(row, name, told, "empty-cell", remedy)
        if name in ("case", "patient"):
            self._check_named(row, name, text)
        return text

    def _optional(self, row: int, name: str) -> str | None:
        text = self.cells.get(name, {}).get(row, "")
        return None if is_missing(text) else text

    def _problem(self, row: int, name: str, text: str, code: str, remedy: str = CORRECT_IT) -> None:
        self.findings.problem(text, row=row, column=self._head(name), code=code, remedy=remedy)

    def _head(self, name: str) -> str:
        """The head as the file spells it."""
        index = self.columns.fields.get(name)
        return name if index is None else self.sheet.header[index]


def _quoted(text: str) -> str:
    """A text as YAML takes it for a text."""
    return json.dumps(text, ensure_ascii=False)


def _plain(text: str) -> str:
    return "".join(text.casefold().split())


def _resolve(folder: Path, source: str) -> str:
    r"""The source as seen from here; a manifest written on Windows has `images\a.nrrd`."""
    if is_url(source):
        return source
    return str(folder / (PureWindowsPath(source).as_posix() if "\\" in source else source))


def _check_together(cases: Sequence[Case], findings: Findings) -> None:
    """What no row shows by itself."""
    for twins in _groups((case.id.casefold(), case) for case in cases if case.id):
        findings.problem(
            f"the case id {twins[0].id!r} is used in {_rows(twins)}",
            row=twins[1].row,
            code="repeated-case",
            remedy="Give each case an id of its own.",
        )
    _check_shared_sources(cases, findings)


def _check_mixed(cases: Sequence[Case], allowed: bool, findings: Findings) -> None:
    for same in _groups((case.patient, case) for case in cases if case.patient):
        outcomes = sorted({case.outcome for case in same} - {""})
        text = f"one patient has the outcomes {' and '.join(outcomes)} in {_rows(same)}"
        if len(outcomes) > 1 and allowed:
            findings.note(text)
        elif len(outcomes) > 1:
            findings.problem(
                text,
                row=same[0].row,
                code="mixed-outcomes",
                remedy="Correct it, or set outcome.mixed_patients in the protocol.",
            )


def _check_shared_sources(cases: Sequence[Case], findings: Findings) -> None:
    drawn = ((s, c) for c in cases for s in c.drawn.values())
    for users in _groups(drawn):
        findings.problem(
            f"the same mask is named more than once, in {_rows(users)}",
            row=users[-1].row,
            code="shared-mask",
            remedy="Name the mask of each case, reader and region.",
        )
    for users in _groups((source, case) for case in cases for source in case.images.values()):
        if len({case.patient for case in users} - {""}) > 1:
            findings.problem(
                f"one image belongs to several patients in {_rows(users)}",
                row=users[0].row,
                code="shared-image",
                remedy="Give these cases the same 'patient', or they end up on both sides of a "
                "split.",
            )


def _groups(pairs: Iterable[tuple[str, Case]]) -> list[list[Case]]:
    """Cases that share a key, where more than one does."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for key, case in pairs:
        groups[key].append(case)
    return [group for group in groups.values() if len(group) > 1]


def _rows(cases: Sequence[Case]) -> str:
    places = list(dict.fromkeys(f"{case.row} (case {case.id})" for case in cases))
    return f"{'row' if len(places) == 1 else 'rows'} {listed(places)}"


def _note_gaps(cases: Sequence[Case], columns: ManifestColumns, findings: Findings) -> None:
    kinds = (("image", "images"), ("mask", "masks"), ("mask", "regions"))
    for kind, own in kinds:
        for name in getattr(columns, own):
            without = [case for case in cases if name not in getattr(case, own)]
            if without:
                head = column(kind, name)
                findings.note(f"column {head!r} is empty in {_rows(without)}")
    outcomes = {case.outcome for case in cases}
    if len(outcomes) == 1:
        findings.note(f"every case has the outcome {outcomes.pop()!r}: no model can be fitted")
