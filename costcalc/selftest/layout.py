"""Operations that move values one at a time: concatenate, slice, pad, reorder, shuffle and upsample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .tally import Impossible, Shape, Tally, at, both_sides, box, corners, grid_of, per_axis, shape_of, share_out

NAMES = {
    1: ("channels",),
    2: ("length", "channels"),
    3: ("height", "width", "channels"),
    4: ("depth", "height", "width", "channels"),
}
ALIASES = {"tokens": "length", "features": "channels"}


def axis_of(rank: int, axis: int | str) -> int:
    """The number of an axis given by number or name."""
    if isinstance(axis, str):
        name = ALIASES.get(axis, axis)
        if name == "channels":
            return rank - 1
        if name not in NAMES.get(rank, ()):
            raise Impossible(f"there is no {axis} among {rank} axes")
        return NAMES[rank].index(name)
    if axis >= rank:
        raise Impossible(f"there is no axis {axis} among {rank}")
    return axis


def without(index: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """An index without one of its axes."""
    return (*index[:axis], *index[axis + 1 :])


def shifted(index: tuple[int, ...], axis: int, by: int) -> tuple[int, ...]:
    """An index moved along one of its axes."""
    return (*index[:axis], index[axis] + by, *index[axis + 1 :])


def concat(
    tally: Tally, *inputs: Mapping[tuple[int, ...], float], axis: int | str = "channels"
) -> dict[tuple[int, ...], float]:
    """Concatenate tensors (torch.cat)."""
    if not inputs:
        raise Impossible("nothing to join")
    along, offset, result = axis_of(len(shape_of(inputs[0])), axis), 0, {}
    for one in inputs:
        if len(shape_of(one)) != len(shape_of(inputs[0])):
            raise Impossible("the tensors have different numbers of axes")
        for index, value in one.items():
            result[shifted(index, along, offset)] = tally.did("move", value)
        offset += shape_of(one)[along]
    return result


def one_of(
    tally: Tally, *inputs: Mapping[tuple[int, ...], float], prob: Sequence[float]
) -> Mapping[tuple[int, ...], float]:
    """One of several tensors of the same shape: the last with a probability above 0."""
    if len(inputs) < 2 or len(prob) != len(inputs) or abs(sum(prob) - 1) > 1e-7:
        raise Impossible("a choice is between several, whose probabilities sum to 1")
    if len({shape_of(one) for one in inputs}) > 1:
        raise Impossible("the tensors have different shapes")
    return [one for one, likely in zip(inputs, prob, strict=True) if likely > 0][-1]


def split(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, parts: int, part: int = 0, axis: int | str = "channels"
) -> dict[tuple[int, ...], float]:
    """One of several equal parts (torch.chunk)."""
    along = axis_of(len(shape_of(x)), axis)
    size = share_out(shape_of(x)[along], parts)
    return _cut(tally, x, along, part * size, size)


def slice_(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, size: int, start: int = 0, axis: int | str = "channels"
) -> dict[tuple[int, ...], float]:
    """`size` values starting at `start` (torch.narrow)."""
    return _cut(tally, x, axis_of(len(shape_of(x)), axis), start, size)


def _cut(
    tally: Tally, x: Mapping[tuple[int, ...], float], along: int, start: int, size: int
) -> dict[tuple[int, ...], float]:
    """The values whose index along an axis is start .. start + size - 1; all must exist."""
    if not set(range(start, start + size)) <= {index[along] for index in x}:
        raise Impossible("some of the values are not there")
    result = {}
    for index, value in x.items():
        if start <= index[along] < start + size:
            result[shifted(index, along, -start)] = tally.did("move", value)
    return result


def pad(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, padding: int | str | tuple[int | tuple[int, ...], ...]
) -> dict[tuple[int, ...], float]:
    """Pad the grid with zeros (torch.nn.functional.pad)."""
    space, channels = grid_of(x)
    if isinstance(padding, str):
        raise Impossible("how wide the border is, is not said")
    sides = both_sides(padding, len(space))
    lines = [range(-before, n + after) for n, (before, after) in zip(space, sides, strict=True)]
    result = {}
    for place in box((*(len(line) for line in lines), channels)):
        source = (line[p] for line, p in zip(lines, place[:-1], strict=True))
        result[place] = tally.did("move", x.get((*source, place[-1]), 0))
    return result


def _poured(tally: Tally, values: list[float], shape: Shape) -> dict[tuple[int, ...], float]:
    """Fill the values in order into a shape."""
    places = list(box(shape))
    if len(places) != len(values):
        raise Impossible(f"{len(values)} values for {len(places)} places")
    return {place: tally.did("move", value) for place, value in zip(places, values, strict=True)}


def flatten(tally: Tally, x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    """All values as a vector (torch.flatten)."""
    return {(number,): tally.did("move", x[index]) for number, index in enumerate(sorted(x))}


def reshape(tally: Tally, x: Mapping[tuple[int, ...], float], *, shape: Shape) -> dict[tuple[int, ...], float]:
    """The same values, in the same order, in another shape (torch.reshape)."""
    return _poured(tally, [x[index] for index in sorted(x)], shape)


def permute(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, order: tuple[int, ...]
) -> dict[tuple[int, ...], float]:
    """Reorder the axes (torch.permute): axis k of the result is axis order[k] of the input."""
    if sorted(order) != list(range(len(shape_of(x)))):
        raise Impossible("every axis must be named, and once")
    return {tuple(index[axis] for axis in order): tally.did("move", value) for index, value in x.items()}


def tokens(tally: Tally, x: Mapping[tuple[int, ...], float]) -> Any:
    """The positions of a grid, row by row, as a sequence."""
    space, channels = grid_of(x)
    result = {}
    for number, position in enumerate(box(space)):
        for channel in range(channels):
            result[number, channel] = tally.did("move", at(x, *position, channel))
    return result


def grid(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, size: int | tuple[int, ...]
) -> dict[tuple[int, ...], float]:
    """A sequence as a grid, row by row; a single number is the side of a square."""
    if len(shape_of(x)) != 2:
        raise Impossible("not a sequence")
    space = size if isinstance(size, tuple) else (size, size)
    return _poured(tally, [x[index] for index in sorted(x)], (*space, shape_of(x)[1]))


def windows(tally: Tally, x: Any, *, size: int | tuple[int, ...]) -> Any:
    """Split a grid into windows, each a sequence (Swin's window partition)."""
    space, channels = grid_of(x)
    window = per_axis(size, len(space))
    result = {}
    for number, corner in enumerate(corners(zip(space, window, strict=True))):
        for token, offset in enumerate(box(window)):
            place = tuple(a + b for a, b in zip(corner, offset, strict=True))
            for channel in range(channels):
                result[number, token, channel] = tally.did("move", at(x, *place, channel))
    return result


def space_to_depth(tally: Tally, x: Mapping[tuple[int, ...], float], *, factor: int) -> dict[tuple[int, ...], float]:
    """Move blocks of the grid into channels (torch.nn.PixelUnshuffle)."""
    space, channels = grid_of(x)
    result = {}
    for corner in corners((n, factor) for n in space):
        position = tuple(p // factor for p in corner)
        for number, (channel, *offset) in enumerate(box((channels, *[factor] * len(space)))):
            place = (a + b for a, b in zip(corner, offset, strict=True))
            result.update({(*position, number): tally.did("move", at(x, *place, channel))})
    return result


def depth_to_space(tally: Tally, x: Mapping[tuple[int, ...], float], *, factor: int) -> dict[tuple[int, ...], float]:
    """Move channels into blocks of the grid (torch.nn.PixelShuffle)."""
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
    """Interleave channels, taking one of each group in turn (ShuffleNet, section 3.1)."""
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
    """Upsample a grid (torch.nn.Upsample): copies of the nearest value, or weighted neighbours."""
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
    """Each side times its factor, rounded down by counting."""
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
    """[(source, weight)] of the nearest value of an output position."""
    return [(p * n // size, 1)]


def _between(p: int, n: int, size: int) -> list[tuple[float, ...]]:
    """[(source, weight)] of the two values next to the centre of an output position."""
    centre = max((p + 0.5) * n / size - 0.5, 0)
    low = min(math.floor(centre), n - 1)
    part = centre - low
    return [(low, 1 - part), (min(low + 1, n - 1), part)]


def _mixed(x: Mapping[tuple[int, ...], float], sources: Any, channel: int) -> float:
    """The sum over all combinations of sources of the value times its weights."""
    total = 0
    for choice in box([len(axis) for axis in sources]):
        picked = [axis[k] for axis, k in zip(sources, choice, strict=True)]
        place = tuple(source for source, _ in picked)
        total += at(x, *place, channel) * math.prod(weight for _, weight in picked)
    return total
