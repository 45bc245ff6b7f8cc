"""Where layers run: the names of levels, of tensors, and of sizes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Place, Problem, SpecError, listed, nearest
from .network import Step

if TYPE_CHECKING:
    from ..num.values import Number, Shape


MOST_NAMES = 1_000  # looked at for a name that may have been meant
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

    __slots__ = ("below", "shape", "source")

    def __init__(self) -> None:
        self.below: dict[str, list[Part]] | None = None
        self.shape: Any = None
        self.source: Source = None

    def add(self, base: str) -> tuple[Part, int]:
        """A new level below, and how many of that base name there are with it."""
        if self.below is None:
            self.below = {}
        level = self.below.setdefault(base, [])
        level.append(Part())
        return level[-1], len(level)

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
    def path(self) -> list[str]:
        """The names of all levels, outermost first."""
        levels = []
        frame: Any = self
        while frame.parent is not None:
            levels.append(_numbered(frame.base, frame.index, len(frame.parent.part.below[frame.base])))
            frame = frame.parent
        return levels[::-1]


def _numbered(base: str, index: int, count: int) -> str:
    return f"{base}_{index}".lstrip("_") if count > 1 or not base else base


class Named(NamedTuple):
    """A tensor by name, and the step and rows that made it (none for an input)."""

    tensor: Tensor
    step: Any  # the Step, and its Scope; None for an input
    scope: Any
    rows: tuple  # first and last row, as a range


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


def look_up(name: str, step: Step, scope: Scope) -> Named:
    """The tensor of that name, in this scope or one around it.

    `body/conv_2` is a layer inside the one that is named `body`, by the names of the report.
    """
    looking: Any = scope
    known: list[str] = []
    head = name.partition("/")[0]
    while looking is not None:
        if name in looking.named:
            return looking.named[name]
        if head != name and (head in looking.named or head.rpartition("_")[0] in looking.named):
            return _inside(name, step, looking.frame.part)
        known += looking.named
        looking = looking.parent
    raise _unknown(name, step, nearest(name, known) or (f"named so far: {listed(known[:20])}" if known else None))


def reusable(name: str, step: Step, scope: Scope) -> Named:
    """The layer of that name, to run it again."""
    named = look_up(name, step, scope)
    if named.step is None:
        why = (
            "is inside another layer: only that one can be used"
            if "/" in name
            else "is an input and has no weights to use"
        )
        raise SpecError(Problem("bad-reuse", f"`{name}` {why} again", Place(step.source, *step.place)))
    return named


def _inside(path: str, step: Step, part: Any) -> Named:
    """The tensor that a path of names leads to; it has no weights of its own to use again."""
    for name in path.split("/"):
        known, part = part, part.find(name)
        if part is None or part.shape is None:
            names = list(islice(known.names(), MOST_NAMES))
            raise _unknown(path, step, nearest(name, names) or f"known there: {listed(names[:20])}")
    return Named(Tensor(part.shape, part.source), None, None, ())


def _unknown(name: str, step: Step, help: str | None) -> SpecError:
    message = f"no layer before this one is called `{name}`"
    return SpecError(Problem("unknown-layer", message, Place(step.source, *step.place), help))
