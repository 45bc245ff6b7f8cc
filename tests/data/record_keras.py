"""Writes `keras/applications.jsonl.xz`, or `keras/layers.jsonl.xz` for the argument `layers`, with Keras and PyTorch.

With the argument `names`, write `keras/names.json`: the classes of `keras.layers`, and layers with `count_params()`.

One JSON value for each network: `model.to_json()` as a value, the number of trainable values by Keras, and half
of what `torch.utils.flop_counter.FlopCounterMode` counts in one call with a batch of one on the meta device.
"""

import json
import lzma
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from keras import layers as L
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

HERE = Path(__file__).parent / "keras"


def trainable(model):
    """The number of trainable values of a model, each once."""
    return sum(int(torch.tensor(one.shape).prod()) for one in model.trainable_weights)


def mult_adds(model):
    """Half of what FlopCounterMode counts; open axes are 224 long."""
    shapes = [[1, *(size or 224 for size in one.shape[1:])] for one in model.inputs]
    inputs = [
        torch.zeros(shape, device=next(iter(model.variables)).value.device if model.variables else "cpu")
        for shape in shapes
    ]
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return counter.get_total_flops() // 2


def record(name, model):
    """The record of one network."""
    params, config = trainable(model), json.loads(model.to_json())
    return {"name": name, "params": params, "mult_adds": mult_adds(model), "config": config}


def applications():
    """Each network of keras.applications with its default input."""
    for name in sorted(dir(keras.applications)):
        make = getattr(keras.applications, name)
        if isinstance(make, type(keras)) or not callable(make):
            continue
        keras.utils.clear_session()
        try:
            with keras.device("meta"):
                yield record(name, make(weights=None))
        except ValueError as error:  # NASNet does not run with PyTorch
            print(name, error, file=sys.stderr)


def _net(make, *shapes):
    """A model from the function `make` and inputs of these shapes."""
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, make(*inputs))


def _time_model():
    first = keras.Input((16, 16, 3))
    return keras.Model(first, L.Dense(2)(L.Flatten()(L.Conv2D(4, 3)(first))))


def _states(x):
    """An encoder whose states initialise a decoder."""
    y, hidden, cell = L.LSTM(5, return_sequences=True, return_state=True, unroll=True)(x)
    return [L.LSTM(5, unroll=True)(y, initial_state=[hidden, cell]), L.Dense(3)(hidden), L.Dense(2)(y)]


def _two_outputs(x):
    first = keras.Input((8,))
    inner = keras.Model(first, [L.Dense(4)(first), L.Dense(6)(first)])
    one, two = inner(x)
    return [L.Dense(3)(one), L.Dense(3)(two)]


def _two_inputs(a, b):
    first, second = keras.Input((8,)), keras.Input((12,))
    inner = keras.Model([second, first], L.Concatenate()([L.Dense(4)(first), L.Dense(6)(second)]))
    return inner([b, a])


def _twice(a, b):
    head = L.Conv2D(4, 3, padding="same")
    return [head(a), head(b)]


def _heads_twice(a, b):
    heads = L.MultiHeadAttention(2, 4)
    return [heads(a, a), heads(b, b)]


def _tied(x):
    table = L.ReversibleEmbedding(50, 8)
    return table(L.Dense(8)(table(x)), reverse=True)


def _old_model(x):
    inner = _net(lambda y: L.Dense(4)(y), (6,))
    return [inner(x), L.Dense(3)(inner(x))]


