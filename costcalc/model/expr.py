"""Spec arithmetic: parse a text to a checked `Expr`, which can be evaluated in an environment of names.

The language: numbers, names, `+ - * / // % **`, comparisons, `and or not`, `a if c else b`, table lookups
(`depths[i]`), sizes of named layers (`skip.height`), the functions below and those of `define`. Python's parser builds
the syntax tree, and only whitelisted nodes are accepted; `eval` is never used.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Mapping, Set
from functools import lru_cache
from itertools import pairwise
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NoReturn

from .. import limits, num
from ..errors import BadExpression, Refused, brief, listed, named, nearest
from ..records import NamedTuple
from .tables import looked_up

if TYPE_CHECKING:
    from ..num.values import Number


FUNCTIONS = {  # name -> (function, fewest arguments, most arguments)
    "min": (num.minimum, 2, 16),
    "max": (num.maximum, 2, 16),
    "floor": (num.floor, 1, 1),
    "ceil": (num.ceil, 1, 1),
    "round": (num.nearest, 1, 1),
    "divisible": (num.divisible, 1, 3),
}
CONSTANTS = {"true": True, "false": False}
SIZES = frozenset(("channels", "features", "length", "tokens", "depth", "height", "width", "shape"))
LAYERS = ""  # environment key of the function (name, run, size) -> the size of a named layer

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789 .,()[]+-*/%<>=!")
_NUMBER = frozenset("0123456789.eE+-")
_DIGITS = frozenset("0123456789.")
_SHORT = 80  # characters of a text whose tree is cached
_LARGEST = 1e60  # largest product or quotient
_UNCOMPUTABLE = (ArithmeticError, ValueError, TypeError, LookupError, Refused)


def _bounded(apply: Callable[..., Any], a: Any, b: float) -> Number:
    """Apply an arithmetic operator; refuse results that are too large."""
    if type(a) in (str, tuple) or type(b) in (str, tuple):
        raise TypeError  # Python would repeat the sequence
    return num.bounded(apply(a, b), _LARGEST)


def _power(a: Number, b: Number) -> Number:
    if type(a) in (str, tuple, dict) or type(b) in (str, tuple, dict):
        raise TypeError
    return num.power(a, b, _LARGEST)


def _divided(apply: Callable[..., Any], a: Number, b: Number) -> Number:
    if type(a) is str:
        raise TypeError  # Python's `%` would format the string
    return num.bounded(apply(a, num.divisor(a, b)), _LARGEST)


_ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: lambda a, b: _bounded(operator.mul, a, b),
    ast.Div: lambda a, b: _divided(operator.truediv, a, b),
    ast.FloorDiv: lambda a, b: _divided(num.floor_div, a, b),
    ast.Pow: _power,
    ast.Mod: lambda a, b: _divided(num.remainder, a, b),
}
_COMPARISONS = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: num.equal,
    ast.NotEq: lambda a, b: num.negate(num.equal(a, b)),
}


class Expr:
    """A checked expression: its text, the names it reads, `value(env)`, and the amount of work to evaluate it.

    `at` is its place in the file (line, column, width), if known. `layers` are the layers whose sizes it reads, each
    with its column in the text.
    """

    __slots__ = ("at", "depth", "layers", "names", "steps", "text", "value")

    def __init__(
        self,
        text: str,
        names: frozenset[str],
        value: Any,
        steps: int = 1,
        depth: int = 1,
        at: tuple[int, ...] | None = None,
        layers: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.text, self.names, self.value = text, names, value
        self.steps, self.depth, self.at, self.layers = steps, depth, at, layers

    def placed(self, at: tuple[int, ...]) -> Expr:
        """The same expression with its place in the file."""
        return Expr(self.text, self.names, self.value, self.steps, self.depth, at, self.layers)


class Function(NamedTuple):
    """A function from `define:` with its parameters and body."""

    name: str
    params: tuple[str, ...]
    body: Expr

    def apply(self, env: Mapping[str, Any], args: list[int]) -> Number:
        """Evaluate the body with the caller's names and the parameters."""
        return self.body.value({**env, **dict(zip(self.params, args, strict=True))})


