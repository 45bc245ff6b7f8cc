"""The variables of a spec: defaults, given values and their checks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from .. import limits
from ..errors import OptionError, Problem, Refused, SpecError, brief, listed, nearest
from ..num import either, equal, require
from .network import Model, Variable, evaluate, names_of

_PLAIN = (int, float, bool, str)
TYPICAL = 224  # for a variable without a default: the most common image size


def settle(model: Model, given: Any) -> dict[str, Any]:
    """The value of every variable: given values, and defaults for the rest.

    Numbers are checked; arrays and symbols are not (a sweep checks its own points). Raises OptionError for an
    undeclared variable or an invalid value.
    """
    for name in given:
        if name not in model.variables:
            raise unknown_variable(name, model)
    given = _spread(model, given)
    _refuse_open(model, given)
    values = {}
    for name, variable in model.variables.items():
        if name in given:
            values[name] = checked(variable, given[name])
        else:
            values[name] = _default(variable, values)
    return values


def _spread(model: Model, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The given values, with a value for a variable with positions applied to each position not given separately."""
    whole = [name for name in given if model.variables[name].each]
    if not whole:
        return given
    spread: dict[str, Any] = {}
    for name in whole:
        values = checked(model.variables[name], given[name])
        each = values if type(values) is tuple else (values,) * model.variables[name].each
        spread |= {position(name, at): value for at, value in enumerate(each)}
    return {**spread, **{name: value for name, value in given.items() if name not in whole}}


def position(name: str, at: int) -> str:
    """The name of a variable's value at one position, counted from 0."""
    return f"{name}[{at}]"


def settings_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that identify a setting: without tables, which are never set, and positions only as their list."""
    return {name: value for name, value in values.items() if type(value) is not dict and not name.endswith("]")}


def typical(model: Model, given: Iterable[Any] = ()) -> dict[str, Any]:
    """A plausible value of every variable: as `settle`, with a common value for variables without a default."""
    open_ones = {name: TYPICAL for name, variable in model.variables.items() if variable.default is None}
    return settle(model, {**open_ones, **dict(given)})


def fixed(model: Model, varied: set[str], given: Iterable[Any] = ()) -> dict[str, Any]:
    """The values of the variables that are neither varied nor depend on a varied one."""
    values, moving = typical(model, given), set(varied)
    for name, variable in model.variables.items():
        if name not in given and moving & names_of(variable.default):
            moving.add(name)
    return {name: value for name, value in values.items() if name not in moving}


def _refuse_open(model: Model, given: Mapping[str, Any]) -> None:
    """Require a value for every variable without a default."""
    missing = [name for name, variable in model.variables.items() if variable.default is None and name not in given]
    if missing:
        example = " ".join(f"--set {name}={TYPICAL}" for name in missing)
        help = f"set {'it' if len(missing) == 1 else 'them'}, as in {example}"
        message = f"{model.name} needs {'a value' if len(missing) == 1 else 'values'} for {listed(missing)}"
        raise OptionError(Problem("open-variable", message, help=help))


def unknown_variable(name: str, model: Model) -> OptionError:
    """The error for an undeclared variable."""
    known = sorted(model.variables)
    help = nearest(name, known) or (f"it declares {listed(known)}" if known else "it declares no variables")
    return OptionError(Problem("unknown-variable", f"{model.name} has no variable `{brief(name)}`", help=help))


def _default(variable: Variable, earlier: Mapping[str, Any]) -> Any:
    try:
        return evaluate(variable.default, earlier)
    except (ArithmeticError, ValueError, TypeError, Refused) as error:
        reason = "a word or a kernel is not a number" if isinstance(error, TypeError) else error
        message = f"the default of `{variable.name}` has no value: {reason}"
        raise SpecError(Problem("bad-value", message, variable.place)) from None


def checked(variable: Variable, value: Any) -> Any:
    """Check a value against the variable and return it. Raises OptionError."""
    if variable.each and type(value) is tuple:
        return _checked_each(variable, value)
    if type(variable.default) is dict and type(value) is not dict:
        raise _refusal(variable, value, "a table cannot be set: set the variable that indexes it")
    if variable.choices and _is_plain(value):
        if not any(value == choice and (type(value) is str) == (type(choice) is str) for choice in variable.choices):
            raise _refusal(variable, value, f"it is one of {listed(variable.choices)}")
        return value
    if type(value) is str or type(variable.default) is str:
        if type(value) is not type(variable.default):
            raise _refusal(variable, value, "it is a number" if type(value) is str else "it is a word")
        return value
    if _is_plain(value):
        _check_kind(variable, value)
        _check_number(variable, value)
    return value


def _checked_each(variable: Variable, values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(values) != variable.each:
        raise _refusal(variable, values, f"it has {variable.each:,} values, or one for all")
    single = variable._replace(default=variable.default[0], each=0)
    return tuple(checked(single, value) for value in values)


def require_possible(variable: Variable, value: Any) -> None:
    """Refuse a value that is invalid for the variable: arrays if invalid at any point, symbols if provably invalid.

    Raises OptionError or Refused.
    """
    checked(variable, value)
    if type(value) in (*_PLAIN, tuple):
        return
    message = f"`{variable.name}` cannot be {{}}"
    if variable.choices:
        require(reduce(either, [equal(value, choice) for choice in variable.choices]), message, value)
        return
    if variable.least is not None:
        require(value >= variable.least, message, value)
    elif _is_positive(variable.default):
        require(value > 0, message, value)
    if variable.most is not None:
        require(value <= variable.most, message, value)


def _is_plain(value: Any) -> bool:
    return type(value) in _PLAIN


def _check_kind(variable: Variable, value: Any) -> None:
    truth = type(variable.default) is bool
    if truth != (type(value) is bool) and _is_plain(variable.default):
        raise _refusal(variable, value, "it is true or false" if truth else "it is a number")


def _check_number(variable: Variable, value: Any) -> None:
    if abs(value) >= 10**limits.DIGITS and value not in (math.inf, -math.inf):
        raise _refusal(variable, value, f"a number has at most {limits.DIGITS} digits")
    if not math.isfinite(value):
        raise _refusal(variable, value, "it is a finite number")
    if variable.least is not None and value < variable.least:
        raise _refusal(variable, value, f"it is at least {variable.least}")
    if variable.most is not None and value > variable.most:
        raise _refusal(variable, value, f"it is at most {variable.most}")
    if variable.least is None and value <= 0 and type(value) is not bool and _is_positive(variable.default):
        raise _refusal(variable, value, "it must be more than 0, unless the spec gives it a `min`")


def can_be_none(variable: Variable) -> bool:
    """Whether a variable may be 0, according to its choices, else its minimum, else its default."""
    if variable.choices:
        return any(type(choice) in (int, float) and choice == 0 for choice in variable.choices)
    if variable.least is not None:
        return variable.least <= 0
    return type(variable.default) in (int, float) and variable.default <= 0


def _is_positive(default: float) -> bool:
    return type(default) not in (int, float) or default > 0


def _refusal(variable: Variable, value: Any, why: str) -> OptionError:
    if type(value) is int:
        shown = str(value) if value.bit_length() < 200 else "such a large number"
    else:
        shown = f"`{brief(value)}`" if type(value) is str else str(value).lower()
    return OptionError(Problem("bad-value", f"`{variable.name}` cannot be {shown}", help=why))
