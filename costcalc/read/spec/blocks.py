"""Blocks. Definitions are read at the first call, so calls may precede them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from keyword import kwlist
from typing import Any

from ... import limits
from ...errors import Source, brief
from ...model.expr import CONSTANTS, FUNCTIONS, Function
from ...model.network import Block
from ...model.scope import SHAPE_NAMES
from ...ops import INDEX
from ...syntax.nodes import Node, compose
from ...syntax.problems import Problems
from . import args
from .args import BAD, Scope
from .layers import BODIES, CONTROLS, LayerReader

RESERVED = frozenset(["i", *kwlist, *CONSTANTS, *FUNCTIONS])  # names that cannot be variables in an expression
LONGEST = 1_000  # most characters of a signature


def signature(node: Node, problems: Problems) -> Any:
    """Parse a key such as `bottleneck(t, c, s=1)` to (name, [(parameter, default or None)]), or None if invalid."""
    name, paren, rest = node.value.strip().partition("(")
    if not args.is_name(name.strip()) or (paren and not rest.endswith(")")) or len(node.value) > LONGEST:
        help = "write a name and its parameters, as in `name(a, b=1)`"
        problems.add("bad-signature", f"`{brief(node.value)}` is not a signature", node, help)
        return None
    params: list[Any] = []
    for part in _split(rest[:-1]) if rest[:-1].strip() else []:
        param, equals, default = (piece.strip() for piece in part.partition("="))
        if not args.is_name(param) or param in (earlier for earlier, _ in params):
            what = "is given twice" if args.is_name(param) else "is not a parameter"
            problems.add("bad-signature", f"`{brief(part.strip())}` {what}", node, "a parameter is a name, or `name=1`")
            return None
        params.append((param, default if equals else None))
    return name.strip(), params


def _split(text: str) -> list[str]:
    """Split a text at commas outside parentheses."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts


class Library:
    """Blocks of one source, with the shipped blocks as fallback."""

    def __init__(
        self,
        source: Source,
        problems: Problems,
        node: Node | None,
        defaults: Mapping[str, dict[str, Node]],
        scope: Scope,
        shipped: Shipped | None,
    ) -> None:
        self.problems = problems
        self.shipped: Any = shipped
        self.reader = LayerReader(source, problems, self, defaults)
        self.scope = scope.with_layers(self.reader.check)
        self.source = source
        self.nodes: dict[str, Any] = {}
        self.done: dict[str, Any] = {}
        self.open: list[str] = []
        self.names_of_blocks: list[Any] = []
        for key, value in node.value if node is not None else ():
            found = signature(key, problems)
            if found and found[0] in self.nodes:
                where = f"the first is on line {self.nodes[found[0]][0].line}"
                problems.add("duplicate-key", f"two blocks are called `{found[0]}`", key, where)
            elif found and (found[0] in INDEX or found[0] in (*CONTROLS, *BODIES)):
                problems.add("name-taken", f"`{found[0]}` is an operation already", key, "give the block another name")
            elif found:
                self.nodes[found[0]] = key, value, found[1]

    def names(self) -> list[str]:
        """Names of all blocks."""
        return [*self.nodes, *(self.shipped.names() if self.shipped else ())]

    def has(self, name: str) -> bool:
        """Whether a block of that name exists."""
        return name in self.nodes or bool(self.shipped and self.shipped.has(name))

    def params(self, name: str) -> list[str]:
        """Parameters of a block."""
        if name in self.nodes:
            return [param for param, _ in self.nodes[name][2]]
        return self.shipped.params(name)

    def block(self, name: str, at: Any) -> Block | None:
        """Return the block of that name, or None if it cannot be read. `at` is the position of the call."""
        if name not in self.nodes:
            return self.shipped.block(name, at)
        if name in self.open:
            path = " -> ".join([*self.open[self.open.index(name) :], name])
            help = "a network is finite: `repeat: n` runs layers n times"
            self.problems.add("recursion", f"block `{name}` calls itself: {path}", at, help)
            return None
        if len(self.open) >= limits.BLOCK_DEPTH:
            self.problems.add(
                "limit", f"blocks call each other at most {limits.BLOCK_DEPTH} deep", at, limits.hint("block_depth")
            )
            self.problems.raise_any()
        if name not in self.done:
            self.open.append(name)
            self.done[name] = self._read(name)
            self.open.pop()
        return self.done[name]

    def read_all(self) -> None:
        """Read all blocks, called or not, to find all problems."""
        for name, (key, _, _) in self.nodes.items():
            self.block(name, key)
        for names in self.names_of_blocks:
            names.check_left()

    def _read(self, name: str) -> Block:
        key, body, params = self.nodes[name]
        names = tuple(param for param, _ in params)
        for param in names:
            reader = self._reader(param)
            if param in RESERVED or reader:
                what = f"is a variable that `{reader}` reads" if reader else "is already defined"
                self.problems.add("name-taken", f"`{brief(param)}` {what}", key, "give the parameter another name")
        outer = self.reader.names
        self.reader.names = own = outer.of_block(names)
        self.names_of_blocks.append(own)
        defaults = self._defaults(key, params)
        steps = self.reader.steps(body, self.scope.inside(params=self.scope.params.union(names)))
        self.reader.names = outer
        for param in sorted(own.tensors & defaults.keys()):
            help = "every call must name a layer; remove the default"
            self.problems.add("bad-signature", f"`{param}` names a layer and has no default", key, help)
        return Block(name, names, defaults, steps, self.source, frozenset(own.tensors), frozenset(own.lists))

    def _reader(self, name: Any) -> str | None:
        """Name of a function of the spec that reads a variable of this name. A parameter would shadow the variable."""
        functions = (one for one, *_ in self.scope.functions.values() if type(one) is Function)
        return next((one.name for one in functions if name in one.body.names - set(one.params)), None)

    def _defaults(self, key: Node, params: list[tuple[str | None, ...]]) -> Any:
        """Read default arguments. Each may use the parameters before it."""
        defaults = {}
        earlier: list[Any] = []
        for param, text in params:
            if text is not None:
                node = key._replace(value=text.strip())
                value = args.argument(node, self.scope.inside(*earlier), self.problems)
                defaults[param] = value
            elif defaults and value is not BAD:
                message = f"`{param}` needs a default because the parameter before it has one"
                self.problems.add("bad-signature", message, key, f"write `{param}=1`")
            earlier.append(param)
        return defaults


@lru_cache(1)
def shipped_library() -> Library:
    """Blocks of costcalc/blocks.yaml."""
    path = os.path.join(os.path.dirname(__file__), *[os.pardir] * 2, "blocks.yaml")
    with open(path, encoding="utf-8") as file:
        source = Source("costcalc/blocks.yaml", file.read())
    problems = Problems(source)
    scope = Scope(SHAPE_NAMES, FUNCTIONS)
    library = Library(source, problems, compose(source), {}, scope, None)
    library.read_all()
    problems.raise_any()
    return library


class Shipped:
    """The shipped blocks. Their file is read only when the spec does not define a name."""

    def names(self) -> list[str]:
        """Names of all shipped blocks."""
        return shipped_library().names()

    def has(self, name: str) -> bool:
        """Whether a shipped block of that name exists."""
        return shipped_library().has(name)

    def params(self, name: str) -> Any:
        """Parameters of a shipped block."""
        return shipped_library().params(name)

    def block(self, name: str, at: Node) -> Block | None:
        """Return a shipped block."""
        return shipped_library().block(name, at)
