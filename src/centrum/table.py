"""The number side of a study: values of features, by case and reader."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.arrays import Columns, Flags, Floats, Table, column_blocks, row_blocks, write_columns
from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.io.csv_text import frame_csv, read_frame
from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.provenance import History, Step, digest, file_digest
from centrum.records import as_json
from centrum.settings import Dialect
from centrum.store import write_atomically, writing_atomically
from centrum.text import OneLine, counted, html_table, significant

FEATURES = "features.parquet"
"""File of the table itself."""

HEAD = "features.json"
"""File that says what the columns of the table are, and how it was made."""

CSV = "features.csv"
"""The same as text, of tables that are not large."""

LARGE = 20_000_000
"""A table of more numbers, over all readers, stays on disk (160 MB in memory) and has no CSV."""


def is_large(numbers: int) -> bool:
    """Whether a table of so many numbers stays on disk."""
    return numbers > LARGE


WITHOUT_CSV = f"a table of more than {LARGE / 1e6:g} million numbers is not written as text."
"""Why a large table has no CSV."""

ON_DISK = "columns"
"""Folder of the columns of a large table; it can be deleted, and is made again."""

COLUMNS_READ = 20
"""Columns of a large Parquet file that are read at a time."""

SHOWN = 8
"""Cases and features that a notebook shows of a table."""

PERTURBED = "robustness_values.parquet"
"""File of the perturbed layer."""


MORPHOMETRY = "morphometry.csv"
"""File of the measures of the vertebral bodies."""

TOLD_OF_BODIES = ("reference", "notes", "error")
"""Columns of that file that are no measures."""


@dataclass(frozen=True)
class Comparisons:
    """Which readers of a table are compared, where that is not each with all others.

    Attributes
    ----------
    between : readers whose agreement with each other counts: each person once, and no consensus
        of them, which agrees with those whom it was made of
    within : the names of each person who read more than once, the first reading first

    >>> chosen = Comparisons(("anna", "ben"), (("anna", "anna-second"),))
    >>> chosen.compares("anna", "anna-second"), chosen.compares("anna-second", "ben")
    (True, False)
    """

    between: tuple[str, ...]
    within: tuple[tuple[str, ...], ...] = ()

    def compares(self, a: str, b: str) -> bool:
        """Whether these two are compared with each other."""
        return any({a, b} <= {*names} for names in (self.between, *self.within))

    @classmethod
    def of(cls, kept: dict[str, list] | None) -> "Comparisons | None":
        """As JSON keeps them."""
        if kept is None:
            return None
        return cls(tuple(kept["between"]), tuple(map(tuple, kept["within"])))


@dataclass(frozen=True, eq=False, repr=False)
class FeatureTable(OneLine):
    """Values of features for every case and reader.

    Parameters
    ----------
    values : (cases, features, readers) float64; nan where a reader has no mask of a case. Those
        of a large table stay on disk
    obs : what is known about the cases, indexed by case id, as `Cohort.to_frame` gives it
    features : the records of the second axis
    readers : names of the third axis, the primary reader first
    dialect : whose spelling the column names have
    history : the steps that made it, oldest first
    perturbed : (cases, features, perturbations) float64, the primary reader's region measured
        again under perturbations; nan where that failed
    perturbations : names of the third axis of `perturbed`
    comparisons : which readers are compared; each with all others when missing
    elsewhere : sources of features that were not measured here, by the name of their sequence
    unread : those of them whose values are no reader's own, and the same for all

    Raises
    ------
    DataError
        An axis has another length than its names, or two features have one name.

    >>> contrast = FeatureId(
    ...     "original", "glcm", "contrast", "ACUI", "Contrast", "FBN32", "3D_merged"
    ... )
    >>> obs = pd.DataFrame({"outcome": ["malignant"]}, index=pd.Index(["P001"], name="case"))
    >>> table = FeatureTable(np.array([[[7.5, 8.0]]]), obs, (contrast,), ("senior", "junior"))
    >>> table
    FeatureTable(values=<1 x 1 x 2>, obs=<1 x 1>, features=<1>, readers=<2>, dialect='ibsi', ...)
    >>> table.to_frame().to_dict("list")
    {'case': ['P001', 'P001'], 'reader': ['senior', 'junior'], 'outcome': [...],
     'original_glcm_contrast_FBN32_3D_merged': [7.5, 8.0]}
    """

    values: Table
    obs: pd.DataFrame
    features: tuple[FeatureId, ...]
    readers: tuple[str, ...]
    dialect: Dialect = "ibsi"
    history: History = ()
    perturbed: Floats | None = None
    perturbations: tuple[str, ...] = ()
    comparisons: Comparisons | None = None
    elsewhere: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_shape(self.values, self.readers, "readers")
        if self.perturbed is not None:
            self._check_shape(self.perturbed, self.perturbations, "perturbations")
        if len(set(self.names)) != len(self.names):
            raise DataError("Two features of a table have one name.")

    def _repr_html_(self) -> str:
        """The first cases and features, of the primary reader."""
        caption = (
            f"{counted(len(self.obs), 'case')}, {counted(len(self.features), 'feature')}, "
            f"{counted(len(self.readers), 'reader')}; values of {self.readers[0]}"
        )
        shown = np.asarray(self.values[:SHOWN, :SHOWN, 0])
        cases = zip(self.cases[:SHOWN], shown, strict=True)
        rows = [(case, *map(significant, numbers)) for case, numbers in cases]
        return html_table(caption, ("case", *self.names[:SHOWN]), rows)

    def _check_shape(self, values: Table, names: tuple[str, ...], what: str) -> None:
        wanted = (len(self.obs), len(self.features), len(names))
        if values.shape != wanted:
            raise DataError(
                f"A feature table has values of the shape (cases, features, {what}) = "
                f"{wanted}, found {values.shape}."
            )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names of the features."""
        return tuple(feature.spell(self.dialect) for feature in self.features)

    @property
    def cases(self) -> tuple[str, ...]:
        """Ids of the cases."""
        return tuple(self.obs.index)

    @property
    def read(self) -> Flags:
        """(cases, readers) whether there are values of the reader."""
        blocks = (np.asarray(self.values[:, own]) for own in column_blocks(self.values))
        return np.any([np.isfinite(block).any(axis=1) for block in blocks], axis=0)

    @property
    def large(self) -> bool:
        """Whether it has more than `LARGE` numbers."""
        return is_large(math.prod(self.values.shape))

    @property
    def compared(self) -> tuple[str, ...]:
        """Readers whose agreement with each other counts."""
        return self.readers if self.comparisons is None else self.comparisons.between

    @property
    def read_twice(self) -> tuple[tuple[str, ...], ...]:
        """The names of each person who read more than once, the first reading first."""
        return () if self.comparisons is None else self.comparisons.within

    @property
    def rated(self) -> "FeatureTable":
        """The table of the features in which readers may differ."""
        return self.of_features([f.sequence not in self.unread for f in self.features])

    @property
    def measured(self) -> "FeatureTable":
        """The table of the features that were measured here."""
        return self.of_features([f.sequence not in self.elsewhere for f in self.features])

    def of_features(self, chosen: Sequence[bool]) -> "FeatureTable":
        """The same cases with some features."""
        if all(chosen):
            return self
        at = np.flatnonzero(chosen)
        perturbed = None if self.perturbed is None else self.perturbed[:, at]
        features = tuple(self.features[k] for k in at)
        return replace(self, values=self.values[:, at], features=features, perturbed=perturbed)

    def of_cases(self, chosen: Flags) -> "FeatureTable":
        """Some cases (a flag each) with all features."""
        if chosen.all():
            return self
        perturbed = None if self.perturbed is None else self.perturbed[chosen]
        at = np.flatnonzero(chosen)
        return replace(self, values=self.values[at], obs=self.obs.iloc[at], perturbed=perturbed)

    def values_of(self, readers: Sequence[str]) -> Table:
        """Values of some readers, (cases, features, readers)."""
        return self.values[:, :, [self.readers.index(reader) for reader in readers]]

    @property
    def read_by_all(self) -> Flags:
        """(cases,) whether there are values of all readers who are compared."""
        compared = [self.readers.index(reader) for reader in self.compared]
        return np.asarray(np.all(self.read[:, compared], axis=1))

    @property
    def modelled(self) -> tuple[str, ...]:
        """Readers whose values a model is fitted on: the primary one, and who is compared."""
        primary = self.readers[0]
        return (primary, *(reader for reader in self.compared if reader != primary))

    @property
    def readings(self) -> Table:
        """All that a model is fitted on: (cases, features, `modelled` and then perturbations)."""
        values = self.values_of(self.modelled)
        if self.perturbed is None:
            return values
        return np.concatenate([np.asarray(values), self.perturbed], 2)

    def to_frame(self) -> pd.DataFrame:
        """One row per case and reader: case, reader, the columns of `obs`, the features."""
        return self._stacked(np.asarray(self.values), self.readers, "reader")

    def perturbed_frame(self) -> pd.DataFrame:
        """One row per case and perturbation: case, perturbation, the features."""
        if self.perturbed is None:
            raise DataError("The table has no perturbed layer; `centrum perturb STUDY` makes it.")
        frame = self._stacked(self.perturbed, self.perturbations, "perturbation")
        return frame[["case", "perturbation", *self.names]]

    def _stacked(self, values: NDArray, layers: tuple[str, ...], what: str) -> pd.DataFrame:
        parts = []
        for k, layer in enumerate(layers):
            numbers = pd.DataFrame(values[:, :, k], self.obs.index, list(self.names))
            part = pd.concat([self.obs, numbers], axis=1).reset_index()
            part.insert(1, what, layer)
            parts.append(part)
        frame = pd.concat(parts, ignore_index=True)
        order = np.arange(len(frame)).reshape(len(layers), -1).T.ravel()
        return frame.iloc[order].reset_index(drop=True)

    def save(self, folder: Path) -> tuple[Path, ...]:
        """Write features.parquet, the same as features.csv, and features.json (what they are).

        A large table has no CSV. A perturbed layer goes to robustness_values.parquet.
        """
        head = {
            "dialect": self.dialect,
            "readers": self.readers,
            "obs": list(self.obs.columns),
            "features": as_json(self.features),
            "history": as_json(self.history),
        }
        if self.comparisons is not None:
            head["comparisons"] = asdict(self.comparisons)
        if self.elsewhere:
            head["elsewhere"], head["unread"] = self.elsewhere, self.unread
        write_atomically(folder / HEAD, json.dumps(head, indent=1).encode())
        values = self._save_large(folder) if self.large else self._save_values(folder)
        files = (*values, folder / HEAD)
        return files if self.perturbed is None else (*files, self.save_perturbed(folder))

    def _save_values(self, folder: Path) -> tuple[Path, ...]:
        frame = self.to_frame()
        write_atomically(folder / FEATURES, frame.to_parquet(index=False))
        write_atomically(folder / CSV, frame_csv(frame).encode())
        return folder / FEATURES, folder / CSV

    def _save_large(self, folder: Path) -> tuple[Path, ...]:
        """Write some cases after the others; types are those of the first, texts of all."""
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        parts = (self._part(rows).to_frame() for rows in row_blocks(self.values))
        first = next(parts)
        schema = pa.Schema.from_pandas(first, preserve_index=False)
        texts = [name for name in self.obs if self.obs[name].dtype.kind not in "biufM"]
        for at in (schema.get_field_index(name) for name in texts):
            schema = schema.set(at, schema.field(at).with_type(pa.string()))
        with (
            writing_atomically(folder / FEATURES) as stream,
            ParquetWriter(stream, schema, compression="snappy") as file,
        ):
            for part in chain([first], parts):
                file.write_table(pa.Table.from_pandas(part, schema, preserve_index=False))
        return (folder / FEATURES,)

    def _part(self, rows: slice) -> "FeatureTable":
        """Some cases, in memory, without a perturbed layer."""
        values = np.asarray(self.values[rows])
        return replace(self, values=values, obs=self.obs.iloc[rows], perturbed=None)

    def save_perturbed(self, folder: Path) -> Path:
        """Write the perturbed layer alone; gives its path."""
        path = folder / PERTURBED
        write_atomically(path, self.perturbed_frame().to_parquet(index=False))
        return path

    @classmethod
    def load(
        cls, folder: Path, *, perturbed: bool = False, morphometry: bool = False
    ) -> "FeatureTable":
        """Read what `save` wrote, with its perturbed layer and its morphometry if asked for.

        Raises
        ------
        DataError
            The perturbed layer is of other cases or features than the table, or there is none.
        """
        if not (folder / FEATURES).is_file():
            raise DataError(
                f"{FEATURES} is not there yet.",
                remedy="`centrum extract STUDY` makes it.",
                code="not-made",
                file=FEATURES,
            )
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        records = [{k: v for k, v in f.items() if k != "unit"} for f in head["features"]]
        features = tuple(FeatureId(**record) for record in records)
        readers = tuple(head["readers"])
        names = [feature.spell(head["dialect"]) for feature in features]
        obs, values = _read_values(folder / FEATURES, readers, head["obs"], names)
        history = tuple(Step(**step) for step in head["history"])
        table = cls(
            values, obs, features, readers, head["dialect"], history,
            comparisons=Comparisons.of(head.get("comparisons")),
            elsewhere=tuple(head.get("elsewhere", ())), unread=tuple(head.get("unread", ())),
        )  # fmt: skip
        if morphometry:
            table = table.with_morphometry(read_morphometry(folder / MORPHOMETRY))
        return table.with_perturbed(read_parquet(folder / PERTURBED)) if perturbed else table

    def with_morphometry(self, frame: pd.DataFrame) -> "FeatureTable":
        """The table whose `obs` has the primary reader's measures of the bodies, with a prefix."""
        own = frame[frame["reader"] == self.readers[0]].set_index("case")
        measures = own.drop(columns=["reader", *TOLD_OF_BODIES])
        return replace(self, obs=self.obs.join(measures.add_prefix(MORPHOMETRY_PREFIX)))

    def with_perturbed(self, frame: pd.DataFrame) -> "FeatureTable":
        """The table with a layer as `perturbed_frame` gives it.

        Raises
        ------
        DataError
            The frame is of other cases or features.
        """
        names = tuple(frame["perturbation"].unique())
        cases = tuple(frame["case"].unique())
        if cases != self.cases or tuple(frame.columns[2:]) != self.names:
            raise DataError(
                f"The perturbed measurements are of {len(cases)} cases and "
                f"{frame.shape[1] - 2} features that are not those of the table "
                f"({len(self.cases)} and {len(self.names)}). Run `centrum perturb STUDY` again."
            )
        values = _unstacked(frame, "perturbation", names, list(self.names))
        return replace(self, perturbed=values, perturbations=names)


