"""No parameter of a graph is lost: each counts fully at the first node that reads a value derived from it."""

import json

import pytest
from onnx import TensorProto, helper

from costcalc import analyze
from costcalc.errors import Source
from costcalc.read.onnx import model

FLOAT, BYTE, INT, REAL = TensorProto.FLOAT, TensorProto.INT8, TensorProto.INT64, TensorProto.UINT8
T = (1, 16, 8)
IMAGE = (1, 8, 7, 7)


def node(op, inputs, outputs="y", domain="", **attributes):
    return helper.make_node(op, inputs.split(","), outputs.split(), domain=domain, **attributes)


def held(name, *shape, kind=FLOAT):
    count = 1
    for size in shape:
        count *= size
    return helper.make_tensor(name, kind, shape, [1] * count)


def given(name, *values):
    return helper.make_tensor(name, INT, [len(values)], values)


def graph(nodes, constants, shape=T, kind=FLOAT, opset=18):
    """The source of a model with one input."""
    flows = [helper.make_tensor_value_info("x", kind, shape)]
    out = [helper.make_tensor_value_info("y", FLOAT, None)]
    domains = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("own", 1)]
    proto = helper.make_model(helper.make_graph(nodes, "net", flows, out, constants), opset_imports=domains)
    return Source("net.onnx", "", proto.SerializeToString())


def counted(*args, **kwargs):
    report = analyze(model.read(graph(*args, **kwargs)), convention="framework")
    assert report.accounting.is_closed
    return report, (report.totals["params"], report.totals["mult_adds"])


