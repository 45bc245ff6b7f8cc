"""Batch normalisation folded into the convolution before it: the network as it is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.network import Call, Step
from .steps import call, held, is_call, is_one, op_of, spot
from .walk import Facts, Walk

_WEIGHTED = ("conv", "dwconv", "conv_transpose", "linear")


class Fold(Walk):
    """Batch normalisation right after a layer with weights goes into them; the layer has a bias then.

    So does one right before a linear layer or a 1x1 convolution without padding, where no layer before takes it.
    Quantization and Training of Neural Networks (arXiv:1712.05877), section 3.2.
    """

    def joined(self, steps: list[Step], facts: Facts) -> list[Step]:
        """The list with its normalisations folded."""
        done: list = []
        for step in steps:
            before = done[-1] if done else None
            if before and op_of(step, facts) == "batchnorm" and _can_take(before, step):
                done[-1] = self._folded(before, step)._replace(then=step.then)
                continue
            if before and op_of(before, facts) == "batchnorm" and _can_take_next(before, step):
                done[-1] = self._with_then(self._folded(step, before), facts)
                continue
            done.append(self._with_then(step, facts))
        return done

    def _with_then(self, step: Step, facts: Facts) -> Step:
        first_is_norm = bool(step.then) and op_of(step.then[0], facts) == "batchnorm"
        if first_is_norm and _can_take(step._replace(then=(), plain=True), step.then[0]):
            first, *rest = step.then
            return self._folded(step, first)._replace(then=(*first.then, *rest))
        if op_of(step, facts) == "batchnorm" and spot(step) not in self.changed:
            self.left[spot(step)] = "no convolution or linear layer stands right before it"
        return step

    def _folded(self, step: Step, norm: Step) -> Step:
        self.changed |= {spot(norm), spot(step)}
        self.home[spot(norm)] = spot(step)
        self.left.pop(spot(norm), None)
        body: Call = step.body
        return step._replace(body=call(body.op, {**body.options, "bias": True}, body.places))


def _can_take_next(norm: Step, step: Step) -> bool:
    """Whether a layer can take the norm before it: every position of its result reads the same weights."""
    alone = not norm.then and norm.plain and held(step) is held(norm) is None
    once = step.repeat is step.when is step.times is step.only is step.residual is step.origin is None
    if not alone or not once:
        return False
    options = step.body.options if is_call(step, "linear", "conv") else {}
    return bool(options) and (step.body.op == "linear" or (is_one(options["kernel"]) and _is_unpadded(options)))


def _is_unpadded(options: Mapping[str, Any]) -> bool:
    """Whether a 1x1 convolution reads no zeros: `same` pads nothing there."""
    return options.get("padding", "same") in ("same", "valid", 0)


def _can_take(step: Step, norm: Step) -> bool:
    own = held(step) is held(norm) is None
    return own and is_call(step, *_WEIGHTED) and step.plain and not step.then and norm.plain
