"""Record PyTorch's results for single operations and one small 1-D network: run it to write torch_ops.json.

    python -m venv torch && torch/bin/pip install torch==2.13.0 numpy && torch/bin/python record_torch_ops.py

Each case is a module with its arguments and the shapes of its inputs, drawn with a fixed seed. It is run on the CPU
for the shapes of its outputs, and on the meta device under `FlopCounterMode` for its mult-adds (half its FLOPs).
A case that PyTorch refuses is kept with the first line of its message. The tests read the file and need no torch.
"""

import json
import platform
import random
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

SEED = 20240117
PRODUCTS = ("Conv", "Linear", "LSTM", "GRU", "RNN", "Multihead", "matmul", "einsum", "attention")  # what is counted


class Call(nn.Module):
    """A torch function as a module."""

    def __init__(self, function, **options):
        super().__init__()
        self.function, self.options = function, options

    def forward(self, *inputs):
        return self.function(*inputs, **self.options)


def einsum(*inputs, equation):
    """torch.einsum with the equation as an option."""
    return torch.einsum(equation, *inputs)


FUNCTIONS = {
    "matmul": torch.matmul,
    "einsum": einsum,
    "scaled_dot_product_attention": functional.scaled_dot_product_attention,
    "pad": functional.pad,
    "cat": lambda *inputs, dim: torch.cat(inputs, dim),
    "narrow": torch.narrow,
    "chunk": torch.chunk,
    "add": torch.add,
    "mean": torch.mean,
}


def build(kind, args):
    """The module of a case."""
    return Call(FUNCTIONS[kind], **args) if kind in FUNCTIONS else getattr(nn, kind)(**args)


def tensors(kind, shapes, device):
    """Inputs of those shapes; indices for a table."""
    if kind == "Embedding":
        return [torch.zeros(shape, dtype=torch.long, device=device) for shape in shapes]
    return [torch.zeros(shape, device=device) for shape in shapes]


def shapes_of(output):
    """Shapes of all tensors that a module returns."""
    if isinstance(output, torch.Tensor):
        return [list(output.shape)]
    return [shape for part in output if part is not None for shape in shapes_of(part)]


