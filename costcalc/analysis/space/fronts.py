"""The exact Pareto front of all networks of a space, by two metrics: no network is better in both.

A network on the front has parts that are on the fronts of their parts, for sums and for maxima alike. So the front of
a unit after the ones before it is that of all pairs of points of both, with what is dominated left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import OptionError, Problem
from ...records import NamedTuple
from .chains import Decomposed, Design, Setting
from .counts import PAIRS

if TYPE_CHECKING:
    from ...num.values import Shape

POINTS = 200_000  # of a front


class Front(NamedTuple):
    """Points that no other dominates, both costs turned so that less is better, with the way to each.

    costs       two a point
    before      the fronts that points go on from
    source      which of them each point goes on from
    place       and from which of its points
    structure   the number of the structure of each point's last unit
    setting     and of its setting in it
    structures  the structures of the last unit; None where fronts of one unit were put together
    """

    costs: Any
    before: list[Front]
    source: Any
    place: Any
    structure: Any
    setting: Any
    structures: Any = None


class Sides(NamedTuple):
    """Which networks are better: `turned` has -1 where more is better; `limits` the most that a sum may be, or None.

    Where less is better, what stays within a limit is never beaten by what does not. Where more is, it may be: then the
    best for every value of that metric is kept on the way, and the limits are looked at in the end.
    """

    turned: tuple[int, int]
    limits: tuple[int | None, int | None] = (None, None)

    @property
    def binding(self) -> list[int]:
        """The metrics of which more is better, up to a limit."""
        return [at for at in (0, 1) if self.turned[at] < 0 and self.limits[at] is not None]

    def kept(self, costs: Any) -> Any:
        """Numbers of the points of which some can be on the front."""
        binding = self.binding
        if not binding or not len(costs):
            return undominated(costs)
        if len(binding) == 2:
            return np.unique(costs, axis=0, return_index=True)[1]
        key, other = costs[:, binding[0]], costs[:, 1 - binding[0]]
        order = np.lexsort((other, key))
        return order[np.concatenate([[True], key[order][1:] != key[order][:-1]])]

    def within(self, costs: Any) -> Any:
        """Whether points are within the limits."""
        found = np.ones(len(costs), dtype=bool)
        for at, (sign, most) in enumerate(zip(self.turned, self.limits, strict=True)):
            if most is not None:
                found &= sign * costs[:, at] <= most
        return found


def front(space: Decomposed, sides: Sides) -> list[Design]:
    """The networks of the front of the first two metrics of a space."""
    ends = [(setting, _of(space, setting, sides)) for setting in space.settings]
    parts = [one.costs for _, one in ends] or [np.zeros((0, 2), dtype=np.int64)]
    owner = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    place = np.concatenate([np.arange(len(one)) for one in parts])
    costs = np.concatenate(parts)
    within = np.flatnonzero(sides.within(costs))
    kept = within[undominated(costs[within])]
    if len(kept) > POINTS:
        raise _too_many(len(kept), POINTS)
    return [_design(space, *ends[int(owner[at])], int(place[at])) for at in kept]


def undominated(costs: Any) -> Any:
    """Numbers of the points of which no other has less of one cost and no more of the other; one of equal points."""
    order = np.lexsort((costs[:, 1], costs[:, 0]))
    second = costs[order, 1]
    best = np.minimum.accumulate(second)
    return order[np.concatenate([[True], second[1:] < best[:-1]])] if len(order) else order


def _too_many(count: int, most: int) -> OptionError:
    message = f"the front has {count:,} points on the way, past {most:,}"
    return OptionError(Problem("limit", message, help="set some of the variables"))


def _of(space: Decomposed, setting: Setting, sides: Sides) -> Front:
    """The front of one setting of the shared choices."""
    start = [0 if fold is sum else -sign * 2**62 for fold, sign in zip(space.folds[:2], sides.turned, strict=True)]
    none = np.zeros(1, dtype=np.int64)
    so_far = Front(np.array([start]), [], none, none, none, none)
    for stretch in setting.stretches:
        states: Mapping[Shape, Front] = {next(iter(stretch.layers[0].states)): so_far}
        for layer in stretch.layers:
            after: dict[Shape, list[Front]] = {}
            for shape, one in states.items():
                for leaving, unit in _of_unit(space, layer.unit, shape, setting.given, sides).items():
                    after.setdefault(leaving, []).append(_after(one, unit, space.folds[:2], sides))
            states = {leaving: _merged(several, sides) for leaving, several in after.items()}
        so_far = _merged([states[shape] for shape in stretch.states], sides)
    return so_far


def _of_unit(space: Decomposed, unit: Any, shape: Any, given: Any, sides: Sides) -> dict[Any, Front]:
    """The front of a unit alone, by the shape that leaves it."""
    found: dict[Any, list[Any]] = {}
    structures = space.designs.structures(unit, shape, given)[1]
    for number, one in enumerate(structures):
        shapes, at = np.unique(one.leaves, axis=0, return_inverse=True)
        for which, leaving in enumerate(shapes):
            here = np.flatnonzero(at.ravel() == which)
            costs = one.each[:2, here].T * np.array(sides.turned)
            kept = sides.kept(costs)
            part = costs[kept], np.full(len(kept), number), here[kept]
            found.setdefault(tuple(leaving.tolist()), []).append(part)
    fronts = {}
    for leaving, parts in found.items():
        costs, structure, setting = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = sides.kept(costs)
        none = np.zeros(len(kept), dtype=np.int64)
        fronts[leaving] = Front(costs[kept], [], none, none, structure[kept], setting[kept], structures)
    return fronts


def _after(a: Front, unit: Front, folds: Any, sides: Sides) -> Front:
    """The front of a unit after what comes before it."""
    pairs = len(a.costs) * len(unit.costs)
    most = PAIRS if sides.binding else 10 * PAIRS
    if pairs > most:
        raise _too_many(pairs, most)
    columns = []
    for number, (fold, sign) in enumerate(zip(folds, sides.turned, strict=True)):
        combine = np.add if fold is sum else np.maximum if sign > 0 else np.minimum
        columns.append(combine.outer(a.costs[:, number], unit.costs[:, number]).ravel())
    costs = np.stack(columns, axis=1)
    kept = sides.kept(costs)
    place, own = np.divmod(kept, len(unit.costs))
    zero = np.zeros(len(kept), dtype=np.int64)
    return Front(costs[kept], [a], zero, place, unit.structure[own], unit.setting[own], unit.structures)


def _merged(parts: list[Front], sides: Sides) -> Front:
    """One front of several that stand beside each other: each point goes on from one of theirs."""
    if len(parts) == 1:
        return parts[0]
    costs = np.concatenate([one.costs for one in parts])
    kept = sides.kept(costs)
    source = np.repeat(np.arange(len(parts)), [len(one.costs) for one in parts])[kept]
    place = np.concatenate([np.arange(len(one.costs)) for one in parts])[kept]
    return Front(costs[kept], parts, source, place, source, source)


def _design(space: Decomposed, setting: Setting, end: Front, at: int) -> Design:
    """The network of a point, from its last unit back to the first."""
    found: dict[str, Any] = dict(setting.given)
    rows: list[list[int]] = []
    while end.before:
        if end.structures is not None:
            one, own = end.structures[int(end.structure[at])], int(end.setting[at])
            found |= space.designs.chosen(one, own)
            rows.append(one.each[:, own].tolist())
        end, at = end.before[int(end.source[at])], int(end.place[at])
    return space.design(found, rows)
