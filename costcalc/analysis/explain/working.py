"""Calculations behind a layer's figures: symbols, then numbers, then the product.

The symbols are those of the MobileNet paper (arXiv:1704.04861, section 3.1): DK the kernel, M channels in, N channels
out, DF the side of the output grid. Other operations run their own rule over symbols.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from ...errors import Refused
from ...metrics.pricing import MAC
from ...model.rows import Row
from ...num import prod
from ...num.values import Number, Shape
from ...ops import passes
from ...records import NamedTuple

_KERNEL = ("KD", "KH", "KW")


class Working(NamedTuple):
    """One product or sum: in symbols, in numbers, and its value."""

    symbols: str
    numbers: str
    value: int

    def __str__(self) -> str:
        if self.symbols == str(self.value):
            return f"{self.value:,}"
        return f"{self.symbols} = {self.numbers} = {self.value:,}"


def product(factors: Any) -> Working:
    """Product of (symbol, number) pairs; the caller leaves out the sides of a 1x1 kernel."""
    factors = list(factors) or [("1", 1)]
    return Working(
        "*".join(symbol for symbol, _ in factors),
        "*".join(str(number) for _, number in factors),
        math.prod(number for _, number in factors),
    )


def added(workings: list[Working]) -> Working:
    """Sum of calculations."""
    return Working(
        " + ".join(one.symbols for one in workings),
        " + ".join(one.numbers for one in workings),
        sum(one.value for one in workings),
    )


def worked(row: Row | SimpleNamespace) -> tuple[Working | None, Working | None]:
    """(mult-adds, weights) of a row as calculations that equal what the row counts; None for a quantity of 0."""
    cost, weights = _worked(row)
    counted = {term: quantity for term, quantity in row.layer.terms.items() if term in MAC and quantity}
    held = row.layer.params.get("weight", 0)
    if sum(counted.values()) != (cost.value if cost else 0):
        cost = _by_quantity(counted)
    if row.shared is None and held != (weights.value if weights else 0):
        weights = _by_quantity({"weight": held})
    return cost, weights


def _by_quantity(counted: Mapping[str, int]) -> Working:
    """Calculation from the quantities that the rule states, for layers without a formula."""
    if len(counted) == 1:
        (value,) = counted.values()
        return Working(str(value), str(value), value)
    return Working(" + ".join(counted), " + ".join(map(str, counted.values())), sum(counted.values()))


def _worked(row: Any) -> tuple[Working | None, ...]:
    if row.op.name in _TABLES:
        return None, product(_TABLES[row.op.name](row))
    if row.op.name in _SUMS and (row.op.name != "attention" or row.options.keys() <= {"heads", "bias"}):
        return _SUMS[row.op.name](row)
    factors = _FACTORS.get(row.op.name)
    if factors is None:
        return _by_rule(row)
    weights, positions = factors(row)
    return product([*weights, *positions]), product(weights)


def _sides(letter: str, names: tuple[str, ...], sizes: Shape) -> list[tuple[str, int]]:
    """DF*DF for a square, H*W for a rectangle, nothing for a 1x1 kernel."""
    if len(set(sizes)) == 1:
        return [(letter, size) for size in sizes]
    return list(zip(names[-len(sizes) :], sizes, strict=True))


def _kernel(row: Any) -> list[tuple[str, int]]:
    kernel = row.layer.detail["kernel"]
    return [] if prod(kernel) == 1 else _sides("DK", _KERNEL, kernel)


def _grid(shape: Shape) -> list[tuple[str, int]]:
    return _sides("DF", ("D", "H", "W"), shape[:-1])


def _conv(row: Row | SimpleNamespace) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    groups, channels = row.layer.detail["groups"], row.inputs[0][-1]
    inner = ("M", channels) if groups == 1 else ("M/g", channels // groups)
    return [*_kernel(row), inner, ("N", row.layer.shape[-1])], _grid(row.layer.shape)


def _dwconv(row: SimpleNamespace) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    channels, out = row.inputs[0][-1], row.layer.shape[-1]
    multiplier = [] if out == channels else [("m", out // channels)]
    return [*_kernel(row), ("M", channels), *multiplier], _grid(row.layer.shape)


def _conv_transpose(row: SimpleNamespace) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    groups, out = row.layer.detail["groups"], row.layer.shape[-1]
    outer = ("N", out) if groups == 1 else ("N/g", out // groups)
    return [*_kernel(row), ("M", row.inputs[0][-1]), outer], _grid(row.inputs[0])


def _linear(row: Row | SimpleNamespace) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    positions = row.layer.shape[:-1]
    many = [("T", prod(positions))] if prod(positions) != 1 else []
    return [("M", row.inputs[0][-1]), ("N", row.layer.shape[-1])], many


def _matmul(row: SimpleNamespace) -> tuple[list[Any], list[tuple[str, int]]]:
    (*batch, rows, inner), (*_, columns) = row.inputs
    size = [("B", prod(batch))] if batch else []
    return [], [*size, ("R", rows), ("K", inner), ("C", columns)]


def _attention(row: SimpleNamespace) -> tuple[Working, Working]:
    """Four projections of every token, then two products of every pair of tokens."""
    *windows, tokens, channels = row.inputs[0]
    many = [("B", prod(windows)), ("T", tokens)] if windows else [("T", tokens)]
    weights = [("4", 4), ("C", channels), ("C", channels)]
    pairs = [("2", 2), *many, ("T", tokens), ("C", channels)]
    return added([product([*weights, *many]), product(pairs)]), product(weights)


def _attend(row: Row | SimpleNamespace) -> tuple[Working, None]:
    """Two products of every pair of a query and a key: q k, and weight times v. With a mask, P counts them."""
    (*windows, queries, width), (*_, keys, _), _ = row.inputs
    many = [("B", prod(windows))] if windows else []
    pairs = [*many, ("Q", queries), ("K", keys)]
    if row.options.get("causal") or row.options.get("window"):
        products = row.layer.terms["mac_attention"] + row.layer.terms["mac_masked"]
        pairs = [*many, ("P", products // (prod(windows) * (width + row.layer.shape[-1])))]
    both = [product([*pairs, ("C", width)]), product([*pairs, ("V", row.layer.shape[-1])])]
    return added(both), None


def _einsum(row: Row | SimpleNamespace) -> tuple[Working | None, None]:
    """Product over the letters of an equation that sums over letters of both tensors."""
    if not row.layer.terms.get("mac"):
        return None, None
    terms = row.options["equation"].replace(" ", "").partition("->")[0].split(",")
    sizes: dict = {}
    for letters, shape in zip(terms, row.inputs, strict=True):
        sizes |= zip(letters, shape, strict=True)
    return product(sizes.items()), None


_SUMS = {"attention": _attention, "attend": _attend, "einsum": _einsum}  # attention with default options
_FACTORS = {
    "conv": _conv,
    "dwconv": _dwconv,
    "conv_transpose": _conv_transpose,
    **dict.fromkeys(("linear", "logits"), _linear),
    "matmul": _matmul,
}
_TABLES = {  # weights that are looked up, not multiplied
    "embedding": lambda row: [("V", row.options["vocab"]), ("N", row.options["out"])],
    "parameter": lambda row: [(f"n{at}", size) for at, size in enumerate(row.layer.shape, 1)],
}
_AXES = {1: ("C",), 2: ("T", "C"), 3: ("H", "W", "C"), 4: ("D", "H", "W", "C")}


def _by_rule(row: Row | SimpleNamespace) -> Any:
    """Run the rule over symbols for the sizes of its input."""
    import sympy

    if len(row.inputs) != 1 or not MAC.keys() & row.layer.terms.keys():
        return None, None
    names = _AXES.get(len(row.inputs[0]))
    symbols = sympy.symbols(names, positive=True, integer=True) if names else ()
    try:
        layer = row.op.rule(tuple(symbols), **row.options) if symbols else row.layer
    except Refused:
        return None, None
    shown = dict(zip(symbols, row.inputs[0], strict=True)) if symbols else {}
    mac = sum(quantity for term, quantity in row.layer.terms.items() if term in MAC)
    form = sympy.sympify(sum(quantity for term, quantity in layer.terms.items() if term in MAC))
    weight = sympy.sympify(layer.params.get("weight", 0))
    return _shown(form, shown, mac), _shown(weight, shown, row.layer.params.get("weight", 0))


def _shown(form: Number, sizes: Mapping[Number, int], value: int) -> Working:
    import sympy

    text = sympy.sstr(sympy.factor(form)).replace("**", "^")
    numbers = {str(symbol): str(size) for symbol, size in sizes.items()}
    return Working(text, re.sub(r"\b[A-Z]\b", lambda name: numbers[name.group()], text), value)


class Separable(NamedTuple):
    """A depthwise convolution and the 1x1 convolution after it, with the equivalent standard convolution."""

    depthwise: Working
    pointwise: Working
    standard: Working
    kernel: tuple
    out: int

    @property
    def together(self) -> Any:
        """Sum of both convolutions."""
        return added([self.depthwise, self.pointwise])

    @property
    def theory(self) -> Any:
        """1/N + 1/DK^2 (section 3.1): cost of both convolutions over that of the standard convolution."""
        return 1 / self.out + 1 / math.prod(self.kernel)

    @property
    def saving(self) -> str:
        """The theoretical ratio in symbols and in numbers."""
        axes, square = len(self.kernel), len(set(self.kernel)) == 1
        window = f"DK^{axes}".removesuffix("^1") if square else f"({'*'.join(_KERNEL[-axes:])})"
        return f"1/N + 1/{window} = 1/{self.out} + 1/{math.prod(self.kernel)}"


def separable(rows: Sequence[Row]) -> Iterator[Any]:
    """Pairs of depthwise and pointwise rows, each with its Separable. Norms and activations may be in between."""
    for first, second in pairwise(row for row in rows if not passes(row.op.name)):
        if is_separable(first, second):
            yield first, second, _pair(first, second)


def is_separable(first: Row, second: Row) -> bool:
    """Whether two rows are a depthwise convolution with one filter per channel and the 1x1 convolution of its output.

    Both run equally often; otherwise 1/N + 1/DK^2 would not be their share of the standard convolution's cost.
    """
    if first.op.name != "dwconv" or not _is_pointwise(second) or second.inputs[0] != first.layer.shape:
        return False
    return first.inputs[0][-1] == first.layer.shape[-1] and first.times == second.times


def _is_pointwise(row: Row) -> bool:
    detail = row.layer.detail
    return (
        row.op.name == "conv" and prod(detail["kernel"]) == 1 and detail["groups"] == 1 and prod(detail["stride"]) == 1
    )


def _pair(first: Row, second: Row) -> Any:
    out = second.layer.shape[-1]
    factors = [*_kernel(first), ("M", first.inputs[0][-1]), ("N", out), *_grid(second.layer.shape)]
    depthwise: Any = worked(first)[0]
    pointwise: Any = worked(second)[0]
    return Separable(depthwise, pointwise, product(factors), first.layer.detail["kernel"], out)
