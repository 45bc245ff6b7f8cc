"""Groups of layers: sums with what flowed in as `residual`, and layers that run several times per sample."""

from .items import Item, walk


def grouped(items):
    """The list with its groups, in every list of it."""
    named = {id(other) for item in walk(items) for other in item.refers()}
    return _grouped(items, 1, named)


def _grouped(items, outer, named):
    for item in items:
        item.branches = [
            _grouped(branch, item.times, named) if type(branch) is list else branch for branch in item.branches
        ]
    for item in walk(items):
        if item.times == outer:
            item.times = 1
    return _timed([_residual(item) for item in items], named)


def _residual(item):
    """A sum of the input and one branch as a group that the input bridges."""
    lists = item.lists
    if item.op != "add" or len(lists) != 2 or len(item.branches) != 2 or sum(map(bool, lists)) != 1:
        return item
    item.op, item.branches = "residual", [next(filter(None, lists))]
    return item


def _timed(items, named):
    found: list[Item] = []
    for item in items:
        if item.times == 1:
            found.append(item)
            continue
        last = found[-1] if found else None
        if last is None or not _takes(last, item, named):
            last = Item("group")
            last.branches, last.times, last.origin, item.origin = [[]], item.times, item.origin, None
            last.number = item.number
            found.append(last)
        last.branches[0].append(item)
        item.owner = last
        for one in (item, *item.then):
            one.times = 1
    return found


def _takes(group, item, named):
    """Whether a layer can go into a group: not behind one that others read, as only the last has the group's name."""
    alike = group.op == "group" and group.times == item.times and item.origin is None
    return alike and id(group.branches[0][-1]) not in named
