"""A graph as lists of layers: chains, branches that join, and names for what is read elsewhere.

A join takes the nearest tensor that all of its inputs come from; between that and the join lie its branches. A layer
that would stand in two branches is put before them under a name, as is every layer that gives what nothing reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from .items import Item, is_quiet, item_of, quotient

if TYPE_CHECKING:
    from ...model.wiring import Graph, Node


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
        for count, one in enumerate(reversed(path), 1):
            self.depths[one] = base + count
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
