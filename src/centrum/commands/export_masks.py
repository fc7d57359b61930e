"""The verb `export-masks`: what readers drew, as files that other programs read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from centrum.cohort.case import Case
from centrum.cohort.withheld import roles, withheld
from centrum.errors import ProtocolError, describe, of_case
from centrum.execution import Progress, silent
from centrum.io.write import MASK_ENDINGS, write_masks
from centrum.measure.images import CaseImages
from centrum.measure.sequences import choose_sequences
from centrum.pacs.extra import highdicom
from centrum.pacs.seg import DrawnRegion, named_regions, segmentation
from centrum.pacs.source import encoded, read_series
from centrum.protocol import Images
from centrum.store import write_atomically
from centrum.study.study import Study
from centrum.text import counted, file_stem

DICOM = "dicom"

FORMATS = (*(ending.lstrip(".") for ending in MASK_ENDINGS), DICOM)
"""Endings of files with voxels, and DICOM SEG, whose files end in .seg.dcm."""


@dataclass(frozen=True)
class ExportedMasks:
    """Files that were written, and why cases have none, by case and reader."""

    written: tuple[Path, ...]
    without: dict[tuple[str, str], str]

    def lines(self, folder: Path) -> Iterator[str]:
        """What was written, and what was not, to print."""
        for (case, reader), why in self.without.items():
            yield f"{case}, {reader}: not exported: {why}"
        yield f"{counted(len(self.written), 'file')} in {folder}"


@dataclass(frozen=True)
class _Drawing:
    """What one reader drew on one image: in DICOM all cases of it, else one case."""

    image: str
    reader: str
    cases: tuple[Case, ...]


def export_masks(
    study: Study, folder: Path, format: str, progress: Progress = silent
) -> ExportedMasks:
    """Write the masks of all readers, each on the grid of its image.

    Files are called CASE_READER.FORMAT. A DICOM segmentation has all cases of a series, and is
    called by the first. A case that cannot be read, or that DICOM cannot hold, is told and does not
    stop the others.

    Raises
    ------
    ProtocolError
        There is no such format.
    DataError
        highdicom is not installed, for DICOM.
    """
    if format not in FORMATS:
        raise ProtocolError(f"Masks are exported as {', '.join(FORMATS)}, found {format!r}.")
    if format == DICOM:
        highdicom()
    drawings = _drawings(study, together=format == DICOM)
    written, without = [], {}
    for k, drawing in enumerate(drawings):
        progress("Exporting masks", k, len(drawings))
        try:
            written.append(_export(drawing, study.protocol.images, folder, format))
        except Exception as error:
            why = describe(of_case(error))
            for case in drawing.cases:
                of = roles(drawing.image, {drawing.reader: case.masks[drawing.reader]})
                without[case.id, drawing.reader] = withheld(why, of)
    progress("Exporting masks", len(drawings), len(drawings))
    return ExportedMasks(tuple(written), without)


def _drawings(study: Study, *, together: bool) -> list[_Drawing]:
    """Of all cases and readers; `together` are those of one image and reader."""
    drawn_on, *_ = choose_sequences(study.protocol.images, study.cohort.sequences)
    found: dict[tuple[str, ...], list[Case]] = {}
    for case in study.cohort.cases:
        image = case.images.get(drawn_on, "")
        for reader in case.masks:
            found.setdefault((image, reader, "" if together else case.id), []).append(case)
    return [_Drawing(image, reader, tuple(cases)) for (image, reader, _), cases in found.items()]


def _export(drawing: _Drawing, images: Images, folder: Path, format: str) -> Path:
    regions = _regions(drawing, images)
    stem = file_stem(f"{drawing.cases[0].id}_{drawing.reader}")
    if format == DICOM:
        path = folder / f"{stem}.seg.dcm"
        write_atomically(path, encoded(segmentation(read_series(drawing.image), regions)))
        return path
    folder.mkdir(parents=True, exist_ok=True)
    return write_masks([region.named for region in regions], folder / f"{stem}.{format}")


def _regions(drawing: _Drawing, images: Images) -> Sequence[DrawnRegion]:
    read = CaseImages(images)
    volume = read.image(drawing.image)
    return named_regions(
        (case.id, read.mask(case.masks[drawing.reader], volume), case.level)
        for case in drawing.cases
    )
