"""The verb `measure`: features of regions, for those who want nothing else.

A study is not needed: an image and a mask, or a table of them, and settings as a protocol of the
package or as a parameter file of PyRadiomics has them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from centrum.cohort.sheet import Sheet, read_sheet
from centrum.errors import DataError, ManifestError, ProtocolError
from centrum.execution import KeptResults, Progress, run_jobs, silent
from centrum.features.registry import catalogue
from centrum.io import split_source
from centrum.io.csv_text import frame_csv
from centrum.io.structured import read_json, read_yaml
from centrum.measure.case import (
    MeasurementJob,
    known_digest,
    measure_anew,
    told_error,
    warm_up,
)
from centrum.measure.extract import plan
from centrum.prepare.settings import Nyul
from centrum.protocol import Protocol, load_preset, presets, read_protocol
from centrum.provenance import MEASURING, job_key
from centrum.pyradiomics.featureextractor import RadiomicsFeatureExtractor
from centrum.pyradiomics.parameters import BLOCKS, read_parameters
from centrum.store import Store, write_atomically
from centrum.study.findings import Failure, Finding

Parameters = dict[str, Any]
"""What a parameter file of PyRadiomics holds."""

DEFAULT = "vcf-t2w"
"""The protocol when none is named."""

HEADS = {
    "case": ("case", "id", "patientid", "patient_id"),
    "image": ("image",),
    "mask": ("mask", "segmentation"),
    "label": ("label",),
}
"""Columns of a table of regions, as PyRadiomics' batches and the package's manifests call them."""

ALONE = "region"
"""What a region that is measured alone is called: names of files may be those of patients."""

READER = "mask"
"""Whose region it is, in a record that knows readers."""


@dataclass(frozen=True)
class RegionToMeasure:
    """One row of what is to be measured.

    Attributes
    ----------
    case : what the row is called
    image, mask : sources as `centrum.io` takes them
    label : of the region in the mask, None where the mask holds one alone or names its part

    Raises
    ------
    DataError
        The part of the mask is named twice.
    """

    case: str
    image: str
    mask: str
    label: int | None = None

    def __post_init__(self) -> None:
        path, part = split_source(self.mask)
        if part is not None and self.label is not None:
            raise DataError(
                f"{path.name}: one region was expected, found both {part!r} and the label "
                f"{self.label}.",
                remedy="Name the region once: FILE#PART, or a label.",
                code="two-labels",
                file=path.name,
            )


@dataclass(frozen=True)
class RegionJob:
    """A region and the settings to measure it with: a protocol, or PyRadiomics' parameters."""

    region: RegionToMeasure
    settings: Protocol | Parameters

    def key(self) -> str:
        """Of the bytes of both files, the label, the settings and the versions."""
        own = self.settings
        chosen = own.model_dump(mode="json") if isinstance(own, Protocol) else own
        region = self.region
        sources = [known_digest(source) for source in (region.image, region.mask)]
        return job_key("features", MEASURING, sources=sources, label=region.label, settings=chosen)


@dataclass(frozen=True, eq=False)
class MeasuredRegions:
    """Features of regions.

    Attributes
    ----------
    table : a row per region that could be measured, by case, and a column per feature
    failures : those that could not
    findings : what was noticed about the others
    units : of the features by column; PyRadiomics' names have none here
    """

    table: pd.DataFrame
    failures: tuple[Failure, ...]
    findings: tuple[Finding, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)


def read_settings(name: str | Path | None) -> Protocol | Parameters:
    """A preset, a protocol, or a parameter file of PyRadiomics, told apart by what it holds.

    Raises
    ------
    ProtocolError
        There is no such file or preset, or a protocol learns something from a whole cohort.
    ParameterError
        The parameter file asks for something unknown.

    >>> read_settings("vcf-t2w").extraction.dialect
    'ibsi'
    """
    if name is None or str(name) in presets():
        return _alone(load_preset(str(name or DEFAULT)))
    path = Path(name)
    content = (read_json if path.suffix == ".json" else read_yaml)(path, ProtocolError)
    if isinstance(content, dict) and content.keys() & set(BLOCKS):
        read_parameters(content)  # refuses what the extractor does not know
        return content
    return _alone(read_protocol(path))


