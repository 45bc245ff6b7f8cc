"""Whose numbers are counted where: each parameter in full, at the first step that reads anything made of it.

Trained are the floating numbers that a layer computes with, and quantized weights. Scales and zero points of
quantization, bounds, sizes, indices and operands of comparisons are read, but no gradient reaches them: they are no
parameters. Nor are numbers that an exporter made and named itself, as the 0.125 of attention, unless a layer holds them
as its weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

from ...num.polynomials import Dim
from ...records import NamedTuple
from .tensors import Tensor, is_empty

_FLOATS = frozenset((1, 10, 11, 14, 15, 16))  # types of TensorProto
_BYTES = frozenset((2, 3, 17, 18, 19, 20, 21, 22, 23))  # of eight bits and less
_OPERATORS = (  # after which torch.export names what they make: `div_5`
    "add|sub|rsub|mul|div|pow|neg|abs|exp|log|sqrt|rsqrt|sin|cos|tanh|sum|mean|cumsum|clamp|floor|round|cat|stack|split"
    "|view|reshape|flatten|permute|transpose|unsqueeze|squeeze|expand|repeat|tile|flip|roll|slice|select|index|gather"
    "|where|masked_fill|clone|to|arange|linspace|full|ones|zeros|meshgrid|outer|einsum|matmul|bmm|getitem"
)
_MADE = re.compile(
    rf"_?val_\d+|({_OPERATORS})(_\d+)?|\d+|onnx::.*|ortshared.*|(.*[/_:.])?const(ant|_fold)?\b.*|.*_cast|.*/y:0",
    re.IGNORECASE,
)
_PATH = re.compile(r"[A-Za-z_]\w*(\.\w+)+")  # of a parameter in modules

_NONE: frozenset[int] = frozenset()
_PAIRS = frozenset((1, 2, 3, 4))
_SECOND = frozenset((1, 2, 4, 5, 6, 7))  # scales and zero points around two operands
_BOTH = frozenset((0, 1))
_ONE = frozenset((1,))
SETTINGS = {
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "Clip", "Dropout", "OneHot"), frozenset((1, 2))),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearMul"), _SECOND),
    **dict.fromkeys(("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax", "QLinearAveragePool"), _PAIRS),
    "QLinearGlobalAveragePool": _PAIRS,
    "QGemm": frozenset((1, 2, 4, 5, 7, 8)),
    **dict.fromkeys(("MatMulInteger", "ConvInteger", "MatMulNBits", "DynamicQuantizeMatMul"), frozenset((2, 3))),
    "MatMulIntegerToFloat": frozenset((2, 3, 4, 5)),
    "DynamicQuantizeLSTM": frozenset(range(8, 12)),
    **dict.fromkeys(("Resize", "Pad"), frozenset((1, 2, 3))),
    "Slice": _PAIRS,
    **dict.fromkeys(("Reshape", "Expand", "Tile", "Squeeze", "Unsqueeze", "Split", "TopK", "Upsample"), _ONE),
    **dict.fromkeys(("Gather", "GatherElements", "GatherND", "Trilu", "CumSum", "CenterCropPad"), _ONE),
    **dict.fromkeys(("Scatter", "ScatterElements", "ScatterND"), _ONE),
    **dict.fromkeys(("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "And", "Or", "Xor"), _BOTH),
    **dict.fromkeys(("Not", "IsNaN", "IsInf", "Where", "If", "Shape", "Size", "ConstantOfShape"), frozenset((0,))),
    **dict.fromkeys(("Loop",), _BOTH),
    "Range": frozenset(range(3)),
    "NonMaxSuppression": frozenset(range(2, 5)),
    **dict.fromkeys((f"Reduce{name}" for name in ("Mean", "Sum", "Max", "Min", "Prod", "L1", "L2")), _ONE),
    **dict.fromkeys((f"Reduce{name}" for name in ("LogSum", "LogSumExp", "SumSquare")), _ONE),
}


def settings(op: str, count: int) -> frozenset[int]:
    """The places among `count` inputs of an operator whose numbers are no parameters."""
    if op == "QLinearConcat":  # of each tensor a scale and a zero point, after those of the result
        return frozenset(at for at in range(count) if at % 3 != 2)
    return SETTINGS.get(op, _NONE)


def is_trained(name: str, kind: int, shape: Any) -> bool:
    """Whether the numbers of a stored tensor may be parameters; `kind` is the number of their type.

    A number without an axis is one if it has a name as parameters of modules have; else it is a constant of the code.
    """
    if kind in _FLOATS:
        if prod(shape) != 1:
            return True
        return not is_made(name) if shape else _PATH.fullmatch(name) is not None
    return kind in _BYTES and len(shape) > 1


def is_made(name: str) -> bool:
    """Whether a name is one that exporters give to what they make, not that of a module's parameter."""
    return _MADE.fullmatch(name) is not None


