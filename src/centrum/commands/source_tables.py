"""Features made elsewhere of new patients, for a model that reads some of a further source."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from centrum.cohort import Cohort
from centrum.errors import DataError, ProtocolError
from centrum.exchange.foreign_table import column_of
from centrum.features.feature_id import FeatureId
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Patient
from centrum.protocol import FurtherSource
from centrum.study.study import is_pattern, matching
from centrum.study.tables import NAMED, read_as_one
from centrum.text import counted, first_of

Values = Mapping[str, Mapping[str, float]]
"""Case -> feature, as a model calls it -> value."""


def of_sources(model: FrozenModel) -> dict[str, tuple[FeatureId, ...]]:
    """The features of each source that a model reads."""
    refits = () if model.refits is None else model.refits.features
    read = dict.fromkeys(f for f in (*model.features, *refits) if f is not None)
    names = dict.fromkeys(source.name for source in model.protocol.sources)
    found = {name: tuple(f for f in read if f.sequence == name) for name in names}
    return {name: features for name, features in found.items() if features}


def of_patient(model: FrozenModel, patient: Patient, files: Mapping[str, str]) -> Patient:
    """One patient with the values of each source, of the row of the case.

    Raises
    ------
    DataError
        A table that the model reads is not given, or has no row of the case.
    """
    values = _read(model, Path(), None, files)
    for name, rows in values.items():
        if patient.case not in rows:
            raise _no_row(name, f"the case {patient.case!r}", rows)
    return _with_values(patient, values)


def of_cohort(
    model: FrozenModel,
    patients: tuple[Patient, ...],
    cohort: Cohort,
    reader: str,
    files: Mapping[str, str],
) -> tuple[Patient, ...]:
    """Patients with the values of each source, by their rows in tables beside the manifest.

    The tables are those that the model's protocol names, or `files`. A patient without a row is as
    before.

    Raises
    ------
    DataError
        A table that the model reads is not there, lacks a feature, or is of other cases.
    """
    values = _read(model, Path(cohort.source).parent, reader, files)
    codes = {each.name: each.pseudonym for each in cohort.identities if each.what == "case"}
    coded = {
        source: {codes.get(case, case): row for case, row in rows.items()}
        for source, rows in values.items()
    }
    for name, rows in coded.items():
        if patients and not any(patient.case in rows for patient in patients):
            first = first_of([repr(patient.case) for patient in patients], NAMED)
            raise _no_row(name, f"any of the {counted(len(patients), 'case')}: {first}", rows)
    return tuple(_with_values(patient, coded) for patient in patients)


def _no_row(source: str, wanted: str, rows: Iterable[str]) -> DataError:
    """Of a table that is about other cases than what is wanted."""
    found = first_of([repr(case) for case in rows], NAMED)
    return DataError(
        f"The table of the source {source!r} has no row of {wanted}. Its rows are of {found}.",
        remedy="Give a table with a row of the case, or call the case as the table does: --case, "
        "or the column case of the manifest.",
        code="no-row",
    )


def _with_values(patient: Patient, values: Mapping[str, Values]) -> Patient:
    own = [rows[patient.case] for rows in values.values() if patient.case in rows]
    together = {name: value for row in own for name, value in row.items()}
    return replace(patient, elsewhere=together)


def _read(
    model: FrozenModel, folder: Path, reader: str | None, files: Mapping[str, str]
) -> dict[str, Values]:
    """Source -> case -> feature -> value."""
    wanted = of_sources(model)
    if unknown := [name for name in files if name not in wanted]:
        raise ProtocolError(
            f"--source {unknown[0]}: the model reads no features of such a source"
            f"{'; there are ' + ', '.join(wanted) if wanted else '.'}"
        )
    found = dict[str, Values]()
    for name, features in wanted.items():
        source = _table_of(model, name, reader)
        told, place = (files[name], Path()) if name in files else (source.file, folder)
        read = _files(name, told, place)
        found[name] = dict(_rows(source, features, read, by_file=is_pattern(told)))
    return found


def _table_of(model: FrozenModel, name: str, reader: str | None) -> FurtherSource:
    """What the protocol says of a source's table: that of the reader, or of the first."""
    own = [source for source in model.protocol.sources if source.name == name]
    return next((source for source in own if source.reader in (None, reader)), own[0])


def _files(name: str, told: str, folder: Path) -> list[Path]:
    """The file of a source, or all that fit a pattern, in a folder or wherever it says."""
    path = folder / told
    if path.is_file():
        return [path]
    if found := matching(Path(path.anchor), str(path.relative_to(path.anchor))):
        return found
    kind = "pattern" if is_pattern(told) else "table"
    why = (
        "is a folder" if path.is_dir() else "fits no file" if kind == "pattern" else "is not there"
    )
    raise DataError(
        f"The model reads features of the source {name!r}, whose {kind} {path.name} {why}.",
        remedy=f"Give one table, --source {name}=FILE, or a pattern of one file per case, "
        f"--source '{name}=FOLDER/*.csv'; or put them beside the manifest.",
        code="no-table",
        file=path.name,
    )


def _rows(
    source: FurtherSource, features: tuple[FeatureId, ...], files: Sequence[Path], *, by_file: bool
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Cases and the values of the model's features."""
    names = {f.label.removeprefix(f"{source.name}_"): f.label for f in features}
    kept = source.model_copy(update={"keep": (*source.keep, *names)})
    frame = read_as_one(files, kept, by_file=by_file).values
    if missing := [name for name in names if name not in frame.columns]:
        raise DataError(
            f"{files[0].name} lacks {len(missing)} of the {len(names)} features of the source "
            f"{source.name!r} that the model reads, such as {missing[0]!r}.",
            code="missing-features",
            file=files[0].name,
        )
    columns = {own: column_of(frame, name) for name, own in names.items()}
    for k, case in enumerate(map(str, frame.index)):
        yield case, {name: float(column[k]) for name, column in columns.items()}
