"""The cases of a command: one image and mask, or the rows of a CSV file; each is measured."""

import csv
import io
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import SimpleITK as sitk

from centrum.errors import CentrumError, describe
from centrum.io.csv_text import csv_text, unmarked
from centrum.io.structured import read_text
from centrum.pyradiomics.errors import InputError
from centrum.pyradiomics.featureextractor import RadiomicsFeatureExtractor
from centrum.store import write_atomically

logger = logging.getLogger("radiomics.script")

Mode = Literal["segment", "voxel"]
MODES: tuple[Mode, ...] = ("segment", "voxel")

LARGEST_TABLE = 100_000_000
"""Bytes: a million rows of paths."""

Values = dict[str, Any]
"""Columns of a case by name, and after them what was found."""


FILES = ("Image", "Mask")
"""Columns that a table of cases must have; they hold paths."""


@dataclass(frozen=True)
class BatchCase:
    """An image and a mask, with all `columns` of their row; `number` counts from 1."""

    number: int
    columns: Mapping[str, str]

    def has_files(self) -> bool:
        return all(Path(self.columns[name]).is_file() for name in FILES)

    def whole_number(self, column: str) -> int | None:
        """The number in a column that may be missing or empty."""
        text = (self.columns.get(column) or "").strip()
        try:
            return int(text) if text else None
        except ValueError:
            raise InputError(f"{column}: expected a whole number, found {text!r}.") from None


@dataclass(frozen=True)
class Measured:
    """What was found of a case; its columns alone if it `failed`."""

    values: Values
    failed: bool = False


def is_batch(path: str) -> bool:
    """Whether it is a table of cases, and not an image."""
    return path.endswith(".csv")


def cases_of(source: str, mask: str | None) -> list[BatchCase]:
    """The rows of a CSV file, or the one case of an image and its mask.

    Raises
    ------
    InputError
        The mask is missing, or the columns Image and Mask of the CSV file.
    """
    if is_batch(source):
        return _rows(Path(source))
    if mask is None:
        raise InputError(
            "An image wants a mask after it; a table of images and masks ends in .csv."
        )
    return [BatchCase(1, {"Image": source, "Mask": mask})]


def _rows(path: Path) -> list[BatchCase]:
    text = io.StringIO(_text(path), newline="")
    try:
        table = list(_complete(csv.DictReader(text, strict=True)))
    except csv.Error as error:
        raise InputError(f"{path.name} is no CSV file: {error}.", file=path) from error
    folder = path.parent.absolute()
    cases = [
        BatchCase(number, row | {name: str(folder / row[name]) for name in FILES})
        for number, row in enumerate(table, start=1)
    ]
    if not cases:
        raise InputError(f"{path.name} has no row with an image and a mask.", file=path)
    return cases


def _text(path: Path) -> str:
    return read_text(path, InputError, LARGEST_TABLE)


def _complete(table: "csv.DictReader[str]") -> Iterator[dict[str, str]]:
    """The rows with an image and a mask; others are warned of."""
    missing = set(FILES) - set(table.fieldnames or ())
    if missing:
        raise InputError(
            f"A table of cases has the columns {' and '.join(FILES)}, with commas between columns; "
            f"found no {' and no '.join(sorted(missing))}."
        )
    for row in table:
        if None in row:
            raise InputError(f"Line {table.line_num} has more cells than there are columns.")
        if all(row[name] for name in FILES):
            yield row
        else:
            logger.warning("Line %d has no image or no mask: skipped.", table.line_num)


@dataclass(frozen=True)
class BatchExtraction:
    """How cases are measured, and where their files go; see `command_options`."""

    extractor: RadiomicsFeatureExtractor
    mode: Mode = "segment"
    out_dir: str | None = None
    unix_path: bool = False

    def measure(self, case: BatchCase) -> Measured:
        """The features of a case, or the files of its maps; a failure is logged."""
        try:
            return Measured(self._values(case))
        except Exception as error:
            return self.failed(case, error)

    def _values(self, case: BatchCase) -> Values:
        """What is kept of a case, else what is measured of it."""
        kept = self._kept_file(case)
        if kept is not None and kept.is_file():
            logger.info("Case %d is measured already, reading its results", case.number)
            return _first_row(kept)
        start = datetime.now()
        values = {**case.columns, **self._extract(case)}
        logger.info("Case %d processed in %s", case.number, datetime.now() - start)
        if kept is not None:
            write_atomically(kept, _as_csv(values))
        return values

    def failed(self, case: BatchCase, error: Exception) -> Measured:
        """The columns of a case that could not be measured; the log says why."""
        known = isinstance(error, CentrumError)
        why = describe(error) if known else f"{type(error).__name__}: {error}"
        logger.error("Case %d: feature extraction failed! %s", case.number, why)
        return Measured(dict(case.columns), failed=True)

    def _extract(self, case: BatchCase) -> Values:
        images = case.columns["Image"], case.columns["Mask"]
        numbers = case.whole_number("Label"), case.whole_number("Label_channel")
        found = self.extractor.execute(*images, *numbers, voxelBased=self.mode == "voxel")
        return {
            name: self._saved(case, name, value) if isinstance(value, sitk.Image) else value
            for name, value in found.items()
        }

    def _kept_file(self, case: BatchCase) -> Path | None:
        """Where the features of a case are kept for the next run."""
        if self.out_dir is None or self.mode == "voxel":
            return None
        return Path(self.out_dir) / f"features_{case.number}.csv"

    def _saved(self, case: BatchCase, name: str, image: sitk.Image) -> str:
        """The path of a map, which is written."""
        folder = self.out_dir or "."
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"Case-{case.number}_{name}.nrrd")
        sitk.WriteImage(image, path, True)
        return path.replace(os.path.sep, "/") if self.unix_path else path


def _as_csv(values: Values) -> bytes:
    return csv_text([[*values], [*values.values()]]).encode()


def _first_row(path: Path) -> Values:
    rows = list(csv.reader(io.StringIO(_text(path), newline="")))
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        raise InputError(f"{path.name} holds no features of a case; delete it.", file=path)
    names, values = (map(unmarked, row) for row in rows)
    return dict(zip(names, values, strict=True))
