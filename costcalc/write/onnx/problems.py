"""What cannot be written as ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import Problem, SpecError

if TYPE_CHECKING:
    from ...model.wiring import Node


def refused(node: Node, why: str, help: str) -> SpecError:
    """The error for a layer that ONNX cannot have."""
    return SpecError(Problem("cannot-export", f"`{node.name}`: {why}", node.row.place, help))
