"""What every result of this package has to be read with."""

from collections.abc import Sequence

from centrum.text import listed, quoted

RESEARCH_ONLY = "Research use only, not a medical device: no result may guide a patient's care."

BODY, WHOLE = "vertebral_body", "whole_vertebra"
"""What a region of interest can be, as the protocol calls it."""

REGIONS = {BODY: "vertebral body", WHOLE: "whole vertebra, posterior elements included"}
"""The same in words."""

SIGNS = {
    "a pedicle or posterior element replaced by tumour": ("posterior", "pedicle", "arch", "lamina"),
    "a paraspinal mass": ("paraspinal", "muscle", "soft"),
    "an epidural mass": ("epidural", "canal"),
}
"""Signs of malignancy beside the vertebral body that readers trust most, and words in the names of
regions that hold them."""


def region_words(region: str | None) -> str:
    """What `images.region` says, in words.

    >>> region_words(None), region_words("whole_vertebra")
    ('vertebral body', 'whole vertebra, posterior elements included')
    """
    return REGIONS[region or BODY]


def signs_outside(region: str | None, further: Sequence[str] = ()) -> list[str]:
    """The signs that lie outside the region of interest and further ones, by their names.

    >>> signs_outside("whole_vertebra", ["muscle"])
    ['an epidural mass']
    """
    named = " ".join((*further, *(["posterior"] if region == WHOLE else []))).casefold()
    return [sign for sign, words in SIGNS.items() if not any(word in named for word in words)]


def outside_the_region(region: str | None, further: Sequence[str] = ()) -> str:
    """The signs that a score of this region, and of further ones by their names, does not see.

    >>> outside_the_region(None)
    'The region of interest is the vertebral body alone. Signs that readers trust most lie outside
    it and are not in this score: a pedicle or posterior element replaced by tumour, a paraspinal
    mass and an epidural mass.'
    >>> outside_the_region("whole_vertebra", ["muscle", "canal"])
    'The regions of interest are the whole vertebra, posterior elements included, and "muscle" and
    "canal". What lies outside them is not in this score.'
    """
    signs = signs_outside(region, further)
    alone = " alone" if region != WHOLE and not further else ""
    begin = (
        f"The regions of interest are the {region_words(region)}, and {quoted(further)}."
        if further
        else f"The region of interest is the {region_words(region)}{alone}."
    )
    them = "them" if further else "it"
    if not signs:
        return f"{begin} What lies outside {them} is not in this score."
    if len(signs) == 1:
        return f"{begin} Of the signs that readers trust, {signs[0]} lies outside {them}."
    told = f"Signs that readers trust most lie outside {them} and are not in this score"
    return f"{begin} {told}: {listed(signs)}."
