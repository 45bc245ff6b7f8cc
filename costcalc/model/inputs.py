"""The shapes of a model's inputs, and checks for shapes in another layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import num
from ..errors import OptionError, Problem, Refused, SpecError
from .binding import error_at, here, refused, shown
from .expr import Expr
from .network import Input, Variable, evaluate
from .variables import can_be_none

if TYPE_CHECKING:
    from ..num.values import Number, Shape


def input_shape(name: str, one: Input, values: Mapping[str, Any], variables: Mapping[str, Variable]) -> Shape:
    """The shape of an input. Raises SpecError, or OptionError if the user set the variable that is the invalid size."""
    try:
        shape = tuple(num.whole(size) for size in evaluate(one.shape, values))
        for size, item in zip(shape, one.shape, strict=True):
            _require_size(size, _none(item, values, variables))
    except Refused as error:
        for item in one.shape:
            _refuse_given(name, item, values, variables)
        notes = here(one.shape, values)
        raise refused("bad-value", f"`{name}`: {error.message}", one.place, error, notes) from None
    except (ArithmeticError, TypeError) as error:
        reason = "a word is not a size" if isinstance(error, TypeError) else str(error)
        raise error_at("bad-value", f"`{name}`: {reason}", one.place) from None
    if one.listed and is_mistakable(shape) and (_is_turned(shape) or one.shape[0] == 1):
        raise _other_order(shape, one)
    return shape


def _require_size(size: Number, none: list[Number]) -> None:
    """Refuse a size below 1. A size of 0 is allowed if one of the values `none` is 0: the input is then empty."""
    empty: Number = False
    for value in none:
        empty = num.either(empty, num.equal(value, 0))
    if none:
        num.require(
            num.either(size >= 1, num.both(num.equal(size, 0), empty)), "a size must be at least 0, got {}", size
        )
    else:
        num.require(size >= 1, "a size must be at least 1, got {}", size)


def _none(item: Any, values: Mapping[str, Any], variables: Mapping[str, Variable]) -> list[Number]:
    """The values of the variables that a size reads and that may be 0."""
    read = sorted(item.names & variables.keys()) if type(item) is Expr else ()
    return [values[name] for name in read if can_be_none(variables[name])]


def can_be_empty(inputs: Mapping[str, Input], variables: Mapping[str, Variable], values: Mapping[str, Any]) -> bool:
    """Whether an input can have a size of 0."""
    return any(_none(item, values, variables) for one in inputs.values() for item in one.shape)


def is_mistakable(shape: Any) -> bool:
    """Whether a shape looks channels-first or batched, which is an error unless the axes are named."""
    if not 3 <= len(shape) <= 4 or any(type(size) is not int for size in shape):
        return False
    *batch, first, high, wide = shape
    return _is_turned(shape) or (batch == [1] and wide <= 4 < min(first, high))


def _is_turned(shape: Shape) -> bool:
    first, high, wide = shape[-3:]
    return first <= 4 < min(high, wide) and wide > 16


def _refuse_given(name: str, item: Any, values: Any, variables: Mapping[str, Variable]) -> None:
    """Refuse a value given to a variable if it is not a valid size; the spec itself is valid."""
    variable: Any = variables.get(item.text) if type(item) is Expr else None
    value = values[item.text] if variable else 1
    least = 0 if variable and can_be_none(variable) else 1
    if type(value) in (int, float) and (value < least or value % 1) and value != variable.default:
        help = f"it is a size of `{name}`: a whole number, {least} or more"
        raise OptionError(Problem("bad-value", f"`{variable.name}` cannot be {shown(value)}", help=help))


def _other_order(shape: Shape, one: Input) -> SpecError:
    """The error for a shape that is channels-first, batched, or both."""
    *batch, first, high, wide = shape
    turned, depth = _is_turned(shape), "depth: .., " if batch else ""
    meant = [high, wide, first] if turned else [first, high, wide]
    help = f"write {meant}, or name the axes: {{{depth}height: .., width: .., channels: ..}}"
    what = " and ".join(["channels-first"] * turned + ["of a batch"] * len(batch))
    due = ", ".join(["per sample"] * len(batch) + ["channels last"] * turned)
    message = f"is {'x'.join(map(str, shape))} {what}? Shapes are {due}"
    return error_at("channels-first" if turned else "batch", message, one.place, help)
