"""Create a block from runs that differ only in numbers, which become its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from ...ops import INDEX, find
from ...records import NamedTuple
from .structure import Item, is_number, unused, walk

if TYPE_CHECKING:
    from ..torch.pieces import Style
    from .fold import Run


class Leaf(NamedTuple):
    """A number in a run: its item and option, its index in a list of sizes, and the input channels of its layer."""

    item: Item
    option: str
    place: int | None
    channels: Any

    @property
    def value(self) -> int:
        """The number."""
        if self.option == "repeat":
            return self.item.repeat
        value = self.item.options[self.option]
        return value if self.place is None else value[self.place]


class Term(str):
    """Expression over the parameters of a block, in place of a number."""


class Block(NamedTuple):
    """A block: parameters with defaults, items, and the index of the leaf for each parameter."""

    name: str
    params: tuple  # (name, default or None)
    items: list
    leaves: tuple

    @property
    def signature(self) -> str:
        """Name and parameters, as in the definition."""
        params = (name if default is None else f"{name}={default}" for name, default in self.params)
        return f"{self.name}({', '.join(params)})" if self.params else self.name

    def length(self, style: Style) -> int:
        """Length of the definition in characters."""
        return len(self.signature) + sum(style.length(item) + PER_ITEM for item in self.items)


PER_ITEM = 8  # overhead per item of a block, in characters
_BRIEF = {"kernel": "k", "repeat": "n"}
_DEFAULTS = {"stride": 1, "groups": 1, "dilation": 1}


def leaves_of(items: list[Item]) -> Iterator[Leaf]:
    """Numbers of a run in order."""
    for item in items:
        for option, value in item.options.items():
            if is_number(value):
                places = range(len(value)) if is_list(item.op, option) else [None]
                yield from (Leaf(item, option, place, item.channels) for place in places)
        if item.repeat != 1 and is_number(item.repeat):
            yield Leaf(item, "repeat", None, item.channels)
        for inner in (item.then, *item.lists):
            yield from leaves_of(inner)


def is_list(op: str, option: str) -> bool:
    """Whether an option is a list of sizes, each of which can be a parameter."""
    return op in INDEX and find(op).options[option].kind.form == "shape"


def block_of(runs: list[Run], table: list[list[Leaf]], taken: set[str], style: Style) -> Block:
    """Create the block for runs of the same structure, with a name not in `taken`.

    `table` has the leaves of each run.
    """
    terms: list[Any] = []
    params: list[tuple] = []  # name, index of the leaf, the leaf in every run
    first: dict[tuple, tuple] = {}  # the values in every run -> the parameter and these values
    for at, column in enumerate(zip(*table, strict=True)):
        term = _term(column, first, style)
        if term is None:
            option = column[0].option.rstrip("0123456789")
            name = _numbered(_BRIEF.get(option, option), {one for one, *_ in params})
            values = [leaf.value for leaf in column]
            first[tuple(map(str, values))] = name, values
            params.append((name, at, column))
            term = Term(name)
        terms.append(term)
    return _made(runs, taken, table[0], terms, params)


def _term(
    column: tuple[Leaf, ...], first: Mapping[tuple[str, ...], tuple[str, list[int]]], style: Style
) -> int | Term | None:
    """A number as a constant or in terms of earlier parameters, or None if it needs its own parameter."""
    values = [leaf.value for leaf in column]
    if all(str(value) == str(values[0]) for value in values):
        return values[0]
    known = first.get(tuple(map(str, values)))
    if known:
        return Term(known[0])
    if not all(type(value) is int for value in values):
        return None
    if style.relative and column[0].option in style.widths and all(type(leaf.channels) is int for leaf in column):
        factor = _ratio(values, [leaf.channels for leaf in column])
        if factor:
            return Term("channels" if factor == 1 else f"{factor} * channels")
    for name, others in first.values() if column[0].option in style.widths else ():
        factor = _ratio(values, others)
        if factor:
            return Term(f"{factor} * {name}")
    return None


def _ratio(values: list[int], others: list[int]) -> int:
    """The integer factor from `others` to `values`, or 0 if there is none."""
    if type(others[0]) is not int or not others[0] or values[0] % others[0]:
        return 0  # fast path: the number of pairs is quadratic in the parameters
    factor = values[0] // others[0]
    same = all(type(o) is int and v == factor * o for v, o in zip(values, others, strict=True))
    return factor if same else 0


def _numbered(name: str, taken: set[str]) -> str:
    return unused(name, taken, lambda number: f"{name}{number}")


def _made(
    runs: list[Run],
    taken: set[str],
    leaves: list[Leaf],
    terms: list[Any],
    params: list[tuple[str, int, tuple[Leaf, ...]]],
) -> Block:
    swap = {(id(leaf.item), leaf.option, leaf.place): term for leaf, term in zip(leaves, terms, strict=True)}
    items = _copied(runs[0].content, swap)
    for item, names in zip(_layers(items), zip(*map(_names, runs), strict=True), strict=True):
        item.local = names[0] if len(set(names)) == 1 else ""
    listed = []
    for name, at, column in params:
        usual = _DEFAULTS.get(column[0].option)
        has = usual is not None and any(leaf.value == usual for leaf in column)
        listed.append((name, usual if has else None, at))
    listed.sort(key=lambda one: one[1] is not None)
    name = _numbered(_name(runs) or "block", taken)
    return Block(name, tuple(one[:2] for one in listed), items, tuple(one[2] for one in listed))


def _copied(items: list[Item], swap: Mapping[tuple[int, str, int | None], Any]) -> list[Item]:
    """Copy items and replace some numbers. References between copied items are updated."""
    made: dict[int, Item] = {}
    copies = _copies(items, swap, made)
    for one in made.values():
        one.origin, one.table = (made.get(id(other), other) for other in (one.origin, one.table))
        one.branches = [branch if type(branch) is list else made.get(id(branch), branch) for branch in one.branches]
    return copies


def _copies(items: list[Item], swap: Mapping[tuple[int, str, int | None], Any], made: dict[int, Item]) -> list[Item]:
    found = []
    for item in items:
        one = made[id(item)] = copy(item)
        one.options = {name: _swapped(item, name, value, swap) for name, value in item.options.items()}
        one.repeat = swap.get((id(item), "repeat", None), item.repeat)
        one.then = _copies(item.then, swap, made)
        one.branches = [_copies(branch, swap, made) if type(branch) is list else branch for branch in item.branches]
        found.append(one)
    return found


def _swapped(item: Item, name: str, value: Any, swap: Mapping[tuple[int, str, int | None], Any]) -> Any:
    if (id(item), name, 0) in swap:
        return tuple(swap[id(item), name, place] for place in range(len(value)))
    return swap.get((id(item), name, None), value)


def _layers(items: list[Item]) -> Iterator[Item]:
    """Items of a list, including those in groups that have no scope of names."""
    for item in items:
        yield item
        if item.op in ("residual", "group"):
            yield from _layers(item.branches[0])


def _names(run: Run) -> list[str]:
    """Names of the layers of a run, relative to their shared levels."""
    level = len(levels_of(run.content))
    return ["/".join(item.name.split("/")[level:]) for item in _layers(run.content)]


def levels_of(items: list[Item]) -> list[str]:
    """Levels shared by the names of items, without the last component. If any items weigh, only those count."""
    every = [one for item in items for one in walk([item])]
    names = [item.name for item in every if item.weighs] or [item.name for item in items]
    found: list[str] = []
    for levels in zip(*(name.split("/")[:-1] for name in names), strict=False):
        if len(set(levels)) > 1:
            break
        found.append(levels[0])
    return found


def _name(runs: list[Run]) -> str:
    """Name component that all runs share, without numbers: `separable` for `separable_1/conv`."""
    levels = set()
    for run in runs:
        words = [re.sub(r"[\W\d_]+$", "", level) for level in levels_of(run.content)]
        levels.add(next((word for word in reversed(words) if word and word.lower() not in INDEX), ""))
    name = re.sub(r"\W+", "_", levels.pop()) if len(levels) == 1 else ""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) and name.lower() not in INDEX else ""


def call_of(block: Block, content: list[Item]) -> Item:
    """Create the call of a block that replaces a run."""
    leaves = list(leaves_of(content))
    first = content[0]
    named = next((item for item in walk(content) if item.weighs), first)
    call = Item("call", {}, named.name, first.channels)
    call.weighs = named.weighs
    for (name, _), at in zip(block.params, block.leaves, strict=True):
        call.options[name] = leaves[at].value
    call.block, call.number, call.tail = block, first.number, content[-1].tail
    call.rank = first.rank
    return call
