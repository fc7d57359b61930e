"""A study begun from feature tables that other programs made, and a study's tables given back."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import yaml

from centrum.cohort.columns import find_columns
from centrum.cohort.join import match_ids
from centrum.cohort.manifest import as_cell, write_manifest
from centrum.cohort.sheet import read_sheet
from centrum.errors import DataError, ManifestError, ProtocolError
from centrum.exchange import ForeignTable, read_table, told_no_features, write_table
from centrum.protocol import parse_protocol, preset_text
from centrum.provenance import __version__
from centrum.store import write_atomically
from centrum.study.study import PROTOCOL
from centrum.table import FeatureTable
from centrum.text import file_stem

TABLES = "tables"
"""Folder of a study that holds its tables."""

WRITTEN: tuple[Literal["pyradiomics", "slicer"], ...] = ("pyradiomics", "slicer")
"""Formats that tables are given back in."""


def import_tables(
    tables: Sequence[Path],
    folder: Path,
    *,
    readers: Sequence[str] = (),
    cases: Path | None = None,
    format: str = "auto",
    id_column: str | None = None,
    outcomes: tuple[str, str] | None = None,
    keep: Sequence[str] = (),
    min_share: float | None = None,
    preset: str = "vcf-t2w",
    dry_run: bool = False,
) -> tuple[str, ...]:
    """Begin a study from tables, one for each reader; lines that say what was understood.

    Parameters
    ----------
    tables : the primary reader's first
    readers : their names; reader1, reader2 ... when missing
    cases : a manifest with the outcome of each case; made of the first table when missing
    outcomes : positive and negative, as the table spells them
    keep : columns of generic tables that look like no features and are
    min_share : of the rows of each table that must be of a case; the protocol's default when
        missing

    Raises
    ------
    ManifestError
        A table cannot be read, or there is a study already.
    DataError
        Not a name for each table, or too few rows of a table are of a case.
    ProtocolError
        The outcomes of the table are not those of the preset, and none were given.
    """
    names = _names(len(tables), readers)
    found = [read_table(path, format=format, id_column=id_column, keep=keep) for path in tables]
    manifest = _manifest(found[0])
    settings = _outcomes(manifest, outcomes, preset) if cases is None else outcomes
    sources = [
        _source(path, name, format, id_column, keep)
        for path, name in zip(tables, names, strict=True)
    ]
    protocol = _protocol(sources, settings, min_share, preset)
    share = parse_protocol(protocol, PROTOCOL).join.min_share
    joined = _join(tables, found, cases, share)
    if not dry_run:
        _write(tables, folder, manifest if cases is None else cases, protocol)
    told = [_told(path, name, t) for path, name, t in zip(tables, names, found, strict=True)]
    return (*told, *joined)


def _join(
    tables: Sequence[Path], found: Sequence[ForeignTable], cases: Path | None, min_share: float
) -> tuple[str, ...]:
    """How the rows of the tables match the cases, in lines to print; few matches are refused."""
    base = tables[0].name if cases is None else cases.name
    ids = list(found[0].values.index) if cases is None else _case_ids(cases)
    joined = list(zip(tables, found, strict=True))[1 if cases is None else 0 :]
    lines = []
    for path, table in joined:
        match = match_ids(table.values.index, ids, path.name, base)
        match.require(min_share, "--min-share")
        lines += [line for line in (match.told(), match.told_similar()) if line]
    return tuple(lines)


def _case_ids(path: Path) -> list[str]:
    sheet = read_sheet(path)
    column = find_columns(sheet.header).fields.get("case")
    if column is None:
        raise ManifestError(
            f"{path.name}: the column 'case' is missing; found {', '.join(sheet.header[:8])}.",
            remedy="Add it, or call the column that holds it 'case'.",
            code="missing-column",
            file=path,
        )
    return list(sheet.column(column).values())


def _names(n: int, readers: Sequence[str]) -> tuple[str, ...]:
    if readers and len(readers) != n:
        raise DataError(
            f"{n} tables need as many readers' names, found {len(readers)}.",
            remedy="Give a name for each table.",
            code="readers-of-tables",
        )
    return tuple(readers) or tuple(f"reader{k}" for k in range(1, n + 1))


def _manifest(table: ForeignTable) -> pd.DataFrame:
    """A row per case, with what the table knows beside the features."""
    frame = table.known.copy()
    frame.index.name = "case"
    fields = find_columns(tuple(map(str, frame.columns))).fields
    if "outcome" not in fields:
        column = next((c for c in frame.columns if str(c).casefold() in ("target", "class")), None)
        frame = frame.rename(columns={column: "outcome"}) if column else frame.assign(outcome="")
    return frame.reset_index()


def _outcomes(
    manifest: pd.DataFrame, outcomes: tuple[str, str] | None, preset: str
) -> tuple[str, str] | None:
    """Positive and negative outcome, None where those of the preset fit."""
    column = find_columns(tuple(map(str, manifest.columns))).fields["outcome"]
    there = sorted({_text(v) for v in manifest.iloc[:, column].dropna() if _text(v)})
    usual = parse_protocol(preset_text(preset), preset).outcome
    wanted = outcomes or (usual.positive, usual.negative)
    known = {name.casefold() for name in wanted}
    if strange := [v for v in there if v.casefold() not in known]:
        raise ProtocolError(
            f"The outcomes {wanted[0]} and {wanted[1]} were asked for, the table has "
            f"{', '.join(there[:5])} (not known: {strange[0]}).",
            remedy=f"Say which is which: --positive {there[-1]} --negative {there[0]}.",
            code="unknown-outcome",
        )
    return outcomes


def _text(value: object) -> str:
    return as_cell(value).strip()


def _source(
    path: Path, reader: str, format: str, id_column: str | None, keep: Sequence[str]
) -> dict[str, object]:
    """The entry of a table in the protocol."""
    entry = {"file": f"{TABLES}/{_stored(path, reader)}", "reader": reader, "format": format}
    optional = {"id_column": id_column, "keep": list(keep)}
    return entry | {name: value for name, value in optional.items() if value}


def _protocol(
    sources: Sequence[Mapping[str, object]],
    outcomes: tuple[str, str] | None,
    min_share: float | None,
    preset: str,
) -> str:
    blocks: dict[str, object] = {"preset": preset, "tables": list(sources)}
    if min_share is not None:
        blocks["join"] = {"min_share": min_share}
    if outcomes is not None:
        blocks["outcome"] = dict(zip(("positive", "negative"), outcomes, strict=True))
    head = f"# Features from tables, by centrum {__version__}. Everything else is the preset's.\n"
    return head + yaml.safe_dump(blocks, sort_keys=False, allow_unicode=True)


def _stored(path: Path, reader: str) -> str:
    """Name of a table in the study's folder."""
    ending = path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]
    return f"{file_stem(reader)}{''.join(ending)}"


