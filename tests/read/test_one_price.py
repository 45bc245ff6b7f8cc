"""An operation costs the same in every spelling and through every reader.

Expected values are counted by hand: the parameters, each once, and one mult-add per term of a sum of products.
"""

import json

import pytest

from costcalc import analyze
from costcalc.read.anything import load

CONVENTIONS = ("framework", "paper", "keras")


def in_torch(function, *shapes, weights=()):
    """A spelling in PyTorch: a function of tensors of these shapes, then of parameters."""

    def made():
        torch = pytest.importorskip("torch", reason="torch is not installed: costcalc[torch]")

        class Applied(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.numbers = torch.nn.ParameterList(torch.nn.Parameter(torch.ones(one)) for one in weights)

            def forward(self, *inputs):
                return function(torch, *inputs, *self.numbers)

        return load(Applied(), [torch.empty(1, *shape) for shape in shapes])

    return made


def in_onnx(op, *shapes, weights=(), **options):
    """A spelling in ONNX: one operator on tensors of these shapes, then on weights."""

    def made():
        from onnx import TensorProto, helper

        names = [f"x{at}" for at in range(len(shapes))], [f"layer.w{at}" for at in range(len(weights))]
        flows = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape])
            for name, shape in zip(names[0], shapes, strict=True)
        ]
        stored = [
            TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
            for name, shape in zip(names[1], weights, strict=True)
        ]
        node = helper.make_node(op, [*names[0], *names[1]], ["y"], **options)
        out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        graph = helper.make_graph([node], "g", flows, [out], stored)
        return load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))

    return made


def in_keras(kind, *shapes, **config):
    """A spelling in Keras: one layer on tensors of these shapes."""

    def made():
        names = [f"x{at}" for at in range(len(shapes))]
        layers = [
            {"class_name": "InputLayer", "name": name, "config": {"name": name, "batch_shape": [None, *shape]}}
            for name, shape in zip(names, shapes, strict=True)
        ]
        read = [[name, 0, 0, {}] for name in names]
        one = {"class_name": kind, "name": "y", "config": {"name": "y", **config}, "inbound_nodes": [read]}
        ends = {"input_layers": [[name, 0, 0] for name in names], "output_layers": [["y", 0, 0]]}
        text = json.dumps({"class_name": "Functional", "config": {"name": "g", "layers": [*layers, one], **ends}})
        return load(json.loads(text))

    return made


def in_spec(layer, *shapes):
    """A spelling in the spec language: one layer on tensors of these shapes, x0, x1 ..."""

    def made():
        flows = {f"x{at}": [*shape] for at, shape in enumerate(shapes)}
        inputs = {"inputs": flows} if len(shapes) > 1 else {"input": [*shapes[0]]}
        return load({"name": "net", **inputs, "layers": [layer]})

    return made


