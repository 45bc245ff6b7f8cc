"""Match the layers of two networks.

Match layers with the same user-given name first, then the longest common sequence of the rest. Between those matches,
pair depthwise separable convolutions with standard ones, and layers of the same operation in order. An unmatched layer
was added or removed; the same layer in both lists was moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ...allowance import spend
from ...num.values import Shape
from ...records import NamedTuple
from ..explain.working import is_separable
from .elements import Element

CELLS = 2**28  # pairs of tokens compared in one piece, at one bit each
OFTEN = 1_000  # a token this many times rarer than all tokens is looked up each time, to save memory


def ascending(pairs: list[Shape]) -> list[Shape]:
    """Longest subsequence of pairs whose second numbers ascend."""
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
    """Index pairs (in a, in b) of a longest common sequence, ascending."""
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
    """Longest common sequence; lists that are too long are split where the halves share most (Hirschberg 1975)."""
    if not a or not b:
        return []
    if len(a) * len(b) <= CELLS or len(a) == 1:
        return _trail(list(_rows(a, b)), a, b)
    half = len(a) // 2
    ahead, behind = _lengths(a[:half], b), _lengths(a[half:][::-1], b[::-1])[::-1]
    cut = max(range(len(b) + 1), key=lambda at: ahead[at] + behind[at])
    return [*_longest(a[:half], b[:cut]), *((half + i, cut + j) for i, j in _longest(a[half:], b[cut:]))]


def _rows(a: list[Any], b: list[Any]) -> Iterator[int]:
    """One integer per prefix of a. Bit j is 0 if b[: j + 1] has a longer common sequence with the prefix than b[:j].

    All bits are computed at once with integer arithmetic: Hyyro 2004, "Bit-Parallel LCS-length Computation Revisited".
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
    """Index pairs of the matches, traced back from the end."""
    pairs, i, j = [], len(a), len(b)
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif rows[i - 1] >> (j - 1) & 1:
            j -= 1
        else:
            i -= 1
    return pairs[::-1]


def _lengths(a: list[int], b: list[int]) -> list[int]:
    """Length of the longest common sequence of a with each prefix of b."""
    for last in _rows(a, b):
        row = last
    lengths = [0]
    for bit in reversed(f"{row:0{len(b)}b}"):
        lengths.append(lengths[-1] + (bit == "0"))
    return lengths


def between(anchors: list[Shape], a: list[int], b: list[int]) -> list[Shape]:
    """The anchors and the longest common sequences between them."""
    matches = []
    for (i, j), (k, m) in pairwise([(-1, -1), *anchors, (len(a), len(b))]):
        matches += [(i, j)] if i >= 0 else []
        matches += [(i + 1 + x, j + 1 + y) for x, y in common(a[i + 1 : k], b[j + 1 : m])]
    return matches


def slid(matches: list[Shape], a: list[int], b: list[int], begins: Callable[..., Any]) -> list[Shape]:
    """Move each run of unmatched tokens of b to a place where `begins(index in b)` holds.

    Among equal adjacent layers, a longest common sequence may mark any as new; users add whole blocks.
    """
    partner = dict.fromkeys(range(len(b)))
    partner.update({j: i for i, j in matches})
    for start, end in _runs(partner, len(b)):
        _slide(partner, b, start, end, len(a), begins)
    return sorted((i, j) for j, i in partner.items() if i is not None)


def _runs(partner: Mapping[int, int | None], length: int) -> Iterator[tuple[int, int]]:
    """(start, end) of each run of indices without a partner."""
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
    if before is None or after != before + 1 or begins(start):  # already moved, another one missing, or well placed
        return
    ways = [*_upwards(partner, b, start, end), *_downwards(partner, b, start, end)]
    best = next((steps for steps in ways if begins(start + steps)), 0)
    for step in range(abs(best)):
        if best < 0:
            partner[end - 1 - step], partner[start - 1 - step] = partner[start - 1 - step], None
        else:
            partner[start + step], partner[end + step] = partner[end + step], None


