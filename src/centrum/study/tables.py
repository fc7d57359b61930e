"""A study of feature tables produced elsewhere: read, matched with the manifest, checked."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from centrum.cohort.case import DESCRIPTORS
from centrum.cohort.columns import TAKEN
from centrum.cohort.join import IdMatch, match_ids
from centrum.errors import DataError
from centrum.exchange import ForeignTable, read_table, told_no_features
from centrum.features.recognise import recognise
from centrum.measure.case import ALL_READERS
from centrum.protocol import TableSource
from centrum.provenance import Step, digest, file_digest
from centrum.study.extraction import OVERLAP_COLUMNS, Extraction
from centrum.study.findings import Failure, Finding
from centrum.study.study import Study, matching, refuse_names_of_features
from centrum.table import FeatureTable

MANIFEST = "the manifest"
"""What messages call the table of cases."""

NAMED = 3
"""Features that a message names before it counts the rest."""


def table_files(folder: Path, source: TableSource) -> tuple[Path, ...]:
    """The files of a table, in the order of their names.

    Raises
    ------
    DataError
        There is none.
    """
    found = matching(folder, source.file)
    if not found:
        raise DataError(
            f"`tables` names {source.file!r} of reader {source.reader!r}, which is not in the "
            "study's folder.",
            remedy="Copy it there, or correct the name.",
            code="no-table",
            file=source.file,
        )
    return tuple(found)


def tables_digest(study: Study) -> str:
    """SHA-256 of the contents of all tables."""
    files = [f for source in study.protocol.tables for f in table_files(study.folder, source)]
    return digest([file_digest(file) for file in files])


def read_study_tables(study: Study, needed: Collection[str] | None = None) -> Extraction:
    """The features of the manifest's cases, by reader.

    A case without a row of the primary reader is a failure, as is one that lacks a feature which
    others have, unless the model fills missing values. Features that a reader's table lacks are
    left out.

    `needed` are the features that each case must have, where it is not for the study's own model
    to say: those that a frozen model reads and does not fill.

    Rows and cases belong together where their ids are equal; how many do is noted, and stands in
    the table's history.

    Raises
    ------
    DataError
        Not one case has features, tables have no feature in common, or fewer rows are of a case
        of the manifest than `join.min_share` wants.
    """
    frames, findings, steps, matches = {}, [], [], []
    ids = {each.name: each.pseudonym for each in study.cohort.identities if each.what == "case"}
    for source in study.protocol.tables:
        found = _read(study.folder, source)
        found = replace(found, values=found.values.rename(index=ids))
        match = _join(study, source.reader, found.values)
        frames[source.reader] = found.values
        matches.append(match)
        steps.append(_step(study.folder, source, found, match))
        findings += [*_notes(source.reader, found), *_unmatched(study, source.reader, match)]
    joined = "; ".join(match.told() for match in matches)
    findings.append(Finding("all", ALL_READERS, "note", "join", joined))
    names = _common_names(frames, findings)
    _refuse_own_names(names)
    refuse_names_of_features(study, names)
    if needed is None:
        fills = study.protocol.model.imputation.method != "none"
        needed = () if fills else names
    failures, kept = _match(study, frames, [name for name in names if name in needed])
    if not kept:
        raise DataError(
            f"None of the {len(study.cohort)} cases of the manifest has features: "
            f"{failures[0].case}: {failures[0].message}",
            code="nothing-measured",
        )
    values = np.stack(
        [f.reindex(kept)[list(names)].to_numpy(dtype=float) for f in frames.values()], axis=2
    )
    defined = np.isfinite(values[:, :, 0]).any(axis=0)
    told = tuple(name for name, there in zip(names, defined, strict=True) if there)
    table = FeatureTable(
        values=values[:, defined],
        obs=study.obs().loc[kept],
        features=tuple(map(recognise, told)),
        readers=study.readers,
        history=(*study.history, *steps),
        comparisons=study.comparisons,
    )
    return Extraction(
        table=table,
        failures=failures,
        findings=tuple(findings),
        overlap=pd.DataFrame(columns=OVERLAP_COLUMNS),
        simulated=study.simulated,
        undefined=tuple(n for n, there in zip(names, defined, strict=True) if not there),
        acquisition=pd.DataFrame(index=pd.Index(kept, name="case", dtype="str")),
    )


def _read(folder: Path, source: TableSource) -> ForeignTable:
    """The tables of one reader as one."""
    files = table_files(folder, source)
    found = [
        read_table(f, format=source.format, id_column=source.id_column, keep=source.keep)
        for f in files
    ]
    frames = [t.values for t in found]
    if len(files) > 1:
        frames = [_called(f, path) for f, path in zip(frames, files, strict=True)]
    notes = tuple(dict.fromkeys(note for table in found for note in table.notes))
    left_out = {head: why for table in found for head, why in table.no_features.items()}
    return replace(found[0], values=_together(frames, source), notes=notes, no_features=left_out)


def _join(study: Study, reader: str, frame: pd.DataFrame) -> IdMatch:
    """How the rows of a reader's table match all cases of the manifest, also excluded ones.

    Raises
    ------
    DataError
        Fewer rows match than the protocol wants.
    """
    excluded = (case for step in study.flow.exclusions for case in step.cases)
    cases = [*(case.id for case in study.cohort.cases), *excluded]
    match = match_ids(map(str, frame.index), cases, f"the table of reader {reader!r}", MANIFEST)
    match.require(study.protocol.join.min_share)
    return match


def _step(folder: Path, source: TableSource, found: ForeignTable, match: IdMatch) -> Step:
    return Step(
        "read table",
        {
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


def _together(frames: Sequence[pd.DataFrame], source: TableSource) -> pd.DataFrame:
    whole = pd.concat(frames)
    repeated = whole.index[whole.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"The tables of reader {source.reader!r} have {len(repeated)} cases more than once, "
            f"such as {repeated[0]!r}.",
            remedy="Remove one of them.",
            code="repeated-case",
        )
    return whole


def _common_names(frames: dict[str, pd.DataFrame], findings: list[Finding]) -> tuple[str, ...]:
    """Features of all readers, in the order of the first; what others lack is noted."""
    first, *others = frames.values()
    common = [n for n in first.columns if all(n in other.columns for other in others)]
    if not common:
        raise DataError(
            f"The tables of {' and '.join(frames)} have no feature in common.",
            remedy="Did the same program produce them, with the same settings?",
            code="no-common-features",
        )
    for reader, frame in frames.items():
        if gone := [n for n in frame.columns if n not in common]:
            text = f"{len(gone)} features that other readers lack are left out: {_listed(gone)}"
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


def _match(
    study: Study, frames: dict[str, pd.DataFrame], names: Sequence[str]
) -> tuple[tuple[Failure, ...], list[str]]:
    """Cases that cannot be used, for one of these features or for all, and those that can."""
    primary = frames[study.readers[0]]
    rows = primary.reindex([case.id for case in study.cohort.cases])[list(names)]
    missing = rows.isna().to_numpy(dtype=bool)
    missing = missing & ~missing.all(axis=0)
    failures, kept = [], []
    for case, lacking in zip(rows.index, missing, strict=True):
        gaps = [names[k] for k in np.flatnonzero(lacking).tolist()]
        if str(case) not in primary.index:
            message = f"There is no row of the primary reader {study.readers[0]!r} in the table."
            code, remedy = "no-row", "Add the row, or remove the case from the manifest."
        elif gaps:
            message = f"{len(gaps)} features that other cases have are missing ({_listed(gaps)})."
            code, remedy = "missing-features", "Measure them, or choose a model.imputation."
        else:
            kept.append(str(case))
            continue
        failures.append(Failure(str(case), f"{message} {remedy}", code, remedy=remedy))
    return tuple(failures), kept


def _quoted(ids: Sequence[str]) -> str:
    """Ids in quotation marks, which do not go out: see `centrum.cohort.withheld`."""
    return _listed([repr(text) for text in ids])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