def _alone(protocol: Protocol) -> Protocol:
    scale = protocol.preparation.normalisation
    if isinstance(scale, Nyul) and scale.landmarks is None:
        raise ProtocolError(
            "preparation.normalisation: a standard scale (nyul) is learnt from the training "
            "patients of a study.",
            remedy="Write its `landmarks`, choose another method, or measure with `centrum run`.",
            code="learnt-preparation",
        )
    return protocol


def read_batch(path: Path) -> tuple[RegionToMeasure, ...]:
    """The regions of a table with the columns image and mask, and perhaps case (or ID) and label.

    Files lie where the table says, seen from its folder. Other columns are not read. A row without
    a case is called by its number, from 1.

    Raises
    ------
    ManifestError
        There is no such table, a column is missing, or something is wrong in a row.
    """
    known = {head for heads in HEADS.values() for head in heads}
    sheet = read_sheet(path, knows=lambda head: head.casefold() in known)
    places = {name: _place(sheet, heads) for name, heads in HEADS.items()}
    for name in ("image", "mask"):
        if places[name] is None:
            raise ManifestError(
                f"{path.name}: a column {name!r} was expected, found {', '.join(sheet.header)}.",
                remedy="Name the columns image and mask; case and label may stand beside them.",
                code="missing-column",
                file=path.name,
            )
    columns = {name: sheet.column(k) for name, k in places.items() if k is not None}
    regions = tuple(
        _region(path, number, {name: column[row] for name, column in columns.items()}, row)
        for number, (row, _) in enumerate(sheet.rows, 1)
    )
    _refuse_twins(path, regions)
    return regions


def _place(sheet: Sheet, heads: Sequence[str]) -> int | None:
    return next((k for k, head in enumerate(sheet.header) if head.casefold() in heads), None)


def _region(path: Path, number: int, cells: Mapping[str, str], row: int) -> RegionToMeasure:
    for name in ("image", "mask"):
        if not cells[name]:
            raise ManifestError(
                f"{path.name}: row {row}, column {name!r}: a file was expected, found an empty "
                "cell.",
                remedy="Name the file, or take the row out.",
                code="empty-cell",
                file=path.name,
            )
    label = cells.get("label", "")
    if label and not label.removesuffix(".0").isdecimal():
        raise ManifestError(
            f"{path.name}: row {row}, column 'label': a whole number was expected, found "
            f"{label!r}.",
            remedy="Write the number of the region in its mask, or leave the cell empty.",
            code="no-label",
            file=path.name,
        )
    return RegionToMeasure(
        case=cells.get("case") or str(number),
        image=str(path.parent / cells["image"]),
        mask=str(path.parent / cells["mask"]),
        label=int(label.removesuffix(".0")) if label else None,
    )


def _refuse_twins(path: Path, regions: Sequence[RegionToMeasure]) -> None:
    cases = [region.case for region in regions]
    if twins := sorted({case for case in cases if cases.count(case) > 1}):
        raise ManifestError(
            f"{path.name}: the case {twins[0]!r} stands in {cases.count(twins[0])} rows, and a row "
            "of features has to be told from the others.",
            remedy="Give each row a case of its own, or leave the column out.",
            code="case-twice",
            file=path.name,
        )


