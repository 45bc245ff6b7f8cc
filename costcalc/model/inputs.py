"""The shapes of a model's inputs, and what is taken for one but is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import num
from ..errors import OptionError, Problem, Refused, SpecError
from .binding import error_at, here, refused, shown
from .expr import Expr
from .network import Input, Variable, evaluate

if TYPE_CHECKING:
    from ..num.values import Shape


def input_shape(name: str, one: Input, values: Mapping[str, Any], variables: Mapping[str, Variable]) -> Shape:
    """The shape of an input. OptionError for a size that is just a variable, whose default does not stand for it."""
    try:
        shape = tuple(num.whole(size) for size in evaluate(one.shape, values))
        for size in shape:
            num.require(size >= 1, "a size must be at least 1, got {}", size)
    except Refused as error:
        for item in one.shape:
            _refuse_given(name, item, values, variables)
        notes = here(one.shape, values)
        raise refused("bad-value", f"`{name}`: {error.message}", one.place, error, notes) from None
    except (ArithmeticError, TypeError) as error:
        reason = "a word is no size" if isinstance(error, TypeError) else str(error)
        raise error_at("bad-value", f"`{name}`: {reason}", one.place) from None
    if one.listed and is_mistakable(shape) and (_is_turned(shape) or one.shape[0] == 1):
        raise _other_order(shape, one)
    return shape


def is_mistakable(shape: Any) -> bool:
    """Whether a list of these sizes looks channels-first, or of a batch: an error where the axes are not named."""
    if not 3 <= len(shape) <= 4 or any(type(size) is not int for size in shape):
        return False
    *batch, first, high, wide = shape
    return _is_turned(shape) or (batch == [1] and wide <= 4 < min(first, high))


def _is_turned(shape: Shape) -> bool:
    first, high, wide = shape[-3:]
    return first <= 4 < min(high, wide) and wide > 16


def _refuse_given(name: str, item: Any, values: Any, variables: Mapping[str, Variable]) -> None:
    """Refuse a value that was given to a variable and is no size: the spec is as it should be."""
    variable: Any = variables.get(item.text) if type(item) is Expr else None
    value = values[item.text] if variable else 1
    if type(value) in (int, float) and (value < 1 or value % 1) and value != variable.default:
        help = f"it is a size of `{name}`: a whole number, 1 or more"
        raise OptionError(Problem("bad-value", f"`{variable.name}` cannot be {shown(value)}", help=help))


def _other_order(shape: Shape, one: Input) -> SpecError:
    """The error of a list with the channels first, a batch before it, or both: its axes would mean something else."""
    *batch, first, high, wide = shape
    turned, depth = _is_turned(shape), "depth: .., " if batch else ""
    meant = [high, wide, first] if turned else [first, high, wide]
    help = f"write {meant}, or name the axes: {{{depth}height: .., width: .., channels: ..}}"
    what = " and ".join(["channels-first"] * turned + ["of a batch"] * len(batch))
    due = ", ".join(["per sample"] * len(batch) + ["channels last"] * turned)
    message = f"is {'x'.join(map(str, shape))} {what}? Shapes are {due}"
    return error_at("channels-first" if turned else "batch", message, one.place, help)
