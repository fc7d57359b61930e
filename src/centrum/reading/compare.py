"""Finished readings beside each other: per case and per slice, as tables and as a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from centrum.agreement.overlap import Overlap, overlap, slice_overlap
from centrum.cohort.phantom import NOTICE, is_phantom
from centrum.cohort.readings import ReadingPair, SlicePair
from centrum.errors import DataError
from centrum.io.csv_text import records_csv
from centrum.reading.finished import (
    DrawnSlices,
    FinishedRoom,
    SignedCase,
    drawn_slices,
    finished_room,
    pair_of,
)
from centrum.store import write_atomically
from centrum.text import counted

BY_CASE, BY_SLICE = "agreement_by_case.csv", "agreement_by_slice.csv"

MM3_PER_ML = 1000


@dataclass(frozen=True)
class SliceComparison:
    """One slice as two readers outlined it: provenance and pixels, and how far they agree."""

    pair: SlicePair
    overlap: Overlap


@dataclass(frozen=True, eq=False)
class CaseComparison:
    """One case as two readers outlined it.

    Attributes
    ----------
    name : what is shown in the place of the case's id
    a, b : the readings
    pair : slices that either outlined, and where the level was placed
    whole : agreement of the whole regions
    slices : agreement of each of these slices
    spacing : mm between slices, rows and columns
    """

    name: str
    a: SignedCase
    b: SignedCase
    pair: ReadingPair
    whole: Overlap
    slices: tuple[SliceComparison, ...]
    spacing: tuple[float, float, float]

    @property
    def pixel_mm2(self) -> float:
        """Area of a pixel."""
        return self.spacing[1] * self.spacing[2]


@dataclass(frozen=True, eq=False)
class RoomComparison:
    """All cases that two readers have signed and outlined.

    Attributes
    ----------
    cases : those that agree least first
    without : cases that cannot be compared, because fewer than two have outlined them
    simulated : "" or the sentence that marks simulated patients
    finished : what was signed
    """

    cases: tuple[CaseComparison, ...]
    without: tuple[str, ...]
    simulated: str
    finished: FinishedRoom


def compare_room(study: Path | str) -> RoomComparison:
    """Compare what two readers, or one in two sessions, have signed in the room of a study.

    Raises
    ------
    DataError
        No case was signed twice ("nothing-to-compare"), or a mask is not the one that was signed.
    """
    study = Path(study)
    finished = finished_room(study)
    found = [_compared(finished, a, b) for a, b in finished.pairs() if a.outlined and b.outlined]
    if not found:
        raise DataError(
            "No case was signed by two readers, or by one in two sessions.",
            remedy="Compare when both have finished at least one case.",
            code="nothing-to-compare",
        )
    cases = tuple(sorted(found, key=lambda case: (case.whole.dice, case.name)))
    there = {case.a.case.id for case in cases}
    without = tuple(finished.name(case) for case in finished.signed if case not in there)
    return RoomComparison(cases, without, NOTICE if is_phantom(study) else "", finished)


def compare_case(study: Path | str, token_a: str, token_b: str) -> CaseComparison:
    """One case as two readings have it.

    Raises
    ------
    DataError
        These are no two signed readings of one case; code "not-both-signed".
    """
    finished = finished_room(study)
    for a, b in finished.pairs():
        if (a.place.token, b.place.token) == (token_a, token_b) and a.outlined and b.outlined:
            return _compared(finished, a, b)
    raise DataError(
        "A case is compared when both readers have signed it.",
        remedy="Wait until both have finished it.",
        code="not-both-signed",
    )


def _compared(finished: FinishedRoom, a: SignedCase, b: SignedCase) -> CaseComparison:
    study = finished.room.study
    pair, drawn = pair_of(study, a, b), outlines_of(study, a, b)
    slices = tuple(_slice(slice_pair, *drawn) for slice_pair in pair.slices)
    spacing = drawn[0].spacing
    whole = overlap(drawn[0].array, drawn[1].array, spacing)
    return CaseComparison(finished.name(a.case.id), a, b, pair, whole, slices, spacing)


def outlines_of(study: Path, a: SignedCase, b: SignedCase) -> tuple[DrawnSlices, DrawnSlices]:
    """The outlines of two readings that both have some."""
    first, second = drawn_slices(study, a), drawn_slices(study, b)
    if first is None or second is None:
        raise ValueError("a reading without an outline is not compared")
    return first, second


def _slice(pair: SlicePair, a: DrawnSlices, b: DrawnSlices) -> SliceComparison:
    planes = a.array[pair.slice], b.array[pair.slice]
    return SliceComparison(pair, slice_overlap(*planes, a.spacing[1:]))


# Tables


def case_records(cases: Sequence[CaseComparison]) -> list[dict[str, Any]]:
    """A row for each case and pair of readers."""
    return [
        {
            "case": case.name,
            "reader_a": case.a.column,
            "reader_b": case.b.column,
            "same_reader": case.pair.intra,
            "dice": case.whole.dice,
            "jaccard": case.whole.jaccard,
            "hausdorff95_mm": case.whole.hausdorff95_mm,
            "mean_surface_distance_mm": case.whole.mean_surface_distance_mm,
            "volume_difference_ml": case.whole.volume_difference_mm3 / MM3_PER_ML,
            "slices_a": sum(s.pair.pixels_a > 0 for s in case.slices),
            "slices_b": sum(s.pair.pixels_b > 0 for s in case.slices),
            "slices_of_both": sum(s.pair.made != "one_only" for s in case.slices),
            "minutes_a": case.a.record.seconds / 60,
            "minutes_b": case.b.record.seconds / 60,
            "level_apart_mm": case.pair.level_mm,
            "body_height_mm": case.pair.height_mm,
            "other_level": case.pair.other_level,
            "flags_a": " ".join(case.a.record.quality),
            "flags_b": " ".join(case.b.record.quality),
        }
        for case in cases
    ]


def slice_records(cases: Sequence[CaseComparison]) -> list[dict[str, Any]]:
    """A row for each slice that either reader outlined; slices are counted from 1."""
    return [
        {
            "case": case.name,
            "reader_a": case.a.column,
            "reader_b": case.b.column,
            "same_reader": case.pair.intra,
            "slice": each.pair.slice + 1,
            "provenance_a": each.pair.a or "",
            "provenance_b": each.pair.b or "",
            "outlines": each.pair.made,
            "dice": each.overlap.dice,
            "jaccard": each.overlap.jaccard,
            "hausdorff95_mm": _known(each.overlap.hausdorff95_mm),
            "mean_surface_distance_mm": _known(each.overlap.mean_surface_distance_mm),
            "area_a_mm2": each.pair.pixels_a * case.pixel_mm2,
            "area_b_mm2": each.pair.pixels_b * case.pixel_mm2,
            "area_difference_mm2": each.overlap.volume_difference_mm3,
        }
        for case in cases
        for each in case.slices
    ]


def _known(value: float) -> float | str:
    """A distance; empty where only one has an outline."""
    return "" if value != value else value


@dataclass(frozen=True)
class WrittenComparison:
    """Files that comparing wrote, and what is to be told."""

    folder: Path
    files: tuple[Path, ...]
    comparison: RoomComparison

    def lines(self) -> Iterator[str]:
        """What was compared, to print."""
        cases = self.comparison.cases
        least = cases[0]
        yield (
            f"{counted(len(cases), 'pair')} of readings; the least agreement is that of "
            f"{least.name} (Dice {least.whole.dice:.2f})."
        )
        for case in (case for case in cases if case.pair.other_level):
            yield f"{case.name}: the marks of the level lie more than half a body apart."
        if self.comparison.without:
            yield f"Not compared, for want of two outlines: {', '.join(self.comparison.without)}."
        yield f"{self.folder}: {', '.join(path.name for path in self.files)}"


def write_tables(comparison: RoomComparison, folder: Path) -> list[Path]:
    """Write the tables by case and by slice; their paths."""
    tables = {BY_CASE: case_records(comparison.cases), BY_SLICE: slice_records(comparison.cases)}
    for name, records in tables.items():
        write_atomically(folder / name, records_csv(records, records[0]).encode())
    return [folder / name for name in tables]