def parse(text: str, known: Set[str], functions: Mapping[str, tuple[Any, int, int]]) -> Expr:
    """Parse a text to an `Expr`.

    `known` holds the allowed names; `functions` maps names to (function, fewest arguments, most arguments).
    Raises `BadExpression` at the first part that is not in the language.
    """
    text = text.strip()
    _scan(text)
    if text in CONSTANTS:
        return Expr(text, frozenset(), lambda env: CONSTANTS[text], 1, 0)
    if text in known and text.isidentifier() and not iskeyword(text):
        return Expr(text, frozenset((text,)), lambda env: env[text], 1, 0)
    builder = _Builder(text, known, functions)
    value = builder.build(_tree(text), 0)
    return Expr(text, frozenset(builder.names), value, builder.steps, builder.deepest, None, tuple(builder.layers))


def _tree(text: str) -> ast.AST:
    """Python's syntax tree, with columns relative to `text`. Trees are cached and must not be modified."""
    try:
        return _known_tree(text) if len(text) <= _SHORT else _new_tree(text)
    except (SyntaxError, Warning, RecursionError, MemoryError, ValueError) as error:
        column = min(max((getattr(error, "offset", None) or 1) - 1, 0), max(len(text) - 1, 0))
        width = 1 if column else len(text)  # column 0: Python reports the expression as a whole
        raise BadExpression("bad-expression", f"`{brief(text)}` is not an expression", column, width) from None


def _new_tree(text: str) -> ast.AST:
    joined = any(a in _DIGITS and b.isalpha() for a, b in pairwise(text))  # as in `3if`: Python warns
    if not joined:
        return ast.parse(text, mode="eval").body
    with warnings.catch_warnings():  # make the warning an error; slow, so only if needed
        warnings.simplefilter("error")
        return ast.parse(text, mode="eval").body


_known_tree = lru_cache(512)(_new_tree)


def _scan(text: str) -> None:
    """Refuse texts that are too long, empty, or contain characters outside the language."""
    if len(text) > limits.EXPRESSION_CHARS:
        message = f"an expression has at most {limits.EXPRESSION_CHARS:,} characters"
        raise _over(text, "chars", message, "a part of it can be a function under `define:`")
    if not _ALLOWED.issuperset(text):
        at = next(at for at, char in enumerate(text) if char not in _ALLOWED)
        raise BadExpression("bad-expression", f"{named(text[at])} is not allowed in an expression", at)
    if not text:
        raise BadExpression("bad-expression", "a number or an expression is missing")


def _over(text: str, limit: str, message: str, help: str | None = None) -> BadExpression:
    return BadExpression("limit", message, 0, len(text), limits.hint(f"expression_{limit}", help))


