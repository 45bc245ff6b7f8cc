"""onnx-tool's model_profile, on a network exported by torch.onnx."""

from ..pricing import Difference
from . import each, mirrored, one

_NODE = "onnx_tool/node.py"
_EXP = "EXP_MACS is 32, DIV_MACS 4"

PRICES = {
    "mac": one(1, f"{_NODE}, ConvNode, GemmNode, MatMulNode"),
    "conv_transpose.mac": one(0, f"{_NODE}, ConvTransposeNode: counted on the output"),
    "conv_transpose.mac_on_output": one(1, f"{_NODE}, ConvTransposeNode"),
    "bias": one(1, f"{_NODE}, ConvNode, GemmNode: 1 an output"),
    "mac_attention": one(1, f"{_NODE}, MatMulNode"),
    "mac_masked": one(1, f"{_NODE}, MatMulNode"),
    "attention.scale": one(2, f"{_NODE}, MulNode: queries and keys are both scaled"),
    "attend.scale": one(2, f"{_NODE}, MulNode: queries and keys are both scaled"),
    "softmax": one(36, f"{_NODE}, SoftmaxNode: {_EXP}"),
    "softmax.activate": one(36, f"{_NODE}, SoftmaxNode: {_EXP}"),
    "batchnorm.normalize": one(1, "the exporter folds it into the convolution before, whose bias it becomes"),
    "layernorm.normalize": one(7, f"{_NODE}, LayerNormalizationNode: 3 products and 4 sums a value"),
    "layernorm.normalize_rows": one(29, f"{_NODE}, LayerNormalizationNode: a sum, a square root, a quotient a row"),
    "relu.activate": one(1, f"{_NODE}, ReluNode"),
    **each("relu6.activate prelu.activate leaky_relu.activate", 2, f"{_NODE}, ClipNode, PReluNode, LeakyReluNode"),
    "hswish.activate": one(5, f"{_NODE}, HardSwishNode"),
    "hsigmoid.activate": one(4, f"{_NODE}, HardSigmoidNode"),
    "sigmoid.activate": one(32, f"{_NODE}, SigmoidNode: as ExpNode"),
    **each("silu.activate swish.activate", 33, f"{_NODE}, SigmoidNode and MulNode"),
    "gelu.activate": one(34, f"{_NODE}, GeluNode: {_EXP}"),
    "tanh.activate": one(76, f"{_NODE}, TanhNode: twice an exponential, 2 sums, a quotient"),
    **each("exp.activate glu.activate", 32, f"{_NODE}, ExpNode, SigmoidNode"),
    "log.activate": one(43, f"{_NODE}, LogNode"),
    "sqrt.activate": one(24, f"{_NODE}, SqrtNode"),
    "softplus.activate": one(76, f"{_NODE}, SoftplusNode: an exponential, a sum, a logarithm"),
    "log_softmax.activate": one(80, f"{_NODE}, LogSoftmaxNode"),
    **each("clamp.activate hardtanh.activate", 2, f"{_NODE}, ClipNode"),
    "elu.activate": one(35, f"{_NODE}, EluNode"),
    "compare": one(1, f"{_NODE}, MaxPoolNode: 1 for each value that a window sees"),
    "average": one(1, f"{_NODE}, AveragePoolNode: 1 for each value that a window sees; ReduceMeanNode: 1 an input"),
    "adaptive_in": one(1, f"{_NODE}, AveragePoolNode"),
    **each("add multiply", 1, f"{_NODE}, AddNode, MulNode"),
    "divide": one(4, f"{_NODE}, DivNode"),
    "interpolate_bilinear": one(4, f"{_NODE}, ResizeNode"),
    **each("reduce_mean reduce_sum reduce_max", 1, f"{_NODE}, ReduceMeanNode: 1 an input"),
}
PARAMS = {
    **each("weight bias beta slope gamma", 1, "the initializers of the graph"),
    "batchnorm.gamma": one(0, "folded into the weights before"),
}
_NETWORKS = (
    *("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "resnet50", "vgg16"),
    *("squeezenet1_1", "inception_v3", "vit_b_16", "convnext_tiny"),
)

CONVENTIONS = {
    "onnx_tool": mirrored(
        "onnx_tool",
        "the MACs that onnx-tool prints for an exported network: instructions, 32 for an exponential",
        "mult_adds",
        "onnx-tool 1.0.1, onnx_tool/node.py",
        PRICES,
        PARAMS,
        differences=(
            Difference(
                "params",
                _NETWORKS,
                "it counts the constants of the graph too, such as the shapes of reshapes: 2 to 773 numbers more",
            ),
            Difference("mult_adds", ("batchnorm2d (eval)",), "a batch norm that follows no convolution is 31 a value"),
            Difference("mult_adds", ("groupnorm",), "exported as several nodes, 9 a value"),
            Difference("mult_adds", ("gelu module",), "alone it is exported as Div, Erf, Add, Mul, Mul: 7 a value"),
            Difference(
                "mult_adds",
                ("adaptive_avg_pool2d(1)",),
                "alone it is exported as GlobalAveragePool, 4 more an output; in the nine networks as ReduceMean",
            ),
            Difference(
                "mult_adds",
                ("conv_transpose2d k4 s2 (no bias)",),
                "ConvTransposeNode takes the outputs of the kernel for its inputs: 16 from 8 channels count double",
            ),
            Difference(
                "mult_adds",
                ("F.scaled_dot_product_attention", "nn.MultiheadAttention (eval)"),
                "76 to 79 steps of arithmetic on sizes are nodes of the graph too",
            ),
            Difference("mult_adds", ("x.mean((2,3))",), "a mean over two axes is one node there, two layers in a spec"),
        ),
        notes=("Not listed: group and instance norm. Recurrent layers are priced as their products alone.",),
    )
}
