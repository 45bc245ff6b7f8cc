"""Convert a list of nodes, in order, to steps and infer their shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ... import limits
from ...allowance import spend
from ...errors import Refused, brief
from ...model.network import Call, Group, Reuse, Step
from ...num import equal
from ...num.values import Shape
from ...ops import INDEX
from .layer import MODELS, UNKNOWN, Layer, Tensor, axis_of, keys_of
from .layers import RULES, pool
from .shapes import filled

_LEARNED = re.compile("Conv|Depth|Sep|Batch|Layer|RMS|Group|Spec|LSTM|GRU|.*RNN|Bi|Time|Den|Ein|Em|Rev|.*Att|PRe")
_MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)


class Run:
    """Steps so far, and the tensors by (layer, call, output).

    `given` are the input tensors of a nested model, `order` the keys of its inputs.
    An unknown layer, or a layer that reads a tensor of unknown shape, is a step of unknown cost. Its output shape is
    unknown too, unless the file states it.
    """

    def __init__(self, reader: Any, nodes: list, scope: Any, given: list | None = None, order: Any = ()) -> None:
        self.reader, self.scope, self.given, self.order = reader, scope, given, order
        self.steps: list[Step] = []
        self.found: dict[tuple, Tensor] = {}
        self.firsts: dict[str, tuple] = {}  # by layer: step of its first call, or None if unknown; input shapes
        self.nodes = {node.key: node for node in nodes}
        self.stated = {key: shape for node in nodes for key, shape in node.stated.items()}

    def all(self, nodes: list, outputs: list) -> list[Tensor]:
        """Add all nodes and return the output tensors."""
        for node in nodes:
            spend(10)
            if len(self.steps) > limits.NODES:
                raise self.reader.error(f"it has more than {limits.NODES:,} layers")
            self.add(node)
        for key in outputs[:1]:
            if self.tensor(key) is None:
                raise self.reader.error(f"the output comes from `{brief(key[0])}`, which is not a layer")
        made = [one for one in map(self.tensor, outputs) if one is not None]
        if made and made[0].label != (self.steps[-1].label if self.steps else None):
            self.steps.append(Step(Group(()), (1, 1, 1), self.reader.source, origin=made[0].label, plain=False))
        return made

    def add(self, node: Any) -> None:
        """Add the step of a node."""
        if node.kind == "InputLayer":
            made = self.reader.input(node) if self.given is None else self.passed(node)
            self.found[node.output] = made
            return
        tensors = [one for one in map(self.tensor, node.sources) if one is not None]
        if not tensors or len(tensors) < len(node.sources):
            raise self.reader.error(f"layer `{brief(node.name)}` reads a tensor that no earlier layer makes")
        label = node.name if not node.call else f"{node.name}_{node.call + 1}"
        layer = Layer(node.config, tensors, node, self.reader)
        step, known = self.again(layer) if node.call else self.first(layer)
        self.put(node.output, layer, step._replace(label=label, origin=tensors[0].label, plain=False), known)
        for number, shape in enumerate(layer.others, 1):
            if shape is not None:
                self.stated.setdefault((*node.key, number), shape)

    def put(self, key: tuple, layer: Layer, step: Step, known: bool) -> None:
        """Add a step. Its output has the inferred shape, or the shape stated in the file."""
        stated = self.stated_shape(key)
        if not known and stated:
            known, step = True, _stating(layer, step, stated)
        shape = self.reader.flow.after(step, self.scope)
        if shape and stated and shape != stated and all(type(size) is int for size in shape):
            self.reader.trusted = False
        self.steps.append(step)
        self.found[key] = Tensor(step.label or "", shape if known else None)

    def stated_shape(self, key: tuple) -> tuple | None:
        """Shape that the file states for a tensor."""
        return self.stated.get(key) if self.reader.trusted else None

    def tensor(self, key: tuple) -> Tensor | None:
        """Return a tensor. Outputs of a layer after the first are created on demand."""
        main = self.found.get((*key[:2], 0))
        if key not in self.found and main is not None:
            step = Step(Group(()), (1, 1, 1), self.reader.source, label=f"{main.label}_output_{key[2] + 1}")
            self.put(
                key,
                Layer({}, [main], self.nodes[key[:2]], self.reader),
                step._replace(origin=main.label, plain=False),
                False,
            )
        return self.found.get(key)

    def passed(self, node: Any) -> Tensor:
        """Tensor passed to an input of a nested model."""
        given = self.given or []
        at = self.order.index(node.key) if node.key in self.order else 0
        if at >= len(given):
            raise self.reader.error(f"input `{brief(node.name)}` receives nothing")
        self.found[node.output] = given[at]
        if given[at].shape is None and self.stated_shape(node.output):
            layer = Layer({}, [given[at]], node, self.reader)
            self.put(node.output, layer, layer.named(layer.group(), node.name, given[at].label), False)
        return self.found[node.output]

    def first(self, layer: Layer) -> tuple[Step, bool]:
        """Step of a layer's first call, and whether its output shape is known."""
        step, known = self.built(layer)
        self.firsts[layer.node.name] = step if known else None, [one.shape for one in layer.tensors]
        return step, known

    def again(self, layer: Layer) -> tuple[Step, bool]:
        """Step of a repeated call of a layer, and whether its output shape is known. Weights are already counted."""
        name = layer.node.name
        before, shapes = self.firsts.get(name, (None, []))
        now = [one.shape for one in layer.tensors]
        if before is not None and None not in now:
            step, known = self.built(layer)
            if known and (now == shapes or step == before):
                return Step(Reuse(name), layer.place, layer.source), True
            if known and self.reader.flow.holds_nothing(step, now[0], self.scope):
                return step, True
        return layer.step("opaque", label=brief(layer.node.kind), out=(1,), params=0), False

    def built(self, layer: Layer) -> tuple[Step, bool]:
        """Step of a layer, and whether its output shape is known."""
        kind = layer.node.kind
        if kind in MODELS:
            run, made = self.reader.inner(layer.node, layer.tensors, self.scope)
            layer.others = [one.shape for one in made[1:]]
            return layer.group(*run.steps), bool(made) and made[0].shape is not None
        step = None if any(one.shape is None for one in layer.tensors) else self.ruled(layer)
        if step is not None:
            return step, not layer.lost
        is_free = layer.node.is_operation or (kind in RULES and not _LEARNED.match(kind))
        free: dict[str, Any] = {"params": 0} if is_free else {}
        return layer.step("opaque", label=brief(kind), out=(1,), **free), False

    def ruled(self, layer: Layer) -> Step | None:
        """Step of a layer from its rule, or None if the layer has no rule."""
        node, rules = layer.node, OPERATIONS if layer.node.is_operation else RULES
        if node.config.get("data_format") == "channels_first":
            message = f"layer `{brief(node.name)}` has its channels first"
            raise self.reader.error(message, help="export it as channels_last")
        try:
            return rules[node.kind](layer) if node.kind in rules else None
        except Refused as error:
            raise self.reader.error(f"layer `{brief(node.name)}`: {error.message}", error.help) from None
        except _MALFORMED as error:
            message = f"layer `{brief(node.name)}` has an invalid configuration for a {brief(node.kind)}"
            raise self.reader.error(message) from error