def mult_adds(module, kind, shapes):
    """Half the FLOPs of one run, or None if the counter does not support the operation."""
    if not any(part in kind for part in PRODUCTS):
        return None
    module = module.to("meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*tensors(kind, shapes, "meta"))
    return counter.get_total_flops() // 2


def numbers(named):
    """The number of elements of each parameter or buffer, by name."""
    return {name: value.numel() for name, value in named}


def record(kind, args, shapes):
    """One case as JSON, with its results or PyTorch's error."""
    case = {"module": kind, "args": args, "inputs": shapes}
    try:
        module = build(kind, args).eval()
        with torch.no_grad():
            outputs = shapes_of(module(*tensors(kind, shapes, "cpu")))
    except (RuntimeError, ValueError, AssertionError) as error:
        return {**case, "refused": (str(error) or type(error).__name__).splitlines()[0]}
    return {
        **case,
        "outputs": outputs,
        "params": numbers(module.named_parameters()),
        "buffers": numbers(module.named_buffers()),
        "mult_adds": mult_adds(module, kind, shapes),
    }


# cases: each function draws one, (module, arguments, shapes of the inputs); layers are batch first


def sizes(rng, rank, low, high):
    """A size for each of `rank` axes."""
    return [rng.randint(low, high) for _ in range(rank)]


def conv(rng, rank):
    """A convolution of any rank, groups and dilation included."""
    groups = rng.choice([1, 1, 2, 3])
    args = {
        "in_channels": groups * rng.randint(1, 4),
        "out_channels": groups * rng.randint(1, 5),
        "kernel_size": sizes(rng, rank, 1, 5),
        "stride": sizes(rng, rank, 1, 3),
        "padding": sizes(rng, rank, 0, 4),
        "dilation": sizes(rng, rank, 1, 3),
        "groups": groups,
        "bias": rng.random() < 0.5,
    }
    return f"Conv{rank}d", args, [[1, args["in_channels"], *sizes(rng, rank, 8, 14)]]


def conv_same(rng, rank):
    """A convolution with an output as large as its input, also with an even kernel."""
    args = {
        "in_channels": rng.randint(1, 4),
        "out_channels": rng.randint(1, 5),
        "kernel_size": sizes(rng, rank, 1, 6),
        "padding": "same",
        "dilation": sizes(rng, rank, 1, 2),
    }
    return f"Conv{rank}d", args, [[1, args["in_channels"], *sizes(rng, rank, 5, 14)]]


def depthwise(rng, rank):
    """A depthwise convolution with a channel multiplier."""
    channels = rng.randint(2, 6)
    args = {
        "in_channels": channels,
        "out_channels": channels * rng.randint(1, 3),
        "kernel_size": sizes(rng, rank, 1, 5),
        "stride": sizes(rng, rank, 1, 2),
        "padding": sizes(rng, rank, 0, 2),
        "groups": channels,
        "bias": rng.random() < 0.5,
    }
    return f"Conv{rank}d", args, [[1, channels, *sizes(rng, rank, 7, 12)]]


def conv_transpose(rng, rank):
    """A transposed convolution; the extra rows are fewer than the stride."""
    groups, stride = rng.choice([1, 1, 2, 3]), sizes(rng, rank, 1, 4)
    args = {
        "in_channels": groups * rng.randint(1, 4),
        "out_channels": groups * rng.randint(1, 4),
        "kernel_size": sizes(rng, rank, 2, 5),
        "stride": stride,
        "padding": sizes(rng, rank, 0, 2),
        "output_padding": [rng.randint(0, step - 1) for step in stride],
        "dilation": sizes(rng, rank, 1, 2),
        "groups": groups,
        "bias": rng.random() < 0.5,
    }
    return f"ConvTranspose{rank}d", args, [[1, args["in_channels"], *sizes(rng, rank, 3, 8)]]


def max_pool(rng, rank):
    """A maximum over windows; PyTorch pads by at most half the window."""
    window = sizes(rng, rank, 2, 5)
    args = {
        "kernel_size": window,
        "stride": sizes(rng, rank, 1, 4),
        "padding": [rng.randint(0, size // 2) for size in window],
        "dilation": sizes(rng, rank, 1, 2),
        "ceil_mode": rng.random() < 0.6,
    }
    return f"MaxPool{rank}d", args, [[1, 3, *sizes(rng, rank, 9, 16)]]


def avg_pool(rng, rank):
    """A mean over windows."""
    window = sizes(rng, rank, 2, 5)
    args = {
        "kernel_size": window,
        "stride": sizes(rng, rank, 1, 4),
        "padding": [rng.randint(0, size // 2) for size in window],
        "ceil_mode": rng.random() < 0.6,
    }
    return f"AvgPool{rank}d", args, [[1, 3, *sizes(rng, rank, 6, 15)]]


def lp_pool(rng, rank):
    """A power mean over windows, which overlap only with an explicit stride."""
    window = rng.randint(2, 3) if rank == 1 else sizes(rng, rank, 2, 3)
    args = {"norm_type": 2, "kernel_size": window, "ceil_mode": rng.random() < 0.5}
    return f"LPPool{rank}d", args, [[1, 3, *sizes(rng, rank, 6, 12)]]


def adaptive(rng, rank, kind):
    """A pool to a given size."""
    return f"Adaptive{kind}Pool{rank}d", {"output_size": sizes(rng, rank, 1, 6)}, [[1, 4, *sizes(rng, rank, 6, 13)]]


def recurrent(rng, kind, projected=False):
    """A recurrent layer: several layers, both directions, a projection."""
    args = {
        "input_size": rng.randint(2, 9),
        "hidden_size": rng.randint(5, 9),
        "num_layers": rng.randint(1, 3),
        "bidirectional": rng.random() < 0.5,
        "bias": rng.random() < 0.7,
        "batch_first": True,
    }
    if projected:
        args["proj_size"] = rng.randint(1, args["hidden_size"] - 1)
    return kind, args, [[1, rng.randint(1, 12), args["input_size"]]]


def self_attention(rng):
    """Attention of a sequence with itself."""
    heads = rng.choice([1, 2, 4])
    args = {"embed_dim": heads * rng.randint(1, 6), "num_heads": heads, "bias": rng.random() < 0.6, "batch_first": True}
    return "MultiheadAttention", args, [[1, rng.randint(1, 12), args["embed_dim"]]] * 3


def cross_attention(rng):
    """Attention of a sequence to another one with a different length and width."""
    heads, width = rng.choice([1, 2, 3]), rng.randint(2, 10)
    args = {"embed_dim": heads * rng.randint(2, 6), "num_heads": heads, "kdim": width, "vdim": width}
    memory = [1, rng.randint(1, 12), width]
    args |= {"bias": rng.random() < 0.6, "batch_first": True}
    return "MultiheadAttention", args, [[1, rng.randint(1, 12), args["embed_dim"]], memory, memory]


def product_attention(rng, grouped=False):
    """Attention without projections: heads are an axis; keys may be shared by several heads."""
    shared, size, width = rng.randint(1, 3), rng.randint(2, 8), rng.randint(2, 8)
    heads = shared * (rng.randint(2, 3) if grouped else 1)
    queries, keys = rng.randint(2, 9), rng.randint(2, 9)
    args = {"enable_gqa": True} if grouped else {}
    return (
        "scaled_dot_product_attention",
        args,
        [
            [1, heads, queries, size],
            [1, shared, keys, size],
            [1, shared, keys, size if grouped else width],
        ],
    )


def bilinear(rng):
    """A bilinear form."""
    args = {"in1_features": rng.randint(1, 7), "in2_features": rng.randint(1, 7), "out_features": rng.randint(1, 7)}
    args["bias"] = rng.random() < 0.5
    positions = sizes(rng, rng.randint(0, 2), 2, 5)
    return "Bilinear", args, [[1, *positions, args["in1_features"]], [1, *positions, args["in2_features"]]]


def linear(rng):
    """A fully connected layer over the last axis."""
    args = {"in_features": rng.randint(1, 20), "out_features": rng.randint(1, 20), "bias": rng.random() < 0.5}
    return "Linear", args, [[1, *sizes(rng, rng.randint(0, 3), 2, 5), args["in_features"]]]


def embedding(rng):
    """A table of vectors."""
    return (
        "Embedding",
        {"num_embeddings": rng.randint(5, 50), "embedding_dim": rng.randint(2, 9)},
        [[1, rng.randint(1, 9)]],
    )


def batch_norm(rng, rank):
    """Batch normalisation."""
    channels = rng.randint(1, 9)
    return (
        f"BatchNorm{rank}d",
        {"num_features": channels, "affine": rng.random() < 0.6},
        [[1, channels, *sizes(rng, rank, 2, 6)]],
    )


def group_norm(rng):
    """Group normalisation over a grid of any rank."""
    groups = rng.randint(1, 4)
    args = {"num_groups": groups, "num_channels": groups * rng.randint(1, 4), "affine": rng.random() < 0.6}
    return "GroupNorm", args, [[1, args["num_channels"], *sizes(rng, rng.randint(1, 3), 2, 6)]]


def instance_norm(rng, rank):
    """Instance normalisation."""
    channels = rng.randint(1, 9)
    return (
        f"InstanceNorm{rank}d",
        {"num_features": channels, "affine": rng.random() < 0.5},
        [[1, channels, *sizes(rng, rank, 2, 6)]],
    )


def last_axis_norm(rng, kind):
    """A normalisation over the last axis."""
    width = rng.randint(2, 9)
    args = {"normalized_shape": [width], "elementwise_affine": rng.random() < 0.6}
    if kind == "LayerNorm":
        args["bias"] = rng.random() < 0.5
    return kind, args, [[1, *sizes(rng, rng.randint(1, 2), 2, 6), width]]


def prelu(rng):
    """A learned slope per channel, or one for all."""
    channels = rng.randint(2, 9)
    return "PReLU", {"num_parameters": rng.choice([1, channels])}, [[1, channels, *sizes(rng, rng.randint(1, 2), 2, 6)]]


def shuffle(rng, kind):
    """Blocks of the grid moved to channels or back."""
    factor, channels, grid = rng.randint(2, 3), rng.randint(1, 4), sizes(rng, 2, 2, 5)
    if kind == "PixelShuffle":
        return kind, {"upscale_factor": factor}, [[1, channels * factor * factor, *grid]]
    return kind, {"downscale_factor": factor}, [[1, channels, *(factor * side for side in grid)]]


def channel_shuffle(rng):
    """Channels of groups interleaved."""
    groups = rng.randint(2, 4)
    return "ChannelShuffle", {"groups": groups}, [[1, groups * rng.randint(1, 4), *sizes(rng, 2, 2, 6)]]


def upsample_by(rng, rank):
    """A grid scaled up or down by a factor for each axis."""
    return (
        "Upsample",
        {"scale_factor": tuple(rng.choice([0.5, 1.5, 2.0, 2.5, 3.0]) for _ in range(rank))},
        [[1, 2, *sizes(rng, rank, 2, 9)]],
    )


def upsample_to(rng):
    """A plane interpolated to a size."""
    return "Upsample", {"size": sizes(rng, 2, 1, 12), "mode": "bilinear"}, [[1, 2, *sizes(rng, 2, 2, 9)]]


def pad(rng, rank):
    """Padding with a different size on each side; PyTorch lists the last axis first."""
    return "pad", {"pad": sizes(rng, 2 * rank, 0, 3)}, [[1, 2, *sizes(rng, rank, 2, 6)]]


def matmul(rng):
    """A batched matrix product."""
    rows, inner, columns = sizes(rng, 3, 1, 9)
    batch = sizes(rng, rng.randint(0, 2), 2, 4)
    return "matmul", {}, [[1, *batch, rows, inner], [1, *batch, inner, columns]]


def glu(rng):
    """Half the features gated by the other half."""
    return "GLU", {"dim": -1}, [[1, rng.randint(1, 6), 2 * rng.randint(1, 6)]]


DRAWN = [  # (number of cases, function that draws one, its arguments)
    (9, conv, 1),
    (14, conv, 2),
    (6, conv, 3),
    (2, conv_same, 1),
    (3, conv_same, 2),
    (1, conv_same, 3),
    (2, depthwise, 1),
    (3, depthwise, 2),
    (8, conv_transpose, 1),
    (10, conv_transpose, 2),
    (5, conv_transpose, 3),
    (5, max_pool, 1),
    (8, max_pool, 2),
    (3, max_pool, 3),
    (4, avg_pool, 1),
    (6, avg_pool, 2),
    (3, avg_pool, 3),
    (1, lp_pool, 1),
    (2, lp_pool, 2),
    (1, adaptive, 1, "Avg"),
    (2, adaptive, 2, "Avg"),
    (1, adaptive, 2, "Max"),
    (1, adaptive, 3, "Max"),
    (4, recurrent, "LSTM"),
    (4, recurrent, "LSTM", True),
    (4, recurrent, "GRU"),
    (4, recurrent, "RNN"),
    (4, self_attention),
    (4, cross_attention),
    (3, product_attention),
    (2, product_attention, True),
    (3, bilinear),
    (4, linear),
    (2, embedding),
    (1, batch_norm, 1),
    (2, batch_norm, 2),
    (1, batch_norm, 3),
    (4, group_norm),
    (1, instance_norm, 1),
    (2, instance_norm, 2),
    (1, instance_norm, 3),
    (3, last_axis_norm, "LayerNorm"),
    (2, last_axis_norm, "RMSNorm"),
    (3, prelu),
    (2, shuffle, "PixelShuffle"),
    (2, shuffle, "PixelUnshuffle"),
    (1, channel_shuffle),
    (1, upsample_by, 1),
    (3, upsample_by, 2),
    (1, upsample_by, 3),
    (2, upsample_to),
    (1, pad, 1),
    (2, pad, 2),
    (1, pad, 3),
    (3, matmul),
    (2, glu),
]

CHOSEN = [  # corner cases that a draw would rarely produce, and invalid cases
    ("MaxPool2d", {"kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": True}, [[1, 3, 5, 5]]),
    ("MaxPool2d", {"kernel_size": 1, "stride": 3, "ceil_mode": True}, [[1, 3, 8, 9]]),
    ("AvgPool2d", {"kernel_size": 3}, [[1, 3, 11, 10]]),
    ("BatchNorm2d", {"num_features": 5}, [[1, 5, 3, 4]]),
    ("InstanceNorm2d", {"num_features": 5}, [[1, 5, 3, 4]]),
    ("GroupNorm", {"num_groups": 2, "num_channels": 6}, [[1, 6, 3, 4]]),
    ("LayerNorm", {"normalized_shape": [6]}, [[1, 4, 6]]),
    ("RMSNorm", {"normalized_shape": [6]}, [[1, 4, 6]]),
    ("LSTM", {"input_size": 4, "hidden_size": 5, "batch_first": True}, [[1, 3, 4]]),
    ("LocalResponseNorm", {"size": 5}, [[1, 7, 4, 4]]),
    ("Softmax", {"dim": -1}, [[1, 7, 5]]),
    ("einsum", {"equation": "nhqd,nhkd->nhqk"}, [[1, 2, 5, 3], [1, 2, 7, 3]]),
    ("einsum", {"equation": "nhqk,nhkd->nqhd"}, [[1, 2, 5, 7], [1, 2, 7, 3]]),
    ("einsum", {"equation": "nij,nj->ni"}, [[1, 4, 6], [1, 6]]),
    ("cat", {"dim": 1}, [[1, 3, 4, 5], [1, 6, 4, 5], [1, 1, 4, 5]]),
    ("cat", {"dim": 2}, [[1, 3, 4, 5], [1, 3, 2, 5]]),
    ("chunk", {"chunks": 3, "dim": 1}, [[1, 6, 4, 5]]),
    ("narrow", {"dim": 3, "start": 1, "length": 3}, [[1, 6, 4, 5]]),
    ("add", {}, [[1, 6, 4, 5], [1, 6, 1, 1]]),
    ("mean", {"dim": 2}, [[1, 6, 4, 5]]),
    ("Flatten", {}, [[1, 6, 4, 5]]),
    ("Conv1d", {"in_channels": 2, "out_channels": 2, "kernel_size": 5, "dilation": 2}, [[1, 2, 8]]),
    ("Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 1, "groups": 4}, [[1, 4, 5, 5]]),
    ("Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 1, "groups": 3}, [[1, 4, 5, 5]]),
    ("Conv2d", {"in_channels": 1, "out_channels": 1, "kernel_size": 3, "padding": 1}, [[1, 1, 1, 1]]),
    ("ConvTranspose1d", {"in_channels": 1, "out_channels": 1, "kernel_size": 2, "padding": 3}, [[1, 1, 4]]),
    ("ConvTranspose2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "groups": 3}, [[1, 4, 5, 5]]),
    ("ConvTranspose1d", {"in_channels": 1, "out_channels": 1, "kernel_size": 3, "output_padding": 1}, [[1, 1, 4]]),
    ("MaxPool1d", {"kernel_size": 9, "stride": 1}, [[1, 3, 8]]),
    ("MaxPool2d", {"kernel_size": 3, "padding": 2}, [[1, 3, 8, 8]]),
    ("AvgPool1d", {"kernel_size": 3, "padding": 2}, [[1, 3, 8]]),
    ("LSTM", {"input_size": 4, "hidden_size": 5, "proj_size": 5, "batch_first": True}, [[1, 3, 4]]),
    ("MultiheadAttention", {"embed_dim": 9, "num_heads": 2, "batch_first": True}, [[1, 3, 9]] * 3),
    ("GroupNorm", {"num_groups": 3, "num_channels": 8}, [[1, 8, 4]]),
    ("PixelShuffle", {"upscale_factor": 2}, [[1, 6, 4, 4]]),
    ("PixelUnshuffle", {"downscale_factor": 2}, [[1, 6, 5, 4]]),
    ("GLU", {"dim": -1}, [[1, 4, 5]]),
    ("matmul", {}, [[1, 3, 4], [1, 5, 6]]),
    ("einsum", {"equation": "nij,nj->ni"}, [[1, 4, 6], [1, 5]]),
    ("cat", {"dim": 1}, [[1, 3, 4, 5], [1, 6, 4, 6]]),
    ("add", {}, [[1, 6, 4, 5], [1, 6, 4, 3]]),
    ("narrow", {"dim": 3, "start": 3, "length": 3}, [[1, 6, 4, 5]]),
    ("Bilinear", {"in1_features": 3, "in2_features": 4, "out_features": 2}, [[1, 5, 3], [1, 6, 4]]),
    ("Upsample", {"scale_factor": 0.2}, [[1, 2, 4, 4]]),
]


def cases():
    """All cases in order."""
    rng = random.Random(SEED)
    drawn = [draw(rng, *args) for count, draw, *args in DRAWN for _ in range(count)]
    return [record(*case) for case in [*drawn, *CHOSEN]]


# one network


class Unit(nn.Module):
    """A dilated depthwise separable unit of Conv-TasNet: half its output is the residual, half the skip connection."""

    def __init__(self, dilation):
        super().__init__()
        self.expand, self.act1, self.norm1 = nn.Conv1d(32, 64, 1), nn.PReLU(), nn.GroupNorm(1, 64)
        self.filter = nn.Conv1d(64, 64, 3, padding=dilation, dilation=dilation, groups=64)
        self.act2, self.norm2, self.project = nn.PReLU(64), nn.GroupNorm(1, 64), nn.Conv1d(64, 64, 1)

    def forward(self, x):
        y = self.norm1(self.act1(self.expand(x[:, :32])))
        return x + self.project(self.norm2(self.act2(self.filter(y))))


class Separator(nn.Module):
    """A small Conv-TasNet (arXiv:1809.07454): strided encoder, dilated units, a mask, transposed decoder."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Conv1d(1, 48, 16, stride=8, padding=4, bias=False)
        self.norm, self.bottleneck = nn.GroupNorm(1, 48), nn.Conv1d(48, 64, 1)
        self.units = nn.Sequential(*(Unit(dilation) for _ in range(2) for dilation in (1, 2, 4, 8, 16)))
        self.act, self.mask = nn.PReLU(), nn.Conv1d(32, 48, 1)
        self.decoder = nn.ConvTranspose1d(48, 2, 16, stride=8, padding=4, groups=2, bias=False)

    def forward(self, x):
        heard = torch.relu(self.encoder(x))
        y = self.units(self.bottleneck(self.norm(heard)))
        mask = torch.sigmoid(self.mask(self.act(y[:, 32:])))
        return self.decoder(mask * heard)


def leaf_rows(network, shape):
    """A row for each call of a leaf module, with its mult-adds measured in a separate run."""
    rows = []

    def hook(module, inputs, output):
        kind = type(module).__name__
        options = {name: list(getattr(module, name)) for name in ("kernel_size", "stride") if hasattr(module, name)}
        rows.append(
            {
                "module": kind,
                "input": list(inputs[0].shape),
                "output": list(output.shape),
                **options,
                "groups": getattr(module, "groups", 1),
                "params": numbers(module.named_parameters()),
            }
        )

    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(hook)
    with torch.no_grad():
        network(torch.zeros(shape))
    return rows


def separator():
    """The record of the network: layers at one length, totals at several."""
    network = Separator().eval()
    rows = leaf_rows(network, [1, 1, 4000])
    totals = {length: whole(length) for length in (4000, 1600, 4003)}
    return {
        "name": "separator_1d",
        "rows": rows,
        "params": sum(numbers(network.named_parameters()).values()),
        "by_length": totals,
    }


def whole(length):
    """Mult-adds and output length of the whole network at an input length."""
    network = Separator().eval()
    with torch.no_grad():
        output = network(torch.zeros([1, 1, length])).shape[-1]
    network = network.to("meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros([1, 1, length], device="meta"))
    return {"mult_adds": counter.get_total_flops() // 2, "output": output}


def main():
    """Write torch_ops.json with one case per line."""
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    lines = ",\n".join(json.dumps(case, sort_keys=True) for case in cases())
    network = json.dumps(separator(), sort_keys=True)
    text = f'{{"versions": {json.dumps(versions)},\n"network": {network},\n"cases": [\n{lines}\n]}}\n'
    Path(__file__).with_name("torch_ops.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
