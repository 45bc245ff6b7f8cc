"""Structure a graph as lists of layers: chains, branches with joins, and names for values used elsewhere.

The base of a join is the nearest tensor that all its inputs depend on; its branches are between the base and the join.
A layer that would be in two branches is moved before them and named, as is every layer whose output is not read.
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
_PER_AXIS = ("kernel", "window", "steps", "per_axis", "scale")  # kinds whose one number holds for every axis


class Item:
    """One entry of a list of layers.

    `options` has those of the operation with all defaults. `branches` are lists of items, or the item or the name of
    the input that is read. `origin` is the item or input that flows in, if it is not the previous one.
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
        self.local = ""  # its name in every run of its block
        self.times: Any = 1
        self.repeat = 1
        self.rank = 0  # rank of the input grid
        self.kept = False  # whether the width multiplier does not apply
        self.merged = False  # whether it is another row of the previous call
        self.block: Any = None  # the block that a `call` calls
        self.owner: Any = None  # the item whose `then` contains this one
        self.number = self.tail = -1  # indices in the graph: its node, and the last node of its `then`
        self.follows = False
        self.holds: Any = None  # numbers by kind, if they override the rule
        self.table: Any = None  # the item whose weights it shares
        self.bits = UNSTATED

    @property
    def lists(self) -> list[list[Item]]:
        """Lists of items nested in this one."""
        return [branch for branch in self.branches if type(branch) is list]

    def refers(self) -> Iterator[Any]:
        """Items and inputs that this item and its nested items refer to."""
        yield from (one for one in (self.origin, self.table) if one is not None)
        for branch in self.branches:
            if type(branch) is list:
                for item in branch:
                    yield from item.refers()
            else:
                yield branch


def settled(items: list[Item]) -> list[Item]:
    """Redirect references to items in a `then` to the layer that owns it. Return the items."""
    for item in walk(items):
        item.origin, item.table = _owner(item.origin), _owner(item.table)
        item.branches = [branch if type(branch) is list else _owner(branch) for branch in item.branches]
    return items


def _owner(one: str | Item | None) -> str | Item | None:
    while type(one) is Item and one.owner is not None:
        one = one.owner
    return one


def walk(items: list[Item]) -> Iterator[Item]:
    """All items in a list, including nested ones."""
    for item in items:
        yield item
        yield from walk(item.then)
        for inner in item.lists:
            yield from walk(inner)


def item_of(node: Node, options: Mapping[str, Any], final: bool) -> Item:
    """Create the item of a node, without branches."""
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
        made.options["padding"] = 0  # `valid` is not a word of this option
    if op.name in _SAME and _is_same(made):
        made.options["padding"] = "same"
    return made


def _plain(value: Any, kind: Kind) -> Any:
    """Shortest form of a value: one number if all axes are equal."""
    if kind.form == "padding":
        value = tuple(_square(pair) for pair in value) if type(value) is tuple else value
        value = _square(value)
        return "valid" if value == 0 and type(value) is int and kind.words else value
    if kind.form == "numbers":
        return tuple(map(float, value))
    return _square(value) if kind.name in _PER_AXIS else value


def _square(value: Any) -> Any:
    alike = type(value) is tuple and value and all(type(one) is type(value[0]) and one == value[0] for one in value)
    return value[0] if alike and type(value[0]) is int else value


def _is_same(item: Item) -> bool:
    """Whether explicit padding equals `same` for every size: half of an odd window."""
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
    """The name, or the first free one of those that `numbered` creates from 2, 3, ..."""
    return next(one for one in chain([name], map(numbered, count(2))) if one not in taken)


def quotient(times: int, outer: int) -> int | None:
    """Runs per run of the enclosing item, or None if it is not an integer."""
    return None if times is None or times % outer else times // outer


def is_quiet(op: str) -> bool:
    """Whether an operation can be in `then`: a norm, activation or dropout."""
    return INDEX.get(op) in ("norm", "pointwise") and not find(op).branches


def is_number(value: Any) -> bool:
    """Whether a value can be the parameter of a block."""
    if type(value) is tuple:
        return all(is_number(one) for one in value)
    return type(value) in (int, float)


ROOT = -1  # common ancestor of all named tensors
DEEPEST = 8  # most nested joins; deeper ones get a name
FREE = None  # for tensors without inputs, such as parameters


