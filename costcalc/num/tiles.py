"""Compute points tile by tile: all operations on some thousand points, then on the next ones (cache blocking).

The arrays of a tile stay in the processor's cache and are dropped after their last use. So only variables are read
from memory and only results are written to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records import NamedTuple
from .points import Operation, Points, array_of, waiting

if TYPE_CHECKING:
    from .values import Number

TILE = 1 << 14  # points at a time: 128 kB an array
ROOM = 1 << 20  # numbers in all arrays of a tile
_DTYPES = {bool: np.dtype(np.bool_), int: np.dtype(np.int64), float: np.dtype(np.float64)}


def arrays(wanted: Sequence[Number]) -> list[Any]:
    """The arrays of points, computed together; a plain number is returned as it is. Raises Refused, Full."""
    uncomputed = [one for one in wanted if type(one) is Points and one.held is None]
    shape = max((one.shape for one in uncomputed), key=math.prod, default=())
    if math.prod(shape) > TILE:
        _compute([one for one in uncomputed if one.shape == shape], shape)
    return [array_of(one) for one in wanted]


def _compute(wanted: list[Points], shape: tuple[int, ...]) -> None:
    """Compute points of one shape tile by tile. Does nothing if there are Python numbers or refusals."""
    order = waiting(wanted)
    for one in order:
        if one.shape != shape:
            one.raw  # noqa: B018 # a smaller array that all tiles read
    plan = _Plan([one for one in order if one.shape == shape], wanted, shape)
    with np.errstate(all="ignore"):
        made = plan.run() if plan.possible else None
    for one, array in zip(wanted, made or (), strict=bool(made)):
        one.hold(array)


class _Step(NamedTuple):
    """One operation of a plan."""

    function: Callable[..., Any]
    reads: tuple[int, ...]  # places of the operands
    writes: int  # place of the result
    over: int | None  # place of an array that the result may overwrite
    drops: tuple[int, ...]  # places that no later operation reads


class _Plan:
    """Operations in order on numbered places, which hold constants, slices of arrays and results."""

    def __init__(self, order: list[Points], wanted: list[Points], shape: tuple[int, ...]) -> None:
        self.wanted, self.shape = wanted, shape
        self.axis = next(at for at, size in enumerate(shape) if size > 1) - len(shape)
        self.places: dict[int, int] = {}
        self.values, self.sliced = list[Any](), list[int]()
        self.possible = all(one.kind in _DTYPES for one in wanted)
        reads = [tuple(map(self._place, one.args)) for one in order]
        self.results = [self._place(one) for one in wanted]
        self.steps = [*self._steps(order, reads)]

    def _place(self, value: Number) -> int:
        """The place of an operand. Arrays of Python numbers make the plan impossible."""
        place = self.places.setdefault(id(value), len(self.values))
        if place == len(self.values):
            array = value.held if type(value) is Points else None
            self.values.append(value if type(value) is not Points else array)
            if array is not None:
                self.possible &= array.dtype != object
                if array.ndim >= -self.axis and array.shape[self.axis] == self.shape[self.axis]:
                    self.sliced.append(place)
        return place

    def _steps(self, order: list[Points], reads: list[tuple[int, ...]]) -> Iterator[_Step]:
        """The steps of points. An array that NumPy makes and only NumPy reads has no views: it may be overwritten."""
        last = {place: number for number, places in enumerate(reads) for place in places}
        alone = [_of_numpy(one) for one in order]
        viewed = {place for places, function in zip(reads, alone, strict=True) if not function for place in places}
        kinds: dict[int, type] = {}
        for number, (one, places, function) in enumerate(zip(order, reads, alone, strict=True)):
            ends = {place for place in places if last[place] == number and self.values[place] is None}
            drops, writes = tuple(ends.difference(self.results)), self._place(one)
            free = [place for place in drops if kinds.get(place) is one.kind and isinstance(function, np.ufunc)]
            if function and writes not in viewed:
                kinds[writes] = one.kind
            yield _Step(function or one.function, places, writes, free[0] if free else None, drops)

    def run(self) -> list[np.ndarray] | None:
        """The arrays of the wanted points; None if a result has Python numbers or refusals."""
        made = [np.empty(self.shape, _DTYPES[one.kind]) for one in self.wanted]
        size, after = self._size(), [slice(None)] * (-self.axis - 1)
        for start in range(0, self.shape[self.axis], size):
            at: Any = (..., slice(start, start + size), *after)
            values = [*self.values]
            for place in self.sliced:
                values[place] = values[place][at]
            if not self._fill(values):
                return None
            for array, place in zip(made, self.results, strict=True):
                array[at] = values[place]
        return made

    def _size(self) -> int:
        """The slices of a tile: fewer if many arrays are alive at once."""
        alive = most = 0
        for step in self.steps:
            alive += 1
            most = max(most, alive)
            alive -= len(step.drops)
        slices = math.prod(self.shape) // self.shape[self.axis]
        return max(min(TILE, ROOM // max(most, 1)) // slices, 1)

    def _fill(self, values: list[Any]) -> bool:
        """Run all steps. False if a result is not of 64 bits."""
        for function, reads, writes, over, drops in self.steps:
            operands = [values[place] for place in reads]
            result = function(*operands) if over is None else function(*operands, out=values[over])
            if result.dtype == object:
                return False
            for place in drops:
                values[place] = None
            values[writes] = result
        return True


def _of_numpy(one: Points) -> Callable[..., Any] | None:
    """The function of NumPy that computes points, if no check is needed."""
    return one.function.function if isinstance(one.function, Operation) and one.function.plain else None
