"""What is wrong with a protocol, key by key and in words, with the nearest key that there is."""

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]


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
    """Every fault that the validation of `choices` by `model` found."""
    return tuple(_fault(each, _written(each["loc"], choices), model) for each in error.errors())


def without(choices: dict[str, Any], faults: Sequence[Fault]) -> dict[str, Any]:
    """The choices without the values that the faults are about."""
    kept = deepcopy(choices)
    # From the end: what is taken out of a list moves what stands behind it.
    for fault in sorted(faults, key=lambda fault: list(map(str, fault.path)), reverse=True):
        _drop(kept, fault.path)
    return kept


def _written(path: Path, choices: Any) -> Path:
    """A path as the user wrote it: the tag that tells the kinds of a block apart is no key."""
    here, written = choices, []
    for part in path[:-1]:
        if (isinstance(here, dict) and part in here) or isinstance(part, int):
            here = here[part]
            written.append(part)
    return (*written, *path[-1:])


def _drop(choices: Any, path: Path) -> None:
    """Take the value at a path away, if there is one."""
    *places, last = path or ("",)
    for part in places:
        choices = choices[part]
    if isinstance(last, int) or last in choices:
        del choices[last]


def _fault(error: ErrorDetails, path: Path, model: type[BaseModel]) -> Fault:
    key = ".".join(map(str, path))
    if error["type"] == "extra_forbidden":
        return _unknown_key(key, path, model)
    if error["type"] == "missing":
        remedy = f"Write `{path[-1]}: ...` there."
        return Fault(path, "missing-key", f"{key}: this key is required. {remedy}", remedy)
    remedy = _nearest_value(error) or (f"Correct {key}." if key else "Correct it as it says.")
    return Fault(path, "bad-value", f"{key or 'protocol'}: {_wrong(error)}. {remedy}", remedy)


def _wrong(error: ErrorDetails) -> str:
    """What is wrong with a value, and the value where it is short."""
    if error["type"] == "value_error":
        return error["msg"].removeprefix("Value error, ").removesuffix(".")
    found = "" if isinstance(error["input"], dict | list) else f", found {error['input']!r}"
    return error["msg"] + found


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
        there = sorted(_keys(_at(model, path[:-1])))
        remedy = f"take it out; there are {', '.join(there)}."
    message = f"{key}: there is no such key; {remedy}"
    return Fault(path, "unknown-key", message, f"{remedy[0].upper()}{remedy[1:]}")


def _nearest(path: Path, model: type[BaseModel]) -> list[str]:
    """Keys that may have been meant: one much like it at its place, or itself elsewhere."""
    name, place = str(path[-1]), [str(part) for part in path[:-1]]
    beside = get_close_matches(name, _keys(_at(model, path[:-1])), 1)
    if beside:
        return [".".join([*place, beside[0]])]
    return [found for found in _all_keys(model) if found.rpartition(".")[2] == name][:2]


def _at(model: type[BaseModel], path: Sequence[str | int]) -> list[type[BaseModel]]:
    """The models that may stand at a path; a part that is no key is a place in a list or a tag."""
    models = [model]
    for part in path:
        fields = [kind.model_fields[part] for kind in models if part in kind.model_fields]
        if fields:
            models = [kind for field in fields for kind in _models(field.annotation)]
    return models


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _keys(models: Sequence[type[BaseModel]]) -> list[str]:
    return list(dict.fromkeys(key for model in models for key in model.model_fields))


def _all_keys(model: type[BaseModel], place: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield place + name
        for below in _models(field.annotation):
            yield from _all_keys(below, f"{place}{name}.")
