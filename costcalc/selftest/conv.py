"""Convolutions and pooling in loops over sliding windows; transposed convolutions scatter every value."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import count, product
from typing import Any

from .layout import axis_of, without
from .tally import (
    Impossible,
    Shape,
    Tally,
    at,
    both_sides,
    box,
    grid_of,
    last_taps,
    per_axis,
    same_starts,
    shape_of,
    share_out,
    windows,
)


def conv(
    tally: Any,
    x: Mapping[tuple[int, ...], float],
    *,
    kernel: int | Shape,
    out: int,
    stride: int | Shape = 1,
    padding: int | str | tuple[int | tuple[int, ...], ...] = "same",
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    bias: bool = True,
) -> dict[tuple[int, ...], float]:
    """Convolution (torch.nn.Conv2d); each group of outputs reads one group of channels."""
    space, channels = grid_of(x)
    reads, writes = share_out(channels, groups), share_out(out, groups)
    weight = tally.parameters("weight", out, reads, *per_axis(kernel, len(space)))
    offset = tally.parameters("bias", out) if bias else None
    result = {}
    for position, window in windows(space, kernel, stride, padding, dilation):
        for n in range(out):
            total, first = 0, n // writes * reads
            for tap, place in window:
                for m in range(reads):
                    total = tally.mac(total, _value(tally, x, (*place, first + m)), at(weight, n, m, *tap))
            result.update({(*position, n): _shifted(tally, total, offset, n)})
    return result


def sparse_conv(
    tally: Any,
    x: Mapping[tuple[int, ...], float],
    *,
    kernel: Any,
    out: int,
    sites: int | None = None,
    pairs: int | None = None,
    bias: bool = True,
) -> dict[tuple[int, ...], float]:
    """Sparse convolution (arXiv:1711.10275) with an arbitrary rule book of (site, kernel position, input site)."""
    if len(shape_of(x)) != 2 or not isinstance(kernel, tuple):
        raise Impossible("not a list of sites")
    active, channels = shape_of(x)
    sites = active if sites is None else sites
    weight = tally.parameters("weight", math.prod(kernel), channels, out)
    offset = tally.parameters("bias", out) if bias else None
    most = sites * math.prod(kernel)
    if pairs is not None and pairs > most:
        raise Impossible("more pairs than there are places")
    result: dict[tuple[int, ...], float] = dict.fromkeys(box((sites, out)), 0.0)
    for pair in range(most if pairs is None else pairs):
        site, tap = pair % sites, pair // sites
        for n in range(out):
            for m in range(channels):
                read = at(x, pair * 7 % active, m)
                result[site, n] = tally.mac(result[site, n], read, weight[tap, m, n])
    if offset is not None:
        result = {(site, n): tally.did("bias", total + offset[n,]) for (site, n), total in result.items()}
    return result


def dwconv(
    tally: Any,
    x: Mapping[tuple[int, ...], float],
    *,
    kernel: int | Shape,
    multiplier: int = 1,
    stride: int | Shape = 1,
    padding: int | str | tuple[int | tuple[int, ...], ...] = "same",
    dilation: int | tuple[int, ...] = 1,
    bias: bool = True,
) -> dict[tuple[int, ...], float]:
    """Depthwise convolution (keras.layers.DepthwiseConv2D): each channel has its own filters."""
    space, channels = grid_of(x)
    weight = tally.parameters("weight", channels, multiplier, *per_axis(kernel, len(space)))
    offset = tally.parameters("bias", channels * multiplier) if bias else None
    result = {}
    for position, window in windows(space, kernel, stride, padding, dilation):
        for channel, number in box((channels, multiplier)):
            total, n = 0, channel * multiplier + number
            for tap, place in window:
                total = tally.mac(total, _value(tally, x, (*place, channel)), at(weight, channel, number, *tap))
            result.update({(*position, n): _shifted(tally, total, offset, n)})
    return result


def conv_transpose(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    kernel: Any,
    out: int,
    stride: Any = 1,
    padding: int | str | tuple[int | tuple[int, ...], ...] = "same",
    output_padding: int | tuple[int, ...] = 0,
    dilation: Any = 1,
    groups: int = 1,
    bias: bool = True,
) -> dict[tuple[int, ...], float]:
    """Transposed convolution (torch.nn.ConvTranspose2d): scatter through the kernel, then crop the margin."""
    space, channels = grid_of(x)
    rank = len(space)
    kernel, stride, dilation = per_axis(kernel, rank), per_axis(stride, rank), per_axis(dilation, rank)
    extra = per_axis(output_padding, rank)
    if any(more >= max(step, gap) for more, step, gap in zip(extra, stride, dilation, strict=True)):
        raise Impossible("PyTorch and ONNX: an output padding is less than the stride or the dilation")
    reads, writes = share_out(channels, groups), share_out(out, groups)
    weight = tally.parameters("weight", channels, writes, *kernel)
    offset = tally.parameters("bias", out) if bias else None
    canvas = _scattered(tally, x, weight, stride, dilation, reads, writes)
    cut = _cut(space, canvas, last_taps(kernel, dilation), stride, padding, extra)
    return _cropped(tally, canvas, cut, out, offset, len(weight))


def _scattered(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    weight: Mapping[tuple[int, ...], float],
    stride: Shape,
    dilation: Any,
    reads: int,
    writes: int,
) -> dict[Any, Any]:
    """Scatter every input value through the kernel weights of its channel, and add up the results."""
    canvas: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for (*position, m), value in x.items():
        for (channel, number, *tap), factor in weight.items():
            if channel == m:
                spot = (p * s + t * d for p, s, t, d in zip(position, stride, tap, dilation, strict=True))
                place = (*spot, m // reads * writes + number)
                canvas[place] = tally.mac(canvas[place], value, factor)
    return canvas


def _cut(
    space: Shape,
    canvas: dict[Any, Any],
    last_taps: Any,
    stride: Shape,
    padding: int | str | tuple[int | tuple[int, ...], ...],
    output_padding: Any,
) -> list[tuple[int, ...]]:
    """(start of the output on the canvas, its length) for every axis."""
    rank = len(space)
    if padding == "same":
        if any(output_padding):
            raise Impossible("`same` says how large the output is, and output padding says otherwise")
        return [_same_cut(n, last + 1, step) for n, last, step in zip(space, last_taps, stride, strict=True)]
    drawn = [max(axis) + 1 for axis in zip(*canvas, strict=True)][:rank]
    sides = both_sides(0 if padding == "valid" else padding, rank)
    axes = zip(drawn, sides, output_padding, strict=True)
    return [(before, length - before - after + extra) for length, (before, after), extra in axes]


def _same_cut(n: int, span: int, step: int) -> Any:
    """Keras: the largest grid that a `same` convolution with this stride reduces to n positions."""
    for size in count(1):
        if len(same_starts(size + 1, span, step)) > n:
            return -same_starts(size, span, step)[0], size


def _cropped(
    tally: Tally,
    canvas: dict[Any, Any],
    cut: list[tuple[int, ...]],
    out: int,
    offset: Mapping[tuple[int, ...], float] | None,
    weights: int,
) -> dict[tuple[int, ...], float]:
    """Crop the canvas to the output, counting all weights once per output position for `mac_on_output`."""
    if any(length < 1 for _, length in cut):
        raise Impossible("the padding cuts all of the output off")
    result = {}
    for position in box([length for _, length in cut]):
        spot = tuple(p + before for p, (before, _) in zip(position, cut, strict=True))
        for n in range(out):
            result.update({(*position, n): _shifted(tally, canvas.get((*spot, n), 0), offset, n)})
        for _ in range(weights):
            tally.did("mac_on_output")
    return result


def _value(tally: Any, x: Mapping[tuple[int, ...], float], place: tuple[int, ...]) -> float:
    """The value at a position, which may be in the padding."""
    return x[place] if place in x else tally.outside()


def _shifted(tally: Tally, total: float, offset: Mapping[tuple[int, ...], float] | None, n: int) -> float:
    return total if offset is None else tally.did("bias", total + offset[n,])


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
    """Maximum over a sliding window (torch.nn.MaxPool2d); padding counts as minus infinity."""
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
    """Mean over a sliding window (torch.nn.AvgPool2d); padding counts as 0.

    With `ceil_mode`, positions past the end count as 0 too; torch excludes them from the mean.
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
    """Power mean over a sliding window (torch.nn.LPPool2d), here with power 2."""
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
    """Refuse padding of more than half the kernel (torch.nn.functional.max_pool2d): every window must see a value."""
    if any(2 * side > size for size, pair in zip(kernel, sides, strict=True) for side in pair):
        raise Impossible("padding is more than half the window")


def _through(
    tally: Tally, x: Mapping[tuple[int, ...], float], result: Mapping[tuple[int, ...], float], measured: str
) -> Mapping[tuple[int, ...], float]:
    """Count each input and output value; return the result."""
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
    """Mean over one window per output position (torch.nn.AdaptiveAvgPool2d)."""
    return _adaptive(tally, x, size, _mean)


def adaptive_maxpool(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, size: int | tuple[int, ...]
) -> Mapping[tuple[int, ...], float]:
    """Maximum over one window per output position (torch.nn.AdaptiveMaxPool2d)."""
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
    """The window of position p along an axis: floor(p * n / parts) to ceil((p + 1) * n / parts)."""
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