def layers():
    """Single layers and small networks; recurrent ones are unrolled, because Keras otherwise runs an extra step."""
    one, grid, film = (20, 6), (9, 8, 6), (4, 10, 10, 2)
    yield "repeat", _net(lambda x: L.LSTM(4, unroll=True)(L.RepeatVector(3)(x)), (6,))
    yield "time_flatten", _net(lambda x: L.LSTM(4)(L.TimeDistributed(L.Flatten())(x)), (5, 16, 16, 3))
    yield "time_conv", _net(lambda x: L.TimeDistributed(L.Conv2D(4, 3, strides=2))(x), (5, 16, 16, 3))
    yield "time_model", _net(L.TimeDistributed(_time_model()), (5, 16, 16, 3))
    yield "time_time", _net(L.TimeDistributed(L.TimeDistributed(L.Conv1D(4, 3))), (3, 5, 16, 3))
    yield "time_norm", _net(L.TimeDistributed(L.BatchNormalization(axis=1)), (5, 8, 3))
    for name, options in {
        "same": {"padding": "same"},
        "valid": {"strides": 2},
        "all": {"return_sequences": True},
    }.items():
        yield f"convlstm_{name}", _net(L.ConvLSTM2D(6, 3, unroll=True, **options), film)
    yield "convlstm1d", _net(L.ConvLSTM1D(6, 3, unroll=True), (4, 10, 2))
    for equation, target, bias in (
        ("abc,cd->abd", [20, 7], "d"),
        ("abc,cde->abde", [20, 2, 5], "de"),
        ("abc,bcd->ad", [7], None),
        ("abc,bd->adc", [9, 6], "d"),
        ("...x,xy->...y", [7], "y"),
        ("abc,cd->abd", [20, 7], None),
    ):
        layer = L.EinsumDense(equation, target if "..." not in equation else 7, bias_axes=bias, activation="relu")
        yield f"einsum_{equation}_{bias}", _net(layer, one)
    yield "attention", _net(lambda a, b: L.Attention()([a, b]), (20, 6), (15, 6))
    yield "attention_scale", _net(lambda a, b: L.Attention(use_scale=True)([a, b]), (20, 6), (15, 6))
    yield "attention_key", _net(lambda a, b, c: L.Attention()([a, b, c]), (20, 6), (15, 9), (15, 6))
    yield "attention_concat", _net(lambda a, b: L.Attention(score_mode="concat", use_scale=True)([a, b]), one, (15, 6))
    yield "additive", _net(lambda a, b: L.AdditiveAttention()([a, b]), one, (15, 6))
    yield "additive_key", _net(lambda a, b, c: L.AdditiveAttention(use_scale=False)([a, b, c]), one, (15, 9), (15, 6))
    for axes, shapes in {1: ((6,), (6,)), 2: ((5, 6), (7, 6)), (1, 2): ((5, 6), (7, 5)), -1: ((5, 6), (7, 6))}.items():
        yield f"dot_{axes}", _net(lambda a, b, axes=axes: L.Dot(axes)([a, b]), *shapes)
    for name, cell in {
        "lstm": L.LSTMCell(4),
        "gru": L.GRUCell(5, reset_after=False),
        "rnn": L.SimpleRNNCell(3),
    }.items():
        yield f"cell_{name}", _net(L.RNN(cell, unroll=True), one)
    yield "cells", _net(L.RNN([L.LSTMCell(4), L.GRUCell(5)], unroll=True, return_sequences=True), one)
    yield "cell", _net(L.RNN(L.GRUCell(5), return_sequences=True, unroll=True), one)
    for mode in ("concat", "sum", "mul", "ave"):
        yield f"both_{mode}", _net(L.Bidirectional(L.GRU(4, return_sequences=True), merge_mode=mode), one)
    yield "both_last", _net(lambda x: L.Dense(3)(L.Bidirectional(L.LSTM(4))(x)), one)
    yield "spectral", _net(L.SpectralNormalization(L.Conv2D(4, 3)), grid)
    yield "spectral_dense", _net(L.SpectralNormalization(L.Dense(4)), one)
    yield "crops", _net(lambda x: L.Conv1D(3, 3)(L.Cropping1D((2, 3))(x)), one)
    yield "crops_2d", _net(lambda x: L.Conv2D(3, 3)(L.Cropping2D(1)(x)), grid)
    yield "crops_3d", _net(lambda x: L.Conv3D(3, 2)(L.Cropping3D(((0, 1), (2, 1), (1, 1)))(x)), film)
    yield "pads", _net(lambda x: L.Conv1D(3, 3)(L.ZeroPadding1D((2, 3))(x)), one)
    yield "pads_3d", _net(lambda x: L.Conv3D(3, 2)(L.ZeroPadding3D(((0, 1), (2, 1), (1, 1)))(x)), film)
    yield "ups", _net(lambda x: L.Conv1D(3, 3)(L.UpSampling1D(2)(x)), one)
    yield "center", _net(lambda x: L.Conv2D(4, 3)(L.CenterCrop(8, 8)(x)), (64, 64, 3))
    yield "category", _net(lambda x: L.Dense(8)(L.CategoryEncoding(50, "one_hot")(x)), (1,))
    yield "categories", _net(lambda x: L.Dense(8)(L.CategoryEncoding(50, "multi_hot")(x)), (3,))
    yield "last", _net(lambda x: L.Dense(3)(x[:, -1]), one)
    yield "part", _net(lambda x: L.Dense(3)(L.Flatten()(x[:, 2:9:2, 1:])), one)
    yield "lambda", _net(lambda x: L.Dense(3)(L.Lambda(lambda y: y[:, -1])(x)), one)
    yield "reshape", _net(lambda x: L.Dense(3)(keras.ops.reshape(x, (-1, 120))), one)
    yield "functions", _net(lambda x: L.Dense(3)(keras.ops.squeeze(keras.ops.mean(x, 1, keepdims=True), 1) * 2), one)
    yield "matmul", _net(lambda x: keras.ops.matmul(x, keras.ops.transpose(x, (0, 2, 1))), one)
    yield "einsum", _net(lambda a, b: keras.ops.einsum("btd,bsd->bts", a, b), one, (15, 6))
    yield "compared", _net(lambda x: L.Dense(3)(keras.ops.where(keras.ops.greater(x, 0.5), x, x**2)), one)
    yield "pools_as_functions", _net(lambda x: L.Dense(3)(keras.ops.average_pool(keras.ops.max_pool(x, 2), 3)), grid)
    yield "heads_masked", _net(lambda x: L.MultiHeadAttention(2, 4)(L.Masking()(x), x), one)
    yield "stack", _net(lambda x: L.Dense(3)(keras.ops.concatenate([x, keras.ops.relu(x)], axis=1)), one)
    yield "heads", _net(lambda a, b: L.MultiHeadAttention(2, 4, value_dim=7)(a, b), one, (15, 6))
    yield "heads_query", _net(lambda a, b: L.MultiHeadAttention(2, 4)(a, b), one, (15, 9))
    yield "heads_grid", _net(lambda a: L.MultiHeadAttention(2, 4)(a, a), grid)
    yield "heads_axis", _net(lambda a: L.MultiHeadAttention(2, 4, attention_axes=2)(a, a), grid)
    yield "heads_two_values", _net(lambda a, b: L.MultiHeadAttention(2, 4)(a, a, key=b), one, (20, 9))
    yield "heads_shape", _net(lambda a: L.MultiHeadAttention(2, 4, output_shape=5)(a, a), one)
    yield "grouped", _net(lambda a: L.GroupQueryAttention(5, 4, 2)(a, a), one)
    yield "norm_axis", _net(L.BatchNormalization(axis=1), one)
    yield "norm_axes", _net(L.LayerNormalization(axis=[1, 2, 3]), grid)
    yield "norm_rms", _net(L.RMSNormalization(), grid)
    yield "norm_groups", _net(L.GroupNormalization(3), grid)
    yield "prelu", _net(L.PReLU(), grid)
    yield "prelu_channels", _net(L.PReLU(shared_axes=[1, 2]), grid)
    yield "prelu_some", _net(L.PReLU(shared_axes=[1]), grid)
    yield "states", _net(_states, one)
    yield "two_outputs", _net(_two_outputs, (8,))
    yield "two_inputs", _net(_two_inputs, (8,), (12,))
    yield "twice", _net(_twice, (9, 8, 3), (5, 4, 3))
    yield "heads_twice", _net(_heads_twice, one, (15, 6))
    yield "mel", _net(lambda x: L.MelSpectrogram(num_mel_bins=40, sequence_stride=256, fft_length=512)(x), (16000,))
    yield "tied", _net(_tied, (12,))
    yield "model_twice", _net(_old_model, (6,))
    yield "untied", _net(lambda x: L.ReversibleEmbedding(50, 8, tie_weights=False)(x), (12,))


