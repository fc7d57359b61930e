"""The house: few modules at the root, imports that run downwards, verbs behind one door."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import centrum

SOURCE = Path(centrum.__file__).parent

FLOORS = (
    ("arrays", "records", "text", "settings"),
    ("errors",),
    ("provenance",),
    ("geometry", "kernels"),
    ("volume", "store"),
    ("stages", "execution", "evaluate", "filters", "agreement", "prepare", "io"),
    ("features", "cohort", "modelling"),
    ("table", "morphometry", "exchange"),
    ("perturb", "simulate"),
    ("protocol",),
    ("measure",),
    ("pyradiomics", "study"),
    ("signature", "validation"),
    ("frozen",),
    ("report",),
    ("manuscript", "pacs"),
    ("reading",),
    ("commands",),
    ("web",),
    ("cli",),
)
"""Rooms from the ground up: each reads from floors below its own alone, not from its neighbours."""

FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def _modules() -> dict[str, Path]:
    paths = sorted(SOURCE.rglob("*.py"))
    return {".".join(path.relative_to(SOURCE).with_suffix("").parts): path for path in paths}


MODULES = _modules()


@cache
def _imported(name: str) -> tuple[str, ...]:
    """Modules of the package that a module imports, wherever in it the import stands."""
    return tuple(_imports(name))


def _imports(name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "centrum":
            for alias in node.names:
                yield _module(f"{node.module}.{alias.name}") or _module(node.module or "")
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("centrum.")]
            yield from map(_module, names)


def _module(dotted: str) -> str:
    """As it is called in MODULES, "" for what is no module; a package's face is its `__init__`."""
    within = dotted.removeprefix("centrum").lstrip(".")
    names = (within, f"{within}.__init__".lstrip("."))
    return next((name for name in names if name in MODULES), "")


def test_at_most_fourteen_modules_stand_at_the_root():
    root = [name for name in MODULES if "." not in name]
    assert len(root) <= 14, root


def test_every_room_has_its_floor():
    rooms = {name.split(".")[0] for name in MODULES} - {"__init__", "presets", "signatures"}
    assert rooms == set(FLOOR)


INNER = [name for name in MODULES if name != "__init__"]
"""All but the public face, which reads from every floor."""


@pytest.mark.parametrize("name", INNER)
def test_imports_run_downwards(name):
    room = name.split(".")[0]
    assert "__init__" not in _imported(name), f"{name} reads from the public face"
    rooms = {found.split(".")[0] for found in _imported(name)} - {room}
    wrong = [found for found in rooms if FLOOR[found] >= FLOOR[room]]
    assert not wrong, f"{name} reads from {wrong}, which stand on its floor or above"


def test_no_room_has_a_circle_within():
    """Following what modules import, from any of them, none is met again."""
    reads = {name: [*dict.fromkeys(_imported(name))] for name in MODULES}
    done: set[str] = set()
    for name in reads:
        _walk(name, reads, (), done)


def _walk(name: str, reads: dict[str, list[str]], above: tuple[str, ...], done: set[str]) -> None:
    assert name not in above, " -> ".join((*above[above.index(name) :], name))
    if name not in done:
        for found in reads[name]:
            _walk(found, reads, (*above, name), done)
        done.add(name)


def test_no_two_classes_share_a_name():
    """Whoever meets the name knows the class; an underscore before it makes no other name."""
    places: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name.lstrip("_"), []).append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


VERBS = {"commands", "errors", "execution", "provenance", "text", "web"}
"""What the command line may know of the house."""


def test_the_command_line_calls_the_verbs_alone():
    assert {name.split(".")[0] for name in _imported("cli")} <= VERBS


def test_the_public_face_is_what_lives_at_its_homes():
    for name in centrum.__all__:
        home = sys.modules[centrum._HOMES[name]] if getattr(centrum, name) else None
        assert getattr(centrum, name) is getattr(home, name)


def test_the_public_face_is_typed_as_it_is_loaded():
    """A type checker reads the imports, Python the table: both name the same homes."""
    tree = ast.parse(MODULES["__init__"].read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {a.asname: n.module for n in block.body for a in n.names}  # type: ignore[attr-defined]
    assert typed == centrum._HOMES


def test_an_unknown_name_of_the_public_face_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'wrong'"):
        centrum.wrong  # noqa: B018


def test_the_package_is_imported_without_what_it_is_made_of():
    code = "import centrum, sys; print([m for m in sys.modules if m in ('numpy', 'pandas')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
