"""Rewrites for deployment.

Parallel linear branches are merged into one convolution, batch norms are folded into neighbouring layers, and
everything that exists only in training is removed: dropout, identities, and layers with `only: train`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.network import BlockCall, Call, Group, Model, Reference, Step, is_absent, is_dynamic
from ..records import NamedTuple
from .walk import Facts, Rewritten, Walk, bare, call, held, is_call, is_one, op_of, spot

_CONVOLUTIONS = ("conv", "dwconv")


class _Branch(NamedTuple):
    """A linear branch: its convolution (None for a norm or the input) and the spots of its layers."""

    convolution: Step | None
    spots: tuple


class _Kept(Exception):
    """Reason why a sum is not merged."""


class Merge(Walk):
    """Merge a sum of linear branches that read the same input into one convolution.

    A branch is a convolution with or without a norm, a norm, or the input itself. All must have the same stride and
    groups, and kernels with the same centre. The merged kernel is the largest of them, with a bias. RepVGG
    (arXiv:2101.03697), section 3.3; MobileOne (arXiv:2206.04040), section 3.2.
    """

    def run(self, model: Model) -> Rewritten:
        """Rewrite the model, without branches of the other phase."""
        self.phase = model.phase
        return super().run(model)

    def joined(self, steps: list[Step], facts: Facts) -> list[Step]:
        """Merge the sums of linear branches in a list."""
        pairs = zip([None, *steps][: len(steps)], steps, strict=True)  # the list may be empty
        return [self._bridge(self._sum(step, before, facts), facts) for before, step in pairs]

    def _sum(self, step: Step, before: Step | None, facts: Facts) -> Step:
        """Merge a step if it is a sum of linear branches. `before` is the step before it in the list."""
        if not is_call(step, "add"):
            return step
        flow = before.label if before is not None and step.origin is None and _is_flow(before) else None
        try:
            there = [one for one in step.body.options["inputs"] if not is_absent(one, self.phase)]
            branches = [_branch(() if one == flow else one, facts) for one in there]
            merged = _merged([one.convolution for one in branches])
        except _Kept as error:
            return self._left(step, str(error))
        return self._into(step, branches)._replace(body=merged)

    def _bridge(self, step: Step, facts: Facts) -> Step:
        """Merge the residual of a step into its convolution."""
        if step.residual is None or step.residual is False:
            return step
        if step.residual is not True:
            return self._left(step, "its residual depends on variables")
        try:
            inner = _bridged(step, facts)
            branch = _branch(inner, facts)
            merged = _merged([branch.convolution, None])
        except _Kept as error:
            return self._left(step, str(error))
        first, *_ = inner
        made = (first._replace(body=merged, then=()),)
        step = self._into(step, [branch])._replace(residual=None, residual_at=None)
        if type(step.body) is Call:
            return _settled(step._replace(body=merged, then=()))
        if type(step.body) is Group:
            return _settled(step._replace(body=Group(made)))
        return _settled(step._replace(body=step.body._replace(block=step.body.block._replace(steps=made))))

    def _left(self, step: Step, reason: str) -> Step:
        self.left[spot(step)] = reason
        return step

    def _into(self, step: Step, branches: list[_Branch]) -> Step:
        """Record that the branches are merged into a step."""
        for place in (place for one in branches for place in one.spots if place != spot(step)):
            self.changed.add(place)
            self.home[place] = spot(step)
        self.changed.add(spot(step))
        self.left.pop(spot(step), None)
        return step


def _is_flow(step: Step) -> bool:
    """Whether the name of a step refers to the value that flows on after it."""
    return step.label is not None and step.repeat is step.when is step.only is None


def _settled(step: Step) -> Step:
    """Update `plain` of a step whose residual was removed."""
    return step._replace(plain=step._replace(then=(), plain=True) == bare(step)._replace(then=()))


def _bridged(step: Step, facts: Facts) -> tuple[Step, ...]:
    """Layers that a residual bridges. Raises _Kept for bodies other than a layer, group or block."""
    body = step.body
    if type(body) is Call:
        return (bare(step)._replace(then=()), *step.then)
    if type(body) is Group:
        return tuple(_flat(body.steps))
    if type(body) is BlockCall:
        return tuple(_flat(body.block.steps))
    raise _Kept("its residual bridges other layers than a convolution")


def _branch(steps: Any, facts: Facts) -> _Branch:
    """Convert a branch to a linear one. Raises _Kept."""
    if type(steps) in (str, Reference):
        raise _Kept("a branch is a layer by its name")
    convolution, spots = None, []
    for step in _flat(steps):
        if not step.plain:
            raise _Kept("a branch has a layer that is repeated, conditional, named or has a residual")
        if is_call(step, *_CONVOLUTIONS):
            if convolution is not None:
                raise _Kept("a branch has two convolutions: the padding of the second is not that of the first")
            if held(step):
                raise _Kept(held(step))
            convolution = step
        elif op_of(step, facts) != "batchnorm":
            raise _Kept("a branch has a layer other than a convolution or batch norm")
        spots.append(spot(step))
    return _Branch(convolution, tuple(spots))


def _flat(steps: Any) -> list[Step]:
    """Layers of a branch, with `then` and plain groups flattened."""
    found: list[Step] = []
    for step in steps:
        inner = _flat(step.body.steps) if step.plain and type(step.body) is Group else [step._replace(then=())]
        found += [*inner, *_flat(step.then)]
    return found


def _merged(found: list[Step | None]) -> Call:
    """The convolution equal to the sum of all branches. Raises _Kept."""
    steps = [one for one in found if one is not None]
    if not steps:
        raise _Kept("no branch has a convolution")
    first = steps[0].body
    if any(is_dynamic(one.body.options["kernel"]) for one in steps):
        raise _Kept("a kernel depends on variables")
    if any(one.body.op != first.op for one in steps):
        raise _Kept("one branch is depthwise, another is not")
    for name, default in (("stride", 1), ("groups", 1), ("multiplier", 1)):
        if len({_text(one.body.options.get(name, default)) for one in steps}) > 1:
            raise _Kept(f"the branches have different options `{name}`")
    if len(steps) < len(found) and not is_one(first.options.get("stride", 1)):
        raise _Kept("a branch passes its input on, and the convolution beside it has a stride")
    if len(steps) < len(found) and not is_one(first.options.get("dilation", 1)):
        _refuse_even(first.options["kernel"])
    largest = max(steps, key=lambda one: max(_pair(one.body.options["kernel"])))
    for one in steps:
        _refuse_off_centre(one.body.options, largest.body.options)
    body = largest.body
    return call(body.op, {**body.options, "bias": True}, body.places)


def _refuse_off_centre(small: Any, large: Any) -> None:
    """Raise _Kept unless the smaller kernel is centred in the larger one."""
    kernels = [_pair(one["kernel"]) for one in (small, large)]
    if kernels[0] != kernels[1] and not all(is_one(one.get("dilation", 1)) for one in (small, large)):
        raise _Kept("a kernel is dilated")
    if any(a > b for a, b in zip(*kernels, strict=True)):
        raise _Kept("no kernel covers all others")
    pads = [one.get("padding", "same") for one in (small, large)]
    if pads == ["same", "same"]:
        return
    sides = [0 if pad == "valid" else pad for pad in pads]
    if any(type(side) is not int for side in sides):
        raise _Kept("the paddings are not alike")
    if any(b - a != 2 * (sides[1] - sides[0]) for a, b in zip(*kernels, strict=True)):
        raise _Kept("the kernels are not centred alike: their paddings differ")


def _refuse_even(kernel: Any) -> None:
    """Raise _Kept for a dilated kernel without a central element, which cannot represent the identity."""
    if any(side % 2 == 0 for side in _pair(kernel)):
        raise _Kept("a kernel is dilated")


def _pair(kernel: Any) -> tuple[int, ...]:
    return kernel if type(kernel) is tuple else (kernel, kernel)


def _text(arg: Any) -> str:
    """An option as text. A square kernel is one number."""
    if type(arg) is tuple and len(set(arg)) == 1:
        arg = arg[0]
    return getattr(arg, "text", None) or str(arg)


_WEIGHTED = ("conv", "dwconv", "conv_transpose", "linear")


class Fold(Walk):
    """Fold each batch norm directly after a layer with weights into that layer, which gets a bias.

    A norm directly before a linear layer or an unpadded 1x1 convolution is folded into it, if no layer before takes it.
    Quantization and Training of Neural Networks (arXiv:1712.05877), section 3.2.
    """

    def joined(self, steps: list[Step], facts: Facts) -> list[Step]:
        """Fold the norms of a list."""
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
            self.left[spot(step)] = "no convolution or linear layer is directly before it"
        return step

    def _folded(self, step: Step, norm: Step) -> Step:
        self.changed |= {spot(norm), spot(step)}
        self.home[spot(norm)] = spot(step)
        self.left.pop(spot(norm), None)
        body: Call = step.body
        return step._replace(body=call(body.op, {**body.options, "bias": True}, body.places))


def _can_take_next(norm: Step, step: Step) -> bool:
    """Whether a layer can take the norm before it: all positions of its result must use the same weights."""
    alone = not norm.then and norm.plain and held(step) is held(norm) is None
    once = step.repeat is step.when is step.times is step.only is step.residual is step.origin is None
    if not alone or not once:
        return False
    options = step.body.options if is_call(step, "linear", "conv") else {}
    return bool(options) and (step.body.op == "linear" or (is_one(options["kernel"]) and _is_unpadded(options)))


def _is_unpadded(options: Mapping[str, Any]) -> bool:
    """Whether a 1x1 convolution is unpadded. `same` adds no padding there."""
    return options.get("padding", "same") in ("same", "valid", 0)


def _can_take(step: Step, norm: Step) -> bool:
    own = held(step) is held(norm) is None
    return own and is_call(step, *_WEIGHTED) and step.plain and not step.then and norm.plain


class Drop(Walk):
    """Remove dropout, identities and layers that exist only in training."""

    def run(self, model: Model) -> Rewritten:
        """Rewrite the model. Its layers with `only: deploy` run."""
        done = super().run(model)
        return done._replace(model=done.model._replace(phase="deploy"))

    def branch(self, arg: Any, facts: Facts) -> Any:
        """Rewrite a branch. One that exists only in training is kept, because `[]` would mean the input itself."""
        return arg if is_absent(arg, "deploy") else super().branch(arg, facts)

    def each(self, step: Step, facts: Facts) -> tuple[Step, ...]:
        """Remove a step that exists only in training."""
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
