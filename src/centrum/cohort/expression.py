"""A tiny language for eligibility rules, read with Python's parser and never executed.

It has comparisons, `and`, `or`, `not`, `in`, brackets, numbers, text in quotes, lists,
column names and `missing(column)`. A comparison with a missing value is undecided
(None), and undecided parts combine by Kleene's three-valued logic: `or` is true if one
side is, `and` is false if one side is, whatever the other.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from textwrap import shorten

from centrum.cohort.levels import Level
from centrum.errors import CentrumError, ManifestError, ProtocolError

LONGEST = 1000
"""Characters of the longest expression that is read."""

Truth = bool | None
Row = Mapping[str, object]

_COMPARISONS: dict[type[ast.cmpop], Callable] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_GRAMMAR = (
    "Write comparisons such as `age < 18`, `level in ['C1', 'C2']` or `missing(sex)`, joined "
    "by and, or, not and brackets; text stands in quotes"
)


def parse(text: str) -> ast.expr:
    """The syntax tree of an expression; ProtocolError if it is not one of this language.

    >>> evaluate(parse("18 <= age <= 90 and not sex == 'm'"), {"age": 70.0, "sex": "F"})
    True
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise _refused(text, f"longer than {LONGEST} characters")
    try:
        tree = ast.parse(text, mode="eval").body
        _check_condition(tree, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refused(text, f"not readable ({error})") from error
    return tree


def columns(tree: ast.expr) -> set[str]:
    """Names of the columns that an expression reads."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = (n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called)
    return {name.id.casefold() for name in names}


def evaluate(tree: ast.expr, row: Row) -> Truth:
    """Whether the expression holds for a row; None if a missing value leaves it open.

    `row` maps lower-case column names to a number, text, Level or None (missing). Text is
    compared without regard to case. Raises ProtocolError when kinds do not compare.
    """
    match tree:
        case ast.BoolOp(op=op, values=parts):
            truths = [evaluate(part, row) for part in parts]
            return _all(truths) if isinstance(op, ast.And) else _not(_all(map(_not, truths)))
        case ast.UnaryOp(operand=part):
            return _not(evaluate(part, row))
        case ast.Call(args=[part]):
            return _value(part, row) is None
        case ast.Compare(left=left, ops=ops, comparators=rights):
            terms = [left, *rights]
            pairs = zip(terms, ops, rights, strict=False)
            return _all([_compare(a, op, b, row) for a, op, b in pairs])
    raise _refused(ast.unparse(tree), "not a condition")


def _all(truths: Iterable[Truth]) -> Truth:
    known = list(truths)
    return False if False in known else None if None in known else True


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, row: Row) -> Truth:
    if isinstance(op, ast.In | ast.NotIn):
        assert isinstance(right, ast.List | ast.Tuple | ast.Set)
        any_equal = _not(_all([_compare(left, ast.NotEq(), e, row) for e in right.elts]))
        return any_equal if isinstance(op, ast.In) else _not(any_equal)
    a, b = _value(left, row), _value(right, row)
    if a is None or b is None:
        return None
    try:
        return bool(_COMPARISONS[type(op)](*_alike(a, b)))
    except (TypeError, CentrumError) as error:
        kinds = f"{_kind(a)} and {_kind(b)} do not compare"
        note = f" ({error})" if isinstance(error, ManifestError) else ""
        raise _refused(f"{ast.unparse(left)} ... {ast.unparse(right)}", kinds + note) from error


def _alike(a: object, b: object) -> tuple[object, object]:
    """Text beside a level is a level; text is compared in lower case; kinds must agree."""
    if isinstance(a, Level) and isinstance(b, str):
        return a, Level.parse(b)
    if isinstance(b, Level) and isinstance(a, str):
        return Level.parse(a), b
    if isinstance(a, str) and isinstance(b, str):
        return a.casefold(), b.casefold()
    if _kind(a) != _kind(b):
        raise TypeError
    return a, b


def _kind(value: object) -> str:
    return {str: "text", Level: "a level"}.get(type(value), "a number")


def _value(term: ast.expr, row: Row) -> object:
    if isinstance(term, ast.Name):
        return row[term.id.casefold()]
    return ast.literal_eval(term)


def _check_condition(node: ast.expr, text: str) -> None:
    match node:
        case ast.BoolOp(values=parts):
            for part in parts:
                _check_condition(part, text)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            _check_condition(part, text)
        case ast.Call(func=ast.Name(id="missing"), args=[ast.Name()], keywords=[]):
            pass
        case ast.Compare(left=left, ops=ops, comparators=rights):
            _check_term(left, text)
            for op, right in zip(ops, rights, strict=True):
                _check_comparison(op, right, text)
        case _:
            raise _refused(text, f"{_source(node, text)} is not a condition")


def _check_comparison(op: ast.cmpop, right: ast.expr, text: str) -> None:
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(right, ast.List | ast.Tuple | ast.Set):
            raise _refused(text, f"`in` wants a list in brackets, not {_source(right, text)}")
        for element in right.elts:
            _check_term(element, text)
    elif type(op) in _COMPARISONS:
        _check_term(right, text)
    else:
        raise _refused(text, "`is` is not a comparison here")


def _check_term(node: ast.expr, text: str) -> None:
    match node:
        case ast.Name():
            return
        case ast.Constant(value=value) if type(value) in (str, int, float):
            return
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)) if type(value) in (
            int,
            float,
        ):
            return
    raise _refused(text, f"{_source(node, text)} is not a column, a number or text in quotes")


def _source(node: ast.expr, text: str) -> str:
    return repr(shorten(ast.get_source_segment(text, node) or text, 40))


def _refused(text: str, why: str) -> ProtocolError:
    return ProtocolError(f"the expression {shorten(text, 80)!r}: {why}. {_GRAMMAR}.")
