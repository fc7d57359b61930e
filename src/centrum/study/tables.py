"""A study of feature tables produced elsewhere: read, matched with the manifest, checked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.arrays import Columns, Flags, Floats, Table, column_blocks, write_columns
from centrum.cohort.case import DESCRIPTORS
from centrum.cohort.columns import TAKEN
from centrum.cohort.join import IdMatch, match_ids
from centrum.errors import DataError
from centrum.exchange import ForeignTable, read_table, told_no_features
from centrum.exchange.foreign_table import ColumnFrame, Frame, column_of
from centrum.features.recognise import recognise
from centrum.measure.case import ALL_READERS
from centrum.protocol import FurtherSource, TableSource
from centrum.provenance import Step, digest, file_digest
from centrum.store import writing_atomically
from centrum.study.extraction import OVERLAP_COLUMNS, Extraction
from centrum.study.findings import Failure, Finding
from centrum.study.study import Study, is_pattern, matching, refuse_names_of_features
from centrum.table import ON_DISK, FeatureTable, is_large
from centrum.text import first_of

Source = TableSource | FurtherSource

MANIFEST = "the manifest"
"""What messages call the table of cases."""

NAMED = 3
"""Features that a message names before it counts the rest."""


def table_files(folder: Path, source: Source) -> tuple[Path, ...]:
    """The files of a table, in the order of their names.

    Raises
    ------
    DataError
        There is none.
    """
    found = matching(folder, source.file)
    if not found:
        raise DataError(
            f"The protocol names {source.file!r}, {source.told}, which is not in the study's "
            "folder.",
            remedy="Copy it there, or correct the name.",
            code="no-table",
            file=source.file,
        )
    return tuple(found)


def tables_digest(study: Study) -> str:
    """SHA-256 of the contents of all tables, those of further sources among them."""
    named: tuple[Source, ...] = (*study.protocol.tables, *study.protocol.sources)
    files = [f for source in named for f in table_files(study.folder, source)]
    return digest([file_digest(file) for file in files])


def read_study_tables(
    study: Study,
    needed: Collection[str] | None = None,
    *,
    wanted: Collection[str] | None = None,
) -> Extraction:
    """The features of the manifest's cases, by reader.

    A case without a row of the primary reader is a failure, as is one that lacks a feature which
    others have, unless the model fills missing values. Features that a reader's table lacks are
    left out.

    `needed` are the features that each case must have, where it is not for the study's own model
    to say: those that a frozen model reads and does not fill. `wanted` are all that it reads:
    nothing else is taken of the tables.

    Rows and cases belong together where their ids are equal; how many do is noted, and stands in
    the table's history.

    Raises
    ------
    DataError
        Not one case has features, tables have no feature in common, or fewer rows are of a case
        of the manifest than `join.min_share` wants.
    """
    read = read_tables(study, study.protocol.tables, wanted)
    names = read.names if wanted is None else tuple(n for n in read.names if n in wanted)
    if needed is None:
        needed = () if fills(study) else names
    primary = study.protocol.tables[0]
    cases = [case.id for case in study.cohort.cases]
    own = read.frames[primary.reader]
    failures, kept = match_cases(cases, own, [n for n in names if n in needed], primary.told)
    if not kept:
        raise nothing_left(study, failures)
    values = _values(study, read.frames, kept, names)
    defined = defined_in(values)
    told = tuple(name for name, there in zip(names, defined, strict=True) if there)
    table = FeatureTable(
        values=values[:, defined],
        obs=study.obs().loc[kept],
        features=tuple(map(recognise, told)),
        readers=study.readers,
        history=(*study.history, *read.steps),
        comparisons=study.comparisons,
    )
    return Extraction(
        table=table,
        failures=failures,
        findings=read.findings,
        overlap=pd.DataFrame(columns=OVERLAP_COLUMNS),
        simulated=study.simulated,
        undefined=tuple(n for n, there in zip(names, defined, strict=True) if not there),
        acquisition=pd.DataFrame(index=pd.Index(kept, name="case", dtype="str")),
    )


def fills(study: Study) -> bool:
    """Whether the model fills missing values."""
    return study.protocol.model.imputation.method != "none"


def nothing_left(study: Study, failures: Sequence[Failure]) -> DataError:
    """What is raised when not one case has features."""
    first = failures[0]
    return DataError(
        f"None of the {len(study.cohort)} cases of the manifest has features: {first.case}: "
        f"{first.message}",
        code="nothing-measured",
    )


def defined_in(values: Table) -> Flags:
    """Which features have a value in any case of any reader."""
    blocks = (np.asarray(values[:, own]) for own in column_blocks(values))
    return np.concatenate([np.isfinite(block).any(axis=(0, 2)) for block in blocks])


@dataclass(frozen=True)
class TablesRead:
    """Tables made elsewhere, as they were read.

    Attributes
    ----------
    frames : reader -> rows of cases; those of no reader are called `ALL_READERS`
    names : features that all of them have, in the order of the first
    findings, steps : what was noticed, and how the tables were read
    """

    frames: Mapping[str, Frame]
    names: tuple[str, ...]
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]


def read_tables(
    study: Study, sources: Sequence[Source], wanted: Collection[str] | None = None
) -> TablesRead:
    """Read one table per reader and match its rows with the cases of the manifest.

    Raises
    ------
    DataError
        A table is missing, two have no feature in common, a feature is called as something else of
        the study, or fewer rows are of a case than `join.min_share` wants.
    """
    frames: dict[str, Frame] = {}
    findings, steps, matches = list[Finding](), list[Step](), list[IdMatch]()
    ids = {each.name: each.pseudonym for each in study.cohort.identities if each.what == "case"}
    for source in sources:
        reader, found = source.reader or ALL_READERS, _read(study, source, wanted)
        found = replace(found, values=_called_by(found.values, ids))
        match = _join(study, source, found.values)
        frames[reader] = found.values
        matches.append(match)
        steps.append(_step(study.folder, source, found, match))
        findings += [*_notes(reader, found), *_unmatched(study, reader, match)]
    joined = "; ".join(match.told() for match in matches)
    findings.append(Finding("all", ALL_READERS, "note", "join", joined))
    names = _common_names(frames, findings)
    _refuse_own_names(names)
    refuse_names_of_features(study, names)
    return TablesRead(frames, names, tuple(findings), tuple(steps))


def _called_by(frame: Frame, names: Mapping[str, str]) -> Frame:
    """The frame with other names of its rows."""
    if isinstance(frame, ColumnFrame):
        return frame.called(lambda name: names.get(name, name))
    return frame.rename(index=names)


def _values(
    study: Study, frames: Mapping[str, Frame], cases: Sequence[str], names: Sequence[str]
) -> Table:
    """(cases, features, readers); those of very many cases in a file."""
    at = [frame.index.get_indexer(pd.Index(cases)) for frame in frames.values()]

    def column(name: str) -> list[Floats]:
        return [at_rows(r, column_of(f, name)) for r, f in zip(at, frames.values(), strict=True)]

    whole = [frame for frame in frames.values() if isinstance(frame, pd.DataFrame)]
    if len(whole) == len(frames) and not is_large(len(cases) * len(names) * len(frames)):
        return np.stack(
            [f.reindex([*cases])[[*names]].to_numpy(dtype=float) for f in whole], axis=2
        )
    path = study.results / ON_DISK / "tables.f64"
    with writing_atomically(path) as stream:
        write_columns(stream, map(column, names))
    for frame in frames.values():
        if isinstance(frame, ColumnFrame):
            frame.numbers.path.unlink()
    return Columns.of(path, (len(names), len(frames), len(cases)))


def at_rows(rows: NDArray[np.intp], values: Floats) -> Floats:
    """Values at positions, nan where there is none (-1)."""
    found = np.full(rows.size, np.nan)
    found[rows >= 0] = values[rows[rows >= 0]]
    return found


def _read(study: Study, source: Source, wanted: Collection[str] | None) -> ForeignTable:
    """The tables of one reader as one."""
    files = table_files(study.folder, source)
    place = study.results / ON_DISK / f"{digest(source.told)[:16]}.f64"
    columns = place if len(files) == 1 else None
    by_file = is_pattern(source.file)
    return read_as_one(files, source, by_file=by_file, wanted=wanted, columns=columns)


def read_as_one(
    files: Sequence[Path],
    source: Source,
    *,
    by_file: bool,
    wanted: Collection[str] | None = None,
    columns: Path | None = None,
) -> ForeignTable:
    """The files of a source as one table.

    Parameters
    ----------
    by_file : whether the row of a file that has only one is called as the file
    wanted, columns : as of `read_table`

    Raises
    ------
    DataError
        A case is in two of them, or one cannot be read.
    """
    found = [
        read_table(
            file,
            format=source.format,
            id_column=source.id_column,
            keep=source.keep,
            wanted=wanted,
            columns=columns,
        )
        for file in files
    ]
    frames = [t.values for t in found if isinstance(t.values, pd.DataFrame)]
    if not frames:
        return found[0]  # one file of very many cells
    if by_file:
        frames = [_called(f, path) for f, path in zip(frames, files, strict=True)]
    notes = tuple(dict.fromkeys(note for table in found for note in table.notes))
    left_out = {head: why for table in found for head, why in table.no_features.items()}
    return replace(found[0], values=_together(frames, source), notes=notes, no_features=left_out)


def _join(study: Study, source: Source, frame: Frame) -> IdMatch:
    """How the rows of a reader's table match all cases of the manifest, also excluded ones.

    Raises
    ------
    DataError
        Fewer rows match than the protocol wants.
    """
    excluded = (case for step in study.flow.exclusions for case in step.cases)
    cases = [*(case.id for case in study.cohort.cases), *excluded]
    match = match_ids(map(str, frame.index), cases, source.told, MANIFEST)
    match.require(study.protocol.join.min_share)
    return match


def _step(folder: Path, source: Source, found: ForeignTable, match: IdMatch) -> Step:
    return Step(
        "read table",
        {
            **({"source": source.name} if isinstance(source, FurtherSource) else {}),
            "reader": source.reader,
            "files": len(table_files(folder, source)),
            "sha256": digest([file_digest(f) for f in table_files(folder, source)]),
            "format": found.format,
            "rows": match.n_rows,
            "matched": len(match.matched),
            "no_features": dict(found.no_features),
            "kept": list(source.keep),
        },
    )


def _notes(reader: str, found: ForeignTable) -> Iterable[Finding]:
    for note in found.notes:
        yield Finding("all", reader, "note", "table", note)
    if text := told_no_features(found.no_features):
        remedy = "Name a column in `keep` of the table in the protocol if it is a feature."
        message = f"{text}. {remedy}"
        yield Finding("all", reader, "warning", "not-a-feature", message, remedy=remedy)


def _unmatched(study: Study, reader: str, match: IdMatch) -> Iterable[Finding]:
    """Which rows are of nobody, and which nearly match."""
    if near := match.told_similar():
        remedy = "Write the ids the same way if they are one case."
        yield Finding("all", reader, "warning", "similar-ids", f"{near}. {remedy}", remedy=remedy)
    eligible = {case.id for case in study.cohort.cases}
    more = [*match.rows, *(case for case in match.matched if case not in eligible)]
    if more:
        text = f"{len(more)} rows belong to no eligible case of the manifest: {_quoted(more)}"
        yield Finding("all", reader, "note", "rows-left-out", text)


def _called(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """A table of one case, called as its file."""
    if len(frame) == 1:
        return frame.set_axis([path.name.split(".")[0]], axis="index")
    return frame


def _together(frames: Sequence[pd.DataFrame], source: Source) -> pd.DataFrame:
    whole = pd.concat(frames)
    repeated = whole.index[whole.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"{len(repeated)} cases are more than once in {source.told}, such as {repeated[0]!r}.",
            remedy="Remove one of them.",
            code="repeated-case",
        )
    return whole


def _common_names(frames: Mapping[str, Frame], findings: list[Finding]) -> tuple[str, ...]:
    """Features of all readers, in the order of the first; what others lack is noted."""
    first, *others = frames.values()
    common = [n for n in first.columns if all(n in other.columns for other in others)]
    if not common and all(len(frame.columns) for frame in frames.values()):
        raise DataError(
            f"The tables of {' and '.join(frames)} have no feature in common.",
            remedy="Did the same program produce them, with the same settings?",
            code="no-common-features",
        )
    for reader, frame in frames.items():
        if gone := [n for n in frame.columns if n not in common]:
            lost = f"{len(gone)} features that other readers lack are left out"
            text = f"{lost}: {first_of(gone, NAMED)}"
            findings.append(Finding("all", reader, "warning", "uncommon-features", text))
    return tuple(common)


def _refuse_own_names(names: Iterable[str]) -> None:
    """Features called as what stands beside them in tables of results."""
    own = {"case", *TAKEN, *DESCRIPTORS}
    if taken := [name for name in names if name in own]:
        raise DataError(
            f"A feature of the tables has the name of a column of the results, {taken[0]!r}.",
            remedy="Rename its column in all tables.",
            code="taken-name",
        )


def match_cases(
    cases: Sequence[str], frame: Frame, needed: Sequence[str], told: str
) -> tuple[tuple[Failure, ...], list[str]]:
    """Cases without a row, or without a feature that others have and all need; and the others."""
    at = frame.index.get_indexer(pd.Index(cases))
    lacking = defaultdict[int, list[str]](list)
    for name in needed:
        missing = np.isnan(at_rows(at, column_of(frame, name)))
        if not missing.all():
            for k in np.flatnonzero(missing & (at >= 0)).tolist():
                lacking[k].append(name)
    failures, kept = [], []
    for k, case in enumerate(cases):
        gaps = lacking.get(k, [])
        if at[k] < 0:
            message = f"There is no row of it in {told}."
            code, remedy = "no-row", "Add the row, or remove the case from the manifest."
        elif gaps:
            lost = first_of(gaps, NAMED)
            message = f"{len(gaps)} features that other cases have are missing ({lost}) in {told}."
            code, remedy = "missing-features", "Measure them, or choose a model.imputation."
        else:
            kept.append(case)
            continue
        failures.append(Failure(case, f"{message} {remedy}", code, remedy=remedy))
    return tuple(failures), kept


def _quoted(ids: Sequence[str]) -> str:
    """Ids in quotation marks, which do not go out: see `centrum.cohort.withheld`."""
    return first_of([repr(text) for text in ids], NAMED)
