"""What a feature is called, where it is defined, how it is computed.

`catalogue.csv` holds the facts (IBSI code, name, the short name that figures write behind that
of the family, unit, section of the IBSI reference manual, arXiv:1612.07003, formula, the name in
PyRadiomics and whether PyRadiomics gives it only on request); a family module holds the
definitions. A definition that contradicts the catalogue stops the import.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from centrum.arrays import Floats
from centrum.settings import Dialect

Definition = Callable[[Any], Any]
"""From a statistic to a number, or to one number for each entry of its batch axes."""


@dataclass(frozen=True)
class Entry:
    """One row of the catalogue."""

    family: str
    code: str
    name: str
    short: str
    unit: str
    section: str
    formula: str
    pyradiomics: str
    deprecated: str


@cache
def catalogue() -> dict[tuple[str, str], Entry]:
    """All rows by (family, name).

    >>> catalogue()["glcm", "Contrast"].code
    'ACUI'
    """
    text = files("centrum.features").joinpath("catalogue.csv").read_text(encoding="utf-8")
    rows = [Entry(**row) for row in csv.DictReader(text.splitlines())]
    codes = [row.code for row in rows if row.code]
    if repeated := {code for code in codes if codes.count(code) > 1}:
        raise ValueError(f"The feature catalogue repeats the IBSI codes {sorted(repeated)}.")
    return {(row.family, row.name): row for row in rows}


@dataclass(frozen=True)
class Feature:
    """A catalogue entry with its definition; `key` is its short name, such as "contrast"."""

    entry: Entry
    compute: Definition
    key: str

    def in_dialect(self, dialect: Dialect) -> bool:
        """Whether the IBSI, or PyRadiomics, knows this feature."""
        if dialect == "ibsi":
            return bool(self.entry.code)
        return bool(self.entry.pyradiomics) and not self.entry.deprecated


@dataclass(frozen=True)
class Reads:
    """What a family is measured on, and what follows from it for the plan of an extraction.

    Whoever measures has one way to make each: `features/textures.py` for matrices of neighbours,
    `measure/region.py` for everything else.

    Attributes
    ----------
    what : in words
    levels : it is made of grey levels, so that a discretisation decides
    neighbours : it is a matrix of neighbours, joined over slices by an aggregation
    directed : the matrix is counted direction by direction, so that these are joined, too
    responses : it is made of response maps, too; else it is about the image or the region's shape
    """

    what: str
    levels: bool = False
    neighbours: bool = False
    directed: bool = False
    responses: bool = False


class Family:
    """An ordered collection of features that read one kind of statistic.

    >>> toy = Family("glcm", Reads("pairs of neighbours"))
    >>> @toy.feature("ACUI", "Dissimilarity")
    ... def dissimilarity(m): ...
    Traceback (most recent call last):
    ...
    ValueError: dissimilarity: the catalogue gives 'Dissimilarity' of glcm the code '8S9J', not ...
    """

    def __init__(self, name: str, reads: Reads) -> None:
        self.name = name
        self.reads = reads
        self._features: dict[str, Feature] = {}
        self._of_dialect: dict[Dialect, tuple[Feature, ...]] = {}

    def feature(self, code: str, name: str, key: str = "") -> Callable[[Definition], Definition]:
        """Register a definition under its IBSI code ("" where the IBSI has none) and name.

        `key` is the function's name unless several families share the function.
        """

        def register(compute: Definition) -> Definition:
            entry = catalogue().get((self.name, name))
            if entry is None or entry.code != code:
                known = f"the code {entry.code!r}" if entry else "no row"
                raise ValueError(
                    f"{compute.__name__}: the catalogue gives {name!r} of {self.name} "
                    f"{known}, not {code!r}; correct the code or add a row."
                )
            short = key or compute.__name__
            if name in (f.entry.name for f in self) or short in self._features:
                raise ValueError(f"{name!r} of {self.name} is defined twice.")
            self._features[short] = Feature(entry, compute, short)
            self._of_dialect.clear()
            return compute

        return register

    def __iter__(self) -> Iterator[Feature]:
        return iter(self._features.values())

    def features(self, dialect: Dialect) -> tuple[Feature, ...]:
        """Those that the dialect knows, in order."""
        if dialect not in self._of_dialect:
            self._of_dialect[dialect] = tuple(f for f in self if f.in_dialect(dialect))
        return self._of_dialect[dialect]

    def values(self, statistic: object, dialect: Dialect) -> Floats:
        """Values of `features`, (features, ...) with the batch shape of the statistic."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.array([f.compute(statistic) for f in self.features(dialect)], dtype=float)

    def compute(self, statistic: object, dialect: Dialect) -> dict[str, Floats]:
        """The same by feature key."""
        keys = [feature.key for feature in self.features(dialect)]
        return dict(zip(keys, map(np.asarray, self.values(statistic, dialect)), strict=True))
