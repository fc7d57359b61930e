"""The sequences of a study: which image columns are measured, and which features each gives.

The region is that of the first sequence, so that further ones give no shape.
"""

from collections.abc import Sequence
from dataclasses import replace

from centrum.errors import ProtocolError
from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings
from centrum.io.weighting import named_weighting
from centrum.measure.extract import plan
from centrum.protocol import Images

OF_SHAPE = ("morphology", "enclosing", "shape2D")
"""Families that are of the region."""


def choose_sequences(images: Images, columns: Sequence[str]) -> tuple[str, ...]:
    """The image columns that are measured, first the one on which the masks were drawn.

    Their order in the manifest decides nothing.

    Raises
    ------
    ProtocolError
        The protocol names a column that is not there, or that is named for another weighting
        than the study's; or it names none, and the columns do not tell which is meant.

    >>> choose_sequences(Images(weighting="T2w"), ("T1w", "T2_tse_sag"))
    ('T2_tse_sag',)
    """
    wanted = images.sequences or (
        (images.sequence,) if images.sequence else _meant(images, columns)
    )
    if missing := [name for name in wanted if name not in columns]:
        raise ProtocolError(
            f"The protocol names the image sequence {', '.join(map(repr, missing))}; the manifest "
            f"has {', '.join(columns)}.",
            remedy=f"Change images.sequence, or name the column image:{missing[0]}.",
            code="which-sequence",
        )
    named = {named_weighting(name) for name in wanted}
    if images.weighting is not None and not named & {None, images.weighting}:
        raise ProtocolError(
            f"The study is of {images.weighting} (images.weighting), but the image column "
            f"{' and '.join(map(repr, wanted))} is named after another sequence.",
            remedy="Choose the column by `images: {sequence: NAME}`, or change images.weighting, "
            f"and with it the subject of the study; the manifest has {', '.join(columns)}.",
            code="which-sequence",
        )
    return tuple(wanted)


def _meant(images: Images, columns: Sequence[str]) -> tuple[str, ...]:
    """The only column, or the only one of several that is named for the study's weighting."""
    found = [c for c in columns if images.weighting and named_weighting(c) == images.weighting]
    if len(columns) == 1 or len(found) == 1:
        return tuple(found or columns)
    if not columns:
        raise ProtocolError(
            "The manifest has no image column.",
            remedy="Add a column `image` with the path of each case's image.",
            code="no-image-column",
        )
    told = "the protocol names no weighting"
    if images.weighting:
        which = f"{', '.join(found)} are" if found else "none of them is"
        told = f"{which} named for {images.weighting} (images.weighting)"
    raise ProtocolError(
        f"The manifest has the image columns {', '.join(columns)}, and {told}: which is to be "
        "measured is not known.",
        remedy=f"Write `images: {{sequence: {(found or columns)[0]}}}`, or another of them, into "
        "the protocol; `sequences: [...]` measures several together.",
        code="which-sequence",
    )


def claimed_weightings(images: Images, sequences: Sequence[str]) -> dict[str, str | None]:
    """What each measured column should hold: of one the study's weighting, else what it is called.

    >>> claimed_weightings(Images(weighting="T2w"), ("default",))
    {'default': 'T2w'}
    >>> claimed_weightings(Images(weighting="T2w", sequences=("T2w", "T1")), ("T2w", "T1"))
    {'T2w': 'T2w', 'T1': 'T1w'}
    """
    alone = len(sequences) == 1 and images.weighting is not None
    return {name: images.weighting if alone else named_weighting(name) for name in sequences}


def plan_sequences(
    settings: ExtractionSettings, sequences: tuple[str, ...]
) -> tuple[FeatureId, ...]:
    """The features of one or more sequences, sequence by sequence; one needs no name.

    >>> settings = ExtractionSettings(families=("morphology", "statistics"))
    >>> features = plan_sequences(settings, ("T2w", "T1w"))
    >>> [(f.sequence, f.family) for f in (features[0], features[-1])]
    [('T2w', 'morphology'), ('T1w', 'statistics')]
    """
    if len(sequences) < 2:
        return plan(settings)
    return tuple(
        replace(feature, sequence=name)
        for k, name in enumerate(sequences)
        for feature in plan(settings if k == 0 else without_shape(settings))
    )


def without_shape(settings: ExtractionSettings) -> ExtractionSettings:
    """The settings of a sequence on which the region was not drawn.

    >>> without_shape(ExtractionSettings(families=("morphology", "statistics"))).families
    ('statistics',)
    """
    kept = tuple(family for family in settings.families if family not in OF_SHAPE)
    return settings.model_copy(update={"families": kept})
