"""Several sequences of a case: which features each of them gives.

The region is that of the first sequence, so that further ones give no shape.
"""

from dataclasses import replace

from centrum.extract import plan
from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings

OF_SHAPE = ("morphology", "enclosing", "shape2D")
"""Families that are of the region."""


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
