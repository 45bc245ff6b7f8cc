"""A network as an ONNX model (onnx.ai), operator set 21: one operator a layer where there is one.

pieces(graph, name, weights, seed)     the bytes of the file, in pieces that are made while they are written
encoded(graph, name, weights, seed)    the same in one
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
    """The bytes of an ONNX model of a wired network, a batch of one; the same for the same seed. See `pieces`."""
    return b"".join(pieces(graph, name, weights, seed))


def pieces(graph: Graph, name: str, weights: str = "random", seed: int = 0) -> Pieces:
    """The bytes of an ONNX model of a wired network, in pieces; the model is checked before this returns.

    Weights are `random` as before training, `zero`, or `none`: inputs of the graph, for a file that only shows its
    structure. Raises SpecError for a layer that ONNX cannot have, OptionError without the extra `onnx` and for more
    weights than a file can hold.
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
        import onnx  # noqa: F401 (is it there?)
    except ImportError:
        message = "an ONNX model needs the package onnx, which is not installed"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[onnx]'")) from None
