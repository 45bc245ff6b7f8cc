"""A network in the form of another tool: an ONNX model, a PyTorch module, a spec with blocks."""

from typing import Any

from .. import limits
from ..errors import OptionError, Problem


def check_count(graph: Any) -> None:
    """Raise OptionError for a graph of too many layers to be written: their structure is looked for."""
    if len(graph.nodes) > limits.WRITTEN:
        message = (
            f"a network of {len(graph.nodes):,} layers is too large to be written: the limit is {limits.WRITTEN:,}"
        )
        raise OptionError(Problem("limit", message, help=limits.hint("written")))
