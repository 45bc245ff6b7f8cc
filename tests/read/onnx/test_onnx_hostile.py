"""Broken, endless or malicious ONNX files: one clear error with the node's name, and no other file is read."""

import builtins
import json
import random
import sys
import time
from contextlib import suppress

import pytest
from onnx import TensorProto, helper

from costcalc import CostcalcError, analyze
from costcalc.read.onnx import file, model, rules
from costcalc.write.spec import spec_text

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64


def value(name, shape):
    return helper.make_tensor_value_info(name, FLOAT, shape)


def node(op, inputs, outputs, name=None, **attributes):
    """A node; names are separated by spaces."""
    return helper.make_node(op, inputs.split(), outputs.split(), name=name, **attributes)


def held(name, shape, location="weights.bin"):
    """An initializer with data in another file."""
    tensor = TensorProto(name=name, dims=shape, data_type=FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def graph(nodes, shape=(1, 3, 8, 8), constants=(), functions=(), version=20, domain="own"):
    """The bytes of a model with the input `x`."""
    made = helper.make_graph(nodes, "g", [value("x", shape)], [value(nodes[-1].output[0], None)], list(constants))
    opsets = [helper.make_opsetid("", version), helper.make_opsetid(domain, 1)]
    return helper.make_model(made, opset_imports=opsets, functions=list(functions)).SerializeToString()


W = held("w", [4, 3, 3, 3])
CONV = node("Conv", "x w", "y", "stem")
GOOD = graph([CONV], constants=[W])


def numbers(name, *values):
    return helper.make_tensor(name, INT, [len(values)], values)


def function(name, *calls):
    """A function that calls others in sequence."""
    nodes = [node(call, "a", f"t{at}" if at < len(calls) - 1 else "b", domain="own") for at, call in enumerate(calls)]
    return helper.make_function("own", name, ["a"], ["b"], nodes, [helper.make_opsetid("own", 1)])


def squared(times):
    """A size that is squared repeatedly."""
    nodes = [node("Shape", "x", "n0"), *(node("Mul", f"n{at} n{at}", f"n{at + 1}") for at in range(times))]
    return graph([*nodes, node("Reshape", f"x n{times}", "y", "last")], shape=["n", "m"])


def nested(depth):
    """A model with nested If branches."""
    yes = node("Constant", "", "c", value_int=1)
    inner = helper.make_graph([node("Relu", "x", "y")], "g", [], [value("y", None)]).SerializeToString()
    for _ in range(depth):
        branch = field(5, field(1, b"then_branch") + field(6, inner) + b"\xa0\x01\x05")
        own = field(1, field(1, b"c") + field(2, b"y") + field(4, b"If") + branch)
        inner = field(1, yes.SerializeToString()) + own + field(12, field(1, b"y"))
    flows = field(11, value("x", (1, 3, 8, 8)).SerializeToString())
    return b"\x08\x09" + field(8, helper.make_opsetid("", 20).SerializeToString()) + field(7, inner + flows)


def field(number, data):
    """A bytes field in wire format."""
    size, length = len(data), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + data


def kindless(name):
    """A node with an attribute without a type."""
    found = node("Conv", "x w", "y", name)
    found.attribute.add(name="strides", ints=[1, 1])
    return found


DEEP = "'deep.onnx': graphs nest at most 30 deep"
BAD = [  # name, bytes, message
    ("empty", b"", "'bad.onnx' is empty"),
    ("text", b"input: [8, 8, 3]\nlayers: []\n", "'bad.onnx': this is not an ONNX model, or the file is cut off"),
    ("cut off", GOOD[:90], "'bad.onnx': this is not an ONNX model, or the file is cut off or damaged"),
    ("cut to a field", GOOD[:2], "'bad.onnx': it contains no graph"),
    ("noise", bytes(range(256)) * 40, "'bad.onnx': this is not an ONNX model, or the file is cut off"),
    (
        "a length past the end",
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        "'bad.onnx': this is not an ONNX model, or the file is cut off",
    ),
    ("opset", graph([CONV], constants=[W], version=999), "'bad.onnx': opset 999 is unknown"),
    ("no shape", graph([CONV], None, [W]), "input `x` has no shape"),
    ("a size below zero", graph([CONV], [1, 3, -8, 8], [W]), "axis 2 of input `x` cannot have size -8"),
    ("too many axes", graph([node("Relu", "x", "y")], [2] * 30), "input `x` has 30 axes: the limit is 8"),
    ("too many numbers", graph([node("Relu", "x", "y")], [2**40, 2**40]), "is too large"),
    (
        "a weight below zero",
        graph([CONV], constants=[held("w", [4, -3, 3, 3])]),
        "initializer `w`: a size cannot be -3",
    ),
    ("a weight without end", graph([CONV], constants=[held("w", [2**40, 2**40])]), "initializer `w`"),
    (
        "circle",
        graph([node("Add", "x b", "a", "one"), node("Relu", "a", "b", "two")]),
        "node `one` (Add) reads `b`, which no earlier node makes",
    ),
    (
        "no such tensor",
        graph([node("Relu", "ghost", "y", "r")]),
        "node `r` (Relu) reads `ghost`, which no earlier node makes",
    ),
    ("rank", graph([CONV], [1, 3, 8], [W]), "node `stem` (Conv): a kernel of 2 axes on a grid of 1"),
    ("channels", graph([CONV], [1, 5, 8, 8], [W]), "node `stem` (Conv): 5 channels do not match weights for 3"),
    (
        "stride",
        graph([node("Conv", "x w", "y", "s", strides=[0, 1])], constants=[W]),
        "node `s` (Conv): `strides` [0, 1]",
    ),
    ("groups", graph([node("Conv", "x w", "y", "s", group=0)], constants=[W]), "node `s` (Conv): `group` cannot be 0"),
    (
        "window",
        graph([node("MaxPool", "x", "y", "p", kernel_shape=[9, 9])]),
        "node `p` (MaxPool): a window of 9 is larger",
    ),
    (
        "attribute",
        graph([node("Flatten", "x", "y", "f", axis="one")]),
        "node `f` (Flatten): attribute `axis` has the wrong type",
    ),
    ("no inputs", graph([node("Conv", "", "y", "c")]), "node `c` (Conv): it has 0 inputs, not 2 to 3"),
    ("reshape", graph([node("Reshape", "x n", "y", "r")], constants=[numbers("n", 7, 7)]), "node `r` (Reshape): 192"),
    (
        "unsqueeze",
        graph([node("Unsqueeze", "x n", "y", "u")], constants=[numbers("n", *range(20))]),
        "node `u` (Unsqueeze): a tensor of 24",
    ),
    (
        "function calls itself",
        graph([node("F", "x", "y", domain="own")], functions=[function("F", "F")]),
        "the function `own.F` calls itself",
    ),
    (
        "functions in a circle",
        graph([node("F", "x", "y", domain="own")], functions=[function("F", "G"), function("G", "F")]),
        "the function `own.F` calls itself",
    ),
    ("no opset", graph([CONV], constants=[W]).replace(b"\x42\x04\x0a\x00\x10\x14", b""), "does not state its opset"),
    (
        "outside",
        graph([CONV], constants=[held("w", [4, 3, 3, 3], "../../etc/passwd")]),
        "outside of the model's directory",
    ),
    ("absolute", graph([CONV], constants=[held("w", [4, 3, 3, 3], "/etc/passwd")]), "outside of the model's directory"),
    (
        "a weight of 2^62 x 2^62",
        graph([CONV], constants=[held("w", [2**62, 2**62, 3, 3])]),
        "initializer `w`: a tensor",
    ),
    (
        "an attribute of another kind",
        graph([node("Conv", "x w", "y", "stem", pads=0.5)], constants=[W]),
        "node `stem` (Conv): attribute `pads` has the wrong type",
    ),
    (
        "an attribute without a kind",
        graph([kindless("stem")], constants=[W]),
        "node `stem` (Conv): attribute `strides` has the wrong type",
    ),
    ("graphs in graphs", nested(40), "'bad.onnx': graphs nest at most 30 deep"),
    ("a thousand graphs in graphs", nested(1_000), "'bad.onnx': graphs nest at most 30 deep"),
    (
        "a bias of another size",
        graph([node("Conv", "x w b", "y", "stem")], constants=[W, held("b", [7])]),
        "node `stem` (Conv): a bias of 7 numbers does not match 4 channels",
    ),
    (
        "a norm of another size",
        graph([node("BatchNormalization", "x b b b b", "y", "bn")], constants=[held("b", [7])]),
        "node `bn` (BatchNormalization): 7 numbers do not match 3 channels",
    ),
    (
        "a border below zero",
        graph([node("Conv", "x w", "y", "stem", pads=[-1, 0, 0, 0])], constants=[W]),
        "node `stem` (Conv): `pads` [-1, 0, 0, 0] does not fit",
    ),
    ("growing sizes", squared(80), "this grows too large to be a size"),
    ("runs without end", graph([node("Conv", "x w", "y", "stem")], [2**50, 3, 8, 8], [W]), "is too large"),
]


@pytest.mark.parametrize(("data", "says"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_files_are_one_clear_error(run, tmp_path, data, says):
    (tmp_path / "bad.onnx").write_bytes(data)
    start = time.process_time()
    code, out, err = run("analyze", "bad.onnx")
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("error: ") == 1
    assert time.process_time() - start < 20


@pytest.mark.parametrize(("graphs", "says"), [(30, "`else_branch` is missing"), *((n, DEEP) for n in (31, 33, 34))])
def test_graphs_nest_thirty_deep(run, tmp_path, graphs, says):
    """The classes of `onnx` accept 33 levels; the result must not depend on which of the two parsers runs."""
    (tmp_path / "deep.onnx").write_bytes(nested(graphs - 1))
    assert says in run("analyze", "deep.onnx")[2]


def test_what_is_damaged_in_a_small_message_is_one_clear_error(run, tmp_path):
    damaged = GOOD.replace(b"\x0a\x01x\x0a\x01w", b"\x0a\x01x\x0a\x7fw")  # the length of an input of the node
    assert damaged != GOOD
    (tmp_path / "bad.onnx").write_bytes(damaged)
    code, out, err = run("analyze", "bad.onnx")
    assert (code, out) == (2, "")
    assert err.startswith("error: 'bad.onnx': this is not an ONNX model, or the file is cut off or damaged")


def test_functions_without_end(run, tmp_path, limit):
    limit(nodes=5_000)
    chain = [function(f"F{at}", *[f"F{at + 1}"] * 10) for at in range(12)]
    data = graph([node("F0", "x", "y", domain="own")], functions=[*chain, function("F12", "Relu")])
    (tmp_path / "bad.onnx").write_bytes(data)
    assert "more than 5,000 nodes, those of functions and loops counted" in run("analyze", "bad.onnx")[2]


def test_a_million_nodes(run, tmp_path):
    relu = node("Relu", "x", "y").SerializeToString()
    many = field(1, relu)
    (tmp_path / "bad.onnx").write_bytes(field(7, many * 1_000_000))
    assert "there are more than 50,000 nodes" in run("analyze", "bad.onnx")[2]


@pytest.mark.parametrize(("message", "kind"), [(5, "tensors"), (13, "values")])
def test_a_million_of_what_nothing_reads(run, tmp_path, message, kind):
    one = {5: TensorProto(name="w", dims=[3], data_type=FLOAT), 13: value("v", [3])}[message].SerializeToString()
    (tmp_path / "bad.onnx").write_bytes(field(7, field(message, one) * 1_000_000))
    start = time.process_time()
    assert f"there are more than 50,000 {kind}" in run("analyze", "bad.onnx")[2]
    assert time.process_time() - start < 5


def test_loops_in_loops_are_not_unrolled_for_ever(run, tmp_path):
    names = ("i", "go", "h"), ("on", "k")
    twice = [node("Concat", "h h", "k", axis=1), node("Identity", "go", "on")]
    inner = helper.make_graph(twice, "b", *([value(name, None) for name in side] for side in names))
    body = [helper.make_node("Loop", ["n", "yes", "h"], ["k"], body=inner), node("Identity", "go", "on")]
    outer = helper.make_graph(body, "b", *([value(name, None) for name in side] for side in names))
    loop = helper.make_node("Loop", ["n", "yes", "x"], ["y"], body=outer)
    constants = [helper.make_tensor("n", INT, [], [9_000]), helper.make_tensor("yes", TensorProto.BOOL, [], [True])]
    (tmp_path / "loops.onnx").write_bytes(graph([loop], constants=constants))
    start = time.process_time()
    code, _, err = run("analyze", "loops.onnx", "--strict")
    assert code == 2
    assert err.count("error") == 1
    assert time.process_time() - start < 5


def given(op, chance):
    """A model of one operator with random, mostly wrong inputs and attributes."""
    names = ["x", "v", "s", "w", "n", "", "g"]
    made = helper.make_node(op, [chance.choice(names) for _ in range(chance.randint(0, 6))], ["y", "z"], name="it")
    for name in ("axis", "axes", "kernel_shape", "pads", "strides", "perm", "num_heads", "blocksize", "hidden_size"):
        if chance.random() < 0.4:
            size = chance.choice([0, 1, -1, 2, 3, 2**40, 2**62, -(2**63)])
            made.attribute.append(helper.make_attribute(name, chance.choice([size, [size] * 2, [2] * 4, 0.5, "word"])))
    flows = [value("x", (1, 3, 8, 8)), value("v", (7,)), value("s", ()), value("g", None)]
    kept = [W, numbers("n", *(chance.choice([0, 1, -1, 2, 2**40]) for _ in range(chance.randint(1, 4))))]
    found = helper.make_graph([made], "g", flows[:3], [value("y", None)], kept)
    return helper.make_model(found, opset_imports=[helper.make_opsetid("", chance.choice([8, 12, 13, 21, 23]))])


@pytest.mark.parametrize("op", sorted(rules.table()))
def test_operators_with_what_is_not_theirs(op):
    """Any operator with any inputs gives a CostcalcError or a Model."""
    chance = random.Random(op)
    for _ in range(25):
        with suppress(CostcalcError):
            read = model.read(file.bounded(given(op, chance).SerializeToString(), "g.onnx"))
            analyze(read).totals  # noqa: B018 (raises where they are too large)
            assert "name: g\n" in spec_text(read, {})


def test_axes_that_are_never_bound(run, tmp_path):
    (tmp_path / "open.onnx").write_bytes(graph([CONV], ["n", 3, "h", "w!"], [W]))
    assert (
        run("analyze", "open.onnx")[2]
        == "error: open needs values for `h`, `w`\n  = help: set them, as in --set h=224 --set w=224\n"
    )
    code, _, err = run("analyze", "open.onnx", "--set", "h=2", "--set", "w=8")
    assert (code, err) == (
        2,
        "error: 'open.onnx': node `stem` (Conv): a window of 3 is larger than its input of 2\n",
    )


def test_names_steer_no_terminal(run, tmp_path):
    evil = "a\x1b[31m\u202e\n/b\x07"
    (tmp_path / "evil.onnx").write_bytes(
        graph([node("Conv", "x w", "y", evil), node("Relu", "y", "z", evil)], constants=[W])
    )
    for options in ((), ("--all",), ("--format", "md"), ("--format", "csv"), ("--format", "latex"), ("--json",)):
        code, out, _ = run("analyze", "evil.onnx", *options)
        assert code == 0
        assert not {"\x1b", "\x07", "\u202e"} & {*out}
    (tmp_path / "evil.onnx").write_bytes(graph([node("Relu", "ghost\x1b[2J", "z", evil)]))
    assert "\x1b" not in run("analyze", "evil.onnx")[2]


def test_names_that_are_no_text(run, tmp_path):
    (tmp_path / "odd.onnx").write_bytes(GOOD.replace(b"stem", b"st\xff\xfe"))
    assert "node 1 has a name that is not UTF-8" in run("analyze", "odd.onnx")[2]


def test_only_the_file_itself_is_opened(run, tmp_path, monkeypatch):
    (tmp_path / "good.onnx").write_bytes(GOOD)
    (tmp_path / "weights.bin").write_bytes(b"")
    run("analyze", "good.onnx")  # import everything beforehand
    opened, plain = [], builtins.open
    monkeypatch.setattr(
        builtins, "open", lambda path, *args, **kwargs: opened.append(str(path)) or plain(path, *args, **kwargs)
    )
    assert run("analyze", "good.onnx")[0] == 0
    assert opened == ["good.onnx"]


def test_weights_in_the_file_are_skipped(run, tmp_path):
    weight = TensorProto(name="w", dims=[4, 3, 3, 3], data_type=FLOAT, raw_data=bytes(50_000_000))
    (tmp_path / "heavy.onnx").write_bytes(graph([CONV], constants=[weight]))
    start = time.process_time()
    assert json.loads(run("analyze", "heavy.onnx", "--json")[1])["totals"] == {"mult_adds": 108 * 36, "params": 108}
    assert time.process_time() - start < 2


def test_without_the_package(run, tmp_path, monkeypatch):
    (tmp_path / "good.onnx").write_bytes(GOOD)
    file._classes.cache_clear()
    monkeypatch.delitem(sys.modules, "onnx.onnx_ml_pb2")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run("analyze", "good.onnx")[2] == (
        "error: reading ONNX files needs the package `onnx`\n  = help: pip install 'costcalc[onnx]'\n"
    )
    file._classes.cache_clear()


def test_an_unknown_operator_can_be_imported(run, tmp_path):
    nodes = [CONV, node("Odd", "y", "z", domain="own"), node("Odder", "z", "end", domain="own")]
    (tmp_path / "odd.onnx").write_bytes(graph(nodes, constants=[W]))
    code, out, _ = run("import", "odd.onnx")
    assert code == 0
    assert out.splitlines()[-2:] == ["  - {opaque: Odd, params: 0}", "  - {opaque: Odder, params: 0}"]
