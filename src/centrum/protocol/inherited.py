"""Words of a preset that stand in a study's protocol: whether they are still of its choices.

A study begins with the whole text of a preset. Its description and its deviations are about the
preset's choices, and false of a study that measures, selects or tests otherwise.
"""

from functools import cache
from typing import Any

from centrum.protocol.protocol import Protocol, load_preset, presets

ABOUT = ("tables", "preparation", "extraction", "search", "model", "split")
"""Blocks that a preset's words are about, with `images.region` and `evaluation.cutoff`."""


def stated(protocol: Protocol) -> Protocol:
    """The protocol without description and deviations that are those of other choices.

    >>> preset = load_preset("vcf-t2w")
    >>> stated(preset) == preset
    True
    >>> ridge = {"model": preset.model.model_copy(update={"classifier": "ridge"})}
    >>> stated(preset.model_copy(update=ridge)).description
    ''
    """
    own, words = _choices(protocol), ("description", "deviations")
    gone = {
        word: Protocol.model_fields[word].default
        for preset, choices in _presets()
        for word in words
        if getattr(protocol, word) == getattr(preset, word) and own != choices
    }
    return protocol.model_copy(update=gone)


@cache
def _presets() -> tuple[tuple[Protocol, dict[str, Any]], ...]:
    return tuple((preset, _choices(preset)) for preset in map(load_preset, presets()))


def _choices(protocol: Protocol) -> dict[str, Any]:
    """What a preset's words are about; the seed of the split is not."""
    found = {name: protocol.model_dump(include={name})[name] for name in ABOUT}
    found["split"].pop("seed")
    return found | {
        "region": protocol.images.region,
        "cutoff": protocol.evaluation.cutoff.model_dump(),
    }