def _write(tables: Sequence[Path], folder: Path, cases: pd.DataFrame | Path, protocol: str) -> None:
    if taken := [n for n in (PROTOCOL, "cases.csv", "cases.xlsx") if (folder / n).exists()]:
        raise ManifestError(
            f"{folder.name} holds {' and '.join(taken)} already; nothing is overwritten.",
            remedy="Choose another folder.",
            code="study-exists",
        )
    (folder / TABLES).mkdir(parents=True, exist_ok=True)
    for source, path in zip(yaml.safe_load(protocol)["tables"], tables, strict=True):
        shutil.copyfile(path, folder / source["file"])
    if isinstance(cases, Path):
        shutil.copyfile(cases, folder / f"cases{cases.suffix}")
    else:
        rows = cases.map(_text).to_numpy().tolist()
        write_manifest(list(map(str, cases.columns)), rows, folder / "cases.csv")
    write_atomically(folder / PROTOCOL, protocol.encode())


def _told(path: Path, reader: str, table: ForeignTable) -> str:
    n, k = table.values.shape
    told = [*table.notes, told_no_features(table.no_features)]
    notes = "".join(f"\n  {note}" for note in told if note)
    return f"{path.name}: {table.format}, {n} cases x {k} features, reader {reader}{notes}"


def export_tables(table: FeatureTable, folder: Path, format: str) -> tuple[Path, ...]:
    """Write a study's features as other programs do, one file per reader; gives their paths.

    Raises
    ------
    ProtocolError
        Another format than those of `WRITTEN`.
    DataError
        A feature's name has not the parts that the format has.
    """
    known = next((name for name in WRITTEN if name == format), None)
    if known is None:
        raise ProtocolError(
            f"Tables are written as {' or '.join(WRITTEN)}, found {format!r}.",
            remedy=f"Ask for {' or '.join(WRITTEN)}.",
            code="unknown-format",
        )
    parts = [_parts(name) for name in table.names]
    found = []
    for k, reader in enumerate(table.readers):
        frame = pd.DataFrame(
            np.asarray(table.values[:, :, k]), list(table.cases), list(table.names)
        )
        path = folder / f"{known}-{file_stem(reader)}.csv"
        folder.mkdir(parents=True, exist_ok=True)
        write_table(frame.dropna(how="all"), parts, path, known)
        found.append(path)
    return tuple(found)


def _parts(name: str) -> tuple[str, str, str]:
    """Image type, class and name, which are the column's name when they are joined."""
    parts = name.split("_", 2)
    if len(parts) < 3:
        raise DataError(
            f"{name!r} has not the three parts image, class and name that these formats have.",
            remedy="Give the features of an image study, or rename them.",
            code="unnamed-parts",
        )
    return parts[0], parts[1], parts[2]
