"""Whose numbers the steps of a graph hold: their own, those of constants that they read, or of an earlier step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rows import Row

if TYPE_CHECKING:
    from .wiring import Node


def counted(row: Row) -> dict:
    """The numbers by kind that the rule of a row says."""
    joined = {name: row.inputs for name in row.op.branches if row.op.options[name].required}
    found = row.op.rule(*row.inputs[: row.op.takes_input], **{**joined, **row.options}).params
    return {kind: count for kind, count in found.items() if count}


def held(row: Row) -> dict:
    """The numbers by kind that a row holds."""
    return {kind: count for kind, count in row.layer.params.items() if count}


def beyond(row: Row) -> dict:
    """The numbers by kind that a row holds beyond those of its rule: of what it reads."""
    rule = counted(row)
    more = {kind: count - rule.get(kind, 0) for kind, count in held(row).items()}
    return {kind: count for kind, count in more.items() if count > 0}


def lacking(row: Row, others: dict) -> Row:
    """The row without numbers that something else holds."""
    own = {kind: count - others.get(kind, 0) for kind, count in held(row).items()}
    return row._replace(layer=row.layer._replace(params={kind: count for kind, count in own.items() if count}))


class Owner:
    """Which node holds the numbers of a step by its name, while a graph grows."""

    def __init__(self, nodes: list) -> None:
        self.nodes, self.names = nodes, dict[str, int]()

    def note(self, name: str, number: int) -> None:
        """Note the node of a step; of those of one name, the first."""
        self.names.setdefault(name, number)

    def find(self, name: str) -> int | None:
        """The node that holds the numbers of a step of that name."""
        number = self.names.get(name)
        return None if number is None else self.nodes[number].holder

    def given(self, node: Node, number: int, whose: int | None) -> Node:
        """A node that knows which other has its numbers, where one has them all."""
        if whose is None:
            return node._replace(row=node.row._replace(shared=None))
        rule, other = counted(node.row), self.nodes[whose].row
        same = node.row.op is other.op and not node.row.op.branches and node.row.options == other.options
        if same and rule and rule == counted(other):
            return node._replace(holder=whose, row=node.row._replace(layer=node.row.layer._replace(params=rule)))
        table = self.table(whose)
        if table is not None and {*rule} == {"weight"} and held(self.nodes[table].row)["weight"] == rule["weight"]:
            return node._replace(table=table)
        return node._replace(row=node.row._replace(shared=None))

    def table(self, number: int) -> int | None:
        """The node that holds the weights: a step, or the parameter that it reads."""
        sources = [one for one in self.nodes[number].sources if type(one) is int and not self.nodes[one].sources]
        every = [one for one in (number, *sources) if held(self.nodes[one].row).get("weight")]
        return every[0] if len(every) == 1 else None

    def parameter(self, whose: int | None, shapes: list) -> int | None:
        """The parameter that an earlier step reads, where this one reads the same."""
        sources = [] if whose is None else self.nodes[whose].sources
        free = [one for one in sources if type(one) is int and self.nodes[one].row.op.name == "parameter"]
        alike = [one for one in free if len(shapes) == 1 and self.nodes[one].row.layer.shape == shapes[0]]
        return alike[0] if len(free) == len(alike) == 1 else None
