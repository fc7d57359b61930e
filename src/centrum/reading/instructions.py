"""What a reader is told about the outline, by the convention of the study."""

from centrum.cohort.readings import Convention

CONVENTIONS: dict[Convention, str] = {
    "outer_edge": "Draw along the outer edge of the dark cortex, so that the cortex belongs to the "
    "body.",
    "mid_cortex": "Draw along the middle of the dark cortex, so that half of it belongs to the "
    "body.",
    "marrow_edge": "Draw along the edge of the marrow, so that the dark cortex does not belong to "
    "the body.",
}

OF_EVERY_SLICE = (
    "Draw the vertebral body alone, without pedicles and discs, on every slice that shows it. Mark "
    "the others as without a body. A broken end plate is drawn where it lies now; a piece that was "
    "pushed into the canal belongs to the body."
)


def instructions(convention: Convention) -> dict[str, str]:
    """The convention by name and in words, and what holds for every slice."""
    return {
        "convention": convention,
        "outline": CONVENTIONS[convention],
        "slices": OF_EVERY_SLICE,
    }
