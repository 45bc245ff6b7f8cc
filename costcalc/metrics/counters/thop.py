"""thop.profile (pytorch-OpCounter)."""

from ..pricing import Difference
from . import each, mirrored, one

_BASIC, _FORMULAS, _RNN = "thop/vision/basic_hooks.py", "thop/vision/calc_func.py", "thop/rnn_hooks.py"
_HOOKS = "thop/profile.py, register_hooks"
_FUNCTIONAL = "is called as a function there, and only modules are counted; a spec cannot say which"

PRICES = {
    **each("conv.mac dwconv.mac", 1, f"{_BASIC}, count_convNd: no bias"),
    "conv_transpose.mac_on_output": one(1, f"{_BASIC}, count_convNd: a transposed convolution as if it were none"),
    "linear.mac": one(1, f"{_BASIC}, count_linear: no bias"),
    **each("batchnorm.normalize layernorm.normalize instancenorm.normalize", 2, f"{_BASIC}, count_normalization"),
    **each("batchnorm.affine layernorm.affine instancenorm.affine", 2, f"{_BASIC}, count_normalization: twice that"),
    "prelu.activate": one(1, f"{_BASIC}, count_prelu: by input"),
    "softmax.activate": one(3, f"{_FORMULAS}, calculate_softmax: n exponentials, n - 1 sums, n quotients a row"),
    "softmax.softmax_rows": one(-1, f"{_FORMULAS}, calculate_softmax"),
    "avgpool.pool_out": one(1, f"{_BASIC}, count_avgpool: by output"),
    **each("avgpool.global_in avgpool.global_out", 1, f"{_BASIC}, count_adap_avgpool: (window + 1) an output"),
    **each(
        "adaptive_avgpool.adaptive_in adaptive_avgpool.adaptive_out",
        1,
        f"{_BASIC}, count_adap_avgpool: the window is input side / output side",
    ),
    "interpolate_nearest": one(1, f"{_FORMULAS}, calculate_upsample: by output"),
    "interpolate_bilinear": one(11, f"{_FORMULAS}, calculate_upsample: 11 an output"),
    **each("rnn.mac rnn.bias lstm.mac lstm.bias gru.mac gru.bias", 1, f"{_RNN}: products and both biases"),
    "rnn.states": one(1, f"{_RNN}, _count_rnn_cell: hidden_size a step"),
    "lstm.states": one(8, f"{_RNN}, _count_lstm_cell: hidden_size for each of 4 gates, and 4 to mix"),
    "gru.states": one(7, f"{_RNN}, _count_gru_cell: hidden_size for each of 3 gates, and 4 to mix"),
    "opaque.mac": one(1, "as the spec's author says"),
}
_PARAMETERS = "parameter.weight parameter.bias parameter.gamma parameter.beta parameter.slope"
PARAMS = {
    **each("weight bias gamma beta slope", 1, "thop/profile.py: parameters of the modules that have a hook"),
    **each("attention.weight attention.bias", 0, f"{_HOOKS}: none for nn.MultiheadAttention"),
    **each(_PARAMETERS, 0, "a parameter outside of such a module is not seen"),
    **each("embedding.weight bilinear.weight bilinear.bias", 0, f"{_HOOKS}: none"),
    **each("groupnorm.gamma groupnorm.beta rmsnorm.gamma", 0, f"{_HOOKS}: none"),
}
_LAYERNORM_2D = "5 of its layer norms are LayerNorm2d, a class of its own, for which there is no hook"

CONVENTIONS = {
    "thop": mirrored(
        "thop",
        "what thop's profile prints: mult-adds, 4 per normalised value, average pools; modules only",
        "mult_adds",
        "thop 0.1.1 (pytorch-OpCounter), thop/profile.py",
        PRICES,
        PARAMS,
        differences=(
            Difference("mult_adds", ("mobilenet_v2",), f"its global average pool {_FUNCTIONAL}"),
            Difference("mult_adds", ("inception_v3",), f"the average pool of each module {_FUNCTIONAL}"),
            Difference("mult_adds", ("convnext_tiny",), _LAYERNORM_2D),
            Difference("params", ("convnext_tiny",), _LAYERNORM_2D),
            Difference("mult_adds", ("F.conv2d on a raw weight", "F.linear on a raw weight"), f"it {_FUNCTIONAL}"),
            Difference("mult_adds", ("F.softmax", "x.softmax(-1)"), f"it {_FUNCTIONAL}"),
            Difference("mult_adds", ("F.interpolate bilinear x2", "F.interpolate size=(20,24)"), f"it {_FUNCTIONAL}"),
        ),
    )
}
