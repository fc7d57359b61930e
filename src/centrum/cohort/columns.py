"""The columns of a manifest: which head means what."""

import keyword
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from centrum.cohort.case import DEFAULT_READER, DEFAULT_SEQUENCE
from centrum.cohort.units import YEARS, is_unit

_HEADS = {
    "case": "case, id, case id, caseid, case no, case number, fall, fall id, fall nr, "
    "fallnummer, cas, caso, 病例, 病例号, 编号",
    "patient": "patient, patient id, patientid, patient no, patient nr, patient number, pat, "
    "pat id, pat no, pat nr, patienten id, patienten nr, patientennummer, patnr, "
    "patid, subject, subject id, subject no, subject number, subjectid, proband, "
    "probanden id, paciente, 患者, 患者编号, 患者id",
    "level": "level, vertebra, vertebral level, vertebral body, wirbel, wirbelkörper, "
    "wirbelhöhe, höhe, niveau, vertèbre, vértebra, nivel, 椎体, 节段",
    "outcome": "outcome, diagnosis, label, diagnose, diagnostic, diagnóstico, 诊断",
    "centre": "centre, center, site, hospital, zentrum, klinik, standort, clinic, centro, "
    "hôpital, 中心, 医院",
    "age": "age, age years, age at mri, age at scan, age at imaging, alter, âge, patient "
    "age, patient s age, edad, 年龄, 年齡, 年齢",
    "sex": "sex, gender, geschlecht, sexe, sexo, género, patient sex, 性别, 性別",
}

FIELDS = {name: tuple(heads.split(", ")) for name, heads in _HEADS.items()}
"""Accepted heads of each column, compared without regard to case, punctuation and what stands in
brackets."""

SEXES = {
    **dict.fromkeys(("m", "male", "man", "mann", "männlich", "maennlich", "männl"), "M"),
    **dict.fromkeys(("masculin", "homme", "masculino", "hombre", "男", "男性"), "M"),
    **dict.fromkeys(("f", "female", "woman", "w", "frau", "weiblich", "weibl"), "F"),
    **dict.fromkeys(("féminin", "femme", "femenino", "mujer", "女", "女性"), "F"),
    **dict.fromkeys(("o", "other", "d", "divers", "diverse"), "O"),
}
"""Accepted sexes, compared without regard to case. H and V are not: where H is hombre, M is mujer,
and numbers are a code that nobody states."""

REQUIRED = ("case", "outcome", "image", "mask")
"""Columns without which there is no study."""

TAKEN = ("region", "missing", "reader", "perturbation", "place_in_time")
"""Names that a covariate may not take: what `level` implies, a word of the rules, and what stands
beside the covariates in tables of results."""

_FIELD_OF = {head: name for name, heads in FIELDS.items() for head in heads}
_DEFAULTS = {"image": DEFAULT_SEQUENCE, "mask": DEFAULT_READER}
_KINDS = {
    **dict.fromkeys(("image", "bild", "imagen", "图像"), "image"),
    **dict.fromkeys(("mask", "maske", "masque", "máscara", "掩膜"), "mask"),
}
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")


@dataclass
class ManifestColumns:
    """Positions of the columns of one manifest, counted from 0.

    Attributes
    ----------
    fields : by the names of `FIELDS`
    images : by sequence
    masks : by reader, the primary one first
    regions : masks of further regions, by reader and region as in "senior:muscle"
    covariates : by head
    """

    fields: dict[str, int] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=dict)
    regions: dict[str, int] = field(default_factory=dict)
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


def find_columns(header: tuple[str, ...]) -> ManifestColumns:
    """Sort the heads of a manifest into fields, images, masks and covariates."""
    columns = ManifestColumns()
    for position, head in enumerate(header):
        kind, name = _meaning(head)
        getattr(columns, kind).setdefault(name, position)
    return columns


def position_of(header: Sequence[str], head: str) -> int | None:
    """Where the column stands that a head means, however it is spelt; None where it does not.

    >>> position_of(["case", "Mask: R1", "Motion"], "mask:r1"), position_of(["case"], "mask")
    (1, None)
    """
    wanted = _compared(head)
    return next((k for k, found in enumerate(header) if found and _compared(found) == wanted), None)


def _compared(head: str) -> tuple[str, str]:
    """What two heads of one meaning have in common."""
    kind, name = _meaning(head)
    return kind, identifier(name) or name


def repeated_heads(header: tuple[str, ...]) -> Iterator[list[str]]:
    """Heads that name one column twice, such as "centre" and "Center"."""
    groups = defaultdict(list)
    for head in filter(None, header):
        groups[_compared(head)].append(head)
    return (heads for heads in groups.values() if len(heads) > 1)


def parse_sex(text: str) -> str | None:
    """M, F or O; None where a text does not say which.

    >>> parse_sex("weibl."), parse_sex("Mann"), parse_sex("1")
    ('F', 'M', None)
    """
    return SEXES.get(unicodedata.normalize("NFC", text).casefold().rstrip("."))


def is_known_head(head: str) -> bool:
    """Whether a head is that of a column which every cohort may have.

    >>> [head for head in ("Pat.-Nr.", "Alter [J]", "Bild: T2w", "PSA") if is_known_head(head)]
    ['Pat.-Nr.', 'Alter [J]', 'Bild: T2w']
    """
    return bool(head) and _meaning(head)[0] != "covariates"


def _meaning(head: str) -> tuple[str, str]:
    """The attribute of `ManifestColumns` and the name in it that a head stands for."""
    kind, _, name = (part.strip() for part in head.partition(":"))
    if kind.casefold() in _KINDS:
        kind = _KINDS[kind.casefold()]
        reader, _, region = (part.strip() for part in name.partition(":"))
        if kind == "mask" and region:
            return "regions", f"{reader or DEFAULT_READER}:{region}"
        return f"{kind}s", name or _DEFAULTS[kind]
    known = _field(unicodedata.normalize("NFC", head))
    return ("fields", known) if known else ("covariates", head)


def _field(head: str) -> str | None:
    """The field that a head names; "Age (months)" and "Level (mm)" are other things.

    >>> _field("Sex (M/F)"), _field("Age [y]"), _field("Age (months)"), _field("Level (mm)")
    ('sex', 'age', None, None)
    """
    unit = next((text for text in _BRACKETS.findall(head) if is_unit(text)), "")
    bare = _BRACKETS.sub(" ", head.casefold()).replace("_", " ")
    name = _FIELD_OF.get(" ".join(re.findall(r"\w+", bare)))
    return name if not unit or (name == "age" and unit.strip().casefold() in YEARS) else None
