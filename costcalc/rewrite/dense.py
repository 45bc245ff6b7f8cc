"""Replace depthwise separable convolutions by standard ones."""

from __future__ import annotations

from typing import Any

from ..model.network import Call, Group, Model, Reuse, Step
from .steps import call, everywhere, held, is_call, is_one, passes, reads_grid, spot
from .walk import Facts, Rewritten, Walk

_WINDOW = ("kernel", "stride", "padding", "dilation")


class Standard(Walk):
    """A depthwise convolution followed by a 1x1 one becomes one dense convolution.

    It has kernel, stride, padding and dilation of the first, and the width and what follows of the second; norms
    and activations between them go. MobileNets (arXiv:1704.04861), section 3.1 and Table 4.
    """

    def run(self, model: Model) -> Rewritten:
        """The model rewritten."""
        bodies = [step.body for step in everywhere(model.steps)]
        self.reused = {body.name for body in bodies if type(body) is Reuse}
        self.reused |= {body.reuse for body in bodies if type(body) is Call}
        return super().run(model)

    def joined(self, steps: list[Step], facts: Facts) -> list[Step]:
        """The list with its pairs replaced."""
        done, at = [], 0
        while at < len(steps):
            step, end = steps[at], at
            if is_call(step, "dwconv"):
                second, end = _after(steps, at, facts)
                reason = self._no_second(second) or _why_not(step, second, facts)
                if reason:
                    self.left[spot(step)], end = reason, at
                else:
                    step = self._dense(step, second)
            done.append(step)
            at = end + 1
        return done

    def inside(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """A group reduced to one plain convolution becomes that layer, with the controls of the group."""
        return tuple(map(_alone, super().inside(step, facts)))

    def _no_second(self, step: Step | None) -> str | None:
        if step is None or not is_call(step, "conv") or not is_one(step.body.options["kernel"]):
            return "no 1x1 convolution follows it"
        if any(arg is not None for arg in (step.repeat, step.when, step.residual, step.times, step.origin)):
            return "the 1x1 convolution after it is repeated, conditional or bridged by itself"
        if not is_one(step.body.options.get("groups", 1)):
            return "the 1x1 convolution after it is grouped"
        if not is_one(step.body.options.get("stride", 1)):
            return "the 1x1 convolution after it has a stride"
        if step.body.options.get("padding", "same") not in ("same", "valid", 0):
            return "the 1x1 convolution after it is padded"
        if step.label in self.reused:
            return "the 1x1 convolution after it is used again by itself"
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
    """The first step after one that is not a norm or activation, and its number."""
    end = next((n for n in range(at + 1, len(steps)) if not passes(steps[n], facts)), None)
    return (steps[end], end) if end else (None, at)


def _why_not(first: Step, second: Any, facts: Facts) -> str | None:
    """Why a depthwise convolution cannot be merged with the 1x1 convolution after it; None if it can."""
    if not is_one(first.body.options.get("multiplier", 1)):
        return "it has several filters a channel"
    if held(first) or held(second):
        return held(first) or "the 1x1 convolution after it has parameters given by `params` or `reuse`"
    if first.label or any(arg is not None for arg in (first.repeat, first.when, first.residual, first.times)):
        return "it is named, repeated or conditional by itself"
    if not all(passes(one, facts) for one in first.then):
        return "other layers stand between it and the 1x1 convolution"
    if reads_grid(second.body.options["out"], first, facts):
        return "the width after it depends on the grid, which its stride changes"
    return None
