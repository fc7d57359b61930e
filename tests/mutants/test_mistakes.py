"""Mistakes are made at one place each; what reads otherwise is Python and no text."""

import ast

import pytest

from tests.conftest import ROOT
from tests.mutants.mistakes import is_python, mistakes

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
    made = [mistake.made_in(source) for mistake in mistakes(source)]
    found = [ast.dump(ast.parse(text)) for text in made if is_python(text)]
    assert len(found) > 5
    assert own not in found


def test_a_mistake_is_run_with_its_statement() -> None:
    source = """\
@g(1)
def f(
    x=2,
):
    if (
        x
        > 3
    ):
        return [
            4,
        ]
    try:
        return 5
    except E[6 + 0] as error:
        pass
"""
    found = {m.old: m.statement for m in mistakes(source) if m.kind == "number"}
    assert found == {"2": (1, 4), "3": (5, 8), "4": (9, 11), "5": (13, 13),
                     "6": (12, 15), "0": (12, 15)}  # fmt: skip


def test_functions_are_the_outermost() -> None:
    source = """\
class A:
    LIMIT = 1

    def f(self, x=2):
        def inner():
            return 3
        return inner

    if True:
        def g(self):
            return 4
"""
    found = {m.old: m.function for m in mistakes(source)}
    assert found == {"1": "", "2": "A.f", "3": "A.f", "True": "", "4": "A.g"}
