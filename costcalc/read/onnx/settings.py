"""What of a graph's initializers is trained: floating numbers that a layer computes with, and quantized weights.

Scales and zero points of quantization, bounds, sizes, indices and operands of comparisons are read, but no gradient
reaches them: they are no parameters. Nor are numbers that an exporter made and named itself, as the 0.125 of attention,
unless a layer holds them as its weights.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any

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
