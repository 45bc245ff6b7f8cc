"""Single operations and a 1-D network against results recorded from PyTorch: `data/torch_ops.json`.

`data/record_torch_ops.py` wrote that file. Each case is written here as a spec of one layer, read, and compared:
output shape, weights, biases, running statistics, and mult-adds where PyTorch's counter knows the operation. What
PyTorch refuses, we refuse.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from costcalc import CostcalcError, analyze
from costcalc.errors import Source
from costcalc.model.trace import trace
from costcalc.read.spec.reader import read

HERE = Path(__file__).parents[1]
RECORD = json.loads((HERE / "data" / "torch_ops.json").read_text(encoding="utf-8"))
NETWORK = RECORD["network"]

FEATURES_LAST = {
    "Linear",
    "Bilinear",
    "Embedding",
    "LSTM",
    "GRU",
    "RNN",
    "MultiheadAttention",
    "LayerNorm",
    "RMSNorm",
    "GLU",
    "Softmax",
    "matmul",
    "einsum",
}


def ours(shape, kind):
    """A recorded shape in our layout: without the batch, channels last, attention heads merged into the features."""
    sample = shape[1:]
    if kind == "scaled_dot_product_attention":
        heads, tokens, size = sample
        return (tokens, heads * size)
    return tuple(sample) if kind in FEATURES_LAST else (*sample[1:], sample[0])


# a case as a layer of a spec: module -> conversion of its arguments


def _conv(args):
    names = {"kernel_size": "conv", "out_channels": "out"}
    kept = ("stride", "dilation", "groups", "bias")
    layer = {names[name]: args[name] for name in names} | {name: args[name] for name in kept if name in args}
    return {**layer, "padding": args.get("padding", "valid")}


def _depthwise(args):
    layer = _conv(args)
    multiplier = layer.pop("out") // layer.pop("groups")
    return {"dwconv": layer.pop("conv"), "multiplier": multiplier, **layer}


def _convolution(args):
    depthwise = args.get("groups", 1) == args["in_channels"] > 1 and args["out_channels"] % args["in_channels"] == 0
    return _depthwise(args) if depthwise else _conv(args)


def _conv_transpose(args):
    layer = _conv(args)
    return {"conv_transpose": layer.pop("conv"), "output_padding": args.get("output_padding", 0), **layer}


def _pool(name):
    def pool(args):
        kept = ("stride", "dilation", "ceil_mode")
        layer = {name: args["kernel_size"], **{key: args[key] for key in kept if key in args}}
        return {**layer, "padding": args.get("padding", "valid")}

    return pool


def _recurrent(name):
    words = {"num_layers": "layers", "bidirectional": "bidirectional", "bias": "bias", "proj_size": "projection"}

    def recurrent(args):
        return {name: args["hidden_size"], **{words[key]: args[key] for key in words if key in args}}

    return recurrent


def _attention(args):
    cross = {"memory": "b"} if "kdim" in args else {}
    return {"attention": args["num_heads"], "bias": args.get("bias", True), **cross}


def _norm(name, flag):
    def norm(args):
        layer = {name: args.get("num_groups")}
        if flag in args:
            layer["scale"] = args[flag]
        if name != "rmsnorm" and (flag in args or "bias" in args):
            layer["shift"] = args.get(flag, True) and args.get("bias", True)
        return layer

    return norm


def _upsample(args):
    if "size" in args:
        return {"upsample": None, "to": args["size"], "method": args["mode"]}
    return {"upsample": args["scale_factor"]}


def _pad(args):
    pairs = list(zip(args["pad"][::2], args["pad"][1::2], strict=True))
    return {"pad": pairs[::-1]}


def _axis(dim):
    return "channels" if dim == 1 else dim - 2


LAYERS = {
    "Conv": _convolution,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _pool("maxpool"),
    "AvgPool": _pool("avgpool"),
    "LPPool": _pool("lppool"),
    "AdaptiveAvgPool": lambda args: {"adaptive_avgpool": args["output_size"]},
    "AdaptiveMaxPool": lambda args: {"adaptive_maxpool": args["output_size"]},
    "LSTM": _recurrent("lstm"),
    "GRU": _recurrent("gru"),
    "RNN": _recurrent("rnn"),
    "MultiheadAttention": _attention,
    "Linear": lambda args: {"linear": args["out_features"], "bias": args["bias"]},
    "Bilinear": lambda args: {"bilinear": ["a", "b"], "out": args["out_features"], "bias": args.get("bias", True)},
    "Embedding": lambda args: {"embedding": args["embedding_dim"], "vocab": args["num_embeddings"]},
    "BatchNorm": _norm("batchnorm", "affine"),
    "GroupNorm": _norm("groupnorm", "affine"),
    "InstanceNorm": _norm("instancenorm", "affine"),
    "LayerNorm": _norm("layernorm", "elementwise_affine"),
    "RMSNorm": _norm("rmsnorm", "elementwise_affine"),
    "LocalResponseNorm": lambda args: {"lrn": args["size"]},
    "PReLU": lambda args: {"prelu": None, "shared": args["num_parameters"] == 1},
    "Softmax": lambda args: {"softmax": None},
    "GLU": lambda args: {"glu": None},
    "PixelShuffle": lambda args: {"pixel_shuffle": args["upscale_factor"]},
    "PixelUnshuffle": lambda args: {"pixel_unshuffle": args["downscale_factor"]},
    "ChannelShuffle": lambda args: {"channel_shuffle": args["groups"]},
    "Flatten": lambda args: {"flatten": None},
    "Upsample": _upsample,
    "pad": _pad,
    "cat": lambda args: {"concat": ["a", "b", "c"], "axis": _axis(args["dim"])},
    "chunk": lambda args: {"split": args["chunks"], "axis": _axis(args["dim"])},
    "narrow": lambda args: {"slice": args["length"], "start": args["start"], "axis": _axis(args["dim"])},
    "mean": lambda args: {"reduce": "mean", "axis": _axis(args["dim"])},
    "add": lambda args: {"add": ["a", "b"]},
    "matmul": lambda args: {"matmul": ["a", "b"]},
    "einsum": lambda args: {"einsum": args["equation"].replace("n", ""), "of": ["a", "b"]},  # n is the batch
}


def layer_of(case):
    """The spec layer that a case describes."""
    kind, inputs = case["module"], case["inputs"]
    if kind == "scaled_dot_product_attention":
        return {"attend": ["a", "b", "c"], "heads": inputs[0][1]}
    layer = LAYERS[re.sub(r"\dd$", "", kind)](case["args"])
    if kind == "cat":
        layer["concat"] = layer["concat"][: len(inputs)]
    return layer


def model_of(case):
    """The case as a model of one layer. JSON is YAML, so the spec reader reads the layer."""
    inputs = {name: ours(shape, case["module"]) for name, shape in zip("abc", case["inputs"], strict=False)}
    return read(Source("case", json.dumps({"inputs": inputs, "layers": [layer_of(case)]})))


def recorded_params(params):
    """(weights, biases): PyTorch's names of biases contain `bias`, such as `in_proj_bias`, `bias_hh_l0_reverse`."""
    biases = sum(count for name, count in params.items() if "bias" in name)
    return sum(params.values()) - biases, biases


