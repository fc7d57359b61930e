"""Functional groups of multi-frame DICOM objects: where each frame lies, and the grid of all.

What holds for every frame stands in the shared groups, what differs in those of each frame; any
group may stand in either. The grid comes from the positions of the frames. What programs write
beside them is not trusted: the order of frames and their dimension indices say nothing of places,
and `SpacingBetweenSlices` is believed only where positions leave it open.

Source: DICOM PS3.3, C.7.6.16 (Multi-frame Functional Groups Module).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from centrum.arrays import Floats, Ints
from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry
from centrum.io.dicom_object import entry, items
from centrum.io.gzipped import FARTHEST_MM, damaged
from centrum.io.slices import DIRECTION_TOLERANCE, SLICE_TOLERANCE_MM, SPACING_TOLERANCE, places

if TYPE_CHECKING:
    import pydicom

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
"""The entries that hold them."""

STEP_TOLERANCE = 1e-3
"""Largest relative difference of two steps between slices that are meant as the same."""

MOST_PARTS = 8
"""Into so many slices the smallest gap between frames is divided at most, to find a common step."""

SMALLEST_PART_MM, PART_TOLERANCE = 0.2, 0.03
"""A step that no gap has must be this long, and no distance farther from a multiple of it than this
share of it: of a small step, or within a wide tolerance, any distances would be multiples."""

PLANE_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
}
"""The entries that place a frame, and the functional group of each."""


@dataclass(frozen=True, eq=False)
class FrameGroups:
    """The functional groups of one frame by their names: its own, and those of all frames."""

    own: "Mapping[str, pydicom.Dataset]"
    shared: "Mapping[str, pydicom.Dataset]"

    def entry(self, group: str, keyword: str) -> Any:
        """An entry of a group; None if absent."""
        found = self._group(group)
        return None if found is None else entry(found, keyword)

    def items(self, group: str, keyword: str) -> "Sequence[pydicom.Dataset]":
        """The items of a sequence within a group, none if it is absent."""
        found = self._group(group)
        return [] if found is None else items(found, keyword)

    def _group(self, name: str) -> "pydicom.Dataset | None":
        return self.own.get(name, self.shared.get(name))


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames on one grid.

    Attributes
    ----------
    geometry : the grid, its slices in order of position
    slices : the slice of each frame, shape (frames,)
    step_from : what says how far apart slices are
    doubt : why there may be slices between these frames all the same, "" where nothing says so
    """

    geometry: Geometry
    slices: Ints
    step_from: str
    doubt: str = ""


def frame_groups(header: "pydicom.Dataset", path: Path) -> list[FrameGroups]:
    """The functional groups of every frame, in the order of the pixels.

    Raises
    ------
    ImageError
        They are missing ("no-functional-groups"), or are not as many as the frames.
    """
    announced = entry(header, "NumberOfFrames")
    shared, own = (items(header, keyword) for keyword in GROUPS)
    if not own:
        raise ImageError(
            f"{path.name} has no functional groups of its frames: which of them lies where is "
            "unknown.",
            remedy="Export it again as an enhanced multi-frame object.",
            code="no-functional-groups",
            file=path,
        )
    if announced != len(own):
        raise damaged(path, f"it announces {announced} frames, and describes {len(own)}")
    of_all = _by_name(shared[0]) if shared else {}
    return [FrameGroups(_by_name(groups), of_all) for groups in own]


def _by_name(groups: "pydicom.Dataset") -> "dict[str, pydicom.Dataset]":
    """The first item of each group that has one: looked for once, and not for every entry."""
    from pydicom.datadict import keyword_for_tag

    found = {name: items(groups, name) for name in map(keyword_for_tag, groups.keys()) if name}
    return {name: each[0] for name, each in found.items() if each}


