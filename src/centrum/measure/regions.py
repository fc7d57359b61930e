"""Several regions of a case: what is measured of each, and ratios of one to another."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from centrum.errors import ProtocolError
from centrum.features.feature_id import FeatureId
from centrum.features.settings import BODY, ExtractionSettings, RegionRatio
from centrum.measure.sequences import plan_sequences

Numbers = Sequence[float | None]


def plan_regions(
    settings: ExtractionSettings, sequences: tuple[str, ...], regions: Sequence[str] = ()
) -> tuple[FeatureId, ...]:
    """The features of the first region, of every further one, and their ratios, in this order.

    Raises
    ------
    ProtocolError
        A ratio is of a region that is not there.

    >>> settings = ExtractionSettings(families=("statistics",), ratios=[{"to": "above"}])
    >>> features = plan_regions(settings, ("T2w",), ("above",))
    >>> [f.spell("ibsi") for f in features if f.feature == "mean"]
    ['original_statistics_mean', 'above_original_statistics_mean',
     'body-per-above_original_statistics_mean']
    """
    _refuse_unknown(settings.ratios, regions)
    first = plan_sequences(settings, sequences)
    further = [replace(feature, region=name) for name in regions for feature in first]
    ratios = [
        replace(first[k], region=ratio.name) for ratio in settings.ratios for k in _of(ratio, first)
    ]
    return (*first, *further, *ratios)


def with_ratios(
    numbers: Numbers,
    settings: ExtractionSettings,
    sequences: tuple[str, ...],
    regions: Sequence[str],
) -> list[float | None]:
    """The numbers of all regions, and behind them the ratios; None where one is not defined.

    Parameters
    ----------
    numbers : of the first region and every further one, each in the order of `plan_sequences`
    """
    first = plan_sequences(settings, sequences)
    places = {BODY: 0} | {name: k * len(first) for k, name in enumerate(regions, 1)}
    found = [
        _ratio(numbers[places[ratio.of] + k], numbers[places[ratio.to] + k])
        for ratio in settings.ratios
        for k in _of(ratio, first)
    ]
    return [*numbers, *found]


def _of(ratio: RegionRatio, features: Sequence[FeatureId]) -> Iterator[int]:
    """Which features of a region the ratio is of: those of the image itself, not of responses."""
    for k, feature in enumerate(features):
        if feature.image == "original" and feature.family in ratio.families:
            yield k


def _ratio(a: float | None, b: float | None) -> float | None:
    """None where one is None, or the second is 0."""
    return None if a is None or not b else a / b


def _refuse_unknown(ratios: Sequence[RegionRatio], regions: Collection[str]) -> None:
    for ratio in ratios:
        for name in (ratio.of, ratio.to):
            if name not in (BODY, *regions):
                raise ProtocolError(
                    f"extraction.ratios: there is no region {name!r}; there are "
                    f"{', '.join((BODY, *regions))}.",
                    remedy=f"Add columns such as mask:READER:{name} to the manifest, or correct "
                    "the name.",
                    code="unknown-region",
                )


def regions_read(features: Iterable[FeatureId], settings: ExtractionSettings) -> tuple[str, ...]:
    """The further regions that some features are of, directly or by a ratio, each once.

    >>> settings = ExtractionSettings(ratios=[{"of": "muscle", "to": "above"}])
    >>> regions_read(plan_regions(settings, ("",), ("muscle", "above"))[-3:], settings)
    ('muscle', 'above')
    """
    ratios = {ratio.name: (ratio.of, ratio.to) for ratio in settings.ratios}
    read = dict.fromkeys(feature.region for feature in features)
    names = dict.fromkeys(name for region in read for name in ratios.get(region, (region,)))
    return tuple(name for name in names if name not in ("", BODY))
