"""Gradients of an operation by reverse-mode differentiation: its loops run over values that record their origin.

The multiply-adds of the forward pass are processed in reverse. The gradient of a result times one operand is added to
the gradient of the other operand: one multiply-add for each operand that needs a gradient. Padding values belong to the
input, and the initial states of a recurrent layer belong to the layer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from .perform import PERFORMERS
from .tally import Tally, box, shape_of, value_of

WEIGHT, STATE = "weight", "state"


class Both(NamedTuple):
    """The gradients of an operation and their multiply-adds.

    inputs, weights  multiply-adds by quantity, for gradients of weights and of everything else
    values           (number of an input or kind of parameter, index) -> gradient
    result           the differentiated value: the sum of the outputs times their factors
    """

    inputs: Mapping[str, int]
    weights: Mapping[str, int]
    values: Mapping[tuple[Any, tuple[int, ...]], float]
    result: float


class Step(NamedTuple):
    """The origin of a value: its parents with partial derivatives, and the quantity of its multiply-add, if any."""

    parents: tuple[tuple[int, float], ...]
    quantity: str = ""
    leaf: Any = None  # (whose, index) of an input or parameter value


class Value(float):
    """A number with a reference to the step that made it."""

    tape: Tape
    number: int
    factors: tuple[Value, ...] = ()  # its two factors, for a multiply-add with three operands

    def through(self, value: float, slope: float) -> Value:
        """The result of a function of this number, given its value and slope."""
        return self.tape.made(value, ((self.number, slope),))

    def _with(self, value: float, own: float, other: Any, others: float) -> Value:
        more = ((other.number, others),) if isinstance(other, Value) else ()
        return self.tape.made(value, ((self.number, own), *more))

    def __add__(self, other: Any) -> Value:
        return self._with(float(self) + float(other), 1, other, 1)

    def __radd__(self, other: Any) -> Value:
        return self + other

    def __neg__(self) -> Value:
        return self.through(-float(self), -1)

    def __sub__(self, other: Any) -> Value:
        return self._with(float(self) - float(other), 1, other, -1)

    def __rsub__(self, other: Any) -> Value:
        return (-self) + other

    def __mul__(self, other: Any) -> Value:
        return self._with(float(self) * float(other), float(other), other, float(self))

    def __rmul__(self, other: Any) -> Value:
        return self * other

    def __truediv__(self, other: Any) -> Value:
        quotient = float(self) / float(other)
        return self._with(quotient, 1 / float(other), other, -quotient / float(other))

    def __rtruediv__(self, other: Any) -> Value:
        return self.through(float(other) / float(self), -float(other) / float(self) ** 2)


class Tape(Tally):
    """A tally whose numbers record the steps that made them."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []

    def made(self, value: float, parents: tuple = (), quantity: str = "", leaf: Any = None) -> Value:
        """Record a step and return its value."""
        found = Value(value)
        found.tape, found.number = self, len(self.steps)
        self.steps.append(Step(parents, quantity, leaf))
        return found

    def tensor(self, whose: Any, values: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], Value]:
        """A tensor of leaf values."""
        return {index: self.made(value, leaf=(whose, index)) for index, value in values.items()}

    def parameters(self, kind: str, *shape: Any) -> Any:
        """A tensor of parameters."""
        made = super().parameters(kind, *shape)
        block = self.params[kind]  # distinguishes the tensors of one operation
        return {index: self.made(value, leaf=(kind, (block, *index))) for index, value in made.items()}

    def outside(self, whose: Any = 0) -> Value:
        """Padding or an initial state: 0."""
        return self.made(0.0, leaf=(whose, ()))

    def apply(self, function: Any, value: Any) -> Any:
        """Apply a function to a number; its slope is measured numerically."""
        if not isinstance(value, Value):
            return function(value)
        at, near = float(value), 1e-6
        return value.through(function(at), (function(at + near) - function(at - near)) / (2 * near))

    def pair(self, a: Any, b: Any) -> Value:
        """a * b, for a product of three factors."""
        found = self.made(float(a) * float(b))
        found.factors = (a, b)
        return found

    def mac(self, total: Any, a: Any, b: Any, quantity: str = "mac") -> Any:
        """total + a * b: one multiply-add."""
        value = super().mac(float(total), float(a), float(b), quantity)
        parents = [(total.number, 1.0)] if isinstance(total, Value) else []
        products = [slope for one, other in ((a, b), (b, a)) for slope in _slopes(one, float(other))]
        return self.made(value, (*parents, *products), f"{quantity} {len(parents)}")


def _slopes(operand: Any, rest: float) -> list[tuple[int, float]]:
    """The values behind one operand of a product, with partial derivatives; `rest` is the other operand."""
    if not isinstance(operand, Value):
        return []
    if not operand.factors:
        return [(operand.number, rest)]
    one, other = operand.factors
    return [(one.number, float(other) * rest), (other.number, float(one) * rest)]


def differentiate(op: str, shapes: Any, options: Any, needs: Collection[Any], move: Any = None) -> Both:
    """The gradients of an operation on tensors of these shapes. Raises Impossible for invalid shapes or options.

    needs  what needs a gradient: numbers of inputs, and WEIGHT
    move   (leaf, distance), to measure a slope
    """
    tape = Tape()
    tensors = []
    for number, shape in enumerate(shapes):
        values = {index: value_of(at) for at, index in enumerate(box(shape))}
        if move and move[0][0] == number:
            values[move[0][1]] += move[1]
        tensors.append(tape.tensor(number, values))
    result = PERFORMERS[op](tape, *tensors, **options)
    shape_of(result)
    factors = {index: value_of(at) for at, index in enumerate(sorted(result))}
    seeds = {value.number: factors[index] for index, value in result.items() if isinstance(value, Value)}
    total = math.fsum(float(value) * factors[index] for index, value in result.items())
    return _reversed(tape, seeds, {*needs, *((STATE,) if needs else ())}, total)


def _reversed(tape: Tape, seeds: dict[int, float], needs: set, total: float) -> Both:
    """Propagate gradients through the steps in reverse."""
    needed = _needed(tape, needs)
    gradients: dict[int, float] = dict.fromkeys(range(len(tape.steps)), 0.0)
    for number, factor in seeds.items():
        gradients[number] += factor
    inputs: Counter = Counter()
    weights: Counter = Counter()
    for number in reversed(range(len(tape.steps))):
        parents, mark, _ = tape.steps[number]
        quantity, _, before = mark.partition(" ")
        for at, (parent, slope) in enumerate(parents):
            if not needed[parent]:
                continue
            gradients[parent] += gradients[number] * slope
            if quantity and at >= int(before):
                leaf = tape.steps[parent].leaf
                (weights if leaf and leaf[0] == WEIGHT else inputs)[quantity] += 1
    leaves = {step.leaf: gradients[at] for at, step in enumerate(tape.steps) if step.leaf and needed[at]}
    return Both(dict(inputs), dict(weights), leaves, total)


def _needed(tape: Tape, needs: set) -> list[bool]:
    """For each step, whether its value needs a gradient."""
    found: list[bool] = []
    for step in tape.steps:
        found.append(step.leaf[0] in needs if step.leaf else any(found[parent] for parent, _ in step.parents))
    return found
