"""Set choices in the text of a protocol, whose comments stay."""

from collections.abc import Mapping
from typing import Any

import yaml

from centrum.errors import ProtocolError


def protocol_with(text: str, choices: Mapping[str, Any]) -> str:
    """The YAML of a protocol with `choices`, dotted keys and their values, and its own comments.

    A value that is there is replaced; a key that is missing joins its block.

    >>> print(protocol_with("images: {reader: R1}  # senior", {"images.labels": "verse"}))
    images: {reader: R1, labels: verse}  # senior
    >>> print(protocol_with("name: x\\n", {"images.region": "whole_vertebra"}), end="")
    name: x
    images: {region: whole_vertebra}
    """
    for key, value in choices.items():
        root = yaml.compose(text)
        if not isinstance(root, yaml.MappingNode):
            raise ProtocolError(f"A protocol is a list of `key: value`, found {text[:40]!r}.")
        text = _set(text, root, key.split("."), value)
    return text


def _set(text: str, block: yaml.MappingNode, keys: list[str], value: Any) -> str:
    first, *rest = keys
    old = next((node for key, node in block.value if key.value == first), None)
    if old is None:
        return _insert(text, block, f"{first}: {_flow(_nested(rest, value))}")
    if rest and isinstance(old, yaml.MappingNode):
        return _set(text, old, rest, value)
    start = old.start_mark.index
    gap = " " if text[start - 1] == ":" else ""
    return (
        text[:start] + gap + _flow(_nested(rest, value)) + text[start + len(_source(text, old)) :]
    )


def _insert(text: str, block: yaml.MappingNode, entry: str) -> str:
    """`entry` as the last of a block in braces, or of one with an entry on each line."""
    end = block.start_mark.index + len(_source(text, block))
    if block.flow_style:
        comma = ", " if block.value else ""
        return f"{text[: end - 1].rstrip()}{comma}{entry}{text[end - 1 :]}"
    line = text.find("\n", end)
    head, tail = (text, "") if line < 0 else (text[:line], text[line + 1 :])
    return f"{head}\n{' ' * block.start_mark.column}{entry}\n{tail}"


def _source(text: str, node: yaml.Node) -> str:
    """What a node is written as; the end of a block counts the lines and comments behind it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        end = last[-1] if isinstance(last, tuple) else last
        return text[node.start_mark.index : end.start_mark.index] + _source(text, end)
    return text[node.start_mark.index : node.end_mark.index].rstrip()


def _nested(keys: list[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _flow(value: Any) -> str:
    dumped = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False)
    return dumped.removesuffix("\n").removesuffix("\n...")
