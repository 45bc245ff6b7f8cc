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

UNWRITTEN = {  # operations that no framework has as one, and are not exported -> why, and what to write instead
    "moe": (
        "which experts of a `moe` a token goes to is decided while it runs",
        "write the experts of one token as branches of an `add`: the same work, and `params_active` parameters",
    ),
    "selective_scan": (
        "`selective_scan` is a recurrence over the tokens, which is no operator of {form}",
        "leave it out to export the layers around it: it has no mult-adds",
    ),
    "latent_attention": (
        "{form} has no `latent_attention`, to keys and values that are one vector",
        "write its projections as `linear` layers, and its products as `attend`",
    ),
    "sparse_conv": (
        "which sites a `sparse_conv` reads is decided by the data",
        "write it as a `conv` on the dense grid, which costs more",
    ),
    "one_of": (
        "which branch of a `one_of` runs is decided while it runs, and {form} states no probabilities",
        "keep the branch that is to be exported",
    ),
}

__all__ = ["INDEX", "Layer", "Op", "find"]


def find(name: str) -> Op:
    """The operation of that name. KeyError when there is none."""
    if name not in TABLE:
        import_module(f"{__name__}.{INDEX[name]}")
    return TABLE[name]


def passes(op: str) -> bool:
    """Whether an operation is a plain normalisation, activation or dropout, which keeps the shape."""
    return op != "glu" and INDEX[op] in ("norm", "pointwise") and not find(op).branches