def _upwards(partner: Mapping[int, int | None], b: list[int], start: int, end: int) -> Iterator[int]:
    """Offsets (-1, -2, ..) by which a run can move towards the start, as long as equal layers precede it."""
    steps = 0
    while start - steps > 0 and partner[start - 1 - steps] is not None and b[start - 1 - steps] == b[end - 1 - steps]:
        steps += 1
        yield -steps


def _downwards(partner: Mapping[int, int | None], b: list[int], start: int, end: int) -> Iterator[int]:
    steps = 0
    while end + steps < len(b) and partner[end + steps] is not None and b[end + steps] == b[start + steps]:
        steps += 1
        yield steps


class Pair(NamedTuple):
    """Elements that correspond to each other: one on each side, or two for a separable convolution."""

    left: tuple[Element, ...]
    right: tuple[Element, ...]
    moved: bool = False

    @property
    def status(self) -> str:
        """same, follows (same layer, different cost), changed, rewritten, added, removed or moved."""
        if self.moved:
            return "moved"
        if not self.left or not self.right:
            return "added" if self.right else "removed"
        if len(self.left) + len(self.right) > 2:
            return "rewritten"
        one, other = self.left[0], self.right[0]
        if one.key != other.key:
            return "changed"
        same = (one.cost, one.params, one.moved, one.output) == (other.cost, other.params, other.moved, other.output)
        return "same" if same else "follows"


def aligned(left: list[Element], right: list[Element]) -> list[Pair]:
    """Pairs of two sequences of elements, in the order of both."""
    named = _named(left, right)
    a, b = _tokens([element.key for element in left], [element.key for element in right])
    matches = between(named, a, b)
    if len(matches) < min(len(a), len(b)):  # a changed variable may have changed every layer
        written = _tokens([element.source() for element in left], [element.source() for element in right])
        found = between(named, *written)
        if len(found) > len(matches):
            matches, (a, b) = found, written
    matches = slid(matches, a, b, _begins(right))
    matches = [(i, j) for j, i in slid([(j, i) for i, j in matches], b, a, _begins(left))]
    pairs = []
    for (i, j), (k, m) in pairwise([(-1, -1), *matches, (len(a), len(b))]):
        pairs += [Pair((left[i],), (right[j],))] if i >= 0 else []
        pairs += _between(left[i + 1 : k], right[j + 1 : m])
    return _with_moved(pairs)


def _tokens(*sequences: list[tuple[tuple[Any, ...], ...]]) -> list[list[int]]:
    """Sequences of keys as integers: equal keys get equal integers."""
    known: dict = {}
    return [[known.setdefault(key, len(known)) for key in keys] for keys in sequences]


def _begins(elements: list[Element]) -> Callable[..., Any]:
    """A function that tells whether the element at an index is the first of its block."""
    return lambda number: number == 0 or elements[number].level is not elements[number - 1].level


def _named(left: list[Element], right: list[Element]) -> list[Shape]:
    """Index pairs of layers whose user-given name occurs once on each side, as far as both orders agree."""
    mine, other = _once(left), _once(right)
    both = [(mine[label], other[label]) for label in mine if label in other]
    return ascending([(i, j) for i, j in both if left[i].first.op is right[j].first.op])


def _once(elements: list[Element]) -> dict[tuple[str, ...], int]:
    places: dict = {}
    for number, element in enumerate(elements):
        if element.label is not None:
            places[element.label] = None if element.label in places else number
    return {label: number for label, number in places.items() if number is not None}


