"""What every result of this package has to be read with."""

RESEARCH_ONLY = "Research use only, not a medical device: no result may guide a patient's care."

BODY, WHOLE = "vertebral_body", "whole_vertebra"
"""What a region of interest can be, as the protocol calls it."""

REGIONS = {BODY: "vertebral body", WHOLE: "whole vertebra, posterior elements included"}
"""The same in words."""

_OUTSIDE = {
    BODY: "The region of interest is the vertebral body alone. The signs that readers trust most "
    "lie outside it and are not in this score: a pedicle or posterior element replaced by tumour "
    "(0 of 14 osteoporotic, 21 of 29 malignant fractures) and a paraspinal or epidural mass "
    "(none, 16 of 29).",
    WHOLE: "The region of interest is the whole vertebra, posterior elements included, and not the "
    "vertebral body alone, which other scores are of. A sign that readers trust lies outside it "
    "and is not in this score: a paraspinal or epidural mass (0 of 14 osteoporotic, 16 of 29 "
    "malignant fractures).",
}


def region_words(region: str | None) -> str:
    """What `images.region` says, in words.

    >>> region_words(None), region_words("whole_vertebra")
    ('vertebral body', 'whole vertebra, posterior elements included')
    """
    return REGIONS[region or BODY]


def outside_the_region(region: str | None) -> str:
    """The signs that a score of this region does not see."""
    return _OUTSIDE[region or BODY]
