"""Constants, and tensors that are known before the graph runs, such as shapes."""

from __future__ import annotations

from math import ceil

from .... import limits
from ....errors import Refused
from ....num import ceil_div, prod
from ....num.polynomials import Dim
from ..node import Node, Unknown, axis
from ..tensors import Outputs, Tensor, constant, sizes
from . import rule


@rule("Constant")
def constant_node(node: Node) -> list[Tensor]:
    """Constant: a tensor, a number or a list of numbers in an attribute."""
    for name, value in node.attributes.items():
        if name == "value":
            return [_literal(node, value)]
        if name in ("value_int", "value_float", "value_string"):
            return [constant((), (value,))]
        if name in ("value_ints", "value_floats", "value_strings"):
            return [constant((len(value),), value)]
        if name == "sparse_value":
            return [Tensor(tuple(value.dims), None, frozenset())]
    raise Refused("it has no value")


def _literal(node: Node, tensor: Tensor) -> Tensor:
    """Register a constant of the code. It counts as parameters only if a convolution or linear layer holds it."""
    if not tensor.roots:
        return tensor
    tensor = tensor._replace(roots=frozenset([node.proto.output[0]]))
    node.reader.numbers.literal(tensor)
    return tensor


@rule("ConstantOfShape")
def constant_of_shape(node: Node) -> list[Tensor]:
    """A constant value in a given shape."""
    shape = node.sizes(0)
    value = node.get("value")
    element = value.value[0] if value is not None and value.value else 0.0
    if any(isinstance(size, Dim) for size in shape):
        return [constant(shape)]
    found = constant(shape, (element,) * prod(shape) if prod(shape) <= limits.FOLDED else None)
    return [_literal(node, found._replace(roots=frozenset([""])) if value is None or value.roots else found)]


@rule("Shape")
def shape_of(node: Node) -> list[Tensor]:
    """The sizes of a tensor, or some of them."""
    shape = node.need(0).shape
    start, end = node.get("start", 0), node.get("end", len(shape))
    found = shape[slice(start, end)]
    return [constant((len(found),), found)]


@rule("Size")
def size_of(node: Node) -> Outputs:
    """Number of elements of a tensor."""
    return [constant((), (node.need(0).size,))]


@rule("Range")
def range_of(node: Node) -> Outputs:
    """Numbers from start to limit by a step. The length must be known."""
    start, end, step = (sizes(node.need(number)) or node.need(number).value for number in range(3))
    if None in (start, end, step):
        raise Unknown
    (start,), (end,), (step,) = start, end, step
    whole = all(isinstance(one, (int, Dim)) for one in (start, end, step))
    count = ceil_div(end - start, step) if whole else max(ceil((end - start) / step), 0)
    return [constant((count,))]


@rule("EyeLike", "RandomNormalLike", "RandomUniformLike")
def like(node: Node) -> Outputs:
    """A tensor with the shape of another."""
    return [Tensor(node.need(0).shape)]


@rule("RandomNormal", "RandomUniform")
def random(node: Node) -> Outputs:
    """Random numbers in a given shape."""
    return [Tensor(tuple(node.get("shape") or ()))]


@rule("Multinomial")
def multinomial(node: Node) -> Outputs:
    """Random samples for each row."""
    return [Tensor((node.need(0).shape[0], node.get("sample_size", 1)))]


@rule("HannWindow", "HammingWindow", "BlackmanWindow")
def windows(node: Node) -> Outputs:
    """Window function of a given length."""
    return [constant(node.sizes(0))]


@rule("MelWeightMatrix")
def mel(node: Node) -> Outputs:
    """Matrix from spectrum bins to mel bins."""
    return [constant((node.sizes(1)[0] // 2 + 1, node.sizes(0)[0]))]


@rule("DFT")
def dft(node: Node) -> Outputs:
    """Fourier transform along an axis, of real or complex numbers. The algorithm is unspecified."""
    x = node.need(0)
    at = axis(node.sizes(2)[0] if node.input(2) is not None else node.get("axis", 1), len(x.shape))
    size = node.sizes(1)[0] if node.input(1) is not None else x.shape[at]
    numbers = 2  # real and imaginary part
    if node.get("onesided", 0) and node.get("inverse", 0):
        size, numbers = size if node.input(1) is not None else 2 * (size - 1), 1
    elif node.get("onesided", 0):
        size = size // 2 + 1
    shape = (*x.shape[:at], size, *x.shape[at + 1 : -1], numbers)
    node.passive(shape)
    return [shape]


@rule("Det", "SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
def shrunk(node: Node) -> Outputs:
    """Operators that drop axes: a determinant the last two, a loss all, or the classes if it is not reduced."""
    x = node.need(0)
    rank = len(x.shape)
    if node.op == "Det":
        shape = x.shape[: rank - 2]
    else:
        shape = node.need(1).shape if node.get("reduction", "mean") == "none" else ()
    node.passive(shape or (1,))
    return [shape, *[x.shape] * (node.outputs - 1)]


@rule("STFT")
def stft(node: Node) -> Outputs:
    """Short-time Fourier transform: signal, step, window, frame length."""
    signal, step = node.need(0), node.sizes(1)[0]
    given = node.sizes(3)
    frame = given[0] if given else node.need(2).shape[0]
    bins = frame // 2 + 1 if node.get("onesided", 1) else frame
    shape = (signal.shape[0], (signal.shape[1] - frame) // step + 1, bins, 2)
    node.passive(shape)
    return [shape]
