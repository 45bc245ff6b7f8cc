"""Random shapes and options: each maker is a function of a `random.Random`, which draws one value.

The same seed draws the same values everywhere. Sides are short, as every element of a tensor is visited in a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

    from .shapes import Shape


SIDES = {0: 1, 1: 9, 2: 6, 3: 4}  # rank of the grid -> the longest side


def one_of(*values: Any) -> Callable[..., Any]:
    """One of some values."""
    return lambda chance: chance.choice(values)


def either(*makers: Callable[..., Any]) -> Callable[..., Any]:
    """What one of some makers draws."""
    return lambda chance: chance.choice(makers)(chance)


def number(most: int, least: int = 1) -> Callable[..., Any]:
    """A whole number."""
    return lambda chance: chance.randint(least, most)


def one_in(chance: random.Random, n: int) -> bool:
    """Whether something rare is to happen."""
    return not chance.randrange(n)


FLAG = one_of(False, True)
SIDE = number(2, 0)  # padding on one side
CHANNELS = one_of(1, 2, 3, 4, 6)
RANKS = one_of(2, 1, 3, 2, 1, 3, 2, 1, 0)  # a grid of rank 0 is a plain vector
AXES = one_of("channels", "features", "height", "width", "depth", "length", "tokens", 0, 1, 2, 3)


def several(maker: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A tuple of so many values."""
    return lambda chance: tuple(maker(chance) for _ in range(count))


def shapes(least: int = 1, most: int = 4, side: int = 4) -> Callable[..., Any]:
    """A shape of any rank."""
    return lambda chance: several(number(side), chance.randint(least, most))(chance)


def grids(channels: Callable[..., Any] = CHANNELS) -> Callable[..., Any]:
    """A grid of rank 0 to 3, with channels."""

    def grid(chance: random.Random) -> Shape:
        rank = RANKS(chance)
        return (*several(number(SIDES[rank]), rank)(chance), channels(chance))

    return grid


def per_axis(rank: int, maker: Callable[..., Any]) -> Callable[..., Any]:
    """A value for all axes, one for each of them, or (rarely) too many."""
    return either(*[maker] * 15, *[several(maker, rank)] * 24, several(maker, rank + 1))


def paddings(rank: int, side: Callable[..., Any] = SIDE) -> Callable[..., Any]:
    """`same`, `valid`, a number, one per axis, [before, after] per axis, a mixture, and (rarely) three sides."""
    pair = several(side, 2)
    numbers = (side, per_axis(rank, side), per_axis(rank, pair), per_axis(rank, either(side, pair)))
    return either(*(one_of("same"), one_of("valid"), *numbers) * 6, several(several(side, 3), rank))


def choices(needed: Mapping[str, Callable[..., Any]], **optional: Callable[..., Any]) -> Callable[..., Any]:
    """Options by name, each of the optional ones mostly there."""

    def options(chance: random.Random) -> dict[str, int | str | tuple[int | tuple[int, ...], ...]]:
        chosen = {name: maker(chance) for name, maker in needed.items()}
        return chosen | {name: maker(chance) for name, maker in optional.items() if not one_in(chance, 3)}

    return options


def bent(chance: random.Random, shape: Shape) -> tuple[int, ...]:
    """A shape, or (rarely) one that differs from it somewhere."""
    if not one_in(chance, 6):
        return shape
    at = chance.randrange(len(shape))
    return chance.choice(((*shape[:at], shape[at] + 1, *shape[at + 1 :]), (2, *shape)))


def mostly_two(chance: random.Random, flowing: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """The first two of three tensors, rarely all or one."""
    return flowing[: chance.choice((2, 2, 2, 2, 2, 3, 2, 2, 1))]
