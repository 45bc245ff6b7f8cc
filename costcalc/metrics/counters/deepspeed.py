"""DeepSpeed's FLOPs profiler, and calflops, which grew out of it; both print FLOPs and MACs."""

from ..pricing import Difference
from . import ALL_PARAMS, UNUSED, each, mirrored, one

_ELEMENT = "_relu_flops_compute and its like: by input"
_POOL = "_pool_flops_compute: by input"
_NORM = "_layer_norm_flops_compute and its like: 4, or 5 with scale and shift"


def products(price):
    """Prices of the multiply-adds that both know."""
    return {
        **each("conv.mac dwconv.mac", price, "_conv_flops_compute"),
        "conv_transpose.mac": one(price, "_conv_trans_flops_compute: by input positions"),
        **each("linear.mac attention.mac", price, "_linear_flops_compute: no bias"),
        "matmul.mac": one(price, "_matmul_flops_compute"),
        "opaque.mac": one(price, "as the spec's author says"),
    }


def fused(price):
    """Prices of the products inside fused attention, which calflops does not know."""
    return each("mac_attention mac_masked", price, "_attn_flops_compute")


FLOPS = {
    **products(2),
    "einsum.mac": one(2, "_einsum_flops_compute"),
    **each("conv.bias dwconv.bias", 1, "_conv_flops_compute"),
    "batchnorm.normalize": one(1, "_batch_norm_flops_compute in evaluation: 1 a value, 2 with scale and shift"),
    "batchnorm.affine": one(1, "_batch_norm_flops_compute"),
    **each("layernorm.normalize groupnorm.normalize instancenorm.normalize", 4, _NORM),
    **each("layernorm.affine groupnorm.affine instancenorm.affine", 1, _NORM),
    **each("relu.activate prelu.activate elu.activate leaky_relu.activate", 1, _ELEMENT),
    **each("silu.activate swish.activate gelu.activate softmax.activate", 1, _ELEMENT),
    **each("maxpool.pool_in maxpool.global_in avgpool.pool_in avgpool.global_in adaptive_in", 1, _POOL),
    **each("rnn.mac lstm.mac gru.mac", 2, "_rnn_flops"),
    **each("rnn.bias lstm.bias gru.bias", 1, "_rnn_forward_hook: both biases"),
    "rnn.states": one(-1, "_rnn_flops: hidden_size once, less one for each of the two products of its gate"),
    "lstm.states": one(2, "_rnn_flops: hidden_size 10 times, less one for each of the two products of 4 gates"),
    "gru.states": one(1, "_rnn_flops: hidden_size 7 times, less one for each of the two products of 3 gates"),
}

_NET = Difference("params", ("inception_v3",), UNUSED)
_PADDING = Difference(
    "mult_adds",
    ("conv2d padding='same'",),
    "_conv_flops_compute halves the padding that a kernel with even sides needs, rounded down: its grid is too small",
)
_DEPTHWISE = Difference(
    "mult_adds",
    ("conv_transpose2d depthwise k4 s2",),
    "a bug: _conv_trans_flops_compute divides the outputs of a group by the groups once more, which gives 0",
)
_MATMUL = Difference(
    "mult_adds",
    ("x @ y  (4-D)", "torch.bmm"),
    "only torch.matmul is patched, not the operator `@` nor torch.bmm; a spec cannot say which",
)
_ADD = Difference("mult_adds", ("torch.add(x, x)",), "as torch.add it counts 1 a value, as `+` or `+=` 0")
_METHOD = Difference("mult_adds", ("x.softmax(-1)",), "called as a method it counts 0")
_SIZE = Difference(
    "mult_adds", ("F.interpolate size=(20,24)",), "with a size, it counts the grid once for all channels"
)
_NO_MACS = "MACs are 0 for what is no product, for einsum and for recurrent layers."
_BIAS = "The bias of a transposed convolution, which it counts on a grid that is too small, is not listed."
_SOURCES = {
    "deepspeed": "DeepSpeed 0.19.8, deepspeed/profiling/flops_profiler/profiler.py",
    "calflops": "calflops 0.3.2, calflops/pytorch_ops.py",
}


def _convention(name, cost, title, prices, differences):
    """One of the two programs' two figures."""
    return mirrored(
        name,
        title,
        cost,
        _SOURCES[name.removesuffix("_macs")],
        prices,
        ALL_PARAMS,
        differences=tuple(one._replace(figure=cost) if one.figure != "params" else one for one in differences),
        notes=(_BIAS,) if name == "calflops" else () if cost == "flops" else (_NO_MACS,),
    )


CONVENTIONS = {
    "deepspeed": _convention(
        "deepspeed",
        "flops",
        "the FLOPs that DeepSpeed's profiler prints: 2 per mult-add, conv biases, norms, activations, pools",
        {
            **FLOPS,
            **fused(2),
            "conv_transpose.bias": one(1, "_conv_trans_flops_compute"),
            **each("interpolate_nearest interpolate_bilinear", 1, "_upsample_flops_compute: by output"),
        },
        (_NET, _PADDING, _ADD, _METHOD, _SIZE),
    ),
    "deepspeed_macs": _convention(
        "deepspeed_macs",
        "mult_adds",
        "the MACs that DeepSpeed's profiler prints",
        {**products(1), **fused(1)},
        (_NET, _PADDING),
    ),
    "calflops": _convention(
        "calflops",
        "flops",
        "the FLOPs that calflops prints: 2 per mult-add, conv biases, norms, activations, pools; no fused attention",
        {
            **FLOPS,
            "interpolate_in": one(1, "_upsample_flops_compute: a bug, the factor is multiplied and dropped", 1),
        },
        (_NET, _PADDING, _DEPTHWISE, _MATMUL, _ADD, _METHOD, _SIZE),
    ),
    "calflops_macs": _convention(
        "calflops_macs",
        "mult_adds",
        "the MACs that calflops prints; no fused attention",
        products(1),
        (_NET, _PADDING, _DEPTHWISE, _MATMUL),
    ),
}
