"""A column is judged by head and values: what may tell who somebody is does not go out."""

import pytest

from centrum.cohort.describing import holds_date, stands_for_identity, why_identifying

N = 24
PATIENTS = [f"p{k}" for k in range(N)]


def numbered(values: list) -> list:
    """The values over and over, one for each patient."""
    return [values[k % len(values)] for k in range(N)]


@pytest.mark.parametrize(
    "head",
    [
        "Name", "name", "Patient name", "Patient's name", "Name des Patienten", "Vorname",
        "SURNAME", "Prénom", "Фамилия", "姓名", "患者姓名", "Geburtsdatum", "DOB", "Date of birth",
        "出生日期",
        "Date of exam", "StudyDate", "Accession", "Accession No.", "AccessionNumber", "PatientID",
        "Patient ID", "Pat.-Nr.", "Pat-Nr", "MRN", "StudyInstanceUID", "Fallnummer", "Aufnahme-Nr.",
        "Untersuchungsdatum", "Geburtsjahr", "YOB", "E-Mail",
        "Telefon", "Adresse", "PLZ", "Straße", "file name", "Initialen", "Record number",
    ],
)  # fmt: skip
def test_heads_that_stand_for_an_identity(head: str) -> None:
    assert stands_for_identity(head)
    assert why_identifying(head, numbered(["a", "b"]), PATIENTS)


@pytest.mark.parametrize(
    "head",
    ["Name of drug", "Number of fractures", "histology", "PSA (ng/ml)", "Genant grade", "scanner",
     "field_strength", "time to surgery", "study", "first fracture", "T-score"],
)  # fmt: skip
def test_heads_that_describe(head: str) -> None:
    assert not stands_for_identity(head)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([f"{k + 1:02d}.03.1948" for k in range(N)], "dates"),
        (numbered(["2019-11-27", "2019-11-28"]), "dates"),
        (numbered(["seen 27 Nov 2019", "not seen"]), "dates"),
        (numbered([19480312.0, 19520711.0]), "dates"),
        (numbered(["1.2.840.113619.2.5.1762583153"]), "unique identifiers"),
        (numbered(["anna@example.org", "none"]), "e-mail"),
        (numbered(["+49 6221 568600", "none"]), "telephone"),
        (numbered(["T2w.nii.gz", "T1w.nii.gz"]), "names of files"),
        ([f"text {k}" for k in range(N)], "24 different texts for 24 patients"),
        (numbered([f"text {k}" for k in range(9)]), "9 different texts for 24 patients"),
        ([float(k + 1) for k in range(N)], "running number"),
        ([float(77 - k) for k in range(N)], "running number"),
        ([float(48_151_623 + 7 * k) for k in range(N)], "another long number"),
    ],
)
def test_values_that_may_tell_who_somebody_is(values: list, why: str) -> None:
    assert why in why_identifying("column", values, PATIENTS)


@pytest.mark.parametrize(
    "values",
    [
        numbered(["metastasis", "myeloma", "lymphoma"]),
        numbered([None, "yes", "no"]),
        numbered([f"grade {k}" for k in range(8)]),
        [1.5 + k for k in range(N)],
        numbered([0.0, 1.0, 2.0, 3.0]),
        numbered([2015.0, 2016.0, 2019.0]),
        numbered([150_000.0, 231_000.0, 98_000.0, 187_000.0]),
        ["yes", *[None] * (N - 1)],
        [None] * N,
    ],
)
def test_values_that_describe(values: list) -> None:
    assert why_identifying("column", values, PATIENTS) == ""


def test_text_of_a_patient_with_many_cases_is_unique_all_the_same() -> None:
    patients = ["p", "p", "p", "p", "q", "q", "q", "q"]
    assert why_identifying("who", ["Anna"] * 4 + ["Berta"] * 4, patients)


def test_days_of_a_spreadsheet_are_dates_below_a_date_head() -> None:
    days = numbered([43_796.0, 43_797.0])
    assert why_identifying("date of surgery", days, PATIENTS) == "it holds dates"
    assert why_identifying("platelets", days, PATIENTS) == ""
    for first, last, said in (
        (10_000, 79_999, True),
        (9999, 43_797, False),
        (43_796, 80_000, False),
    ):
        found = why_identifying("date of surgery", numbered([first, last]), PATIENTS)
        assert (found == "it holds dates") == said


@pytest.mark.parametrize(
    "text",
    ["12.03.1948", "12.3.48", "12/03/1948", "1948/03/12", "1948-03-12T08:00", "19480312",
     "12-Mar-1948", "12. März 1948", "March 12, 1948", "1948年3月12日"],
)  # fmt: skip
def test_dates_in_every_spelling(text: str) -> None:
    assert holds_date(text)


@pytest.mark.parametrize("text", ["1.5", "L1-L3", "grade 2", "12.5.1.0", "2019", "3/4", "T12"])
def test_what_is_no_date(text: str) -> None:
    assert not holds_date(text)
