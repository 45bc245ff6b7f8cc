"""What only training has, left out: dropout, identities, and layers that a spec marks with `only: train`."""

from __future__ import annotations

from typing import Any

from ..model.network import Model, Step, is_absent
from .steps import bare, call, is_call, op_of, spot
from .walk import Facts, Rewritten, Walk


class Drop(Walk):
    """Dropout and identities go, and layers of training with them: the rest is the network that is deployed."""

    def run(self, model: Model) -> Rewritten:
        """The model rewritten; its layers that are `only: deploy` run."""
        done = super().run(model)
        return done._replace(model=done.model._replace(phase="deploy"))

    def branch(self, arg: Any, facts: Facts) -> Any:
        """A branch rewritten; one that only training has stays marked, as `[]` would be the input itself."""
        return arg if is_absent(arg, "deploy") else super().branch(arg, facts)

    def each(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """A step without what only training has."""
        if step.only == "train" and step.label is None:
            self.changed.add(spot(step))
            return ()
        if step.only == "deploy":
            step = step._replace(only=None)
            step = step._replace(plain=step._replace(then=(), plain=True) == bare(step)._replace(then=()))
        if op_of(step, facts) not in ("dropout", "identity") or not is_call(step, "dropout", "identity"):
            return (step,)
        self.changed.add(spot(step))
        if step.plain:
            return step.then
        return (step._replace(body=call("identity", {}, {})),)
