"""What only shows between cases: one image under two names, copied and exchanged masks.

The records of the cases hold digests of voxels, so that nothing is read again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from centrum.agreement.overlap import LOW_DICE
from centrum.cohort import Case
from centrum.cohort.findings import listed
from centrum.io import split_source
from centrum.measure.case import ALL_READERS, Record
from centrum.study.findings import SAME_IMAGE, Finding
from centrum.study.study import Study


@dataclass(frozen=True)
class _Image:
    """An image of a case."""

    case: Case
    sequence: str
    source: str

    @property
    def file(self) -> str:
        return split_source(self.source)[0].name


def content_findings(study: Study, records: Mapping[str, Record]) -> Iterator[Finding]:
    """What is noticed about images and masks that were read.

    Errors "same-image" (of two sequences of a case) and "no-overlap" (masks of two readers apart,
    or on exchanged vertebrae); warnings "same-image" (of two patients), "low-overlap",
    "copied-mask" and "same-mask" (of several patients); the note "same-image" (of one
    patient).
    """
    cases = [case for case in study.cohort.cases if records.get(case.id, {}).get("content")]
    images = _images(study, cases, records)
    for users in images.values():
        yield from _same_image(users)
    for case in cases:
        exam = images[records[case.id]["content"]["images"][0]]
        yield from _between_readers(case, {user.case.id for user in exam}, records)
    yield from _same_masks(cases, records)


def _images(
    study: Study, cases: Iterable[Case], records: Mapping[str, Record]
) -> dict[str, list[_Image]]:
    """The images by the digest of their voxels."""
    found: dict[str, list[_Image]] = {}
    for case in cases:
        digests = records[case.id]["content"]["images"]
        for sequence, digest in zip(study.sequences, digests, strict=True):
            image = _Image(case, sequence, case.images[sequence])
            found.setdefault(digest, []).append(image)
    return found


def _same_image(users: list[_Image]) -> Iterator[Finding]:
    """What is said of each image that others equal, voxel for voxel."""
    for user in users:
        own = [u.sequence for u in users if u.case is user.case]
        strange = [u.case.id for u in users if u.case.patient != user.case.patient]
        others = [u for u in users if u.case.id not in (user.case.id, *strange)]
        namesakes = [u.case.id for u in others if u.source != user.source]
        if len(own) > 1:
            yield _twice_in_case(user, own)
        elif strange:
            yield _of_several_patients(user, list(dict.fromkeys(u.case.id for u in users)))
        elif namesakes:
            text = (
                "The image also occurs under another file name, for the same patient, in "
                f"{_cases(namesakes)}: it counts as one exam."
            )
            yield Finding(user.case.id, ALL_READERS, "note", SAME_IMAGE, text, user.file)


def _twice_in_case(user: _Image, sequences: list[str]) -> Finding:
    remedy = "Give the image of each sequence."
    text = f"The sequences {' and '.join(sequences)} are one image, voxel for voxel. {remedy}"
    return Finding(user.case.id, ALL_READERS, "error", SAME_IMAGE, text, user.file, remedy)


def _of_several_patients(user: _Image, cases: list[str]) -> Finding:
    remedy = (
        "Give the cases of one exam the same 'patient', remove the copy, or give each its own "
        "image: a patient under two names ends up on both sides of a split."
    )
    text = f"One image, voxel for voxel, belongs to several patients: {_cases(cases)}. {remedy}"
    return Finding(user.case.id, ALL_READERS, "warning", SAME_IMAGE, text, user.file, remedy)


def _between_readers(
    case: Case, exam: Iterable[str], records: Mapping[str, Record]
) -> Iterator[Finding]:
    """What the overlap of each pair of readers says; `exam` are the cases on the same image."""
    for pair in records[case.id]["overlap"]:
        a, b, dice = pair["reader_a"], pair["reader_b"], pair["dice"]
        if dice == 0:
            yield _apart(case.id, a, b, sorted(set(exam) - {case.id}), records)
        elif dice == 1:
            remedy = f"Give the mask that {b} drew, or leave the cell empty."
            text = f"The mask of {b} is that of {a}, voxel for voxel: a copy. {remedy}"
            yield Finding(case.id, b, "warning", "copied-mask", text, remedy=remedy)
        elif dice < LOW_DICE:
            remedy = "Check their outlines."
            text = (
                f"The masks of {a} and {b} have a Dice coefficient of {dice:.2f}, below "
                f"{LOW_DICE:g}: one may have drawn something else. {remedy}"
            )
            yield Finding(case.id, b, "warning", "low-overlap", text, remedy=remedy)


def _apart(
    case: str, a: str, b: str, others: Iterable[str], records: Mapping[str, Record]
) -> Finding:
    """Two masks of one case without a common voxel; who is wrong is not known."""
    lies_on = [other for other in others if _lies_on(records, (case, b), (other, a))]
    back = [other for other in lies_on if _lies_on(records, (other, b), (case, a))]
    told = f"The masks of {a} and {b} have no voxel in common (Dice 0)"
    if back:
        told += f": they seem swapped with those of case {back[0]}, where {b} drew what {a} drew"
        told += " here, and the other way round"
    elif lies_on:
        told += f": that of {b} lies on what {a} drew for case {lies_on[0]}"
    remedy = "Correct the mask that is wrong, or leave its cell in the manifest empty."
    return Finding(case, ALL_READERS, "error", "no-overlap", f"{told}. {remedy}", remedy=remedy)


def _lies_on(records: Mapping[str, Record], mask: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether the middle of a mask (case, reader) is within the box around another's."""
    placed, around = _region(records, *mask), _region(records, *other)
    if placed is None or around is None:
        return False
    return all(
        first <= (start + stop) / 2 <= last
        for (start, stop), (first, last) in zip(placed["box"], around["box"], strict=True)
    )


def _region(records: Mapping[str, Record], case: str, reader: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = records[case]["content"]["masks"].get(reader)
    return found


def _same_masks(cases: Iterable[Case], records: Mapping[str, Record]) -> Iterator[Finding]:
    """One region, voxel for voxel, on images of different patients."""
    drawn: dict[str, list[tuple[Case, str]]] = {}
    for case in cases:
        regions = records[case.id]["content"]["masks"]
        for reader in filter(regions.__contains__, case.masks):
            drawn.setdefault(regions[reader]["sha256"], []).append((case, reader))
    for users in drawn.values():
        patients = {case.patient for case, _ in users}
        images = {records[case.id]["content"]["images"][0] for case, _ in users}
        if len(patients) > 1 and len(images) > 1:
            yield from _one_mask(users)


def _one_mask(users: Iterable[tuple[Case, str]]) -> Iterator[Finding]:
    cases = list(dict.fromkeys(case.id for case, _ in users))
    remedy = "Check that each mask was drawn on its image."
    text = f"One mask, voxel for voxel, belongs to several patients: {_cases(cases)}. {remedy}"
    for case, reader in users:
        yield Finding(case.id, reader, "warning", "same-mask", text, remedy=remedy)


def _cases(names: list[str]) -> str:
    return f"case{'' if len(names) == 1 else 's'} {listed(names)}"
