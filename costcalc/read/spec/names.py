"""Named layers in the part of a list that has been read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import brief, listed, nearest
from ...ops import INDEX

if TYPE_CHECKING:
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems


class Names:
    """Names that `from:`, `reuse:` and branches may use: those defined earlier in this list or an enclosing one.

    The body of a block also sees the names of its callers. Names that it does not define are collected in `left`.
    """

    def __init__(
        self, problems: Problems, inputs: Iterable[str] = (), given: dict[str, Node | None] | None = None
    ) -> None:
        self.problems = problems
        self.levels: list[dict[str, Node | None]] = [dict.fromkeys(inputs)]
        self.given = {} if given is None else given  # all names of the file
        self.given.update(self.levels[0])
        self.missing: dict[Any, Any] = {}  # name -> problems that report it as unknown
        self.left: list[Node] | None = None  # in a block: nodes with names that it does not define
        self.params: frozenset[str] = frozenset()  # in a block: its parameters
        self.tensors: set[str] = set()  # parameters that name layers
        self.lists: set[str] = set()  # parameters that name several layers

    def of_block(self, params: Any) -> Names:
        """Names for the body of a block with these parameters."""
        inner = Names(self.problems, (), self.given)
        inner.left, inner.params = [], frozenset(params)
        return inner

    def open(self) -> None:
        """Enter a list with its own scope of names."""
        self.levels.append({})

    def close(self) -> None:
        """Leave the list."""
        self.levels.pop()

    def give(self, node: Node) -> None:
        """Define the name at a node."""
        name, here = node.value, self.levels[-1]
        if name in here:
            first = here[name]
            where = f"the first is on line {first.line}" if first else "an input has this name"
            self.problems.add("name-taken", f"two layers are called `{brief(name)}`", node, where)
        here.setdefault(name, node)
        self.given[name] = node
        for index in self.missing.pop(name, ()):
            late = f"it gets this name only on line {node.line}"
            self.problems.found[index] = self.problems.found[index]._replace(help=late)

    def has(self, name: str) -> bool:
        """Whether an earlier layer has the name."""
        return any(_is_in(name, level) for level in self.levels)

    def check(self, node: Node, several: bool = False) -> None:
        """Record a name that no earlier layer has. `several`: it may stand for several layers."""
        if self.has(node.value):
            return
        if several and node.value in self.params:
            self.lists.add(node.value)
        if node.value in self.params:
            self.tensors.add(node.value)
            return
        if self.left is not None:
            self.left.append(node)
            return
        self.refuse(node, [one for level in reversed(self.levels) for one in level])

    def check_left(self) -> None:
        """Record names in a block's body that no layer of the file has."""
        for node in self.left or ():
            if not _is_in(node.value, self.given):
                self.refuse(node, self.given)

    def refuse(self, node: Node, known: Iterable[str]) -> None:
        """Record an unknown name."""
        name, known = node.value, list(known)
        help = nearest(name, known) or (f"named so far: {listed(known[:20])}" if known else "`as: NAME` names a layer")
        if name in INDEX:
            help = f"write the layers of a branch as a list: [{name}]"
        self.problems.add("unknown-layer", f"no layer before this one is called `{brief(name)}`", node, help)
        self.missing.setdefault(name, []).append(len(self.problems.found) - 1)


def _is_in(name: str, known: Mapping[str, Node | None]) -> bool:
    """Whether a name is defined. For a nested layer such as `body_2/conv`, whether the outer layer is."""
    head, slash, _ = name.partition("/")
    return name in known or (bool(slash) and (head in known or head.rpartition("_")[0] in known))
