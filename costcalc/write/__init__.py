"""Write a network in other formats: an ONNX model, a PyTorch module, or a spec with blocks."""

from typing import Any

from .. import limits
from ..errors import OptionError, Problem


def check_count(graph: Any) -> None:
    """Raise OptionError if a graph has too many layers to be written."""
    if len(graph.nodes) > limits.WRITTEN:
        message = (
            f"a network of {len(graph.nodes):,} layers is too large to be written: the limit is {limits.WRITTEN:,}"
        )
        raise OptionError(Problem("limit", message, help=limits.hint("written")))
