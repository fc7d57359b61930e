"""The columns of a manifest: which head means what."""

import keyword
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from centrum.cohort.case import DEFAULT_READER, DEFAULT_SEQUENCE

FIELDS = {
    "case": ("case", "id", "case id", "caseid"),
    "patient": ("patient", "patient id", "patientid", "subject"),
    "level": ("level", "vertebra", "vertebral level"),
    "outcome": ("outcome", "diagnosis", "label"),
    "centre": ("centre", "center", "site", "hospital"),
    "age": ("age", "age years"),
    "sex": ("sex", "gender"),
}
"""Accepted heads of each column, compared without regard to case and punctuation."""

REQUIRED = ("case", "outcome", "image", "mask")
"""Columns without which there is no study."""

DERIVED = ("region", "missing")
"""Names that a covariate may not take: what `level` implies, and a word of the rules."""

_FIELD_OF = {head: name for name, heads in FIELDS.items() for head in heads}
_DEFAULTS = {"image": DEFAULT_SEQUENCE, "mask": DEFAULT_READER}


@dataclass
class Columns:
    """Positions of the columns of one manifest, counted from 0.

    Attributes
    ----------
    fields : by the names of `FIELDS`
    images : by sequence
    masks : by reader, the primary one first
    covariates : by head
    """

    fields: dict[str, int] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=dict)
    covariates: dict[str, int] = field(default_factory=dict)

    def missing(self, required: Sequence[str] = REQUIRED) -> list[str]:
        """Required columns that are absent."""
        present = {*self.fields, *(["image"] * bool(self.images)), *(["mask"] * bool(self.masks))}
        return [name for name in required if name not in present]


def identifier(head: str) -> str:
    """The head of a column as the name under which a rule refers to it.

    >>> identifier("Genant grade"), identifier("PSA (ng/ml)"), identifier("class")
    ('genant_grade', 'psa_ng_ml', 'class_')
    """
    name = re.sub(r"\W+", "_", head.strip().casefold()).strip("_")
    return f"{name}_" if keyword.iskeyword(name) else f"_{name}" if name[:1].isdigit() else name


def find_columns(header: tuple[str, ...]) -> Columns:
    """Sort the heads of a manifest into fields, images, masks and covariates."""
    columns = Columns()
    for position, head in enumerate(header):
        kind, name = _meaning(head)
        getattr(columns, kind).setdefault(name, position)
    return columns


def repeated_heads(header: tuple[str, ...]) -> Iterator[list[str]]:
    """Heads that name one column twice, such as "centre" and "Center"."""
    groups = defaultdict(list)
    for head in filter(None, header):
        kind, name = _meaning(head)
        groups[kind, identifier(name) or name].append(head)
    return (heads for heads in groups.values() if len(heads) > 1)


def _meaning(head: str) -> tuple[str, str]:
    """The attribute of `Columns` and the name in it that a head stands for."""
    kind, _, name = (part.strip() for part in head.partition(":"))
    if kind.casefold() in _DEFAULTS:
        kind = kind.casefold()
        return f"{kind}s", name or _DEFAULTS[kind]
    known = _FIELD_OF.get(" ".join(re.findall(r"\w+", head.casefold().replace("_", " "))))
    return ("fields", known) if known else ("covariates", head)
