"""How features and numbers are written in tables and figures."""

import math
import textwrap
import unicodedata
from collections.abc import Sequence

from centrum.features.feature_id import FeatureId

ABBREVIATED = 6
"""Names of families shorter than this are abbreviations (GLCM) and written in capitals."""


MEASURES = {
    "auc": "AUC",
    "accuracy": "accuracy",
    "deviance": "binomial deviance",
    "class": "misclassified share",
}
"""What cross-validation measures."""

FAMILIES = {
    "morphology": "shape",
    "enclosing": "shape",
    "spatial": "",
    "local_intensity": "",
    "statistics": "",
    "ivh": "",
}
"""Families that are called otherwise, or not at all: it is in the name of their features."""


def feature_labels(features: Sequence[FeatureId]) -> tuple[str, ...]:
    """Names for people: the catalogue's name and the family, and what else tells them apart.

    Discretisation and aggregation are said when they differ within a family, the image when it
    is not the original, the sequence when there are several.

    >>> f = FeatureId("original", "glcm", "contrast", "ACUI", "Contrast", "FBN32", "3D_merged")
    >>> feature_labels([f])
    ('Contrast, GLCM',)
    """
    varying = [f for f in ("discretisation", "aggregation") if _varies(features, f)]
    return tuple(_label(feature, varying) for feature in features)


def family_label(feature: FeatureId) -> str:
    """The family as it is written in figures.

    >>> family_label(FeatureId("original", "glcm", "contrast", "ACUI", "Contrast", "FBN32", ""))
    'GLCM'
    """
    name = feature.family
    return name.upper() if len(name) < ABBREVIATED else name.replace("_", " ")


def _varies(features: Sequence[FeatureId], field: str) -> bool:
    found = {(f.family, getattr(f, field)) for f in features}
    return len(found) > len({family for family, _ in found})


def _label(feature: FeatureId, varying: Sequence[str]) -> str:
    short = len(feature.family) < ABBREVIATED
    parts = [FAMILIES.get(feature.family, feature.family.upper() if short else feature.family)]
    if feature.image != "original":
        parts.append(feature.image)
    parts.append(feature.sequence)
    parts += [getattr(feature, field).replace("_", " ") for field in varying]
    return ", ".join((feature.name, *(p for p in parts if p)))


def unit_text(unit: str) -> str:
    """A unit as it is printed; "I" is the intensity of the image.

    >>> unit_text("mm3"), unit_text("I^2"), unit_text("")
    ('mm³', 'intensity²', '–')
    """
    for plain, printed in (("^", ""), ("2", "²"), ("3", "³"), ("I", "intensity")):
        unit = unit.replace(plain, printed)
    return unit or "–"


def wrapped(text: str, width: int, lines: int = 2) -> str:
    """`text` on at most `lines` lines of `width` characters; "…" stands for its middle.

    Chinese, Japanese and Korean characters are as wide as two.

    >>> wrapped("Inverse difference moment normalised, GLCM", 24)
    'Inverse difference\\nmoment normalised, GLCM'
    >>> wrapped("Case-of-a-patient-with-a-long-name-0001", 12)
    'Case-of-a-pa\\ntien…me-0001'
    """
    width = letters(text, width)
    for length in range(max(len(text), 1), 0, -1):
        found = textwrap.wrap(shortened(text, length), width, break_on_hyphens=False)
        if len(found) <= lines:
            break
    return "\n".join(found)


def letters(text: str, width: int) -> int:
    """How many letters of `text` fill a line of `width` latin ones.

    >>> letters("Age", 20), letters("年龄", 20)
    (20, 10)
    """
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return max(width * len(text) // max(len(text) + wide, 1), 2)


def shortened(text: str, length: int) -> str:
    """`text` in at most `length` characters; "…" stands for its middle.

    >>> shortened("Case-of-a-patient-0001", 12), shortened("P001", 12)
    ('Case-of-…001', 'P001')
    """
    if len(text) <= length:
        return text
    end = (length - 1) // 3
    return f"{text[: length - 1 - end]}…{text[len(text) - end :]}"


def counted(n: int, noun: str, plural: str = "") -> str:
    """Number and noun.

    >>> counted(1, "case"), counted(2, "case"), counted(0, "body", "bodies")
    ('1 case', '2 cases', '0 bodies')
    """
    return f"{n} {noun if n == 1 else plural or noun + 's'}"


def significant(value: float, digits: int = 4) -> str:
    """A number of any size with so many significant digits.

    >>> significant(12345.678), significant(0.00012345), significant(float("nan"))
    ('12346', '0.0001234', '–')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else str(value)
    if value and not 1e-5 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}"
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(digits - 1 - magnitude, 0)}f}"


def fixed(value: float, digits: int = 3) -> str:
    """A number with so many decimals, a true minus sign, and a dash when undefined.

    >>> fixed(-0.5), fixed(float("nan"))
    ('−0.500', '–')
    """
    return "–" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def interval_text(lower: float, upper: float, digits: int = 3, join: str = "–") -> str:
    """The limits of a confidence interval.

    One without width is none: where no resample differs, as of scores that part all cases or of
    readings that are the same, nothing was learnt of the precision.

    >>> interval_text(0.744, 0.9321), interval_text(1.0, 1.0), interval_text(-0.1, 0.2, 2, " to ")
    ('0.744–0.932', 'no interval', '−0.10 to 0.20')
    """
    if math.isnan(lower) or math.isnan(upper) or lower == upper:
        return NO_INTERVAL
    return f"{fixed(lower, digits)}{join}{fixed(upper, digits)}"


NO_INTERVAL = "no interval"


def p_text(p: float) -> str:
    """A p value as journals print it.

    >>> p_text(0.00002), p_text(0.0421), p_text(0.21), p_text(0.9997)
    ('<.001', '.042', '.21', '>.99')
    """
    if math.isnan(p):
        return "–"
    if p < 0.001:
        return "<.001"
    if p > 0.99:
        return ">.99"
    return f"{p:.{3 if p < 0.0995 else 2}f}".lstrip("0")


def p_equals(p: float) -> str:
    """A p value with its sign, for a sentence.

    >>> p_equals(0.0421), p_equals(0.00002)
    ('P = .042', 'P < .001')
    """
    text = p_text(p)
    return f"P {text[0]} {text[1:]}" if text[0] in "<>" else f"P = {text}"
