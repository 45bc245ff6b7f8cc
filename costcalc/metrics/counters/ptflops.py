"""ptflops.get_model_complexity_info, with its backends `pytorch` (the default) and `aten`."""

from ..pricing import Difference
from . import ALL_PARAMS, UNUSED, each, mirrored, one

_OPS, _ATEN = "ptflops/pytorch_ops.py", "ptflops/aten_ops.py"
_TWICE = "once by the module's hook, and a bug, once more as it calls the patched function"
_ACTIVATION = f"{_OPS}, relu_flops_counter_hook: {_TWICE}"
_POOL = f"{_OPS}, pool_flops_counter_hook, by input: {_TWICE}"
_RESIZE = f"{_OPS}, upsample_flops_counter_hook, by output: {_TWICE}"
_FUNCTION = f"{_OPS}, FUNCTIONAL_MAPPING"
_ONCE_ONLY = "called as a function it counts once, as a module twice; a spec cannot say which"
_UNSEEN = "called as a method or an operator it counts 0; a spec cannot say which"

PRICES = {
    **each("conv.mac dwconv.mac conv_transpose.mac", 1, f"{_OPS}, conv_flops_counter_hook"),
    **each("conv.bias dwconv.bias conv_transpose.bias", 1, f"{_OPS}, conv_flops_counter_hook"),
    **each("linear.mac linear.bias", 1, f"{_OPS}, linear_flops_counter_hook"),
    "matmul.mac": one(1, f"{_OPS}, _matmul_tensor_flops_hook"),
    **each("attention.mac attention.bias", 1, f"{_OPS}, multihead_attention_counter_hook: the four projections"),
    "attention.mac_attention": one(1, f"{_OPS}, multihead_attention_counter_hook: q k and attention v"),
    "attention.mac_masked": one(1, f"{_OPS}, multihead_attention_counter_hook: it knows no mask"),
    **each("attention.softmax attention.scale", 1, f"{_OPS}, multihead_attention_counter_hook"),
    **each("batchnorm.normalize groupnorm.normalize instancenorm.normalize", 1, f"{_OPS}, bn_flops_counter_hook"),
    **each(
        "batchnorm.affine groupnorm.affine instancenorm.affine", 1, f"{_OPS}, bn_flops_counter_hook: affine doubles"
    ),
    "layernorm.normalize": one(1, f"{_OPS}, bn_flops_counter_hook: a layer norm has no attribute `affine`"),
    **each("relu.activate prelu.activate gelu.activate elu.activate", 2, _ACTIVATION, 1),
    **each("relu6.activate leaky_relu.activate", 1, f"{_OPS}, relu_flops_counter_hook"),
    **each("silu.activate swish.activate softmax.activate", 1, _FUNCTION),
    **each("maxpool.pool_in avgpool.pool_in", 2, _POOL, 1),
    **each("maxpool.global_in avgpool.global_in", 2, _POOL, 1),
    "adaptive_in": one(2, _POOL, 1),
    **each("interpolate_nearest interpolate_bilinear", 2, _RESIZE, 1),
    **each("rnn.mac rnn.bias rnn.states lstm.mac lstm.bias gru.mac gru.bias", 1, f"{_OPS}, rnn_flops"),
    "lstm.states": one(10, f"{_OPS}, rnn_flops: hidden_size for 4 sums of states, 3 for the cell, 3 for the output"),
    "gru.states": one(7, f"{_OPS}, rnn_flops: hidden_size for 1 product, 3 sums of states, 3 to mix"),
    "opaque.mac": one(1, "as the spec's author says"),
}
ATEN_PRICES = {
    **each("conv.mac dwconv.mac conv_transpose.mac", 1, f"{_ATEN}, conv_flop"),
    **each("conv.bias dwconv.bias conv_transpose.bias", 1, f"{_ATEN}, conv_flop"),
    **each("linear.mac linear.bias attention.mac attention.bias", 1, f"{_ATEN}, addmm_flop"),
    **each("matmul.mac einsum.mac", 1, f"{_ATEN}, bmm_flop"),
    "opaque.mac": one(1, "as the spec's author says"),
}
_DIFFERENCES = (
    Difference("params", ("inception_v3",), UNUSED),
    Difference("mult_adds", ("mobilenet_v2",), f"its global average pool: {_ONCE_ONLY}"),
    Difference("mult_adds", ("inception_v3",), f"its ReLUs and the pools of its modules: {_ONCE_ONLY}"),
    Difference(
        "mult_adds",
        ("convnext_tiny",),
        "5 of its layer norms are LayerNorm2d, a class of its own, for which there is no hook",
    ),
    Difference("mult_adds", ("F.relu", "F.interpolate bilinear x2", "F.interpolate size=(20,24)"), _ONCE_ONLY),
    Difference("mult_adds", ("F.conv2d on a raw weight", "F.linear on a raw weight"), "no module: it counts 0"),
    Difference("mult_adds", ("x.softmax(-1)", "x @ y  (4-D)"), _UNSEEN),
    Difference("mult_adds", ("torch.add(x, x)",), "as torch.add it counts 1 a value, as `+` or `+=` 0"),
)

CONVENTIONS = {
    "ptflops": mirrored(
        "ptflops",
        "what ptflops prints by default: mult-adds, biases, norms, activations, pools; several modules count twice",
        "mult_adds",
        "ptflops 0.7.5, ptflops/pytorch_ops.py",
        PRICES,
        ALL_PARAMS,
        differences=_DIFFERENCES,
    ),
    "ptflops_aten": mirrored(
        "ptflops_aten",
        "what ptflops prints with backend aten: mult-adds and biases, without fused attention",
        "mult_adds",
        "ptflops 0.7.5, ptflops/aten_ops.py",
        ATEN_PRICES,
        ALL_PARAMS,
        differences=_DIFFERENCES[:1],
    ),
}
