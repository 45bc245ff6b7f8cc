"""Matrix products and tables of weights."""

from collections.abc import Mapping

from ..errors import Refused
from ..num import equal, prod, require
from .base import Layer, op
from .kinds import Branches, Equation, Flag, Numbers, Shape, Size, Width


@op("linear", label=lambda detail: "fully connected", empty=True)
def linear(x: Shape, out: Width, *, bias: Flag = True) -> Layer:
    """Fully connected layer over the last axis; the leading axes are positions.

    (*positions, M) -> (*positions, N). Mult-adds: M*N at every position. torch.nn.Linear.

    Example: {linear: 1000}
    """
    *positions, features = x
    weight = features * out
    return Layer(
        shape=(*positions, out),
        params={"weight": weight, "bias": out if bias else 0},
        terms={"mac": weight * prod(positions), "bias": out * prod(positions) if bias else 0},
    )


@op("logits")
def logits(x: Shape, vocab: Width, *, bias: Flag = False) -> Layer:
    """Scores for every word of a vocabulary: the head of a language model, a linear layer over the last axis.

    (*positions, M) -> (*positions, V). Mult-adds: M*V at every position. With `reuse: words` it shares the table of the
    embedding `words` (a tied head). Some conventions price it separately from other layers (`6N`, `megatron`).
    torch.nn.Linear.

    Example: {logits: 30522}
    """
    return linear(x, vocab, bias=bias)


@op("bilinear")
def bilinear(x: Shape, inputs: Branches, *, out: Width, bias: Flag = True) -> Layer:
    """Bilinear form of two inputs: y_n = sum_ij W_nij (a_i b_j). torch.nn.Bilinear.

    (*positions, A), (*positions, B) -> (*positions, N). Mult-adds: N*A*B at every position, one per weight, like a
    linear layer over the A*B products of the inputs.

    Example: {bilinear: [left, right], out: 10}
    """
    (*positions, a), (*others, b) = _two(inputs, "bilinear")
    _same_positions(positions, others)
    weight = out * a * b
    return Layer(
        shape=(*positions, out),
        params={"weight": weight, "bias": out if bias else 0},
        terms={
            "mac": weight * prod(positions),
            "multiply": a * b * prod(positions),
            "bias": out * prod(positions) if bias else 0,
        },
    )


@op("matmul")
def matmul(x: Shape, inputs: Branches) -> Layer:
    """Matrix product of two tensors, batched over the leading axes.

    (*batch, N, K), (*batch, K, M) -> (*batch, N, M). Mult-adds: N*K*M for each matrix of the batch. torch.matmul.

    Example: {matmul: [scores, values]}
    """
    a, b = _two(inputs, "matmul")
    if len(a) < 2 or len(a) != len(b):
        raise Refused(f"matmul joins two tensors of the same rank, 2 or more; got ranks {len(a)} and {len(b)}")
    (*batch, rows, inner), (*others, inner_b, columns) = a, b
    _same_positions(batch, others)
    require(equal(inner, inner_b), "matmul: {} columns on the left meet {} rows on the right", inner, inner_b)
    return Layer(shape=(*batch, rows, columns), terms={"mac": prod(batch) * rows * inner * columns})


@op("einsum")
def einsum(x: Shape, equation: Equation, *, of: Branches) -> Layer:
    """Einstein summation of one or two tensors: letters name axes, and letters not in the result are summed.

    Mult-adds for two tensors: the product of all letters' sizes, if the tensors share a summed letter. Otherwise it is
    an elementwise product like `mul`, and letters of only one tensor are summed first, like `reduce`. numpy.einsum,
    torch.einsum.

    Example: {einsum: "hqd,hkd->hqk", of: [q, k]}
    """
    terms, result = _equation(equation, len(of))
    sizes: dict = {}
    for letters, shape in zip(terms, of, strict=True):
        if len(letters) != len(shape):
            raise Refused(f"`{letters}` names {len(letters)} axes of a tensor with {len(shape)}")
        for letter, size in zip(letters, shape, strict=True):
            known = sizes.setdefault(letter, size)
            require(equal(known, size), "axis `" + letter + "` is {} in one tensor and {} in another", known, size)
    if len(set(result)) < len(result):
        raise Refused(f"`{result}` names an axis of the result twice", "equation")
    missing = [letter for letter in result if letter not in sizes]
    if missing:
        raise Refused(f"`{missing[0]}` in the result names no axis of the tensors")
    shape = tuple(sizes[letter] for letter in result)
    if len(of) == 2 and (set(terms[0]) & set(terms[1])) - set(result):
        return Layer(shape=shape, terms={"mac": prod(sizes.values())})
    return Layer(shape=shape, terms=_elementwise(terms, result, sizes))


@op("embedding", empty=True)
def embedding(x: Shape, out: Width, *, vocab: Size) -> Layer:
    """Table of vectors looked up by index, without mult-adds. torch.nn.Embedding.

    (*positions) -> (*positions, N); every axis of the input is a position.

    Example: {embedding: 768, vocab: 30522}
    """
    return Layer(shape=(*x, out), params={"weight": vocab * out}, terms={"lookup": prod(x) * out})


@op("parameter")
def parameter(shape: Shape, *, kind: Numbers = "weight") -> Layer:
    """Learned constant: a class token, a position table, a scale. It has no input and no cost.

    -> shape. Conventions count it as its `kind`; a multiplied scale is a `gamma`. torch.nn.Parameter.

    Example: {parameter: [1, 768]}
    """
    return Layer(shape=shape, params={kind: prod(shape)})


def _two(inputs: tuple[Shape, ...], name: str) -> tuple[Shape, Shape]:
    if len(inputs) != 2:
        raise Refused(f"{name} takes two inputs, got {len(inputs)}")
    return inputs


def _same_positions(one: list[int], other: list[int]) -> None:
    if len(one) != len(other):
        raise Refused(f"the inputs have {len(one)} and {len(other)} leading axes")
    for a, b in zip(one, other, strict=True):
        require(equal(a, b), "the leading axes differ: {} against {}", a, b)


def _elementwise(terms: list[str], result: str, sizes: Mapping[str, int]) -> dict[str, int]:
    """The quantities of the sums within each tensor, and of the elementwise product of two."""
    summed = out = 0
    for letters in terms:
        kept = prod(sizes[letter] for letter in sizes if letter in letters and letter in result)
        if not set(letters) <= set(result):
            summed = summed + prod(sizes[letter] for letter in sizes if letter in letters)
            out = out + kept
    product = prod(sizes[letter] for letter in result) if len(terms) == 2 else 0
    return {"reduce_sum": summed, "reduce_sum_out": out, "multiply": product}


def _equation(equation: str, count: int) -> tuple[list[str], str]:
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or not all(part.isalpha() for part in (*terms, result or "a")):
        raise Refused(f"`{equation}` is not an equation such as `bij,bjk->bik`", "equation")
    if len(terms) != count:
        raise Refused(f"`{equation}` names {len(terms)} tensors, `of` gives {count}", "equation")
    if count > 2:
        raise Refused("einsum takes one tensor or two: the cost of more depends on the order", "equation")
    return terms, result
