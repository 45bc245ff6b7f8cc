"""Elementwise operations: activations, sums of branches, and layers that pass values through."""

from ..errors import Refused
from ..num import equal, floor_div, prod, require, stretch
from ..num.values import Number, Shape
from . import ACTIVATIONS
from .base import Layer, op
from .kinds import Branches, Flag, Rate

_SPECIAL = ("prelu", "glu", "softmax", "log_softmax")


@op(*(name for name in ACTIVATIONS if name not in _SPECIAL), empty=True)
def activation(x: Shape) -> Layer:
    """Activation or other elementwise function of one tensor, without parameters or mult-adds.

    x -> the same shape. torch.nn.functional, keras.activations.

    Example: - relu
    """
    return Layer(shape=x, terms={"activate": prod(x)})


@op("softmax", "log_softmax", empty=True)
def softmax(x: Shape) -> Layer:
    """Softmax over the last axis, or its logarithm. torch.nn.Softmax.

    (.., C) -> the same.

    Example: - softmax
    """
    return Layer(shape=x, terms={"activate": prod(x), "softmax_rows": prod(x[:-1])})


@op("prelu")
def prelu(x: Shape, *, shared: Flag = False) -> Layer:
    """Parametric ReLU with a learned slope per channel, or one for all channels (`shared`). arXiv:1502.01852.

    x -> the same shape. torch.nn.PReLU(C).

    Example: - prelu
    """
    return Layer(shape=x, params={"slope": 1 if shared else x[-1]}, terms={"activate": prod(x)})


@op("glu")
def glu(x: Shape) -> Layer:
    """Gated linear unit: half of the channels times the sigmoid of the other half. torch.nn.GLU.

    (.., 2C) -> (.., C).

    Example: - glu
    """
    require(equal(x[-1] % 2, 0), "glu halves the channels: {} is odd", x[-1])
    shape = (*x[:-1], floor_div(x[-1], 2))
    return Layer(shape=shape, terms={"activate": prod(shape), "multiply": prod(shape)})


def joined(inputs: tuple[Shape, ...], name: str) -> Shape:
    """The shape that tensors broadcast to, as in NumPy."""
    if len(inputs) < 2:
        raise Refused(f"{name} joins two branches or more, got {len(inputs)}")
    rank = max_rank(inputs)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in inputs]
    return tuple(_axis(sizes, inputs, name) for sizes in zip(*padded, strict=True))


def max_rank(inputs: tuple[Shape, ...]) -> int:
    """The largest number of axes among the tensors."""
    return sorted(len(shape) for shape in inputs)[-1]


def _axis(sizes: Shape, inputs: tuple[Shape, ...], name: str) -> Number:
    result, *rest = sizes
    for size in rest:
        result, fits = stretch(result, size)
        if fits is not True:
            shapes = " and ".join("x".join("{}" for _ in shape) for shape in inputs)
            require(fits, f"{name}: shapes do not match: {shapes}", *(size for shape in inputs for size in shape))
    return result


@op("add")
def add(x: Shape, inputs: Branches) -> Layer:
    """Elementwise sum of branches; axes of size 1 broadcast. torch.add.

    (.., C), (.., C) -> (.., C). A branch is a list of layers, `[]` (the input itself), or a name.

    Example: add: [[], [{conv: 3x3, out: 64}]]
    """
    return _join(inputs, "add", "add")


@op("sub")
def sub(x: Shape, inputs: Branches) -> Layer:
    """Elementwise difference of two branches. torch.sub.

    (.., C), (.., C) -> (.., C).

    Example: sub: [a, b]
    """
    return _join(_pair(inputs, "sub"), "sub", "add")


@op("mul")
def mul(x: Shape, inputs: Branches) -> Layer:
    """Elementwise product of branches; axes of size 1 broadcast, as in squeeze-and-excitation. torch.mul.

    (.., C), (.., C) -> (.., C).

    Example: mul: [[], [{avgpool: global}, sigmoid]]
    """
    return _join(inputs, "mul", "multiply")


@op("div")
def div(x: Shape, inputs: Branches) -> Layer:
    """Elementwise quotient of two branches. torch.div.

    (.., C), (.., C) -> (.., C).

    Example: div: [a, b]
    """
    return _join(_pair(inputs, "div"), "div", "divide")


def _pair(inputs: tuple[Shape, ...], name: str) -> tuple[Shape, ...]:
    if len(inputs) != 2:
        raise Refused(f"{name} takes two branches, got {len(inputs)}")
    return inputs


def _join(inputs: tuple[Shape, ...], name: str, quantity: str) -> Layer:
    shape = joined(inputs, name)
    return Layer(shape=shape, terms={quantity: prod(shape) * (len(inputs) - 1)})


@op("dropout", empty=True)
def dropout(x: Shape, rate: Rate = 0.5) -> Layer:
    """Drops values during training; no cost at inference. torch.nn.Dropout.

    x -> the same shape.

    Example: {dropout: 0.2}
    """
    return Layer(shape=x, detail={"rate": rate})


@op("identity", empty=True)
def identity(x: Shape) -> Layer:
    """Passes its input through. torch.nn.Identity.

    x -> the same shape.

    Example: - identity
    """
    return Layer(shape=x)
