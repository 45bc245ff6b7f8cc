"""What flows into a module of PyTorch: sizes as people write them become shapes as the module takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import limits
from ...errors import ArgumentError, OptionError, Problem, brief

KINDS = ("float32", "float16", "bfloat16", "float64", "complex64", "int64", "int32", "bool")
Shape = tuple[tuple[int, ...], str]  # sizes, the batch first and channels second; the type of the numbers


def shape(text: str) -> Shape:
    """The shape of `224x224x3`, `16x80` or `128:int64`: a batch of one, channels second. Raises OptionError."""
    sizes, _, kind = text.partition(":")
    parts = sizes.split("x")
    if not all(one.isascii() and one.isdigit() and 0 < int(one[:20]) <= limits.SIZE for one in parts):
        raise _wrong(text, "sizes are whole numbers from 1 on, as in 224x224x3, 16x80 or 128:int64")
    if kind not in ("", *KINDS):
        raise _wrong(text, f"types: {', '.join(KINDS)}")
    return _batched(text, tuple(map(int, parts)), kind or "float32")


def given(input: Any) -> list[Shape]:
    """The shapes of what Python gives: a text, sizes, a tensor, or a list of them. Raises OptionError."""
    if isinstance(input, (list, tuple)) and input and not all(type(one) is int for one in input):
        return [_one(each) for each in input]
    return [_one(input)]


def _one(input: Any) -> Shape:
    if isinstance(input, str):
        return shape(input)
    if hasattr(input, "shape") and hasattr(input, "dtype"):
        return tuple(map(int, input.shape)), str(input.dtype).removeprefix("torch.")
    if isinstance(input, Sequence) and input and all(type(one) is int for one in input):
        return shape("x".join(map(str, input)))
    help = 'write "224x224x3", (224, 224, 3), "128:int64", a tensor, or a list of these'
    raise ArgumentError(Problem("bad-argument", f"`input` cannot be {brief(repr(input))}", help=help))


def _batched(text: str, sizes: tuple[int, ...], kind: str) -> Shape:
    """A batch of one in front; of a grid, the channels before its sides."""
    if len(sizes) >= limits.RANK:
        raise _wrong(text, f"a tensor has at most {limits.RANK} axes, the batch counted")
    grid = (sizes[-1], *sizes[:-1]) if len(sizes) > 2 else sizes
    return (1, *grid), kind


def _wrong(text: str, help: str) -> OptionError:
    return OptionError(Problem("usage", f"input `{brief(text)}` is no shape", help=help))
