"""Options and expressions: convert text of the file to checked arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import BadExpression, Refused, brief, nearest
from ...model import expr
from ...model.binding import is_mixed_up
from ...model.network import is_dynamic
from ...ops import INDEX

if TYPE_CHECKING:
    from ...num.values import Shape
    from ...ops.base import Option
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems


WORDS = frozenset(["same", "valid", "global", "nearest", "bilinear", "mean", "sum", "max"]) | frozenset(
    ["channels", "features", "height", "width", "depth", "length", "tokens"]
)


class Bad:
    """Placeholder for an argument that could not be read. Its problem is already recorded."""


BAD = Bad()


class Scope:
    """Names defined at a point of the file: variables, parameters, functions, and keys of tables."""

    def __init__(
        self,
        names: Iterable[str],
        functions: Mapping[str, Any],
        params: Iterable[str] = frozenset(),
        words: frozenset[str] = frozenset(),
        layers: Callable[[Node], None] | None = None,
    ) -> None:
        self.names, self.functions, self.params = frozenset(names), functions, frozenset(params)
        self.known = self.names | self.params
        self.words, self.layers = words, layers  # `layers` checks the name of a layer; None outside of layers
        self.cache: dict[str, Any] = {}
        self._looped: Scope | None = None

    def looped(self) -> Scope:
        """The scope inside a repeat, which defines `i`."""
        if self._looped is None:
            self._looped = self.inside("i")
        return self._looped

    def inside(self, *names: Any, params: frozenset[str] | None = None) -> Scope:
        """Copy of the scope with more names. `params` is given for the body of a block."""
        params = self.params if params is None else params
        return Scope(self.names | set(names), self.functions, params, self.words, self.layers)

    def with_layers(self, check: Callable[[Node], None]) -> Scope:
        """Copy of the scope in which expressions may read the sizes of layers."""
        return Scope(self.names, self.functions, self.params, self.words, check)


def number(
    node: Node, scope: Scope, problems: Problems, what: str = "a number or an expression", several: bool = False
) -> Any:
    """Read a number, a condition or an expression. `several`: several numbers would be valid too."""
    if node.kind != "scalar":
        problems.due("not-a-number", what, node, "write one value, such as 32 or floor(alpha * 32)")
        return BAD
    text = node.value
    if len(text) < 16 and text.isdigit() and text.isascii():
        return int(text)
    cached = scope.cache.get(text)
    if cached is not None:
        return _read(cached, node, scope, problems)
    try:
        parsed = expr.parse(text, scope.known, scope.functions)
        value = parsed if parsed.names else parsed.value({})
    except BadExpression as error:
        _note_bad(error, node, problems, several)
        return BAD
    except (ArithmeticError, ValueError, TypeError, Refused) as error:
        problems.add("bad-expression", f"`{brief(text)}` has no value: {error}", node)
        return BAD
    scope.cache[text] = value
    return _read(value, node, scope, problems)


def _read(value: Any, node: Node, scope: Scope, problems: Problems) -> Any:
    """Check the layer names in a value. They are not cached, because they can differ elsewhere in the file."""
    if type(value) is not expr.Expr or not value.layers:
        return value
    if scope.layers is None:
        help = "the sizes of layers are known in `layers:` and `blocks:`"
        problems.add("bad-expression", f"`{brief(node.value)}` reads the size of a layer", node, help)
        return BAD
    for name, column in value.layers:
        scope.layers(part_of(node, name, column + len(node.value) - len(node.value.lstrip())))
    return value


def part_of(node: Node, text: str, column: int) -> Node:
    """Node for a part of a node's text, with its exact position if the text is as written in the file."""
    quotes = 0 if node.plain else 2
    if node.width != len(node.value) + quotes:
        return node._replace(value=text)
    return node._replace(value=text, column=node.column + quotes // 2 + column, width=len(text), plain=True)


def _note_bad(error: BadExpression, node: Node, problems: Problems, several: bool) -> None:
    """Record the problem of an expression, at the exact character if the text is as written in the file."""
    from .hints import expression_hint

    text, quotes = node.value, 0 if node.plain else 2
    at = node.at
    if node.width == len(text) + quotes:
        blanks = len(text) - len(text.lstrip())
        at = (node.line, node.column + quotes // 2 + blanks + error.column, error.width)
    problems.add(error.code, error.message, at, expression_hint(text, error, several))


def placed(value: Any, node: Node) -> Any:
    """Attach the position of the node to an expression. Other values are returned unchanged."""
    if type(value) is not expr.Expr:
        return value
    return value.placed(node.at)


def sizes(node: Node, scope: Scope, problems: Problems) -> Any:
    """Read `3x3`, a number, an expression, or a list of them, possibly nested."""
    if node.kind == "list":
        items = tuple(sizes(item, scope, problems) for item in node.value[: limits.RANK + 1])
        return BAD if _is_long(node, items, problems) or any(item is BAD for item in items) else items
    if node.kind == "scalar" and _is_kernel(node.value):
        items = tuple(int(part) for part in node.value.split("x"))
        return BAD if _is_long(node, items, problems) else items
    return number(node, scope, problems, several=True)


def numbers(node: Node, scope: Scope, problems: Problems) -> Any:
    """Read a list of numbers or expressions of any length."""
    if node.kind != "list":
        problems.due("not-a-list", "a list of numbers", node, "write one for each, as in [0.7, 0.3]")
        return BAD
    items = tuple(number(item, scope, problems) for item in node.value)
    return BAD if any(item is BAD for item in items) else items


def _is_kernel(text: str) -> bool:
    """Whether a text has the form `3x3`."""
    parts = text.split("x")
    return len(parts) > 1 and text.isascii() and all(part.isdigit() and len(part) < 10 for part in parts)


def is_name(text: str) -> bool:
    """Whether a text is a valid name: ASCII letters, digits and underscores."""
    return text.isascii() and text.isidentifier()


def word(node: Node, words: tuple[str, ...], scope: Scope, problems: Problems, read: Callable[..., Any]) -> Any:
    """Read one of a kind's words or a parameter that may hold one; otherwise use `read`."""
    if node.kind == "scalar" and node.value in words and node.value not in scope.params:
        return node.value
    if node.kind == "scalar" and words and is_name(node.value) and node.value not in scope.known:
        problems.unknown("word", node.value, node, words)
        return BAD
    return read(node, scope, problems)


def _is_long(node: Node, items: tuple[Any, ...], problems: Problems) -> bool:
    """Record a list that is longer than the rank of any tensor."""
    if len(items) > limits.RANK:
        problems.add("limit", f"at most {limits.RANK} values are allowed here, one per axis of a tensor", node)
    return len(items) > limits.RANK


def text(node: Node, scope: Scope | None, problems: Problems, what: str = "a text", most: int = 2_000) -> str | Bad:
    """Read free text, which is never evaluated."""
    if node.kind != "scalar":
        problems.due("not-text", what, node, "write one value, in quotes if it has special characters")
    elif len(node.value) > most:
        problems.add("limit", f"{what} has at most {most:,} characters", node)
    else:
        return node.value
    return BAD


def shape(node: Node, scope: Scope, problems: Problems) -> Any:
    """Read a list of sizes, or `{height: .., width: .., channels: ..}`."""
    if node.kind == "map":
        return _named_shape(node, scope, problems)
    if node.kind != "list" or not node.value:
        problems.due("bad-shape", "a shape", node, "write [height, width, channels], as in [224, 224, 3]")
        return BAD
    items = tuple(number(item, scope, problems) for item in node.value[: limits.RANK + 1])
    return BAD if _is_long(node, items, problems) or any(item is BAD for item in items) else items


_ORDERS = (
    ("channels",),
    ("features",),
    ("length", "channels"),
    ("tokens", "features"),
    ("height", "width", "channels"),
    ("depth", "height", "width", "channels"),
)


def _named_shape(node: Node, scope: Scope, problems: Problems) -> Bad | Shape:
    named = {key.value: number(value, scope, problems) for key, value in node.value}
    for order in _ORDERS:
        if set(order) == set(named):
            items = tuple(named[name] for name in order)
            return BAD if any(item is BAD for item in items) else items
    known = "; ".join(", ".join(order) for order in _ORDERS)
    problems.add("bad-shape", "these names do not form a shape", node, f"one of: {known}")
    return BAD


def argument(node: Node, scope: Scope, problems: Problems) -> Any:
    """Read an argument of a block: an expression, a kernel such as `3x3`, or a word such as `relu` or `same`."""
    if node.kind == "scalar":
        value = node.value
        words = value in INDEX or value in WORDS or value in scope.words
        if words and value not in scope.known and value not in expr.CONSTANTS:
            return value
        if is_name(value) and not any(value in names for names in (scope.known, scope.functions, expr.CONSTANTS)):
            _note_unknown(node, scope, problems)
            return BAD
    return sizes(node, scope, problems)


def table(node: Node, scope: Scope, problems: Problems) -> Any:
    """Read the value of a variable: an argument, a list, or a map with words or integers as keys, possibly nested."""
    if node.kind == "list":
        items = tuple(table(item, scope, problems) for item in node.value)
        return BAD if BAD in items else items
    if node.kind != "map":
        return argument(node, scope, problems)
    found = {}
    for key, value in node.value:
        if not (is_name(key.value) or (key.value.isascii() and key.value.isdigit() and len(key.value) < 10)):
            problems.add(
                "bad-name", f"`{brief(key.value)}` cannot be looked up", key, "a key is a name or a whole number"
            )
        found[int(key.value) if key.value.isdigit() else key.value] = table(value, scope, problems)
    return BAD if BAD in found.values() else found


def keys(node: Node) -> set[str]:
    """Words used as keys of a table, nested tables included."""
    inside = node.value if node.kind == "list" else [value for _, value in node.value] if node.kind == "map" else ()
    own = [key.value for key, _ in node.value] if node.kind == "map" else ()
    return {key for key in own if is_name(key)}.union(*map(keys, inside))


def _note_unknown(node: Node, scope: Scope, problems: Problems) -> None:
    from .hints import TRUTHS

    message, known = f"unknown variable `{brief(node.value)}`", [*scope.known, *scope.words, *INDEX, *WORDS]
    help = TRUTHS.get(node.value) or nearest(node.value, known)
    problems.add("unknown-variable", message, node, help or "a variable is declared under `vars:`")


_FORMS = {
    "number": lambda node, kind, scope, problems: word(node, kind.words, scope, problems, number),
    "kernel": lambda node, kind, scope, problems: word(node, kind.words, scope, problems, sizes),
    "numbers": lambda node, kind, scope, problems: numbers(node, scope, problems),
    "padding": lambda node, kind, scope, problems: word(node, kind.words, scope, problems, sizes),
    "word": lambda node, kind, scope, problems: word(node, kind.words, scope, problems, number),
    "shape": lambda node, kind, scope, problems: shape(node, scope, problems),
    "text": lambda node, kind, scope, problems: text(node, scope, problems),
}


def option(node: Node, option: Option, scope: Scope, problems: Problems) -> Any:
    """Read the value of an option. Constants are checked immediately."""
    kind = option.kind
    value = _FORMS[kind.form](node, kind, scope, problems)
    if value is BAD or is_dynamic(value):
        return value
    try:
        if not is_mixed_up(value, kind):
            return kind.bind(value)
    except Refused as error:
        help = error.help or f"`{option.name}` is {kind.doc}"
        problems.add("bad-value", f"`{option.name}`: {error.message}", node, help)
        return BAD
    except TypeError:
        pass
    what = node.what.replace("a list", "this list")
    problems.add("bad-value", f"`{option.name}` cannot be {what}", node, f"it is {kind.doc}")
    return BAD