def structured(
    graph: Graph, options: Callable[..., Any], finals: Collection[Any] = (), named: Collection[Any] | range = ()
) -> list[Item]:
    """Structure a graph as a list of items.

    `options` returns those of a node, `finals` are nodes that keep their width, `named` nodes that require a name.
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
    """Index of a node -> index of the node whose weights it reuses."""
    pairs = ((number, node) for number, node in enumerate(graph.nodes) if node.holder != number)
    return {number: node.holder for number, node in pairs if any(node.row.layer.params.values())}


def _held(graph: Graph) -> set[int]:
    """Nodes whose weights others use."""
    tables = {node.table for node in graph.nodes if node.table is not None}
    return {*_holders(graph).values(), *tables}


def _has_memory(node: Node) -> bool:
    return len(node.sources) > 1 and node.row.op.branches == ("memory",)


def _seldom(graph: Graph) -> set[int]:
    """Nodes that cannot be in a branch of their reader, because their runs are not a multiple of its runs.

    For a reused layer, the runs of its original count.
    """
    own = [node.row.times for node in graph.nodes]
    for number, holder in _holders(graph).items():
        own[number] = quotient(own[number], graph.nodes[holder].row.times)
    edges = ((source, node) for node in graph.nodes for source in node.sources if type(source) is int)
    return {source for source, node in edges if quotient(own[source], node.row.times) is None}


class _Attempt:
    """Attempt to structure a graph with a set of named layers. `shared` are further layers that require a name."""

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
        """All layers in one list, each chain after the one that it starts from."""
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
        """Inputs and branches of a node."""
        node = self.graph.nodes[number]
        return node.sources[:1] if _has_memory(node) else node.sources

    def flatten(self, number: int) -> None:
        """Count the nested joins at a node. Branches with too many get a name."""
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
        """Number of nested joins in the layers from `stop` to a tensor."""
        most = 0
        while tensor != stop and tensor is not FREE and tensor != ROOT and not self.is_named(tensor):
            most, tensor = max(most, self.joins[tensor]), self.above[tensor]
        return most

    # common ancestors

    def nearest(self, sources: tuple[Any, ...]) -> int | str | None:
        """Nearest common ancestor of several tensors."""
        bound = [one for one in sources if type(one) is str or one in self.anchors or self.above[one] is not FREE]
        if not bound:
            return FREE
        first, *rest = bound
        for other in rest:
            first = self.common(first, other)
        return first

    def common(self, one: Any, other: int) -> int | str:
        """Nearest common ancestor of two tensors."""
        while one != other:
            if self.depth(one) < self.depth(other):
                one, other = other, one
            one = self.parent(one)
        return one

    def parent(self, tensor: Any) -> int | str | None:
        """Nearest tensor that dominates this one."""
        return ROOT if type(tensor) is str or tensor in self.anchors else self.above[tensor]

    def depth(self, tensor: Any) -> int:
        """Number of ancestors of a tensor."""
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
        """The layers from a named tensor, or from `stop`, to `end`, and the tensor that they start from."""
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
        """Input of a layer. For a join it is the common ancestor of its branches."""
        sources = self.sources(number)
        if self.above[number] is FREE and sources and not self.graph.nodes[number].row.op.branches:
            return sources[0]  # a parameter, or derived from one
        return self.above[number]

    def joined(self, items: list[Item]) -> list[Item]:
        """Move norms and activations into the `then` of the layer before."""
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
        """Whether an item can be in the `then` of the previous one."""
        follows = item.follows and is_quiet(item.op) and item.number not in self.held and item.op != "reuse"
        return follows and before.tail not in self.anchors and before.op != "reuse" and item.times == before.times

    def channels(self, tensor: Any) -> int:
        """Channels of an input tensor, 0 if there is none."""
        if tensor is FREE or tensor == ROOT:
            return 0
        shape = self.graph.inputs[tensor] if type(tensor) is str else self.graph.nodes[tensor].row.layer.shape
        return shape[-1]

    def is_named(self, tensor: int | str) -> bool:
        """Whether a tensor has a name that other lists can refer to."""
        return type(tensor) is str or tensor in self.anchors

    def branches(self, number: int, base: int | str | None) -> list[Any]:
        """Branches of a node, relative to `base`."""
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
        """Item of a named tensor, or the name of an input."""
        return tensor if type(tensor) is str else self.item(tensor)

    def item(self, number: Any) -> Item:
        """Item of a node, created once."""
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
