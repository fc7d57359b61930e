"""How an image was acquired, as far as its file, or the manifest, says."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from centrum.cohort.case import Value
from centrum.geometry import plane_of, slice_axis
from centrum.io.facts import NUMBERS, AcquisitionFacts, Facts, fact_of, read_facts
from centrum.io.weighting import told_weighting
from centrum.volume import Mask, Volume

TEXTS = ("modality", "manufacturer", "model", "plane", "weighting")
"""Facts that are words; the plane is that of the slices, the weighting what the header tells."""

TELLING = ("described_as", "scanning_sequence")
"""Words of which only the weighting is made."""

REGION = ("voxels", "slices", "volume_mm3")
"""What the size of a region is told by."""

HU_OF_AIR = -200.0
"""Below this there is air in a CT and nothing in a magnitude image of MR."""

SHARE_OF_AIR = 0.01


def acquisition_facts(volume: Volume) -> Facts:
    """What an image says of its acquisition, as it was read: its grid, then its header.

    >>> from centrum.geometry import Geometry
    >>> volume = Volume(np.zeros((3, 8, 8)), Geometry((8, 8, 3), (0.6, 0.6, 4.4)))
    >>> acquisition_facts(volume)
    {'pixel_mm': 0.6, 'slice_step_mm': 4.4, 'plane': 'axial'}
    """
    found = _grid(volume)
    for step in volume.history:
        found |= known_facts(step.parameters.get("acquisition", {})).facts
    if _like_ct(volume):
        found.setdefault("modality", "CT")
    return found


def with_manifest(facts: Facts, columns: Mapping[str, Value]) -> Facts:
    """The facts, with columns of the manifest for what the image does not say, and the weighting.

    Columns are called as in `NUMBERS` and `TEXTS`, or as in `centrum.io.facts.OTHER_NAMES`.

    >>> with_manifest({"echo_time_ms": 90.0}, {"tr_ms": 2500.0, "tumour": "none"})
    {'repetition_time_ms': 2500.0, 'echo_time_ms': 90.0, 'weighting': 'T2w'}
    """
    known = from_manifest(columns).facts | facts
    told = told_weighting(known)
    return known | ({"weighting": told} if told else {})


def from_manifest(columns: Mapping[str, Value]) -> AcquisitionFacts:
    """Facts that columns of the manifest tell; a missing value is none.

    >>> from_manifest({"TR_ms": "2500 ms", "field_strength": "1.5T", "age": 70.0}).facts
    {'field_strength_t': 1.5, 'repetition_time_ms': 2500.0}
    """
    heads = {fact_of(name): name for name, value in columns.items() if value == value}
    return known_facts({fact: columns[name] for fact, name in heads.items()}, heads)


def known_facts(named: Mapping[str, Any], called: Mapping[str, str] = {}) -> AcquisitionFacts:
    """Those of the named values that are facts of an acquisition; see `read_facts`."""
    facts = (*NUMBERS, *TEXTS, *TELLING)
    return read_facts({name: named.get(name) for name in facts}, called=called)


def _grid(volume: Volume) -> Facts:
    """Spacing within and across the slices, which lie across the longest side of a voxel."""
    spacing = volume.geometry.array_spacing
    axis = int(np.argmax(spacing))
    within = [s for k, s in enumerate(spacing) if k != axis]
    known = {"pixel_mm": float(np.mean(within)), "slice_step_mm": float(spacing[axis])}
    return known | {"plane": plane_of(volume.geometry)}


def _like_ct(volume: Volume) -> bool:
    """Whether the intensities are Hounsfield units: much of the image far below 0."""
    return bool(np.count_nonzero(volume.array < HU_OF_AIR) / volume.array.size > SHARE_OF_AIR)


def region_facts(mask: Mask, plane: str) -> dict[str, float]:
    """Size of a region: voxels, slices of the plane and volume in mm³."""
    axis = slice_axis(mask.geometry, plane)
    in_plane = tuple(k for k in range(3) if k != axis)
    slices = int(np.count_nonzero(mask.array.any(axis=in_plane)))
    volume = mask.n_voxels * mask.geometry.voxel_volume
    return dict(zip(REGION, (mask.n_voxels, slices, float(volume)), strict=True))
