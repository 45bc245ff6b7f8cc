"""Models of other tools: TensorFlow Lite, configurations of language models, PyTorch code; and exported files."""

import gzip
import json
from functools import lru_cache
from pathlib import Path

from hypothesis import strategies as st

from .broken import TRICKS, broken
from .grammar import specs
from .keras_models import ODD

DATA = Path(__file__).parents[1] / "data"
SIZES = (0, 1, 2, 3, 4, 8, -1)
SHAPES = ((1, 8, 8, 3), (1, 8, 8, 4), (1, 4, 8), (2, 4), (4,), (), (1, 0, 3), (4, 3, 3, 3), (8, 8))
TYPES = ("FLOAT32", "FLOAT32", "INT8", "INT32", "INT64", "BOOL")


@lru_cache(1)
def _small():
    """The bytes of the small recorded TensorFlow Lite files."""
    paths = (path for path in sorted((DATA / "tflite").glob("*.tflite.gz")) if path.stat().st_size < 20_000)
    return [gzip.decompress(path.read_bytes()) for path in paths]


@lru_cache(1)
def _operators():
    """{operator: name of its option table, or ""} for operators with a rule and some without."""
    import tflite

    from costcalc.read.tflite.rules import table

    first = (name for name in dir(tflite.BuiltinOptions) if name.endswith("Options"))  # the schema has a second union
    tables = {name.removesuffix("Options").lower(): name for name in first}
    codes = (*sorted(table()), "CUSTOM", "HASHTABLE", "STABLEHLO_ADD")
    return {
        code: tables.get(code.replace("_", "").lower(), "") for code in codes if hasattr(tflite.BuiltinOperator, code)
    }


@st.composite
def _operator(draw, known, out):
    import tflite

    from tests.read.tflite.build import Operator

    kind = draw(st.sampled_from(sorted(_operators())))
    options = _operators()[kind] if draw(st.integers(0, 9)) else draw(st.sampled_from(sorted(_operators().values())))
    fields = {}
    for name in (
        one.removeprefix(f"{options}Add") for one in dir(tflite) if options and one.startswith(f"{options}Add")
    ):
        if draw(st.booleans()):
            is_list = hasattr(tflite, f"{options}Start{name}Vector")
            size = draw(st.sampled_from(SIZES[:2]))  # some are bools
            fields[name] = tuple(draw(st.lists(st.sampled_from(SIZES), max_size=4))) if is_list else size
    inputs = tuple(draw(st.lists(st.sampled_from((*range(known), *range(known), -1, 99)), min_size=1, max_size=4)))
    return Operator(kind, inputs, (out,), options, fields, draw(st.sampled_from(("", "", "Own"))))


@st.composite
def _graph(draw):
    from tests.read.tflite.build import Graph, Tensor

    tensors = []
    for _ in range(draw(st.integers(2, 6))):
        shape, kind = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(TYPES))
        many = 1
        for size in shape:
            many *= size
        is_held = many < 300 and draw(st.booleans())
        values = tuple(draw(st.sampled_from((0, 1, 2, 3))) for _ in range(many)) if is_held else None
        signature = draw(st.sampled_from(((), (), tuple(-1 for _ in shape), (-1, 8))))
        tensors.append(Tensor(shape, values, kind, scaled=draw(st.booleans()), signature=signature))
    operators = []
    for _ in range(draw(st.integers(1, 4))):
        operators.append(draw(_operator(len(tensors), len(tensors))))
        tensors.append(Tensor(draw(st.sampled_from(SHAPES)), type=draw(st.sampled_from(TYPES))))
    return Graph(tensors, operators, (0,), (len(tensors) - 1,))


@st.composite
def lite(draw):
    """The bytes of a TensorFlow Lite file, recorded or with random operators, with some bytes changed or missing."""
    from tests.read.tflite.build import built

    if draw(st.booleans()):
        data = bytearray(draw(st.sampled_from(_small())))
        accidents = draw(st.sampled_from((1, 3, 20)))
    else:
        data = bytearray(built(*(draw(_graph()) for _ in range(draw(st.sampled_from((1, 1, 2)))))))
        accidents = draw(st.sampled_from((0, 0, 1, 3)))
    for _ in range(accidents):
        data[draw(st.integers(0, len(data) - 1))] = draw(
            st.one_of(st.sampled_from((0, 1, 127, 255)), st.integers(0, 255))
        )
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 19)) == 19 else data)


@lru_cache(1)
def _recorded():
    text = (DATA / "hf_configs.json").read_text(encoding="utf-8")
    return [one["config"] for one in json.loads(text)["configs"].values()]


