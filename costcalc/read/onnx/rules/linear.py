"""Matrix products. A product with weights is a linear layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....errors import Refused
from ....num import require, stretch
from ..node import Node
from ..tensors import PRODUCT, Outputs, Tensor
from . import rule

if TYPE_CHECKING:
    from ....num.values import Shape
    from ....ops.base import Layer


@rule("Gemm", "FusedGemm", multiplies=True)
def gemm(node: Node) -> list[Shape]:
    """Gemm: alpha * a' b' + beta * c, a' and b' optionally transposed."""
    a, b = node.need(0), node.need(1)
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise Refused(f"it needs two matrices, got {len(a.shape)} and {len(b.shape)} axes")
    flip = (turned(a) if node.get("transA", 0) else a), (turned(b) if node.get("transB", 0) else b)
    return multiplied(node, *flip, node.input(2))


@rule("MatMul", "FusedMatMul", multiplies=True)
def matmul(node: Node) -> list[Shape]:
    """MatMul of any ranks with broadcast leading axes. FusedMatMul may transpose."""
    a, b = node.need(0), node.need(1)
    a = turned(a) if node.get("transA", 0) else a
    return multiplied(node, a, turned(b) if node.get("transB", 0) else b, None)


@rule("MatMulInteger", multiplies=True)
def matmul_integer(node: Node) -> list[Tensor]:
    """Integer MatMul, scaled by a later node."""
    (shape,) = multiplied(node, node.need(0), node.need(1), None)
    return [Tensor(shape, scaled=PRODUCT)]


@rule("QLinearMatMul", multiplies=True)
def qlinear_matmul(node: Node) -> Outputs:
    """Quantised MatMul: a and b, each with scale and zero point."""
    return multiplied(node, node.need(0), node.need(3), None)


@rule("QGemm", multiplies=True)
def qgemm(node: Node) -> Outputs:
    """Quantised Gemm: a and b, each with scale and zero point, then c."""
    b = node.need(3)
    return multiplied(node, node.need(0), turned(b) if node.get("transB", 0) else b, node.input(6))


@rule("MatMulNBits", multiplies=True)
def matmul_bits(node: Node) -> Outputs:
    """MatMul with packed weights of few bits. (K, N) are attributes."""
    weight = node.need(1)._replace(shape=(node.get("K"), node.get("N")))
    node.reader.numbers.keep(weight, weight.size)
    node.reader.widths.stored.update(dict.fromkeys(weight.roots or (), node.get("bits", 4)))
    return multiplied(node, node.need(0), weight, node.input(5))


def turned(tensor: Tensor) -> Tensor:
    """Transpose each matrix of a stack."""
    *batch, rows, columns = tensor.shape
    return tensor._replace(shape=(*batch, columns, rows), value=None)


def multiplied(node: Node, a: Any, b: Any, bias: Tensor | None) -> list[Shape]:
    """Product of two tensors. A constant matrix is the weight of a linear layer."""
    shape = product_shape(node, a.shape, b.shape)
    if b.roots is not None and len(b.shape) == 2:
        linear(node, a, b, bias)
    elif a.roots is not None and len(a.shape) == 2 and len(b.shape) > 1:
        linear(node, turned(b), turned(a), bias)
    else:
        _product(node, a, b, shape, bias)
    return [shape]


def linear(node: Node, x: Any, weight: Any, bias: Tensor | None) -> Layer:
    """Add a step of a linear layer: x (.., in), weight (in, out)."""
    *positions, _ = x.shape if len(x.shape) > 1 else (1, *x.shape)
    features, out = weight.shape
    seen, times = node.seen(Tensor((*positions, features)))
    return node.emit(
        *("linear", seen),
        holds={"weight": weight, "bias": bias},
        times=times,
        out=out,
        bias=bias is not None,
    )


def product_shape(node: Node, a: Any, b: Any) -> Shape:
    """Shape of a matrix product, as in numpy.matmul."""
    if not a or not b:
        raise Refused("a matrix product needs at least one axis on each side")
    rows, columns = a[-2:-1], b[-1:] if len(b) > 1 else ()
    inner = b[-2] if len(b) > 1 else b[0]
    node.same(a[-1], inner, "{} columns on the left do not match {} rows on the right")
    return (*broadcast(a[:-2], b[:-2]), *rows, *columns)


def broadcast(*shapes: Any) -> Shape:
    """Shape after broadcasting."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    found = []
    for axis in zip(*padded, strict=True):
        size = axis[0]
        for other in axis[1:]:
            size, fits = (other if size == 1 else size, True) if other == 1 or size == other else stretch(size, other)
            require(fits, "sizes {} and {} do not match", axis[0], other)
        found.append(size)
    return tuple(found)


