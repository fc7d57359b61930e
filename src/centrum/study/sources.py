"""Features made elsewhere that join those of a study's images, or of its tables, by case."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby

import numpy as np
import pandas as pd

from centrum.arrays import Columns, Floats, Table, write_columns
from centrum.errors import DataError
from centrum.exchange.foreign_table import Frame, column_of
from centrum.features.feature_id import FeatureId
from centrum.features.recognise import recognise
from centrum.measure.case import ALL_READERS
from centrum.protocol import FurtherSource, Protocol
from centrum.store import writing_atomically
from centrum.study.extraction import Extraction
from centrum.study.findings import Failure, Finding
from centrum.study.study import Study
from centrum.study.tables import (
    TablesRead,
    at_rows,
    fills,
    match_cases,
    nothing_left,
    read_tables,
)
from centrum.table import ON_DISK, FeatureTable, is_large


def with_sources(study: Study, extraction: Extraction) -> Extraction:
    """The extraction with the features of the protocol's further sources behind its own.

    A case without a row of a source is a failure, as is one that lacks a feature which others
    have, unless the model fills missing values. Values of no reader count for all readers.

    Raises
    ------
    DataError
        A table is missing or of a reader who is not in the study, the primary reader has none,
        features have the names of others, or not one case is left.
    """
    for name, own in tables_of(study.protocol):
        extraction = _joined(study, extraction, name, own)
    return extraction


def tables_of(protocol: Protocol) -> Iterator[tuple[str, tuple[FurtherSource, ...]]]:
    """Sources by name, in the order of the protocol, each with its tables."""
    order = list(dict.fromkeys(source.name for source in protocol.sources))
    ordered = sorted(protocol.sources, key=lambda source: order.index(source.name))
    for name, own in groupby(ordered, key=lambda source: source.name):
        yield name, tuple(own)


def look_at_sources(study: Study) -> tuple[list[Failure], list[Finding]]:
    """What is wrong with the rows of cases in the tables of sources, and what is noticed there.

    Raises as `with_sources`.
    """
    failures, findings = list[Failure](), list[Finding]()
    cases = [case.id for case in study.cohort.cases]
    for name, own in tables_of(study.protocol):
        read, primary, frame = _read(study, name, own)
        needed = () if fills(study) else read.names
        failures += match_cases(cases, frame, needed, primary.told)[0]
        findings += read.findings
    return failures, findings


def _read(
    study: Study, name: str, sources: Sequence[FurtherSource]
) -> tuple[TablesRead, FurtherSource, Frame]:
    """The tables of a source, the one that is the primary reader's, and its rows."""
    _refuse_unknown_readers(study, name, sources)
    read = read_tables(study, sources)
    primary = next(s for s in sources if s.reader in (None, study.readers[0]))
    return read, primary, read.frames[primary.reader or ALL_READERS]


def called(source: str, feature: str) -> FeatureId:
    """A feature of a source, which is called after it.

    >>> called("deep", "f12").spell("ibsi")
    'deep_f12'
    """
    return replace(recognise(feature), sequence=source, label=f"{source}_{feature}")


def _joined(
    study: Study, extraction: Extraction, name: str, sources: Sequence[FurtherSource]
) -> Extraction:
    table, (read, primary, frame) = extraction.table, _read(study, name, sources)
    needed = () if fills(study) else read.names
    failures, kept = match_cases(table.cases, frame, needed, primary.told)
    if not kept:
        raise nothing_left(study, failures)
    table = table.of_cases(np.isin(table.cases, kept))
    columns = dict(zip(read.names, _columns(read, table), strict=True))
    there = {n: values for n, values in columns.items() if np.isfinite(values).any()}
    features = tuple(called(name, feature) for feature in there)
    joined = replace(
        table,
        values=_beside(study, table, list(there.values())),
        features=(*table.features, *features),
        history=(*table.history, *read.steps),
        elsewhere=(*table.elsewhere, name),
        unread=(*table.unread, *([name] if primary.reader is None else [])),
    )
    undefined = (called(name, n).spell(table.dialect) for n in columns if n not in there)
    return extraction.joined(joined, failures, read.findings, undefined)


def _refuse_unknown_readers(study: Study, name: str, sources: Sequence[FurtherSource]) -> None:
    readers = [source.reader for source in sources if source.reader is not None]
    if unknown := [reader for reader in readers if reader not in study.readers]:
        raise DataError(
            f"`sources`: {name!r} has a table of {unknown[0]!r}, who is no reader of the study; "
            f"there are {', '.join(study.readers)}.",
            remedy="Correct `reader`, or leave it out where the values are no reader's own.",
            code="unknown-reader",
        )
    if readers and study.readers[0] not in readers:
        raise DataError(
            f"`sources`: {name!r} has no table of the primary reader {study.readers[0]!r}.",
            remedy="Add one, or leave out `reader` where the values are no reader's own.",
            code="no-table",
        )


def _columns(read: TablesRead, table: FeatureTable) -> Iterator[Floats]:
    """The values (readers, cases) of every feature, nan where a reader has not read a case."""
    frames = [read.frames.get(r, read.frames.get(ALL_READERS)) for r in table.readers]
    at = [None if f is None else f.index.get_indexer(pd.Index(table.cases)) for f in frames]
    missing = np.full(len(table.cases), np.nan)
    unread = ~table.read.T
    for name in read.names:
        column = np.array(
            [
                missing if frame is None or rows is None else at_rows(rows, column_of(frame, name))
                for frame, rows in zip(frames, at, strict=True)
            ]
        )
        column[unread] = np.nan
        yield column


def _beside(study: Study, table: FeatureTable, columns: Sequence[Floats]) -> Table:
    """The values of the table with further columns; those of very many cases in a file."""
    n, more, readers = len(table.cases), len(columns), len(table.readers)
    width = len(table.features) + more
    if not is_large(n * width * readers):
        further = np.array(columns).reshape(more, readers, n).transpose(2, 0, 1)
        return np.concatenate([np.asarray(table.values), further], axis=1)
    path = study.results / ON_DISK / f"joined-{len(table.elsewhere)}.f64"
    own = (np.asarray(table.values[:, [k]])[:, 0].T for k in range(len(table.features)))
    with writing_atomically(path) as stream:
        write_columns(stream, chain(own, columns))
    if isinstance(table.values, Columns):
        table.values.path.unlink()
    return Columns.of(path, (width, readers, n))
