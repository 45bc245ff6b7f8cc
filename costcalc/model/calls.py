"""Calls of blocks and included specs: their arguments, and the notes on them in an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import OptionError, Problem, Refused, SpecError, listed, nearest
from .binding import SHOWN, at, error_at, here, place_in, place_of, refused, shown, valued
from .network import Block, Include, Step, is_dynamic
from .references import given as tensors_of
from .references import seen, text_of
from .scope import Named, Scope
from .variables import require_possible, settle

if TYPE_CHECKING:
    from ..num.values import Shape
    from .scope import Tensor


def passed(step: Step, body: Include, x: Shape, scope: Scope) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the values that an include passes, the values of all variables of the included spec)."""
    env, given = seen(x, step, scope), {}
    for name, arg in body.given.items():
        place = place_in(step, arg)
        given[name] = valued(arg, env, place)
        try:
            require_possible(body.model.variables[name], given[name])
        except Refused as error:
            raise refused("bad-value", error.message, place, error, here(arg, env)) from None
        except OptionError as error:
            problem = error.problems[0]
            raise error_at(problem.code, problem.message, place, problem.help, here(arg, env)) from None
    return given, settle(body.model, given)


def flowing(step: Step, body: Include, x: Tensor) -> dict[str, Named]:
    """The inputs of an included spec by name. The first is the current tensor unless `from` names it."""
    given = step.origin if type(step.origin) is dict else {}
    inputs = [*body.model.inputs]
    for name in given:
        if name not in inputs:
            help = nearest(name, inputs) or f"it has {listed(inputs)}"
            raise at(step, "bad-reference", f"`{body.name}` has no input `{name}`", help)
    tensors = {inputs[0]: Named(x, None, None, ()), **given}
    missing = [name for name in inputs if name not in tensors]
    if missing:
        help = f"write `from: {{{', '.join(f'{name}: NAME' for name in inputs)}}}`"
        raise at(step, "missing-input", f"`{body.name}` needs {listed(missing)}", help)
    return tensors


def arguments(
    step: Step, block: Block, row: Mapping[str, Any], x: Shape, scope: Scope
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values of the variables and of a block's parameters in one call, tensors by the parameters that name layers)."""
    env: dict[str, Any] = dict(scope.values)
    named = {param: tensors_of(row[param], step, scope) for param in block.tensors}
    outer = own = None
    for param in block.params:
        arg = row[param] if param in row else block.defaults[param]
        if param in named:
            env[param] = text_of(arg)
        elif not is_dynamic(arg):
            env[param] = arg
        elif param in row:
            outer = outer or seen(x, step, scope)
            env[param] = valued(arg, outer, place_in(step, arg))
        else:
            own = own or Scope(env, scope.frame, scope, None, named)
            env[param] = valued(arg, seen(x, step, own), place_in(step, arg))
    return env, named


def explained(error: SpecError, calls: list[tuple[Step, Any, dict[str, Any]]]) -> SpecError:
    """Add the calls that led to an error to its notes."""
    told = SpecError(*(_told(problem, calls) for problem in error.problems))
    told.failing = error.failing
    return told


def _told(problem: Problem, calls: list[tuple[Step, Any, dict[str, Any]]]) -> Problem:
    """Add the calls to one problem. A problem inside a built-in block is reported at the call in the spec."""
    notes = list(problem.notes)
    for step, body, env in calls[::-1][:SHOWN]:
        if type(body) is Include:
            notes.append(f"in `{_call(body.name, env, env)}`, included on line {step.place[0]} of {step.source.path}")
            continue
        block = body.block
        call = _call(block.name, block.params, env)
        if problem.place and problem.place.source is block.source is not step.source:
            line = f"line {problem.place.line} of {block.source.path}"
            notes.append(f"in `{call}`, {line}: {problem.place.excerpt().strip()}")
            problem = problem._replace(place=place_of(step))
        else:
            notes.append(f"in `{call}`, called on line {step.place[0]}")
    return problem._replace(notes=tuple(notes))


def _call(name: str, params: Iterable[str], values: Mapping[str, Any]) -> str:
    """A call for a message: `separable(c=64, s=1)`."""
    return f"{name}({', '.join(f'{param}={shown(values[param])}' for param in params)})"
