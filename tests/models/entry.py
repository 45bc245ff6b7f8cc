"""What the models of every library are to the harness: a name, a family, and the inputs that they take."""

from typing import NamedTuple

Sizes = tuple[tuple[int, ...], str]  # of one input, the batch first, and the name of its type of numbers


class Entry(NamedTuple):
    """One model of a library.

    names   the arguments of its forward that the inputs are, in order; () where they go by position
    shapes  of the inputs
    """

    library: str
    family: str
    name: str
    shapes: tuple[Sizes, ...]
    names: tuple[str, ...] = ()


def image(*sizes: int) -> tuple[Sizes, ...]:
    """One image (or clip): channels, height, width."""
    return (((1, *sizes), "float32"),)
