"""Facts of the acquisition, from the headers of DICOM images of whatever kind."""

from collections.abc import Callable
from typing import Any

from centrum.io.checks import NOTES
from centrum.io.facts import NUMBERS, read_facts
from centrum.io.weighting import DESCRIPTIONS, described_weighting

ACQUISITION_FACTS = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "field_strength_t": "MagneticFieldStrength",
    "repetition_time_ms": "RepetitionTime",
    "echo_time_ms": "EchoTime",
    "inversion_time_ms": "InversionTime",
    "echo_train_length": "EchoTrainLength",
    "flip_angle_deg": "FlipAngle",
    "slice_thickness_mm": "SliceThickness",
    "spacing_between_slices_mm": "SpacingBetweenSlices",
    "pixel_bandwidth_hz": "PixelBandwidth",
    "scanning_sequence": "ScanningSequence",
    "acquisition_type": "MRAcquisitionType",
}
"""What is kept of the headers, and the DICOM keyword it comes from; nothing that identifies."""


def acquisition_note(value: Callable[[str], Any], name: str) -> dict[str, Any]:
    """What the reading step says of the acquisition, and of facts that could not be read.

    Parameters
    ----------
    value : an entry of the header by its keyword: None if absent, a list if there are several
    name : of the file that notes are about

    >>> acquisition_note({"EchoTime": 80.0, "Modality": "MR"}.get, "a.dcm")
    {'acquisition': {'modality': 'MR', 'echo_time_ms': 80.0}}
    """
    given = {fact: value(keyword) for fact, keyword in ACQUISITION_FACTS.items()}
    found = read_facts({fact: given[fact] for fact in given if fact in NUMBERS},
                       called=ACQUISITION_FACTS)  # fmt: skip
    others = {n: known for n, known in given.items() if n not in NUMBERS and known is not None}
    # Descriptions can hold a name: what they say is judged here, and they are not kept.
    described = described_weighting(map(value, DESCRIPTIONS))
    facts = others | found.facts | ({"described_as": described} if described else {})
    notes = [(name, note) for note in found.notes]
    return {"acquisition": facts} | ({NOTES: notes} if notes else {})