def measure_regions(
    regions: Sequence[RegionToMeasure],
    settings: Protocol | Parameters,
    *,
    store: Path | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> MeasuredRegions:
    """Features of every region; one that cannot be measured does not stop the others.

    With a `store`, what was measured before with the same files and settings comes from there.
    """
    kept = KeptResults(Store(store), RegionJob.key, _is_sound) if store else None
    compiled = partial(warm_up, settings.extraction) if isinstance(settings, Protocol) else _nothing
    records = run_jobs(
        _measure,
        [RegionJob(region, settings) for region in regions],
        workers,
        progress,
        "Measuring regions",
        failed=_failed,
        kept=kept,
        warm_up=compiled,
    )
    named = list(zip((region.case for region in regions), records, strict=True))
    rows = {case: record["values"] for case, record in named if _is_sound(record)}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("case")
    return MeasuredRegions(
        table=table,
        failures=tuple(
            Failure(case, **record["error"]) for case, record in named if not _is_sound(record)
        ),
        findings=tuple(
            Finding(case, "", **finding) for case, record in named for finding in record["findings"]
        ),
        units=_units(settings),
    )


def _nothing() -> None:
    """PyRadiomics' parameters are compiled as they are used."""


def _is_sound(record: Mapping[str, Any]) -> bool:
    return not record["error"]


def _failed(job: RegionJob, error: Exception) -> dict[str, Any]:
    return _without_values(told_error(None, error, job.region.image))


def _without_values(told: Mapping[str, Any]) -> dict[str, Any]:
    error = {name: told[name] for name in ("message", "code", "file", "remedy")}
    return {"values": {}, "findings": [], "error": error}


def _measure(job: RegionJob) -> dict[str, Any]:
    if isinstance(job.settings, Protocol):
        return _by_protocol(job.region, job.settings)
    return {"values": _by_parameters(job.region, job.settings), "findings": [], "error": None}


def _by_protocol(region: RegionToMeasure, protocol: Protocol) -> dict[str, Any]:
    mask = region.mask if region.label is None else f"{region.mask}#{region.label}"
    record = measure_anew(
        MeasurementJob(
            case=region.case,
            image=region.image,
            masks={READER: mask},
            images=protocol.images,
            extraction=protocol.extraction,
            preparation=protocol.preparation,
            store=None,
        )
    )
    if record["errors"]:
        return _without_values(record["errors"][0])
    names = [feature.spell(protocol.extraction.dialect) for feature in plan(protocol.extraction)]
    kinds = ("severity", "code", "message", "file", "remedy")
    findings = [{k: f[k] for k in kinds if k in f} for f in record["findings"]]
    values = dict(zip(names, record["values"][READER], strict=True))
    return {"values": values, "findings": findings, "error": None}


def _by_parameters(region: RegionToMeasure, parameters: Parameters) -> dict[str, Any]:
    mask, part = split_source(region.mask)
    label = region.label if part is None else int(part) if part.isdecimal() else None
    if part is not None and label is None:
        raise DataError(
            f"{mask.name}: PyRadiomics tells regions by number, found the name {part!r}.",
            remedy="Write FILE#NUMBER, or measure with a protocol, which knows names of segments.",
            code="no-label",
            file=mask.name,
        )
    values = RadiomicsFeatureExtractor(parameters).execute(region.image, str(mask), label=label)
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> float | str | None:
    """A number, or what a diagnostic says as text."""
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
        number = float(value)
        return number if np.isfinite(number) else None
    return float(value) if isinstance(value, int | float) else str(value)


def _units(settings: Protocol | Parameters) -> dict[str, str]:
    if not isinstance(settings, Protocol):
        return {}
    extraction = settings.extraction
    return {
        feature.spell(extraction.dialect): catalogue()[feature.family, feature.name].unit
        for feature in plan(extraction)
    }


def measured_lines(measured: MeasuredRegions) -> Iterator[str]:
    """A line per feature of the first region, with its unit."""
    for _, row in measured.table.head(1).iterrows():
        for name, value in row.items():
            unit = measured.units.get(str(name), "")
            yield (
                f"{name}  {value:.10g}  {unit}".rstrip()
                if isinstance(value, float)
                else (f"{name}  {value}")
            )


def write_measured(measured: MeasuredRegions, path: Path) -> None:
    """The table as CSV, JSON or Parquet, by the ending of the file.

    Raises
    ------
    DataError
        It has another ending.
    """
    write_atomically(path, _WRITERS[table_format(path)](measured.table))


def table_format(path: Path) -> str:
    """The ending of a table of features.

    Raises
    ------
    DataError
        It is none that is written.
    """
    if path.suffix.lower() not in _WRITERS:
        raise DataError(
            f"{path.name}: a table of features ends with {', '.join(_WRITERS)}; found "
            f"{path.suffix or 'no ending'!r}.",
            remedy="Give --out another ending.",
            code="unknown-table-format",
            file=path.name,
        )
    return path.suffix.lower()


def json_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A record per region, null where a feature is not defined."""
    rows = table.astype(object).where(table.notna(), None).reset_index()
    return [{str(k): v for k, v in row.items()} for row in rows.to_dict(orient="records")]


def _as_parquet(table: pd.DataFrame) -> bytes:
    buffer = BytesIO()
    table.reset_index().to_parquet(buffer, index=False)
    return buffer.getvalue()


_WRITERS = {
    ".csv": lambda table: frame_csv(table.reset_index()).encode(),
    ".json": lambda table: json.dumps(json_rows(table), indent=1).encode(),
    ".parquet": _as_parquet,
}
