"""Facts of an acquisition as they are written; none that cannot be read stops a case."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.io import inspect_image, read_image, source_digest
from centrum.io.facts import read_facts
from centrum.measure.acquisition import acquisition_facts, from_manifest, with_manifest

SECONDS = {"repetition_time_ms": "s", "echo_time_ms": "s"}


def one(value: Any, name: str = "repetition_time_ms", **bare: str) -> tuple[Any, list[str]]:
    found = read_facts({name: value}, bare)
    return found.facts.get(name), found.notes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3000, 3000), ("3000", 3000), (" 3000 ms ", 3000), ("3 s", 3000), ("3,5s", 3500),
        ("3.5 Sec", 3500), ("2,5", 2.5), ([3000], 3000), ([3000, 3000.0], 3000), ("3e3", 3000),
        ({"value": 3000}, 3000), ({"vr": "DS", "Value": [3000]}, 3000), ("250 us", 0.25),
        ("250 \N{MICRO SIGN}s", 0.25), ("250 \N{GREEK SMALL LETTER MU}s", 0.25),
    ],
)  # fmt: skip
def test_what_can_be_read(value: Any, expected: float) -> None:
    assert one(value) == (pytest.approx(expected), [])


@pytest.mark.parametrize("value", [None, "", "  ", [], 0, "0", {"Value": []}])
def test_what_is_no_fact(value: Any) -> None:
    assert one(value) == (None, [])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([2500, 3000], "several values"), ("long", "no number"), ({"unit": "s"}, "no number"),
        (float("nan"), "no number"), (float("inf"), "no number"), (-3, "negative"),
        ("3 T", "unit that is not known"), ("2,500", "comma of thousands"), (True, "no number"),
        (1e9, "more than 30000 ms"), ("1.500,5", "no number"), ([[1]], "no number"),
    ],
)  # fmt: skip
def test_what_is_left_out_with_a_note(value: Any, why: str) -> None:
    found, (note,) = one(value)
    assert found is None
    assert why in note
    assert note.startswith("repetition_time_ms")
    assert note.endswith(", and is left out.")


@pytest.mark.parametrize(
    ("value", "tesla"),
    [("1.5T", 1.5), ("3 Tesla", 3), ("15000 G", 1.5), ("15000 gauss", 1.5), ("1500 mT", 1.5)],
)
def test_field_strength(value: str, tesla: float) -> None:
    assert one(value, "field_strength_t")[0] == pytest.approx(tesla)


@pytest.mark.parametrize(
    ("value", "mm"),
    [
        ("4 mm", 4), ("4 millimetres", 4), ("1 millimeter", 1), ("0.4 cm", 4), ("0.004 m", 4),
        ("400 um", 0.4), ("400 µm", 0.4),
    ],
)  # fmt: skip
def test_lengths(value: str, mm: float) -> None:
    assert one(value, "slice_thickness_mm") == (pytest.approx(mm), [])


@pytest.mark.parametrize(
    ("name", "largest"),
    [
        ("field_strength_t", 25), ("repetition_time_ms", 30_000), ("echo_time_ms", 1000),
        ("inversion_time_ms", 15_000), ("slice_thickness_mm", 100), ("pixel_mm", 100),
        ("slice_step_mm", 100),
    ],
)  # fmt: skip
def test_as_much_as_a_scanner_for_people_can(name: str, largest: float) -> None:
    assert one(largest, name) == (largest, [])
    assert one(largest * 1.001, name)[0] is None


def test_words_stay_words() -> None:
    assert one(["SE", "IR"], "scanning_sequence") == ("SE\\IR", [])
    assert one(" GE\n", "manufacturer") == ("GE", [])
    assert "no text" in one({"a": 1}, "manufacturer")[1][0]


# Sidecars


@pytest.fixture
def sidecar(tmp_path: Path) -> Callable[[bytes | str], tuple[dict, list[str]]]:
    """Facts and notes of an image with a sidecar beside it."""
    path = tmp_path / "a.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((4, 9, 8), np.int16)), str(path))

    def _read(content: bytes | str) -> tuple[dict, list[str]]:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "a.json").write_bytes(data)
        volume = read_image(path)
        found = inspect_image(volume, "axial", path.name)
        assert {(f.severity, f.code, f.file) for f in found} <= {("note", "unread-fact", "a.json")}
        facts = acquisition_facts(volume)
        return {k: facts.get(f"{k}_time_ms") for k in ("repetition", "echo")}, [
            f.message for f in found
        ]

    return _read


@pytest.mark.parametrize(
    ("repetition", "echo", "expected", "notes"),
    [
        (3.5, 0.1, (3500, 100), 0),
        ("3.5", "0.1", (3500, 100), 0),
        ([3.5], [0.02, 0.1], (3500, None), 1),
        (3500, 100, (3500, 100), 2),
        (3500, 0.1, (3500, 100), 1),
        ("3500 ms", "100ms", (3500, 100), 0),
        (2.5, 100, (2500, 100), 1),
        (8, 3.9, (None, 3.9), 2),
        (-1, None, (None, None), 1),
    ],
)  # fmt: skip
def test_times_of_a_sidecar(sidecar, repetition, echo, expected, notes) -> None:
    found, told = sidecar(json.dumps({"RepetitionTime": repetition, "EchoTime": echo}))
    assert (found["repetition"], found["echo"]) == pytest.approx(expected)
    assert len(told) == notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_encodings_of_a_sidecar(sidecar, encoding: str) -> None:
    text = '{"Manufacturer": "Siemens Köln", "EchoTime": 0.1}'
    assert sidecar(text.encode(encoding)) == ({"repetition": None, "echo": 100}, [])


@pytest.mark.parametrize(
    "content", ["TR=3500", "", "[1]", "{", b"\xff\xfe\x00", "[" * 100_000, "null"]
)
def test_what_is_no_sidecar_is_a_note(sidecar, content: bytes | str) -> None:
    found, (note,) = sidecar(content)
    assert found == {"repetition": None, "echo": None}
    assert note.startswith("It is not a JSON object")


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_know(sidecar, literal: str) -> None:
    found, (note,) = sidecar(f'{{"RepetitionTime": {literal}, "EchoTime": null}}')
    assert found["repetition"] is None
    assert "RepetitionTime is no number" in note


def test_what_was_measured_is_kept_with_its_sidecar(sidecar, tmp_path: Path) -> None:
    sidecar('{"EchoTime": 0.1}')
    before = source_digest(tmp_path / "a.nii.gz")
    sidecar('{"EchoTime": 0.2}')
    assert source_digest(tmp_path / "a.nii.gz") != before


# Manifest and DICOM


def test_columns_of_a_manifest() -> None:
    columns = {"TR_ms": "2500 ms", "te_ms": "long", "field_strength": "1.5T", "age": 70.0}
    found = from_manifest(columns)
    assert found.facts == {"repetition_time_ms": 2500, "field_strength_t": 1.5}
    assert found.notes == ["te_ms is no number, 'long', and is left out."]
    assert with_manifest({"repetition_time_ms": 3000.0}, columns)["repetition_time_ms"] == 3000
