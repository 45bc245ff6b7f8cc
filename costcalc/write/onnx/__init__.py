"""Write a network as an ONNX model (onnx.ai), operator set 21. A layer is one operator if ONNX has an equivalent.

pieces(graph, name, weights, seed)     the bytes of the file, in pieces that are generated on demand
encoded(graph, name, weights, seed)    the same as one bytes object
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import OptionError, Problem
from .. import check_count

if TYPE_CHECKING:
    from ...model.wiring import Graph
    from .stream import Pieces


WEIGHTS = ("random", "zero", "none")


def encoded(graph: Graph, name: str, weights: str = "random", seed: int = 0) -> bytes:
    """The bytes of an ONNX model with a batch of one. The same seed gives the same bytes. See `pieces`."""
    return b"".join(pieces(graph, name, weights, seed))


def pieces(graph: Graph, name: str, weights: str = "random", seed: int = 0) -> Pieces:
    """The bytes of an ONNX model in pieces. The model is checked before this returns.

    Weights are `random` (as initialised for training), `zero`, or `none`: inputs of the graph, for a file that only
    shows the structure. Raises SpecError for a layer that ONNX cannot represent, OptionError if the extra `onnx` is
    missing or the weights exceed the size of a file.
    """
    _require()
    from .builder import built
    from .stream import Pieces, check_size, proven, streamed

    check_count(graph)
    network = built(graph)
    if weights != "none":
        check_size(network)
    model = proven(network, name)
    if weights == "none":
        data = model.SerializeToString(deterministic=True)
        return Pieces(len(data), lambda: iter([data]))
    return streamed(network, name, weights, seed)


def _require() -> None:
    try:
        import onnx  # noqa: F401 (checks that it is installed)
    except ImportError:
        message = "an ONNX model needs the package onnx, which is not installed"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[onnx]'")) from None
