"""The layers of a spec before they are text: items in lists, with branches, and names where others need them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from ...metrics.pricing import MAC
from ...model.storage import UNSTATED
from ...model.wiring import held
from ...ops import INDEX, find
from ...ops.window import is_word

if TYPE_CHECKING:
    from ...model.wiring import Node
    from ...ops.kinds import Kind


_SAME = ("conv", "dwconv", "maxpool", "avgpool")


class Item:
    """One entry of a list of layers.

    `options` are those of the operation, every default filled in; `branches` are lists of items, or the item (or the
    input by name) whose tensor is meant. `origin` is the item or input that flows in, if it is not the one before.
    """

    def __init__(
        self,
        op: str,
        options: Mapping[str, Any] | None = None,
        name: str = "",
        channels: int | None = 0,
    ) -> None:
        self.op, self.options, self.name, self.channels = op, dict(options or {}), name, channels
        self.branches: list[Any] = []
        self.then: list[Item] = []
        self.origin: Any = None
        self.label = ""
        self.weighs = False  # whether it has mult-adds or parameters
        self.local = ""  # what it is called in every run of the block that it is in
        self.times: Any = 1
        self.repeat = 1
        self.rank = 0  # axes of the grid that flows in
        self.kept = False  # a width that no multiplier changes
        self.merged = False  # whether it is a row of the call before it
        self.block: Any = None  # the block that a `call` calls
        self.owner: Any = None  # the item in whose `then` this one stands
        self.number = self.tail = -1  # the nodes of the graph: its own, and the last of its `then`
        self.follows = False
        self.holds: Any = None  # its numbers by kind, where they are not those of its rule
        self.table: Any = None  # the item whose weights it reads
        self.bits = UNSTATED

    @property
    def lists(self) -> list[list[Item]]:
        """The lists of items inside this one."""
        return [branch for branch in self.branches if type(branch) is list]

    def refers(self) -> Iterator[Any]:
        """The items and inputs that this one names, itself and inside."""
        yield from (one for one in (self.origin, self.table) if one is not None)
        for branch in self.branches:
            if type(branch) is list:
                for item in branch:
                    yield from item.refers()
            else:
                yield branch


def settled(items: list[Item]) -> list[Item]:
    """Let every reference to a layer inside a `then` mean the layer that has it; the items themselves."""
    for item in walk(items):
        item.origin, item.table = _owner(item.origin), _owner(item.table)
        item.branches = [branch if type(branch) is list else _owner(branch) for branch in item.branches]
    return items


def _owner(one: str | Item | None) -> str | Item | None:
    while type(one) is Item and one.owner is not None:
        one = one.owner
    return one


def walk(items: list[Item]) -> Iterator[Item]:
    """Every item in a list, those inside others included."""
    for item in items:
        yield item
        yield from walk(item.then)
        for inner in item.lists:
            yield from walk(inner)


def item_of(node: Node, options: Mapping[str, Any], final: bool) -> Item:
    """The item of a node of a graph, without its branches."""
    op = node.row.op
    given = {name: one for name, one in options.items() if name not in op.branches}
    filled = {name: one.default for name, one in op.options.items() if name not in op.branches and not one.required}
    space = node.row.inputs[0][:-1] if node.row.inputs else ()
    made = Item(op.name, {**filled, **given}, node.name)
    made.rank, made.times, made.kept = len(space), node.row.times, final
    made.weighs = any(node.row.layer.params.values()) or any(node.row.layer.terms.get(name) for name in MAC)
    made.holds = held(node.row) if node.is_given else None
    for name, value in made.options.items():
        made.options[name] = _plain(value, op.options[name].kind)
    if op.name == "pad" and made.options["padding"] == "valid":
        made.options["padding"] = 0  # here it is no word
    if op.name in _SAME and _is_same(made):
        made.options["padding"] = "same"
    return made


def _plain(value: Any, kind: Kind) -> Any:
    """A value in its shortest form: one number where all axes have the same."""
    if kind.form == "padding":
        value = tuple(_square(pair) for pair in value) if type(value) is tuple else value
        value = _square(value)
        return "valid" if value == 0 and type(value) is int and kind.words else value
    if kind.form == "numbers":
        return tuple(map(float, value))
    return _square(value) if kind.form == "kernel" else value


def _square(value: Any) -> Any:
    alike = type(value) is tuple and value and all(type(one) is type(value[0]) and one == value[0] for one in value)
    return value[0] if alike and type(value[0]) is int else value


def _is_same(item: Item) -> bool:
    """Whether a padding in numbers gives the grid of `same` for every size: half of an odd window."""
    padding, kernel = item.options["padding"], item.options["kernel"]
    dilation = item.options.get("dilation", 1)
    if item.options.get("ceil_mode") or is_word(kernel, "global"):
        return is_word(kernel, "global")
    if padding == "valid":
        padding = 0
    if type(padding) is str or type(dilation) is not int:
        return False
    axes = zip(*(one if type(one) is tuple else (one,) * item.rank for one in (kernel, padding)), strict=True)
    return all(type(k) is type(p) is int and k % 2 and 2 * p == dilation * (k - 1) for k, p in axes)


def unused(name: str, taken: set[str], numbered: Callable[..., Any]) -> str:
    """The name, or the first of those that `numbered` makes of 2, 3, .. which is not taken."""
    return next(one for one in chain([name], map(numbered, count(2))) if one not in taken)


def quotient(times: int, outer: int) -> int | None:
    """How often something runs in each run of what is around it; None if that is no whole number."""
    return None if times is None or times % outer else times // outer


def is_quiet(op: str) -> bool:
    """Whether an operation can stand in `then`: a norm, an activation, dropout."""
    return INDEX.get(op) in ("norm", "pointwise") and not find(op).branches


def is_number(value: Any) -> bool:
    """Whether a value can be the parameter of a block."""
    if type(value) is tuple:
        return all(is_number(one) for one in value)
    return type(value) in (int, float)
