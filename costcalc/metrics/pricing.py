"""Price lists: the price of each quantity stated by a rule, and the cost of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..records import NamedTuple

if TYPE_CHECKING:
    from ..num.values import Number
    from ..ops.base import Layer


MAC = {"mac": 1, "mac_attention": 1, "mac_masked": 1}
WORK = {"mac": ("mac",), "mac_attention": ("mac_attention", "mac_masked"), "scan": ("scan",)}
"""Quantities that are work, keyed by the quantity whose price decides whether they count (a mask has its own price)."""
TRAINABLE = {"weight": 1, "bias": 1, "gamma": 1, "beta": 1, "slope": 1}


_READS = frozenset(("add", "sub", "mul", "div", "matmul", "einsum", "concat"))  # operations without parameters


class Difference(NamedTuple):
    """A known difference between a convention and the output of its program, with the reason."""

    figure: str  # the cost metric, or `params`
    of: tuple[str, ...]  # the networks or operations concerned
    reason: str


class Convention(NamedTuple):
    """A price list. `cost` is the name of its cost metric: `mult_adds` or `flops`.

    A price applies to a quantity in every operation (`mac`) or in one (`linear.mac`); the latter takes precedence.
    """

    name: str
    title: str
    cost: str
    prices: Mapping[str, int]  # quantity -> price, for the cost
    params: Mapping[str, int]  # kind of parameter -> price, for `params`
    source: str
    gradients: Mapping[str, int] = {}  # ungrouped -> price: backward work that the program counts but that is not done
    numbers: Mapping[str, int] = {}  # kind of parameter -> price per run, for the cost, independent of the input's size
    mirrors: Mapping[str, Mapping[str, str]] = {}  # prices, numbers or params -> key -> the program's code it mirrors
    bugs: Mapping[str, int] = {}  # key of prices -> the part of the price that is a known bug of the program
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()

    def price(self, op: str, layer: Layer, times: Number = 1, shared: bool = False) -> tuple[Any, Any]:
        """(cost, params) of one layer of an operation run `times` per sample; shared weights count 0."""
        return self.cost_of(op, layer, times), self.params_of(op, layer, shared)

    def cost_of(self, op: str, layer: Layer, times: Number = 1) -> Any:
        """The cost of one layer of an operation run `times` per sample."""
        cost = total(self.prices, op, layer.terms)
        if self.numbers:
            cost = cost + total(self.numbers, op, layer.params)
        return cost if _is_once(times) else cost * times

    @property
    def counts_windows(self) -> bool:
        """Whether the mirrored program counts query-key pairs outside an attention window, which no quantity covers."""
        return "mac_masked" in self.mirrors.get("prices", {}) and bool(self.prices.get("mac_masked"))

    def uncounted(self, op: str, layer: Layer) -> dict[str, Number]:
        """The work of a layer that this convention does not price: quantity of WORK -> amount."""
        if price_of(self.numbers, op, "weight") and layer.params.get("weight"):
            return {}  # a program that counts weights instead
        unpriced: dict[str, Any] = {}
        for name, parts in WORK.items():
            amount = sum(layer.terms.get(part, 0) for part in parts)
            others = ("mac_on_output",) if name == "mac" and "mac_on_output" in layer.terms else ()
            if not _is_nothing(amount) and not any(price_of(self.prices, op, one) for one in (name, *others)):
                unpriced[name] = amount
        return unpriced

    def params_of(self, op: str, layer: Layer, shared: bool = False) -> Any:
        """The parameters of one layer of an operation; shared weights count 0."""
        return 0 if shared else total(self.params, _holder(op), layer.params)

    def active_params_of(self, op: str, layer: Layer, shared: bool = False) -> Any:
        """The parameters of one layer that a single token uses."""
        used = self.params_of(op, layer, shared)
        return used - total(self.params, _holder(op), layer.idle) if layer.idle and not shared else used


def _holder(op: str) -> str:
    """The operation whose prices apply to a row's parameters. In a graph, a sum may hold a learned operand."""
    return "parameter" if op in _READS else op


def total(prices: Mapping[str, int], op: str, quantities: Mapping[str, Number]) -> Any:
    """The sum of an operation's quantities times their prices."""
    result: Any = 0
    for name, quantity in quantities.items():
        rate = prices.get(f"{op}.{name}")
        if rate is None:
            rate = prices.get(name)
        if rate:
            result = result + (quantity if rate == 1 else rate * quantity)
    return result


def price_of(prices: Mapping[str, int], op: str, name: str) -> int:
    """The price of a quantity in an operation; 0 if there is none."""
    rate = prices.get(f"{op}.{name}")
    return prices.get(name, 0) if rate is None else rate


def _is_nothing(value: Number) -> bool:
    return type(value) is int and value == 0


def _is_once(times: Number) -> bool:
    return type(times) is int and times == 1
