"""Matrix products and lookup tables in loops, and opaque layers with a stated cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .tally import Impossible, Shape, Tally, at, box, shape_of


def linear(
    tally: Any, x: Mapping[tuple[int, ...], float], *, out: int, bias: bool = True
) -> dict[tuple[int, ...], float]:
    """Fully connected layer over the last axis (torch.nn.Linear)."""
    *positions, features = shape_of(x)
    weight = tally.parameters("weight", out, features)
    offset = tally.parameters("bias", out) if bias else None
    result = {}
    for place in box((*positions, out)):
        (*position, n), total = place, 0
        for m in range(features):
            total = tally.mac(total, at(x, *position, m), weight[n, m])
        result[place] = total if offset is None else tally.did("bias", total + offset[n,])
    return result


def logits(
    tally: Any, x: Mapping[tuple[int, ...], float], *, vocab: int, bias: bool = False
) -> dict[tuple[int, ...], float]:
    """Scores for a vocabulary: a linear layer."""
    return linear(tally, x, out=vocab, bias=bias)


def bilinear(
    tally: Tally, *inputs: Mapping[tuple[int, ...], float], out: int, bias: bool = True
) -> dict[tuple[int, ...], float]:
    """y_n = sum_ij W_nij (a_i b_j) (torch.nn.Bilinear): all products of the inputs, then a linear layer over them."""
    left, right = _two(inputs)
    (*positions, wide), (*others, narrow) = shape_of(left), shape_of(right)
    _same(positions, others)
    weight = tally.parameters("weight", out, wide, narrow)
    offset = tally.parameters("bias", out) if bias else None
    result = {}
    for position in box(positions):
        pairs = {
            (i, j): tally.did("multiply", tally.pair(at(left, *position, i), at(right, *position, j)))
            for i, j in box((wide, narrow))
        }
        for n in range(out):
            total: float = 0
            for (i, j), pair in pairs.items():
                total = tally.mac(total, pair, weight[n, i, j])
            place = (*position, n)
            result[place] = total if offset is None else tally.did("bias", total + offset[n,])
    return result


def matmul(tally: Any, *inputs: Mapping[tuple[int, ...], float]) -> Any:
    """Matrix product for each index of the leading axes (torch.matmul)."""
    left, right = _two(inputs)
    shapes = shape_of(left), shape_of(right)
    if len(shapes[0]) < 2 or len(shapes[1]) < 2:
        raise Impossible("a vector is not a matrix")
    (*batch, rows, inner), (*others, height, columns) = shapes
    _same((*batch, inner), (*others, height))
    result = {}
    for place in box((*batch, rows, columns)):
        (*group, row, column), total = place, 0
        for k in range(inner):
            total = tally.mac(total, at(left, *group, row, k), at(right, *group, k, column))
        result[place] = total
    return result


def einsum(tally: Any, *inputs: Mapping[tuple[int, ...], float], equation: str) -> dict[tuple[int, ...], float]:
    """Einstein summation of one or two tensors (numpy.einsum): one loop over all letters if two share a summed letter.

    Otherwise each tensor is summed separately, and the two are multiplied element by element.
    """
    terms, kept = _letters(equation, len(inputs))
    sizes = _sizes(terms, inputs)
    if len(set(kept)) < len(kept) or not set(kept) <= sizes.keys():
        raise Impossible("the result must name axes of the tensors, each once")
    if len(inputs) < 2 or not set(terms[0]) & set(terms[1]) - set(kept):
        return _apart(tally, inputs, terms, kept, sizes)
    result: dict[Any, Any] = {}
    for index in box(sizes.values()):
        number = dict(zip(sizes, index, strict=True))
        values = [at(one, *(number[letter] for letter in term)) for one, term in zip(inputs, terms, strict=True)]
        place = tuple(number[letter] for letter in kept)
        before = result.get(place, 0)
        result[place] = tally.mac(before, *values)
    return result


def _apart(
    tally: Tally,
    inputs: Any,
    terms: list[str],
    kept: str,
    sizes: Mapping[str, int],
) -> dict[tuple[int, ...], float]:
    """Sum letters within each tensor, then multiply two tensors element by element."""
    parts = [_summed(tally, one, term, kept, sizes) for one, term in zip(inputs, terms, strict=True)]
    result = {}
    for place in box([sizes[letter] for letter in kept]):
        number = dict(zip(kept, place, strict=True))
        values = [part[tuple(number[letter] for letter in letters)] for letters, part in parts]
        result[place] = values[0] if len(values) == 1 else tally.did("multiply", values[0] * values[1])
    return result


def _summed(
    tally: Tally, x: Mapping[tuple[int, ...], float], term: str, kept: str, sizes: Mapping[str, int]
) -> tuple[list[str], dict[tuple[int, ...], float]]:
    """(letters kept, the tensor with the other letters summed); a diagonal is only selected, not summed."""
    letters = list(dict.fromkeys(term))
    named = [letter for letter in letters if letter in kept]
    lines: dict = {}
    for index in box([sizes[letter] for letter in letters]):
        number = dict(zip(letters, index, strict=True))
        value = at(x, *(number[letter] for letter in term))
        place = tuple(number[letter] for letter in named)
        lines.setdefault(place, []).append(value if named == letters else tally.did("reduce_sum", value))
    if named == letters:
        return named, {place: line[0] for place, line in lines.items()}
    return named, {place: tally.did("reduce_sum_out", sum(line)) for place, line in lines.items()}


def _letters(equation: str, count: int) -> tuple[list[str], str]:
    left, arrow, kept = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or len(terms) != count or count not in (1, 2):
        raise Impossible("an equation has a term for each tensor, one or two, and an arrow")
    if not all(letter.isalpha() for letter in "".join((*terms, kept))) or "" in terms:
        raise Impossible("axes are named by letters")
    return terms, kept


def _sizes(terms: list[str], inputs: Any) -> dict[str, int]:
    sizes: dict[Any, Any] = {}
    for term, one in zip(terms, inputs, strict=True):
        shape = shape_of(one)
        _same([len(term)], [len(shape)])
        for letter, size in zip(term, shape, strict=True):
            _same([sizes.setdefault(letter, size)], [size])
    return sizes


def embedding(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, out: int, vocab: int
) -> dict[tuple[int, ...], float]:
    """Table of vectors (torch.nn.Embedding): every input value selects a row."""
    table = tally.parameters("weight", vocab, out)
    result = {}
    for index, value in x.items():
        row = int(abs(value) * 8) % vocab
        result.update({(*index, n): tally.did("lookup", table[row, n]) for n in range(out)})
    return result


def parameter(tally: Tally, *, shape: Shape, kind: str = "weight") -> dict[tuple[int, ...], float]:
    """Learned constant (torch.nn.Parameter)."""
    return tally.parameters(kind, *shape)


def opaque(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    label: str,
    out: Any = None,
    mult_adds: Any = "unknown",
    params: int | str = "unknown",
) -> dict[tuple[int, ...], float]:
    """A layer with the stated numbers of multiply-adds and weights; a number not stated is unknown."""
    given = {"mult_adds": mult_adds, "params": params}
    tally.unknown = tuple(name for name, value in given.items() if value == "unknown")
    total: float = 0
    if params != "unknown":
        tally.parameters("weight", params)
    for _ in range(0 if mult_adds == "unknown" else mult_adds):
        total = tally.mac(total, 1, 1)
    return dict.fromkeys(box(shape_of(x) if out is None else out), total)


def _two(inputs: Any) -> tuple[dict[tuple[int, ...], float], ...]:
    if len(inputs) != 2:
        raise Impossible("expected two tensors")
    return inputs


def _same(one: Sequence[int], other: Sequence[int]) -> None:
    if list(one) != list(other):
        raise Impossible(f"{one} does not meet {other}")
