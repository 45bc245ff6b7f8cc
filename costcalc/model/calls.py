"""Calls of blocks and of other specs: what they are given, and how an error tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import OptionError, Problem, Refused, SpecError
from .binding import SHOWN, error_at, here, place_in, place_of, refused, shown, valued
from .network import Block, Include, Step
from .scope import Named, Scope, look_up, shape_names
from .variables import require_possible, settle

if TYPE_CHECKING:
    from ..num.values import Shape


def passed(step: Step, body: Include, x: Shape, scope: Scope) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an include gives to its spec, and the values of all variables that the spec then has."""
    env, given = {**shape_names(x), **scope.env}, {}
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


def arguments(
    step: Step, block: Block, row: Mapping[str, Any], x: Shape, scope: Scope
) -> tuple[dict[str, Any], dict[str, Named]]:
    """(values of a block's parameters in one call and of the variables, tensors by the parameters that name layers)."""
    env, outer = dict(scope.values), {**shape_names(x), **scope.env}
    for param in block.params:
        arg = row[param] if param in row else block.defaults[param]
        inner = outer if param in row else {**shape_names(x), **env}
        env[param] = arg if param in block.tensors else valued(arg, inner, place_in(step, arg))
    return env, {param: look_up(row[param], step, scope) for param in block.tensors}


def explained(error: SpecError, calls: list[tuple[Step, Any, dict[str, Any]]]) -> SpecError:
    """The error, with the calls that led to it."""
    told = SpecError(*(_told(problem, calls) for problem in error.problems))
    told.failing = error.failing
    return told


def _told(problem: Problem, calls: list[tuple[Step, Any, dict[str, Any]]]) -> Problem:
    """What is wrong inside a block that comes with costcalc is shown where the spec calls it."""
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
    """A call as it could be written: `separable(c=64, s=1)`."""
    return f"{name}({', '.join(f'{param}={shown(values[param])}' for param in params)})"
