"""Evaluate arguments, and turn refusals into errors with their place in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import limits, num
from ..errors import Place, Problem, Refused, SpecError, brief
from .expr import Expr
from .network import Arg, Call, Step, evaluate
from .references import seen
from .scope import Scope

if TYPE_CHECKING:
    from ..num.values import Number, Shape
    from ..ops.base import Layer, Op, Option
    from ..ops.kinds import Kind


_HELP = {  # part of a refusal message -> help
    "do not split into": "use a number that divides them evenly",
    "spatial axes": "give one value for each axis of the grid; shapes are per sample, without a batch",
    "larger than its input": "write `padding: same`, or a smaller kernel",
}
_PLAIN = (int, float, bool, str, tuple)
SHOWN = 6  # calls or values of names in the notes of one error


def place_of(step: Step) -> Place:
    """The place of a step in its file."""
    return Place(step.source, *step.place)


def place_in(step: Step, arg: Arg) -> Place:
    """The place of an argument of a step; the place of the step if unknown."""
    return Place(step.source, *((arg.at if type(arg) is Expr else None) or step.place))


def error_at(
    code: str, message: str, place: Place | None, help: str | None = None, notes: tuple[str, ...] = ()
) -> SpecError:
    """A SpecError with one problem."""
    return SpecError(Problem(code, message, place, help, notes))


def at(step: Step, code: str, message: str, help: str | None = None) -> SpecError:
    """A SpecError with one problem at the place of a step."""
    return error_at(code, message, place_of(step), help)


def refused(code: str, message: str, place: Place | None, refusal: Refused, notes: tuple[str, ...] = ()) -> SpecError:
    """Convert a refusal to a SpecError; keeps the failing points of a sweep."""
    error = error_at(code, message, place, refusal.help, notes)
    error.failing = refusal.failing
    return error


def shown(value: Any) -> str:
    """Format a value for a message."""
    text = str(value).lower() if type(value) is bool else str(value)
    return brief(text, 20) if type(value) in _PLAIN else ".."


def here(arg: Arg, env: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of the names that an argument (or a tuple of them) reads, as a note."""
    read = (item.names for item in (arg if type(arg) is tuple else (arg,)) if type(item) is Expr)
    names = sorted(set().union(*read))[:SHOWN]
    values = [f"{name} = {shown(env[name])}" for name in names if type(env.get(name)) in _PLAIN]
    return (f"here {', '.join(values)}",) if values else ()


def valued(arg: Arg, env: Mapping[str, Any], place: Place) -> Any:
    """Evaluate an argument in an environment. Raises SpecError."""
    try:
        return evaluate(arg, env)
    except KeyError as error:
        name, help = error.args[0], "it names an axis that the input here does not have"
        raise error_at("unknown-variable", f"`{name}` has no value here", place.narrowed(name), help) from None
    except Refused as error:
        raise refused("bad-value", error.message, place, error, here(arg, env)) from None
    except (ArithmeticError, ValueError, TypeError) as error:
        reason = "a word or a kernel is not a number" if isinstance(error, TypeError) else str(error)
        text = f"`{brief(arg.text)}`" if type(arg) is Expr else "this"
        raise error_at("bad-expression", f"{text} has no value: {reason}", place, None, here(arg, env)) from None


def bound(step: Step, call: Call, op: Op, x: Shape, scope: Scope, noted: Callable[..., Any]) -> Mapping[str, Any]:
    """Evaluate the options of a call for its rule.

    If a valid size can replace an invalid one, the error goes to `noted` and the trace continues.
    """
    if not call.dynamic:
        return call.options
    env = seen(x, step, scope)
    options = {**call.options}
    for name in call.dynamic:
        if name not in op.branches:
            options[name] = _bound_one(step, call, op.options[name], options[name], env, noted)
    return options


def _bound_one(
    step: Step, call: Call, option: Option, arg: Arg, env: Mapping[str, Any], noted: Callable[..., Any]
) -> Any:
    place = Place(step.source, *call.places.get(option.name, step.place))
    value = valued(arg, env, place)
    try:
        if is_mixed_up(value, option.kind):
            raise TypeError
        return option.kind.bind(value)
    except Refused as error:
        problem = refused("bad-value", f"`{option.name}`: {error.message}", place, error, here(arg, env))
        instead = _stand_in(option.kind, value)
        if instead is None:
            raise problem from None
        noted(problem)
        return instead
    except TypeError:
        message, help = f"`{option.name}` cannot be `{shown(value)}`", f"it is {option.kind.doc}"
        raise error_at("bad-value", message, place, help, here(arg, env)) from None


def is_mixed_up(value: Any, kind: Kind) -> bool:
    """Whether a bool is given for a number, or a number other than 0 and 1 for a bool."""
    if kind.name in ("flag", "flags"):
        items = value if type(value) is tuple else (value,)
        return any(type(item) in (int, float) and item not in (0, 1) for item in items)
    return type(value) is bool