WEIGHT, RUNNING = "weight", "running"


class Holder(NamedTuple):
    """The first step that holds numbers of an initializer: its place in the list of steps, the kind, its name."""

    step: int
    kind: str
    name: str


class Numbers:
    """The numbers of each initializer: how many there are, how many no step holds yet, and the first that holds any.

    vectors     those with one axis at most that is not 1, as a bias
    literals    constants of the code: counted where a layer holds them as weights, nowhere else
    unnamed     constants that an exporter made: counted where a rule holds them
    statistics  running statistics of norms, which are not trained
    settings    scales of quantization, bounds, sizes: read, but no parameters
    """

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self.holders: dict[str, Holder] = {}
        self.vectors: set[str] = set()
        self.literals: set[str] = set()
        self.unnamed: set[str] = set()
        self.statistics: set[str] = set()
        self.settings: set[str] = set()

    def keep(self, tensor: Tensor, least: int = 0) -> None:
        """Note the numbers of a stored tensor, or that there are more of them than its elements."""
        for root in tensor.roots or ():
            known = self.sizes.get(root, tensor.size)
            self.sizes[root] = max(known, least)
            self.left[root] = max(self.left.get(root, known), least)
            if sum(size != 1 for size in tensor.shape or ()) < 2:
                self.vectors.add(root)

    def literal(self, tensor: Tensor) -> None:
        """Note a constant of the code."""
        self.keep(tensor)
        self.literals |= tensor.roots or frozenset()

    def are_learned(self, tensor: Tensor) -> bool:
        """Whether a constant may hold trained numbers."""
        return bool(tensor.roots) and self.literals.isdisjoint(tensor.roots or ())

    def counted(self, holds: Mapping[str, Any], step: int, name: str) -> tuple[dict[str, int], str | None]:
        """Numbers by kind, without those that earlier steps hold; and the name of that step if it holds all."""
        counted, shared = {}, None
        for kind, tensor in holds.items():
            found = 0
            for root in (tensor.roots or ()) if tensor is not None else ():
                taken = self.taken(root, tensor.size)
                holder = self.holders.setdefault(root, Holder(step, kind, name))
                shared = shared if taken or tensor.size == 0 or holder.step == step else holder.name
                found += taken
            counted[kind] = found
        return counted, None if any(counted.values()) else shared

    def taken(self, root: str, size: int) -> int:
        """How many of an initializer's numbers a tensor made of it holds, of those that are left."""
        taken = self.left[root] if isinstance(size, Dim) else min(self.left[root], size)
        self.left[root] -= taken
        return taken

    def unheld(self, tensors: Iterable[Tensor | None]) -> list[str]:
        """The parameters in these tensors that no step holds yet."""
        found = [root for one in tensors if one is not None and one.roots and not is_empty(one) for root in one.roots]
        holders, others, made = self.holders, self.literals, self.unnamed
        return [root for root in dict.fromkeys(found) if not (root in holders or root in others or root in made)]

    def rest(self, roots: Iterable[str], step: int, name: str) -> dict[str, int]:
        """All numbers of parameters that no step holds yet, by kind, for a step that reads them."""
        counted: dict[str, int] = {}
        for root in roots:
            kind = RUNNING if root in self.statistics else WEIGHT
            self.holders[root] = Holder(step, kind, name)
            counted[kind] = counted.get(kind, 0) + self.taken(root, self.sizes[root])
        return counted

    def parts(self) -> list[tuple[Holder, int]]:
        """What is left of parameters of which only parts were held, for the steps that held first."""
        found = [(holder, self.left[root]) for root, holder in self.holders.items() if self.left[root]]
        self.left.update(dict.fromkeys(self.holders, 0))
        return found

    def parameters(self) -> dict[str, int]:
        """All parameters and how many numbers each has: what is trained, and literals that a layer holds."""
        others = self.literals | self.settings | self.unnamed | self.statistics
        held = {root for root, holder in self.holders.items() if holder.kind != RUNNING}
        return {
            root: size
            for root, size in self.sizes.items()
            if root in held or (root not in others and root not in self.holders)
        }

    def state(self) -> tuple[dict, dict]:
        """What `restore` takes to forget what was held since."""
        return dict(self.left), dict(self.holders)

    def restore(self, state: tuple[dict, dict]) -> None:
        """Forget what was held since `state`."""
        self.left, self.holders = map(dict, state)