def our_params(params):
    """(weights, biases): PyTorch treats scales and slopes as weights, and shifts as biases."""
    weights = sum(params.get(kind, 0) for kind in ("weight", "gamma", "slope"))
    return weights, params.get("bias", 0) + params.get("beta", 0)


def names(cases):
    """A test id for each case."""
    return [f"{number}-{case['module']}" for number, case in enumerate(cases)]


ACCEPTED = [case for case in RECORD["cases"] if "refused" not in case]
REFUSED = [case for case in RECORD["cases"] if "refused" in case]


@pytest.mark.parametrize("case", ACCEPTED, ids=names(ACCEPTED))
def test_operation(case):
    """Shape, parameters and mult-adds of one operation."""
    report = analyze(model_of(case), convention="framework")
    (row,) = trace(report.model, report.values).rows
    (line,) = report.lines
    params, statistics = row.layer.params, [n for name, n in case["buffers"].items() if name.startswith("running")]
    assert line.output == ours(case["outputs"][0], case["module"])
    assert our_params(params) == recorded_params(case["params"])
    assert params.get("running", 0) == sum(statistics)
    if case["module"] != "Bilinear":  # the counter does not support the bilinear form
        assert line.cost == (case["mult_adds"] or 0)


@pytest.mark.parametrize("case", REFUSED, ids=names(REFUSED))
def test_refused(case):
    """Invalid cases, recorded with PyTorch's reason: each is a readable spec that is refused for its sizes."""
    model = model_of(case)
    with pytest.raises(CostcalcError) as refusal:
        analyze(model)
    assert {problem.code for problem in refusal.value.problems} <= {"cannot-be", "shape-mismatch"}


# the network

KINDS = {
    "Conv1d": "conv",
    "ConvTranspose1d": "conv_transpose",
    "GroupNorm": "groupnorm",
    "PReLU": "prelu",
    "dwconv": "conv",
}


def recorded_layer(row):
    """A layer of the recorded network."""
    convolution = "kernel_size" in row
    return (
        KINDS[row["module"]],
        ours(row["input"], row["module"]),
        ours(row["output"], row["module"]),
        tuple(row["kernel_size"]) if convolution else (),
        tuple(row["stride"]) if convolution else (),
        row["groups"] if convolution else 1,
        *recorded_params(row["params"]),
    )


def our_layer(line, row):
    """The same for one of our rows."""
    convolution = "conv" in line.op
    return (
        KINDS.get(line.op, line.op),
        line.input,
        line.output,
        line.kernel if convolution else (),
        line.stride if convolution else (),
        line.groups if convolution else 1,
        *our_params(row.layer.params),
    )


def test_network_layers():
    """Every layer of the 1-D network, and its total parameters."""
    report = analyze(HERE / "specs" / f"{NETWORK['name']}.yaml", convention="framework")
    pairs = zip(report.lines, trace(report.model, report.values).rows, strict=True)
    mine = Counter(our_layer(line, row) for line, row in pairs if line.params)
    assert mine == Counter(map(recorded_layer, NETWORK["rows"]))
    assert report.totals["params"] == NETWORK["params"]


@pytest.mark.parametrize("length", NETWORK["by_length"])
def test_network_lengths(length):
    """Mult-adds of the 1-D network at several lengths."""
    report = analyze(HERE / "specs" / f"{NETWORK['name']}.yaml", samples=int(length))
    expected = NETWORK["by_length"][length]
    assert (report.totals["mult_adds"], report.output[0]) == (expected["mult_adds"], expected["output"])
