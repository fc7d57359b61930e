"""Features that had another value in an earlier version: a model that reads one is refused."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings
from centrum.filters.gabor import Gabor
from centrum.filters.laws import Laws
from centrum.filters.riesz import RieszFilter
from centrum.filters.simoncelli import Simoncelli
from centrum.filters.wavelet import Wavelet

EARLIER = "0.2."
"""The versions before 0.3.0, in which all of these moved."""


DIRECTED = (Gabor, Laws, RieszFilter, Simoncelli, Wavelet)
"""Filters whose responses depend on which axis is which, or on where one begins."""


def _has_range(feature: FeatureId, settings: ExtractionSettings) -> bool:
    limits = settings.resegmentation
    ranged = limits.lower is not None or limits.upper is not None
    return feature.family == "ivh" and ranged and settings.ivh.bins is None


def _is_maximal_correlation(feature: FeatureId, settings: ExtractionSettings) -> bool:
    return feature.name == "Maximal correlation coefficient"


def _has_directions(feature: FeatureId, settings: ExtractionSettings) -> bool:
    directed = (chosen for chosen in settings.filters if isinstance(chosen, DIRECTED))
    return any(feature.image in chosen.names for chosen in directed)


def _counts_one_way(feature: FeatureId, settings: ExtractionSettings) -> bool:
    return feature.family == "glcm" and settings.dialect == "ibsi" and not settings.symmetric


def _has_sides(feature: FeatureId, settings: ExtractionSettings) -> bool:
    new = settings.interpolation
    sides = new.spacing if new and settings.dialect == "ibsi" else None
    return sides is not None and len({*sides}) > 1


def _may_tie(feature: FeatureId, settings: ExtractionSettings) -> bool:
    new = settings.interpolation
    return new is not None and settings.dialect == "ibsi" and "nearest" in (new.image, new.mask)


MOVED: Mapping[str, Callable[[FeatureId, ExtractionSettings], bool]] = {
    "the intensity-volume histogram runs over the range of the re-segmentation": _has_range,
    "maximal correlation is 0 where only the pairs of a direction have one grey level": (
        _is_maximal_correlation
    ),
    "directions of filters go by the patient's axes, not the file's": _has_directions,
    "pairs are counted one way along the patient's axes, not the file's": _counts_one_way,
    "interpolated voxels have their sides along the patient's axes, not the file's": _has_sides,
    "nearest-neighbour interpolation breaks ties by the patient's axes, not the file's": _may_tie,
}
"""What changed in 0.3.0, and whose value may be another one since."""


def as_measured_then(record: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The record of a model whose protocol says what an earlier version did without a word.

    >>> then = {"protocol": {"extraction": {"interpolation": {"image": "cubic"}}}}
    >>> as_measured_then(then, "0.2.3")["protocol"]["extraction"]["interpolation"]
    {'image': 'cubic', 'boundary': 'nearest'}
    """
    then: dict[str, Any] = deepcopy(dict(record))
    protocol = then.get("protocol")
    _prevalence_moved(protocol)
    extraction = protocol.get("extraction") if isinstance(protocol, dict) else None
    if isinstance(extraction, dict) and version.startswith(EARLIER):
        spline = extraction.get("interpolation")
        if isinstance(spline, dict) and extraction.get("dialect") != "pyradiomics":
            spline.setdefault("boundary", "nearest")
    return then


def _prevalence_moved(protocol: Any) -> None:
    """Until 0.3.0 it stood with the rule of the cut-off, the only one that read it.

    >>> protocol = {"evaluation": {"cutoff": {"rule": "cost", "prevalence": 0.1}}}
    >>> _prevalence_moved(protocol)
    >>> protocol
    {'evaluation': {'cutoff': {'rule': 'cost'}, 'prevalence': 0.1}}
    """
    evaluation = protocol.get("evaluation") if isinstance(protocol, dict) else None
    cutoff = evaluation.get("cutoff") if isinstance(evaluation, dict) else None
    if isinstance(evaluation, dict) and isinstance(cutoff, dict) and "prevalence" in cutoff:
        evaluation["prevalence"] = cutoff.pop("prevalence")


def refuse_moved(
    features: Sequence[FeatureId | None], settings: ExtractionSettings, version: str
) -> None:
    """Refuse features that this version would measure otherwise than the one that is given.

    Raises
    ------
    DataError
        There are some, all of which are named.
    """
    if not version.startswith(EARLIER):
        return
    measured = [f for f in features if f is not None and not f.label]
    told = [
        f"{', '.join(moved)} ({reason})"
        for reason, has_moved in MOVED.items()
        if (moved := [f.spell(settings.dialect) for f in measured if has_moved(f, settings)])
    ]
    if told:
        raise DataError(
            f"The model was made by version {version}, and this one measures some of its features "
            f"otherwise: {'; '.join(told)}.",
            remedy="Run its study again with this version and take the model that this leaves, or "
            f"score with centrum {version}.",
            code="features-moved",
        )
