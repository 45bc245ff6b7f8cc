"""torchprofile.profile_macs."""

from ..pricing import Difference
from . import each, mirrored, one

_HANDLERS = "torchprofile/handlers.py"

CONVENTIONS = {
    "torchprofile": mirrored(
        "torchprofile",
        "what torchprofile's profile_macs prints: mult-adds, norms, average pools and products of tensors",
        "mult_adds",
        "torchprofile 0.1.0, torchprofile/handlers.py",
        {
            "mac": one(1, f"{_HANDLERS}, _addmm, _matmul, _bmm, _einsum, _lstm, _convolution"),
            "conv_transpose.mac": one(0, f"{_HANDLERS}, _convolution: counted on the output"),
            "conv_transpose.mac_on_output": one(1, f"{_HANDLERS}, _convolution: output positions times the kernel"),
            **each("rnn.mac gru.mac bilinear.mac", 0, f"{_HANDLERS}, HANDLER_MAP: none for this operator"),
            **each("mac_attention mac_masked", 1, f"{_HANDLERS}, _scaled_dot_product_attention"),
            **each(
                "batchnorm.affine layernorm.affine groupnorm.affine instancenorm.affine",
                1,
                f"{_HANDLERS}, _norm: 1 a value if it has scale and shift",
            ),
            "avgpool.pool_out": one(1, f"{_HANDLERS}, _avg_pool_or_mean: by output"),
            "avgpool.global_out": one(1, f"{_HANDLERS}, _avg_pool_or_mean: by output"),
            "adaptive_avgpool.adaptive_out": one(1, f"{_HANDLERS}, _avg_pool_or_mean: by output"),
            "reduce_mean_out": one(1, f"{_HANDLERS}, _avg_pool_or_mean: a mean, by output"),
            "mul.multiply": one(1, f"{_HANDLERS}, _mul: by output"),
            "leaky_relu.activate": one(1, f"{_HANDLERS}, _leaky_relu"),
            "interpolate_bilinear": one(4, f"{_HANDLERS}, _upsample_bilinear2d: 4 an output"),
        },
        {},
        differences=(
            Difference(
                "mult_adds",
                ("vit_b_16", "nn.MultiheadAttention (eval)"),
                "it traces the arithmetic on sizes too: 4 products of two numbers in each attention, "
                "1 more where the patches become tokens",
            ),
            Difference(
                "mult_adds",
                ("conv2d padding='same'",),
                "padding given as a word is another operator (aten::_convolution_mode), which has no handler",
            ),
            Difference(
                "mult_adds", ("x.mean((2,3))",), "a mean over two axes is one operator there, two layers in a spec"
            ),
        ),
        notes=(
            "It prints no parameters.",
            "A transposed convolution in groups with other channels out than in counts as if it had no groups.",
        ),
    )
}