def _product(node: Node, a: Any, b: Any, shape: Shape, bias: Tensor | None) -> tuple[int, ...]:
    """Add a step of a product of two variable tensors, or with a stack of weight matrices."""
    rows = a.shape[-2] if len(a.shape) > 1 else 1
    columns = b.shape[-1] if len(b.shape) > 1 else 1
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    seen, times = node.seen(Tensor((*batch, rows, a.shape[-1])))
    stack = seen[: len(seen) - 2]
    if len(seen) < 2:
        seen, stack = (rows, a.shape[-1]), ()
    weight = next((one for one in (b, a) if one.roots is not None), None)
    node.emit(
        *("matmul", seen, (*stack, a.shape[-1], columns)),
        holds={"weight": weight, "bias": bias},
        times=times,
    )
    return shape


@rule("Einsum", multiplies=True)
def einsum(node: Node) -> list[Shape]:
    """Einsum. More than two tensors are multiplied pairwise, from the left or in the order of torch.einsum's `path`."""
    left, arrow, result = node.get("equation", "").replace(" ", "").partition("->")
    terms = left.split(",")
    shapes = [one.shape for one in node.inputs]
    if len(terms) != len(shapes):
        raise Refused(f"its equation names {len(terms)} tensors, {len(shapes)} are given")
    terms, result = _spelled(terms, shapes, result if arrow else None)
    sizes: dict[Any, Any] = {}
    for letters, shape in zip(terms, shapes, strict=True):
        for letter, size in zip(letters, shape, strict=True):
            sizes[letter] = size if sizes.get(letter, 1) == 1 else sizes[letter]
    shape = tuple(sizes[letter] for letter in result)
    if not any(terms):
        node.passive((1,))
        return [()]
    if len(shapes) > 2:
        return [_chain(node, terms, result)]
    terms = [_unstretched(letters, one, sizes) for letters, one in zip(terms, shapes, strict=True)]
    seen = [tuple(sizes[letter] for letter in letters) for letters in terms]
    alone = _alone(terms, result)
    if alone:
        given = [one._replace(shape=own) for one, own in zip(node.inputs, seen, strict=True)]
        return [_summed_first(node, given, terms, result, alone)]
    weight = next((one for one in node.inputs[::-1] if one.roots), None)
    options: dict[str, Any] = {"equation": f"{','.join(terms)}->{result}"}
    node.emit("einsum", *seen, holds={"weight": weight} if weight is not None else None, **options)
    return [shape]


def _chain(node: Node, terms: list[str], result: str) -> Tensor:
    """Result of an einsum of several tensors, as a chain of pairwise ones."""
    left, path = list(zip(terms, node.inputs, strict=True)), list(node.get("path") or ())
    while len(left) > 1:
        first, second = sorted(path[:2]) if path else (0, 1)
        (other, b), (one, a) = left.pop(second), left.pop(first)
        later = {letter for letters, _ in left for letter in letters}.union(result)
        kept = result if not left else "".join(letter for letter in dict.fromkeys(one + other) if letter in later)
        made = _part(node, [a, b], f"{one},{other}->{kept}")
        left.insert(len(left) if path else 0, (kept, made))
        del path[:2]
    return left[0][1]


def _unstretched(letters: str, shape: Shape, sizes: dict[str, Any]) -> str:
    """Letters of a tensor without those along which it is broadcast."""
    return "".join(one for one, size in zip(letters, shape, strict=True) if size == sizes[one])


def _alone(terms: list[str], result: str) -> set[str]:
    """Summed letters of only one of two tensors, if a letter of both is summed too."""
    if len(terms) != 2 or not (set(terms[0]) & set(terms[1])) - set(result):
        return set()
    return (set(terms[0]) ^ set(terms[1])) - set(result)


def _summed_first(node: Node, given: list[Tensor], terms: list[str], result: str, alone: set[str]) -> Tensor:
    """Result of an einsum of two tensors. Letters of only one are summed first, as runtimes do."""
    kept = ["".join(letter for letter in one if letter not in alone) for one in terms]
    inputs = [
        one if letters == left else _part(node, [one], f"{letters}->{left}")
        for one, letters, left in zip(given, terms, kept, strict=True)
    ]
    return _part(node, inputs, f"{','.join(kept)}->{result}")


def _part(node: Node, inputs: list[Tensor], equation: str) -> Tensor:
    """Result of an einsum that is a part of another."""
    part = Node(node.reader, node.proto, [*inputs], {"equation": equation}, node.version, node.number)
    part.is_constant = False
    (made,) = part.made(node.reader.finished(part, einsum(part)))
    return made


def _spelled(terms: list[str], shapes: Any, result: Any) -> tuple[list[str], str]:
    """Replace `...` by letters, and infer the result if it is omitted."""
    spare = [
        chr(code) for code in range(ord("A"), ord("z") + 1) if chr(code).isalpha() and chr(code) not in "".join(terms)
    ]
    rank = max([len(shape) - len(one) + 3 for one, shape in zip(terms, shapes, strict=True) if "..." in one], default=0)
    dots = "".join(spare[:rank])
    named = [
        one.replace("...", dots[rank - (len(shape) - len(one) + 3) :] if rank else "")
        for one, shape in zip(terms, shapes, strict=True)
    ]
    if result is None:
        letters = "".join(terms).replace(".", "")
        result = "..." * bool(rank) + "".join(sorted(one for one in set(letters) if letters.count(one) == 1))
    return named, result.replace("...", dots)
