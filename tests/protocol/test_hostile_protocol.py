"""Whatever stands in study.yaml, the answer is a protocol or the protocol's own error."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from centrum.errors import DataError, ProtocolError
from centrum.features.settings import ExtractionSettings
from centrum.filters import FILTERS
from centrum.geometry import Geometry
from centrum.measure.case import _check_memory
from centrum.measure.region import filtered_voxels
from centrum.protocol import Protocol, examine_protocol, parse_protocol, read_protocol
from centrum.pyradiomics.errors import ParameterError
from centrum.pyradiomics.settings import TABLE, ListOf, Number
from centrum.volume import Mask

LAUGHS = "\n".join(["name: x", "a: &a [x, x]", *(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi",
                                                                      strict=True))])  # fmt: skip

HOSTILE = {
    "a date that there is not": "name: x\n2024-13-45: {}",
    "thousands of digits": f"name: x\nsplit: {{seed: {'9' * 5000}}}",
    "an infinite number": "name: x\nmodel: {C: 1e4000}",
    "an infinite number as text": "name: x\nmodel: {C: 'inf'}",
    "no number as text": "name: x\nmodel: {clip: 'nan'}",
    "deep": f"name: x\ndescribe: {'[' * 300}{']' * 300}",
    "billion laughs": LAUGHS,
    "an anchor to itself": "name: x\ndescribe: &a [*a]",
    "a key twice": "name: x\nsplit: {seed: 1, seed: 2}",
    "tabs": "name: x\nsplit:\n\tseed: 1",
    "an object": "name: x\ndescription: !!python/object/apply:os.getcwd []",
    "bytes": "name: x\ndescription: !!binary aGVsbG8=",
    "a list": "- name: x",
    "a word": "study",
    "empty": "",
    "two documents": "name: x\n---\nname: y",
    "a key that is a number": "name: x\n1: 2",
    "a key that is nothing": "name: x\nsplit: {null: 2}",
    "a key that is a list": "name: x\n? [a]\n: b",
    "a filter without a name": "name: x\nextraction: {filters: [{filter: {}}]}",
    "a filter of nothing": "name: x\nextraction: {filters: [{filter: LoG, sigma: [null]}]}",
    "a list that is too short": "name: x\nextraction: {interpolation: {spacing: [1, 2]}}",
    "a truth value as a number": "name: x\nmodel: {clip: on}",
    "a truth value among numbers": "name: x\nsearch: {n_features: [4, yes]}",
    "far too many": "name: x\nevaluation: {n_resamples: 1e12}",
    "a truth value as a name": "name: x\noutcome: {positive: yes, negative: no}",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_protocol_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(text, "study.yaml")
    assert caught.value.remedy
    assert len(str(caught.value)) < 2000
    try:
        _, faults = examine_protocol(text, "study.yaml")
    except ProtocolError:
        return
    assert faults


def test_what_yaml_would_take_for_something_else_is_text() -> None:
    protocol = parse_protocol("name: 2024-01-01\nsplit: {test_from: 2020-05-01}", "study.yaml")
    assert (protocol.name, protocol.split.test_from) == ("2024-01-01", "2020-05-01")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("images: {reader: no}", "images.reader: .*found False. Write it in quotation marks"),
        ("split: {design: external, test_values: [1001]}", "test_values.0: .*quotation marks"),
        ("split: 3", "split: expected a block of choices, found 3"),
        ("describe: a", "describe: expected a list such as"),
        ("extraction: {interpolation: {spacing: [1, 2]}}", "spacing.2: the list is too short"),
        ("extraction: {filters: [{filter: log, sigm: 1}]}", "did you mean .*filters.0.sigma"),
        ("1: 2", "1 is no name of a choice"),
        (f"images: {{region: {'x' * 300}}}", r"found 'x{79} \.\.\."),
    ],
)
def test_refusals_are_in_words_of_the_file(text: str, told: str) -> None:
    with pytest.raises(ProtocolError, match=told):
        parse_protocol(f"name: x\n{text}", "study.yaml")


def test_wrong_items_of_a_long_list_are_left_out_and_no_others() -> None:
    items = ["right"] * 12
    items[2] = items[10] = items[11] = "[]"
    text = f"name: x\ndescribe: [{', '.join(items)}]"
    protocol, faults = examine_protocol(text, "study.yaml")
    assert protocol.describe == ("right",) * 9
    assert [fault.path[1] for fault in faults] == [2, 10, 11]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    os.mkfifo(path)
    with pytest.raises(ProtocolError, match="no ordinary file"):
        read_protocol(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ProtocolError, match="no ordinary file"):
        read_protocol(path)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    with path.open("wb") as stream:
        stream.truncate(100 << 20)
    with pytest.raises(ProtocolError, match="more than 1 MB"):
        read_protocol(path)


def _unbounded(node: dict, known: dict, place: str, seen: frozenset = frozenset()) -> Iterator[str]:
    """Places of a JSON schema where a number has no lower or no upper limit."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from _unbounded(known[name], known, place, seen | {name})
        return
    limits = ({"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"})
    number = node.get("type") in ("number", "integer") and not {"const", "enum"} & set(node)
    if number and not all(limit & set(node) for limit in limits):
        yield place
    several = [part for key in ("anyOf", "oneOf", "prefixItems") for part in node.get(key, [])]
    if isinstance(node.get("items"), dict):
        several.append(node["items"])
    for part in several:
        yield from _unbounded(part, known, place, seen)
    for key, part in node.get("properties", {}).items():
        yield from _unbounded(part, known, f"{place}.{key}", seen)


def test_no_number_of_a_protocol_is_without_limits() -> None:
    models = {"protocol": Protocol, **FILTERS}
    for name, model in models.items():
        schema = model.model_json_schema()
        assert list(_unbounded(schema, schema.get("$defs", {}), name)) == []


def test_the_walk_sees_a_number_without_limits() -> None:
    schema = {"properties": {"a": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]}}}
    assert list(_unbounded(schema, {}, "x")) == ["x.a"]


def test_a_filter_that_reaches_too_far_is_refused_before_memory_is_asked_for() -> None:
    array = np.zeros((6, 20, 20), bool)
    array[1:5, 4:16, 4:16] = True
    region = Mask(array, Geometry((20, 20, 6), (0.6, 0.6, 4.4)), "L1")

    def settings(block: dict[str, object]) -> ExtractionSettings:
        return ExtractionSettings(filters=({"filter": "log", **block},), plane="axial")

    near, far = settings({"sigma": 1}), settings({"sigma": 100, "cutoff": 20})
    assert filtered_voxels(region, near)["log"] < 1e5
    _check_memory(region, near, 4.0)
    with pytest.raises(DataError, match="The filter 'log' reaches so far around 'L1'"):
        _check_memory(region, far, 4.0)


@pytest.mark.parametrize("value", [1e300, -1e300, float("nan"), float("inf"), 10**400])
def test_no_setting_of_a_parameter_file_takes_any_number(value: float) -> None:
    numeric = [s for s in TABLE if isinstance(s.check, Number | ListOf)]
    for setting in numeric:
        with pytest.raises(ParameterError):
            setting.validate([value] if isinstance(setting.check, ListOf) else value)
    assert len(numeric) > 20
