"""Values moved between grid and channels, among channels, and onto a finer grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .sliding import corners
from .tally import Impossible, Tally, at, box, grid_of, per_axis, shape_of, share_out

if TYPE_CHECKING:
    from .tally import Shape


def space_to_depth(tally: Tally, x: Mapping[tuple[int, ...], float], *, factor: int) -> dict[tuple[int, ...], float]:
    """Blocks of the grid moved into channels (torch.nn.PixelUnshuffle)."""
    space, channels = grid_of(x)
    result = {}
    for corner in corners((n, factor) for n in space):
        position = tuple(p // factor for p in corner)
        for number, (channel, *offset) in enumerate(box((channels, *[factor] * len(space)))):
            place = (a + b for a, b in zip(corner, offset, strict=True))
            result.update({(*position, number): tally.did("move", at(x, *place, channel))})
    return result


def depth_to_space(tally: Tally, x: Mapping[tuple[int, ...], float], *, factor: int) -> dict[tuple[int, ...], float]:
    """Channels moved out into blocks of the grid (torch.nn.PixelShuffle)."""
    space, channels = grid_of(x)
    result = {}
    for position in box(space):
        left = list(range(channels))
        while left:
            channel = (channels - len(left)) // factor ** len(space)
            for offset in box([factor] * len(space)):
                if not left:
                    raise Impossible("too few channels to fill a block")
                place = (p * factor + o for p, o in zip(position, offset, strict=True))
                result.update({(*place, channel): tally.did("move", at(x, *position, left.pop(0)))})
    return result


def channel_shuffle(tally: Tally, x: Mapping[tuple[int, ...], float], *, groups: int) -> dict[tuple[int, ...], float]:
    """Channels dealt out in turn, one of each group (ShuffleNet, section 3.1)."""
    *positions, channels = shape_of(x)
    members = share_out(channels, groups)
    order = [group * members + member for member in range(members) for group in range(groups)]
    result = {}
    for position in box(positions):
        for number, channel in enumerate(order):
            result.update({(*position, number): tally.did("move", at(x, *position, channel))})
    return result


def upsample(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    scale: float | tuple[float, ...] | None = None,
    to: int | tuple[int, ...] | None = None,
    method: str = "nearest",
) -> dict[tuple[int, ...], float]:
    """A finer grid (torch.nn.Upsample): copies of the nearest value, or weighted neighbours."""
    space, channels = grid_of(x)
    if (scale is None) == (to is None):
        raise Impossible("a factor or a size, one of them")
    size = per_axis(to, len(space)) if scale is None else _enlarged(space, per_axis(scale, len(space)))
    pick: Any = {"nearest": _nearest, "bilinear": _between}[method]
    result = {}
    for _ in x:
        tally.did("interpolate_in")
    for place in box((*size, channels)):
        sources = [pick(p, n, big) for p, n, big in zip(place[:-1], space, size, strict=True)]
        result[place] = tally.did(f"interpolate_{method}", _mixed(x, sources, place[-1]))
    return result


def _enlarged(space: Shape, scale: Any) -> list[int]:
    """The most whole steps that fit in each side times its factor."""
    sizes = []
    for n, factor in zip(space, scale, strict=True):
        size = 0
        while size + 1 <= n * factor:
            size += 1
        sizes.append(size)
    if 0 in sizes:
        raise Impossible("nothing would be left")
    return sizes


def _nearest(p: int, n: int, size: int) -> list[tuple[int, ...]]:
    """[(source, weight)] of the value that an output position lies on."""
    return [(p * n // size, 1)]


def _between(p: int, n: int, size: int) -> list[tuple[float, ...]]:
    """[(source, weight)] of the two values around the centre of an output position."""
    centre = max((p + 0.5) * n / size - 0.5, 0)
    low = min(math.floor(centre), n - 1)
    part = centre - low
    return [(low, 1 - part), (min(low + 1, n - 1), part)]


def _mixed(x: Mapping[tuple[int, ...], float], sources: Any, channel: int) -> float:
    """The values at all combinations of sources, each times its weights."""
    total = 0
    for choice in box([len(axis) for axis in sources]):
        picked = [axis[k] for axis, k in zip(sources, choice, strict=True)]
        place = tuple(source for source, _ in picked)
        total += at(x, *place, channel) * math.prod(weight for _, weight in picked)
    return total
