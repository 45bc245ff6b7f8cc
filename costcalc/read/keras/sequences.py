"""Keras layers for sequences: recurrent layers, and layers that run another layer at every position."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...model.network import Step
from ...num.values import Shape
from .layer import UNKNOWN, Layer, Tensor

_GATES = {"lstm": 4, "gru": 3, "rnn": 1}
_CELLS = {"LSTMCell": "lstm", "GRUCell": "gru", "SimpleRNNCell": "rnn"}
_EVERYWHERE = ("Dense", "Dropout", "LayerNormalization", "BatchNormalization", "Activation", "LeakyReLU", "ReLU")


def recurrent(op: str) -> Callable[..., Any]:
    """Create the rule of a recurrent layer."""

    def rule(layer: Layer) -> Step:
        states = 2 if op == "lstm" else 1
        layer.others = [(layer.config["units"],)] * states if layer.get("return_state", False) else ()
        return layer.group(*_cell(layer, op), *_last(layer))

    return rule


def _cell(layer: Layer, op: str, bidirectional: bool = False) -> Iterator[Step]:
    """Steps of a cell at all positions. A single bias vector is a separate row: our operations have two or none."""
    units, bias = layer.config["units"], layer.get("use_bias", True)
    both = op == "gru" and bias and layer.get("reset_after", True)
    yield layer.step(op, hidden=units, bias=bool(both), bidirectional=bidirectional)
    if bias and not both:
        count = _GATES[op] * units * (1 + bidirectional)
        yield layer.step("opaque", label="bias", mult_adds=0, params=count)


def _last(layer: Layer) -> Iterator[Step]:
    """Step that selects the last position, unless all are returned."""
    if not layer.get("return_sequences", False):
        yield layer.step("slice", size=1, axis="length")
        yield layer.step("flatten")


def cells(layer: Layer) -> Step | None:
    """RNN with one cell or a stack of cells."""
    cell = layer.config["cell"]
    stacked = cell["class_name"] == "StackedRNNCells"
    listed = cell["config"]["cells"] if stacked else [cell]
    if not listed or any(one["class_name"] not in _CELLS for one in listed):
        return UNKNOWN
    steps = [step for one in listed for step in _cell(layer.of(one["config"]), _CELLS[one["class_name"]])]
    return layer.group(*steps, *_last(layer))


def bidirectional(layer: Layer) -> Step | None:
    """Bidirectional around a recurrent layer. The two outputs are concatenated or merged."""
    inner, merge, other = layer.config["layer"], layer.config.get("merge_mode", "concat"), layer.get("backward_layer")
    ops = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
    alike = other is None or _alike(inner["config"], other["config"])
    if inner["class_name"] not in ops or merge not in ("concat", "sum", "ave", "mul") or not alike:
        return UNKNOWN
    within = layer.of(inner["config"])
    if within.get("return_state", False):
        layer.others = [(within.config["units"],)] * (4 if inner["class_name"] == "LSTM" else 2)
    steps = [*_cell(within, ops[inner["class_name"]], True), *_last(within)]
    if merge != "concat":
        halves = tuple((layer.step("split", parts=2, part=part),) for part in (0, 1))
        steps.append(layer.step("mul" if merge == "mul" else "add", inputs=halves))
    return layer.group(*steps)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("units", "use_bias", "return_sequences", "reset_after"))


def repeated(layer: Layer) -> Step:
    """RepeatVector: the vector, repeated at n positions."""
    return layer.made((layer.config["n"], *layer.shape), "repeat")


def distributed(layer: Layer) -> Step | None:
    """TimeDistributed: the wrapped layer runs at every position."""
    inner = layer.config["layer"]
    if inner["class_name"] in _EVERYWHERE and inner["config"].get("axis", -1) in (-1, [-1]):
        return layer.reader.wrapped(inner, layer.tensors[0])[0]._replace(label=None, origin=None)
    return each_step(layer, lambda one: layer.reader.wrapped(inner, one))


def each_step(layer: Layer, make: Any) -> Step | None:
    """Steps that run at every position of a sequence. `make` returns the steps of one position and its output shape."""
    if len(layer.shape) < 2:
        return UNKNOWN
    steps, *rest = layer.shape
    one = Tensor("step", tuple(rest))
    body, out = make(one)
    taken = layer.named(layer.made(one.shape, "one of the steps"), one.label)
    found = [taken, layer.named(layer.group(body), None, None, steps)]
    if out is None:
        layer.lost = True
        return layer.group(*found)
    return layer.group(*found, layer.made((steps, *out), "all of the steps"))


def conv_recurrent(layer: Layer) -> Step | None:
    """ConvLSTM: four gates at each position, from a convolution of the input and one of the state."""
    return layer.group(each_step(layer, lambda one: _conv_gates(layer, one)), *_last_grid(layer))


def _conv_gates(layer: Layer, one: Tensor) -> tuple[Step, Shape]:
    filters, bias = layer.config["filters"], layer.get("use_bias", True)
    options = {"kernel": layer.config["kernel_size"], "out": 4 * filters}
    spread = {"stride": layer.get("strides", 1), "dilation": layer.get("dilation_rate", 1)}
    read = layer.step("conv", **options, **spread, padding=layer.get("padding", "valid"), bias=bias)
    grid = layer.reader.flow.tried(read, one.shape)[:-1]
    state, twice = (*grid, filters), ((), ())
    kept = (layer.made(state, "state"), layer.step("conv", **options, padding="same", bias=False))
    steps = [
        layer.named(layer.step("add", inputs=((read,), kept)), None, one.label),
        layer.step("sigmoid"),
        layer.step("slice", size=filters),
        layer.step("tanh"),
        *(layer.step(op, inputs=twice) for op in ("mul", "mul", "add", "mul")),
    ]
    return layer.group(*steps), state


def _last_grid(layer: Layer) -> Iterator[Step]:
    """Step that selects the last state of a convolutional recurrent layer."""
    if layer.get("return_sequences", False):
        return
    whole = layer.reader.flow.tried(each_step(layer, lambda one: _conv_gates(layer, one)), layer.shape)
    layer.others = [whole[1:]] * 2 if layer.get("return_state", False) else ()
    yield layer.made(whole[1:], "last state")
