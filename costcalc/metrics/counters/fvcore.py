"""fvcore.nn.FlopCountAnalysis."""

from ..pricing import Difference
from . import ALL_PARAMS, UNUSED, each, mirrored, one

_HANDLES = "fvcore/nn/jit_handles.py"

PRICES = {
    "mac": one(1, f"{_HANDLES}, conv_flop_count, linear_flop_jit, matmul_flop_jit: a multiply-add is one"),
    **each("rnn.mac lstm.mac gru.mac bilinear.mac", 0, "fvcore/nn/flop_count.py: no handle for this operator"),
    **each("mac_attention mac_masked", 0, "no handle for scaled_dot_product_attention"),
    "batchnorm.normalize": one(1, f"{_HANDLES}, batchnorm_flop_jit in evaluation: 1 a value, 2 with scale and shift"),
    "batchnorm.affine": one(1, f"{_HANDLES}, batchnorm_flop_jit"),
    **each(
        "layernorm.normalize groupnorm.normalize instancenorm.normalize", 4, f"{_HANDLES}, norm_flop_counter: 4, or 5"
    ),
    **each("layernorm.affine groupnorm.affine instancenorm.affine", 1, f"{_HANDLES}, norm_flop_counter"),
    "avgpool.global_in": one(1, "adaptive_avg_pool2d: elementwise_flop_counter(1, 0), by input"),
    "adaptive_avgpool.adaptive_in": one(1, "adaptive_avg_pool2d: elementwise_flop_counter(1, 0), by input"),
    "interpolate_nearest": one(1, "upsample_nearest2d: elementwise_flop_counter(0, 1), by output"),
    "interpolate_bilinear": one(4, "upsample_bilinear2d: elementwise_flop_counter(0, 4), by output"),
    "opaque.mac": one(1, "as the spec's author says"),
}

CONVENTIONS = {
    "fvcore": mirrored(
        "fvcore",
        "what fvcore's FlopCountAnalysis prints: mult-adds, norms, global average pools, resizing",
        "mult_adds",
        "fvcore 0.1.5, fvcore/nn/flop_count.py and fvcore/nn/jit_handles.py",
        PRICES,
        ALL_PARAMS,
        differences=(
            Difference("params", ("inception_v3",), UNUSED),
            Difference(
                "mult_adds",
                ("conv2d padding='same'",),
                "padding given as a word is another operator (aten::_convolution_mode) without a handle: 0",
            ),
        ),
    )
}
