"""Codes in the place of names, and the key that tells whose they are.

Whatever is written shows codes of cases and patients. Ids that are codes already stay; any other
gets a pseudonym, which the file `identities.csv` beside the manifest holds. Only its owner can
read it, and it only grows: a pseudonym once given stays.
"""

import csv
import io
import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from centrum.cohort.case import Case, Cohort, Identity
from centrum.cohort.describing import holds_date
from centrum.cohort.identity import bare_id
from centrum.errors import ManifestError
from centrum.io.csv_text import csv_text, unmarked
from centrum.io.structured import read_text

KEY = "identities.csv"
"""File of the key, beside the manifest and never in results."""

_KINDS = ("case", "patient", "reader")

COLUMNS = ("what", "name", "pseudonym")

LARGEST_KEY = 2**26
"""Bytes of a key."""

OWNER_ONLY = 0o600

SHARED = 10
"""A word before the number of so many ids, or of half of them, is no name of a patient."""

_CODE_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        patient pat case fall subject subj sub proband exam study scan series sample body
        vertebra verse phantom sim new test train id vcf opf mpf mri mr ct
        """,
    )
)
_LONGEST_PREFIX = 3
_CODE = re.compile(
    r"(?P<prefix>[^\W\d_]*(?:[-_. ][^\W\d_]+)*)[-_. ]?\d{1,4}"
    r"(?:[a-z]|[-_. ](?:[A-Za-z]|[A-Za-z]{0,3}\d{1,2}[a-z]?)){0,2}",
)


def codes(names: Collection[str]) -> frozenset[str]:
    """Those of the ids that are codes: letters and a short number, as P001, patient-7, P3_L1.

    Letters are those of a code if they are three at most, a word such as "case", or common to many
    of the ids. Longer numbers may be those of a record, dates are dates: neither is a code.

    >>> sorted(codes(["P001", "P3_L1", "Anna-1", "MRN00482913", "12-03-48", "7"]))
    ['7', 'P001', 'P3_L1']
    """
    found = {name: match["prefix"] for name in names if (match := _CODE.fullmatch(name))}
    shared = Counter(prefix.casefold() for prefix in found.values())
    often = min(SHARED, max(3, len(names) / 2))
    numbered = (
        name
        for name, prefix in found.items()
        if not holds_date(name) and (shared[prefix.casefold()] >= often or _is_prefix(prefix))
    )
    return frozenset([*filter(_is_word, names), *numbered])


def _is_word(name: str) -> bool:
    """Whether an id is a code without a number: a letter, or a word such as "patient"."""
    return len(name) == 1 or name.casefold() in _CODE_WORDS


def _is_prefix(prefix: str) -> bool:
    words = re.findall(r"[^\W\d_]+", prefix.casefold())
    return all(
        word in _CODE_WORDS or (word.isascii() and len(word) <= _LONGEST_PREFIX) for word in words
    )


def pseudonymised(cohort: Cohort, key: Path, *, of_headers: bool = False) -> Cohort:
    """The cohort with codes as ids of cases and patients; those of the key file are kept.

    Nothing is written: `write_key` does that, once something else is. Where ids are `of_headers`,
    one without a letter is a number of the hospital, and no code however short it is.

    Raises
    ------
    ManifestError
        The key file cannot be understood.

    >>> cases = Case("Anna L1", "Anna", "malignant"), Case("P7", "P7", "malignant")
    >>> found = pseudonymised(Cohort(cases), Path("no-key-yet.csv"))
    >>> [(case.id, case.patient) for case in found.cases], found.names
    ([('P001', 'P001'), ('P7', 'P7')], {'P001': 'Anna L1', 'P7': 'P7'})
    """
    patients, cases = _named(cohort, of_headers)
    if not patients and not cases:
        return cohort
    names = _Names(cohort, read_key(key))
    for case in cohort.cases:
        names.add(case, case.patient in patients, case.id in cases)
    return replace(
        cohort,
        cases=tuple(names.coded(case) for case in cohort.cases),
        identities=names.identities(),
    )


def _named(cohort: Cohort, of_headers: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Patients and cases whose ids are no codes; a case that bears a patient's name has none."""
    patients = {case.patient for case in cohort.cases if case.patient}
    numbers = {name for name in patients if of_headers and not re.search(r"[^\W\d_]", name)}
    named = frozenset(patients - codes(patients) | numbers)
    coded = codes({case.id for case in cohort.cases})
    cases = (
        case.id
        for case in cohort.cases
        if case.id not in coded
        or (case.patient in named and case.patient.casefold() in case.id.casefold())
    )
    return named, frozenset(cases)


