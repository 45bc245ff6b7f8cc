"""The common walk of all rewrites. It rebuilds the lists of steps of a model. Lists of blocks and included specs
are rebuilt once per kind of call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..model.expr import Expr
from ..model.network import Block, BlockCall, Call, Chosen, Group, Include, Model, Reference, Step, dynamic_of
from ..model.scope import SHAPE_NAMES
from ..model.storage import UNSTATED
from ..num.values import Shape
from ..ops import INDEX, find
from ..ops import passes as keeps
from ..records import NamedTuple

_GRID = frozenset(("height", "width", "depth", "length", "tokens"))  # changed by a stride in between


def spot(step: Step) -> tuple[str, int, int]:
    """Key of a step's position in its file: (path, line, column)."""
    return step.source.path, *step.place[:2]


def op_of(step: Step, facts: Facts) -> str | None:
    """Operation of a step, or None for blocks, groups, and steps that the walk resolves."""
    if type(step.body) is Call:
        return step.body.op
    return dict(facts.words).get(step.body.param) if type(step.body) is Chosen else None


def is_call(step: Step, *ops: str) -> bool:
    """Whether a step is a call of one of these operations."""
    return type(step.body) is Call and step.body.op in ops


def held(step: Step) -> Any:
    """Reason why a layer is not rewritten if its parameters are overridden, or None."""
    own = type(step.body) is Call and step.body.shares
    return "its parameters are given by `params` or `reuse`" if own else None


def passes(step: Step, facts: Facts) -> bool:
    """Whether a step is a plain norm, activation or dropout, which keeps the shape."""
    op = op_of(step, facts)
    return step.plain and op is not None and keeps(op)


def is_one(arg: int | Expr | tuple[int, ...]) -> bool:
    """Whether a kernel or stride is known to be 1 on every axis."""
    return all(item == 1 for item in arg) if type(arg) is tuple else type(arg) is int and arg == 1


def reads_grid(out: int | Expr, step: Step, facts: Facts) -> bool:
    """Whether a width depends on grid sizes that the stride of the step changes."""
    strided = not is_one(step.body.options.get("stride", 1))
    return strided and type(out) is Expr and bool(out.names & (_GRID - facts.params))


def bare(step: Step) -> Step:
    """Copy of a step without its controls, for the inside of a group that has them."""
    plain = step._replace(repeat=None, when=None, residual=None, times=None, label=None, origin=None, plain=True)
    return plain._replace(prob=None, trained=None, only=None, bits=UNSTATED)


def call(op: str, options: Mapping[str, Any], places: Mapping[str, Shape]) -> Call:
    """Create a call, with the positions of the options in the original layer."""
    known = {name: places[name] for name in options if name in places}
    return Call(op, options, known, dynamic_of(options))


def where(step: Step, condition: Callable[..., Any], text: str, names: str | frozenset[str]) -> Step:
    """Copy of a step with a condition on the names in scope."""
    return step._replace(when=Expr(text, frozenset(names), condition), plain=False)


def identity(block: Block | Include) -> tuple[int, int]:
    """Key of the list of a block or included spec: its first step and its length."""
    return id(block.steps[0]) if block.steps else 0, len(block.steps)


def within(steps: Any) -> Iterator[Step]:
    """Every step in the same scope of names, including nested ones."""
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
    """Every step, including those of blocks and included specs, once each."""
    lists, seen = [steps], set()
    while lists:
        for step in within(lists.pop()):
            yield step
            body = step.body
            inner = body.block if type(body) is BlockCall else body if type(body) is Include else None
            if inner is not None and identity(inner) not in seen:
                seen.add(identity(inner))
                lists.append(inner.steps)


class Rewritten(NamedTuple):
    """A rewritten model and its changes. Spots are positions of layers in the file, see `spot`."""

    model: Model
    changed: frozenset  # spots of layers that were changed
    left: Mapping[tuple, str]  # spots of candidates that were not changed -> reason
    home: Mapping[tuple, tuple]  # spot of a layer that was merged into another -> spot of the other


class Facts(NamedTuple):
    """Facts about the parameters of a block in one call, and about the position of the list."""

    words: tuple = ()  # (parameter, operation) if the parameter names one
    params: frozenset = frozenset()
    relative: frozenset = frozenset()  # parameters whose value depends on the input's shape
    thin: frozenset = frozenset()  # those that are relative because of a rewrite
    final: bool = False  # whether the network's output comes from this list


