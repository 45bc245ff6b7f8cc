"""Recurrent layers, as PyTorch computes them."""

from typing import Any

from ..errors import Refused
from ..num import require
from .base import WEIGHT, Layer, Product, op
from .kinds import Flag, Shape, Size, Width


@op("rnn")
def rnn(x: Shape, hidden: Width, *, layers: Size = 1, bidirectional: Flag = False, bias: Flag = True) -> Layer:
    """Plain recurrent layer with one gate.

    (T, F) -> (T, D*H), D = 2 if bidirectional. Mult-adds per layer: T*D*H*(F + H); later layers read
    D*H features. Two bias vectors, as in PyTorch. torch.nn.RNN.

    Example: {rnn: 256}
    """
    return _recurrent(x, 1, 1, hidden, layers, bidirectional, None, bias)


@op("lstm")
def lstm(
    x: Shape,
    hidden: Width,
    *,
    layers: Size = 1,
    bidirectional: Flag = False,
    projection: Width = None,
    bias: Flag = True,
) -> Layer:
    """Long short-term memory with four gates.

    (T, F) -> (T, D*H), D = 2 if bidirectional. Mult-adds per layer: T*D*4*H*(F + H); later layers read
    D*H features. `projection` P sets the width of the output and the recurrence to P, for P*H more mult-adds
    per step. Two bias vectors per gate, as in PyTorch. torch.nn.LSTM.

    Example: {lstm: 256, layers: 2, bidirectional: true}
    """
    return _recurrent(x, 4, 5, hidden, layers, bidirectional, projection, bias)


@op("gru")
def gru(x: Shape, hidden: Width, *, layers: Size = 1, bidirectional: Flag = False, bias: Flag = True) -> Layer:
    """Gated recurrent unit with three gates.

    (T, F) -> (T, D*H), D = 2 if bidirectional. Mult-adds per layer: T*D*3*H*(F + H); later layers read
    D*H features. Two bias vectors per gate, as in PyTorch. torch.nn.GRU.

    Example: {gru: 256}
    """
    return _recurrent(x, 3, 3, hidden, layers, bidirectional, None, bias)


def _recurrent(
    x: Any,
    gates: int,
    activations: int,
    hidden: int,
    layers: int,
    bidirectional: bool,
    projection: int | None,
    bias: bool,
) -> Layer:
    """The layer of any recurrent operation. `activations` is per unit and step: one per gate, and the cell for lstm."""
    if len(x) != 2:
        raise Refused(f"a recurrent layer works on [length, features], got a tensor of rank {len(x)}")
    length, features = x
    directions = 2 if bidirectional else 1
    width, projected = hidden, 0
    if projection is not None:
        require(projection < hidden, "a projection to {} of only {} hidden", projection, hidden, option="projection")
        width, projected = projection, projection * hidden
    first = gates * hidden * (features + width) + projected
    later = gates * hidden * (directions * width + width) + projected
    weight = directions * (first + (layers - 1) * later)
    units = directions * layers * hidden
    fed = length * directions * gates * hidden * features  # products with x, the rest with states
    return Layer(
        shape=(length, directions * width),
        params={"weight": weight, "bias": 2 * gates * units if bias else 0},
        terms={
            "mac": length * weight,
            "bias": length * 2 * gates * units if bias else 0,
            "activate": length * activations * units,
            "states": length * units,
        },
        products=(
            Product({"mac": fed}, (0, WEIGHT), "state"),
            Product({"mac": length * weight - fed}, ("state", WEIGHT)),
        ),
    )
