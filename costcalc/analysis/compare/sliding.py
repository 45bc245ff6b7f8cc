"""Where equal layers stand in a row, which of them is the new one: the run that begins where a block begins.

A longest common sequence may call any of them new; people add whole blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...num.values import Shape


def slid(matches: list[Shape], a: list[int], b: list[int], begins: Callable[..., Any]) -> list[Shape]:
    """Matches (in a, in b) of tokens, with each run that only b has moved to where `begins(number in b)` holds."""
    partner = dict.fromkeys(range(len(b)))
    partner.update({j: i for i, j in matches})
    for start, end in _runs(partner, len(b)):
        _slide(partner, b, start, end, len(a), begins)
    return sorted((i, j) for j, i in partner.items() if i is not None)


def _runs(partner: Mapping[int, int | None], length: int) -> Iterator[tuple[int, int]]:
    """(start, end) of each run of numbers without a partner."""
    start = None
    for number in range(length + 1):
        free = number < length and partner[number] is None
        if free and start is None:
            start = number
        if not free and start is not None:
            yield start, number
            start = None


def _slide(
    partner: dict[int, int | None], b: list[int], start: int, end: int, length: int, begins: Callable[..., Any]
) -> None:
    before = partner[start - 1] if start else -1
    after = partner[end] if end < len(b) else length
    if before is None or after != before + 1 or begins(start):  # slid already, something else missing, or well there
        return
    ways = [*_upwards(partner, b, start, end), *_downwards(partner, b, start, end)]
    best = next((steps for steps in ways if begins(start + steps)), 0)
    for step in range(abs(best)):
        if best < 0:
            partner[end - 1 - step], partner[start - 1 - step] = partner[start - 1 - step], None
        else:
            partner[start + step], partner[end + step] = partner[end + step], None


def _upwards(partner: Mapping[int, int | None], b: list[int], start: int, end: int) -> Iterator[int]:
    """The ways that a run can move towards the beginning: -1, -2, .. as far as equal layers stand before it."""
    steps = 0
    while start - steps > 0 and partner[start - 1 - steps] is not None and b[start - 1 - steps] == b[end - 1 - steps]:
        steps += 1
        yield -steps


def _downwards(partner: Mapping[int, int | None], b: list[int], start: int, end: int) -> Iterator[int]:
    steps = 0
    while end + steps < len(b) and partner[end + steps] is not None and b[end + steps] == b[start + steps]:
        steps += 1
        yield steps
