"""Rules of Keras layers: each returns the steps of one layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...model.network import Step
from ...num import prod
from . import products, sequences, shapes
from .layer import UNKNOWN, Layer, activations, axis_of
from .shapes import over


def activation_of(layer: Layer) -> Step:
    """An Activation layer, or `identity` for `linear`."""
    found = activations(layer, layer.config.get("activation"))
    return found[0] if found else layer.step("identity")


def relu(layer: Layer) -> Step:
    """ReLU: plain, capped at 6, or leaky."""
    if layer.get("negative_slope", 0):
        return layer.step("leaky_relu")
    return layer.step("relu6" if layer.get("max_value") == 6 else "relu")


def prelu(layer: Layer) -> Step:
    """PReLU: one slope per channel if all other axes share it, one per value if no axis does."""
    shared, rank = layer.get("shared_axes", []), len(layer.shape)
    shared = {axis_of(axis, rank) for axis in (shared if isinstance(shared, list) else [shared])}
    if shared == set(range(rank - 1)):
        return layer.step("prelu")
    if not shared:
        return layer.group(layer.step("flatten"), layer.step("prelu"), layer.reshaped(layer.shape))
    if len(shared) == rank:
        return layer.step("prelu", shared=True)
    slopes = prod(size for at, size in enumerate(layer.shape) if at not in shared)
    return layer.group(layer.step("leaky_relu"), layer.step("opaque", label="slopes", mult_adds=0, params=slopes))


def softmax(layer: Layer) -> Step | None:
    """Softmax over the channels or another axis."""
    return over(layer, layer.get("axis", -1), layer.step("softmax"))


def _window(layer: Layer) -> dict[str, Any]:
    padding, kernel, dilation = (
        layer.get("padding", "valid"),
        layer.config["kernel_size"],
        layer.get("dilation_rate", 1),
    )
    if padding == "causal":
        (k,), (d,) = (one if isinstance(one, list) else [one] for one in (kernel, dilation))
        padding = [[(k - 1) * d, 0]]
    return {"kernel": kernel, "stride": layer.get("strides", 1), "padding": padding, "dilation": dilation}


def conv(layer: Layer) -> Step:
    """Conv1D, Conv2D, Conv3D."""
    out, bias = layer.config["filters"], layer.get("use_bias", True)
    return layer.step("conv", layer.then(), **_window(layer), out=out, groups=layer.get("groups", 1), bias=bias)


def depthwise(layer: Layer) -> Step:
    """DepthwiseConv2D."""
    multiplier, bias = layer.get("depth_multiplier", 1), layer.get("use_bias", True)
    return layer.step("dwconv", layer.then(), **_window(layer), multiplier=multiplier, bias=bias)


def separable(layer: Layer) -> Step:
    """SeparableConv2D: a depthwise convolution without bias, then a 1x1 convolution."""
    first = layer.step("dwconv", **_window(layer), multiplier=layer.get("depth_multiplier", 1), bias=False)
    bias = layer.get("use_bias", True)
    return layer.group(first, layer.step("conv", layer.then(), kernel=1, out=layer.config["filters"], bias=bias))


def transposed(layer: Layer) -> Any:
    """Conv2DTranspose. Without padding, the output grid is n * stride, or larger if the kernel exceeds the stride."""
    options = _window(layer)
    extra = layer.get("output_padding", 0)
    if options["padding"] == "valid" and not extra:
        kernel, stride = options["kernel"], options["stride"]
        pairs = zip(*(one if isinstance(one, list) else [one] for one in (kernel, stride)), strict=False)
        extra = [max(s - k, 0) for k, s in pairs]
    options["output_padding"] = 0 if options["padding"] == "same" else extra
    out, bias = layer.config["filters"], layer.get("use_bias", True)
    return layer.step("conv_transpose", layer.then(), **options, out=out, bias=bias)


def dense(layer: Layer) -> Any:
    """Dense."""
    if layer.get("lora_rank") is not None:
        return UNKNOWN
    return layer.step("linear", layer.then(), out=layer.config["units"], bias=layer.get("use_bias", True))


def embedding(layer: Layer) -> Step | None:
    """Embedding."""
    if layer.get("lora_rank") is not None:
        return UNKNOWN
    return layer.step("embedding", out=layer.config["output_dim"], vocab=layer.config["input_dim"])


def reversible(layer: Layer) -> Step:
    """ReversibleEmbedding: a look-up or, in reverse, a product with the table. An untied head has a second table."""
    vocab, width = layer.config["input_dim"], layer.config["output_dim"]
    apart = 0 if layer.get("tie_weights", True) else vocab * width
    if not layer.argument("reverse", 1):
        table = layer.step("embedding", out=width, vocab=vocab)
        return layer.group(table, layer.made((*layer.shape, width), "table of the head", apart)) if apart else table
    held = 0 if layer.node.call else vocab * width + apart
    out, product = (*layer.shape[:-1], vocab), prod(layer.shape) * vocab
    return layer.step("opaque", label="head", out=out, mult_adds=product, params=held)


def norm(op: str) -> Callable[..., Any]:
    """Create the rule of a norm with scale and shift, over the last axis or others."""

    def rule(layer: Layer) -> Step | None:
        step = layer.step(op, scale=layer.get("scale", True), shift=layer.get("center", True))
        return shapes.over(layer, layer.get("axis", -1), step)

    return rule


def rms(layer: Layer) -> Step | None:
    """RMSNormalization."""
    return shapes.over(layer, layer.get("axis", -1), layer.step("rmsnorm", scale=True))


def groupnorm(layer: Layer) -> Step:
    """GroupNormalization. `groups=-1` means one group per channel."""
    groups, axis = layer.get("groups", 32), axis_of(layer.get("axis", -1), len(layer.shape))
    groups = layer.shape[axis] if groups == -1 else groups
    options = {"groups": groups, "scale": layer.get("scale", True), "shift": layer.get("center", True)}
    return shapes.along(layer, axis, layer.step("groupnorm", **options))


def pool(op: str) -> Callable[..., Any]:
    """Create the rule of a pooling layer."""

    def rule(layer: Layer) -> Step:
        options = {"stride": layer.config["strides"]} if layer.config.get("strides") else {}
        return layer.step(op, kernel=layer.get("pool_size", 2), padding=layer.get("padding", "valid"), **options)

    return rule


def whole(op: str) -> Callable[..., Any]:
    """Create the rule of a global pooling layer. The grid is dropped unless `keepdims` is set."""

    def rule(layer: Layer) -> Step:
        found = layer.step(op, kernel="global")
        return found if layer.get("keepdims", False) else layer.group(found, layer.step("flatten"))

    return rule


def dropout(layer: Layer) -> Step:
    """Dropout."""
    return layer.step("dropout", rate=layer.get("rate", 0.5))


def passing(layer: Layer) -> Step:
    """Layers that have no effect at inference, or only scale their input."""
    return layer.step("identity")


def join(op: str) -> Callable[..., Any]:
    """Create the rule of a sum or product of tensors."""

    def rule(layer: Layer) -> Step:
        if len(layer.inputs) == 1:  # the other operand is a number
            return layer.step("identity")
        return layer.step(op, inputs=tuple(layer.inputs))

    return rule


def concatenate(layer: Layer) -> Step:
    """Concatenate. The axis counts the batch."""
    axis = layer.get("axis", -1)
    axis = "channels" if axis == -1 else axis_of(axis, len(layer.shape))
    return layer.step("concat", inputs=tuple(layer.inputs), axis=axis)


def adaptive(op: str) -> Callable[..., Any]:
    """Create the rule of pooling to a given output size."""
    return lambda layer: layer.step(op, size=layer.config["output_size"])


def held(layer: Layer) -> Step:
    """Lambda: no weights; mult-adds are unknown, and so is the shape unless stated."""
    given = layer.config.get("output_shape")
    layer.lost = not isinstance(given, list) or not all(type(one) is int for one in given)
    return layer.step("opaque", label="Lambda", out=(1,) if layer.lost else given, params=0)


def layer_scale(layer: Layer) -> Step:
    """LayerScale of the ConvNeXt in keras.applications: a learned factor per channel."""
    factor = layer.step("parameter", shape=[layer.shape[-1]])
    return layer.step("mul", inputs=((), (factor,)))


def normalization(layer: Layer) -> Step:
    """Normalization: stores mean, variance and a count, unless the configuration states mean and variance."""
    if layer.config.get("mean") is not None:
        return layer.step("identity")
    axes = layer.get("axis", -1)
    axes = [axis_of(axis, len(layer.shape)) for axis in (axes if isinstance(axes, list) else [axes])]
    return layer.keeping(layer.step("identity"), 2 * prod(layer.shape[axis] for axis in axes) + 1)


_RANKS = ("1D", "2D", "3D")
_PASSES = (
    *("Rescaling", "GaussianNoise", "ActivityRegularization", "Identity", "StochasticDepth"),
    *("AlphaDropout", "GaussianDropout", "Masking", "UnitNormalization"),
    *("AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization", "MixUp"),
    *("RandAugment", "Solarization"),
    *(f"Random{what}" for what in ("Brightness", "Contrast", "Flip", "Rotation", "Translation", "Zoom", "Shear")),
    *(f"Random{what}" for what in ("ColorDegeneration", "ColorJitter", "ElasticTransform", "Erasing", "GaussianBlur")),
    *(f"Random{what}" for what in ("Grayscale", "Hue", "Invert", "Perspective", "Posterization", "Saturation")),
    "RandomSharpness",
)
RULES = {
    **{f"Conv{rank}": conv for rank in _RANKS},
    **{f"Conv{rank}Transpose": transposed for rank in _RANKS},
    **{f"DepthwiseConv{rank}": depthwise for rank in _RANKS},
    **{f"SeparableConv{rank}": separable for rank in _RANKS},
    **{f"ConvLSTM{rank}": sequences.conv_recurrent for rank in _RANKS},
    **{f"MaxPooling{rank}": pool("maxpool") for rank in _RANKS},
    **{f"AveragePooling{rank}": pool("avgpool") for rank in _RANKS},
    **{f"AdaptiveMaxPooling{rank}": adaptive("adaptive_maxpool") for rank in _RANKS},
    **{f"AdaptiveAveragePooling{rank}": adaptive("adaptive_avgpool") for rank in _RANKS},
    **{f"GlobalAveragePooling{rank}": whole("avgpool") for rank in _RANKS},
    **{f"GlobalMaxPooling{rank}": whole("maxpool") for rank in _RANKS},
    **{f"ZeroPadding{rank}": shapes.zeros for rank in _RANKS},
    **{f"Cropping{rank}": shapes.cropping for rank in _RANKS},
    **{f"UpSampling{rank}": shapes.upsampling for rank in _RANKS},
    **{f"SpatialDropout{rank}": dropout for rank in _RANKS},
    **dict.fromkeys(_PASSES, passing),
    **dict.fromkeys(("Add", "Average", "Maximum", "Minimum", "CustomScaleLayer"), join("add")),
    **dict.fromkeys(("CenterCrop", "RandomCrop"), shapes.window),
    "Subtract": join("sub"),
    "Multiply": join("mul"),
    "BatchNormalization": norm("batchnorm"),
    "LayerNormalization": norm("layernorm"),
    "RMSNormalization": rms,
    "GroupNormalization": groupnorm,
    "Normalization": normalization,
    "SpectralNormalization": products.spectral,
    "LSTM": sequences.recurrent("lstm"),
    "GRU": sequences.recurrent("gru"),
    "SimpleRNN": sequences.recurrent("rnn"),
    "RNN": sequences.cells,
    "Bidirectional": sequences.bidirectional,
    "TimeDistributed": sequences.distributed,
    "RepeatVector": sequences.repeated,
    "LayerScale": layer_scale,
    "Concatenate": concatenate,
    "Dense": dense,
    "EinsumDense": products.einsum_dense,
    "Embedding": embedding,
    "ReversibleEmbedding": reversible,
    "Dot": products.dot,
    "Attention": products.plain_attention,
    "AdditiveAttention": products.additive_attention,
    "MultiHeadAttention": products.attention,
    "GroupQueryAttention": products.grouped,
    "GroupedQueryAttention": products.grouped,
    "CategoryEncoding": shapes.encoded,
    **dict.fromkeys(("Discretization", "Hashing", "IntegerLookup", "StringLookup"), shapes.categories),
    "MelSpectrogram": shapes.mel,
    "Resizing": shapes.resizing,
    "Flatten": lambda layer: layer.step("flatten"),
    "Reshape": shapes.reshape,
    "Permute": shapes.permute,
    "Lambda": held,
    "Dropout": dropout,
    "Activation": activation_of,
    "ReLU": relu,
    "LeakyReLU": lambda layer: layer.step("leaky_relu"),
    "ELU": lambda layer: layer.step("elu"),
    "PReLU": prelu,
    "Softmax": softmax,
}