def _stating(layer: Layer, step: Step, shape: Shape) -> Step:
    """Give a step of unknown shape the shape that the file states."""
    if type(step.body) is Call:
        return step._replace(body=step.body._replace(options={**step.body.options, "out": shape}))
    inner = step._replace(label=None, origin=None, plain=True)
    return step._replace(body=Group((inner, layer.made(shape, "shape as the file states it"))))


def function(name: str) -> Callable[..., Any]:
    """Create the rule of an elementwise function of one tensor."""
    return lambda layer: layer.step(name)


def pair(op: str) -> Callable[..., Any]:
    """Create the rule of a function of two tensors, or of a tensor and a number."""

    def rule(layer: Layer) -> Step:
        return layer.step("identity") if len(layer.inputs) == 1 else layer.step(op, inputs=tuple(layer.inputs))

    return rule


def reshape(layer: Layer) -> Step | None:
    """Reshape. The first size is the batch."""
    first, *target = layer.config["newshape"]
    if first not in (-1, None) or not target:
        return UNKNOWN
    found = filled(layer, target)
    out = layer.reader.flow.tried(found, layer.shape) if found else None
    return found if out is not None else UNKNOWN


def transpose(layer: Layer) -> Step | None:
    """Transpose that keeps the batch first."""
    axes = layer.get("axes", list(range(len(layer.shape), -1, -1)))
    return layer.step("permute", order=[axis_of(axis, len(layer.shape)) for axis in axes[1:]]) if axes[0] == 0 else None


def concatenate(layer: Layer) -> Step | None:
    """Concatenate along an axis other than the batch."""
    axis = layer.get("axis", 0)
    return layer.step("concat", inputs=tuple(layer.inputs), axis=axis_of(axis, len(layer.shape))) if axis else UNKNOWN


def expand(layer: Layer) -> Step | None:
    """ExpandDims after the batch axis."""
    shape, axis = list(layer.shape), layer.config["axis"]
    at = axis + len(shape) + 1 if axis < 0 else axis - 1
    if axis == 0 or not 0 <= at <= len(shape):
        return UNKNOWN
    return layer.reshaped((*shape[:at], 1, *shape[at:]))


def squeeze(layer: Layer) -> Step | None:
    """Squeeze of axes of size 1."""
    axis = layer.config.get("axis")
    axes = [axis] if type(axis) is int else axis
    if not axes:
        return UNKNOWN
    gone = {axis_of(axis, len(layer.shape)) for axis in axes}
    shape = tuple(size for at, size in enumerate(layer.shape) if at not in gone)
    return layer.reshaped(shape) if shape and all(equal(layer.shape[at], 1) for at in gone) else UNKNOWN


