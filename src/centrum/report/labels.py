"""How features and numbers are written in tables and figures."""

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from centrum.features.feature_id import FeatureId
from centrum.features.registry import Entry, catalogue
from centrum.features.settings import ExtractionSettings
from centrum.filters import Filter
from centrum.measure.extract import plan
from centrum.report.words.features import FAMILIES, FamilyWording
from centrum.report.words.filters import PYRADIOMICS_IMAGES, image_labels
from centrum.text import sentence_case

UNITS = {"age": "years"}
"""Units of the manifest's own columns."""


def short_labels(features: Mapping[str, FeatureId], filters: Iterable[Filter]) -> dict[str, str]:
    """What figures, tables and pages call each feature of a study, by column name; all differ.

    The family and the short name of the catalogue, then in brackets the image where it is not the
    original, the region and the sequence; aggregation and discretisation where features differ in
    nothing else. Of features that would still be called the same, the column name.

    Parameters
    ----------
    features : all of a study, by column name: a label tells a feature from all others
    filters : those of the study, whose response maps have labels of their own

    >>> from centrum.filters.log import LaplacianOfGaussian
    >>> f = FeatureId("log-2mm-2D", "glcm", "contrast", "ACUI", "Contrast", "FBN32", "3D_merged")
    >>> other = FeatureId("", "other", "e0", "", "e0", sequence="deep", label="deep_e0")
    >>> short_labels({"a": f, "b": other}, [LaplacianOfGaussian(sigma=2, dimension="2D")])
    {'a': 'GLCM contrast (LoG 2 mm)', 'b': 'e0 (deep)'}
    """
    images = _images(filters)
    labels = {name: _label(feature, images) for name, feature in features.items()}
    for same in _repeated(labels):
        differing = [s for s in SETTINGS if len({getattr(features[name], s) for name in same}) > 1]
        labels |= {name: _label(features[name], images, differing) for name in same}
    while repeated := _repeated(labels):
        labels |= {name: name for same in repeated for name in same}
    return labels


def plain_label(entry: Entry) -> str:
    """The label of a feature of the image itself.

    >>> plain_label(catalogue()["glcm", "Joint entropy"])
    'GLCM joint entropy'
    """
    return f"{FAMILIES[entry.family].short} {entry.short}".strip()


def place_labels(features: Sequence[FeatureId], filters: Iterable[Filter]) -> list[str]:
    """What figures call the image of each feature, with region and sequence; of all of a study.

    >>> f = FeatureId("wavelet-LLH", "glcm", "contrast", "ACUI", "Contrast", sequence="T1w")
    >>> place_labels([f], ())
    ['wavelet LLH, T1w']
    """
    images = _images(filters)
    return [
        ", ".join(filter(None, (images.get(f.image, f.image), f.region, f.sequence)))
        for f in features
    ]


def labels_within(
    features: Mapping[str, FeatureId], extraction: ExtractionSettings
) -> dict[str, str]:
    """`short_labels` of some features of a study, among all that its extraction measures.

    >>> settings = ExtractionSettings(aggregations=("2D_averaged", "3D_merged"))
    >>> labels_within({f.spell("ibsi"): f for f in plan(settings)[-1:]}, settings)
    {'original_ngldm_dependence_count_energy_FBN32_3D': 'NGLDM dependence energy (3D)'}
    """
    places = dict.fromkeys((f.region, f.sequence) for f in features.values())
    measured = (
        replace(feature, region=region, sequence=sequence)
        for region, sequence in places
        for feature in plan(extraction)
    )
    known = {feature.spell(extraction.dialect): feature for feature in measured}
    labels = short_labels({**known, **features}, extraction.filters)
    return {name: labels[name] for name in features}


def _images(filters: Iterable[Filter]) -> dict[str, str]:
    return {**PYRADIOMICS_IMAGES, **image_labels(filters)}


SETTINGS = ("discretisation", "aggregation")
"""Of a feature, that its label says where nothing else tells it from another."""


def _repeated(labels: Mapping[str, str]) -> list[list[str]]:
    """Names that have the same label."""
    names: dict[str, list[str]] = {}
    for name, label in labels.items():
        names.setdefault(label, []).append(name)
    return [same for same in names.values() if len(same) > 1]


def _label(feature: FeatureId, images: Mapping[str, str], settings: Sequence[str] = ()) -> str:
    entry = catalogue().get((feature.family, feature.name))
    shown = plain_label(entry) if entry else feature.name
    image = "" if feature.image == "original" else images.get(feature.image, feature.image)
    told = (getattr(feature, setting).replace("_", " ") for setting in settings)
    beside = ", ".join(filter(None, (image, feature.region, feature.sequence, *told)))
    return f"{shown} ({beside})" if beside else shown


def family_label(feature: FeatureId) -> str:
    """The family as it is written in figures.

    >>> family_label(FeatureId("original", "glcm", "contrast", "ACUI", "Contrast", "FBN32", ""))
    'GLCM'
    """
    return family_words(feature.family).label


def family_words(name: str) -> FamilyWording:
    """The words for a family; one of a table made elsewhere may be of none that is known."""
    return FAMILIES.get(name) or FamilyWording(name, name, name)


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

    What is in brackets stays on one line. Words are not broken, but one that is longer than a line
    may part at its hyphens. Chinese, Japanese and Korean characters are as wide as two, and a line
    may end at each.

    >>> wrapped("Inverse difference moment normalised, GLCM", 24)
    'Inverse difference\\nmoment normalised, GLCM'
    >>> wrapped("above wavelet-coif1-LL-level1-average-2D", 26)
    'above wavelet-coif1-LL-\\nlevel1-average-2D'
    >>> wrapped("Case-of-a-patient-with-a-long-name-0001", 12)
    'Case-of-a-\\npati…me-0001'
    >>> wrapped("GLCM correlation (LoG 2 mm)", 24)
    'GLCM correlation\\n(LoG 2 mm)'
    """
    spaced = letters(text, width) == width
    width = letters(text, width)
    long = any(len(word) > width for word in text.split())
    wrap = textwrap.TextWrapper(width, break_long_words=not spaced, break_on_hyphens=long).wrap
    for length in range(max(len(text), 1), 0, -1):
        found = wrap(_joined(shortened(text, length), width))
        if len(found) <= lines and all(len(line) <= width for line in found):
            break
    return "\n".join(found).replace(NO_BREAK, " ")


NO_BREAK = "\N{NO-BREAK SPACE}"


def _joined(text: str, width: int) -> str:
    """What is in brackets, and fits on a line, with spaces at which no line ends."""

    def join(found: re.Match[str]) -> str:
        return found[0].replace(" ", NO_BREAK) if len(found[0]) <= width else found[0]

    return re.sub(r"\([^()]*\)", join, text)


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


def heading(variable: str) -> str:
    """What a column of the manifest is called, with its unit."""
    unit = f" ({UNITS[variable]})" if variable in UNITS else ""
    return f"{sentence_case(variable)}{unit}".replace("_", " ")
