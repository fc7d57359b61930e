"""Codes: what a feature, a unit, a vertebra and a result are called in a coding scheme.

Features have the codes of the IBSI, from `features/catalogue.csv` and not from pydicom's table,
which lacks plain intensity statistics. What no scheme has is coded in our own, `OWN`, where the
code is the digest of its meaning: one code cannot come to mean two things.

Source: DICOM PS3.16, 8 (coding schemes), CID 100 and 7151; UCUM; IBSI reference manual.
"""

import re
from typing import NamedTuple

from centrum.cohort.levels import Level
from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.features.registry import catalogue
from centrum.provenance import digest

IBSI, UCUM, SCT, DCM = "IBSI", "UCUM", "SCT", "DCM"

OWN = "99CENTRUM"
"""Our own scheme; the standard keeps names that begin with 99 for such."""

LONGEST_VALUE, LONGEST_MEANING = 16, 64
"""Characters of a code (SH) and of its meaning (LO)."""


class CodedTerm(NamedTuple):
    """A code, its scheme, and what it means."""

    value: str
    scheme: str
    meaning: str


TISSUE = CodedTerm("85756007", SCT, "Tissue")
ANATOMY = CodedTerm("91723000", SCT, "Anatomical Structure")
IMAGING = CodedTerm("363679005", SCT, "Imaging procedure")
SOURCE_IMAGE = CodedTerm("260753009", SCT, "Source")
ENGLISH = CodedTerm("en", "RFC5646", "English")

_VERTEBRAE = {
    "C1": "14806007", "C2": "39976000", "C3": "113205007", "C4": "5329002", "C5": "36978003",
    "C6": "36054005", "C7": "87391001", "T1": "64864005", "T2": "53733008", "T3": "1626008",
    "T4": "73071006", "T5": "56401006", "T6": "45296009", "T7": "62487009", "T8": "11068009",
    "T9": "82687006", "T10": "7610001", "T11": "12989004", "T12": "23215003", "L1": "66794005",
    "L2": "14293000", "L3": "36470004", "L4": "11994002", "L5": "49668003",
}  # fmt: skip
"""SNOMED CT codes of vertebrae (CID 7151, Segmentation Anatomic Structure)."""

NO_UNITS = CodedTerm("1", UCUM, "no units")

_METRIC = re.compile(r"(1/)?mm[23]?|bit")


def vertebra(level: Level | None) -> CodedTerm | None:
    """The vertebra of a level; None where there is no level, or no code as of T13 and L6.

    >>> vertebra(Level("L", 1)).meaning, vertebra(Level("L", 6))
    ('L1 vertebra', None)
    """
    code = _VERTEBRAE.get(level.name) if level else None
    return CodedTerm(code, SCT, f"{level} vertebra") if code else None


def own_term(meaning: str) -> CodedTerm:
    """What no scheme has, under a code that is the digest of its meaning.

    >>> own_term("Score")
    CodedTerm(value='EE6251F853E1', scheme='99CENTRUM', meaning='Score')
    """
    return CodedTerm(digest(meaning)[:12].upper(), OWN, _short(meaning))


def feature_term(feature: FeatureId) -> CodedTerm:
    """The name of a feature: its IBSI code, or our own where the IBSI has none.

    Raises
    ------
    DataError
        The catalogue has no such feature, or another code for it ("unknown-code").
    """
    entry = catalogue().get((feature.family, feature.name))
    if entry is None or entry.code != feature.code:
        known = f"the code {entry.code!r}" if entry else "no such feature"
        raise DataError(
            f"The feature '{feature.family} {feature.name}' has the IBSI code {feature.code!r}; "
            f"the catalogue has {known}.",
            remedy="Freeze the model again with this version.",
            code="unknown-code",
        )
    if not entry.code:
        return own_term(f"{entry.family}: {entry.name}")
    return CodedTerm(entry.code, IBSI, _short(entry.name))


def unit_term(unit: str) -> CodedTerm:
    """A unit of the catalogue in UCUM; grey levels and intensities are of the unity, annotated.

    >>> [unit_term(unit).value for unit in ("mm3", "1/mm", "1", "level^2", "I mm3")]
    ['mm3', '/mm', '1', '{level^2}', 'mm3{I}']
    """
    if unit in ("1", ""):
        return NO_UNITS
    if _METRIC.fullmatch(unit):
        return CodedTerm(unit.removeprefix("1"), UCUM, unit)
    annotated, _, metric = unit.partition(" ")
    return CodedTerm(f"{metric}{{{annotated}}}", UCUM, unit)


def _short(meaning: str) -> str:
    return meaning if len(meaning) <= LONGEST_MEANING else f"{meaning[: LONGEST_MEANING - 3]}..."
