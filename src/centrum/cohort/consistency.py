"""What no row of a manifest shows by itself: ids that may be one, patients of two sexes."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from centrum.cohort.case import Case
from centrum.cohort.cells import BooleanText, DateText, is_missing
from centrum.cohort.dates import AS_TEXT, is_date, names_month
from centrum.cohort.findings import Findings, listed
from centrum.cohort.identity import alike

AGE_NOTED_YEARS = 1.0
"""Ages of one patient that differ by more are noted: the exams may be of different years."""

AGE_REFUSED_YEARS = 10.0
"""Ages of one patient that differ by more are a problem: two patients, or a typing error."""


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


def check_patients(cases: Sequence[Case], findings: Findings) -> None:
    """Identifiers that may be one, and patients of two sexes, ages or centres."""
    _check_alike(cases, "case", findings)
    if any(case.patient != case.id for case in cases):
        _check_alike(cases, "patient", findings)
    patients = defaultdict(list)
    for case in cases:
        patients[case.patient].append(case)
    for patient, own in patients.items():
        if patient and len(own) > 1:
            _check_facts(own, findings)


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
            remedy=f"Write them alike if they are one {what}; else let them differ in more.",
        )


def _check_facts(cases: Sequence[Case], findings: Findings) -> None:
    """Sexes, ages and centres of one patient."""
    places = f"rows {listed([f'{case.row} (case {case.id})' for case in cases])}"
    if len(sexes := {case.sex for case in cases if case.sex}) > 1:
        findings.problem(
            f"one patient has the sexes {' and '.join(sorted(sexes))} in {places}",
            row=cases[0].row,
            code="contradicting-sexes",
            remedy="Correct the sex, or tell the patients apart.",
        )
    _check_ages(
        [case.age for case in cases if case.age is not None], cases[0].row, places, findings
    )
    centres = {case.centre for case in cases if case.centre}
    if len(centres) > 1:
        findings.note(f"one patient is of the centres {listed(sorted(centres))} in {places}")


def _check_ages(ages: Collection[float], row: int, places: str, findings: Findings) -> None:
    if not ages or (apart := max(ages) - min(ages)) <= AGE_NOTED_YEARS:
        return
    told = f"the ages of one patient differ by {apart:g} years in {places}"
    if apart <= AGE_REFUSED_YEARS:
        findings.note(told)
        return
    findings.problem(
        told,
        row=row,
        code="contradicting-ages",
        remedy="Correct the age, or tell the patients apart.",
    )
