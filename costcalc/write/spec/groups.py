"""Groups of layers: sums with what flowed in as `residual`, and layers that run several times per sample."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import Problem, SpecError
from .items import Item, quotient, walk


def grouped(items: list[Item]) -> list[Item]:
    """The list with its groups, in every list of it; what runs again has the times of the layer that it runs."""
    named = {id(other) for item in walk(items) for other in item.refers()}
    again = [item for item in walk(items) if item.op == "reuse"]
    held = {id(item.branches[0]): item.branches[0].times for item in again}
    held |= {id(item.table): item.table.times for item in walk(items) if item.table is not None}
    for item in again:
        item.times = _again(item, item.branches[0], held)
    return _Groups(named, held).of(items, 1)


def _again(item: Item, holder: Item, held: Mapping[int, int]) -> int:
    times = quotient(item.times, held[id(holder)])
    if times is None:
        message = f"`{item.name}` has the weights of `{holder.name}`, which runs {held[id(holder)]} times a sample"
        raise SpecError(Problem("cannot-write", f"{message}: a spec can only run it a multiple of that"))
    return times


class _Groups:
    """Makes groups. `named` are the items that others name, `held` those that run again, with their times."""

    def __init__(self, named: set[int], held: Mapping[int, int]) -> None:
        self.named, self.held = named, held

    def of(self, items: list[Item], outer: int) -> list[Item]:
        """A list that stands in something that runs `outer` times."""
        for item in items:
            whole = item.times
            item.branches = [self.of(branch, whole) if type(branch) is list else branch for branch in item.branches]
            for one in (item, *item.then):
                one.times = quotient(whole, outer)
        return self.timed([_residual(item) for item in items])

    def timed(self, items: list[Item]) -> list[Item]:
        """The list with those that run several times in groups."""
        found: list[Item] = []
        for item in items:
            if item.times == 1:
                found.append(item)
                continue
            last = found[-1] if found else None
            if last is None or not self.takes(last, item):
                last = Item("group")
                last.branches, last.times, last.origin, item.origin = [[]], item.times, item.origin, None
                last.number = item.number
                found.append(last)
            last.branches[0].append(item)
            item.owner = last
            for one in (item, *item.then):
                one.times = 1
        return found

    def takes(self, group: Item, item: Item) -> bool:
        """Whether a layer can go into a group: neither one that runs again, nor one behind a layer that others read.

        Only the last has the group's name.
        """
        alike = group.op == "group" and group.times == item.times and item.origin is None
        return alike and id(item) not in self.held and id(group.branches[0][-1]) not in self.named


def _residual(item: Item) -> Item:
    """A sum of the input and one branch as a group that the input bridges."""
    lists = item.lists
    if item.op != "add" or len(lists) != 2 or len(item.branches) != 2 or sum(map(bool, lists)) != 1:
        return item
    item.op, item.branches = "residual", [next(filter(None, lists))]
    return item
