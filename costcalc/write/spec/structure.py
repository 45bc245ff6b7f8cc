"""A graph as lists of layers: chains, branches that join, and names for what is read elsewhere.

A join takes the nearest tensor that all of its inputs come from; between that and the join lie its branches. A layer
that would stand in two branches is put before them under a name, as is every layer that gives what nothing reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain, count
from typing import Any

from ...metrics.pricing import MAC
from ...model.storage import UNSTATED
from ...model.wiring import Graph, Node, held
from ...ops import INDEX, find
from ...ops.kinds import Kind
from ...ops.window import is_word

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


ROOT = -1  # above all named tensors: what joins of several of them have in common
DEEPEST = 8  # nested joins that stay readable; deeper ones get a name
FREE = None  # of what comes from no tensor, as a parameter


def structured(
    graph: Graph, options: Callable[..., Any], finals: Collection[Any] = (), named: Collection[Any] | range = ()
) -> list[Item]:
    """The list of items of a graph.

    `options` gives those of a node, `finals` are the nodes that keep their width, `named` those that need a name.
    """
    anchors = _held(graph) | set(named) | {node.sources[-1] for node in graph.nodes if _has_memory(node)}
    anchors |= set(graph.unread) | _seldom(graph)
    while True:
        attempt = _Attempt(graph, {one for one in anchors if type(one) is int}, options, finals)
        items = attempt.items()
        if not attempt.shared:
            return items
        anchors |= attempt.shared


def _holders(graph: Graph) -> dict[int, int]:
    """{number of a node: that of the one whose weights it uses again}."""
    pairs = ((number, node) for number, node in enumerate(graph.nodes) if node.holder != number)
    return {number: node.holder for number, node in pairs if any(node.row.layer.params.values())}


def _held(graph: Graph) -> set[int]:
    """The nodes whose weights others use."""
    tables = {node.table for node in graph.nodes if node.table is not None}
    return {*_holders(graph).values(), *tables}


def _has_memory(node: Node) -> bool:
    return len(node.sources) > 1 and node.row.op.branches == ("memory",)


def _seldom(graph: Graph) -> set[int]:
    """The nodes that cannot stand in a branch of what reads them, as they do not run a multiple of its times.

    A layer that runs again brings the times of the one whose weights it uses.
    """
    own = [node.row.times for node in graph.nodes]
    for number, holder in _holders(graph).items():
        own[number] = quotient(own[number], graph.nodes[holder].row.times)
    edges = ((source, node) for node in graph.nodes for source in node.sources if type(source) is int)
    return {source for source, node in edges if quotient(own[source], node.row.times) is None}


class _Attempt:
    """One way to write a graph, with a set of layers that have names; `shared` are those that need one, too."""

    def __init__(self, graph: Graph, anchors: set[int], options: Callable[..., Any], finals: Collection[Any]) -> None:
        self.graph, self.anchors, self.options, self.finals = graph, anchors, options, finals
        self.seen: set[Any] = set()
        self.shared: set[int] = set()
        self.made: dict[Any, Any] = {}
        self.holders = _holders(graph)
        self.held = _held(graph)
        self.above: dict[int, Any] = {}
        self.depths: dict[int, Any] = {}
        self.joins: dict[int, Any] = {}
        for number in range(len(graph.nodes)):
            self.above[number] = self.nearest(self.sources(number))
            self.flatten(number)

    def items(self) -> list[Item]:
        """All layers in one list, each chain behind what it starts from."""
        found: list[Item] = []
        flow: str | int | None = next(iter(self.graph.inputs), None)
        for target in sorted(self.anchors):
            base, chain = self.chain(target, ROOT)
            if not self.shared and base is not FREE and base != flow:
                chain[0].origin = self.named(base)
            found += chain
            flow = target
        return found

    def sources(self, number: int) -> tuple[Any, ...]:
        """Where the flow and the branches of a node come from."""
        node = self.graph.nodes[number]
        return node.sources[:1] if _has_memory(node) else node.sources

    def flatten(self, number: int) -> None:
        """Note how many joins stand in each other at a node; a branch that has too many gets a name instead."""
        inner = {source: self.inside(source, self.above[number]) for source in set(self.sources(number))}
        deep = {source for source, joins in inner.items() if joins >= DEEPEST}
        if deep:
            self.anchors |= deep
            self.depths.clear()
            self.above[number] = self.nearest(self.sources(number))
            inner = {source: self.inside(source, self.above[number]) for source in inner}
        node = self.graph.nodes[number]
        is_join = node.row.op.branches and not _has_memory(node)
        self.joins[number] = 1 + max(inner.values(), default=0) if is_join else 0

    def inside(self, tensor: Any, stop: int | str | None) -> int:
        """The joins inside each other in the layers from `stop` to a tensor."""
        most = 0
        while tensor != stop and tensor is not FREE and tensor != ROOT and not self.is_named(tensor):
            most, tensor = max(most, self.joins[tensor]), self.above[tensor]
        return most

    # what all inputs come from

    def nearest(self, sources: tuple[Any, ...]) -> int | str | None:
        """The last tensor that all of these come from."""
        bound = [one for one in sources if type(one) is str or one in self.anchors or self.above[one] is not FREE]
        if not bound:
            return FREE
        first, *rest = bound
        for other in rest:
            first = self.common(first, other)
        return first

    def common(self, one: Any, other: int) -> int | str:
        """The last tensor that both come from."""
        while one != other:
            if self.depth(one) < self.depth(other):
                one, other = other, one
            one = self.parent(one)
        return one

    def parent(self, tensor: Any) -> int | str | None:
        """The tensor before that all of this one comes from."""
        return ROOT if type(tensor) is str or tensor in self.anchors else self.above[tensor]

    def depth(self, tensor: Any) -> int:
        """How many tensors are above one."""
        if tensor == ROOT:
            return 0
        path = []
        while tensor != ROOT and tensor not in self.depths:
            path.append(tensor)
            tensor = self.parent(tensor)
        base = 0 if tensor == ROOT else self.depths[tensor]
        for number, one in enumerate(reversed(path), 1):
            self.depths[one] = base + number
        return base + len(path)

    # lists

    def chain(self, end: Any, stop: int | str | None) -> tuple[Any, list[Item]]:
        """The layers from a named tensor, or from `stop`, to `end`; and which of them it starts from."""
        found, at = [], end
        while at != stop and (at == end or not self.is_named(at)):
            if at in self.seen:
                self.shared.add(at)
                return FREE, []
            self.seen.add(at)
            item = self.item(at)
            found.append(item)
            base = self.base(at)
            item.branches, item.channels = item.branches or self.branches(at, base), self.channels(base)
            at = base
            if base is FREE or base == ROOT:
                return FREE, self.joined(found[::-1])
        return at, self.joined(found[::-1])

    def base(self, number: int) -> int | str | None:
        """What flows into a layer: for a join what all its branches come from, else its one source."""
        sources = self.sources(number)
        if self.above[number] is FREE and sources and not self.graph.nodes[number].row.op.branches:
            return sources[0]  # a parameter, or what is made of one
        return self.above[number]

    def joined(self, items: list[Item]) -> list[Item]:
        """The list with its norms and activations in the `then` of the layer before."""
        found: list[Item] = []
        for item in items:
            before = found[-1] if found else None
            if before is not None and self.is_then(item, before):
                before.then.append(item)
                before.tail, item.owner = item.number, before
            else:
                item.tail = item.number
                found.append(item)
        return found

    def is_then(self, item: Item, before: Item) -> bool:
        """Whether an item can stand in the `then` of the one before."""
        follows = item.follows and is_quiet(item.op) and item.number not in self.held and item.op != "reuse"
        return follows and before.tail not in self.anchors and before.op != "reuse" and item.times == before.times

    def channels(self, tensor: Any) -> int:
        """The channels of a tensor that flows in; 0 where none does."""
        if tensor is FREE or tensor == ROOT:
            return 0
        shape = self.graph.inputs[tensor] if type(tensor) is str else self.graph.nodes[tensor].row.layer.shape
        return shape[-1]

    def is_named(self, tensor: int | str) -> bool:
        """Whether a tensor has a name that other lists can use."""
        return type(tensor) is str or tensor in self.anchors

    def branches(self, number: int, base: int | str | None) -> list[Any]:
        """The branches of a node, as it was written from `base`."""
        node = self.graph.nodes[number]
        if _has_memory(node):
            return [self.named(node.sources[-1])]
        if node.row.op.branches in ((), ("memory",)):
            return []
        return [self.branch(source, base) for source in node.sources]

    def branch(self, source: int | str, base: int | str | None) -> Any:
        if source == base:
            return []
        if self.is_named(source):
            return self.named(source)
        start, chain = self.chain(source, base)
        if chain and start is not FREE and start != base:
            chain[0].origin = self.named(start)
        return chain

    def named(self, tensor: int | str) -> str | Item:
        """The item of a named tensor, or the name of an input."""
        return tensor if type(tensor) is str else self.item(tensor)

    def item(self, number: Any) -> Item:
        """The item of a node, made once."""
        if number not in self.made:
            node = self.graph.nodes[number]
            item = item_of(node, self.options(node), number in self.finals)
            item.number = number
            item.follows = node.row.follows
            if node.table is not None:
                item.table = self.item(node.table)
            if number in self.holders:
                item = _again(item, self.item(self.holders[number]))
            self.made[number] = item
        return self.made[number]


def _again(item: Item, holder: Item) -> Item:
    again = Item("reuse", {}, item.name, item.channels)
    again.branches, again.number, again.follows, again.times = [holder], item.number, False, item.times
    return again
