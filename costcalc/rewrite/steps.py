"""Properties of steps that rewrites need, and constructors of new steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..model.expr import Expr
from ..model.network import Block, BlockCall, Call, Chosen, Group, Include, Reference, Step, dynamic_of
from ..model.storage import UNSTATED
from ..ops import find
from ..ops import passes as keeps

if TYPE_CHECKING:
    from ..num.values import Shape
    from .walk import Facts


_GRID = frozenset(("height", "width", "depth", "length", "tokens"))  # what a stride in between changes


def spot(step: Step) -> tuple[str, int, int]:
    """The place of a step in its file, as a key: (path, line, column)."""
    return step.source.path, *step.place[:2]


def op_of(step: Step, facts: Facts) -> str | None:
    """The name of the operation of a step; None for blocks, groups, and steps resolved by the walk."""
    if type(step.body) is Call:
        return step.body.op
    return dict(facts.words).get(step.body.param) if type(step.body) is Chosen else None


def is_call(step: Step, *ops: str) -> bool:
    """Whether a step is a call of one of these operations."""
    return type(step.body) is Call and step.body.op in ops


def held(step: Step) -> Any:
    """Why a layer is not rewritten whose parameters are not those of its rule; None for one that has them."""
    own = type(step.body) is Call and step.body.shares
    return "its parameters are given by `params` or `reuse`" if own else None


def passes(step: Step, facts: Facts) -> bool:
    """Whether a step is a plain normalisation, activation or dropout, which keeps the shape."""
    op = op_of(step, facts)
    return step.plain and op is not None and keeps(op)


def is_one(arg: int | Expr | tuple[int, ...]) -> bool:
    """Whether a kernel or stride is surely 1 on every axis."""
    return all(item == 1 for item in arg) if type(arg) is tuple else type(arg) is int and arg == 1


def reads_grid(out: int | Expr, step: Step, facts: Facts) -> bool:
    """Whether a width is computed from grid sizes that the stride of the step changes."""
    strided = not is_one(step.body.options.get("stride", 1))
    return strided and type(out) is Expr and bool(out.names & (_GRID - facts.params))


def bare(step: Step) -> Step:
    """The step without its controls, for the inside of a group that has them."""
    plain = step._replace(repeat=None, when=None, residual=None, times=None, label=None, origin=None, plain=True)
    return plain._replace(prob=None, trained=None, only=None, bits=UNSTATED)


def call(op: str, options: Mapping[str, Any], places: Mapping[str, Shape]) -> Call:
    """A call; the places are taken from those of the layer that it is made of."""
    known = {name: places[name] for name in options if name in places}
    return Call(op, options, known, dynamic_of(options))


def where(step: Step, condition: Callable[..., Any], text: str, names: str | frozenset[str]) -> Step:
    """The step under a condition on the names in scope."""
    return step._replace(when=Expr(text, frozenset(names), condition), plain=False)


def identity(block: Block | Include) -> tuple[int, int]:
    """What tells the list of a block, or of layers of another spec, from others: its first step and its length."""
    return id(block.steps[0]) if block.steps else 0, len(block.steps)


def within(steps: Any) -> Iterator[Step]:
    """Every step that sees the same names, those inside others included."""
    for step in steps:
        yield step
        yield from within(step.then)
        if type(step.body) is Group:
            yield from within(step.body.steps)
        elif type(step.body) is Call:
            for name in find(step.body.op).branches:
                yield from _within_branch(step.body.options.get(name, ()))


def _within_branch(arg: Any) -> Iterator[Step]:
    if type(arg) is not tuple or not arg:
        return
    if type(arg[0]) in (tuple, str, Reference):
        for one in arg:
            yield from _within_branch(one)
    else:
        yield from within(arg)


def everywhere(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step, those of blocks and other specs too, each once."""
    lists, seen = [steps], set()
    while lists:
        for step in within(lists.pop()):
            yield step
            body = step.body
            inner = body.block if type(body) is BlockCall else body if type(body) is Include else None
            if inner is not None and identity(inner) not in seen:
                seen.add(identity(inner))
                lists.append(inner.steps)
