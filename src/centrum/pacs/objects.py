"""All objects of the scored cases of one series, as files: what `centrum pacs send` sends.

A series gets one segmentation and one report, since viewers open the last one of a series alone;
every case has pages of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from centrum.cohort.levels import Level
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score
from centrum.io.placing import place_mask
from centrum.pacs.report_object import encapsulated_pdf, secondary_capture
from centrum.pacs.seg import SegmentationType, named_regions, segmentation
from centrum.pacs.source import SourceSeries, encoded
from centrum.pacs.sr import ScoredRegion, measurement_report
from centrum.report.overlay import RegionView
from centrum.report.sheet import draw_sheet
from centrum.report.style import pdf_bytes, rgb_picture
from centrum.store import write_atomically
from centrum.text import file_stem

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


def _objects(
    model: FrozenModel,
    source: SourceSeries,
    cases: Sequence[ScoredCase],
    kind: SegmentationType,
) -> "Iterator[tuple[str, Dataset]]":
    """Names of files, and what they hold."""
    regions = named_regions(
        (case.score.case, place_mask(case.region.mask, case.region.grid), case.level)
        for case in cases
    )
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