@st.composite
def configurations(draw):
    """The text of a language model's `config.json`, with some keys changed, removed, or from another model."""
    found = dict(draw(st.sampled_from(_recorded())))
    for _ in range(draw(st.sampled_from((0, 1, 2, 4)))):
        what, key = draw(st.sampled_from(("odd", "odd", "gone", "other"))), draw(st.sampled_from(sorted(found)))
        if what == "gone" and len(found) > 1:
            del found[key]
        elif what == "other":
            found |= dict(
                draw(st.lists(st.sampled_from(sorted(draw(st.sampled_from(_recorded())).items())), max_size=2))
            )
        else:
            found[key] = draw(st.sampled_from((*ODD, 10**9, 2**40, "gelu_new", "LlamaModel")))
    return json.dumps(found)


CONFIGURATIONS = st.one_of(configurations().map(str.encode), configurations().map(str.encode), broken(configurations()))

LAYERS = (
    *("nn.Conv2d({a}, {b}, {k})", "nn.Conv2d({a}, {a}, 3, padding={k}, groups={a})", "nn.ConvTranspose2d({a}, {b}, 2)"),
    *("nn.Linear({a}, {b})", "nn.BatchNorm2d({a})", "nn.LayerNorm({a})", "nn.GroupNorm({k}, {a})", "nn.ReLU()"),
    *("nn.MaxPool2d({k}, ceil_mode=True)", "nn.AdaptiveAvgPool2d({k})", "nn.Flatten()", "nn.Dropout()", "nn.GELU()"),
    *("nn.Upsample(scale_factor={k})", "nn.PixelShuffle({k})", "nn.Embedding({a}, {b})", "nn.Softmax({k})"),
    *("nn.Unflatten(1, (-1, {k}, {a}))", "nn.MultiheadAttention({a}, {k})", "nn.LSTM({a}, {b})", "print", "None"),
)
STEPS = (
    *("x", "x + x", "x * self.w", "x.flatten(1)", "x.transpose(-1, -2)", "x @ x.transpose(-1, -2)", "F.softmax(x, -1)"),
    *(
        "torch.cat([x, x], {k})",
        "x.reshape(-1, {a})",
        "x[:, {k}]",
        "x.mean({k})",
        "x if x.sum() > 0 else -x",
        "x.item()",
    ),
    *(
        "F.interpolate(x, scale_factor={k})",
        "F.pad(x, (1, {k}))",
        "x.view({a}, {b})",
        "torch.einsum('b...,b...->b', x, x)",
    ),
    *(
        "(x, x)",
        "{{'a': x}}",
        "torch.zeros({a})",
        "x.repeat(1, {k})",
        "torch.fft.rfft(x)",
        "x.topk({k})[0]",
        "x.nonzero()",
    ),
)
WIDTHS = (1, 3, 3, 8, 8, 16, 0, -1)
MODULE = """import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones({a}))
        self.layers = nn.Sequential({layers})

    def forward(self, x):
        x = self.layers(x)
{steps}        return x
"""


@st.composite
def modules(draw):
    """The text of a file with a PyTorch module, and the command that reads it."""

    def filled(text):
        a, b = (draw(st.sampled_from(WIDTHS)) for _ in "ab")
        return text.format(a=a, b=b, k=draw(st.sampled_from((1, 2, 3, 0, -1))), layers="{layers}", steps="{steps}")

    layers = ", ".join(filled(one) for one in draw(st.lists(st.sampled_from(LAYERS), max_size=4)))
    steps = [filled(one) for one in draw(st.lists(st.sampled_from(STEPS), max_size=3))]
    text = filled(MODULE).format(layers=layers, steps="".join(f"        x = {one}\n" for one in steps))
    data = draw(broken(st.just(text))) if draw(st.integers(0, 9)) == 9 else text.encode()
    shape = draw(st.sampled_from(("8x8x3", "8x8x3", "8x8x8", "16x8", "8", "4:int64")))
    return {"net.py": data}, ["import", "torch", "net:Net", "--input", shape]


@st.composite
def exports(draw):
    """A spec with some odd layer names, and a command that exports it with or without weights."""
    text = draw(specs())
    if draw(st.booleans()):
        label = json.dumps(
            draw(st.sampled_from((*TRICKS, 'a"""b', "a\\", "import os", "class", "self", "forward", "x'y")))
        )
        text = text.replace("name: a net", f"name: {label}") if draw(st.booleans()) else f"{text}  - as: {label}\n"
    data = draw(broken(st.just(text))) if draw(st.integers(0, 4)) == 4 else text.encode()
    weights = draw(st.sampled_from(([], ["--weights", "zero"], ["--weights", "none"])))
    target = draw(st.sampled_from((["-o", "out.py"], ["-o", "out.onnx", *weights])))
    return {"net.yaml": data}, ["export", "net.yaml", *target]
