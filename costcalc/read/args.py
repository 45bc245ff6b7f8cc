"""Options and expressions: text of the file becomes a checked argument."""

from .. import expr
from ..errors import Refused
from ..expr import BadExpression
from ..model import is_dynamic
from ..ops import INDEX

WORDS = frozenset(["same", "valid", "global", "nearest", "bilinear", "mean", "sum", "max"]) | frozenset(
    ["channels", "features", "height", "width", "depth", "length", "tokens"]
)
SHAPE_NAMES = frozenset(["channels", "features", "height", "width", "depth", "length", "tokens"])


class Bad:
    """Stands in for an argument that could not be read; its problem is noted already."""


BAD = Bad()


class Scope:
    """What names mean at a point of the file: variables, parameters, and functions."""

    def __init__(self, names, functions, params=frozenset(), cache=None):
        self.names, self.functions, self.params = frozenset(names), functions, frozenset(params)
        self.known = self.names | self.params
        self.cache = {} if cache is None else cache

    def inside(self, *names, params=None):
        """The same scope with more names; with `params`, that of a block's body."""
        params = self.params if params is None else params
        return Scope(self.names | set(names), self.functions, params)


def number(node, scope, problems, what="a number or an expression"):
    """A number, a condition or an expression."""
    if node.kind != "scalar":
        problems.add("not-a-number", f"{what} is due here, not a {node.kind}", node)
        return BAD
    text = node.value
    if len(text) < 16 and text.isdigit() and text.isascii():
        return int(text)
    cached = scope.cache.get(text)
    if cached is not None:
        return cached
    try:
        parsed = expr.parse(text, scope.known, scope.functions)
    except BadExpression as error:
        quote = 0 if node.plain else 1
        at = node.at if node.width == 1 else (node.line, node.column + quote + error.column, error.width)
        problems.add(error.code, error.message, at, error.help)
        return BAD
    value = parsed
    if not parsed.names:
        try:
            value = parsed.value({})
        except (ArithmeticError, ValueError, TypeError) as error:
            problems.add("bad-expression", f"`{text}` has no value: {error}", node)
            return BAD
    scope.cache[text] = value
    return value


def sizes(node, scope, problems):
    """`3x3`, a number, an expression, or a list of them, possibly of pairs."""
    if node.kind == "list":
        items = tuple(sizes(item, scope, problems) for item in node.value)
        return BAD if any(item is BAD for item in items) else items
    if node.kind == "scalar" and _is_kernel(node.value):
        return tuple(int(part) for part in node.value.split("x"))
    return number(node, scope, problems)


def _is_kernel(text):
    """Whether a text is written as `3x3`."""
    parts = text.split("x")
    return len(parts) > 1 and text.isascii() and all(part.isdigit() and len(part) < 10 for part in parts)


def is_name(text):
    """Whether a text is a name: letters, digits and underscores of ASCII."""
    return text.isascii() and text.isidentifier()


def word(node, words, scope, problems, read):
    """One of a kind's words, a parameter that may hold one, or what `read` makes of it."""
    if node.kind == "scalar" and node.value in words and node.value not in scope.params:
        return node.value
    if node.kind == "scalar" and words and is_name(node.value) and node.value not in scope.known:
        problems.unknown("word", node.value, node, words)
        return BAD
    return read(node, scope, problems)


def text(node, scope, problems):
    """Free text, never evaluated."""
    if node.kind != "scalar":
        problems.add("not-text", f"a text is due here, not a {node.kind}", node)
        return BAD
    return node.value


def shape(node, scope, problems):
    """A list of sizes, or `{height: .., width: .., channels: ..}`."""
    if node.kind == "map":
        return _named_shape(node, scope, problems)
    if node.kind != "list" or not node.value:
        problems.add("bad-shape", "a shape is a list such as [height, width, channels]", node)
        return BAD
    items = tuple(number(item, scope, problems) for item in node.value)
    return BAD if any(item is BAD for item in items) else items


_ORDERS = (
    ("channels",),
    ("features",),
    ("length", "channels"),
    ("tokens", "features"),
    ("height", "width", "channels"),
    ("depth", "height", "width", "channels"),
)


def _named_shape(node, scope, problems):
    named = {key.value: number(value, scope, problems) for key, value in node.value}
    for order in _ORDERS:
        if set(order) == set(named):
            items = tuple(named[name] for name in order)
            return BAD if any(item is BAD for item in items) else items
    known = "; ".join(", ".join(order) for order in _ORDERS)
    problems.add("bad-shape", "these names do not make a shape", node, f"one of: {known}")
    return BAD


def argument(node, scope, problems):
    """A value given to a block: an expression, a kernel such as `3x3`, or a word such as `relu` or `same`."""
    if node.kind == "scalar":
        value = node.value
        if value not in scope.known and value not in expr.CONSTANTS and (value in INDEX or value in WORDS):
            return value
    return sizes(node, scope, problems)


_FORMS = {
    "number": lambda node, kind, scope, problems: word(node, kind.words, scope, problems, number),
    "kernel": lambda node, kind, scope, problems: word(node, kind.words, scope, problems, sizes),
    "padding": lambda node, kind, scope, problems: word(node, kind.words, scope, problems, sizes),
    "word": lambda node, kind, scope, problems: word(node, kind.words, scope, problems, number),
    "shape": lambda node, kind, scope, problems: shape(node, scope, problems),
    "text": lambda node, kind, scope, problems: text(node, scope, problems),
}


def option(node, option, scope, problems):
    """The argument of one option of an operation, checked now if it is a constant."""
    kind = option.kind
    value = _FORMS[kind.form](node, kind, scope, problems)
    if value is BAD or is_dynamic(value):
        return value
    try:
        return kind.bind(value)
    except Refused as error:
        problems.add("bad-value", f"`{option.name}`: {error.message}", node, error.help)
    except TypeError:
        problems.add("bad-value", f"`{option.name}` is {kind.doc}", node)
    return BAD