def reduced(method: str) -> Callable[..., Any]:
    """Create the rule of a reduction along axes other than the batch."""

    def rule(layer: Layer) -> Step | None:
        axis, keep = layer.config.get("axis"), bool(layer.get("keepdims", False))
        axes = [axis] if type(axis) is int else axis
        if not axes or (len(axes) >= len(layer.shape) and not keep):
            return UNKNOWN
        found = sorted((axis_of(axis, len(layer.shape)) for axis in axes), reverse=True)
        return layer.group(*(layer.step("reduce", method=method, axis=at, keep=keep) for at in found))

    return rule


def taken(layer: Layer) -> Step | None:
    """GetItem with constant integers and slices, per sample."""
    at = layer.argument("key", 1)
    parts = at if isinstance(at, list) else [at]
    if not parts or not _is_whole(parts[0]) or keys_of(parts) or len(parts) > len(layer.shape) + 1:
        return UNKNOWN
    shape = []
    for part, size in zip([*parts[1:], *[_WHOLE] * len(layer.shape)], layer.shape, strict=False):
        if type(part) is not int:
            if not _is_slice(part) or (not _is_whole(part) and type(size) is not int):
                return UNKNOWN
            shape.append(size if _is_whole(part) else len(range(size)[_slice(part)]))
    return layer.made(tuple(shape) or (1,), "part") if 0 not in shape else UNKNOWN


_WHOLE = {"class_name": "__slice__", "config": {}}


def _is_slice(part: Mapping[str, Any]) -> bool:
    return isinstance(part, dict) and part.get("class_name") == "__slice__" and isinstance(part.get("config"), dict)


def _slice(part: Mapping[str, Any]) -> slice:
    return slice(*(part["config"].get(key) for key in ("start", "stop", "step")))


def _is_whole(part: Mapping[str, Any]) -> bool:
    return _is_slice(part) and not any(part["config"].get(key) for key in ("start", "stop", "step"))


def between(layer: Layer) -> Step | None:
    """Elementwise functions without an operation in the spec language, of tensors of one shape and of numbers."""
    return layer.made(layer.shape, layer.node.kind) if len({one.shape for one in layer.tensors}) == 1 else UNKNOWN


def matmul(layer: Layer) -> Step | None:
    """Matmul of two tensors of the same rank, per sample."""
    if len(layer.tensors) != 2 or len({len(one.shape or ()) for one in layer.tensors}) > 1 or len(layer.shape) < 2:
        return UNKNOWN
    return layer.step("matmul", inputs=tuple(layer.inputs))


def einsum(layer: Layer) -> Step | None:
    """Einsum of one or two tensors, each with the batch first."""
    terms, _, result = layer.config["subscripts"].replace(" ", "").partition("->")
    every = [*terms.split(","), result]
    if len(every) - 1 != len(layer.tensors) or len({one[:1] for one in every}) > 1 or "." in terms or not result:
        return UNKNOWN
    if any(one.count(one[0]) > 1 for one in every) or len(result) < 2:
        return UNKNOWN
    equation = f"{','.join(one[1:] for one in every[:-1])}->{result[1:]}"
    return layer.step("einsum", equation=equation, of=tuple(layer.inputs))


_FUNCTIONS = {
    **{name: op for op in INDEX for name in (op.title().replace("_", ""),) if INDEX[op] == "pointwise"},
    "Silu": "silu",
    "Square": "square",
    "Sqrt": "sqrt",
    "Negative": "neg",
    "HardSigmoid": "hsigmoid",
    "HardSilu": "hswish",
    "Absolute": "abs",
    "Abs": "abs",
    "LeakyRelu": "leaky_relu",
    "Clip": "clamp",
}
_SKIP = ("Add", "Sub", "Mul", "Div", "Dropout", "Glu", "Prelu", "Softmax", "LogSoftmax")
_BETWEEN = (
    *("Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual", "Where", "Power", "Mod"),
    *("LogicalAnd", "LogicalOr", "LogicalXor", "LogicalNot", "Isnan", "Isfinite", "Isinf"),
    *("Floor", "Ceil", "Round", "Sign", "Sin", "Cos", "Tan", "Rsqrt", "Reciprocal", "Log1p", "Expm1", "Erf", "Cumsum"),
)
OPERATIONS = {
    **dict.fromkeys(_BETWEEN, between),
    **{name: function(op) for name, op in _FUNCTIONS.items() if name not in _SKIP},
    **{name: pair("add") for name in ("Add", "Maximum", "Minimum")},
    "Subtract": pair("sub"),
    "Multiply": pair("mul"),
    "TrueDivide": pair("div"),
    "Divide": pair("div"),
    "Mean": reduced("mean"),
    "Sum": reduced("sum"),
    "Max": reduced("max"),
    "Min": reduced("max"),
    "Any": reduced("max"),
    "All": reduced("max"),
    "MaxPool": pool("maxpool"),
    "AveragePool": pool("avgpool"),
    "Cast": function("identity"),
    "Concatenate": concatenate,
    "Einsum": einsum,
    "ExpandDims": expand,
    "GetItem": taken,
    "Matmul": matmul,
    "Reshape": reshape,
    "Softmax": lambda layer: layer.step("softmax") if layer.get("axis", -1) == -1 else UNKNOWN,
    "Squeeze": squeeze,
    "Transpose": transpose,
}
