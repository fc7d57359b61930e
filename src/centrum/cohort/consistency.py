"""What no row of a manifest shows by itself: ids that may be one, patients of two sexes."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from centrum.cohort.case import Case
from centrum.cohort.cells import BooleanText, DateText, is_missing
from centrum.cohort.dates import AS_TEXT, is_date, names_month
from centrum.cohort.findings import Findings, listed
from centrum.cohort.identity import alike

AGE_NOTED_YEARS = 1.0
"""Ages of one patient that differ by more are noted: the exams may be of different years."""

AGE_UNKNOWN_YEARS = 10.0
"""Ages of one patient that differ by more contradict each other: none of them is used."""


def check_identifiers(cells: Mapping[int, str], head: str, findings: Findings) -> None:
    """Cells of a column of identifiers that a spreadsheet changed; their text is not told."""
    known = {row: text for row, text in cells.items() if not is_missing(text)}
    dates = {row for row, text in known.items() if is_date(text)}
    for row, text in known.items():
        stored = isinstance(text, DateText) or names_month(text)
        if stored or (row in dates and len(dates) < len(known)):
            findings.problem(
                "the cell holds a date, which is no identifier",
                row=row,
                column=head,
                code="unwanted-date",
                remedy=AS_TEXT,
            )
        elif isinstance(text, BooleanText):
            findings.problem(
                "the cell holds a truth value, which is no identifier",
                row=row,
                column=head,
                code="unwanted-truth-value",
                remedy="Give the column the format Text and type it again.",
            )


def check_ids(cases: Sequence[Case], findings: Findings) -> None:
    """Identifiers that may be one."""
    _check_alike(cases, "case", findings)
    if any(case.patient != case.id for case in cases):
        _check_alike(cases, "patient", findings)


def without_contradictions(cases: Sequence[Case], findings: Findings) -> list[Case]:
    """The cases, without sex or age where a patient has several that cannot all be true.

    Which of them is right is not known: they are missing, and a warning says so.
    """
    patients = defaultdict(list)
    for case in cases:
        patients[case.patient].append(case)
    unknown = {
        patient: _contradicting(own, findings)
        for patient, own in patients.items()
        if patient and len(own) > 1
    }
    return [_without(case, unknown.get(case.patient, ())) for case in cases]


def _without(case: Case, unknown: Collection[str]) -> Case:
    age, sex = (None if name in unknown else getattr(case, name) for name in ("age", "sex"))
    return replace(case, age=age, sex=sex)


def _check_alike(cases: Sequence[Case], what: str, findings: Findings) -> None:
    """The values of the patient column are not told."""
    rows = defaultdict(list)
    for case in cases:
        rows[case.id if what == "case" else case.patient].append(case.row)
    for group in alike(text for text in rows if text):
        places = sorted(row for text in group for row in rows[text])
        told = f" ({' and '.join(map(repr, group))})" if what == "case" else ""
        if len({text.casefold() for text in group}) == 1 and what == "case":
            continue  # said as an id that is used twice
        findings.problem(
            f"the {what} identifiers{told} of rows {listed(places)} differ in leading zeros, "
            "capitals or blanks only",
            row=places[-1],
            code=f"similar-{what}s",
            remedy=f"Write them the same way if they are one {what}; otherwise make them differ "
            "in more.",
        )


def _contradicting(cases: Sequence[Case], findings: Findings) -> list[str]:
    """Of one patient, which of sex and age is not known; differences that can be are noted."""
    row = cases[0].row
    places = f"rows {listed([f'{case.row} (case {case.id})' for case in cases])}"
    sexes = sorted({case.sex for case in cases if case.sex})
    centres = sorted({case.centre for case in cases if case.centre})
    ages = [case.age for case in cases if case.age is not None]
    apart = max(ages) - min(ages) if ages else 0.0
    said_of_ages = f"the ages of one patient differ by {apart:g} years in {places}"
    unknown = []
    if len(sexes) > 1:
        _warn(f"one patient has the sexes {' and '.join(sexes)} in {places}", row, "sex", findings)
        unknown.append("sex")
    if apart > AGE_UNKNOWN_YEARS:
        _warn(said_of_ages, row, "age", findings)
        unknown.append("age")
    elif apart > AGE_NOTED_YEARS:
        findings.note(said_of_ages)
    if len(centres) > 1:
        findings.note(f"one patient belongs to the centres {listed(centres)} in {places}")
    return unknown


def _warn(text: str, row: int, name: str, findings: Findings) -> None:
    findings.warn(
        f"{text}: the {name} is read as missing",
        row=row,
        column=name,
        code=f"contradicting-{name}",
        remedy=f"Correct the {name}, or tell the patients apart.",
    )