class _Builder:
    """Compiles a syntax tree to nested functions of an environment."""

    def __init__(self, text: str, known: Set[str], functions: Mapping[str, tuple[Any, int, int]]) -> None:
        self.text, self.known, self.functions = text, known, functions
        self.names: set[str] = set()
        self.layers: list[tuple[str, int]] = []
        self.steps, self.deepest = 0, 0
        self.most_steps, self.most_depth = limits.EXPRESSION_STEPS, limits.EXPRESSION_DEPTH

    def build(self, node: ast.AST, depth: int) -> Callable[..., Any]:
        self.work(1, depth)
        rule = _RULES.get(type(node))
        if rule is None:
            self.fail("bad-expression", "this is not part of the expression language", node)
        return rule(self, node, depth + 1)

    def work(self, steps: int, depth: int) -> None:
        """Count the work of a node; refuse expressions that take too long or nest too deep."""
        self.steps, self.deepest = self.steps + steps, max(self.deepest, depth)
        if self.steps > self.most_steps or self.deepest > self.most_depth:
            most = f"{self.most_depth} levels and {self.most_steps:,} steps, including those of functions"
            limit = "depth" if self.deepest > self.most_depth else "steps"
            raise _over(self.text, limit, f"an expression has at most {most}")

    def fail(self, code: str, message: str, node: Any, help: Any = None) -> NoReturn:
        width = max(node.end_col_offset - node.col_offset, 1) if node.lineno == node.end_lineno else 1
        raise BadExpression(code, message, node.col_offset, width, help)

    def constant(self, node: Any, depth: int) -> Callable[..., Any]:
        value = node.value
        if type(value) not in (int, float) or not _NUMBER.issuperset(self.text[node.col_offset : node.end_col_offset]):
            word = f"`{value}` is not allowed in an expression" if type(value) in (bool, type(None)) else ""
            self.fail("bad-expression", word or "only decimal numbers are allowed here", node)
        if not abs(value) < 10**limits.DIGITS:
            self.fail(
                "limit", f"a number has at most {limits.DIGITS} digits", node, f"sizes are at most {limits.SIZE:,}"
            )
        return lambda env: value

    def name(self, node: Any, depth: int) -> Callable[..., Any]:
        name = node.id
        if name in CONSTANTS:
            return lambda env: CONSTANTS[name]
        if name not in self.known:
            if name in self.functions:
                self.fail("bad-expression", f"`{name}` is a function", node, f"call it: `{name}(..)`")
            known = sorted(self.known)
            there = f"known here: {listed(known[:30])}; " if known else ""
            hint = nearest(name, known) or f"{there}a variable is declared under `vars:`"
            self.fail("unknown-variable", f"unknown variable `{brief(name)}`", node, hint)
        self.names.add(name)
        return lambda env: env[name]

    def binary(self, node: Any, depth: int) -> Callable[..., Any]:
        apply = _ARITHMETIC.get(type(node.op))
        if apply is None:
            self.fail("bad-expression", "the operators are `+ - * / // % **`", node)
        left, right = self.build(node.left, depth), self.build(node.right, depth)
        return lambda env: apply(left(env), right(env))

    def unary(self, node: Any, depth: int) -> Callable[..., Any]:
        operand = self.build(node.operand, depth)
        if isinstance(node.op, ast.USub):
            return lambda env: -operand(env)
        return (lambda env: num.negate(operand(env))) if isinstance(node.op, ast.Not) else operand

    def size(self, node: Any, depth: int) -> Callable[..., Any]:
        """A size of a named layer: `skip.height`, `skips[i].channels`; `skip.shape` is all its sizes."""
        owner: Any = node.value
        index = None
        if isinstance(owner, ast.Subscript) and not isinstance(owner.slice, (ast.Slice, ast.Tuple)):
            owner, index = owner.value, self.build(owner.slice, depth)
        if not isinstance(owner, ast.Name):
            self.fail("bad-expression", "this is not part of the expression language", node)
        if node.attr not in SIZES:
            help = nearest(node.attr, SIZES) or f"a layer has {listed(sorted(SIZES))}"
            self.fail("bad-expression", f"`{brief(node.attr)}` is not a size of a layer", node, help)
        name, axis = owner.id, node.attr
        self.names.add(f"{name}.{axis}")
        self.layers.append((name, owner.col_offset))
        if index is None:
            return lambda env: env[LAYERS](name, None, axis)
        return lambda env: env[LAYERS](name, index(env), axis)

    def item(self, node: Any, depth: int) -> Callable[..., Any]:
        if not isinstance(node.value, (ast.Name, ast.Subscript, ast.Attribute)):
            self.fail("bad-expression", "only tables of `vars:` can be indexed", node)
        if isinstance(node.slice, (ast.Slice, ast.Tuple)):
            self.fail("bad-expression", "only single values can be looked up", node.slice, "write `depths[i]`")
        name = self.text[node.value.col_offset : node.value.end_col_offset]
        table, index = self.build(node.value, depth), self.build(node.slice, depth)
        return lambda env: looked_up(table(env), index(env), name)

    def boolean(self, node: Any, depth: int) -> Callable[..., Any]:
        parts = [self.build(value, depth) for value in node.values]
        join = num.both if isinstance(node.op, ast.And) else num.either
        return lambda env: _fold(join, parts, env)

    def compare(self, node: Any, depth: int) -> Callable[..., Any]:
        tests = [_COMPARISONS.get(type(op)) for op in node.ops]
        if None in tests:
            self.fail("bad-expression", "the comparisons are `< <= > >= == !=`", node)
        parts = [self.build(value, depth) for value in (node.left, *node.comparators)]
        triples = zip(tests, parts, parts[1:], strict=False)
        pairs = [lambda env, test=test, a=a, b=b: test(a(env), b(env)) for test, a, b in triples]
        return pairs[0] if len(pairs) == 1 else lambda env: _fold(num.both, pairs, env)

    def choice(self, node: Any, depth: int) -> Callable[..., Any]:
        test, yes, no = (self.build(part, depth) for part in (node.test, node.body, node.orelse))

        def value(env: Mapping[str, Any]) -> Number:
            condition = test(env)
            if isinstance(condition, (int, float)):  # the other branch may have no value
                return yes(env) if condition else no(env)
            return num.select(condition, _tried(yes, env), _tried(no, env))

        return value

    def call(self, node: Any, depth: int) -> Callable[..., Any]:
        name = getattr(node.func, "id", None)
        if name is None or node.keywords:
            self.fail("bad-expression", "only functions by name can be called", node)
        if name not in self.functions:
            hint = nearest(name, self.functions) or f"known: {listed(sorted(self.functions)[:30])}"
            self.fail("unknown-function", f"unknown function `{brief(name)}`", node.func, hint)
        function, fewest, most = self.functions[name]
        if not fewest <= len(node.args) <= most:
            due = f"{fewest} value{'s' * (fewest != 1)}" if fewest == most else f"{fewest} to {most} values"
            example = f"write `{name}({', '.join('abcdefgh'[:fewest])})`"
            self.fail("wrong-arguments", f"`{name}` takes {due}, got {len(node.args)}", node, example)
        args = [self.build(arg, depth) for arg in node.args]
        if isinstance(function, Function):
            self.work(function.body.steps, depth + function.body.depth)
            self.names |= function.body.names - set(function.params)
            return lambda env: _applied(function, env, [arg(env) for arg in args])
        return lambda env: function(*(arg(env) for arg in args))


def _applied(function: Function, env: Mapping[str, Any], args: list[int]) -> Number:
    return num.after(function.apply(env, args), *args)


def _tried(part: Callable[..., Any], env: Mapping[str, Any]) -> Number:
    """The value of a part that only some points need, or the exception if it has none."""
    try:
        return part(env)
    except _UNCOMPUTABLE as error:
        return error


def _fold(join: Callable[..., Any], parts: list[Callable[..., Any]], env: Mapping[str, Any]) -> Number:
    result = parts[0](env)
    for part in parts[1:]:
        plain = isinstance(result, (int, float))
        if plain and bool(result) is (join is num.either):  # short-circuit: `true or ..`, `false and ..`
            return bool(result)
        result = join(result, part(env) if plain else _tried(part, env))
    return result


_RULES = {
    ast.Constant: _Builder.constant,
    ast.Name: _Builder.name,
    ast.BinOp: _Builder.binary,
    ast.UnaryOp: _Builder.unary,
    ast.BoolOp: _Builder.boolean,
    ast.Compare: _Builder.compare,
    ast.IfExp: _Builder.choice,
    ast.Call: _Builder.call,
    ast.Subscript: _Builder.item,
    ast.Attribute: _Builder.size,
}
