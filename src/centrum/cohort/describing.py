"""Which columns of a manifest describe the cases, and which may tell who somebody is.

A column is assessed by its heading and by its values. Names, dates, identifiers, addresses, names
of files and text that is (nearly) unique never go out; numbers, and text of few levels, do.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

from centrum.cohort.case import Cohort, Value
from centrum.text import counted

FEWEST_PER_LEVEL = 3
"""Patients that a text column has for each of its levels, on average, if it describes."""

MOST_LEVELS = 20
"""A text of more levels than this is no description, however many patients there are."""

LONG_NUMBER = 10_000
"""Whole numbers from here on, another for each patient, are identifiers; so are the 5-digit days
that spreadsheets make of dates."""

NEARLY_ALL = 0.9
"""Share of the patients with a value of their own from which on whole numbers are identifiers."""

RUNNING = 5
"""So many whole numbers that follow each other row by row are a running number."""

UNTOLD = frozenset(
    re.findall(r"\S+", "yes no y n ja nein j oui non si true false + - 0 1 unknown unbekannt")
)
"""Answers that tell nobody apart, however few the patients are."""

_IDENTITY = frozenset(
    re.findall(
        r"\S+",
        """
        name names surname forename firstname lastname fullname initials initialen nachname
        vorname familienname rufname geburtsname patientenname patientname nom prenom nombre
        apellido apellidos cognome nome имя фамилия отчество фио dob birth birthdate birthday
        yob geburt geburtstag geburtsjahr geb geboren naissance nacimiento nascita рождения date
        dates datum timestamp fecha examdate studydate дата id ids pid uid mrn accession
        identifier identification number nummer numero nr no num kennung patientid ssn insurance
        email mail phone telephone telefon tel mobile handy fax address adresse anschrift
        strasse street plz zip zipcode postcode postleitzahl wohnort file filename path pfad
        datei dateiname folder ordner
        """,
    )
)
"""Words of heads that stand for an identity, without accents."""

_COMPOUND = re.compile(r"\w+(?:nummer|datum|nr)")
"""German words that end so are numbers of something, or dates."""

_FILLERS = frozenset(
    re.findall(
        r"\S+",
        """
        patient patients patienten patientin pat case fall exam examination study series
        instance image mask medical record hospital first last full given family middle maiden
        year jahr untersuchung aufnahme of the des der de du von da di e s
        """,
    )
)
"""Words that leave the meaning of those as it is; beside any other word the values decide."""

_SYLLABLES = re.compile(
    "姓名|名字|氏名|患者名|出生|生日|生年月日|日期|病历号|住院号|门诊号|检查号|身份证|编号|电话|地址|"
    "이름|성명|생년월일"
)
"""The same in scripts that do not part words."""

_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\w*\.?"
_DATE = re.compile(
    r"(?<!\d)(?:(?:18|19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:18|19|20)?\d\d)(?![\d.])"
    r"|(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
    rf"|\d{{1,2}}[. -]*{_MONTH}[ ,-]*(?:\d{{4}}|\d\d)(?!\d)|{_MONTH} \d{{1,2}},? \d{{4}}"
    r"|\d{4}\s*年)",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\S@\S+\.\w|(?:\+|(?<![\d.])0)\d[\d /().-]{5,}\d")
_UID = re.compile(r"(?<![\d.])[0-2](?:\.\d+){4,}")
_FILE = re.compile(
    r"\.(?:dcm|ima|nii|gz|nrrd|mha|mhd|img|hdr|json|xlsx?|csv|pdf|jpe?g|png|tiff?|docx?)\b|[\\]|^/",
    re.IGNORECASE,
)
_PATTERNS = {"dates": _DATE, "e-mail addresses or telephone numbers": _CONTACT,
             "unique identifiers": _UID, "names of files": _FILE}  # fmt: skip


def identifying_columns(cohort: Cohort) -> dict[str, str]:
    """Columns that may tell who somebody is, with the reason; the centre is judged as they are.

    >>> from centrum.cohort.case import Case
    >>> named = zip("abc", ("Anna", "Berta", "Carl"), (1.5, 2.0, 0.7))
    >>> cases = [Case(c, c, "malignant", covariates={"Name": n, "PSA": p}) for c, n, p in named]
    >>> identifying_columns(Cohort(tuple(cases)))
    {'Name': 'its heading suggests an identity'}
    """
    patients = [case.patient for case in cohort.cases]
    columns: dict[str, list[Value]] = {
        name: [case.covariates.get(name) for case in cohort.cases] for name in cohort.covariates
    }
    columns["centre"] = [case.centre for case in cohort.cases]
    found = {head: why_identifying(head, values, patients) for head, values in columns.items()}
    return {head: why for head, why in found.items() if why}


def why_identifying(head: str, values: Sequence[Value], patients: Sequence[str]) -> str:
    """Why a column may tell who somebody is; "" where it describes.

    Parameters
    ----------
    values, patients : (cases,); a number, a text, or None where it is missing

    >>> why_identifying("Name of drug", ["a", "b", "c"] * 3, list("rstuvwxyz"))
    ''
    >>> why_identifying("seen", [19480312.0, 19480312.0], ["p", "q"])
    'it holds dates'
    """
    known = [(v, p) for v, p in zip(values, patients, strict=True) if v is not None]
    if not known:
        return ""
    if stands_for_identity(head):
        return "its heading suggests an identity"
    texts = [v for v, _ in known if isinstance(v, str)]
    n_patients = len({p for _, p in known})
    if texts:
        return _why_text(texts, n_patients)
    first = {p: float(v) for v, p in reversed(known)}
    numbers = [float(v) for v, _ in known]
    return _why_numbers(head, numbers, [first[p] for p in dict.fromkeys(p for _, p in known)])


def stands_for_identity(head: str) -> bool:
    """Whether a head means a name, a date, an identifier, an address or a file.

    >>> [stands_for_identity(h) for h in ("Patient's name", "PatientID", "Pat.-Nr.", "姓名")]
    [True, True, True, True]
    >>> stands_for_identity("Name of drug"), stands_for_identity("Number of fractures")
    (False, False)
    """
    words = set(_words(head))
    telling = {word for word in words if word in _IDENTITY or _COMPOUND.fullmatch(word)}
    named = bool(telling) and words <= telling | _FILLERS
    return named or _SYLLABLES.search(head) is not None


def holds_date(text: str) -> bool:
    """Whether a text holds a whole date, in one of the usual spellings.

    >>> [holds_date(t) for t in ("12.03.1948", "1948-03-12", "seen 12. März 1948", "grade 1.2")]
    [True, True, True, False]
    """
    return _DATE.search(text) is not None


def _words(head: str) -> list[str]:
    """Words of a head in lower case without accents; PatientID is two."""
    apart = re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z])", " ", head)
    letters = unicodedata.normalize("NFKD", apart.casefold())
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return re.findall(r"[^\W\d_]+", plain)


def _why_text(texts: Sequence[str], n_patients: int) -> str:
    for what, pattern in _PATTERNS.items():
        if any(pattern.search(text) for text in texts):
            return f"it holds {what}"
    levels = {text.casefold() for text in texts}
    if levels <= UNTOLD:
        return ""
    if len(levels) > MOST_LEVELS or len(levels) * FEWEST_PER_LEVEL > n_patients:
        return f"it has {len(levels)} different texts for {counted(n_patients, 'patient')}"
    return ""


def _why_numbers(head: str, numbers: Sequence[float], by_patient: Sequence[float]) -> str:
    if not all(x.is_integer() for x in numbers):
        return ""
    if all(holds_date(f"{x:.0f}") for x in numbers) or _days_of_spreadsheets(head, numbers):
        return "it holds dates"
    if any(_running(series) for series in (numbers, by_patient)):
        return "it is a running number"
    own = len(set(numbers)) >= NEARLY_ALL * len(by_patient)
    if own and min(map(abs, numbers)) >= LONG_NUMBER:
        return f"it has another long number for each of {counted(len(by_patient), 'patient')}"
    return ""


def _days_of_spreadsheets(head: str, numbers: Iterable[float]) -> bool:
    """Whether numbers under a date's head are days since 1900, as spreadsheets keep dates."""
    dated = any(word.endswith(("date", "datum", "birth", "dob")) for word in _words(head))
    return dated and all(LONG_NUMBER <= x < 8 * LONG_NUMBER for x in numbers)


def _running(numbers: Sequence[float]) -> bool:
    steps = {b - a for a, b in pairwise(numbers)}
    return len(numbers) >= RUNNING and steps in ({1.0}, {-1.0})
