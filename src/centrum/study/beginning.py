"""What the protocol of a new study says of the images and readers that were found for it.

The order of files decides nothing that is not said: which image column is measured and who is the
primary reader are written down.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from centrum.cohort import Cohort
from centrum.cohort.case import DEFAULT_SEQUENCE
from centrum.errors import ProtocolError
from centrum.io.weighting import Weighting, named_weighting
from centrum.measure.sequences import choose_sequences
from centrum.protocol import Images

SEQUENCE, WEIGHTING, READER = "images.sequence", "images.weighting", "images.reader"


def choices_of_files(images: Images, found: Cohort, sequence: str | None) -> dict[str, Any]:
    """The choices for the image columns and readers that were found.

    `sequence` as in `choices_of_images`, which raises. The primary reader of several is the first
    by name, until that is changed.
    """
    readers = {READER: found.readers[0]} if len(found.readers) > 1 else {}
    return choices_of_images(images, found.sequences, sequence) | readers


def choices_of_images(images: Images, columns: Sequence[str], wanted: str | None) -> dict[str, Any]:
    """The choices for the image columns that were found; none where it must be asked.

    `wanted` is the name of one of them, or the weighting that one is named for.

    Raises
    ------
    ProtocolError
        None or several of the columns fit.

    >>> choices_of_images(Images(weighting="T2w"), ("T1w", "T2_tse"), None)
    {'images.sequence': 'T2_tse'}
    >>> choices_of_images(Images(weighting="T2w"), ("T1w", "T2_tse"), "T1w")
    {'images.sequence': 'T1w', 'images.weighting': 'T1w'}
    """
    if wanted is None:
        return _chosen_by_claim(images, columns)
    column, weighting = _wanted(columns, wanted), named_weighting(wanted)
    claim = weighting if weighting in get_args(Weighting) else None
    return {
        **({SEQUENCE: column} if column != DEFAULT_SEQUENCE else {}),
        **({WEIGHTING: claim} if weighting and claim != images.weighting else {}),
    }


def _chosen_by_claim(images: Images, columns: Sequence[str]) -> dict[str, Any]:
    if len(columns) < 2:
        return {}
    try:
        return {SEQUENCE: choose_sequences(images, columns)[0]}
    except ProtocolError:  # `notes_on_images` asks
        return {}


def _wanted(columns: Sequence[str], wanted: str) -> str:
    """The column of that name, or the only one that is named for that weighting."""
    weighting = named_weighting(wanted)
    found = [c for c in columns if c == wanted] or [
        c for c in columns if weighting and named_weighting(c) == weighting
    ]
    if weighting and tuple(columns) == (DEFAULT_SEQUENCE,):
        found = [DEFAULT_SEQUENCE]
    if len(found) != 1:
        raise ProtocolError(
            f"The sequence {wanted!r} was asked for; the images found are of "
            f"{', '.join(columns)}, {len(found)} of which have that name.",
            remedy="Give one of these names as --sequence, or another image pattern.",
            code="which-sequence",
        )
    return found[0]


def notes_on_choices(chosen: Mapping[str, Any], found: Cohort) -> Iterator[str]:
    """What was chosen of several, or must be, in lines to print."""
    columns, readers = found.sequences, found.readers
    if len(columns) > 1 and SEQUENCE in chosen:
        yield (
            f"measuring {chosen[SEQUENCE]}, one of the sequences {', '.join(columns)}: {SEQUENCE} "
            "in study.yaml"
        )
    elif len(columns) > 1:
        yield (
            f"which of the sequences {', '.join(columns)} is measured is not known: give "
            f"--sequence, or write {SEQUENCE} into study.yaml"
        )
    if WEIGHTING in chosen:
        yield f"the study is of {chosen[WEIGHTING] or 'no stated weighting'}: {WEIGHTING}"
    if READER in chosen:
        yield (
            f"primary reader is {chosen[READER]}, the first by name of {', '.join(readers)}: "
            f"change {READER} in study.yaml if another reader's masks are to feed the model"
        )
