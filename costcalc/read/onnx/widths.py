"""The bits of values in a quantized graph: of stored numbers by their type, of tensors by what quantizes them.

A tensor that is quantized, and that nothing else reads, is made with that width; so is what an activation or a norm
before it reads, which integer kernels run as one. Else the quantized numbers are a tensor of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...model.network import Step
from ...model.storage import UNSTATED, Widths
from ...ops import _ACTIVATIONS

if TYPE_CHECKING:
    from .node import Node
    from .tensors import Tensor

OF_TYPES = {2: 8, 3: 8, 4: 16, 5: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 25: 2, 26: 2}  # of TensorProto
BYTE = 8
ZERO_POINTS = {  # which input of an operator of quantized numbers is the zero point of what it makes
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearMul"), 7),
    **dict.fromkeys(("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax", "QLinearAveragePool"), 4),
    "QLinearGlobalAveragePool": 4,
    "QGemm": 8,
    "QLinearConcat": 1,
}
_FUSED = frozenset(_ACTIVATIONS) | {"batchnorm"}


class Quantized:
    """What is known of widths while a graph is walked.

    stored   the bits of initializers that are quantized
    made     the bits of what a step makes, where these are stated
    weights  the bits of the numbers that a step holds
    """

    def __init__(self) -> None:
        self.stored: dict[str, int] = {}
        self.made: dict[int, int] = {}
        self.weights: dict[int, int] = {}
        self.inputs: dict[str, int] = {}
        self.direct: set[str] = set()
        self.readers: Counter[str] = Counter()

    @property
    def is_any(self) -> bool:
        """Whether the graph quantizes anything."""
        return bool(self.made or self.weights)

    def note(self, nodes: Iterable[Any], outputs: Iterable[str]) -> None:
        """Note how often each tensor of a graph is read."""
        for node in nodes:
            self.readers.update(node.input)
        self.readers.update(outputs)

    def keep(self, tensor: Tensor, kind: int) -> None:
        """Note the type of a stored tensor."""
        if tensor.roots and kind in OF_TYPES:
            self.stored.update(dict.fromkeys(tensor.roots, OF_TYPES[kind]))

    def held(self, step: int, holds: Iterable[Tensor | None]) -> None:
        """Note the bits of the weights that a step holds."""
        roots = [root for one in holds if one is not None for root in one.roots or ()]
        bits = [self.stored[root] for root in roots if root in self.stored]
        if bits:
            self.weights[step] = max(bits)

    def quantize(self, node: Node, x: Any, bits: int) -> bool:
        """Give a tensor its width; False where the quantized numbers are a tensor of their own."""
        name = node.proto.input[0]
        alone = self.readers[name] == 1 and name in self.direct and node.op == "QuantizeLinear"
        if not alone or type(x.made) is not int or x.made in self.made:
            return False
        self.made[x.made] = bits
        return True

    def integer(self, node: Node) -> None:
        """Give what an operator of quantized numbers makes the width of its zero point."""
        last = len(node.reader.steps) - 1
        if last >= node.began and node.op in ZERO_POINTS and not node.is_constant:
            self.made[last] = width_of(node, ZERO_POINTS[node.op])

    def finished(self, steps: Sequence[Step]) -> list[Step]:
        """The steps with their widths."""
        read = Counter(made for step in steps for made in {*step.body.sources})
        for number in reversed(range(len(steps))):
            sources = steps[number].body.sources
            fused = number in self.made and steps[number].body.op in _FUSED and len(sources) == 1
            if fused and type(sources[0]) is int and read[sources[0]] == 1:
                self.made.setdefault(sources[0], self.made[number])
        return [self._stated(step, number) for number, step in enumerate(steps)]

    def _stated(self, step: Step, number: int) -> Step:
        bits = Widths(self.weights.get(number, 0), self.made.get(number, 0))
        return step if bits == UNSTATED else step._replace(bits=bits, plain=False)


def width_of(node: Node, number: int) -> int:
    """The bits that the zero point in an input says, or the type that is stated; a byte unless given."""
    zero = node.input(number)
    roots = (zero.roots or ()) if zero is not None else ()
    known = [node.reader.widths.stored[root] for root in roots if root in node.reader.widths.stored]
    return known[0] if known else OF_TYPES.get(node.get("output_dtype", 0), BYTE)
