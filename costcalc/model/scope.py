"""Scopes: the names of levels, tensors and sizes where layers run."""

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
    """A tensor between layers: its shape and its source."""

    shape: tuple
    source: Source


class Part:
    """A level of names: the shape and source of its output, and the levels below by base name.

    It has no reference to the level above, so a finished trace leaves no reference cycles.
    """

    __slots__ = ("below", "runs", "shape", "source")

    def __init__(self) -> None:
        self.below: dict[str, list[Part]] | None = None
        self.runs: dict[str, tuple[Run, ...]] | None = None  # runs of named layers
        self.shape: Any = None
        self.source: Source = None

    def add(self, base: str) -> tuple[Part, int]:
        """Add a level below; return it and the number of levels with that base name."""
        if self.below is None:
            self.below = {}
        level = self.below.setdefault(base, [])
        level.append(Part())
        return level[-1], len(level)

    def count(self, base: Any) -> int:
        """The number of levels below with a base name."""
        return len(self.below[base]) if self.below and base in self.below else 0

    def at(self, base: Any, number: int) -> Part | None:
        """The level with that index among those with a base name, or None."""
        return self.below[base][number] if self.below and self.count(base) > number else None

    def marks(self, base: str | None = None) -> dict[str, int]:
        """The number of levels below, for each base name or for one."""
        below = self.below or {}
        return {name: len(below.get(name, ())) for name in (below if base is None else (base,))}

    def since(self, marks: Mapping[str, int], every: bool = False) -> list[Part]:
        """The levels below added since `marks`, for the base names in it or for all."""
        below = self.below or {}
        return [part for base in (below if every else marks) for part in below.get(base, ())[marks.get(base, 0) :]]

    def part_of(self, marks: Mapping[str, int]) -> Part:
        """A new level that contains the levels below added since `marks`."""
        found = Part()
        found.below = {base: level[marks.get(base, 0) :] for base, level in (self.below or {}).items()}
        return found

    def note(self, base: Any, runs: list[Run]) -> None:
        """Record the runs of the layer with that base name."""
        self.runs = {} if self.runs is None else self.runs
        self.runs[base] = tuple(runs)

    def find(self, name: str) -> Part | None:
        """The level below with that name in the report, or None."""
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
    """One run of a named layer: its output, and its level, or None if it passes its input through."""

    tensor: Tensor
    part: Part | None


class Frame:
    """A level in the path of a layer: `separable_2` in `separable_2/conv`.

    A number is added only if the name occurs several times in its level. This is known only after the trace, so names
    are computed on access. `call` is the called block with its arguments; `step` is the calling step.
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
        """Record the output of this level, and return it."""
        self.part.shape, self.part.source = tensor
        return tensor

    @property
    def path(self) -> tuple[str, ...]:
        """The names of all levels, outermost first."""
        return path_of(self, {})


def path_of(frame: Frame, known: dict[Frame, tuple[str, ...]]) -> tuple[str, ...]:
    """The names of all levels, outermost first; `known` caches the paths of the levels above."""
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
    """A named tensor, with the step and rows that made it (none for an input)."""

    tensor: Tensor
    step: Any  # the Step, and its Scope; None for an input
    scope: Any
    rows: tuple  # range of rows: (first, last + 1)
    runs: tuple[Run, ...] = ()  # the runs of a layer


class Scope:
    """The scope of a list of layers: values by name, the level of names, and tensors by name."""

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
        self.values = parent.values if values is None else values  # values of the spec's variables


def shape_names(shape: Shape) -> dict[str, Number]:
    """The sizes of a shape by name, as expressions see them: `channels`, `height`, ..."""
    names = dict(zip(_AXES.get(len(shape), ()), shape, strict=False))
    if shape:
        names["channels"] = names["features"] = shape[-1]
    if len(shape) == 2:
        names["tokens"] = shape[0]
    return names
