"""torchinfo.summary."""

from ..pricing import Difference
from . import ALL_PARAMS, UNUSED, each, mirrored, one

_MACS = "torchinfo/layer_info.py, LayerInfo.calculate_macs"
_ONCE = f"{_MACS}: of what is no convolution, its numbers, once whatever the tokens"
_FUNCTIONAL = "called as a function it is no module, and only modules are counted; a spec cannot say which"

CONVENTIONS = {
    "torchinfo": mirrored(
        "torchinfo",
        "what torchinfo's summary prints as total mult-adds: convolutions with bias, of all else its parameters once",
        "mult_adds",
        "torchinfo 1.8.0, torchinfo/layer_info.py",
        {
            **each("conv.mac dwconv.mac", 1, f"{_MACS}: of a class with `Conv` in its name, numbers times positions"),
            **each("conv.bias dwconv.bias conv_transpose.bias", 1, f"{_MACS}: a bias is one of the numbers"),
            "conv_transpose.mac_on_output": one(1, f"{_MACS}: the positions are those of the output"),
            **each("rnn.mac lstm.mac gru.mac", 1, f"{_MACS}: weights of recurrent layers at every step"),
            **each("rnn.bias lstm.bias gru.bias", 1, f"{_MACS}: biases of recurrent layers at every step"),
            "opaque.mac": one(1, "as the spec's author says"),
        },
        ALL_PARAMS,
        numbers={
            **each("linear.weight linear.bias bilinear.weight bilinear.bias", 1, _ONCE),
            **each("gamma beta slope embedding.weight", 1, _ONCE),
        },
        differences=(
            Difference("params", ("inception_v3",), UNUSED),
            Difference("mult_adds", ("F.conv2d on a raw weight", "F.linear on a raw weight"), _FUNCTIONAL),
        ),
        notes=("nn.MultiheadAttention counts 0: it is no leaf, as it holds a projection that is never called",),
    )
}
