"""Whether a mask holds the vertebra of its case, and no more of it than the study measures."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from centrum.cohort.anatomy import deeper_than_a_body, place_of
from centrum.cohort.label_map import named_level, number_in, read_label_map, refuse, scheme_of_one
from centrum.cohort.levels import Level
from centrum.cohort.schemes import SCHEMES, Scheme
from centrum.errors import DataError
from centrum.geometry import Geometry
from centrum.io import ImageFinding, source_digest, split_source
from centrum.io.scratch import fetched
from centrum.io.segments import PROPOSED
from centrum.protocol import Images
from centrum.provenance import MEASURING, job_key
from centrum.store import Store
from centrum.volume import Mask

SAY_THE_REGION = (
    "Set images.region: whole_vertebra, or vertebral_body where the masks hold bodies alone."
)


def check_label(
    mask: Mask, source: str, level: Level | None, images: Images, store: Path | None = None
) -> list[ImageFinding]:
    """What is odd about the label of a mask.

    Parameters
    ----------
    mask : with voxels, named as its segment
    source : FILE or FILE#SEGMENT that it was read from
    level : the vertebra that the case names
    store : keeps what was found of a file, for the next of its cases

    Raises
    ------
    DataError
        The label is another level, no vertebra, or a whole vertebra where the body is measured; or
        the levels of the file contradict the anatomy.
    """
    path, part = split_source(fetched(source))
    scheme = scheme_of_one(mask.name, images.scheme) if part is None else images.scheme
    named = named_level(mask.name, scheme)
    _check_level(path, mask, named, level, scheme)
    file = _looked_at(path, images, store, mask.geometry) if part is not None else {}
    refuse(file.get("doubt", {}), path.name)
    tabled = SCHEMES.get(file.get("tabled", ""))
    numbered = scheme if named and number_in(mask.name) is not None else tabled
    return [
        *_about_origin(path, mask),
        *_about_sizes(path, file.get("sizes", "")),
        *_about_region(path, mask, named or level, images, numbered),
    ]


def _check_level(
    path: Path, mask: Mask, named: Level | None, level: Level | None, scheme: Scheme | None
) -> None:
    number = number_in(mask.name)
    by_number = number is not None and scheme
    said = f"{mask.name} ({named} in {by_number.name})" if by_number else repr(mask.name)
    if named and level and named != level:
        raise DataError(
            f"{path.name}: the segment {said} contradicts the level of the case, {level}.",
            remedy="Correct the level of the case, or the segment that its mask names.",
            code="level-contradicts-label",
            file=path,
        )
    if number is not None and scheme and not named:
        found = scheme.structure(number) or "unknown"
        raise DataError(
            f"{path.name}: the label {mask.name} is {found} in {scheme.name}, no vertebra.",
            remedy="Name the label of a vertebra, or correct images.labels.",
            code="label-no-vertebra",
            file=path,
        )


def _about_origin(path: Path, mask: Mask) -> Iterator[ImageFinding]:
    """A region that centrum proposed, which is no reader's although it stands in a reader's place.

    The code of the finding is the provenance, "proposal:SCHEME".
    """
    found = next((s.parameters["proposal"] for s in mask.history if "proposal" in s.parameters), "")
    if not found:
        return
    scheme = found.removeprefix(PROPOSED)
    code = found if scheme in SCHEMES else f"{PROPOSED}unknown"
    message = (
        f"the region was proposed by centrum, from a label map of another program ({code}), and "
        "drawn by no reader."
    )
    remedy = "See that somebody has looked at it and corrected it."
    yield ImageFinding("warning", code, f"{message} {remedy}", path.name, remedy)


def _about_region(
    path: Path, mask: Mask, level: Level | None, images: Images, numbered: Scheme | None
) -> Iterator[ImageFinding]:
    """A whole vertebra instead of the body; `numbered` is the scheme of the mask's number."""
    if images.region == "whole_vertebra":
        return
    place = place_of(mask)
    deep = deeper_than_a_body(place, level)
    if numbered and numbered.whole and (images.region is None or deep):
        raise DataError(
            f"{path.name}: the label {mask.name} is a whole vertebra in {numbered.name}, posterior "
            "elements included; expected the vertebral body.",
            remedy=SAY_THE_REGION,
            code="whole-vertebra",
            file=path,
        )
    if deep:
        message = (
            f"the region reaches {place.depth:.0f} mm from front to back, further than a vertebral "
            "body: does it include posterior elements?"
        )
        remedy = "Check it; whole vertebrae are measured with images.region: whole_vertebra."
        yield ImageFinding(
            "warning", "deeper-than-a-body", f"{message} {remedy}", path.name, remedy
        )


def _about_sizes(path: Path, why: str) -> Iterator[ImageFinding]:
    """Levels that names say, and sizes do not."""
    if why:
        remedy = "Check the levels, and how large the voxels are."
        message = f"the sizes are not those of the levels: {why}."
        yield ImageFinding("warning", "unusual-size", f"{message} {remedy}", path.name, remedy)


def _looked_at(path: Path, images: Images, store: Path | None, grid: Geometry) -> dict[str, Any]:
    """What there is to say of the levels of a label map; each file is read once.

    A doubt with which it is refused, unusual sizes, and the scheme that a table of the file itself
    says. `grid` is that of the image, on which contours are laid.
    """

    def looked_at() -> dict[str, Any]:
        found = read_label_map(path, images.scheme, images.orientation, grid)
        tabled = found.scheme.name if found.tabled and found.scheme else ""
        return {"doubt": found.doubt(), "sizes": found.unusual_size(), "tabled": tabled}

    settings = {"labels": images.labels, "orientation": images.orientation}
    key = job_key(
        "label map", MEASURING, images=settings, file=source_digest(path), grid=asdict(grid)
    )
    return Store(store).kept(key, looked_at) if store else looked_at()