class Walk:
    """Rebuild a model from its innermost lists outwards. Rewrites are subclasses that override some hooks."""

    def __init__(self) -> None:
        self.lists: dict[Any, tuple] = {}  # rewritten lists of blocks and included specs, by identity and facts
        self.changed: set = set()
        self.left: dict = {}
        self.home: dict = {}

    def run(self, model: Model) -> Rewritten:
        """Rewrite the model."""
        steps = self.steps(model.steps, Facts(final=True))
        rewritten = model._replace(steps=steps, stored=None if self.changed else model.stored)
        return Rewritten(rewritten, frozenset(self.changed), self.left, self.home)

    # hooks

    def each(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """Replace one step, whose inner lists are already rewritten, with any number of steps."""
        return (step,)

    def joined(self, steps: list[Step], facts: Facts) -> list[Step]:
        """Replace a list whose steps are already rewritten."""
        return steps

    def arguments(self, block: Block, row: Mapping[str, Any], facts: Facts) -> Mapping[str, Any]:
        """Arguments of a call of a block."""
        return row

    # the walk

    def steps(self, steps: Any, facts: Facts) -> tuple[Step, ...]:
        """Rewrite a list of steps."""
        done: list = []
        for step, inner in self.placed(steps, facts):
            for one in self.inside(step, inner):
                done += self.each(one, inner)
        return tuple(self.joined(done, facts))

    def placed(self, steps: tuple[Step, ...], facts: Facts) -> list[tuple[Step, Facts]]:
        """Each step with the facts at its position. Only one step of a list can be the network's last."""
        last = self.last(steps) if facts.final else None
        return [(step, facts._replace(final=step is last)) for step in steps]

    def last(self, steps: tuple[Step, ...]) -> Step | None:
        """The step of a list that produces the network's output."""
        return steps[-1] if steps else None

    def inside(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """Rewrite the inner lists of a step. Returns several steps if the rows of a call need different blocks."""
        body, under = step.body, facts._replace(final=False)
        if step.then:
            step = step._replace(then=self.steps(step.then, under))
        if type(body) is Group:
            inner = facts if step.residual is None else under
            return (step._replace(body=Group(self.steps(body.steps, inner))),)
        if type(body) is BlockCall:
            return _as_steps(step, self.calls(body, facts if step.residual is None else under))
        if type(body) is Include:
            known = self.known(body, body.given, facts if step.residual is None else under)
            return (step._replace(body=self.block(body, known)),)
        if type(body) is Call:
            return (step._replace(body=self.branched(body, under)),)
        return (step,)

    def branched(self, call: Call, facts: Facts) -> Call:
        """Rewrite the branches of an operation."""
        branches = find(call.op).branches
        if not branches:
            return call
        options = {name: self.branch(arg, facts) if name in branches else arg for name, arg in call.options.items()}
        return call._replace(options=options)

    def branch(self, arg: Any, facts: Facts) -> Any:
        """Rewrite one branch (a tuple of steps, or the name of a layer) or several."""
        if type(arg) is not tuple or not arg:
            return arg
        if type(arg[0]) in (tuple, str, Reference):
            return tuple(self.branch(one, facts) for one in arg)
        return self.steps(arg, facts)

    def calls(self, body: BlockCall, facts: Facts) -> list[BlockCall]:
        """Calls of a block, split where rows need different blocks."""
        runs: list[BlockCall] = []
        for number, (label, row) in enumerate(body.rows):
            here = facts._replace(final=facts.final and number == len(body.rows) - 1)
            block = self.block(body.block, self.known(body.block, row, here))
            row = self.arguments(body.block, row, here)
            if runs and runs[-1].block.steps is block.steps:
                runs[-1] = runs[-1]._replace(rows=(*runs[-1].rows, (label, row)))
            else:
                runs.append(BlockCall(block, ((label, row),)))
        return runs

    def known(self, block: Block | Include, row: Mapping[str, Any], facts: Facts) -> Facts:
        """Facts about a block's parameters in one call."""
        params = frozenset(block.params)
        words: list[tuple[str, str]] = []
        relative: set[str] = set()
        inner = Facts(params=params)
        for param in block.params:
            given = param in row
            arg = row[param] if given else block.defaults.get(param)
            where = facts if given else inner._replace(relative=frozenset(relative))
            if is_relative(arg, where):
                relative.add(param)
            word = dict(where.words).get(arg.text) if type(arg) is Expr else arg
            if type(word) is str and word in INDEX:
                words.append((param, word))
        return Facts(tuple(words), params, frozenset(relative), frozenset(), facts.final)

    def block(self, block: Block | Include, facts: Facts) -> Any:
        """Rewrite a block or included spec, once per identity and facts."""
        key = identity(block), facts
        if key not in self.lists:
            self.lists[key] = self.steps(block.steps, facts)
        return block._replace(steps=self.lists[key])


def _as_steps(step: Step, runs: list[BlockCall]) -> tuple[Step, ...]:
    if len(runs) == 1:
        return (step._replace(body=runs[0]),)
    plain = step._replace(then=())
    if not step.plain:
        one = bare(step)._replace(then=())
        return (step._replace(body=Group(tuple(one._replace(body=run) for run in runs))),)
    return (*(plain._replace(body=run) for run in runs[:-1]), step._replace(body=runs[-1]))


def is_relative(arg: Any, facts: Facts) -> bool:
    """Whether an argument depends on the input's shape, for example on `channels` or on a relative parameter."""
    if type(arg) is tuple:
        return any(is_relative(item, facts) for item in arg)
    if type(arg) is not Expr:
        return False
    return bool(arg.names & facts.relative or arg.names & (SHAPE_NAMES - facts.params) or arg.layers)
