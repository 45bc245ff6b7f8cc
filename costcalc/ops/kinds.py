"""The kinds of options: how each is written, and which values it accepts.

A rule names them in its signature (`def conv(x, kernel: Kernel, *, out: Size, ...)`). For type checkers they are all
`Any` (kinds.pyi), because rules accept numbers, arrays and symbols.
"""

from collections.abc import Callable
from typing import Any

from .. import num
from ..errors import Refused
from ..num.values import Number
from ..records import NamedTuple


class Kind(NamedTuple):
    """A kind of option: its name, its written form, its description, and its check."""

    name: str
    form: str
    doc: str
    bind: object
    words: tuple = ()


def _at_least(low: int) -> Callable[..., Any]:
    def bind(value: Any) -> Number:
        value = num.whole(value)
        if type(value) is not int or value < low:
            num.require(value >= low, f"must be at least {low}, got {{}}", value)
        return value

    return bind


def _each(bind: Callable[..., Any]) -> Callable[..., Any]:
    def bind_all(value: Any) -> Any:
        return tuple(bind(item) for item in value) if type(value) is tuple else bind(value)

    return bind_all


def _axes(value: Any) -> tuple[Number, ...]:
    if type(value) is not tuple:
        raise Refused("a kernel of a sparse grid names all axes: 3x3x3")
    return _sides(value)


def _sides(value: Any) -> tuple[Number, ...]:
    sizes = value if type(value) is tuple else (value, value)
    if not sizes:
        raise Refused("must have at least one axis")
    return tuple(map(_at_least(1), sizes))


def _word_or(words: tuple[str, ...], bind: Callable[..., Any]) -> Callable[..., Any]:
    def choose(value: Any) -> Any:
        if type(value) is not str:
            return bind(value)
        if value not in words:
            raise Refused(f"must be {_alternatives(words)}, got `{value}`")
        return value

    return choose


def _alternatives(words: tuple[str, ...]) -> str:
    return " or ".join(f"`{word}`" for word in words)


def _positive(value: Number) -> Number:
    num.require(value > 0, "must be more than 0, got {}", value)
    return value


def _share(value: Number) -> Number:
    num.require(num.both(value >= 0, value <= 1), "must be from 0 to 1, got {}", value)
    return value


def _truth(value: Any) -> bool:
    if type(value) is str:
        raise Refused(f"must be true or false, got `{value}`")
    return value if type(value) is bool else num.domain(value).decide(value)


def _place(value: Number) -> int:
    """An axis number; must be the same at all points."""
    value = num.whole(value)
    num.require(value >= 0, "must be at least 0, got {}", value)
    return num.domain(value).single(value)


def _as_is(value: str) -> str:
    return value


def _methods(*words: str) -> Kind:
    return Kind("method", "word", _alternatives(words), _word_or(words, _as_is), words)


_SAME = ("same", "valid")
_AXES = ("channels", "features", "height", "width", "depth", "length", "tokens")

Size = Kind("size", "number", "a whole number, 1 or more", _at_least(1))
Width = Kind("width", "number", "a whole number, 1 or more", _at_least(1))
Count = Kind("count", "number", "a whole number, 0 or more", _at_least(0))
Amount = Kind(
    "amount", "number", "a whole number, 0 or more, or `unknown`", _word_or(("unknown",), _at_least(0)), ("unknown",)
)
Steps = Kind("steps", "kernel", "a number for every axis, or one per axis: `2x1`", _each(_at_least(1)))
PerAxis = Kind("per_axis", "kernel", "a number for every axis, or one per axis: `0x1`", _each(_at_least(0)))
Scale = Kind("scale", "kernel", "a factor for every axis, or one per axis", _each(_positive))
Rate = Kind("rate", "number", "a number from 0 to 1", _share)
Rates = Kind("rates", "numbers", "a list of numbers from 0 to 1, one for each branch", _each(_share))
Kernel = Kind("kernel", "kernel", "`3x3`, `1x7`, a number (square), or a list", _each(_at_least(1)))
Axes = Kind("axes", "kernel", "a size per axis: `3x3x3`", _axes)
Sides = Kind("sides", "kernel", "a size per axis: `4x4`, or one number for a square", _sides)
Window = Kind("window", "kernel", "a kernel, or `global`", _word_or(("global",), _each(_at_least(1))), ("global",))
Padding = Kind(
    "padding",
    "padding",
    "`same`, `valid`, a number, one per axis (`0x1`), or [before, after] per axis",
    _word_or(_SAME, _each(_each(_at_least(0)))),
    _SAME,
)
Flag = Kind("flag", "number", "true or false", _truth)
Flags = Kind("flags", "kernel", "true or false, or one for each of several", _each(_truth))
Shape = Kind("shape", "shape", "a list of sizes", _each(_at_least(1)))
Order = Kind("order", "shape", "a list of axis numbers, from 0", _each(_place))
Axis = Kind("axis", "word", "an axis by name, or by number from 0", _word_or(_AXES, _place), _AXES)
Interpolation = _methods("nearest", "bilinear")
Alignment = _methods("last", "first")
Reduction = _methods("mean", "sum", "max")

Numbers = _methods("weight", "bias", "gamma", "beta", "slope", "running")  # kinds of parameters
Equation = Kind("equation", "text", "an equation such as `bij,bjk->bik`", _as_is)
Label = Kind("label", "text", "a short description", _as_is)
Branch = Kind("branch", "branch", "a list of layers, or the name of a layer", _as_is)
Branches = Kind("branches", "branches", "a list of branches; `[]` is the input itself", _as_is)