def _between(left: list[Element], right: list[Element]) -> list[Pair]:
    """Pairs between two matches: separable with standard convolutions, then layer by layer per operation."""
    mine, other = _units(left), _units(right)
    a, b = ([_stands_for(unit) for unit in units] for units in (mine, other))
    pairs = []
    for (i, j), (k, m) in pairwise([(-1, -1), *common(a, b), (len(a), len(b))]):
        pairs += _matched(mine[i], other[j]) if i >= 0 else []
        pairs += _by_op(_flat(mine[i + 1 : k]), _flat(other[j + 1 : m]))
    return pairs


def _matched(one: tuple[Element, ...], other: tuple[Element, ...]) -> list[Pair]:
    if len(one) != len(other):
        return [Pair(one, other)]
    return [Pair((x,), (y,)) for x, y in zip(one, other, strict=True)]


def _flat(units: list[tuple[Element, ...]]) -> list[Element]:
    return [element for unit in units for element in unit]


def _units(elements: list[Element]) -> list[tuple[Element, ...]]:
    """Elements grouped into units: a depthwise convolution and the 1x1 convolution after it form one."""
    units: list = []
    for element in elements:
        before = units[-1][0] if units else None
        if before and len(units[-1]) == 1 and is_separable(before.first, element.first):
            units[-1] = (before, element)
        else:
            units.append((element,))
    return units


def _stands_for(unit: tuple[Element, ...]) -> tuple[Any, ...]:
    """Key of a unit: the same for one convolution and for a separable pair; otherwise the key of its layer."""
    detail = unit[0].first.layer.detail
    if unit[0].first.op.name in ("conv", "dwconv") and (len(unit) == 2 or unit[0].first.op.name == "conv"):
        return "conv", detail["kernel"], detail["stride"], unit[-1].output
    return unit[0].key


def _by_op(left: list[Element], right: list[Element]) -> list[Pair]:
    """Pair layers of the same operation in order; the rest is removed or added."""
    names = [[(element.first.op.name, element.first.frame.base) for element in side] for side in (left, right)]
    pairs = []
    for (i, j), (k, m) in pairwise([(-1, -1), *common(*names), (len(left), len(right))]):
        pairs += [Pair((left[i],), (right[j],))] if i >= 0 else []
        pairs += [Pair((element,), ()) for element in left[i + 1 : k]]
        pairs += [Pair((), (element,)) for element in right[j + 1 : m]]
    return pairs


def _with_moved(pairs: list[Pair]) -> list[Pair]:
    """Mark a pair that was removed in one place and added in another as moved."""
    gone: dict = {}
    for pair in pairs:
        if not pair.right:
            gone.setdefault(pair.left[0].key, []).append(pair)
    came = {}
    for number, pair in enumerate(pairs):
        same = gone.get(pair.right[0].key) if not pair.left else None
        if same:
            came[number] = same.pop(0)
    origins = {id(pair) for pair in came.values()}
    return [
        Pair(came[number].left, pair.right, True) if number in came else pair
        for number, pair in enumerate(pairs)
        if id(pair) not in origins
    ]


def paired(
    left: list[Element], right: list[Element], home: Mapping[tuple[str, int, int], tuple[str, int, int]]
) -> list[Pair]:
    """Pairs of a network and its rewritten form: layers from the same place in the spec, run by run."""
    pairs: dict = {}
    for side, elements in enumerate((left, right)):
        runs: dict = {}
        last: dict = {}
        for element in elements:
            place = home.get(element.spot, element.spot)
            together = place in last and _is_second(last[place], element, place)
            runs[place] = runs.get(place, 0) + (not together)
            pairs.setdefault((place, runs[place]), ([], []))[side].append(element)
            last[place] = element
    return [Pair(tuple(one), tuple(other)) for one, other in pairs.values()]


def _is_second(first: Element, second: Element, place: tuple[str, int, int]) -> bool:
    """Whether an element is the 1x1 convolution after a depthwise one, or a norm that was merged into it."""
    ops = first.first.op.name, second.first.op.name
    return ops == ("dwconv", "conv") or (ops[1] == "batchnorm" and second.spot != place)
