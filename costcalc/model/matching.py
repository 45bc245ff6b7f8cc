"""What brings branches to one shape: the help of an error, computed from their sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import Place, SpecError

if TYPE_CHECKING:
    from ..num.values import Shape
    from .network import Step


_ANY = "bring one branch to the other's shape"
_NEAR = 1.5  # how many times the larger grid may be the smaller one where padding or cropping is what is meant


def way(shapes: tuple[Shape, ...], axis: int | None = None) -> str:
    """How the first branch and the first that does not fit it become one shape.

    `axis` is the number of the axis that a concatenation joins along; without it an axis of 1 stretches.
    """
    if not all(type(size) is int for shape in shapes for size in shape):
        return _ANY  # at many points at once: each may need another way
    first = shapes[0]
    other = next((shape for shape in shapes[1:] if len(shape) != len(first) or _apart(first, shape, axis)), None)
    if other is None:
        return _ANY
    if len(other) != len(first):
        return "give all branches as many axes, with `flatten`, `tokens`, `grid` or `reshape`"
    return _joined(first, other, axis)


def projection(x: Shape, y: Shape) -> str | None:
    """The layer that brings `x` to shape `y`, a smaller or an equal grid; None when there is no single one."""
    strides = _strides(x[:-1], y[:-1])
    if strides is None:
        return None
    if len(x) == 1:
        return f"{{linear: {y[-1]}}}"
    stride = f", stride: {_span(strides)}" if any(step > 1 for step in strides) else ""
    return f"{{conv: {'x'.join('1' * len(strides))}, out: {y[-1]}{stride}}}"


def unbridged(error: SpecError, step: Step, x: Shape, y: Shape) -> SpecError:
    """The error of a residual whose layers change the shape: it says so of `residual`, not of an `add`."""
    problem = error.problems[0]
    plain = len(x) == len(y) and all(type(size) is int for size in (*x, *y))
    layer = projection(x, y) if plain else None
    branch = f"`add: [[{layer}], [..]]`, which projects the input" if layer else "`add:` with branches of one shape"
    found = SpecError(
        problem._replace(
            message=problem.message.replace("`add`", "`residual`", 1),
            place=Place(step.source, *(step.residual_at or step.place)),
            help=f"say when the shape stays, as in `residual: s == 1 and channels == c`, or write {branch}",
        )
    )
    found.failing = error.failing
    return found


def _apart(first: tuple[int, ...], other: tuple[int, ...], axis: int | None) -> list[int]:
    """The numbers of the axes that do not fit."""
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
    """Grids that are nearly the same, as after a stride that left a rest, or after convolutions without padding."""
    short = [large[at] - small[at] if at in apart else 0 for at in range(len(small) - 1)]
    if any(large[at] > _NEAR * small[at] for at in apart if at < len(short)):
        return _ANY
    pads = ", ".join(f"[0, {n}]" for n in short)
    rest = ", or take an input size that the strides divide" if {*short} <= {0, 1} else ""
    return f"pad the smaller one with {{pad: [{pads}]}}, or crop the larger one with `slice`{rest}"


def _strides(large: tuple[int, ...], small: tuple[int, ...]) -> list[int] | None:
    """The stride of each axis that makes the one grid of the other (`padding: same`); None when none does."""
    if 0 in small:  # there is none of it
        return None
    strides = [round(n / m) for n, m in zip(large, small, strict=True)]
    fits = all(step >= 1 and -(-n // step) == m for n, m, step in zip(large, small, strides, strict=True))
    return strides if fits else None


def _span(sizes: Sequence[int], short: bool = True) -> str:
    """`3x2` for a message; one number where all are the same, if that is enough."""
    return str(sizes[0]) if short and len(set(sizes)) == 1 else "x".join(map(str, sizes))
