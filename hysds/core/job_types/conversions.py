"""Conversions of parameters: the `lambda` of a hysds-io file, where it is one of the few forms that are known here.

HySDS evaluates them. Here they are parsed with `ast`, and each node of the tree is one that this file knows how to
carry out, or the whole is refused: no name is looked up, no attribute is taken, nothing is evaluated. Known are, over
the one argument: `int float str bool len`, `json.loads json.dumps`, the methods of texts and objects in `_METHODS`,
constant subscripts and slices, `==` and `!=`, and a list of one of these for each element: `[int(y) for y in x]`.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from typing import Any

from hysds.core import json_text

MAX_SOURCE = 500
"""Characters of a conversion."""
MAX_TEXT = 1_000_000
"""Characters of a text that a conversion may make; no job's spec holds more."""

_Names = Mapping[str, Any]
_Step = Callable[[_Names], Any]
_MISTAKES = (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError)


class Conversion:
    """What a lambda does, as the steps that it is made of."""

    def __init__(self, source: str, argument: str, step: _Step) -> None:
        self._source = source
        self._argument = argument
        self._step = step

    def apply(self, value: Any) -> Any:
        """The converted value, a JSON value.

        Raises: ValueError, with the reason, where this value can't be converted.
        """
        try:
            made = self._step({self._argument: value})
            json.dumps(made, allow_nan=False)
        except _MISTAKES as error:
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(
                f"{json_text.shown(value)} can't be converted by {self._source!r}: {reason}"
            ) from error
        return made


def parsed(source: str) -> Conversion:
    """The conversion that a lambda is.

    Raises: ValueError, saying what in it is not known here.
    """
    if len(source) > MAX_SOURCE:
        raise ValueError(f"is longer than {MAX_SOURCE} characters")
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError("is no Python expression") from error
    if not isinstance(tree, ast.Lambda):
        raise ValueError("is no lambda")
    argument = _only_argument(tree.args)
    return Conversion(source.strip(), argument, _step(tree.body, frozenset({argument})))


def _only_argument(arguments: ast.arguments) -> str:
    others = (arguments.posonlyargs, arguments.kwonlyargs, arguments.defaults, arguments.kw_defaults)
    if len(arguments.args) != 1 or any(others) or arguments.vararg or arguments.kwarg:
        raise ValueError("must have one argument, without a default")
    return arguments.args[0].arg


# ---- from a node to what it does -----------------------------------------------------------------------------------


def _step(node: ast.expr, names: frozenset[str]) -> _Step:
    kind = _KINDS.get(type(node))
    if kind is None:
        raise _unknown(node)
    return kind(node, names)


def _unknown(node: ast.expr) -> ValueError:
    return ValueError(f"{_shown(node)} is not among the conversions that are known")


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _constant(node: ast.expr) -> Any:
    """The value of a constant, a negative number included."""
    is_negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if is_negative and isinstance(node, ast.UnaryOp) else node
    value: Any = inner.value if isinstance(inner, ast.Constant) else ...
    if is_negative and type(value) in (int, float):
        return -value
    if is_negative or not (value is None or isinstance(value, str | int | float)):
        raise _unknown(node)
    return value


def _of_constant(node: Any, names: frozenset[str]) -> _Step:
    value = _constant(node)
    return lambda given: value


def _of_name(node: Any, names: frozenset[str]) -> _Step:
    name: str = node.id
    if name not in names:
        raise _unknown(node)
    return lambda given: given[name]


def _of_subscript(node: Any, names: frozenset[str]) -> _Step:
    inner = _step(node.value, names)
    if isinstance(node.slice, ast.Slice):
        bounds = [None if part is None else _index(part) for part in (node.slice.lower, node.slice.upper)]
        if node.slice.step is not None:
            raise _unknown(node)
        return lambda given: inner(given)[bounds[0] : bounds[1]]
    key = _constant(node.slice)
    return lambda given: inner(given)[key]


def _index(node: ast.expr) -> int:
    value = _constant(node)
    if type(value) is not int:
        raise _unknown(node)
    return value