def stack_frames(
    frames: Sequence[FrameGroups], size: tuple[int, int], path: Path, image: Geometry | None = None
) -> Stack:
    """Frames of `size` pixels (columns, rows), in any order, on the grid that their positions make.

    Slices that no frame has lie on it where the others leave room for them. The step between
    slices is the largest of which all distances are multiples; but where frames lie on slices of
    the `image` and leave out others, so that their positions cannot tell it, that of the image,
    unless the file states another that its positions allow. A step that positions alone tell is
    in doubt: frames on every second slice have twice the step of their image.

    Raises
    ------
    ImageError
        A frame has no place ("no-position"), frames differ in orientation ("several-orientations")
        or pixel spacing ("several-sizes"), or are no even stack ("uneven-slices"), and a single
        slice of which nothing says how thick it is ("no-spacing").
    GeometryError
        The axes are not orthonormal.
    """
    position, orientation, spacing = (_numbers(frames, keyword, path) for keyword in PLANE_GROUPS)
    _check_alike(orientation, DIRECTION_TOLERANCE, "orientations", path)
    _check_alike(spacing / spacing[0], SPACING_TOLERANCE, "sizes", path)
    rows, columns = orientation[0].reshape(2, 3)
    normal = np.cross(rows, columns)
    slices, step, source, doubt = _slices(frames, position @ normal, normal, path, image)
    first = position[slices.argmin()]
    _check_even(position, first + np.outer(slices * step, normal), path)
    row_step, column_step = spacing[0]
    geometry = _grid(
        path,
        (*size, int(slices.max()) + 1),
        (column_step, row_step, step),
        (first[0], first[1], first[2]),
        tuple(np.column_stack([rows, columns, normal]).flat),
    )
    return Stack(geometry, slices, source, doubt)


def _grid(path: Path, *given: Any) -> Geometry:
    try:
        return Geometry(*given)
    except CentrumError as error:
        error.file = path.name
        error.add_note(f"while reading {path.name}")
        raise


# Planes


def _numbers(frames: Sequence[FrameGroups], keyword: str, path: Path) -> Floats:
    """An entry of the image plane of every frame, shape (frames, numbers)."""
    found = [frame.entry(PLANE_GROUPS[keyword], keyword) for frame in frames]
    missing = [k for k, value in enumerate(found, 1) if not _is_placed(keyword, value)]
    if missing:
        raise ImageError(
            f"{path.name}: {len(missing)} of its {len(frames)} frames, the first of them number "
            f"{missing[0]}, lack a readable {keyword}: their place in the patient is unknown.",
            remedy="Export it again with the image that it was drawn on.",
            code="no-position",
            file=path,
        )
    return np.array(found, dtype=float)


def _is_placed(keyword: str, value: Any) -> bool:
    """Whether there are as many numbers as there must be, and none is beyond sense."""
    if not places(keyword, value):
        return False
    lowest = np.finfo(float).tiny if keyword == "PixelSpacing" else -FARTHEST_MM
    return all(lowest <= number <= FARTHEST_MM for number in value)


def _check_alike(found: Floats, tolerance: float, what: str, path: Path) -> None:
    other = np.flatnonzero(np.abs(found - found[0]).max(axis=1) > tolerance)
    if other.size:
        raise ImageError(
            f"{path.name}: expected one grid for all frames, found several {what}: frame "
            f"{other[0] + 1} has another than the first.",
            remedy="Export one segmentation for each.",
            code=f"several-{what}",
            file=path,
        )


# Steps between slices


def _slices(
    frames: Sequence[FrameGroups],
    along: Floats,
    normal: Floats,
    path: Path,
    image: Geometry | None,
) -> tuple[Ints, float, str, str]:
    """The slice of each frame, the step between slices in mm, what says it, and any doubt."""
    levels = _levels(along)
    stated = _stated(frames[0], "SpacingBetweenSlices")
    of_image, doubt = _step_along(image, normal) if image else None, ""
    if len(levels) == 1:
        step, source = _step_of_one(frames[0], stated, of_image, path)
    else:
        distances = levels - levels[0]
        step, source = _step_of_several(distances, stated, of_image, path)
        known = stated if stated and _fits(distances, stated, SLICE_TOLERANCE_MM) else None
        doubt = _doubt(step, of_image, known or _stated(frames[0], "SliceThickness"))
    return np.rint((along - levels[0]) / step).astype(int), step, source, doubt


def _levels(along: Floats) -> Floats:
    """The different positions along the normal, in their order."""
    ordered = np.sort(along)
    return ordered[np.diff(ordered, prepend=-np.inf) > SLICE_TOLERANCE_MM]


def _stated(frame: FrameGroups, keyword: str) -> float | None:
    """A length that the file states; programs write 0 and negative numbers, too."""
    found = frame.entry("PixelMeasuresSequence", keyword)
    return found if isinstance(found, float) and 0 < found < FARTHEST_MM else None