def read_morphometry(path: Path) -> pd.DataFrame:
    """The rows of `morphometry.csv`: case, reader, measures, reference, notes, error."""
    frame = read_frame(path, dtype={"case": str, "reader": str})
    for name in TOLD_OF_BODIES:
        frame[name] = frame[name].astype(object).fillna("")
    return frame


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A table of one file; pandas would load what reads encrypted files of many parts (0.15 s)."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        read = file.read(columns, use_pandas_metadata=True)
        frame: pd.DataFrame = read.to_pandas()
    return frame


def _read_values(
    path: Path, readers: tuple[str, ...], known: list[str], names: list[str]
) -> tuple[pd.DataFrame, Table]:
    """What is known of the cases, and the values; those of a large table stay on disk."""
    from pyarrow.parquet import read_metadata

    large = is_large(read_metadata(path).num_rows * len(names))
    frame = read_parquet(path, ["case", "reader", *known] if large else None)
    obs = frame[frame["reader"] == readers[0]].set_index("case")[known]
    if not large:
        return obs, _unstacked(frame, "reader", readers, names)
    at = [np.flatnonzero(frame["reader"] == reader) for reader in readers]
    return obs, _columns_of(path, names, at)


def _columns_of(path: Path, names: list[str], at: list[NDArray[np.intp]]) -> Columns:
    """The columns `names` of a Parquet file, with the rows `at` of each reader, in a plain file.

    It is made once and named by the digest of the Parquet file; those of another are taken away.
    """
    shape = (len(names), len(at), at[0].size)
    place = path.parent / ON_DISK / f"{file_digest(path)}.f64"
    if not place.is_file():
        for other in place.parent.glob("*.f64"):
            other.unlink(missing_ok=True)
        with writing_atomically(place) as stream:
            write_columns(stream, _columns_in(path, names, at))
    return Columns.of(place, shape)


def _columns_in(
    path: Path, names: list[str], at: list[NDArray[np.intp]]
) -> Iterator[list[NDArray]]:
    """Values (readers, cases) of each column in turn."""
    for k in range(0, len(names), COLUMNS_READ):
        frame = read_parquet(path, names[k : k + COLUMNS_READ])
        for name in frame:
            values = frame[name].to_numpy(dtype=float)
            yield [values[rows] for rows in at]


def table_digest(folder: Path, *, perturbed: bool, morphometry: bool) -> str:
    """Digest of what `FeatureTable.load` reads, but for its history, which no model goes by."""
    head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
    layers = ((PERTURBED, perturbed), (MORPHOMETRY, morphometry))
    files = [FEATURES, *(name for name, wanted in layers if wanted)]
    return digest([head | {"history": []}, *(file_digest(folder / name) for name in files)])


def _unstacked(frame: pd.DataFrame, what: str, layers: tuple[str, ...], names: list[str]) -> Floats:
    parts = [frame[frame[what] == layer] for layer in layers]
    return np.stack([part[names].to_numpy(dtype=float) for part in parts], axis=2)
