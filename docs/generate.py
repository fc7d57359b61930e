"""Write the reference pages that follow from the code: features, protocol, command line."""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from typer.main import get_command

from centrum.cli import app
from centrum.cohort.confusable import Confusable, confusable, of_same_numbers
from centrum.cohort.schemes import SCHEMES
from centrum.features.registry import Entry, catalogue
from centrum.filters import FILTERS, Filter
from centrum.protocol import Protocol
from centrum.reading.room import RoomSettings
from centrum.report.labels import plain_label

FOLDER = Path(__file__).parent / "reference"

WIDTH = 78
"""Columns of the command line's help, whatever the terminal."""


def features_page() -> str:
    lines = [
        "# Features",
        "",
        "Generated from the catalogue. Sections are those of the IBSI reference manual",
        "(arXiv:1612.07003); I is the image's unit of intensity. Labels are what figures call a",
        "feature of the image itself. Names in brackets are PyRadiomics' deprecated features,",
        "which it computes only on request.",
        "",
    ]
    for family, entries in groupby(catalogue().values(), attrgetter("family")):
        lines += [
            f"## {family}",
            "",
            "| IBSI code | name | label | unit | formula | section | PyRadiomics |",
            "|---|---|---|---|---|---|---|",
            *map(_feature, entries),
            "",
        ]
    return "\n".join(lines)


def _feature(e: Entry) -> str:
    name = f"({e.pyradiomics})" if e.deprecated else e.pyradiomics
    cells = (e.code, e.name, plain_label(e), e.unit, _code(e.formula), e.section, name)
    return f"| {' | '.join(cells)} |"


def _code(formula: str) -> str:
    """In a cell of a table a bar would end it, and programs disagree on how to escape it."""
    if "|" not in formula:
        return f"`{formula}`"
    return "<code>" + re.sub(r"[^\w\s]|_", lambda sign: f"&#{ord(sign[0])};", formula) + "</code>"


def protocol_page() -> str:
    lines = [
        "# Protocol",
        "",
        "Generated from the models that validate `study.yaml`. A setting that has no effect beside",
        "the other choices is refused or reported:",
        "[how](../how-to/run-your-own-study.md#2-manifest-and-protocol).",
        "",
    ]
    return "\n".join(lines + _block(Protocol, "study.yaml"))


def room_page() -> str:
    lines = [
        "# Reading room",
        "",
        "Generated from the models that validate `readings/room.yaml`; what they mean:",
        "[the reading room](../concepts/reading-room.md).",
        "",
    ]
    return "\n".join(lines + _block(RoomSettings, "room.yaml"))


def filters_page() -> str:
    lines = [
        "# Filters",
        "",
        "Generated from the registered filters: the blocks that `extraction.filters` of a protocol",
        "may list. What each one does: [filters](../concepts/filters.md).",
        "",
    ]
    for name, kind in sorted(FILTERS.items(), key=lambda entry: (entry[1].dialect, entry[0])):
        lines += _block(kind, f"{name} (dialect {kind.dialect})")
    return "\n".join(lines)


def _block(model: type[BaseModel], title: str) -> list[str]:
    lines = [f"## {title}", "", (model.__doc__ or "").strip().splitlines()[0], ""]
    if model is Filter:
        return [*lines, "A list of filters, each with its own keys: [filters](filters.md).", ""]
    lines += ["| key | default | meaning |", "|---|---|---|"]
    below = []
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _default(field.default)
        lines.append(
            f"| `{name}` | {default} | {(field.description or '').replace(chr(10), ' ')} |"
        )
        kinds = _models(field.annotation)
        for kind in kinds:
            below += _block(kind, name if len(kinds) == 1 else f"{name}: {_choice(kind)}")
    return [*lines, "", *below]


