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


def front(space: Decomposed, turned: tuple[int, int]) -> list[Design]:
    """The networks of the front of the two metrics of a space; `turned` has -1 where more is better."""
    ends = [(setting, _of(space, setting, turned)) for setting in space.settings]
    costs = np.concatenate([one.costs for _, one in ends])
    owner = np.repeat(np.arange(len(ends)), [len(one.costs) for _, one in ends])
    place = np.concatenate([np.arange(len(one.costs)) for _, one in ends])
    kept = undominated(costs)
    if len(kept) > POINTS:
        raise _too_many(len(kept))
    return [
        Design(
            space.ordered({**ends[owner[at]][0].given, **_choices(space, ends[owner[at]][1], int(place[at]))}),
            tuple(int(sign * cost) for sign, cost in zip(turned, costs[at], strict=True)),
        )
        for at in kept
    ]


def undominated(costs: Any) -> Any:
    """Numbers of the points of which no other has less of one cost and no more of the other; one of equal points."""
    order = np.lexsort((costs[:, 1], costs[:, 0]))
    second = costs[order, 1]
    best = np.minimum.accumulate(second)
    return order[np.concatenate([[True], second[1:] < best[:-1]])] if len(order) else order


def _too_many(count: int) -> OptionError:
    message = f"the front has {count:,} points on the way, past {POINTS:,}"
    return OptionError(Problem("limit", message, help="set some of the variables"))


def _of(space: Decomposed, setting: Setting, turned: tuple[int, int]) -> Front:
    """The front of one setting of the shared choices."""
    start = [0 if fold is sum else -sign * 2**62 for fold, sign in zip(space.folds, turned, strict=True)]
    none = np.zeros(1, dtype=np.int64)
    so_far = Front(np.array([start]), [], none, none, none, none)
    for stretch in setting.stretches:
        states: Mapping[Shape, Front] = {next(iter(stretch.layers[0].states)): so_far}
        for layer in stretch.layers:
            after: dict[Shape, list[Front]] = {}
            for shape, one in states.items():
                for leaving, unit in _of_unit(space, layer.unit, shape, setting.given, turned).items():
                    after.setdefault(leaving, []).append(_after(one, unit, space.folds, turned))
            states = {leaving: _merged(several) for leaving, several in after.items()}
        so_far = _merged([states[shape] for shape in stretch.states])
    return so_far


def _of_unit(space: Decomposed, unit: Any, shape: Any, given: Any, turned: tuple[int, int]) -> dict[Any, Front]:
    """The front of a unit alone, by the shape that leaves it."""
    found: dict[Any, list[Any]] = {}
    structures = space.designs.structures(unit, shape, given)[1]
    for number, one in enumerate(structures):
        shapes, at = np.unique(one.leaves, axis=0, return_inverse=True)
        for which, leaving in enumerate(shapes):
            here = np.flatnonzero(at.ravel() == which)
            costs = one.each[:2, here].T * np.array(turned)
            kept = undominated(costs)
            part = costs[kept], np.full(len(kept), number), here[kept]
            found.setdefault(tuple(leaving.tolist()), []).append(part)
    fronts = {}
    for leaving, parts in found.items():
        costs, structure, setting = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = undominated(costs)
        none = np.zeros(len(kept), dtype=np.int64)
        fronts[leaving] = Front(costs[kept], [], none, none, structure[kept], setting[kept], structures)
    return fronts


def _after(a: Front, unit: Front, folds: Any, turned: tuple[int, int]) -> Front:
    """The front of a unit after what comes before it."""
    pairs = len(a.costs) * len(unit.costs)
    if pairs > 10 * PAIRS:
        raise _too_many(pairs)
    columns = []
    for number, (fold, sign) in enumerate(zip(folds, turned, strict=True)):
        combine = np.add if fold is sum else np.maximum if sign > 0 else np.minimum
        columns.append(combine.outer(a.costs[:, number], unit.costs[:, number]).ravel())
    costs = np.stack(columns, axis=1)
    kept = undominated(costs)
    place, own = np.divmod(kept, len(unit.costs))
    zero = np.zeros(len(kept), dtype=np.int64)
    return Front(costs[kept], [a], zero, place, unit.structure[own], unit.setting[own], unit.structures)


def _merged(parts: list[Front]) -> Front:
    """One front of several that stand beside each other: each point goes on from one of theirs."""
    if len(parts) == 1:
        return parts[0]
    costs = np.concatenate([one.costs for one in parts])
    kept = undominated(costs)
    source = np.repeat(np.arange(len(parts)), [len(one.costs) for one in parts])[kept]
    place = np.concatenate([np.arange(len(one.costs)) for one in parts])[kept]
    return Front(costs[kept], parts, source, place, source, source)


def _choices(space: Decomposed, end: Front, at: int) -> dict[str, Any]:
    """The choices of a point, from its last unit back to the first."""
    found: dict[str, Any] = {}
    while end.before:
        if end.structures is not None:
            found |= space.designs.chosen(end.structures[int(end.structure[at])], int(end.setting[at]))
        end, at = end.before[int(end.source[at])], int(end.place[at])
    return found
