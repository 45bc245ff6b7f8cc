"""The layers of Keras as steps."""

from .activations import activation_of, prelu, relu, softmax
from .layer import UNKNOWN, Layer, size
from .shapes import cropping, permute, reshape, resizing, upsampling, zeros


def _window(layer):
    padding, kernel, dilation = (
        layer.get("padding", "valid"),
        layer.config["kernel_size"],
        layer.get("dilation_rate", 1),
    )
    if padding == "causal":
        (k,), (d,) = (one if isinstance(one, list) else [one] for one in (kernel, dilation))
        padding = [[(k - 1) * d, 0]]
    return {"kernel": kernel, "stride": layer.get("strides", 1), "padding": padding, "dilation": dilation}


def conv(layer):
    """Conv1D, Conv2D, Conv3D."""
    out, bias = layer.config["filters"], layer.get("use_bias", True)
    return layer.step("conv", layer.then(), **_window(layer), out=out, groups=layer.get("groups", 1), bias=bias)


def depthwise(layer):
    """DepthwiseConv2D."""
    multiplier, bias = layer.get("depth_multiplier", 1), layer.get("use_bias", True)
    return layer.step("dwconv", layer.then(), **_window(layer), multiplier=multiplier, bias=bias)


def separable(layer):
    """SeparableConv2D: a depthwise convolution without bias, and one of 1x1."""
    first = layer.step("dwconv", **_window(layer), multiplier=layer.get("depth_multiplier", 1), bias=False)
    bias = layer.get("use_bias", True)
    return layer.group(first, layer.step("conv", layer.then(), kernel=1, out=layer.config["filters"], bias=bias))


def transposed(layer):
    """Conv2DTranspose: without padding, the grid is n * stride, or more where the kernel is larger."""
    options = _window(layer)
    extra = layer.get("output_padding", 0)
    if options["padding"] == "valid" and not extra:
        kernel, stride = options["kernel"], options["stride"]
        pairs = zip(*(one if isinstance(one, list) else [one] for one in (kernel, stride)), strict=False)
        extra = [max(s - k, 0) for k, s in pairs]
    options["output_padding"] = 0 if options["padding"] == "same" else extra
    out, bias = layer.config["filters"], layer.get("use_bias", True)
    return layer.step("conv_transpose", layer.then(), **options, out=out, bias=bias)


def dense(layer):
    """Dense."""
    return layer.step("linear", layer.then(), out=layer.config["units"], bias=layer.get("use_bias", True))


def embedding(layer):
    """Embedding."""
    return layer.step("embedding", out=layer.config["output_dim"], vocab=layer.config["input_dim"])


def norm(op):
    """The rule of a norm that has a scale and a shift."""

    def rule(layer):
        return layer.step(op, scale=layer.get("scale", True), shift=layer.get("center", True))

    return rule


def groupnorm(layer):
    """GroupNormalization; -1 groups are as many as channels."""
    groups = layer.get("groups", 32)
    groups = size("channels") if groups == -1 else groups
    return layer.step("groupnorm", groups=groups, scale=layer.get("scale", True), shift=layer.get("center", True))


def pool(op):
    """The rule of a pool."""

    def rule(layer):
        options = {"stride": layer.config["strides"]} if layer.config.get("strides") else {}
        return layer.step(op, kernel=layer.get("pool_size", 2), padding=layer.get("padding", "valid"), **options)

    return rule


def whole(op):
    """The rule of a pool over the whole grid, which goes away unless it is kept."""

    def rule(layer):
        found = layer.step(op, kernel="global")
        return found if layer.get("keepdims", False) else layer.group(found, layer.step("flatten"))

    return rule


def dropout(layer):
    """Dropout."""
    return layer.step("dropout", rate=layer.get("rate", 0.5))


def passing(layer):
    """What does nothing when a model is used, or only scales its input."""
    return layer.step("identity")


def attention(layer):
    """MultiHeadAttention of a query and a value."""
    key, value = layer.config["key_dim"], layer.get("value_dim")
    if value not in (None, key) or layer.get("output_shape") is not None:
        return UNKNOWN
    options = {"memory": layer.inputs[1]} if len(set(layer.inputs)) > 1 else {}
    return layer.step(
        "attention", heads=layer.config["num_heads"], head_size=key, bias=layer.get("use_bias", True), **options
    )