class _Names:
    """Pseudonyms as they are given, patient by patient in the order of the manifest."""

    def __init__(self, cohort: Cohort, known: Iterable[Identity]) -> None:
        self.known = {(each.what, each.name): each.pseudonym for each in known}
        self.count = Counter(case.patient for case in cohort.cases)
        self.given = dict.fromkeys(
            pair for c in cohort.cases for pair in (("case", c.id), ("patient", c.patient))
        )
        own = {what: {bare_id(n) for w, n in self.given if w == what} for what in _KINDS}
        for (what, _), pseudonym in self.known.items():
            own[what].add(bare_id(pseudonym))
        self.taken = {"case": own["case"], "patient": own["case"] | own["patient"]}
        # One that was passed over is taken, and stays so: nobody begins at P001 again.
        self.numbered = (f"P{k:03d}" for k in count(1))

    def add(self, case: Case, patient: bool, named: bool) -> None:
        """Pseudonyms of the case and its patient, as far as they want them."""
        if patient:
            self._give("patient", case.patient, self.numbered)
        if named:
            self._give("case", case.id, self._of_case(case))

    def _of_case(self, case: Case) -> Iterable[str]:
        """The patient's code, of several cases of a patient with level or number."""
        owner = self.known.get(("patient", case.patient), case.patient)
        if self.count[case.patient] == 1:
            yield owner
        if case.level:
            yield f"{owner}_{case.level.name}"
        yield from (f"{owner}_{k}" for k in count(1))

    def _give(self, what: str, name: str, wanted: Iterable[str]) -> None:
        """The first pseudonym that nobody has; a case may be called as its patient."""
        if (what, name) not in self.known:
            free = next(code for code in wanted if bare_id(code) not in self.taken[what])
            self.known[what, name] = free
            self.taken["patient"].add(bare_id(free))
            self.taken[what].add(bare_id(free))

    def coded(self, case: Case) -> Case:
        """The case under its codes."""
        return replace(
            case,
            id=self.known.get(("case", case.id), case.id),
            patient=self.known.get(("patient", case.patient), case.patient),
        )

    def identities(self) -> tuple[Identity, ...]:
        """Those of the cohort."""
        return tuple(Identity(*who, self.known[who]) for who in self.given if who in self.known)


def read_key(path: Path) -> tuple[Identity, ...]:
    """The pseudonyms of a key file; none where there is no file.

    Raises
    ------
    ManifestError
        It is no ordinary file in UTF-8, or no table with the columns of a key.
    """
    try:
        rows = _rows(read_text(path, ManifestError, LARGEST_KEY))
    except ManifestError as error:
        if error.code == "no-file":
            return ()
        raise ManifestError(
            f"{error.message.rstrip('.')}: without it nobody knows whose the pseudonyms are.",
            remedy="Put the file back as it was written, or move away what is there.",
            code="damaged-key",
            file=path,
        ) from error
    if not rows or tuple(rows[0]) != COLUMNS or not all(map(_is_identity, rows[1:])):
        raise ManifestError(
            f"{path.name}: a key has the columns {', '.join(COLUMNS)} and commas between them; "
            "something else was found.",
            remedy="Put the file back as it was written, or move it away: names then get new "
            "pseudonyms, and results/ must be made again.",
            code="damaged-key",
            file=path,
        )
    return tuple(Identity(*row) for row in rows[1:])


def _rows(text: str) -> list[list[str]]:
    """The cells of a key; none where they cannot be told."""
    try:
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        return [[unmarked(cell) for cell in row] for row in rows]
    except csv.Error:
        return []


def _is_identity(row: Sequence[str]) -> bool:
    return len(row) == len(COLUMNS) and row[0] in _KINDS and all(row)


def write_key(identities: Sequence[Identity], path: Path) -> None:
    """Append the pseudonyms that a key file lacks; only its owner can read it.

    On Windows the file has the rights of its folder, which only the user can narrow.

    Raises
    ------
    ManifestError
        The file cannot be written.
    """
    known = set(read_key(path))
    new = [each for each in identities if each not in known]
    if not new:
        return
    rows = [*([] if known else [COLUMNS]), *((i.what, i.name, i.pseudonym) for i in new)]
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY), "ab") as key:
            key.write(csv_text(rows).encode())
        path.chmod(OWNER_ONLY)
    except OSError as error:
        raise ManifestError(
            f"{path.name} cannot be written beside the manifest ({error.strerror}): without it "
            "nobody knows whose the pseudonyms are.",
            remedy="Copy the manifest into a folder of your own, or name cases and patients by "
            "codes, letters and a number.",
            code="key-not-written",
            file=path,
        ) from error


def about_key(cohort: Cohort) -> str:
    """What a user must know of pseudonyms, in a line to print."""
    n = len({each.name for each in cohort.identities})
    rights = "has the rights of its folder" if sys.platform == "win32" else "only you can read"
    return (
        f"{n} {'name is no code' if n == 1 else 'names are no codes'} (letters and a number, as "
        f"P001): pseudonyms are written in their place, and {KEY}, which {rights}, tells whose "
        "they are"
    )
