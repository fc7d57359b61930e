"""Choices that are written into the text of a protocol."""

import pytest
import yaml

from centrum.protocol import parse_protocol, preset_text, presets
from centrum.protocol.text import protocol_with

CHOSEN = {"images.labels": "verse", "images.sequence": "T2w", "split.seed": 7, "name": "Mine: 1"}


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]


@pytest.mark.parametrize("preset", presets())
def test_every_preset_takes_choices_and_keeps_its_comments(preset: str) -> None:
    text = protocol_with(preset_text(preset), CHOSEN)
    said, before = yaml.safe_load(text), yaml.safe_load(preset_text(preset))
    assert said["images"] == {**before.get("images", {}), "labels": "verse", "sequence": "T2w"}
    assert said["split"] == before["split"] | {"seed": 7}
    assert said["name"] == "Mine: 1"
    assert {k: v for k, v in said.items() if k not in ("images", "split", "name")} == {
        k: v for k, v in before.items() if k not in ("images", "split", "name")
    }
    assert comments(text) == comments(preset_text(preset))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("images: {}\n", "images: {labels: verse}\n"),
        ("images: {reader: R1}  # senior\n", "images: {reader: R1, labels: verse}  # senior\n"),
        ("images: {labels: spider} # old\nx: 1", "images: {labels: verse} # old\nx: 1"),
        (
            "images:\n  # who\n  reader: R1  # senior\n\n# next\nx: 1\n",
            "images:\n  # who\n  reader: R1  # senior\n  labels: verse\n\n# next\nx: 1\n",
        ),
        ("images:\n  labels: a\n  reader: b\n", "images:\n  labels: verse\n  reader: b\n"),
        ("x:\n- 1\n- [2,\n  3] # end\n", "x:\n- 1\n- [2,\n  3] # end\nimages: {labels: verse}\n"),
        ("images:\nx: 1\n", "images: {labels: verse}\nx: 1\n"),
        ("x: 1", "x: 1\nimages: {labels: verse}\n"),
    ],
)
def test_a_choice_joins_its_block(text: str, expected: str) -> None:
    assert protocol_with(text, {"images.labels": "verse"}) == expected


def test_a_choice_may_be_a_list_or_a_block() -> None:
    text = protocol_with(preset_text("vcf-t2w"), {"images.sequences": ["T2w", "T1w"]})
    assert parse_protocol(text, "study.yaml").images.sequences == ("T2w", "T1w")
