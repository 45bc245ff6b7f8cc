"""Linear layers, and products of vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from string import ascii_letters
from typing import Any

from ....errors import Refused
from ..node import Node, shape
from . import translates


@translates("linear")
def linear(node: Node) -> None:
    """Linear layer: weight as (out, in)."""
    node.own("linear", node["input"], node["weight"], node["bias"])


@translates("addmm")
def addmm(node: Node) -> None:
    """A product of matrices and a bias."""
    node.call("Gemm", node["mat1"], node["mat2"], node["self"])


@translates("baddbmm")
def baddbmm(node: Node) -> None:
    """Products of stacked matrices, and what is added to them."""
    product = node.step("MatMul", node["batch1"], node["batch2"], shape=node.shapes[0])
    node.call("Add", product, node["self"])


@translates("mm", "bmm", "matmul", "mv", "dot", "vdot")
def matmul(node: Node) -> None:
    """A product of matrices."""
    node.call("MatMul", *node.tensors)


@translates("inner")
def inner(node: Node) -> None:
    """Products along the last axis of two tensors, of every row of the one with every row of the other."""
    x, other = node["self"], node["other"]
    if not shape(x) or not shape(other):
        node.call("Mul", x, other)
    elif len(shape(other)) == 1:
        node.call("MatMul", x, other)
    elif len(shape(other)) == 2:
        node.own("linear", x, other)
    else:
        rows = prod(shape(other)[:-1]), shape(other)[-1]
        flat = node.step("Reshape", other, list(rows), shape=rows)
        product = node.step("linear", x, flat, domain="torch", shape=(*shape(x)[:-1], rows[0]))
        node.call("Reshape", product, shape=node.shapes[0], allowzero=1)


@translates("addmv")
def addmv(node: Node) -> None:
    """A matrix by a vector, and what is added to it."""
    product = node.step("MatMul", node["mat"], node["vec"], shape=node.shapes[0])
    node.call("Add", product, node["self"])


@translates("addbmm")
def addbmm(node: Node) -> None:
    """The sum of the products of stacked matrices, and what is added to it."""
    many = (shape(node["batch1"])[0], *node.shapes[0])
    product = node.step("MatMul", node["batch1"], node["batch2"], shape=many)
    total = node.step("ReduceSum", product, axes=[0], keepdims=0, shape=node.shapes[0])
    node.call("Add", total, node["self"])


@translates("outer", "ger", "addr")
def outer(node: Node) -> None:
    """Every number of a vector by every number of another: no sum, so a product element by element."""
    left, right = node.get("vec1", node["self"]), node.get("vec2")
    column = node.step("Unsqueeze", left, axes=[1], shape=(*shape(left), 1))
    if node.base.startswith("addr"):
        product = node.step("Mul", column, right, shape=node.shapes[0])
        node.call("Add", product, node["self"])
    else:
        node.call("Mul", column, right)


@translates("bilinear")
def bilinear(node: Node) -> None:
    """A bilinear form of two tensors: weight as (out, first, second)."""
    node.own("bilinear", node["input1"], node["input2"], node["weight"], node["bias"])


@translates("linalg_multi_dot", "chain_matmul")
def multi_dot(node: Node) -> None:
    """A product of many matrices in the order that costs least; the first and the last may be vectors."""
    factors = list(node.get("tensors") or node["matrices"])
    sizes = [(1, *shape(one)) if len(shape(one)) == 1 and at == 0 else shape(one) for at, one in enumerate(factors)]
    sizes = [(*one, 1) if len(one) == 1 else one for one in sizes]
    order = cheapest([*(one[0] for one in sizes), sizes[-1][1]])
    _chain(node, factors, order, 0, len(factors) - 1)


def cheapest(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where a chain of matrices of sizes[i] x sizes[i + 1] is cut to cost least: (first, last) -> last of the left."""
    cost, cut = {(at, at): 0 for at in range(len(sizes) - 1)}, {}
    for length in range(1, len(sizes) - 1):
        for first in range(len(sizes) - 1 - length):
            last = first + length
            tried = [
                (cost[first, at] + cost[at + 1, last] + sizes[first] * sizes[at + 1] * sizes[last + 1], at)
                for at in range(first, last)
            ]
            cost[first, last], cut[first, last] = min(tried)
    return cut


def _chain(node: Node, factors: Sequence, cut: dict[tuple[int, int], int], first: int, last: int) -> Any:
    """Call the products of a part of a chain; the whole chain is what the node makes."""
    if first == last:
        return factors[first]
    at = cut[first, last]
    parts = (_chain(node, factors, cut, first, at), _chain(node, factors, cut, at + 1, last))
    if (first, last) == (0, len(factors) - 1):
        return node.call("MatMul", *parts)
    rows, columns = shape(factors[first])[:-1], shape(factors[last])[1:]
    return node.step("MatMul", *parts, shape=(*rows, *columns))


@translates("tensordot")
def tensordot(node: Node) -> None:
    """Products along pairs of axes of two tensors: an einsum."""
    ranks = len(shape(node["self"])), len(shape(node["other"]))
    if sum(ranks) > len(ascii_letters):
        raise Refused(f"tensors of {ranks[0]} and {ranks[1]} axes")
    left, right = list(ascii_letters[: ranks[0]]), list(ascii_letters[ranks[0] : sum(ranks)])
    for one, other in zip(node["dims_self"], node["dims_other"], strict=True):
        right[other] = left[one]
    result = "".join(one for one in (*left, *right) if (one in left) != (one in right))
    node.call("Einsum", node["self"], node["other"], equation=f"{''.join(left)},{''.join(right)}->{result}")


@translates("einsum")
def einsum(node: Node) -> None:
    """A product that an equation tells; of more than two tensors, two at a time in the order of `path`."""
    node.call("Einsum", *node["tensors"], equation=node["equation"], path=node.get("path"))


@translates("_grouped_mm", "_scaled_grouped_mm", "transformers::grouped_mm_fallback")
def grouped(node: Node) -> None:
    """Products of groups of rows with a matrix each, as those of experts."""
    rows, matrices, *_ = node.tensors
    node.own("grouped", rows, matrices, node.get("bias"))
