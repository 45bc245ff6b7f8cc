"""Pooling and reduction in loops over windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from .layout import axis_of, without
from .sliding import windows
from .tally import Impossible, Tally, at, both_sides, box, grid_of, per_axis, shape_of

if TYPE_CHECKING:
    from .tally import Shape


def maxpool(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    kernel: int | str | Shape,
    stride: int | Shape | None = None,
    padding: int | str | tuple[int | tuple[int, ...], ...] = "same",
    ceil_mode: bool = False,
    dilation: int | tuple[int, ...] = 1,
) -> Mapping[tuple[int, ...], float]:
    """Maximum over a sliding window (torch.nn.MaxPool2d): padding is less than any value."""
    return _pool(tally, x, "compare", -math.inf, max, kernel, stride, padding, ceil_mode, dilation)


def avgpool(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    kernel: int | str | Shape,
    stride: int | Shape | None = None,
    padding: int | str | tuple[int | tuple[int, ...], ...] = "same",
    ceil_mode: bool = False,
) -> Mapping[tuple[int, ...], float]:
    """Mean over a sliding window (torch.nn.AvgPool2d): padding counts as 0.

    So does what hangs over the end with `ceil_mode`, which torch leaves out of the mean.
    """
    return _pool(tally, x, "average", 0, _mean, kernel, stride, padding, ceil_mode)


def lppool(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    kernel: int | str | Shape,
    stride: int | Shape | None = None,
    padding: int | str | tuple[int | tuple[int, ...], ...] = "valid",
    ceil_mode: bool = False,
) -> Mapping[tuple[int, ...], float]:
    """Power mean over a sliding window (torch.nn.LPPool2d), here of power 2."""
    return _pool(tally, x, "power", 0, _length, kernel, stride, padding, ceil_mode)


def _pool(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    quantity: str,
    border: float,
    gather: Callable[..., Any],
    kernel: Any,
    stride: Any,
    padding: int | str | tuple[int | tuple[int, ...], ...],
    ceil_mode: bool,
    dilation: int | tuple[int, ...] = 1,
) -> Mapping[tuple[int, ...], float]:
    space, channels = grid_of(x)
    measured = "global" if kernel == "global" else "pool"
    if kernel == "global":
        kernel, stride, padding = space, 1, "valid"
    stride = kernel if stride is None else stride
    if not isinstance(padding, str):
        _half(per_axis(kernel, len(space)), both_sides(padding, len(space)))
    result = {}
    for position, window in windows(space, kernel, stride, padding, dilation, ceil_mode):
        for channel in range(channels):
            seen = [tally.did(quantity, x.get((*place, channel), border)) for _, place in window]
            result.update({(*position, channel): gather(seen)})
    return _through(tally, x, result, measured)


def _half(kernel: Shape, sides: tuple[tuple[int, ...], ...]) -> None:
    """torch.nn.functional.max_pool2d: padding is at most half the kernel, so that every window sees a value."""
    if any(2 * side > size for size, pair in zip(kernel, sides, strict=True) for side in pair):
        raise Impossible("padding is more than half the window")


def _through(
    tally: Tally, x: Mapping[tuple[int, ...], float], result: Mapping[tuple[int, ...], float], measured: str
) -> Mapping[tuple[int, ...], float]:
    """The result, having counted each value that went in and each that came out."""
    for _ in x:
        tally.did(f"{measured}_in")
    for _ in result:
        tally.did(f"{measured}_out")
    return result


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _length(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values))


def adaptive_avgpool(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, size: int | tuple[int, ...]
) -> Mapping[tuple[int, ...], float]:
    """Mean over as many windows as the output has positions (torch.nn.AdaptiveAvgPool2d)."""
    return _adaptive(tally, x, size, _mean)


def adaptive_maxpool(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, size: int | tuple[int, ...]
) -> Mapping[tuple[int, ...], float]:
    """Maximum over as many windows as the output has positions (torch.nn.AdaptiveMaxPool2d)."""
    return _adaptive(tally, x, size, max)


def _adaptive(
    tally: Tally, x: Mapping[tuple[int, ...], float], size: Any, gather: Callable[..., Any]
) -> Mapping[tuple[int, ...], float]:
    space, channels = grid_of(x)
    size = per_axis(size, len(space))
    result = {}
    for place in box((*size, channels)):
        spans = [_span(p, n, parts) for p, n, parts in zip(place[:-1], space, size, strict=True)]
        result[place] = gather([at(x, *source, place[-1]) for source in product(*spans)])
    return _through(tally, x, result, "adaptive")


def _span(p: int, n: int, parts: int) -> range:
    """From floor(p * n / parts) to ceil((p + 1) * n / parts): what position p of an axis sees."""
    return range(math.floor(p * n / parts), math.ceil((p + 1) * n / parts))


def reduce(
    tally: Any, x: Mapping[tuple[int, ...], float], *, method: str, axis: int | str, keep: bool = False
) -> Mapping[tuple[int, ...], float]:
    """Mean, sum or maximum along one axis (torch.mean, torch.sum, torch.amax)."""
    shape = shape_of(x)
    along = axis_of(len(shape), axis)
    if len(shape) == 1 and not keep:
        raise Impossible("no axis would be left")
    lines: dict[Any, Any] = {}
    for index, value in x.items():
        place = (*index[:along], 0, *index[along + 1 :]) if keep else without(index, along)
        lines.setdefault(place, []).append(tally.did(f"reduce_{method}", value))
    gather: Any = {"mean": _mean, "sum": sum, "max": max}[method]
    return {place: tally.did(f"reduce_{method}_out", gather(line)) for place, line in lines.items()}
