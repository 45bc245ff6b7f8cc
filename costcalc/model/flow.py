"""Rows with the tensors that they read: what the lives of tensors, and what is like them, are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .network import Model
from .rows import Row
from .trace import trace


class Flow(NamedTuple):
    """The rows of a walk in the order they run, and where their inputs come from.

    sources  for each input of each row: the number of the row that makes it, the name of an input of the network, or
             None for a constant of a graph
    output   what the network gives last: the number of a row, or the name of an input
    """

    rows: Sequence[Row]
    sources: Sequence[tuple]
    inputs: Mapping[str, tuple]
    output: Any
    bits: Mapping[str, int] = {}  # of the values of an input, where it states them

    @property
    def outputs(self) -> set[Any]:
        """The numbers of the rows that the network gives: those that no row reads, and its output."""
        read = {source for sources in self.sources for source in sources}
        return {number for number in range(len(self.rows)) if number not in read} | {self.output}


def flow_of(model: Model, values: Mapping[str, Any]) -> Flow:
    """The flow of a model over `values`. Raises SpecError as `trace` does."""
    walked = trace(model, values)
    bits = {name: one.bits for name, one in model.inputs.items() if one.bits}
    return Flow(walked.rows, [row.sources for row in walked.rows], walked.inputs, walked.source, bits)
