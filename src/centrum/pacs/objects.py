"""All objects of the scored cases of one series, as files: what `centrum pacs send` sends.

A series gets one segmentation and one report, since viewers open the last one of a series alone;
every case has pages of its own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from centrum.cohort.levels import Level
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score
from centrum.io.placing import place_mask
from centrum.pacs.codes import LONGEST_MEANING
from centrum.pacs.report_object import encapsulated_pdf, secondary_capture
from centrum.pacs.seg import DrawnRegion, SegmentationType, segmentation
from centrum.pacs.source import SourceSeries
from centrum.pacs.sr import ScoredRegion, measurement_report
from centrum.report.labels import shortened
from centrum.report.overlay import RegionView
from centrum.report.sheet import draw_sheet
from centrum.report.style import pdf_bytes, rgb_picture
from centrum.store import write_atomically
from centrum.text import file_stem, one_line

if TYPE_CHECKING:
    from pydicom import Dataset

PAGE_DPI = 120
"""Of the picture of a page, 992 x 1403 pixels: small text is still read on a screen."""


@dataclass(frozen=True, eq=False)
class ScoredCase:
    """A case with a score, its region, and the vertebra that it is, if known."""

    score: Score
    region: RegionView
    level: Level | None


def write_objects(
    model: FrozenModel,
    source: SourceSeries,
    cases: Sequence[ScoredCase],
    folder: Path,
    kind: SegmentationType = "BINARY",
) -> list[Path]:
    """Write the objects of the cases of one series, none of them refused; gives their paths.

    CASE.seg.dcm and CASE.sr.dcm are called by the first case, CASE.sc.dcm and CASE.pdf.dcm by each.
    The same cases give the same files.

    Raises
    ------
    ImageError, GeometryError, DataError
        As `segmentation` and `measurement_report`; nothing is written then.
    """
    made = dict(_objects(model, source, cases, kind))
    paths = [folder / name for name in made]
    for path, dataset in zip(paths, made.values(), strict=True):
        write_atomically(path, encoded(dataset))
    return paths


def encoded(made: "Dataset") -> bytes:
    """The bytes of the file of an object."""
    stream = BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _objects(
    model: FrozenModel,
    source: SourceSeries,
    cases: Sequence[ScoredCase],
    kind: SegmentationType,
) -> "Iterator[tuple[str, Dataset]]":
    """Names of files, and what they hold."""
    regions = _regions(cases)
    stem = file_stem(cases[0].score.case)
    segmented = segmentation(source, regions, kind)
    yield f"{stem}.seg.dcm", segmented
    scored = [ScoredRegion(r, case.score) for r, case in zip(regions, cases, strict=True)]
    yield f"{stem}.sr.dcm", measurement_report(model, source, segmented, scored)
    for case in cases:
        stem = file_stem(case.score.case)
        sheet = draw_sheet(model, case.score, case.region.view)
        yield f"{stem}.sc.dcm", secondary_capture(rgb_picture(sheet, PAGE_DPI), source)
        yield f"{stem}.pdf.dcm", encapsulated_pdf(pdf_bytes(sheet), source)


def _regions(cases: Sequence[ScoredCase]) -> list[DrawnRegion]:
    """The regions on the grid of their image, each with a label of its own."""
    names = [_named(case) for case in cases]
    counts = Counter(names)
    return [
        DrawnRegion(
            place_mask(case.region.mask, case.region.grid),
            _label(name if counts[name] == 1 else f"{name} of {case.score.case}"),
            case.level,
        )
        for name, case in zip(names, cases, strict=True)
    ]


def _named(case: ScoredCase) -> str:
    return case.level.name if case.level else case.region.mask.name


def _label(text: str) -> str:
    """As the label of a segment: a backslash would part it in two."""
    return shortened(one_line(text).replace("\\", "/"), LONGEST_MEANING)
