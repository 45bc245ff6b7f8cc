"""Where layers run: the names of levels, of tensors, and of sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..records import NamedTuple
from .network import Step

if TYPE_CHECKING:
    from ..num.values import Number, Shape


_AXES = {
    1: ("channels",),
    2: ("length", "channels"),
    3: ("height", "width", "channels"),
    4: ("depth", "height", "width", "channels"),
}
SHAPE_NAMES = frozenset(("features", "tokens", *(name for names in _AXES.values() for name in names)))


Source = int | str | None  # the number of a row, the name of an input, None for a constant of a graph


class Tensor(NamedTuple):
    """What flows from layer to layer: its shape, and what makes it."""

    shape: tuple
    source: Source


class Part:
    """What stands at a level: the tensor that comes out of it, and the levels below by their base names.

    It knows no level above, so that a finished walk leaves no circles to collect.
    """

    __slots__ = ("below", "runs", "shape", "source")

    def __init__(self) -> None:
        self.below: dict[str, list[Part]] | None = None
        self.runs: dict[str, tuple[Run, ...]] | None = None  # of named layers that run several times
        self.shape: Any = None
        self.source: Source = None

    def add(self, base: str) -> tuple[Part, int]:
        """A new level below, and how many of that base name there are with it."""
        if self.below is None:
            self.below = {}
        level = self.below.setdefault(base, [])
        level.append(Part())
        return level[-1], len(level)

    def count(self, base: Any) -> int:
        """How many levels of a base name are below."""
        return len(self.below[base]) if self.below and base in self.below else 0

    def at(self, base: Any, number: int) -> Part | None:
        """The level of that number among those of a base name, or None."""
        return self.below[base][number] if self.below and self.count(base) > number else None

    def marks(self, base: str | None = None) -> dict[str, int]:
        """How many levels are below, of each base name or of one."""
        below = self.below or {}
        return {name: len(below.get(name, ())) for name in (below if base is None else (base,))}

    def since(self, marks: Mapping[str, int], every: bool = False) -> list[Part]:
        """The levels below that are new since then, of the base names that were marked or of every one."""
        below = self.below or {}
        return [part for base in (below if every else marks) for part in below.get(base, ())[marks.get(base, 0) :]]

    def part_of(self, marks: Mapping[str, int]) -> Part:
        """A level of those below that are new since then."""
        found = Part()
        found.below = {base: level[marks.get(base, 0) :] for base, level in (self.below or {}).items()}
        return found

    def note(self, base: Any, runs: list[Run]) -> None:
        """Note the runs of the layer of that base name."""
        self.runs = {} if self.runs is None else self.runs
        self.runs[base] = tuple(runs)

    def find(self, name: str) -> Part | None:
        """The level below of that name in the report, or None."""
        below: dict[Any, Any] = self.below or {}
        base, _, index = name.rpartition("_")
        if len(below.get(name, ())) == 1 and name:
            return below[name][0]
        level = below.get(base, ())
        many = len(level) > 1 or (level and not base)
        if many and index.isdigit() and index.isascii() and len(index) < 10 and 0 < int(index) <= len(level):
            return level[int(index) - 1]
        return None

    def names(self) -> Iterator[str]:
        """The names of the levels below."""
        for base, level in (self.below or {}).items():
            yield from (_numbered(base, at + 1, len(level)) for at in range(len(level)))


class Run(NamedTuple):
    """One run of a named layer: the tensor that comes out, and the level inside; None if it passes its input on."""

    tensor: Tensor
    part: Part | None


class Frame:
    """A level of the names of layers: `separable_2` in `separable_2/conv`.

    A number is added only where a name stands several times in its level, which is known once the walk
    is over; so names are made when they are read. `call` is the block whose level it is, and the arguments it got;
    `step` is the step that calls it.
    """

    __slots__ = ("base", "call", "index", "parent", "part", "step")

    def __init__(
        self,
        parent: Frame | None,
        base: str,
        call: Any = None,
        step: Step | None = None,
    ) -> None:
        self.parent, self.base, self.call, self.step = parent, base, call, step
        self.part: Any
        self.index: int
        self.part, self.index = (Part(), 0) if parent is None else parent.part.add(base)

    def closed(self, tensor: Tensor) -> Tensor:
        """Note the tensor that comes out of this level, and give it."""
        self.part.shape, self.part.source = tensor
        return tensor

    @property
    def path(self) -> tuple[str, ...]:
        """The names of all levels, outermost first."""
        return path_of(self, {})


def path_of(frame: Frame, known: dict[Frame, tuple[str, ...]]) -> tuple[str, ...]:
    """The names of all levels, outermost first; `known` keeps those of the levels above for other frames there."""
    parent = frame.parent
    if parent is None:
        return ()
    above = known.get(parent)
    if above is None:
        above = known[parent] = path_of(parent, known)
    return (*above, _numbered(frame.base, frame.index, len(parent.part.below[frame.base])))


def _numbered(base: str, index: int, count: int) -> str:
    return f"{base}_{index}".lstrip("_") if count > 1 or not base else base


class Named(NamedTuple):
    """A tensor by name, and the step and rows that made it (none for an input)."""

    tensor: Tensor
    step: Any  # the Step, and its Scope; None for an input
    scope: Any
    rows: tuple  # first and last row, as a range
    runs: tuple[Run, ...] = ()  # of a layer that can run several times


class Scope:
    """Where a list of layers runs: names with values, the level of names, and tensors by name."""

    __slots__ = ("env", "frame", "named", "parent", "values")

    def __init__(
        self,
        env: Any,
        frame: Any,
        parent: Any = None,
        values: Any = None,
        named: Any = (),
    ) -> None:
        self.env, self.frame, self.named, self.parent = env, frame, dict(named), parent
        self.values = parent.values if values is None else values  # of the variables of the spec it belongs to


def shape_names(shape: Shape) -> dict[str, Number]:
    """What an expression sees of the tensor that flows in: `channels`, `height`, ..."""
    names = dict(zip(_AXES.get(len(shape), ()), shape, strict=False))
    if shape:
        names["channels"] = names["features"] = shape[-1]
    if len(shape) == 2:
        names["tokens"] = shape[0]
    return names
