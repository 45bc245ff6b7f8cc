"""Configurations of Keras models: valid ones, odd values, and broken texts."""

import io
import json
import zipfile

from hypothesis import strategies as st

from costcalc.read.keras.layers import RULES

from .broken import broken

RANKS = {"1D": (12, 4), "2D": (8, 8, 4), "3D": (4, 4, 4, 4)}
ODD = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    3,
    10**6,
    2**62,
    10**30,
    0.5,
    1e400,
    "",
    "same",
    "causal",
    "channels_first",
    "a",
    [],
    [3],
    [[1, 2], [0, 1]],
    {},
)
OPTIONS = {  # common entries written by Keras
    "filters": (4, 8),
    "kernel_size": (1, 3),
    "strides": (1, 2),
    "padding": ("same", "valid"),
    "dilation_rate": (1, 2),
    "groups": (1, 2, -1),
    "use_bias": (True, False),
    "activation": ("relu", "linear", "softmax", "unknown", None, {"class_name": "ReLU", "config": {"name": "relu"}}),
    "depth_multiplier": (1, 2),
    "output_padding": (None, 1),
    "pool_size": (2, 3),
    "keepdims": (True, False),
    "units": (4, 8),
    "input_dim": (10,),
    "output_dim": (8,),
    "axis": (-1, 1, 2, [1], [-1]),
    "scale": (True, False),
    "center": (True, False),
    "size": (2, [2, 2]),
    "interpolation": ("nearest", "bilinear", "bicubic"),
    "cropping": ([[1, 1], [0, 1]], 1, [1, 1]),
    "height": (6,),
    "width": (6,),
    "target_shape": ([-1], [16, 4], [-1, 4], [4, -1, 2]),
    "dims": ([2, 1], [2, 1, 3]),
    "rate": (0.1, 0.5),
    "num_heads": (1, 2),
    "key_dim": (4,),
    "value_dim": (4, None),
    "return_sequences": (True, False),
    "reset_after": (True, False),
    "merge_mode": ("concat", "sum"),
    "negative_slope": (0, 0.1),
    "max_value": (6, None),
    "shared_axes": ([1, 2], None),
    "data_format": ("channels_last",),
}


@st.composite
def config(draw, depth=0):
    """The class and configuration of a layer of a known or unknown kind."""
    kind = draw(st.sampled_from((*sorted(RULES), "Lambda")))
    options = {key: draw(st.sampled_from(values)) for key, values in OPTIONS.items()}
    for key in draw(st.lists(st.sampled_from(sorted(options)), max_size=2, unique=True)):
        if draw(st.booleans()):
            del options[key]
        else:
            options[key] = draw(st.sampled_from(ODD))
    if depth < 2:
        options["layer"] = draw(config(depth + 1))
    return {"class_name": kind, "config": options}


@st.composite
def models(draw, depth=0):
    """A Sequential or functional model, with nested models."""
    rank = draw(st.sampled_from(sorted(RANKS)))
    layers = [
        {"class_name": "InputLayer", "config": {"name": "image", "batch_shape": [None, *RANKS[rank]]}, "name": "image"}
    ]
    chain = draw(st.booleans())
    for number in range(draw(st.integers(1, 6))):
        inner = depth < 2 and draw(st.integers(0, 7)) == 7
        made = draw(models(depth + 1)) if inner else draw(config())
        if made["class_name"].endswith(("1D", "2D", "3D")):  # of the same rank, mostly
            other = made["class_name"][:-2] + (rank if draw(st.integers(0, 5)) else "2D")
            made["class_name"] = other if other in RULES else made["class_name"]
        name = f"layer_{number}"
        made["config"]["name"] = made["name"] = name
        if not chain:
            known = [one["name"] for one in layers]
            made["inbound_nodes"] = _calls(draw, known)
        layers.append(made)
    kind = "Sequential" if chain else draw(st.sampled_from(("Functional", "Model")))
    ends = [["image", 0, 0]], [[layers[-1]["name"], 0, 0]]
    return {
        "class_name": kind,
        "config": {"name": "net", "layers": layers, "input_layers": ends[0], "output_layers": ends[1]},
    }


def _calls(draw, known):
    """The calls of a layer as written by Keras 2 or 3; each reads one or more earlier layers."""
    calls = []
    for _ in range(draw(st.sampled_from((1, 1, 1, 2)))):
        names = draw(st.lists(st.sampled_from([known[-1], *known]), min_size=1, max_size=3))
        histories = [[name, draw(st.sampled_from((*[0] * 9, 1))), 0] for name in names]
        tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": one}} for one in histories]
        calls.append({"args": [tensors], "kwargs": {}} if draw(st.booleans()) else [[*one, {}] for one in histories])
    return calls


TEXTS = st.one_of(models().map(json.dumps), models().map(json.dumps), broken(models().map(json.dumps)))


def _archive(text):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("config.json"), text, zipfile.ZIP_DEFLATED)
    return data.getvalue()


@st.composite
def archives(draw):
    """The bytes of a .keras file, some of them changed."""
    data = bytearray(_archive(draw(TEXTS)))
    for _ in range(draw(st.sampled_from((0, 0, 1, 3)))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)