def _of_comparison(node: Any, names: frozenset[str]) -> _Step:
    if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
        raise _unknown(node)
    left, right = _step(node.left, names), _step(node.comparators[0], names)
    wanted = isinstance(node.ops[0], ast.Eq)
    return lambda given: (left(given) == right(given)) is wanted


def _of_list(node: Any, names: frozenset[str]) -> _Step:
    """`[… for y in …]`, without conditions."""
    each = node.generators[0]
    if len(node.generators) != 1 or each.ifs or each.is_async or not isinstance(each.target, ast.Name):
        raise _unknown(node)
    if isinstance(node.elt, ast.ListComp) or any(
        isinstance(part, ast.ListComp) for part in ast.walk(each.iter)
    ):
        raise _unknown(node)
    name = each.target.id
    whole, one = _step(each.iter, names), _step(node.elt, names | {name})
    return lambda given: [one({**given, name: part}) for part in _list(whole(given))]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{json_text.kind(value)} is no list")
    return value


def _of_call(node: Any, names: frozenset[str]) -> _Step:
    if node.keywords:
        raise _unknown(node)
    function = node.func
    if isinstance(function, ast.Name) and function.id in _FUNCTIONS and function.id not in names:
        return _applied(_FUNCTIONS[function.id], node, names)
    if not isinstance(function, ast.Attribute):
        raise _unknown(node)
    if isinstance(function.value, ast.Name) and function.value.id == "json" and "json" not in names:
        if function.attr in _JSON:
            return _applied(_JSON[function.attr], node, names)
        raise _unknown(node)
    if function.attr == "join":
        return _joined(node, names)
    return _method(node, names)


def _applied(carry_out: Callable[[Any], Any], node: ast.Call, names: frozenset[str]) -> _Step:
    if len(node.args) != 1:
        raise _unknown(node)
    inner = _step(node.args[0], names)
    return lambda given: carry_out(inner(given))


def _method(node: Any, names: frozenset[str]) -> _Step:
    owner, counts = _METHODS.get(node.func.attr, (None, range(0)))
    if owner is None or len(node.args) not in counts:
        raise _unknown(node)
    inner, name = _step(node.func.value, names), node.func.attr
    arguments = [_constant(argument) for argument in node.args]

    def call(given: _Names) -> Any:
        value: Any = inner(given)
        if not isinstance(value, owner):
            raise TypeError(f"{json_text.kind(value)} has no {name}")
        if name == "replace":
            _bound((len(str(value)) + 1) * max(1, len(str(arguments[1]))))
        return getattr(value, name)(*arguments)

    return call


def _joined(node: Any, names: frozenset[str]) -> _Step:
    between = _constant(node.func.value)
    if not isinstance(between, str) or len(node.args) != 1:
        raise _unknown(node)
    inner = _step(node.args[0], names)

    def join(given: _Names) -> str:
        parts = _list(inner(given))
        _bound(len(parts) * len(between))
        return between.join(parts)

    return join


def _bound(length: int) -> None:
    if length > MAX_TEXT:
        raise ValueError(f"it would be longer than {MAX_TEXT} characters")


_KINDS: Mapping[type, Callable[[Any, frozenset[str]], _Step]] = {
    ast.Name: _of_name,
    ast.Constant: _of_constant,
    ast.UnaryOp: _of_constant,
    ast.Call: _of_call,
    ast.Subscript: _of_subscript,
    ast.Compare: _of_comparison,
    ast.ListComp: _of_list,
}
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "len": len,
}
_JSON: Mapping[str, Callable[[Any], Any]] = {"loads": json.loads, "dumps": json.dumps}
_METHODS: Mapping[str, tuple[type, range]] = {
    "strip": (str, range(2)),
    "lstrip": (str, range(2)),
    "rstrip": (str, range(2)),
    "lower": (str, range(1)),
    "upper": (str, range(1)),
    "split": (str, range(3)),
    "rsplit": (str, range(3)),
    "replace": (str, range(2, 3)),
    "startswith": (str, range(1, 2)),
    "endswith": (str, range(1, 2)),
    "get": (dict, range(1, 3)),
}
"""Each with what has it, and how many constants it may be given."""
