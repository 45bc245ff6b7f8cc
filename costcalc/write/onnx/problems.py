"""What cannot be written as ONNX."""

from ...errors import Problem, SpecError


def refused(node, why, help):
    """The error for a layer that ONNX cannot have."""
    return SpecError(Problem("cannot-export", f"`{node.name}`: {why}", node.row.place, help))
