"""The page of finished readings: both outlines and their difference on every slice."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags
from centrum.cohort.readings import PROVENANCES, SLICES_MADE
from centrum.measure.images import CaseImages
from centrum.reading.compare import (
    MM3_PER_ML,
    CaseComparison,
    RoomComparison,
    SliceComparison,
    WrittenComparison,
    compare_room,
    outlines_of,
    write_tables,
)
from centrum.reading.room import Room
from centrum.reading.sheet import lay_out
from centrum.report.colours import ORANGE, SKY
from centrum.report.environment import templates
from centrum.report.overlay import outline_path, region_path, small_picture
from centrum.report.words.readings import MADE, OUTLINES, QUALITY
from centrum.store import write_atomically
from centrum.study.study import RESULTS
from centrum.text import fixed, number
from centrum.volume import bounding_box

FOLDER = "reading-agreement"
"""Of the tables and pages, among the results of a study."""

CASES_OF_A_PAGE = 40

MARGIN_MM = 8.0
"""Around both outlines, so that the neighbours are seen."""

BAR_MM = 10
"""Length of the bar in the pictures."""


@dataclass(frozen=True)
class SlicePicture:
    """One slice as the page shows it; lengths are in pixels of the picture."""

    number: int
    dice: str
    area: str
    distance: str
    provenance: tuple[str, str]
    address: str
    outlines: tuple[str, str]
    only: tuple[str, str]


@dataclass(frozen=True)
class ComparedCase:
    """One case as the page shows it.

    Attributes
    ----------
    name, readers : whose it is, and who drew
    anchor : its address in the page
    numbers : heading and text of what is said of the whole case
    slices : the pictures, those that agree least first
    width, height : pixels of a picture
    aspect : height over width in mm
    width_mm : of what is shown
    bar : pixels of `BAR_MM`
    """

    name: str
    readers: tuple[str, str]
    anchor: str
    numbers: tuple[tuple[str, str], ...]
    slices: tuple[SlicePicture, ...]
    width: int
    height: int
    aspect: float
    width_mm: float
    bar: float


def write_comparison(study: Path | str, folder: Path | None = None) -> WrittenComparison:
    """Compare finished readings, and write two tables and a page; see `compare_room`.

    They go to `results/reading-agreement` of the study unless another folder is given. The page
    holds its pictures, and names cases by their codes.
    """
    study = Path(study)
    folder = folder or study / RESULTS / FOLDER
    comparison = compare_room(study)
    files = write_tables(comparison, folder)
    parts = [
        comparison.cases[start : start + CASES_OF_A_PAGE]
        for start in range(0, len(comparison.cases), CASES_OF_A_PAGE)
    ]
    names = [page_name(k) for k in range(len(parts))]
    for k, part in enumerate(parts):
        page = render_comparison(comparison, part, names, k)
        write_atomically(folder / names[k], page.encode())
    comparison.finished.keep_key()
    return WrittenComparison(folder, (*files, *(folder / name for name in names)), comparison)


def page_name(k: int) -> str:
    """Name of a page, from 0.

    >>> page_name(0), page_name(1)
    ('agreement.html', 'agreement-2.html')
    """
    return f"agreement-{k + 1}.html" if k else "agreement.html"


def render_comparison(
    comparison: RoomComparison, part: Sequence[CaseComparison], pages: Sequence[str], k: int
) -> str:
    """Page `k` of `pages`, with the pictures of these cases; the first has the tables, too."""
    room = comparison.finished.room
    return (
        templates()
        .get_template("compare.html")
        .render(
            simulated=comparison.simulated,
            pages=pages,
            k=k,
            made=_made_rows(comparison.cases),
            rows=[_row(case, n, pages) for n, case in enumerate(comparison.cases)],
            shown=[_shown(room, case, n) for n, case in enumerate(part, k * CASES_OF_A_PAGE)],
            colours=(ORANGE, SKY),
            heads=SUMMED,
            bar_mm=BAR_MM,
            margin_mm=number(MARGIN_MM),
            total=len(comparison.cases),
            without=comparison.without,
        )
    )


def _row(case: CaseComparison, n: int, pages: Sequence[str]) -> dict[str, object]:
    """A line of the table of cases, and where its pictures are."""
    told = dict(_numbers(case))
    return {
        "name": case.name,
        "readers": f"{case.a.column} – {case.b.column}",
        "address": f"{pages[n // CASES_OF_A_PAGE]}#{_anchor(n)}",
        "cells": [told[head] for head in SUMMED],
        "remarks": "; ".join(_remarks(case)),
    }


SUMMED = (
    "Dice", "Jaccard", "95 % Hausdorff distance (mm)", "Mean surface distance (mm)",
    "Volume, B − A (mL)", "Slices: A, B, both", "Minutes: A, B",
)  # fmt: skip
"""What the table of cases says of each."""


def _anchor(n: int) -> str:
    return f"case-{n + 1}"


def _numbers(case: CaseComparison) -> tuple[tuple[str, str], ...]:
    both = [sum(s.pair.made != "one_only" for s in case.slices)]
    each = [sum(s.pair.pixels_a > 0 for s in case.slices),
            sum(s.pair.pixels_b > 0 for s in case.slices)]  # fmt: skip
    minutes = [fixed(r.record.seconds / 60, 1) for r in (case.a, case.b)]
    values = (
        fixed(case.whole.dice, 3),
        fixed(case.whole.jaccard, 3),
        fixed(case.whole.hausdorff95_mm, 1),
        fixed(case.whole.mean_surface_distance_mm, 2),
        signed(case.whole.volume_difference_mm3 / MM3_PER_ML, 2),
        ", ".join(map(str, each + both)),
        ", ".join(minutes),
    )
    return tuple(zip(SUMMED, values, strict=True))


def signed(value: float, digits: int) -> str:
    """A difference with its sign.

    >>> signed(1.234, 2), signed(-1.234, 2), signed(0, 2)
    ('+1.23', '−1.23', '0.00')
    """
    return f"+{fixed(value, digits)}" if value > 0 else fixed(value, digits)


def _remarks(case: CaseComparison) -> list[str]:
    found = []
    if case.pair.other_level:
        found.append(f"level marked {fixed(case.pair.level_mm or 0, 0)} mm apart")
    for each in (case.a, case.b):
        found += [f"{QUALITY[flag]} ({each.column})" for flag in each.record.quality]
    return found


def _made_rows(cases: Sequence[CaseComparison]) -> list[tuple[str, ...]]:
    """Agreement of slices by how their outlines came about."""
    rows: list[tuple[str, ...]] = []
    for names in dict.fromkeys((case.a.column, case.b.column) for case in cases):
        own = [case for case in cases if (case.a.column, case.b.column) == names]
        for made in SLICES_MADE:
            dice = [s.overlap.dice for case in own for s in case.slices if s.pair.made == made]
            if dice:
                told = (fixed(float(np.median(dice)), 3), fixed(min(dice), 3))
                rows.append((" – ".join(names), MADE[made], str(len(dice)), *told))
    return rows


# Pictures


def _shown(room: Room, case: CaseComparison, n: int) -> ComparedCase:
    image = lay_out(CaseImages(room.images).image(case.a.case.images[room.sequence]))
    a, b = outlines_of(room.study, case.a, case.b)
    rows, columns = _part(a.array | b.array, case.spacing)
    pixels, array_a, array_b = (
        array[:, rows, columns] for array in (image.pixels, a.array, b.array)
    )
    worst = sorted(case.slices, key=lambda s: (s.overlap.dice, s.pair.slice))
    height, width = pixels.shape[1:]
    return ComparedCase(
        name=case.name,
        readers=(case.a.column, case.b.column),
        anchor=_anchor(n),
        numbers=(*_numbers(case), *(("Remark", told) for told in _remarks(case))),
        slices=tuple(
            _slice_picture(s, pixels[k], array_a[k], array_b[k])
            for s in worst
            for k in [s.pair.slice]
        ),
        width=width,
        height=height,
        aspect=height * case.spacing[1] / (width * case.spacing[2]),
        width_mm=width * case.spacing[2],
        bar=BAR_MM / case.spacing[2],
    )


def _part(regions: Flags, spacing: Sequence[float]) -> tuple[slice, slice]:
    """Rows and columns around all outlines of a case."""
    found = []
    for axis, span in enumerate(bounding_box(regions)[1:], start=1):
        room = round(MARGIN_MM / spacing[axis])
        found.append(slice(max(span.start - room, 0), min(span.stop + room, regions.shape[axis])))
    return found[0], found[1]


def _slice_picture(
    found: SliceComparison, pixels: NDArray[np.int16], a: Flags, b: Flags
) -> SlicePicture:
    picture = small_picture(pixels)
    pair, apart = found.pair, found.overlap.mean_surface_distance_mm
    return SlicePicture(
        number=pair.slice + 1,
        dice=fixed(found.overlap.dice, 2),
        area=f"{signed(found.overlap.volume_difference_mm3, 0)} mm²",
        distance=f"{fixed(apart, 1)} mm" if apart == apart else "one outline only",
        provenance=(_made(pair.a), _made(pair.b)),
        address=f"data:image/webp;base64,{b64encode(picture).decode()}",
        outlines=(outline_path(a), outline_path(b)),
        only=(region_path(a & ~b), region_path(b & ~a)),
    )


def _made(provenance: str | None) -> str:
    return OUTLINES[provenance].lower() if provenance in PROVENANCES else "not drawn"
