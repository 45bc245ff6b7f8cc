"""Replace standard convolutions with depthwise separable ones, and the reverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.expr import Expr
from ..model.network import Block, Call, Group, Include, Model, Reuse, Step, is_dynamic
from ..num import both, equal, negate
from ..num.values import Shape
from .walk import (
    Facts,
    Rewritten,
    Walk,
    bare,
    call,
    everywhere,
    held,
    identity,
    is_call,
    is_one,
    passes,
    reads_grid,
    spot,
    where,
)

_DEPTHWISE = ("kernel", "stride", "padding", "dilation", "bias")


class Separable(Walk):
    """Replace each dense KxK convolution, K > 1, with a depthwise KxK and a 1x1 one.

    The norm and activation that follow it follow both, as in MobileNets (arXiv:1704.04861), Figure 3. The first
    convolution stays standard, as in the paper, unless `stem` is set.
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
        """Rewrite inner lists. In repeated layers only the first run keeps the stem. If a layer may not run, the next
        one may be the stem too.
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
        """Record that a step is the stem, or may be. If it is conditional, the next one may be the stem too."""
        self.pending = step.when is not None
        if self.pending:
            self.verb = "may be"

    def block(self, block: Block | Include, facts: Facts) -> Block | Include:
        """Rewrite a block. While the stem is searched, the result is reused only if the block has no stem."""
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
    """Step that differs between its first and later runs."""
    inner = (
        where(bare(first)._replace(then=()), lambda env: equal(env["i"], 0), "i == 0", "i"),
        where(bare(later)._replace(then=()), lambda env: env["i"] > 0, "i > 0", "i"),
    )
    if is_call(first, "conv"):
        inner = (inner[0]._replace(then=first.then), inner[1])
        return (first._replace(body=Group(inner), then=()),)
    return (first._replace(body=Group(inner)),)


def _deciding(step: Step) -> tuple[Expr | Shape, int | Expr]:
    """Options that determine whether a convolution is dense and larger than 1x1."""
    return step.body.options["kernel"], step.body.options.get("groups", 1)


def _where_dense(step: Step, pair: tuple[Step, ...]) -> tuple[Step, Step]:
    """The pair, and the original layer for runs in which it is 1x1 or grouped."""
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
    return max(value) if type(value) is tuple else value  # the value may be a kernel such as `3x3`


_WINDOW = ("kernel", "stride", "padding", "dilation")


class Standard(Walk):
    """Replace a depthwise convolution and the 1x1 convolution after it with one dense convolution.

    It has the kernel, stride, padding and dilation of the first, and the width and `then` of the second. Norms and
    activations between them are removed. MobileNets (arXiv:1704.04861), section 3.1 and Table 4.
    """

    def run(self, model: Model) -> Rewritten:
        """Rewrite the model."""
        bodies = [step.body for step in everywhere(model.steps)]
        self.reused = {body.name for body in bodies if type(body) is Reuse}
        self.reused |= {body.reuse for body in bodies if type(body) is Call}
        return super().run(model)

    def joined(self, steps: list[Step], facts: Facts) -> list[Step]:
        """Replace the pairs in a list."""
        done, at = [], 0
        while at < len(steps):
            step, end = steps[at], at
            if is_call(step, "dwconv"):
                second, end = _after(steps, at, facts)
                reason = self._no_second(second) or _why_no_dense(step, second, facts)
                if reason:
                    self.left[spot(step)], end = reason, at
                else:
                    step = self._dense(step, second)
            done.append(step)
            at = end + 1
        return done

    def inside(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """Unwrap a group that is reduced to one plain convolution, which gets the group's controls."""
        return tuple(map(_alone, super().inside(step, facts)))

    def _no_second(self, step: Step | None) -> str | None:
        if step is None or not is_call(step, "conv") or not is_one(step.body.options["kernel"]):
            return "no 1x1 convolution follows it"
        if any(arg is not None for arg in (step.repeat, step.when, step.residual, step.times, step.origin)):
            return "the 1x1 convolution after it is repeated, conditional or has a residual"
        if not is_one(step.body.options.get("groups", 1)):
            return "the 1x1 convolution after it is grouped"
        if not is_one(step.body.options.get("stride", 1)):
            return "the 1x1 convolution after it has a stride"
        if step.body.options.get("padding", "same") not in ("same", "valid", 0):
            return "the 1x1 convolution after it is padded"
        if step.label in self.reused:
            return "the 1x1 convolution after it is reused separately"
        return None

    def _dense(self, first: Step, second: Any) -> Step:
        self.changed |= {spot(first), spot(second)}
        self.home[spot(first)] = spot(second)
        window = {name: first.body.options[name] for name in _WINDOW if name in first.body.options}
        rest = {name: arg for name, arg in second.body.options.items() if name not in _WINDOW}
        dense = call("conv", {**window, **rest}, {**second.body.places, **first.body.places})
        return second._replace(body=dense, origin=first.origin, plain=second.plain and first.plain)


def _alone(step: Step) -> Step:
    if type(step.body) is not Group or step.then or len(step.body.steps) != 1:
        return step
    inner = step.body.steps[0]
    if not inner.plain or not is_call(inner, "conv"):
        return step
    return step._replace(body=inner.body, then=inner.then, place=inner.place, source=inner.source)


def _after(steps: list[Step], at: int, facts: Facts) -> tuple[Step | None, int]:
    """The next step that is not a norm or activation, and its index."""
    end = next((n for n in range(at + 1, len(steps)) if not passes(steps[n], facts)), None)
    return (steps[end], end) if end else (None, at)


def _why_no_dense(first: Step, second: Any, facts: Facts) -> str | None:
    """Reason why a depthwise convolution cannot be merged with the 1x1 convolution after it, or None."""
    if not is_one(first.body.options.get("multiplier", 1)):
        return "it has several filters per channel"
    if held(first) or held(second):
        return held(first) or "the 1x1 convolution after it has parameters given by `params` or `reuse`"
    if first.label or any(arg is not None for arg in (first.repeat, first.when, first.residual, first.times)):
        return "it is named, repeated or conditional"
    if not all(passes(one, facts) for one in first.then):
        return "other layers are between it and the 1x1 convolution"
    if reads_grid(second.body.options["out"], first, facts):
        return "the width after it depends on the grid, which its stride changes"
    return None
