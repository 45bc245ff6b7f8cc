"""The table of operations. Each operation has one rule, in the module named here, imported when a spec uses it."""

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

UNWRITTEN = {  # operations that cannot be exported -> (reason, alternative)
    "moe": (
        "a `moe` selects the experts of each token at run time",
        "write the experts of one token as branches of an `add`: the same work, and `params_active` parameters",
    ),
    "selective_scan": (
        "`selective_scan` is a recurrence over the tokens, and {form} has no such operator",
        "leave it out to export the layers around it: it has no mult-adds",
    ),
    "latent_attention": (
        "{form} has no `latent_attention`, which stores keys and values as one vector",
        "write its projections as `linear` layers, and its products as `attend`",
    ),
    "sparse_conv": (
        "the data decides which sites a `sparse_conv` reads",
        "write it as a `conv` on the dense grid, which costs more",
    ),
    "one_of": (
        "a `one_of` selects its branch at run time, and {form} has no probabilities",
        "keep only the branch to export",
    ),
}

__all__ = ["INDEX", "Layer", "Op", "find"]


def find(name: str) -> Op:
    """The operation of that name. Raises KeyError if there is none."""
    if name not in TABLE:
        import_module(f"{__name__}.{INDEX[name]}")
    return TABLE[name]


def passes(op: str) -> bool:
    """Whether an operation is a normalisation, activation or dropout that keeps the shape."""
    return op != "glu" and INDEX[op] in ("norm", "pointwise") and not find(op).branches
