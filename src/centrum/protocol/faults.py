"""What is wrong with a protocol, key by key and in words, with the nearest key that there is."""

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from centrum.protocol.choices import blocks_at, keys_of, keys_within

Path = tuple[str | int, ...]

_SHOWN = 80
"""Characters of a wrong value that are repeated."""

_AS_SAID = "Correct it as it says."


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a protocol.

    Attributes
    ----------
    path : where it stands, such as ("split", "seed"); () where it is about the whole
    code : "unknown-key", "missing-key" or "bad-value"
    message : what is wrong, ending with the remedy
    remedy : what to do
    """

    path: Path
    code: str
    message: str
    remedy: str


def faults_of(
    error: ValidationError, model: type[BaseModel], choices: dict[str, Any]
) -> tuple[Fault, ...]:
    """Every fault that the validation of `choices` by `model` found, one for each value."""
    found: dict[Path, Fault] = {}
    for each in error.errors():
        path = _written(each["loc"], choices)
        found.setdefault(path, _fault(each, path, model))
    return tuple(found.values())


def without(choices: dict[str, Any], faults: Sequence[Fault]) -> dict[str, Any]:
    """The choices without the values that the faults are about."""
    kept = deepcopy(choices)
    paths = {_there(fault.path, choices) for fault in faults}
    # From the end: what is taken out of a list moves what stands behind it.
    for path in sorted(paths, key=_place, reverse=True):
        _drop(kept, path)
    return kept


def _there(path: Path, choices: Any) -> Path:
    """The path, or that of its list, which is too short for it."""
    for place in path[:-1]:
        choices = choices[place]
    short = isinstance(choices, list) and len(choices) <= int(path[-1])
    return path[:-1] if short else path


def _place(path: Path) -> list[tuple[bool, str | int]]:
    """A path to sort by: places in a list by number, and apart from keys."""
    return [(isinstance(part, str), part) for part in path]


def _written(path: Path, choices: Any) -> Path:
    """A path as the user wrote it: the tag that tells the kinds of a block apart is no key."""
    here, written = choices, []
    for part in path[:-1]:
        if (isinstance(here, dict) and part in here) or isinstance(part, int):
            here = here[part]
            written.append(part)
    is_key = isinstance(here, dict) or all(isinstance(part, int) for part in path[-1:])
    return (*written, *path[-1:]) if is_key else tuple(written)


def _drop(choices: Any, path: Path) -> None:
    """Take the value at a path away, if there is one."""
    *places, last = path or ("",)
    for place in places:
        choices = choices[place]
    if last in choices if isinstance(choices, dict) else isinstance(choices, list):
        del choices[last]


def _fault(error: ErrorDetails, path: Path, model: type[BaseModel]) -> Fault:
    key = ".".join(map(str, path))
    if error["type"] == "extra_forbidden":
        return _unknown_key(key, path, model)
    if error["type"] == "missing" and isinstance(path[-1], str):
        remedy = f"Write `{path[-1]}: ...` there."
        return Fault(path, "missing-key", f"{key}: this key is required. {remedy}", remedy)
    if error["type"] == "invalid_key":
        remedy = "Write the name of a choice before the colon."
        return Fault(path, "unknown-key", f"{path[-1]!r} is no name of a choice. {remedy}", remedy)
    remedy = _nearest_value(error) or _quoted(error) or (f"Correct {key}." if key else _AS_SAID)
    return Fault(path, "bad-value", f"{key or 'protocol'}: {_wrong(error)}. {remedy}", remedy)


def _wrong(error: ErrorDetails) -> str:
    """What is wrong with a value, and the value where it is short."""
    if error["type"] == "value_error":
        return error["msg"].removeprefix("Value error, ").removesuffix(".")
    found = "" if isinstance(error["input"], dict | list) else f", found {_short(error['input'])}"
    return _WORDS.get(error["type"], error["msg"]) + found


_WORDS = {
    "model_type": "expected a block of choices",
    "tuple_type": "expected a list such as [a, b]",
    "missing": "the list is too short",
}
"""What is wrong in words of a study's file, not of Python."""


def _short(value: object) -> str:
    return repr(value) if len(repr(value)) <= _SHOWN else f"{repr(value)[:_SHOWN]} ..."


def _quoted(error: ErrorDetails) -> str:
    """How to write a text that YAML reads as a number or a truth value; "" of another error."""
    if error["type"] != "string_type" or not isinstance(error["input"], int | float):
        return ""
    return "Write it in quotation marks, as in 'no' or '1001', for YAML to read a text."


def _nearest_value(error: ErrorDetails) -> str:
    """The one of the allowed words that is most like what was written; "" without any."""
    allowed = error.get("ctx", {})
    words = re.findall(r"'([^']+)'", str(allowed.get("expected") or allowed.get("expected_tags")))
    near = get_close_matches(str(allowed.get("tag", error["input"])), words, 1)
    return f"Did you mean {near[0]}?" if near else ""


def _unknown_key(key: str, path: Path, model: type[BaseModel]) -> Fault:
    near = _nearest(path, model)
    if near:
        remedy = f"did you mean {' or '.join(near)}?"
    else:
        there = sorted(keys_of(blocks_at(model, path[:-1])))
        remedy = f"remove it; there are {', '.join(there)}."
    message = f"{key}: there is no such key; {remedy}"
    return Fault(path, "unknown-key", message, f"{remedy[0].upper()}{remedy[1:]}")


def _nearest(path: Path, model: type[BaseModel]) -> list[str]:
    """Keys that may have been meant: one much like it at its place, or itself elsewhere."""
    name, place = str(path[-1]), [str(part) for part in path[:-1]]
    beside = get_close_matches(name, keys_of(blocks_at(model, path[:-1])), 1)
    if beside:
        return [".".join([*place, beside[0]])]
    every = dict.fromkeys(keys_within(model))
    return [found for found in every if found.rpartition(".")[2] == name][:2]
