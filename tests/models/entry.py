"""A model for the harness: a name, a family, and its inputs."""

from typing import NamedTuple

Sizes = tuple[tuple[int, ...], str]  # shape of one input, batch first, and the name of its dtype


class Entry(NamedTuple):
    """One model of a library.

    names   the forward arguments of the inputs, in order; () for positional arguments
    shapes  of the inputs
    """

    library: str
    family: str
    name: str
    shapes: tuple[Sizes, ...]
    names: tuple[str, ...] = ()


def image(*sizes: int) -> tuple[Sizes, ...]:
    """An image or clip: channels, height, width."""
    return (((1, *sizes), "float32"),)