X, W = (5, 8), (8, 12)
PAIR = (4, 5, 8), (4, 8, 6)
ROWS = (5, 8), (5, 8)
PRICES = {  # operation -> params and mult-adds, ways
    "linear": (
        (96, 480),
        {
            "torch @": in_torch(lambda torch, x, w: x @ w, X, weights=[W]),
            "torch linear": in_torch(lambda torch, x, w: torch.nn.functional.linear(x, w), X, weights=[W[::-1]]),
            "torch einsum": in_torch(lambda torch, x, w: torch.einsum("btc,cd->btd", x, w), X, weights=[W]),
            "torch tensordot": in_torch(lambda torch, x, w: torch.tensordot(x, w, 1), X, weights=[W]),
            "torch inner": in_torch(lambda torch, x, w: torch.inner(x, w), X, weights=[W[::-1]]),
            "torch mm": in_torch(lambda torch, x, w: torch.mm(x[0], w), X, weights=[W]),
            "torch bmm": in_torch(lambda torch, x, w: torch.bmm(x, w[None]), X, weights=[W]),
            "torch conv1d": in_torch(lambda torch, x, w: torch.conv1d(x, w), X[::-1], weights=[(12, 8, 1)]),
            "torch conv2d": in_torch(lambda torch, x, w: torch.conv2d(x, w), (8, 5, 1), weights=[(12, 8, 1, 1)]),
            "onnx MatMul": in_onnx("MatMul", X, weights=[W]),
            "onnx Einsum": in_onnx("Einsum", X, weights=[W], equation="btc,cd->btd"),
            "onnx Conv": in_onnx("Conv", X[::-1], weights=[(12, 8, 1)]),
            "keras Dense": in_keras("Dense", X, units=12, use_bias=False),
            "keras Conv1D": in_keras("Conv1D", X, filters=12, kernel_size=[1], use_bias=False),
            "keras EinsumDense": in_keras("EinsumDense", X, equation="abc,cd->abd", output_shape=[None, 12]),
            "spec linear": in_spec({"linear": 12, "bias": False}, X),
            "spec conv": in_spec({"conv": 1, "out": 12, "bias": False}, X),
        },
    ),
    "linear with a bias": (
        (108, 480),
        {
            "torch linear": in_torch(
                lambda torch, x, w, b: torch.nn.functional.linear(x, w, b), X, weights=[W[::-1], (12,)]
            ),
            "torch addmm": in_torch(lambda torch, x, w, b: torch.addmm(b, x[0], w), X, weights=[W, (12,)]),
            "torch @ +": in_torch(lambda torch, x, w, b: x @ w + b, X, weights=[W, (12,)]),
            "torch conv1d": in_torch(
                lambda torch, x, w, b: torch.conv1d(x, w, b), X[::-1], weights=[(12, 8, 1), (12,)]
            ),
            "onnx Conv": in_onnx("Conv", X[::-1], weights=[(12, 8, 1), (12,)]),
            "keras Dense": in_keras("Dense", X, units=12),
            "keras Conv1D": in_keras("Conv1D", X, filters=12, kernel_size=[1]),
            "keras EinsumDense": in_keras(
                "EinsumDense", X, equation="abc,cd->abd", output_shape=[None, 12], bias_axes="d"
            ),
            "spec linear": in_spec({"linear": 12}, X),
            "spec conv": in_spec({"conv": 1, "out": 12, "bias": True}, X),
        },
    ),
    "a product of two that flow": (
        (0, 4 * 5 * 8 * 6),
        {
            "torch matmul": in_torch(lambda torch, a, b: a @ b, *PAIR),
            "torch bmm": in_torch(lambda torch, a, b: torch.bmm(a[0], b[0]), *PAIR),
            "torch einsum": in_torch(lambda torch, a, b: torch.einsum("bhij,bhjk->bhik", a, b), *PAIR),
            "onnx MatMul": in_onnx("MatMul", *PAIR),
            "onnx Einsum": in_onnx("Einsum", *PAIR, equation="bhij,bhjk->bhik"),
            "spec matmul": in_spec({"matmul": ["x0", "x1"]}, *PAIR),
            "spec einsum": in_spec({"einsum": "hij,hjk->hik", "of": ["x0", "x1"]}, *PAIR),
        },
    ),
    "a product without a sum": (
        (0, 0),
        {
            "torch *": in_torch(lambda torch, a, b: a * b, *ROWS),
            "torch einsum": in_torch(lambda torch, a, b: torch.einsum("bij,bij->bij", a, b), *ROWS),
            "onnx Mul": in_onnx("Mul", *ROWS),
            "onnx Einsum": in_onnx("Einsum", *ROWS, equation="bij,bij->bij"),
            "keras Multiply": in_keras("Multiply", *ROWS),
            "spec mul": in_spec({"mul": ["x0", "x1"]}, *ROWS),
            "spec einsum": in_spec({"einsum": "ij,ij->ij", "of": ["x0", "x1"]}, *ROWS),
        },
    ),
    "an outer product": (
        (0, 0),
        {
            "torch *": in_torch(lambda torch, a, b: a[:, :, None] * b[:, None], (5,), (6,)),
            "torch einsum": in_torch(lambda torch, a, b: torch.einsum("bi,bj->bij", a, b), (5,), (6,)),
            "torch outer": in_torch(lambda torch, a, b: torch.outer(a[0], b[0]), (5,), (6,)),
            "onnx Einsum": in_onnx("Einsum", (5,), (6,), equation="bi,bj->bij"),
            "spec einsum": in_spec({"einsum": "i,j->ij", "of": ["x0", "x1"]}, (5,), (6,)),
        },
    ),
    "a sum": (
        (0, 0),
        {
            "torch sum": in_torch(lambda torch, x: x.sum(1), X),
            "torch mean": in_torch(lambda torch, x: x.mean(1), X),
            "torch einsum": in_torch(lambda torch, x: torch.einsum("bij->bj", x), X),
            "onnx ReduceSum": in_onnx("ReduceSum", X),
            "onnx ReduceMean": in_onnx("ReduceMean", X, axes=[1]),
            "onnx Einsum": in_onnx("Einsum", X, equation="bij->bj"),
            "keras": in_keras("GlobalAveragePooling1D", X),
        },
    ),
    "a scale": (
        (8, 0),
        {
            "torch *": in_torch(lambda torch, x, g: x * g, X, weights=[(8,)]),
            "torch einsum": in_torch(lambda torch, x, g: torch.einsum("btc,c->btc", x, g), X, weights=[(8,)]),
            "onnx Mul": in_onnx("Mul", X, weights=[(8,)]),
            "onnx Einsum": in_onnx("Einsum", X, weights=[(8,)], equation="btc,c->btc"),
            "spec mul": in_spec({"mul": [[], [{"parameter": [1, 8]}]]}, X),
        },
    ),
    "dot products of rows": (
        (0, 40),
        {
            "torch einsum": in_torch(lambda torch, a, b: torch.einsum("bij,bij->bi", a, b), *ROWS),
            "torch matmul": in_torch(lambda torch, a, b: a[:, :, None] @ b[..., None], *ROWS),
            "onnx Einsum": in_onnx("Einsum", *ROWS, equation="bij,bij->bi"),
            "spec einsum": in_spec({"einsum": "ij,ij->i", "of": ["x0", "x1"]}, *ROWS),
        },
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize(("operation", "way"), [(name, way) for name, (_, ways) in PRICES.items() for way in ways])
def test_one_operation_has_one_price(operation, way):
    due, ways = PRICES[operation]
    model = ways[way]()
    report = analyze(model, convention="framework")
    assert report.complete
    assert (report.totals["params"], report.totals["mult_adds"]) == due
    for convention in CONVENTIONS:
        other = analyze(model, convention=convention).totals["mult_adds"]
        assert other == due[1], convention


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize(("convention", "params"), [("6N", 8), ("thop", 0)])
@pytest.mark.parametrize("way", PRICES["a scale"][1])
def test_a_learned_operand_is_a_parameter_wherever_it_stands(way, convention, params):
    """thop counts only parameters of modules; 6N excludes only embeddings and logits."""
    report = analyze(PRICES["a scale"][1][way](), convention=convention)
    assert report.totals["params"] == params
