"""How features and numbers are written in tables and figures."""

import textwrap
import unicodedata
from collections.abc import Sequence

from centrum.features.feature_id import FeatureId
from centrum.report.words.features import FAMILIES, FamilyWording


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
    return _family(feature.family).label


def _family(name: str) -> FamilyWording:
    """One of a table made elsewhere may be of none that is known."""
    return FAMILIES.get(name) or FamilyWording(name, name)


def _varies(features: Sequence[FeatureId], field: str) -> bool:
    found = {(f.family, getattr(f, field)) for f in features}
    return len(found) > len({family for family, _ in found})


def _label(feature: FeatureId, varying: Sequence[str]) -> str:
    family = _family(feature.family)
    parts = [family.label if family.mark is None else family.mark]
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