HEAD = node("MatMul", "l,x")
WHOLE = {  # nodes, constants, inputs, parameters and mult-adds by hand
    "a slice": (
        [node("Slice", "t,a,b,ax", "s"), node("Add", "x,s")],
        [held("t", 1, 512, 8), given("a", 0), given("b", 16), given("ax", 1)],
        T,
        (4096, 0),
    ),
    "two slices": (
        [node("Slice", "t,a,b", "s"), node("Add", "x,s", "h"), node("Slice", "t,b,c", "u"), node("Mul", "h,u")],
        [held("t", 64, 8), given("a", 0), given("b", 16), given("c", 32)],
        T,
        (512, 0),
    ),
    "resized": (
        [node("Resize", "t,,,sz", "s", mode="linear"), node("Add", "x,s")],
        [held("t", 1, 8, 4, 4), given("sz", *IMAGE)],
        IMAGE,
        (128, 0),
    ),
    "queries": (
        [node("MatMul", "q,w", "l"), HEAD],
        [held("q", 10, 32), held("w", 32, 32)],
        (1, 32, 16),
        (1344, 10 * 32 * 32 + 10 * 32 * 16),
    ),
    "queries by an equation": (
        [node("Einsum", "q,w", "l", equation="ij,jk->ik"), HEAD],
        [held("q", 10, 32), held("w", 32, 32)],
        (1, 32, 16),
        (1344, 10 * 32 * 32 + 10 * 32 * 16),
    ),
    "low rank": (
        [node("MatMul", "b,a", "d"), node("Add", "w,d", "e"), node("MatMul", "x,e")],
        [held("w", 8, 4), held("b", 8, 2), held("a", 2, 4)],
        T,
        (56, 16 * 32 + 8 * 2 * 4),
    ),
    "a token put in": (
        [node("Greater", "x,z", "c"), node("Where", "c,m,x")],
        [held("m", 8), helper.make_tensor("z", FLOAT, [], [0])],
        T,
        (8, 0),
    ),
    "one number": ([node("Mul", "x,g")], [held("g", 1)], T, (1, 0)),
    "one number of a module": ([node("Mul", "x,head.scale")], [held("head.scale")], T, (1, 0)),
    "an exponent": ([node("Pow", "x,p")], [held("p", 1)], IMAGE, (1, 0)),
    "a threshold": ([node("Max", "x,m")], [held("m", 8)], T, (8, 0)),
    "a sum of three": ([node("Sum", "x,m,n")], [held("m", 8), held("n", 8)], T, (16, 0)),
    "a constant through a convolution": (
        [node("Conv", "k,w", "c", pads=[1] * 4), node("Add", "x,c")],
        [held("k", 1, 8, 4, 4), held("w", 4, 8, 3, 3)],
        (1, 4, 4, 4),
        (416, 16 * 288),
    ),
    "one of stacked weights": (
        [node("Gather", "w,i", "s", axis=0), node("MatMul", "x,s")],
        [held("w", 3, 8, 4), helper.make_tensor("i", INT, [], [1])],
        T,
        (96, 512),
    ),
    "weight norm": (
        [
            node("ReduceL2", "v,ax", "n", keepdims=1),
            node("Div", "v,n", "d"),
            node("Mul", "d,g", "w"),
            node("Conv", "x,w"),
        ],
        [held("v", 8, 8, 3, 3), held("g", 8, 1, 1, 1), given("ax", 1, 2, 3)],
        IMAGE,
        (584, 25 * 576),
    ),
    "a sampled plane": (
        [node("GridSample", "p,x")],
        [held("p", 1, 3, 5, 5)],
        (1, 4, 4, 2),
        (75, 0),
    ),
    "an unknown operator": ([node("Odd", "x,w", domain="own")], [held("w", 5, 3)], T, (15, 0)),
    "the output": ([node("Relu", "x", "h"), node("Identity", "w")], [held("w", 5, 3)], T, (15, 0)),
    "a literal of the code": ([node("Mul", "x,val_3")], [held("val_3")], T, (0, 0)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_parameter_is_whole(name):
    nodes, constants, shape, due = WHOLE[name]
    assert counted(nodes, constants, shape)[1] == due


LOOK_UPS = ("GatherElements", "GatherND", "Gather")


@pytest.mark.parametrize("op", LOOK_UPS)
def test_a_table_that_data_index_is_whole(op):
    assert counted([node(op, "t,x")], [held("t", 50, 2)], (16, 2), INT)[1] == (100, 0)


def test_scales_of_dynamic_quantization_are_no_parameters():
    nodes = [
        *(node("DynamicQuantizeLinear", "x", "q s z"), node("MatMulInteger", "q,w,z,wz", "a")),
        *(node("Cast", "a", "f", to=1), node("Mul", "s,ws", "c"), node("Mul", "f,c", "m"), node("Add", "m,b", "h")),
        node("Mul", "h,g"),
    ]
    constants = [held("w", 64, 32, kind=BYTE), held("wz", 32, kind=BYTE), held("ws", 32), held("b", 32), held("g", 32)]
    assert counted(nodes, constants, (1, 10, 64))[1] == (64 * 32 + 32 + 32, 10 * 64 * 32)


def test_scales_of_a_quantized_lstm_are_no_parameters():
    names = "x,w,r,b,,,,,ws,wz,rs,rz"
    constants = [held("w", 1, 32, 64, kind=REAL), held("r", 1, 16, 64, kind=REAL), held("b", 1, 128)]
    constants += [held("ws", 1), held("wz", 1, kind=REAL), held("rs", 1), held("rz", 1, kind=REAL)]
    lstm = node("DynamicQuantizeLSTM", names, domain="com.microsoft", hidden_size=16)
    assert counted([lstm], constants, (12, 1, 32))[1][0] == 32 * 64 + 16 * 64 + 128


def test_bounds_and_operands_of_comparisons_are_no_parameters():
    nodes = [node("Clip", "x,lo,hi", "c"), node("Less", "c,t", "l"), node("Where", "l,c,x")]
    assert counted(nodes, [held("lo", 1), held("hi", 1), held("t", 8)])[1] == (0, 0)


def test_statistics_of_a_norm_are_no_parameters():
    nodes = [node("BatchNormalization", "x,g,b,m,v")]
    assert counted(nodes, [held(name, 8) for name in "gbmv"], IMAGE)[1] == (16, 0)


def test_what_no_layer_reads_is_listed():
    report, totals = counted([node("Add", "x,b")], [held("b", 8), held("spare", 5, 3)])
    assert (totals, report.accounting.stored.unread, report.accounting.stored.total) == ((8, 0), {"spare": 15}, 23)


def test_a_branch_that_is_not_known_holds_the_weights_of_both():
    info = [helper.make_tensor_value_info("h", FLOAT, None)]
    one = helper.make_graph([node("MatMul", "x,w", "h")], "one", [], info)
    two = helper.make_graph([node("MatMul", "x,v", "h")], "two", [], info, [held("v", 8, 8)])
    nodes = [node("ReduceMax", "x", "m", keepdims=0), node("Cast", "m", "c", to=9)]
    nodes.append(node("If", "c", then_branch=one, else_branch=two))
    report, (params, _) = counted(nodes, [held("w", 8, 8)])
    assert (params, report.complete) == (128, False)


def test_the_law_is_stated_and_a_breach_of_it_fails(run, tmp_path, monkeypatch):
    from costcalc.read.onnx.numbers import Numbers

    path = tmp_path / "net.onnx"
    path.write_bytes(graph([node("Add", "x,b", "h"), node("Where", "x,m,h")], [held("b", 8), held("m", 8)]).data)
    code, out, _ = run("analyze", str(path), "--json", "-c", "framework", "--strict")
    found = json.loads(out)
    assert (code, found["complete"]) == (0, True)
    assert found["accounting"] == {"total": 16, "in_rows": 16, "unread": 0, "closed": True}
    monkeypatch.setattr(Numbers, "unheld", lambda self, tensors: [])  # a rule that ignores its constants
    code, out, _ = run("analyze", str(path), "--json", "-c", "framework")
    found = json.loads(out)
    assert (code, found["complete"]) == (0, False)
    assert found["accounting"] == {"total": 16, "in_rows": 8, "unread": 0, "closed": False, "missing": {"m": "y"}}
    code, out, _ = run("analyze", str(path), "-c", "framework")
    assert code == 0
    assert ">= 8" in out
    assert "`m`, read by `y`" in out
    code, _, err = run("analyze", str(path), "--strict")
    assert code == 2
    assert "`m`, read by `y`" in err
