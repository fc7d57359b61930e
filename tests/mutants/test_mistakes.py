"""Mistakes are made at one place each; what reads otherwise is Python and no text."""

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.mutants.__main__ import related
from tests.mutants.mistakes import mistakes

SOURCE = '''\
"""Of x < 1."""

LIMIT: int = 3


def f(x: int = 2, *, known: dict[str, int] = {}) -> bool:
    """Whether x > 3."""
    x += 1
    if x < LIMIT and not known:
        raise ValueError(f"{x + 1} is below {LIMIT - 1}", 5)
    known["a"] = g(x, way=x % 2, remedy="none")
    g(x)
    return x is known
'''


def test_every_place_that_computes_is_written_otherwise() -> None:
    assert [(m.line, str(m)) for m in mistakes(SOURCE)] == [
        (3, "number: `3` -> `4`"),
        (6, "number: `2` -> `3`"),
        (8, "forgotten statement: `x += 1` -> `pass`"),
        (8, "number: `1` -> `2`"),
        (9, "condition: `x < LIMIT and not known` -> `(not (x < LIMIT and (not known)))`"),
        (9, "and/or: `x < LIMIT and not known` -> `(x < LIMIT or not known)`"),
        (9, "comparison: `x < LIMIT` -> `(x <= LIMIT)`"),
        (9, "sign: `not known` -> `(known)`"),
        (11, 'forgotten statement: `known["a"] = g(x, way=x % 2, remedy="none")` -> `pass`'),
        (11, "forgotten keyword: `way=x % 2` -> ``"),
        (11, "arithmetic: `x % 2` -> `(x * 2)`"),
        (11, "number: `2` -> `3`"),
        (12, "forgotten statement: `g(x)` -> `pass`"),
        (13, "comparison: `x is known` -> `(x is not known)`"),
    ]


@pytest.mark.parametrize("name", ["modelling/split.py", "io/nrrd.py", "text.py"])
def test_each_mistake_leaves_another_module(name: str) -> None:
    source = (ROOT / "src/centrum" / name).read_text(encoding="utf-8")
    own = ast.dump(ast.parse(source))
    found = [ast.dump(ast.parse(mistake.made_in(source))) for mistake in mistakes(source)]
    assert len(found) > 5
    assert own not in found


def test_the_tests_of_a_module_come_first() -> None:
    found = related("src/centrum/modelling/split.py")
    assert found[0] == "tests/modelling/test_split.py"
    near, far = "tests/modelling/test_stability_selection.py", "tests/frozen/test_external.py"
    assert found.index(near) < found.index(far)


def test_help_says_how() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.mutants", "--help"], cwd=ROOT, capture_output=True, check=True
    )
    assert b"--minutes" in said.stdout
