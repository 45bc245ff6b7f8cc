"""Write a network as a Python file with a `torch.nn.Module`. Layers of equal structure become functions.

source_text(graph, name)    the text of the file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import check_count

if TYPE_CHECKING:
    from ...model.wiring import Graph


def source_text(graph: Graph, name: str) -> str:
    """The text of a Python file that requires only torch. Raises SpecError for layers that PyTorch cannot represent."""
    from .module import source

    check_count(graph)
    return source(graph, name)
