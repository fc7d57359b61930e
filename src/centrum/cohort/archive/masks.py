"""The image on which each mask was drawn: by the series that it names, else by where it lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from centrum.cohort.archive.index import ArchiveIndex, ArchiveMask
from centrum.cohort.archive.series import Verdict, fits, shown, source_of
from centrum.errors import CentrumError
from centrum.io import read_image, read_masks


@dataclass(frozen=True, eq=False)
class PlacedMask:
    """A mask and its image.

    Attributes
    ----------
    mask : the segmentation
    series : UID of the series that it is measured on, "" where there is none
    told : why it has none, or how it was found if not by the one series that it names
    """

    mask: ArchiveMask
    series: str
    told: str = ""


def place_masks(
    index: ArchiveIndex, verdicts: Mapping[str, Verdict], pattern: str | None = None
) -> tuple[PlacedMask, ...]:
    """Every mask with its image; `pattern` names those that are wanted, by description or path."""
    return tuple(_placed(mask, index, verdicts, pattern) for mask in index.masks)


def _placed(
    mask: ArchiveMask, index: ArchiveIndex, verdicts: Mapping[str, Verdict], pattern: str | None
) -> PlacedMask:
    names = (str(mask.said["SeriesDescription"] or ""), shown(mask.said), mask.path)
    if pattern is not None and not fits(pattern, names):
        return PlacedMask(mask, "", "not named by --segmentations")
    if mask.said["SegmentationType"] == "FRACTIONAL":
        return PlacedMask(mask, "", "FRACTIONAL: which voxels belong to a segment is left open")
    if mask.series:
        return _by_reference(mask, [*filter(index.series.get, sorted(mask.series))], verdicts)
    return _by_place(mask, index, verdicts)


def _by_reference(
    mask: ArchiveMask, there: Sequence[str], verdicts: Mapping[str, Verdict]
) -> PlacedMask:
    """`there` are the series that the mask names, as far as they are in the folder."""
    usable = [uid for uid in there if verdicts[uid].usable]
    if not there:
        return PlacedMask(mask, "", "drawn on a series that is not in the folder")
    if len(usable) > 1:
        return PlacedMask(mask, "", f"names {len(usable)} series that could be measured")
    if not usable:
        why = " and ".join(dict.fromkeys(verdicts[uid].why_not for uid in there))
        return PlacedMask(mask, "", f"drawn on a series that was left out ({why})")
    several = len(mask.series) > 1
    told = f"names {len(mask.series)} series, of which one can be measured" if several else ""
    return PlacedMask(mask, usable[0], told)


def _by_place(
    mask: ArchiveMask, index: ArchiveIndex, verdicts: Mapping[str, Verdict]
) -> PlacedMask:
    """The series of its frame of reference, else of its study, on whose grid the mask lies."""
    study = mask.said["StudyInstanceUID"]
    pool = [
        uid
        for uid, series in index.series.items()
        if not verdicts[uid].why_not
        and (
            series.said["FrameOfReferenceUID"] in mask.frames
            if mask.frames
            else study and series.said["StudyInstanceUID"] == study
        )
    ]
    if not pool:
        return PlacedMask(mask, "", "names no series, and no image shares its frame of reference")
    lies = [uid for uid in pool if _lies_on(mask, uid, index)]
    if len(lies) != 1:
        where = f"lies on {len(lies)}" if lies else "lies on none"
        return PlacedMask(mask, "", f"names no series, and {where} of those that can be measured")
    return PlacedMask(mask, lies[0], "names no series: found by its place")


def _lies_on(mask: ArchiveMask, uid: str, index: ArchiveIndex) -> bool:
    source = source_of(index.series[uid], index)
    try:
        return bool(read_masks(index.folder / mask.path, read_image(f"{index.folder}/{source}")))
    except CentrumError:
        return False
