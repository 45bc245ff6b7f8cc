"""Arguments of a block call: one value, a row, or several rows as in the table of a paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import listed
from ...syntax.nodes import Node, is_empty
from . import args
from .controls import CONTROLS, layer_name

if TYPE_CHECKING:
    from ...model.network import Block
    from ...syntax.problems import Problems
    from .args import Scope


class RowReader:
    """Reads the arguments of one block call."""

    def __init__(
        self, problems: Problems, block: Block, scope: Scope, defaults: Mapping[Any, Any], earlier: Callable[..., Any]
    ) -> None:
        self.problems, self.block, self.scope, self.defaults = problems, block, scope, defaults
        self.earlier = earlier  # reads the name of a layer

    def rows(
        self, at: Node, value: Node | None, entries: Mapping[str, tuple[Node, ...]]
    ) -> tuple[tuple[str | None, dict[str, Any]], ...]:
        """(label, arguments) of each call. `entries` are the options given beside the rows."""
        options = {}
        for key, (key_node, node) in entries.items():
            if key in self.block.params:
                options[key] = self.argument(key, node)
            elif key not in CONTROLS:
                params = self.block.params
                help = f"`{self.block.name}` has {listed(params) or 'no parameters'}; every layer {listed(CONTROLS)}"
                self.problems.unknown("option", key, key_node, (*params, *CONTROLS), help)
        written = set(options)
        for key, node in self.defaults.items():
            if key in self.block.params and key not in options:
                options[key] = self.argument(key, node)
        return tuple((label, self.row(row, options, written, at)) for label, row in self.split(value, written))

    def argument(self, param: str, node: Node) -> Any:
        """Read the value of a parameter, with its position, or the name of a layer if the block requires one."""
        if param in self.block.tensors:
            if node.kind == "list":
                return tuple(self.earlier(item, self.scope, several=True) for item in node.value)
            return self.earlier(node, self.scope, several=param in self.block.lists)
        return args.placed(args.argument(node, self.scope, self.problems), node)

    def split(self, node: Node | None, written: set[str]) -> list[tuple[str | None, Node | None]]:
        """Split a value into (label, row) pairs. A row is a node, or None for a call without values.

        A list of single values is one row. If only one parameter is left, it is one row per value.
        """
        if node is None or is_empty(node):
            return [(None, None)]
        if node.kind == "list" and node.value and all(item.kind in ("list", "map") for item in node.value):
            return [(None, item) for item in node.value]
        params = self.block.params
        free = [param for param in params if param not in written]
        if node.kind == "list" and len(free) == 1 and all(item.kind == "scalar" for item in node.value):
            return [(None, item) for item in node.value] if free[0] not in self.block.lists else [(None, node)]
        if node.kind == "map" and not any(key.value in params for key, _ in node.value):
            if not all(value.kind == "list" or len(params) == 1 for _, value in node.value):
                key = node.value[0][0]
                self.problems.unknown("argument", key.value, key, params)
                return []
            return [(layer_name(key, self.problems), value) for key, value in node.value]
        return [(None, node)]

    def row(self, node: Node | None, options: Mapping[str, Any], written: set[str], at: Node) -> dict[str, Any]:
        """Arguments of one row, by parameter name."""
        given, params = {}, self.block.params
        if node is not None and node.kind == "map":
            for key, value in node.value:
                if key.value not in params:
                    self.problems.unknown("argument", key.value, key, params)
                else:
                    given[key.value] = self.argument(key.value, value)
        elif node is not None:
            free = [param for param in params if param not in written]
            whole = len(free) == 1 and free[0] in self.block.lists  # the list is a single argument, names of layers
            values = node.value if node.kind == "list" and not whole else [node]
            if len(values) > len(free):
                self.wrong_count(len(values) + len(written), node)
            for param, value in zip(free, values, strict=False):
                given[param] = self.argument(param, value)
        given = {**options, **given}
        if any(param not in given and param not in self.block.defaults for param in params):
            self.wrong_count(len(given), node if node is not None else at)
        return given

    def wrong_count(self, got: int, at: Node) -> None:
        """Record a row with too few or too many values."""
        name, params = self.block.name, ", ".join(self.block.params)
        most, least = len(self.block.params), len(self.block.params) - len(self.block.defaults)
        expected = (
            f"{least} to {most} values" if least < most else f"{most} value{'s' * (most != 1)}" if most else "no values"
        )
        help = f"write {{{name}: [{params}]}}" if most else f"write `- {name}`"
        signature = f" ({params})" if most else ""
        self.problems.add("wrong-row", f"`{name}` takes {expected}{signature}, got {got}", at, help)
