"""A study's choices: one YAML file, checked when it is read, and what is wrong with it in words."""

from centrum.protocol.protocol import (
    CutOffRule,
    EvaluationSettings,
    ExplanationSettings,
    FurtherSource,
    Images,
    Outcome,
    Protocol,
    TableSource,
    examine_protocol,
    load_preset,
    parse_protocol,
    preset_text,
    presets,
    protocol_text,
    read_protocol,
)

__all__ = [
    "CutOffRule",
    "EvaluationSettings",
    "ExplanationSettings",
    "FurtherSource",
    "Images",
    "Outcome",
    "Protocol",
    "TableSource",
    "examine_protocol",
    "load_preset",
    "parse_protocol",
    "preset_text",
    "presets",
    "protocol_text",
    "read_protocol",
]
