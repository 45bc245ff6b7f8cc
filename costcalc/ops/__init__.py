"""The table of operations. Each is one rule, in the module named here, loaded when a spec uses it."""

from importlib import import_module

from .base import TABLE, Layer, Op

ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish"),
    *("sigmoid", "hsigmoid", "hswish", "tanh", "hardtanh", "softplus", "softsign", "softmax", "log_softmax"),
    *("exp", "log", "sqrt", "square", "abs", "neg", "clamp", "glu"),
)

INDEX: dict[str, str] = {
    **dict.fromkeys(("conv", "dwconv", "conv_transpose"), "conv"),
    **dict.fromkeys(("linear", "logits", "bilinear", "matmul", "einsum", "embedding", "parameter"), "linear"),
    **dict.fromkeys(("batchnorm", "layernorm", "groupnorm", "instancenorm", "rmsnorm", "lrn"), "norm"),
    **dict.fromkeys(("maxpool", "avgpool", "lppool", "adaptive_avgpool", "adaptive_maxpool", "reduce"), "pool"),
    **dict.fromkeys((*ACTIVATIONS, "add", "sub", "mul", "div", "dropout", "identity"), "pointwise"),
    **dict.fromkeys(("concat", "split", "slice", "pad", "flatten", "reshape", "permute"), "layout"),
    **dict.fromkeys(("tokens", "grid", "windows", "space_to_depth", "depth_to_space"), "layout"),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "upsample"), "layout"),
    **dict.fromkeys(("attention", "attend"), "attention"),
    **dict.fromkeys(("moe", "selective_scan", "latent_attention"), "language"),
    "sparse_conv": "sparse",
    **dict.fromkeys(("rnn", "lstm", "gru"), "recurrent"),
    "one_of": "chance",
    "opaque": "opaque",
}

UNWRITTEN = ("language", "sparse", "chance")  # modules whose operations no framework has as one: they are not exported

__all__ = ["INDEX", "Layer", "Op", "find"]


def find(name: str) -> Op:
    """The operation of that name. KeyError when there is none."""
    if name not in TABLE:
        import_module(f"{__name__}.{INDEX[name]}")
    return TABLE[name]


def passes(op: str) -> bool:
    """Whether an operation is a plain normalisation, activation or dropout, which keeps the shape."""
    return op != "glu" and INDEX[op] in ("norm", "pointwise") and not find(op).branches
