"""The longest common subsequence of two lists of tokens, for lists as long as networks are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...num.values import Shape


from ...allowance import spend

CELLS = 2**28  # pairs of tokens looked at in one piece: a bit each is remembered
OFTEN = 1_000  # a token that is so many times rarer than all together is looked up anew each time, to save memory


def ascending(pairs: list[Shape]) -> list[Shape]:
    """The longest part of pairs whose second numbers ascend."""
    from bisect import bisect_left

    ends: list[Any] = []
    tails: list[Any] = []
    before: dict[Any, Any] = {}
    for pair in pairs:
        at = bisect_left(ends, pair[1])
        ends[at : at + 1], tails[at : at + 1] = [pair[1]], [pair]
        before[pair] = tails[at - 1] if at else None
    chain: list[Any] = []
    last = tails[-1] if tails else None
    while last:
        chain.append(last)
        last = before[last]
    return chain[::-1]


def common(a: list[Any], b: list[Any]) -> list[Shape]:
    """Numbers (in a, in b) of a longest common sequence, ascending."""
    if not a or not b:
        return []
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    inner = _longest(a[start : len(a) - end], b[start : len(b) - end])
    head, tail = [(n, n) for n in range(start)], [(len(a) - n, len(b) - n) for n in range(end, 0, -1)]
    return [*head, *((start + i, start + j) for i, j in inner), *tail]


def _longest(a: list[Any], b: list[Any]) -> list[Shape]:
    """Too long lists are cut in two where the halves have most in common (Hirschberg 1975)."""
    if not a or not b:
        return []
    if len(a) * len(b) <= CELLS or len(a) == 1:
        return _trail(list(_rows(a, b)), a, b)
    half = len(a) // 2
    ahead, behind = _lengths(a[:half], b), _lengths(a[half:][::-1], b[::-1])[::-1]
    cut = max(range(len(b) + 1), key=lambda at: ahead[at] + behind[at])
    return [*_longest(a[:half], b[:cut]), *((half + i, cut + j) for i, j in _longest(a[half:], b[cut:]))]


def _rows(a: list[Any], b: list[Any]) -> Iterator[int]:
    """One number for each beginning of a. Its bit j is 0 where the longest common sequence with b[: j + 1] is longer
    than with b[:j].

    All bits at once in the arithmetic of whole numbers: Hyyro 2004, "Bit-Parallel LCS-length Computation Revisited".
    """
    places: dict = {}
    for number, token in enumerate(b):
        places.setdefault(token, []).append(number)
    often = {token: _bits(numbers, len(b)) for token, numbers in places.items() if len(numbers) * OFTEN >= len(b)}
    whole = row = (1 << len(b)) - 1
    for token in a:
        spend(1 + len(b) // 500)
        mask = often.get(token)
        here = row & (_bits(places.get(token, ()), len(b)) if mask is None else mask)
        row = (row + here | row - here) & whole
        yield row


def _bits(numbers: Sequence[int], length: int) -> int:
    bits = bytearray(length // 8 + 1)
    for number in numbers:
        bits[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(bits, "little")


def _trail(rows: list[int], a: list[Any], b: list[Any]) -> list[Shape]:
    """The matches, from the end back."""
    found, i, j = [], len(a), len(b)
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            found.append((i, j))
        elif rows[i - 1] >> (j - 1) & 1:
            j -= 1
        else:
            i -= 1
    return found[::-1]


def _lengths(a: list[int], b: list[int]) -> list[int]:
    """How long the longest common sequence of a is with each beginning of b."""
    for last in _rows(a, b):
        row = last
    lengths = [0]
    for bit in reversed(f"{row:0{len(b)}b}"):
        lengths.append(lengths[-1] + (bit == "0"))
    return lengths


def between(anchors: list[Shape], a: list[int], b: list[int]) -> list[Shape]:
    """Anchors, and the longest common sequences between them."""
    found = []
    for (i, j), (k, m) in pairwise([(-1, -1), *anchors, (len(a), len(b))]):
        found += [(i, j)] if i >= 0 else []
        found += [(i + 1 + x, j + 1 + y) for x, y in common(a[i + 1 : k], b[j + 1 : m])]
    return found
