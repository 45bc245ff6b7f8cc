"""Replace standard convolutions by depthwise separable ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..model.expr import Expr
from ..model.network import Block, Group, Include, Step, is_dynamic
from ..num import both, equal, negate
from .steps import bare, call, held, identity, is_call, is_one, passes, reads_grid, spot, where
from .walk import Facts, Walk

if TYPE_CHECKING:
    from ..num.values import Shape


_DEPTHWISE = ("kernel", "stride", "padding", "dilation", "bias")


class Separable(Walk):
    """Every dense KxK convolution with K > 1 becomes a depthwise KxK one and a 1x1 one.

    What follows it (norm, activation) follows both, as in MobileNets (arXiv:1704.04861), Figure 3. The first
    convolution only with `stem`: it is standard there, too.
    """

    def __init__(self, stem: bool = False) -> None:
        super().__init__()
        self.pending = not stem
        self.verb = "is"

    def each(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """Split a dense convolution in two."""
        if is_call(step, "conv_transpose"):
            self.left[spot(step)] = "it is transposed"
        if not is_call(step, "conv"):
            return (step,)
        stem = self.pending
        if stem:
            self._found(step)
        if is_one(step.body.options["kernel"]):
            return (step,)
        if not stem:
            return self._split(step, facts)
        self.left[spot(step)] = f"it {self.verb} the first convolution (--stem takes it too)"
        return (step,) if step.repeat is None else _first_run(step, self._split(step, facts)[0])

    def inside(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """Where the stem stands in layers that repeat, only their first run keeps it; where they may not run at all,
        the next may be the stem as well.
        """
        looking = self.pending
        done = super().inside(step, facts)
        if not looking or self.pending:
            return done
        if step.repeat is not None:
            done = _first_run(done[0], super().inside(step, facts)[0])
        self._found(step)
        return done

    def _found(self, step: Step) -> None:
        """Note that the stem stands in a step, or may: the next may be it where that one does not run."""
        self.pending = step.when is not None
        if self.pending:
            self.verb = "may be"

    def block(self, block: Block | Include, facts: Facts) -> Block | Include:
        """While the stem is looked for, only a block without it is a model for its later calls."""
        if not self.pending:
            return super().block(block, facts)
        key = "stem", identity(block), facts
        steps = self.lists[key] if key in self.lists else self.steps(block.steps, facts)
        if self.pending:
            self.lists[key] = steps
        return block._replace(steps=steps)

    def _split(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        reason = _why_not(step, facts)
        if reason:
            self.left[spot(step)] = reason
            return (step,)
        self.changed.add(spot(step))
        pair = _pair(step, facts)
        if any(map(is_dynamic, _deciding(step))):
            self.left[spot(step)] = "it is grouped, or its kernel is 1x1"
            pair = _where_dense(step, pair)
        return pair if step.plain and not step.then else (step._replace(body=Group(pair), then=(), plain=step.plain),)


def _why_not(step: Step, facts: Facts) -> str | None:
    groups = step.body.options.get("groups", 1)
    if held(step):
        return held(step)
    if not is_dynamic(groups) and not is_one(groups):
        return "it is grouped"
    if reads_grid(step.body.options["out"], step, facts):
        return "its width depends on the grid, which its stride changes"
    return None


def _pair(step: Step, facts: Facts) -> tuple[Step, Step]:
    options, places, one = step.body.options, step.body.places, bare(step)
    depthwise = {name: arg for name, arg in options.items() if name in _DEPTHWISE}
    pointwise = {"kernel": 1, **{name: arg for name, arg in options.items() if name in ("out", "bias")}}
    between = tuple(after for after in step.then if passes(after, facts))
    first = one._replace(body=call("dwconv", depthwise, places), then=between)
    return first, one._replace(body=call("conv", pointwise, places))


def _first_run(first: Step, later: Step) -> tuple[Step, ...]:
    """A repeated step that differs between its first run and later ones."""
    inner = (
        where(bare(first)._replace(then=()), lambda env: equal(env["i"], 0), "i == 0", "i"),
        where(bare(later)._replace(then=()), lambda env: env["i"] > 0, "i > 0", "i"),
    )
    if is_call(first, "conv"):
        inner = (inner[0]._replace(then=first.then), inner[1])
        return (first._replace(body=Group(inner), then=()),)
    return (first._replace(body=Group(inner)),)


def _deciding(step: Step) -> tuple[Expr | Shape, int | Expr]:
    """The options that say whether a convolution is dense and wider than 1x1."""
    return step.body.options["kernel"], step.body.options.get("groups", 1)


def _where_dense(step: Step, pair: tuple[Step, ...]) -> tuple[Step, Step]:
    """The pair, and the layer as it was for the runs whose kernel or groups say that it stays."""
    kernel, groups = _deciding(step)
    sides = kernel if type(kernel) is tuple else (kernel,)
    names = frozenset().union(*(arg.names for arg in (*sides, groups) if type(arg) is Expr))

    def dense(env: Mapping[str, int | Shape]) -> bool:
        pointwise = True
        for side in sides:
            pointwise = both(pointwise, equal(_largest(side, env), 1))
        return both(negate(pointwise), equal(_largest(groups, env), 1))

    return (
        where(bare(step)._replace(body=Group(pair), then=()), dense, "kernel > 1 and groups == 1", names),
        where(bare(step), lambda env: negate(dense(env)), "kernel == 1 or groups > 1", names),
    )


def _largest(arg: int | Expr, env: Mapping[str, int | Shape]) -> Any:
    value = arg.value(env) if type(arg) is Expr else arg
    return max(value) if type(value) is tuple else value  # a parameter may hold `3x3`