def _stand_in(kind: Kind, value: Any) -> int | None:
    """A valid size near an invalid one; None if there is none."""
    if type(value) not in (int, float) or not abs(value) < limits.SIZE:
        return None
    try:
        return kind.bind(max(int(value), 1))
    except (Refused, TypeError):
        return None


def applied(step: Step, op: Op, x: Shape, options: Mapping[str, Any]) -> Layer:
    """Apply an operation's rule to an input and options. Raises SpecError."""
    try:
        layer = op.rule(x, **options) if op.takes_input else op.rule(**options)
        for size in layer.shape:
            if type(size) is int and size > limits.SIZE:
                raise Refused(f"an output of {size:,} is too large: the limit is {limits.SIZE:,}")
        if len(layer.shape) > limits.RANK:
            raise Refused(f"an output of {len(layer.shape)} axes has too many: the limit is {limits.RANK}")
        return layer
    except Refused as error:
        places: Mapping[Any, Any] = step.body.places if type(step.body) is Call else {}
        place = Place(step.source, *places.get(error.option, step.place))
        apart = "do not match" in error.message
        code = "shape-mismatch" if apart else "cannot-be"
        rest = error.message.removeprefix(op.name)
        named = rest != error.message and rest[:1] in (" ", ":")
        message = f"`{op.name}`{rest}" if named else f"`{op.name}`: {error.message}"
        error.help = error.help or (_way(op, options) if apart else _usual(error.message))
        raise refused(code, message, place, error, _flowing(op, x)) from None


def refuse_empty(step: Step, op: Op, x: Shape, options: Mapping[str, Any]) -> None:
    """Refuse an input with an axis of size 0, for an operation that needs at least 1. Raises SpecError."""
    shapes: list[Any] = [x] if op.takes_input and not op.branches else []
    for name in op.branches:
        given = options.get(name)
        shapes += [given] if op.options[name].kind.form == "branch" else given or ()
    try:
        for size in (size for shape in shapes for size in shape or ()):
            num.require(size >= 1, f"`{op.name}` needs an input of at least 1 on every axis, got {{}}", size)
    except Refused as error:
        raise refused("cannot-be", error.message, place_of(step), error, _flowing(op, x)) from None


def _usual(message: str) -> str | None:
    return next((help for part, help in _HELP.items() if part in message), None)


def _way(op: Op, options: Mapping[str, Any]) -> str:
    """Help on how to bring the branches of an operation to one shape."""
    from ..ops.layout import axis_number
    from .matching import way

    shapes = options[op.branches[0]]
    return way(shapes, axis_number(shapes[0], options.get("axis", "channels")) if "axis" in op.options else None)


def _flowing(op: Op, x: Shape) -> tuple[str, ...]:
    """The input shape of an operation, as a note."""
    plain = op.takes_input and not op.branches and all(type(size) is int for size in x)
    return (f"the input here is {list(x)}",) if plain else ()


def _control(step: Step, arg: Arg, x: Shape, scope: Scope) -> Any:
    return valued(arg, seen(x, step, scope), place_in(step, arg))


def decided(step: Step, name: str, arg: Arg, x: Shape, scope: Scope) -> bool:
    """Evaluate a condition to a bool."""
    value = _control(step, arg, x, scope)
    if type(value) in (str, tuple) or (type(value) in (int, float) and value not in (0, 1)):
        help = "it is a condition, such as `true`, `i > 0` or `stride == 1`"
        raise error_at("bad-value", f"`{name}` cannot be `{shown(value)}`", place_in(step, arg), help)
    return value if type(value) is bool else num.domain(value).decide(value)


def likely(step: Step, arg: Arg, x: Shape, scope: Scope) -> Number:
    """Evaluate a probability, from 0 to 1."""
    value = _control(step, arg, x, scope)
    try:
        if type(value) is bool:
            raise TypeError
        num.require(num.both(value >= 0, value <= 1), "must be from 0 to 1, got {}", value)
        return value
    except Refused as error:
        raise refused("bad-value", f"`prob`: {error.message}", place_in(step, arg), error) from None
    except TypeError:
        help = "it is a probability, from 0 to 1"
        raise error_at("bad-value", f"`prob` cannot be `{shown(value)}`", place_in(step, arg), help) from None


def counted(step: Step, name: str, arg: Arg, x: Shape, scope: Scope) -> Number:
    """Evaluate a count, 0 or more."""
    value = _control(step, arg, x, scope)
    try:
        if type(value) is bool:
            raise TypeError
        value = num.whole(value)
        num.require(value >= 0, "must be at least 0, got {}", value)
        return value
    except Refused as error:
        raise refused("bad-value", f"`{name}`: {error.message}", place_in(step, arg), error) from None
    except TypeError:
        help = "it is a whole number, 0 or more"
        raise error_at("bad-value", f"`{name}` cannot be `{shown(value)}`", place_in(step, arg), help) from None
