"""The verb `labels`: what a mask file holds, and which label schemes its numbers would fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from centrum.cohort.anatomy import place_of
from centrum.cohort.confusable import not_told_from
from centrum.cohort.label_map import Label, LabelMap, label_map_of
from centrum.cohort.schemes import SCHEMES, Scheme
from centrum.errors import CentrumError, describe
from centrum.io import Segmentation, read_image, read_labels
from centrum.text import counted, listed

HEADS = ("label", "name", "voxels", "mm³", "left", "back", "up")
"""Of the table; the last three are the centre in mm."""


@dataclass(frozen=True)
class LabelsOfFile:
    """What a mask file holds.

    Attributes
    ----------
    found : its labels, and what their names say
    labels : the same from head to foot, those without voxels last
    against : by name of each scheme, why the numbers are not of it; "" where they fit
    notes : what could not be looked at
    """

    found: LabelMap
    labels: tuple[Label, ...]
    against: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def fitting(self) -> tuple[Scheme, ...]:
        """The schemes that nothing speaks against."""
        return tuple(SCHEMES[name] for name, why in self.against.items() if not why)


def labels_of(
    file: Path, image: str | None = None, *, orientation: str | None = None
) -> LabelsOfFile:
    """The labels of a mask file, and how every scheme fits them.

    Parameters
    ----------
    image : on which contours of an RTSTRUCT are filled, and whose slices those of a SEG are
    orientation : where the array axes run in files that do not say it, such as "PIR"

    Raises
    ------
    CentrumError
        The file cannot be read, or is no label image.
    """
    grid = read_image(image, orientation=orientation).geometry if image else None
    read = read_labels(file, orientation, grid)
    found, notes = label_map_of(read, file.name), []
    if any(each.place is None and each.segment.drawn for each in found.labels):
        if grid is None:
            notes.append("contours have voxels on the grid of an image: --image")
        else:
            found = _filled(found, read, notes)
    if read.doubt:
        notes.append(f"{read.doubt}: volumes are wrong if slices were left out; --image tells")
    if not found.oriented:
        notes.append("it does not say how it lies: the order from head to foot is not looked at")
    if doubt := found.contradiction(by_size=True):
        notes.append(f"the levels of its names contradict the anatomy: {doubt}")
    numbered = any(each.number is not None and not each.is_empty for each in found.labels)
    against = {s.name: found.against(s) for s in SCHEMES.values()} if numbered else {}
    return LabelsOfFile(found, _from_head_to_foot(found), against, tuple(notes))


def _filled(found: LabelMap, read: Segmentation, notes: list[str]) -> LabelMap:
    """With the places of regions whose names say nothing of the spine."""
    return replace(found, labels=tuple(_placed(each, read, notes) for each in found.labels))


def _placed(label: Label, read: Segmentation, notes: list[str]) -> Label:
    if label.place or not label.segment.drawn:
        return label
    try:
        mask = read.mask(label.segment)
    except CentrumError as error:
        notes.append(f"{label.segment.name!r} is not filled: {describe(error)}")
        return label
    return replace(label, place=place_of(mask)) if mask.n_voxels else label


def _from_head_to_foot(found: LabelMap) -> tuple[Label, ...]:
    def place(each: Label) -> float:
        return -each.place.height if each.place else float("inf")

    return tuple(sorted(found.labels, key=place))


def label_lines(found: LabelsOfFile) -> Iterator[str]:
    """A table of the labels, what names them, and the schemes that would fit."""
    rows = [HEADS, *map(_row, found.labels)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        label, name, *numbers = row
        cells = [f"{label:>{widths[0]}}", f"{name:{widths[1]}}"]
        cells += [f"{text:>{width}}" for text, width in zip(numbers, widths[2:], strict=True)]
        yield "  ".join(cells).rstrip()
    yield from (f"note: {note}" for note in found.notes)
    yield from _named_by(found.found)
    yield from _fitting(found)


def _row(label: Label) -> tuple[str, ...]:
    voxels, volume = _size(label)
    known = ["" if voxels is None else str(voxels), "" if volume is None else f"{volume:.0f}"]
    centre = [f"{mm:.0f}" for mm in label.place.centre] if label.place else [""] * 3
    return (str(label.segment.label), label.segment.name, *known, *centre)


def _size(label: Label) -> tuple[int | None, float | None]:
    """Voxels of the file and mm³; None where contours are not filled."""
    volume = label.place.volume * 1000 if label.place else None
    return label.segment.voxels, volume if volume is not None else 0.0 if label.is_empty else None


def _named_by(found: LabelMap) -> Iterator[str]:
    named = sorted(each.level for each in found.labels if each.level)
    if found.tabled:
        of = f" of {found.scheme.title} ({found.scheme.name})" if found.scheme else ""
        yield f"Its own table{of} names {counted(len(named), 'vertebra', 'vertebrae')}."
    elif named:
        levels = listed([level.name for level in dict.fromkeys(named)])
        yield f"Names of its segments say the levels: {levels}. No scheme is needed."


def _fitting(found: LabelsOfFile) -> Iterator[str]:
    """What fits is no more than that: which scheme it is, the user says."""
    if not found.against:
        return
    fits = found.fitting
    yield "The numbers fit:" if fits else "The numbers fit no scheme."
    for scheme in fits:
        levels = [scheme.levels.get(each.number or 0) for each in found.labels]
        told = ", ".join(str(level) for level in levels if level) or "it names no levels"
        yield f"  {scheme.name}: {scheme.title}; {told}"
        if scheme.caution:
            yield f"    {scheme.caution}"
    if len(fits) > 1:
        yield "  Nothing in the file tells these apart; only you know which program wrote it."
    elif fits:
        yield from _alike(fits[0])
    yield "They do not fit:"
    for name, why in found.against.items():
        if why:
            yield f"  {name}: {why}"


def _alike(scheme: Scheme) -> Iterator[str]:
    """What else could write the same file, in other views."""
    if others := not_told_from(scheme):
        names = listed([other.name for other in others], "or")
        yield f"  Other views of its program would also fit {names}."


def label_record(found: LabelsOfFile) -> dict[str, object]:
    """The same for scripts."""
    own = found.found
    return {
        "file": own.file,
        "labels": [_record(each) for each in found.labels],
        "table": own.tabled,
        "scheme_of_table": own.scheme.name if own.tabled and own.scheme else None,
        "fits": [scheme.name for scheme in found.fitting],
        "does_not_fit": {name: why for name, why in found.against.items() if why},
        "notes": list(found.notes),
    }


def _record(label: Label) -> dict[str, object]:
    voxels, volume = _size(label)
    return {
        "label": label.segment.label,
        "name": label.segment.name,
        "voxels": voxels,
        "volume_mm3": volume,
        "centre_lps_mm": list(label.place.centre) if label.place else None,
        "level": label.level.name if label.level else None,
    }
