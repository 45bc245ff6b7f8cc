"""Help for a shape mismatch: how to bring the branches to one shape, computed from their sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import Place, SpecError

if TYPE_CHECKING:
    from ..num.values import Shape
    from .network import Step


_ANY = "bring one branch to the other's shape"
_NEAR = 1.5  # largest ratio of the grid sizes for which padding or cropping is suggested


def way(shapes: tuple[Shape, ...], axis: int | None = None) -> str:
    """How to bring the first branch and the first one that does not match it to one shape.

    `axis` is the number of the axis that a concatenation joins along; without it, an axis of size 1 broadcasts.
    """
    if not all(type(size) is int for shape in shapes for size in shape):
        return _ANY  # a sweep or a formula: each point may need different help
    first = shapes[0]
    second = next((shape for shape in shapes[1:] if len(shape) != len(first) or _apart(first, shape, axis)), None)
    if second is None:
        return _ANY
    if len(second) != len(first):
        return "give all branches the same number of axes with `flatten`, `tokens`, `grid` or `reshape`"
    return _joined(first, second, axis)


def projection(x: Shape, y: Shape) -> str | None:
    """The layer that brings `x` to shape `y`, whose grid is not larger; None if no single layer does."""
    strides = _strides(x[:-1], y[:-1])
    if strides is None:
        return None
    if len(x) == 1:
        return f"{{linear: {y[-1]}}}"
    stride = f", stride: {_span(strides)}" if any(step > 1 for step in strides) else ""
    return f"{{conv: {'x'.join('1' * len(strides))}, out: {y[-1]}{stride}}}"


def unbridged(error: SpecError, step: Step, x: Shape, y: Shape) -> SpecError:
    """The error for a residual whose layers change the shape, worded for `residual` instead of `add`."""
    problem = error.problems[0]
    plain = len(x) == len(y) and all(type(size) is int for size in (*x, *y))
    layer = projection(x, y) if plain else None
    branch = f"`add: [[{layer}], [..]]`, which projects the input" if layer else "`add:` with branches of one shape"
    reworded = SpecError(
        problem._replace(
            message=problem.message.replace("`add`", "`residual`", 1),
            place=Place(step.source, *(step.residual_at or step.place)),
            help=f"state when the shape is unchanged, as in `residual: s == 1 and channels == c`, or write {branch}",
        )
    )
    reworded.failing = error.failing
    return reworded


def _apart(first: tuple[int, ...], other: tuple[int, ...], axis: int | None) -> list[int]:
    """The numbers of the axes that do not match."""
    pairs = enumerate(zip(first, other, strict=True))
    return [at for at, pair in pairs if at != axis and pair[0] != pair[1] and (axis is not None or 1 not in pair)]


def _joined(first: tuple[int, ...], other: tuple[int, ...], axis: int | None) -> str:
    apart, last = _apart(first, other, axis), len(first) - 1
    if apart == [last]:
        small, large = sorted((first, other), key=lambda shape: shape[-1])
        layer = projection(small[-1:] if last < 2 else small, large[-1:] if last < 2 else (*small[:-1], large[-1]))
        return f"bring the branch of {small[-1]} channels to {large[-1]} with {layer}"
    small, large = sorted((first, other), key=lambda shape: [shape[at] for at in apart])
    if any(small[at] > large[at] for at in apart if at != last):
        return _ANY
    strides = None if 1 in small[:-1] and axis is None else _strides(large[:-1], small[:-1])
    return _near(small, large, apart) if strides is None else _strided(small, large, strides, axis)


def _strided(small: tuple[int, ...], large: tuple[int, ...], strides: list[int], axis: int | None) -> str:
    layer = projection(large, small) if axis is None else f"{{maxpool: {_span(strides)}}}"
    target = small if axis is None else small[:-1]
    shrunk = f"bring the branch of {_span(large, False)} to {_span(target, False)} with {layer}"
    whole = all(n * step == m for n, m, step in zip(small, large, strides, strict=False))
    fits = whole and (axis is not None or small[-1] == large[-1])
    return f"{shrunk}, or the other one with {{upsample: {_span(strides)}}}" if fits else shrunk


def _near(small: tuple[int, ...], large: tuple[int, ...], apart: list[int]) -> str:
    """Help for grids of nearly the same size, as after a stride with a remainder or unpadded convolutions."""
    short = [large[at] - small[at] if at in apart else 0 for at in range(len(small) - 1)]
    if any(large[at] > _NEAR * small[at] for at in apart if at < len(short)):
        return _ANY
    pads = ", ".join(f"[0, {n}]" for n in short)
    rest = ", or take an input size that the strides divide" if {*short} <= {0, 1} else ""
    return f"pad the smaller one with {{pad: [{pads}]}}, or crop the larger one with `slice`{rest}"


def _strides(large: tuple[int, ...], small: tuple[int, ...]) -> list[int] | None:
    """The stride of each axis that turns the large grid into the small one (`padding: same`), or None."""
    if 0 in small:  # an empty branch
        return None
    strides = [round(n / m) for n, m in zip(large, small, strict=True)]
    fits = all(step >= 1 and -(-n // step) == m for n, m, step in zip(large, small, strides, strict=True))
    return strides if fits else None


def _span(sizes: Sequence[int], short: bool = True) -> str:
    """Sizes for a message: `3x2`; with `short`, a single number if all are equal."""
    return str(sizes[0]) if short and len(set(sizes)) == 1 else "x".join(map(str, sizes))
