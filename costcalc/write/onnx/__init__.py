"""A network as an ONNX model (onnx.ai), operator set 21: one operator a layer where there is one.

encoded(graph, name, weights, seed)    the bytes of the file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import OptionError, Problem

if TYPE_CHECKING:
    from ...model.wiring import Graph


WEIGHTS = ("random", "zero", "none")


def encoded(graph: Graph, name: str, weights: str = "random", seed: int = 0) -> bytes:
    """The bytes of an ONNX model of a wired network, a batch of one; the same for the same seed.

    Weights are `random` as before training, `zero`, or `none`: inputs of the graph, for a file that only shows its
    structure. Raises SpecError for a layer that ONNX cannot have, OptionError without the extra `onnx`.
    """
    _require()
    from .file import proven, with_weights
    from .graph import built

    network = built(graph)
    model = proven(network, name)
    if weights != "none":
        model = with_weights(network, name, weights, seed)
    return model.SerializeToString(deterministic=True)


def _require() -> None:
    try:
        import onnx  # noqa: F401 (is it there?)
    except ImportError:
        message = "an ONNX model needs the package onnx, which is not installed"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[onnx]'")) from None
