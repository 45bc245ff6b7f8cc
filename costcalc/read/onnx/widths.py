"""Bits per value in a quantized graph: of stored numbers by their type, of other tensors by their quantization.

A tensor that is only read by a quantization gets its width. So does the input of an activation or norm before the
quantization, because integer kernels fuse them. In all other cases the quantized numbers are a separate tensor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...model.network import Input, Step
from ...model.storage import DEFAULT, UNSTATED, Storage, Widths
from ...model.widths import RENAMING
from ...ops import ACTIVATIONS
from .types import BITS_OF

if TYPE_CHECKING:
    from .node import Node
    from .tensors import Tensor

OF_TYPES = {2: 8, 3: 8, 4: 16, 5: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 25: 2, 26: 2}  # of TensorProto
BYTE = 8
ZERO_POINTS = {  # index of the zero point of an operator's result
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearMul"), 7),
    **dict.fromkeys(("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax", "QLinearAveragePool"), 4),
    "QLinearGlobalAveragePool": 4,
    "QGemm": 8,
    "QLinearConcat": 1,
}
_FUSED = frozenset(ACTIVATIONS) | {"batchnorm"}


class Quantized:
    """Known widths during a walk of a graph.

    stored   bits of quantized initializers
    made     bits of a step's result, if it is quantized
    weights  bits of the quantized numbers that a step holds
    typed    bits of all initializers, from their types
    types    bits of a step's result, from its type
    held     bits of the weights, and of the other numbers, that a step holds, from their types
    """

    def __init__(self) -> None:
        self.stored: dict[str, int] = {}
        self.made: dict[int, int] = {}
        self.weights: dict[int, int] = {}
        self.typed: dict[str, int] = {}
        self.types: dict[int, int] = {}
        self.held: dict[int, tuple[int, int]] = {}
        self.direct: set[str] = set()
        self.noted: list[Any] = []
        self.readers: Counter[str] = Counter()
        self.usual = Widths(32, 32)
        self.inputs: dict[Any, int] = {}

    @property
    def is_any(self) -> bool:
        """Whether the graph quantizes anything."""
        return bool(self.made or self.weights)

    def note(self, nodes: Iterable[Any], outputs: Iterable[str]) -> None:
        """Register a graph. Reads of its tensors are counted only if something is quantized."""
        self.noted.append((nodes, outputs))

    def enter(self, inputs: Mapping[str, Tensor]) -> None:
        """Register the types of the network's inputs."""
        self.inputs = {name: BITS_OF.get(one.kind, 0) for name, one in inputs.items()}

    def keep(self, tensor: Tensor, kind: int) -> None:
        """Register the type of a stored tensor."""
        for root in tensor.roots or ():
            if kind in OF_TYPES:
                self.stored[root] = OF_TYPES[kind]
            if kind in BITS_OF:
                self.typed[root] = BITS_OF[kind]

    def holds(self, step: int, holds: Mapping[str, Tensor | None]) -> None:
        """Register the bits of the numbers that a step holds, by kind."""
        quantized = weights = others = 0
        for kind, tensor in holds.items():
            for root in (tensor.roots or ()) if tensor is not None else ():
                bits = self.typed.get(root, 0)
                quantized = max(quantized, self.stored.get(root, 0)) if self.stored else 0
                weights, others = (max(weights, bits), others) if kind == "weight" else (weights, max(others, bits))
        if quantized:
            self.weights[step] = quantized
        self.hold(step, weights, others)

    def hold(self, step: int, weights: int, others: int) -> None:
        """Register the bits of weights and of other numbers that a step holds. The widest counts."""
        before = self.held.get(step, (0, 0))
        self.held[step] = max(before[0], weights), max(before[1], others)

    def type(self, steps: Iterable[int], kind: int) -> None:
        """Register the type of the results of steps that have none yet."""
        for step in steps if kind in BITS_OF else ():
            self.types.setdefault(step, BITS_OF[kind])

    def quantize(self, node: Node, x: Any, bits: int) -> bool:
        """Assign a width to the quantized tensor. Return False if the quantized numbers are a separate tensor."""
        name = node.proto.input[0]
        if node.op != "QuantizeLinear" or name not in self.direct or self._readers()[name] != 1:
            return False
        if type(x.made) is not int or x.made in self.made:
            return False
        self.made[x.made] = bits
        return True

    def _readers(self) -> Counter[str]:
        """Number of reads of each tensor of the graphs so far."""
        for nodes, outputs in self.noted:
            self.readers.update(name for node in nodes for name in node.input)
            self.readers.update(outputs)
        self.noted = []
        return self.readers

    def integer(self, node: Node) -> None:
        """Assign the width of its zero point to the result of an operator on quantized numbers."""
        last = len(node.reader.steps) - 1
        if last >= node.began and node.op in ZERO_POINTS and not node.is_constant:
            self.made[last] = width_of(node, ZERO_POINTS[node.op])

    def finished(self, steps: Sequence[Step]) -> list[Step]:
        """The steps with their widths."""
        if self.made:
            self._fuse(steps)
        found = [self._widths(number) for number in range(len(steps))]
        self.usual = self._most(found)
        made = [one.activations or self.usual.activations for one in found]
        return [_stated(step, one, self.usual, self._read(step, made)) for step, one in zip(steps, found, strict=True)]

    def _fuse(self, steps: Sequence[Step]) -> None:
        """Propagate the width of quantized activations and norms to an input that only they read."""
        read = Counter(made for step in steps for made in {*step.body.sources})
        for number in reversed(range(len(steps))):
            sources = steps[number].body.sources
            fused = number in self.made and steps[number].body.op in _FUSED and len(sources) == 1
            if fused and type(sources[0]) is int and read[sources[0]] == 1:
                self.made.setdefault(sources[0], self.made[number])

    def _read(self, step: Step, made: Sequence[int]) -> int:
        """Default bits of a step's result: those of the tensor that it renames, or the network's."""
        source = next(iter(step.body.sources), None) if step.body.op in RENAMING else None
        if type(source) is int:
            return made[source]
        return self.inputs.get(source, 0) or self.usual.activations

    def _widths(self, number: int) -> Widths:
        weights, others = self.held.get(number, (0, 0))
        made = self.made.get(number) or self.types.get(number, 0)
        return Widths(self.weights.get(number) or weights, made, others)

    def _most(self, found: Sequence[Widths]) -> Widths:
        """Most frequent widths of steps, which become the network's. Quantized numbers are excluded."""
        made = Counter(self.types[number] for number in self.types if number not in self.made)
        held = Counter(one.weights or one.bias for number, one in enumerate(found) if number not in self.weights)
        del held[0]
        usual = [max(one, key=one.__getitem__) if one else 32 for one in (held, made)]
        return Widths(32, usual[1], 32) if self.is_any else Widths(*usual)

    def network(self, steps: Sequence[Step], shown: Mapping[str, Input]) -> tuple[dict[str, Input], Storage]:
        """The inputs with their bits, and the storage of the network's values."""
        kinds = self.inputs
        bits = {name: 0 if kinds[name] == self.usual.activations else kinds[name] for name in shown}
        own = self.is_any or any(bits.values()) or any(step.bits is not UNSTATED for step in steps)
        storage = DEFAULT._replace(**self.usual._asdict(), own=own)
        return {name: one._replace(bits=bits[name]) for name, one in shown.items()}, storage


def _stated(step: Step, own: Widths, usual: Widths, read: int) -> Step:
    """Set the widths in which a step differs from the network. `read` is the default for its result."""
    weights = 0 if own.weights == usual.weights else own.weights
    others = usual.bias or own.weights or usual.weights
    made = 0 if own.activations == read else own.activations
    bias = 0 if own.bias == others else own.bias
    return step._replace(bits=Widths(weights, made, bias), plain=False) if weights or made or bias else step


def width_of(node: Node, number: int) -> int:
    """Bits of the zero point in an input, or of the stated type; a byte by default."""
    zero = node.input(number)
    roots = (zero.roots or ()) if zero is not None else ()
    known = [node.reader.widths.stored[root] for root in roots if root in node.reader.widths.stored]
    return known[0] if known else OF_TYPES.get(node.get("output_dtype", 0), BYTE)
