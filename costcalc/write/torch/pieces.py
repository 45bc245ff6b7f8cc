"""Layers as the modules of PyTorch: constructors with their arguments, in a layout that is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import Problem, SpecError
from ..spec.items import Item

if TYPE_CHECKING:
    from ...model.wiring import Node
    from ...num.values import Shape


class Raw(str):
    """A text that stands in the file as it is."""


class Flow:
    """Where modules are added: the shape that flows, channels last, and whether the channels come first in fact."""

    def __init__(self, shape: Shape, first: bool, pieces: Any = None) -> None:
        self.shape, self.first = tuple(shape), first and len(shape) > 1
        self.pieces = [] if pieces is None else pieces

    def add(self, op: str, name: str = "", **options: Any) -> Item:
        """Add a module."""
        self.pieces.append(Item(op, options, name))
        return self.pieces[-1]

    def turn(self, first: bool) -> Flow:
        """Bring the channels to the front, or to the end."""
        if len(self.shape) > 1 and self.first != first:
            self.add("ChannelsFirst" if first else "ChannelsLast")
            self.first = first
        return self

    def axis(self, at: int) -> int:
        """Where an axis of the spec's shape stands."""
        if not self.first:
            return at + 1
        return 1 if at == len(self.shape) - 1 else at + 2

    def becomes(self, shape: Any, first: bool) -> None:
        """Note what flows now."""
        self.shape, self.first = tuple(shape), first and len(shape) > 1


def refused(node: Node, why: str, help: str) -> SpecError:
    """The error for a layer that cannot be written."""
    return SpecError(Problem("cannot-export", f"`{node.name}`: {why}", node.row.place, help))


def of_rank(name: str, node: Node, rank: int, most: int = 3) -> str:
    """`nn.Conv2d` for a grid of two axes."""
    if not 1 <= rank <= most:
        raise refused(node, f"PyTorch has no {name} over {rank} axes", f"grids have 1 to {most} axes there")
    return f"nn.{name}{rank}d"
