"""Which tensors of an exported graph its results are made of."""

from __future__ import annotations

from typing import Any

from .node import tensor


def results(graph: Any) -> list[str]:
    """The names of the tensors that a graph gives back."""
    given = next(one for one in graph.nodes if one.op == "output").all_input_nodes
    return [tensor(one) for one in given]


def living(graph: Any) -> dict[str, str]:
    """The names of the nodes that the results are made of, each with the module or node that reads it."""
    found: dict[str, str] = {}
    for node in reversed(graph.nodes):
        if node.op == "output" or node.name in found:
            for one in node.all_input_nodes:
                found.setdefault(one.name, "the output" if node.op == "output" else node.name)
    return found
