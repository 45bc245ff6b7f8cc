"""Layers as constructors of PyTorch modules. The layout of the tensor is tracked."""

from __future__ import annotations

import builtins
import json
import keyword
import re
from collections.abc import Iterator
from typing import Any

from ...errors import Problem, SpecError
from ...model.wiring import Node
from ...num.values import Shape
from ..spec.structure import Item


class Raw(str):
    """Text that is written unchanged."""


class Flow:
    """Modules of a sequence so far, the current shape with channels last, and whether channels are actually first."""

    def __init__(self, shape: Shape, first: bool, pieces: Any = None) -> None:
        self.shape, self.first = tuple(shape), first and len(shape) > 1
        self.pieces = [] if pieces is None else pieces

    def add(self, op: str, name: str = "", **options: Any) -> Item:
        """Add a module."""
        self.pieces.append(Item(op, options, name))
        return self.pieces[-1]

    def turn(self, first: bool) -> Flow:
        """Move the channels to the front or to the end, if necessary."""
        if len(self.shape) > 1 and self.first != first:
            self.add("ChannelsFirst" if first else "ChannelsLast")
            self.first = first
        return self

    def axis(self, at: int) -> int:
        """Axis of the tensor for an axis of the spec's shape."""
        if not self.first:
            return at + 1
        return 1 if at == len(self.shape) - 1 else at + 2

    def becomes(self, shape: Any, first: bool) -> None:
        """Set the current shape and layout."""
        self.shape, self.first = tuple(shape), first and len(shape) > 1


def refused(node: Node, why: str, help: str) -> SpecError:
    """Create the error for a layer that cannot be written."""
    return SpecError(Problem("cannot-export", f"`{node.name}`: {why}", node.row.place, help))


def of_rank(name: str, node: Node, rank: int, most: int = 3) -> str:
    """Name of the module for a rank, such as `nn.Conv2d` for 2."""
    if not 1 <= rank <= most:
        raise refused(node, f"PyTorch has no {name} over {rank} axes", f"grids have 1 to {most} axes there")
    return f"nn.{name}{rank}d"


POSITIONAL = frozenset(
    (
        "inputs",
        "outputs",
        "kernel",
        "channels",
        "size",
        "groups_first",
        "norm",
        "rate",
        "least",
        "most",
        "factor",
        "vocab",
    )
)
_USUAL: dict[str, Any] = {
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
    "output_padding": 0,
    "ceil_mode": False,
    "affine": True,
    "elementwise_affine": True,
    "count_include_pad": True,
    "keepdim": False,
    "last": False,
    "causal": False,
    "window": None,
    "align": "last",
}
_OWN: dict[str, dict[str, Any]] = {  # defaults of specific modules
    "InstanceNorm": {"affine": False},
    **{kind: {"stride": None} for kind in ("MaxPool", "AvgPool", "LPPool")},  # None: the kernel size
}
_ALL_POSITIONAL = ("GroupNorm", "ChannelShuffle", "LocalResponseNorm", "Attention", "Narrow", "Reduce", "Function")


class Style:
    """Style of modules, for folding them into functions."""

    relative = False
    widths = ("inputs", "outputs", "channels")
    words = frozenset((*keyword.kwlist, *dir(builtins), "nn", "torch", "x", "self"))

    def length(self, item: Item) -> int:
        """Length of a module in characters."""
        return len(expression(item)) + 2


def expression(item: Item) -> str:
    """Constructor of a module."""
    text = _plain(item)
    return f"*({text} for _ in range({item.repeat}))" if item.repeat != 1 else text


def _plain(item: Item) -> str:
    if item.op == "call":
        return f"{item.block.name}({', '.join(_arguments(item))})"
    if item.op in ("Residual", "nn.Sequential"):
        return f"{item.op}({', '.join(map(expression, item.branches[0]))})"
    inner = [sequence(branch) for branch in item.branches]
    return f"{item.op}({', '.join([*inner, *_options(item)])})"


def sequence(items: list[Item]) -> str:
    """Constructor of a list of modules as one."""
    if not items:
        return "nn.Identity()"
    if len(items) == 1 and items[0].repeat == 1:
        return expression(items[0])
    return f"nn.Sequential({', '.join(map(expression, items))})"


def _arguments(item: Item) -> list[str]:
    """Arguments of a function call, without trailing ones that equal their defaults."""
    values = [(value(item.options[name]), default) for name, default in item.block.params]
    while values and values[-1][1] is not None and values[-1][0] == str(values[-1][1]):
        values.pop()
    return [text for text, _ in values]


def _options(item: Item) -> Iterator[str]:
    """Arguments of a constructor."""
    kind = item.op.removeprefix("nn.").rstrip("123d")
    usual = {**_USUAL, **_OWN.get(kind, {})}
    bare = kind in _ALL_POSITIONAL
    for name, one in item.options.items():
        default = usual.get(name, item)
        if name.rstrip("0123456789") in POSITIONAL or (bare and (name == "groups" or name not in usual)):
            yield value(one)
        elif type(one) is not type(default) or one != default:
            yield f"{name}={value(one)}"


def value(one: Any) -> str:
    """A value as a Python literal."""
    from ..spec.blocks import Term

    if type(one) in (Raw, Term):
        return str(one)
    if type(one) is tuple:
        return f"({', '.join(map(value, one))}{',' * (len(one) == 1)})"
    if type(one) is float and one in (float("inf"), float("-inf")):
        return f'float("{one}")'
    return json.dumps(one) if type(one) is str else repr(one)


WIDTH = 116
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')  # a string literal, whose commas and brackets are ignored


def wrapped(text: str, indent: int, before: int = 0) -> list[str]:
    """Break a call over several lines if it is too long. `before` is the width of the text in front of it."""
    pad = " " * indent
    if len(pad + text) + before <= WIDTH and text.count("(") < 8:
        return [pad + text]
    repeated = re.fullmatch(r"\*\((.*) (for _ in range\(\w+\))\)", text)
    if repeated:
        return [f"{pad}*(", *wrapped(repeated[1], indent + 4), f"{pad}    {repeated[2]}", f"{pad})"]
    head, inner, tail = _split(text)
    if not inner:
        return [pad + text]
    lines = [f"{pad}{head}"]
    for one in inner:
        found = wrapped(one, indent + 4)
        found[-1] += ","
        lines += found
    return [*lines, f"{pad}{tail}"]


def _split(text: str) -> tuple[str, list[str], str]:
    """Split a call into `f(`, its arguments, and `)`. Other text is returned whole."""
    start = text.find("(")
    depth, parts, last = 0, [], start + 1
    for at, char in enumerate(_LITERAL.sub(lambda found: "_" * len(found[0]), text)):
        depth += (char in "([") - (char in ")]")
        if at > start and depth == 1 and char == ",":
            parts.append(text[last:at].strip())
            last = at + 1
        if at > start and depth == 0:
            parts.append(text[last:at].strip())
            return text[: start + 1], [one for one in parts if one], text[at:]
    return text, [], ""


def statement(head: str, text: str, indent: int) -> list[str]:
    """Lines of a statement that starts with `head`."""
    first, *rest = wrapped(text, indent, len(head))
    pad = " " * indent
    return [pad + head + first[indent:], *rest]
