"""A case and a cohort: what is known about each fractured vertebra before any number."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from centrum.cohort.levels import Level
from centrum.provenance import History, Step
from centrum.text import OneLine

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SEQUENCE = "default"
"""Name of the image sequence when the manifest's column is plain `image`."""

EVERY = "all"
"""What stands for every case, or every reader, where one is named; nobody may be called so."""

DEFAULT_READER = "reader"
"""Name of the reader when the manifest's column is plain `mask`."""

DESCRIPTORS = ("patient", "level", "region", "outcome", "centre", "age", "sex")
"""Columns of `Cohort.to_frame` that every cohort has."""

Value = float | str | None
"""A covariate of one case; None is a value that is missing."""


def column(kind: str, name: str) -> str:
    """Head of the manifest column of an image sequence or a reader's mask.

    >>> column("image", "T2w"), column("image", DEFAULT_SEQUENCE), column("mask", "R1")
    ('image:T2w', 'image', 'mask:R1')
    """
    plain = {"image": DEFAULT_SEQUENCE, "mask": DEFAULT_READER}[kind]
    return kind if name == plain else f"{kind}:{name}"


@dataclass(frozen=True)
class Case:
    """One fractured vertebral body, the unit of analysis.

    Attributes
    ----------
    id : name of the case, unique in its cohort
    patient : the patient it belongs to; never printed
    outcome : the class to be told, spelt as the protocol spells it
    level : the vertebra, None when not stated
    centre : where it was imaged
    age : years
    sex : "M", "F" or "O"
    covariates : further columns of the manifest, number or text
    images : source of each sequence, as `centrum.io.read_image` takes it
    masks : source of each reader's mask, as `centrum.io.read_mask` takes it
    regions : the same of further regions, by reader and region as in "senior:muscle"
    row : row of the manifest as a spreadsheet numbers it, 0 without a manifest
    """

    id: str
    patient: str = field(repr=False)
    outcome: str
    level: Level | None = None
    centre: str | None = None
    age: float | None = None
    sex: str | None = None
    covariates: Mapping[str, Value] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    row: int = field(default=0, compare=False)

    @property
    def drawn(self) -> dict[str, str]:
        """Sources of all masks; those of further regions by reader and region."""
        return {**self.masks, **self.regions}

    def record(self) -> dict[str, object]:
        """The columns of the manifest that describe the case, and the region."""
        level, region = (self.level.name, self.level.region) if self.level else (None, None)
        known = (self.patient, level, region, self.outcome, self.centre, self.age, self.sex)
        return {**dict(zip(DESCRIPTORS, known, strict=True)), **self.covariates}


@dataclass(frozen=True)
class Identity:
    """A name of the manifest and the code that is written in its place.

    Attributes
    ----------
    what : "case", "patient" or "reader"
    name : as the manifest spells it; never written but to the key
    pseudonym : the code
    """

    what: str
    name: str = field(repr=False)
    pseudonym: str


@dataclass(frozen=True, repr=False)
class Cohort(OneLine):
    """The cases of a study, in the order of the manifest.

    Attributes
    ----------
    cases : the cases
    source : the file that they were read from
    history : what was done to the list of cases, oldest first
    readers : names of the readers, the primary one first; those of the cases if not given
    sequences : names of the image sequences; those of the cases if not given
    identities : whose the pseudonyms among the ids are; empty where ids are codes

    >>> cohort = Cohort((Case("a", "p", "malignant", Level.parse("Th12"), age=70.0),))
    >>> print(cohort.to_frame()[["level", "region", "age"]])
         level    region   age
    case
    a      T12  thoracic  70.0
    """

    cases: tuple[Case, ...]
    source: str = ""
    history: History = ()
    readers: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    identities: tuple[Identity, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        masks, images = (case.masks for case in self.cases), (case.images for case in self.cases)
        object.__setattr__(self, "readers", self.readers or _names(masks))
        object.__setattr__(self, "sequences", self.sequences or _names(images))

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions beside the first one, in the order of the manifest."""
        names = _names(case.regions for case in self.cases)
        return tuple(dict.fromkeys(name.partition(":")[2] for name in names))

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of the covariates."""
        return _names(case.covariates for case in self.cases)

    @property
    def names(self) -> dict[str, str]:
        """What the manifest calls the cases, by id; not to be written."""
        named = {each.pseudonym: each.name for each in self.identities if each.what == "case"}
        return {case.id: named.get(case.id, case.id) for case in self.cases}

    @property
    def outcomes(self) -> dict[str, int]:
        """Number of cases per outcome, in the order in which they first appear."""
        return dict(Counter(case.outcome for case in self.cases))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed or looked odd while the cohort was made, for the user to read."""
        return tuple(note for step in self.history for note in step.parameters.get("notes", ()))

    def keep(self, cases: Iterable[Case], step: Step) -> "Cohort":
        """The same cohort with only `cases`; `step` says why."""
        return replace(self, cases=tuple(cases), history=(*self.history, step))

    def to_frame(self) -> "pd.DataFrame":
        """One row per case, indexed by case id: the `obs` of a FeatureTable.

        Columns: patient, level, region, outcome, centre, age (years), sex and the covariates;
        numbers are float64 and text is `str`, both with NaN for what is missing.
        """
        import pandas as pd

        index = pd.Index([case.id for case in self.cases], name="case", dtype="str")
        columns = [*DESCRIPTORS, *self.covariates]
        frame = pd.DataFrame([case.record() for case in self.cases], index, columns)
        return frame.astype({c: "float64" if self._is_numeric(c) else "str" for c in columns})

    def _is_numeric(self, name: str) -> bool:
        values = (case.covariates.get(name) for case in self.cases)
        return name == "age" or any(isinstance(value, float) for value in values)


def _names(mappings: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for mapping in mappings for name in mapping))