_ARGUMENTS = {
    "RandomPosterization": {"factor": 4},
    **{f"Random{what}": {"factor": 0.5} for what in ("Hue", "Saturation", "Sharpness", "ColorDegeneration")},
}
_AUGMENTING = (
    *("AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "MixUp", "RandAugment"),
    *("RandomColorJitter", "RandomElasticTransform", "RandomErasing", "RandomGaussianBlur", "RandomGrayscale"),
    *("RandomInvert", "RandomPerspective", "Solarization", *_ARGUMENTS),
)


def small():
    """Layers with untrained or no parameters: only their `count_params()` is recorded."""
    for name, layer, shape in (
        ("dense", L.Dense(5), (8,)),
        ("conv", L.Conv2D(5, 3), (8, 8, 4)),
        ("depthwise", L.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 4)),
        ("transposed", L.Conv2DTranspose(5, 3), (8, 8, 4)),
        ("embedding", L.Embedding(20, 6), (8,)),
    ):
        yield f"spectral_{name}", _net(L.SpectralNormalization(layer), shape)
    for name in _AUGMENTING:
        yield name, _net(getattr(L, name)(**_ARGUMENTS.get(name, {})), (8, 8, 3))
    yield "buckets", _net(L.Discretization([0.0, 1.0]), (8,))
    yield "bucket_vectors", _net(L.Discretization([0.0, 1.0], output_mode="multi_hot"), (8,))


def write_names():
    """Write the classes of layers and the counts of small ones."""
    classes = sorted({one.__name__ for one in vars(L).values() if isinstance(one, type)})
    found = [
        {"name": name, "count": net.count_params(), "output": net.output_shape[1:], "config": json.loads(net.to_json())}
        for name, net in small()
    ]
    text = json.dumps({"keras": keras.__version__, "classes": classes, "layers": found}, separators=(",", ":"))
    (HERE / "names.json").write_text(f"{text}\n")


def write(name, networks):
    """Write a file of networks."""
    with lzma.open(HERE / f"{name}.jsonl.xz", "wt", preset=9 | lzma.PRESET_EXTREME) as file:
        for one in networks:
            print(one["name"], one["params"], one["mult_adds"], file=sys.stderr, flush=True)
            print(json.dumps(one, separators=(",", ":")), file=file)


if __name__ == "__main__":
    if "names" in sys.argv:
        write_names()
    elif "layers" in sys.argv:
        write("layers", (record(*one) for one in layers()))
    else:
        write("applications", applications())