def _models(kind: object) -> list[type[BaseModel]]:
    """The models in an annotation, however deep, in their order."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in get_args(kind) for model in _models(part)]


def _choice(kind: type[BaseModel]) -> str:
    """What one of several models of a block is chosen by: its first key."""
    key, field = next(iter(kind.model_fields.items()))
    return f"{key} {field.default}"


def _default(value: object) -> str:
    if isinstance(value, BaseModel):
        return "see below"
    return "empty" if value == "" else f"`{value}`"


def command_line_page() -> str:
    lines = ["# Command line", "", "Generated from the commands.", ""]
    group = get_command(app)
    lines += ["```text", _help(group, "centrum"), "```", ""]
    for name, command in _commands(group):
        lines += [f"## {name}", "", "```text", _help(command, f"centrum {name}"), "```", ""]
    return "\n".join(lines)


def _commands(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Commands by name, those of a group behind it."""
    for name, command in group.commands.items():
        yield f"{above}{name}", command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{above}{name} ")


def _help(command: Any, called: str) -> str:
    context = command.make_context(
        called, [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    text: str = command.get_help(context)
    return text


def label_schemes_page() -> str:
    lines = [
        "# Label schemes",
        "",
        "Generated from the tables that `images.labels` and `--labels` choose from. How they",
        "are used: [label maps](../concepts/label-maps.md).",
        "",
        "| name | program | one label is | vertebrae | discs, by the vertebra above | others |",
        "|---|---|---|---|---|---|",
    ]
    for scheme in SCHEMES.values():
        holds = "a whole vertebra" if scheme.whole else "a part: no levels"
        tables = (_spans(table) for table in (scheme.levels, scheme.discs, scheme.others))
        lines.append(f"| `{scheme.name}` | {scheme.title} | {holds} | {' | '.join(tables)} |")
    lines += ["", *_not_told_apart(), ""]
    lines += ["## Sources", "", "What the numbers do not say, and where the tables come from:", ""]
    for scheme in SCHEMES.values():
        caution = f"{scheme.caution}; " if scheme.caution else ""
        lines.append(f"- `{scheme.name}`: {caution}{scheme.source}")
    return "\n".join(lines) + "\n"


def _not_told_apart() -> list[str]:
    alike = [
        f"`{scheme.name}` as {', '.join(f'`{other.name}`' for other in others)}"
        for scheme in SCHEMES.values()
        if (others := of_same_numbers(scheme))
    ]
    return [
        "## What no check tells apart",
        "",
        "Found by writing a spine of usual sizes in every scheme, with all discs, sacrum and",
        "canal that it has, and reading it as every other one. In all pairs that are not listed",
        "the wrong scheme is refused and the right one is proposed. In these only your word says",
        "which it is: it stands in `study.yaml` as `images.labels`, and methods and report repeat",
        "it.",
        "",
        f"The same numbers for the same vertebrae, so that levels are right: {'; '.join(alike)}.",
        "",
        "Other vertebrae in an order that fits:",
        "",
        "| a map of | fits | view | if it holds | so that |",
        "|---|---|---|---|---|",
        *map(_confused, confusable()),
    ]


def _confused(found: Confusable) -> str:
    holds = "vertebrae alone" if found.alone else "all that its scheme has"
    return (
        f"| `{found.true.name}` | `{found.read.name}` | {found.view} | {holds} | {found.level} is "
        f"taken for {found.read_as} |"
    )


def _spans(table: Mapping[int, object]) -> str:
    """Labels and meanings, "1-7 C1-C7" where both go up or down together."""
    spans: list[list[tuple[int, str]]] = []
    for number, meaning in sorted((number, str(meaning)) for number, meaning in table.items()):
        if spans and _joins(spans[-1], number, meaning):
            spans[-1].append((number, meaning))
        else:
            spans.append([(number, meaning)])
    return ", ".join(map(_span, spans)) or "–"


def _joins(span: list[tuple[int, str]], number: int, meaning: str) -> bool:
    last, before = span[-1]
    alike = meaning == before or (meaning[0] == before[0] and meaning[1:].isdecimal())
    return number == last + 1 and alike


def _span(span: list[tuple[int, str]]) -> str:
    (first, one), (last, other) = span[0], span[-1]
    if first == last:
        return f"{first} {one}"
    return f"{first}-{last} {one if one == other else f'{one}-{other}'}"


PAGES = {
    "features": features_page,
    "filters": filters_page,
    "label-schemes": label_schemes_page,
    "protocol": protocol_page,
    "room": room_page,
    "command-line": command_line_page,
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / f"{name}.md").write_text(make(), encoding="utf-8")
        print(f"docs/reference/{name}.md")


if __name__ == "__main__":
    main()
