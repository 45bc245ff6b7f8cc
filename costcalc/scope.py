"""Where layers run: the names of levels, of tensors, and of sizes."""

from typing import Any, NamedTuple

from .errors import Place, Problem, SpecError, listed, nearest
from .model import Step

_AXES = {
    1: ("channels",),
    2: ("length", "channels"),
    3: ("height", "width", "channels"),
    4: ("depth", "height", "width", "channels"),
}
SHAPE_NAMES = frozenset(("features", "tokens", *(name for names in _AXES.values() for name in names)))


class Frame:
    """A level of the names of layers: `separable_2` in `separable_2/conv`.

    A number is added only where a name stands several times in its level, which is known once the walk
    is over; so names are made when they are read. `call` is the block whose level it is, and the arguments it got.
    """

    __slots__ = ("base", "call", "counts", "index", "parent")

    def __init__(self, parent, base, call=None):
        self.parent, self.base, self.counts, self.call = parent, base, {}, call
        self.index = 0
        if parent is not None:
            self.index = parent.counts[base] = parent.counts.get(base, 0) + 1

    @property
    def path(self):
        """The names of all levels, outermost first."""
        levels, frame = [], self
        while frame.parent is not None:
            many = frame.parent.counts[frame.base] > 1
            levels.append(f"{frame.base}_{frame.index}".lstrip("_") if many or not frame.base else frame.base)
            frame = frame.parent
        return levels[::-1]


class Named(NamedTuple):
    """A tensor by name: its shape, and the step and rows that made it (none for an input)."""

    shape: tuple
    step: Step | None
    scope: Any
    rows: tuple  # first and last row, as a range


class Scope:
    """Where a list of layers runs: names with values, the level of names, and tensors by name."""

    __slots__ = ("env", "frame", "named", "parent")

    def __init__(self, env, frame, parent=None):
        self.env, self.frame, self.named, self.parent = env, frame, {}, parent


def shape_names(shape):
    """What an expression sees of the tensor that flows in: `channels`, `height`, ..."""
    names = dict(zip(_AXES.get(len(shape), ()), shape, strict=False))
    if shape:
        names["channels"] = names["features"] = shape[-1]
    if len(shape) == 2:
        names["tokens"] = shape[0]
    return names


def look_up(name, step, scope):
    """The tensor of that name, in this scope or one around it."""
    looking, known = scope, []
    while looking is not None:
        if name in looking.named:
            return looking.named[name]
        known += looking.named
        looking = looking.parent
    help = nearest(name, known) or (f"named so far: {listed(known[:20])}" if known else None)
    message = f"no layer before this one is called `{name}`"
    raise SpecError(Problem("unknown-layer", message, Place(step.source, *step.place), help))