def recurrent(op, gates):
    """The rule of a recurrent layer; one bias vector, where ours has two, is a row of its own."""

    def rule(layer, bidirectional=False):
        units, bias = layer.config["units"], layer.get("use_bias", True)
        both = op == "gru" and bias and layer.get("reset_after", True)
        steps = [layer.step(op, hidden=units, bias=bool(both), bidirectional=bidirectional)]
        if bias and not both:
            count = gates * units * (1 + bidirectional)
            steps.append(layer.step("opaque", label="bias", mult_adds=0, params=count))
        if not layer.get("return_sequences", False):
            steps += [layer.step("slice", size=1, axis="length"), layer.step("flatten")]
        return layer.group(*steps)

    return rule


def bidirectional(layer):
    """Bidirectional around a recurrent layer, its outputs side by side."""
    inner = layer.config["layer"]
    if layer.get("merge_mode", "concat") != "concat" or inner["class_name"] not in _RECURRENT:
        return UNKNOWN
    return _RECURRENT[inner["class_name"]](Layer(inner["config"], layer.source, layer.place, layer.inputs), True)


def distributed(layer):
    """TimeDistributed around a dense layer, which works on every position anyway."""
    inner = layer.config["layer"]
    if inner["class_name"] not in ("Dense", "Dropout", "LayerNormalization", "Activation"):
        return UNKNOWN
    return RULES[inner["class_name"]](Layer(inner["config"], layer.source, layer.place, layer.inputs))


def join(op):
    """The rule of a sum or product of tensors."""

    def rule(layer):
        if len(layer.inputs) == 1:  # a number is the other operand
            return layer.step("identity")
        return layer.step(op, inputs=tuple(layer.inputs))

    return rule


def concatenate(layer):
    """Concatenate: the axis counts the batch."""
    axis = layer.get("axis", -1)
    return layer.step("concat", inputs=tuple(layer.inputs), axis="channels" if axis == -1 else axis - 1)


def layer_scale(layer):
    """LayerScale of the ConvNeXt in keras.applications: a learned factor a channel."""
    factor = layer.step("parameter", shape=[size("channels")])
    return layer.step("mul", inputs=((), (factor,)))


_RECURRENT = {"LSTM": recurrent("lstm", 4), "GRU": recurrent("gru", 3), "SimpleRNN": recurrent("rnn", 1)}
_RANKS = ("1D", "2D", "3D")
RULES = {
    **{f"Conv{rank}": conv for rank in _RANKS},
    **{f"Conv{rank}Transpose": transposed for rank in _RANKS},
    **{f"DepthwiseConv{rank}": depthwise for rank in _RANKS},
    **{f"SeparableConv{rank}": separable for rank in _RANKS},
    **{f"MaxPooling{rank}": pool("maxpool") for rank in _RANKS},
    **{f"AveragePooling{rank}": pool("avgpool") for rank in _RANKS},
    **{f"GlobalAveragePooling{rank}": whole("avgpool") for rank in _RANKS},
    **{f"GlobalMaxPooling{rank}": whole("maxpool") for rank in _RANKS},
    **{f"ZeroPadding{rank}": zeros for rank in _RANKS},
    **{f"UpSampling{rank}": upsampling for rank in _RANKS},
    **{f"SpatialDropout{rank}": dropout for rank in _RANKS},
    **dict.fromkeys(("Rescaling", "Normalization", "GaussianNoise", "ActivityRegularization", "Identity"), passing),
    "Add": join("add"),
    "Subtract": join("sub"),
    "Multiply": join("mul"),
    "Average": join("add"),
    "BatchNormalization": norm("batchnorm"),
    "LayerNormalization": norm("layernorm"),
    **_RECURRENT,
    "Cropping2D": cropping,
    "LayerScale": layer_scale,
    "StochasticDepth": passing,
    "Concatenate": concatenate,
    "Dense": dense,
    "Embedding": embedding,
    "GroupNormalization": groupnorm,
    "Resizing": resizing,
    "Flatten": lambda layer: layer.step("flatten"),
    "Reshape": reshape,
    "Permute": permute,
    "Dropout": dropout,
    "MultiHeadAttention": attention,
    "Bidirectional": bidirectional,
    "TimeDistributed": distributed,
    "Activation": activation_of,
    "ReLU": relu,
    "LeakyReLU": lambda layer: layer.step("leaky_relu"),
    "ELU": lambda layer: layer.step("elu"),
    "PReLU": prelu,
    "Softmax": softmax,
}
