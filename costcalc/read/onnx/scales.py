"""What the numbers are that a graph adds or multiplies: those of a norm in single steps, or weights of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...ops import INDEX

if TYPE_CHECKING:
    from ...model.network import Stated, Step
    from .node import Node


_ARITHMETIC = frozenset(("add", "sub", "mul", "div", "sqrt", "opaque"))  # of which a standard deviation is made
_STATISTICS = frozenset(("reduce", "avgpool"))
_DEEP = 6  # steps from a mean to the division by what is made of it


def kind(node: Node, op: str, tensor: Any, flowing: int | str | None) -> str:
    """The kind of a learned operand: `bias` or `gamma`, of one number a channel; else `weight`, as a position table.

    A factor is the scale of a norm if it multiplies what was normalised, or if a shift is added to the product (a norm
    of inference); alone, as the layer scale of ConvNeXt (arXiv:2201.03545), it is a weight.
    """
    if sum(size != 1 for size in tensor.shape) > 1 or not node.reader.numbers.vectors.issuperset(tensor.roots or ()):
        return "weight"  # one row of a table, too: what a table is does not depend on how much of it is read
    if op in ("add", "sub"):
        _shifted(node.reader.steps, flowing)
        return "bias"
    return "gamma" if _is_normalised(node.reader.steps, flowing) else "weight"


def _shifted(steps: Any, made: Any) -> None:
    """Let the factor that makes what is shifted be a scale."""
    body = steps[made].body if type(made) is int else None
    if body and body.op in ("mul", "div") and len(body.inputs) == 2 and _is_vector(body):
        holds = {"gamma" if one == "weight" else one: count for one, count in body.holds.items()}
        steps[made] = steps[made]._replace(body=body._replace(holds=holds))


def _is_vector(body: Stated) -> bool:
    """Whether an operand of a step has one axis at most that is not 1."""
    return any(sum(size != 1 for size in shape) < 2 for shape in body.inputs)


def _is_normalised(steps: list[Step], made: int | str | None) -> bool:
    """Whether what a step makes is a norm's, or is over or times what was made of a mean or sum."""
    if type(made) is not int:
        return False
    body = steps[made].body
    if INDEX.get(body.op) == "norm" or body.op == "sub":
        return body.op != "sub" or any(type(one) is str for one in body.sources)  # an image less its mean
    return body.op in ("mul", "div") and any(_is_statistic(steps, one, _DEEP) for one in body.sources)


def _is_statistic(steps: list[Step], made: int | str, deep: Any) -> Any:
    """Whether a step is a mean or sum, or made of one by arithmetic alone."""
    if type(made) is not int or not deep:
        return False
    body = steps[made].body
    if body.op in _STATISTICS:
        return True
    return body.op in _ARITHMETIC and any(_is_statistic(steps, one, deep - 1) for one in body.sources)