def _step_along(image: Geometry, normal: Floats) -> float | None:
    """The step of the image's slices across the frames, None where no axis runs that way."""
    cosines = np.abs(normal @ image.axes)
    axis = int(cosines.argmax())
    return image.spacing[axis] if cosines[axis] > 1 - DIRECTION_TOLERANCE else None


def _step_of_one(
    frame: FrameGroups, stated: float | None, of_image: float | None, path: Path
) -> tuple[float, str]:
    thickness = _stated(frame, "SliceThickness")
    known = {"SpacingBetweenSlices": stated, "image": of_image, "SliceThickness": thickness}
    for source, step in known.items():
        if step:
            return step, source
    raise ImageError(
        f"{path.name} has frames in one slice alone and states neither SpacingBetweenSlices nor "
        "SliceThickness: the size of its voxels is unknown.",
        remedy="Read it with the image that it was drawn on.",
        code="no-spacing",
        file=path,
    )


def _step_of_several(
    distances: Floats, stated: float | None, of_image: float | None, path: Path
) -> tuple[float, str]:
    common, known = common_step(distances), {"SpacingBetweenSlices": stated, "image": of_image}
    for source, told in known.items():
        if told and told >= SMALLEST_PART_MM and _fits(distances, told, SLICE_TOLERANCE_MM):
            on_image = of_image and abs(told - of_image) <= STEP_TOLERANCE * of_image
            if common is None or (on_image and not _same_slices(distances[-1], told, common)):
                return told, source
            break  # what the file states goes before the image
    if common is None:
        raise _uneven(path, "their distances are no multiples of one step")
    return common, "positions"


def _doubt(step: float, of_image: float | None, stated: float | None) -> str:
    """Why slices without a frame may lie between those with one, "" where there is no reason."""
    if of_image and abs(step - of_image) <= STEP_TOLERANCE * of_image:
        return ""
    apart = f"its frames lie {step:.4g} mm apart"
    if stated is None:
        return f"{apart}, and it does not state the distance between slices"
    return f"{apart}, and it states slices of {stated:.4g} mm" if round(step / stated) > 1 else ""


def _same_slices(length: float, one: float, other: float) -> bool:
    """Whether two steps make as many slices of a stack."""
    return round(length / one) == round(length / other)


def common_step(distances: Floats) -> float | None:
    """The largest step of which all distances from the first slice are multiples; None without.

    Parameters
    ----------
    distances : mm, increasing, of two slices or more; the first is 0

    >>> common_step(np.array([0, 4.5, 13.5])), common_step(np.array([0, 4, 10, 16]))
    (4.5, 2.0)
    >>> common_step(np.array([0, 4, 7.7, 30.1, 30.93])) is None
    True
    """
    gaps = np.sort(np.diff(distances))
    if _fits(distances, step := _refined(gaps, 1), SLICE_TOLERANCE_MM):
        return step
    for parts in range(2, MOST_PARTS + 1):
        step = _refined(gaps, parts)
        if step >= SMALLEST_PART_MM and _fits(distances, step, PART_TOLERANCE * step):
            return step
    return None


def _refined(gaps: Floats, parts: int) -> float:
    """The step if the first gap has so many; each further gap, larger, makes it more exact.

    Positions are rounded: a step that is read off one gap alone would miscount a long one.
    """
    length = steps = 0.0
    for gap in gaps:
        steps += max(round(gap * steps / length), 1) if length else parts
        length += gap
    return float(length / steps)


def _fits(distances: Floats, step: float, tolerance_mm: float) -> bool:
    """Whether all distances are multiples of a step, and none is farther from one than allowed."""
    away = np.abs(distances - np.rint(distances / step) * step)
    return bool(away.max() <= min(tolerance_mm, SLICE_TOLERANCE_MM))


def _check_even(found: Floats, wanted: Floats, path: Path) -> None:
    """Every frame must lie where the grid puts it: stacked along the normal, without shear."""
    away = np.linalg.norm(found - wanted, axis=1)
    if away.max() > SLICE_TOLERANCE_MM:
        raise _uneven(path, f"frame {away.argmax() + 1} lies {away.max():.3f} mm from its place")


def _uneven(path: Path, why: str) -> ImageError:
    return ImageError(
        f"{path.name}: expected frames on evenly spaced slices, stacked along their normal (within "
        f"{SLICE_TOLERANCE_MM} mm); {why}.",
        remedy="Resample tilted or uneven stacks, image and segmentation, to a regular grid first.",
        code="uneven-slices",
        file=path,
    )
