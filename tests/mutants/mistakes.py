"""Every small mistake that could be made in a module: one place of its source written otherwise.

The kinds are those of mutation testing (DeMillo, Lipton and Sayward, Computer 1978;11(4):34) and
what is easily forgotten in this package: a keyword argument, an entry of a key.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
JOINED = {ast.And: ast.Or, ast.Or: ast.And}
FORGOTTEN = "forgotten keyword"
Rewritten = tuple[ast.expr | ast.stmt | ast.keyword, str, str]
"""A node, the kind of mistake, and what is written in its place."""

SAID = {"description", "remedy", "message", "prefix"}
"""Keyword arguments that hold a text."""


@dataclass(frozen=True)
class Mistake:
    """One place of a module, written otherwise.

    Attributes
    ----------
    kind : of mistake
    line : where it is, from 1
    statement : first and last line of the innermost statement that it is in; of the head, where
        others are inside of it
    function : the outermost that it is in, as "Split.parts"; nothing outside of functions
    old, new : what stands there, and what is written instead
    start, end : bytes of the source that `new` takes the place of
    """

    kind: str
    line: int
    statement: tuple[int, int]
    function: str
    old: str
    new: str
    start: int
    end: int

    def made_in(self, source: str) -> str:
        """The module with this mistake."""
        given = source.encode()
        return (given[: self.start] + self.new.encode() + given[self.end :]).decode()

    def __str__(self) -> str:
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.kind}: `{old}` -> `{new}`"


def is_python(source: str) -> bool:
    """Whether a module can be compiled; it takes long for all mistakes of a package."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def mistakes(source: str) -> list[Mistake]:
    """All mistakes of a module, in the order of their places; few are no Python (`is_python`).

    >>> for mistake in mistakes("def f(x):\\n    return x + 1 if x < 2 else g(x, way=x)"):
    ...     print(mistake)
    condition: `x < 2` -> `(not (x < 2))`
    comparison: `x < 2` -> `(x <= 2)`
    number: `2` -> `3`
    arithmetic: `x + 1` -> `(x - 1)`
    number: `1` -> `2`
    forgotten keyword: `way=x` -> ``
    """
    given = source.encode()
    begins = [0, *accumulate(map(len, given.splitlines(keepends=True)))]
    tree = ast.parse(source)
    functions = {line: name for name, lines in _functions(tree) for line in lines}
    statements = {line: lines for lines in _statements(tree) for line in range(*lines)}
    found = []
    for node, kind, new in _rewritten(tree):
        start = begins[node.lineno - 1] + node.col_offset
        end = begins[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)
        old = given[start:end].decode()
        if kind == FORGOTTEN:
            end += len(re.match(rb"\s*,|", given[end:]).group())  # type: ignore[union-attr]
        function = functions.get(node.lineno, "")
        begin, behind = statements[node.lineno]
        statement = begin, behind - 1
        found.append(Mistake(kind, node.lineno, statement, function, old, new, start, end))
    return found


def _functions(node: ast.AST, within: str = "") -> Iterator[tuple[str, range]]:
    """Names and lines of functions and methods, without those that are inside of another."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef():
                yield within + child.name, range(child.lineno, (child.end_lineno or 0) + 1)
            case ast.ClassDef():
                yield from _functions(child, f"{within}{child.name}.")
            case _:
                yield from _functions(child, within)


def _statements(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """First lines of statements and those behind them, the outer ones first.

    >>> list(_statements(ast.parse("@g\\ndef f(\\n    x\\n):\\n    return (\\n        x)")))
    [(1, 5), (5, 7)]
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            begin = min(each.lineno for each in (node, *getattr(node, "decorator_list", ())))
            parts = () if isinstance(node, ast.Try) else ast.iter_child_nodes(node)
            inner = [each for each in parts if isinstance(each, ast.stmt)]
            behind = inner[0].lineno if inner else (node.end_lineno or 0) + 1
            yield begin, max(behind, begin + 1)


def _rewritten(node: ast.AST) -> Iterator[Rewritten]:
    """Nodes, the kind of mistake, and what is written in their place."""
    yield from _at(node)
    for child in _children(node):
        yield from _rewritten(child)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What is computed: neither annotations nor texts, nor what an error says."""
    match node:
        case ast.FunctionDef():
            yield from [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]
        case ast.ClassDef():
            yield from node.body
        case ast.AnnAssign():
            yield from filter(None, [node.value])
        case ast.Raise() | ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.Assert():
            return
        case ast.keyword() if node.arg in SAID:
            return
        case ast.Subscript():
            yield node.value
            if not isinstance(node.slice, ast.Constant | ast.Name):
                yield node.slice
        case _:
            yield from ast.iter_child_nodes(node)


def _at(node: ast.AST) -> Iterator[Rewritten]:
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in COMPARED:
            ops = [COMPARED[type(op)](), *node.ops[1:]]
            yield node, "comparison", _text(ast.Compare(node.left, ops, node.comparators))
        case ast.BinOp() if type(node.op) in COMPUTED and not _of_text(node):
            other = ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)
            yield node, "arithmetic", _text(other)
        case ast.BoolOp():
            yield node, "and/or", _text(ast.BoolOp(JOINED[type(node.op)](), node.values))
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node, "sign", _text(node.operand)
        case ast.Constant(value=bool()):
            yield node, "constant", str(not node.value)
        case ast.Constant(value=int() | float()):
            yield node, "number", str(node.value + 1)
        case ast.If() | ast.IfExp() | ast.While():
            yield node.test, "condition", f"(not ({ast.unparse(node.test)}))"
        case ast.Call():
            yield from ((k, FORGOTTEN, "") for k in node.keywords if _is_choice(k))
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield node, "forgotten statement", "pass"
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield node, "forgotten statement", "pass"


def _is_choice(keyword: ast.keyword) -> bool:
    return keyword.arg is not None and keyword.arg not in SAID


def _of_text(node: ast.BinOp) -> bool:
    """Whether texts are joined."""
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )


def _text(node: ast.expr) -> str:
    return f"({ast.unparse(ast.fix_missing_locations(node))})"
